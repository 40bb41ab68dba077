/* SPDX-License-Identifier: MIT
 * row.h - the record that a row becomes: values in the forms of README.md, through the host's
 * builder.
 *
 * A row that cannot be shown is noted as bad, and what comes after it is not put any more, so that
 * whoever walks the columns walks them to the row's end all the same. */
#ifndef PQ_ROW_H
#define PQ_ROW_H

#include "values.h"

enum { PQ_MAX_ROW = 64 << 20 }; /* bytes: the most that the host takes */

struct pq_row {
    const drh_host       *host;
    const drh_record_api *api;
    struct pq_file       *file;
    struct pq_block       text; /* owned: a value's text where it is long */
    drh_record           *slot;
    uint64_t              size;
    const char           *bad; /* reason code; NULL: it is good */
    char                  why[600];
};

/* All of these: DRH_OK also when the row is bad; else no memory, with a message. */
drh_status pq_row_begin(struct pq_row *row, uint32_t type, drh_error *e);
drh_status pq_row_end(struct pq_row *row, drh_error *e);
drh_status pq_row_key(struct pq_row *row, drh_str name, drh_error *e);
drh_status pq_row_null(struct pq_row *row, drh_error *e);
drh_status pq_row_value(struct pq_row *row, const char *column, const struct pq_type *type,
                        const struct pq_value *v, drh_error *e);
/* The key of a map, a text. */
drh_status pq_row_map_key(struct pq_row *row, const char *column, const struct pq_value *v,
                          drh_error *e);
void       pq_row_bad(struct pq_row *row, const char *reason, const char *column, const char *why);

/* A text without more ado; false: pq_row_value() knows what is wrong with it. */
static inline bool pq_row_text(struct pq_row *row, const struct pq_value *v)
{
    uint64_t size = row->size + v->n + 4;

    if (row->bad || size > PQ_MAX_ROW ||
        row->api->put_str(row->slot, (const char *)v->p, v->n) != DRH_OK) {
        return false;
    }
    row->size = size;
    return true;
}

#endif
