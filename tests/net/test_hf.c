/* SPDX-License-Identifier: MIT
 * test_hf.c - the Hugging Face side of fakehub against the trace of the official client and against
 * what is recorded of the real hub, over bare sockets. */
#include "client.h"

#include "../unit/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOKEN "Authorization: Bearer hf_alice\r\n"
#define IDENTITY "Accept-Encoding: identity\r\n"
#define GZIP "Accept-Encoding: gzip, deflate\r\n"

static struct running r;

static const char spec[] =
    "{\"tokens\":["
    "{\"token\":\"hf_alice\",\"hub\":\"hf\",\"user\":\"alice\",\"can\":[\"o/*\"]},"
    "{\"token\":\"hf_guest\",\"hub\":\"hf\",\"user\":\"guest\",\"forbid\":[\"o/d\"]},"
    "{\"token\":\"hf_other\",\"hub\":\"hf\",\"user\":\"other\"},"
    "{\"token\":\"ms-carol\",\"hub\":\"ms\"}],"
    "\"repos\":["
    "{\"id\":\"o/d\",\"license\":\"apache-2.0\",\"was\":\"old/d\",\"commits\":["
    " {\"name\":\"v1\",\"id\":\"1111111111111111111111111111111111111111\",\"files\":["
    "  {\"path\":\"README.md\",\"text\":\"# hi\\n\"},"
    "  {\"path\":\"data/train set+1.parquet\",\"kind\":\"xet\",\"size\":300001,\"seed\":7},"
    "  {\"path\":\"data/old.bin\",\"kind\":\"lfs\",\"size\":1000},"
    "  {\"path\":\"empty.txt\",\"text\":\"\"},"
    "  {\"path\":\"plain.bin\",\"size\":3000}]},"
    " {\"name\":\"v2\",\"from\":\"v1\",\"remove\":[\"data/old.bin\"],\"files\":["
    "  {\"path\":\"README.md\",\"text\":\"# new\\n\"}]},"
    " {\"name\":\"parquet\",\"files\":[{\"path\":\"default/train/0000.parquet\",\"size\":10}]}],"
    " \"branches\":{\"main\":\"v1\",\"refs/convert/parquet\":\"parquet\",\"refs/pr/1\":\"v2\"},"
    " \"tags\":{\"v1.0\":\"v1\"}},"
    "{\"id\":\"o/private\",\"private\":true,\"files\":[{\"path\":\"a.txt\",\"text\":\"secret\"}]},"
    "{\"id\":\"o/gated\",\"gated\":\"manual\",\"files\":[{\"path\":\"a.bin\",\"kind\":\"lfs\","
    " \"size\":10}]},"
    "{\"id\":\"o/off\",\"disabled\":true,\"files\":[]},"
    "{\"type\":\"models\",\"id\":\"gpt2\",\"files\":[{\"path\":\"f/####.txt\",\"count\":2500,"
    " \"size\":5},{\"path\":\"f-x\",\"text\":\"x\"}]},"
    "{\"id\":\"o/lies\",\"files\":["
    " {\"path\":\"upper\",\"kind\":\"lfs\",\"size\":9,\"listed\":{\"sha256\":\"upper\"}},"
    " {\"path\":\"prefix\",\"kind\":\"lfs\",\"size\":9,\"listed\":{\"sha256\":\"prefix\"}},"
    " {\"path\":\"none\",\"kind\":\"lfs\",\"size\":9,\"listed\":{\"sha256\":\"none\"}},"
    " {\"path\":\"size\",\"size\":9,\"listed\":{\"size\":10}},"
    " {\"path\":\"twice\",\"size\":9,\"listed\":{\"times\":2}},"
    " {\"path\":\"nul\",\"path_json\":\"a\\\\u0000b\",\"size\":9},"
    " {\"path\":\"../evil\",\"size\":9},{\"path\":\"a\\nb\",\"size\":9}]}"
    "]}";

#define V1 "1111111111111111111111111111111111111111"

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

static cJSON *get_json(struct answer *a, const char *target, const char *fields)
{
    ask(a, r.hub, "GET", target, fields);
    ck_assert_msg(a->status == 200, "%s: %d %s", target, a->status, sb_text(&a->body));
    return json_of(a);
}

static const char *text(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsString(v) ? v->valuestring : "";
}

