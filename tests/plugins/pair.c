/* SPDX-License-Identifier: MIT
 * pair.c - converters that write bytes and check what the host promises: pair (two files: .bin
 * holds the texts, .idx a line "OFFSET LENGTH" for each and "total N" at the end), pair-pinned and
 * pair-workers (the same, other threads), twins (.bin and _b.bin),
 * single (one file, the host's suffix).  The option `fault`
 * says where it goes wrong. */
#include <drh/util.h>

#include <pthread.h>
#include <stdlib.h>

struct pair {
    const drh_host *host;
    int             threading, single;
    pthread_t       thread;
    drh_field       content;
    char            fault[32];
    int             inside, open;
    uint64_t        at, n;
    int64_t         every; /* option: of so many records one fails */
    int32_t         patch; /* option: the head of a single file gets the number of records */
};

static int is(const struct pair *p, const char *fault)
{
    return strcmp(p->fault, fault) == 0;
}

static void enter(struct pair *p, int want_open)
{
    if (__atomic_exchange_n(&p->inside, 1, __ATOMIC_ACQUIRE)) {
        drh_logf(p->host, DRH_LOG_ERROR, "BROKEN: two calls of a converter at once");
    }
    if (p->threading == DRH_PINNED && !pthread_equal(p->thread, pthread_self())) {
        drh_logf(p->host, DRH_LOG_ERROR, "BROKEN: a PINNED converter on another thread");
    }
    if (p->open != want_open) {
        drh_logf(p->host, DRH_LOG_ERROR, "BROKEN: begin, write and end are out of order");
    }
}

static drh_status leave(struct pair *p, drh_status st)
{
    __atomic_store_n(&p->inside, 0, __ATOMIC_RELEASE);
    return st;
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e,
                         int threading, int single)
{
    struct pair *p = calloc(1, sizeof(*p));
    drh_str      fault = {NULL, 0}, field = {DRH_LIT("content")};

    if (!p) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    p->host = h;
    p->threading = threading;
    p->single = single;
    p->thread = pthread_self();
    (void)h->config->get_str(c, "/fault", &fault);
    (void)h->config->get_str(c, "/field", &field);
    p->content = h->field(h, field.ptr, field.len);
    (void)h->config->get_i64(c, "/every", &p->every);
    (void)h->config->get_bool(c, "/patch", &p->patch);
    (void)snprintf(p->fault, sizeof(p->fault), "%.*s", (int)fault.len, fault.ptr ? fault.ptr : "");
    if (h->max_workers != 1) {
        drh_logf(h, DRH_LOG_ERROR, "BROKEN: %u workers for what is written in order",
                 h->max_workers);
    }
    *self = p;
    return DRH_OK;
}

#define CREATE(name, threading, single)                                                            \
    static drh_status name(const drh_host *h, const drh_config *c, void **self, drh_error *e)      \
    {                                                                                              \
        return create(h, c, self, e, threading, single);                                           \
    }
CREATE(create_pair, DRH_SERIAL, 0)
CREATE(create_pinned, DRH_PINNED, 0)
CREATE(create_workers, DRH_WORKERS, 0)
CREATE(create_single, DRH_SERIAL, 1)

static void destroy(void *self)
{
    free(self);
}

static drh_status put(struct pair *p, drh_sink *s, uint32_t part, const char *text, size_t len)
{
    if (is(p, "bad_part") && p->n == 3) {
        part = 7;
    }
    drh_status st = p->host->sink_write(s, part, text, len);
    return is(p, "bad_part") ? DRH_OK : st; /* does not care */
}

static drh_status begin(void *self, drh_sink *s, drh_error *e)
{
    struct pair *p = self;
    drh_status   st = DRH_OK;

    enter(p, 0);
    p->open = 1;
    p->at = p->n = 0;
    st = p->single ? put(p, s, 0, DRH_LIT("head ......\n")) : DRH_OK;
    if (is(p, "begin")) {
        st = drh_fail(e, DRH_E_UNSUPPORTED, "no beginning");
    }
    return leave(p, st);
}

