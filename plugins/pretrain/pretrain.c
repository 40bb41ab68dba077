/* SPDX-License-Identifier: MIT
 *
 * pretrain.c - converter "pretrain": a conversation to plain text for annealing.  The recipe's own
 * form by default: {"metadata": {...}, "content": "..."}, where content is the system text, if it
 * is not the default one, and every turn, each followed by a newline.  The host calls process() on
 * worker threads; struct pretrain is read-only after create().
 */
#include <drh/turns.h>

#include <stdbool.h>

enum { KEEP_SYSTEM = 0, DROP_SYSTEM, KEEP_NON_DEFAULT, MAX_DEFAULTS = 32, LABELS = 5 };

struct pretrain {
    const drh_host *host;
    drh_field       conversations, messages, system, metadata;
    drh_str         key; /* of the text */
    uint32_t        system_how;
    uint32_t        labels; /* row of label_words */
    bool            final_separator, metadata_too;
    drh_str         separator;
    drh_str         defaults[MAX_DEFAULTS]; /* system texts that are left out */
    size_t          n_defaults;
};

/* A text that grows, one a worker. */
struct text {
    const drh_host *host;
    char           *ptr;
    size_t          len, cap;
};

/* What stands before a turn of the human and of the assistant. */
static const char *const label_words[LABELS][2] = {
    {"", ""},
    {"User: ", "Assistant: "},
    {"Question: ", "Answer: "},
    {"Q: ", "A: "},
    {"\xE9\x97\xAE\xEF\xBC\x9A", "\xE7\xAD\x94\xEF\xBC\x9A"}, /* the Chinese words, wide colon */
};
static const char *const label_names[] = {"off", "user_assistant", "question_answer", "q_a", "zh"};

/* clang-format off */
static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"key\":{\"type\":\"string\",\"enum\":[\"content\",\"text\"],\"default\":\"content\",\"description\":\"Field "
      "that holds the text.\"},"
    "\"separator\":{\"type\":\"string\",\"default\":\"\\n\",\"description\":\"What follows the system text and "
      "every turn.\"},"
    "\"final_separator\":{\"type\":\"boolean\",\"default\":true,\"description\":\"Whether it follows the last "
      "turn, too.\"},"
    "\"system\":{\"type\":\"string\",\"enum\":[\"keep\",\"drop\",\"non-default\"],\"default\":\"non-default\","
      "\"description\":\"System text: keep it, leave it out, or keep it unless it is one of "
      "default_systems.\"},"
    "\"default_systems\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"maxItems\":32,"
      "\"default\":[\"You are a helpful assistant.\"],\"description\":\"System texts that say nothing.\"},"
    "\"labels\":{\"type\":\"string\",\"enum\":[\"off\",\"user_assistant\",\"question_answer\",\"q_a\",\"zh\"],"
      "\"default\":\"off\",\"description\":\"Words before each turn: User:/Assistant:, Question:/Answer:, "
      "Q:/A:, or the Chinese ones.\"},"
    "\"metadata\":{\"type\":\"boolean\",\"default\":true,\"description\":\"Carry metadata over.\"}"
    "}}";
/* clang-format on */

/* ---- one record ---------------------------------------------------------------------------- */

static drh_status add(struct text *t, drh_str s)
{
    if (s.len > SIZE_MAX / 4 - t->len) {
        return DRH_E_NOMEM;
    }
    if (t->len + s.len > t->cap) {
        size_t cap = 2 * (t->len + s.len) + 4096;
        char  *p = t->host->alloc(t->host, t->ptr, cap);
        if (!p) {
            return DRH_E_NOMEM;
        }
        t->ptr = p;
        t->cap = cap;
    }
    if (s.len > 0) {
        memcpy(t->ptr + t->len, s.ptr, s.len);
        t->len += s.len;
    }
    return DRH_OK;
}

