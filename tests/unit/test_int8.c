/* SPDX-License-Identifier: MIT
 *
 * test_int8.c - products of eight bits against double precision, within the bound that rounding
 * allows; few rows and oneDNN's; what is not finite; odd sizes.
 */
#include "dnn.h"
#include "run.h"

#include <drh/util.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 11, MAX_N = 200, MAX_K = 300 };

static const struct {
    size_t n, k;
    int    b_rows;
} shapes[] = {{64, 64, 0}, {64, 64, 1},  {128, 192, 0}, {200, 300, 1}, {1, 1, 0},
              {1, 3, 1},   {100, 50, 0}, {65, 63, 1},   {15, 17, 0},   {33, 66, 1}};

static float           x[MAX_ROWS * MAX_K], w[MAX_N * MAX_K], y[MAX_ROWS * MAX_N + 1];
static uint8_t         u8[MAX_ROWS * MAX_K];
static struct dnn8_row row[MAX_ROWS];
static struct dnn8     packed;

static int offered(void)
{
    drh_error e = DRH_ERROR_INIT;
    return dnn_fitness("int8", &e) > 0;
}

static float random_in(float low, float high)
{
    static uint64_t state = 5;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (float)(state >> 40) / 16777216.0f;
}

static void set_up(void)
{
    packed.s8 = aligned_alloc(64, dnn8_room(MAX_N, MAX_K));
    packed.scale = calloc(MAX_N, sizeof(float));
    packed.sum = calloc(MAX_N, sizeof(int32_t));
    ck_assert(packed.s8 && packed.scale && packed.sum);
    for (size_t i = 0; i < MAX_ROWS * MAX_K; i++) { /* on one side, as behind an activation */
        x[i] = random_in(-0.2f, 3.0f);
    }
    for (size_t i = 0; i < MAX_N * MAX_K; i++) {
        w[i] = random_in(-0.1f, 0.1f);
    }
}

static void tear_down(void)
{
    free(packed.s8);
    free(packed.scale);
    free(packed.sum);
}

static float weight(size_t i, size_t j, size_t at)
{
    return shapes[i].b_rows ? w[j * shapes[i].k + at] : w[at * shapes[i].n + j];
}

/* Half a step of x times each weight, half a step of each weight times x, and both together. */
static void check_output(size_t i, size_t r, size_t j, double was, double got)
{
    const size_t k = shapes[i].k;
    double       low = 0, high = 0, top = 0, want = was, bound = 1e-6;
    for (size_t at = 0; at < k; at++) {
        low = fmin(low, (double)x[r * k + at]);
        high = fmax(high, (double)x[r * k + at]);
        top = fmax(top, fabs((double)weight(i, j, at)));
    }
    for (size_t at = 0; at < k; at++) {
        /* The zero is rounded, too, so the end of a row's range may be off by a whole step. */
        const double dx = (high - low) / 255 * 1.001, dw = top / 127 * 0.501;
        const double vx = (double)x[r * k + at], vw = (double)weight(i, j, at);
        want += vx * vw;
        bound += dx * fabs(vw) + dw * fabs(vx) + dx * dw;
    }
    ck_assert_msg(fabs(got - want) <= bound,
                  "shape %zu, row %zu, output %zu: %g, expected %g +- %g", i, r, j, got, want,
                  bound);
}

START_TEST(few_rows)
{
    const size_t n = shapes[_i].n, k = shapes[_i].k;
    if (!offered()) {
        return;
    }
    dnn8_weights(w, shapes[_i].b_rows, n, k, &packed);
    for (size_t rows = 1; rows <= MAX_ROWS; rows++) {
        for (int adds = 0; adds < 2; adds++) {
            for (size_t i = 0; i <= rows * n; i++) {
                y[i] = 7.0f;
            }
            dnn8_rows(x, k, rows, k, u8, row);
            dnn8_few(rows, n, k, u8, row, &packed, adds, y);
            ck_assert(y[rows * n] == 7.0f);
            for (size_t i = 0; i < rows * n; i++) {
                check_output((size_t)_i, i / n, i % n, adds ? 7.0 : 0.0, (double)y[i]);
            }
        }
    }
}
END_TEST

