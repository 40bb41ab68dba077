/* SPDX-License-Identifier: MIT
 *
 * collect.c - finds the dialect of a record and lists its turns.  Called by chat.c for each record,
 * on the worker's thread.
 *
 * Order when several dialects match: messages_key / prompt_key / response_key of the recipe; a list
 * of turns (conversations, messages, conversation, chat_rounds, data, chosen); MOSS `chat`; an
 * OASST tree; a dialogue in one text; instruction and a response; another prompt and a response;
 * content and summary.
 */
#include "chat.h"

drh_status chat_add(struct chat_worker *w, uint32_t role, struct chat_turn **t)
{
    if (w->n_turns == w->cap_turns) {
        size_t            cap = w->cap_turns ? 2 * w->cap_turns : 32;
        struct chat_turn *more = w->host->alloc(w->host, w->turns, cap * sizeof(*more));
        if (!more) {
            return DRH_E_NOMEM;
        }
        w->turns = more;
        w->cap_turns = cap;
    }
    *t = &w->turns[w->n_turns++];
    chat_turn_init(*t, role);
    return DRH_OK;
}

drh_status chat_add_text(struct chat_worker *w, uint32_t role, drh_str text)
{
    struct chat_turn *t;
    drh_status        st = chat_add(w, role, &t);
    if (st == DRH_OK) {
        t->text = text;
    }
    return st;
}

void chat_use(struct chat_worker *w, drh_field f)
{
    if (w->n_used < CHAT_MAX_USED) {
        w->used[w->n_used++] = f;
    }
}

/* ---- contents ------------------------------------------------------------------------------ */

/* The text of one part: "...", {"type": "text", "text": "..."} or with "value"; none for images. */
static drh_status part_text(const drh_value_api *v, const drh_value *part, drh_str *out)
{
    drh_value m;
    drh_str   type;
    if (v->type(part) == DRH_T_STRING) {
        return v->str(part, out);
    }
    if (v->type(part) != DRH_T_OBJECT) {
        return DRH_E_TYPE;
    }
    if (v->member(part, DRH_LIT("type"), &m) == DRH_OK && v->str(&m, &type) == DRH_OK &&
        !chat_is(type, DRH_LIT("text"))) {
        return DRH_E_MISSING;
    }
    if (v->member(part, DRH_LIT("text"), &m) != DRH_OK &&
        v->member(part, DRH_LIT("value"), &m) != DRH_OK) {
        return DRH_E_MISSING;
    }
    return v->str(&m, out);
}

/* Fails a value, named when it has to be and not before. */
static drh_status bad_content(struct chat_worker *w, const char *reason, const char *what,
                              const char *is)
{
    if (what) {
        return chat_bad(w, reason, "%s %s", what, is);
    }
    return chat_bad(w, reason, "turn %zu %s", w->at, is);
}

static drh_status content_parts(struct chat_worker *w, const drh_value *list, const char *what,
                                struct chat_turn *t)
{
    const drh_value_api *v = w->host->values;
    drh_value            part;
    drh_str              text;
    drh_status           more;
    size_t               n = 0;

    for (more = v->child(list, &part); more == DRH_OK; more = v->next(&part)) {
        drh_status st = part_text(v, &part, &text);
        if (st == DRH_E_MISSING) {
            continue;
        }
        if (st == DRH_E_TYPE) {
            return bad_content(w, "not_text", what,
                               "has a part that is neither text nor an object");
        }
        if (st == DRH_OK && n++ > 0) {
            st = chat_concat(w, t->text, w->chat->joiner, text, &t->text);
        } else if (st == DRH_OK) {
            t->text = text;
        }
        if (st != DRH_OK) {
            return st;
        }
    }
    return n > 0 ? DRH_OK : bad_content(w, "no_text_part", what, "is a list without a text part");
}

