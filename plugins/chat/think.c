/* SPDX-License-Identifier: MIT
 *
 * think.c - what a model thought before it answered: taken out of the answers (think=strip), or put
 * in front of them from members of their own (think=render).  Called by chat.c between collecting
 * and tidying, on the worker's thread.
 */
#include "chat.h"

struct span {
    drh_str open, close;
};

static const struct span spans[] = {
    {{DRH_LIT("<think>")}, {DRH_LIT("</think>")}},
    {{DRH_LIT("<thinking>")}, {DRH_LIT("</thinking>")}},
    {{DRH_LIT("<thought>")}, {DRH_LIT("</thought>")}},
    {{DRH_LIT("<reasoning>")}, {DRH_LIT("</reasoning>")}},
    {{DRH_LIT("<|begin_of_thought|>")}, {DRH_LIT("<|end_of_thought|>")}},
    {{DRH_LIT("<|thought|>")}, {DRH_LIT("<|/thought|>")}},
    {{DRH_LIT("<seed:think>")}, {DRH_LIT("</seed:think>")}},
    {{DRH_LIT("\u25c1think\u25b7")}, {DRH_LIT("\u25c1/think\u25b7")}},
};
enum { SPANS = sizeof(spans) / sizeof(spans[0]) };

/* What goes around the answer where the thought is between <|begin_of_thought|> marks. */
static const struct span solution = {{DRH_LIT("<|begin_of_solution|>")},
                                     {DRH_LIT("<|end_of_solution|>")}};

