/* SPDX-License-Identifier: MIT
 * assemble.c - see assemble.h.  Once a row is bad nothing more of it is looked at: offsets may let
 * a few bytes ask for any number of values. */
#include "assemble.h"

enum { POLL = 1 << 16, VIEW = 16, VIEW_INLINE = 12 };

static drh_status wrong(const struct arrow_node *n, const char *why, drh_error *e)
{
    return drh_fail(e, DRH_E_DATA, "column %s: %s" COL_AGAIN, n->path, why);
}

static bool is_bit(const struct arrow_buffer *b, uint64_t i)
{
    return b->block.p[i / 8] >> i % 8 & 1;
}

static bool is_null(const struct arrow_node *n, uint64_t i)
{
    return n->kind == ARROW_NULL || (n->valid.n && !is_bit(&n->valid, i));
}

static uint64_t offset(const struct arrow_buffer *b, bool is_large, uint64_t i)
{
    return is_large ? col_u64(b->block.p + i * 8) : col_u32(b->block.p + i * 4);
}

/* What value i of a list, a map or a text takes of what is below it, which has `there`. */
static bool range(const struct arrow_node *n, uint64_t i, uint64_t there, uint64_t *from,
                  uint64_t *count)
{
    if (n->kind == ARROW_FIXED_LIST) { /* was compared already */
        *from = i * n->items;
        *count = n->items;
        return true;
    }
    *from = offset(&n->offsets, n->is_large, i);
    *count = n->kind == ARROW_LIST_VIEW ? offset(&n->sizes, n->is_large, i)
                                        : offset(&n->offsets, n->is_large, i + 1) - *from;
    return *from <= there && *count <= there - *from;
}

/* ---- values ---- */

static bool find_view(const struct arrow_node *n, uint64_t i, struct col_value *v)
{
    const uint8_t             *p = n->values.block.p + i * VIEW;
    const uint32_t             len = col_u32(p), at = col_u32(p + 12), k = col_u32(p + 8);
    const struct arrow_buffer *b;

    if (len <= VIEW_INLINE) {
        *v = (struct col_value){p + 4, len};
        return true;
    }
    b = k < n->n_views ? &n->view[k] : NULL;
    if (!b || at > b->n || len > b->n - at) {
        return false;
    }
    *v = (struct col_value){b->block.p + at, len};
    return true;
}

/* Value i, which is there; `made` is room for one that is not stored as it is shown. */
static bool find_value(const struct arrow_node *n, uint64_t i, struct col_value *v, uint8_t made[8])
{
    uint64_t from, count;

    if (n->kind == ARROW_BIT) {
        made[0] = is_bit(&n->values, i);
        *v = (struct col_value){made, 1};
        return true;
    }
    if (n->kind == ARROW_VIEW) {
        return find_view(n, i, v);
    }
    if (n->kind == ARROW_BYTES) {
        if (!range(n, i, n->values.n, &from, &count)) {
            return false;
        }
        *v = (struct col_value){n->values.block.p + from, (size_t)count};
        return true;
    }
    *v = (struct col_value){n->values.block.p + i * n->show.width, n->show.width};
    return true;
}

/* Milliseconds to days, towards the past. */
static void to_days(struct col_value *v, uint8_t made[8])
{
    const int64_t day = 86400000, ms = (int64_t)col_u64(v->p);
    const int64_t days = ms / day - (ms % day < 0);

    for (int i = 0; i < 8; i++) {
        made[i] = (uint8_t)((uint64_t)days >> i * 8);
    }
    v->p = made;
}

static drh_status put_value(struct col_row *row, const struct arrow_node *n, uint64_t i,
                            drh_error *e)
{
    struct col_value v;
    uint8_t          made[8];

    if (!find_value(n, i, &v, made)) {
        return wrong(n, "a text lies outside of its buffer", e);
    }
    if (n->is_day) {
        to_days(&v, made);
    }
    return n->show.form == COL_SHOW_TEXT && col_row_text(row, &v)
               ? DRH_OK
               : col_row_value(row, n->path, &n->show, &v, e);
}

