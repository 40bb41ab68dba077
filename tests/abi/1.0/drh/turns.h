/* SPDX-License-Identifier: MIT
 *
 * drh/turns.h - walks the turns of a conversation, in either dialect:
 *     conversations: [{"from": "human", "value": "..."}, ...]     (the canonical record)
 *     messages:      [{"role": "user", "content": "..."}, ...]    (OpenAI style)
 *
 *     drh_turns t;
 *     drh_turn  turn;
 *     if (drh_turns_open(&t, host, record) == DRH_OK) {
 *         while ((st = drh_turns_next(&t, &turn)) == DRH_OK) { ... turn.role, turn.text ... }
 *     }
 */
#ifndef DRH_TURNS_H
#define DRH_TURNS_H

#include <drh/util.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { /* drh_turn.role */
       DRH_ROLE_UNKNOWN = 0,
       DRH_ROLE_SYSTEM,
       DRH_ROLE_USER,      /* human, user */
       DRH_ROLE_ASSISTANT, /* gpt, assistant, ... */
       DRH_ROLE_CALL,      /* function_call */
       DRH_ROLE_RESULT     /* observation, tool */
};

typedef struct drh_turn {
    uint32_t  role;      /* DRH_ROLE_* */
    uint32_t  type;      /* DRH_T_* of the content; text is set for DRH_T_STRING only */
    drh_str   role_name; /* as written; {NULL,0} when missing */
    drh_str   text;      /* decoded content */
    drh_value content;   /* the content itself: string, parts, null */
    drh_value turn;      /* the turn as a whole, for its other members */
} drh_turn;

typedef struct drh_turns {
    const drh_host *host;
    drh_value       at;
    int             state; /* 0: before the first, 1: at one, 2: at the end */
} drh_turns;

/* Role words of both dialects and of the common data sets. */
static inline uint32_t drh_role_of(drh_str name)
{
    static const struct {
        const char *word;
        uint32_t    role;
    } words[] = {
        {"human", DRH_ROLE_USER},
        {"gpt", DRH_ROLE_ASSISTANT},
        {"user", DRH_ROLE_USER},
        {"assistant", DRH_ROLE_ASSISTANT},
        {"system", DRH_ROLE_SYSTEM},
        {"function_call", DRH_ROLE_CALL},
        {"observation", DRH_ROLE_RESULT},
        {"tool", DRH_ROLE_RESULT},
        {"chatgpt", DRH_ROLE_ASSISTANT},
        {"bot", DRH_ROLE_ASSISTANT},
        {"bing", DRH_ROLE_ASSISTANT},
        {"bard", DRH_ROLE_ASSISTANT},
        {"model", DRH_ROLE_ASSISTANT},
        {"prompter", DRH_ROLE_USER},
        {"function", DRH_ROLE_RESULT},
        {"tool_call", DRH_ROLE_CALL},
        {"tool_response", DRH_ROLE_RESULT},
        {"function_response", DRH_ROLE_RESULT},
    };
    size_t i;
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (drh_str_eq(name, words[i].word)) {
            return words[i].role;
        }
    }
    return DRH_ROLE_UNKNOWN;
}

/* Opens the turns in `list`, an array.  DRH_E_TYPE when it is none. */
static inline drh_status drh_turns_in(drh_turns *t, const drh_host *h, const drh_value *list)
{
    drh_status st = h->values->child(list, &t->at);
    t->host = h;
    t->state = st == DRH_END ? 2 : 0;
    if (st == DRH_END) {
        return h->values->type(list) == DRH_T_ARRAY ? DRH_OK : DRH_E_TYPE;
    }
    return st == DRH_OK && h->values->type(list) != DRH_T_ARRAY ? DRH_E_TYPE : st;
}

/* Opens the turns of a record: `conversations`, else `messages`.  DRH_E_MISSING: it has neither. */
static inline drh_status drh_turns_open(drh_turns *t, const drh_host *h, const drh_record *r)
{
    drh_value  list;
    drh_status st = h->records->get_value(r, drh_field_of(h, "conversations"), &list);
    if (st == DRH_E_MISSING) {
        st = h->records->get_value(r, drh_field_of(h, "messages"), &list);
    }
    t->state = 2;
    return st == DRH_OK ? drh_turns_in(t, h, &list) : st;
}

/* The next turn, or DRH_END.  DRH_E_TYPE: a turn that is no object; the walk can go on. */
static inline drh_status drh_turns_next(drh_turns *t, drh_turn *out)
{
    const drh_value_api *v = t->host->values;
    drh_value            role;

    memset(out, 0, sizeof(*out));
    if (t->state == 1) {
        drh_status st = v->next(&t->at);
        if (st != DRH_OK) {
            t->state = 2;
            return st;
        }
    }
    if (t->state == 2) {
        return DRH_END;
    }
    t->state = 1;
    out->turn = t->at;
    if (v->type(&t->at) != DRH_T_OBJECT) {
        return DRH_E_TYPE;
    }
    if (v->member(&t->at, DRH_LIT("from"), &role) == DRH_OK ||
        v->member(&t->at, DRH_LIT("role"), &role) == DRH_OK) {
        if (v->str(&role, &out->role_name) == DRH_OK) {
            out->role = drh_role_of(out->role_name);
        }
    }
    if (v->member(&t->at, DRH_LIT("value"), &out->content) == DRH_OK ||
        v->member(&t->at, DRH_LIT("content"), &out->content) == DRH_OK) {
        out->type = v->type(&out->content);
        if (out->type == DRH_T_STRING) {
            return v->str(&out->content, &out->text);
        }
    }
    return DRH_OK;
}

#ifdef __cplusplus
}
#endif
#endif /* DRH_TURNS_H */