drh_status chat_content(struct chat_worker *w, const drh_value *v, const char *what,
                        struct chat_turn *t)
{
    const drh_value_api *api = w->host->values;
    switch (api->type(v)) {
    case DRH_T_STRING:
        t->raw = *v;
        t->has_raw = true;
        return api->str(v, &t->text);
    case DRH_T_NUMBER:
        t->text = api->json(v);
        return DRH_OK;
    case DRH_T_ARRAY:
        return content_parts(w, v, what, t);
    case DRH_T_NULL:
        return bad_content(w, "null_content", what, "is null");
    case DRH_T_BOOL:
        return bad_content(w, "not_text", what, "is true or false, not text");
    default:
        return bad_content(w, "not_text", what, "is an object, not text");
    }
}

drh_status chat_set_system(struct chat_worker *w, const struct chat_turn *t)
{
    drh_status st = DRH_OK;
    if (t->text.len == 0) {
        return DRH_OK;
    }
    if (!w->has_system) {
        w->has_system = true;
        w->system_text = t->text;
        w->system_raw = t->raw;
        w->system_is_raw = t->has_raw;
    } else if (w->chat->merge_system) {
        st = chat_concat(w, w->system_text, w->chat->joiner, t->text, &w->system_text);
        w->system_in_place = w->system_is_raw = false;
    }
    return st;
}

/* ---- a list of turns ----------------------------------------------------------------------- */

