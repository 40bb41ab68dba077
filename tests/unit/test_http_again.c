/* SPDX-License-Identifier: MIT
 *
 * test_http_again.c - drh.http/1 of plugins/http: redirects, and requests that are sent again.
 */
#include "http_help.h"
#include "run.h"

#include <drh/hub.h>

/* ---- redirects ---- */

START_TEST(a_redirect_is_followed)
{
    const struct tiny_answer answers[] = {{.raw = STATUS(302, "Location: /there?x\r\n")},
                                          {.raw = OK(2, "ok")}};

    help_serve(answers, 2);
    ck_assert_int_eq(help_call_get("/here"), DRH_OK);
    ck_answer(200, "ok");
    ck_assert(drh_str_eq(answer->url, help_url("/there?x")));
    ck_assert(asked(0, "GET /here "));
    ck_assert(asked(1, "GET /there?x "));
}
END_TEST

START_TEST(a_redirect_as_an_answer)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 2\r\n\r\ngo"}};
    drh_http_req req;

    help_serve(answers, 1);
    req = help_get("/here");
    req.flags = DRH_HTTP_NO_REDIRECT;
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(302, "go");
    ck_assert(drh_str_eq(drh_hub_header(answer, "location"), "/there"));
    ck_assert_uint_eq(tiny_requests(server), 1);
}
END_TEST

START_TEST(a_status_300_is_an_answer)
{
    const struct tiny_answer answers[] = {{.raw = STATUS(300, "Location: /there\r\n")},
                                          {.raw = STATUS(304, "")}};

    help_serve(answers, 2);
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(300, "");
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(304, "");
}
END_TEST

static const struct {
    const char *status, *method, *body, *then; /* then: the method afterwards */
} methods[] = {
    {"301", NULL, "text", "GET"},      {"302", NULL, "text", "GET"},
    {"303", NULL, "text", "GET"},      {"307", NULL, "text", "POST"},
    {"308", NULL, "text", "POST"},     {"301", "POST", "text", "GET"},
    {"301", "POST", NULL, "GET"},      {"301", "PUT", "text", "PUT"},
    {"302", "DELETE", NULL, "DELETE"}, {"303", "PUT", "text", "GET"},
    {"303", "DELETE", NULL, "GET"},    {"308", "DELETE", NULL, "DELETE"},
    {"301", "HEAD", NULL, "HEAD"},     {"303", "HEAD", NULL, "HEAD"},
    {"303", NULL, NULL, "GET"},        {"307", NULL, NULL, "GET"},
};

/* By RFC 9110, 15.4: 303 becomes a GET, a POST does with 301 and 302 by custom, nothing else does.
 */
START_TEST(methods_after_a_redirect)
{
    char               raw[128], line[32];
    struct tiny_answer answers[] = {{.raw = raw}, {.raw = OK(0, "")}};
    const bool         same = strcmp(methods[_i].then, "GET") != 0;
    drh_http_req       req;

    snprintf(raw, sizeof(raw), "HTTP/1.1 %s X\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
             methods[_i].status);
    help_serve(answers, 2);
    req = help_get("/here");
    req.body = drh_str_of(methods[_i].body);
    req.method = drh_str_of(methods[_i].method);
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(200, "");
    snprintf(line, sizeof(line), "%s /there ", methods[_i].then);
    ck_assert_msg(asked(1, line), "row %d: %s", _i, tiny_request(server, 1));
    ck_assert_int_eq(asked(1, "\r\n\r\ntext"), same && methods[_i].body);
    ck_assert_int_eq(asked(1, "Content-Length"), same && methods[_i].body);
}
END_TEST

