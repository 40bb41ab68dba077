/* SPDX-License-Identifier: MIT
 *
 * decontaminate.c - decontaminate.so: a file of test questions as a table of n-grams, made in
 * create(), and records that have one of them.  Texts and n-grams are dedup's.  A question of fewer
 * words than an n-gram is looked for as a whole, so the table may hold n-grams of several lengths.
 */
#include "dedup.h"

#include <drh/hub.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MOST = 1 << 20, NAME_MOST = 200 };

struct slot {
    uint64_t hash;
    uint64_t line; /* from 1; 0: the slot is free */
};

struct decont {
    struct dedup d; /* first: for the worker's functions */
    uint32_t     ngram, min_words;
    drh_str      against, field; /* the configuration's */
    struct slot *slot;
    size_t       n, cap;  /* cap: a power of two */
    uint32_t     lengths; /* 1 << length: those of the table's n-grams */
    uint64_t     questions, too_short;
};

/* clang-format off */
static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"against\"],\"properties\":{"
    "\"against\":{\"type\":\"string\",\"minLength\":1,\"x-drh-path\":\"in\",\"description\":\"File of test questions: JSON lines or plain lines, one each.\"},"
    "\"field\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Member of a JSON line that holds it. Default: question, problem, instruction, prompt, query or text.\"},"
    "\"fields\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},\"minItems\":1,\"maxItems\":16,\"description\":\"Fields of a record that are searched, instead of its turns.\"},"
    "\"ngram\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":16,\"default\":12,\"description\":\"So many words in a row are enough.\"},"
    "\"min_words\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":16,\"default\":8,\"description\":\"Questions of fewer words are not looked for.\"}"
    "}}";
/* clang-format on */

/* ---- the table ----------------------------------------------------------------------------- */

static struct slot *find(const struct decont *t, uint64_t hash)
{
    size_t at = (size_t)hash & (t->cap - 1);
    while (t->slot[at].line && t->slot[at].hash != hash) {
        at = (at + 1) & (t->cap - 1);
    }
    return &t->slot[at];
}

static drh_status grow(struct decont *t)
{
    const drh_host *h = t->d.host;
    struct decont   more = {.cap = t->cap ? 2 * t->cap : 1024};

    more.slot = h->alloc(h, NULL, more.cap * sizeof(*more.slot));
    if (!more.slot) {
        return DRH_E_NOMEM;
    }
    memset(more.slot, 0, more.cap * sizeof(*more.slot));
    for (size_t i = 0; i < t->cap; i++) {
        if (t->slot[i].line) {
            *find(&more, t->slot[i].hash) = t->slot[i];
        }
    }
    (void)h->alloc(h, t->slot, 0);
    t->slot = more.slot;
    t->cap = more.cap;
    return DRH_OK;
}

/* The first line that has it stays. */
static drh_status add(struct decont *t, uint64_t hash, uint64_t line)
{
    struct slot *slot;
    if (2 * (t->n + 1) > t->cap && grow(t) != DRH_OK) {
        return DRH_E_NOMEM;
    }
    slot = find(t, hash);
    if (!slot->line) {
        *slot = (struct slot){hash, line};
        t->n++;
    }
    return DRH_OK;
}

/* ---- the file ------------------------------------------------------------------------------ */

static drh_status add_question(struct decont *t, struct dedup_worker *w, drh_str s, uint64_t line)
{
    struct dedup_part part = {.at = 0};
    const uint64_t   *shingle;
    drh_status        st;

    w->text.len = w->part.len = 0;
    st = dedup_normalise(w, s);
    part.len = w->text.len;
    st = st == DRH_OK ? dedup_add(&w->part, &part, sizeof(part)) : st;
    st = st == DRH_OK ? dedup_shingles(w, t->ngram) : st;
    if (st != DRH_OK) {
        return st;
    }
    t->questions++;
    if (w->n_words < t->min_words) {
        t->too_short++;
        return DRH_OK;
    }
    t->lengths |= 1u << (w->n_words < t->ngram ? w->n_words : t->ngram);
    shingle = (const void *)w->shingle.ptr;
    for (size_t i = 0; st == DRH_OK && i < w->shingle.len / sizeof(*shingle); i++) {
        st = add(t, shingle[i], line);
    }
    return st;
}

