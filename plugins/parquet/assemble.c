/* SPDX-License-Identifier: MIT
 * assemble.c - see assemble.h. */
#include "assemble.h"

enum { POLL = 1 << 16 }; /* entries */

/* What the next entry of each column below must be. */
struct place {
    uint32_t rep;
    uint32_t floor; /* what is above is there: no lower definition level */
};

static drh_status contradiction(const struct pq_column *c, drh_error *e)
{
    (void)drh_fail(e, DRH_E_DATA, "its levels contradict those of the columns beside it" COL_AGAIN);
    return pq_column_error(c, e);
}

/* The next entry's definition level. */
static inline drh_status look(struct pq_column *c, struct place at, uint32_t *def, drh_error *e)
{
    drh_status st = pq_column_peek(c, e);

    *def = 0;
    if (st != DRH_OK) {
        if (st == DRH_END) {
            (void)drh_fail(e, DRH_E_DATA, "it has fewer rows than its row group" COL_AGAIN);
            return pq_column_error(c, e);
        }
        return st;
    }
    *def = c->def[c->i];
    return c->rep[c->i] == at.rep && *def >= at.floor ? DRH_OK : contradiction(c, e);
}

/* One entry of every column below n: nothing is there, from level `def` on. */
static drh_status pass(const struct pq_node *n, struct place at, uint32_t def, drh_error *e)
{
    uint32_t   got;
    drh_status st = DRH_OK;

    if (n->kind == PQ_VALUE) {
        st = look(n->column, at, &got, e);
        if (st == DRH_OK && got != def) {
            st = contradiction(n->column, e);
        }
        n->column->i += st == DRH_OK;
        return st;
    }
    for (const struct pq_node *c = n->child; st == DRH_OK && c; c = c->next) {
        st = c->wanted ? pass(c, at, def, e) : DRH_OK;
    }
    return st;
}

/* Takes the value of the entry that was looked at. */
static drh_status take(struct pq_column *c, struct col_value *v, drh_error *e)
{
    drh_status st = pq_values_next(&c->values, v, e);

    c->i++;
    return st == DRH_OK ? DRH_OK : pq_column_error(c, e);
}

static drh_status put_any(struct col_row *row, const struct pq_node *n, struct place at,
                          drh_error *e);

static drh_status put_value(struct col_row *row, const struct pq_node *n, struct place at,
                            drh_error *e)
{
    struct pq_column *c = n->column;
    struct col_value  v;
    uint32_t          def;
    drh_status        st = look(c, at, &def, e);

    if (st != DRH_OK) {
        return st;
    }
    if (def < c->max_def) {
        c->i++;
        return col_row_null(row, e);
    }
    st = take(c, &v, e);
    if (st != DRH_OK) {
        return st;
    }
    return n->type.show.form == COL_SHOW_TEXT && col_row_text(row, &v)
               ? DRH_OK
               : col_row_value(row, c->name, &n->type.show, &v, e);
}

static drh_status put_members(struct col_row *row, const struct pq_node *n, struct place at,
                              drh_error *e)
{
    drh_status st = DRH_OK;

    for (const struct pq_node *c = n->child; st == DRH_OK && c; c = c->next) {
        if (c->wanted) {
            st = col_row_key(row, c->name, e);
            st = st == DRH_OK ? put_any(row, c, at, e) : st;
        }
    }
    return st;
}

/* ---- lists and maps ---- */

static drh_status put_text_key(struct col_row *row, const struct pq_node *key, struct place at,
                               drh_error *e)
{
    struct pq_column *c = key->column;
    struct col_value  v;
    uint32_t          def;
    drh_status        st = look(c, at, &def, e);

    if (st != DRH_OK) {
        return st;
    }
    if (def < c->max_def) {
        c->i++;
        col_row_bad(row, "null_key", c->name, "a key of a map is null");
        return DRH_OK;
    }
    st = take(c, &v, e);
    return st == DRH_OK ? col_row_map_key(row, c->name, &v, e) : st;
}

static drh_status put_pair(struct col_row *row, const struct pq_node *map, struct place at,
                           drh_error *e)
{
    const struct pq_node *key = map->child->child;
    drh_status            st;

    if (map->text_keys) {
        st = put_text_key(row, key, at, e);
        return st == DRH_OK ? put_any(row, key->next, at, e) : st;
    }
    st = col_row_begin(row, DRH_T_ARRAY, e);
    st = st == DRH_OK ? put_any(row, key, at, e) : st;
    st = st == DRH_OK ? put_any(row, key->next, at, e) : st;
    return st == DRH_OK ? col_row_end(row, e) : st;
}

/* Is there another item after the one that was put? */
static drh_status more_items(const struct pq_node *n, bool *more, drh_error *e)
{
    struct pq_column *c = n->column;
    drh_status        st = pq_column_peek(c, e);

    *more = st == DRH_OK && c->rep[c->i] >= n->rep;
    return st == DRH_END ? DRH_OK : st;
}

static drh_status put_items(struct col_row *row, const struct pq_node *n, struct place at,
                            drh_error *e)
{
    uint64_t   items = 0;
    bool       more = true;
    drh_status st = DRH_OK;

    at.floor = n->item_def;
    while (st == DRH_OK && more) {
        st = n->kind == PQ_MAP ? put_pair(row, n, at, e) : put_any(row, n->child, at, e);
        at.rep = n->rep;
        st = st == DRH_OK ? more_items(n, &more, e) : st;
        if (++items % POLL == 0 && row->host->cancelled(row->host)) {
            return drh_fail(e, DRH_E_CANCELLED, "stopped");
        }
    }
    return st;
}

/* ---- anything ---- */

static drh_status put_group(struct col_row *row, const struct pq_node *n, struct place at,
                            drh_error *e)
{
    uint32_t   def;
    bool       is_object = n->kind == PQ_STRUCT || (n->kind == PQ_MAP && n->text_keys);
    drh_status st = look(n->column, at, &def, e);

    if (st != DRH_OK) {
        return st;
    }
    if (def < n->def) {
        st = pass(n, at, def, e);
        return st == DRH_OK ? col_row_null(row, e) : st;
    }
    st = col_row_begin(row, is_object ? DRH_T_OBJECT : DRH_T_ARRAY, e);
    if (st != DRH_OK) {
        return st;
    }
    at.floor = n->def;
    if (n->kind == PQ_STRUCT) {
        st = put_members(row, n, at, e);
    } else if (def < n->item_def) {
        st = pass(n, at, def, e);
    } else {
        st = put_items(row, n, at, e);
    }
    return st == DRH_OK ? col_row_end(row, e) : st;
}

static drh_status put_any(struct col_row *row, const struct pq_node *n, struct place at,
                          drh_error *e)
{
    return n->kind == PQ_VALUE ? put_value(row, n, at, e) : put_group(row, n, at, e);
}

drh_status pq_assemble(struct col_row *row, const struct pq_node *root, drh_error *e)
{
    return put_members(row, root, (struct place){0, 0}, e);
}
