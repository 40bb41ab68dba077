/* SPDX-License-Identifier: MIT
 *
 * test_http_url.c - plugins/http/url.c: origins, where redirects may lead, URLs that people may
 * see; trip.c: headers for each host on the way.
 */
#include "bare_host.h"
#include "run.h"
#include "trip.h"

#include <stdlib.h>

/* ---- origins ---- */

/* want: "scheme host port", or NULL: refused */
static const struct {
    const char *url, *want;
} origins[] = {
    {"http://host", "http host 80"},
    {"https://host/", "https host 443"},
    {"http://host:80/x", "http host 80"},
    {"https://host:443", "https host 443"},
    {"https://host:80", "https host 80"},
    {"http://host:65535", "http host 65535"},
    {"HTTP://HOST:8080/PATH", "http host 8080"},
    {"https://Hub.Example/a?b#c", "https hub.example 443"},
    {"http://127.0.0.1:9000", "http 127.0.0.1 9000"},
    {"http://[::1]/", "http [::1] 80"},
    {"http://[2001:DB8::A]:81/", "http [2001:db8::a] 81"},
    {"https://host/a/../b", "https host 443"},
    {"https://host/user@x", "https host 443"},
    {"https://host?user@x:y", "https host 443"},
    {"http://user@host/", NULL},
    {"http://user:word@host/", NULL},
    {"http://:word@host/", NULL},
    {"ftp://host/", NULL},
    {"file:///etc/passwd", NULL},
    {"ws://host", NULL},
    {"javascript:alert(1)", NULL},
    {"data:text/plain,x", NULL},
    {"//host/x", NULL},
    {"/x", NULL},
    {"http://", NULL},
    {"http:////x", NULL},
    {"https://:80/", NULL},
    {"http://host:65536/", NULL},
    {"http://host:0x50/", NULL},
    {"http://host:-1/", NULL},
    {"http://ho st/", NULL},
    {"http://[::1/", NULL},
    {"", NULL},
};

START_TEST(origins_of_urls)
{
    struct origin o;
    drh_error     e = DRH_ERROR_INIT;
    drh_status    st = url_origin(origins[_i].url, &o, &e);
    char          text[300];

    if (!origins[_i].want) {
        ck_assert_msg(st == DRH_E_ARG, "%s: %d", origins[_i].url, st);
        ck_assert_msg(e.message[0], "%s", origins[_i].url);
        ck_assert_ptr_null(strstr(e.message, "word"));
        return;
    }
    ck_assert_msg(st == DRH_OK, "%s: %s", origins[_i].url, e.message);
    snprintf(text, sizeof(text), "%s %s %u", o.scheme, o.host, o.port);
    ck_assert_str_eq(text, origins[_i].want);
}
END_TEST

/* A name without a scheme would be guessed at: no. */
START_TEST(names_are_no_urls)
{
    struct origin o;

    ck_assert_int_eq(url_origin("host", &o, NULL), DRH_E_ARG);
    ck_assert_int_eq(url_origin("host:80/x", &o, NULL), DRH_E_ARG);
}
END_TEST

START_TEST(long_urls)
{
    static char   url[40000];
    struct origin o;
    drh_error     e = DRH_ERROR_INIT;

    memset(url, 'a', sizeof(url) - 1);
    memcpy(url, "http://h/", 9);
    ck_assert_int_eq(url_origin(url, &o, &e), DRH_E_ARG);
    url[32 << 10] = '\0';
    ck_assert_int_eq(url_origin(url, &o, &e), DRH_OK);
    url[300] = '\0';
    memcpy(url, "http://aa", 9); /* a host of more than 255 letters */
    ck_assert_int_eq(url_origin(url, &o, &e), DRH_E_ARG);
}
END_TEST

static struct origin origin_of(const char *url)
{
    struct origin o;
    drh_error     e = DRH_ERROR_INIT;

    ck_assert_msg(url_origin(url, &o, &e) == DRH_OK, "%s", e.message);
    return o;
}

START_TEST(the_same_origin)
{
    static const struct {
        const char *a, *b;
        bool        same;
    } rows[] = {{"http://host/x", "http://host/y?z", true},
                {"http://host", "http://HOST:80", true},
                {"https://host", "https://host:443/", true},
                {"http://host", "https://host", false},
                {"http://host:443", "https://host:443", false},
                {"http://host:80", "http://host:81", false},
                {"http://127.0.0.1", "http://localhost", false},
                {"http://host", "http://sub.host", false},
                {"http://host", "http://host.", false},
                {"http://[::1]", "http://[0:0:0:0:0:0:0:1]", true}};

    for (int i = 0; i < ROWS(rows); i++) {
        struct origin a = origin_of(rows[i].a), b = origin_of(rows[i].b);
        ck_assert_msg(origin_same(&a, &b) == rows[i].same, "%s and %s", rows[i].a, rows[i].b);
    }
}
END_TEST

