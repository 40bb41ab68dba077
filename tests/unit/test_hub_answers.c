/* SPDX-License-Identifier: MIT
 *
 * test_hub_answers.c - drh/hub.h: headers of answers, links to the next page, asking for JSON,
 * endpoints and who may see a token.
 */
#include "err.h"
#include "hub_host.h"
#include "run.h"

#include <drh/hub.h>

/* ---- headers ---- */

START_TEST(headers_by_name)
{
    const drh_http_header h[] = {{{"etag", 4}, {"\"a\"", 3}},
                                 {{"link", 4}, {"first", 5}},
                                 {{"link", 4}, {"second", 6}},
                                 {{"x-empty", 7}, {"", 0}}};
    const drh_http_answer a = {.struct_size = sizeof(a), .headers = h, .n_headers = 4};
    const drh_http_answer none = {.struct_size = sizeof(none)};

    ck_assert_int_eq(drh_str_eq(drh_hub_header(&a, "etag"), "\"a\""), 1);
    ck_assert_int_eq(drh_str_eq(drh_hub_header(&a, "link"), "first"), 1);
    ck_assert_ptr_nonnull(drh_hub_header(&a, "x-empty").ptr);
    ck_assert_ptr_null(drh_hub_header(&a, "eta").ptr);
    ck_assert_ptr_null(drh_hub_header(&a, "etag2").ptr);
    ck_assert_ptr_null(drh_hub_header(&none, "etag").ptr);
}
END_TEST

/* The first ones are of RFC 8288, section 3.5, and of the recorded traffic of the hub. */
static const struct {
    const char *link, *next; /* NULL: none */
} links[] = {
    {"<http://example.com/TheBook/chapter2>; rel=\"previous\"; title=\"previous chapter\"", NULL},
    {"</>; rel=\"http://example.net/foo\"", NULL},
    {"</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel, "
     "</TheBook/chapter4>; rel=\"next\"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel",
     "/TheBook/chapter4"},
    {"<http://example.org/>; rel=\"start http://example.net/relation/other\"", NULL},
    {"<https://example.org/>; rel=\"start\", <https://example.org/index>; rel=\"index\"", NULL},
    {"<https://huggingface.co/api/models/o/n/tree/main?expand=false&recursive=true&limit=1000&"
     "cursor=ZXlK%3D%3D>; rel=\"next\"",
     "https://huggingface.co/api/models/o/n/tree/main?expand=false&recursive=true&limit=1000&"
     "cursor=ZXlK%3D%3D"},
    {"<https://h/xet-read-token/a>; rel=\"xet-auth\", <https://h/v1/reconstructions/b>; "
     "rel=\"xet-reconstruction-info\"",
     NULL},
    {"<a>; rel=next", "a"},
    {"<a>;rel=next", "a"},
    {"<a>;rel=next,<b>;rel=last", "a"},
    {"<a>; rel=next; title=x", "a"},
    {"<a> ; rel = \"next\"", "a"},
    {"<a>\t;\trel\t=\tnext\t", "a"},
    {"<a>; REL=\"Next\"", "a"}, /* neither has a case, RFC 8288 2.1.1 and 3 */
    {"<a>; title=\"x\"; rel=\"next\"", "a"},
    {"<a>;;; rel=\"next\";", "a"},
    {"<a>; rel=\"prev next\"", "a"}, /* several types, RFC 8288 3.3 */
    {"<a>; rel=\"next prev\"", "a"},
    {"<a>; rel=\"prev\"; rel=\"next\"", NULL}, /* only the first one counts, RFC 8288 3.3 */
    {"<a>; rel=\"prev\", <b>; rel=\"next\", <c>; rel=\"last\"", "b"},
    {"<a>; rel=prev, <b>; rel=next", "b"},
    {"<a>; rel=\"nextpage\"", NULL},
    {"<a>; rel=nextpage", NULL},
    {"<a>; rel=\"pre-next\"", NULL},
    {"<a>; xrel=next", NULL},
    {"<a>; title=\"; rel=next\"", NULL},
    {"<a>; title=\"rel=\\\"next\\\"; rel=next\"", NULL},
    {"<a>; title=\"\\\"; rel=next; x=\\\"\"", NULL},
    {"<a>; title=\"a, b\"; rel=\"next\"", "a"},
    {"<a>; title=\"x, <b>; rel=next\"; rel=prev", NULL},
    {"<a>; title=\"\\\\\"; rel=next", "a"},
    {"<a,b;c=d>; rel=\"next\"", "a,b;c=d"},
    {"<>; rel=\"next\"", ""},
    {"<a>", NULL},
    {"<a>;", NULL},
    {"<a>; rel", NULL},
    {"<a>; rel=", NULL},
    {"<a>; rel=\"next", "a"}, /* cut short: what is there is clear */
    {"<a>; rel=\"ne", NULL},
    {"<a; rel=\"next\"", NULL},
    {"a; rel=\"next\"", NULL},
    {"<a", NULL},
    {"<", NULL},
    {">", NULL},
    {"", NULL},
    {",,, <a>; rel=next", "a"},
    {"<a>; =; rel=next", "a"},
    {"<a>; =,; <b>; rel=next", "b"},
    {"<a>; rel=\"next\" , <b>; rel=\"prev\"", "a"},
};

