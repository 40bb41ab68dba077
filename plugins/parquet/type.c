/* SPDX-License-Identifier: MIT
 * type.c - SchemaElement, and what its annotations make of a physical type.  An annotation that
 * does not go with the physical type is ignored, as is one that is not known. */
#include "schema.h"

enum {
    L_STRING = 1,
    L_MAP,
    L_LIST,
    L_ENUM,
    L_DECIMAL,
    L_DATE,
    L_TIME,
    L_TIMESTAMP,
    L_INTEGER = 10,
    L_UNKNOWN,
    L_JSON,
    L_BSON,
    L_UUID,
    L_FLOAT16
};
enum {
    C_UTF8,
    C_MAP,
    C_MAP_KEY_VALUE,
    C_LIST,
    C_ENUM,
    C_DECIMAL,
    C_DATE,
    C_TIME_MILLIS,
    C_TIME_MICROS,
    C_TIMESTAMP_MILLIS,
    C_TIMESTAMP_MICROS,
    C_UINT_8,
    C_UINT_16,
    C_UINT_32,
    C_UINT_64,
    C_INT_8,
    C_INT_16,
    C_INT_32,
    C_INT_64,
    C_JSON,
    C_BSON,
    C_INTERVAL
};
enum { U_MILLIS = 1, U_MICROS, U_NANOS };
enum { MAX_FIXED = 1 << 24, MAX_DECIMAL = 64, MAX_SCALE = 1000 };

/* ---- reading ---- */

/* The one field that a union holds; its struct is skipped. */
static int32_t read_union(struct pq_thrift *t)
{
    struct pq_field f = {0};
    int32_t         which = 0;

    while (pq_thrift_next(t, &f)) {
        which = f.id;
        pq_thrift_skip(t, f.type);
    }
    return which;
}

static void read_decimal(struct pq_thrift *t, struct pq_element *el)
{
    struct pq_field f = {0};

    while (pq_thrift_next(t, &f)) {
        if (f.id == 1) {
            el->scale = pq_thrift_i32(t, &f);
        } else {
            pq_thrift_skip(t, f.type);
        }
    }
}

static void read_time(struct pq_thrift *t, struct pq_element *el)
{
    struct pq_field f = {0};

    while (pq_thrift_next(t, &f)) {
        if (f.id == 1) {
            el->utc = pq_thrift_bool(t, &f);
        } else if (f.id == 2) {
            pq_thrift_struct(t, &f);
            el->unit = read_union(t);
        } else {
            pq_thrift_skip(t, f.type);
        }
    }
}

static void read_integer(struct pq_thrift *t, struct pq_element *el)
{
    struct pq_field f = {0};

    while (pq_thrift_next(t, &f)) {
        if (f.id == 1) {
            el->bits = pq_thrift_i32(t, &f);
        } else if (f.id == 2) {
            el->is_signed = pq_thrift_bool(t, &f);
        } else {
            pq_thrift_skip(t, f.type);
        }
    }
}

static void read_logical(struct pq_thrift *t, struct pq_element *el)
{
    struct pq_field f = {0};

    while (pq_thrift_next(t, &f)) {
        el->logical = f.id;
        pq_thrift_struct(t, &f);
        if (f.id == L_DECIMAL) {
            read_decimal(t, el);
        } else if (f.id == L_TIME || f.id == L_TIMESTAMP) {
            read_time(t, el);
        } else if (f.id == L_INTEGER) {
            read_integer(t, el);
        } else {
            pq_thrift_skip(t, f.type);
        }
    }
}

void pq_element_read(struct pq_thrift *t, struct pq_element *el)
{
    struct pq_field f = {0};
    int32_t        *number[] = {NULL,          &el->type,      &el->length, &el->repetition, NULL,
                                &el->children, &el->converted, &el->scale,  &el->precision};

    memset(el, 0, sizeof(*el));
    el->name = drh_str_of("");
    el->type = el->length = el->repetition = el->children = el->converted = el->scale = -1;
    while (pq_thrift_next(t, &f)) {
        if (f.id == 4) {
            el->name = pq_thrift_text(t, &f);
        } else if (f.id >= 1 && f.id <= 8) {
            *number[f.id] = pq_thrift_i32(t, &f);
        } else if (f.id == 10) {
            pq_thrift_struct(t, &f);
            read_logical(t, el);
        } else {
            pq_thrift_skip(t, f.type);
        }
    }
}

bool pq_element_is_list(const struct pq_element *el)
{
    return el->logical == L_LIST || el->converted == C_LIST;
}

bool pq_element_is_map(const struct pq_element *el)
{
    return el->logical == L_MAP || el->converted == C_MAP || el->converted == C_MAP_KEY_VALUE;
}

/* ---- meaning ---- */

static bool is_whole(const struct pq_type *t)
{
    return t->physical == PQ_INT32 || t->physical == PQ_INT64;
}

static bool is_bytes(const struct pq_type *t)
{
    return t->physical == PQ_BYTE_ARRAY || t->physical == PQ_FIXED;
}