/* ---- redirects ---- */

/* want: NULL: refused, with `part` in the message */
static const struct {
    const char *base, *location, *want, *part;
} redirects[] = {
    {"https://a/b/c?d", "https://x/y?z=%2F", "https://x/y?z=%2F", ""},
    {"https://a/b/c?d", "/e/f?g", "https://a/e/f?g", ""},
    {"https://a/b/c?d", "e", "https://a/b/e", ""},
    {"https://a/b/c?d", "./e", "https://a/b/e", ""}, /* RFC 3986, 5.2.4 */
    {"https://a/b/c", "?q=1", "https://a/b/c?q=1", ""},
    {"https://a/b/c", "//x/y", "https://x/y", ""},
    {"https://a:444/b", "/e", "https://a:444/e", ""},
    {"https://a/datasets/o/n/resolve/main/README.md",
     "/api/resolve-cache/datasets/o/n/fbd9/README.md?%2Fdatasets%2Fo%2Fn=&etag=%22d8%22",
     "https://a/api/resolve-cache/datasets/o/n/fbd9/README.md?%2Fdatasets%2Fo%2Fn=&etag=%22d8%22",
     ""},
    {"https://a/b", "/x%2Fy%20z", "https://a/x%2Fy%20z", ""},
    {"http://a/b", "https://a/b", "https://a/b", ""},
    {"http://a/b", "HTTP://x/y", "http://x/y", ""},
    {"http://[::1]:1/b", "/c", "http://[::1]:1/c", ""},
    {"https://a/b", "/c...d", "https://a/c...d", ""},
    {"https://a/b", "/.../d", "https://a/.../d", ""},
    {"https://a/b", "/x?p=../..", "https://a/x?p=../..", ""},
    {"https://a/b", "/x:y", "https://a/x:y", ""},
    {"https://a/b", "", NULL, "without saying where"},
    {"https://a/b/c", "..", NULL, "\"..\""},
    {"https://a/b/c", "../d", NULL, "\"..\""},
    {"https://a/b/c", "/x/../d", NULL, "\"..\""},
    {"https://a/b/c", "/x/..", NULL, "\"..\""},
    {"https://a/b/c", "/x/..?y", NULL, "\"..\""},
    {"https://a/b/c", "https://x/../y", NULL, "\"..\""},
    {"https://a/b/c", "/%2e%2e/d", NULL, "\"..\""},
    {"https://a/b/c", "/%2E./d", NULL, "\"..\""},
    {"https://a/b/c", "/.%2e/d", NULL, "\"..\""},
    {"https://a/b", "file:///etc/passwd", NULL, "redirects to file:"},
    {"https://a/b", "FILE:///etc/passwd", NULL, "redirects to FILE:"},
    {"https://a/b", "ftp://x/y", NULL, "redirects to ftp:"},
    {"https://a/b", "gopher://x:70/y", NULL, "redirects to gopher:"},
    {"https://a/b", "javascript:alert(1)", NULL, "redirects to javascript:"},
    {"https://a/b", "data:,x", NULL, "redirects to data:"},
    {"https://a/b", "httpx://x", NULL, "redirects to httpx:"},
    {"https://a/b", "http://a/b", NULL, "from https to http"},
    {"https://a/b", "http://127.0.0.1/b", NULL, "from https to http"},
    {"https://a/b", "https://user@x/", NULL, "user's name"},
    {"https://a/b", "https://user:word@x/", NULL, "user's name"},
    {"https://a/b", "//user@x/", NULL, "user's name"},
    {"https://a/b", "https://", NULL, "redirects to"},
    {"https://a/b", "https://x:99999/", NULL, "no URL"},
    {"https://a/b", "https://x y/", NULL, "no URL"},
    {"https://a/b", "/x\ny", NULL, "no URL"},
};

