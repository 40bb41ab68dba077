/* SPDX-License-Identifier: MIT
 * delta.h - DELTA_BINARY_PACKED: blocks of differences, a few at a time.  Bytes in memory; what is
 * read stays inside of them. */
#ifndef PQ_DELTA_H
#define PQ_DELTA_H

#include "../columns/file.h"

enum { PQ_DELTA_BATCH = 64 };

struct pq_delta {
    const uint8_t *p, *end;
    const uint8_t *widths; /* of the block's miniblocks */
    const uint8_t *packed; /* of the miniblock */
    uint64_t       last, min_delta;
    uint32_t       per_mini, minis;
    uint32_t       mini;           /* the next one of the block */
    uint32_t       in_mini, width; /* values of the miniblock that were not given, their bits */
    uint32_t       done;           /* and those that were */
    uint64_t       left;           /* values of all that were not given */
    bool           first;          /* the first one is in the header */
    int64_t        batch[PQ_DELTA_BATCH];
    uint32_t       at, n; /* of the batch */
};

/* False: the header makes no sense. */
bool pq_delta_open(struct pq_delta *d, const uint8_t *p, size_t n);
/* Where the bytes of all values end, without giving them; NULL: they are damaged. */
const uint8_t *pq_delta_end(const struct pq_delta *d);
/* False: no more values, or the bytes end. */
bool pq_delta_fill(struct pq_delta *d);

static inline bool pq_delta_next(struct pq_delta *d, int64_t *v)
{
    if (d->at == d->n && !pq_delta_fill(d)) {
        return false;
    }
    *v = d->batch[d->at++];
    return true;
}

#endif