/* Every piece but the first is preceded by the separator. */
static drh_status add_piece(const struct pretrain *s, struct text *t, bool *first,
                            const char *label, drh_str text)
{
    drh_status st = *first ? DRH_OK : add(t, s->separator);
    *first = false;
    if (st == DRH_OK && label[0]) {
        st = add(t, drh_str_of(label));
    }
    return st == DRH_OK ? add(t, text) : st;
}

static bool wants_system(const struct pretrain *s, drh_str text)
{
    size_t i;
    if (text.len == 0 || s->system_how == DROP_SYSTEM) {
        return false;
    }
    for (i = 0; s->system_how == KEEP_NON_DEFAULT && i < s->n_defaults; i++) {
        if (text.len == s->defaults[i].len && memcmp(text.ptr, s->defaults[i].ptr, text.len) == 0) {
            return false;
        }
    }
    return true;
}

/* The text of a conversation; *why is set when there is none. */
static drh_status render(const struct pretrain *s, struct text *t, const drh_record *r,
                         const char **why)
{
    const drh_host *h = s->host;
    drh_str         system = {NULL, 0};
    drh_value       list;
    drh_turns       turns;
    drh_turn        turn;
    drh_status      more, st = DRH_OK;
    bool            first = true;

    t->len = 0;
    *why = NULL;
    if ((h->records->get_value(r, s->conversations, &list) != DRH_OK &&
         h->records->get_value(r, s->messages, &list) != DRH_OK) ||
        drh_turns_in(&turns, h, &list) != DRH_OK) {
        *why = "no_conversation";
        return DRH_OK;
    }
    if (h->records->get_str(r, s->system, &system) == DRH_OK && wants_system(s, system)) {
        st = add_piece(s, t, &first, "", system);
    }
    while (st == DRH_OK && (more = drh_turns_next(&turns, &turn)) != DRH_END) {
        bool answer = turn.role == DRH_ROLE_ASSISTANT || turn.role == DRH_ROLE_CALL;
        if (more != DRH_OK || turn.type != DRH_T_STRING) {
            *why = more == DRH_E_NOMEM ? NULL : "not_text";
            return more == DRH_E_NOMEM ? more : DRH_OK;
        }
        if (turn.role == DRH_ROLE_SYSTEM) {
            st = wants_system(s, turn.text) ? add_piece(s, t, &first, "", turn.text) : DRH_OK;
        } else {
            st = add_piece(s, t, &first, label_words[s->labels][answer], turn.text);
        }
    }
    if (st == DRH_OK && first) {
        *why = "no_turns";
    } else if (st == DRH_OK && s->final_separator) {
        st = add(t, s->separator);
    }
    return st;
}

/* The record becomes {"metadata": ..., KEY: text}; nothing else stays. */
static drh_status rewrite(const struct pretrain *s, const struct text *t, drh_record *r)
{
    const drh_record_api *api = s->host->records;
    drh_value             meta;
    drh_status            st = api->open(r, DRH_FIELD_NONE, DRH_T_OBJECT);
    if (st == DRH_OK && s->metadata_too && api->get_value(r, s->metadata, &meta) == DRH_OK) {
        st = api->put_key(r, DRH_LIT("metadata"));
        st = st == DRH_OK ? api->put_value(r, &meta) : st;
    }
    if (st == DRH_OK) {
        st = api->put_key(r, s->key.ptr, s->key.len);
    }
    if (st == DRH_OK) {
        st = api->put_str(r, t->ptr, t->len);
    }
    return st == DRH_OK ? api->close(r) : st;
}

static drh_status one(const struct pretrain *s, struct text *t, drh_record *r, drh_error *e)
{
    const drh_record_api *api = s->host->records;
    const char           *why;
    drh_status            st = render(s, t, r, &why);
    if (st == DRH_OK && why) {
        return api->fail(r, why, NULL, 0);
    }
    if (st == DRH_OK) {
        st = rewrite(s, t, r);
    }
    if (st == DRH_OK) {
        return api->keep(r);
    }
    return drh_fail(e, st, st == DRH_E_NOMEM ? "out of memory" : "the record cannot be changed");
}

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    size_t i;
    for (i = 0; i < n; i++) {
        drh_status st = one(self, worker, r[i], e);
        if (st != DRH_OK) {
            if (e) {
                e->record = (int64_t)i;
            }
            return st;
        }
    }
    return DRH_OK;
}

