/* SPDX-License-Identifier: MIT
 *
 * write.c - turns, system and metadata into the record.  Called by chat.c when a record's turns are
 * in order, on the worker's thread.  Texts that did not change are copied as bytes.
 */
#include "chat.h"

drh_str chat_role_word(uint32_t role)
{
    static const drh_str words[] = {{DRH_LIT("system")},      {DRH_LIT("human")},
                                    {DRH_LIT("gpt")},         {DRH_LIT("function_call")},
                                    {DRH_LIT("observation")}, {DRH_LIT("unknown")}};
    return words[role <= CHAT_UNKNOWN ? role : CHAT_UNKNOWN];
}

static drh_str role_openai(uint32_t role)
{
    static const drh_str words[] = {{DRH_LIT("system")},
                                    {DRH_LIT("user")},
                                    {DRH_LIT("assistant")},
                                    {DRH_LIT("function_call")},
                                    {DRH_LIT("tool")}};
    return words[role <= CHAT_RESULT ? role : CHAT_SYSTEM];
}

/* Inline: the lengths of literal keys and words are known here. */
static inline drh_status put_text(const drh_record_api *api, drh_record *r, const char *key,
                                  drh_str text)
{
    drh_status st = api->put_key(r, key, strlen(key));
    return st == DRH_OK ? api->put_str(r, text.ptr, text.len) : st;
}

static inline drh_status put_word(const drh_record_api *api, drh_record *r, const char *key,
                                  const char *word)
{
    return put_text(api, r, key, drh_str_of(word));
}

/* What else the turn held: "loss_weight", "weight", "name" ... */
static drh_status put_extra(struct chat_worker *w, drh_record *r, const struct chat_turn *t,
                            const char *role_key, const char *text_key)
{
    const drh_value_api *v = w->host->values;
    const bool           thoughts = w->chat->think == CHAT_THINK_STRIP || t->role == CHAT_GPT;
    drh_value            m;
    drh_status           more, st = DRH_OK;
    for (more = v->child(&t->src, &m); more == DRH_OK && st == DRH_OK; more = v->next(&m)) {
        drh_str key;
        st = v->key(&m, &key);
        if (st != DRH_OK || chat_own_key(w->chat, key) || drh_str_eq(key, role_key) ||
            drh_str_eq(key, text_key) || (thoughts && chat_is_thought(w->chat, key, &m))) {
            continue;
        }
        st = w->host->records->put_key(r, key.ptr, key.len);
        if (st == DRH_OK) {
            st = w->host->records->put_value(r, &m);
        }
    }
    return st;
}

static drh_status put_turn(struct chat_worker *w, drh_record *r, const struct chat_turn *t)
{
    const drh_record_api *api = w->host->records;
    bool                  messages = w->chat->to_messages;
    const char           *role_key = messages ? "role" : "from";
    const char           *text_key = messages ? "content" : "value";
    drh_status            st = api->begin(r, DRH_T_OBJECT);
    if (st == DRH_OK) {
        st = put_text(api, r, role_key, messages ? role_openai(t->role) : chat_role_word(t->role));
    }
    if (st == DRH_OK && t->has_raw) {
        st = api->put_key(r, text_key, strlen(text_key));
        st = st == DRH_OK ? api->put_value(r, &t->raw) : st;
    } else if (st == DRH_OK) {
        st = put_text(api, r, text_key, t->text);
    }
    if (st == DRH_OK && t->has_extra) {
        st = put_extra(w, r, t, role_key, text_key);
    }
    return st == DRH_OK ? api->end(r) : st;
}

static drh_status write_turns(struct chat_worker *w, drh_record *r, drh_field f)
{
    const drh_record_api *api = w->host->records;
    drh_status            st = api->open(r, f, DRH_T_ARRAY);
    size_t                i;
    if (st == DRH_OK && w->chat->to_messages && w->has_system) {
        struct chat_turn t;
        chat_turn_init(&t, CHAT_SYSTEM);
        t.text = w->system_text;
        st = put_turn(w, r, &t);
    }
    for (i = 0; i < w->n_turns && st == DRH_OK; i++) {
        st = put_turn(w, r, &w->turns[i]);
    }
    return st == DRH_OK ? api->close(r) : st;
}

/* After the turns: what lies in a field that was set is read as decoded text only. */
static drh_status write_system(struct chat_worker *w, drh_record *r)
{
    const drh_record_api *api = w->host->records;
    const struct chat    *c = w->chat;
    if (!w->has_system || c->to_messages) {
        return api->unset(r, c->system);
    }
    if (w->system_in_place) {
        return DRH_OK;
    }
    return api->set_str(r, c->system, w->system_text.ptr, w->system_text.len);
}

