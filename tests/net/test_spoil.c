/* SPDX-License-Identifier: MIT
 * test_spoil.c - each fault of fakehub does what README.md says: those of answers and listings. */
#include "client.h"

#include "../unit/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <zlib.h>

static struct running r;

static const char spec[] =
    "{\"repos\":[{\"hub\":\"both\",\"id\":\"o/d\",\"commits\":["
    "{\"name\":\"v1\",\"files\":["
    "{\"path\":\"a.bin\",\"kind\":\"lfs\",\"size\":10000,\"seed\":7},"
    "{\"path\":\"c.json\",\"text\":\"{\\\"a\\\":1}\"},"
    "{\"path\":\"many/####\",\"count\":2500,\"size\":2}]},"
    "{\"name\":\"v2\",\"from\":\"v1\",\"files\":[{\"path\":\"c.json\",\"text\":\"new\"}]}],"
    "\"branches\":{\"main\":\"v1\",\"master\":\"v1\"}}]}";

static void up(void)
{
    hub_start(&r, spec, NULL);
}

static void down(void)
{
    hub_stop(&r);
}

static void each(void)
{
    order(&r, "/reset");
}

/* a.bin by its redirect. */
static void get(struct answer *a, const char *range)
{
    struct answer first;
    char         *fields = range ? xprintf("Range: bytes=%s\r\n", range) : NULL, *target;
    int           port;

    ask(&first, r.hub, "GET", "/datasets/o/d/resolve/main/a.bin", NULL);
    target = target_of(field(&first, "Location"), &port);
    ask(a, port, "GET", target, fields);
    answer_free(&first);
    free(target);
    free(fields);
}

static void rule(const char *port, const char *text)
{
    char *list = xprintf("[{\"match\":{\"port\":\"%s\"},%s}]", port, text);

    rules(&r, list);
    free(list);
}

#define INFO "/api/datasets/o/d"
#define TREE "/api/datasets/o/d/tree/main?recursive=true"

/* ---- F6, F7, F9 to F12 --------------------------------------------------------------------- */

START_TEST(range_answers)
{
    struct answer a;

    rule("cdn", "\"action\":\"416\",\"count\":1");
    get(&a, "0-9");
    ck_assert_int_eq(a.status, 416);
    ck_assert_str_eq(field(&a, "Content-Range"), "bytes */10000");
    answer_free(&a);
    get(&a, "0-9");
    ck_assert_int_eq(a.status, 206);
    answer_free(&a);
    rule("cdn", "\"action\":\"416\",\"total\":77");
    get(&a, "0-9");
    ck_assert_str_eq(field(&a, "Content-Range"), "bytes */77");
    answer_free(&a);
    rule("cdn", "\"action\":\"full200\"");
    get(&a, "100-199");
    ck_assert_int_eq(a.status, 200);
    ck_assert(!has_field(&a, "Content-Range") && a.whole);
    ck_assert_int_eq((int)a.body.n, 10000);
    answer_free(&a);
}
END_TEST

START_TEST(content_ranges)
{
    static const struct {
        const char *rule, *want;
    } v[] = {{"\"start\":1", "bytes 101-199/10000"},
             {"\"start\":-100", "bytes 0-199/10000"},
             {"\"end\":5", "bytes 100-204/10000"},
             {"\"total\":-1", "bytes 100-199/9999"},
             {"\"none\":true", ""},
             {"\"value\":\"bytes garbage\"", "bytes garbage"}};
    struct answer a;

    for (size_t i = 0; i < COUNT(v); i++) {
        char *text = xprintf("\"action\":\"content-range\",%s", v[i].rule);

        rule("cdn", text);
        get(&a, "100-199");
        ck_assert_int_eq(a.status, 206);
        ck_assert_str_eq(field(&a, "Content-Range"), v[i].want);
        ck_assert_int_eq((int)a.body.n, 100);
        answer_free(&a);
        free(text);
    }
    rule("cdn", "\"action\":\"multipart\"");
    get(&a, "100-199");
    ck_assert_int_eq(a.status, 206);
    ck_assert(starts_with(field(&a, "Content-Type"), "multipart/byteranges; boundary="));
    ck_assert(!has_field(&a, "Content-Range"));
    ck_assert_ptr_nonnull(strstr(a.body.p, "Content-Range: bytes 100-199/10000\r\n\r\n"));
    ck_assert_int_gt((int)a.body.n, 200);
    answer_free(&a);
}
END_TEST

