/* SPDX-License-Identifier: MIT
 * row.c - see row.h. */
#include "row.h"

#include "text.h"

#include <math.h>

void col_row_bad(struct col_row *row, const char *reason, const char *column, const char *why)
{
    if (!row->bad) {
        row->bad = reason;
        (void)snprintf(row->why, sizeof(row->why), "column %s: %s", column, why);
    }
}

/* What the host answered to a put_*. */
static drh_status took(struct col_row *row, drh_status st, const char *reason, const char *column,
                       const char *why, drh_error *e)
{
    if (st == DRH_OK) {
        return DRH_OK;
    }
    if (st == DRH_E_DATA) {
        col_row_bad(row, reason, column, why);
        return DRH_OK;
    }
    return drh_fail(e, st, "a record cannot be filled: %s",
                    st == DRH_E_NOMEM ? "out of memory" : "the host refuses a value");
}

/* False: the row is bad, or becomes so by n more bytes. */
static inline bool goes_on(struct col_row *row, size_t n)
{
    row->size += n;
    if (row->size > COL_MAX_ROW && !row->bad) {
        row->bad = "row_too_long";
        (void)snprintf(row->why, sizeof(row->why), "the row is longer than 64 MiB");
    }
    return !row->bad;
}

drh_status col_row_begin(struct col_row *row, uint32_t type, drh_error *e)
{
    return goes_on(row, 2)
               ? took(row, row->api->begin(row->slot, type), "too_deep", "", "nested too deep", e)
               : DRH_OK;
}

drh_status col_row_end(struct col_row *row, drh_error *e)
{
    return row->bad ? DRH_OK : took(row, row->api->end(row->slot), "bad_row", "", "", e);
}

/* Names were checked with the schema, so what is wrong can only be that one is there twice. */
__attribute__((noinline)) static drh_status name_refused(struct col_row *row, drh_status st,
                                                         drh_str name, drh_error *e)
{
    char column[100];

    (void)snprintf(column, sizeof(column), "%.*s", name.len < 90 ? (int)name.len : 90, name.ptr);
    return took(row, st, "duplicate_key", column,
                "it is there twice; name those to read (option columns)", e);
}

drh_status col_row_key(struct col_row *row, drh_str name, drh_error *e)
{
    drh_status st =
        goes_on(row, name.len) ? row->api->put_key(row->slot, name.ptr, name.len) : DRH_OK;

    return st == DRH_OK ? DRH_OK : name_refused(row, st, name, e);
}

drh_status col_row_null(struct col_row *row, drh_error *e)
{
    return goes_on(row, 5) ? took(row, row->api->put_null(row->slot), "bad_row", "", "", e)
                           : DRH_OK;
}

drh_status col_row_map_key(struct col_row *row, const char *column, const struct col_value *v,
                           drh_error *e)
{
    const char *text = (const char *)v->p;

    if (!goes_on(row, v->n)) {
        return DRH_OK;
    }
    if (v->n > COL_MAX_NAME || !col_utf8(text, v->n)) {
        col_row_bad(row, v->n > COL_MAX_NAME ? "key_too_long" : "bad_utf8", column,
                    "a key of a map is no UTF-8, or too long");
        return DRH_OK;
    }
    return took(row, row->api->put_key(row->slot, text, v->n), "duplicate_key", column,
                "a key of a map is there twice", e);
}

/* ---- forms ---- */

struct show {
    struct col_row         *row;
    const char             *column;
    const struct col_type  *type;
    const struct col_value *v;
    drh_error              *e;
};

static drh_status bad(const struct show *s, const char *reason, const char *why)
{
    col_row_bad(s->row, reason, s->column, why);
    return DRH_OK;
}

static drh_status put_text(const struct show *s, const char *p, size_t n)
{
    return took(s->row, s->row->api->put_str(s->row->slot, p, n), "bad_utf8", s->column,
                "a text is no UTF-8", s->e);
}

