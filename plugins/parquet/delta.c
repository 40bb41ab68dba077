/* SPDX-License-Identifier: MIT
 * delta.c - see delta.h. */
#include "delta.h"

static bool get_varint(struct pq_delta *d, uint64_t *v)
{
    *v = 0;
    for (uint32_t shift = 0; shift < 64; shift += 7) {
        uint8_t b;

        if (d->p == d->end) {
            return false;
        }
        b = *d->p++;
        *v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            return true;
        }
    }
    return false;
}

static uint64_t zigzag(uint64_t v)
{
    return v >> 1 ^ (0 - (v & 1));
}

bool pq_delta_open(struct pq_delta *d, const uint8_t *p, size_t n)
{
    uint64_t block, minis, first;

    memset(d, 0, sizeof(*d));
    d->p = p;
    d->end = p + n;
    if (!get_varint(d, &block) || !get_varint(d, &minis) || !get_varint(d, &d->left) ||
        !get_varint(d, &first)) {
        return false;
    }
    if (minis == 0 || minis > 4096 || block == 0 || block > 1 << 20 || block % minis != 0 ||
        block / minis % 8 != 0) {
        return false;
    }
    d->per_mini = (uint32_t)(block / minis);
    d->minis = d->mini = (uint32_t)minis;
    d->last = zigzag(first);
    d->first = true;
    return true;
}

/* The next miniblock; false: the bytes end.  The last one may be short. */
static bool next_mini(struct pq_delta *d)
{
    size_t size, there;

    if (d->mini == d->minis) {
        if (!get_varint(d, &d->min_delta) || d->minis > (size_t)(d->end - d->p)) {
            return false;
        }
        d->min_delta = zigzag(d->min_delta);
        d->widths = d->p;
        d->p += d->minis;
        d->mini = 0;
    }
    d->width = d->widths[d->mini++];
    size = (size_t)d->per_mini / 8 * d->width;
    there = (size_t)(d->end - d->p);
    d->packed = d->p;
    d->done = 0;
    d->in_mini = d->left < d->per_mini ? (uint32_t)d->left : d->per_mini;
    if (d->width > 64 || ((uint64_t)d->in_mini * d->width + 7) / 8 > there) {
        return false;
    }
    d->p += size < there ? size : there;
    return true;
}

const uint8_t *pq_delta_end(const struct pq_delta *d)
{
    struct pq_delta walk = *d;

    walk.left -= walk.first && walk.left > 0;
    while (walk.left) {
        if (!next_mini(&walk)) {
            return NULL;
        }
        walk.left -= walk.in_mini;
    }
    return walk.p;
}

/* `width` bits from bit `at` of the miniblock on. */
static uint64_t unpack(const struct pq_delta *d, uint64_t at)
{
    uint8_t        text[16] = {0};
    const uint8_t *p = d->packed + at / 8;
    size_t         n = (size_t)(d->end - p);
    uint32_t       shift = at % 8;
    uint64_t       v;

    if (n < 16) {
        memcpy(text, p, n);
        p = text;
    }
    v = col_u64(p) >> shift;
    if (shift + d->width > 64) {
        v |= (uint64_t)p[8] << (64 - shift);
    }
    return d->width == 64 ? v : v & (((uint64_t)1 << d->width) - 1);
}

bool pq_delta_fill(struct pq_delta *d)
{
    d->at = d->n = 0;
    if (d->first && d->left) {
        d->first = false;
        d->left--;
        d->batch[d->n++] = (int64_t)d->last;
        return true;
    }
    if (d->left == 0 || (d->in_mini == 0 && !next_mini(d))) {
        return false;
    }
    while (d->n < PQ_DELTA_BATCH && d->in_mini) {
        d->last += d->min_delta;
        d->last += d->width ? unpack(d, (uint64_t)d->done * d->width) : 0;
        d->batch[d->n++] = (int64_t)d->last;
        d->done++;
        d->in_mini--;
        d->left--;
    }
    return true;
}
