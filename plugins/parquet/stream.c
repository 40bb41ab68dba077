/* SPDX-License-Identifier: MIT
 * stream.c - see stream.h. */
#include "stream.h"

#include <stdlib.h>

struct pq_stream {
    const drh_host  *host;
    struct col_file  file;
    struct pq_unpack unpack;
    struct pq_meta   meta;
    struct col_row   row;
    struct col_block columns; /* owned: struct pq_column each */
    uint32_t         n_columns;
    uint32_t         group;
    uint64_t         at;     /* row in the group */
    bool             inside; /* the columns are open at that row */
    bool             over;   /* of the file only `why` is left */
    drh_error        why;
    char             position[48];
};

static struct pq_column *column(const struct pq_stream *s, uint32_t i)
{
    return (struct pq_column *)(void *)s->columns.p + i;
}

/* Limits are this file's fault, and the run goes on with the next. */
static drh_status as_damage(drh_status st, drh_error *e)
{
    return st == DRH_E_RANGE ? (e->code = DRH_E_DATA) : st;
}

/* ---- columns ---- */

static drh_status no_such_column(const struct pq_stream *s, drh_str name, drh_error *e)
{
    char   there[200];
    size_t n = 0;

    for (const struct pq_node *c = s->meta.schema.nodes[0].child; c && n < 150; c = c->next) {
        int len = c->name.len < 60 ? (int)c->name.len : 60;
        n += (size_t)snprintf(there + n, sizeof(there) - n, "%s%.*s", n ? ", " : "", len,
                              c->name.ptr);
        n = n < sizeof(there) ? n : sizeof(there);
    }
    return drh_fail(e, DRH_E_CONFIG, "there is no column \"%.*s\" in it; there are: %s",
                    name.len < 100 ? (int)name.len : 100, name.ptr, n ? there : "none");
}

