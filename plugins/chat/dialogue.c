/* SPDX-License-Identifier: MIT
 *
 * dialogue.c - whole dialogues in one text, the sides told apart by marks: BELLE's prompts,
 * hh-rlhf, openassistant-guanaco, GuanacoDataset's transcripts.  Called by collect.c and pairs.c,
 * on the worker's thread.
 */
#include "chat.h"

enum { SIDES = 2, SPELLINGS = 5 };

/* A way to mark who speaks.  The first mark of a text may be without its line ends. */
struct form {
    drh_str mark[SIDES][SPELLINGS]; /* of the human, of the assistant; the first is the right one */
    size_t  line_ends;              /* that each mark begins with */
    bool    space; /* one space behind a mark belongs to it, and all line ends before it */
    bool    must;  /* that space must be there behind a first mark without its line ends */
};

static const struct form forms[] = {
    {{{{DRH_LIT("### Human:")}}, {{DRH_LIT("### Assistant:")}}}, 0, true, false},
    {{{{DRH_LIT("\n\nHuman:")}}, {{DRH_LIT("\n\nAssistant:")}}}, 2, true, true},
    /* BELLE */
    {{{{DRH_LIT("\nHuman:")}}, {{DRH_LIT("\nAssistant:")}}}, 1, false, false},
};

/* GuanacoDataset, in whose prompts the assistant is written in many ways. */
static const struct form transcript = {{{{DRH_LIT("\nUser:")}, {DRH_LIT("\nUser：")}},
                                        {{DRH_LIT("\nAssistant:")},
                                         {DRH_LIT("\nAssistant：")},
                                         {DRH_LIT("\nAsssistent:")},
                                         {DRH_LIT("\nAssistent:")},
                                         {DRH_LIT("\nAssistenz:")}}},
                                       1,
                                       true,
                                       false};

static bool begins(drh_str s, size_t at, drh_str mark)
{
    return s.len - at >= mark.len && memcmp(s.ptr + at, mark.ptr, mark.len) == 0;
}

/* The spelling of a side's mark that is at `at`, `skip` bytes of it left out; NULL: none. */
static const drh_str *spelling(drh_str s, size_t at, const struct form *f, size_t side, size_t skip)
{
    for (size_t i = 0; i < SPELLINGS && f->mark[side][i].ptr; i++) {
        const drh_str rest = {f->mark[side][i].ptr + skip, f->mark[side][i].len - skip};
        if (begins(s, at, rest)) {
            return &f->mark[side][i];
        }
    }
    return NULL;
}

/* The next mark from `at` on, whose it is in *side and how long in *len; s.len: there is none. */
static size_t next_mark(drh_str s, size_t at, const struct form *f, size_t *side, size_t *len)
{
    while (at < s.len) {
        const char *p = memchr(s.ptr + at, f->mark[0][0].ptr[0], s.len - at);
        if (!p) {
            break;
        }
        at = (size_t)(p - s.ptr);
        for (*side = 0; *side < SIDES; (*side)++) {
            const drh_str *mark = spelling(s, at, f, *side, 0);
            if (mark) {
                *len = mark->len;
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
    const drh_str *mark = spelling(s, 0, f, 0, 0);
    size_t         n;
    if (mark) {
        return mark->len;
    }
    mark = spelling(s, 0, f, 0, f->line_ends);
    n = mark ? mark->len - f->line_ends : 0;
    return f->must && (s.len == n || s.ptr[n] != ' ') ? 0 : n;
}

/* Does the human begin it, and has the assistant a part?  *last: whose the last part is, *open:
 * there is nothing in it but blanks. */
static bool is_form(drh_str s, const struct form *f, size_t *last, bool *open)
{
    size_t side = 0, len = 0, end = 0, at = first_mark(s, f);
    bool   both = false;
    *last = 0;
    while (at && (at = next_mark(s, at, f, &side, &len)) < s.len) {
        both |= side == 1;
        *last = side;
        end = at += len;
    }
    s.ptr += end;
    s.len -= end;
    *open = chat_blank(s);
    return both;
}

static const struct form *form_of(drh_str s)
{
    size_t i, last;
    bool   open;
    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (is_form(s, &forms[i], &last, &open)) {
            return &forms[i];
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
        size_t  after = 0, len = 0, end;
        drh_str text;
        at += f->space && at < s.len && s.ptr[at] == ' ';
        end = next_mark(s, at, f, &after, &len);
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
        at = end + len;
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
    mark = f->mark[1][0];
    end -= f->space && prompt.ptr[end - 1] == ' ';
    if (end < mark.len || memcmp(prompt.ptr + end - mark.len, mark.ptr, mark.len) != 0) {
        return DRH_OK;
    }
    *done = true;
    return split(w, prompt, f, false);
}

/* The text behind a first mark of the human, if there is one. */
static drh_str without(drh_str s, const struct form *f)
{
    const size_t n = first_mark(s, f);
    s.ptr += n;
    s.len -= n;
    while (n && s.len && (*s.ptr == ' ' || *s.ptr == '\n')) {
        s.ptr++;
        s.len--;
    }
    return s;
}

drh_status chat_transcript(struct chat_worker *w, drh_str prompt, drh_str input, bool *done)
{
    size_t     last;
    bool       open;
    drh_status st;
    *done = is_form(prompt, &transcript, &last, &open) &&
            (input.len ? last == 1 && !open : last == 0 || open);
    if (!*done) {
        return DRH_OK;
    }
    st = split(w, prompt, &transcript, false);
    return st == DRH_OK && input.len ? chat_add_text(w, CHAT_HUMAN, without(input, &transcript))
                                     : st;
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
