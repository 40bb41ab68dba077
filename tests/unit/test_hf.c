/* SPDX-License-Identifier: MIT
 *
 * test_hf.c - the source `hf-mirror` on a fake drh.http/1: what people write for a repository,
 * whose token goes where, what is asked for, what refusals mean, notes.  Listings are
 * test_hf_list.c's.
 */
#include "../../plugins/hf_mirror/hf.h"
#include "err.h"
#include "hub_host.h"
#include "run.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COMMIT "fbd996df9489a76f0e1323311a17e9dccdbde88b"
#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define GIT "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"

static struct hub_host hub;
static char            home[BARE_PATH];

static void setup(void)
{
    static const char *const names[] = {"HF_TOKEN",       "HUGGING_FACE_HUB_TOKEN",
                                        "HF_TOKEN_PATH",  "HF_HOME",
                                        "XDG_CACHE_HOME", "HF_TOKEN_TO_MIRROR",
                                        "HF_ENDPOINT",    "HF_HUB_DISABLE_IMPLICIT_TOKEN",
                                        "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"};

    for (int i = 0; i < ROWS(names); i++) {
        unsetenv(names[i]);
    }
    bare_reset();
    bare_folder(home);
    setenv("HOME", home, 1);
    setenv("T_TOKEN", "hf_option", 1);
}

static void teardown(void)
{
    bare_remove(home);
}

static const struct hub_answer none[] = {{0}};

static struct hf *hf(void)
{
    return hub.self;
}

static bool is(const drh_text *t, const char *want)
{
    return drh_str_eq(drh_text_str(t), want);
}

/* ---- repositories ---- */

