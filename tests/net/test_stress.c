/* SPDX-License-Identifier: MIT
 * test_stress.c - fakehub under many clients at once while ctl changes everything below them: for
 * the sanitizers, and to see that what is right is right and that it always comes to an end. */
#include "client.h"

#include "../unit/run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLIENTS = 12, MANY = 300 };

static struct running r;
static char           sha[65]; /* of a.bin */
static atomic_int     done, good;

static const char spec[] =
    "{\"tokens\":[{\"token\":\"hf_one\",\"hub\":\"hf\"}],"
    "\"repos\":[{\"hub\":\"both\",\"id\":\"o/d\",\"commits\":["
    "{\"name\":\"v1\",\"files\":[{\"path\":\"a.bin\",\"kind\":\"xet\",\"size\":400000,\"seed\":7},"
    "{\"path\":\"c.json\",\"text\":\"{}\"},{\"path\":\"f/####\",\"count\":1500,\"size\":2}]},"
    "{\"name\":\"v2\",\"from\":\"v1\",\"files\":[{\"path\":\"c.json\",\"text\":\"new\"}]}],"
    "\"branches\":{\"main\":\"v1\",\"master\":\"v1\"}}]}";

static void up(void)
{
    struct answer a;

    hub_start(&r, spec, NULL);
    ask(&a, r.hub, "HEAD", "/datasets/o/d/resolve/main/a.bin", NULL);
    (void)snprintf(sha, sizeof(sha), "%.64s", field(&a, "X-Linked-ETag") + 1);
    answer_free(&a);
}

static void down(void)
{
    hub_stop(&r);
}

/* Like ask(), but nothing has to come. */
static void try_get(struct answer *a, int port, const char *target)
{
    struct link l;
    char       *request = xprintf("GET %s HTTP/1.1\r\n%s\r\n", target,
                            port == r.hub ? "Authorization: Bearer hf_one\r\n" : "");

    memset(a, 0, sizeof(*a));
    if (port && link_open(&l, port, NULL)) {
        link_ask(&l, a, request, 0.2);
        link_close(&l);
    }
    free(request);
}

static void *client(void *arg)
{
    static const char *const targets[] = {
        "/datasets/o/d/resolve/main/a.bin", "/datasets/o/d/resolve/main/c.json",
        "/api/datasets/o/d/tree/main?recursive=true", "/api/datasets/o/d?blobs=true"};
    uint64_t      seed = (uintptr_t)arg;
    struct answer a, b;
    char         *target, hex[65];
    int           port;

    for (uint64_t i = 0; !atomic_load(&done); i++) {
        uint64_t n = mix64(seed * 1000 + i);

        try_get(&a, r.hub, targets[n % COUNT(targets)]);
        if (a.status == 302 && starts_with(field(&a, "Location"), "http://localhost:")) {
            target = target_of(field(&a, "Location"), &port);
            try_get(&b, port, target);
            sha256_text(sb_text(&b.body), b.body.n, hex);
            atomic_fetch_add(&good, b.status == 200 && b.whole && strcmp(hex, sha) == 0);
            answer_free(&b);
            free(target);
        }
        answer_free(&a);
        try_get(&a, r.ms, "/api/v1/datasets/o/d/repo?Revision=master&FilePath=c.json");
        answer_free(&a);
    }
    return NULL;
}

static void churn(uint64_t i)
{
    static const char *const orders[] = {"/move?repo=o/d&branch=main&to=v2",
                                         "/settings?hf.profile=olah",
                                         "/ratelimit?bucket=api&q=3&w=1",
                                         "/port?name=cdn&open=0&seconds=0.02",
                                         "/settings?hf.profile=hf-mirror",
                                         "/expire",
                                         "/reset",
                                         "/reset",
                                         "/port?name=ms&open=0",
                                         "/port?name=ms&open=1",
                                         "/settings?sign.uses=1"};
    static const char *const lists[] = {
        "[]",
        "[]",
        "[{\"action\":\"drop\",\"after\":9,\"prob\":0.3}]",
        "[{\"action\":\"stall\",\"after\":9,\"prob\":0.2},{\"action\":\"latency\",\"ms\":3}]",
        "[{\"action\":\"ms-page\",\"add\":1},{\"action\":\"gzip\",\"prob\":0.5}]",
        "[{\"action\":\"refuse\",\"prob\":0.3},{\"action\":\"swap\",\"prob\":0.3}]",
        "[{\"match\":{\"port\":\"cdn\"},\"action\":\"bandwidth\",\"total\":20000000},"
        "{\"action\":\"flip\",\"offset\":5,\"prob\":0.5}]",
        "[{\"match\":{\"port\":\"hub\"},\"action\":\"port\",\"name\":\"oss\",\"seconds\":0.01},"
        "{\"action\":\"move\",\"repo\":\"o/d\",\"to\":\"v1\"}]"};

    if (i % 2) {
        order(&r, orders[mix64(i) % COUNT(orders)]);
    } else {
        rules(&r, lists[mix64(i) % COUNT(lists)]);
    }
    (void)state(&r, "leak", NULL, NULL);
}

START_TEST(churned)
{
    pthread_t t[CLIENTS];
    double    until = clock_now() + 3;

    for (size_t i = 0; i < CLIENTS; i++) {
        ck_assert_int_eq(pthread_create(&t[i], NULL, client, (void *)(i + 1)), 0);
    }
    for (uint64_t i = 0; clock_now() < until; i++) {
        churn(i);
        (void)usleep(5000);
    }
    order(&r, "/reset"); /* from here on everything is as it should be */
    atomic_store(&good, 0);
    until = clock_now() + 20;
    while (atomic_load(&good) < 10 && clock_now() < until) {
        (void)usleep(10000);
    }
    atomic_store(&done, 1);
    for (size_t i = 0; i < CLIENTS; i++) {
        (void)pthread_join(t[i], NULL);
    }
    ck_assert(atomic_load(&good) >= 10);
}
END_TEST

/* More connections than it has threads for: the rest wait for theirs, ctl answers all the time. */
START_TEST(crowd)
{
    static struct link l[MANY];
    struct answer      a;

    for (size_t i = 0; i < MANY; i++) {
        ck_assert(link_open(&l[i], r.hub, NULL));
    }
    ck_assert_int_ge((int)state(&r, "ports", "hub", "port"), 1);
    for (size_t i = 0; i < MANY; i++) {
        link_ask(&l[i], &a, "GET /api/datasets/o/d HTTP/1.1\r\n\r\n", 20);
        ck_assert_int_eq(a.status, 200);
        answer_free(&a);
        link_close(&l[i]);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("stress");

    tcase_add_unchecked_fixture(t, up, down);
    tcase_add_test(t, crowd);
    tcase_add_test(t, churned);
    return run_case("stress", t);
}
