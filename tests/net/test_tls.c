/* SPDX-License-Identifier: MIT
 * test_tls.c - the TLS ports of fakehub: their redirects, their ends, their handshakes. */
#include "cert.h"
#include "client.h"

#include "../unit/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct running r;
static char           folder[] = "/tmp/fakehub-tls-XXXXXX", cert[64], key[64];

static const char spec[] =
    "{\"tokens\":[{\"token\":\"hf_sealed\",\"hub\":\"hf\",\"tls_only\":true}],"
    "\"repos\":[{\"hub\":\"both\",\"id\":\"o/d\",\"files\":["
    "{\"path\":\"a.bin\",\"kind\":\"lfs\",\"size\":500000,\"seed\":7},"
    "{\"path\":\"c.txt\",\"text\":\"text\"}]}]}";

static void up(void)
{
    const char *const more[] = {"--tls", cert, key, NULL};

    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
    (void)snprintf(key, sizeof(key), "%s/key.pem", folder);
    ck_assert(cert_make(cert, key, "localhost", 2));
    hub_start(&r, spec, more);
    ck_assert_int_gt(r.osss, 0);
}

static void down(void)
{
    hub_stop(&r);
    (void)unlink(cert);
    (void)unlink(key);
    (void)rmdir(folder);
}

static void each(void)
{
    order(&r, "/reset");
}

/* A client that insists on the certificate that was made. */
static SSL_CTX *client_of(const char *ca)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(SSL_CTX_load_verify_locations(ctx, ca, NULL), 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return ctx;
}

static void get(SSL_CTX *ctx, struct answer *a, struct link *l, int port, const char *target)
{
    char *request = xprintf("GET %s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", target, port);

    ck_assert(link_open(l, port, ctx));
    link_ask(l, a, request, 20);
    free(request);
}

static char *resolved(SSL_CTX *ctx, int port, const char *target, int want)
{
    struct answer a;
    struct link   l;
    char         *out;
    int           got;

    get(ctx, &a, &l, port, target);
    ck_assert_int_eq(a.status, 302);
    ck_assert(starts_with(field(&a, "Location"), "https://localhost:"));
    out = target_of(field(&a, "Location"), &got);
    ck_assert_int_eq(got, want);
    answer_free(&a);
    link_close(&l);
    return out;
}

#define HF_FILE "/datasets/o/d/resolve/main/a.bin"
#define MS_FILE "/api/v1/datasets/o/d/repo?Revision=master&FilePath=a.bin"

START_TEST(both_hubs)
{
    SSL_CTX      *ctx = client_of(cert);
    char         *hf = resolved(ctx, r.hubs, HF_FILE, r.cdns);
    char         *ms = resolved(ctx, r.mss, MS_FILE, r.osss);
    struct answer a, b;
    struct link   l;

    get(ctx, &a, &l, r.cdns, hf);
    link_close(&l);
    get(ctx, &b, &l, r.osss, ms);
    link_close(&l);
    ck_assert(a.whole && b.whole && a.body.n == 500000 && b.body.n == 500000);
    ck_assert_mem_eq(a.body.p, b.body.p, 500000);
    answer_free(&a);
    answer_free(&b);
    free(hf);
    free(ms);
    SSL_CTX_free(ctx);
}
END_TEST

START_TEST(ends)
{
    static const struct {
        const char *how;
        bool        no_notify;
    } v[] = {{"no-notify", true}, {"fin", false}, {"rst", true}};
    SSL_CTX      *ctx = client_of(cert);
    char         *target = resolved(ctx, r.hubs, HF_FILE, r.cdns);
    struct answer a;
    struct link   l;

    for (size_t i = 0; i < COUNT(v); i++) {
        char *list = xprintf("[{\"match\":{\"port\":\"cdns\"},\"action\":\"drop\",\"after\":100000,"
                             "\"how\":\"%s\"}]",
                             v[i].how);

        rules(&r, list);
        get(ctx, &a, &l, r.cdns, target);
        ck_assert_msg(l.no_notify == v[i].no_notify, "%s", v[i].how);
        ck_assert(a.ended != v[i].no_notify);
        ck_assert_int_eq((int)a.body.n, 100000);
        answer_free(&a);
        link_close(&l);
        free(list);
    }
    free(target);
    SSL_CTX_free(ctx);
}
END_TEST

START_TEST(handshakes)
{
    SSL_CTX      *ctx = client_of(cert);
    struct answer a;
    struct link   l;

    rules(&r, "[{\"match\":{\"port\":\"hub\"},\"action\":\"refuse\",\"count\":2}]");
    ck_assert(!link_open(&l, r.hubs, ctx));
    ck_assert(!link_open(&l, r.hubs, ctx));
    get(ctx, &a, &l, r.hubs, "/api/datasets/o/d");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    link_close(&l);
    SSL_CTX_free(ctx);
}
END_TEST

/* Whoever checks certificates does not get in with another one. */
START_TEST(certificates)
{
    char        other[80], its_key[80];
    SSL_CTX    *ctx;
    struct link l;

    (void)snprintf(other, sizeof(other), "%s/other.pem", folder);
    (void)snprintf(its_key, sizeof(its_key), "%s/other-key.pem", folder);
    ck_assert(cert_make(other, its_key, "localhost", 2));
    ctx = client_of(other);
    ck_assert(!link_open(&l, r.hubs, ctx));
    SSL_CTX_free(ctx);
    (void)unlink(other);
    (void)unlink(its_key);
}
END_TEST

START_TEST(token_in_the_clear)
{
    struct answer a;
    struct link   l;
    SSL_CTX      *ctx = client_of(cert);

    ck_assert(link_open(&l, r.hubs, ctx));
    link_ask(&l, &a,
             "GET /api/whoami-v2 HTTP/1.1\r\nAuthorization: Bearer hf_sealed\r\nHost: x\r\n\r\n",
             20);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    link_close(&l);
    ck_assert_int_eq((int)state(&r, "leak", NULL, NULL), 0);
    ask(&a, r.hub, "GET", "/api/whoami-v2", "Authorization: Bearer hf_sealed\r\n");
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    ck_assert_int_eq((int)state(&r, "leak", NULL, NULL), 1);
    SSL_CTX_free(ctx);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("tls");

    tcase_add_unchecked_fixture(t, up, down);
    tcase_add_checked_fixture(t, each, NULL);
    tcase_add_test(t, both_hubs);
    tcase_add_test(t, ends);
    tcase_add_test(t, handshakes);
    tcase_add_test(t, certificates);
    tcase_add_test(t, token_in_the_clear);
    return run_case("tls", t);
}
