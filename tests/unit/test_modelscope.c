/* SPDX-License-Identifier: MIT
 *
 * test_modelscope.c - the source `modelscope` on a fake drh.http/1: what people write for a
 * repository, whose token goes where, what is asked for, what refusals mean.  Listings are
 * test_ms_list.c's.
 */
#include "../../plugins/modelscope/ms.h"
#include "err.h"
#include "hub_host.h"
#include "run.h"

#define COMMIT "fbd996df9489a76f0e1323311a17e9dccdbde88b"

static struct hub_host         hub;
static const struct hub_answer none[] = {{0}};

static void setup(void)
{
    bare_reset();
    unsetenv("MODELSCOPE_ENDPOINT");
    unsetenv("MODELSCOPE_DOMAIN");
    unsetenv("MODELSCOPE_API_TOKEN");
    setenv("T_TOKEN", "ms-option", 1);
}

static struct ms *ms(void)
{
    return hub.self;
}

static bool is(const drh_text *t, const char *want)
{
    return drh_str_eq(drh_text_str(t), want);
}

/* ---- repositories ---- */

static const struct {
    const char *text, *id, *type, *revision, *path, *endpoint; /* "": not said */
} repos[] = {
    {"owner/name", "owner/name", "", "", "", ""},
    {"ow_n.er/Na-me.1", "ow_n.er/Na-me.1", "", "", "", ""},
    {"owner/name@v1.0", "owner/name", "", "v1.0", "", ""},
    {"datasets/owner/name", "owner/name", "dataset", "", "", ""},
    {"models/owner/name", "owner/name", "model", "", "", ""},
    {"https://modelscope.cn/datasets/owner/name", "owner/name", "dataset", "", "",
     "https://modelscope.cn"},
    {"https://www.modelscope.cn/datasets/owner/name/", "owner/name", "dataset", "", "",
     "https://www.modelscope.cn"},
    {"https://modelscope.ai/models/owner/name/files", "owner/name", "model", "", "",
     "https://modelscope.ai"},
    {"https://modelscope.cn/models/owner/name/summary?x=y", "owner/name", "model", "", "",
     "https://modelscope.cn"},
    {"https://modelscope.cn/datasets/owner/name/resolve/master/a/b.json", "owner/name", "dataset",
     "master", "a/b.json", "https://modelscope.cn"},
    {"https://www.modelscope.cn/owner/name/resolve/v1/a.bin", "owner/name", "model", "v1", "a.bin",
     "https://www.modelscope.cn"},
    {"https://modelscope.cn/datasets/owner/name/file/view/master/a%20b.json?id=1", "owner/name",
     "dataset", "master", "a%20b.json", "https://modelscope.cn"},
    {"https://modelscope.cn/datasets/owner/name/tree/v1/a/b", "owner/name", "dataset", "v1", "a/b",
     "https://modelscope.cn"},
    {"http://127.0.0.1:8080/datasets/owner/name#x", "owner/name", "dataset", "", "",
     "http://127.0.0.1:8080"},
};

static void ck_part(const char *text, const char *what, drh_str got, const char *want)
{
    ck_assert_msg(drh_str_eq(got, want), "%s: %s is \"%.*s\"", text, what, (int)got.len,
                  got.ptr ? got.ptr : "");
}

START_TEST(what_people_write)
{
    const char    *text = repos[_i].text;
    struct ms_repo r;
    drh_error      e = ERR_INIT;

    ck_assert_msg(ms_repo_parse(drh_str_of(text), &r, &e) == DRH_OK, "%s: %s", text, e.message);
    ck_part(text, "id", r.id, repos[_i].id);
    ck_part(text, "type", r.type, repos[_i].type);
    ck_part(text, "revision", r.revision, repos[_i].revision);
    ck_part(text, "path", r.path, repos[_i].path);
    ck_part(text, "endpoint", r.endpoint, repos[_i].endpoint);
}
END_TEST

