/* SPDX-License-Identifier: MIT
 * test_ms.c - the ModelScope side of fakehub against the requests of its clients and what is
 * recorded of the real one, over bare sockets. */
#include "client.h"

#include "../unit/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COOKIE "Cookie: a=b; m_session_id=ms-carol\r\n"
#define BEARER "Authorization: Bearer ms-carol\r\n"
#define REV "3333333333333333333333333333333333333333"

static struct running r;

static const char spec[] =
    "{\"tokens\":[{\"token\":\"ms-carol\",\"hub\":\"ms\",\"user\":\"carol\",\"can\":[\"o/"
    "private\"]}],"
    "\"repos\":["
    "{\"hub\":\"ms\",\"id\":\"o/d\",\"license\":\"apache-2.0\",\"commits\":["
    " {\"name\":\"v1\",\"id\":\"1111111111111111111111111111111111111111\",\"files\":["
    "  {\"path\":\"README.md\",\"size\":659,\"seed\":1},"
    "  {\"path\":\"data/train set+1.parquet\",\"kind\":\"lfs\",\"size\":300001,\"seed\":7},"
    "  {\"path\":\"old.txt\",\"text\":\"old\",\"revision\":\"" REV "\"},"
    "  {\"path\":\"link\",\"text\":\"README.md\",\"mode\":\"120000\"},"
    "  {\"path\":\"sub\",\"text\":\"\",\"listed\":{\"type\":\"commit\"}},"
    "  {\"path\":\"upper\",\"text\":\"u\",\"listed\":{\"sha256\":\"upper\"}},"
    "  {\"path\":\"absent\",\"text\":\"a\",\"listed\":{\"sha256\":\"none\"}},"
    "  {\"path\":\"wrong\",\"text\":\"w\",\"listed\":{\"sha256\":\"wrong\",\"size\":5}},"
    "  {\"path\":\"far/away.bin\",\"size\":5000,\"oss\":true}]},"
    " {\"name\":\"v2\",\"from\":\"v1\",\"files\":[{\"path\":\"README.md\",\"text\":\"new\"}]}],"
    " \"branches\":{\"master\":\"v1\",\"next\":\"v2\"},\"tags\":{\"t1\":\"v1\"}},"
    "{\"hub\":\"ms\",\"id\":\"o/many\",\"files\":[{\"path\":\"f/###\",\"count\":450,\"size\":3}]},"
    "{\"hub\":\"ms\",\"id\":\"o/"
    "private\",\"private\":true,\"files\":[{\"path\":\"a\",\"text\":\"s\"}]},"
    "{\"hub\":\"ms\",\"id\":\"o/"
    "gated\",\"gated\":\"auto\",\"files\":[{\"path\":\"a\",\"text\":\"s\"}]},"
    "{\"hub\":\"ms\",\"type\":\"models\",\"id\":\"o/m\",\"files\":["
    " {\"path\":\"config.json\",\"text\":\"{}\"},{\"path\":\"w.bin\",\"kind\":\"lfs\",\"size\":9}]}"
    "]}";

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

static const char *text(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsString(v) ? v->valuestring : "";
}

/* The whole envelope, which is checked; the caller's. */
static cJSON *get(const char *target, const char *fields)
{
    struct answer a;
    cJSON        *root;

    ask(&a, r.ms, "GET", target, fields);
    ck_assert_msg(a.status == 200, "%s: %d", target, a.status);
    ck_assert(starts_with(field(&a, "Content-Type"), "application/json"));
    root = json_of(&a);
    ck_assert_int_eq(cJSON_GetObjectItem(root, "Code")->valueint, 200);
    ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(root, "Success")));
    ck_assert_int_eq((int)strlen(text(root, "RequestId")), 36);
    answer_free(&a);
    return root;
}

static const cJSON *files_of(const cJSON *root)
{
    return cJSON_GetObjectItem(cJSON_GetObjectItem(root, "Data"), "Files");
}

static const cJSON *entry(const cJSON *root, const char *path)
{
    const cJSON *v;

    cJSON_ArrayForEach(v, files_of(root))
    {
        if (strcmp(text(v, "Path"), path) == 0) {
            return v;
        }
    }
    ck_abort_msg("%s is not listed", path);
    return NULL;
}

