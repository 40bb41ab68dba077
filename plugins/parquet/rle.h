/* SPDX-License-Identifier: MIT
 * rle.h - runs and bit-packed groups: levels, dictionary indexes, booleans.  Bytes in memory; what
 * is read stays inside of them. */
#ifndef PQ_RLE_H
#define PQ_RLE_H

#include "../columns/file.h"

struct pq_rle {
    const uint8_t *p, *end;
    const uint8_t *packed;  /* of a bit-packed run: its bytes */
    uint32_t       width;   /* bits of a value, at most 32 */
    uint32_t       left;    /* values of the run that were not given */
    uint32_t       done;    /* those of a bit-packed run that were */
    uint32_t       value;   /* of a plain run */
    bool           is_bits; /* the deprecated encoding BIT_PACKED: one run, highest bit first */
};

/* The hybrid of both.  False: the width is none. */
bool pq_rle_open(struct pq_rle *r, const uint8_t *p, size_t n, uint32_t width);
/* n values, one after another, from the highest bit of each byte on.  Older levels. */
bool pq_rle_open_bits(struct pq_rle *r, const uint8_t *p, size_t n, uint32_t width);
/* Up to n values; fewer only when the bytes end or make no sense. */
size_t pq_rle_get(struct pq_rle *r, uint32_t *out, size_t n);
/* How many of the next n values are 0, without giving them; false: there are fewer than n. */
bool pq_rle_zeros(const struct pq_rle *r, uint64_t n, uint64_t *zeros);
/* Bits that a number up to `max` takes. */
uint32_t pq_bits_of(uint32_t max);

#endif
