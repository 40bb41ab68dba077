/* SPDX-License-Identifier: MIT
 *
 * test_http_limit.c - plugins/http/limit.c: when the next request may go, with a clock of the
 * test's own and servers that count.
 */
#include "limit.h"
#include "run.h"

#include <drh/http.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

static struct limits limits;

static void setup(void)
{
    limits = (struct limits){.base = 1, .cap = 60, .random = 88172645463325252u};
}

static struct gate *gate_of(const char *url)
{
    struct origin o;
    drh_error     e = DRH_ERROR_INIT;

    ck_assert_int_eq(url_origin(url, &o, &e), DRH_OK);
    return limit_gate(&limits, &o, GATE_CALLS);
}

/* An answer with these headers, NULL: without, to a request that was sent at `sent`. */
static void answer_to(double sent, struct gate *g, uint32_t status, const char *rate,
                      const char *after, double now)
{
    drh_http_header h[2];
    drh_http_answer a = {.struct_size = sizeof(a), .status = status, .headers = h};

    if (rate) {
        h[a.n_headers++] = (drh_http_header){drh_str_of("ratelimit"), drh_str_of(rate)};
    }
    if (after) {
        h[a.n_headers++] = (drh_http_header){drh_str_of("retry-after"), drh_str_of(after)};
    }
    limit_answer(&limits, g, status, &a, sent, now);
}

static void answer(struct gate *g, uint32_t status, const char *rate, const char *after, double now)
{
    answer_to(now, g, status, rate, after, now);
}

/* ---- gates ---- */

START_TEST(a_gate_an_origin_and_kind)
{
    struct origin o;
    struct gate  *a = gate_of("http://a"), *b = gate_of("http://b");

    ck_assert_ptr_ne(a, b);
    ck_assert_ptr_eq(gate_of("http://a:80/x"), a);
    ck_assert_ptr_ne(gate_of("https://a"), a);
    ck_assert_int_eq(url_origin("http://a", &o, NULL), DRH_OK);
    ck_assert_ptr_ne(limit_gate(&limits, &o, GATE_FILES), a);
    ck_assert_ptr_eq(limit_gate(&limits, &o, GATE_FILES), limit_gate(&limits, &o, GATE_FILES));
    ck_assert_uint_eq(limits.n, 4);
}
END_TEST

START_TEST(more_origins_than_gates)
{
    char url[32];

    for (int i = 0; i < 3 * LIMIT_MAX_ORIGINS; i++) {
        snprintf(url, sizeof(url), "http://h%d", i);
        struct gate *g = gate_of(url);
        ck_assert(g >= limits.gate && g < limits.gate + LIMIT_MAX_ORIGINS);
        ck_assert_double_eq(limit_wait(g, 0), 0);
        limit_sent(g, 0); /* none of them is idle */
        ck_assert_uint_eq(g->open, 1);
    }
    limits.gate[5].open = 0; /* an idle one is taken first */
    ck_assert_ptr_eq(gate_of("http://new"), &limits.gate[5]);
}
END_TEST

/* ---- what servers say ---- */

START_TEST(an_unknown_server_gets_few_at_first)
{
    struct gate *g = gate_of("http://a");
    int          n = 0;

    for (; n < 1000 && limit_wait(g, 1) <= 0; n++) {
        limit_sent(g, 1);
    }
    ck_assert_int_ge(n, 1);
    ck_assert_int_le(n, 16);
    ck_assert_double_lt(limit_wait(g, 1), 1); /* an answer opens it, no clock */
    for (int i = 0; i < n; i++) {
        answer(g, 200, NULL, NULL, 2);
    }
    int more = 0;
    for (; more < 1000 && limit_wait(g, 2) <= 0; more++) {
        limit_sent(g, 2);
    }
    ck_assert_int_gt(more, n);
}
END_TEST