/* ---- life ---------------------------------------------------------------------------------- */

static bool option_is(const drh_host *h, const drh_config *c, const char *pointer, const char *word)
{
    drh_str s;
    return h->config->get_str(c, pointer, &s) == DRH_OK && drh_str_eq(s, word);
}

static bool option_on(const drh_host *h, const drh_config *c, const char *pointer)
{
    int32_t on = 1;
    return h->config->get_bool(c, pointer, &on) != DRH_OK || on;
}

static void read_options(struct pretrain *s, const drh_config *c)
{
    const drh_host *h = s->host;
    uint32_t        i;
    s->key = drh_str_of(option_is(h, c, "/key", "text") ? "text" : "content");
    s->system_how = option_is(h, c, "/system", "keep")   ? KEEP_SYSTEM
                    : option_is(h, c, "/system", "drop") ? DROP_SYSTEM
                                                         : KEEP_NON_DEFAULT;
    s->final_separator = option_on(h, c, "/final_separator");
    s->metadata_too = option_on(h, c, "/metadata");
    s->separator = drh_str_of("\n");
    (void)h->config->get_str(c, "/separator", &s->separator);
    for (i = 0; i < LABELS; i++) {
        if (option_is(h, c, "/labels", label_names[i])) {
            s->labels = i;
        }
    }
    for (i = 0; i < MAX_DEFAULTS; i++) {
        char at[32];
        (void)snprintf(at, sizeof(at), "/default_systems/%u", (unsigned)i);
        if (h->config->get_str(c, at, &s->defaults[s->n_defaults]) != DRH_OK) {
            break;
        }
        s->n_defaults++;
    }
}

static void destroy(void *self)
{
    struct pretrain *s = self;
    (void)s->host->alloc(s->host, s, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct pretrain *s = h->alloc(h, NULL, sizeof(*s));
    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(s, 0, sizeof(*s));
    s->host = h;
    read_options(s, c);
    s->conversations = drh_field_of(h, "conversations");
    s->messages = drh_field_of(h, "messages");
    s->system = drh_field_of(h, "system");
    s->metadata = drh_field_of(h, "metadata");
    if (!s->conversations || !s->messages || !s->system || !s->metadata) {
        destroy(s);
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    *self = s;
    return DRH_OK;
}

static drh_status open_worker(void *self, uint32_t index, void **worker, drh_error *e)
{
    const struct pretrain *s = self;
    struct text           *t = s->host->alloc(s->host, NULL, sizeof(*t));
    (void)index;
    if (!t) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(t, 0, sizeof(*t));
    t->host = s->host;
    *worker = t;
    return DRH_OK;
}

static void close_worker(void *self, void *worker)
{
    struct text    *t = worker;
    const drh_host *h = t->host;
    (void)self;
    (void)h->alloc(h, t->ptr, 0);
    (void)h->alloc(h, t, 0);
}

static const drh_life life = {sizeof(drh_life), 0,   create, destroy, open_worker,
                              close_worker,     NULL};

static const drh_map_ops map = {.struct_size = sizeof(drh_map_ops), .process = process};

static const drh_converter_ops ops = {.struct_size = sizeof(drh_converter_ops), .map = &map};

static const drh_stage pretrain = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_CONVERTER,
    .id = "pretrain",
    .version = "1.0.0",
    .summary = "conversations to plain text for annealing",
    .config_schema = schema,
    .threading = DRH_WORKERS,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC | DRH_WANTS_CANONICAL,
    .life = &life,
    .ops.converter = &ops,
};

static const drh_stage *const stages[] = {&pretrain};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "pretrain",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};

DRH_PLUGIN_NOTE(0, "converter pretrain 1.0.0\n");
