/* SPDX-License-Identifier: MIT
 * bad_reader.c - a reader of files that begin with BADR, for which the option `fault` says what is
 * wrong with it.  Without one it gives `rows` rows and behaves. */
#include <drh/util.h>

#include <stdlib.h>

struct bad {
    const drh_host *host;
    drh_field       n;
    int64_t         rows, size; /* size: bytes of one more member */
    drh_field       much;
    char            fault[32];
};

struct stream {
    int64_t at;
    char    position[2000];
};

static int is(const struct bad *b, const char *fault)
{
    return strcmp(b->fault, fault) == 0;
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct bad *b = calloc(1, sizeof(*b));
    drh_str     fault = {NULL, 0};

    if (!b) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    b->host = h;
    b->n = drh_field_of(h, "n");
    b->much = drh_field_of(h, "much");
    (void)h->config->get_i64(c, "/size", &b->size);
    (void)h->config->get_i64(c, "/rows", &b->rows);
    (void)h->config->get_str(c, "/fault", &fault);
    (void)snprintf(b->fault, sizeof(b->fault), "%.*s", (int)fault.len, fault.ptr ? fault.ptr : "");
    *self = b;
    return DRH_OK;
}

static void destroy(void *self)
{
    free(self);
}

static int32_t sniff(void *self, const uint8_t *head, size_t len, const char *name)
{
    const struct bad *b = self;

    (void)name;
    if (len < 4 || memcmp(head, "BADR", 4) != 0) {
        return 0;
    }
    return is(b, "sniff_negative") ? -1 : 1;
}

static drh_status open_stream(void *self, const char *path, const drh_str *position, void **stream,
                              drh_error *e)
{
    const struct bad *b = self;
    struct stream    *s = calloc(1, sizeof(*s));

    (void)path;
    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    if (position->len && !is(b, "ignores_position")) {
        (void)snprintf(s->position, sizeof(s->position), "%.*s", (int)position->len, position->ptr);
        s->at = strtoll(s->position, NULL, 10);
    }
    if (is(b, "open_status") || is(b, "open_silent") || is(b, "open_data")) {
        free(s);
        return is(b, "open_status") ? 4711 : is(b, "open_data") ? DRH_E_DATA : DRH_E_IO;
    }
    *stream = s;
    return DRH_OK;
}

static drh_status faulty_row(const struct bad *b, drh_record *slot, drh_error *e)
{
    drh_record *child;

    if (is(b, "unknown_status")) {
        return 4711;
    }
    if (is(b, "again")) {
        return DRH_AGAIN;
    }
    if (is(b, "negative")) {
        return -1;
    }
    if (is(b, "silent")) {
        return DRH_E_IO;
    }
    if (is(b, "damage")) {
        (void)b->host->records->keep(slot);
        return drh_fail(e, DRH_E_DATA, "a hole \x01 in \xff the file");
    }
    if (is(b, "adds")) {
        (void)b->host->records->add(slot, &child);
        (void)b->host->records->keep(child);
    }
    return DRH_OK;
}

static drh_status next(void *self, void *stream, drh_record *slot, drh_error *e)
{
    const struct bad *b = self;
    struct stream    *s = stream;
    drh_status        st;

    if (s->at >= b->rows && !is(b, "never_ends")) {
        return DRH_END;
    }
    st = s->at == 7 ? faulty_row(b, slot, e) : DRH_OK;
    if (st != DRH_OK) {
        return st;
    }
    (void)b->host->records->set_i64(slot, b->n, s->at++);
    if (b->size) {
        char *much = malloc((size_t)b->size);

        memset(much, 'x', (size_t)b->size);
        (void)b->host->records->set_str(slot, b->much, much, (size_t)b->size);
        free(much);
    }
    if (is(b, "drops")) {
        return b->host->records->drop(slot, "unwanted", NULL, 0);
    }
    if (is(b, "keeps_nothing")) {
        return DRH_OK;
    }
    (void)b->host->records->keep(slot);
    return is(b, "settles_twice") ? (b->host->records->fail(slot, "twice", NULL, 0), DRH_OK)
                                  : DRH_OK;
}

static drh_status tell(void *self, void *stream, drh_str *position, drh_error *e)
{
    const struct bad *b = self;
    struct stream    *s = stream;

    (void)snprintf(s->position, sizeof(s->position), "%lld",
                   (long long)(is(b, "same_position") ? 1 : s->at));
    *position = drh_str_of(s->position);
    if (is(b, "long_position")) {
        position->len = sizeof(s->position);
    } else if (is(b, "no_position")) {
        position->len = 0;
    } else if (is(b, "null_position")) {
        position->ptr = NULL;
    } else if (is(b, "tell_fails")) {
        return drh_fail(e, DRH_E_IO, "lost its place");
    }
    return DRH_OK;
}

static void close_stream(void *self, void *stream)
{
    (void)self;
    free(stream);
}

static const drh_life life = {.struct_size = sizeof(life), .create = create, .destroy = destroy};
static const drh_reader_ops   ops = {.struct_size = sizeof(ops),
                                     .sniff = sniff,
                                     .open = open_stream,
                                     .next = next,
                                     .tell = tell,
                                     .close = close_stream};
static const drh_stage        stage = {.struct_size = sizeof(stage),
                                       .kind = DRH_KIND_READER,
                                       .id = "bad-reader",
                                       .version = "1.0.0",
                                       .summary = "breaks its promises",
                                       .config_schema =
                                           "{\"type\":\"object\",\"properties\":{"
                                                  "\"size\":{\"type\":\"integer\",\"default\":0,\"minimum\":0},"
                                                  "\"rows\":{\"type\":\"integer\",\"default\":20,\"minimum\":0},"
                                                  "\"fault\":{\"type\":\"string\",\"default\":\"\"}}}",
                                       .life = &life,
                                       .ops.reader = &ops};
static const drh_stage *const STAGES[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry),
                                .n_stages = 1,
                                .name = "bad-reader",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = STAGES};
DRH_PLUGIN_NOTE(0, "reader bad-reader 1.0.0");