/* Each part, NULL: not said; type NULL too: refused. */
static const struct {
    const char *text, *id, *type, *revision, *path, *endpoint;
} repos[] = {
    {"openai/gsm8k", "openai/gsm8k", NULL, NULL, NULL, NULL},
    {"gpt2", "gpt2", NULL, NULL, NULL, NULL},
    {"a_b/C-d.e", "a_b/C-d.e", NULL, NULL, NULL, NULL},
    {"org/name@v1.0", "org/name", NULL, "v1.0", NULL, NULL},
    {"gpt2@refs%2Fpr%2F1", "gpt2", NULL, "refs%2Fpr%2F1", NULL, NULL},
    {"datasets/org/name", "org/name", "dataset", NULL, NULL, NULL},
    {"datasets/squad", "squad", "dataset", NULL, NULL, NULL},
    {"models/org/name", "org/name", "model", NULL, NULL, NULL},
    {"hf://org/name", "org/name", "model", NULL, NULL, NULL},
    {"hf://datasets/org/name", "org/name", "dataset", NULL, NULL, NULL},
    {"hf://datasets/org/name@" COMMIT "/data/x.json", "org/name", "dataset", COMMIT, "data/x.json",
     NULL},
    {"hf://datasets/org/name/data/", "org/name", "dataset", NULL, "data/", NULL},
    {"hf://datasets/squad@main/plain_text/x", "squad", "dataset", "main", "plain_text/x", NULL},
    {"https://huggingface.co/org/name", "org/name", "model", NULL, NULL, "https://huggingface.co"},
    {"https://huggingface.co/org/name/", "org/name", "model", NULL, NULL, "https://huggingface.co"},
    {"https://hf-mirror.com/datasets/org/name", "org/name", "dataset", NULL, NULL,
     "https://hf-mirror.com"},
    {"https://huggingface.co/datasets/org/name/tree/main", "org/name", "dataset", "main", NULL,
     "https://huggingface.co"},
    {"https://huggingface.co/datasets/org/name/tree/main/data", "org/name", "dataset", "main",
     "data", "https://huggingface.co"},
    {"https://huggingface.co/datasets/org/name/blob/main/a%20b/x.json", "org/name", "dataset",
     "main", "a%20b/x.json", "https://huggingface.co"},
    {"https://huggingface.co/datasets/org/name/resolve/v1/x.json?download=true", "org/name",
     "dataset", "v1", "x.json", "https://huggingface.co"},
    {"https://huggingface.co/datasets/org/name/raw/refs%2Fconvert%2Fparquet/x", "org/name",
     "dataset", "refs%2Fconvert%2Fparquet", "x", "https://huggingface.co"},
    {"https://huggingface.co/datasets/org/name/blame/v1/a/x.json", "org/name", "dataset", "v1",
     "a/x.json", "https://huggingface.co"},
    {"https://huggingface.co/datasets/org/name/edit/main/README.md", "org/name", "dataset", "main",
     "README.md", "https://huggingface.co"},
    {"https://huggingface.co/datasets/org/name/commit/" COMMIT, "org/name", "dataset", COMMIT, NULL,
     "https://huggingface.co"},
    {"https://huggingface.co/datasets/org/name/tree/refs/convert/parquet/a/b", "org/name",
     "dataset", "refs/convert/parquet", "a/b", "https://huggingface.co"},
    {"hf://datasets/org/name@refs/convert/parquet/a/b", "org/name", "dataset",
     "refs/convert/parquet", "a/b", NULL},
    {"hf://datasets/org/name@refs/pr/12", "org/name", "dataset", "refs/pr/12", NULL, NULL},
    {"org/name@refs/pr/12", "org/name", NULL, "refs/pr/12", NULL, NULL},
    {"hf://datasets/squad@refs/other/x", "squad", "dataset", "refs", "other/x", NULL},
    {"https://huggingface.co/datasets/org/name/viewer/default/train?row=3", "org/name", "dataset",
     NULL, NULL, "https://huggingface.co"},
    {"https://huggingface.co/datasets/org/name#readme", "org/name", "dataset", NULL, NULL,
     "https://huggingface.co"},
    {"https://huggingface.co/datasets/org/name/discussions/4", "org/name", "dataset", NULL, NULL,
     "https://huggingface.co"},
    {"http://127.0.0.1:8080/datasets/org/name", "org/name", "dataset", NULL, NULL,
     "http://127.0.0.1:8080"},
    /* ids without an owner have pages, too */
    {"https://huggingface.co/gpt2", "gpt2", "model", NULL, NULL, "https://huggingface.co"},
    {"https://huggingface.co/datasets/squad", "squad", "dataset", NULL, NULL,
     "https://huggingface.co"},
    {"https://huggingface.co/gpt2/tree/main", "gpt2", "model", "main", NULL,
     "https://huggingface.co"},
    {"https://huggingface.co/gpt2/blob/main/config.json", "gpt2", "model", "main", "config.json",
     "https://huggingface.co"},
    {"https://huggingface.co/datasets/squad/viewer/x", "squad", "dataset", NULL, NULL,
     "https://huggingface.co"},
};

static void ck_part(const char *text, const char *what, drh_str got, const char *want)
{
    if (want) {
        ck_assert_msg(got.ptr && drh_str_eq(got, want), "%s: %s is \"%.*s\"", text, what,
                      (int)got.len, got.ptr ? got.ptr : "");
    } else {
        ck_assert_msg(!got.ptr, "%s: %s is \"%.*s\"", text, what, (int)got.len, got.ptr);
    }
}

START_TEST(what_people_write)
{
    const char    *text = repos[_i].text;
    struct hf_repo r;
    drh_error      e = ERR_INIT;

    ck_assert_msg(hf_repo_parse(drh_str_of(text), &r, &e) == DRH_OK, "%s: %s", text, e.message);
    ck_part(text, "id", r.id, repos[_i].id);
    ck_part(text, "type", r.type, repos[_i].type);
    ck_part(text, "revision", r.revision, repos[_i].revision);
    ck_part(text, "path", r.path, repos[_i].path);
    ck_part(text, "endpoint", r.endpoint, repos[_i].endpoint);
}
END_TEST

