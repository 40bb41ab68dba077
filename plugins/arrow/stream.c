/* SPDX-License-Identifier: MIT
 * stream.c - see stream.h. */
#include "stream.h"

#include <stdlib.h>

struct arrow_stream {
    const drh_host       *host;
    struct col_file       file;
    struct arrow_messages messages;
    struct arrow_message  first, message; /* the schema, whose names are used; the last one */
    struct arrow_schema   schema;
    struct arrow_unpack   unpack;
    struct col_row        row;
    uint64_t              batch;  /* number of the record batch */
    uint64_t              at;     /* row in it */
    uint64_t              rows;   /* that it has */
    bool                  inside; /* it is in memory */
    drh_error             why;    /* code not DRH_OK: nothing but that is left */
    char                  position[48];
};

/* Limits are this file's fault, and the run goes on with the next. */
static drh_status as_damage(drh_status st, drh_error *e)
{
    return st == DRH_E_RANGE ? (e->code = DRH_E_DATA) : st;
}

/* ---- columns ---- */

static drh_status no_such_column(const struct arrow_stream *s, drh_str name, drh_error *e)
{
    char   there[200] = "none";
    size_t n = 0;

    for (const struct arrow_node *c = s->schema.nodes[0].child; c && n < 150; c = c->next) {
        n += (size_t)snprintf(there + n, sizeof(there) - n, "%s%.60s", n ? ", " : "", c->path);
        n = n < sizeof(there) ? n : sizeof(there);
    }
    return drh_fail(e, DRH_E_CONFIG, "there is no column \"%.*s\" in it; there are: %s",
                    name.len < 100 ? (int)name.len : 100, name.ptr, there);
}

/* The texts of the option `key`, one after another. */
static drh_status want(struct arrow_stream *s, const struct arrow_options *o, const char *key,
                       bool wanted, drh_error *e)
{
    const drh_value_api *values = o->host->values;
    drh_value            list, v;
    drh_str              name;
    drh_status           st = o->host->config->get_value(o->config, key, &list);

    st = st == DRH_OK ? values->child(&list, &v) : st;
    if (st == DRH_OK && wanted) {
        arrow_schema_want_all(&s->schema, false);
    }
    for (; st == DRH_OK; st = values->next(&v)) {
        st = values->str(&v, &name);
        if (st == DRH_OK && !arrow_schema_want(&s->schema, name, wanted) && wanted) {
            return no_such_column(s, name, e);
        }
        if (st != DRH_OK) {
            break;
        }
    }
    return st == DRH_END || st == DRH_E_MISSING
               ? DRH_OK
               : drh_fail(e, st, "the option %s cannot be read", key + 1);
}

static drh_status choose(struct arrow_stream *s, const struct arrow_options *o, drh_error *e)
{
    uint32_t   left = 0;
    drh_status st;

    arrow_schema_want_all(&s->schema, true);
    st = want(s, o, "/columns", true, e);
    st = st == DRH_OK ? want(s, o, "/without", false, e) : st;
    st = st == DRH_OK ? arrow_schema_settle(&s->schema, &left, e) : st;
    if (st != DRH_OK || left) {
        return st;
    }
    return s->schema.nodes[0].child
               ? drh_fail(e, DRH_E_CONFIG,
                          "no column is left to be read; look at the options columns and without")
               : DRH_OK;
}

/* ---- batches ---- */

/* All values of a dictionary, or with `grows` more of them. */
static drh_status load_values(struct arrow_stream *s, struct arrow_node *n, bool grows,
                              const struct flat_table *batch, drh_error *e)
{
    struct arrow_node *values;
    uint64_t           rows;
    drh_status         st = DRH_OK;

    if (grows && !n->child->loaded) {
        return drh_fail(e, DRH_E_DATA,
                        "column %s: its dictionary grows before it is there" COL_AGAIN, n->path);
    }
    if (grows) {
        st = arrow_chunk_add(n, &s->file, e);
    } else {
        arrow_chunks_free(n, &s->file);
    }
    if (st != DRH_OK) {
        return st;
    }
    values = arrow_chunk_last(n);
    values->loaded = false;
    st = arrow_batch_load(&s->schema, values, true, &s->message, batch, &s->file, &s->unpack, &rows,
                          e);
    values->loaded = st == DRH_OK;
    return st;
}

