/* SPDX-License-Identifier: MIT
 *
 * test_http_call.c - drh.http/1 of plugins/http: requests and answers, limits of time and size.
 * Redirects and repetitions are test_http_again.c's, streams test_http_stream.c's.
 */
#include "http_help.h"
#include "run.h"

#include <drh/hub.h>
#include <pthread.h>

/* ---- a request and its answer ---- */

START_TEST(a_get)
{
    const struct tiny_answer answers[] = {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "
                                                  "\"X\"\r\nX-Two:  a b \r\nX-None:\r\n\r\nhello"}};

    help_serve(answers, 1);
    ck_assert_int_eq(help_call_get("/a%20b?c=%2F&d"), DRH_OK);
    ck_answer(200, "hello");
    ck_assert(
        drh_str_eq(drh_hub_header(answer, "etag"), "\"X\"")); /* names in lower case, values not */
    ck_assert(drh_str_eq(drh_hub_header(answer, "x-two"), "a b"));
    ck_assert(drh_str_eq(drh_hub_header(answer, "x-none"), ""));
    ck_assert_ptr_null(drh_hub_header(answer, "ETag").ptr);
    ck_assert(drh_str_eq(answer->url, help_url("/a%20b?c=%2F&d")));
    ck_assert(asked(0, "GET /a%20b?c=%2F&d HTTP/1.1\r\n"));
    ck_assert(asked(0, "\r\nAccept-Encoding: identity\r\n"));
    ck_assert(asked(0, "\r\nUser-Agent: bare/0 (libcurl/"));
    ck_assert(!asked(0, "Authorization"));
}
END_TEST

/* Dots and odd letters go as they are. */
START_TEST(a_path_as_it_is)
{
    const struct tiny_answer answers[] = {{.raw = OK(0, "")}};

    help_serve(answers, 1);
    ck_assert_int_eq(help_call_get("/a/../b/./%2e%2e/c;d,e'f(g)*!"), DRH_OK);
    ck_assert(asked(0, "GET /a/../b/./%2e%2e/c;d,e'f(g)*! HTTP/1.1\r\n"));
    ck_answer(200, "");
}
END_TEST

START_TEST(a_post)
{
    const struct tiny_answer answers[] = {{.raw = OK(2, "ok")}};
    const drh_http_header    h = {drh_str_of("Content-Type"), drh_str_of("text/x")};
    drh_http_req             req;

    help_serve(answers, 1);
    req = help_get("/p");
    req.body = (drh_str){"a\0b", 3};
    req.headers = &h;
    req.n_headers = 1;
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(200, "ok");
    ck_assert(asked(0, "POST /p HTTP/1.1\r\n"));
    ck_assert(asked(0, "\r\nContent-Length: 3\r\n"));
    ck_assert(asked(0, "\r\nContent-Type: text/x\r\n"));
    ck_assert_mem_eq(strstr(tiny_request(server, 0), "\r\n\r\n"), "\r\n\r\na\0b", 8);
}
END_TEST

START_TEST(other_methods)
{
    const struct tiny_answer answers[] = {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"},
                                          {.raw = OK(0, "")},
                                          {.raw = OK(0, "")},
                                          {.raw = OK(0, "")}};
    drh_http_req             req;

    help_serve(answers, 4);
    req = help_get("/m");
    req.method = drh_str_of("HEAD");
    ck_assert_int_eq(help_call(&req),
                     DRH_OK); /* 999 bytes do not come, and nobody waits for them */
    ck_answer(200, "");
    ck_assert(asked(0, "HEAD /m HTTP/1.1\r\n"));
    req.method = drh_str_of("DELETE");
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_assert(asked(1, "DELETE /m HTTP/1.1\r\n"));
    req.method = drh_str_of("PUT");
    req.body = drh_str_of("xyz");
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_assert(asked(2, "PUT /m HTTP/1.1\r\n"));
    ck_assert(asked(2, "\r\n\r\nxyz"));
    req.method = drh_str_of("POST"); /* with an empty body */
    req.body = drh_str_of("");
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_assert(asked(3, "POST /m HTTP/1.1\r\n"));
    ck_assert(asked(3, "\r\nContent-Length: 0\r\n"));
}
END_TEST