/* Applies the options on the system text; before anything is written or digested. */
static void choose_system(struct chat_worker *w)
{
    if (w->chat->drop_system) {
        w->has_system = false;
    }
    if (!w->has_system && w->chat->default_system.len > 0) {
        w->has_system = true;
        w->system_in_place = false;
        w->system_text = w->chat->default_system;
    }
}

/* First 16 bytes, in hex, of SHA-256 over the parts: system text or "", then role word and text of
 * each turn; each part is preceded by its length (host->digest). */
static drh_status digest_id(struct chat_worker *w, char id[33])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t           sum[32];
    size_t            n = 1 + 2 * w->n_turns;
    size_t            i;
    drh_status        st;
    if (n > w->cap_parts) {
        drh_str *more = w->host->alloc(w->host, w->parts, 2 * n * sizeof(*more));
        if (!more) {
            return DRH_E_NOMEM;
        }
        w->parts = more;
        w->cap_parts = 2 * n;
    }
    w->parts[0] = w->has_system ? w->system_text : drh_str_of("");
    for (i = 0; i < w->n_turns; i++) {
        w->parts[1 + 2 * i] = chat_role_word(w->turns[i].role);
        w->parts[2 + 2 * i] = w->turns[i].text;
    }
    st = w->host->digest(w->host, w->parts, n, sum);
    for (i = 0; i < 16; i++) {
        id[2 * i] = hex[sum[i] >> 4];
        id[2 * i + 1] = hex[sum[i] & 15];
    }
    id[32] = 0;
    return st;
}

/* ---- metadata ------------------------------------------------------------------------------ */

enum {
    META_ID = 1u << 0,
    META_DOMAIN = 1u << 1,
    META_DATASET = 1u << 2,
    META_SOURCE = 1u << 3,
    META_LANG = 1u << 4,
    META_QUALITY = 1u << 5,
    META_SRC = 1u << 6,
    META_KIND = 1u << 7,
    META_INPUT = 1u << 8,
    META_FLAGS = 1u << 9
};

static unsigned meta_bit(drh_str key)
{
    static const struct {
        const char *name;
        unsigned    bit;
    } known[] = {
        {"id", META_ID},         {"domain", META_DOMAIN}, {"dataset", META_DATASET},
        {"source", META_SOURCE}, {"lang", META_LANG},     {"quality", META_QUALITY},
        {"src", META_SRC},       {"kind", META_KIND},     {"input_from", META_INPUT},
        {"flags", META_FLAGS},
    };
    size_t i;
    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (drh_str_eq(key, known[i].name)) {
            return known[i].bit;
        }
    }
    return 0;
}

/* The data set's word goes before the record's own. */
static drh_str decided(const drh_record_info *info, unsigned bit)
{
    drh_str none = {"", 0};
    return bit == META_DOMAIN ? info->domain : bit == META_DATASET ? info->dataset : none;
}

static drh_status copy_member(struct chat_worker *w, drh_record *r, const drh_value *m,
                              const drh_record_info *info, unsigned *have)
{
    const drh_record_api *api = w->host->records;
    drh_str               key, ours;
    unsigned              bit;
    drh_status            st = w->host->values->key(m, &key);
    if (st != DRH_OK) {
        return st;
    }
    bit = meta_bit(key);
    if (bit == META_ID && w->host->values->type(m) != DRH_T_STRING) {
        return DRH_OK;
    }
    *have |= bit;
    ours = decided(info, bit);
    st = api->put_key(r, key.ptr, key.len);
    if (st != DRH_OK) {
        return st;
    }
    return ours.len > 0 ? api->put_str(r, ours.ptr, ours.len) : api->put_value(r, m);
}

/* Copies the members that are there, and tells which of ours are among them. */
static drh_status copy_metadata(struct chat_worker *w, drh_record *r, const drh_record_info *info,
                                unsigned *have)
{
    const drh_host      *h = w->host;
    const drh_value_api *v = h->values;
    drh_value            meta, m;
    drh_status           more, st = DRH_OK;
    if (h->records->get_value(r, w->chat->metadata, &meta) != DRH_OK ||
        v->type(&meta) == DRH_T_NULL) {
        return DRH_OK;
    }
    if (v->type(&meta) != DRH_T_OBJECT) {
        st = h->records->put_key(r, DRH_LIT("raw"));
        return st == DRH_OK ? h->records->put_value(r, &meta) : st;
    }
    for (more = v->child(&meta, &m); more == DRH_OK && st == DRH_OK; more = v->next(&m)) {
        st = copy_member(w, r, &m, info, have);
    }
    return st;
}

/* "FILE:LINE" */
static drh_status put_src(struct chat_worker *w, drh_record *r, const drh_record_info *info)
{
    char     number[24];
    char    *p = number + sizeof(number);
    uint64_t n = info->from_line ? info->from_line : info->row;
    drh_str  at, src, colon = {":", 1};
    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    at.ptr = p;
    at.len = (size_t)(number + sizeof(number) - p);
    if (chat_concat(w, info->from_file, colon, at, &src) != DRH_OK) {
        return DRH_E_NOMEM;
    }
    return put_text(w->host->records, r, "src", src);
}

