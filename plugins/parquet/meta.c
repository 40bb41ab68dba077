/* SPDX-License-Identifier: MIT
 * meta.c - see meta.h. */
#include "meta.h"

enum { MAGIC = 4, TAIL = 8, MAX_FOOTER = 128 << 20 };

static drh_status broken(drh_error *e, const char *why)
{
    return drh_fail(e, DRH_E_DATA, "the footer is damaged: %s" COL_AGAIN, why);
}

static drh_status encrypted(drh_error *e)
{
    return drh_fail(e, DRH_E_DATA, "the file is encrypted; write it again without encryption");
}

/* ---- the file's ends ---- */

static drh_status read_footer(struct pq_meta *m, drh_error *e)
{
    struct col_file *f = m->file;
    uint8_t          tail[TAIL];
    uint32_t         n;
    drh_status       st;

    if (f->size < MAGIC + TAIL) {
        return drh_fail(e, DRH_E_DATA,
                        "a Parquet file has at least 12 bytes and this one %llu" COL_AGAIN,
                        (unsigned long long)f->size);
    }
    st = col_read(f, f->size - TAIL, tail, TAIL, e);
    if (st != DRH_OK) {
        return st;
    }
    if (memcmp(tail + 4, "PARE", MAGIC) == 0) {
        return encrypted(e);
    }
    if (memcmp(tail + 4, "PAR1", MAGIC) != 0) {
        return drh_fail(e, DRH_E_DATA,
                        "there is no Parquet footer at its end: the file is cut, or "
                        "was never finished" COL_AGAIN);
    }
    n = col_u32(tail);
    if (n > f->size - MAGIC - TAIL) {
        return broken(e, "it is longer than the file");
    }
    if (n > MAX_FOOTER) {
        return drh_fail(e, DRH_E_DATA,
                        "the footer has %u MiB, and %d is the most: write fewer row "
                        "groups or fewer columns",
                        n >> 20, MAX_FOOTER >> 20);
    }
    m->footer_len = n;
    m->data_end = f->size - TAIL - n;
    st = col_reserve(f, &m->footer, n, e);
    return st == DRH_OK ? col_read(f, m->data_end, m->footer.p, n, e) : st;
}

/* ---- row groups ---- */

/* Only how many rows it has; its columns are passed over. */
static uint64_t read_rows(struct pq_thrift *t)
{
    struct pq_field f = {0};
    int64_t         rows = -1;

    while (pq_thrift_next(t, &f)) {
        if (f.id == 3) {
            rows = pq_thrift_int(t, &f);
        } else {
            pq_thrift_skip(t, f.type);
        }
    }
    if (rows < 0) {
        t->bad = true;
        return 0;
    }
    return (uint64_t)rows;
}

static drh_status read_groups(struct pq_meta *m, struct pq_thrift *t, const struct pq_field *f,
                              drh_error *e)
{
    uint32_t         n = pq_thrift_list(t, f, PQ_T_STRUCT);
    drh_status       st = col_reserve(m->file, &m->groups, n * sizeof(struct pq_group), e);
    struct pq_group *g = (struct pq_group *)(void *)m->groups.p;

    m->n_groups = 0;
    for (uint32_t i = 0; st == DRH_OK && i < n && !t->bad; i++) {
        g[i].at = (uint64_t)(t->p - m->footer.p);
        g[i].rows = read_rows(t);
        m->n_groups = i + 1;
    }
    return st;
}

static drh_status read_meta(struct pq_meta *m, drh_error *e)
{
    struct pq_thrift t;
    struct pq_field  f = {0};
    bool             has_groups = false;
    drh_status       st = DRH_OK;

    pq_thrift_open(&t, m->footer.p, m->footer_len);
    while (st == DRH_OK && pq_thrift_next(&t, &f)) {
        if (f.id == 2) {
            st = pq_schema_read(&m->schema, m->file->host, &t, &f, e);
        } else if (f.id == 4) {
            has_groups = true;
            st = read_groups(m, &t, &f, e);
        } else if (f.id == 8) {
            st = encrypted(e);
        } else {
            pq_thrift_skip(&t, f.type);
        }
    }
    if (st == DRH_OK && t.bad) {
        st = broken(e, t.cut ? "it ends too early" : "it is no Thrift");
    }
    if (st == DRH_OK && (!has_groups || m->schema.n_nodes == 0)) {
        st = broken(e, "it has no schema or no row groups");
    }
    return st;
}

drh_status pq_meta_read(struct pq_meta *m, drh_error *e)
{
    drh_status st = read_footer(m, e);

    return st == DRH_OK ? read_meta(m, e) : st;
}

