/* SPDX-License-Identifier: MIT
 *
 * test_http_stream.c - drh.http/1 of plugins/http: streamed answers, cancelling, many at once, the
 * end of the service, proxies.
 */
#include "http_help.h"
#include "run.h"

#include <pthread.h>

static struct stream s;

static void setup(void)
{
    help_setup();
    memset(&s, 0, sizeof(s));
}

static void begin(const char *path)
{
    drh_http_req req = help_get(path);

    ck_assert_int_eq(stream_start(&s, &req), DRH_OK);
}

/* Waits until the server has seen n requests. */
static void wait_for_requests(size_t n)
{
    const struct timespec ms = {0, 1000 * 1000};

    for (int i = 0; i < 5000 && tiny_requests(server) < n; i++) {
        nanosleep(&ms, NULL);
    }
    ck_assert_uint_ge(tiny_requests(server), n);
}

START_TEST(a_stream)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf", .more = "more", .more_ms = 50}};

    help_serve(answers, 1);
    begin("/");
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_OK);
    ck_assert_int_eq(s.heads, 1);
    ck_assert_uint_eq(s.status, 200);
    ck_assert_str_eq(s.body, "halfmore");
}
END_TEST

/* Only the last hop is seen. */
START_TEST(a_stream_behind_a_redirect)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 302 X\r\nLocation: /b\r\nContent-Length: 4\r\n\r\nlost"},
        {.raw = "HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nlost"},
        {.raw = OK(2, "ok")}};

    help_serve(answers, 3);
    begin("/");
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_OK);
    ck_assert_int_eq(s.heads, 1);
    ck_assert_uint_eq(s.status, 200);
    ck_assert_str_eq(s.body, "ok");
}
END_TEST

START_TEST(an_empty_stream)
{
    const struct tiny_answer answers[] = {{.raw = "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n"}};

    help_serve(answers, 1);
    begin("/");
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_OK);
    ck_assert_uint_eq(s.status, 404);
    ck_assert_uint_eq(s.n, 0);
}
END_TEST

START_TEST(only_an_end)
{
    const struct tiny_answer answers[] = {{.raw = OK(2, "ok")}};
    drh_http_sink            sink = {.struct_size = sizeof(sink)};
    drh_http_req             req;
    drh_error                e = DRH_ERROR_INIT;
    uint64_t                 id;

    help_serve(answers, 1);
    req = help_get("/");
    sink = *stream_sink(&s);
    sink.head = NULL;
    sink.body = NULL;
    ck_assert_int_eq(http_api->start(http_self, &req, &sink, &id, &e), DRH_OK);
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_OK);
    ck_assert_int_eq(s.heads, 0);
}
END_TEST

/* ---- not to the end ---- */

START_TEST(a_stream_that_breaks_off)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"}};

    help_serve(answers, 1);
    begin("/");
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_E_NETWORK);
    ck_assert_int_eq(s.heads, 1);
    ck_assert_str_eq(s.body, "half");
    ck_assert_uint_eq(tiny_requests(server), 1); /* a byte was given: not again */
}
END_TEST

START_TEST(a_stream_that_breaks_off_before_its_head)
{
    const struct tiny_answer answers[] = {{.raw = NULL}, {.raw = OK(2, "ok")}};

    help_serve(answers, 2);
    begin("/");
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_OK);
    ck_assert_str_eq(s.body, "ok");
}
END_TEST

/* The head came, no byte of the body: asked again, and the head must not come twice. */
START_TEST(a_stream_that_breaks_off_behind_its_head)
{
    const struct tiny_answer answers[] = {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"},
                                          {.raw = OK(2, "ok")}};

    help_serve(answers, 2);
    begin("/");
    stream_wait(&s);
    ck_assert_int_eq(s.heads, 1);
    ck_assert(s.st == DRH_E_NETWORK || (s.st == DRH_OK && strcmp(s.body, "ok") == 0));
}
END_TEST

START_TEST(a_receiver_that_has_enough)
{
    const struct tiny_answer answers[] = {{.raw = OK(4, "text")}};

    help_serve(answers, 1);
    s.head_says = DRH_E_UNSUPPORTED;
    begin("/");
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_E_UNSUPPORTED);
    ck_assert_uint_eq(s.n, 0);
    memset(&s, 0, sizeof(s));
    s.body_says = DRH_E_RANGE;
    begin("/");
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_E_RANGE);
    ck_assert_int_eq(s.heads, 1);
    ck_assert_uint_eq(tiny_requests(server), 2);
}
END_TEST

/* ---- cancelling ---- */

START_TEST(cancelled_before_the_head)
{
    const struct tiny_answer answers[] = {{.hang = true}};

    help_serve(answers, 1);
    begin("/");
    wait_for_requests(1);
    http_api->cancel(http_self, s.id);
    http_api->cancel(http_self, s.id);
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_E_CANCELLED);
    ck_assert_int_eq(s.heads, 0);
    http_api->cancel(http_self, s.id); /* long gone */
    http_api->cancel(http_self, s.id + 1000);
    http_api->cancel(http_self, 0);
}
END_TEST

