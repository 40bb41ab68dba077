/* SPDX-License-Identifier: MIT
 *
 * test_lm_math.c - the work between the matrix products, in every build that this CPU can run: near
 * to the same in double precision by the formulas of the papers, nothing written behind the end,
 * what is not finite let through, and the bits of an attention's query its own.
 */
#include "lm_math.h"
#include "run.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 100, ROWS_MOST = 3, GUARD = 16 };

static const size_t          lengths[] = {1, 2, 15, 16, 17, 31, 32, 33, 64, 100};
static const float           canary = 12345.0f;
static float                 x[ROWS_MOST * 2 * MOST + GUARD], y[ROWS_MOST * 2 * MOST + GUARD];
static float                 w[MOST], b[MOST], was[ROWS_MOST * 2 * MOST];
static const struct lm_math *t;

static uint32_t seed;

/* -1..1 */
static float any(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) * 0x1p-23f - 1.0f;
}

static void fill(float *p, size_t n, float by)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = by * any();
    }
}

static void set_up(void)
{
    seed = 3;
    fill(w, MOST, 1);
    fill(b, MOST, 1);
}

/* x and was get n numbers, and a guard behind these. */
static void begin(size_t n, float by)
{
    fill(x, n, by);
    memcpy(was, x, n * sizeof(*x));
    for (size_t i = 0; i < GUARD; i++) {
        x[n + i] = y[n + i] = canary;
    }
}

static void ck_guard(const float *p, size_t n)
{
    for (size_t i = 0; i < GUARD; i++) {
        ck_assert_msg(p[n + i] == canary, "%s: written %zu behind the end of %zu", t->name, i, n);
    }
}

static void ck_near(double got, double want, double tol, const char *what, size_t n, size_t i)
{
    ck_assert_msg(fabs(got - want) <= tol, "%s, %s of %zu: [%zu] is %.9g, expected %.9g", t->name,
                  what, n, i, got, want);
}

/* ---- norms --------------------------------------------------------------------------------- */

static void check_norm(size_t n, int rms, int adds)
{
    static float add[MOST];
    fill(add, n, 1);
    begin(ROWS_MOST * n, 3);
    if (rms) {
        t->rms(x, adds ? add : NULL, y, ROWS_MOST, n, w, 1e-5f);
    } else {
        t->norm(x, adds ? add : NULL, y, ROWS_MOST, n, w, b, 1e-5f);
    }
    ck_guard(x, ROWS_MOST * n);
    ck_guard(y, ROWS_MOST * n);
    for (size_t r = 0; r < ROWS_MOST; r++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < n; i++) {
            const double v = (double)was[r * n + i] + (adds ? (double)add[i] : 0);
            ck_near((double)x[r * n + i], v, 1e-6, "sum", n, i);
            mean += rms ? 0 : (double)x[r * n + i] / (double)n;
        }
        for (size_t i = 0; i < n; i++) {
            square += pow((double)x[r * n + i] - mean, 2) / (double)n;
        }
        for (size_t i = 0; i < n; i++) {
            const double v = ((double)x[r * n + i] - mean) / sqrt(square + 1e-5) * (double)w[i];
            ck_near((double)y[r * n + i], v + (rms ? 0 : (double)b[i]), 1e-5, "norm", n, i);
        }
    }
}

START_TEST(norms)
{
    t = lm_math_at((size_t)_i);
    for (size_t i = 0; t && i < ROWS(lengths); i++) {
        for (int k = 0; k < 4; k++) {
            check_norm(lengths[i], k & 1, k & 2);
        }
    }
}
END_TEST

/* ---- activations --------------------------------------------------------------------------- */

static double gelu_tanh(double v)
{
    return 0.5 * v * (1 + tanh(sqrt(2 / acos(-1)) * (v + 0.044715 * v * v * v)));
}

static double gelu_erf(double v)
{
    return 0.5 * v * (1 + erf(v / sqrt(2)));
}

static double same(double v)
{
    return v;
}

static double relu(double v)
{
    return v > 0 ? v : 0;
}

START_TEST(activations)
{
    t = lm_math_at((size_t)_i);
    for (size_t i = 0; t && i < ROWS(lengths); i++) {
        const struct {
            void (*got)(float *x, size_t rows, size_t n, const float *b);
            double (*want)(double v);
        } cases[] = {{t->bias, same},
                     {t->bias_gelu_tanh, gelu_tanh},
                     {t->bias_gelu_erf, gelu_erf},
                     {t->bias_relu, relu}};
        for (size_t c = 0; c < ROWS(cases); c++) {
            const size_t n = lengths[i];
            begin(ROWS_MOST * n, 9);
            cases[c].got(x, ROWS_MOST, n, b);
            ck_guard(x, ROWS_MOST * n);
            for (size_t k = 0; k < ROWS_MOST * n; k++) {
                ck_near((double)x[k], cases[c].want((double)was[k] + (double)b[k % n]), 2e-6,
                        "activation", n, k);
            }
        }
    }
}
END_TEST