static const char *const bad_repos[] = {
    "",
    "/",
    "org/",
    "/name",
    "org//name",
    "org/name/x",
    "a/b/c/d",
    "org/na me",
    "org/na\nme",
    "../x",
    "org/..",
    "org/.hidden",
    "org/-x",
    "org/x-",
    "org/x.",
    "org/a..b",
    "org/a--b",
    "org/name.git",
    "org/na?me",
    "org/na#me",
    "org/na%20me",
    "org/n\xc3\xa4me",
    "org@x/name",
    "@main",
    "hf://",
    "hf://datasets/",
    "hf://spaces/org/name",
    "spaces/org/name",
    "https://",
    "https://huggingface.co",
    "https://huggingface.co/",
    "https://huggingface.co/datasets/",
    "https://huggingface.co/spaces/org/name",
    "https://huggingface.co/org/name/settings",
    "https://huggingface.co/org/name/tree",
    "https://huggingface.co/org/name/blob/",
    "https://huggingface.co/?x",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaa",
};

START_TEST(what_is_no_repository)
{
    const char    *text = bad_repos[_i];
    struct hf_repo r;
    drh_error      e = ERR_INIT;

    ck_assert_msg(hf_repo_parse(drh_str_of(text), &r, &e) == DRH_E_CONFIG, "\"%s\" is %.*s", text,
                  (int)r.id.len, r.id.ptr);
    ck_assert_ptr_nonnull(strstr(e.message, "repo: "));
}
END_TEST

START_TEST(a_repository_with_a_zero)
{
    struct hf_repo r;

    ck_assert_int_eq(hf_repo_parse((drh_str){"org/na\0me", 9}, &r, NULL), DRH_E_CONFIG);
    ck_assert_int_eq(hf_repo_parse((drh_str){NULL, 0}, &r, NULL), DRH_E_CONFIG);
}
END_TEST

/* ---- options ---- */

static const struct {
    const char *options, *endpoint, *type, *revision, *page;
} settings[] = {
    {"{\"repo\":\"o/n\"}", "https://hf-mirror.com", "dataset", "main",
     "https://hf-mirror.com/datasets/o/n"},
    {"{\"repo\":\"o/n\",\"type\":\"model\"}", "https://hf-mirror.com", "model", "main",
     "https://hf-mirror.com/o/n"},
    {"{\"repo\":\"models/o/n\"}", "https://hf-mirror.com", "model", "main",
     "https://hf-mirror.com/o/n"},
    {"{\"repo\":\"o/n@v1\",\"revision\":\"v2\"}", "https://hf-mirror.com", "dataset", "v2",
     "https://hf-mirror.com/datasets/o/n"},
    {"{\"repo\":\"o/n\",\"endpoint\":\"http://h:1/x/\"}", "http://h:1/x", "dataset", "main",
     "http://h:1/x/datasets/o/n"},
    {"{\"repo\":\"https://huggingface.co/datasets/o/n/tree/refs%2Fpr%2F1\"}",
     "https://huggingface.co", "dataset", "refs/pr/1", "https://huggingface.co/datasets/o/n"},
    {"{\"repo\":\"https://huggingface.co/o/n\",\"type\":\"dataset\"}", "https://huggingface.co",
     "dataset", "main", "https://huggingface.co/datasets/o/n"},
    {"{\"repo\":\"https://huggingface.co/o/n\",\"endpoint\":\"https://hf-mirror.com\"}",
     "https://hf-mirror.com", "model", "main", "https://hf-mirror.com/o/n"},
};

