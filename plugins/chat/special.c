/* SPDX-License-Identifier: MIT
 *
 * special.c - dialects with a shape of their own: MOSS-003, OASST message trees.  Called by
 * collect.c, on the worker's thread.
 */
#include "chat.h"

enum { MOSS_MAX_TURNS = 1000 };

static bool starts_with(drh_str s, const char *lit, size_t len)
{
    return s.len >= len && memcmp(s.ptr, lit, len) == 0;
}

/* ---- MOSS: {"chat": {"turn_1": {"Human": "<|Human|>: hi<eoh>\n", ...}}} --------------------- */

/* Takes "<|Name|>: " off the front and "<eo.>\n" off the end. */
static drh_str moss_strip(drh_str s)
{
    size_t i;
    if (starts_with(s, "<|", 2)) {
        for (i = 2; i + 2 < s.len; i++) {
            if (s.ptr[i] == '|' && s.ptr[i + 1] == '>' && s.ptr[i + 2] == ':') {
                size_t skip = i + 3;
                skip += skip < s.len && (s.ptr[skip] == ' ' || s.ptr[skip] == '\n');
                s.ptr += skip;
                s.len -= skip;
                break;
            }
        }
    }
    if (s.len > 0 && s.ptr[s.len - 1] == '\n') {
        s.len--;
    }
    if (s.len >= 5 && memcmp(s.ptr + s.len - 5, "<eo", 3) == 0 && s.ptr[s.len - 1] == '>') {
        s.len -= 5;
    }
    return s;
}

/* "None" and "None\n" stand for nothing. */
static bool is_none(drh_str s)
{
    if (starts_with(s, "None", 4)) {
        s.ptr += 4;
        s.len -= 4;
    }
    return chat_blank(s);
}

static drh_status moss_side(struct chat_worker *w, const drh_value *turn, const char *key,
                            uint32_t role, bool optional)
{
    const drh_value_api *v = w->host->values;
    drh_value            side;
    drh_str              text;
    drh_status           st = v->member(turn, key, strlen(key), &side);
    if (st == DRH_OK) {
        st = v->str(&side, &text);
    }
    if (st == DRH_E_NOMEM) {
        return st;
    }
    if (st != DRH_OK) {
        return optional ? DRH_OK : chat_bad(w, "null_content", "a turn has no text \"%s\"", key);
    }
    text = moss_strip(text);
    if (optional && is_none(text)) {
        return DRH_OK;
    }
    return chat_add_text(w, role, text);
}

static drh_status moss_turn(struct chat_worker *w, const drh_value *turn)
{
    static const struct {
        const char *key;
        uint32_t    role;
        bool        optional;
    } sides[] = {
        {"Human", CHAT_HUMAN, false},
        {"Commands", CHAT_CALL, true},
        {"Tool Responses", CHAT_RESULT, true},
        {"MOSS", CHAT_GPT, false},
    };
    drh_status st = DRH_OK;
    size_t     i;
    for (i = 0; i < sizeof(sides) / sizeof(sides[0]) && st == DRH_OK; i++) {
        st = moss_side(w, turn, sides[i].key, sides[i].role, sides[i].optional);
    }
    return st;
}

/* By the number in the name, not by the name: turn_10 comes after turn_9. */
drh_status chat_moss(struct chat_worker *w, const drh_record *r)
{
    const drh_host  *h = w->host;
    struct chat_turn system;
    drh_value        chat, turn;
    size_t           count, seen = 0, i;
    drh_status       st = DRH_OK;

    if (h->records->get_value(r, w->chat->moss_chat, &chat) != DRH_OK ||
        h->values->member(&chat, DRH_LIT("turn_1"), &turn) != DRH_OK) {
        return DRH_E_MISSING;
    }
    chat_read_as(w, CHAT_AS_MOSS, "chat", NULL);
    count = h->values->count(&chat);
    if (count > MOSS_MAX_TURNS) {
        return chat_bad(w, "too_many_turns", "chat has %zu turns, at most %d are read", count,
                        MOSS_MAX_TURNS);
    }
    for (i = 1; seen < count && i <= 2 * MOSS_MAX_TURNS && st == DRH_OK; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "turn_%zu", i);
        if (h->values->member(&chat, name, strlen(name), &turn) == DRH_OK) {
            seen++;
            st = moss_turn(w, &turn);
        }
    }
    chat_use(w, w->chat->moss_chat);
    memset(&system, 0, sizeof(system));
    if (st == DRH_OK && !w->has_system &&
        h->records->get_str(r, w->chat->moss_system, &system.text) == DRH_OK) {
        chat_use(w, w->chat->moss_system);
        st = chat_set_system(w, &system);
    }
    return st;
}

/* ---- OASST: {"prompt": {"text": ..., "role": ..., "replies": [...]}} ------------------------ */

static bool oasst_deleted(const drh_value_api *v, const drh_value *node)
{
    drh_value m;
    int32_t   gone = 0;
    return v->member(node, DRH_LIT("deleted"), &m) == DRH_OK && v->boolean(&m, &gone) == DRH_OK &&
           gone;
}

/* The reply of the lowest rank; one without a rank comes last. */
static bool oasst_best(const drh_value_api *v, const drh_value *node, drh_value *best)
{
    drh_value  list, reply, m;
    bool       found = false;
    int64_t    lowest = INT64_MAX;
    drh_status st;
    if (v->member(node, DRH_LIT("replies"), &list) != DRH_OK) {
        return false;
    }
    for (st = v->child(&list, &reply); st == DRH_OK; st = v->next(&reply)) {
        int64_t rank = INT64_MAX;
        if (v->type(&reply) != DRH_T_OBJECT || oasst_deleted(v, &reply)) {
            continue;
        }
        if (v->member(&reply, DRH_LIT("rank"), &m) != DRH_OK || v->i64(&m, &rank) != DRH_OK) {
            rank = INT64_MAX;
        }
        if (!found || rank < lowest) {
            found = true;
            lowest = rank;
            *best = reply;
        }
    }
    return found;
}

drh_status chat_oasst(struct chat_worker *w, const drh_record *r)
{
    const drh_value_api *v = w->host->values;
    drh_value            node, best, m;
    drh_status           st = DRH_OK;
    bool                 more;
    if (w->host->records->get_value(r, w->chat->oasst_prompt, &node) != DRH_OK ||
        v->type(&node) != DRH_T_OBJECT || v->member(&node, DRH_LIT("replies"), &m) != DRH_OK) {
        return DRH_E_MISSING;
    }
    chat_use(w, w->chat->oasst_prompt);
    chat_read_as(w, CHAT_AS_TREE, "prompt", NULL);
    for (more = !oasst_deleted(v, &node); more && st == DRH_OK;
         more = oasst_best(v, &node, &best), node = more ? best : node) {
        struct chat_turn *t;
        drh_str           role = {NULL, 0};
        if (v->member(&node, DRH_LIT("role"), &m) == DRH_OK) {
            (void)v->str(&m, &role);
        }
        st = chat_add(w, drh_str_eq(role, "assistant") ? CHAT_GPT : CHAT_HUMAN, &t);
        if (st == DRH_OK && v->member(&node, DRH_LIT("text"), &m) != DRH_OK) {
            st = chat_bad(w, "null_content", "a message of the tree has no text");
        }
        if (st == DRH_OK) {
            st = chat_content(w, &m, "a message of the tree", t);
        }
    }
    return st;
}
