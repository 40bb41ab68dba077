/* SPDX-License-Identifier: MIT
 *
 * tidy.c - what a list of turns must look like.  Called by chat.c after a record's turns were
 * collected, on the worker's thread.
 *
 * A conversation begins with the human and ends with the assistant.  Between them, a question is
 * followed by an answer or a function call, a call by its observation, an observation by an answer
 * or the next call.
 */
#include "chat.h"

static bool assistant_side(uint32_t role)
{
    return role == CHAT_GPT || role == CHAT_CALL;
}

static void drop_leading(struct chat_worker *w)
{
    size_t n = 0;
    while (n < w->n_turns && w->turns[n].role != CHAT_HUMAN) {
        n++;
    }
    if (n > 0) {
        w->n_turns -= n;
        memmove(w->turns, w->turns + n, w->n_turns * sizeof(*w->turns));
        w->as_is = false;
    }
}

/* Joins turns of the same role that follow each other. */
static drh_status merge_same(struct chat_worker *w)
{
    size_t in, out = 0;
    for (in = 0; in < w->n_turns; in++) {
        struct chat_turn *t = &w->turns[in];
        struct chat_turn *last = out > 0 ? &w->turns[out - 1] : NULL;
        if (last && last->role == t->role && (t->role == CHAT_HUMAN || t->role == CHAT_GPT)) {
            drh_status st = chat_concat(w, last->text, w->chat->joiner, t->text, &last->text);
            if (st != DRH_OK) {
                return st;
            }
            last->has_raw = false;
            w->as_is = false;
        } else {
            if (out != in) {
                w->turns[out] = *t;
            }
            out++;
        }
    }
    w->n_turns = out;
    return DRH_OK;
}

static bool may_follow(uint32_t before, uint32_t role)
{
    switch (role) {
    case CHAT_HUMAN:
        return assistant_side(before);
    case CHAT_GPT:
        return before != CHAT_GPT;
    case CHAT_CALL:
        return true;
    default:
        return before == CHAT_CALL || before == CHAT_RESULT;
    }
}

static drh_status check_order(struct chat_worker *w)
{
    size_t i;
    for (i = 1; i < w->n_turns; i++) {
        uint32_t before = w->turns[i - 1].role;
        uint32_t role = w->turns[i].role;
        if (!may_follow(before, role)) {
            return chat_bad(w, "alternation", "turn %zu: %s after %s", i + 1,
                            chat_role_word(role).ptr, chat_role_word(before).ptr);
        }
    }
    return DRH_OK;
}

/* Takes what is unanswered off the end. */
static drh_status cut_last(struct chat_worker *w)
{
    while (w->n_turns > 0 && !assistant_side(w->turns[w->n_turns - 1].role)) {
        if (w->chat->fail_last_user) {
            return chat_bad(w, "last_user", "the last turn has no answer");
        }
        w->n_turns--;
        w->as_is = false;
    }
    return w->n_turns > 0 ? DRH_OK : chat_bad(w, "no_pair", "no question with an answer");
}

static drh_status check_empty(struct chat_worker *w)
{
    size_t i;
    for (i = 0; i < w->n_turns; i++) {
        const struct chat_turn *t = &w->turns[i];
        if (t->role != CHAT_RESULT && chat_blank(t->text)) {
            return chat_bad(w, t->role == CHAT_HUMAN ? "empty_question" : "empty_answer",
                            "turn %zu is %s", i + 1, t->text.len ? "white space only" : "empty");
        }
    }
    return DRH_OK;
}

/* What the recipe leaves out by choice. */
static drh_status choose(struct chat_worker *w)
{
    size_t rounds = 0;
    bool   tools = false;
    size_t i;
    for (i = 0; i < w->n_turns; i++) {
        rounds += w->turns[i].role == CHAT_HUMAN;
        tools = tools || w->turns[i].role == CHAT_CALL || w->turns[i].role == CHAT_RESULT;
    }
    w->n_rounds = rounds;
    if (tools && w->chat->tools == CHAT_TOOLS_DROP) {
        return chat_drop(w, "tools", "it has function calls");
    }
    if ((int64_t)rounds < w->chat->min_turns || (int64_t)rounds > w->chat->max_turns) {
        return chat_drop(w, "turns_out_of_range", "%zu rounds, wanted are %lld to %lld", rounds,
                         (long long)w->chat->min_turns, (long long)w->chat->max_turns);
    }
    return tools && w->chat->tools == CHAT_TOOLS_RENDER ? chat_render_tools(w) : DRH_OK;
}

drh_status chat_tidy(struct chat_worker *w)
{
    drh_status st = DRH_OK;
    drop_leading(w);
    if (w->chat->merge_same) {
        st = merge_same(w);
    }
    if (st == DRH_OK) {
        st = check_order(w);
    }
    if (st == DRH_OK) {
        st = cut_last(w);
    }
    if (st == DRH_OK && !w->chat->keep_empty) {
        st = check_empty(w);
    }
    return st == DRH_OK ? choose(w) : st;
}