#define TREE                                                                                       \
    "/api/v1/datasets/o/d/repo/tree?Revision=master&Recursive=True&PageNumber=1&PageSize=200"

START_TEST(listing)
{
    cJSON       *root = get(TREE, NULL);
    const cJSON *data = cJSON_GetObjectItem(root, "Data"), *e;
    const cJSON *who = cJSON_GetObjectItem(data, "LatestCommitter");

    ck_assert_int_eq(cJSON_GetArraySize(files_of(root)), 9); /* with a folder, without OSS */
    ck_assert_str_eq(text(who, "Id"), "");
    ck_assert_str_eq(text(who, "ShortId"), "11111111");
    e = entry(root, "data/train set+1.parquet");
    ck_assert_str_eq(text(e, "Name"), "train set+1.parquet");
    ck_assert_str_eq(text(e, "Type"), "blob");
    ck_assert_str_eq(text(e, "Mode"), "33188");
    ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(e, "IsLFS")));
    ck_assert_int_eq((int)strlen(text(e, "Sha256")), 64);
    ck_assert_int_eq(cJSON_GetObjectItem(e, "Size")->valueint, 300001);
    ck_assert_str_eq(text(e, "Revision"), "1111111111111111111111111111111111111111");
    ck_assert_str_eq(text(entry(root, "data"), "Type"), "tree");
    ck_assert_str_eq(text(entry(root, "data"), "Mode"), "16384");
    ck_assert_str_eq(text(entry(root, "old.txt"), "Revision"), REV);
    ck_assert_str_eq(text(entry(root, "link"), "Mode"), "40960");
    ck_assert_str_eq(text(entry(root, "sub"), "Type"), "commit");
    ck_assert_int_eq((int)strcspn(text(entry(root, "upper"), "Sha256"), "abcdef"), 64);
    ck_assert_ptr_null(cJSON_GetObjectItem(entry(root, "absent"), "Sha256"));
    ck_assert_int_eq(cJSON_GetObjectItem(entry(root, "wrong"), "Size")->valueint, 5);
    cJSON_Delete(root);
}
END_TEST

START_TEST(listing_forms)
{
    static const struct {
        const char *target;
        int         n; /* -1: null */
    } v[] = {
        {"/api/v1/datasets/o/d/repo/tree?Revision=master&Recursive=true&PageSize=200", 8},
        {"/api/v1/datasets/o/d/repo/tree?Revision=master&Recursive=False&PageSize=200", 8},
        {"/api/v1/datasets/o/d/repo/tree?Recursive=True&Root=data", 1},
        {"/api/v1/datasets/o/d/repo/tree?Recursive=True&Root=/&PageSize=200", 9},
        {"/api/v1/datasets/o/d/repo/tree?Revision=nope&Recursive=True", -1},
        {"/api/v1/datasets/o/d/repo/tree?Revision=t1&Recursive=True", 9},
        {"/api/v1/datasets/10000/repo/tree?Recursive=True", 9},
        {"/api/v1/datasets/o/many/repo/tree?Recursive=True&PageNumber=1&PageSize=200", 200},
        {"/api/v1/datasets/o/many/repo/tree?Recursive=True&PageNumber=3&PageSize=200", 51},
        {"/api/v1/datasets/o/many/repo/tree?Recursive=True&PageNumber=4&PageSize=200", 0},
        {"/api/v1/models/o/m/repo/files?Revision=master&Recursive=True", 2},
        {"/api/v1/models/o/m/repo/files?Revision=main&Recursive=True", -1},
    };

    for (size_t i = 0; i < COUNT(v); i++) {
        cJSON *root = get(v[i].target, NULL);

        ck_assert_msg(cJSON_IsNull(files_of(root)) ? v[i].n == -1
                                                   : cJSON_GetArraySize(files_of(root)) == v[i].n,
                      "%s", v[i].target);
        cJSON_Delete(root);
    }
}
END_TEST