static drh_status write_one(struct pair *p, drh_record *r, drh_sink *s)
{
    const drh_record_api *api = p->host->records;
    drh_str               text;
    char                  line[64];
    int                   n;
    drh_status            st = api->get_str(r, p->content, &text);

    if (st != DRH_OK) {
        return api->fail(r, "no_content", NULL, 0);
    }
    p->n++;
    if (p->every && p->n % (uint64_t)p->every == 0) {
        return p->n % 2 ? api->drop(r, "odd", NULL, 0) : api->fail(r, "even", NULL, 0);
    }
    st = put(p, s, 0, text.ptr, text.len);
    n = snprintf(line, sizeof(line), "%llu %zu\n", (unsigned long long)p->at, text.len);
    p->at += text.len;
    if (st == DRH_OK) {
        st = p->single ? put(p, s, 0, DRH_LIT("\n")) : put(p, s, 1, line, (size_t)n);
    }
    return st == DRH_OK && !is(p, "unsettled") ? api->keep(r) : st;
}

static drh_status write_records(void *self, drh_record *const *r, size_t n, drh_sink *s,
                                drh_error *e)
{
    struct pair *p = self;
    drh_status   st = DRH_OK;

    enter(p, 1);
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = write_one(p, r[i], s);
    }
    if (is(p, "write") && p->n > 2) {
        st = drh_fail(e, DRH_E_INTERNAL, "the pen broke");
    } else if (is(p, "write_status")) {
        st = 4711;
    }
    return leave(p, st);
}

static drh_status end(void *self, drh_sink *s, drh_error *e)
{
    struct pair *p = self;
    char         line[64];
    int          n;
    drh_status   st;

    enter(p, 1);
    p->open = 0;
    n = snprintf(line, sizeof(line), "total %llu\n", (unsigned long long)p->n);
    st = put(p, s, p->single ? 0 : 1, line, (size_t)n);
    if (st == DRH_OK && p->patch) {
        n = snprintf(line, sizeof(line), "%06llu", (unsigned long long)p->n);
        st = p->host->sink_patch(s, 0, is(p, "patch_beyond") ? p->at + 1000 : 5, line, (size_t)n);
    }
    if (is(p, "end")) {
        st = drh_fail(e, DRH_E_INTERNAL, "no end in sight");
    } else if (is(p, "end_silent")) {
        st = DRH_E_IO;
    }
    return leave(p, st);
}

static const char *const       suffixes[] = {".bin", ".idx", NULL};
static const drh_converter_ops pair_ops = {.struct_size = sizeof(pair_ops),
                                           .suffixes = suffixes,
                                           .begin = begin,
                                           .write = write_records,
                                           .end = end};
static const char *const       twin_suffixes[] = {".bin", "_b.bin", NULL};
static const drh_converter_ops twins_ops = {.struct_size = sizeof(twins_ops),
                                            .suffixes = twin_suffixes,
                                            .begin = begin,
                                            .write = write_records,
                                            .end = end};
static const drh_converter_ops single_ops = {
    .struct_size = sizeof(single_ops), .begin = begin, .write = write_records, .end = end};

#define STAGE(var, name, mode, made, table)                                                        \
    static const drh_life var##_life = {                                                           \
        .struct_size = sizeof(drh_life), .create = made, .destroy = destroy};                      \
    static const drh_stage var = {                                                                 \
        .struct_size = sizeof(var),                                                                \
        .kind = DRH_KIND_CONVERTER,                                                                \
        .id = name,                                                                                \
        .version = "1.0.0",                                                                        \
        .summary = "writes files of the tests",                                                    \
        .config_schema = "{\"type\":\"object\",\"properties\":{"                                   \
                         "\"field\":{\"type\":\"string\",\"default\":\"content\"},"                \
                         "\"fault\":{\"type\":\"string\",\"default\":\"\"},"                       \
                         "\"patch\":{\"type\":\"boolean\",\"default\":false},"                     \
                         "\"every\":{\"type\":\"integer\",\"default\":0,\"minimum\":0}}}",         \
        .threading = mode,                                                                         \
        .life = &var##_life,                                                                       \
        .ops.converter = &table}
STAGE(pair, "pair", DRH_SERIAL, create_pair, pair_ops);
STAGE(pinned, "pair-pinned", DRH_PINNED, create_pinned, pair_ops);
STAGE(workers, "pair-workers", DRH_WORKERS, create_workers, pair_ops);
STAGE(single, "single", DRH_SERIAL, create_single, single_ops);
STAGE(twins, "twins", DRH_SERIAL, create_pair, twins_ops);
static const drh_stage *const STAGES[] = {&pair, &pinned, &workers, &single, &twins};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry),
                                .n_stages = 5,
                                .name = "pair",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = STAGES};
DRH_PLUGIN_NOTE(0, "converter pair 1.0.0\nconverter pair-pinned 1.0.0\n"
                   "converter pair-workers 1.0.0\nconverter single 1.0.0\n"
                   "converter twins 1.0.0");
