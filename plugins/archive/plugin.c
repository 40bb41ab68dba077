/* SPDX-License-Identifier: MIT
 * plugin.c - the reader stage "archive".  Its instance is never changed, so many streams may be in
 * use at once. */
#include "stream.h"

static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"include\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[],"
    "\"description\":\"patterns of the members to read, * for / too; empty: those whose names end "
    "with .jsonl, .ndjson or .json, also before .gz, .zst, .xz\"},"
    "\"exclude\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[],"
    "\"description\":\"patterns of members not to read\"},"
    "\"origin\":{\"type\":\"string\",\"default\":\"archive_member\",\"maxLength\":200,"
    "\"description\":\"member of the record that gets MEMBER:LINE, unless it has one; empty: "
    "none\"}}}";

static void destroy(void *self)
{
    struct archive_options *o = self;

    if (o->utf8) {
        freelocale(o->utf8);
    }
    (void)o->host->alloc(o->host, o, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct archive_options *o = h->alloc(h, NULL, sizeof(*o));
    drh_str                 origin = {NULL, 0};

    if (!o) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    *o = (struct archive_options){.host = h, .config = c};
    o->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    (void)h->config->get_str(c, "/origin", &origin);
    if (origin.len) {
        o->origin = h->field(h, origin.ptr, origin.len);
        if (o->origin == DRH_FIELD_NONE) {
            destroy(o);
            return drh_fail(e, DRH_E_CONFIG, "origin: \"%.100s\" is no name of a member",
                            origin.ptr);
        }
    }
    *self = o;
    return DRH_OK;
}

static int32_t sniff(void *self, const uint8_t *head, size_t len, const char *name)
{
    (void)self, (void)name;
    return archive_sniff(head, len);
}

static drh_status open_stream(void *self, const char *path, const drh_str *position, void **stream,
                              drh_error *e)
{
    struct archive_stream *s;
    drh_status             st = archive_stream_open(&s, self, path, position, e);

    *stream = s;
    return st;
}

static drh_status next(void *self, void *stream, drh_record *slot, drh_error *e)
{
    (void)self;
    return archive_stream_next(stream, slot, e);
}

static drh_status tell(void *self, void *stream, drh_str *position, drh_error *e)
{
    (void)self, (void)e;
    *position = archive_stream_tell(stream);
    return DRH_OK;
}

static void close_stream(void *self, void *stream)
{
    (void)self;
    archive_stream_close(stream);
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
                                       .id = "archive",
                                       .version = "1.0.0",
                                       .summary = "reads JSON in tar and zip archives",
                                       .config_schema = schema,
                                       .threading = DRH_WORKERS,
                                       .flags = DRH_DETERMINISTIC | DRH_READS_DECOMPRESSED,
                                       .life = &life,
                                       .ops.reader = &ops};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "archive",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
DRH_PLUGIN_NOTE(0, "reader archive 1.0.0");