START_TEST(what_is_asked_where)
{
    drh_source_about a = {.struct_size = sizeof(a)};

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

START_TEST(the_endpoint_of_the_environment)
{
    setenv("HF_ENDPOINT", "https://mirror.example/", 1);
    ck_assert_int_eq(hub_new(&hub, &drh_entry_v1, "{\"repo\":\"o/n\"}", none), DRH_OK);
    ck_assert(is(&hf()->endpoint, "https://mirror.example"));
    ck_assert(hub_free(&hub));
}
END_TEST

static const char *const bad_options[] = {
    "{}",
    "{\"repo\":\"\"}",
    "{\"repo\":\"a b\"}",
    "{\"repo\":\"o/n\",\"type\":\"space\"}",
    "{\"repo\":\"o/n\",\"endpoint\":\"hf-mirror.com\"}",
    "{\"repo\":\"o/n\",\"endpoint\":\"https://u:p@h\"}",
    "{\"repo\":\"datasets/o/n\",\"type\":\"model\"}",
    "{\"repo\":\"hf://o/n\",\"type\":\"dataset\"}",
    "{\"repo\":\"o/n\",\"revision\":\"\"}",
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

/* Where it lies: option, the variables, the file; the endpoint; the token that is sent, or NULL.
 * "refused": create() is. */
static const struct {
    const char *option, *variable, *old_variable, *file, *more, *endpoint, *want;
} tokens[] = {
    /* the order of the official client */
    {"env:T_TOKEN", "hf_v", "hf_o", "hf_f", NULL, "https://huggingface.co", "hf_option"},
    {NULL, "hf_v", "hf_o", "hf_f", NULL, "https://huggingface.co", "hf_v"},
    {NULL, NULL, "hf_o", "hf_f", NULL, "https://huggingface.co", "hf_o"},
    {NULL, NULL, NULL, "hf_f", NULL, "https://huggingface.co", "hf_f"},
    {NULL, NULL, NULL, NULL, NULL, "https://huggingface.co", NULL},
    {NULL, "", NULL, "hf_f", NULL, "https://huggingface.co", "hf_f"},
    {NULL, "  hf_v\n", NULL, NULL, NULL, "https://huggingface.co", "hf_v"},
    {NULL, " \n", NULL, "\t hf_f \r\n", NULL, "https://huggingface.co", "hf_f"},
    /* to whom */
    {NULL, "hf_v", NULL, NULL, NULL, "https://hf.co", "hf_v"},
    {NULL, "hf_v", NULL, NULL, NULL, "https://www.huggingface.co", "hf_v"},
    {NULL, "hf_v", NULL, NULL, NULL, NULL, NULL}, /* hf-mirror.com */
    {NULL, NULL, NULL, "hf_f", NULL, "https://hf-mirror.com", NULL},
    {NULL, "hf_v", NULL, NULL, NULL, "https://huggingface.co.evil.example", NULL},
    {NULL, "hf_v", NULL, NULL, NULL, "https://evil.example/https://huggingface.co", NULL},
    {NULL, "hf_v", NULL, NULL, NULL, "http://127.0.0.1:1", "hf_v"},
    {NULL, "hf_v", NULL, NULL, NULL, "http://localhost", "hf_v"},
    {NULL, "hf_v", NULL, NULL, NULL, "http://huggingface.co", NULL},
    {NULL, "hf_v", NULL, NULL, "HF_TOKEN_TO_MIRROR=1", "https://hf-mirror.com", "hf_v"},
    {NULL, "hf_v", NULL, NULL, "HF_TOKEN_TO_MIRROR=true", "https://hf-mirror.com", "hf_v"},
    {NULL, "hf_v", NULL, NULL, "HF_TOKEN_TO_MIRROR=0", "https://hf-mirror.com", NULL},
    {NULL, "hf_v", NULL, NULL, "HF_TOKEN_TO_MIRROR=1", "http://mirror.example", "refused"},
    {"env:T_TOKEN", NULL, NULL, NULL, NULL, "https://hf-mirror.com", "hf_option"},
    {"env:T_TOKEN", NULL, NULL, NULL, NULL, "http://mirror.example", "refused"},
    {"env:T_TOKEN", NULL, NULL, NULL, NULL, "http://127.0.0.1:1", "hf_option"},
    /* only by option */
    {NULL, "hf_v", NULL, "hf_f", "HF_HUB_DISABLE_IMPLICIT_TOKEN=1", "https://huggingface.co", NULL},
    {"env:T_TOKEN", "hf_v", NULL, NULL, "HF_HUB_DISABLE_IMPLICIT_TOKEN=1", "https://huggingface.co",
     "hf_option"},
};

static void set(const char *name, const char *value)
{
    if (value) {
        setenv(name, value, 1);
    }
}

START_TEST(whose_token_goes_where)
{
    char       options[300], bearer[64];
    drh_status st;

    set("HF_TOKEN", tokens[_i].variable);
    set("HUGGING_FACE_HUB_TOKEN", tokens[_i].old_variable);
    if (tokens[_i].file) {
        bare_write(home, ".cache/huggingface/token", tokens[_i].file);
    }
    if (tokens[_i].more) {
        putenv((char *)(uintptr_t)tokens[_i].more);
    }
    snprintf(options, sizeof(options), "{\"repo\":\"o/n\"%s%s%s%s%s%s}",
             tokens[_i].endpoint ? ",\"endpoint\":\"" : "",
             tokens[_i].endpoint ? tokens[_i].endpoint : "", tokens[_i].endpoint ? "\"" : "",
             tokens[_i].option ? ",\"token\":\"" : "", tokens[_i].option ? tokens[_i].option : "",
             tokens[_i].option ? "\"" : "");
    st = hub_new(&hub, &drh_entry_v1, options, none);
    if (tokens[_i].want && strcmp(tokens[_i].want, "refused") == 0) {
        ck_assert_int_eq(st, DRH_E_CONFIG);
        ck_assert_ptr_nonnull(strstr(hub.e.message, "not encrypted"));
        ck_assert_ptr_null(strstr(hub.e.message, "hf_"));
    } else {
        ck_assert_msg(st == DRH_OK, "row %d: %s", _i, hub.e.message);
        snprintf(bearer, sizeof(bearer), "Bearer %s", tokens[_i].want ? tokens[_i].want : "");
        ck_assert_msg(is(&hf()->bearer, tokens[_i].want ? bearer : ""), "row %d: \"%s\"", _i,
                      drh_text_str(&hf()->bearer).ptr);
    }
    ck_assert_ptr_null(strstr(bare_log(), "hf_v"));
    ck_assert_ptr_null(strstr(bare_log(), "hf_f"));
    ck_assert(hub_free(&hub));
}
END_TEST

START_TEST(where_the_token_file_is)
{
    static const struct {
        const char *variable, *value, *file;
    } rows[] = {{"HF_TOKEN_PATH", "mine/tok", "mine/tok"},
                {"HF_HOME", "hfhome", "hfhome/token"},
                {"XDG_CACHE_HOME", "xdg", "xdg/huggingface/token"}};

    for (int i = ROWS(rows) - 1; i >= 0; i--) { /* the earlier ones count more */
        char path[200], want[64];
        snprintf(path, sizeof(path), "%s/%s", home, rows[i].value);
        snprintf(want, sizeof(want), "hf_%d", i);
        bare_write(home, rows[i].file, want);
        setenv(rows[i].variable, path, 1);
        snprintf(want, sizeof(want), "Bearer hf_%d", i);
        ck_assert_int_eq(
            hub_new(&hub, &drh_entry_v1, "{\"repo\":\"o/n\",\"endpoint\":\"https://hf.co\"}", none),
            DRH_OK);
        ck_assert(is(&hf()->bearer, want));
        ck_assert(hub_free(&hub));
    }
}
END_TEST

/* A pipe, a folder, something huge: no token, and nobody waits. */
START_TEST(token_files_that_are_none)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/pipe", home);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    for (int i = 0; i < 3; i++) {
        setenv("HF_TOKEN_PATH", i == 0 ? path : i == 1 ? home : "/nowhere/at/all", 1);
        ck_assert_int_eq(
            hub_new(&hub, &drh_entry_v1, "{\"repo\":\"o/n\",\"endpoint\":\"https://hf.co\"}", none),
            DRH_OK);
        ck_assert_uint_eq(hf()->bearer.len, 0);
        ck_assert(hub_free(&hub));
    }
}
END_TEST