/* An id has exactly one slash. */
static const char *const bad_repos[] = {
    "",
    "name",
    "/",
    "owner/",
    "/name",
    "owner//name",
    "owner/name/",
    "owner/name/x",
    "../name",
    "owner/..",
    "owner/.hidden",
    "owner/na me",
    "owner/na\nme",
    "owner/na?me",
    "owner/na#me",
    "owner/na%20me",
    "own@er/name",
    "owner/n\xc3\xa4me",
    "datasets/name",
    "https://",
    "https://modelscope.cn",
    "https://modelscope.cn/",
    "https://modelscope.cn/datasets/owner",
    "https://modelscope.cn/api/v1/datasets/owner/name",
    "https://modelscope.cn/datasets/owner/name/files?path=data",
    "https://modelscope.cn/datasets/owner/name/files?x=1&FilePath=data",
    "https://modelscope.cn/?owner/name",
};

START_TEST(what_is_no_repository)
{
    const char    *text = bad_repos[_i];
    struct ms_repo r;
    drh_error      e = ERR_INIT;

    ck_assert_msg(ms_repo_parse(drh_str_of(text), &r, &e) == DRH_E_CONFIG, "\"%s\" is %.*s", text,
                  (int)r.id.len, r.id.ptr);
    ck_assert_ptr_nonnull(strstr(e.message, "repo: "));
}
END_TEST

START_TEST(a_repository_with_a_zero)
{
    struct ms_repo r;

    ck_assert_int_eq(ms_repo_parse((drh_str){"org/na\0me", 9}, &r, NULL), DRH_E_CONFIG);
    ck_assert_int_eq(ms_repo_parse((drh_str){NULL, 0}, &r, NULL), DRH_E_CONFIG);
}
END_TEST

/* ---- options ---- */

static const struct {
    const char *options, *variable, *endpoint, *type, *revision, *page;
} settings[] = {
    {"{\"repo\":\"o/n\"}", NULL, "https://modelscope.cn", "dataset", "master",
     "https://modelscope.cn/datasets/o/n"},
    {"{\"repo\":\"o/n\",\"type\":\"model\"}", NULL, "https://modelscope.cn", "model", "master",
     "https://modelscope.cn/models/o/n"},
    {"{\"repo\":\"o/n@v1\",\"revision\":\"v2\"}", NULL, "https://modelscope.cn", "dataset", "v2",
     "https://modelscope.cn/datasets/o/n"},
    {"{\"repo\":\"o/n\"}", "MODELSCOPE_DOMAIN=www.modelscope.ai", "https://www.modelscope.ai",
     "dataset", "master", "https://www.modelscope.ai/datasets/o/n"},
    {"{\"repo\":\"o/n\"}", "MODELSCOPE_ENDPOINT=https://ms.example/", "https://ms.example",
     "dataset", "master", "https://ms.example/datasets/o/n"},
    {"{\"repo\":\"o/n\",\"endpoint\":\"http://h:1/\"}", "MODELSCOPE_DOMAIN=www.modelscope.ai",
     "http://h:1", "dataset", "master", "http://h:1/datasets/o/n"},
    {"{\"repo\":\"https://modelscope.ai/models/o/n\"}", "MODELSCOPE_DOMAIN=ms.example",
     "https://modelscope.ai", "model", "master", "https://modelscope.ai/models/o/n"},
    {"{\"repo\":\"https://modelscope.cn/datasets/o/n/resolve/re%2Fv/x\"}", NULL,
     "https://modelscope.cn", "dataset", "re/v", "https://modelscope.cn/datasets/o/n"},
};

START_TEST(what_is_asked_where)
{
    drh_source_about a = {.struct_size = sizeof(a)};

    if (settings[_i].variable) {
        putenv((char *)(uintptr_t)settings[_i].variable);
    }
    ck_assert_msg(hub_new(&hub, &drh_entry_v1, settings[_i].options, none) == DRH_OK, "%s",
                  hub.e.message);
    ck_assert_int_eq(hub.stage->ops.source->about(hub.self, &a), DRH_OK);
    ck_assert_str_eq(a.endpoint.ptr, settings[_i].endpoint);
    ck_assert_str_eq(a.type.ptr, settings[_i].type);
    ck_assert_str_eq(a.revision.ptr, settings[_i].revision);
    ck_assert_str_eq(a.page.ptr, settings[_i].page);
    ck_assert(drh_str_eq(a.repo, "o/n"));
    ck_assert(hub_free(&hub));
}
END_TEST