START_TEST(what_is_left_is_kept_to)
{
    struct gate *g = gate_of("http://a");

    limit_sent(g, 10);
    answer(g, 200, "\"api\";r=2;t=5", NULL, 10);
    for (int i = 0; i < 2; i++) {
        ck_assert_double_eq(limit_wait(g, 10.1), 0);
        limit_sent(g, 10.1);
    }
    ck_assert_double_gt(limit_wait(g, 10.1), 0);
    answer(g, 200, "\"api\";r=0;t=5", NULL, 10.1); /* this one was the last */
    answer(g, 200, "\"api\";r=1;t=5", NULL, 10.1); /* late */
    ck_assert_double_ge(limit_wait(g, 10.1), 4.9); /* not before the window ends */
    ck_assert_double_le(limit_wait(g, 10.1), 6.9); /* nor 2 s later than that */
    ck_assert_double_eq(limit_wait(g, 17), 0);
}
END_TEST

START_TEST(one_goes_first_into_a_new_window)
{
    struct gate *g = gate_of("http://a");

    limit_sent(g, 10);
    answer(g, 200, "\"api\";r=0;t=5", NULL, 10);
    ck_assert_double_gt(limit_wait(g, 14.9), 0);
    ck_assert_double_eq(limit_wait(g, 16), 0);
    limit_sent(g, 16);
    ck_assert_double_gt(limit_wait(g, 16.1), 0);
    answer(g, 200, "\"api\";r=9;t=5", NULL, 16.2);
    ck_assert_double_eq(limit_wait(g, 16.2), 0);
}
END_TEST

/* The first one's answer never comes: the others do not wait for it for ever. */
START_TEST(the_first_one_may_be_lost)
{
    struct gate *g = gate_of("http://a");

    limit_sent(g, 10);
    answer(g, 200, "\"api\";r=0;t=5", NULL, 10);
    limit_sent(g, 16);
    ck_assert_double_le(limit_wait(g, 16), 5);
    ck_assert_double_eq(limit_wait(g, 21), 0);
}
END_TEST

START_TEST(a_server_that_says_nothing_any_more)
{
    struct gate *g = gate_of("http://a");

    limit_sent(g, 10);
    answer(g, 200, "\"api\";r=0;t=500", NULL, 10);
    ck_assert_double_gt(limit_wait(g, 20), 0);
    limit_sent(g, 20);
    answer(g, 200, NULL, NULL, 20);
    ck_assert_double_eq(limit_wait(g, 20), 0);
    limit_sent(g, 20);
    answer(g, 200, "garbage", NULL, 20);
    ck_assert_double_eq(limit_wait(g, 20), 0);
}
END_TEST

/* Whatever it says, it is no more than 15 minutes. */
START_TEST(no_window_is_for_ever)
{
    struct gate *g = gate_of("http://a");

    limit_sent(g, 0);
    answer(g, 200, "\"api\";r=0;t=18446744073709551615", NULL, 0);
    ck_assert_double_gt(limit_wait(g, 0), 800);
    ck_assert_double_le(limit_wait(g, 0), 902);
}
END_TEST

/* ---- 429 and 503 ---- */

/* least, most: seconds of the pause; a pause of our own, at most 1 s, may be the longer one */
static const struct {
    uint32_t    status;
    const char *rate, *after;
    double      least, most;
} refusals[] = {
    {429, NULL, "7", 7, 7},
    {503, NULL, "7", 7, 7},
    {429, NULL, "1.5", 1.5, 1.5},
    {429, NULL, "0", 0, 1},
    {429, NULL, NULL, 0, 1},
    {503, NULL, NULL, 0, 1},
    {429, NULL, "soon", 0, 1},
    {429, NULL, "Fri, 31 Dec 1999 23:59:59 GMT", 0, 1}, /* in the past */
    {429, NULL, "Fri, 31 Dec 9999 23:59:59 GMT", 900, 900},
    {429, NULL, "999999999", 900, 900},
    {429, "\"api\";r=0;t=20", NULL, 21, 22}, /* hubs round down */
    {429, "\"api\";r=0;t=20", "5", 21, 22},  /* the longer one */
    {429, "\"api\";r=0;t=5", "20", 20, 20},
    {429, "\"api\";r=0;t=99999", NULL, 900, 902},
    {429, "\"api\";r=7;t=20", NULL, 0, 1},
    {200, NULL, "7", 0, 0}, /* no refusal */
    {500, NULL, "7", 0, 0},
    {0, NULL, NULL, 0, 0}, /* no answer: its owner's pause */
};