START_TEST(links_to_the_next_page)
{
    size_t  n = strlen(links[_i].link);
    char   *copy = malloc(n ? n : 1); /* without an end, so that a read behind it is seen */
    drh_str next;

    memcpy(copy, links[_i].link, n);
    next = drh_hub_next((drh_str){copy, n});
    if (links[_i].next) {
        ck_assert_msg(next.ptr && drh_str_eq(next, links[_i].next), "%s: \"%.*s\"", links[_i].link,
                      (int)next.len, next.ptr ? next.ptr : "");
    } else {
        ck_assert_msg(!next.ptr, "%s: \"%.*s\"", links[_i].link, (int)next.len, next.ptr);
    }
    free(copy);
}
END_TEST

START_TEST(no_link)
{
    ck_assert_ptr_null(drh_hub_next((drh_str){NULL, 0}).ptr);
    ck_assert_ptr_null(drh_hub_next((drh_str){"<a>; rel=next", 11}).ptr);
    ck_assert_ptr_null(drh_hub_next((drh_str){"\0<a>\0; rel\0=next", 16}).ptr);
}
END_TEST

/* ---- asking ---- */

static drh_status no_life(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    (void)h, (void)c, (void)e;
    *self = NULL;
    return DRH_OK;
}

static void no_end(void *self)
{
    (void)self;
}

static const drh_life  life = {.struct_size = sizeof(life), .create = no_life, .destroy = no_end};
static const drh_stage stage = {.struct_size = sizeof(stage),
                                .kind = DRH_KIND_SOURCE,
                                .id = "asker",
                                .config_schema = "{\"type\":\"object\"}",
                                .life = &life};
static const drh_stage *const stages[] = {&stage};
static const drh_entry        entry = {
           .struct_size = sizeof(entry), .n_stages = 1, .name = "asker", .stages = stages};

static struct hub_host hub;
static drh_hub_page    page;

static drh_status ask(const struct hub_answer *answers)
{
    const drh_http_req req = {.struct_size = sizeof(req), .url = drh_str_of("http://h/x")};
    const drh_http    *http;

    ck_assert_int_eq(hub_new(&hub, &entry, "{}", answers), DRH_OK);
    http = hub.host.extension(&hub.host, DRH_HTTP);
    return drh_hub_get(&hub.host, http, &req, &page, &hub.e);
}

static void let_go(void)
{
    const drh_http *http = hub.host.extension(&hub.host, DRH_HTTP);

    drh_hub_page_free(&hub.host, http, &page);
    drh_hub_page_free(&hub.host, http, &page);
    ck_assert(hub_free(&hub));
}

START_TEST(a_page_of_json)
{
    const struct hub_answer answers[] = {
        {.body = "{\"t\":\"x\",\"n\":-5,\"f\":1.5,\"b\":true,\"z\":null,\"s\":\"7\",\"o\":{}}"},
        {0}};

    ck_assert_int_eq(ask(answers), DRH_OK);
    ck_assert_ptr_nonnull(page.doc);
    ck_assert(drh_str_eq(drh_hub_text(&hub.host, &page.root, "t"), "x"));
    ck_assert_ptr_null(drh_hub_text(&hub.host, &page.root, "n").ptr);
    ck_assert_ptr_null(drh_hub_text(&hub.host, &page.root, "z").ptr);
    ck_assert_ptr_null(drh_hub_text(&hub.host, &page.root, "gone").ptr);
    ck_assert_int_eq(drh_hub_int(&hub.host, &page.root, "n", 9), -5);
    ck_assert_int_eq(drh_hub_int(&hub.host, &page.root, "f", 9), 9);
    ck_assert_int_eq(drh_hub_int(&hub.host, &page.root, "s", 9), 9);
    ck_assert_int_eq(drh_hub_int(&hub.host, &page.root, "gone", 9), 9);
    ck_assert_int_eq(drh_hub_true(&hub.host, &page.root, "b"), 1);
    ck_assert_int_eq(drh_hub_true(&hub.host, &page.root, "t"), 0);
    ck_assert_int_eq(drh_hub_true(&hub.host, &page.root, "gone"), 0);
    let_go();
}
END_TEST