START_TEST(a_file_of_an_address)
{
    ck_assert_int_eq(
        hub_new(&hub, &drh_entry_v1,
                "{\"repo\":\"https://modelscope.cn/datasets/o/n/resolve/master/a%20b/%e6%95%b0\"}",
                none),
        DRH_OK);
    ck_assert(is(&ms()->file, "a b/\xe6\x95\xb0"));
    ck_assert(hub_free(&hub));
}
END_TEST

static const char *const bad_options[] = {
    "{}",
    "{\"repo\":\"name\"}",
    "{\"repo\":\"o/n\",\"type\":\"studio\"}",
    "{\"repo\":\"o/n\",\"endpoint\":\"modelscope.cn\"}",
    "{\"repo\":\"o/n\",\"endpoint\":\"https://u:p@h\"}",
};

START_TEST(options_that_are_refused)
{
    ck_assert_msg(hub_new(&hub, &drh_entry_v1, bad_options[_i], none) == DRH_E_CONFIG, "%s",
                  bad_options[_i]);
    ck_assert(hub.e.message[0]);
    ck_assert(hub_free(&hub));
}
END_TEST

/* ---- tokens ---- */

static const struct {
    bool        option;
    const char *variable, *endpoint, *want; /* NULL: none; "refused" */
} tokens[] = {
    {true, "ms-v", NULL, "ms-option"},
    {false, "ms-v", NULL, "ms-v"},
    {false, NULL, NULL, NULL},
    {false, "", NULL, NULL},
    {false, "ms-v \r\n", NULL, "ms-v"},
    {false, "ms-v", "https://www.modelscope.cn", "ms-v"},
    {false, "ms-v", "https://modelscope.ai", "ms-v"},
    {false, "ms-v", "https://www.modelscope.ai", "ms-v"},
    {false, "ms-v", "http://127.0.0.1:1", "ms-v"},
    {false, "ms-v", "https://ms.example", NULL},
    {false, "ms-v", "https://modelscope.cn.evil.example", NULL},
    {false, "ms-v", "https://cdn-lfs-cn-1.modelscope.cn", NULL}, /* not the hub itself */
    {false, "ms-v", "http://modelscope.cn", NULL},
    {true, NULL, "https://ms.example", "ms-option"},
    {true, NULL, "http://ms.example", "refused"},
    {true, NULL, "http://127.0.0.1:1", "ms-option"},
};

START_TEST(whose_token_goes_where)
{
    char       options[300], bearer[64], cookie[64];
    drh_status st;

    if (tokens[_i].variable) {
        setenv("MODELSCOPE_API_TOKEN", tokens[_i].variable, 1);
    }
    snprintf(options, sizeof(options), "{\"repo\":\"o/n\"%s%s%s%s}",
             tokens[_i].endpoint ? ",\"endpoint\":\"" : "",
             tokens[_i].endpoint ? tokens[_i].endpoint : "", tokens[_i].endpoint ? "\"" : "",
             tokens[_i].option ? ",\"token\":\"env:T_TOKEN\"" : "");
    st = hub_new(&hub, &drh_entry_v1, options, none);
    if (tokens[_i].want && strcmp(tokens[_i].want, "refused") == 0) {
        ck_assert_int_eq(st, DRH_E_CONFIG);
        ck_assert_ptr_nonnull(strstr(hub.e.message, "not encrypted"));
        ck_assert_ptr_null(strstr(hub.e.message, "ms-option"));
    } else {
        ck_assert_msg(st == DRH_OK, "row %d: %s", _i, hub.e.message);
        snprintf(bearer, sizeof(bearer), "Bearer %s", tokens[_i].want ? tokens[_i].want : "");
        snprintf(cookie, sizeof(cookie), "m_session_id=%s", tokens[_i].want ? tokens[_i].want : "");
        ck_assert_msg(is(&ms()->bearer, tokens[_i].want ? bearer : ""), "row %d: \"%s\"", _i,
                      drh_text_str(&ms()->bearer).ptr);
        ck_assert(is(&ms()->cookie, tokens[_i].want ? cookie : ""));
    }
    ck_assert_ptr_null(strstr(bare_log(), "ms-v"));
    ck_assert(hub_free(&hub));
}
END_TEST