START_TEST(refusals_close_a_gate)
{
    struct gate *g = gate_of("http://a");
    double       wait;

    limit_sent(g, 100);
    answer(g, refusals[_i].status, refusals[_i].rate, refusals[_i].after, 100);
    wait = limit_wait(g, 100);
    ck_assert_msg(wait >= refusals[_i].least - 1e-9 && wait <= refusals[_i].most + 1e-9,
                  "row %d: %g s", _i, wait);
    ck_assert_double_eq(limit_wait(gate_of("http://b"), 100), 0);
    ck_assert_double_eq(limit_wait(g, 100 + wait + 1e-6), 0);
}
END_TEST

/* A date is from now, whatever the monotonic clock says. */
START_TEST(a_date_in_retry_after)
{
    struct gate *g = gate_of("http://a");
    time_t       at = time(NULL) + 30;
    struct tm    tm;
    char         text[64];

    ck_assert_ptr_nonnull(gmtime_r(&at, &tm));
    ck_assert_uint_gt(strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm), 0);
    limit_sent(g, 5);
    answer(g, 429, NULL, text, 5);
    ck_assert_double_ge(limit_wait(g, 5), 25);
    ck_assert_double_le(limit_wait(g, 5), 31);
}
END_TEST

START_TEST(pauses_grow_and_end)
{
    struct gate *g = gate_of("http://a");
    double       longest = 0;

    for (uint32_t n = 0; n < 200; n++) {
        answer(g, 429, NULL, NULL, 1000.0 * n);
        double wait = limit_wait(g, 1000.0 * n);
        ck_assert_double_ge(wait, 0);
        ck_assert_double_le(wait, n < 6 ? pow(2, n) : 60);
        longest = wait > longest ? wait : longest;
        ck_assert_uint_eq(g->refused, n + 1);
    }
    ck_assert_double_gt(longest, 30);
    answer(g, 200, NULL, NULL, 1e6);
    ck_assert_uint_eq(g->refused, 0);
    answer(g, 429, NULL, NULL, 1e6);
    ck_assert_double_le(limit_wait(g, 1e6), 1);
}
END_TEST

/* A hundred requests that were under way together when the server had enough. */
START_TEST(one_refusal_counts_once)
{
    struct gate *g = gate_of("http://a");

    g->window = 400;
    for (int i = 0; i < 100; i++) {
        limit_sent(g, 5);
    }
    for (int i = 0; i < 99; i++) {
        answer_to(5, g, i % 2 ? 429 : 503, NULL, NULL, 6 + i * 0.001);
    }
    ck_assert_uint_eq(g->refused, 1);
    ck_assert_uint_eq(g->window, 200);
    ck_assert_double_le(limit_wait(g, 6.1), 1);
    answer_to(5, g, 429, NULL, "30", 6.2); /* what it asks for counts all the same */
    ck_assert_double_ge(limit_wait(g, 6.2), 29.9);
    limit_sent(g, 40);
    answer_to(40, g, 429, NULL, NULL, 41);
    ck_assert_uint_eq(g->refused, 2);
    ck_assert_uint_eq(g->window, 100);
}
END_TEST

START_TEST(jitter_is_all_of_it)
{
    double low = 1, high = 0, sum = 0;

    for (int i = 0; i < 10000; i++) {
        double p = limit_pause(&limits, 0);
        ck_assert_double_ge(p, 0);
        ck_assert_double_lt(p, 1);
        low = p < low ? p : low;
        high = p > high ? p : high;
        sum += p;
    }
    ck_assert_double_lt(low, 0.01);
    ck_assert_double_gt(high, 0.99);
    ck_assert_double_lt(fabs(sum / 10000 - 0.5), 0.02);
    ck_assert_double_le(limit_pause(&limits, UINT32_MAX), 60);
    limits.base = 0;
    ck_assert_double_eq(limit_pause(&limits, 5), 0);
}
END_TEST

START_TEST(failures_in_a_row)
{
    struct gate *g = gate_of("http://a");

    answer(g, 0, NULL, NULL, 1);
    answer(g, 500, NULL, NULL, 1);
    answer(g, 429, NULL, NULL, 1);
    ck_assert_uint_eq(g->failures, 3);
    answer(g, 404, NULL, NULL, 1); /* an answer is one */
    ck_assert_uint_eq(g->failures, 0);
}
END_TEST