static const cJSON *entry(const cJSON *list, const char *path)
{
    const cJSON *v;

    cJSON_ArrayForEach(v, list)
    {
        if (strcmp(text(v, "path"), path) == 0) {
            return v;
        }
    }
    ck_abort_msg("%s is not listed", path);
    return NULL;
}

/* ---- the official client's requests -------------------------------------------------------- */

static void trace_small(const char *name, const char *git, const char *content)
{
    struct answer a;
    char         *target = xprintf("/datasets/o/d/resolve/" V1 "/%s", name);
    char         *cache = xprintf("/api/resolve-cache/datasets/o/d/" V1 "/%s", name);
    char *want = xprintf("%s?%%2Fdatasets%%2Fo%%2Fd%%2Fresolve%%2F" V1 "%%2F%s=&etag=%%22%s%%22",
                         cache, name, git);
    char *etag = xprintf("\"%s\"", git);

    ask(&a, r.hub, "HEAD", target, TOKEN IDENTITY);
    ck_assert_int_eq(a.status, 307);
    ck_assert_str_eq(field(&a, "Location"), want);
    ck_assert_str_eq(field(&a, "X-Repo-Commit"), V1);
    ck_assert_str_eq(field(&a, "X-Linked-ETag"), etag);
    ck_assert_int_gt((int)strtol(field(&a, "Content-Length"), NULL, 10), 100);
    ck_assert_str_eq(field(&a, "Accept-Ranges"), "bytes");
    answer_free(&a);

    ask(&a, r.hub, "HEAD", cache, TOKEN IDENTITY);
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(field(&a, "ETag"), etag);
    ck_assert_int_eq((int)strtol(field(&a, "Content-Length"), NULL, 10), (int)strlen(content));
    answer_free(&a);

    ask(&a, r.hub, "GET", want, TOKEN IDENTITY);
    ck_assert_int_eq(a.status, 200);
    ck_assert(a.whole);
    ck_assert_str_eq(sb_text(&a.body), content);
    answer_free(&a);
    free(target);
    free(cache);
    free(want);
    free(etag);
}

static void trace_large(void)
{
    struct answer a;
    char         *target, hex[65], sha[65];
    int           port;

    ask(&a, r.hub, "HEAD", "/datasets/o/d/resolve/" V1 "/data/train%20set%2B1.parquet",
        TOKEN IDENTITY);
    ck_assert_int_eq(a.status, 302);
    ck_assert_str_eq(field(&a, "Cache-Control"), "no-store");
    ck_assert_str_eq(field(&a, "X-Linked-Size"), "300001");
    ck_assert_ptr_nonnull(strstr(field(&a, "Link"), "rel=\"xet-auth\""));
    ck_assert(has_field(&a, "X-Xet-Hash"));
    (void)snprintf(sha, sizeof(sha), "%.64s", field(&a, "X-Linked-ETag") + 1);
    ck_assert(starts_with(field(&a, "Location"), "http://localhost:"));
    target = target_of(field(&a, "Location"), &port);
    ck_assert_int_eq(port, r.cdn);
    ck_assert(starts_with(target, "/xet-bridge-us/"));
    answer_free(&a);

    ask(&a, r.cdn, "GET", target, GZIP);
    ck_assert_int_eq(a.status, 200);
    ck_assert(!has_field(&a, "Content-Encoding"));
    ck_assert_uint_eq(a.body.n, 300001);
    sha256_text(a.body.p, a.body.n, hex);
    ck_assert_str_eq(hex, sha);
    ck_assert_str_ne(field(&a, "ETag"), sha);
    answer_free(&a);
    free(target);
}