/* A dictionary, for each column that has it. */
static drh_status load_dictionary(struct arrow_stream *s, drh_error *e)
{
    const struct flat_table *t = &s->message.header;
    const int64_t            id = flat_int(t, 0, 8, 0);
    const bool               grows = flat_int(t, 2, 1, 0) != 0;
    const struct flat_table  batch = flat_child(t, 1);
    drh_status               st = DRH_OK;

    for (uint32_t i = 0; st == DRH_OK && i < s->schema.n_nodes; i++) {
        struct arrow_node *n = &s->schema.nodes[i];

        if (n->kind == ARROW_DICTIONARY && n->wanted && n->dictionary == id) {
            st = load_values(s, n, grows, &batch, e);
        }
    }
    return st;
}

/* To the next record batch, whose message is then the last one; its buffers are not read. */
static drh_status find_batch(struct arrow_stream *s, drh_error *e)
{
    drh_status st = DRH_OK;

    while (st == DRH_OK) {
        if (s->host->cancelled(s->host)) {
            return drh_fail(e, DRH_E_CANCELLED, "stopped");
        }
        st = arrow_messages_next(&s->messages, &s->message, e);
        if (st == DRH_OK && s->message.kind == ARROW_RECORD_BATCH) {
            return DRH_OK;
        }
        if (st == DRH_OK && s->message.kind != ARROW_DICTIONARY_BATCH) {
            return drh_fail(e, DRH_E_DATA, "a message before byte %llu is no batch" COL_AGAIN,
                            (unsigned long long)s->messages.at);
        }
        st = st == DRH_OK ? load_dictionary(s, e) : st;
    }
    return st;
}

static drh_status load_batch(struct arrow_stream *s, drh_error *e)
{
    drh_status st = arrow_batch_load(&s->schema, &s->schema.nodes[0], false, &s->message,
                                     &s->message.header, &s->file, &s->unpack, &s->rows, e);

    if (st == DRH_OK && s->rows && !s->schema.nodes[0].child) {
        return drh_fail(e, DRH_E_DATA, "it has rows and no columns" COL_AGAIN);
    }
    s->inside = st == DRH_OK;
    return st;
}

static void end_batch(struct arrow_stream *s)
{
    if (s->inside && s->at == s->rows) {
        s->inside = false;
        s->batch++;
        s->at = 0;
    }
}

static drh_status find_row(struct arrow_stream *s, drh_error *e)
{
    drh_status st = DRH_OK;

    while (st == DRH_OK && !s->inside) {
        st = find_batch(s, e);
        st = st == DRH_OK ? load_batch(s, e) : st;
        end_batch(s);
    }
    return st;
}

/* What is wrong, with the number of the batch. */
static drh_status end_here(struct arrow_stream *s, drh_error *e)
{
    (void)drh_fail(&s->why, DRH_E_DATA, "batch %llu, %.400s", (unsigned long long)s->batch,
                   e->message);
    *e = s->why;
    return DRH_E_DATA;
}

/* ---- opening ---- */

static drh_status go_to(struct arrow_stream *s, const drh_str *position, drh_error *e)
{
    char               text[sizeof(s->position)] = "", *end = text;
    unsigned long long batch = 0, row = 0;
    drh_status         st = DRH_OK;

    if (!position || !position->len) {
        return DRH_OK;
    }
    if (position->len < sizeof(text)) {
        memcpy(text, position->ptr, position->len);
        batch = strtoull(text, &end, 10);
    }
    if (end == text || *end != ':') {
        return drh_fail(e, DRH_E_ARG, "the position \"%s\" is none", text);
    }
    row = strtoull(end + 1, &end, 10);
    if (*end || end[-1] == ':') {
        return drh_fail(e, DRH_E_ARG, "the position \"%s\" is none", text);
    }
    for (; st == DRH_OK && s->batch < batch; s->batch++) {
        st = find_batch(s, e);
    }
    if (st == DRH_OK && row) {
        st = find_batch(s, e);
        st = st == DRH_OK ? load_batch(s, e) : st;
    }
    if (st == DRH_END || (st == DRH_OK && row && row >= s->rows)) {
        return drh_fail(e, DRH_E_ARG, "there is no position \"%s\" in this file; has it changed?",
                        text);
    }
    s->at = row;
    return st;
}

