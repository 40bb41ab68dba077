/* SPDX-License-Identifier: MIT
 * rows.h - the rows of one raw file, through a reader plugin.
 *
 * One thread at a time; every call into the plugin goes where its instance wants it (PINNED: its
 * own thread).  A reader is free to be wrong: an unknown status, a row left open, a position that
 * leads nowhere end the run with a message, not the host. */
#ifndef CORE_ROWS_H
#define CORE_ROWS_H

#include "arena.h"
#include "host.h"
#include "input.h"
#include "record.h"

/* What tell() gave; len 0: it gives none, rows are counted instead. */
struct row_mark {
    uint32_t len;
    uint8_t  bytes[DRH_POSITION_MAX];
};

struct rows;

/* At row `row`, which `mark` stands for.  A file that the reader finds damaged opens, and gives
 * that as its one item. */
drh_status rows_open(struct rows **out, struct instance *in, const char *path, uint64_t row,
                     const struct row_mark *mark, drh_error *e);
/* DRH_OK with *item and, in the arena, *rec: kept, dropped or failed ("damaged_file": nothing comes
 * after it).  item->len is about the record's size.  DRH_END, or an error that ends the run. */
drh_status rows_next(struct rows *r, struct arena *a, const struct origin *o, uint64_t key,
                     struct input_item *item, struct drh_record **rec, drh_error *e);
/* The place after the last row that was given; none when nothing comes after it. */
drh_status rows_tell(struct rows *r, struct row_mark *mark, drh_error *e);
void       rows_close(struct rows *r); /* NULL is fine */

#endif