START_TEST(any_status_is_an_answer)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"},
        {.raw = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"},
        {.raw = "HTTP/1.1 204 No Content\r\n\r\n"},
        {.raw = "HTTP/1.1 416 X\r\nContent-Range: bytes */5\r\nContent-Length: 0\r\n\r\n"}};

    help_serve(answers, 4);
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(404, "gone");
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(401, "");
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(204, "");
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(416, "");
    ck_assert_uint_eq(tiny_requests(server), 4);
}
END_TEST

START_TEST(forms_of_answers)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" OK(
             2, "ok")},
        {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                "chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\nX-End: "
                "1\r\n\r\n"},
        {.raw = "HTTP/1.0 200 OK\r\n\r\nuntil the end"},
        {.raw = "HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\nno header\r\nContent-Length: 1\r\n\r\nx"}};

    help_serve(answers, 4);
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(200, "ok");
    ck_assert_ptr_null(drh_hub_header(answer, "link").ptr); /* of the last head only */
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(200, "abcde");
    ck_assert_ptr_null(drh_hub_header(answer, "x-end").ptr);
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(200, "until the end");
    if (help_call_get("/") == DRH_OK) { /* libcurl may refuse it as a whole */
        ck_assert(drh_str_eq(drh_hub_header(answer, "x-a"), "1"));
    }
}
END_TEST

START_TEST(compression)
{
    /* printf '%s' "compress me, compress me, compress me" | gzip -n */
    static const unsigned char gz[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                       0x03, 0x4b, 0xce, 0xcf, 0x2d, 0x28, 0x4a, 0x2d, 0x2e,
                                       0x56, 0xc8, 0x4d, 0xd5, 0x51, 0x48, 0xc6, 0xc1, 0x01,
                                       0x00, 0x4b, 0xaf, 0xac, 0xa9, 0x25, 0x00, 0x00, 0x00};
    static char                head[256];
    int                        n = snprintf(head, sizeof(head),
                                            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n",
                                            (int)sizeof(gz));
    struct tiny_answer         answers[] = {{.raw = head, .n = (size_t)n + sizeof(gz)}};
    drh_http_req               req;

    memcpy(head + n, gz, sizeof(gz));
    help_serve(answers, 1);
    req = help_get("/");
    req.flags = DRH_HTTP_COMPRESSED;
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(200, "compress me, compress me, compress me");
    ck_assert(asked(0, "\r\nAccept-Encoding: "));
    ck_assert(asked(0, "gzip"));
    ck_assert(!asked(0, "identity"));
    req.flags = 0; /* not asked for, so not undone: the caller sees what it is */
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_assert_uint_eq(answer->body.len, sizeof(gz));
    ck_assert(drh_str_eq(drh_hub_header(answer, "content-encoding"), "gzip"));
    ck_assert(asked(1, "\r\nAccept-Encoding: identity\r\n"));
}
END_TEST

/* ---- limits ---- */

START_TEST(a_deadline)
{
    const struct tiny_answer silent[] = {{.hang = true}};
    const struct tiny_answer busy[] = {{.raw = STATUS(503, "Retry-After: 100\r\n")}};
    drh_http_req             req;
    double                   start;

    help_serve(silent, 1);
    req = help_get("/x?sig=secret");
    req.deadline_ms = 300;
    start = help_now();
    ck_assert_int_eq(help_call(&req), DRH_E_TIMEOUT);
    ck_assert_double_ge(help_now() - start, 0.29);
    ck_assert_double_lt(help_now() - start, 5);
    ck_said("within the time");
    ck_assert_ptr_null(strstr(http_error.message, "secret"));
    help_stop();
    tiny_stop(server);
    help_serve(busy, 1); /* pauses count, too */
    req.url = drh_str_of(help_url("/"));
    ck_assert_int_eq(help_call(&req), DRH_E_TIMEOUT);
    ck_assert_double_lt(help_now() - start, 10);
}
END_TEST