static drh_str member_of(const struct decont *t, const drh_value *root)
{
    static const char *const usual[] = {"question", "problem", "instruction",
                                        "prompt",   "query",   "text"};
    drh_str                  s = {NULL, 0};
    if (t->field.len) {
        return drh_hub_text(t->d.host, root, t->field.ptr);
    }
    for (size_t i = 0; !s.ptr && i < sizeof(usual) / sizeof(usual[0]); i++) {
        s = drh_hub_text(t->d.host, root, usual[i]);
    }
    return s;
}

static drh_status take_line(struct decont *t, struct dedup_worker *w, drh_str s, uint64_t line,
                            drh_error *e)
{
    const drh_host *h = t->d.host;
    drh_json       *doc = NULL;
    drh_value       root;
    drh_error       why = DRH_ERROR_INIT;
    drh_status      st = DRH_OK;

    if (s.len > LINE_MOST) {
        return drh_fail(e, DRH_E_CONFIG, "%.200s:%llu: a question of more than 1 MiB",
                        t->against.ptr, (unsigned long long)line);
    }
    if (s.len > 0 && s.ptr[0] == '{') {
        st = h->json_open(h, s.ptr, s.len, &doc, &root, &why);
        if (st != DRH_OK) {
            return drh_fail(e, st == DRH_E_NOMEM ? st : DRH_E_CONFIG, "%.200s:%llu: %.200s",
                            t->against.ptr, (unsigned long long)line, why.message);
        }
        s = member_of(t, &root);
        if (!s.ptr) {
            st = drh_fail(e, DRH_E_CONFIG,
                          "%.200s:%llu: there is no question in this line; name its member with "
                          "field",
                          t->against.ptr, (unsigned long long)line);
        }
    }
    if (st == DRH_OK && s.len > 0 && add_question(t, w, s, line) != DRH_OK) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory for test questions");
    }
    h->json_close(doc);
    return st;
}

static drh_status read_lines(struct decont *t, struct dedup_worker *w, FILE *f, drh_error *e)
{
    char      *line = NULL;
    size_t     cap = 0;
    uint64_t   number = 0;
    ssize_t    n;
    drh_status st = DRH_OK;

    while (st == DRH_OK && (n = getline(&line, &cap, f)) > 0) {
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) {
            n--;
        }
        line[n] = '\0';
        if (number == 0 && (line[0] == '[' || memchr(line, '\0', (size_t)n))) {
            st = drh_fail(e, DRH_E_CONFIG,
                          "against: %.300s is no text of lines; write one %s a line",
                          t->against.ptr, line[0] == '[' ? "JSON object" : "question");
            break;
        }
        st = take_line(t, w, (drh_str){line, (size_t)n}, ++number, e);
    }
    if (st == DRH_OK && ferror(f)) {
        st = drh_fail(e, DRH_E_IO, "cannot read %.300s", t->against.ptr);
    }
    free(line); /* getline's */
    return st;
}

static drh_status read_file(struct decont *t, drh_error *e)
{
    const drh_host *h = t->d.host;
    void           *w = NULL;
    FILE           *f = fopen(t->against.ptr, "re");
    drh_status      st;

    if (!f) {
        return drh_fail(e, DRH_E_CONFIG, "against: cannot open %.300s: %s", t->against.ptr,
                        strerror(errno));
    }
    st = dedup_open_worker(t, 0, &w, e);
    st = st == DRH_OK ? read_lines(t, w, f, e) : st;
    if (w) {
        dedup_close_worker(t, w);
    }
    (void)fclose(f);
    if (st == DRH_OK && t->n == 0) {
        return drh_fail(e, DRH_E_CONFIG, "against: %.300s holds no question of %u words or more",
                        t->against.ptr, t->min_words);
    }
    if (st == DRH_OK && t->too_short > 0) {
        drh_logf(h, DRH_LOG_WARN,
                 "%llu of %llu test questions have fewer than %u words and are not looked for",
                 (unsigned long long)t->too_short, (unsigned long long)t->questions, t->min_words);
    }
    return st;
}

/* ---- records ------------------------------------------------------------------------------- */

