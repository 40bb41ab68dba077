/* SPDX-License-Identifier: MIT
 * csv_reader.c - the reader stage "csv".  Its instance is never changed, so many streams may be in
 * use at once. */
#include "csv_reader.h"

static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"delimiter\":{\"type\":\"string\",\"default\":\"auto\",\"minLength\":1,\"maxLength\":4,"
    "\"description\":\"between fields: one character, tab, or auto: that of , tab ; | which the "
    "first row has most of\"},"
    "\"quote\":{\"type\":\"string\",\"default\":\"\\\"\",\"maxLength\":1,"
    "\"description\":\"around fields that hold delimiters or line breaks; empty: quotes mean "
    "nothing\"},"
    "\"header\":{\"type\":\"boolean\",\"default\":true,"
    "\"description\":\"the first row holds the names of the columns\"},"
    "\"names\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[],"
    "\"description\":\"of all columns, in order, in place of the file's; an empty one is not "
    "read\"},"
    "\"columns\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[],"
    "\"description\":\"columns to read; empty: all that have a name\"},"
    "\"json\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[],"
    "\"description\":\"columns whose texts are JSON, conversations for instance\"}"
    "}}";

/* ---- the instance ---- */

static drh_status one_char(drh_str text, const char *option, char *out, drh_error *e)
{
    const char c = text.len == 1 ? text.ptr[0] : drh_str_eq(text, "tab") ? '\t' : 0;

    if (c == 0 || c == '\n' || c == '\r' || (unsigned char)c >= 0x80) {
        return drh_fail(e, DRH_E_CONFIG, "%s: must be one ASCII character that ends no line",
                        option);
    }
    *out = c;
    return DRH_OK;
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct csv_options *o = h->alloc(h, NULL, sizeof(*o));
    drh_str             text = {NULL, 0};
    drh_status          st = DRH_OK;

    if (!o) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    *o = (struct csv_options){.host = h, .config = c, .header = 1};
    (void)h->config->get_bool(c, "/header", &o->header);
    if (h->config->get_str(c, "/delimiter", &text) == DRH_OK && !drh_str_eq(text, "auto")) {
        st = one_char(text, "delimiter", &o->delimiter, e);
    }
    if (st == DRH_OK && h->config->get_str(c, "/quote", &text) == DRH_OK && text.len) {
        st = one_char(text, "quote", &o->quote, e);
    }
    if (st == DRH_OK && o->quote && o->quote == o->delimiter) {
        st = drh_fail(e, DRH_E_CONFIG, "quote: is the delimiter, too");
    }
    if (st != DRH_OK) {
        (void)h->alloc(h, o, 0);
        return st;
    }
    *self = o;
    return DRH_OK;
}

static void destroy(void *self)
{
    struct csv_options *o = self;

    (void)o->host->alloc(o->host, o, 0);
}

/* By the name it is enough that nothing speaks against it, and what is no UTF-8 is told row by row;
 * without one it has to be text, and all rows of the head, three at least, to have as many fields.
 */
static int32_t sniff(void *self, const uint8_t *head, size_t len, const char *name)
{
    const struct csv_options *o = self;
    const int       named = text_has_ending(name, ".csv") || text_has_ending(name, ".tsv");
    const char     *p = (const char *)head;
    struct csv_form form = {o->delimiter, o->quote};
    size_t          fields, rows;
    int             unlike;

    if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
        len -= 3;
    }
    if (len == 0 || memchr(p, 0, len) || strchr("<{[", p[0]) || text_is_pointer(head, len)) {
        return 0;
    }
    if (named || !text_is_text((const uint8_t *)p, len)) {
        return named ? 50 : 0;
    }
    form.delimiter = form.delimiter ? form.delimiter : csv_guess(p, len, form.quote);
    rows = form.delimiter ? csv_alike(p, len, form, &fields, &unlike) : 0;
    return rows >= 3 && fields > 1 && !unlike ? 20 : 0;
}

/* ---- streams ---- */

static void close_stream(void *self, void *stream)
{
    const struct csv_options *o = self;
    struct csv_stream        *s = stream;

    text_in_close(&s->in);
    csv_row_free(o->host, &s->row);
    if (s->column) {
        (void)o->host->alloc(o->host, s->column, 0);
    }
    if (s->names) {
        (void)o->host->alloc(o->host, s->names, 0);
    }
    (void)o->host->alloc(o->host, s, 0);
}

/* The delimiter, by the first row, and the columns: always from the file's start. */
static drh_status read_head(struct csv_stream *s, const char *path, drh_error *e)
{
    drh_status st = DRH_OK;

    s->form = (struct csv_form){s->o->delimiter, s->o->quote};
    if (!s->form.delimiter && text_has_ending(path, ".tsv")) {
        s->form.delimiter = '\t';
    }
    if (!s->form.delimiter) {
        char guess = 0;
        if (text_in_held(&s->in)) {
            guess = csv_guess(text_in_ptr(&s->in), text_in_held(&s->in), s->form.quote);
        }
        s->form.delimiter = guess ? guess : ',';
    }
    st = csv_columns(s, e);
    return st == DRH_END ? DRH_OK : st; /* an empty file has no rows */
}