START_TEST(pages_are_all)
{
    char   seen[450] = "";
    int    n = 0, folders = 0;
    cJSON *root;

    order(&r, "/settings?ms.page=100");
    for (int page = 1; page <= 6; page++) {
        char *target = xprintf("/api/v1/datasets/o/many/repo/tree?Revision=master&Recursive=True&"
                               "PageNumber=%d&PageSize=200",
                               page);
        const cJSON *v;

        root = get(target, NULL);
        ck_assert_int_le(cJSON_GetArraySize(files_of(root)), 100);
        cJSON_ArrayForEach(v, files_of(root))
        {
            if (strcmp(text(v, "Type"), "tree") == 0) {
                folders++;
            } else {
                long at = strtol(text(v, "Path") + 2, NULL, 10);

                ck_assert_int_eq(seen[at], 0);
                seen[at] = 1;
                n++;
            }
        }
        cJSON_Delete(root);
        free(target);
    }
    ck_assert_int_eq(n, 450);
    ck_assert_int_eq(folders, 1);
}
END_TEST

START_TEST(info)
{
    cJSON       *root = get("/api/v1/datasets/o/d", NULL);
    const cJSON *data = cJSON_GetObjectItem(root, "Data");

    ck_assert_int_eq(cJSON_GetObjectItem(data, "Id")->valueint, 10000);
    ck_assert_int_eq(cJSON_GetObjectItem(data, "Visibility")->valueint, 5);
    ck_assert_str_eq(text(data, "License"), "Apache License 2.0");
    ck_assert_str_eq(text(data, "Namespace"), "o");
    cJSON_Delete(root);
    root = get("/api/v1/datasets/o/d/revisions", NULL);
    data = cJSON_GetObjectItem(cJSON_GetObjectItem(root, "Data"), "RevisionMap");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(data, "Branches")), 2);
    ck_assert_str_eq(text(cJSON_GetArrayItem(cJSON_GetObjectItem(data, "Tags"), 0), "Revision"),
                     "t1");
    cJSON_Delete(root);
    root = get("/api/v1/datasets/o/d/commits?Ref=next&PageNumber=1&PageSize=10", NULL);
    data = cJSON_GetObjectItem(cJSON_GetObjectItem(root, "Data"), "Commit");
    ck_assert_int_eq(cJSON_GetArraySize(data), 2);
    cJSON_Delete(root);
}
END_TEST

/* ---- files --------------------------------------------------------------------------------- */

#define FILE_AT "/api/v1/datasets/o/d/repo?Revision=master&FilePath="

START_TEST(small_files)
{
    static const struct {
        const char *range;
        int         status, n;
        const char *content_range, *length;
    } v[] = {{NULL, 200, 659, "", "659"},
             {"0-99", 200, 100, "bytes 0-99/659", "100"},
             {"600-658", 200, 59, "bytes 600-658/659", "59"},
             {"600-900", 200, 59, "bytes 600-658/659", "59"},
             {"600-", 200, 659, "", "659"},
             {"-5", 400, -1, "", NULL},
             {"659-700", 416, 0, "bytes */659", "0"}};
    struct answer all, a;

    ask(&all, r.ms, "GET", FILE_AT "README.md", NULL);
    for (size_t i = 0; i < COUNT(v); i++) {
        char  *fields = v[i].range ? xprintf("Range: bytes=%s\r\n", v[i].range) : NULL;
        size_t from = *v[i].content_range ? strtoul(v[i].range, NULL, 10) : 0;

        ask(&a, r.ms, "GET", FILE_AT "README.md", fields);
        ck_assert_int_eq(a.status, v[i].status);
        ck_assert_str_eq(field(&a, "Content-Range"), v[i].content_range);
        if (v[i].n > 0) {
            ck_assert_str_eq(field(&a, "Content-Length"), v[i].length);
            ck_assert_int_eq((int)a.body.n, v[i].n);
            ck_assert_mem_eq(a.body.p, all.body.p + from, a.body.n);
        }
        answer_free(&a);
        free(fields);
    }
    answer_free(&all);
}
END_TEST

START_TEST(lying_open_range)
{
    struct answer a;
    struct link   l;

    order(&r, "/settings?ms.open=lying");
    ck_assert(link_open(&l, r.ms, NULL));
    link_ask(&l, &a, "GET " FILE_AT "README.md HTTP/1.1\r\nRange: bytes=459-\r\n\r\n", 20);
    link_after(&l, &a, 20);
    ck_assert_str_eq(field(&a, "Content-Length"), "200");
    ck_assert_int_eq((int)a.body.n, 659);
    ck_assert(a.ended);
    answer_free(&a);
    link_close(&l);
}
END_TEST

