/* SPDX-License-Identifier: MIT
 *
 * dnn_int8.c - numbers of eight bits: rows and weights to them, products of a few rows, and back.
 *
 * A weight matrix has a scale for each output, w ~ scale * s8, symmetric.  A row of x has a scale
 * and a zero of its own, found when it comes, x ~ scale * (u8 - zero): the zero matters, since what
 * comes out of an activation lies on one side (Dettmers et al. 2022, LLM.int8(), table 1: without
 * it a model of 125 M loses a fifth in perplexity, with it nothing).  Then x . w ~ scale_x *
 * scale_w * (sum of u8 * s8 - zero * sum of s8) and the sums are whole numbers, so they are the
 * same in whatever order and company.
 */
#include "dnn.h"

#include <math.h>
#include <string.h>

size_t dnn8_room(size_t n, size_t k)
{
    return (n + DNN8_N - 1) / DNN8_N * DNN8_N * ((k + DNN8_K - 1) / DNN8_K * DNN8_K);
}

#if defined(__x86_64__)

#include <immintrin.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration cannot have them */
#define EACH(i, n) _Pragma("GCC unroll 16") for (size_t i = 0; i < (n); i++)

VNNI static inline __mmask16 lanes(size_t n)
{
    return (__mmask16)(n < 16 ? (1u << n) - 1 : 0xffff);
}

/* ---- weights ------------------------------------------------------------------------------- */

/* Where weight k of output n lies: blocks of DNN8_K x DNN8_N, block after block over k; within one,
 * four of k together for each output, as the instruction takes them. */
static inline size_t place_of(size_t n, size_t k, size_t width)
{
    const size_t blocks = (width + DNN8_K - 1) / DNN8_K;
    return (n / DNN8_N * blocks + k / DNN8_K) * DNN8_N * DNN8_K + k % DNN8_K / 4 * DNN8_N * 4 +
           n % DNN8_N * 4 + k % 4;
}

/* The larger of numbers without their signs, as bits: these sort alike, infinity and NaN on top. */
VNNI static inline __m512i larger(__m512i top, __m512 v)
{
    const __m512i bits = _mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(0x7fffffff));
    return _mm512_max_epu32(top, bits);
}

/* An output of zeros has the scale 0.  Fills `inverse` of 16 outputs from their largest weights. */
VNNI static inline void scales_of(__m512i top, __mmask16 m, float *scale, float *inverse)
{
    const __m512    v = _mm512_castsi512_ps(top), most = _mm512_set1_ps(127.0f);
    const __mmask16 fine = _mm512_cmp_ps_mask(v, _mm512_set1_ps(1e-30f), _CMP_GE_OQ);
    _mm512_mask_storeu_ps(scale, m, _mm512_div_ps(v, most));
    _mm512_mask_storeu_ps(inverse, m, _mm512_maskz_div_ps(fine, most, v));
}

VNNI static inline __m512i to_s8(__m512 v, __m512 inverse)
{
    return _mm512_cvtps_epi32(_mm512_mul_ps(v, inverse));
}

/* 16 outputs from j, [k][n]: four rows become one line of the block. */
VNNI static void pack_columns(const float *f32, size_t n, size_t k, size_t j, struct dnn8 *out)
{
    const __mmask16 m = lanes(n - j);
    const __m512i   low = _mm512_set1_epi32(255);
    __m512i         top = _mm512_setzero_si512(), sum = top;
    float           inverse[16];
    __m512          inv;
    for (size_t i = 0; i < k; i++) {
        top = larger(top, _mm512_maskz_loadu_ps(m, f32 + i * n + j));
    }
    scales_of(top, m, out->scale + j, inverse);
    inv = _mm512_maskz_loadu_ps(m, inverse);
    for (size_t i = 0; i < k; i += 4) {
        __m512i line = _mm512_setzero_si512();
        for (size_t r = 0; r < 4 && i + r < k; r++) {
            const __m512i q = to_s8(_mm512_maskz_loadu_ps(m, f32 + (i + r) * n + j), inv);
            sum = _mm512_add_epi32(sum, q);
            line = _mm512_or_si512(
                line, _mm512_sllv_epi32(_mm512_and_si512(q, low), _mm512_set1_epi32((int)(8 * r))));
        }
        _mm512_storeu_si512(out->s8 + place_of(j, i, k), line);
    }
    _mm512_mask_storeu_epi32(out->sum + j, m, sum);
}

