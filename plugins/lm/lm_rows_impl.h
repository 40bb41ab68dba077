/* SPDX-License-Identifier: MIT
 *
 * lm_rows_impl.h - body of lm_rows.h, included once an instruction set with these defined:
 *   LM_ROWS_TABLE, LM_ROWS_NAME   the table and its name
 *   LANES                         floats in a vector
 *   BLOCK_N, BLOCK_M              outputs and rows held in registers at a time
 * An output is one vector of partial sums over k, in order, and their sum: the same operations
 * whatever the block, which is what keeps the bits of a row its own.
 */
#include "lm_lanes.h"
#include "lm_rows.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(4 * LANES)));

/* Loops over a block are unrolled, or its sums would live in memory. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration cannot have them */
#define EACH(i, n) _Pragma("GCC unroll 24") for (size_t i = 0; i < (n); i++)

#define LOAD(v, p) memcpy(&(v), (p), sizeof(vf))
#define STORE(p, v) memcpy((p), &(v), sizeof(vf))
#define SPLAT(x) ((vf){0} + (x))

INLINE void load_tail(vf *v, const float *p, size_t n)
{
    *v = SPLAT(0.0f);
    memcpy(v, p, n * sizeof(float));
}

#define GLUE(a, b) a##b
#define SUM_OF(lanes) GLUE(lm_sum, lanes)
#define sum_lanes SUM_OF(LANES)

/* nb outputs of mb rows; both are constants where it is inlined. */
INLINE void block(size_t nb, size_t mb, size_t k, const float *x, size_t ldx, const float *w,
                  float beta, float *y, size_t ldy)
{
    vf     acc[BLOCK_N * BLOCK_M], vw[BLOCK_N], vx;
    size_t i = 0;
    EACH(j, nb * mb)
    {
        acc[j] = SPLAT(0.0f);
    }
    for (; i + LANES <= k; i += LANES) {
        EACH(j, nb)
        {
            if (mb > 1) { /* one row waits for memory whatever is done; more leave it time */
                __builtin_prefetch(w + (nb + j) * k + i);
            }
            LOAD(vw[j], w + j * k + i);
        }
        EACH(r, mb)
        {
            LOAD(vx, x + r * ldx + i);
            EACH(j, nb)
            {
                acc[r * nb + j] += vw[j] * vx;
            }
        }
    }
    if (i < k) {
        EACH(j, nb)
        {
            load_tail(&vw[j], w + j * k + i, k - i);
        }
        EACH(r, mb)
        {
            load_tail(&vx, x + r * ldx + i, k - i);
            EACH(j, nb)
            {
                acc[r * nb + j] += vw[j] * vx;
            }
        }
    }
    EACH(r, mb)
    {
        EACH(j, nb)
        {
            float *out = y + r * ldy + j, v = sum_lanes(&acc[r * nb + j]);
            *out = beta != 0.0f ? *out + v : v;
        }
    }
}

/* nb outputs of all rows. */
INLINE void strip(size_t nb, size_t m, size_t k, const float *x, size_t ldx, const float *w,
                  float beta, float *y, size_t ldy)
{
    size_t r = 0;
    for (; r + BLOCK_M <= m; r += BLOCK_M) {
        block(nb, BLOCK_M, k, x + r * ldx, ldx, w, beta, y + r * ldy, ldy);
    }
    if (m - r >= 4 && BLOCK_M > 4) {
        block(nb, 4, k, x + r * ldx, ldx, w, beta, y + r * ldy, ldy);
        r += 4;
    }
    if (m - r >= 2) {
        block(nb, 2, k, x + r * ldx, ldx, w, beta, y + r * ldy, ldy);
        r += 2;
    }
    if (r < m) {
        block(nb, 1, k, x + r * ldx, ldx, w, beta, y + r * ldy, ldy);
    }
}

static void rows(size_t m, size_t n, size_t k, const float *x, size_t ldx, const float *w,
                 float beta, float *y, size_t ldy)
{
    size_t j = 0;
    /* For one row or two outputs one by one: w is read straight on, which memory likes best. */
    for (; m > 2 && j + BLOCK_N <= n; j += BLOCK_N) {
        strip(BLOCK_N, m, k, x, ldx, w + j * k, beta, y + j, ldy);
    }
    for (; j < n; j++) {
        strip(1, m, k, x, ldx, w + j * k, beta, y + j, ldy);
    }
}

/* y[0..n) += x[0..steps) w of one row; rows of w are ldw apart.  `steps` is a constant where it is
 * inlined. */
