/* SPDX-License-Identifier: MIT
 * type.c - the type of a Field: how its values lie in memory, and how they are shown. */
#include "schema.h"

enum { /* of the union Type */
       T_NULL = 1,
       T_INT,
       T_FLOAT,
       T_BINARY,
       T_UTF8,
       T_BOOL,
       T_DECIMAL,
       T_DATE,
       T_TIME,
       T_TIMESTAMP,
       T_INTERVAL,
       T_LIST,
       T_STRUCT,
       T_UNION,
       T_FIXED_BINARY,
       T_FIXED_LIST,
       T_MAP,
       T_DURATION,
       T_LARGE_BINARY,
       T_LARGE_UTF8,
       T_LARGE_LIST,
       T_RUNS,
       T_BINARY_VIEW,
       T_UTF8_VIEW,
       T_LIST_VIEW,
       T_LARGE_LIST_VIEW
};

enum { MAX_SCALE = 1000, MAX_PAIRS = 1000 };

static drh_status no_type(drh_error *e)
{
    return drh_fail(e, DRH_E_DATA, "its type is none of Arrow's" COL_AGAIN);
}

static drh_status fixed(struct arrow_node *n, enum col_form form, int64_t bits, drh_error *e)
{
    n->kind = ARROW_FIXED;
    n->show.form = form;
    n->show.width = (uint32_t)bits / 8;
    return bits == 8 || bits == 16 || bits == 32 || bits == 64 ? DRH_OK : no_type(e);
}

static drh_status read_int(struct arrow_node *n, const struct flat_table *t, drh_error *e)
{
    const bool is_signed = flat_int(t, 1, 1, 0) != 0;

    return fixed(n, is_signed ? COL_SHOW_INT : COL_SHOW_UINT, flat_int(t, 0, 4, 0), e);
}

static drh_status read_float(struct arrow_node *n, const struct flat_table *t, drh_error *e)
{
    const int64_t precision = flat_int(t, 0, 2, 0);

    return precision < 0 || precision > 2 ? no_type(e)
                                          : fixed(n, COL_SHOW_FLOAT, (int64_t)16 << precision, e);
}

static drh_status read_decimal(struct arrow_node *n, const struct flat_table *t, drh_error *e)
{
    const int64_t scale = flat_int(t, 1, 4, 0), bits = flat_int(t, 2, 4, 128);

    if (bits != 32 && bits != 64 && bits != 128 && bits != 256) {
        return no_type(e);
    }
    n->kind = ARROW_FIXED;
    n->show =
        (struct col_type){.form = COL_SHOW_DECIMAL, .width = (uint32_t)bits / 8, .little = true};
    if (scale < 0 || scale > MAX_SCALE) {
        n->refused = "decimals of such a scale are not read";
    } else {
        n->show.scale = (uint32_t)scale;
    }
    return DRH_OK;
}

/* A time in units of a second, a thousandth and so on. */
static drh_status read_time(struct arrow_node *n, const struct flat_table *t, enum col_form form,
                            int64_t unit, int64_t bits, drh_error *e)
{
    static const uint32_t per_second[] = {1, 1000, 1000000, 1000000000};
    const int64_t         u = flat_int(t, 0, 2, unit);

    if (u < 0 || u > 3) {
        return no_type(e);
    }
    n->show.per_second = per_second[u];
    return bits == 32 || bits == 64 ? fixed(n, form, bits, e) : no_type(e);
}

static drh_status read_date(struct arrow_node *n, const struct flat_table *t, drh_error *e)
{
    const int64_t unit = flat_int(t, 0, 2, 1);

    n->is_day = unit == 1;
    return unit != 0 && unit != 1 ? no_type(e) : fixed(n, COL_SHOW_DATE, unit == 0 ? 32 : 64, e);
}

static drh_status read_width(struct arrow_node *n, const struct flat_table *t, drh_error *e)
{
    const int64_t width = flat_int(t, 0, 4, 0);

    n->kind = ARROW_FIXED;
    n->show.form = COL_SHOW_BINARY;
    n->show.width = width > 0 ? (uint32_t)width : 0;
    return width >= 0 ? DRH_OK : no_type(e);
}

static drh_status read_items(struct arrow_node *n, const struct flat_table *t, drh_error *e)
{
    const int64_t items = flat_int(t, 0, 4, 0);

    n->kind = ARROW_FIXED_LIST;
    n->items = items > 0 ? (uint64_t)items : 0;
    return items >= 0 ? DRH_OK : no_type(e);
}

static drh_status bytes(struct arrow_node *n, enum arrow_kind kind, enum col_form form)
{
    n->kind = kind;
    n->show.form = form;
    return DRH_OK;
}

static drh_status nested(struct arrow_node *n, enum arrow_kind kind)
{
    n->kind = kind;
    return DRH_OK;
}

