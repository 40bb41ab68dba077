/* SPDX-License-Identifier: MIT
 * row.h - the record that a row becomes: values in the forms of README.md, through the host's
 * builder.
 *
 * A row that cannot be shown is noted as bad, and what comes after it is not put any more, so that
 * whoever walks the columns walks them to the row's end all the same. */
#ifndef COL_ROW_H
#define COL_ROW_H

#include "show.h"

enum { COL_MAX_ROW = 64 << 20 }; /* bytes: the most that the host takes */

struct col_row {
    const drh_host       *host;
    const drh_record_api *api;
    struct col_file      *file;
    struct col_block      text; /* owned: a value's text where it is long */
    drh_record           *slot;
    uint64_t              size;
    const char           *bad; /* reason code; NULL: it is good */
    char                  why[600];
};

/* All of these: DRH_OK also when the row is bad; else no memory, with a message. */
drh_status col_row_begin(struct col_row *row, uint32_t type, drh_error *e);
drh_status col_row_end(struct col_row *row, drh_error *e);
drh_status col_row_key(struct col_row *row, drh_str name, drh_error *e);
drh_status col_row_null(struct col_row *row, drh_error *e);
drh_status col_row_value(struct col_row *row, const char *column, const struct col_type *type,
                         const struct col_value *v, drh_error *e);
/* The key of a map, a text. */
drh_status col_row_map_key(struct col_row *row, const char *column, const struct col_value *v,
                           drh_error *e);
/* Closes the record, and keeps or fails it. */
drh_status col_row_settle(struct col_row *row, drh_error *e);
void col_row_bad(struct col_row *row, const char *reason, const char *column, const char *why);

/* A text without more ado; false: col_row_value() knows what is wrong with it. */
static inline bool col_row_text(struct col_row *row, const struct col_value *v)
{
    uint64_t size = row->size + v->n + 4;

    if (row->bad || size > COL_MAX_ROW ||
        row->api->put_str(row->slot, (const char *)v->p, v->n) != DRH_OK) {
        return false;
    }
    row->size = size;
    return true;
}

#endif