/* ---- requests ---- */

static const struct {
    const char *options, *name, *key, *url;
} urls[] = {
    {"{\"repo\":\"o/n\"}", "data/train set+1.parquet", COMMIT,
     "https://modelscope.cn/api/v1/datasets/o/n/repo?Revision=" COMMIT
     "&FilePath=data%2Ftrain%20set%2B1.parquet"},
    {"{\"repo\":\"o/n\",\"type\":\"model\"}", "config.json", COMMIT,
     "https://modelscope.cn/api/v1/models/o/n/repo?Revision=" COMMIT "&FilePath=config.json"},
    {"{\"repo\":\"o/n\",\"revision\":\"a/b&c\"}", "a&b=c#d%.json", "",
     "https://modelscope.cn/api/v1/datasets/o/n/repo?Revision=a%2Fb%26c"
     "&FilePath=a%26b%3Dc%23d%25.json"},
    {"{\"repo\":\"o/n\",\"endpoint\":\"http://h:1/x\"}", "\xe6\x95\xb0", "",
     "http://h:1/x/api/v1/datasets/o/n/repo?Revision=master&FilePath=%E6%95%B0"},
    {"{\"repo\":\"o/n\"}", "a.json", "https://oss.example/a?Signature=s",
     "https://oss.example/a?Signature=s"},
};

START_TEST(a_request_for_a_file)
{
    drh_http_req req = {.struct_size = sizeof(req)};
    drh_file     f = {.struct_size = sizeof(f),
                      .name = drh_str_of(urls[_i].name),
                      .key = drh_str_of(urls[_i].key)};

    ck_assert_int_eq(hub_new(&hub, &drh_entry_v1, urls[_i].options, none), DRH_OK);
    ck_assert_int_eq(hub.stage->ops.source->request(hub.self, &f, &req, &hub.e), DRH_OK);
    ck_assert_str_eq(req.url.ptr, urls[_i].url);
    ck_assert_uint_eq(req.n_credentials, 0);
    ck_assert_uint_eq(req.n_headers, 0);
    ck_assert(hub_free(&hub));
}
END_TEST

/* By header and by cookie to the hub, and nothing to the object store. */
START_TEST(requests_with_a_token)
{
    drh_http_req req = {.struct_size = sizeof(req)}, oss = {.struct_size = sizeof(oss)};
    drh_file     f = {.struct_size = sizeof(f), .name = {"x", 1}};

    ck_assert_int_eq(
        hub_new(&hub, &drh_entry_v1, "{\"repo\":\"o/n\",\"token\":\"env:T_TOKEN\"}", none), DRH_OK);
    ck_assert_int_eq(hub.stage->ops.source->request(hub.self, &f, &req, &hub.e), DRH_OK);
    ck_assert_uint_eq(req.n_credentials, 2);
    ck_assert(drh_str_eq(req.credentials[0].name, "Authorization"));
    ck_assert(drh_str_eq(req.credentials[0].value, "Bearer ms-option"));
    ck_assert(drh_str_eq(req.credentials[1].name, "Cookie"));
    ck_assert(drh_str_eq(req.credentials[1].value, "m_session_id=ms-option"));
    ck_assert_uint_eq(req.n_headers, 0);
    f.key = drh_str_of("https://oss.example/x?s=1");
    ck_assert_int_eq(hub.stage->ops.source->request(hub.self, &f, &oss, &hub.e), DRH_OK);
    ck_assert_uint_eq(oss.n_credentials, 0);
    ck_assert_uint_eq(oss.n_headers, 0);
    ck_assert(hub_free(&hub));
}
END_TEST