START_TEST(fields)
{
    struct answer a;

    rule("hub", "\"action\":\"no-linked\"");
    ask(&a, r.hub, "HEAD", "/datasets/o/d/resolve/main/a.bin", NULL);
    ck_assert_int_eq(a.status, 302);
    ck_assert(!has_field(&a, "X-Linked-ETag") && !has_field(&a, "X-Linked-Size"));
    ck_assert(strtol(field(&a, "Content-Length"), NULL, 10) > 100); /* of the text, not the file */
    answer_free(&a);
    rule("hub", "\"action\":\"headers\",\"set\":{\"X-New\":\"1\",\"ETag\":\"x\"},"
                "\"remove\":[\"X-Repo-Commit\"]");
    ask(&a, r.hub, "GET", INFO, NULL);
    ck_assert_str_eq(field(&a, "X-New"), "1");
    ck_assert_str_eq(field(&a, "ETag"), "x");
    ck_assert(!has_field(&a, "X-Repo-Commit"));
    answer_free(&a);
    rule("hub", "\"action\":\"header-case\"");
    ask(&a, r.hub, "GET", INFO, NULL);
    ck_assert_ptr_nonnull(strstr(a.head, "\r\ncontent-length: "));
    answer_free(&a);
    rule("hub", "\"action\":\"header-case\",\"to\":\"upper\"");
    ask(&a, r.hub, "GET", INFO, NULL);
    ck_assert_ptr_nonnull(strstr(a.head, "\r\nCONTENT-LENGTH: "));
    answer_free(&a);
}
END_TEST

START_TEST(swapped)
{
    struct answer a, b;
    char          etag[80];

    get(&a, NULL);
    (void)snprintf(etag, sizeof(etag), "%s", field(&a, "ETag"));
    rule("cdn", "\"action\":\"swap\",\"nth\":2");
    get(&b, "0-99");
    ck_assert_mem_eq(a.body.p, b.body.p, 100);
    answer_free(&b);
    get(&b, "0-99");
    ck_assert_int_eq(b.status, 206);
    ck_assert_mem_ne(a.body.p, b.body.p, 100);
    ck_assert_str_ne(field(&b, "ETag"), etag);
    answer_free(&b);
    answer_free(&a);
}
END_TEST

START_TEST(moved)
{
    struct answer a;

    rule("hub", "\"action\":\"move\",\"repo\":\"o/d\",\"to\":\"v2\",\"nth\":2");
    for (int i = 0; i < 3; i++) {
        ask(&a, r.hub, "GET", "/datasets/o/d/resolve/main/c.json", NULL);
        ck_assert_str_eq(field(&a, "X-Linked-Size"), i < 2 ? "7" : "3");
        answer_free(&a);
    }
}
END_TEST

START_TEST(statuses)
{
    struct answer a;
    struct tm     tm;
    time_t        at;

    rule("hub", "\"action\":\"status\",\"code\":429,\"retry_after\":3,\"ratelimit_t\":4");
    ask(&a, r.hub, "GET", INFO, NULL);
    ck_assert_int_eq(a.status, 429);
    ck_assert_str_eq(field(&a, "Retry-After"), "3");
    ck_assert_str_eq(field(&a, "RateLimit"), "\"resolvers\";r=0;t=4");
    answer_free(&a);
    rule("hub", "\"action\":\"status\",\"code\":503,\"retry_after\":\"date:100\"");
    ask(&a, r.hub, "GET", INFO, NULL);
    ck_assert_int_eq(a.status, 503);
    memset(&tm, 0, sizeof(tm));
    ck_assert_ptr_nonnull(strptime(field(&a, "Retry-After"), "%a, %d %b %Y %H:%M:%S GMT", &tm));
    at = timegm(&tm) - time(NULL);
    ck_assert(at > 90 && at <= 101);
    answer_free(&a);
    rule("hub", "\"action\":\"status\",\"code\":503,\"retry_after\":\"soon\",\"body\":\"no\"");
    ask(&a, r.hub, "GET", INFO, NULL);
    ck_assert_str_eq(field(&a, "Retry-After"), "soon");
    ck_assert_str_eq(sb_text(&a.body), "no");
    answer_free(&a);
    rule("*", "\"action\":\"status\"");
    ask(&a, r.hub, "GET", "/datasets/o/d/resolve/main/a.bin", NULL);
    ck_assert_int_eq(a.status, 500);
    ck_assert(!has_field(&a, "Location") && !has_field(&a, "Retry-After"));
    answer_free(&a);
}
END_TEST