static drh_status put_int(const struct show *s, int64_t v)
{
    return took(s->row, s->row->api->put_i64(s->row->slot, v), "bad_row", s->column, "", s->e);
}

/* Any JSON text, as it is. */
static drh_status put_json(const struct show *s, const char *p, size_t n)
{
    const drh_host *h = s->row->host;
    drh_json       *doc = NULL;
    drh_value       root;
    drh_error       why = DRH_ERROR_INIT;
    drh_status      st = h->json_open(h, p, n, &doc, &root, &why);

    if (st != DRH_OK) {
        return took(s->row, st, "bad_json", s->column, why.message, s->e);
    }
    st = s->row->api->put_value(s->row->slot, &root);
    h->json_close(doc);
    return took(s->row, st, "too_deep", s->column, "nested too deep", s->e);
}

/* A little-endian number of 1, 2, 4 or 8 bytes. */
static uint64_t whole(const struct show *s)
{
    const uint8_t *p = s->v->p;

    if (s->type->width >= 4) {
        return s->type->width == 4 ? col_u32(p) : col_u64(p);
    }
    return s->type->width == 1 ? p[0] : (uint64_t)p[0] | (uint64_t)p[1] << 8;
}

static int64_t whole_signed(const struct show *s)
{
    const uint64_t v = whole(s);

    switch (s->type->width) {
    case 1:
        return (int8_t)v;
    case 2:
        return (int16_t)v;
    case 4:
        return (int32_t)v;
    default:
        return (int64_t)v;
    }
}

static drh_status put_uint(const struct show *s)
{
    char     text[COL_NUMBER_SIZE];
    uint64_t v = whole(s);

    if (v <= INT64_MAX) {
        return put_int(s, (int64_t)v);
    }
    return put_json(s, text, (size_t)(col_put_uint(text, v) - text));
}

static double half(uint32_t bits)
{
    uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
    double   v;

    if (exponent == 31) {
        return fraction ? (double)NAN : (double)INFINITY;
    }
    v = exponent ? (1024 + fraction) / 1024.0 : fraction / 512.0;
    for (; exponent > 15; exponent--) {
        v *= 2;
    }
    for (; exponent < 15; exponent++) {
        v /= 2;
    }
    return bits >> 15 ? -v : v;
}

static drh_status put_float(const struct show *s)
{
    double v;

    if (s->type->width == 2) {
        v = half((uint32_t)s->v->p[0] | (uint32_t)s->v->p[1] << 8);
    } else if (s->type->width == 4) {
        uint32_t bits = col_u32(s->v->p);
        float    f;
        memcpy(&f, &bits, sizeof(f));
        v = (double)f;
    } else {
        uint64_t bits = col_u64(s->v->p);
        memcpy(&v, &bits, sizeof(v));
    }
    return isfinite(v)
               ? took(s->row, s->row->api->put_f64(s->row->slot, v), "bad_row", s->column, "", s->e)
               : col_row_null(s->row, s->e);
}

static drh_status put_decimal(const struct show *s)
{
    uint8_t    turned[COL_MAX_DECIMAL];
    size_t     n = s->v->n;
    drh_status st;

    if (n > COL_MAX_DECIMAL) {
        return bad(s, "bad_decimal", "a decimal has more than 64 bytes");
    }
    st = col_reserve(s->row->file, &s->row->text, col_decimal_size(n, s->type->scale), s->e);
    if (st != DRH_OK) {
        return st;
    }
    if (s->type->little) {
        for (size_t i = 0; i < n; i++) {
            turned[i] = s->v->p[n - 1 - i];
        }
    }
    char *text = (char *)s->row->text.p;
    char *end = col_put_decimal(text, s->type->little ? turned : s->v->p, n, s->type->scale);
    return put_json(s, text, (size_t)(end - text));
}

