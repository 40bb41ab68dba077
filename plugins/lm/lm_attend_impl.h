/* SPDX-License-Identifier: MIT
 *
 * lm_attend_impl.h - the two products of attention, included once an instruction set by
 * lm_math_impl.h with these defined:
 *   NATIVE   floats in a register
 *   MICRO    queries whose sums are held in registers, LM_QUERY_GROUP or a part of it
 * Keys and values are packed before, so that a step of a loop reads two registers of them and one
 * number of each query; all sums are over one index in order, so a query's bits are its own.
 */

typedef float nf __attribute__((vector_size(4 * NATIVE)));

enum { PAIR = 2 * NATIVE }; /* keys, or columns of values, at a time */

/* Loops over a block are unrolled, or its sums would live in memory. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration cannot have them */
#define EACH(i, n) _Pragma("GCC unroll 16") for (size_t i = 0; i < (n); i++)

static size_t room_for(size_t n)
{
    return (n + PAIR - 1) / PAIR * PAIR;
}

/* Blocks of PAIR keys, in each [size][PAIR]; the last one is filled up with zeros. */
static void pack_keys(const float *k, size_t n, size_t size, size_t stride, float *out)
{
    for (size_t at = 0; at < n; at += PAIR, out += size * PAIR) {
        const size_t m = n - at < PAIR ? n - at : PAIR;
        if (m < PAIR) {
            memset(out, 0, size * PAIR * sizeof(*out));
        }
        for (size_t i = 0; i < m; i++, k += stride) {
            for (size_t d = 0; d < size; d++) {
                out[d * PAIR + i] = k[d];
            }
        }
    }
}

/* Rows of room_for(size) columns, filled up with zeros. */
static void pack_values(const float *v, size_t n, size_t size, size_t stride, float *out)
{
    const size_t width = room_for(size);
    for (size_t i = 0; i < n; i++, v += stride, out += width) {
        memcpy(out, v, size * sizeof(*out));
        memset(out + size, 0, (width - size) * sizeof(*out));
    }
}

/* Groups of LM_QUERY_GROUP queries, in each [size][group]; times f. */
static void pack_queries(const float *q, size_t n, size_t size, size_t stride, float f, float *out)
{
    for (size_t at = 0; at < n; at += LM_QUERY_GROUP, out += size * LM_QUERY_GROUP) {
        const size_t m = n - at < LM_QUERY_GROUP ? n - at : LM_QUERY_GROUP;
        if (m < LM_QUERY_GROUP) {
            memset(out, 0, size * LM_QUERY_GROUP * sizeof(*out));
        }
        for (size_t i = 0; i < m; i++, q += stride) {
            for (size_t d = 0; d < size; d++) {
                out[d * LM_QUERY_GROUP + i] = q[d] * f;
            }
        }
    }
}

/* One block of keys for a group of queries: s[group][PAIR], rows lds apart. */
static void scores(const float *q, const float *k, size_t size, float *s, size_t lds)
{
    for (size_t g = 0; g < LM_QUERY_GROUP; g += MICRO, q += MICRO, s += MICRO * lds) {
        nf acc[2 * MICRO], k0, k1;
        EACH(r, 2 * MICRO)
        {
            acc[r] = (nf){0};
        }
        for (size_t d = 0; d < size; d++) {
            memcpy(&k0, k + d * PAIR, sizeof(k0));
            memcpy(&k1, k + d * PAIR + NATIVE, sizeof(k1));
            EACH(r, MICRO)
            {
                acc[2 * r] += k0 * q[d * LM_QUERY_GROUP + r];
                acc[2 * r + 1] += k1 * q[d * LM_QUERY_GROUP + r];
            }
        }
        EACH(r, MICRO)
        {
            memcpy(s + r * lds, &acc[2 * r], sizeof(nf));
            memcpy(s + r * lds + NATIVE, &acc[2 * r + 1], sizeof(nf));
        }
    }
}

/* out[group][PAIR] += p[group][n] v[n][PAIR]. */
INLINE void mix_pair(const float *p, size_t ldp, const float *v, size_t n, size_t width, float *out)
{
    for (size_t g = 0; g < LM_QUERY_GROUP; g += MICRO, p += MICRO * ldp, out += MICRO * width) {
        nf acc[2 * MICRO], v0, v1;
        EACH(r, MICRO)
        {
            memcpy(&acc[2 * r], out + r * width, sizeof(nf));
            memcpy(&acc[2 * r + 1], out + r * width + NATIVE, sizeof(nf));
        }
        for (size_t i = 0; i < n; i++) {
            memcpy(&v0, v + i * width, sizeof(v0));
            memcpy(&v1, v + i * width + NATIVE, sizeof(v1));
            EACH(r, MICRO)
            {
                acc[2 * r] += v0 * p[r * ldp + i];
                acc[2 * r + 1] += v1 * p[r * ldp + i];
            }
        }
        EACH(r, MICRO)
        {
            memcpy(out + r * width, &acc[2 * r], sizeof(nf));
            memcpy(out + r * width + NATIVE, &acc[2 * r + 1], sizeof(nf));
        }
    }
}

/* Adds n values to the sums of a group of queries. */
static void mix(const float *p, size_t ldp, const float *v, size_t n, size_t width, float *out)
{
    for (size_t d = 0; d < width; d += PAIR) {
        mix_pair(p, ldp, v + d, n, width, out + d);
    }
}