START_TEST(where_redirects_lead)
{
    drh_error  e = DRH_ERROR_INIT;
    char      *to = NULL;
    drh_status st =
        url_redirect(&bare_host, redirects[_i].base, drh_str_of(redirects[_i].location), &to, &e);

    if (redirects[_i].want) {
        ck_assert_msg(st == DRH_OK, "%s: %s", redirects[_i].location, e.message);
        ck_assert_str_eq(to, redirects[_i].want);
    } else {
        ck_assert_msg(st == DRH_E_NETWORK, "%s: %d, %s", redirects[_i].location, st, to ? to : "");
        ck_assert_ptr_null(to);
        ck_assert_msg(strstr(e.message, redirects[_i].part), "%s: %s", redirects[_i].location,
                      e.message);
        ck_assert_ptr_null(strstr(e.message, "word"));
    }
    (void)bare_host.alloc(&bare_host, to, 0);
    ck_assert_int_eq(bare_blocks, 0);
}
END_TEST

START_TEST(redirects_without_an_end)
{
    static char text[40000];
    drh_error   e = DRH_ERROR_INIT;
    char       *to;

    ck_assert_int_eq(
        url_redirect(&bare_host, "https://a/b", (drh_str){"/c\0@evil.example/", 18}, &to, &e),
        DRH_E_NETWORK);
    ck_assert_int_eq(url_redirect(&bare_host, "https://a/b", (drh_str){NULL, 0}, &to, &e),
                     DRH_E_NETWORK);
    /* its length counts, not a 0 behind it */
    ck_assert_int_eq(url_redirect(&bare_host, "https://a/b", (drh_str){"/cd", 2}, &to, &e), DRH_OK);
    ck_assert_str_eq(to, "https://a/c");
    (void)bare_host.alloc(&bare_host, to, 0);
    memset(text, 'x', sizeof(text) - 1);
    text[0] = '/';
    ck_assert_int_eq(url_redirect(&bare_host, "https://a/b", drh_str_of(text), &to, &e),
                     DRH_E_NETWORK);
    ck_assert_int_eq(bare_blocks, 0);
}
END_TEST

START_TEST(redirects_without_memory)
{
    drh_error e = DRH_ERROR_INIT;
    char     *to;

    for (bare_allowed = 0;; bare_allowed++) {
        int        n = bare_allowed;
        drh_status st = url_redirect(&bare_host, "https://a/b", drh_str_of("/c"), &to, &e);
        if (st == DRH_OK) {
            (void)bare_host.alloc(&bare_host, to, 0);
            ck_assert_int_gt(n, 1);
            break;
        }
        ck_assert_int_eq(st, DRH_E_NOMEM);
        ck_assert_ptr_null(to);
        ck_assert_int_eq(bare_blocks, 0);
        bare_allowed = n;
    }
}
END_TEST

/* ---- for people ---- */

static const struct {
    const char *url, *plain;
} plains[] = {
    {"https://h/p", "https://h/p"},
    {"https://h/p?sig=secret", "https://h/p"},
    {"https://h/p#secret", "https://h/p"},
    {"https://h?secret", "https://h"},
    {"https://user:secret@h/p?x", "https://h/p"},
    {"https://secret@h", "https://h"},
    {"https://a:b@secret@h/p", "https://h/p"},
    {"https://h/p@x", "https://h/p@x"},
    {"https://h?secret@x", "https://h"},
    {"secret@h/p", "h/p"},
    {"", ""},
    {"?secret", ""},
    {"https://", "https://"},
    {"https://@", "https://"},
    {"https://h?next=http://secret@x", "https://h"},
};

START_TEST(urls_for_people)
{
    char out[200];

    ck_assert_ptr_eq(url_plain(plains[_i].url, out, sizeof(out)), out);
    ck_assert_str_eq(out, plains[_i].plain);
}
END_TEST

START_TEST(urls_for_people_are_cut)
{
    char out[12];

    ck_assert_str_eq(url_plain("https://user@host.example/path?x", out, sizeof(out)),
                     "https://hos");
    ck_assert_str_eq(url_plain("https://host.example/path?x", out, sizeof(out)), "https://hos");
}
END_TEST

/* ---- trips ---- */

static struct trip trip;

static drh_status begin(const char *url, const char *name, const char *value, uint32_t flags,
                        drh_error *e)
{
    const drh_http_header plain = {drh_str_of("X-Plain"), drh_str_of("p")};
    const drh_http_header secret = {drh_str_of(name), drh_str_of(value)};
    const drh_http_req    req = {.struct_size = sizeof(req),
                                 .flags = flags,
                                 .url = drh_str_of(url),
                                 .headers = &plain,
                                 .n_headers = 1,
                                 .credentials = &secret,
                                 .n_credentials = name ? 1 : 0};

    return trip_new(&trip, &bare_host, &req, e);
}

