/* SPDX-License-Identifier: MIT
 *
 * reader_host.c - see reader_host.h.
 */
#include "reader_host.h"

#include "err.h"
#include "field.h"
#include "mem.h"
#include "raw_file.h"
#include "schema.h"

#include <drh/util.h>

#include <stdlib.h>

struct reader_host {
    drh_host              host;
    const drh_reader_ops *ops;
    const drh_life       *life;
    struct drh_config    *config;
    void                 *self, *stream;
    struct arena         *arena;
    struct buf            out, position;
};

size_t reader_allocs, reader_fail_at, reader_blocks;

static void must(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "reader_host: %s\n", what);
        abort();
    }
}

static void *host_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    if (size == 0) {
        reader_blocks -= old != NULL;
        mem_free(old);
        return NULL;
    }
    if (++reader_allocs == reader_fail_at) {
        return NULL;
    }
    reader_blocks += old == NULL;
    return mem_resize(old, size);
}

static int32_t host_cancelled(const drh_host *h)
{
    (void)h;
    return 0;
}

static drh_field host_field(const drh_host *h, const char *name, size_t len)
{
    (void)h;
    return field_intern(name, len);
}

static void host_log(const drh_host *h, uint32_t level, const char *msg, size_t len)
{
    (void)h, (void)level, (void)msg, (void)len;
}

static drh_status make_config(struct reader_host *h, const drh_stage *stage, const char *options,
                              drh_error *e)
{
    cJSON     *schema = NULL, *value = cJSON_Parse(options);
    drh_status st;

    must(value != NULL, options);
    must(schema_parse(stage->config_schema, &schema, e) == DRH_OK, "the schema");
    st = schema_apply(schema, value, "", NULL, NULL, e);
    st = st == DRH_OK ? config_new(value, &h->config, e) : st;
    cJSON_Delete(schema);
    cJSON_Delete(value);
    return st;
}

struct reader_host *reader_new(const drh_entry *entry, const char *options, drh_error *e)
{
    const drh_stage    *stage = entry->stages[0];
    struct reader_host *h = mem_alloc(1, sizeof(*h));

    must(h != NULL && stage->kind == DRH_KIND_READER, "no reader");
    reader_allocs = 0;
    h->ops = stage->ops.reader;
    h->life = stage->life;
    h->arena = arena_new();
    buf_init(&h->out, (size_t)1 << 30);
    buf_init(&h->position, 2 * DRH_POSITION_MAX);
    h->host = (drh_host){.struct_size = sizeof(drh_host),
                         .impl = h,
                         .name = "reader_host",
                         .version = "0",
                         .step = stage->id,
                         .max_workers = 1,
                         .log = host_log,
                         .cancelled = host_cancelled,
                         .alloc = host_alloc,
                         .field = host_field,
                         .records = &record_api,
                         .values = &value_api,
                         .config = &config_api,
                         .json_open = json_doc_open,
                         .json_close = json_doc_close,
                         .bytes_open = raw_file_open,
                         .bytes_read = raw_file_read,
                         .bytes_close = raw_file_close};
    if (make_config(h, stage, options, e) != DRH_OK ||
        h->life->create(&h->host, h->config, &h->self, e) != DRH_OK) {
        h->self = NULL;
        reader_free(h);
        return NULL;
    }
    return h;
}

void reader_free(struct reader_host *h)
{
    reader_close(h);
    if (h->self) {
        h->life->destroy(h->self);
    }
    config_free(h->config);
    arena_free(h->arena);
    buf_free(&h->out);
    buf_free(&h->position);
    mem_free(h);
    field_free_all();
}

drh_status reader_open(struct reader_host *h, const char *path, const char *position, drh_error *e)
{
    drh_str at = drh_str_of(position);

    reader_close(h);
    return h->ops->open(h->self, path, &at, &h->stream, e);
}

void reader_close(struct reader_host *h)
{
    if (h->stream) {
        h->ops->close(h->self, h->stream);
    }
    h->stream = NULL;
}

/* NULL: the answer was not DRH_OK. */
static struct drh_record *next_slot(struct reader_host *h, drh_status *st, drh_error *e)
{
    struct drh_record *r;

    arena_reset(h->arena);
    r = record_new(h->arena);
    must(r != NULL, "out of memory");
    *st = h->ops->next(h->self, h->stream, r, e);
    return *st == DRH_OK ? r : NULL;
}

const char *reader_next(struct reader_host *h, drh_status *st, drh_error *e)
{
    struct drh_record *r = next_slot(h, st, e);

    buf_reset(&h->out);
    if (!r) {
        return NULL;
    }
    if (r->settled == REC_KEPT) {
        must(record_write(r, &h->out) == DRH_OK, "the record cannot be written");
    } else if (r->settled == REC_OPEN) {
        (void)buf_adds(&h->out, "open");
    } else {
        (void)buf_addf(&h->out, "%s:%s: %.*s", r->settled == REC_DROPPED ? "drop" : "fail",
                       r->reason, (int)r->detail.len, r->detail.ptr ? r->detail.ptr : "");
    }
    return h->out.ptr;
}

size_t reader_size(struct reader_host *h, drh_status *st, drh_error *e)
{
    const struct drh_record *r = next_slot(h, st, e);

    return r ? r->src_len : 0;
}

const char *reader_tell(struct reader_host *h)
{
    drh_str   at = {NULL, 0};
    drh_error e = DRH_ERROR_INIT;

    must(h->ops->tell(h->self, h->stream, &at, &e) == DRH_OK, e.message);
    must(at.len <= DRH_POSITION_MAX, "a long position");
    buf_reset(&h->position);
    (void)buf_add(&h->position, at.ptr, at.len);
    (void)buf_add(&h->position, "", 1);
    return h->position.ptr;
}