/* Output j, its weights one behind the other. */
VNNI static void pack_row(const float *f32, size_t k, size_t j, struct dnn8 *out)
{
    __m512i top = _mm512_setzero_si512(), sum = top;
    float   inverse[16];
    for (size_t i = 0; i < k; i += 16) {
        top = larger(top, _mm512_maskz_loadu_ps(lanes(k - i), f32 + i));
    }
    top = _mm512_set1_epi32((int)_mm512_reduce_max_epu32(top));
    scales_of(top, 1, out->scale + j, inverse);
    for (size_t i = 0; i < k; i += 16) {
        const __m512i q = to_s8(_mm512_maskz_loadu_ps(lanes(k - i), f32 + i), //
                                _mm512_set1_ps(inverse[0]));
        int8_t        b[16];
        sum = _mm512_add_epi32(sum, q);
        _mm512_mask_cvtepi32_storeu_epi8(b, 0xffff, q);
        for (size_t r = 0; r < 16 && i + r < k; r += 4) {
            memcpy(out->s8 + place_of(j, i + r, k), b + r, 4);
        }
    }
    out->sum[j] = _mm512_reduce_add_epi32(sum);
}

void dnn8_weights(const float *f32, int b_rows, size_t n, size_t k, struct dnn8 *out)
{
    memset(out->s8, 0, dnn8_room(n, k));
    for (size_t j = 0; j < n; j += b_rows ? 1 : 16) {
        if (b_rows) {
            pack_row(f32 + j * k, k, j, out);
        } else {
            pack_columns(f32, n, k, j, out);
        }
    }
}

/* ---- rows ---------------------------------------------------------------------------------- */

VNNI static struct dnn8_row range_of(const float *x, size_t k)
{
    __m512 lo = _mm512_setzero_ps(), hi = lo, none = lo;
    float  low, width, inverse;
    for (size_t i = 0; i < k; i += 16) {
        const __m512 v = _mm512_maskz_loadu_ps(lanes(k - i), x + i);
        lo = _mm512_min_ps(lo, v);
        hi = _mm512_max_ps(hi, v);
        none = _mm512_fmadd_ps(v, _mm512_setzero_ps(), none);
    }
    low = _mm512_reduce_min_ps(lo);
    width = _mm512_reduce_max_ps(hi) - low;
    inverse = 255.0f / width;
    if (!isfinite(_mm512_reduce_add_ps(none)) || !isfinite(width)) {
        return (struct dnn8_row){NAN, 0.0f, 0}; /* so that the results are none */
    }
    if (!isfinite(inverse)) {
        return (struct dnn8_row){0.0f, 0.0f, 0}; /* all zeros, or as good as that */
    }
    return (struct dnn8_row){width / 255.0f, inverse, (int32_t)lrintf(-low * inverse)};
}

VNNI static void row_to_u8(const float *x, size_t k, uint8_t *out, struct dnn8_row *row)
{
    *row = range_of(x, k);
    for (size_t i = 0; i < k; i += 16) {
        const __mmask16 m = lanes(k - i);
        const __m512    v = _mm512_mul_ps(_mm512_maskz_loadu_ps(m, x + i), //
                                          _mm512_set1_ps(row->inverse));
        const __m512i   q = _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(row->zero));
        _mm512_mask_cvtusepi32_storeu_epi8(out + i, m, _mm512_max_epi32(q, _mm512_setzero_si512()));
    }
}

void dnn8_rows(const float *x, size_t ldx, size_t rows, size_t k, uint8_t *out,
               struct dnn8_row *row)
{
    for (size_t r = 0; r < rows; r++) {
        row_to_u8(x + r * ldx, k, out + r * k, row + r);
    }
}

/* ---- back ---------------------------------------------------------------------------------- */

/* Up to 16 sums of a row, of outputs from j. */
VNNI static inline void back16(__m512i sums, const struct dnn8_row *row, const struct dnn8 *w,
                               size_t j, __mmask16 m, int adds, float *y)
{
    const __m512i zeros =
        _mm512_mullo_epi32(_mm512_maskz_loadu_epi32(m, w->sum + j), _mm512_set1_epi32(row->zero));
    const __m512 scale =
        _mm512_mul_ps(_mm512_maskz_loadu_ps(m, w->scale + j), _mm512_set1_ps(row->scale));
    const __m512 was = adds ? _mm512_maskz_loadu_ps(m, y) : _mm512_setzero_ps();
    const __m512 v = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums, zeros));
    _mm512_mask_storeu_ps(y, m, _mm512_fmadd_ps(v, scale, was));
}