START_TEST(official_trace)
{
    struct answer a;
    cJSON        *root = get_json(&a, "/api/datasets/o/d/revision/main", TOKEN GZIP);
    const cJSON  *e;

    ck_assert_str_eq(text(root, "sha"), V1);
    ck_assert_str_eq(text(root, "id"), "o/d");
    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(root, "private")));
    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(root, "gated")));
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "siblings")), 5);
    ck_assert_str_eq(text(cJSON_GetObjectItem(root, "cardData"), "license"), "apache-2.0");
    cJSON_Delete(root);
    answer_free(&a);

    root =
        get_json(&a, "/api/datasets/o/d/tree/" V1 "?recursive=true&expand=false", TOKEN IDENTITY);
    ck_assert(!has_field(&a, "Link"));
    ck_assert_int_eq(cJSON_GetArraySize(root), 6);
    ck_assert_str_eq(text(entry(root, "data"), "type"), "directory");
    e = entry(root, "README.md");
    ck_assert_str_eq(text(e, "oid"), "77ebc6577e3fc2c38b5bc7f233510fafba6822ac");
    ck_assert_ptr_null(cJSON_GetObjectItem(e, "lfs"));
    e = entry(root, "data/train set+1.parquet");
    ck_assert_int_eq((int)strlen(text(cJSON_GetObjectItem(e, "lfs"), "oid")), 64);
    ck_assert_int_eq((int)strlen(text(e, "xetHash")), 64);
    ck_assert_int_eq((int)cJSON_GetObjectItem(e, "size")->valuedouble, 300001);
    ck_assert_ptr_null(cJSON_GetObjectItem(entry(root, "data/old.bin"), "xetHash"));
    cJSON_Delete(root);
    answer_free(&a);

    trace_small("README.md", "77ebc6577e3fc2c38b5bc7f233510fafba6822ac", "# hi\n");
    trace_small("empty.txt", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "");
    trace_large();
    ck_assert_int_eq(state(&r, "leak", NULL, NULL), 0);
}
END_TEST

START_TEST(revisions)
{
    static const struct {
        const char *revision;
        int         status;
    } v[] = {{"main", 200},
             {"v1.0", 200},
             {V1, 200},
             {"1111111", 200},
             {"refs%2Fpr%2F1", 200},
             {"refs/pr/1", 200},
             {"refs%2Fconvert%2Fparquet", 200},
             {"nope", 404},
             {"2222222", 404}};
    struct answer a;

    for (size_t i = 0; i < COUNT(v); i++) {
        char *target = xprintf("/api/datasets/o/d/revision/%s", v[i].revision);

        ask(&a, r.hub, "GET", target, NULL);
        ck_assert_msg(a.status == v[i].status, "%s: %d", target, a.status);
        ck_assert_str_eq(field(&a, "X-Error-Code"), v[i].status == 404 ? "RevisionNotFound" : "");
        answer_free(&a);
        free(target);
    }
    order(&r, "/move?repo=o/d&branch=main&to=v2");
    ask(&a, r.hub, "GET", "/datasets/o/d/resolve/main/data/old.bin", NULL);
    ck_assert_int_eq(a.status, 404);
    ck_assert_str_eq(field(&a, "X-Error-Code"), "EntryNotFound");
    ck_assert(has_field(&a, "X-Repo-Commit"));
    answer_free(&a);
    ask(&a, r.hub, "GET", "/datasets/o/d/resolve/" V1 "/data/old.bin", NULL);
    ck_assert_int_eq(a.status, 302);
    ck_assert(strstr(field(&a, "Location"), "/repos/") != NULL);
    ck_assert(!has_field(&a, "X-Xet-Hash"));
    answer_free(&a);
    ask(&a, r.hub, "GET", "/datasets/o/d/resolve/refs%2Fpr%2F1/README.md", NULL);
    ck_assert_int_eq(a.status, 307);
    answer_free(&a);
}
END_TEST

START_TEST(pages)
{
    struct answer a;
    char         *target = xdup("/api/models/gpt2/tree/main?recursive=true&expand=false");
    size_t        seen = 0, n = 0;
    char          last[64] = "";
    int           port;

    for (; target; n++) {
        cJSON       *root = get_json(&a, target, IDENTITY);
        const cJSON *v;
        char         link[1024];

        cJSON_ArrayForEach(v, root)
        {
            ck_assert_msg(strcmp(last, text(v, "path")) < 0, "%s again", last);
            (void)snprintf(last, sizeof(last), "%s", text(v, "path"));
            seen++;
        }
        (void)snprintf(link, sizeof(link), "%s", field(&a, "Link"));
        free(target);
        target = NULL;
        if (*link) {
            ck_assert(ends_with(link, ">; rel=\"next\""));
            link[strcspn(link, ">")] = '\0';
            target = target_of(link + 1, &port);
            ck_assert_int_eq(port, r.hub);
            ck_assert(strstr(target, "?expand=false&recursive=true&limit=1000&cursor=") != NULL);
        }
        cJSON_Delete(root);
        answer_free(&a);
    }
    ck_assert_uint_eq(n, 3);
    ck_assert_uint_eq(seen, 2502); /* with the folder and the other file */
}
END_TEST