static bool sends(const char *line)
{
    for (struct curl_slist *l = trip_headers(&trip); l; l = l->next) {
        if (strcmp(l->data, line) == 0) {
            return true;
        }
    }
    return false;
}

static void go(const char *location)
{
    drh_error e = DRH_ERROR_INIT;

    ck_assert_msg(trip_follow(&trip, drh_str_of(location), &e) == DRH_OK, "%s", e.message);
    ck_assert(sends("X-Plain: p"));
    ck_assert(sends("Accept-Encoding: identity"));
}

START_TEST(credentials_stay_at_home)
{
    const char *const secret = "Authorization: Bearer t";
    drh_error         e = DRH_ERROR_INIT;

    ck_assert_int_eq(begin("https://hub.example/a", "Authorization", "Bearer t", 0, &e), DRH_OK);
    ck_assert(sends(secret));
    ck_assert_str_eq(trip_url(&trip), "https://hub.example/a");
    go("/b");
    ck_assert(sends(secret));
    go("https://cdn.hub.example/c"); /* a part of the name is not the name */
    ck_assert(!sends(secret));
    go("/d");
    ck_assert(!sends(secret));
    go("https://hub.example/e"); /* back home */
    ck_assert(sends(secret));
    go("https://hub.example:444/f");
    ck_assert(!sends(secret));
    go("https://HUB.example:443/g");
    ck_assert(sends(secret));
    go("https://hub.example.evil.example/h");
    ck_assert(!sends(secret));
    trip_back(&trip);
    ck_assert(sends(secret));
    ck_assert_str_eq(trip_url(&trip), "https://hub.example/a");
    ck_assert_uint_eq(trip.redirects, 0);
    trip_free(&trip);
    trip_free(&trip);
    ck_assert_int_eq(bare_blocks, 0);
}
END_TEST

START_TEST(another_scheme_is_not_home)
{
    drh_error e = DRH_ERROR_INIT;

    ck_assert_int_eq(begin("http://h/a", "Cookie", "m=1", 0, &e), DRH_OK);
    ck_assert(sends("Cookie: m=1"));
    go("https://h/a");
    ck_assert(!sends("Cookie: m=1"));
    trip_free(&trip);
}
END_TEST

START_TEST(at_most_ten_redirects)
{
    drh_error e = DRH_ERROR_INIT;
    char      to[32];

    ck_assert_int_eq(begin("http://h/a", NULL, NULL, 0, &e), DRH_OK);
    for (int i = 0; i < 10; i++) {
        snprintf(to, sizeof(to), "/%d", i);
        go(to);
    }
    ck_assert_int_eq(trip_follow(&trip, drh_str_of("/x"), &e), DRH_E_NETWORK);
    ck_assert_ptr_nonnull(strstr(e.message, "more than 10 times"));
    ck_assert_str_eq(trip_url(&trip), "http://h/9");
    trip_back(&trip);
    go("/0");
    trip_free(&trip);
}
END_TEST

START_TEST(redirects_that_are_refused)
{
    drh_error e = DRH_ERROR_INIT;

    ck_assert_int_eq(begin("https://h/a", "Authorization", "Bearer t", 0, &e), DRH_OK);
    ck_assert_int_eq(trip_follow(&trip, drh_str_of("https://h/a"), &e), DRH_E_NETWORK);
    ck_assert_ptr_nonnull(strstr(e.message, "to itself"));
    ck_assert_int_eq(trip_follow(&trip, drh_str_of("http://h/a"), &e), DRH_E_NETWORK);
    ck_assert_int_eq(trip_follow(&trip, (drh_str){NULL, 0}, &e), DRH_E_NETWORK);
    ck_assert_str_eq(trip_url(&trip), "https://h/a"); /* where it was */
    ck_assert(sends("Authorization: Bearer t"));
    trip_free(&trip);
    ck_assert_int_eq(bare_blocks, 0);
}
END_TEST

static const struct {
    const char *name, *value;
} injections[] = {
    {"Authorization", "Bearer t\r\nX-Evil: 1"},
    {"Authorization", "Bearer t\n"},
    {"Authorization", "Bearer\rt"},
    {"Authorization", "\x01"},
    {"Authorization", "a\x7f"},
    {"X\r\nY", "1"},
    {"X\nY", "1"},
    {"", "1"},
    {"X:Y", "1"},
    {"X Y", "1"},
};