VNNI void dnn8_back(const void *sums, size_t rows, size_t n, const struct dnn8_row *row,
                    const struct dnn8 *w, int adds, float *y)
{
    const char *from = sums;
    for (size_t r = 0; r < rows; r++, y += n, from += n * sizeof(int32_t)) {
        for (size_t j = 0; j < n; j += 16) {
            const __mmask16 m = lanes(n - j);
            back16(_mm512_maskz_loadu_epi32(m, from + j * sizeof(int32_t)), row + r, w, j, m, adds,
                   y + j);
        }
    }
}

/* ---- a few rows ---------------------------------------------------------------------------- */

/* Four numbers of a row, fewer at its end. */
static inline int32_t four(const uint8_t *x, size_t left)
{
    int32_t v = 0;
    memcpy(&v, x, left < 4 ? left : 4);
    return v;
}

/* DNN8_N outputs from j of mb rows; mb is a constant where it is inlined. */
VNNI static inline __attribute__((always_inline)) void
block(size_t mb, size_t n, size_t k, const uint8_t *x, const struct dnn8_row *row,
      const struct dnn8 *w, size_t j, int adds, float *y)
{
    const int8_t *s8 = w->s8 + j * ((k + DNN8_K - 1) / DNN8_K * DNN8_K);
    __m512i       sum[16], vw[4];
    EACH(i, 4 * mb)
    {
        sum[i] = _mm512_setzero_si512();
    }
    for (size_t i = 0; i < k; i += 4, s8 += 4 * DNN8_N) {
        EACH(c, 4)
        {
            vw[c] = _mm512_loadu_si512(s8 + 64 * c);
        }
        EACH(r, mb)
        {
            const __m512i vx = _mm512_set1_epi32(four(x + r * k + i, k - i));
            EACH(c, 4)
            {
                sum[4 * r + c] = _mm512_dpbusd_epi32(sum[4 * r + c], vx, vw[c]);
            }
        }
    }
    EACH(r, mb)
    {
        EACH(c, 4)
        {
            if (j + 16 * c < n) {
                back16(sum[4 * r + c], row + r, w, j + 16 * c, lanes(n - j - 16 * c), adds,
                       y + r * n + j + 16 * c);
            }
        }
    }
}

VNNI void dnn8_few(size_t rows, size_t n, size_t k, const uint8_t *x, const struct dnn8_row *row,
                   const struct dnn8 *w, int adds, float *y)
{
    for (size_t j = 0; j < n; j += DNN8_N) {
        size_t r = 0;
        for (; r + 4 <= rows; r += 4) {
            block(4, n, k, x + r * k, row + r, w, j, adds, y + r * n);
        }
        if (rows - r >= 2) {
            block(2, n, k, x + r * k, row + r, w, j, adds, y + r * n);
            r += 2;
        }
        if (rows > r) {
            block(1, n, k, x + r * k, row + r, w, j, adds, y + r * n);
        }
    }
}

#else /* not offered */

void dnn8_weights(const float *f32, int b_rows, size_t n, size_t k, struct dnn8 *out)
{
    (void)f32, (void)b_rows, (void)n, (void)k, (void)out;
}

void dnn8_rows(const float *x, size_t ldx, size_t rows, size_t k, uint8_t *out,
               struct dnn8_row *row)
{
    (void)x, (void)ldx, (void)rows, (void)k, (void)out, (void)row;
}

void dnn8_back(const void *sums, size_t rows, size_t n, const struct dnn8_row *row,
               const struct dnn8 *w, int adds, float *y)
{
    (void)sums, (void)rows, (void)n, (void)row, (void)w, (void)adds, (void)y;
}

void dnn8_few(size_t rows, size_t n, size_t k, const uint8_t *x, const struct dnn8_row *row,
              const struct dnn8 *w, int adds, float *y)
{
    (void)rows, (void)n, (void)k, (void)x, (void)row, (void)w, (void)adds, (void)y;
}

#endif
