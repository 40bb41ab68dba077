/* SPDX-License-Identifier: MIT
 * origin.h - lines of a file between two steps that say where the record in the next line came
 * from:
 *     {"from":"data/a.jsonl","line":17}
 * Pure functions. */
#ifndef CORE_ORIGIN_H
#define CORE_ORIGIN_H

#include "record.h"

/* The place that a record was first read at, or DRH_E_MISSING: nowhere. */
drh_status origin_of(const struct drh_record *r, drh_str *file, uint64_t *line);
/* Such a line for a record, its newline too. */
drh_status origin_put(struct buf *out, const struct drh_record *r);
/* Reads one; *file is in the arena, {"",0}: nowhere.  DRH_E_DATA: it is none. */
drh_status origin_take(struct arena *a, const char *text, size_t len, drh_str *file,
                       uint64_t *line);

#endif
