/* SPDX-License-Identifier: MIT
 *
 * test_lm_sample.c - the next token: which may be drawn under top-k, top-p and min-p, how often
 * each is, and what changes the logits before.
 */
#include "lm_sample.h"
#include "run.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VOCAB = 40, SEEDS = 20000 };

static struct lm_sampler s;

static void set_up(void)
{
    ck_assert_int_eq(lm_sampler_init(&s, lm_math_best(), VOCAB), 0);
}

static void tear_down(void)
{
    lm_sampler_free(&s);
}

static uint32_t draw(const struct lm_sampling *o, const float *logits, const uint32_t *tokens,
                     size_t n, uint32_t step)
{
    float copy[VOCAB];
    memcpy(copy, logits, sizeof(copy));
    return lm_sample(&s, o, copy, tokens, n, step);
}

/* Logits of the given probabilities, of any sum; 0 for the others. */
static void of(const double *p, size_t n, float logits[VOCAB])
{
    for (size_t i = 0; i < VOCAB; i++) {
        logits[i] = i < n ? (float)log(p[i]) : -1e30f;
    }
}

static void count(struct lm_sampling o, const float *logits, size_t seen[VOCAB])
{
    memset(seen, 0, VOCAB * sizeof(*seen));
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint32_t id;
        o.seed = seed;
        id = draw(&o, logits, NULL, 0, 3);
        ck_assert_uint_lt(id, VOCAB);
        seen[id]++;
    }
}

/* Each share is within five standard deviations of what it should be. */
static void check_shares(const size_t seen[VOCAB], const double *p, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += p[i];
    }
    for (size_t i = 0; i < VOCAB; i++) {
        double want = i < n ? p[i] / sum : 0;
        double slack = 5 * sqrt(want * (1 - want) / SEEDS);
        ck_assert_msg(fabs((double)seen[i] / SEEDS - want) <= slack, "token %zu: %zu of %d, not %g",
                      i, seen[i], SEEDS, want);
    }
}

static const double halves[] = {0.5, 0.25, 0.125, 0.0625, 0.03125, 0.03125};

START_TEST(shares)
{
    static const double squares[] = {0.25,         0.0625,      0.015625, 0.00390625,
                                     0.0009765625, 0.0009765625}; /* of halves: temperature 1/2 */
    static const double roots[] = {0.7071067812, 0.5,          0.3535533906,
                                   0.25,         0.1767766953, 0.1767766953}; /* temperature 2 */
    float               logits[VOCAB];
    size_t              seen[VOCAB];
    of(halves, 6, logits);
    count((struct lm_sampling){.temperature = 1}, logits, seen);
    check_shares(seen, halves, 6);
    count((struct lm_sampling){.temperature = 0.5}, logits, seen);
    check_shares(seen, squares, 6);
    count((struct lm_sampling){.temperature = 2}, logits, seen);
    check_shares(seen, roots, 6);
}
END_TEST

static const struct cut {
    struct lm_sampling o;
    size_t             left; /* of halves */
} cuts[] = {
    {{.temperature = 1, .top_k = 1}, 1},
    {{.temperature = 1, .top_k = 3}, 3},
    {{.temperature = 1, .top_k = VOCAB}, 6},
    {{.temperature = 1, .top_k = 1000}, 6},
    {{.temperature = 1, .top_p = 0.01}, 1},
    {{.temperature = 1, .top_p = 0.6}, 2},
    {{.temperature = 1, .top_p = 0.8}, 3},
    {{.temperature = 1, .top_p = 1}, 6},
    {{.temperature = 1, .min_p = 0.2}, 3},
    {{.temperature = 1, .min_p = 0.9}, 1},
    {{.temperature = 1, .top_k = 3, .top_p = 0.8}, 2}, /* of 4/7, 2/7, 1/7: 6/7 is enough */
    {{.temperature = 1, .top_k = 5, .top_p = 0.97, .min_p = 0.1}, 4},
    {{.temperature = 2, .top_p = 0.5}, 2}, /* .33, .23: temperature comes before */
    {{.temperature = 2, .min_p = 0.4}, 3}, /* 1, .71, .5, .35 */
};

START_TEST(candidates)
{
    const struct cut *c = &cuts[_i];
    float             logits[VOCAB];
    double            p[6];
    size_t            seen[VOCAB];
    of(halves, 6, logits);
    for (size_t i = 0; i < 6; i++) {
        p[i] = pow(halves[i], 1 / c->o.temperature);
    }
    count(c->o, logits, seen);
    check_shares(seen, p, c->left);
}
END_TEST