/* ---- servers that count ---- */

enum { MAX_FLYING = 512 };

struct flying { /* a request and its answer */
    double   sent, arrives, answered;
    bool     arrived;
    uint32_t status;
    char     rate[64];
};

struct server {
    int      q;       /* requests a window */
    double   w;       /* seconds */
    double   latency; /* most of one way */
    double   loss;    /* answers that do not come */
    uint64_t random;
    bool     draft6; /* the older header */

    long          window; /* at hand */
    int           count, over, answers, lost;
    struct flying flying[MAX_FLYING];
    int           n;
};

static double random_of(struct server *s)
{
    s->random = s->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(s->random >> 11) / 9007199254740992.0;
}

static void arrive(struct server *s, struct flying *f)
{
    long window = (long)floor(f->arrives / s->w);
    int  left, reset;

    if (window != s->window) {
        s->window = window;
        s->count = 0;
    }
    f->arrived = true;
    f->status = ++s->count > s->q ? 429 : 200;
    s->over += s->count > s->q;
    left = s->count > s->q ? 0 : s->q - s->count;
    reset = (int)ceil((double)(window + 1) * s->w - f->arrives);
    snprintf(f->rate, sizeof(f->rate),
             s->draft6 ? "limit=9, remaining=%d, reset=%d" : "\"api\";r=%d;t=%d", left, reset);
}

/* The next thing that happens until `until`; false: nothing. */
static bool happen(struct server *s, struct gate *g, double *now, double until)
{
    struct flying *first = NULL;
    double         at = until;

    for (int i = 0; i < s->n; i++) {
        double t = s->flying[i].arrived ? s->flying[i].answered : s->flying[i].arrives;
        if (t <= at) {
            at = t;
            first = &s->flying[i];
        }
    }
    *now = at;
    if (!first) {
        return false;
    }
    if (!first->arrived) {
        arrive(s, first);
        return true;
    }
    if (random_of(s) < s->loss) {
        limit_answer(&limits, g, 0, NULL, first->sent, at);
        s->lost += first->status == 200;
    } else {
        answer_to(first->sent, g, first->status, first->rate, NULL, at);
        s->answers += first->status == 200;
    }
    *first = s->flying[--s->n];
    return true;
}

/* Sends until `n` requests were answered; the seconds that it took. */
static double ask(struct server *s, int n)
{
    struct gate *g = gate_of("http://a");
    double       now = 1000 + random_of(s) * s->w, start = now;
    int          sent = 0;

    while (s->answers < n) {
        double wait = limit_wait(g, now);
        if (wait <= 0 && s->answers + s->n < n && s->n < MAX_FLYING) {
            double there = now + random_of(s) * s->latency;
            s->flying[s->n++] = (struct flying){
                .sent = now, .arrives = there, .answered = there + random_of(s) * s->latency};
            limit_sent(g, now);
            sent++;
            continue;
        }
        (void)happen(s, g, &now, now + (wait > 0 && s->answers + s->n < n ? wait : 1));
        ck_assert_double_lt(now - start, 1e5);
    }
    ck_assert_int_eq(sent, s->answers + s->over + s->lost + s->n);
    return now - start;
}

/* clear: from an answer's seconds it is always clear which window it is of, and none is lost.  Else
 * one refusal now and then is the price of not waiting. */
static const struct {
    int    q;
    double w, latency, loss;
    bool   clear;
} servers[] = {
    {4, 2, 0, 0, true},       {5, 2, 0.01, 0, true},     {5, 2, 0.5, 0, false},
    {5, 5, 1.5, 0, true},     {20, 2, 0.01, 0, true},    {20, 2, 0.4, 0, false},
    {20, 10, 1.5, 0, true},   {100, 5, 0.3, 0, true},    {100, 60, 1.5, 0, true},
    {500, 300, 0.5, 0, true}, {3000, 300, 2, 0, true},   {7, 1, 0.05, 0, false},
    {30, 1, 0.3, 0, false},   {20, 5, 0.3, 0.05, false}, {100, 10, 0.3, 0.2, false},
};

