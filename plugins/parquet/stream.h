/* SPDX-License-Identifier: MIT
 * stream.h - the rows of a file from a position on.  A position is "GROUP:ROW", the next row by its
 * row group and its number in it. */
#ifndef PQ_STREAM_H
#define PQ_STREAM_H

#include "assemble.h"

struct pq_options {
    const drh_host   *host;
    const drh_config *config; /* "/columns", "/without" */
    size_t            memory; /* bytes */
};

struct pq_stream;

drh_status pq_stream_open(struct pq_stream **out, const struct pq_options *o, const char *path,
                          const drh_str *position, drh_error *e);
/* Settles the slot.  DRH_END, or DRH_E_DATA: nothing can be read from here on. */
drh_status pq_stream_next(struct pq_stream *s, drh_record *slot, drh_error *e);
drh_str    pq_stream_tell(struct pq_stream *s);  /* valid until the next call */
void       pq_stream_close(struct pq_stream *s); /* NULL is fine */

#endif
