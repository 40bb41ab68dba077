/* SPDX-License-Identifier: MIT
 *
 * read.c - labels out of replies; see tags.h.
 */
#include "tags.h"

static char plain(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '_' || c == '-' ? ' ' : c;
}

/* The same words?  "&" is "and", '_' and '-' are spaces, case does not count. */
static int same_words(drh_str a, drh_str b)
{
    while (a.len && b.len) {
        if (drh_str_starts(a, "&") && drh_str_starts(b, "and")) {
            a = drh_str_from(a, 1);
            b = drh_str_from(b, 3);
        } else if (plain(a.ptr[0]) == plain(b.ptr[0])) {
            a = drh_str_from(a, 1);
            b = drh_str_from(b, 1);
        } else {
            return 0;
        }
    }
    return a.len == 0 && b.len == 0;
}

int tag_label(const struct tag_kind *k, drh_str word)
{
    static const struct {
        const char *said, *meant;
    } also[] = {{"other", "Others"},
                {"maths", "Math"},
                {"mathematics", "Math"},
                {"coding", "Coding & Debugging"}};
    word = synth_trim(word);
    for (size_t i = 0; i < sizeof(also) / sizeof(also[0]); i++) {
        if (same_words(drh_str_of(also[i].said), word)) {
            word = drh_str_of(also[i].meant);
        }
    }
    for (int i = 0; k->label[i]; i++) {
        if (same_words(drh_str_of(k->label[i]), word)) {
            return i;
        }
    }
    return -1;
}

enum { MOST_TRIES = 16 };

/* The text from its k-th brace on, k from 1; 0: from its beginning.  Empty: it has not so many. */
static drh_str from_brace(drh_str s, int k)
{
    for (size_t i = 0; k > 0 && i < s.len; i++) {
        if (s.ptr[i] == '{' && --k == 0) {
            return drh_str_from(s, i);
        }
    }
    return k > 0 ? drh_str_from(s, s.len) : s;
}

/* 1: there is an object, and the label's key is in it. */
static int read_object(const drh_host *h, const struct tag_kind *k, drh_str said,
                       struct tag_reply *r)
{
    drh_error e = DRH_ERROR_INIT;
    drh_str   label, mended;
    *r = (struct tag_reply){.label = -1, .text = {.host = h}};
    if (!tags_mend(said, &r->text)) {
        return r->text.failed ? -1 : 0;
    }
    mended = drh_text_str(&r->text);
    if (h->json_open(h, mended.ptr, mended.len, &r->doc, &r->root, &e) != DRH_OK) {
        r->doc = NULL;
        return e.code == DRH_E_NOMEM ? -1 : 0;
    }
    label = drh_hub_text(h, &r->root, k->key);
    r->label = label.ptr ? tag_label(k, label) : -1;
    return label.ptr != NULL;
}

int tag_read(const drh_host *h, const struct tag_kind *k, drh_str said, struct tag_reply *r)
{
    int found = 0;
    for (int i = 0; i < MOST_TRIES; i++) { /* there may be braces in what it says before */
        const drh_str from = from_brace(said, i);
        if (i > 0) {
            tag_reply_free(h, r);
        }
        found = read_object(h, k, from, r);
        if (found || (i > 0 && from.len == 0)) {
            break;
        }
    }
    return found;
}

void tag_reply_free(const drh_host *h, struct tag_reply *r)
{
    h->json_close(r->doc);
    drh_text_free(&r->text);
    *r = (struct tag_reply){.label = -1, .text = {.host = h}};
}