/* The texts of the option `key`, one after another. */
static drh_status want(struct pq_stream *s, const struct pq_options *o, const char *key,
                       bool wanted, drh_error *e)
{
    const drh_value_api *values = o->host->values;
    drh_value            list, v;
    drh_str              name;
    drh_status           st = o->host->config->get_value(o->config, key, &list);

    st = st == DRH_OK ? values->child(&list, &v) : st;
    if (st == DRH_OK && wanted) {
        pq_schema_want_all(&s->meta.schema, false);
    }
    for (; st == DRH_OK; st = values->next(&v)) {
        st = values->str(&v, &name);
        if (st == DRH_OK && !pq_schema_want(&s->meta.schema, name, wanted) && wanted) {
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

enum { NAME_SIZE = sizeof(((struct pq_column *)0)->name) };

/* "messages.content"; the row itself and what is in a list have no names. */
static void add_name(char out[NAME_SIZE], const char *above, drh_str name)
{
    int n = name.len < NAME_SIZE ? (int)name.len : NAME_SIZE - 1;

    (void)snprintf(out, NAME_SIZE, "%s%s%.*s", above, *above && n ? "." : "", n, name.ptr);
}

/* Makes the column of each wanted leaf below n, which is `above`. */
static void make_columns(struct pq_stream *s, struct pq_node *n, const char *above)
{
    struct pq_column *c = column(s, s->n_columns);
    char              name[NAME_SIZE];

    add_name(name, above, n == s->meta.schema.nodes ? (drh_str){"", 0} : n->name);
    n->column = c;
    if (n->kind == PQ_VALUE) {
        memcpy(c->name, name, sizeof(name));
        c->file = &s->file;
        c->unpack = &s->unpack;
        c->leaf = n;
        c->data_end = s->meta.data_end;
        s->n_columns++;
    }
    for (struct pq_node *k = n->child; k; k = k->next) {
        if (k->wanted) {
            make_columns(s, k, name);
        }
    }
}

/* An empty table of no columns is read as what it is. */
static drh_status no_columns(const struct pq_stream *s, drh_error *e)
{
    bool rows = false;

    for (uint32_t g = 0; g < s->meta.n_groups; g++) {
        rows = rows || pq_meta_group(&s->meta, g)->rows;
    }
    if (s->meta.schema.n_leaves == 0) {
        return rows ? drh_fail(e, DRH_E_DATA, "it has rows and no columns" COL_AGAIN) : DRH_OK;
    }
    return drh_fail(e, DRH_E_CONFIG,
                    "no column is left to be read; look at the options columns and without");
}

static drh_status open_columns(struct pq_stream *s, drh_error *e)
{
    const struct pq_schema *schema = &s->meta.schema;
    uint32_t                n = 0;
    drh_status              st;

    for (uint32_t i = 0; i < schema->n_leaves; i++) {
        n += schema->leaf[i]->wanted;
    }
    if (n == 0) {
        return no_columns(s, e);
    }
    st = col_reserve(&s->file, &s->columns, n * sizeof(struct pq_column), e);
    if (st != DRH_OK) {
        return st;
    }
    memset(s->columns.p, 0, n * sizeof(struct pq_column));
    make_columns(s, &schema->nodes[0], "");
    for (uint32_t i = 0; st == DRH_OK && i < n; i++) {
        st = pq_column_init(column(s, i), e);
    }
    return st;
}

/* ---- opening ---- */

static drh_status seek(struct pq_stream *s, const drh_str *position, drh_error *e)
{
    char               text[sizeof(s->position)], *end;
    unsigned long long group, row;

    if (!position->len) {
        return DRH_OK;
    }
    (void)snprintf(text, sizeof(text), "%.*s",
                   position->len < sizeof(text) ? (int)position->len : 0, position->ptr);
    group = strtoull(text, &end, 10);
    row = *end == ':' ? strtoull(end + 1, &end, 10) : 0;
    if (*end || !text[0] || group > s->meta.n_groups ||
        (group < s->meta.n_groups ? row > pq_meta_group(&s->meta, (uint32_t)group)->rows : row)) {
        return drh_fail(e, DRH_E_ARG, "there is no position \"%s\" in this file; has it changed?",
                        text);
    }
    s->group = (uint32_t)group;
    s->at = row;
    return DRH_OK;
}

static drh_status start(struct pq_stream *s, const struct pq_options *o, const char *path,
                        const drh_str *position, drh_error *e)
{
    drh_status st = col_open(&s->file, path, e);

    st = st == DRH_OK ? pq_meta_read(&s->meta, e) : st;
    if (st == DRH_OK) {
        pq_schema_want_all(&s->meta.schema, true);
        st = want(s, o, "/columns", true, e);
    }
    st = st == DRH_OK ? want(s, o, "/without", false, e) : st;
    if (st == DRH_OK) {
        pq_schema_settle(&s->meta.schema);
        st = open_columns(s, e);
    }
    return st == DRH_OK ? seek(s, position, e) : st;
}

drh_status pq_stream_open(struct pq_stream **out, const struct pq_options *o, const char *path,
                          const drh_str *position, drh_error *e)
{
    struct pq_stream *s = o->host->alloc(o->host, NULL, sizeof(*s));
    drh_status        st;

    *out = NULL;
    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(s, 0, sizeof(*s));
    s->host = o->host;
    s->file = (struct col_file){.host = o->host, .fd = -1, .limit = o->memory};
    s->meta.file = &s->file;
    s->row.host = o->host;
    s->row.api = o->host->records;
    s->row.file = &s->file;
    s->why.struct_size = sizeof(s->why);
    st = start(s, o, path, position, e);
    if (st != DRH_OK) {
        pq_stream_close(s);
        return as_damage(st, e);
    }
    *out = s;
    return DRH_OK;
}

void pq_stream_close(struct pq_stream *s)
{
    if (!s) {
        return;
    }
    for (uint32_t i = 0; i < s->n_columns; i++) {
        pq_column_free(column(s, i));
    }
    col_release(&s->file, &s->columns);
    col_release(&s->file, &s->row.text);
    pq_unpack_free(&s->file, &s->unpack);
    pq_meta_free(&s->meta);
    col_close(&s->file);
    (void)s->host->alloc(s->host, s, 0);
}

/* ---- row groups ---- */

static drh_status open_chunk(const struct pq_node *leaf, const struct pq_chunk *chunk,
                             uint32_t group, drh_error *e)
{
    drh_status st = pq_column_open(leaf->column, group, chunk, e);

    return st == DRH_OK ? DRH_OK : pq_column_error(leaf->column, e);
}

static drh_status open_group(struct pq_stream *s, drh_error *e)
{
    drh_status st = pq_meta_chunks(&s->meta, s->group, open_chunk, e);

    for (uint32_t i = 0; st == DRH_OK && s->at && i < s->n_columns; i++) {
        st = pq_column_skip(column(s, i), s->at, e);
    }
    s->inside = st == DRH_OK;
    return st;
}

/* After the last row of a group every column must be at its end. */
static drh_status check_ends(struct pq_stream *s, drh_error *e)
{
    for (uint32_t i = 0; i < s->n_columns; i++) {
        drh_status st = pq_column_peek(column(s, i), e);

        if (st == DRH_OK) {
            (void)drh_fail(e, DRH_E_DATA, "it has more rows than its row group" COL_AGAIN);
            return pq_column_error(column(s, i), e);
        }
        if (st != DRH_END) {
            return st;
        }
    }
    return DRH_OK;
}

/* Past groups whose rows have all been given; what is wrong with their ends comes out only after
 * those rows. */
static void end_groups(struct pq_stream *s)
{
    while (!s->over && s->inside && s->at == pq_meta_group(&s->meta, s->group)->rows) {
        drh_status st = check_ends(s, &s->why);

        s->over = st != DRH_OK;
        if (!s->over) {
            s->group++;
            s->at = 0;
            s->inside = false;
        }
    }
}

/* To a row; DRH_END: there is none. */
static drh_status find_row(struct pq_stream *s, drh_error *e)
{
    drh_status st;

    while (!s->over && !s->inside && s->group < s->meta.n_groups) {
        if (pq_meta_group(&s->meta, s->group)->rows == 0) {
            s->group++;
            continue;
        }
        st = open_group(s, e);
        if (st != DRH_OK) {
            return st;
        }
        end_groups(s);
    }
    if (s->over) {
        *e = s->why;
        return e->code;
    }
    return s->inside ? DRH_OK : DRH_END;
}

/* ---- rows ---- */

static drh_status fill(struct pq_stream *s, drh_record *slot, drh_error *e)
{
    struct col_row *row = &s->row;
    drh_status      st = row->api->open(slot, DRH_FIELD_NONE, DRH_T_OBJECT);

    if (st != DRH_OK) {
        return drh_fail(e, st, "a record cannot be filled");
    }
    row->slot = slot;
    row->size = 0;
    row->bad = NULL;
    st = pq_assemble(row, &s->meta.schema.nodes[0], e);
    return st == DRH_OK ? col_row_settle(row, e) : st;
}

drh_status pq_stream_next(struct pq_stream *s, drh_record *slot, drh_error *e)
{
    drh_status st = find_row(s, e);

    st = st == DRH_OK ? fill(s, slot, e) : st;
    if (st != DRH_OK) {
        return as_damage(st, e);
    }
    s->at++;
    end_groups(s);
    return DRH_OK;
}

drh_str pq_stream_tell(struct pq_stream *s)
{
    drh_str p = {s->position, 0};

    p.len = (size_t)snprintf(s->position, sizeof(s->position), "%u:%llu", s->group,
                             (unsigned long long)s->at);
    return p;
}