START_TEST(redirects_without_end)
{
    const struct tiny_answer to_itself[] = {{.raw = STATUS(302, "Location: /here\r\n")}};
    const struct tiny_answer to_each_other[] = {
        {.raw = STATUS(302, "Location: /1\r\n")}, {.raw = STATUS(302, "Location: /2\r\n")},
        {.raw = STATUS(302, "Location: /1\r\n")}, {.raw = STATUS(302, "Location: /2\r\n")},
        {.raw = STATUS(302, "Location: /1\r\n")}, {.raw = STATUS(302, "Location: /2\r\n")},
        {.raw = STATUS(302, "Location: /1\r\n")}, {.raw = STATUS(302, "Location: /2\r\n")},
        {.raw = STATUS(302, "Location: /1\r\n")}, {.raw = STATUS(302, "Location: /2\r\n")},
        {.raw = STATUS(302, "Location: /1\r\n")}, {.raw = STATUS(302, "Location: /2\r\n")}};

    help_serve(to_itself, 1);
    ck_assert_int_eq(help_call_get("/here"), DRH_E_NETWORK);
    ck_said("answers 302: it redirects to itself");
    ck_assert_uint_eq(tiny_requests(server), 1);
    help_stop();
    tiny_stop(server);
    help_serve(to_each_other, 12);
    ck_assert_int_eq(help_call_get("/here"), DRH_E_NETWORK);
    ck_said("more than 10 times");
    ck_assert_uint_eq(tiny_requests(server), 11);
}
END_TEST

START_TEST(redirects_to_bad_places)
{
    const struct tiny_answer answers[] = {{.raw = STATUS(302, "Location: file:///etc/passwd\r\n")},
                                          {.raw = STATUS(302, "Location: http://u:secret@h/\r\n")},
                                          {.raw = STATUS(302, "Location:\r\n")},
                                          {.raw = STATUS(302, "")},
                                          {.raw = STATUS(302, "Location: /a/../../b\r\n")}};

    help_serve(answers, 5);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(help_call_get("/x?sig=secret"), DRH_E_NETWORK);
        ck_said("answers 302: it redirects");
        ck_assert_ptr_null(strstr(http_error.message, "secret"));
    }
    ck_assert_uint_eq(tiny_requests(server), 5);
}
END_TEST

START_TEST(credentials_on_the_way)
{
    char                     raw[200];
    const struct tiny_answer there[] = {{.raw = OK(2, "ok")}};
    const struct tiny_answer here[] = {{.raw = STATUS(302, "Location: /b\r\n")}, {.raw = raw}};
    const drh_http_header    secret = {drh_str_of("Authorization"), drh_str_of("Bearer t0ken")};
    const drh_http_header    plain = {drh_str_of("X-Plain"), drh_str_of("p")};
    struct tiny             *other = tiny_start(there, 1);
    drh_http_req             req;

    snprintf(raw, sizeof(raw),
             "HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:%u/c\r\nContent-Length: 0\r\n\r\n",
             tiny_port(other));
    help_serve(here, 2);
    req = help_get("/a");
    req.credentials = &secret;
    req.n_credentials = 1;
    req.headers = &plain;
    req.n_headers = 1;
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(200, "ok");
    ck_assert(asked(0, "\r\nAuthorization: Bearer t0ken\r\n"));
    ck_assert(asked(1, "\r\nAuthorization: Bearer t0ken\r\n"));  /* the same origin */
    ck_assert_ptr_null(strstr(tiny_request(other, 0), "t0ken")); /* another port */
    ck_assert_ptr_nonnull(strstr(tiny_request(other, 0), "X-Plain: p"));
    ck_assert_ptr_null(strstr(bare_log(), "t0ken"));
    tiny_stop(other);
}
END_TEST

/* ---- once more ---- */

START_TEST(a_server_in_trouble)
{
    const struct tiny_answer answers[] = {
        {.raw = STATUS(503, "")}, {.raw = NULL}, {.raw = OK(2, "ok")}};

    help_serve(answers, 3);
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(200, "ok");
    ck_assert_uint_eq(tiny_requests(server), 3);
}
END_TEST

static const struct {
    const char *status;
    bool        again;
} troubles[] = {{"408", true},  {"425", true},  {"429", true},  {"500", true},  {"502", true},
                {"503", true},  {"504", true},  {"522", true},  {"400", false}, {"401", false},
                {"403", false}, {"404", false}, {"410", false}, {"501", false}, {"416", false}};

START_TEST(statuses_that_may_pass)
{
    char               raw[64];
    struct tiny_answer answers[] = {{.raw = raw}, {.raw = OK(2, "ok")}};

    snprintf(raw, sizeof(raw), "HTTP/1.1 %s X\r\nContent-Length: 0\r\n\r\n", troubles[_i].status);
    help_serve(answers, 2);
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_assert_msg(tiny_requests(server) == (troubles[_i].again ? 2 : 1), "%s", troubles[_i].status);
    ck_assert_int_eq(answer->status == 200, troubles[_i].again);
}
END_TEST

