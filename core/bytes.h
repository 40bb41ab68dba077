/* SPDX-License-Identifier: MIT
 * bytes.h - the files that a byte-writing converter makes of one set of records: begin, write in
 * order, end; all of them get their final names, or none.
 *
 * Opened and committed by the calling thread; bytes_write by one thread at a time. */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include "host.h"
#include "manifest.h"
#include "sink.h"

struct bytes_set {
    struct instance *in;                   /* NULL: not open */
    char            *path[SINK_MAX_PARTS]; /* owned */
    struct drh_sink  sink;
};

/* The stage's suffixes; returns how many. */
size_t bytes_suffixes(const struct stage *s, const char *const **suffix);
/* BASE + suffix for each; exact: a single file is called BASE.  Then begin(). */
drh_status bytes_open(struct bytes_set *b, struct instance *in, const char *base, bool exact,
                      drh_error *e);
/* write(); what the sink could not write is an error whatever the stage answers. */
drh_status bytes_write(struct instance *in, struct drh_sink *sink, drh_record *const *r, size_t n,
                       drh_error *e);
/* end(), then final names; out (may be NULL) gets them, with paths of the set's. */
drh_status bytes_commit(struct bytes_set *b, struct manifest_output *out, drh_error *e);
void       bytes_close(struct bytes_set *b); /* removes what was not committed, frees */

#endif
