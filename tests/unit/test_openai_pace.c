/* SPDX-License-Identifier: MIT
 *
 * test_openai_pace.c - plugins/infer_openai: how much at once, to whom, and what may be spent; with
 * a clock of the test's own.
 */
#include "oa.h"
#include "run.h"

#include <drh/util.h>

static struct oa_endpoint ends[2];
static struct oa_pace     pace;

static void setup(void)
{
    for (int i = 0; i < 2; i++) {
        ends[i] = (struct oa_endpoint){.weight = 1, .max = 100};
    }
    pace = (struct oa_pace){.pause = 1, .longest_pause = 60, .random = 88172645463325252u};
}

/* ---- pace ---- */

START_TEST(the_window_doubles_then_halves_then_creeps)
{
    struct oa_endpoint *ep = &ends[0];

    ep->max = 1000;
    oa_pace_init(ep);
    ck_assert_double_eq(ep->window, 64);
    for (int i = 0; i < 64; i++) {
        ck_assert(oa_pace_open(ep, 1));
        oa_pace_sent(ep);
    }
    ck_assert(!oa_pace_open(ep, 1));
    for (int i = 0; i < 64; i++) {
        oa_pace_good(ep);
    }
    ck_assert_double_eq(ep->window, 128);
    for (int i = 0; i < 128; i++) {
        oa_pace_sent(ep);
    }
    for (int i = 0; i < 128; i++) { /* all of them refused: once */
        oa_pace_congested(&pace, ep, 2, 3 + i * 0.001, 0, true);
    }
    ck_assert_double_eq(ep->window, 64);
    ck_assert_double_eq(ep->in_flight, 0);
    ck_assert(!oa_pace_open(ep, 3)); /* closed for a pause */
    ck_assert(oa_pace_open(ep, 4.01));
    for (int round = 0; round < 3; round++) {
        double window = ep->window;
        for (int i = 0; i < (int)window; i++) {
            oa_pace_sent(ep);
        }
        for (int i = 0; i < (int)window; i++) {
            oa_pace_good(ep);
        }
        ck_assert_double_gt(ep->window, window + 0.9); /* one more a round */
        ck_assert_double_lt(ep->window, window + 1.1);
    }
    for (int i = 0; i < 20; i++) {
        oa_pace_sent(ep);
        oa_pace_congested(&pace, ep, 10 + i, 10.5 + i, 0, false);
    }
    ck_assert_double_eq(ep->window, 1); /* never nothing */
}
END_TEST

START_TEST(retry_after_is_kept_to)
{
    struct oa_endpoint *ep = &ends[0];

    oa_pace_init(ep);
    oa_pace_sent(ep);
    oa_pace_congested(&pace, ep, 1, 2, 30, true);
    ck_assert(!oa_pace_open(ep, 31.9));
    ck_assert(oa_pace_open(ep, 32));
    oa_pace_sent(ep);
    oa_pace_congested(&pace, ep, 1, 3, 60, true); /* of the same moment, but it asks for more */
    ck_assert(!oa_pace_open(ep, 62.9));
    ck_assert(oa_pace_open(ep, 63));
}
END_TEST

START_TEST(by_weight)
{
    unsigned n[2] = {0, 0};

    ends[1] = ends[0];
    ends[0].weight = 3;
    for (int i = 0; i < 2; i++) {
        ends[i].max = 1000;
        oa_pace_init(&ends[i]);
    }
    for (int i = 0; i < 80; i++) {
        struct oa_endpoint *ep = oa_pace_choose(ends, 2, 1);
        oa_pace_sent(ep);
        n[ep - ends]++;
    }
    ck_assert_uint_eq(n[0], 60);
    ck_assert_uint_eq(n[1], 20);
    ends[0].closed_until = 5;
    ck_assert_ptr_eq(oa_pace_choose(ends, 2, 1), &ends[1]);
    ends[1].closed_until = 5;
    ck_assert_ptr_null(oa_pace_choose(ends, 2, 1));
}
END_TEST

/* Else the one that fails at once would be the least busy one. */
START_TEST(one_that_fails_each_time_is_left_alone)
{
    struct oa_endpoint *ep = &ends[0];
    double              longest = 0;

    oa_pace_init(ep);
    for (int i = 0; i < 200; i++) {
        oa_pace_sent(ep);
        oa_pace_failed(&pace, ep, 100);
        longest = ep->closed_until - 100 > longest ? ep->closed_until - 100 : longest;
    }
    ck_assert_double_gt(longest, 10);
    ck_assert_double_le(longest, 60);
    ck_assert_double_eq(ep->failing_since, 100);
    oa_pace_sent(ep);
    oa_pace_good(ep);
    ck_assert_double_eq(ep->failing_since, 0);
    oa_pace_sent(ep);
    ep->closed_until = 0;
    oa_pace_failed(&pace, ep, 200);
    ck_assert_double_eq(ep->closed_until, 0); /* one failure is none of the endpoint's */
}
END_TEST