/* The sums by plain loops over what the bytes are said to mean; then the same bits. */
START_TEST(sums_are_whole_numbers)
{
    static int32_t sums[MAX_ROWS * MAX_N];
    static float   back[MAX_ROWS * MAX_N];
    const size_t   n = shapes[_i].n, k = shapes[_i].k;
    if (!offered()) {
        return;
    }
    dnn8_weights(w, shapes[_i].b_rows, n, k, &packed);
    dnn8_rows(x, k, MAX_ROWS, k, u8, row);
    dnn8_few(MAX_ROWS, n, k, u8, row, &packed, 0, y);
    for (size_t r = 0; r < MAX_ROWS; r++) {
        for (size_t j = 0; j < n; j++) {
            int32_t sum = 0, of_weights = 0;
            for (size_t at = 0; at < k; at++) {
                const int32_t q =
                    (int32_t)lrint((double)weight((size_t)_i, j, at) / (double)packed.scale[j]);
                sum += q * u8[r * k + at];
                of_weights += q;
            }
            ck_assert_int_eq(packed.sum[j], of_weights);
            sums[r * n + j] = sum;
        }
    }
    dnn8_back(sums, MAX_ROWS, n, row, &packed, 0, back);
    ck_assert_mem_eq(back, y, MAX_ROWS * n * sizeof(float));
    dnn8_back(sums, MAX_ROWS, n, row, &packed, 0, (float *)(void *)sums);
    ck_assert_mem_eq(sums, y, MAX_ROWS * n * sizeof(float));
}
END_TEST

/* What is not finite comes out as such, in its own row or output and nowhere else. */
START_TEST(not_finite)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    const size_t       n = 33, k = 66, spoilt_output = 5, spoilt_row = 2;
    if (!offered()) {
        return;
    }
    w[spoilt_output * k + 40] = bad[_i];
    x[spoilt_row * k + 65] = bad[_i];
    dnn8_weights(w, 1, n, k, &packed);
    dnn8_rows(x, k, 4, k, u8, row);
    dnn8_few(4, n, k, u8, row, &packed, 0, y);
    for (size_t i = 0; i < 4 * n; i++) {
        const int spoilt = i / n == spoilt_row || i % n == spoilt_output;
        ck_assert_msg(isfinite(y[i]) ? !spoilt : spoilt, "%zu: %g", i, (double)y[i]);
    }
}
END_TEST

START_TEST(zeros_and_constants)
{
    const size_t n = 64, k = 64;
    if (!offered()) {
        return;
    }
    memset(w, 0, k * sizeof(*w)); /* output 0 */
    memset(x, 0, k * sizeof(*x)); /* row 0 */
    for (size_t i = 0; i < k; i++) {
        x[k + i] = -2.5f;                    /* on one side of zero only */
        x[2 * k + i] = i ? 1e-40f : -1e-40f; /* as good as zero */
        w[k + i] = 0.5f;
    }
    dnn8_weights(w, 1, n, k, &packed);
    dnn8_rows(x, k, 3, k, u8, row);
    dnn8_few(3, n, k, u8, row, &packed, 0, y);
    for (size_t j = 0; j < n; j++) {
        ck_assert(y[j] == 0.0f);
        ck_assert_double_eq_tol((double)y[2 * n + j], 0, 1e-30);
    }
    ck_assert(y[n] == 0.0f);
    ck_assert_double_eq_tol((double)y[n + 1], -2.5 * 0.5 * 64, 1e-4);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("int8");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, few_rows, 0, ROWS(shapes));
    tcase_add_loop_test(t, sums_are_whole_numbers, 0, ROWS(shapes));
    tcase_add_loop_test(t, not_finite, 0, 3);
    tcase_add_test(t, zeros_and_constants);
    return run_case("int8", t);
}