/* ---- F13 to F15, F30 ----------------------------------------------------------------------- */

START_TEST(broken_listings)
{
    struct answer a;

    rule("hub", "\"action\":\"truncate\"");
    ask(&a, r.hub, "GET", TREE, NULL);
    ck_assert(a.status == 200 && a.whole);
    ck_assert_ptr_null(cJSON_ParseWithLength(a.body.p, a.body.n));
    answer_free(&a);
    rule("hub", "\"action\":\"truncate\",\"after\":10");
    ask(&a, r.hub, "GET", TREE, NULL);
    ck_assert_int_eq((int)a.body.n, 10);
    answer_free(&a);
    rule("hub", "\"action\":\"bad-utf8\"");
    ask(&a, r.hub, "GET", TREE, NULL);
    ck_assert_ptr_nonnull(strstr(a.body.p, "\"path\":\"\xc3(a.bin\""));
    answer_free(&a);
    rule("ms", "\"action\":\"bad-utf8\"");
    ask(&a, r.ms, "GET", "/api/v1/datasets/o/d/repo/tree?Recursive=True", NULL);
    ck_assert_ptr_nonnull(strstr(a.body.p, "\"Path\":\"\xc3(a.bin\""));
    answer_free(&a);
}
END_TEST

START_TEST(links)
{
    struct answer a;
    char          want[256];

    rule("hub", "\"action\":\"link\",\"origin\":\"https://evil.example\"");
    ask(&a, r.hub, "GET", TREE, NULL);
    ck_assert(starts_with(field(&a, "Link"), "<https://evil.example/api/datasets/o/d/tree/main?"));
    answer_free(&a);
    rule("hub", "\"action\":\"link\",\"cursor\":\"same\"");
    ask(&a, r.hub, "GET", TREE, NULL);
    (void)snprintf(want, sizeof(want), "<http://127.0.0.1:%d" TREE ">; rel=\"next\"", r.hub);
    ck_assert_str_eq(field(&a, "Link"), want);
    answer_free(&a);
    rule("hub", "\"action\":\"link\",\"value\":\"</x>; rel=next, <y>; rel=last\"");
    ask(&a, r.hub, "GET", TREE, NULL);
    ck_assert_str_eq(field(&a, "Link"), "</x>; rel=next, <y>; rel=last");
    answer_free(&a);
}
END_TEST

START_TEST(long_listings)
{
    struct answer a;
    cJSON        *root;
    struct link   l;

    rule("hub", "\"action\":\"rows\",\"rows\":20000");
    ask(&a, r.hub, "GET", TREE, NULL);
    root = json_of(&a);
    ck_assert(a.whole && !has_field(&a, "Link"));
    ck_assert_int_eq(cJSON_GetArraySize(root), 20001);
    cJSON_Delete(root);
    answer_free(&a);
    rule("ms", "\"action\":\"rows\",\"rows\":300");
    ask(&a, r.ms, "GET", "/api/v1/datasets/o/d/repo/tree?Recursive=True", NULL);
    root = json_of(&a);
    ck_assert_int_eq(
        cJSON_GetArraySize(cJSON_GetObjectItem(cJSON_GetObjectItem(root, "Data"), "Files")), 301);
    cJSON_Delete(root);
    answer_free(&a);
    rule("hub", "\"action\":\"rows\",\"endless\":true");
    ck_assert(link_open(&l, r.hub, NULL));
    ck_assert_int_gt((int)send(l.fd, "GET " TREE " HTTP/1.1\r\n\r\n", sizeof(TREE) + 16, 0), 0);
    for (size_t n = 0; n < 20000000;) {
        static char piece[1 << 16];
        ssize_t     k = recv(l.fd, piece, sizeof(piece), 0);

        if (k <= 0) {
            ck_abort_msg("it ended after %zu bytes", n);
        }
        n += (size_t)k;
    }
    link_close(&l);
}
END_TEST