/* ---- requests ---- */

static void made(const char *options)
{
    ck_assert_msg(hub_new(&hub, &drh_entry_v1, options, none) == DRH_OK, "%s", hub.e.message);
    drh_text_adds(&hf()->commit, COMMIT);
    drh_text_adds(&hf()->name, "o/n@fbd996d");
}

static const struct {
    const char *options, *name, *url;
} urls[] = {
    {"{\"repo\":\"o/n\"}", "data/train set+1.parquet",
     "https://hf-mirror.com/datasets/o/n/resolve/" COMMIT "/data/train%20set%2B1.parquet"},
    {"{\"repo\":\"models/o/n\"}", "config.json",
     "https://hf-mirror.com/o/n/resolve/" COMMIT "/config.json"},
    {"{\"repo\":\"o/n\",\"endpoint\":\"http://h:1/x/\"}", "a#b?c%.json",
     "http://h:1/x/datasets/o/n/resolve/" COMMIT "/a%23b%3Fc%25.json"},
    {"{\"repo\":\"gpt2\",\"type\":\"model\"}", "\xe6\x95\xb0.json",
     "https://hf-mirror.com/gpt2/resolve/" COMMIT "/%E6%95%B0.json"},
};

START_TEST(a_request_for_a_file)
{
    drh_http_req req = {.struct_size = sizeof(req)};
    drh_file     f = {.struct_size = sizeof(f), .name = drh_str_of(urls[_i].name)};

    made(urls[_i].options);
    ck_assert_int_eq(hub.stage->ops.source->request(hub.self, &f, &req, &hub.e), DRH_OK);
    ck_assert_str_eq(req.url.ptr, urls[_i].url);
    ck_assert_uint_eq(req.n_credentials, 0);
    ck_assert_uint_eq(req.n_headers, 0);
    ck_assert_ptr_null(req.body.ptr);
    ck_assert_ptr_null(req.method.ptr);
    ck_assert(hub_free(&hub));
}
END_TEST