START_TEST(a_stall)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", .hang = true}};
    drh_http_req req;
    double       start;

    help_serve(answers, 1);
    req = help_get("/");
    req.tries = 1;
    req.stall_ms = 300;
    start = help_now();
    ck_assert_int_eq(help_call(&req), DRH_E_TIMEOUT);
    ck_said("nothing came for");
    ck_assert_double_ge(help_now() - start, 0.29);
    ck_assert_double_lt(help_now() - start, 5);
}
END_TEST

START_TEST(most_bytes_in_pieces)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.0 200 OK\r\n\r\n0123456", .more = "789a", .more_ms = 50}};
    drh_http_req req;

    help_serve(answers, 1);
    req = help_get("/");
    req.max_answer = 10;
    ck_assert_int_eq(help_call(&req), DRH_E_RANGE);
    req.max_answer = 11;
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(200, "0123456789a");
}
END_TEST

START_TEST(most_bytes_of_an_answer)
{
    const struct tiny_answer answers[] = {{.raw = OK(10, "0123456789")}};
    const struct tiny_answer chunked[] = {
        {.raw =
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"}};
    drh_http_req req;

    help_serve(answers, 1);
    req = help_get("/x?sig=secret");
    req.max_answer = 10;
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(200, "0123456789");
    req.max_answer = 9;
    ck_assert_int_eq(help_call(&req), DRH_E_RANGE);
    ck_said("longer than");
    ck_assert_ptr_null(strstr(http_error.message, "secret"));
    ck_assert_uint_eq(tiny_requests(server), 2); /* asking again would not make it shorter */
    help_stop();
    tiny_stop(server);
    help_serve(chunked, 1);
    req.url = drh_str_of(help_url("/"));
    ck_assert_int_eq(help_call(&req), DRH_E_RANGE);
}
END_TEST

START_TEST(large_answers)
{
    enum { N = 6 << 20 };
    char              *raw = malloc(N + 200);
    int                n = snprintf(raw, 200, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", N);
    struct tiny_answer answers[] = {{.raw = raw, .n = (size_t)n + N}};

    for (int i = 0; i < N; i++) {
        raw[n + i] = (char)(i * 7 + i / 1000);
    }
    help_serve(answers, 1);
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_assert_uint_eq(answer->body.len, N);
    ck_assert_int_eq(memcmp(answer->body.ptr, raw + n, N), 0);
    free(raw);
}
END_TEST

/* A head without end is no reason to run out of memory. */
START_TEST(large_heads)
{
    enum { N = 400000 };
    char *raw = malloc(N + 100);
    int   n = snprintf(raw, 100, "HTTP/1.1 200 OK\r\n");

    while (n < N) {
        n += snprintf(raw + n, 100, "X-%d: abcdefghijklmnopqrstuvwxyz\r\n", n);
    }
    snprintf(raw + n, 100, "Content-Length: 0\r\n\r\n");
    help_serve((struct tiny_answer[]){{.raw = raw}}, 1);
    ck_assert_int_eq(help_call_get("/"), DRH_E_NETWORK);
    free(raw);
}
END_TEST

START_TEST(many_headers)
{
    char raw[20000];
    int  n = snprintf(raw, 100, "HTTP/1.1 200 OK\r\n");

    for (int i = 0; i < 300; i++) {
        n += snprintf(raw + n, 100, "X-%d: %d\r\n", i, i * i);
    }
    snprintf(raw + n, 100, "Content-Length: 0\r\n\r\n");
    help_serve((struct tiny_answer[]){{.raw = raw}}, 1);
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_assert_uint_eq(answer->n_headers, 301);
    for (int i = 0; i < 300; i++) {
        char name[16], value[16];
        snprintf(name, sizeof(name), "x-%d", i);
        snprintf(value, sizeof(value), "%d", i * i);
        ck_assert(drh_str_eq(drh_hub_header(answer, name), value));
    }
}
END_TEST

/* ---- no answer ---- */

START_TEST(nobody_there)
{
    const struct tiny_answer answers[] = {{.raw = OK(0, "")}};
    char                     url[64];
    drh_http_req             req;

    help_serve(answers, 1);
    snprintf(url, sizeof(url), "%s", help_url("/"));
    tiny_stop(server);
    server = NULL;
    req = (drh_http_req){.struct_size = sizeof(req), .url = drh_str_of(url)};
    ck_assert_int_eq(help_call(&req), DRH_E_NETWORK);
    ck_said(url);
    ck_assert_uint_ne(http_error.flags & DRH_ERR_RETRYABLE, 0);
}
END_TEST

START_TEST(requests_that_are_none)
{
    static const char *const urls[] = {"",       "x",         "ftp://127.0.0.1/",
                                       "/x",     "http://",   "http://u:p@127.0.0.1/",
                                       "http:/", "http://a b"};
    const struct tiny_answer answers[] = {{.raw = OK(0, "")}};
    const drh_http_header    bad = {drh_str_of("X"), drh_str_of("a\r\nb")};
    drh_http_req             req;

    help_serve(answers, 1);
    for (int i = 0; i < ROWS(urls); i++) {
        req = help_get("/");
        req.url = drh_str_of(urls[i]);
        ck_assert_msg(help_call(&req) == DRH_E_ARG, "%s", urls[i]);
    }
    req = help_get("/");
    req.headers = &bad;
    req.n_headers = 1;
    ck_assert_int_eq(help_call(&req), DRH_E_ARG);
    req.n_headers = 0;
    req.credentials = &bad;
    req.n_credentials = 1;
    ck_assert_int_eq(help_call(&req), DRH_E_ARG);
    ck_assert_uint_eq(tiny_requests(server), 0);
}
END_TEST

START_TEST(a_server_that_speaks_otherwise)
{
    const struct tiny_answer answers[] = {{.raw = "220 mail.example ready\r\n"}};

    help_serve(answers, 1);
    ck_assert_int_eq(help_call_get("/"), DRH_E_NETWORK);
}
END_TEST

/* The run is being stopped while somebody waits. */
static void *cancel_soon(void *arg)
{
    struct timespec t = {0, 200 * 1000 * 1000};

    nanosleep(&t, NULL);
    __atomic_store_n(&bare_cancelled, 1, __ATOMIC_RELAXED);
    return arg;
}

START_TEST(a_run_that_is_stopped)
{
    const struct tiny_answer answers[] = {{.hang = true}};
    pthread_t                thread;
    double                   start;

    help_serve(answers, 1);
    start = help_now();
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    ck_assert_int_eq(help_call_get("/"), DRH_E_CANCELLED);
    ck_assert_double_lt(help_now() - start, 3);
    pthread_join(thread, NULL);
}
END_TEST

START_TEST(without_memory)
{
    const struct tiny_answer answers[] = {{.raw = OK(2, "ok")}};
    drh_status               st = DRH_E_NOMEM;
    int                      n;

    help_serve(answers, 1);
    for (n = 0; st == DRH_E_NOMEM || st == DRH_E_NETWORK; n++) {
        drh_http_req req = help_get("/");
        req.tries = 1;
        __atomic_store_n(&bare_allowed, n, __ATOMIC_RELAXED);
        st = help_call(&req);
        __atomic_store_n(&bare_allowed, -1, __ATOMIC_RELAXED);
        ck_assert_msg(st == DRH_OK || st == DRH_E_NOMEM || st == DRH_E_NETWORK, "%d: %d", n, st);
    }
    ck_answer(200, "ok");
    ck_assert_int_gt(n, 8);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("http_call");

    tcase_add_checked_fixture(t, help_setup, help_teardown);
    tcase_add_test(t, a_get);
    tcase_add_test(t, a_path_as_it_is);
    tcase_add_test(t, a_post);
    tcase_add_test(t, other_methods);
    tcase_add_test(t, any_status_is_an_answer);
    tcase_add_test(t, forms_of_answers);
    tcase_add_test(t, compression);
    tcase_add_test(t, a_deadline);
    tcase_add_test(t, a_stall);
    tcase_add_test(t, most_bytes_of_an_answer);
    tcase_add_test(t, most_bytes_in_pieces);
    tcase_add_test(t, large_answers);
    tcase_add_test(t, large_heads);
    tcase_add_test(t, many_headers);
    tcase_add_test(t, nobody_there);
    tcase_add_test(t, requests_that_are_none);
    tcase_add_test(t, a_server_that_speaks_otherwise);
    tcase_add_test(t, a_run_that_is_stopped);
    tcase_add_test(t, without_memory);
    return run_case("http_call", t);
}