void pq_meta_free(struct pq_meta *m)
{
    pq_schema_free(&m->schema, m->file->host);
    col_release(m->file, &m->footer);
    col_release(m->file, &m->groups);
}

const struct pq_group *pq_meta_group(const struct pq_meta *m, uint32_t g)
{
    return (const struct pq_group *)(const void *)m->groups.p + g;
}

/* ---- the columns of a row group ---- */

/* What a ColumnChunk and its ColumnMetaData say. */
struct found {
    bool    meta, elsewhere, secret;
    int32_t type, codec;
    int64_t values, data_at, dictionary_at;
};

static void read_column_meta(struct pq_thrift *t, struct found *c)
{
    struct pq_field f = {0};

    c->meta = true;
    while (pq_thrift_next(t, &f)) {
        if (f.id == 1) {
            c->type = pq_thrift_i32(t, &f);
        } else if (f.id == 4) {
            c->codec = pq_thrift_i32(t, &f);
        } else if (f.id == 5) {
            c->values = pq_thrift_int(t, &f);
        } else if (f.id == 9) {
            c->data_at = pq_thrift_int(t, &f);
        } else if (f.id == 11) {
            c->dictionary_at = pq_thrift_int(t, &f);
        } else {
            pq_thrift_skip(t, f.type);
        }
    }
}

static void read_column(struct pq_thrift *t, struct found *c)
{
    struct pq_field f = {0};

    memset(c, 0, sizeof(*c));
    c->type = c->codec = -1;
    while (pq_thrift_next(t, &f)) {
        if (f.id == 3) {
            pq_thrift_struct(t, &f);
            read_column_meta(t, c);
        } else {
            c->elsewhere = c->elsewhere || (f.id == 1 && f.type == PQ_T_BINARY);
            c->secret = c->secret || f.id == 8;
            pq_thrift_skip(t, f.type);
        }
    }
}

/* Some writers give a dictionary's offset as 0 when there is none. */
static drh_status check_column(const struct pq_meta *m, const struct pq_node *leaf,
                               const struct found *found, struct pq_chunk *c, drh_error *e)
{
    int64_t at = found->data_at;

    if (found->secret) {
        return encrypted(e);
    }
    if (found->elsewhere) {
        return drh_fail(e, DRH_E_DATA, "its columns are in another file; write them into one");
    }
    if (found->dictionary_at >= MAGIC && found->dictionary_at < at) {
        at = found->dictionary_at;
    }
    if (!found->meta || found->values < 0 || found->type != (int32_t)leaf->type.physical) {
        return broken(e, "what it says of a column does not fit the schema");
    }
    if (found->values > 0 && (at < MAGIC || (uint64_t)at >= m->data_end)) {
        return broken(e, "a column lies outside of the file");
    }
    c->at = (uint64_t)at;
    c->values = (uint64_t)found->values;
    c->codec = (uint32_t)found->codec;
    return DRH_OK;
}

static drh_status in_column(uint32_t g, uint32_t column, drh_error *e)
{
    char why[sizeof(e->message)];

    (void)snprintf(why, sizeof(why), "%s", e->message);
    return drh_fail(e, e->code, "row group %u, column %u of the file: %s", g, column, why);
}

static drh_status read_columns(const struct pq_meta *m, uint32_t g, struct pq_thrift *t,
                               const struct pq_field *f, pq_chunk_fn fn, drh_error *e)
{
    const struct pq_schema *s = &m->schema;
    uint32_t                n = pq_thrift_list(t, f, PQ_T_STRUCT);
    drh_status              st = DRH_OK;

    if (n != s->n_leaves) {
        return broken(e, "a row group has another number of columns than the schema");
    }
    for (uint32_t i = 0; st == DRH_OK && i < n; i++) {
        struct found    found;
        struct pq_chunk c;

        read_column(t, &found);
        if (t->bad) {
            return broken(e, "a row group's columns cannot be read");
        }
        if (s->leaf[i]->wanted) {
            st = check_column(m, s->leaf[i], &found, &c, e);
            st = st == DRH_OK ? fn(s->leaf[i], &c, g, e) : in_column(g, i, e);
        }
    }
    return st;
}

drh_status pq_meta_chunks(const struct pq_meta *m, uint32_t g, pq_chunk_fn fn, drh_error *e)
{
    uint64_t         at = pq_meta_group(m, g)->at;
    struct pq_thrift t;
    struct pq_field  f = {0};

    pq_thrift_open(&t, m->footer.p + at, m->footer_len - (size_t)at);
    while (pq_thrift_next(&t, &f)) {
        if (f.id == 1) {
            return read_columns(m, g, &t, &f, fn, e);
        }
        pq_thrift_skip(&t, f.type);
    }
    return broken(e, "a row group has no columns");
}