static drh_status put_lang(struct chat_worker *w, drh_record *r)
{
    drh_str     lang = w->chat->lang;
    const char *guess;
    if (drh_str_eq(lang, "none")) {
        return DRH_OK;
    }
    if (drh_str_eq(lang, "auto")) {
        guess = chat_lang(w);
        if (!guess) {
            return DRH_OK;
        }
        lang = drh_str_of(guess);
    }
    return put_text(w->host->records, r, "lang", lang);
}

/* Nothing when nothing looks wrong. */
static drh_status put_flags(struct chat_worker *w, drh_record *r)
{
    const drh_record_api *api = w->host->records;
    const unsigned        flags = chat_flags(w);
    drh_status            st;
    if (flags == 0) {
        return DRH_OK;
    }
    st = api->put_key(r, DRH_LIT("flags"));
    st = st == DRH_OK ? api->begin(r, DRH_T_ARRAY) : st;
    if (st == DRH_OK && (flags & CHAT_LEAK)) {
        st = api->put_str(r, DRH_LIT("template_leak"));
    }
    if (st == DRH_OK && (flags & CHAT_TRUNCATED)) {
        st = api->put_str(r, DRH_LIT("truncated"));
    }
    return st == DRH_OK ? api->end(r) : st;
}

static drh_status put_missing(struct chat_worker *w, drh_record *r, const drh_record_info *info,
                              unsigned have)
{
    const drh_record_api *api = w->host->records;
    drh_status            st = DRH_OK;
    if (!(have & META_ID)) {
        char id[33];
        st = digest_id(w, id);
        st = st == DRH_OK ? put_word(api, r, "id", id) : st;
    }
    if (st == DRH_OK && !(have & META_DOMAIN) && info->domain.len > 0) {
        st = put_text(api, r, "domain", info->domain);
    }
    if (st == DRH_OK && !(have & META_DATASET) && info->dataset.len > 0) {
        st = put_text(api, r, "dataset", info->dataset);
    }
    if (st == DRH_OK && !(have & META_SOURCE) && info->source.len > 0) {
        st = put_text(api, r, "source", info->source);
    }
    if (st == DRH_OK && !(have & META_LANG)) {
        st = put_lang(w, r);
    }
    if (st == DRH_OK && !(have & META_QUALITY) && w->chat->quality.len > 0) {
        st = put_text(api, r, "quality", w->chat->quality);
    }
    if (st == DRH_OK && !(have & META_SRC) && info->from_file.len > 0) {
        st = put_src(w, r, info);
    }
    if (st == DRH_OK && !(have & META_KIND) && w->chat->kind) {
        st = put_word(api, r, "kind", w->n_rounds > 1 ? "multi" : "single");
    }
    if (st == DRH_OK && !(have & META_INPUT) && w->input_from > 0) {
        st = api->put_key(r, DRH_LIT("input_from"));
        st = st == DRH_OK ? api->put_i64(r, (int64_t)w->input_from) : st;
    }
    if (st == DRH_OK && !(have & META_FLAGS) && w->chat->flags) {
        st = put_flags(w, r);
    }
    return st;
}

static drh_status write_metadata(struct chat_worker *w, drh_record *r)
{
    const drh_record_api *api = w->host->records;
    const drh_str         none = {"", 0};
    drh_record_info       info;
    unsigned              have = 0;
    drh_status            st;
    info.struct_size = (uint32_t)sizeof(info);
    info.row = info.line = info.from_line = 0;
    info.file = info.from_file = info.domain = info.dataset = info.source = none;
    st = api->info(r, &info);
    if (st != DRH_OK) {
        return st;
    }
    chat_tell(w, &info);
    st = api->open(r, w->chat->metadata, DRH_T_OBJECT);
    if (st == DRH_OK) {
        st = copy_metadata(w, r, &info, &have);
    }
    if (st == DRH_OK) {
        st = put_missing(w, r, &info, have);
    }
    return st == DRH_OK ? api->close(r) : st;
}

drh_status chat_write(struct chat_worker *w, drh_record *r)
{
    const struct chat *c = w->chat;
    drh_field          target = c->to_messages ? c->messages : c->conversations;
    drh_status         st = DRH_OK;
    size_t             i;
    choose_system(w);
    if (!w->as_is || c->to_messages) {
        st = write_turns(w, r, target);
    }
    for (i = 0; i < w->n_used && st == DRH_OK; i++) {
        if (w->used[i] != target) {
            st = w->host->records->unset(r, w->used[i]);
        }
    }
    if (st == DRH_OK) {
        st = write_system(w, r);
    }
    return st == DRH_OK ? write_metadata(w, r) : st;
}