static drh_status refuse(struct arrow_node *n, enum arrow_kind kind, const char *why)
{
    n->kind = kind;
    n->refused = why;
    return DRH_OK;
}

/* Types that other types hold. */
static drh_status read_nested(struct arrow_node *n, int64_t type, const struct flat_table *t,
                              drh_error *e)
{
    n->is_large = type == T_LARGE_LIST || type == T_LARGE_LIST_VIEW;
    switch (type) {
    case T_LIST:
    case T_LARGE_LIST:
        return nested(n, ARROW_LIST);
    case T_LIST_VIEW:
    case T_LARGE_LIST_VIEW:
        return nested(n, ARROW_LIST_VIEW);
    case T_FIXED_LIST:
        return read_items(n, t, e);
    case T_MAP:
        return nested(n, ARROW_MAP);
    case T_STRUCT:
        return nested(n, ARROW_STRUCT);
    case T_UNION:
        n->is_dense = flat_int(t, 0, 2, 0) == 1;
        return refuse(n, ARROW_UNION, "unions are not read");
    case T_RUNS:
        return refuse(n, ARROW_RUNS, "run-end encoded values are not read");
    default:
        return no_type(e);
    }
}

static drh_status read_interval(struct arrow_node *n, const struct flat_table *t, drh_error *e)
{
    const int64_t unit = flat_int(t, 0, 2, 0);

    n->kind = ARROW_FIXED;
    n->show.form = COL_SHOW_NULL;
    n->show.width = unit == 0 ? 4 : unit == 1 ? 8 : 16;
    n->refused = "intervals are not read";
    return unit < 0 || unit > 2 ? no_type(e) : DRH_OK;
}

static drh_status read_type(struct arrow_node *n, int64_t type, const struct flat_table *t,
                            drh_error *e)
{
    n->is_large = type == T_LARGE_BINARY || type == T_LARGE_UTF8;
    switch (type) {
    case T_NULL:
        return bytes(n, ARROW_NULL, COL_SHOW_NULL);
    case T_INT:
        return read_int(n, t, e);
    case T_FLOAT:
        return read_float(n, t, e);
    case T_BINARY:
    case T_LARGE_BINARY:
        return bytes(n, ARROW_BYTES, COL_SHOW_BINARY);
    case T_UTF8:
    case T_LARGE_UTF8:
        return bytes(n, ARROW_BYTES, COL_SHOW_TEXT);
    case T_BINARY_VIEW:
        return bytes(n, ARROW_VIEW, COL_SHOW_BINARY);
    case T_UTF8_VIEW:
        return bytes(n, ARROW_VIEW, COL_SHOW_TEXT);
    case T_BOOL:
        return bytes(n, ARROW_BIT, COL_SHOW_BOOL);
    case T_DECIMAL:
        return read_decimal(n, t, e);
    case T_DATE:
        return read_date(n, t, e);
    case T_TIME:
        return read_time(n, t, COL_SHOW_TIME, 1, flat_int(t, 1, 4, 32), e);
    case T_TIMESTAMP:
        n->show.utc = flat_text(t, 1).len > 0;
        return read_time(n, t, COL_SHOW_TIMESTAMP, 0, 64, e);
    case T_DURATION: /* a number, as in Parquet */
        return fixed(n, COL_SHOW_INT, 64, e);
    case T_INTERVAL:
        return read_interval(n, t, e);
    case T_FIXED_BINARY:
        return read_width(n, t, e);
    default:
        return read_nested(n, type, t, e);
    }
}

/* Extension types are shown as what they are stored as, but for two that mean more. */
static void by_extension(struct arrow_node *n, const struct flat_table *field)
{
    const struct flat_vector pairs = flat_list(field, 6, 4);

    for (uint32_t i = 0; i < pairs.n && i < MAX_PAIRS; i++) {
        const struct flat_table pair = flat_item(&pairs, i);
        const drh_str           value = flat_text(&pair, 1);

        if (!drh_str_eq(flat_text(&pair, 0), "ARROW:extension:name")) {
            continue;
        }
        if (drh_str_eq(value, "arrow.json") && n->show.form == COL_SHOW_TEXT) {
            n->show.form = COL_SHOW_JSON;
        } else if (drh_str_eq(value, "arrow.uuid") && n->kind == ARROW_FIXED &&
                   n->show.form == COL_SHOW_BINARY && n->show.width == 16) {
            n->show.form = COL_SHOW_UUID;
        }
    }
}

drh_status arrow_type_read(struct arrow_node *n, const struct flat_table *field, drh_error *e)
{
    const struct flat_table t = flat_child(field, 3);
    drh_status              st = read_type(n, flat_int(field, 2, 1, 0), &t, e);

    if (st == DRH_OK) {
        by_extension(n, field);
    }
    return st;
}