INLINE void add_few_steps(size_t steps, size_t n, const float *x, const float *w, size_t ldw,
                          float *y)
{
    size_t j = 0;
    vf     v, vw;
    for (; j + LANES <= n; j += LANES) {
        LOAD(v, y + j);
        EACH(i, steps)
        {
            LOAD(vw, w + i * ldw + j);
            v += vw * x[i];
        }
        STORE(y + j, v);
    }
    if (j < n) {
        load_tail(&v, y + j, n - j);
        EACH(i, steps)
        {
            load_tail(&vw, w + i * ldw + j, n - j);
            v += vw * x[i];
        }
        memcpy(y + j, &v, (n - j) * sizeof(float));
    }
}

enum { STEPS = 8 }; /* rows of w read side by side, so that y is not fetched for each */

INLINE void add_steps(size_t n, size_t k, const float *x, const float *w, size_t ldw, float *y)
{
    size_t i = 0;
    for (; i + STEPS <= k; i += STEPS) {
        add_few_steps(STEPS, n, x + i, w + i * ldw, ldw, y);
    }
    for (; i < k; i++) {
        add_few_steps(1, n, x + i, w + i * ldw, ldw, y);
    }
}

/* The same for BLOCK_N vectors of outputs of mb rows, held in registers. */
INLINE void add_block(size_t mb, size_t k, const float *x, size_t ldx, const float *w, size_t ldw,
                      float *y, size_t ldy)
{
    vf acc[BLOCK_N * BLOCK_M], vw[BLOCK_N];
    EACH(r, mb)
    {
        EACH(j, BLOCK_N)
        {
            LOAD(acc[r * BLOCK_N + j], y + r * ldy + j * LANES);
        }
    }
    for (size_t i = 0; i < k; i++, w += ldw) {
        EACH(j, BLOCK_N)
        {
            LOAD(vw[j], w + j * LANES);
        }
        EACH(r, mb)
        {
            const vf vx = SPLAT(x[r * ldx + i]);
            EACH(j, BLOCK_N)
            {
                acc[r * BLOCK_N + j] += vx * vw[j];
            }
        }
    }
    EACH(r, mb)
    {
        EACH(j, BLOCK_N)
        {
            STORE(y + r * ldy + j * LANES, acc[r * BLOCK_N + j]);
        }
    }
}

/* Several rows share a slice of w: strip by strip of its columns. */
static void add_slice(size_t m, size_t n, size_t k, const float *x, size_t ldx, const float *w,
                      float *y, size_t ldy)
{
    const size_t wide = BLOCK_N * LANES;
    size_t       j = 0, r = 0;
    for (; j + wide <= n; j += wide) {
        for (r = 0; r + BLOCK_M <= m; r += BLOCK_M) {
            add_block(BLOCK_M, k, x + r * ldx, ldx, w + j, n, y + r * ldy + j, ldy);
        }
        for (; r < m; r++) {
            add_block(1, k, x + r * ldx, ldx, w + j, n, y + r * ldy + j, ldy);
        }
    }
    for (r = 0; j < n && r < m; r++) {
        add_steps(n - j, k, x + r * ldx, w + j, n, y + r * ldy + j);
    }
}

enum { K_SLICE = 32 }; /* rows of w that stay in the cache while all rows of x use them */

static void columns(size_t m, size_t n, size_t k, const float *x, size_t ldx, const float *w,
                    float beta, float *y, size_t ldy)
{
    for (size_t r = 0; beta == 0.0f && r < m; r++) {
        memset(y + r * ldy, 0, n * sizeof(float));
    }
    if (m == 1) {
        add_steps(n, k, x, w, n, y);
        return;
    }
    for (size_t i = 0; i < k; i += K_SLICE) {
        const size_t steps = k - i < K_SLICE ? k - i : K_SLICE;
        add_slice(m, n, steps, x + i, ldx, w + i * n, y, ldy);
    }
}

static void dots(const float *q, const float *k, size_t n, size_t size, size_t stride, float *out)
{
    size_t i = 0;
    for (; i < n; i++, k += stride) {
        vf     acc = SPLAT(0.0f), a, b;
        size_t j = 0;
        for (; j + LANES <= size; j += LANES) {
            LOAD(a, q + j);
            LOAD(b, k + j);
            acc += a * b;
        }
        if (j < size) {
            load_tail(&a, q + j, size - j);
            load_tail(&b, k + j, size - j);
            acc += a * b;
        }
        out[i] = sum_lanes(&acc);
    }
}

static void mix(const float *p, const float *v, size_t n, size_t size, size_t stride, float *out)
{
    size_t j = 0;
    for (; j + LANES <= size; j += LANES) {
        vf acc = SPLAT(0.0f), b;
        for (size_t i = 0; i < n; i++) {
            LOAD(b, v + i * stride + j);
            acc += b * p[i];
        }
        STORE(out + j, acc);
    }
    for (; j < size; j++) {
        out[j] = 0.0f;
        for (size_t i = 0; i < n; i++) {
            out[j] += v[i * stride + j] * p[i];
        }
    }
}

const struct lm_rows LM_ROWS_TABLE = {LM_ROWS_NAME, rows, columns, dots, mix};