/* No request is refused, and the windows are used. */
START_TEST(no_more_than_the_server_allows)
{
    int refused = 0, all = 0;

    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct server s = {.q = servers[_i].q,
                           .w = servers[_i].w,
                           .latency = servers[_i].latency,
                           .loss = servers[_i].loss,
                           .random = seed,
                           .draft6 = seed % 2 == 0};
        const int     n = s.q * 6 < 2000 ? s.q * 6 : 2000;
        double        took;

        setup();
        took = ask(&s, n);
        refused += s.over;
        all += n;
        ck_assert_msg(s.over == 0 || !servers[_i].clear, "row %d, seed %d: %d refused", _i,
                      (int)seed, s.over);
        ck_assert_msg(took < ((double)(n + s.lost) / s.q + 2) * (s.w + 2.5 + 4 * s.latency),
                      "row %d, seed %d: %g s", _i, (int)seed, took);
    }
    ck_assert_msg(refused * 200 <= all, "row %d: %d of %d refused", _i, refused, all);
}
END_TEST

/* Answers overtake each other: the lowest number counts. */
START_TEST(answers_in_any_order)
{
    struct gate *g = gate_of("http://a");

    for (int i = 0; i < 4; i++) {
        limit_sent(g, 10);
    }
    answer(g, 200, "\"api\";r=1;t=300", NULL, 10.1);
    for (int i = 2; i < 5; i++) {
        char rate[32];
        snprintf(rate, sizeof(rate), "\"api\";r=%d;t=300", i);
        answer(g, 200, rate, NULL, 10.2);
    }
    ck_assert_double_eq(limit_wait(g, 10.3), 0);
    limit_sent(g, 10.3);
    ck_assert_double_gt(limit_wait(g, 10.3), 0);
}
END_TEST

/* One that was given up may have been counted. */
START_TEST(what_was_given_up_counts)
{
    struct gate *g = gate_of("http://a");

    limit_sent(g, 10);
    answer(g, 200, "\"api\";r=1;t=300", NULL, 10);
    limit_sent(g, 10.1);
    limit_lost(g);
    ck_assert_uint_eq(g->open, 0);
    ck_assert_double_gt(limit_wait(g, 10.2), 200);
    limit_lost(g); /* more than there were */
    ck_assert_uint_eq(g->open, 0);
}
END_TEST

/* An answer of the last window that was long on its way does not end the new one. */
START_TEST(a_straggler)
{
    struct gate *g = gate_of("http://a");

    limit_sent(g, 10);
    limit_sent(g, 10);
    answer_to(10, g, 200, "\"api\";r=5;t=1", NULL, 10.1);
    limit_sent(g, 12);
    answer_to(12, g, 200, "\"api\";r=9;t=60", NULL, 12.1);
    answer_to(10, g, 200, "\"api\";r=0;t=1", NULL, 12.2);
    ck_assert_double_eq(limit_wait(g, 12.3), 0);
    ck_assert_double_gt(g->reset_at, 70);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("http_limit");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_gate_an_origin_and_kind);
    tcase_add_test(t, more_origins_than_gates);
    tcase_add_test(t, an_unknown_server_gets_few_at_first);
    tcase_add_test(t, what_is_left_is_kept_to);
    tcase_add_test(t, one_goes_first_into_a_new_window);
    tcase_add_test(t, the_first_one_may_be_lost);
    tcase_add_test(t, a_server_that_says_nothing_any_more);
    tcase_add_test(t, no_window_is_for_ever);
    tcase_add_loop_test(t, refusals_close_a_gate, 0, ROWS(refusals));
    tcase_add_test(t, a_date_in_retry_after);
    tcase_add_test(t, pauses_grow_and_end);
    tcase_add_test(t, one_refusal_counts_once);
    tcase_add_test(t, jitter_is_all_of_it);
    tcase_add_test(t, failures_in_a_row);
    tcase_add_test(t, answers_in_any_order);
    tcase_add_test(t, what_was_given_up_counts);
    tcase_add_test(t, a_straggler);
    tcase_add_loop_test(t, no_more_than_the_server_allows, 0, ROWS(servers));
    return run_case("http_limit", t);
}
