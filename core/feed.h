/* SPDX-License-Identifier: MIT
 * feed.h - the records of one shard, in order: rows of one or several files, or empty slots.
 * One thread at a time. */
#ifndef CORE_FEED_H
#define CORE_FEED_H

#include "input.h"
#include "record.h"
#include "rows.h"

struct reader;

/* A file of a data set; texts are the owner's. */
struct feed_file {
    const char    *path;   /* on this machine */
    struct origin  origin; /* file: as the data set names it */
    uint64_t       key;    /* what uids of its records are made of */
    uint64_t       size;
    struct reader *reader; /* the plan's; NULL: the host reads it, as JSON */
    bool           traced; /* before each record is a line of origin.h */
};

/* A place in a list of files. */
struct feed_pos {
    uint64_t         file;
    struct input_pos at;
    struct row_mark  mark; /* of a reader; set when the feed gave its last row */
};

struct feed {
    const struct feed_file *files;
    size_t                  n_files;
    struct feed_pos         pos;         /* of the next record; kept up to date */
    uint64_t                left;        /* rows that may still come */
    uint64_t                per_file;    /* most rows of each file; 0: all */
    uint64_t                slot;        /* slots: the next one */
    const struct origin    *slot_origin; /* not NULL: this feed gives slots, `left` of them */
    uint64_t                bytes;       /* read so far, for progress */
    struct input           *in;          /* open file of the host's own */
    uint64_t                in_read;
    struct rows            *rows; /* open file of a reader */
};

/* files: at `pos` (NULL: the start), at most `rows` rows (UINT64_MAX: all). */
void feed_files(struct feed *f, const struct feed_file *files, size_t n, const struct feed_pos *pos,
                uint64_t rows);
void feed_slots(struct feed *f, const struct origin *origin, uint64_t first, uint64_t n);
/* One record or refusal, or an empty slot. */
struct feed_item {
    struct input_item       in;   /* slots: in.row is the slot */
    const struct feed_file *file; /* slots: NULL */
    struct drh_record      *rec;  /* a reader's, settled, in the arena; NULL: the text is in `in` */
    drh_str                 from; /* of a traced file, in the arena; else {"",0} */
    uint64_t                from_line;
};

/* DRH_OK with *item, or DRH_END.  a: where records of readers are made. */
drh_status feed_next(struct feed *f, struct arena *a, struct feed_item *item, drh_error *e);
/* The reader that is at work now, or NULL. */
struct instance *feed_instance(const struct feed *f);
void             feed_close(struct feed *f);
/* Whether nothing is left (slots: all were given).  Ends the feed: looks ahead, pos stays right. */
bool feed_done(struct feed *f);

#endif
