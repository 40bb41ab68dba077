/* SPDX-License-Identifier: MIT
 * csv_columns.c - the columns of a file: names, and the options about them. */
#include "csv_reader.h"

enum { MAX_NAME = 1000 };

static drh_status names_from(struct csv_stream *s, const drh_str *name, size_t n, drh_error *e)
{
    const drh_host *h = s->o->host;
    size_t          size = 1, at = 0;

    for (size_t i = 0; i < n; i++) {
        if (name[i].len > MAX_NAME) {
            return drh_fail(e, DRH_E_DATA,
                            "the name of column %zu has %zu bytes; is there no header? Then set "
                            "header to false, and names",
                            i + 1, name[i].len);
        }
        size += name[i].len;
    }
    s->column = h->alloc(h, NULL, (n + 1) * sizeof(*s->column));
    s->names = s->column ? h->alloc(h, NULL, size) : NULL;
    if (!s->names) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for the columns");
    }
    s->n_columns = n;
    for (size_t i = 0; i < n; i++) {
        if (name[i].len) {
            memcpy(s->names + at, name[i].ptr, name[i].len);
        }
        /* a column without a name is a row number that a program wrote in front */
        s->column[i] = (struct csv_column){{s->names + at, name[i].len}, name[i].len > 0, 0};
        at += name[i].len;
    }
    return DRH_OK;
}

static int same(drh_str a, drh_str b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static drh_status check_names(const struct csv_stream *s, drh_error *e)
{
    for (size_t i = 0; i < s->n_columns; i++) {
        const struct csv_column *c = &s->column[i];
        if (c->name.len && !text_is_text((const uint8_t *)c->name.ptr, c->name.len)) {
            return drh_fail(e, DRH_E_DATA, "the name of column %zu is no UTF-8", i + 1);
        }
        for (size_t k = 0; k < i; k++) {
            if (c->wanted && s->column[k].wanted && same(s->column[k].name, c->name)) {
                return drh_fail(e, DRH_E_DATA,
                                "two columns are called \"%.*s\"; give all of them names (option "
                                "names)",
                                (int)(c->name.len < 100 ? c->name.len : 100), c->name.ptr);
            }
        }
    }
    return DRH_OK;
}

static struct csv_column *find(const struct csv_stream *s, drh_str name)
{
    for (size_t i = 0; i < s->n_columns; i++) {
        if (name.len && same(s->column[i].name, name)) {
            return &s->column[i];
        }
    }
    return NULL;
}

static drh_status no_such(const struct csv_stream *s, const char *option, drh_str name,
                          drh_error *e)
{
    char   there[200] = "";
    size_t n = 0;

    for (size_t i = 0; i < s->n_columns && n < 150; i++) {
        const drh_str c = s->column[i].name;
        n += (size_t)snprintf(there + n, sizeof(there) - n, "%s%.*s", n ? ", " : "",
                              (int)(c.len < 40 ? c.len : 40), c.ptr);
    }
    return drh_fail(e, DRH_E_CONFIG, "%s: there is no column \"%.*s\" in it; there are: %s", option,
                    (int)(name.len < 60 ? name.len : 60), name.ptr, there);
}

/* Calls fn with each text of a list option. */
static drh_status each(const struct csv_stream *s, const char                        *option,
                       drh_status (*fn)(void *ctx, drh_str text, drh_error *e), void *ctx,
                       drh_error *e)
{
    const drh_host *h = s->o->host;
    drh_value       list, v;
    drh_str         text;
    drh_status      st = h->config->get_value(s->o->config, option, &list);

    for (st = st == DRH_OK ? h->values->child(&list, &v) : st; st == DRH_OK;
         st = h->values->next(&v)) {
        st = h->values->str(&v, &text);
        st = st == DRH_OK ? fn(ctx, text, e) : st;
        if (st != DRH_OK) {
            return st;
        }
    }
    return st == DRH_END || st == DRH_E_MISSING
               ? DRH_OK
               : drh_fail(e, st, "the option %s cannot be read", option + 1);
}

struct marking {
    struct csv_stream *s;
    size_t             n;
    drh_str            name[CSV_MAX_FIELDS];
};

static drh_status take_name(void *ctx, drh_str text, drh_error *e)
{
    struct marking *m = ctx;

    if (m->n == CSV_MAX_FIELDS) {
        return drh_fail(e, DRH_E_CONFIG, "names: more than %d", CSV_MAX_FIELDS);
    }
    m->name[m->n++] = text;
    return DRH_OK;
}

static drh_status take_wanted(void *ctx, drh_str text, drh_error *e)
{
    struct marking    *m = ctx;
    struct csv_column *c = find(m->s, text);

    for (size_t i = 0; m->n == 0 && i < m->s->n_columns; i++) {
        m->s->column[i].wanted = 0;
    }
    m->n++;
    if (!c) {
        return no_such(m->s, "columns", text, e);
    }
    c->wanted = 1;
    return DRH_OK;
}

static drh_status take_json(void *ctx, drh_str text, drh_error *e)
{
    struct marking    *m = ctx;
    struct csv_column *c = find(m->s, text);

    if (!c) {
        return no_such(m->s, "json", text, e);
    }
    c->json = 1;
    return DRH_OK;
}

/* The option names comes before the file's own names. */
static drh_status read_names(struct csv_stream *s, struct marking *m, drh_error *e)
{
    drh_status st = DRH_OK;

    if (s->o->header) {
        st = csv_next(&s->in, s->form, &s->row, e);
    }
    if (st != DRH_OK) {
        return st;
    }
    st = each(s, "/names", take_name, m, e);
    if (st == DRH_OK && m->n == 0 && !s->o->header) {
        return drh_fail(e, DRH_E_CONFIG, "names: give the columns names, there is no header");
    }
    if (st == DRH_OK && m->n && s->o->header && m->n != s->row.n) {
        return drh_fail(e, DRH_E_CONFIG, "names: %zu, but the file has %zu columns", m->n,
                        s->row.n);
    }
    if (st != DRH_OK) {
        return st;
    }
    return m->n ? names_from(s, m->name, m->n, e) : names_from(s, s->row.field, s->row.n, e);
}

drh_status csv_columns(struct csv_stream *s, drh_error *e)
{
    const drh_host *h = s->o->host;
    struct marking *m = h->alloc(h, NULL, sizeof(*m));
    drh_status      st;

    if (!m) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for the columns");
    }
    m->s = s;
    m->n = 0;
    st = read_names(s, m, e);
    m->n = 0;
    st = st == DRH_OK ? each(s, "/columns", take_wanted, m, e) : st;
    st = st == DRH_OK ? each(s, "/json", take_json, m, e) : st;
    st = st == DRH_OK ? check_names(s, e) : st;
    (void)h->alloc(h, m, 0);
    return st;
}
