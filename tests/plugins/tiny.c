/* SPDX-License-Identifier: MIT
 * tiny.c - readers of the format in tiny.h that check what the host promises: tiny (SERIAL, TINY1),
 * tiny-workers (WORKERS, TINY2), tiny-pinned (PINNED, TINY3), tiny-gz (TINY4; cannot tell where it
 * is).  Each reads any version when it is named.  Built with TINY_RIVAL it is another plugin, which
 * knows TINY1 as well as tiny does, and TINY2 better. */
#include "tiny.h"

#include <drh/util.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef TINY_RIVAL
#define ID "rival"
#else
#define ID "tiny"
#endif

struct tiny {
    const drh_host *host;
    char            digit; /* of the version that it knows */
    int             threading;
    pthread_t       thread;
    drh_field       question, answer, by;
    drh_str         suffix; /* option: goes behind every question */
    int64_t         slow;   /* option: microseconds a row */
    int             inside, streams;
};

struct stream {
    FILE   *f;
    int64_t at;
    char    position[32];
    char    row[TINY_MOST];
};

static void enter(struct tiny *t)
{
    if (t->threading != DRH_WORKERS && __atomic_exchange_n(&t->inside, 1, __ATOMIC_ACQUIRE)) {
        drh_logf(t->host, DRH_LOG_ERROR, "BROKEN: two calls of a reader at once");
    }
    if (t->threading == DRH_PINNED && !pthread_equal(t->thread, pthread_self())) {
        drh_logf(t->host, DRH_LOG_ERROR, "BROKEN: a PINNED reader on another thread");
    }
}

static void leave(struct tiny *t)
{
    if (t->threading != DRH_WORKERS) {
        __atomic_store_n(&t->inside, 0, __ATOMIC_RELEASE);
    }
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e,
                         char digit, int threading)
{
    struct tiny *t = calloc(1, sizeof(*t));

    if (!t) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    t->host = h;
    t->digit = digit;
    t->threading = threading;
    t->thread = pthread_self();
    t->question = drh_field_of(h, "instruction");
    t->answer = drh_field_of(h, "output");
    t->by = drh_field_of(h, "by");
    (void)h->config->get_str(c, "/suffix", &t->suffix);
    (void)h->config->get_i64(c, "/slow", &t->slow);
    *self = t;
    return DRH_OK;
}

#define CREATE(name, digit, threading)                                                             \
    static drh_status name(const drh_host *h, const drh_config *c, void **self, drh_error *e)      \
    {                                                                                              \
        return create(h, c, self, e, digit, threading);                                            \
    }
CREATE(create_serial, '1', DRH_SERIAL)
CREATE(create_workers, '2', DRH_WORKERS)
#ifndef TINY_RIVAL
CREATE(create_pinned, '3', DRH_PINNED)
CREATE(create_gz, '4', DRH_SERIAL)
#endif

static void destroy(void *self)
{
    struct tiny *t = self;

    if (__atomic_load_n(&t->streams, __ATOMIC_RELAXED)) {
        drh_logf(t->host, DRH_LOG_ERROR, "BROKEN: %d streams of a reader are open", t->streams);
    }
    free(t);
}

static int32_t sniff(void *self, const uint8_t *head, size_t len, const char *name)
{
    const struct tiny *t = self;

    (void)name;
    if (len < TINY_HEAD || memcmp(head, "TINY", 4) != 0 || head[4] != (uint8_t)t->digit) {
        return 0;
    }
#ifdef TINY_RIVAL
    return t->digit == '2' ? 99 : 10;
#else
    return 10;
#endif
}

static drh_status seek(struct stream *s, const drh_str *position, drh_error *e)
{
    char  text[32];
    char *end;

    s->at = TINY_HEAD;
    if (position->len) {
        (void)snprintf(text, sizeof(text), "%.*s", (int)position->len, position->ptr);
        s->at = strtoll(text, &end, 10);
        if (*end || s->at < TINY_HEAD) {
            return drh_fail(e, DRH_E_ARG, "a position that no tell() gave: %s", text);
        }
    }
    return fseek(s->f, (long)s->at, SEEK_SET) == 0 ? DRH_OK : drh_fail(e, DRH_E_IO, "cannot seek");
}

static drh_status open_stream(void *self, const char *path, const drh_str *position, void **stream,
                              drh_error *e)
{
    struct tiny   *t = self;
    struct stream *s = calloc(1, sizeof(*s));
    drh_status     st = DRH_OK;

    enter(t);
    if (!s || !(s->f = fopen(path, "rbe"))) {
        st = drh_fail(e, s ? DRH_E_IO : DRH_E_NOMEM, "cannot open it");
    } else if (fread(s->row, 1, TINY_HEAD, s->f) != TINY_HEAD || memcmp(s->row, "TINY", 4) != 0) {
        st = drh_fail(e, DRH_E_DATA, "it does not begin with TINY");
    }
    st = st == DRH_OK ? seek(s, position, e) : st;
    if (st == DRH_OK) {
        (void)__atomic_add_fetch(&t->streams, 1, __ATOMIC_RELAXED);
        *stream = s;
    } else if (s) {
        (void)(s->f && fclose(s->f));
        free(s);
    }
    leave(t);
    return st;
}