START_TEST(a_request_with_a_token)
{
    drh_http_req req = {.struct_size = sizeof(req)};
    drh_file     f = {.struct_size = sizeof(f), .name = {"x", 1}};

    made("{\"repo\":\"o/n\",\"token\":\"env:T_TOKEN\"}");
    ck_assert_int_eq(hub.stage->ops.source->request(hub.self, &f, &req, &hub.e), DRH_OK);
    ck_assert_uint_eq(req.n_credentials, 1); /* not a header: it must not leave the hub */
    ck_assert(drh_str_eq(req.credentials[0].name, "Authorization"));
    ck_assert(drh_str_eq(req.credentials[0].value, "Bearer hf_option"));
    ck_assert_uint_eq(req.n_headers, 0);
    ck_assert(hub_free(&hub));
}
END_TEST

/* ---- refusals: the rows of the hub's protocol ---- */

static const struct {
    uint32_t    status;
    const char *code, *body;
    drh_status  want;
    bool        again; /* may pass */
    const char *says;
} refusals[] = {
    {200, NULL, "", DRH_OK, false, ""},
    {206, NULL, "", DRH_OK, false, ""},
    {304, NULL, "", DRH_OK, false, ""},
    {400, NULL, "bad", DRH_E_NETWORK, false, "answers 400"},
    {401, "GatedRepo", "Access to dataset o/n is restricted", DRH_E_AUTH, false,
     "gated: accept its terms at https://hf-mirror.com/datasets/o/n"},
    {401, NULL, "Invalid username or password.", DRH_E_AUTH, false,
     "private, or the token is wrong"},
    {401, "RepoNotFound", "", DRH_E_AUTH, false, "private, or the token is wrong"},
    {403, "GatedRepo", "", DRH_E_AUTH, false, "has not been let in: ask at https://"},
    {403, NULL, "Access to this resource is disabled.", DRH_E_AUTH, false, "is disabled."},
    {403, NULL, "<!doctype html>", DRH_E_AUTH, false, "not allowed"},
    {404, "EntryNotFound", "Entry not found", DRH_E_MISSING, false, "a/b.json is not in"},
    {404, "RevisionNotFound", "Invalid rev id: nope", DRH_E_MISSING, false,
     "has no revision \"main\""},
    {404, "RepoNotFound", "", DRH_E_MISSING, false, "no such dataset"},
    {404, NULL, "", DRH_E_MISSING, false, "no such dataset"},
    {408, NULL, "", DRH_E_NETWORK, true, "answers 408"},
    {410, NULL, "", DRH_E_NETWORK, false, "answers 410"},
    {416, NULL, "", DRH_E_NETWORK, true, "answers 416"},
    {429, NULL, "", DRH_E_NETWORK, true, "answers 429"},
    {451, NULL, "", DRH_E_MISSING, false, "legal"},
    {500, NULL, "oops", DRH_E_NETWORK, true, "answers 500 to a/b.json: oops"},
    {502, NULL, "", DRH_E_NETWORK, true, "answers 502"},
    {503, NULL, "", DRH_E_NETWORK, true, "answers 503"},
    {504, "ProxyTimeout", "", DRH_E_NETWORK, true, "answers 504"},
    {522, NULL, "", DRH_E_NETWORK, true, "answers 522"},
};