START_TEST(tree_forms)
{
    static const struct {
        const char *target;
        int         n;
    } v[] = {{"/api/models/gpt2/tree/main", 2},
             {"/api/models/gpt2/tree/main/f?limit=7", 7},
             {"/api/models/gpt2/tree/main/f?limit=5000", 1000},
             {"/api/models/gpt2/tree/main/f?expand=true", 50},
             {"/api/datasets/o/d/tree/main/data?recursive=true", 2},
             {"/api/datasets/o/d/tree/main/", 4}};
    struct answer a;
    cJSON        *root;

    for (size_t i = 0; i < COUNT(v); i++) {
        root = get_json(&a, v[i].target, NULL);
        ck_assert_msg(cJSON_GetArraySize(root) == v[i].n, "%s", v[i].target);
        cJSON_Delete(root);
        answer_free(&a);
    }
    root = get_json(&a, "/api/datasets/o/d/tree/main?expand=true", NULL);
    ck_assert_int_eq(
        (int)strlen(text(cJSON_GetObjectItem(cJSON_GetArrayItem(root, 0), "lastCommit"), "id")),
        40);
    cJSON_Delete(root);
    answer_free(&a);
    ask(&a, r.hub, "GET", "/api/datasets/o/d/tree/main/nowhere", NULL);
    ck_assert_int_eq(a.status, 404);
    answer_free(&a);
    ask(&a, r.hub, "GET", "/api/datasets/o/d/tree/main?cursor=eHh4", NULL);
    ck_assert_int_eq(a.status, 400);
    answer_free(&a);
}
END_TEST

static void paths_info(const char *type, const char *body)
{
    struct answer a;
    cJSON        *root;
    char *fields = xprintf("Content-Type: %s\r\nContent-Length: %zu\r\n", type, strlen(body));
    char *request = xprintf(
        "POST /api/datasets/o/d/paths-info/main HTTP/1.1\r\nHost: x\r\n%s\r\n%s", fields, body);
    struct link l;

    ck_assert(link_open(&l, r.hub, NULL));
    link_ask(&l, &a, request, 20);
    link_close(&l);
    ck_assert_int_eq(a.status, 200);
    root = json_of(&a);
    ck_assert_int_eq(cJSON_GetArraySize(root), 2);
    (void)entry(root, "data/train set+1.parquet");
    (void)entry(root, "README.md");
    cJSON_Delete(root);
    answer_free(&a);
    free(fields);
    free(request);
}

START_TEST(other_routes)
{
    struct answer a;
    cJSON        *root;

    paths_info("application/x-www-form-urlencoded",
               "paths=data%2Ftrain+set%2B1.parquet&paths=README.md&paths=none&expand=True");
    paths_info("application/json",
               "{\"paths\":[\"README.md\",\"data/train set+1.parquet\",\"none\"]}");
    root = get_json(&a, "/api/datasets/o/d/refs", NULL);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "branches")), 1);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "tags")), 1);
    ck_assert_str_eq(text(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "converts"), 0), "ref"),
                     "refs/convert/parquet");
    cJSON_Delete(root);
    answer_free(&a);
    root = get_json(&a, "/api/datasets/o/d/commits/refs%2Fpr%2F1", NULL);
    ck_assert_int_eq(cJSON_GetArraySize(root), 2);
    cJSON_Delete(root);
    answer_free(&a);
    root = get_json(&a, "/api/whoami-v2", TOKEN);
    ck_assert_str_eq(text(root, "name"), "alice");
    cJSON_Delete(root);
    answer_free(&a);
    root = get_json(&a, "/api/datasets/o/d/xet-read-token/main", TOKEN);
    ck_assert(has_field(&a, "X-Xet-Cas-Url"));
    cJSON_Delete(root);
    answer_free(&a);
    root = get_json(&a, "/parquet?dataset=o/d", NULL);
    ck_assert_ptr_nonnull(
        strstr(text(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "parquet_files"), 0), "url"),
               "/resolve/refs%2Fconvert%2Fparquet/default/train/0000.parquet"));
    cJSON_Delete(root);
    answer_free(&a);
    root = get_json(&a, "/api/datasets/o/d?blobs=true", NULL);
    ck_assert_int_eq((int)cJSON_GetObjectItem(
                         cJSON_GetArrayItem(cJSON_GetObjectItem(root, "siblings"), 0), "size")
                         ->valuedouble,
                     5);
    cJSON_Delete(root);
    answer_free(&a);
    ask(&a, r.hub, "GET", "/api/datasets/old/d?blobs=true", NULL);
    ck_assert_int_eq(a.status, 307);
    ck_assert_str_eq(field(&a, "Location"), "/api/datasets/o/d?blobs=true");
    answer_free(&a);
}
END_TEST