START_TEST(members_of_something_else)
{
    const struct hub_answer answers[] = {{.body = "[1]"}, {0}};

    ck_assert_int_eq(ask(answers), DRH_OK);
    ck_assert_ptr_null(drh_hub_text(&hub.host, &page.root, "t").ptr);
    ck_assert_int_eq(drh_hub_int(&hub.host, &page.root, "n", 9), 9);
    ck_assert_int_eq(drh_hub_true(&hub.host, &page.root, "b"), 0);
    let_go();
}
END_TEST

START_TEST(a_broken_page_is_asked_for_again)
{
    const struct hub_answer twice[] = {{.body = "[1"}, {.body = "[1,2"}, {.body = "[1,2,3]"}, {0}};
    const struct hub_answer thrice[] = {
        {.body = "[1"}, {.body = "[1,2"}, {.body = "[1,2,"}, {.body = "[]"}, {0}};

    ck_assert_int_eq(ask(twice), DRH_OK);
    ck_assert_uint_eq(hub.host.values->count(&page.root), 3);
    ck_assert_uint_eq(hub.requests, 3);
    let_go();
    ck_assert_int_eq(ask(thrice), DRH_E_NETWORK);
    ck_assert_uint_eq(hub.requests, 3);
    ck_assert_ptr_nonnull(strstr(hub.e.message, "the listing is broken: not JSON: byte 5"));
    let_go();
}
END_TEST

START_TEST(a_page_for_people)
{
    const struct hub_answer answers[] = {{.body = " \r\n<!doctype html><p>Log in", .always = true},
                                         {0}};

    ck_assert_int_eq(ask(answers), DRH_E_NETWORK);
    ck_assert_ptr_nonnull(strstr(hub.e.message, "login page"));
    let_go();
}
END_TEST

START_TEST(an_empty_page)
{
    const struct hub_answer answers[] = {{.status = 200, .body = "", .always = true}, {0}};

    ck_assert_int_eq(ask(answers), DRH_E_NETWORK);
    let_go();
}
END_TEST

START_TEST(other_statuses_are_not_read)
{
    const struct hub_answer answers[] = {{.status = 404, .body = "{broken"}, {0}};

    ck_assert_int_eq(ask(answers), DRH_OK);
    ck_assert_ptr_null(page.doc);
    ck_assert_uint_eq(page.answer->status, 404);
    ck_assert_uint_eq(hub.requests, 1);
    let_go();
}
END_TEST

START_TEST(no_answer)
{
    const struct hub_answer answers[] = {{.st = DRH_E_TIMEOUT}, {0}};

    ck_assert_int_eq(ask(answers), DRH_E_TIMEOUT);
    ck_assert_ptr_null(page.answer);
    ck_assert_uint_eq(hub.requests, 1);
    let_go();
}
END_TEST

/* ---- endpoints ---- */