/* What is no text: {"base64": "..."}. */
static drh_status put_binary(const struct show *s)
{
    struct col_row *row = s->row;
    drh_status      st;
    char           *text;

    if (col_is_text((const char *)s->v->p, s->v->n)) {
        return put_text(s, (const char *)s->v->p, s->v->n);
    }
    st = goes_on(row, s->v->n) ? col_reserve(row->file, &row->text, s->v->n / 3 * 4 + 4, s->e)
                               : DRH_OK;
    if (st != DRH_OK || row->bad) {
        return st;
    }
    text = (char *)row->text.p;
    st = col_row_begin(row, DRH_T_OBJECT, s->e);
    st = st == DRH_OK ? col_row_key(row, drh_str_of("base64"), s->e) : st;
    if (st != DRH_OK || row->bad) {
        return st;
    }
    st = put_text(s, text, (size_t)(col_put_base64(text, s->v->p, s->v->n) - text));
    return st == DRH_OK ? col_row_end(row, s->e) : st;
}

static drh_status put_time(const struct show *s)
{
    char    text[COL_TIME_SIZE], *end;
    int64_t v;

    if (s->type->form == COL_SHOW_INT96) {
        end = col_put_int96(text, s->v->p);
    } else if (s->type->form == COL_SHOW_DATE) {
        end = col_put_date(text, whole_signed(s));
    } else if (s->type->form == COL_SHOW_TIMESTAMP) {
        end = col_put_timestamp(text, whole_signed(s), s->type->per_second, s->type->utc);
    } else {
        v = whole_signed(s);
        if (v < 0 || v >= (int64_t)s->type->per_second * 86400) {
            return bad(s, "bad_time", "a time of day is none");
        }
        end = col_put_time(text, (uint64_t)v, s->type->per_second);
    }
    return put_text(s, text, (size_t)(end - text));
}

static drh_status put_odd(const struct show *s)
{
    char text[COL_INTERVAL_SIZE], *end;

    if (s->type->form == COL_SHOW_UUID) {
        end = col_put_uuid(text, s->v->p);
    } else {
        end = col_put_interval(text, s->v->p);
    }
    return put_text(s, text, (size_t)(end - text));
}

static drh_status put_bool(const struct show *s)
{
    return took(s->row, s->row->api->put_bool(s->row->slot, s->v->p[0]), "bad_row", s->column, "",
                s->e);
}

drh_status col_row_value(struct col_row *row, const char *column, const struct col_type *type,
                         const struct col_value *v, drh_error *e)
{
    const struct show s = {row, column, type, v, e};

    if (!goes_on(row, v->n + 4)) {
        return DRH_OK;
    }
    switch (type->form) {
    case COL_SHOW_TEXT:
        return put_text(&s, (const char *)v->p, v->n);
    case COL_SHOW_BOOL:
        return put_bool(&s);
    case COL_SHOW_INT:
        return put_int(&s, whole_signed(&s));
    case COL_SHOW_UINT:
        return put_uint(&s);
    case COL_SHOW_FLOAT:
        return put_float(&s);
    case COL_SHOW_DECIMAL:
        return put_decimal(&s);
    case COL_SHOW_JSON:
        return put_json(&s, (const char *)v->p, v->n);
    case COL_SHOW_BINARY:
        return put_binary(&s);
    case COL_SHOW_DATE:
    case COL_SHOW_TIME:
    case COL_SHOW_TIMESTAMP:
    case COL_SHOW_INT96:
        return put_time(&s);
    case COL_SHOW_UUID:
    case COL_SHOW_INTERVAL:
        return put_odd(&s);
    case COL_SHOW_NULL:
        break;
    }
    return col_row_null(row, e);
}

drh_status col_row_settle(struct col_row *row, drh_error *e)
{
    drh_status st = row->api->close(row->slot);

    if (row->bad) {
        return row->api->fail(row->slot, row->bad, row->why, strlen(row->why));
    }
    if (st == DRH_E_DATA) {
        return row->api->fail(row->slot, "too_deep", DRH_LIT("the row is nested too deep"));
    }
    return st == DRH_OK ? row->api->keep(row->slot) : drh_fail(e, st, "a record cannot be filled");
}