static drh_status fill(const struct tiny *t, drh_record *slot, const struct stream *s, size_t n,
                       drh_error *e)
{
    static const char     why[] = "a row is a question, a tab, an answer";
    const drh_record_api *api = t->host->records;
    const char           *tab = memchr(s->row, '\t', n);
    char                  question[600];
    size_t                q = tab ? (size_t)(tab - s->row) : 0;
    drh_status            st;

    if (!tab || q + t->suffix.len > sizeof(question)) {
        return api->fail(slot, "no_tab", DRH_LIT(why));
    }
    memcpy(question, s->row, q);
    if (t->suffix.len) {
        memcpy(question + q, t->suffix.ptr, t->suffix.len);
    }
    st = api->set_str(slot, t->question, question, q + t->suffix.len);
    st = st == DRH_OK ? api->set_str(slot, t->answer, tab + 1, n - q - 1) : st;
    if (st == DRH_E_DATA) {
        return api->fail(slot, "bad_text", NULL, 0);
    }
    st = st == DRH_OK ? api->set_str(slot, t->by, DRH_LIT(ID)) : st;
    if (st == DRH_OK && n - q == 8 && memcmp(tab + 1, "unlucky", 7) == 0) {
        return api->drop(slot, "unlucky", NULL, 0);
    }
    return st == DRH_OK ? api->keep(slot) : drh_fail(e, st, "cannot fill a record");
}

static drh_status read_row(struct tiny *t, struct stream *s, drh_record *slot, drh_error *e)
{
    uint8_t  head[4];
    size_t   got = fread(head, 1, sizeof(head), s->f);
    uint32_t n = got == sizeof(head) ? tiny_get(head) : 0;

    if (got == 0) {
        return DRH_END;
    }
    if (got < sizeof(head) || n >= TINY_MOST || fread(s->row, 1, n, s->f) != n) {
        return drh_fail(e, DRH_E_DATA, "the file ends inside a row");
    }
    s->at += 4 + (int64_t)n;
    return fill(t, slot, s, n, e);
}

static drh_status next(void *self, void *stream, drh_record *slot, drh_error *e)
{
    struct tiny *t = self;
    drh_status   st;

    enter(t);
    if (t->slow) {
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)t->slow * 1000}, NULL);
    }
    st = read_row(t, stream, slot, e);
    leave(t);
    return st;
}

static drh_status tell(void *self, void *stream, drh_str *position, drh_error *e)
{
    struct tiny   *t = self;
    struct stream *s = stream;
    int            n;

    enter(t);
    n = snprintf(s->position, sizeof(s->position), "%lld", (long long)s->at);
    position->ptr = s->position;
    position->len = (size_t)n;
    leave(t);
    return t->digit == '4' ? drh_fail(e, DRH_E_UNSUPPORTED, "no positions here") : DRH_OK;
}

static void close_stream(void *self, void *stream)
{
    struct tiny   *t = self;
    struct stream *s = stream;

    enter(t);
    (void)fclose(s->f);
    free(s);
    (void)__atomic_sub_fetch(&t->streams, 1, __ATOMIC_RELAXED);
    leave(t);
}

static const drh_reader_ops ops = {.struct_size = sizeof(ops),
                                   .sniff = sniff,
                                   .open = open_stream,
                                   .next = next,
                                   .tell = tell,
                                   .close = close_stream};

#define STAGE(var, name, mode, made)                                                               \
    static const drh_life var##_life = {                                                           \
        .struct_size = sizeof(drh_life), .create = made, .destroy = destroy};                      \
    static const drh_stage var = {                                                                 \
        .struct_size = sizeof(var),                                                                \
        .kind = DRH_KIND_READER,                                                                   \
        .id = name,                                                                                \
        .version = "1.0.0",                                                                        \
        .summary = "reads a format of the tests",                                                  \
        .config_schema =                                                                           \
            "{\"type\":\"object\",\"properties\":{"                                                \
            "\"suffix\":{\"type\":\"string\",\"default\":\"\",\"maxLength\":20},"                  \
            "\"slow\":{\"type\":\"integer\",\"default\":0,\"minimum\":0,\"maximum\":100000}}}",    \
        .threading = mode,                                                                         \
        .life = &var##_life,                                                                       \
        .ops.reader = &ops}
STAGE(serial, ID, DRH_SERIAL, create_serial);
STAGE(workers, ID "-workers", DRH_WORKERS, create_workers);
#ifdef TINY_RIVAL
static const drh_stage *const STAGES[] = {&serial, &workers};
DRH_PLUGIN_NOTE(0, "reader rival 1.0.0\nreader rival-workers 1.0.0");
#else
STAGE(pinned, ID "-pinned", DRH_PINNED, create_pinned);
STAGE(gz, ID "-gz", DRH_SERIAL, create_gz);
static const drh_stage *const STAGES[] = {&serial, &workers, &pinned, &gz};
DRH_PLUGIN_NOTE(0, "reader tiny 1.0.0\nreader tiny-workers 1.0.0\nreader tiny-pinned 1.0.0\n"
                   "reader tiny-gz 1.0.0");
#endif

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry),
                                .n_stages = sizeof(STAGES) / sizeof(STAGES[0]),
                                .name = ID,
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = STAGES};