static uint32_t role_of(const struct chat_roles *own, drh_str name)
{
    static const uint8_t roles[] = {
        [DRH_ROLE_UNKNOWN] = CHAT_UNKNOWN, [DRH_ROLE_SYSTEM] = CHAT_SYSTEM,
        [DRH_ROLE_USER] = CHAT_HUMAN,      [DRH_ROLE_ASSISTANT] = CHAT_GPT,
        [DRH_ROLE_CALL] = CHAT_CALL,       [DRH_ROLE_RESULT] = CHAT_RESULT,
    };
    char     low[24];
    drh_str  s = {low, name.len};
    size_t   i;
    uint32_t role;
    for (i = 0; i < own->n; i++) {
        if (chat_is(name, own->word[i].ptr, own->word[i].len)) {
            return own->role[i];
        }
    }
    if (chat_is(name, DRH_LIT("human")) || chat_is(name, DRH_LIT("user"))) {
        return CHAT_HUMAN; /* most of them: not looked up */
    }
    if (chat_is(name, DRH_LIT("gpt")) || chat_is(name, DRH_LIT("assistant"))) {
        return CHAT_GPT;
    }
    if (name.len >= sizeof(low)) {
        return CHAT_UNKNOWN;
    }
    for (i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        low[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    low[i] = 0;
    if (chat_is(s, DRH_LIT("developer"))) {
        return CHAT_SYSTEM;
    }
    if (chat_is(s, DRH_LIT("ai"))) {
        return CHAT_GPT;
    }
    role = drh_role_of(s);
    return role < sizeof(roles) ? roles[role] : CHAT_UNKNOWN;
}

/* Members of one turn, found in a single walk. */
struct members {
    drh_value role, content, calls, human, assistant;
    bool      has_role, has_content, has_calls, has_human, has_assistant;
    bool      canonical; /* the keys are "from" and "value" */
    unsigned  others;
};

enum { KEY_OTHER = 0, KEY_ROLE, KEY_CONTENT, KEY_CALLS, KEY_HUMAN, KEY_ASSISTANT };

static int key_kind(const struct chat *c, drh_str key)
{
    if (c->role_key.len ? chat_is(key, c->role_key.ptr, c->role_key.len)
                        : (chat_is(key, DRH_LIT("from")) || chat_is(key, DRH_LIT("role")))) {
        return KEY_ROLE;
    }
    if (c->content_key.len ? chat_is(key, c->content_key.ptr, c->content_key.len)
                           : (chat_is(key, DRH_LIT("value")) || chat_is(key, DRH_LIT("content")))) {
        return KEY_CONTENT;
    }
    if (chat_is(key, DRH_LIT("tool_calls"))) {
        return KEY_CALLS;
    }
    if (chat_is(key, DRH_LIT("human")) || chat_is(key, DRH_LIT("user"))) {
        return KEY_HUMAN;
    }
    return chat_is(key, DRH_LIT("assistant")) ? KEY_ASSISTANT : KEY_OTHER;
}

bool chat_own_key(const struct chat *c, drh_str key)
{
    int kind = key_kind(c, key);
    return kind == KEY_ROLE || kind == KEY_CONTENT || kind == KEY_CALLS;
}

static void take_member(const struct chat *c, drh_str key, const drh_value *m, struct members *out)
{
    switch (key_kind(c, key)) {
    case KEY_ROLE:
        out->role = *m;
        out->has_role = true;
        out->canonical = out->canonical && chat_is(key, DRH_LIT("from"));
        break;
    case KEY_CONTENT:
        out->content = *m;
        out->has_content = true;
        out->canonical = out->canonical && chat_is(key, DRH_LIT("value"));
        break;
    case KEY_CALLS:
        out->calls = *m;
        out->has_calls = true;
        break;
    case KEY_HUMAN:
        out->human = *m;
        out->has_human = true;
        break;
    case KEY_ASSISTANT:
        out->assistant = *m;
        out->has_assistant = true;
        break;
    default:
        out->others++;
    }
}

static drh_status read_members(struct chat_worker *w, const drh_value *turn, struct members *out)
{
    const drh_value_api *v = w->host->values;
    drh_value            m;
    drh_status           st;
    out->has_role = out->has_content = out->has_calls = out->has_human = out->has_assistant = false;
    out->canonical = true;
    out->others = 0;
    for (st = v->child(turn, &m); st == DRH_OK; st = v->next(&m)) {
        drh_str key;
        if (v->key(&m, &key) != DRH_OK) {
            return DRH_E_NOMEM;
        }
        take_member(w->chat, key, &m, out);
    }
    return DRH_OK;
}

/* {"human": "...", "assistant": "..."}: both sides in one element. */
static drh_status add_both(struct chat_worker *w, const struct members *m)
{
    struct chat_turn *t;
    drh_status        st;
    w->as_is = false;
    st = chat_add(w, CHAT_HUMAN, &t);
    if (st == DRH_OK) {
        st = chat_content(w, &m->human, "the human side", t);
    }
    if (st == DRH_OK) {
        st = chat_add(w, CHAT_GPT, &t);
    }
    return st == DRH_OK ? chat_content(w, &m->assistant, "the assistant side", t) : st;
}

/* An assistant's tool_calls become a turn of their own, the calls as JSON text. */
static drh_status add_calls(struct chat_worker *w, const drh_value *calls)
{
    struct chat_turn *t;
    drh_status        st = chat_add(w, CHAT_CALL, &t);
    if (st == DRH_OK) {
        t->text = w->host->values->json(calls);
        t->raw = *calls;
        t->has_calls = w->host->values->type(calls) == DRH_T_ARRAY;
    }
    return st;
}

/* Is `name` the canonical word for its role? */
static bool is_word(drh_str name, uint32_t role)
{
    drh_str word = chat_role_word(role);
    return chat_is(name, word.ptr, word.len);
}

static drh_status add_object(struct chat_worker *w, const drh_value *turn)
{
    const drh_value_api *v = w->host->values;
    struct members       m;
    struct chat_turn    *t;
    drh_str              name = {NULL, 0};
    bool                 calls;
    drh_status           st = read_members(w, turn, &m);

    if (st != DRH_OK) {
        return st;
    }
    if (!m.has_role && m.has_human && m.has_assistant) {
        return add_both(w, &m);
    }
    if (!m.has_role || v->str(&m.role, &name) != DRH_OK) {
        return bad_content(w, "unknown_role", NULL, "has no role");
    }
    st = chat_add(w, role_of(&w->chat->roles, name), &t);
    if (st != DRH_OK) {
        return st;
    }
    if (t->role == CHAT_UNKNOWN) {
        return chat_bad(w, "unknown_role", "turn %zu has the role \"%.*s\"", w->at,
                        (int)(name.len < 60 ? name.len : 60), name.ptr);
    }
    calls = m.has_calls && v->count(&m.calls) > 0;
    t->src = *turn;
    t->has_extra = m.others > 0 || m.has_human || m.has_assistant;
    w->as_is = w->as_is && m.canonical && !calls && t->role != CHAT_SYSTEM &&
               is_word(name, t->role) && m.has_content && v->type(&m.content) == DRH_T_STRING;
    if (calls && (!m.has_content || v->type(&m.content) == DRH_T_NULL ||
                  (v->str(&m.content, &name) == DRH_OK && name.len == 0))) {
        w->n_turns--; /* its other members go with the calls */
        st = add_calls(w, &m.calls);
        if (st == DRH_OK) {
            t = &w->turns[w->n_turns - 1];
            t->src = *turn;
            t->has_extra = m.others > 0;
        }
        return st;
    }
    if (!m.has_content) {
        return bad_content(w, "null_content", NULL, "has no content");
    }
    st = chat_content(w, &m.content, NULL, t);
    return st == DRH_OK && calls ? add_calls(w, &m.calls) : st;
}

/* UltraChat: strings that take turns. */
static drh_status add_string(struct chat_worker *w, const drh_value *v)
{
    struct chat_turn *t;
    drh_status        st = chat_add(w, w->n_turns % 2 ? CHAT_GPT : CHAT_HUMAN, &t);
    w->as_is = false;
    return st == DRH_OK ? chat_content(w, v, NULL, t) : st;
}

/* Moves the system turn that was just added to the system text. */
static drh_status lift_system(struct chat_worker *w)
{
    if (w->n_turns == 0 || w->turns[w->n_turns - 1].role != CHAT_SYSTEM) {
        return DRH_OK;
    }
    w->n_turns--;
    w->as_is = false;
    return chat_set_system(w, &w->turns[w->n_turns]);
}

/* The turns of a list; `in_place` when the list is the member `conversations` as it stands. */
static drh_status from_list(struct chat_worker *w, const drh_value *list, drh_field f,
                            bool in_place)
{
    const drh_value_api *v = w->host->values;
    drh_value            turn;
    drh_status           st, more;
    w->at = 0;
    w->as_is = in_place;
    for (more = v->child(list, &turn); more == DRH_OK; more = v->next(&turn)) {
        w->at++;
        switch (v->type(&turn)) {
        case DRH_T_OBJECT:
            st = add_object(w, &turn);
            break;
        case DRH_T_STRING:
            st = add_string(w, &turn);
            break;
        default:
            st = chat_bad(w, "not_a_turn", "turn %zu is neither an object nor text", w->at);
        }
        if (st == DRH_OK) {
            st = lift_system(w);
        }
        if (st != DRH_OK) {
            return st;
        }
    }
    chat_use(w, f);
    return DRH_OK;
}

/* A list of turns that is a text, or a dialogue in one; DRH_E_MISSING: neither. */
static drh_status from_text(struct chat_worker *w, const drh_value *v, drh_field f)
{
    drh_value  list;
    drh_str    s;
    drh_status st = w->host->values->str(v, &s);
    if (st == DRH_OK && chat_is_written(s)) {
        st = chat_written(w, s, "the list of turns", &list);
        return st == DRH_OK ? from_list(w, &list, f, false) : st;
    }
    if (st == DRH_OK && chat_is_dialogue(s)) {
        w->as = CHAT_AS_DIALOGUE;
        chat_use(w, f);
        return chat_dialogue_text(w, s);
    }
    return st == DRH_OK ? DRH_E_MISSING : st;
}

/* Tries the fields that hold a list of turns.  DRH_E_MISSING: the record has none. */
static drh_status find_list(struct chat_worker *w, const drh_record *r)
{
    const drh_host         *h = w->host;
    const struct chat_keys *lists = &w->chat->lists;
    size_t                  i;
    for (i = 0; lists->f[i] != DRH_FIELD_NONE; i++) {
        drh_field  f = lists->f[i];
        drh_status st = DRH_E_MISSING;
        drh_value  v;
        if (h->records->get_value(r, f, &v) != DRH_OK) {
            continue;
        }
        chat_read_as(w, CHAT_AS_TURNS, lists->name[i], NULL);
        if (h->values->type(&v) == DRH_T_ARRAY) {
            st = from_list(w, &v, f, f == w->chat->conversations);
        } else if (h->values->type(&v) == DRH_T_STRING) {
            st = from_text(w, &v, f);
        }
        if (st != DRH_E_MISSING) {
            return st;
        }
    }
    return DRH_E_MISSING;
}

/* ---- the record ---------------------------------------------------------------------------- */

/* system, system_prompt ...: the first that is a text.  Null and "" count as absent. */
static drh_status top_system(struct chat_worker *w, const drh_record *r)
{
    const drh_host *h = w->host;
    size_t          i;
    for (i = 0; w->chat->systems.f[i] != DRH_FIELD_NONE; i++) {
        drh_field        f = w->chat->systems.f[i];
        struct chat_turn t;
        drh_value        v;
        drh_status       st = DRH_OK;
        if (h->records->get_value(r, f, &v) != DRH_OK) {
            continue;
        }
        chat_turn_init(&t, CHAT_SYSTEM);
        if (h->values->type(&v) != DRH_T_NULL) {
            st = chat_content(w, &v, "system", &t);
        }
        if (st == DRH_OK && t.text.len > 0) {
            st = chat_set_system(w, &t);
            w->system_in_place = f == w->chat->system && t.has_raw;
        }
        if (t.text.len == 0 || f != w->chat->system) {
            chat_use(w, f);
        }
        return st;
    }
    return DRH_OK;
}

static drh_status unknown(struct chat_worker *w, const drh_record *r)
{
    const drh_value_api *v = w->host->values;
    drh_value            all, m;
    drh_str              key;
    char                 names[150] = "";
    size_t               n = 0;
    drh_status           st;
    if (w->host->records->get_value(r, DRH_FIELD_NONE, &all) == DRH_OK) {
        for (st = v->child(&all, &m); st == DRH_OK; st = v->next(&m)) {
            if (v->key(&m, &key) != DRH_OK || n + key.len + 3 > sizeof(names)) {
                break;
            }
            memcpy(names + n, n ? ", " : "", n ? 2 : 0);
            n += n ? 2 : 0;
            memcpy(names + n, key.ptr, key.len);
            n += key.len;
            names[n] = 0;
        }
    }
    return chat_bad(w, "unknown_dialect", "no dialect fits its fields: %s", n ? names : "none");
}

typedef drh_status (*collect_fn)(struct chat_worker *w, const drh_record *r);

static drh_status from_instruction(struct chat_worker *w, const drh_record *r)
{
    return chat_pair(w, r, &w->chat->instructions);
}

static drh_status from_prompt(struct chat_worker *w, const drh_record *r)
{
    return chat_pair(w, r, &w->chat->prompts);
}

drh_status chat_collect(struct chat_worker *w, const drh_record *r)
{
    static const collect_fn autos[] = {find_list,   chat_moss,    chat_oasst, chat_dialogue,
                                       from_prompt, chat_summary, NULL};
    static const collect_fn dialogue[] = {chat_dialogue, NULL};
    static const collect_fn alpaca[] = {from_instruction, NULL};
    static const collect_fn list[] = {find_list, NULL};
    static const collect_fn pairs[] = {from_prompt, chat_summary, NULL};
    const struct chat      *c = w->chat;
    const collect_fn       *fn = autos;
    drh_status              st = top_system(w, r);

    if (c->dialect == CHAT_ALPACA) {
        fn = alpaca;
    } else if (c->dialect == CHAT_PAIRS || (c->dialect == CHAT_AUTO && c->own_pair)) {
        fn = pairs;
    } else if (c->dialect == CHAT_DIALOGUE) {
        fn = dialogue;
    } else if (c->dialect != CHAT_AUTO || c->own_messages) {
        fn = list;
    }
    if (st != DRH_OK) {
        return st;
    }
    for (; *fn; fn++) {
        st = (*fn)(w, r);
        if (st != DRH_E_MISSING) {
            return st;
        }
    }
    return unknown(w, r);
}