/* ---- who may what -------------------------------------------------------------------------- */

START_TEST(accounts)
{
#define GUEST "Authorization: Bearer hf_guest\r\n"
#define OTHER "Authorization: Bearer hf_other\r\n"
#define BAD "Authorization: Bearer hf_nobody\r\n"
    static const struct {
        const char *target, *fields;
        int         status;
        const char *code, *words;
    } v[] = {
        {"/api/datasets/o/none", NULL, 401, "", "{\"error\":\"Invalid username or password.\"}"},
        {"/datasets/o/none/resolve/main/x", NULL, 401, "", "Invalid username or password."},
        {"/api/datasets/o/none", TOKEN, 404, "RepoNotFound", "{\"error\":"},
        {"/api/datasets/o/private", NULL, 401, "", "{\"error\":\"Invalid"},
        {"/api/datasets/o/private", OTHER, 404, "RepoNotFound", ""},
        {"/api/datasets/o/private", TOKEN, 200, "", "\"private\":true"},
        {"/datasets/o/private/resolve/main/a.txt", TOKEN IDENTITY, 200, "", "secret"},
        {"/api/datasets/o/gated", NULL, 200, "", "\"gated\":\"manual\""},
        {"/datasets/o/gated/resolve/main/a.bin", NULL, 401, "GatedRepo", "Please log in."},
        {"/datasets/o/gated/resolve/main/a.bin", OTHER, 403, "GatedRepo", "ask for access"},
        {"/datasets/o/gated/resolve/main/a.bin", TOKEN, 302, "", "Found. Redirecting to "},
        {"/api/datasets/o/gated/auth-check", NULL, 401, "GatedRepo", ""},
        {"/api/datasets/o/gated/auth-check", OTHER, 403, "GatedRepo", ""},
        {"/api/datasets/o/gated/auth-check", TOKEN, 200, "", ""},
        {"/api/datasets/o/d", BAD, 401, "", "Invalid credentials in Authorization header"},
        {"/api/whoami-v2", BAD, 401, "", ""},
        {"/api/datasets/o/d", GUEST, 403, "", "fine-grained"},
        {"/api/datasets/o/off", TOKEN, 403, "", "Access to this resource is disabled."},
    };
    struct answer a;

    for (size_t i = 0; i < COUNT(v); i++) {
        ask(&a, r.hub, "GET", v[i].target, v[i].fields);
        ck_assert_msg(a.status == v[i].status, "%s: %d", v[i].target, a.status);
        ck_assert_str_eq(field(&a, "X-Error-Code"), v[i].code);
        ck_assert_msg(strstr(sb_text(&a.body), v[i].words) != NULL, "%s", sb_text(&a.body));
        ck_assert(has_field(&a, "WWW-Authenticate") == (a.status == 401));
        answer_free(&a);
    }
}
END_TEST

/* ---- the CDN ------------------------------------------------------------------------------- */

static char *cdn_target(const char *name)
{
    struct answer a;
    char         *target = xprintf("/datasets/o/d/resolve/main/%s", name), *out;
    int           port;

    ask(&a, r.hub, "GET", target, NULL);
    out = target_of(field(&a, "Location"), &port);
    answer_free(&a);
    free(target);
    return out;
}

START_TEST(ranges)
{
    static const struct {
        const char *range;
        int         status, n;
        const char *content_range;
    } v[] = {{"0-0", 206, 1, "bytes 0-0/300001"},
             {"1000-1999", 206, 1000, "bytes 1000-1999/300001"},
             {"300000-400000", 206, 1, "bytes 300000-300000/300001"},
             {"299999-", 206, 2, "bytes 299999-300000/300001"},
             {"-3", 206, 3, "bytes 299998-300000/300001"},
             {"300001-300002", 416, 0, "bytes */300001"},
             {"0-1,5-6", 200, 300001, ""},
             {"5-2", 200, 300001, ""}};
    char         *target = cdn_target("data/train%20set%2B1.parquet");
    struct answer all, a;

    ask(&all, r.cdn, "GET", target, NULL);
    for (size_t i = 0; i < COUNT(v); i++) {
        char  *fields = xprintf("Range: bytes=%s\r\n", v[i].range);
        size_t from = strtoul(v[i].range, NULL, 10);

        ask(&a, r.cdn, "GET", target, fields);
        ck_assert_msg(a.status == v[i].status, "%s: %d", v[i].range, a.status);
        ck_assert_str_eq(field(&a, "Content-Range"), v[i].content_range);
        ck_assert_int_eq((int)a.body.n, v[i].n);
        if (a.status == 206 && v[i].range[0] != '-') {
            ck_assert_mem_eq(a.body.p, all.body.p + from, a.body.n);
        }
        answer_free(&a);
        free(fields);
    }
    answer_free(&all);
    free(target);
}
END_TEST