START_TEST(cancelled_at_once)
{
    const struct tiny_answer answers[] = {{.raw = OK(2, "ok")}};

    help_serve(answers, 1);
    for (int i = 0; i < 50; i++) {
        memset(&s, 0, sizeof(s));
        begin("/");
        http_api->cancel(http_self, s.id);
        stream_wait(&s);
        ck_assert(s.st == DRH_E_CANCELLED || s.st == DRH_OK);
    }
}
END_TEST

START_TEST(cancelled_behind_the_head)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf", .hang = true}};

    help_serve(answers, 1);
    begin("/");
    stream_wait_head(&s);
    http_api->cancel(http_self, s.id);
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_E_CANCELLED);
    ck_assert_int_eq(s.heads, 1);
}
END_TEST

START_TEST(cancelled_from_inside)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf", .hang = true}};

    help_serve(answers, 1);
    s.cancel_at_head = true;
    begin("/");
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_E_CANCELLED);
    memset(&s, 0, sizeof(s));
    s.cancel_at_body = true;
    begin("/");
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_E_CANCELLED);
}
END_TEST

/* It ends by itself before anybody has looked at the wish. */
START_TEST(cancelled_at_its_end)
{
    const struct tiny_answer answers[] = {{.raw = OK(4, "text")}};

    help_serve(answers, 1);
    for (int i = 0; i < 10; i++) {
        memset(&s, 0, sizeof(s));
        s.cancel_at_body = true;
        begin("/");
        stream_wait(&s);
        ck_assert(s.st == DRH_OK || s.st == DRH_E_CANCELLED);
        ck_assert_str_eq(s.body, "text");
    }
}
END_TEST

/* While it waits to be sent again. */
START_TEST(cancelled_in_a_pause)
{
    const struct tiny_answer answers[] = {{.raw = STATUS(503, "Retry-After: 500\r\n")}};
    const double             start = help_now();

    help_serve(answers, 1);
    begin("/");
    wait_for_requests(1);
    http_api->cancel(http_self, s.id);
    stream_wait(&s);
    ck_assert_int_eq(s.st, DRH_E_CANCELLED);
    ck_assert_double_lt(help_now() - start, 5);
}
END_TEST

/* ---- the end of the service ---- */

START_TEST(the_service_ends_first)
{
    enum { N = 12 }; /* more than connections */
    static struct stream     many[N];
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf", .hang = true},
        {.hang = true},
        {.raw = STATUS(503, "Retry-After: 500\r\n")},
        {.hang = true}};

    help_serve(answers, 4);
    for (int i = 0; i < N; i++) {
        drh_http_req req = help_get("/");
        memset(&many[i], 0, sizeof(many[i]));
        req.deadline_ms = i % 2 ? 600000 : 0;
        ck_assert_int_eq(stream_start(&many[i], &req), DRH_OK);
    }
    wait_for_requests(3);
    help_stop();
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(many[i].dones, 1);
        ck_assert_int_eq(many[i].st, DRH_E_CANCELLED);
    }
}
END_TEST

START_TEST(it_ends_at_once)
{
    const struct tiny_answer answers[] = {{.raw = OK(2, "ok")}};

    for (int i = 0; i < 20; i++) {
        memset(&s, 0, sizeof(s));
        help_serve(answers, 1);
        begin("/");
        help_stop();
        ck_assert_int_eq(s.dones, 1);
        ck_assert(s.st == DRH_E_CANCELLED || s.st == DRH_OK);
        tiny_stop(server);
        server = NULL;
    }
}
END_TEST

/* ---- many at once ---- */

enum { CALLERS = 6, CALLS = 15 };

static void *call_often(void *arg)
{
    for (int i = 0; i < CALLS; i++) {
        const drh_http_answer *got = NULL;
        drh_error              e = DRH_ERROR_INIT;
        char                   path[80];
        drh_http_req           req = {.struct_size = sizeof(req)};

        snprintf(path, sizeof(path), "http://127.0.0.1:%u/%d-%d", tiny_port(server),
                 (int)(intptr_t)arg, i);
        req.url = drh_str_of(path);
        ck_assert_msg(http_api->call(http_self, &req, &got, &e) == DRH_OK, "%s", e.message);
        ck_assert_uint_eq(got->status, 200);
        ck_assert(drh_str_eq(got->body, "ok"));
        http_api->release(http_self, got);
    }
    return NULL;
}

START_TEST(many_callers)
{
    const struct tiny_answer answers[] = {{.raw = OK(2, "ok")}};
    pthread_t                thread[CALLERS];

    help_serve(answers, 1);
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_create(&thread[i], NULL, call_often, (void *)(intptr_t)i), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    }
    ck_assert_uint_eq(tiny_requests(server), CALLERS * CALLS);
}
END_TEST