/* The first line of the file that shares an n-gram with the record; 0: none. */
static drh_status look(const struct decont *t, struct dedup_worker *w, uint64_t *line,
                       uint32_t *words)
{
    drh_status st = DRH_OK;
    *line = 0;
    for (uint32_t n = 1; st == DRH_OK && n <= t->ngram; n++) {
        if (!(t->lengths >> n & 1)) {
            continue;
        }
        st = dedup_shingles(w, n);
        for (size_t i = 0; st == DRH_OK && w->n_words >= n && i < w->shingle.len / 8; i++) {
            const struct slot *s = find(t, ((const uint64_t *)(const void *)w->shingle.ptr)[i]);
            if (s->line && (*line == 0 || s->line < *line)) {
                *line = s->line;
                *words = n;
            }
        }
    }
    return st;
}

static drh_status one(const struct decont *t, struct dedup_worker *w, drh_record *r)
{
    const drh_record_api *api = t->d.host->records;
    const char           *slash = strrchr(t->against.ptr, '/');
    uint64_t              line = 0;
    uint32_t              words = 0;
    char                  detail[NAME_MOST + 100];
    drh_status            st = dedup_text(w, r);

    if (st == DRH_E_MISSING) {
        return api->fail(r, "no_text",
                         DRH_LIT("nothing to search: put chat before this step, or "
                                 "name the fields"));
    }
    st = st == DRH_OK ? look(t, w, &line, &words) : st;
    if (st != DRH_OK || line == 0) {
        return st == DRH_OK ? api->keep(r) : st;
    }
    (void)snprintf(detail, sizeof(detail), "%u words in a row as in %.*s:%llu", words, NAME_MOST,
                   slash ? slash + 1 : t->against.ptr, (unsigned long long)line);
    return api->drop(r, "contaminated", detail, strlen(detail));
}

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    drh_status st = DRH_OK;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = one(self, worker, r[i]);
        if (st != DRH_OK) {
            e->record = (int64_t)i;
            return drh_fail(e, st, st == DRH_E_NOMEM ? "out of memory" : "cannot be searched");
        }
    }
    return st;
}

/* ---- the stage ----------------------------------------------------------------------------- */

static void destroy(void *self)
{
    struct decont  *t = self;
    const drh_host *h = t->d.host;
    (void)h->alloc(h, t->slot, 0);
    (void)h->alloc(h, t, 0);
}

static drh_status read_options(struct decont *t, const drh_config *c, drh_error *e)
{
    const drh_host *h = t->d.host;
    int64_t         ngram = 0, min_words = 0;

    (void)h->config->get_i64(c, "/ngram", &ngram);
    (void)h->config->get_i64(c, "/min_words", &min_words);
    t->ngram = (uint32_t)ngram;
    t->min_words = (uint32_t)min_words;
    t->against = drh_hub_option(h, c, "/against");
    t->field = drh_hub_option(h, c, "/field");
    if (t->min_words > t->ngram) {
        return drh_fail(e, DRH_E_CONFIG, "min_words is at most ngram, %u", t->ngram);
    }
    return dedup_read_fields(&t->d, c, e);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct decont *t = h->alloc(h, NULL, sizeof(*t));
    drh_status     st;

    if (!t) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(t, 0, sizeof(*t));
    t->d.host = h;
    t->d.fold_case = t->d.fold_space = true;
    t->d.conversations = drh_field_of(h, "conversations");
    t->d.messages = drh_field_of(h, "messages");
    t->d.system = drh_field_of(h, "system");
    st = t->d.conversations && t->d.messages && t->d.system
             ? read_options(t, c, e)
             : drh_fail(e, DRH_E_NOMEM, "out of memory");
    st = st == DRH_OK ? read_file(t, e) : st;
    if (st != DRH_OK) {
        destroy(t);
        return st;
    }
    *self = t;
    return DRH_OK;
}

static const drh_life life = {sizeof(drh_life),   0,   create, destroy, dedup_open_worker,
                              dedup_close_worker, NULL};

static const drh_map_ops map = {.struct_size = sizeof(drh_map_ops), .process = process};

static const drh_stage decontaminate = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_PREPROCESSOR,
    .id = "decontaminate",
    .version = "1.0.0",
    .summary = "leaves out records that hold a part of a test question",
    .config_schema = schema,
    .threading = DRH_WORKERS,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC | DRH_WANTS_CANONICAL,
    .life = &life,
    .ops.map = &map,
};

static const drh_stage *const stages[] = {&decontaminate};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "decontaminate",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};

DRH_PLUGIN_NOTE(0, "preprocessor decontaminate 1.0.0\n");
