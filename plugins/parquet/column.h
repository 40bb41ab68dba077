/* SPDX-License-Identifier: MIT
 * column.h - one column of a row group as a stream of entries: two levels, and a value when the
 * definition level is the highest.  One page is in memory, and the dictionary. */
#ifndef PQ_COLUMN_H
#define PQ_COLUMN_H

#include "meta.h"
#include "values.h"

struct pq_column {
    struct col_file      *file;
    struct pq_unpack     *unpack; /* the stream's */
    const struct pq_node *leaf;
    char                  name[128]; /* for messages: "messages.content", cut when it is longer */
    uint32_t              group;
    uint32_t              max_def, max_rep;
    uint64_t              data_end;
    struct pq_chunk       chunk;
    uint64_t              at;   /* the next page */
    uint64_t              left; /* entries in pages that were not begun */
    struct pq_dictionary  dictionary;
    struct col_block      bytes, levels; /* owned: the page, the two below */
    struct pq_page        page;
    uint32_t              page_left; /* entries of the page that are not in the batch yet */
    struct pq_rle         def_runs, rep_runs;
    const uint32_t       *def, *rep; /* the batch: n entries, i is the one that is next */
    uint32_t              i, n;
    struct pq_values      values;
};

/* Memory for levels; c->file, unpack, leaf, name and data_end are set, the rest is 0. */
drh_status pq_column_init(struct pq_column *c, drh_error *e);
void       pq_column_free(struct pq_column *c);
/* To the beginning of the column in another row group. */
drh_status pq_column_open(struct pq_column *c, uint32_t group, const struct pq_chunk *chunk,
                          drh_error *e);
/* Past the first n rows of the row group, right after opening; pages that hold no others stay
 * unread. */
drh_status pq_column_skip(struct pq_column *c, uint64_t n, drh_error *e);
/* More entries into the batch.  DRH_END: there are none. */
drh_status pq_column_fill(struct pq_column *c, drh_error *e);
/* "row group 3, column text: " before the message.  Returns e->code. */
drh_status pq_column_error(const struct pq_column *c, drh_error *e);

/* Makes def[i] and rep[i] the next entry's. */
static inline drh_status pq_column_peek(struct pq_column *c, drh_error *e)
{
    return c->i < c->n ? DRH_OK : pq_column_fill(c, e);
}

#endif