static void as_decimal(const struct pq_element *el, struct pq_type *t)
{
    bool fits = is_whole(t) || t->physical == PQ_BYTE_ARRAY ||
                (t->physical == PQ_FIXED && t->show.width <= MAX_DECIMAL);

    if (fits && el->scale <= MAX_SCALE) {
        t->show.form = COL_SHOW_DECIMAL;
        t->show.little = is_whole(t);
        t->show.scale = el->scale > 0 ? (uint32_t)el->scale : 0;
    }
}

static void as_time(const struct pq_element *el, struct pq_type *t, enum col_form form)
{
    static const uint32_t per_second[] = {0, 1000, 1000000, 1000000000};
    bool                  is_day = form == COL_SHOW_TIME && el->unit == U_MILLIS;

    if (el->unit >= U_MILLIS && el->unit <= U_NANOS &&
        t->physical == (is_day ? PQ_INT32 : PQ_INT64)) {
        t->show.form = form;
        t->show.per_second = per_second[el->unit];
        t->show.utc = el->utc;
    }
}

static void by_logical(const struct pq_element *el, struct pq_type *t)
{
    int32_t l = el->logical;

    if ((l == L_STRING || l == L_ENUM) && is_bytes(t)) {
        t->show.form = COL_SHOW_TEXT;
    } else if (l == L_JSON && is_bytes(t)) {
        t->show.form = COL_SHOW_JSON;
    } else if (l == L_DECIMAL) {
        as_decimal(el, t);
    } else if (l == L_DATE && t->physical == PQ_INT32) {
        t->show.form = COL_SHOW_DATE;
    } else if (l == L_TIME) {
        as_time(el, t, COL_SHOW_TIME);
    } else if (l == L_TIMESTAMP) {
        as_time(el, t, COL_SHOW_TIMESTAMP);
    } else if (l == L_INTEGER && is_whole(t) && !el->is_signed) {
        t->show.form = COL_SHOW_UINT;
    } else if (l == L_UNKNOWN) {
        t->show.form = COL_SHOW_NULL;
    } else if (l == L_UUID && t->physical == PQ_FIXED && t->show.width == 16) {
        t->show.form = COL_SHOW_UUID;
    } else if (l == L_FLOAT16 && t->physical == PQ_FIXED && t->show.width == 2) {
        t->show.form = COL_SHOW_FLOAT;
    }
}

/* Older files have a converted type only: the same in other words.  Its times are in UTC. */
static void by_converted(const struct pq_element *el, struct pq_type *t)
{
    struct pq_element same = *el;
    int32_t           c = el->converted;

    same.utc = true;
    if (c == C_UTF8 || c == C_ENUM) {
        same.logical = L_STRING;
    } else if (c == C_JSON) {
        same.logical = L_JSON;
    } else if (c == C_DECIMAL) {
        same.logical = L_DECIMAL;
    } else if (c == C_DATE) {
        same.logical = L_DATE;
    } else if (c == C_TIME_MILLIS || c == C_TIME_MICROS) {
        same.logical = L_TIME;
        same.unit = c == C_TIME_MILLIS ? U_MILLIS : U_MICROS;
    } else if (c == C_TIMESTAMP_MILLIS || c == C_TIMESTAMP_MICROS) {
        same.logical = L_TIMESTAMP;
        same.unit = c == C_TIMESTAMP_MILLIS ? U_MILLIS : U_MICROS;
    } else if (c >= C_UINT_8 && c <= C_UINT_64) {
        same.logical = L_INTEGER;
    } else if (c == C_INTERVAL && t->physical == PQ_FIXED && t->show.width == 12) {
        t->show.form = COL_SHOW_INTERVAL;
    }
    by_logical(&same, t);
}

drh_status pq_type_of(const struct pq_element *el, struct pq_type *out, drh_error *e)
{
    static const uint8_t width[PQ_N_PHYSICAL] = {0, 4, 8, 12, 4, 8, 0, 0};
    static const uint8_t form[PQ_N_PHYSICAL] = {COL_SHOW_BOOL,   COL_SHOW_INT,   COL_SHOW_INT,
                                                COL_SHOW_INT96,  COL_SHOW_FLOAT, COL_SHOW_FLOAT,
                                                COL_SHOW_BINARY, COL_SHOW_BINARY};

    memset(out, 0, sizeof(*out));
    if (el->type < 0 || el->type >= PQ_N_PHYSICAL) {
        return drh_fail(e, DRH_E_DATA, "column %.*s has the type %d, which is not known" COL_AGAIN,
                        (int)(el->name.len < 100 ? el->name.len : 100),
                        el->name.ptr ? el->name.ptr : "", el->type);
    }
    out->physical = (enum pq_physical)el->type;
    out->show.width = width[el->type];
    out->show.form = (enum col_form)form[el->type];
    if (out->physical == PQ_FIXED) {
        if (el->length < 1 || el->length > MAX_FIXED) {
            return drh_fail(e, DRH_E_DATA,
                            "a column's values are said to be %d bytes long" COL_AGAIN, el->length);
        }
        out->show.width = (uint32_t)el->length;
    }
    if (el->logical) {
        by_logical(el, out);
    } else {
        by_converted(el, out);
    }
    return DRH_OK;
}
