/* SPDX-License-Identifier: MIT
 * plugin.c - the reader stage "arrow".  Its instance is never changed, so many streams may be in
 * use at once. */
#include "stream.h"

static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"columns\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[],"
    "\"description\":\"columns to read, or members of structs, also in lists: messages.content; "
    "empty: all\"},"
    "\"without\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[],"
    "\"description\":\"columns not to read, pictures for instance; a file may lack them\"},"
    "\"memory\":{\"type\":\"integer\",\"default\":1024,\"minimum\":1,\"maximum\":1048576,"
    "\"description\":\"MiB that a file may take at most: a batch of the columns that are read, and "
    "dictionaries\"}"
    "}}";

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct arrow_options *o = h->alloc(h, NULL, sizeof(*o));
    int64_t               memory = 1024;

    if (!o) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    (void)h->config->get_i64(c, "/memory", &memory);
    o->host = h;
    o->config = c;
    o->memory = (size_t)memory << 20;
    *self = o;
    return DRH_OK;
}

static void destroy(void *self)
{
    struct arrow_options *o = self;

    (void)o->host->alloc(o->host, o, 0);
}

static int32_t sniff(void *self, const uint8_t *head, size_t len, const char *name)
{
    (void)self, (void)name;
    return arrow_sniff(head, len);
}

static drh_status open_stream(void *self, const char *path, const drh_str *position, void **stream,
                              drh_error *e)
{
    struct arrow_stream *s;
    drh_status           st = arrow_stream_open(&s, self, path, position, e);

    *stream = s;
    return st;
}

static drh_status next(void *self, void *stream, drh_record *slot, drh_error *e)
{
    (void)self;
    return arrow_stream_next(stream, slot, e);
}

static drh_status tell(void *self, void *stream, drh_str *position, drh_error *e)
{
    (void)self, (void)e;
    *position = arrow_stream_tell(stream);
    return DRH_OK;
}

static void close_stream(void *self, void *stream)
{
    (void)self;
    arrow_stream_close(stream);
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
                                       .id = "arrow",
                                       .version = "1.0.0",
                                       .summary = "reads Arrow files and streams",
                                       .config_schema = schema,
                                       .threading = DRH_WORKERS,
                                       .flags = DRH_DETERMINISTIC,
                                       .life = &life,
                                       .ops.reader = &ops};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "arrow",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
DRH_PLUGIN_NOTE(0, "reader arrow 1.0.0");
