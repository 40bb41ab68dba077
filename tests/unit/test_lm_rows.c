/* SPDX-License-Identifier: MIT
 *
 * test_lm_rows.c - the products of decoding, in every build that this CPU can run: near to the same
 * in double precision, and the same bits for a row whatever is computed with it.
 */
#include "lm_rows.h"
#include "run.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_M = 40, MOST_N = 70, MOST_K = 300, GAP = 5 };

static float x[MOST_M * (MOST_K + GAP)], w[MOST_N * MOST_K], old[MOST_M * (MOST_N + GAP)];
static float y[MOST_M * (MOST_N + GAP)], one[MOST_N];

static uint32_t seed;

static float any(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) * 0x1p-23f - 1.0f;
}

static void set_up(void)
{
    seed = 7;
    for (size_t i = 0; i < sizeof(x) / sizeof(*x); i++) {
        x[i] = any();
    }
    for (size_t i = 0; i < sizeof(w) / sizeof(*w); i++) {
        w[i] = any();
    }
    for (size_t i = 0; i < sizeof(old) / sizeof(*old); i++) {
        old[i] = any();
    }
}

/* Shapes: nothing left over from the blocks, and all that can be. */
static const struct shape {
    size_t m, n, k;
} shapes[] = {{1, 1, 1},   {1, 64, 256}, {2, 3, 5},    {3, 9, 16},   {4, 70, 300}, {5, 17, 33},
              {7, 32, 48}, {8, 6, 300},  {13, 65, 31}, {32, 64, 64}, {40, 70, 299}};

typedef void (*product)(size_t m, size_t n, size_t k, const float *x, size_t ldx, const float *w,
                        float beta, float *y, size_t ldy);

/* Rounding of k sums of products of at most 1. */
static double slack(size_t k)
{
    return (double)(k + 2) * 0x1p-23;
}

static double exact(const struct shape *s, int columns, float beta, size_t r, size_t j)
{
    double sum = (double)beta * (double)old[r * (s->n + GAP) + j];
    for (size_t i = 0; i < s->k; i++) {
        sum +=
            (double)x[r * (s->k + GAP) + i] * (double)(columns ? w[i * s->n + j] : w[j * s->k + i]);
    }
    return sum;
}

static void check_product(const char *name, product p, const struct shape *s, int columns,
                          float beta)
{
    const size_t ldx = s->k + GAP, ldy = s->n + GAP;
    memcpy(y, old, sizeof(y));
    p(s->m, s->n, s->k, x, ldx, w, beta, y, ldy);
    for (size_t r = 0; r < s->m; r++) {
        for (size_t j = 0; j < s->n; j++) {
            double want = exact(s, columns, beta, r, j);
            ck_assert_msg(fabs((double)y[r * ldy + j] - want) <= slack(s->k),
                          "%s %zux%zux%zu beta %g: [%zu][%zu] is %.9g, not %.9g", name, s->m, s->n,
                          s->k, (double)beta, r, j, (double)y[r * ldy + j], want);
        }
        ck_assert_mem_eq(&y[r * ldy + s->n], &old[r * ldy + s->n], GAP * sizeof(float));
    }
    for (size_t r = 0; r < s->m; r++) { /* alone */
        memcpy(one, &old[r * ldy], s->n * sizeof(float));
        p(1, s->n, s->k, x + r * ldx, ldx, w, beta, one, ldy);
        ck_assert_msg(memcmp(one, &y[r * ldy], s->n * sizeof(float)) == 0,
                      "%s %zux%zux%zu: row %zu has other bits alone", name, s->m, s->n, s->k, r);
    }
}

START_TEST(products)
{
    const struct lm_rows *t = lm_rows_at((size_t)_i);
    if (!t) {
        return; /* this CPU has fewer builds */
    }
    for (int i = 0; i < ROWS(shapes); i++) {
        for (int beta = 0; beta < 2; beta++) {
            check_product(t->name, t->rows, &shapes[i], 0, (float)beta);
            check_product(t->name, t->columns, &shapes[i], 1, (float)beta);
        }
    }
}
END_TEST

/* With beta 0 nothing of y is read: it may hold anything. */
START_TEST(new_rows)
{
    const struct lm_rows *t = lm_rows_at((size_t)_i);
    for (size_t i = 0; t && i < sizeof(y) / sizeof(*y); i++) {
        y[i] = NAN;
    }
    if (t) {
        t->rows(5, 17, 33, x, 33, w, 0, y, 17);
        t->columns(5, 17, 33, x, 33, w, 0, y + 5 * 17, 17);
        for (size_t i = 0; i < 2 * 5 * 17; i++) {
            ck_assert(isfinite(y[i]));
        }
    }
}
END_TEST

START_TEST(attention)
{
    static const size_t   sizes[] = {4, 16, 24, 64, 80, 128}, counts[] = {1, 2, 7, 16, 33};
    const struct lm_rows *t = lm_rows_at((size_t)_i);
    for (size_t a = 0; t && a < 6; a++) {
        for (size_t b = 0; b < 5; b++) {
            const size_t size = sizes[a], n = counts[b], stride = size + GAP;
            float        dots[33], mix[128];
            t->dots(w, x, n, size, stride, dots);
            t->mix(w, x, n, size, stride, mix);
            for (size_t i = 0; i < n; i++) {
                double want = 0;
                for (size_t j = 0; j < size; j++) {
                    want += (double)w[j] * (double)x[i * stride + j];
                }
                ck_assert_double_eq_tol((double)dots[i], want, slack(size));
            }
            for (size_t j = 0; j < size; j++) {
                double want = 0;
                for (size_t i = 0; i < n; i++) {
                    want += (double)w[i] * (double)x[i * stride + j];
                }
                ck_assert_double_eq_tol((double)mix[j], want, slack(n));
            }
        }
    }
}
END_TEST

START_TEST(builds)
{
    ck_assert_ptr_eq(lm_rows_best(), lm_rows_at(0));
    ck_assert_ptr_nonnull(lm_rows_at(0)); /* the baseline is always there */
    ck_assert_ptr_null(lm_rows_at(3));
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("lm_rows");
    tcase_add_checked_fixture(t, set_up, NULL);
    tcase_add_loop_test(t, products, 0, 3);
    tcase_add_loop_test(t, new_rows, 0, 3);
    tcase_add_loop_test(t, attention, 0, 3);
    tcase_add_test(t, builds);
    return run_case("lm_rows", t);
}