START_TEST(signatures)
{
    struct answer a;
    char         *target, *broken;

    order(&r, "/settings?sign.uses=2");
    target = cdn_target("data/old.bin");
    for (int i = 0; i < 3; i++) {
        ask(&a, r.cdn, "GET", target, NULL);
        ck_assert_int_eq(a.status, i < 2 ? 200 : 403);
        answer_free(&a);
    }
    free(target);
    order(&r, "/settings?sign.uses=0&sign.seconds=0");
    target = cdn_target("data/old.bin");
    ask(&a, r.cdn, "GET", target, NULL);
    ck_assert_int_eq(a.status, 403);
    ck_assert_ptr_nonnull(strstr(a.body.p, "ExpiredToken"));
    answer_free(&a);
    free(target);
    order(&r, "/settings?sign.seconds=60");
    target = cdn_target("data/old.bin");
    broken = xdup(target);
    strstr(broken, "Signature=")[12] ^= 1;
    ask(&a, r.cdn, "GET", broken, NULL);
    ck_assert_int_eq(a.status, 403);
    ck_assert_ptr_nonnull(strstr(a.body.p, "AccessDenied"));
    answer_free(&a);
    free(broken);
    ck_assert_int_eq((int)state(&r, "expired", NULL, NULL), 2);
    order(&r, "/expire");
    ask(&a, r.cdn, "GET", target, NULL);
    ck_assert_int_eq(a.status, 403);
    answer_free(&a);
    free(target);
}
END_TEST

START_TEST(canary)
{
    static const struct {
        bool        cdn;
        const char *target, *fields;
        bool        leak;
    } v[] = {{true, NULL, NULL, false},
             {true, NULL, TOKEN, true},
             {true, NULL, "Cookie: a=b\r\n", true},
             {true, NULL, "X-Other: hf_alice\r\n", true},
             {true, "/x?token=hf%5Falice", NULL, true},
             {false, "/api/datasets/o/d", TOKEN, false},
             {false, "/api/datasets/o/d", "Authorization: Bearer ms-carol\r\n", true},
             {false, "/api/datasets/o/d?t=hf_alice", NULL, true}};
    struct answer a;
    char         *target = cdn_target("data/old.bin");

    for (size_t i = 0; i < COUNT(v); i++) {
        order(&r, "/reset");
        ask(&a, v[i].cdn ? r.cdn : r.hub, "GET", v[i].target ? v[i].target : target, v[i].fields);
        ck_assert_msg(state(&r, "leak", NULL, NULL) == v[i].leak, "%d", (int)i);
        if (v[i].cdn && v[i].fields && starts_with(v[i].fields, "Authorization")) {
            ck_assert_int_eq(a.status, 400);
            ck_assert_ptr_nonnull(strstr(a.body.p, "Only one auth mechanism allowed"));
        }
        answer_free(&a);
    }
    free(target);
}
END_TEST

/* ---- limits, forms of answers, mirrors ----------------------------------------------------- */

START_TEST(rate_limits)
{
    struct answer a;

    order(&r, "/ratelimit?bucket=api&q=2&w=2&after=seconds");
    for (int i = 0; i < 3; i++) {
        char want[40];

        ask(&a, r.hub, "GET", "/api/datasets/o/d", NULL);
        ck_assert_int_eq(a.status, i < 2 ? 200 : 429);
        (void)snprintf(want, sizeof(want), "\"api\";r=%d;t=", i < 2 ? 1 - i : 0);
        ck_assert(starts_with(field(&a, "RateLimit"), want));
        ck_assert_str_eq(field(&a, "RateLimit-Policy"), "\"fixed window\";\"api\";q=2;w=2");
        ck_assert(has_field(&a, "Retry-After") == (i == 2));
        answer_free(&a);
    }
    ask(&a, r.hub, "GET", "/api/datasets/o/d", TOKEN); /* an account of its own */
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    ask(&a, r.hub, "GET", "/datasets/o/d/resolve/main/README.md", NULL);
    ck_assert_int_eq(a.status, 307);
    ck_assert(starts_with(field(&a, "RateLimit"), "\"resolvers\";r="));
    answer_free(&a);
    (void)usleep(2100000);
    ask(&a, r.hub, "GET", "/api/datasets/o/d", NULL);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    ck_assert_int_eq((int)state(&r, "limited", NULL, NULL), 1);
}
END_TEST