START_TEST(not_for_ever)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy"}};
    drh_http_req req;

    help_serve(answers, 1);
    ck_assert_int_eq(help_call_get("/"), DRH_OK); /* the last one is the answer */
    ck_answer(503, "busy");
    ck_assert_uint_eq(tiny_requests(server), 3);
    req = help_get("/");
    req.tries = 1;
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(503, "busy");
    ck_assert_uint_eq(tiny_requests(server), 4);
    req.tries = 5;
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_assert_uint_eq(tiny_requests(server), 9);
}
END_TEST

START_TEST(a_body_is_not_sent_twice)
{
    const struct tiny_answer answers[] = {{.raw = STATUS(503, "")}, {.raw = OK(2, "ok")}};
    const struct tiny_answer broken[] = {{.raw = NULL}, {.raw = OK(2, "ok")}};
    drh_http_req             req;

    help_serve(answers, 2);
    req = help_get("/");
    req.body = drh_str_of("pay");
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(503, "");
    ck_assert_uint_eq(tiny_requests(server), 1);
    help_stop();
    tiny_stop(server);
    help_serve(broken, 2);
    req.url = drh_str_of(help_url("/"));
    ck_assert_int_eq(help_call(&req), DRH_E_NETWORK);
    ck_assert_uint_eq(tiny_requests(server), 1);
}
END_TEST

START_TEST(a_body_that_may_be_repeated)
{
    const struct tiny_answer answers[] = {
        {.raw = STATUS(503, "")}, {.raw = NULL}, {.raw = OK(2, "ok")}};
    drh_http_req req;

    help_serve(answers, 3);
    req = help_get("/");
    req.flags = DRH_HTTP_REPEATABLE;
    req.body = drh_str_of("pay");
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(200, "ok");
    for (size_t i = 0; i < 3; i++) {
        ck_assert(asked(i, "POST / "));
        ck_assert(asked(i, "\r\n\r\npay"));
    }
}
END_TEST

/* 307 would repeat it to somebody whom nobody asked; another path of the same host may have it. */
START_TEST(a_body_stays_with_who_was_asked)
{
    const struct tiny_answer away[] = {{.raw = STATUS(307, "Location: http://localhost:1/x\r\n")}};
    const struct tiny_answer home[] = {{.raw = STATUS(307, "Location: /y\r\n")},
                                       {.raw = OK(2, "ok")}};
    drh_http_req             req;

    help_serve(away, 1);
    req = help_get("/");
    req.body = drh_str_of("pay");
    ck_assert_int_eq(help_call(&req), DRH_E_NETWORK);
    ck_said("which does not get the body");
    ck_assert_uint_eq(tiny_requests(server), 1);
    help_stop();
    tiny_stop(server);
    help_serve(home, 2);
    req.url = drh_str_of(help_url("/"));
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(200, "ok");
    ck_assert(asked(1, "POST /y "));
    ck_assert(asked(1, "\r\n\r\npay"));
}
END_TEST

/* From the start, by the way that it took at first, with its body and method. */
START_TEST(again_from_the_start)
{
    const struct tiny_answer answers[] = {{.raw = STATUS(302, "Location: /cdn\r\n")},
                                          {.raw = STATUS(500, "")},
                                          {.raw = STATUS(302, "Location: /other\r\n")},
                                          {.raw = OK(2, "ok")}};

    help_serve(answers, 4);
    ck_assert_int_eq(help_call_get("/hub"), DRH_OK);
    ck_answer(200, "ok");
    ck_assert(asked(1, "GET /cdn "));
    ck_assert(asked(2, "GET /hub "));
    ck_assert(asked(3, "GET /other "));
}
END_TEST

START_TEST(a_post_again_after_a_redirect)
{
    const struct tiny_answer answers[] = {{.raw = STATUS(303, "Location: /result\r\n")},
                                          {.raw = STATUS(500, "")},
                                          {.raw = STATUS(303, "Location: /result\r\n")},
                                          {.raw = OK(2, "ok")}};
    drh_http_req             req;

    help_serve(answers, 4);
    req = help_get("/form");
    req.flags = DRH_HTTP_REPEATABLE;
    req.body = drh_str_of("pay");
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(200, "ok");
    ck_assert(asked(1, "GET /result "));
    ck_assert(asked(2, "POST /form "));
    ck_assert(asked(2, "\r\n\r\npay"));
}
END_TEST