START_TEST(silu_and_gate)
{
    t = lm_math_at((size_t)_i);
    for (size_t i = 0; t && i < ROWS(lengths); i++) {
        const size_t n = lengths[i];
        begin(ROWS_MOST * 2 * n, 9);
        t->silu_mul(x, ROWS_MOST, n);
        ck_guard(x, ROWS_MOST * 2 * n);
        for (size_t r = 0; r < ROWS_MOST; r++) {
            for (size_t k = 0; k < n; k++) {
                const double v = (double)was[2 * r * n + k];
                ck_near((double)x[2 * r * n + k],
                        v / (1 + exp(-v)) * (double)was[(2 * r + 1) * n + k], 1e-5, "silu", n, k);
            }
        }
    }
}
END_TEST

/* ---- softmax, log-sum-exp, rotation -------------------------------------------------------- */

START_TEST(softmax)
{
    t = lm_math_at((size_t)_i);
    for (size_t i = 0; t && i < ROWS(lengths); i++) {
        const size_t n = lengths[i], width = n + 5;
        double       max = -INFINITY, sum = 0;
        float        inv;
        begin(width, 50);
        inv = t->softmax(x, n, width, 0.5f);
        ck_guard(x, width);
        for (size_t k = 0; k < n; k++) {
            max = fmax(max, (double)was[k]);
        }
        for (size_t k = 0; k < n; k++) {
            const double v = exp(0.5 * ((double)was[k] - max));
            ck_near((double)x[k], v, 1e-6, "softmax", n, k);
            sum += v;
        }
        ck_near((double)inv * sum, 1, 1e-5, "sum of softmax", n, 0);
        for (size_t k = n; k < width; k++) {
            ck_assert(x[k] == 0.0f);
        }
    }
}
END_TEST

/* In pieces, as the tiles of a vocabulary come. */
START_TEST(log_sum_exp)
{
    static float v[1000];
    t = lm_math_at((size_t)_i);
    for (size_t piece = 1; t && piece < 1000; piece = piece * 3 + 1) {
        struct lm_lse l = {-INFINITY, 0, 0};
        double        sum = 0;
        fill(v, 1000, 60);
        for (size_t at = 0; at < 1000; at += piece) {
            t->lse(&l, v + at, at + piece < 1000 ? piece : 1000 - at);
        }
        for (size_t i = 0; i < 1000; i++) {
            sum += exp((double)v[i] - 60);
        }
        ck_near((double)l.max + log(l.sum), log(sum) + 60, 1e-5, "log-sum-exp", piece, 0);
        ck_assert(l.bad == 0.0f);
    }
}
END_TEST

START_TEST(not_finite)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    t = lm_math_at((size_t)_i);
    for (size_t i = 0; t && i < ROWS(bad); i++) {
        struct lm_lse l = {-INFINITY, 0, 0};
        begin(40, 1);
        x[17] = bad[i];
        t->lse(&l, x, 40);
        ck_assert(isnan(l.bad));
        x[17] = NAN;
        t->bias_gelu_tanh(x, 1, 40, b);
        ck_assert(isnan(x[17]) && isfinite(x[16]) && isfinite(x[18]));
        x[17] = NAN;
        ck_assert(isnan(t->softmax(x, 40, 40, 1)));
    }
}
END_TEST

START_TEST(rotation)
{
    static const size_t halves[] = {1, 8, 16, 20, 32};
    t = lm_math_at((size_t)_i);
    for (size_t i = 0; t && i < ROWS(halves); i++) {
        const size_t half = halves[i], n = 3 * 2 * half;
        float        c[32], s[32];
        for (size_t k = 0; k < half; k++) {
            c[k] = cosf((float)k);
            s[k] = sinf((float)k);
        }
        begin(n, 1);
        t->rotate(x, 3, half, c, s);
        ck_guard(x, n);
        for (size_t h = 0; h < 3; h++) {
            for (size_t k = 0; k < half; k++) {
                const double u = (double)was[2 * h * half + k];
                const double v = (double)was[(2 * h + 1) * half + k], a = (double)k;
                ck_near((double)x[2 * h * half + k], u * cos(a) - v * sin(a), 1e-6, "x", half, k);
                ck_near((double)x[(2 * h + 1) * half + k], v * cos(a) + u * sin(a), 1e-6, "y", half,
                        k);
            }
        }
    }
}
END_TEST

