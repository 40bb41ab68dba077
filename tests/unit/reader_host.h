/* SPDX-License-Identifier: MIT
 *
 * reader_host.h - a host for one bundled reader and one file at a time: core's records, values and
 * configurations, and memory that is counted and can run out.  Aborts when anything is refused that
 * a host would not refuse.  One thread.
 */
#ifndef READER_HOST_H
#define READER_HOST_H

#include "record.h"

struct reader_host;

extern size_t reader_allocs;  /* of the plugin, counted from the last reader_new() on */
extern size_t reader_fail_at; /* which of them fails; 0: none */
extern size_t reader_blocks;  /* that are open */

/* An instance of the entry's first stage with options as JSON text; NULL with *e filled. */
struct reader_host *reader_new(const drh_entry *entry, const char *options, drh_error *e);
void                reader_free(struct reader_host *h);
/* position NULL: the start.  A file that is open is closed. */
drh_status reader_open(struct reader_host *h, const char *path, const char *position, drh_error *e);
void       reader_close(struct reader_host *h);
/* A row as JSON, or "fail:REASON: DETAIL", "drop:REASON: DETAIL", "open" for one that was left so;
 * NULL with *st when there is none.  Valid until the next call. */
const char *reader_next(struct reader_host *h, drh_status *st, drh_error *e);
/* Bytes of the record's text, without writing it. */
size_t reader_size(struct reader_host *h, drh_status *st, drh_error *e);
/* Valid until the next call. */
const char *reader_tell(struct reader_host *h);

#endif