START_TEST(compression)
{
    struct answer a;

    ask(&a, r.hub, "GET", "/api/resolve-cache/datasets/o/d/" V1 "/README.md",
        GZIP "Range: bytes=0-1\r\n");
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(field(&a, "Content-Encoding"), "gzip");
    ck_assert(starts_with(field(&a, "ETag"), "W/\""));
    ck_assert(!has_field(&a, "Content-Length"));
    ck_assert(!has_field(&a, "Content-Range"));
    ck_assert(a.whole);
    ck_assert_mem_eq(a.body.p, "\x1f\x8b", 2);
    answer_free(&a);
    ask(&a, r.hub, "GET", "/api/resolve-cache/datasets/o/d/" V1 "/plain.bin",
        GZIP "Range: bytes=10-19\r\n");
    ck_assert_int_eq(a.status, 206);
    ck_assert_int_eq((int)a.body.n, 10);
    answer_free(&a);
    ask(&a, r.hub, "GET", "/api/models/gpt2/tree/main?recursive=true", GZIP);
    ck_assert_str_eq(field(&a, "Content-Encoding"), "gzip");
    answer_free(&a);
}
END_TEST

START_TEST(lies)
{
    struct answer a;
    cJSON        *root = get_json(&a, "/api/datasets/o/lies/tree/main?recursive=true", NULL);
    const char   *sha = text(cJSON_GetObjectItem(entry(root, "upper"), "lfs"), "oid");
    const cJSON  *v;
    int           twice = 0;

    ck_assert_int_eq((int)strcspn(sha, "abcdef"), 64);
    ck_assert(
        starts_with(text(cJSON_GetObjectItem(entry(root, "prefix"), "lfs"), "oid"), "sha256:"));
    ck_assert_ptr_null(cJSON_GetObjectItem(entry(root, "none"), "lfs"));
    ck_assert_int_eq((int)cJSON_GetObjectItem(entry(root, "size"), "size")->valuedouble, 10);
    cJSON_ArrayForEach(v, root)
    {
        twice += strcmp(text(v, "path"), "twice") == 0;
    }
    ck_assert_int_eq(twice, 2);
    ck_assert_ptr_nonnull(strstr(a.body.p, "\"path\":\"a\\u0000b\""));
    (void)entry(root, "../evil");
    (void)entry(root, "a\nb");
    cJSON_Delete(root);
    answer_free(&a);
}
END_TEST