/* ---- the products of attention ------------------------------------------------------------- */

enum { KEYS = 45, QUERIES = 11, SIZE_MOST = 70, STRIDE = 80, ROOM = 128 };

static float keys[KEYS * STRIDE], values[KEYS * STRIDE], queries[QUERIES * STRIDE];
static float packed_k[ROOM * SIZE_MOST], packed_v[KEYS * ROOM], packed_q[16 * SIZE_MOST];
static float s[16 * ROOM], out[16 * ROOM];

/* Scores of all queries and keys, then their sums of values with the scores as weights. */
static void attend(size_t n_queries, size_t size)
{
    const size_t block = t->room_for(1), width = t->room_for(size), lds = t->room_for(KEYS);
    ck_assert_uint_le(lds, ROOM);
    ck_assert_uint_le(width, ROOM);
    t->pack_keys(keys, KEYS, size, STRIDE, packed_k);
    t->pack_values(values, KEYS, size, STRIDE, packed_v);
    t->pack_queries(queries, n_queries, size, STRIDE, 0.25f, packed_q);
    memset(out, 0, sizeof(out));
    for (size_t q = 0; q < n_queries; q += LM_QUERY_GROUP) {
        for (size_t k = 0; k < KEYS; k += block) {
            t->scores(packed_q + q * size, packed_k + k * size, size, s + q * lds + k, lds);
        }
        t->mix(s + q * lds, lds, packed_v, 20, width, out + q * width); /* in two parts */
        t->mix(s + q * lds + 20, lds, packed_v + 20 * width, KEYS - 20, width, out + q * width);
    }
}

static void check_attention(size_t size)
{
    const size_t width = t->room_for(size), lds = t->room_for(KEYS);
    attend(QUERIES, size);
    for (size_t q = 0; q < QUERIES; q++) {
        double mixed[SIZE_MOST] = {0};
        for (size_t k = 0; k < KEYS; k++) {
            double dot = 0;
            for (size_t d = 0; d < size; d++) {
                dot += (double)queries[q * STRIDE + d] * (double)keys[k * STRIDE + d] / 4;
            }
            ck_near((double)s[q * lds + k], dot, 1e-5, "score", size, k);
            for (size_t d = 0; d < size; d++) {
                mixed[d] += dot * (double)values[k * STRIDE + d];
            }
        }
        for (size_t d = 0; d < size; d++) {
            ck_near((double)out[q * width + d], mixed[d], 1e-4, "mix", size, d);
        }
    }
}

START_TEST(attention)
{
    static const size_t sizes[] = {1, 20, 32, 64, 70};
    fill(keys, KEYS * STRIDE, 1);
    fill(values, KEYS * STRIDE, 1);
    fill(queries, QUERIES * STRIDE, 1);
    t = lm_math_at((size_t)_i);
    for (size_t i = 0; t && i < ROWS(sizes); i++) {
        check_attention(sizes[i]);
    }
}
END_TEST

/* The first query's bits, alone and with others. */
START_TEST(query_of_its_own)
{
    static float alone[ROOM], scores[ROOM];
    fill(keys, KEYS * STRIDE, 1);
    fill(values, KEYS * STRIDE, 1);
    fill(queries, QUERIES * STRIDE, 1);
    t = lm_math_at((size_t)_i);
    if (t) {
        attend(1, 64);
        memcpy(alone, out, 64 * sizeof(float));
        memcpy(scores, s, KEYS * sizeof(float));
        attend(QUERIES, 64);
        ck_assert_mem_eq(alone, out, 64 * sizeof(float));
        ck_assert_mem_eq(scores, s, KEYS * sizeof(float));
    }
}
END_TEST

START_TEST(builds)
{
    ck_assert_ptr_eq(lm_math_best(), lm_math_at(0));
    ck_assert_ptr_nonnull(lm_math_at(0)); /* the baseline is always there */
    ck_assert_ptr_null(lm_math_at(3));
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("lm_math");
    tcase_add_checked_fixture(c, set_up, NULL);
    tcase_add_loop_test(c, norms, 0, 3);
    tcase_add_loop_test(c, activations, 0, 3);
    tcase_add_loop_test(c, silu_and_gate, 0, 3);
    tcase_add_loop_test(c, softmax, 0, 3);
    tcase_add_loop_test(c, log_sum_exp, 0, 3);
    tcase_add_loop_test(c, not_finite, 0, 3);
    tcase_add_loop_test(c, rotation, 0, 3);
    tcase_add_loop_test(c, attention, 0, 3);
    tcase_add_loop_test(c, query_of_its_own, 0, 3);
    tcase_add_test(c, builds);
    return run_case("lm_math", c);
}
