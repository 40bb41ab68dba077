/* SPDX-License-Identifier: MIT
 * test_fault.c - each fault of fakehub does what README.md says: those of the transport. */
#include "client.h"

#include "../unit/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 1000000 };

static struct running r;
static struct answer  clean; /* of the file without faults */

static const char spec[] = "{\"repos\":[{\"id\":\"o/d\",\"files\":["
                           "{\"path\":\"a.bin\",\"kind\":\"lfs\",\"size\":1000000,\"seed\":7},"
                           "{\"path\":\"b.bin\",\"kind\":\"lfs\",\"size\":1000000,\"seed\":8},"
                           "{\"path\":\"c.json\",\"text\":\"{\\\"a\\\":1}\"}]}]}";

static char *cdn_target(const char *name)
{
    struct answer a;
    char         *target = xprintf("/datasets/o/d/resolve/main/%s", name), *out;
    int           port;

    ask(&a, r.hub, "GET", target, NULL);
    ck_assert_int_eq(a.status, 302);
    out = target_of(field(&a, "Location"), &port);
    answer_free(&a);
    free(target);
    return out;
}

/* a.bin, or a range of it, and how the connection is a moment later; `l` stays open. */
static void get_on(struct link *l, struct answer *a, const char *range, double patience)
{
    char *target = cdn_target("a.bin");
    char *request = xprintf("GET %s HTTP/1.1\r\n%s%s%s\r\n", target, range ? "Range: bytes=" : "",
                            range ? range : "", range ? "\r\n" : "");

    link_ask(l, a, request, patience);
    free(request);
    free(target);
}

static void get(struct answer *a, const char *range, double patience)
{
    struct link l;

    ck_assert(link_open(&l, r.cdn, NULL));
    get_on(&l, a, range, patience);
    if (!a->ended && !a->reset) {
        link_after(&l, a, 0.1);
    }
    link_close(&l);
}

static void up(void)
{
    hub_start(&r, spec, NULL);
    get(&clean, NULL, 20);
    ck_assert_int_eq((int)clean.body.n, SIZE);
}

static void down(void)
{
    answer_free(&clean);
    hub_stop(&r);
}

static void each(void)
{
    order(&r, "/reset");
}

static void cdn_rule(const char *text)
{
    char *list = xprintf("[{\"match\":{\"port\":\"cdn\"},%s}]", text);

    rules(&r, list);
    free(list);
}

static void ck_begin(const struct answer *a, size_t n)
{
    ck_assert_uint_eq(a->body.n, n);
    ck_assert(n == 0 || memcmp(a->body.p, clean.body.p, n) == 0);
}

/* ---- F1 to F5 ------------------------------------------------------------------------------ */

START_TEST(drop)
{
    struct answer a;

    cdn_rule("\"action\":\"drop\",\"after\":5000,\"how\":\"fin\"");
    get(&a, NULL, 20);
    ck_assert_str_eq(field(&a, "Content-Length"), "1000000");
    ck_begin(&a, 5000);
    ck_assert(a.ended && !a.whole);
    answer_free(&a);
    cdn_rule("\"action\":\"drop\",\"after\":300000,\"how\":\"rst\"");
    get(&a, NULL, 20);
    ck_begin(&a, 300000);
    ck_assert(a.reset);
    answer_free(&a);
    cdn_rule("\"action\":\"drop\",\"headers\":true,\"how\":\"fin\"");
    get(&a, NULL, 20);
    ck_assert(a.ended);
    ck_assert_uint_eq(a.raw.n, 0);
    answer_free(&a);
    ck_assert_int_eq((int)state(&r, "ports", "cdn", "bytes"), 305000);
}
END_TEST

START_TEST(flip)
{
    struct answer a;

    rules(&r,
          "[{\"match\":{\"port\":\"cdn\"},\"action\":\"flip\",\"offset\":700000,\"count\":1},"
          "{\"match\":{\"port\":\"cdn\",\"range\":[10,11]},\"action\":\"flip\",\"offset\":10}]");
    get(&a, "699990-700009", 20);
    ck_assert_uint_eq(a.body.n, 20);
    for (size_t i = 0; i < 20; i++) {
        ck_assert_int_eq(a.body.p[i], clean.body.p[699990 + i] ^ (i == 10));
    }
    answer_free(&a);
    get(&a, NULL, 20); /* the first rule was for once, the second is for always */
    ck_assert_uint_eq(a.body.n, SIZE);
    a.body.p[10] ^= 1;
    ck_assert_mem_eq(a.body.p, clean.body.p, SIZE);
    answer_free(&a);
    get(&a, "11-20", 20);
    ck_assert_mem_eq(a.body.p, clean.body.p + 11, 10);
    answer_free(&a);
}
END_TEST