/* What was made of it is a GET, but to ask for that again would mean to send the body again. */
START_TEST(a_post_not_again_after_a_redirect)
{
    const struct tiny_answer answers[] = {{.raw = STATUS(303, "Location: /result\r\n")},
                                          {.raw = STATUS(500, "")},
                                          {.raw = OK(2, "ok")}};
    drh_http_req             req;

    help_serve(answers, 3);
    req = help_get("/form");
    req.body = drh_str_of("pay");
    ck_assert_int_eq(help_call(&req), DRH_OK);
    ck_answer(500, "");
    ck_assert_uint_eq(tiny_requests(server), 2);
}
END_TEST

START_TEST(an_answer_that_breaks_off)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 200 OK\r\nX-N: first\r\nContent-Length: 10\r\n\r\nhalf"},
        {.raw = "HTTP/1.1 200 OK\r\nX-N: second\r\nContent-Length: 5\r\n\r\nwhole"}};

    help_serve(answers, 2);
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(200, "whole");
    ck_assert(drh_str_eq(drh_hub_header(answer, "x-n"), "second"));
    ck_assert_uint_eq(answer->n_headers, 2);
}
END_TEST

START_TEST(an_answer_that_always_breaks_off)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}};

    help_serve(answers, 1);
    ck_assert_int_eq(help_call_get("/x?sig=secret"), DRH_E_NETWORK);
    ck_assert_uint_eq(tiny_requests(server), 3);
    ck_assert_uint_ne(http_error.flags & DRH_ERR_RETRYABLE, 0);
    ck_said("/x: ");
    ck_assert_ptr_null(strstr(http_error.message, "secret"));
}
END_TEST

START_TEST(retry_after_is_heeded)
{
    const struct tiny_answer answers[] = {{.raw = STATUS(429, "Retry-After: 1\r\n")},
                                          {.raw = OK(2, "ok")}};
    double                   start;

    help_serve(answers, 2);
    start = help_now();
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_answer(200, "ok");
    ck_assert_double_ge(help_now() - start, 0.99);
    ck_assert_double_lt(help_now() - start, 5);
}
END_TEST

START_TEST(a_rate_limit_is_heeded)
{
    const struct tiny_answer answers[] = {
        {.raw = "HTTP/1.1 200 OK\r\nRateLimit: \"api\";r=0;t=1\r\nContent-Length: 0\r\n\r\n"},
        {.raw = OK(2, "ok")}};
    double start;

    help_serve(answers, 2);
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    start = help_now();
    ck_assert_int_eq(help_call_get("/"), DRH_OK);
    ck_assert_double_ge(help_now() - start, 0.99);
    ck_assert_double_lt(help_now() - start, 5);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("http_again");

    tcase_add_checked_fixture(t, help_setup, help_teardown);
    tcase_add_test(t, a_redirect_is_followed);
    tcase_add_test(t, a_redirect_as_an_answer);
    tcase_add_test(t, a_status_300_is_an_answer);
    tcase_add_loop_test(t, methods_after_a_redirect, 0, ROWS(methods));
    tcase_add_test(t, redirects_without_end);
    tcase_add_test(t, redirects_to_bad_places);
    tcase_add_test(t, credentials_on_the_way);
    tcase_add_test(t, a_server_in_trouble);
    tcase_add_loop_test(t, statuses_that_may_pass, 0, ROWS(troubles));
    tcase_add_test(t, not_for_ever);
    tcase_add_test(t, a_body_is_not_sent_twice);
    tcase_add_test(t, a_body_stays_with_who_was_asked);
    tcase_add_test(t, a_body_that_may_be_repeated);
    tcase_add_test(t, again_from_the_start);
    tcase_add_test(t, a_post_again_after_a_redirect);
    tcase_add_test(t, a_post_not_again_after_a_redirect);
    tcase_add_test(t, an_answer_that_breaks_off);
    tcase_add_test(t, an_answer_that_always_breaks_off);
    tcase_add_test(t, retry_after_is_heeded);
    tcase_add_test(t, a_rate_limit_is_heeded);
    return run_case("http_again", t);
}