START_TEST(large_files)
{
    struct answer a;
    char         *target, hex[65], sha[65];
    int           port;

    ask(&a, r.ms, "GET", FILE_AT "data%2Ftrain+set%2B1.parquet", COOKIE BEARER);
    ck_assert_int_eq(a.status, 302);
    (void)snprintf(sha, sizeof(sha), "%s", field(&a, "X-Linked-ETag"));
    target = target_of(field(&a, "Location"), &port);
    ck_assert_int_eq(port, r.oss);
    ck_assert(starts_with(field(&a, "Location"), "http://localhost:"));
    ck_assert(starts_with(target, "/prod/lfs-objects/"));
    ck_assert_int_eq(target[20], '/'); /* two digits, two, the rest */
    ck_assert_int_eq(target[23], '/');
    ck_assert_int_eq(target[84], '?');
    ck_assert_ptr_nonnull(strstr(target, "&auth_key="));
    answer_free(&a);

    ask(&a, r.oss, "GET", target, NULL);
    ck_assert_int_eq(a.status, 200);
    sha256_text(a.body.p, a.body.n, hex);
    ck_assert_str_eq(hex, sha);
    answer_free(&a);
    ask(&a, r.oss, "GET", target, "Range: bytes=0-1023\r\n");
    ck_assert_int_eq(a.status, 206);
    ck_assert_str_eq(field(&a, "Content-Range"), "bytes 0-1023/300001");
    answer_free(&a);
    order(&r, "/expire");
    ask(&a, r.oss, "GET", target, NULL);
    ck_assert_int_eq(a.status, 403);
    ck_assert_ptr_nonnull(strstr(field(&a, "X-Tengine-Error"), "expired"));
    answer_free(&a);
    ck_assert_int_eq((int)state(&r, "leak", NULL, NULL), 0);
    free(target);
}
END_TEST

START_TEST(revisions)
{
    static const struct {
        const char *target;
        int         status, n;
    } v[] = {
        {"/api/v1/datasets/o/d/repo?Revision=next&FilePath=README.md", 200, 3},
        {"/api/v1/datasets/o/d/repo?Revision=" REV "&FilePath=old.txt", 200, 3},
        {"/api/v1/datasets/o/d/repo?Revision=1111111111111111111111111111111111111111&FilePath="
         "README.md",
         200, 659},
        {"/api/v1/datasets/o/d/repo?FilePath=README.md&Source=SDK&View=False", 200, 659},
        {"/datasets/o/d/resolve/master/README.md", 200, 659},
        {"/o/m/resolve/master/config.json", 200, 2},
        {"/models/o/m/resolve/master/w.bin", 302, -1},
        {FILE_AT "far%2Faway.bin", 200, 145},
        {FILE_AT "nope", 200, 145},
        {FILE_AT "sub", 200, 145}};
    struct answer a;

    for (size_t i = 0; i < COUNT(v); i++) {
        ask(&a, r.ms, "GET", v[i].target, NULL);
        ck_assert_msg(a.status == v[i].status, "%s: %d", v[i].target, a.status);
        if (v[i].n >= 0) {
            ck_assert_msg((int)a.body.n == v[i].n, "%s: %d", v[i].target, (int)a.body.n);
        }
        answer_free(&a);
    }
    ask(&a, r.ms, "GET", FILE_AT "nope", NULL);
    ck_assert(starts_with(a.body.p, "{\"Code\":10990101007,\"Message\":\"获取模型文件失败，文件内容"
                                    "为空\",\"RequestId\":"));
    ck_assert(ends_with(a.body.p, ",\"Success\":false}"));
    answer_free(&a);
    order(&r, "/settings?ms.missing=404");
    ask(&a, r.ms, "GET", FILE_AT "nope", NULL);
    ck_assert_int_eq(a.status, 404);
    answer_free(&a);
}
END_TEST