START_TEST(empty)
{
    struct answer a;

    cdn_rule("\"action\":\"empty\"");
    get(&a, "0-99", 20);
    ck_assert_int_eq(a.status, 206);
    ck_assert_str_eq(field(&a, "Content-Length"), "100");
    ck_assert(a.ended && a.body.n == 0);
    answer_free(&a);
    cdn_rule("\"action\":\"empty\",\"length\":\"zero\"");
    get(&a, "0-99", 20);
    ck_assert_int_eq(a.status, 206);
    ck_assert_str_eq(field(&a, "Content-Length"), "0");
    ck_assert(a.whole && !a.ended);
    answer_free(&a);
}
END_TEST

START_TEST(stall)
{
    struct answer a;

    cdn_rule("\"action\":\"stall\",\"after\":1000");
    get(&a, NULL, 1);
    ck_begin(&a, 1000);
    ck_assert(!a.ended && !a.reset);
    answer_free(&a);
    cdn_rule("\"action\":\"stall\",\"after\":1000,\"seconds\":0.5");
    get(&a, NULL, 20);
    ck_begin(&a, SIZE);
    ck_assert(a.seconds > 0.45);
    answer_free(&a);
    cdn_rule("\"action\":\"stall\",\"headers\":true,\"seconds\":0.5");
    get(&a, NULL, 20);
    ck_assert(a.first > 0.45 && a.whole);
    answer_free(&a);
    cdn_rule("\"action\":\"stall\",\"headers\":true");
    get(&a, NULL, 0.3);
    ck_assert_uint_eq(a.raw.n, 0);
    answer_free(&a);
    cdn_rule("\"action\":\"silent\"");
    get(&a, NULL, 0.3);
    ck_assert_uint_eq(a.raw.n, 0);
    answer_free(&a);
}
END_TEST

START_TEST(trickle)
{
    struct answer a;

    cdn_rule("\"action\":\"trickle\",\"bps\":10,\"after\":999990");
    get(&a, NULL, 20);
    ck_begin(&a, SIZE);
    ck_assert_msg(a.seconds > 0.7 && a.seconds < 10, "%f", a.seconds);
    answer_free(&a);
}
END_TEST

/* ---- F8 ------------------------------------------------------------------------------------ */

START_TEST(lengths)
{
    struct answer a;

    cdn_rule("\"action\":\"length\",\"by\":7");
    get(&a, "0-99", 20);
    ck_assert_str_eq(field(&a, "Content-Length"), "107");
    ck_begin(&a, 100);
    ck_assert(a.ended && !a.whole);
    answer_free(&a);
    cdn_rule("\"action\":\"length\",\"by\":-7");
    get(&a, "0-99", 20);
    ck_assert_str_eq(field(&a, "Content-Length"), "93");
    ck_begin(&a, 100);
    ck_assert(a.ended);
    answer_free(&a);
    cdn_rule("\"action\":\"chunked\"");
    get(&a, NULL, 20);
    ck_assert_str_eq(field(&a, "Transfer-Encoding"), "chunked");
    ck_assert(!has_field(&a, "Content-Length") && a.whole && !a.ended);
    ck_begin(&a, SIZE);
    answer_free(&a);
    cdn_rule("\"action\":\"chunked-cut\"");
    get(&a, NULL, 20);
    ck_begin(&a, SIZE);
    ck_assert(!a.whole && a.ended);
    answer_free(&a);
    cdn_rule("\"action\":\"chunked-cut\",\"after\":1234");
    get(&a, NULL, 20);
    ck_begin(&a, 1234);
    ck_assert(!a.whole && a.ended);
    answer_free(&a);
    cdn_rule("\"action\":\"close-delimited\"");
    get(&a, NULL, 20);
    ck_assert(starts_with(a.head, "HTTP/1.0 200"));
    ck_assert(!has_field(&a, "Content-Length") && !has_field(&a, "Transfer-Encoding") && a.ended);
    ck_begin(&a, SIZE);
    answer_free(&a);
}
END_TEST

/* ---- F22, F27 to F29 ----------------------------------------------------------------------- */

