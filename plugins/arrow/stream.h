/* SPDX-License-Identifier: MIT
 * stream.h - the rows of an Arrow file or stream, from a position on, "BATCH:ROW". */
#ifndef ARROW_STREAM_H
#define ARROW_STREAM_H

#include "assemble.h"
#include "batch.h"

struct arrow_options {
    const drh_host   *host;
    const drh_config *config; /* columns, without */
    size_t            memory;
};

struct arrow_stream;

drh_status arrow_stream_open(struct arrow_stream **out, const struct arrow_options *o,
                             const char *path, const drh_str *position, drh_error *e);
void       arrow_stream_close(struct arrow_stream *s);
drh_status arrow_stream_next(struct arrow_stream *s, drh_record *slot, drh_error *e);
drh_str    arrow_stream_tell(struct arrow_stream *s); /* valid until the next call */

#endif