static void ck_judged(const char *options, uint32_t status, const drh_http_header *h, size_t n,
                      const char *body, drh_status want)
{
    const drh_http_answer a = {.struct_size = sizeof(a),
                               .status = status,
                               .url = drh_str_of("https://hf-mirror.com/x"),
                               .headers = h,
                               .n_headers = n,
                               .body = drh_str_of(body)};
    drh_file              f = {.struct_size = sizeof(f), .name = drh_str_of("a/b.json")};

    made(options);
    ck_assert_int_eq(hub.stage->ops.source->judge(hub.self, &f, &a, &hub.e), want);
    ck_assert(hub_free(&hub));
}

START_TEST(what_refusals_mean)
{
    const drh_http_header h[] = {{drh_str_of("x-error-code"), drh_str_of(refusals[_i].code)}};

    ck_judged("{\"repo\":\"o/n\"}", refusals[_i].status, h, refusals[_i].code ? 1 : 0,
              refusals[_i].body, refusals[_i].want);
    ck_assert_int_eq((hub.e.flags & DRH_ERR_RETRYABLE) != 0, refusals[_i].again);
    ck_assert_msg(strstr(hub.e.message, refusals[_i].says) != NULL, "\"%s\" is not in: %s",
                  refusals[_i].says, hub.e.message);
}
END_TEST

START_TEST(the_hubs_own_words)
{
    const drh_http_header h[] = {{{"x-error-message", 15}, {"words of the hub", 16}},
                                 {{"x-request-id", 12}, {"Root=1-69f2325e", 15}}};

    ck_judged("{\"repo\":\"o/n\"}", 500, h, 2, "not these", DRH_E_NETWORK);
    ck_assert_ptr_nonnull(strstr(hub.e.message, "words of the hub"));
    ck_assert_ptr_nonnull(strstr(hub.e.message, "Root=1-69f2325e"));
    ck_assert_ptr_null(strstr(hub.e.message, "not these"));
    ck_judged("{\"repo\":\"o/n\"}", 500, h, 0, "first line\nsecond line", DRH_E_NETWORK);
    ck_assert_ptr_null(strstr(hub.e.message, "second")); /* one line */
    ck_judged("{\"repo\":\"o/n\"}", 500, h, 0, "<html>", DRH_E_NETWORK);
    ck_assert_ptr_null(strstr(hub.e.message, "html"));
}
END_TEST

/* Which token was used, and never the token itself. */
START_TEST(whose_token_was_refused)
{
    const drh_http_header gated[] = {{{"x-error-code", 12}, {"GatedRepo", 9}}};

    ck_judged("{\"repo\":\"o/n\",\"token\":\"env:T_TOKEN\"}", 403, gated, 1, "", DRH_E_AUTH);
    ck_assert_ptr_nonnull(strstr(hub.e.message, "the option token"));
    ck_assert_ptr_null(strstr(hub.e.message, "hf_option"));
    setenv("HF_TOKEN", "hf_v", 1);
    ck_judged("{\"repo\":\"o/n\",\"endpoint\":\"https://hf.co\"}", 401, gated, 1, "", DRH_E_AUTH);
    ck_assert_ptr_nonnull(strstr(hub.e.message, "HF_TOKEN"));
    ck_judged("{\"repo\":\"o/n\"}", 401, gated, 0, "", DRH_E_AUTH);
    ck_assert_ptr_nonnull(strstr(hub.e.message, "no token"));
}
END_TEST

/* ---- notes ---- */