static drh_status open_stream(void *self, const char *path, const drh_str *position, void **stream,
                              drh_error *e)
{
    const struct csv_options *o = self;
    struct csv_stream        *s = o->host->alloc(o->host, NULL, sizeof(*s));
    uint64_t                  offset = 0;
    drh_status                st;

    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a stream");
    }
    memset(s, 0, sizeof(*s));
    s->o = o;
    st = text_position(position, &offset, e);
    st = st == DRH_OK ? text_in_open(&s->in, o->host, path, 0, e) : st;
    st = st == DRH_OK ? read_head(s, path, e) : st;
    if (st == DRH_OK && offset && offset != s->in.offset) {
        text_in_close(&s->in);
        st = text_in_open(&s->in, o->host, path, offset, e);
    }
    if (st != DRH_OK) {
        close_stream(self, s);
        return st == DRH_E_RANGE ? (e->code = DRH_E_DATA) : st;
    }
    *stream = s;
    return DRH_OK;
}

/* ---- rows ---- */

struct bad {
    const char *reason; /* NULL: the row is good */
    char        why[160];
};

static drh_status put_json(const struct csv_stream *s, drh_record *r, const struct csv_column *c,
                           drh_str text, struct bad *bad, drh_error *e)
{
    const drh_host *h = s->o->host;
    drh_json       *doc = NULL;
    drh_value       root;
    drh_error       why = DRH_ERROR_INIT;
    drh_status      st = h->json_open(h, text.ptr, text.len, &doc, &root, &why);

    if (st == DRH_OK) {
        st = h->records->put_value(r, &root);
        h->json_close(doc);
        return st;
    }
    if (st != DRH_E_DATA) {
        *e = why;
        return st;
    }
    bad->reason = "bad_json";
    (void)snprintf(bad->why, sizeof(bad->why), "column %.*s: %.90s",
                   (int)(c->name.len < 50 ? c->name.len : 50), c->name.ptr, why.message);
    return DRH_OK;
}

static drh_status put_field(const struct csv_stream *s, drh_record *r, const struct csv_column *c,
                            drh_str text, struct bad *bad, drh_error *e)
{
    const drh_record_api *api = s->o->host->records;
    drh_status            st = api->put_key(r, c->name.ptr, c->name.len);

    if (st == DRH_OK && c->json) {
        return text.len ? put_json(s, r, c, text, bad, e) : api->put_null(r);
    }
    st = st == DRH_OK ? api->put_str(r, text.ptr ? text.ptr : "", text.len) : st;
    if (st == DRH_E_DATA) {
        bad->reason = "bad_utf8";
        (void)snprintf(bad->why, sizeof(bad->why), "column %.*s is no UTF-8; convert the file",
                       (int)(c->name.len < 60 ? c->name.len : 60), c->name.ptr);
        return DRH_OK;
    }
    return st;
}

static drh_status fill(struct csv_stream *s, drh_record *r, drh_error *e)
{
    const drh_record_api *api = s->o->host->records;
    struct bad            bad = {.reason = NULL};
    drh_status            st, closed;

    if (s->row.n != s->n_columns) {
        (void)snprintf(bad.why, sizeof(bad.why), "%zu fields, but there are %zu columns", s->row.n,
                       s->n_columns);
        return api->fail(r, "wrong_columns", bad.why, strlen(bad.why));
    }
    st = api->open(r, DRH_FIELD_NONE, DRH_T_OBJECT);
    if (st != DRH_OK) {
        return drh_fail(e, st, "a record cannot be filled");
    }
    for (size_t i = 0; st == DRH_OK && !bad.reason && i < s->n_columns; i++) {
        if (s->column[i].wanted) {
            st = put_field(s, r, &s->column[i], s->row.field[i], &bad, e);
        }
    }
    closed = api->close(r); /* a value that was refused is remembered there */
    if (bad.reason) {
        return api->fail(r, bad.reason, bad.why, strlen(bad.why));
    }
    st = st == DRH_OK ? closed : st;
    return st == DRH_OK ? api->keep(r) : drh_fail(e, st, "a record cannot be filled");
}

static drh_status next(void *self, void *stream, drh_record *slot, drh_error *e)
{
    struct csv_stream *s = stream;
    drh_status         st = text_in_before(&s->in, e);

    (void)self;
    st = st == DRH_OK ? text_in_after(&s->in, csv_next(&s->in, s->form, &s->row, e), e) : st;
    return st == DRH_OK ? fill(s, slot, e) : st;
}

static drh_status tell(void *self, void *stream, drh_str *position, drh_error *e)
{
    struct csv_stream *s = stream;

    (void)self, (void)e;
    *position = text_in_tell(&s->in);
    return DRH_OK;
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
                                       .id = "csv",
                                       .version = "1.0.0",
                                       .summary = "reads comma- and tab-separated values",
                                       .config_schema = schema,
                                       .threading = DRH_WORKERS,
                                       .flags = DRH_DETERMINISTIC | DRH_READS_DECOMPRESSED,
                                       .life = &life,
                                       .ops.reader = &ops};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "csv",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
DRH_PLUGIN_NOTE(0, "reader csv 1.0.0");