static drh_status read_schema(struct arrow_stream *s, drh_error *e)
{
    drh_status st = arrow_messages_next(&s->messages, &s->first, e);

    if (st == DRH_END || (st == DRH_OK && s->first.kind != ARROW_SCHEMA)) {
        return drh_fail(e, DRH_E_DATA, "it does not begin with a schema" COL_AGAIN);
    }
    if (st == DRH_OK && (s->first.version < 3 || s->first.version > 4)) {
        return drh_fail(e, DRH_E_DATA,
                        "its version (V%lld) is not known; write it again with a current Arrow",
                        (long long)s->first.version + 1);
    }
    s->schema.old = s->first.version == 3;
    return st == DRH_OK ? arrow_schema_read(&s->schema, s->host, &s->first.header, e) : st;
}

drh_status arrow_stream_open(struct arrow_stream **out, const struct arrow_options *o,
                             const char *path, const drh_str *position, drh_error *e)
{
    struct arrow_stream *s = o->host->alloc(o->host, NULL, sizeof(*s));
    drh_status           st;

    *out = NULL;
    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(s, 0, sizeof(*s));
    s->host = o->host;
    s->file = (struct col_file){.host = o->host, .fd = -1, .limit = o->memory};
    s->row.host = o->host;
    s->row.api = o->host->records;
    s->row.file = &s->file;
    s->why.struct_size = sizeof(s->why);
    st = col_open(&s->file, path, e);
    st = st == DRH_OK ? arrow_messages_open(&s->messages, &s->file, e) : st;
    st = st == DRH_OK ? read_schema(s, e) : st;
    st = st == DRH_OK ? choose(s, o, e) : st;
    st = st == DRH_OK ? go_to(s, position, e) : st;
    if (st != DRH_OK) {
        arrow_stream_close(s);
        return as_damage(st, e);
    }
    *out = s;
    return DRH_OK;
}

void arrow_stream_close(struct arrow_stream *s)
{
    if (!s) {
        return;
    }
    arrow_schema_free(&s->schema, &s->file);
    arrow_unpack_free(&s->unpack, &s->file);
    col_release(&s->file, &s->first.bytes);
    col_release(&s->file, &s->message.bytes);
    col_release(&s->file, &s->row.text);
    col_close(&s->file);
    (void)s->host->alloc(s->host, s, 0);
}

/* ---- rows ---- */

static drh_status fill(struct arrow_stream *s, drh_record *slot, drh_error *e)
{
    struct col_row *row = &s->row;
    drh_status      st = row->api->open(slot, DRH_FIELD_NONE, DRH_T_OBJECT);

    if (st != DRH_OK) {
        return drh_fail(e, st, "a record cannot be filled");
    }
    row->slot = slot;
    row->size = 0;
    row->bad = NULL;
    st = arrow_assemble(row, &s->schema.nodes[0], s->at, e);
    return st == DRH_OK ? col_row_settle(row, e) : st;
}

drh_status arrow_stream_next(struct arrow_stream *s, drh_record *slot, drh_error *e)
{
    drh_status st;

    if (s->why.code != DRH_OK) {
        *e = s->why;
        return e->code;
    }
    st = find_row(s, e);
    st = st == DRH_OK ? fill(s, slot, e) : as_damage(st, e);
    st = as_damage(st, e);
    if (st != DRH_OK) {
        return st == DRH_E_DATA ? end_here(s, e) : st;
    }
    s->at++;
    end_batch(s);
    return DRH_OK;
}

drh_str arrow_stream_tell(struct arrow_stream *s)
{
    drh_str p = {s->position, 0};

    p.len = (size_t)snprintf(s->position, sizeof(s->position), "%llu:%llu",
                             (unsigned long long)s->batch, (unsigned long long)s->at);
    return p;
}
