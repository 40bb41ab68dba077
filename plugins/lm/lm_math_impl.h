/* SPDX-License-Identifier: MIT
 *
 * lm_math_impl.h - body of lm_math.h, included once an instruction set with LM_MATH_TABLE and
 * LM_MATH_NAME defined.  Vectors are the compiler's (GCC and clang); the number of lanes is fixed,
 * so sums add up in the same order everywhere.
 */
#include "lm_lanes.h"
#include "lm_math.h"

#include <math.h>
#include <string.h>

#define LANES 16

typedef float    vf __attribute__((vector_size(64)));
typedef int32_t  vi __attribute__((vector_size(64)));
typedef uint32_t vu __attribute__((vector_size(64)));

#define INLINE static inline __attribute__((always_inline))

#define LOAD(v, p) memcpy(&(v), (p), sizeof(vf))
#define STORE(p, v) memcpy((p), &(v), sizeof(vf))
#define SPLAT(x) ((vf){0} + (x))

/* m ? a : b by lanes; a comparison with NaN is false, so b = x lets NaN through. */
#define PICK(m, a, b) ((vf)(((m) & (vi)(a)) | (~(m) & (vi)(b))))

/* The larger and the smaller of two by lanes, b where one is NaN; one instruction where the build
 * says which. */
#ifndef LARGER
#define LARGER(a, b) PICK((a) > (b), a, b)
#define SMALLER(a, b) PICK((a) < (b), a, b)
#endif

/* n < LANES floats, the rest `fill`. */
INLINE void load_tail(vf *v, const float *p, size_t n, float fill)
{
    *v = SPLAT(fill);
    memcpy(v, p, n * sizeof(float));
}

#define sum_lanes lm_sum16

INLINE float max_lanes(const vf *v)
{
    float a[LANES], m;
    memcpy(a, v, sizeof(a));
    m = a[0];
    for (size_t i = 1; i < LANES; i++) {
        m = a[i] > m ? a[i] : m;
    }
    return m;
}

/* Zeros behind the first n lanes, n < LANES. */
INLINE void keep_lanes(vf *v, size_t n)
{
    static const int32_t bits[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                            -1, -1, -1, -1, -1, -1, -1, -1};
    vi                   m;
    memcpy(&m, bits + LANES - n, sizeof(m));
    *v = (vf)((vi)*v & m);
}

/* e^x, relative error about 1e-7; x is held to [-87.3, 88.3]. */
INLINE void vexp(vf *io)
{
    const vf magic = SPLAT(12582912.0f); /* 1.5 * 2^23: adding it rounds to a whole number */
    vf       x = *io, t, k, p;
    vu       bits;
    x = LARGER(SPLAT(-87.3f), x);
    x = SMALLER(SPLAT(88.3f), x);
    t = x * 1.44269504088896341f + magic;
    k = t - magic;
    x = x - k * 0.693359375f;
    x = x + k * 2.12194440e-4f;
    p = SPLAT(1.9875691500e-4f);
    p = p * x + 1.3981999507e-3f;
    p = p * x + 8.3334519073e-3f;
    p = p * x + 4.1665795894e-2f;
    p = p * x + 1.6666665459e-1f;
    p = p * x + 5.0000001201e-1f;
    p = p * (x * x) + x + 1.0f;
    bits = (vu)t - 0x4b400000u + 127u; /* exponent of 2^k */
    *io = p * (vf)(bits << 23);
}

/* x * Phi(x) by tanh, as GPT-2 has it: x / (1 + exp(-2u)). */
INLINE void gelu_tanh(vf *io)
{
    vf x = *io, u = (x + x * x * x * 0.044715f) * -1.5957691216057308f;
    vexp(&u);
    *io = x / (u + 1.0f);
}

/* x * Phi(x) by erf: Abramowitz and Stegun 7.1.26, absolute error 1.5e-7. */
INLINE void gelu_erf(vf *io)
{
    vf x = *io, z = x * 0.70710678118654752f, a, t, p, ex, erf;
    a = PICK(z < SPLAT(0.0f), -z, z);
    t = 1.0f / (a * 0.3275911f + 1.0f);
    p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    ex = -a * a;
    vexp(&ex);
    erf = 1.0f - p * t * ex;
    erf = PICK(z < SPLAT(0.0f), -erf, erf);
    *io = x * 0.5f * (erf + 1.0f);
}

