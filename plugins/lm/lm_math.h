/* SPDX-License-Identifier: MIT
 *
 * lm_math.h - the work between the matrix products: norms, activations, rotary positions, softmax,
 * log-sum-exp.
 *
 * One source (lm_math_impl.h) over vectors of 16 floats, compiled for AVX-512, AVX2 and the
 * baseline; with fused multiply-add where there is one, so the builds differ in the last bits.
 * NaN and infinities pass through.  Pure functions: any thread.
 */
#ifndef LM_MATH_H
#define LM_MATH_H

#include <stddef.h>
#include <stdint.h>

enum { LM_QUERY_GROUP = 8 }; /* queries that are computed together */

struct lm_lse { /* running log-sum-exp of a row */
    float  max;
    float  bad; /* 0, or NaN once a value was not finite */
    double sum; /* of exp(x - max) */
};

struct lm_math {
    const char *name;
    /* Each row of n: x += add[n] (may be NULL), then out = norm(x) * w + b. */
    void (*norm)(float *x, const float *add, float *out, size_t rows, size_t n, const float *w,
                 const float *b, float eps);
    /* The same with x / sqrt(mean(x^2) + eps) * w for a norm. */
    void (*rms)(float *x, const float *add, float *out, size_t rows, size_t n, const float *w,
                float eps);
    void (*bias)(float *x, size_t rows, size_t n, const float *b);
    void (*bias_gelu_tanh)(float *x, size_t rows, size_t n, const float *b);
    void (*bias_gelu_erf)(float *x, size_t rows, size_t n, const float *b);
    void (*bias_relu)(float *x, size_t rows, size_t n, const float *b);
    /* Each row of 2 n: x[0..n) = silu(x[0..n)) * x[n..2n). */
    void (*silu_mul)(float *x, size_t rows, size_t n);
    /* Turns the pairs x[i], x[half + i] of `heads` vectors of 2 half by the angles of one position.
     */
    void (*rotate)(float *x, size_t heads, size_t half, const float *cosines, const float *sines);
    /* s[0..n) to exp(scale * (s - max)), s[n..width) to 0; returns 1 / sum. */
    float (*softmax)(float *s, size_t n, size_t width, float scale);
    void (*scale)(float *x, size_t n, float f);
    void (*lse)(struct lm_lse *l, const float *x, size_t n);
    /* -- the products of attention (lm_attend.c) -- */
    /* n rounded up to the keys of a block, which are also the columns that values come in. */
    size_t (*room_for)(size_t n);
    /* n keys of `size` floats, `stride` apart, to blocks: room_for(n) x size floats. */
    void (*pack_keys)(const float *k, size_t n, size_t size, size_t stride, float *out);
    /* n values to rows of room_for(size) floats. */
    void (*pack_values)(const float *v, size_t n, size_t size, size_t stride, float *out);
    /* n queries, multiplied by f, to groups: n rounded up to LM_QUERY_GROUP x size floats. */
    void (*pack_queries)(const float *q, size_t n, size_t size, size_t stride, float f, float *out);
    /* A group of queries times one block of keys: s[group][block], rows lds apart. */
    void (*scores)(const float *q, const float *k, size_t size, float *s, size_t lds);
    /* out[group][width] += p[group][n] v[n][width], rows of p ldp apart. */
    void (*mix)(const float *p, size_t ldp, const float *v, size_t n, size_t width, float *out);
};

const struct lm_math *lm_math_best(void);   /* for this CPU */
const struct lm_math *lm_math_at(size_t i); /* all that this CPU can run, NULL behind the last */

#endif /* LM_MATH_H */