/* ---- budgets ---- */

START_TEST(never_more_than_the_tokens)
{
    struct oa_spend s = {.tokens = 1000};
    struct oa_hold  h = oa_spend_most(100, 236); /* 64 for the template: 400 in all */
    char            words[300];

    ck_assert_double_eq(h.n_in + h.n_out, 400);
    ck_assert_int_eq(oa_spend_may(&s, &h, 0), OA_MAY);
    oa_spend_hold(&s, &h);
    ck_assert_int_eq(oa_spend_may(&s, &h, 0), OA_MAY);
    oa_spend_hold(&s, &h);
    ck_assert_int_eq(oa_spend_may(&s, &h, 0), OA_MAY_LATER); /* two may need 800 */
    oa_spend_take(&s, &h, 25, 200, 0, 0);
    ck_assert_int_eq(oa_spend_may(&s, &h, 0), OA_MAY_LATER); /* 225 + 400 + 400 */
    oa_spend_take(&s, &h, 25, 200, 0, 0);
    ck_assert_int_eq(oa_spend_may(&s, &h, 0), OA_MAY); /* 450 + 400 */
    oa_spend_hold(&s, &h);
    oa_spend_take(&s, &h, 60, 200, 0, 0);
    ck_assert_int_eq(oa_spend_may(&s, &h, 0), OA_MAY_NEVER); /* 710 + 400 */
    oa_spend_words(&s, &h, 0, words, sizeof(words));
    ck_assert_ptr_nonnull(
        strstr(words, "1000 tokens of budget_tokens (110 tokens in and 600 out)"));
}
END_TEST

START_TEST(money_and_time)
{
    struct oa_spend s = {.money = 0.01, .price_in = 2, .price_out = 10, .started = 50};
    struct oa_hold  h = oa_spend_most(936, 500); /* 1000 in, 500 out: 0.007 */
    char            words[300];

    ck_assert_int_eq(oa_spend_may(&s, &h, 50), OA_MAY);
    oa_spend_hold(&s, &h);
    ck_assert_int_eq(oa_spend_may(&s, &h, 50), OA_MAY_LATER);
    oa_spend_take(&s, &h, 500, 300, 0, 0);
    ck_assert_double_eq_tol(oa_spend_money(&s), 0.004, 1e-12);
    ck_assert_int_eq(oa_spend_may(&s, &h, 50), OA_MAY_NEVER); /* 0.004 + 0.007 */
    oa_spend_words(&s, &h, 50, words, sizeof(words));
    ck_assert_ptr_nonnull(strstr(words, "the 0.01 of budget_money (0.004 spent"));
    s = (struct oa_spend){.seconds = 10, .started = 50};
    ck_assert_int_eq(oa_spend_may(&s, &h, 59.9), OA_MAY);
    ck_assert_int_eq(oa_spend_may(&s, &h, 60), OA_MAY_NEVER);
    oa_spend_words(&s, &h, 60, words, sizeof(words));
    ck_assert_ptr_nonnull(strstr(words, "budget_seconds are over"));
}
END_TEST

/* Without usage: a token for each three bytes, and it is known that this is a guess. */
START_TEST(an_answer_without_usage)
{
    struct oa_spend s = {0};
    struct oa_hold  h = oa_spend_most(0, 100);

    oa_spend_hold(&s, &h);
    oa_spend_take(&s, &h, -1, -1, 31, 60);
    ck_assert_double_eq(s.n_in, 11);
    ck_assert_double_eq(s.n_out, 20);
    ck_assert_uint_eq(s.unmeasured, 1);
    ck_assert_double_eq(s.held_in + s.held_out, 0);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("openai_pace");

    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, the_window_doubles_then_halves_then_creeps);
    tcase_add_test(c, retry_after_is_kept_to);
    tcase_add_test(c, by_weight);
    tcase_add_test(c, one_that_fails_each_time_is_left_alone);
    tcase_add_test(c, never_more_than_the_tokens);
    tcase_add_test(c, money_and_time);
    tcase_add_test(c, an_answer_without_usage);
    return run_case("openai_pace", c);
}
