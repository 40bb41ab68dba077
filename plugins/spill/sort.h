/* SPDX-License-Identifier: MIT
 *
 * sort.h - sorts any number of items of one size within a fixed amount of memory.  What does not
 * fit goes to one temporary file that has no name, so that nothing is left of it whatever happens.
 * Items are compared as bytes: numbers in them are big-endian (sort_put64).  Equal items come once.
 * One thread.
 */
#ifndef SPILL_SORT_H
#define SPILL_SORT_H

#include <drh/util.h>

enum { SORT_ITEM = 32 }; /* largest item */

struct sort;

/* folder: where the temporary file goes; memory: bytes for items, as much again while they are
 * sorted.  NULL: out of memory. */
struct sort *sort_new(const drh_host *h, const char *folder, size_t item, size_t memory);
void         sort_free(struct sort *s); /* NULL is fine */
drh_status   sort_put(struct sort *s, const void *item, drh_error *e);
/* After the last sort_put.  DRH_OK with the next item, DRH_END after the last one. */
drh_status sort_next(struct sort *s, void *item, drh_error *e);

static inline void sort_put64(uint8_t *at, uint64_t v)
{
    for (int i = 0; i < 8; i++) {
        at[i] = (uint8_t)(v >> (56 - 8 * i));
    }
}

static inline uint64_t sort_get64(const uint8_t *at)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) {
        v = v << 8 | at[i];
    }
    return v;
}

/* Another temporary file without a name in that folder; -1 with *e filled. */
int sort_temporary(const char *folder, drh_error *e);
/* All of it, at that place. */
drh_status sort_pread(int fd, void *to, size_t len, uint64_t at, drh_error *e);

#endif