INLINE void relu(vf *io)
{
    vf x = *io;
    *io = LARGER(SPLAT(0.0f), x);
}

#define EACH_WITH_BIAS(name, op)                                                                   \
    static void name(float *x, size_t rows, size_t n, const float *b)                              \
    {                                                                                              \
        for (size_t r = 0; r < rows; r++, x += n) {                                                \
            size_t i = 0;                                                                          \
            vf     v, w;                                                                           \
            for (; i + LANES <= n; i += LANES) {                                                   \
                LOAD(v, x + i);                                                                    \
                LOAD(w, b + i);                                                                    \
                v += w;                                                                            \
                op(&v);                                                                            \
                STORE(x + i, v);                                                                   \
            }                                                                                      \
            if (i < n) {                                                                           \
                load_tail(&v, x + i, n - i, 0.0f);                                                 \
                load_tail(&w, b + i, n - i, 0.0f);                                                 \
                v += w;                                                                            \
                op(&v);                                                                            \
                memcpy(x + i, &v, (n - i) * sizeof(float));                                        \
            }                                                                                      \
        }                                                                                          \
    }

#define NOTHING(v) (void)(v)

EACH_WITH_BIAS(bias, NOTHING)
EACH_WITH_BIAS(bias_gelu_tanh, gelu_tanh)
EACH_WITH_BIAS(bias_gelu_erf, gelu_erf)
EACH_WITH_BIAS(bias_relu, relu)

/* Adds `add` to a row and sums the row up. */
INLINE float add_and_sum(float *x, const float *add, size_t n)
{
    vf     s = SPLAT(0.0f), v, w;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i);
        if (add) {
            LOAD(w, add + i);
            v += w;
            STORE(x + i, v);
        }
        s += v;
    }
    if (i < n) {
        load_tail(&v, x + i, n - i, 0.0f);
        if (add) {
            load_tail(&w, add + i, n - i, 0.0f);
            v += w;
            memcpy(x + i, &v, (n - i) * sizeof(float));
        }
        s += v;
    }
    return sum_lanes(&s);
}

INLINE float sum_squares(const float *x, size_t n, float mean)
{
    vf     s = SPLAT(0.0f), v;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i);
        v -= mean;
        s += v * v;
    }
    if (i < n) {
        load_tail(&v, x + i, n - i, mean);
        v -= mean;
        s += v * v;
    }
    return sum_lanes(&s);
}

static void norm(float *x, const float *add, float *out, size_t rows, size_t n, const float *w,
                 const float *b, float eps)
{
    for (size_t r = 0; r < rows; r++, x += n, out += n) {
        float  mean = add_and_sum(x, add, n) / (float)n;
        float  inv = 1.0f / sqrtf(sum_squares(x, n, mean) / (float)n + eps);
        size_t i = 0;
        for (; i + LANES <= n; i += LANES) {
            vf v, vw, vb;
            LOAD(v, x + i);
            LOAD(vw, w + i);
            LOAD(vb, b + i);
            v = (v - mean) * inv * vw + vb;
            STORE(out + i, v);
        }
        for (; i < n; i++) {
            out[i] = (x[i] - mean) * inv * w[i] + b[i];
        }
    }
}

static void rms(float *x, const float *add, float *out, size_t rows, size_t n, const float *w,
                float eps)
{
    for (size_t r = 0; r < rows; r++, x += n, out += n) {
        float  inv;
        size_t i = 0;
        if (add) {
            (void)add_and_sum(x, add, n);
        }
        inv = 1.0f / sqrtf(sum_squares(x, n, 0.0f) / (float)n + eps);
        for (; i + LANES <= n; i += LANES) {
            vf v, vw;
            LOAD(v, x + i);
            LOAD(vw, w + i);
            v = v * inv * vw;
            STORE(out + i, v);
        }
        for (; i < n; i++) {
            out[i] = x[i] * inv * w[i];
        }
    }
}