/* To the value that an index of a dictionary means; false: there is none. */
static bool look_up(const struct arrow_node **n, uint64_t *i)
{
    const struct arrow_node *index = *n;
    const uint8_t           *p = index->values.block.p + *i * index->show.width;
    uint64_t                 at = 0;

    for (uint32_t k = 0; k < index->show.width; k++) {
        at |= (uint64_t)p[k] << k * 8;
    }
    index = index->same ? index->same : index;
    *n = index->child;
    for (const struct arrow_chunk *more = index->more; more && at >= (*n)->length;
         more = more->next) {
        at -= (*n)->length;
        *n = more->node;
    }
    *i = at;
    return (*n)->loaded && at < (*n)->length;
}

/* ---- what holds values ---- */

static drh_status put_any(struct col_row *row, const struct arrow_node *n, uint64_t i,
                          drh_error *e);

static drh_status put_members(struct col_row *row, const struct arrow_node *n, uint64_t i,
                              drh_error *e)
{
    drh_status st = DRH_OK;

    for (const struct arrow_node *c = n->child; st == DRH_OK && c && !row->bad; c = c->next) {
        if (c->wanted) {
            st = col_row_key(row, c->name, e);
            st = st == DRH_OK ? put_any(row, c, i, e) : st;
        }
    }
    return st;
}

static drh_status put_key(struct col_row *row, const struct arrow_node *key, uint64_t i,
                          drh_error *e)
{
    struct col_value v;
    uint8_t          made[8];
    bool             null = is_null(key, i);

    if (!null && key->kind == ARROW_DICTIONARY) {
        if (!look_up(&key, &i)) {
            return wrong(key, "an index leads out of its dictionary", e);
        }
        null = is_null(key, i);
    }
    if (null) {
        col_row_bad(row, "null_key", key->path, "a key of a map is null");
        return DRH_OK;
    }
    return find_value(key, i, &v, made) ? col_row_map_key(row, key->path, &v, e)
                                        : wrong(key, "a text lies outside of its buffer", e);
}

static drh_status put_pair(struct col_row *row, const struct arrow_node *map, uint64_t i,
                           drh_error *e)
{
    const struct arrow_node *key = map->child->child;
    drh_status               st;

    if (map->text_keys) {
        st = put_key(row, key, i, e);
        return st == DRH_OK ? put_any(row, key->next, i, e) : st;
    }
    st = col_row_begin(row, DRH_T_ARRAY, e);
    st = st == DRH_OK ? put_any(row, key, i, e) : st;
    st = st == DRH_OK ? put_any(row, key->next, i, e) : st;
    return st == DRH_OK ? col_row_end(row, e) : st;
}

static drh_status put_items(struct col_row *row, const struct arrow_node *n, uint64_t i,
                            drh_error *e)
{
    uint64_t   from, count;
    drh_status st = DRH_OK;

    if (!range(n, i, n->child->length, &from, &count)) {
        return wrong(n, "a list lies outside of its items", e);
    }
    for (uint64_t k = 0; st == DRH_OK && k < count && !row->bad; k++) {
        if (k % POLL == POLL - 1 && row->host->cancelled(row->host)) {
            return drh_fail(e, DRH_E_CANCELLED, "stopped");
        }
        st = n->kind == ARROW_MAP ? put_pair(row, n, from + k, e)
                                  : put_any(row, n->child, from + k, e);
    }
    return st;
}

static drh_status put_group(struct col_row *row, const struct arrow_node *n, uint64_t i,
                            drh_error *e)
{
    const bool is_object = n->kind == ARROW_STRUCT || (n->kind == ARROW_MAP && n->text_keys);
    drh_status st = col_row_begin(row, is_object ? DRH_T_OBJECT : DRH_T_ARRAY, e);

    if (st == DRH_OK) {
        st = n->kind == ARROW_STRUCT ? put_members(row, n, i, e) : put_items(row, n, i, e);
    }
    return st == DRH_OK ? col_row_end(row, e) : st;
}

static drh_status put_any(struct col_row *row, const struct arrow_node *n, uint64_t i, drh_error *e)
{
    if (row->bad) {
        return DRH_OK;
    }
    while (!is_null(n, i) && n->kind == ARROW_DICTIONARY) {
        if (!look_up(&n, &i)) {
            return wrong(n, "an index leads out of its dictionary", e);
        }
    }
    if (is_null(n, i)) {
        return col_row_null(row, e);
    }
    return n->child || n->kind == ARROW_STRUCT ? put_group(row, n, i, e) : put_value(row, n, i, e);
}

drh_status arrow_assemble(struct col_row *row, const struct arrow_node *root, uint64_t i,
                          drh_error *e)
{
    return put_members(row, root, i, e);
}