/* Path of the first file on a page of ModelScope's listing, and how many there are. */
static int page(int number, char first[64])
{
    char         *target = xprintf("/api/v1/datasets/o/d/repo/tree?Revision=master&Recursive=True&"
                                           "PageNumber=%d&PageSize=200",
                                   number);
    struct answer a;
    cJSON        *root;
    const cJSON  *files;
    int           n;

    ask(&a, r.ms, "GET", target, NULL);
    root = json_of(&a);
    files = cJSON_GetObjectItem(cJSON_GetObjectItem(root, "Data"), "Files");
    n = cJSON_GetArraySize(files);
    (void)snprintf(first, 64, "%s",
                   cJSON_GetObjectItem(cJSON_GetArrayItem(files, 0), "Path")->valuestring);
    cJSON_Delete(root);
    answer_free(&a);
    free(target);
    return n;
}

START_TEST(ms_pages)
{
    char first[64], second[64], got[64];

    ck_assert_int_eq(page(1, first), 200);
    ck_assert_int_eq(page(2, second), 200);
    rules(&r, "[{\"match\":{\"path\":\"*PageNumber=2*\"},\"action\":\"ms-page\",\"add\":-1}]");
    ck_assert_int_eq(page(2, got), 200);
    ck_assert_str_eq(got, first);
    rules(&r, "[{\"match\":{\"path\":\"*PageNumber=2*\"},\"action\":\"ms-page\",\"skip\":3}]");
    ck_assert_int_eq(page(2, got), 200);
    ck_assert_int_eq((int)strtol(got + 5, NULL, 10), (int)strtol(second + 5, NULL, 10) + 3);
    rules(&r, "[{\"match\":{\"path\":\"*PageNumber=1*\"},\"action\":\"move\",\"repo\":\"o/d\","
              "\"to\":\"v2\"}]");
    ck_assert_int_eq(page(1, got), 200);
}
END_TEST

/* ---- F16, F18, F21, F26 -------------------------------------------------------------------- */

START_TEST(other_bodies)
{
    struct answer a;

    rule("cdn", "\"action\":\"json-error\"");
    get(&a, "0-9");
    ck_assert_int_eq(a.status, 200);
    ck_assert_int_eq((int)a.body.n, 145);
    ck_assert_ptr_nonnull(strstr(a.body.p, "\"Success\":false"));
    ck_assert(!has_field(&a, "Content-Range"));
    answer_free(&a);
    rule("*", "\"action\":\"html\"");
    ask(&a, r.hub, "GET", TREE, NULL);
    ck_assert(starts_with(field(&a, "Content-Type"), "text/html"));
    ck_assert(starts_with(a.body.p, "<!DOCTYPE html>"));
    answer_free(&a);
    /* What would have been compressed. */
    ask(&a, r.hub, "GET", TREE, "Accept-Encoding: gzip\r\n");
    ck_assert(starts_with(a.body.p, "<!DOCTYPE html>"));
    ck_assert(a.whole && !has_field(&a, "Content-Encoding"));
    answer_free(&a);
}
END_TEST