START_TEST(mirrors)
{
    struct answer a;

    order(&r, "/settings?hf.profile=hf-mirror");
    ask(&a, r.hub, "GET", "/api/models/gpt2/tree/main?recursive=true", "User-Agent: t\r\n");
    ck_assert(starts_with(field(&a, "Link"), "<https://huggingface.co/api/models/gpt2/tree/main?"));
    ck_assert(!has_field(&a, "X-Repo-Commit"));
    answer_free(&a);
    ask(&a, r.hub, "GET", "/datasets/o/d/resolve/main/README.md",
        "User-Agent: t\r\nReferer: https://example.com/\r\n");
    ck_assert_int_eq(a.status, 403);
    ck_assert_str_eq(sb_text(&a.body), "invalid request");
    answer_free(&a);
    ask(&a, r.hub, "GET", "/api/resolve-cache/datasets/o/d/" V1 "/plain.bin",
        "User-Agent: t\r\nRange: bytes=5-9\r\n");
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(field(&a, "Content-Range"), "bytes 5-9/3000");
    ck_assert_int_eq((int)a.body.n, 5);
    answer_free(&a);
    order(&r, "/settings?hf.away=yes");
    ask(&a, r.hub, "GET", "/api/datasets/o/d", NULL);
    ck_assert_int_eq(a.status, 308);
    ck_assert_str_eq(field(&a, "Location"), "https://huggingface.co/api/datasets/o/d");
    answer_free(&a);

    order(&r, "/settings?hf.profile=olah");
    ask(&a, r.hub, "GET", "/api/datasets/o/d/tree/main?recursive=true", NULL);
    ck_assert_int_eq(a.status, 307);
    ck_assert(ends_with(field(&a, "Location"), "/api/datasets/o/d/tree/main/?recursive=true"));
    ck_assert(starts_with(field(&a, "Location"), "http://127.0.0.1:"));
    answer_free(&a);
    ask(&a, r.hub, "GET", "/api/datasets/o/d/tree/main/", NULL);
    ck_assert_int_eq(a.status, 500);
    answer_free(&a);
    ask(&a, r.hub, "GET", "/datasets/o/d/resolve/main/plain.bin", "Range: bytes=0-9\r\n");
    ck_assert_int_eq(a.status, 200);
    ck_assert(ends_with(field(&a, "ETag"), "-10\""));
    ck_assert(!has_field(&a, "Content-Length"));
    ck_assert_int_eq((int)a.body.n, 3000);
    answer_free(&a);
    ask(&a, r.hub, "GET", "/datasets/o/d/resolve/main/data/train%20set%2B1.parquet", NULL);
    ck_assert_int_eq(a.status, 200);
    ck_assert_int_eq((int)a.body.n, 300001);
    answer_free(&a);

    order(&r, "/settings?hf.profile=plain-nginx");
    ask(&a, r.hub, "GET", "/datasets/o/d/resolve/main/README.md", "Range: bytes=2-3\r\n");
    ck_assert_int_eq(a.status, 206);
    ck_assert_str_eq(sb_text(&a.body), "hi");
    ck_assert(!has_field(&a, "X-Repo-Commit"));
    ck_assert(!has_field(&a, "X-Request-Id"));
    ck_assert(!has_field(&a, "RateLimit"));
    ck_assert(starts_with(field(&a, "Server"), "nginx/"));
    answer_free(&a);
}
END_TEST

START_TEST(protocol)
{
    static const struct {
        const char *request;
        int         status;
    } v[] = {{"GET / HTTP/1.1\r\n\r\n", 401},
             {"BREW /api/datasets/o/d HTTP/1.1\r\n\r\n", 405},
             {"GET\r\n\r\n", 400},
             {"GET /%4 HTTP/1.1\r\n\r\n", 400},
             {"GET /%00 HTTP/1.1\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nbroken\r\n\r\n", 400},
             {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
             {"GET /api/datasets/o/d HTTP/1.0\r\n\r\n", 200}};
    struct answer a;
    struct link   l;

    for (size_t i = 0; i < COUNT(v); i++) {
        ck_assert(link_open(&l, r.hub, NULL));
        link_ask(&l, &a, v[i].request, 20);
        ck_assert_msg(a.status == v[i].status, "%s: %d", v[i].request, a.status);
        link_after(&l, &a, a.status == 400 || a.status == 411 || i == 7 ? 20 : 0.1);
        ck_assert(a.ended == (a.status == 400 || a.status == 411 || i == 7));
        answer_free(&a);
        link_close(&l);
    }
    /* Two requests at once on one connection, one answer after the other. */
    ck_assert(link_open(&l, r.hub, NULL));
    for (int i = 0; i < 2; i++) {
        link_ask(&l, &a, "GET /api/whoami-v2 HTTP/1.1\r\n\r\n", 20);
        ck_assert_int_eq(a.status, 401);
        link_after(&l, &a, 0.1);
        ck_assert(!a.ended && !a.reset);
        answer_free(&a);
    }
    link_close(&l);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("hf");

    tcase_add_unchecked_fixture(t, up, down);
    tcase_add_checked_fixture(t, each, NULL);
    tcase_add_test(t, official_trace);
    tcase_add_test(t, revisions);
    tcase_add_test(t, pages);
    tcase_add_test(t, tree_forms);
    tcase_add_test(t, other_routes);
    tcase_add_test(t, accounts);
    tcase_add_test(t, ranges);
    tcase_add_test(t, signatures);
    tcase_add_test(t, canary);
    tcase_add_test(t, rate_limits);
    tcase_add_test(t, compression);
    tcase_add_test(t, lies);
    tcase_add_test(t, mirrors);
    tcase_add_test(t, protocol);
    return run_case("hf", t);
}
