/* SPDX-License-Identifier: MIT
 * rle.c - see rle.h. */
#include "rle.h"

uint32_t pq_bits_of(uint32_t max)
{
    uint32_t n = 0;

    for (; max; max >>= 1) {
        n++;
    }
    return n;
}

bool pq_rle_open(struct pq_rle *r, const uint8_t *p, size_t n, uint32_t width)
{
    memset(r, 0, sizeof(*r));
    r->p = p;
    r->end = p + n;
    r->width = width;
    return width <= 32;
}

bool pq_rle_open_bits(struct pq_rle *r, const uint8_t *p, size_t n, uint32_t width)
{
    uint64_t values = width ? (uint64_t)n * 8 / width : UINT32_MAX;

    (void)pq_rle_open(r, p, n, width);
    r->is_bits = true;
    r->packed = p;
    r->left = values < UINT32_MAX ? (uint32_t)values : UINT32_MAX;
    r->p = r->end;
    return width <= 32;
}

/* The next run's head; false: there is none.  A run may be empty. */
static bool next_run(struct pq_rle *r)
{
    uint64_t head = 0;
    uint32_t shift = 0, bytes = (r->width + 7) / 8;
    uint8_t  b;

    do {
        if (r->p == r->end || shift > 28) {
            return false;
        }
        b = *r->p++;
        head |= (uint64_t)(b & 0x7f) << shift;
        shift += 7;
    } while (b & 0x80);
    r->packed = NULL;
    r->done = 0;
    if (head & 1) {
        uint64_t size = (head >> 1) * r->width, there = (uint64_t)(r->end - r->p);

        if (head >> 1 > UINT32_MAX / 8) {
            return false;
        }
        /* some writers leave out the padding of the last group */
        r->left =
            (uint32_t)(size <= there || r->width == 0 ? (head >> 1) * 8 : there * 8 / r->width);
        r->packed = r->p;
        r->p += size < there ? size : there;
        return true;
    }
    if (bytes > (size_t)(r->end - r->p)) {
        return false;
    }
    r->value = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        r->value |= (uint32_t)*r->p++ << i * 8;
    }
    r->left = (uint32_t)(head >> 1);
    return true;
}

/* 8 bytes from p on, zeros behind the end. */
static uint64_t load(const uint8_t *p, const uint8_t *end)
{
    uint8_t text[8] = {0};
    size_t  n = (size_t)(end - p);

    if (n >= 8) {
        return col_u64(p);
    }
    memcpy(text, p, n);
    return col_u64(text);
}

static void unpack(const struct pq_rle *r, uint32_t *out, size_t n)
{
    uint64_t bit = (uint64_t)r->done * r->width, mask = ((uint64_t)1 << r->width) - 1;

    for (size_t i = 0; i < n; i++, bit += r->width) {
        out[i] = (uint32_t)(load(r->packed + bit / 8, r->end) >> bit % 8 & mask);
    }
}

static void unpack_bits(const struct pq_rle *r, uint32_t *out, size_t n)
{
    uint64_t bit = (uint64_t)r->done * r->width;

    for (size_t i = 0; i < n; i++) {
        uint32_t v = 0;

        for (uint32_t k = 0; k < r->width; k++, bit++) {
            v = v << 1 | (r->packed[bit / 8] >> (7 - bit % 8) & 1);
        }
        out[i] = v;
    }
}

size_t pq_rle_get(struct pq_rle *r, uint32_t *out, size_t n)
{
    size_t got = 0;

    while (got < n) {
        size_t k = n - got;

        if (r->left == 0 && (r->is_bits || !next_run(r))) {
            break;
        }
        k = k < r->left ? k : r->left;
        if (!r->packed) {
            for (size_t i = 0; i < k; i++) {
                out[got + i] = r->value;
            }
        } else if (r->width == 0) {
            memset(out + got, 0, k * sizeof(*out));
        } else if (r->is_bits) {
            unpack_bits(r, out + got, k);
        } else {
            unpack(r, out + got, k);
        }
        r->done += (uint32_t)k;
        r->left -= (uint32_t)k;
        got += k;
    }
    return got;
}

bool pq_rle_zeros(const struct pq_rle *r, uint64_t n, uint64_t *zeros)
{
    struct pq_rle walk = *r;

    *zeros = 0;
    while (n) {
        uint32_t out[64];
        size_t   k = sizeof(out) / sizeof(*out);

        if (walk.left == 0 && (walk.is_bits || !next_run(&walk))) {
            return false;
        }
        if (!walk.packed) { /* a run that may be very long */
            k = n < walk.left ? (size_t)n : walk.left;
            *zeros += walk.value == 0 ? k : 0;
            walk.left -= (uint32_t)k;
        } else {
            k = k < n ? k : (size_t)n;
            k = pq_rle_get(&walk, out, k < walk.left ? k : walk.left);
            for (size_t i = 0; i < k; i++) {
                *zeros += out[i] == 0;
            }
        }
        n -= k;
    }
    return true;
}