START_TEST(connections)
{
    struct answer a;
    struct link   l;

    rules(&r, "[{\"match\":{\"port\":\"cdn\"},\"action\":\"refuse\",\"count\":1},"
              "{\"match\":{\"port\":\"cdn\"},\"action\":\"accept-silent\",\"count\":1}]");
    for (int i = 0; i < 3; i++) {
        ck_assert(link_open(&l, r.cdn, NULL));
        if (i == 0) {
            memset(&a, 0, sizeof(a));
            link_after(&l, &a, 20);
            ck_assert(a.reset);
        } else {
            get_on(&l, &a, NULL, i == 1 ? 0.3 : 20);
            ck_assert_int_eq(a.status, i == 1 ? 0 : 200);
        }
        answer_free(&a);
        link_close(&l);
    }
}
END_TEST

START_TEST(closed_port)
{
    struct answer a;
    struct link   l;
    double        start;

    /* Those that are there go on. */
    ck_assert(link_open(&l, r.cdn, NULL));
    order(&r, "/port?name=cdn&open=0");
    get_on(&l, &a, NULL, 20);
    ck_begin(&a, SIZE);
    answer_free(&a);
    link_close(&l);
    ck_assert(!link_open(&l, r.cdn, NULL));
    order(&r, "/port?name=cdn&open=1");
    get(&a, NULL, 20);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    rules(&r, "[{\"match\":{\"port\":\"hub\"},\"action\":\"port\",\"name\":\"cdn\","
              "\"seconds\":0.5,\"count\":1}]");
    free(cdn_target("a.bin"));
    start = clock_now();
    ck_assert(!link_open(&l, r.cdn, NULL));
    while (!link_open(&l, r.cdn, NULL)) {
        ck_assert(clock_now() < start + 20);
        (void)usleep(10000);
    }
    link_close(&l);
    ck_assert(clock_now() - start > 0.3);
}
END_TEST

struct transfer {
    struct answer a;
    pthread_t     thread;
};

static void *transfer(void *arg)
{
    struct transfer *t = arg;
    struct link      l;

    if (link_open(&l, r.cdn, NULL)) {
        get_on(&l, &t->a, "0-299999", 20);
        link_close(&l);
    }
    return NULL;
}

/* Three at once; how long the slowest took. */
static double three(void)
{
    struct transfer t[3];
    double          most = 0;

    memset(t, 0, sizeof(t));
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&t[i].thread, NULL, transfer, &t[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        (void)pthread_join(t[i].thread, NULL);
        ck_begin(&t[i].a, 300000);
        most = t[i].a.seconds > most ? t[i].a.seconds : most;
        answer_free(&t[i].a);
    }
    return most;
}

START_TEST(bandwidth)
{
    double t;

    cdn_rule("\"action\":\"bandwidth\",\"each\":600000");
    t = three();
    ck_assert_msg(t > 0.4 && t < 5, "each: %f", t);
    cdn_rule("\"action\":\"bandwidth\",\"total\":600000");
    t = three();
    ck_assert_msg(t > 1.3 && t < 10, "total: %f", t);
}
END_TEST

START_TEST(latency)
{
    struct answer a;

    cdn_rule("\"action\":\"latency\",\"ms\":200");
    get(&a, NULL, 20);
    ck_assert(a.first > 0.19 && a.whole);
    answer_free(&a);
}
END_TEST

START_TEST(keep_alive_ends)
{
    struct answer a;
    struct link   l;

    for (int quiet = 0; quiet < 2; quiet++) {
        cdn_rule(quiet ? "\"action\":\"close\",\"requests\":2,\"quiet\":true"
                       : "\"action\":\"close\",\"requests\":2");
        ck_assert(link_open(&l, r.cdn, NULL));
        get_on(&l, &a, NULL, 20);
        link_after(&l, &a, 0.1);
        ck_assert(a.whole && !a.ended);
        ck_assert_str_eq(field(&a, "Connection"), "keep-alive");
        answer_free(&a);
        get_on(&l, &a, NULL, 20);
        link_after(&l, &a, 20);
        ck_assert(a.whole && a.ended);
        ck_assert_str_eq(field(&a, "Connection"), quiet ? "keep-alive" : "close");
        answer_free(&a);
        link_close(&l);
    }
}
END_TEST

/* ---- which calls a rule is for ------------------------------------------------------------- */

