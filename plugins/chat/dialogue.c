/* SPDX-License-Identifier: MIT
 *
 * dialogue.c - whole dialogues in one text, the sides told apart by marks: BELLE's prompts,
 * hh-rlhf, openassistant-guanaco.  Called by collect.c and pairs.c, on the worker's thread.
 */
#include "chat.h"

enum { SIDES = 2 };

/* A way to mark who speaks.  The first mark of a text may be without its line ends. */
struct form {
    drh_str mark[SIDES]; /* of the human, of the assistant */
    size_t  line_ends;   /* that each mark begins with */
    bool    space;       /* one space behind a mark belongs to it, and all line ends before it */
};

static const struct form forms[] = {
    {{{DRH_LIT("### Human:")}, {DRH_LIT("### Assistant:")}}, 0, true},
    {{{DRH_LIT("\n\nHuman:")}, {DRH_LIT("\n\nAssistant:")}}, 2, true},
    /* BELLE */
    {{{DRH_LIT("\nHuman:")}, {DRH_LIT("\nAssistant:")}}, 1, false},
};

static bool begins(drh_str s, size_t at, drh_str mark)
{
    return s.len - at >= mark.len && memcmp(s.ptr + at, mark.ptr, mark.len) == 0;
}

/* The next mark from `at` on, whose it is in *side; s.len: there is none. */
static size_t next_mark(drh_str s, size_t at, const struct form *f, size_t *side)
{
    while (at < s.len) {
        const char *p = memchr(s.ptr + at, f->mark[0].ptr[0], s.len - at);
        if (!p) {
            break;
        }
        at = (size_t)(p - s.ptr);
        for (*side = 0; *side < SIDES; (*side)++) {
            if (begins(s, at, f->mark[*side])) {
                return at;
            }
        }
        at++;
    }
    return s.len;
}

/* Length of the human's mark that the text begins with, with or without its line ends; 0: none.
 * Without them it is hh-rlhf's only with the space behind it: BELLE has none. */
static size_t first_mark(drh_str s, const struct form *f)
{
    drh_str bare = f->mark[0];
    if (begins(s, 0, bare)) {
        return bare.len;
    }
    bare.ptr += f->line_ends;
    bare.len -= f->line_ends;
    if (!begins(s, 0, bare) || (f->space && (s.len == bare.len || s.ptr[bare.len] != ' '))) {
        return 0;
    }
    return bare.len;
}

/* The form of a text that the human begins and in which the assistant has a part. */
static const struct form *form_of(drh_str s)
{
    size_t i;
    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t side, at = first_mark(s, &forms[i]);
        if (at == 0) {
            continue;
        }
        while ((at = next_mark(s, at, &forms[i], &side)) < s.len) {
            if (side == 1) {
                return &forms[i];
            }
            at += forms[i].mark[0].len;
        }
    }
    return NULL;
}

/* Adds the parts of the text; a last part that is empty only when `whole`. */
static drh_status split(struct chat_worker *w, drh_str s, const struct form *f, bool whole)
{
    size_t     at = first_mark(s, f), side = 0;
    drh_status st = DRH_OK;
    for (;;) {
        size_t  after = 0, end;
        drh_str text;
        at += f->space && at < s.len && s.ptr[at] == ' ';
        end = next_mark(s, at, f, &after);
        text.ptr = s.ptr + at;
        text.len = end - at;
        while (f->space && end < s.len && text.len > 0 && text.ptr[text.len - 1] == '\n') {
            text.len--;
        }
        if (whole || end < s.len || text.len > 0) {
            st = chat_add_text(w, side ? CHAT_GPT : CHAT_HUMAN, text);
        }
        if (st != DRH_OK || end == s.len) {
            return st;
        }
        at = end + f->mark[after].len;
        side = after;
    }
}

bool chat_is_dialogue(drh_str s)
{
    return form_of(s) != NULL;
}

drh_status chat_dialogue_text(struct chat_worker *w, drh_str s)
{
    const struct form *f = form_of(s);
    return f ? split(w, s, f, true) : DRH_E_MISSING;
}

drh_status chat_open_dialogue(struct chat_worker *w, drh_str prompt, bool *done)
{
    const struct form *f = form_of(prompt);
    drh_str            mark;
    size_t             end = prompt.len;

    *done = false;
    if (!f) {
        return DRH_OK;
    }
    mark = f->mark[1];
    end -= f->space && prompt.ptr[end - 1] == ' ';
    if (end < mark.len || memcmp(prompt.ptr + end - mark.len, mark.ptr, mark.len) != 0) {
        return DRH_OK;
    }
    *done = true;
    return split(w, prompt, f, false);
}

/* A record that is one text, or two to compare, of which `chosen` is the better one. */
drh_status chat_dialogue(struct chat_worker *w, const drh_record *r)
{
    const drh_host *h = w->host;
    size_t          i;
    for (i = 0; w->chat->dialogues.f[i] != DRH_FIELD_NONE; i++) {
        drh_str s;
        if (h->records->get_str(r, w->chat->dialogues.f[i], &s) == DRH_OK && chat_is_dialogue(s)) {
            chat_use(w, w->chat->dialogues.f[i]);
            chat_read_as(w, CHAT_AS_DIALOGUE, w->chat->dialogues.name[i], NULL);
            return chat_dialogue_text(w, s);
        }
    }
    return DRH_E_MISSING;
}