START_TEST(redirects)
{
    static const char *const places[] = {"file:///etc/passwd",           "ftp://127.0.0.1/x",
                                         "http://user:pw@127.0.0.1:1/x", "",
                                         "../../../etc/passwd",          "https://other.example/x"};
    struct answer            a;
    char                    *target = xdup("/datasets/o/d/resolve/main/c.json"), *next;
    int                      hops = 0;

    for (size_t i = 0; i < COUNT(places); i++) {
        char *text = xprintf("\"action\":\"redirect\",\"to\":\"%s\",\"status\":308", places[i]);

        rule("hub", text);
        ask(&a, r.hub, "GET", target, NULL);
        ck_assert_int_eq(a.status, 308);
        ck_assert(has_field(&a, "Location"));
        ck_assert_str_eq(field(&a, "Location"), places[i]);
        answer_free(&a);
        free(text);
    }
    rule("hub", "\"action\":\"redirect\"");
    ask(&a, r.hub, "GET", target, NULL);
    ck_assert_str_eq(field(&a, "Location"), target);
    answer_free(&a);
    rule("hub", "\"action\":\"redirect\",\"to\":\"http://{host}{target}?\"");
    ask(&a, r.hub, "GET", target, NULL);
    ck_assert(ends_with(field(&a, "Location"), "/c.json?"));
    answer_free(&a);
    rule("hub", "\"action\":\"redirect\",\"hops\":11");
    for (;; hops++) {
        ask(&a, r.hub, "GET", target, NULL);
        if (a.status != 302) {
            break;
        }
        next = xdup(field(&a, "Location"));
        free(target);
        target = next;
        answer_free(&a);
    }
    ck_assert_int_eq(hops, 11);
    ck_assert_int_eq(a.status, 307);
    ck_assert(starts_with(field(&a, "Location"), "/api/resolve-cache/"));
    answer_free(&a);
    free(target);
}
END_TEST

static size_t unzipped(const struct answer *a, char *to, size_t room)
{
    z_stream z;
    int      end;

    memset(&z, 0, sizeof(z));
    ck_assert_int_eq(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (unsigned char *)a->body.p;
    z.avail_in = (unsigned)a->body.n;
    z.next_out = (unsigned char *)to;
    z.avail_out = (unsigned)room;
    end = inflate(&z, Z_FINISH);
    (void)inflateEnd(&z);
    ck_assert_int_eq(end, Z_STREAM_END);
    return room - z.avail_out;
}

START_TEST(gzip)
{
    struct answer a, b;
    char         *to = xalloc(1, 3000000);

    get(&b, "100-199");
    rule("cdn", "\"action\":\"gzip\"");
    get(&a, "100-199");
    ck_assert_str_eq(field(&a, "Content-Encoding"), "gzip");
    ck_assert_uint_eq(unzipped(&a, to, 3000000), 100);
    ck_assert_mem_eq(to, b.body.p, 100);
    answer_free(&a);
    answer_free(&b);
    rule("cdn", "\"action\":\"gzip\",\"bomb\":2000000");
    get(&a, NULL);
    ck_assert_int_lt((int)a.body.n, 20000);
    ck_assert_uint_eq(unzipped(&a, to, 3000000), 2000000);
    answer_free(&a);
    free(to);
}
END_TEST

START_TEST(expired)
{
    struct answer a;

    rule("cdn", "\"action\":\"expire\",\"nth\":2");
    for (int i = 0; i < 3; i++) {
        get(&a, "0-9");
        ck_assert_int_eq(a.status, i == 1 ? 403 : 206);
        answer_free(&a);
    }
    ck_assert_int_eq((int)state(&r, "expired", NULL, NULL), 1);
    ck_assert_int_eq((int)state(&r, "files", "hf:datasets/o/d/a.bin", "expired"), 1);
    ck_assert_int_eq((int)state(&r, "files", "hf:datasets/o/d/a.bin", "resolves"), 3);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("spoil");

    tcase_add_unchecked_fixture(t, up, down);
    tcase_add_checked_fixture(t, each, NULL);
    tcase_add_test(t, range_answers);
    tcase_add_test(t, content_ranges);
    tcase_add_test(t, fields);
    tcase_add_test(t, swapped);
    tcase_add_test(t, moved);
    tcase_add_test(t, statuses);
    tcase_add_test(t, broken_listings);
    tcase_add_test(t, links);
    tcase_add_test(t, long_listings);
    tcase_add_test(t, ms_pages);
    tcase_add_test(t, other_bodies);
    tcase_add_test(t, redirects);
    tcase_add_test(t, gzip);
    tcase_add_test(t, expired);
    return run_case("spoil", t);
}