START_TEST(one_that_hangs_holds_up_nobody)
{
    const struct tiny_answer answers[] = {{.hang = true}, {.raw = OK(2, "ok")}};
    drh_http_req             req;

    help_serve(answers, 2);
    begin("/slow");
    wait_for_requests(1);
    req = help_get("/quick");
    req.deadline_ms = 20000;
    ck_assert_msg(help_call(&req) == DRH_OK, "%s", http_error.message);
    ck_answer(200, "ok");
    http_api->cancel(http_self, s.id);
    stream_wait(&s);
}
END_TEST

/* ---- options ---- */

/* The server asks everybody to wait; who keeps to that without help is not held up. */
START_TEST(a_pace_of_ones_own)
{
    const struct tiny_answer answers[] = {{.raw = STATUS(429, "Retry-After: 500\r\n")},
                                          {.raw = OK(2, "ok")}};
    drh_http_req             req;

    help_serve(answers, 2);
    req = help_get("/");
    req.tries = 1;
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(429, "");
    req.flags |= DRH_HTTP_OWN_PACE;
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(200, "ok");
}
END_TEST

START_TEST(a_name_of_ones_own)
{
    const struct tiny_answer answers[] = {{.raw = OK(0, "")}};

    http_options.user_agent = "mine/1";
    help_serve(answers, 1);
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_assert(asked(0, "\r\nUser-Agent: mine/1\r\n"));
}
END_TEST

static void through_a_proxy(const char *variable, bool goes_there)
{
    const struct tiny_answer answers[] = {{.raw = OK(5, "proxy")}};
    drh_http_req             req = {.struct_size = sizeof(req), .tries = 1};

    help_serve(answers, 1);
    if (variable) {
        setenv(variable, help_url(""), 1);
    }
    req.url = drh_str_of("http://nobody.invalid/x");
    if (goes_there) {
        ck_assert_msg(help_call(&req) == DRH_OK, "%s", http_error.message);
        ck_answer(200, "proxy");
        ck_assert(asked(0, "GET http://nobody.invalid/x HTTP/1.1\r\n"));
        ck_assert(asked(0, "\r\nHost: nobody.invalid\r\n"));
    } else {
        ck_assert_int_ne(help_call(&req), DRH_OK);
        ck_assert_uint_eq(tiny_requests(server), 0);
    }
}

START_TEST(proxies_of_the_environment)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};

    through_a_proxy(names[_i], true);
}
END_TEST

START_TEST(a_proxy_that_is_not_meant)
{
    setenv("no_proxy", "nobody.invalid", 1);
    through_a_proxy("HTTP_PROXY", false);
}
END_TEST

START_TEST(a_proxy_by_option)
{
    const struct tiny_answer answers[] = {{.raw = OK(5, "proxy")}};
    struct tiny             *proxy = tiny_start(answers, 1);
    char                     url[64];
    drh_http_req             req = {.struct_size = sizeof(req), .tries = 1};

    snprintf(url, sizeof(url), "http://127.0.0.1:%u", tiny_port(proxy));
    http_options.proxy = url;
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* the option counts */
    help_serve(answers, 1);
    req.url = drh_str_of("http://nobody.invalid/x");
    ck_assert_msg(help_call(&req) == DRH_OK, "%s", http_error.message);
    ck_assert_uint_eq(tiny_requests(proxy), 1);
    tiny_stop(proxy);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("http_stream");

    tcase_add_checked_fixture(t, setup, help_teardown);
    tcase_add_test(t, a_stream);
    tcase_add_test(t, a_stream_behind_a_redirect);
    tcase_add_test(t, an_empty_stream);
    tcase_add_test(t, only_an_end);
    tcase_add_test(t, a_stream_that_breaks_off);
    tcase_add_test(t, a_stream_that_breaks_off_before_its_head);
    tcase_add_test(t, a_stream_that_breaks_off_behind_its_head);
    tcase_add_test(t, a_receiver_that_has_enough);
    tcase_add_test(t, cancelled_before_the_head);
    tcase_add_test(t, cancelled_at_once);
    tcase_add_test(t, cancelled_behind_the_head);
    tcase_add_test(t, cancelled_from_inside);
    tcase_add_test(t, cancelled_at_its_end);
    tcase_add_test(t, cancelled_in_a_pause);
    tcase_add_test(t, the_service_ends_first);
    tcase_add_test(t, it_ends_at_once);
    tcase_add_test(t, many_callers);
    tcase_add_test(t, one_that_hangs_holds_up_nobody);
    tcase_add_test(t, a_pace_of_ones_own);
    tcase_add_test(t, a_name_of_ones_own);
    tcase_add_loop_test(t, proxies_of_the_environment, 0, 4);
    tcase_add_test(t, a_proxy_that_is_not_meant);
    tcase_add_test(t, a_proxy_by_option);
    return run_case("http_stream", t);
}
