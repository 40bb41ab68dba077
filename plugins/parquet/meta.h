/* SPDX-License-Identifier: MIT
 * meta.h - a file's footer: the schema, its row groups, and where their columns are.
 *
 * The footer stays in memory as it is; what it says of the columns of a row group is read when that
 * group is.  Statistics, key-value metadata and indexes are passed over. */
#ifndef PQ_META_H
#define PQ_META_H

#include "schema.h"

struct pq_group {
    uint64_t rows;
    uint64_t at; /* of its struct in the footer */
};

struct pq_meta {
    struct col_file *file;
    struct col_block footer, groups; /* owned */
    size_t           footer_len;
    uint64_t         data_end; /* where the footer begins */
    struct pq_schema schema;
    uint32_t         n_groups;
};

/* A column of a row group. */
struct pq_chunk {
    uint64_t at;     /* its first page */
    uint64_t values; /* with nulls, all pages together */
    uint32_t codec;
};

/* m->file is open.  DRH_E_DATA with what is wrong. */
drh_status pq_meta_read(struct pq_meta *m, drh_error *e);
void       pq_meta_free(struct pq_meta *m);

const struct pq_group *pq_meta_group(const struct pq_meta *m, uint32_t g);
/* Called for each column that is wanted, in order; *c is gone after it. */
typedef drh_status (*pq_chunk_fn)(const struct pq_node *leaf, const struct pq_chunk *c, uint32_t g,
                                  drh_error *e);
drh_status pq_meta_chunks(const struct pq_meta *m, uint32_t g, pq_chunk_fn fn, drh_error *e);

#endif
