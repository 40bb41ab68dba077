/* SPDX-License-Identifier: MIT
 *
 * pairs.c - records whose question and answer are fields of their own: Alpaca with input, history
 * and system, prompt/response and question/answer families, content/summary.  Called by collect.c,
 * on the worker's thread.
 */
#include "chat.h"

/* A field of a record. */
struct found {
    drh_field   f;
    const char *name;
    drh_value   v;
    bool        null; /* one of the names was there, but null or an empty list */
};

/* The first of the fields that is there. */
static bool find_key(struct chat_worker *w, const drh_record *r, const struct chat_keys *keys,
                     struct found *out)
{
    const drh_host *h = w->host;
    size_t          i;
    out->f = DRH_FIELD_NONE;
    out->name = NULL;
    out->null = false;
    for (i = 0; keys->f[i] != DRH_FIELD_NONE; i++) {
        uint32_t type;
        if (h->records->get_value(r, keys->f[i], &out->v) != DRH_OK) {
            continue;
        }
        out->f = keys->f[i];
        out->name = keys->name[i];
        type = h->values->type(&out->v);
        if (type != DRH_T_NULL && (type != DRH_T_ARRAY || h->values->count(&out->v) > 0)) {
            return true;
        }
        out->null = true;
    }
    return false;
}

/* A response may be a list of alternatives: the first counts. */
static drh_status response_content(struct chat_worker *w, const drh_value *v, struct chat_turn *t)
{
    const drh_value_api *api = w->host->values;
    drh_value            first;
    if (api->type(v) == DRH_T_ARRAY && api->child(v, &first) == DRH_OK &&
        api->type(&first) == DRH_T_STRING) {
        return chat_content(w, &first, "the response", t);
    }
    return chat_content(w, v, "the response", t);
}

/* The list of rounds; DRH_END: there is none. */
static drh_status find_history(struct chat_worker *w, const drh_record *r, drh_value *list)
{
    const drh_value_api *v = w->host->values;
    drh_str              s;
    drh_status           st = DRH_OK;
    if (w->host->records->get_value(r, w->chat->history, list) != DRH_OK) {
        return DRH_END;
    }
    if (v->type(list) == DRH_T_STRING) {
        st = v->str(list, &s);
        if (st == DRH_OK) {
            st = chat_blank(s) ? DRH_END : chat_written(w, s, "history", list);
        }
    } else if (v->type(list) == DRH_T_NULL) {
        st = DRH_END;
    }
    if (st == DRH_OK && v->type(list) != DRH_T_ARRAY) {
        return chat_bad(w, "bad_history", "history is no list of [question, answer]");
    }
    if (st == DRH_OK || st == DRH_END) {
        chat_use(w, w->chat->history);
    }
    return st;
}

static drh_status add_history(struct chat_worker *w, const drh_record *r)
{
    const drh_value_api *v = w->host->values;
    drh_value            list, round, side;
    drh_status           more, st = find_history(w, r, &list);
    if (st != DRH_OK) {
        return st == DRH_END ? DRH_OK : st;
    }
    for (more = v->child(&list, &round); more == DRH_OK; more = v->next(&round)) {
        uint32_t role = CHAT_HUMAN;
        if (v->type(&round) != DRH_T_ARRAY || v->count(&round) != 2) {
            return chat_bad(w, "bad_history", "a round of history is not [question, answer]");
        }
        for (st = v->child(&round, &side); st == DRH_OK; st = v->next(&side)) {
            struct chat_turn *t;
            drh_status        made = chat_add(w, role, &t);
            if (made == DRH_OK) {
                made = chat_content(w, &side, "a side of history", t);
            }
            if (made != DRH_OK) {
                return made;
            }
            role = CHAT_GPT;
        }
    }
    return DRH_OK;
}

/* Chinese Alpaca data may write "input:" before the input; joined to the prompt it would be said
 * twice. */
static drh_str without_label(drh_str s)
{
    static const drh_str labels[] = {{DRH_LIT("输入：")}, {DRH_LIT("输入:")}};
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (s.len > labels[i].len && memcmp(s.ptr, labels[i].ptr, labels[i].len) == 0) {
            return (drh_str){s.ptr + labels[i].len, s.len - labels[i].len};
        }
    }
    return s;
}

