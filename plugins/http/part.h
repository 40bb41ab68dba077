/* SPDX-License-Identifier: MIT
 * part.h - a file on its way: KEY.part holds its bytes at their places, KEY.journal says which
 * blocks of them are there.  KEY comes from the file's name, so it is short and harmless.
 *
 * After `kill -9` the blocks that were written are believed; after a crash of the machine, or on
 * another one, those that had been forced to disk.  Whatever is believed, the digest of the whole
 * has the last word.
 *
 * part_open, part_sync and part_remove may wait for the disk.  part_write and part_mark are the
 * network thread's; part_sync may run beside them. */
#ifndef HTTP_PART_H
#define HTTP_PART_H

#include <drh/fetch.h>
#include <drh/util.h>

#include <stdbool.h>

enum { PART_BLOCK = 512 << 10, PART_KEY = 33 };

struct part {
    const drh_host *host;
    int             state; /* folder; not owned */
    int             fd, journal;
    char            key[PART_KEY];
    uint64_t        size;
    uint64_t        n_blocks;
    uint8_t        *written; /* bits; owned */
    uint8_t        *synced;  /* bits that part_sync is about to write; owned */
    uint64_t        left;    /* blocks that are missing */
    uint64_t        whole;   /* bytes from the start without a gap; atomic */
    bool            anew;    /* nothing of an earlier run was there */
};

/* Opens what an earlier run left of the same name, size and digest, or makes new ones of `size`
 * bytes, for which the disk must have room. */
drh_status part_open(struct part *p, const drh_host *h, int state, const drh_fetch_file *f,
                     uint64_t size, drh_error *e);
void       part_close(struct part *p);  /* keeps both files */
void       part_remove(struct part *p); /* closes too */
/* The part has its final name by now: only the journal is left to remove. */
void       part_done(struct part *p);
drh_status part_reset(struct part *p, drh_error *e); /* nothing is there any more */
/* A part that was opened with size 0 since nobody knew better has come to its end. */
drh_status part_end(struct part *p, uint64_t size, drh_error *e);

drh_status part_write(struct part *p, uint64_t at, const void *bytes, size_t n, drh_error *e);
/* Bytes from..to are written: the whole blocks in them are there.  False: the journal could not say
 * so, which costs them only after a kill. */
bool     part_mark(struct part *p, uint64_t from, uint64_t to);
bool     part_has(const struct part *p, uint64_t block);
uint64_t part_whole(const struct part *p); /* [any] */
/* Forces to disk what is written, then notes it. */
drh_status part_sync(struct part *p, drh_error *e);

#endif
