/* SPDX-License-Identifier: MIT
 *
 * lm_chat_render.c - messages to a text with its control tokens marked.  See lm_chat.h.
 */
#include "lm_chat.h"

#include <drh/util.h>

#include <stdlib.h>

struct render {
    const struct lm_chat *c;
    const struct lm_uni  *u;
    struct lm_chat_text  *out;
    drh_error            *e;
    drh_str               fold; /* the system's text that a user's turn takes */
    int                   has_fold, fold_now;
};

static const char *const role_names[LM_CHAT_ROLES] = {"system", "user", "assistant"};

static drh_status no_memory(struct render *r)
{
    return drh_fail(r->e, DRH_E_NOMEM, "out of memory for a chat");
}

static drh_status put(struct render *r, const char *p, size_t n)
{
    return n && lm_text_put(&r->out->text, p, n) ? no_memory(r) : DRH_OK;
}

static drh_status put_piece(struct render *r, size_t which)
{
    const struct lm_chat_piece *p = &r->c->piece[which];
    struct lm_chat_text        *o = r->out;
    if (o->n_marks + p->n_marks > o->cap) {
        const size_t cap = 2 * (o->n_marks + p->n_marks);
        void        *more = realloc(o->mark, cap * sizeof(*o->mark));
        if (!more) {
            return no_memory(r);
        }
        o->mark = more;
        o->cap = cap;
    }
    for (size_t i = 0; i < p->n_marks; i++) {
        o->mark[o->n_marks++] = (struct lm_tok_mark){o->text.n + p->mark[i].at, p->mark[i].token};
    }
    return put(r, p->p, p->n);
}

/* ---- one text ------------------------------------------------------------------------------ */

/* As Python strips: White_Space, and four separators that are none in Unicode. */
static int is_separator(char c)
{
    return c >= 0x1c && c <= 0x1f;
}

static size_t skip_space(const struct lm_uni *u, const char *p, size_t n)
{
    size_t at = 0, before;
    do {
        before = at;
        at = lm_space_end(u, (const unsigned char *)p, n, at);
        at += at < n && is_separator(p[at]);
    } while (at != before);
    return at;
}

static size_t drop_space(const struct lm_uni *u, const char *p, size_t from, size_t n)
{
    size_t before;
    do {
        before = n;
        n = lm_space_start(u, (const unsigned char *)p, from, n);
        n -= n > from && is_separator(p[n - 1]);
    } while (n != before);
    return n;
}

/* What is behind the last </think>, or all. */
static drh_str without_thoughts(const struct lm_chat *c, drh_str s)
{
    static const char mark[] = "</think>";
    const size_t      n = sizeof(mark) - 1;
    size_t            at = s.len;
    while (at >= n && memcmp(s.ptr + at - n, mark, n) != 0) {
        at--;
    }
    at = at >= n ? at : 0;
    if ((c->flags & LM_CHAT_NO_FIRST_LINES) || (at && (c->flags & LM_CHAT_NO_THOUGHTS_LINES))) {
        while (at < s.len && s.ptr[at] == '\n') {
            at++;
        }
    }
    s.ptr = at ? s.ptr + at : s.ptr;
    s.len -= at;
    return s;
}

/* A text with what the form does to it; it is trimmed at its end back to `from` of the output. */
static drh_status put_text(struct render *r, int role, drh_str s, int lead, size_t from)
{
    const unsigned f = r->c->flags;
    const int      trim =
        (f & LM_CHAT_TRIM) || ((f & LM_CHAT_TRIM_ANSWERS) && role == LM_CHAT_ASSISTANT);
    drh_status st;
    if (role == LM_CHAT_ASSISTANT && (f & LM_CHAT_NO_THOUGHTS)) {
        s = without_thoughts(r->c, s);
    }
    if (trim && lead && s.len) {
        const size_t skip = skip_space(r->u, s.ptr, s.len);
        s.ptr += skip;
        s.len -= skip;
    }
    st = put(r, s.ptr, s.len);
    if (st == DRH_OK && trim && r->out->text.n > from) {
        r->out->text.n = drop_space(r->u, r->out->text.p, from, r->out->text.n);
    }
    return st;
}