/* Adds the human turn: the prompt, joined with the input when there is one. */
static drh_status add_prompt(struct chat_worker *w, struct chat_turn *prompt,
                             const struct chat_turn *input)
{
    struct chat_turn *t;
    bool              first = w->n_turns == 0;
    bool              done = false;
    drh_status        st = DRH_OK;

    st = chat_transcript(w, prompt->text, input->text, &done);
    if (st == DRH_OK && !done && input->text.len == 0) {
        st = chat_open_dialogue(w, prompt->text, &done);
    }
    if (st != DRH_OK || done) {
        return st;
    }
    if (input->text.len == 0) {
        ; /* the prompt is all */
    } else if (prompt->text.len == 0) {
        *prompt = *input;
    } else {
        size_t from = prompt->text.len + w->chat->joiner.len;
        st = chat_concat(w, prompt->text, w->chat->joiner, without_label(input->text),
                         &prompt->text);
        prompt->has_raw = false;
        w->input_from = first ? from : 0;
    }
    if (st == DRH_OK) {
        st = chat_add(w, CHAT_HUMAN, &t);
    }
    if (st == DRH_OK) {
        *t = *prompt;
        t->role = CHAT_HUMAN;
    }
    return st;
}

/* Reads an optional text field; null and absence leave `t` empty. */
static drh_status optional(struct chat_worker *w, const drh_record *r, const struct chat_keys *keys,
                           const char *what, struct chat_turn *t)
{
    struct found found;
    drh_status   st = DRH_OK;
    if (find_key(w, r, keys, &found)) {
        st = chat_content(w, &found.v, what, t);
    }
    if (found.f != DRH_FIELD_NONE) {
        chat_use(w, found.f);
    }
    return st;
}

static bool is_among(const struct chat_keys *keys, drh_field f)
{
    size_t i;
    for (i = 0; keys->f[i] != DRH_FIELD_NONE; i++) {
        if (keys->f[i] == f) {
            return true;
        }
    }
    return false;
}

drh_status chat_pair(struct chat_worker *w, const drh_record *r, const struct chat_keys *prompts)
{
    struct chat_turn  prompt, input;
    struct chat_turn *t;
    struct found      p, a;
    bool              has_p = find_key(w, r, prompts, &p);
    bool              has_a = find_key(w, r, &w->chat->responses, &a) && a.f != p.f;
    drh_status        st = DRH_OK;

    if ((!has_p && !p.null) || (!has_a && !a.null)) {
        return DRH_E_MISSING;
    }
    chat_read_as(w, CHAT_AS_PAIR, p.name, a.name);
    if (!has_a) {
        return chat_bad(w, "null_content", "the response is null or an empty list");
    }
    chat_turn_init(&prompt, CHAT_HUMAN);
    chat_turn_init(&input, CHAT_HUMAN);
    chat_use(w, p.f);
    chat_use(w, a.f);
    if (has_p) {
        st = chat_content(w, &p.v, "the prompt", &prompt);
    }
    if (st == DRH_OK && (w->chat->own_input || is_among(&w->chat->instructions, p.f))) {
        st = optional(w, r, &w->chat->inputs, "the input", &input);
    }
    if (st == DRH_OK && !has_p && input.text.len == 0) {
        st = chat_bad(w, "null_content", "the prompt is null");
    }
    if (st == DRH_OK) {
        st = add_history(w, r);
    }
    if (st == DRH_OK) {
        st = add_prompt(w, &prompt, &input);
    }
    if (st == DRH_OK) {
        st = chat_add(w, CHAT_GPT, &t);
    }
    return st == DRH_OK ? response_content(w, &a.v, t) : st;
}

drh_status chat_summary(struct chat_worker *w, const drh_record *r)
{
    const drh_host *h = w->host;
    const drh_field f[2] = {w->chat->content, w->chat->summary};
    drh_value       v[2];
    size_t          i;
    drh_status      st = DRH_OK;
    if (h->records->get_value(r, f[0], &v[0]) != DRH_OK ||
        h->records->get_value(r, f[1], &v[1]) != DRH_OK) {
        return DRH_E_MISSING;
    }
    chat_read_as(w, CHAT_AS_PAIR, "content", "summary");
    for (i = 0; i < 2 && st == DRH_OK; i++) {
        struct chat_turn *t;
        st = chat_add(w, i ? CHAT_GPT : CHAT_HUMAN, &t);
        if (st == DRH_OK) {
            st = chat_content(w, &v[i], i ? "summary" : "content", t);
        }
        chat_use(w, f[i]);
    }
    return st;
}