START_TEST(notes_of_the_official_client)
{
    const drh_source_ops *ops;
    drh_file              f = {.struct_size = sizeof(f), .name = drh_str_of("data/x.bin")};
    drh_str               path, text;
    unsigned              digits = 0;

    made("{\"repo\":\"o/n\"}");
    ops = hub.stage->ops.source;
    ck_assert_int_eq(ops->note(hub.self, &f, 0, &path, &text), DRH_END); /* no digest, no note */
    f.git_sha1 = drh_str_of(GIT);
    ck_assert_int_eq(ops->note(hub.self, &f, 0, &path, &text), DRH_OK);
    ck_assert_str_eq(path.ptr, ".cache/huggingface/download/data/x.bin.metadata");
    ck_assert_int_eq(strncmp(text.ptr, COMMIT "\n" GIT "\n", 82), 0);
    /* then a time as a float: mtime - 1 <= time, and now at the latest */
    for (const char *p = text.ptr + 82; *p && *p != '\n'; p++) {
        ck_assert((*p >= '0' && *p <= '9') || *p == '.');
        digits++;
    }
    ck_assert_uint_gt(digits, 11);
    ck_assert_int_eq(text.ptr[text.len - 1], '\n');
    ck_assert_double_le(strtod(text.ptr + 82, NULL), (double)time(NULL) + 1);
    ck_assert_double_ge(strtod(text.ptr + 82, NULL), (double)time(NULL) - 60);
    ck_assert_int_eq(ops->note(hub.self, &f, 1, &path, &text), DRH_END);
    f.sha256 = drh_str_of(SHA256);
    ck_assert_int_eq(ops->note(hub.self, &f, 0, &path, &text), DRH_OK);
    ck_assert_int_eq(strncmp(text.ptr, COMMIT "\n" SHA256 "\n", 106), 0);
    ck_assert(hub_free(&hub));
}
END_TEST

START_TEST(notes_of_the_folder)
{
    const drh_source_ops *ops;
    drh_str               path, text;

    made("{\"repo\":\"o/n\"}");
    ops = hub.stage->ops.source;
    ck_assert_int_eq(ops->note(hub.self, NULL, 0, &path, &text), DRH_OK);
    ck_assert(drh_str_eq(path, ".cache/huggingface/.gitignore"));
    ck_assert(drh_str_eq(text, "*"));
    ck_assert_int_eq(ops->note(hub.self, NULL, 1, &path, &text), DRH_OK);
    ck_assert(drh_str_eq(path, ".cache/huggingface/CACHEDIR.TAG"));
    /* https://bford.info/cachedir/ */
    ck_assert(drh_str_starts(text, "Signature: 8a477f597d28d172789f06886806bc55\n"));
    ck_assert_int_eq(ops->note(hub.self, NULL, 2, &path, &text), DRH_END);
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
        st = hub_new(&hub, &drh_entry_v1,
                     "{\"repo\":\"hf://datasets/o/n@v1/a/b\",\"token\":\"env:T_TOKEN\"}", none);
        bare_allowed = -1;
        ck_assert(st == DRH_OK || st == DRH_E_NOMEM);
        ck_assert(hub_free(&hub));
    }
    ck_assert_int_gt(n, 5);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("hf");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, what_people_write, 0, ROWS(repos));
    tcase_add_loop_test(t, what_is_no_repository, 0, ROWS(bad_repos));
    tcase_add_test(t, a_repository_with_a_zero);
    tcase_add_loop_test(t, what_is_asked_where, 0, ROWS(settings));
    tcase_add_test(t, the_endpoint_of_the_environment);
    tcase_add_loop_test(t, options_that_are_refused, 0, ROWS(bad_options));
    tcase_add_loop_test(t, whose_token_goes_where, 0, ROWS(tokens));
    tcase_add_test(t, where_the_token_file_is);
    tcase_add_test(t, token_files_that_are_none);
    tcase_add_loop_test(t, a_request_for_a_file, 0, ROWS(urls));
    tcase_add_test(t, a_request_with_a_token);
    tcase_add_loop_test(t, what_refusals_mean, 0, ROWS(refusals));
    tcase_add_test(t, the_hubs_own_words);
    tcase_add_test(t, whose_token_was_refused);
    tcase_add_test(t, notes_of_the_official_client);
    tcase_add_test(t, notes_of_the_folder);
    tcase_add_test(t, without_memory);
    return run_case("hf", t);
}