START_TEST(headers_are_one_line)
{
    drh_error e = DRH_ERROR_INIT;

    ck_assert_msg(begin("https://h/a", injections[_i].name, injections[_i].value, 0, &e) ==
                      DRH_E_ARG,
                  "%d", _i);
    ck_assert_ptr_null(strstr(e.message, "Bearer"));
    ck_assert_ptr_null(strchr(e.message, '\n'));
    ck_assert_int_eq(bare_blocks, 0);
}
END_TEST

START_TEST(headers_with_a_zero)
{
    const drh_http_header h = {{"X", 1}, {"a\0b", 3}};
    const drh_http_req    req = {
           .struct_size = sizeof(req), .url = drh_str_of("http://h/"), .headers = &h, .n_headers = 1};
    const drh_http_req url = {.struct_size = sizeof(url), .url = {"http://h/\0x", 11}};
    const drh_http_req line = {.struct_size = sizeof(url), .url = drh_str_of("http://h/\r\nX: y")};
    const drh_http_req none = {.struct_size = sizeof(none)};
    drh_error          e = DRH_ERROR_INIT;

    ck_assert_int_eq(trip_new(&trip, &bare_host, &req, &e), DRH_E_ARG);
    ck_assert_int_eq(trip_new(&trip, &bare_host, &url, &e), DRH_E_ARG);
    ck_assert_int_eq(trip_new(&trip, &bare_host, &line, &e), DRH_E_ARG);
    ck_assert_int_eq(trip_new(&trip, &bare_host, &none, &e), DRH_E_ARG);
    ck_assert_int_eq(bare_blocks, 0);
}
END_TEST

START_TEST(headers_as_libcurl_wants_them)
{
    drh_error e = DRH_ERROR_INIT;

    ck_assert_int_eq(begin("https://h/a", "X-Empty", "", DRH_HTTP_COMPRESSED, &e), DRH_OK);
    ck_assert(sends("X-Empty;"));
    ck_assert(!sends("Accept-Encoding: identity"));
    trip_free(&trip);
    ck_assert_int_eq(begin("https://h/a", "X-Tab", "a\tb", 0, &e), DRH_OK);
    ck_assert(sends("X-Tab: a\tb"));
    trip_free(&trip);
}
END_TEST

START_TEST(a_trip_without_memory)
{
    drh_error e = DRH_ERROR_INIT;

    for (int n = 0;; n++) {
        drh_status st;
        bare_allowed = n;
        st = begin("https://h/a", "Authorization", "Bearer t", 0, &e);
        st = st == DRH_OK ? trip_follow(&trip, drh_str_of("/b"), &e) : st;
        bare_allowed = -1;
        trip_free(&trip);
        ck_assert_int_eq(bare_blocks, 0);
        if (st == DRH_OK) {
            ck_assert_int_gt(n, 4);
            break;
        }
        ck_assert_int_eq(st, DRH_E_NOMEM);
    }
}
END_TEST

START_TEST(statuses_that_redirect)
{
    for (uint32_t s = 0; s < 600; s++) {
        bool is = s == 301 || s == 302 || s == 303 || s == 307 || s == 308; /* RFC 9110, 15.4 */
        ck_assert_msg(trip_is_redirect(s) == is, "%u", s);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("http_url");

    tcase_add_checked_fixture(t, bare_reset, NULL);
    tcase_add_loop_test(t, origins_of_urls, 0, ROWS(origins));
    tcase_add_test(t, names_are_no_urls);
    tcase_add_test(t, long_urls);
    tcase_add_test(t, the_same_origin);
    tcase_add_loop_test(t, where_redirects_lead, 0, ROWS(redirects));
    tcase_add_test(t, redirects_without_an_end);
    tcase_add_test(t, redirects_without_memory);
    tcase_add_loop_test(t, urls_for_people, 0, ROWS(plains));
    tcase_add_test(t, urls_for_people_are_cut);
    tcase_add_test(t, credentials_stay_at_home);
    tcase_add_test(t, another_scheme_is_not_home);
    tcase_add_test(t, at_most_ten_redirects);
    tcase_add_test(t, redirects_that_are_refused);
    tcase_add_loop_test(t, headers_are_one_line, 0, ROWS(injections));
    tcase_add_test(t, headers_with_a_zero);
    tcase_add_test(t, headers_as_libcurl_wants_them);
    tcase_add_test(t, a_trip_without_memory);
    tcase_add_test(t, statuses_that_redirect);
    return run_case("http_url", t);
}