static bool begins(drh_str s, size_t at, drh_str mark)
{
    return s.len - at >= mark.len && memcmp(s.ptr + at, mark.ptr, mark.len) == 0;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_space(drh_str s, size_t at)
{
    while (at < s.len && is_space(s.ptr[at])) {
        at++;
    }
    return at;
}

static size_t find(drh_str s, size_t at, drh_str mark)
{
    while (at < s.len) {
        const char *p = memchr(s.ptr + at, mark.ptr[0], s.len - at);
        if (!p) {
            break;
        }
        at = (size_t)(p - s.ptr);
        if (begins(s, at, mark)) {
            return at;
        }
        at++;
    }
    return s.len;
}

/* Which span opens at `at`; SPANS: none. */
static size_t opening(drh_str s, size_t at)
{
    size_t i = SPANS;
    if (at == s.len) {
        return SPANS;
    }
    if (s.ptr[at] == '<' || s.ptr[at] == spans[SPANS - 1].open.ptr[0]) {
        for (i = 0; i < SPANS && !begins(s, at, spans[i].open); i++) {
        }
    }
    return i;
}

/* Many data sets lack the first <think>, which the model's template had written already. */
static size_t behind_open_start(drh_str s)
{
    size_t close = find(s, 0, spans[0].close);
    if (close == s.len || find(s, 0, spans[0].open) < close) {
        return 0;
    }
    return skip_space(s, close + spans[0].close.len);
}

/* The text without thoughts, in *out; without any it is the text itself. */
static drh_status strip_text(struct chat_worker *w, drh_str s, drh_str *out)
{
    const drh_str none = {"", 0};
    size_t        from = behind_open_start(s), at = from;
    bool          endless[SPANS] = {false}; /* no end of that kind is behind here */
    drh_status    st = DRH_OK;

    *out = none;
    while (at < s.len && st == DRH_OK) {
        size_t  i = opening(s, at), close;
        drh_str before = {s.ptr + from, at - from};
        if (i == SPANS || endless[i]) {
            at++;
            continue;
        }
        close = find(s, at, spans[i].close);
        if (close == s.len && out->len == 0 && chat_blank(before)) {
            return chat_bad(w, "open_think", "an answer begins with %s, which has no end",
                            spans[i].open.ptr);
        }
        if (close == s.len) { /* text about the mark, more likely */
            endless[i] = true;
            at++;
            continue;
        }
        if (out->len > 0 || !chat_blank(before)) {
            st = chat_concat(w, *out, none, before, out);
        }
        from = at = skip_space(s, close + spans[i].close.len);
    }
    if (st != DRH_OK || from == 0) {
        *out = s;
        return st;
    }
    s.ptr += from;
    s.len -= from;
    if (out->len == 0) {
        *out = s;
        return DRH_OK;
    }
    return chat_concat(w, *out, none, s, out);
}

static drh_str strip_solution(drh_str s)
{
    if (begins(s, 0, solution.open)) {
        size_t at = skip_space(s, solution.open.len), end = s.len;
        s.ptr += at;
        s.len -= at;
        for (end = s.len; end > 0 && is_space(s.ptr[end - 1]); end--) {
        }
        if (end >= solution.close.len && begins(s, end - solution.close.len, solution.close)) {
            for (s.len = end - solution.close.len; s.len > 0 && is_space(s.ptr[s.len - 1]);
                 s.len--) {
            }
        }
    }
    return s;
}

static drh_status strip(struct chat_worker *w, struct chat_turn *t)
{
    drh_str    text;
    drh_status st = strip_text(w, t->text, &text);
    if (st != DRH_OK) {
        return st;
    }
    text = strip_solution(text);
    if (text.len != t->text.len) {
        t->text = text;
        t->has_raw = w->as_is = false;
    }
    return DRH_OK;
}

bool chat_is_thought(const struct chat *c, drh_str key, const drh_value *v)
{
    const uint32_t type = c->host->values->type(v);
    if (c->think == CHAT_THINK_KEEP || (type != DRH_T_STRING && type != DRH_T_NULL)) {
        return false;
    }
    return chat_is(key, DRH_LIT("reasoning_content")) || chat_is(key, DRH_LIT("reasoning")) ||
           chat_is(key, DRH_LIT("thinking"));
}

/* The thought that is a member of the turn; none: {NULL,0}.  *some: a member is to go. */
static drh_status turn_thought(struct chat_worker *w, const struct chat_turn *t, drh_str *out,
                               bool *some)
{
    const drh_value_api *v = w->host->values;
    drh_value            m;
    drh_status           more, st = DRH_OK;
    out->ptr = NULL;
    out->len = 0;
    for (more = v->child(&t->src, &m); more == DRH_OK && st == DRH_OK; more = v->next(&m)) {
        drh_str key;
        st = v->key(&m, &key);
        if (st == DRH_OK && chat_is_thought(w->chat, key, &m)) {
            *some = true;
            if (out->len == 0 && v->type(&m) == DRH_T_STRING) {
                st = v->str(&m, out);
            }
        }
    }
    return st;
}

/* <think>, the thought and </think> on lines of their own, an empty line, the answer: as the chat
 * templates of DeepSeek and Qwen have it. */
static drh_status render(struct chat_worker *w, struct chat_turn *t, drh_str thought)
{
    const drh_str open = {DRH_LIT("<think>\n")}, close = {DRH_LIT("\n</think>\n\n")};
    drh_str       text;
    drh_status    st;
    if (chat_blank(thought) || opening(t->text, skip_space(t->text, 0)) < SPANS) {
        return DRH_OK;
    }
    st = chat_concat(w, open, thought, close, &text);
    if (st == DRH_OK) {
        st = chat_concat(w, text, drh_str_of(""), t->text, &t->text);
    }
    t->has_raw = w->as_is = false;
    return st;
}

/* A field of the record beside its answer: reasoning_content ... */
static drh_status record_thought(struct chat_worker *w, const drh_record *r)
{
    const struct chat_keys *keys = &w->chat->thoughts;
    size_t                  i;
    for (i = 0; keys->f[i] != DRH_FIELD_NONE; i++) {
        drh_str s;
        if (w->host->records->get_str(r, keys->f[i], &s) == DRH_OK && !chat_blank(s)) {
            chat_use(w, keys->f[i]);
            return render(w, &w->turns[w->n_turns - 1], s);
        }
    }
    return DRH_OK;
}

drh_status chat_think(struct chat_worker *w, const drh_record *r)
{
    drh_status st = DRH_OK;
    size_t     i;
    if (w->chat->think == CHAT_THINK_KEEP) {
        return DRH_OK;
    }
    for (i = 0; i < w->n_turns && st == DRH_OK; i++) {
        struct chat_turn *t = &w->turns[i];
        drh_str           thought = {NULL, 0};
        bool              some = false;
        if (t->has_extra) {
            st = turn_thought(w, t, &thought, &some);
            w->as_is = w->as_is && !some;
        }
        if (st != DRH_OK || t->role != CHAT_GPT) {
            continue;
        }
        st = w->chat->think == CHAT_THINK_STRIP ? strip(w, t) : render(w, t, thought);
    }
    if (st == DRH_OK && w->chat->think == CHAT_THINK_RENDER && w->as == CHAT_AS_PAIR) {
        st = record_thought(w, r);
    }
    return st;
}
