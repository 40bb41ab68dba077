/* SPDX-License-Identifier: MIT
 *
 * render.c - function calls and what came back as text of the two sides (tools=render).  Called by
 * tidy.c when the turns are in order, on the worker's thread.
 *
 * The form is that of the Hermes and Qwen chat templates: a call is <tool_call>, a line of JSON and
 * </tool_call>, in the assistant's turn; a result is between <tool_response> marks in the human's.
 */
#include "chat.h"

static drh_status append(struct chat_worker *w, drh_str *text, drh_str more)
{
    return chat_concat(w, *text, drh_str_of(""), more, text);
}

/* The arguments: JSON, or JSON that is a text. */
static drh_status arguments(struct chat_worker *w, const drh_value *call, drh_str *out)
{
    const drh_value_api *v = w->host->values;
    drh_value            m, root;
    drh_json            *doc = NULL;
    drh_str              s;
    drh_error            e = DRH_ERROR_INIT;
    drh_status           st;
    if (v->member(call, DRH_LIT("arguments"), &m) != DRH_OK) {
        return DRH_E_MISSING;
    }
    *out = v->json(&m);
    if (v->type(&m) != DRH_T_STRING) {
        return DRH_OK;
    }
    st = v->str(&m, &s);
    if (st == DRH_OK) {
        st = w->host->json_open(w->host, s.ptr, s.len, &doc, &root, &e);
        if (st == DRH_OK) {
            *out = s;
        }
        w->host->json_close(doc);
    }
    return st == DRH_E_DATA ? DRH_OK : st; /* no JSON: stays a text */
}

/* {"type": "function", "function": {"name": "f", "arguments": "{}"}} to {"name": "f", "arguments":
 * {}}; another value as it is. */
static drh_status call_json(struct chat_worker *w, const drh_value *call, drh_str *out)
{
    const drh_value_api *v = w->host->values;
    drh_value            function, name;
    drh_str              args;
    drh_status           st = DRH_E_MISSING;

    *out = v->json(call);
    if (v->member(call, DRH_LIT("function"), &function) == DRH_OK &&
        v->member(&function, DRH_LIT("name"), &name) == DRH_OK) {
        st = arguments(w, &function, &args);
    }
    if (st != DRH_OK) {
        return st == DRH_E_MISSING ? DRH_OK : st;
    }
    st = chat_concat(w, drh_str_of("{\"name\": "), v->json(&name), drh_str_of(", \"arguments\": "),
                     out);
    st = st == DRH_OK ? append(w, out, args) : st;
    return st == DRH_OK ? append(w, out, drh_str_of("}")) : st;
}

static drh_status wrap(struct chat_worker *w, const char *open, drh_str s, const char *close,
                       drh_str *out)
{
    return chat_concat(w, drh_str_of(open), s, drh_str_of(close), out);
}

/* One <tool_call> for each call of a list, a line each. */
static drh_status render_call(struct chat_worker *w, struct chat_turn *t)
{
    const drh_value_api *v = w->host->values;
    drh_str              all = {"", 0}, one;
    drh_value            call;
    drh_status           more, st = DRH_OK;
    if (!t->has_calls) {
        return wrap(w, "<tool_call>\n", t->text, "\n</tool_call>", &t->text);
    }
    for (more = v->child(&t->raw, &call); more == DRH_OK && st == DRH_OK; more = v->next(&call)) {
        st = call_json(w, &call, &one);
        st = st == DRH_OK ? wrap(w, "<tool_call>\n", one, "\n</tool_call>", &one) : st;
        if (st == DRH_OK) {
            st = all.len ? chat_concat(w, all, drh_str_of("\n"), one, &all) : DRH_OK;
            all = all.len ? all : one;
        }
    }
    t->text = all;
    return st;
}

static drh_status render_turn(struct chat_worker *w, struct chat_turn *t)
{
    drh_status st = DRH_OK;
    if (t->role == CHAT_CALL) {
        st = render_call(w, t);
        t->role = CHAT_GPT;
        t->has_raw = false;
    } else if (t->role == CHAT_RESULT) {
        st = wrap(w, "<tool_response>\n", t->text, "\n</tool_response>", &t->text);
        t->role = CHAT_HUMAN;
        t->has_raw = false;
    }
    return st;
}

drh_status chat_render_tools(struct chat_worker *w)
{
    drh_status st = DRH_OK;
    size_t     in, out = 0;
    w->as_is = false;
    for (in = 0; in < w->n_turns && st == DRH_OK; in++) {
        st = render_turn(w, &w->turns[in]);
    }
    for (in = 0; in < w->n_turns && st == DRH_OK; in++) {
        struct chat_turn *t = &w->turns[in];
        if (out > 0 && w->turns[out - 1].role == t->role) {
            struct chat_turn *last = &w->turns[out - 1];
            st = last->text.len == 0
                     ? chat_concat(w, drh_str_of(""), drh_str_of(""), t->text, &last->text)
                     : chat_concat(w, last->text, drh_str_of("\n"), t->text, &last->text);
            last->has_raw = false;
        } else {
            w->turns[out++] = *t;
        }
    }
    w->n_turns = out;
    return st;
}