START_TEST(accounts)
{
    static const struct {
        const char *target, *fields;
        int         status;
        const char *words;
    } v[] = {{"/api/v1/datasets/o/none", NULL, 404, "10010205001"},
             {"/api/v1/datasets/o/private", NULL, 404, "record not found"},
             {"/api/v1/datasets/o/private", COOKIE, 200, "\"Visibility\":1"},
             {"/api/v1/datasets/o/private", BEARER, 200, "\"Visibility\":1"},
             {"/api/v1/datasets/o/private/repo?FilePath=a", COOKIE, 200, "s"},
             {"/api/v1/datasets/o/private", "Cookie: m_session_id=x\r\n", 401, "\"Success\":false"},
             {"/api/v1/datasets/o/gated/repo/tree?Recursive=True", NULL, 200, "\"Path\":\"a\""},
             {"/api/v1/datasets/o/gated/repo?FilePath=a", NULL, 404, "\"Success\":false"},
             {"/api/v1/repos/internalAccelerationInfo", NULL, 404, "404"}};
    struct answer a;

    for (size_t i = 0; i < COUNT(v); i++) {
        ask(&a, r.ms, "GET", v[i].target, v[i].fields);
        ck_assert_msg(a.status == v[i].status, "%s: %d", v[i].target, a.status);
        ck_assert_ptr_nonnull(strstr(sb_text(&a.body), v[i].words));
        answer_free(&a);
    }
    order(&r, "/settings?ms.denied=403");
    ask(&a, r.ms, "GET", "/api/v1/datasets/o/private", NULL);
    ck_assert_int_eq(a.status, 403);
    answer_free(&a);
    ck_assert_int_eq((int)state(&r, "leak", NULL, NULL), 0);
}
END_TEST

START_TEST(oss)
{
    cJSON *root = get("/api/v1/datasets/o/d/oss/tree/?MaxLimit=-1&Revision=master&Recursive=True&"
                      "FilterDir=True",
                      NULL);
    const cJSON  *data = cJSON_GetObjectItem(root, "Data"), *e = cJSON_GetArrayItem(data, 0);
    struct answer a;
    char         *target;
    int           port;

    ck_assert_int_eq(cJSON_GetArraySize(data), 1);
    ck_assert_str_eq(text(e, "Key"), "far/away.bin");
    target = target_of(text(e, "Url"), &port);
    ask(&a, port, "GET", target, NULL);
    ck_assert_int_eq(a.status, 200);
    ck_assert_int_eq((int)a.body.n, 5000);
    answer_free(&a);
    free(target);
    cJSON_Delete(root);
}
END_TEST

START_TEST(login_and_counters)
{
    static const char body[] = "{\"AccessToken\":\"ms-carol\"}";
    struct answer     a;
    struct link       l;
    char             *request =
        xprintf("POST /api/v1/login HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);

    ck_assert(link_open(&l, r.ms, NULL));
    link_ask(&l, &a, request, 20);
    ck_assert_int_eq(a.status, 200);
    ck_assert(starts_with(field(&a, "Set-Cookie"), "m_session_id=ms-carol;"));
    answer_free(&a);
    link_ask(&l, &a, "POST /api/v1/datasets/o/d/download/increase HTTP/1.1\r\n\r\n", 20);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    link_close(&l);
    free(request);
    order(&r, "/ratelimit?bucket=ms&q=1&w=5&after=seconds");
    ask(&a, r.ms, "GET", TREE, NULL);
    answer_free(&a);
    ask(&a, r.ms, "GET", TREE, NULL);
    ck_assert_int_eq(a.status, 429);
    ck_assert_str_eq(field(&a, "Retry-After"), "5");
    answer_free(&a);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("ms");

    tcase_add_unchecked_fixture(t, up, down);
    tcase_add_checked_fixture(t, each, NULL);
    tcase_add_test(t, listing);
    tcase_add_test(t, listing_forms);
    tcase_add_test(t, pages_are_all);
    tcase_add_test(t, info);
    tcase_add_test(t, small_files);
    tcase_add_test(t, lying_open_range);
    tcase_add_test(t, large_files);
    tcase_add_test(t, revisions);
    tcase_add_test(t, accounts);
    tcase_add_test(t, oss);
    tcase_add_test(t, login_and_counters);
    return run_case("ms", t);
}