/* ---- refusals: the rows of the hub's protocol ---- */

#define ENVELOPE(code, success, message)                                                           \
    "{\"Code\":" code ",\"Message\":\"" message "\",\"RequestId\":\"req-1\",\"Success\":" success  \
    "}"

static const struct {
    uint32_t    status;
    const char *body;
    drh_status  want;
    bool        again;
    const char *says;
} refusals[] = {
    {200, "any bytes", DRH_OK, false, ""},
    {206, "{\"a\":1}", DRH_OK, false, ""}, /* a file that is JSON */
    {200, "{\"Code\":\"x\"}", DRH_OK, false, ""},
    {200, "[1]", DRH_OK, false, ""},
    {200, ENVELOPE("200", "true", "ok"), DRH_OK, false, ""},
    {200, ENVELOPE("200", "false", "ok"), DRH_OK, false, ""}, /* either of the two */
    {200, ENVELOPE("1", "true", "ok"), DRH_OK, false, ""},
    {200, ENVELOPE("10990101007", "false", "\xe8\x8e\xb7\xe5\x8f\x96"), DRH_E_MISSING, false,
     "\xe8\x8e\xb7\xe5\x8f\x96; request req-1"},
    {404, ENVELOPE("10990101007", "false", "gone"), DRH_E_MISSING, false, "a/b.json"},
    {404, ENVELOPE("10010205001", "false", "record not found"), DRH_E_MISSING, false,
     "is it gated or private: look at its page; or is it a model"},
    {404, "", DRH_E_MISSING, false, "is it gated or private"},
    {404, "<html>", DRH_E_MISSING, false, ""},
    {200, ENVELOPE("10010103001", "false", "login"), DRH_E_NETWORK, true, "login"},
    {400, ENVELOPE("400", "false", "bad"), DRH_E_NETWORK, false, "status 400"},
    {405, "", DRH_E_NETWORK, false, "status 405"},
    {401, "", DRH_E_AUTH, false, "MODELSCOPE_API_TOKEN"},
    {403, ENVELOPE("10010103002", "false", "no"), DRH_E_AUTH, false, "asked without a token"},
    {408, "", DRH_E_NETWORK, true, "status 408"},
    {416, "", DRH_E_NETWORK, true, "status 416"},
    {429, ENVELOPE("429", "false", "limit_burst"), DRH_E_NETWORK, true, "limit_burst"},
    {500, "", DRH_E_NETWORK, true, "status 500"},
    {502, "<html>", DRH_E_NETWORK, true, "status 502"},
    {504, "", DRH_E_NETWORK, true, "status 504"},
};

static void judge(const char *options, uint32_t status, const char *url, const char *body,
                  const char *key, drh_status want)
{
    const drh_http_answer a = {.struct_size = sizeof(a),
                               .status = status,
                               .url = drh_str_of(url),
                               .body = drh_str_of(body)};
    drh_file f = {.struct_size = sizeof(f), .name = drh_str_of("a/b.json"), .key = drh_str_of(key)};

    if (!hub.self) {
        ck_assert_int_eq(hub_new(&hub, &drh_entry_v1, options, none), DRH_OK);
    }
    hub.e.flags = 0;
    ck_assert_int_eq(hub.stage->ops.source->judge(hub.self, &f, &a, &hub.e), want);
}

START_TEST(what_refusals_mean)
{
    judge("{\"repo\":\"o/n\"}", refusals[_i].status, "https://modelscope.cn/x", refusals[_i].body,
          NULL, refusals[_i].want);
    ck_assert_int_eq((hub.e.flags & DRH_ERR_RETRYABLE) != 0, refusals[_i].again);
    ck_assert_msg(strstr(hub.e.message, refusals[_i].says) != NULL, "\"%s\" is not in: %s",
                  refusals[_i].says, hub.e.message);
    ck_assert_int_eq(hub.e.code, refusals[_i].want);
    ck_assert(hub_free(&hub));
}
END_TEST

