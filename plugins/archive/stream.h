/* SPDX-License-Identifier: MIT
 * stream.h - the records of an archive, from a position on.  A position is MEMBER:HEADER:OFFSET:
 * LINE:FORM: the member's number and where it begins in a tar archive, and where in its text. */
#ifndef ARCHIVE_STREAM_H
#define ARCHIVE_STREAM_H

#include "archive_in.h"
#include "values.h"

struct archive_stream;

drh_status archive_stream_open(struct archive_stream **out, const struct archive_options *o,
                               const char *path, const drh_str *position, drh_error *e);
void       archive_stream_close(struct archive_stream *s);
drh_status archive_stream_next(struct archive_stream *s, drh_record *slot, drh_error *e);
drh_str    archive_stream_tell(struct archive_stream *s); /* valid until the next call */

#endif