INLINE void silu_times(vf *io, const vf *up)
{
    vf x = *io, u = -x;
    vexp(&u);
    *io = x / (u + 1.0f) * *up;
}

static void silu_mul(float *x, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++, x += 2 * n) {
        size_t i = 0;
        vf     v, up;
        for (; i + LANES <= n; i += LANES) {
            LOAD(v, x + i);
            LOAD(up, x + n + i);
            silu_times(&v, &up);
            STORE(x + i, v);
        }
        if (i < n) {
            load_tail(&v, x + i, n - i, 0.0f);
            load_tail(&up, x + n + i, n - i, 0.0f);
            silu_times(&v, &up);
            memcpy(x + i, &v, (n - i) * sizeof(float));
        }
    }
}

static void rotate(float *x, size_t heads, size_t half, const float *cosines, const float *sines)
{
    for (size_t h = 0; h < heads; h++, x += 2 * half) {
        size_t i = 0;
        for (; i + LANES <= half; i += LANES) {
            vf a, b, c, s, t;
            LOAD(a, x + i);
            LOAD(b, x + half + i);
            LOAD(c, cosines + i);
            LOAD(s, sines + i);
            t = a * c - b * s;
            b = b * c + a * s;
            STORE(x + i, t);
            STORE(x + half + i, b);
        }
        for (; i < half; i++) {
            const float a = x[i], b = x[half + i];
            x[i] = a * cosines[i] - b * sines[i];
            x[half + i] = b * cosines[i] + a * sines[i];
        }
    }
}

INLINE float row_max(const float *x, size_t n)
{
    vf     m = SPLAT(-INFINITY), v;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i);
        m = LARGER(v, m);
    }
    if (i < n) {
        load_tail(&v, x + i, n - i, -INFINITY);
        m = LARGER(v, m);
    }
    return max_lanes(&m);
}

static float softmax(float *s, size_t n, size_t width, float scale)
{
    const float max = row_max(s, n);
    vf          sum = SPLAT(0.0f), v;
    size_t      i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, s + i);
        v = (v - max) * scale;
        vexp(&v);
        sum += v;
        STORE(s + i, v);
    }
    if (i < n) {
        load_tail(&v, s + i, n - i, -INFINITY);
        v = (v - max) * scale;
        vexp(&v);
        keep_lanes(&v, n - i);
        sum += v;
        memcpy(s + i, &v, (n - i) * sizeof(float));
    }
    if (width > n) {
        memset(s + n, 0, (width - n) * sizeof(float));
    }
    return 1.0f / sum_lanes(&sum);
}

static void scale_row(float *x, size_t n, float f)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vf v;
        LOAD(v, x + i);
        v *= f;
        STORE(x + i, v);
    }
    for (; i < n; i++) {
        x[i] *= f;
    }
}

/* exp(x - max) summed up, and x * 0, which is NaN for a value that is not finite. */
INLINE float sum_exp(const float *x, size_t n, float max, float *bad)
{
    vf     sum = SPLAT(0.0f), zero = SPLAT(0.0f), v;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i);
        zero += v * 0.0f;
        v -= max;
        vexp(&v);
        sum += v;
    }
    if (i < n) {
        vf part = SPLAT(0.0f);
        load_tail(&v, x + i, n - i, 0.0f);
        zero += v * 0.0f;
        v -= max;
        vexp(&v);
        memcpy(&part, &v, (n - i) * sizeof(float));
        sum += part;
    }
    *bad += sum_lanes(&zero);
    return sum_lanes(&sum);
}

static void lse(struct lm_lse *l, const float *x, size_t n)
{
    float max = row_max(x, n);
    if (max > l->max) {
        l->sum *= exp((double)l->max - (double)max);
        l->max = max;
    }
    l->sum += (double)sum_exp(x, n, l->max, &l->bad);
}

#include "lm_attend_impl.h"

const struct lm_math LM_MATH_TABLE = {LM_MATH_NAME,  norm,      rms,      bias,      bias_gelu_tanh,
                                      bias_gelu_erf, bias_relu, silu_mul, rotate,    softmax,
                                      scale_row,     lse,       room_for, pack_keys, pack_values,
                                      pack_queries,  scores,    mix};