START_TEST(refused_with_a_token)
{
    judge("{\"repo\":\"o/n\",\"token\":\"env:T_TOKEN\"}", 403, "https://modelscope.cn/x", "", NULL,
          DRH_E_AUTH);
    ck_assert_ptr_nonnull(strstr(hub.e.message, "with your token"));
    ck_assert_ptr_null(strstr(hub.e.message, "ms-option"));
    ck_assert(hub_free(&hub));
}
END_TEST

/* Some deployments know branches only: the same file at its branch, from then on. */
START_TEST(a_commit_that_is_not_known)
{
    drh_http_req req = {.struct_size = sizeof(req)};
    drh_file     f = {.struct_size = sizeof(f), .name = {"x", 1}, .key = drh_str_of(COMMIT)};

    judge("{\"repo\":\"o/n\"}", 404, "https://modelscope.cn/repo?Revision=" COMMIT, "", COMMIT,
          DRH_E_MISSING);
    ck_assert_uint_ne(hub.e.flags & DRH_ERR_RETRYABLE, 0);
    ck_assert_int_eq(hub.stage->ops.source->request(hub.self, &f, &req, &hub.e), DRH_OK);
    ck_assert_str_eq(req.url.ptr,
                     "https://modelscope.cn/api/v1/datasets/o/n/repo?Revision=master&FilePath=x");
    judge("", 404, "https://modelscope.cn/repo?Revision=master", "", COMMIT, DRH_E_MISSING);
    ck_assert_uint_eq(hub.e.flags & DRH_ERR_RETRYABLE, 0); /* nor at the branch */
    ck_assert(hub_free(&hub));
}
END_TEST

/* A file that is gone from the object store says nothing of the commits of the others. */
START_TEST(gone_from_the_object_store)
{
    judge("{\"repo\":\"o/n\"}", 404, "https://oss.example/x?s=1", "<?xml?>",
          "https://oss.example/x?s=1", DRH_E_MISSING);
    ck_assert_uint_eq(hub.e.flags & DRH_ERR_RETRYABLE, 0);
    ck_assert_int_eq(ms()->by_branch, 0);
    ck_assert(hub_free(&hub));
}
END_TEST

/* ---- memory ---- */

START_TEST(without_memory)
{
    drh_status st = DRH_E_NOMEM;
    int        n;

    for (n = 0; st == DRH_E_NOMEM; n++) {
        bare_allowed = n;
        st = hub_new(&hub, &drh_entry_v1, "{\"repo\":\"o/n@v1\",\"token\":\"env:T_TOKEN\"}", none);
        bare_allowed = -1;
        ck_assert(st == DRH_OK || st == DRH_E_NOMEM);
        ck_assert(hub_free(&hub));
    }
    ck_assert_int_gt(n, 5);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("modelscope");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, what_people_write, 0, ROWS(repos));
    tcase_add_loop_test(t, what_is_no_repository, 0, ROWS(bad_repos));
    tcase_add_test(t, a_repository_with_a_zero);
    tcase_add_loop_test(t, what_is_asked_where, 0, ROWS(settings));
    tcase_add_test(t, a_file_of_an_address);
    tcase_add_loop_test(t, options_that_are_refused, 0, ROWS(bad_options));
    tcase_add_loop_test(t, whose_token_goes_where, 0, ROWS(tokens));
    tcase_add_loop_test(t, a_request_for_a_file, 0, ROWS(urls));
    tcase_add_test(t, requests_with_a_token);
    tcase_add_loop_test(t, what_refusals_mean, 0, ROWS(refusals));
    tcase_add_test(t, refused_with_a_token);
    tcase_add_test(t, a_commit_that_is_not_known);
    tcase_add_test(t, gone_from_the_object_store);
    tcase_add_test(t, without_memory);
    return run_case("modelscope", t);
}