/* ---- turns --------------------------------------------------------------------------------- */

/* The system's text inside a user's turn.  Around both together there may be no white space. */
static drh_status put_folded(struct render *r)
{
    drh_status st = put_piece(r, LM_CHAT_BEFORE + LM_CHAT_SYSTEM);
    st = st == DRH_OK ? put(r, r->fold.ptr, r->fold.len) : st;
    st = st == DRH_OK ? put_piece(r, LM_CHAT_AFTER + LM_CHAT_SYSTEM) : st;
    r->has_fold = r->fold_now = 0;
    return st;
}

/* Of a turn that is left open nothing follows the text, which stays as it is. */
static drh_status put_turn(struct render *r, int role, drh_str s, int open)
{
    const int  folds = role == LM_CHAT_USER && r->fold_now;
    size_t     from;
    drh_status st = put_piece(r, open && role == LM_CHAT_ASSISTANT ? LM_CHAT_OPEN
                                                                   : LM_CHAT_BEFORE + (size_t)role);
    from = r->out->text.n;
    if (st == DRH_OK && folds) {
        st = put_folded(r);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (open) {
        return put(r, s.ptr, s.len);
    }
    if (folds && !(r->c->flags & LM_CHAT_TRIM_WHOLE)) {
        from = r->out->text.n;
    }
    st = put_text(r, role, s, !folds || !(r->c->flags & LM_CHAT_TRIM_WHOLE), from);
    return st == DRH_OK ? put_piece(r, LM_CHAT_AFTER + (size_t)role) : st;
}

static int role_of(drh_str s)
{
    int i = 0;
    while (i < LM_CHAT_ROLES && !drh_str_eq(s, role_names[i])) {
        i++;
    }
    return i;
}

/* ---- what a form does not have ------------------------------------------------------------- */

static drh_status check_system(const struct lm_chat *c, uint32_t i, drh_error *e)
{
    if (c->flags & LM_CHAT_NO_SYSTEM) {
        return drh_fail(e, DRH_E_ARG,
                        "messages[%lu]: the chat form %s has no system text; put it into the first "
                        "user's message",
                        (unsigned long)i, c->form->name);
    }
    if (i > 0 && !(c->flags & LM_CHAT_SYSTEM_ANYWHERE)) {
        return drh_fail(e, DRH_E_ARG,
                        "messages[%lu]: in the chat form %s only the first message can be the "
                        "system's",
                        (unsigned long)i, c->form->name);
    }
    return DRH_OK;
}

/* Roles, and their order. */
static drh_status check(const struct lm_chat *c, const drh_infer_req *req, drh_error *e)
{
    int        turns = 0, last = LM_CHAT_SYSTEM;
    const int  open = (req->flags & DRH_INFER_OPEN) != 0;
    drh_status st = DRH_OK;
    for (uint32_t i = 0; st == DRH_OK && i < req->n_messages; i++) {
        last = role_of(req->messages[i]->role);
        if (last == LM_CHAT_ROLES) {
            return drh_fail(
                e, DRH_E_ARG, "messages[%lu]: the role \"%.*s\" is none of system, user, assistant",
                (unsigned long)i,
                (int)(req->messages[i]->role.len < 40 ? req->messages[i]->role.len : 40),
                req->messages[i]->role.ptr ? req->messages[i]->role.ptr : "");
        }
        if (last == LM_CHAT_SYSTEM) {
            st = check_system(c, i, e);
        } else if ((c->flags & LM_CHAT_ALTERNATE) && (last == LM_CHAT_USER) != (turns % 2 == 0)) {
            st = drh_fail(e, DRH_E_ARG,
                          "messages[%lu]: in the chat form %s user and assistant take turns, the "
                          "user first",
                          (unsigned long)i, c->form->name);
        }
        turns += last != LM_CHAT_SYSTEM;
    }
    if (st == DRH_OK && last != LM_CHAT_USER && !(open && last == LM_CHAT_ASSISTANT)) {
        st = drh_fail(e, DRH_E_ARG,
                      "the last message must be the user's, or with DRH_INFER_OPEN the user's or "
                      "the assistant's");
    }
    return st;
}

/* ---- all messages -------------------------------------------------------------------------- */

/* The default system text, where there is one and no message takes its place. */
static drh_status put_default(struct render *r, const drh_infer_req *req)
{
    const struct lm_chat *c = r->c;
    const int             bare =
        (c->flags & LM_CHAT_BARE_QUERY) && req->n_messages == 1 && (req->flags & DRH_INFER_OPEN);
    if (role_of(req->messages[0]->role) == LM_CHAT_SYSTEM || bare) {
        return DRH_OK;
    }
    if (c->flags & LM_CHAT_SYSTEM_NEEDED) {
        return drh_fail(r->e, DRH_E_ARG,
                        "the model's chat template puts a system text of its own with the day's "
                        "date in it; give a system message");
    }
    return c->system ? put_turn(r, LM_CHAT_SYSTEM, (drh_str){c->system, c->system_n}, 0) : DRH_OK;
}

static int left_out(const struct lm_chat *c, int role, drh_str s)
{
    return s.len == 0 && ((c->flags & LM_CHAT_NO_EMPTY) ||
                          ((c->flags & LM_CHAT_NO_EMPTY_SYSTEM) && role == LM_CHAT_SYSTEM));
}

static drh_status put_message(struct render *r, const drh_infer_req *req, uint32_t i)
{
    const drh_infer_msg *m = req->messages[i];
    const int            role = role_of(m->role), last = i + 1 == req->n_messages;
    const int            open = last && (req->flags & DRH_INFER_OPEN);
    if (role == LM_CHAT_SYSTEM && (r->c->flags & LM_CHAT_FOLD)) {
        r->fold = m->content;
        r->has_fold = 1;
        return DRH_OK;
    }
    r->fold_now = r->has_fold && (last || !(r->c->flags & LM_CHAT_FOLD_LAST));
    return !open && left_out(r->c, role, m->content) ? DRH_OK : put_turn(r, role, m->content, open);
}

drh_status lm_chat_render(const struct lm_chat *c, const struct lm_uni *u, const drh_infer_req *req,
                          struct lm_chat_text *out, drh_error *e)
{
    struct render r = {.c = c, .u = u, .out = out, .e = e};
    drh_status    st;
    out->text.n = out->n_marks = 0;
    if (!c->form) {
        return drh_fail(e, DRH_E_UNSUPPORTED, "%s", c->why);
    }
    st = check(c, req, e);
    st = st == DRH_OK ? put_piece(&r, LM_CHAT_FIRST) : st;
    st = st == DRH_OK ? put_default(&r, req) : st;
    for (uint32_t i = 0; st == DRH_OK && i < req->n_messages; i++) {
        st = put_message(&r, req, i);
    }
    if (st == DRH_OK && !(req->flags & DRH_INFER_OPEN)) {
        st = put_piece(&r, LM_CHAT_OPEN);
    }
    return st;
}

drh_str lm_chat_user_end(const struct lm_chat *c, const drh_infer_req *req)
{
    drh_str none = {NULL, 0};
    if (!c->form || !c->form->user_end || req->n_messages == 0 || !(req->flags & DRH_INFER_OPEN) ||
        role_of(req->messages[req->n_messages - 1]->role) != LM_CHAT_USER) {
        return none;
    }
    return drh_str_of(c->form->user_end);
}

void lm_chat_text_free(struct lm_chat_text *t)
{
    lm_text_free(&t->text);
    free(t->mark);
    memset(t, 0, sizeof(*t));
}