/* The candidates do not lie at the front, and there are ties: the lower id comes first. */
START_TEST(order)
{
    static const uint32_t ids[] = {39, 4, 17, 22, 3};
    float                 logits[VOCAB];
    size_t                seen[VOCAB];
    for (size_t i = 0; i < VOCAB; i++) {
        logits[i] = -5;
    }
    for (size_t i = 0; i < 5; i++) {
        logits[ids[i]] = 5 - (float)i;
    }
    count((struct lm_sampling){.temperature = 3, .top_k = 5}, logits, seen);
    for (size_t i = 0; i < VOCAB; i++) {
        int in = i == 39 || i == 4 || i == 17 || i == 22 || i == 3;
        ck_assert_msg((seen[i] > 0) == in, "token %zu", i);
    }
    count((struct lm_sampling){.temperature = 3, .top_k = 7}, logits,
          seen); /* 5, and ids 0 and 1 */
    ck_assert(seen[0] > 0 && seen[1] > 0 && seen[2] == 0 && seen[5] == 0);
    logits[30] = logits[8] = 9;
    ck_assert_uint_eq(draw(&(struct lm_sampling){0}, logits, NULL, 0, 0), 8);
    ck_assert_uint_eq(draw(&(struct lm_sampling){.temperature = 1, .top_k = 1}, logits, NULL, 0, 0),
                      8);
}
END_TEST

START_TEST(penalty)
{
    static const uint32_t    twice[] = {0, 0, 5}, second[] = {1};
    const struct lm_sampling o = {.repetition_penalty = 2};
    float                    logits[VOCAB];
    for (size_t i = 0; i < VOCAB; i++) {
        logits[i] = -9;
    }
    logits[0] = 2; /* 1 then: less than 1.5 */
    logits[1] = 1.5f;
    ck_assert_uint_eq(draw(&o, logits, NULL, 0, 1), 0);
    ck_assert_uint_eq(draw(&o, logits, twice, 3, 1), 1);
    logits[0] = 4; /* once only: 2, not 1 */
    ck_assert_uint_eq(draw(&o, logits, twice, 3, 1), 0);
    logits[0] = -2;
    logits[1] = -1; /* what is below 0 is multiplied: -2, and then -3 */
    ck_assert_uint_eq(draw(&o, logits, second, 1, 1), 0);
    logits[0] = -3;
    ck_assert_uint_eq(draw(&o, logits, second, 1, 1), 1);
}
END_TEST

START_TEST(first_token)
{
    static const uint32_t avoid[] = {0, 2};
    struct lm_sampling    o = {.avoid = avoid, .n_avoid = 2};
    float                 logits[VOCAB];
    size_t                seen[VOCAB];
    of(halves, 6, logits);
    ck_assert_uint_eq(draw(&o, logits, NULL, 0, 0), 1);
    ck_assert_uint_eq(draw(&o, logits, NULL, 0, 1), 0); /* only the first */
    o.temperature = 1;
    for (uint64_t seed = 0; seed < 500; seed++) {
        uint32_t id;
        o.seed = seed;
        id = draw(&o, logits, NULL, 0, 0);
        ck_assert(id == 1 || (id >= 3 && id < 6));
    }
    o = (struct lm_sampling){.temperature = 1, .first_temperature = 0.01};
    for (o.seed = 0; o.seed < 500; o.seed++) {
        ck_assert_uint_eq(draw(&o, logits, NULL, 0, 0), 0);
    }
    count(o, logits, seen); /* of step 3 */
    check_shares(seen, halves, 6);
}
END_TEST

/* Steps of one seed are as independent as seeds are. */
START_TEST(steps)
{
    struct lm_sampling o = {.temperature = 1, .seed = 42};
    float              logits[VOCAB];
    size_t             seen[VOCAB] = {0};
    of(halves, 6, logits);
    for (uint32_t i = 1; i <= SEEDS; i++) {
        seen[draw(&o, logits, NULL, 0, i)]++;
    }
    check_shares(seen, halves, 6);
    ck_assert_uint_eq(draw(&o, logits, NULL, 0, 9), draw(&o, logits, NULL, 0, 9));
}
END_TEST

START_TEST(not_finite)
{
    const struct lm_sampling greedy = {0}, one = {.temperature = 1},
                             k = {.temperature = 1, .top_k = 3};
    float logits[VOCAB];
    of(halves, 6, logits);
    logits[3] = NAN;
    ck_assert_uint_eq(draw(&one, logits, NULL, 0, 1), UINT32_MAX);
    ck_assert_uint_eq(draw(&k, logits, NULL, 0, 1), UINT32_MAX);
    logits[3] = INFINITY;
    ck_assert_uint_eq(draw(&greedy, logits, NULL, 0, 1), UINT32_MAX);
    ck_assert_uint_eq(draw(&one, logits, NULL, 0, 1), UINT32_MAX);
    for (size_t i = 0; i < VOCAB; i++) {
        logits[i] = NAN;
    }
    ck_assert_uint_eq(draw(&greedy, logits, NULL, 0, 1), UINT32_MAX);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("lm_sample");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, shares);
    tcase_add_loop_test(t, candidates, 0, ROWS(cuts));
    tcase_add_test(t, order);
    tcase_add_test(t, penalty);
    tcase_add_test(t, first_token);
    tcase_add_test(t, steps);
    tcase_add_test(t, not_finite);
    return run_case("lm_sample", t);
}
