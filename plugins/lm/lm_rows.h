/* SPDX-License-Identifier: MIT
 *
 * lm_rows.h - products with few rows, for decoding: each row's result has the same bits however
 * many rows are computed with it, which BLAS does not promise.  Weights are read once for all rows,
 * so one row runs at the speed of memory and many share it.
 *
 * One source (lm_rows_impl.h), compiled for AVX-512, AVX2 and the baseline; with fused multiply-add
 * where there is one, so unlike lm_math.h the builds differ in the last bits.  Pure functions: any
 * thread.
 */
#ifndef LM_ROWS_H
#define LM_ROWS_H

#include <stddef.h>

struct lm_rows {
    const char *name;
    /* y[m][n] = x[m][k] w' + beta y, w [n][k]; beta 0 or 1; rows are ldx and ldy apart. */
    void (*rows)(size_t m, size_t n, size_t k, const float *x, size_t ldx, const float *w,
                 float beta, float *y, size_t ldy);
    /* The same with w [k][n]. */
    void (*columns)(size_t m, size_t n, size_t k, const float *x, size_t ldx, const float *w,
                    float beta, float *y, size_t ldy);
    /* out[0..n) = q . k[i], keys of `size` floats, `stride` apart. */
    void (*dots)(const float *q, const float *k, size_t n, size_t size, size_t stride, float *out);
    /* out[0..size) = sum of p[i] * v[i], i < n. */
    void (*mix)(const float *p, const float *v, size_t n, size_t size, size_t stride, float *out);
};

const struct lm_rows *lm_rows_best(void);   /* for this CPU */
const struct lm_rows *lm_rows_at(size_t i); /* all that this CPU can run, NULL behind the last */

#endif /* LM_ROWS_H */