static void statuses(int n, const char *want)
{
    char          got[64] = "";
    char         *target = cdn_target("a.bin");
    struct answer a;

    for (int i = 0; i < n; i++) {
        ask(&a, r.cdn, i == 2 ? "HEAD" : "GET", target, i == 1 ? "Range: bytes=5-9\r\n" : NULL);
        got[i] = a.status == 500 ? 'x' : '.';
        answer_free(&a);
    }
    ck_assert_str_eq(got, want);
    free(target);
}

START_TEST(rules_match)
{
#define FAIL_WHEN "\"action\":\"status\",\"code\":500"
    char got[2][41];

    cdn_rule("\"nth\":2," FAIL_WHEN);
    statuses(5, ".x...");
    cdn_rule("\"every\":2," FAIL_WHEN);
    statuses(5, ".x.x.");
    cdn_rule("\"after_hits\":3," FAIL_WHEN);
    statuses(5, "...xx");
    cdn_rule("\"count\":2," FAIL_WHEN);
    statuses(5, "xx...");
    rules(&r, "[{\"match\":{\"port\":\"cdn\",\"method\":\"HEAD\"}," FAIL_WHEN "}]");
    statuses(5, "..x..");
    rules(&r, "[{\"match\":{\"status\":206}," FAIL_WHEN "}]");
    statuses(5, ".x...");
    rules(&r, "[{\"match\":{\"port\":\"cdn\",\"range\":[0,5]}," FAIL_WHEN "}]");
    statuses(5, "x.xxx");
    rules(&r, "[{\"match\":{\"port\":\"cdn\",\"file\":\"b*\"}," FAIL_WHEN "}]");
    statuses(5, ".....");
    rules(&r, "[{\"match\":{\"port\":\"cdn\",\"path\":\"/repos/*Signature=*\"}," FAIL_WHEN "}]");
    statuses(5, "xxxxx");
    rules(&r, "[{\"match\":{\"port\":\"ms\"}," FAIL_WHEN "}]");
    statuses(5, ".....");
    for (int k = 0; k < 2; k++) { /* at random, but the same again */
        int bad = 0;

        cdn_rule("\"prob\":0.5,\"seed\":3," FAIL_WHEN);
        memset(got[k], 0, sizeof(got[k]));
        for (int i = 0; i < 40; i++) {
            struct answer a;

            ask(&a, r.cdn, "GET", "/x", NULL);
            got[k][i] = a.status == 500 ? 'x' : '.';
            bad += a.status == 500;
            answer_free(&a);
        }
        ck_assert(bad > 5 && bad < 35);
    }
    ck_assert_str_eq(got[0], got[1]);
}
END_TEST

START_TEST(rules_are_checked)
{
    static const char *const bad[] = {"{}",
                                      "[{\"action\":\"dorp\"}]",
                                      "[{\"action\":\"drop\",\"aftr\":1}]",
                                      "[{\"action\":\"drop\",\"match\":{\"prot\":\"cdn\"}}]",
                                      "[7]",
                                      "x"};
    struct answer            a;
    cJSON                   *list;

    cdn_rule("\"action\":\"latency\",\"ms\":1");
    for (size_t i = 0; i < COUNT(bad); i++) {
        char       *request = xprintf("POST /faults HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s",
                                      strlen(bad[i]), bad[i]);
        struct link l;

        ck_assert(link_open(&l, r.ctl, NULL));
        link_ask(&l, &a, request, 20);
        ck_assert_int_eq(a.status, 400);
        answer_free(&a);
        link_close(&l);
        free(request);
    }
    get(&a, NULL, 20);
    answer_free(&a);
    ask(&a, r.ctl, "GET", "/faults", NULL);
    list = json_of(&a);
    ck_assert_int_eq(cJSON_GetArraySize(list), 1); /* the one before the bad ones */
    ck_assert_int_eq(cJSON_GetObjectItem(cJSON_GetArrayItem(list, 0), "applied")->valueint, 1);
    cJSON_Delete(list);
    answer_free(&a);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("fault");

    tcase_add_unchecked_fixture(t, up, down);
    tcase_add_checked_fixture(t, each, NULL);
    tcase_add_test(t, drop);
    tcase_add_test(t, flip);
    tcase_add_test(t, empty);
    tcase_add_test(t, stall);
    tcase_add_test(t, trickle);
    tcase_add_test(t, lengths);
    tcase_add_test(t, connections);
    tcase_add_test(t, closed_port);
    tcase_add_test(t, bandwidth);
    tcase_add_test(t, latency);
    tcase_add_test(t, keep_alive_ends);
    tcase_add_test(t, rules_match);
    tcase_add_test(t, rules_are_checked);
    return run_case("fault", t);
}