static const struct {
    const char *url, *want; /* NULL: refused */
} endpoints[] = {
    {"https://hf-mirror.com", "https://hf-mirror.com"},
    {"https://hf-mirror.com/", "https://hf-mirror.com"},
    {"https://hf-mirror.com///", "https://hf-mirror.com"},
    {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
    {"https://host/prefix/hf/", "https://host/prefix/hf"},
    {"http://[::1]:1/", "http://[::1]:1"},
    {"", NULL},
    {"/", NULL},
    {"https://", NULL},
    {"http:///", NULL},
    {"hf-mirror.com", NULL},
    {"ftp://host", NULL},
    {"file:///etc", NULL},
    {"https://user@host", NULL},
    {"https://user:word@host", NULL},
    {"https://host?x", NULL},
    {"https://host#x", NULL},
    {"https://ho st", NULL},
};

START_TEST(endpoints_of_hubs)
{
    drh_text   t = {.host = &bare_host};
    drh_error  e = ERR_INIT;
    drh_status st;

    drh_text_adds(&t, endpoints[_i].url);
    st = drh_hub_endpoint(&t, &e);
    if (endpoints[_i].want) {
        ck_assert_msg(st == DRH_OK, "%s: %s", endpoints[_i].url, e.message);
        ck_assert_str_eq(drh_text_str(&t).ptr, endpoints[_i].want);
        ck_assert_uint_eq(t.len, strlen(endpoints[_i].want));
    } else {
        ck_assert_msg(st == DRH_E_CONFIG, "%s: %d", endpoints[_i].url, st);
        ck_assert_ptr_nonnull(strstr(e.message, "https://HOST"));
    }
    drh_text_free(&t);
}
END_TEST

START_TEST(an_endpoint_without_memory)
{
    drh_text  t = {.host = &bare_host};
    drh_error e = ERR_INIT;

    bare_allowed = 0;
    drh_text_adds(&t, "https://host");
    ck_assert_int_eq(drh_hub_endpoint(&t, &e), DRH_E_NOMEM);
    bare_allowed = -1;
    drh_text_free(&t);
    ck_assert_int_eq(drh_hub_endpoint(&t, &e), DRH_E_CONFIG); /* never filled */
}
END_TEST

START_TEST(is_it_one_of_these_hosts)
{
    static const char *const hosts[] = {"https://huggingface.co", "https://hf.co", NULL};
    static const struct {
        const char *url;
        int         is;
    } rows[] = {{"https://huggingface.co", 1},
                {"https://huggingface.co/", 1},
                {"https://hf.co/a/b", 1},
                {"https://huggingface.com", 0},
                {"https://huggingface.co.evil.example", 0},
                {"https://huggingface.co@evil.example", 0},
                {"https://huggingface.co:444", 0},
                {"http://huggingface.co", 0},
                {"https://xhf.co", 0},
                {"https://evil.example/https://hf.co", 0},
                {"https://hf.c", 0},
                {"", 0}};

    for (int i = 0; i < ROWS(rows); i++) {
        ck_assert_msg(drh_hub_is_at(drh_str_of(rows[i].url), hosts) == rows[i].is, "%s",
                      rows[i].url);
    }
}
END_TEST

/* here: this machine; may: a token may be sent there. */
static const struct {
    const char *url;
    int         here, may;
} places[] = {
    {"http://localhost", 1, 1},
    {"http://localhost/", 1, 1},
    {"http://localhost:80/x", 1, 1},
    {"https://localhost", 1, 1},
    {"http://127.0.0.1", 1, 1},
    {"http://127.0.0.1:8080/x", 1, 1},
    {"http://127.8.9.10", 1, 1},
    {"https://127.0.0.1:1", 1, 1},
    {"http://[::1]", 1, 1},
    {"http://[::1]:80/x", 1, 1},
    {"http://[::1]x", 0, 0},
    {"http://[::10]", 0, 0},
    {"http://localhost.evil.example", 0, 0},
    {"http://localhostx", 0, 0},
    {"http://127.evil.example", 0, 0},
    {"http://127.0.0.1.evil.example", 0, 0},
    {"http://1270.0.0.1", 0, 0},
    {"http://128.0.0.1", 0, 0},
    {"http://evil.example/localhost", 0, 0},
    {"http://hf-mirror.com", 0, 0},
    {"https://hf-mirror.com", 0, 1},
    {"ftp://localhost", 0, 0},
    {"localhost", 0, 0},
    {"HTTPS://host", 0, 0},
    {"", 0, 0},
};

START_TEST(who_may_see_a_token)
{
    drh_str url = drh_str_of(places[_i].url);

    ck_assert_msg(drh_hub_here(url) == places[_i].here, "here: %s", places[_i].url);
    ck_assert_msg(drh_hub_private(url) == places[_i].may, "private: %s", places[_i].url);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("hub_answers");

    tcase_add_checked_fixture(t, bare_reset, NULL);
    tcase_add_test(t, headers_by_name);
    tcase_add_loop_test(t, links_to_the_next_page, 0, ROWS(links));
    tcase_add_test(t, no_link);
    tcase_add_test(t, a_page_of_json);
    tcase_add_test(t, members_of_something_else);
    tcase_add_test(t, a_broken_page_is_asked_for_again);
    tcase_add_test(t, a_page_for_people);
    tcase_add_test(t, an_empty_page);
    tcase_add_test(t, other_statuses_are_not_read);
    tcase_add_test(t, no_answer);
    tcase_add_loop_test(t, endpoints_of_hubs, 0, ROWS(endpoints));
    tcase_add_test(t, an_endpoint_without_memory);
    tcase_add_test(t, is_it_one_of_these_hosts);
    tcase_add_loop_test(t, who_may_see_a_token, 0, ROWS(places));
    return run_case("hub_answers", t);
}
