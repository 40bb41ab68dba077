/* SPDX-License-Identifier: MIT
 *
 * test_hf_list.c - the source `hf-mirror` on a fake drh.http/1: listings, page by page, in the
 * shapes that hubs and mirrors give them.
 */
#include "hub_host.h"
#include "run.h"

#include <drh/util.h>

#define COMMIT "fbd996df9489a76f0e1323311a17e9dccdbde88b"
#define OTHER "0123456789abcdef0123456789abcdef01234567"
#define SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define GIT "77ebc6577e3fc2c38b5bc7f233510fafba6822ac"
#define GIT2 "b45ef6fec89518d314f546fd6c3025367b721684"

#define INFO "/api/datasets/o/n/revision/main"
#define TREE "/api/datasets/o/n/tree/" COMMIT "?recursive=true&expand=false"
#define SHA "{\"sha\":\"" COMMIT "\"}"
#define ONE_FILE "[{\"type\":\"file\",\"oid\":\"" GIT "\",\"size\":5,\"path\":\"a.json\"}]"

static struct hub_host hub;

static void setup(void)
{
    bare_reset();
    unsetenv("HF_TOKEN");
    unsetenv("HUGGING_FACE_HUB_TOKEN");
    unsetenv("HF_ENDPOINT");
    unsetenv("HF_HUB_OFFLINE");
    unsetenv("TRANSFORMERS_OFFLINE");
    setenv("HF_TOKEN_PATH", "/nowhere", 1);
}

static drh_status list(const char *options, const struct hub_answer *answers)
{
    ck_assert_msg(hub_new(&hub, &drh_entry_v1, options, answers) == DRH_OK, "%s", hub.e.message);
    return hub_list(&hub);
}

/* What was listed, a line each: "NAME SIZE KIND:DIGEST [aside] [failed: WHY]". */
static const char *listed(void)
{
    static char text[8192];
    size_t      n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < hub.list.n; i++) {
        const struct listed *f = &hub.list.file[i];
        char                 hex[65];
        drh_file             file;
        listed_file(f, hex, &file);
        n += (size_t)snprintf(
            text + n, sizeof(text) - n, "%s %lld %s%s%s%s%s\n", f->name, (long long)f->size,
            f->hash == DRH_HASH_SHA256     ? "sha256:"
            : f->hash == DRH_HASH_GIT_SHA1 ? "git:"
                                           : "none",
            f->hash == DRH_HASH_NONE ? "" : hex, f->flags & DRH_FILE_ASIDE ? " aside" : "",
            f->why ? " failed: " : "", f->why ? f->why : "");
    }
    return text;
}

static void ck_listed(const char *options, const struct hub_answer *answers, const char *want)
{
    ck_assert_msg(list(options, answers) == DRH_OK, "%s", hub.e.message);
    ck_assert_str_eq(listed(), want);
    ck_assert_ptr_null(strstr(hub.asked, "UNEXPECTED"));
    ck_assert(hub_free(&hub));
}

static void ck_refused(const char *options, const struct hub_answer *answers, drh_status st,
                       const char *says)
{
    drh_status got = list(options, answers);

    ck_assert_msg(got == st, "%d: %s", got, hub.e.message);
    ck_assert(hub.e.message[0]);
    ck_assert_msg(strstr(hub.e.message, says) != NULL, "\"%s\" is not in: %s", says, hub.e.message);
    ck_assert(hub_free(&hub));
}

/* ---- one page ---- */

START_TEST(kinds_of_entries)
{
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA},
        {.target = TREE,
         .body = "[{\"type\":\"directory\",\"oid\":\"" GIT2 "\",\"size\":0,\"path\":\"data\"},"
                 "{\"type\":\"file\",\"oid\":\"" GIT "\",\"size\":5,\"path\":\"README.md\"},"
                 "{\"type\":\"file\",\"oid\":\"" GIT2 "\",\"size\":4294967296,"
                 "\"lfs\":{\"oid\":\"" SHA256 "\",\"size\":4294967296,\"pointerSize\":134},"
                 "\"xetHash\":\"" SHA256 "\",\"path\":\"data/train.parquet\","
                 "\"lastCommit\":{\"id\":\"" OTHER "\"},\"securityFileStatus\":{}},"
                 "{\"type\":\"commit\",\"oid\":\"" GIT "\",\"path\":\"sub\"},"
                 "{\"type\":\"file\",\"oid\":\"" GIT "\",\"size\":0,\"path\":\"empty.json\"},"
                 "{\"type\":\"file\",\"path\":\"bare.json\"}]"},
        {0}};

    ck_listed("{\"repo\":\"o/n\"}", answers,
              "README.md 5 git:" GIT " aside\n"
              "data/train.parquet 4294967296 sha256:" SHA256 "\n"
              "empty.json 0 git:" GIT "\n"
              "bare.json -1 none\n");
}
END_TEST

/* The digests as mirrors write them; want: of the digest and what is said of it. */
static const struct {
    const char *entry, *want;
} digests[] = {
    {"\"oid\":\"" GIT "\",\"lfs\":{\"oid\":\"sha256:" SHA256 "\"}", "sha256:" SHA256},
    {"\"oid\":\"" GIT "\",\"lfs\":{\"sha256\":\"" SHA256 "\"}", "sha256:" SHA256},
    {"\"oid\":\"" GIT
     "\",\"lfs\":{\"oid\":\"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF6"
     "1F20015AD\"}",
     "sha256:" SHA256},
    {"\"oid\":\"77EBC6577E3FC2C38B5BC7F233510FAFBA6822AC\"", "git:" GIT},
    {"\"oid\":\"" GIT "\",\"lfs\":null", "git:" GIT},
    {"\"oid\":\"" GIT "\",\"lfs\":false", "git:" GIT},
    {"\"oid\":\"" GIT "\",\"lfs\":{}", "none"}, /* not the pointer's */
    {"\"oid\":\"" GIT "\",\"lfs\":{\"oid\":\"\"}", "none"},
    {"\"oid\":\"\"", "none"},
    {"\"oid\":null", "none"},
    {"\"oid\":7", "none"},
};

START_TEST(digests_as_mirrors_write_them)
{
    char                    body[500], want[200];
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA}, {.target = TREE, .body = body}, {0}};

    snprintf(body, sizeof(body), "[{\"type\":\"file\",\"size\":5,\"path\":\"a.json\",%s}]",
             digests[_i].entry);
    snprintf(want, sizeof(want), "a.json 5 %s\n", digests[_i].want);
    ck_listed("{\"repo\":\"o/n\"}", answers, want);
}
END_TEST

/* A file that must not be brought is named, and the others still come. */
START_TEST(bad_digests_and_names)
{
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA},
        {.target = TREE,
         .body = "[{\"type\":\"file\",\"oid\":\"nonsense\",\"size\":5,\"path\":\"x.json\"},"
                 "{\"type\":\"file\",\"oid\":\"" GIT "\",\"size\":5,\"path\":\"../y.json\"},"
                 "{\"type\":\"file\",\"oid\":\"" GIT "\",\"size\":5,\"path\":\"z.json\"}]"},
        {0}};

    ck_assert_int_eq(list("{\"repo\":\"o/n\"}", answers), DRH_OK);
    ck_assert_uint_eq(hub.list.n, 3);
    ck_assert_int_eq(hub.list.file[0].state, LISTED_FAILED);
    ck_assert_int_eq(hub.list.file[1].state, LISTED_FAILED);
    ck_assert_int_eq(hub.list.file[2].state, LISTED);
    ck_assert(hub_free(&hub));
}
END_TEST

static const char *const sizes[][2] = {
    {"5", "5"},    {"0", "0"},     {"9007199254740993", "9007199254740993"},
    {"-5", "-1"},  {"5.0", "-1"},  {"\"5\"", "-1"},
    {"1e3", "-1"}, {"null", "-1"}, {"99999999999999999999999", "-1"},
};

START_TEST(sizes_as_they_come)
{
    char                    body[300], want[100];
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA}, {.target = TREE, .body = body}, {0}};

    snprintf(body, sizeof(body),
             "[{\"type\":\"file\",\"oid\":\"" GIT "\",\"size\":%s,\"path\":\"a.json\"}]",
             sizes[_i][0]);
    snprintf(want, sizeof(want), "a.json %s git:" GIT "\n", sizes[_i][1]);
    ck_listed("{\"repo\":\"o/n\"}", answers, want);
}
END_TEST

/* ---- which ---- */

static const struct {
    const char *options, *want; /* names, in their order */
} wishes[] = {
    {"{\"repo\":\"o/n\"}", "README.md* a.json b.json data/a.json data/b.png*"},
    {"{\"repo\":\"o/n\",\"include\":[\"*.json\"]}", "a.json b.json data/a.json"},
    {"{\"repo\":\"o/n\",\"include\":[\"data/\"]}", "data/a.json data/b.png"},
    {"{\"repo\":\"o/n\",\"exclude\":[\"*a*\"]}", "README.md* b.json"},
    {"{\"repo\":\"o/n\",\"include\":[\"*.json\"],\"exclude\":[\"data/*\"]}", "a.json b.json"},
    {"{\"repo\":\"o/n\",\"files\":[\"b.json\",\"data/b.png\"]}", "b.json data/b.png"},
    {"{\"repo\":\"o/n\",\"files\":[\"data/\"]}", "data/a.json data/b.png"},
    {"{\"repo\":\"hf://datasets/o/n/b.json\"}", "b.json"},
    {"{\"repo\":\"hf://datasets/o/n/data/\"}", "data/a.json data/b.png"},
    {"{\"repo\":\"https://hf-mirror.com/datasets/o/n/tree/main/data\"}", "data/a.json data/b.png"},
    {"{\"repo\":\"https://hf-mirror.com/datasets/o/n/blob/main/data/b%2Epng\"}", "data/b.png"},
    {"{\"repo\":\"https://hf-mirror.com/datasets/o/n/tree/main/data\",\"exclude\":[\"*.png\"]}",
     "data/a.json"},
};

#define FILE_OF(path) "{\"type\":\"file\",\"oid\":\"" GIT "\",\"size\":5,\"path\":\"" path "\"}"
#define FIVE                                                                                       \
    "[" FILE_OF("README.md") "," FILE_OF("a.json") "," FILE_OF("b.json") "," FILE_OF(              \
        "data/a.json") "," FILE_OF("data/b.png") "]"

START_TEST(files_that_are_wanted)
{
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA}, {.target = TREE, .body = FIVE}, {0}};
    char   got[200] = "";
    size_t n = 0;

    ck_assert_msg(list(wishes[_i].options, answers) == DRH_OK, "%s", hub.e.message);
    for (size_t i = 0; i < hub.list.n; i++) {
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s%s", i ? " " : "",
                              hub.list.file[i].name,
                              hub.list.file[i].flags & DRH_FILE_ASIDE ? "*" : "");
    }
    ck_assert_str_eq(got, wishes[_i].want);
    ck_assert(hub_free(&hub));
}
END_TEST

START_TEST(nothing_is_wanted)
{
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA}, {.target = TREE, .body = FIVE}, {0}};
    const struct hub_answer empty[] = {
        {.target = INFO, .body = SHA}, {.target = TREE, .body = "[]"}, {0}};

    ck_refused("{\"repo\":\"o/n\",\"include\":[\"*.csv\"]}", answers, DRH_E_MISSING,
               "has 5 files, and none is wanted");
    ck_refused("{\"repo\":\"o/n\"}", empty, DRH_E_MISSING, "has no file");
}
END_TEST

/* ---- pages ---- */

#define NEXT(host, cursor)                                                                         \
    "link: <" host "/api/datasets/o/n/tree/" COMMIT                                                \
    "?expand=false&recursive=true&limit=1000&cursor=" cursor ">; rel=\"next\"\n"
#define PAGE(cursor)                                                                               \
    "/api/datasets/o/n/tree/" COMMIT "?expand=false&recursive=true&limit=1000&cursor=" cursor

/* Hosts in a Link header, and the endpoint that is asked; ask: the next page is asked for there. */
static const struct {
    const char *endpoint, *link;
    bool        ask;
} links[] = {
    {"https://hf-mirror.com", NEXT("https://hf-mirror.com", "Zz%3D%3D"), true},
    {"https://hf-mirror.com", NEXT("https://huggingface.co", "Zz%3D%3D"), true}, /* unchanged */
    {"https://hf-mirror.com", NEXT("https://hf.co", "Zz%3D%3D"), true},
    {"https://hf-mirror.com", NEXT("", "Zz%3D%3D"), true}, /* relative */
    {"http://127.0.0.1:8080", NEXT("http://127.0.0.1:8080", "Zz%3D%3D"), true},
    {"http://127.0.0.1:8080", NEXT("https://huggingface.co", "Zz%3D%3D"), true},
    {"https://h.example/prefix", NEXT("https://h.example/prefix", "Zz%3D%3D"), true},
    {"https://h.example/prefix", NEXT("https://huggingface.co", "Zz%3D%3D"), true},
    {"https://hf-mirror.com", NEXT("https://evil.example", "Zz%3D%3D"), false},
    {"https://hf-mirror.com", NEXT("https://hf-mirror.com.evil.example", "Zz%3D%3D"), false},
    {"https://hf-mirror.com", NEXT("https://hf-mirror.com@evil.example", "Zz%3D%3D"), false},
    {"https://hf-mirror.com", NEXT("https://hf-mirror.com:444", "Zz%3D%3D"), false},
    {"https://hf-mirror.com", NEXT("http://hf-mirror.com", "Zz%3D%3D"), false},
    {"https://hf-mirror.com", NEXT("http://127.0.0.1", "Zz%3D%3D"), false},
    {"https://hf-mirror.com", NEXT("ftp://hf-mirror.com", "Zz%3D%3D"), false},
    {"https://hf-mirror.com", "link: <https://hf-mirror.com/login?next=/x>; rel=\"next\"\n", false},
    {"https://hf-mirror.com", "link: <x>; rel=\"next\"\n", false},
    {"https://hf-mirror.com", "link: <>; rel=\"next\"\n", false},
};

START_TEST(links_to_more)
{
    char                    options[200], target[300];
    const char             *prefix = strchr(links[_i].endpoint + 8, '/');
    const struct hub_answer answers[] = {
        {.body = SHA}, {.body = ONE_FILE, .headers = links[_i].link}, {.body = "[]"}, {0}};

    snprintf(options, sizeof(options), "{\"repo\":\"o/n\",\"endpoint\":\"%s\"}",
             links[_i].endpoint);
    snprintf(target, sizeof(target), "%s" PAGE("Zz%%3D%%3D") "\n", prefix ? prefix : "");
    if (links[_i].ask) {
        ck_assert_msg(list(options, answers) == DRH_OK, "row %d: %s", _i, hub.e.message);
        ck_assert_msg(strstr(hub.asked, target) != NULL, "%s is not in %s", target, hub.asked);
        ck_assert_uint_eq(hub.list.n, 1);
        ck_assert_uint_eq(hub.requests, 3);
    } else {
        ck_assert_msg(list(options, answers) == DRH_E_NETWORK, "row %d: %s", _i, hub.asked);
        ck_assert_uint_eq(hub.requests, 2);
    }
    ck_assert(hub_free(&hub));
}
END_TEST

START_TEST(many_pages)
{
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA},
        {.target = TREE,
         .body = "[" FILE_OF("a.json") "]",
         .headers = NEXT("https://huggingface.co", "p2")},
        {.target = PAGE("p2"), .body = "[]", .headers = NEXT("https://huggingface.co", "p3")},
        {.target = PAGE("p3"),
         .body = "[" FILE_OF("b.json") "]",
         .headers = "link: <https://huggingface.co/api/x>; rel=\"prev\"\n"},
        {0}};

    setenv("T_TOKEN", "hf_secret", 1);
    ck_assert_msg(list("{\"repo\":\"o/n\",\"token\":\"env:T_TOKEN\"}", answers) == DRH_OK, "%s",
                  hub.e.message);
    ck_assert_uint_eq(hub.list.n, 2);
    /* the token travels on every page */
    ck_assert_str_eq(
        hub.asked, INFO
        " Authorization=Bearer hf_secret\n" TREE
        " Authorization=Bearer hf_secret\n" PAGE("p2") " Authorization=Bearer hf_secret\n" PAGE(
            "p3") " Authorization=Bearer hf_secret\n");
    ck_assert(hub_free(&hub));
}
END_TEST

START_TEST(pages_in_a_circle)
{
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA},
        {.target = TREE, .body = ONE_FILE, .headers = NEXT("https://huggingface.co", "p2")},
        {.target = PAGE("p2"), .body = "[]", .headers = NEXT("https://huggingface.co", "p3")},
        {.target = PAGE("p3"), .body = "[]", .headers = NEXT("https://huggingface.co", "p2")},
        {.target = PAGE("p2"), .body = "[]"},
        {0}};

    ck_refused("{\"repo\":\"o/n\"}", answers, DRH_E_NETWORK, "repeats a page");
}
END_TEST

/* A listing must not end early in silence. */
static const struct {
    struct hub_answer page; /* the second */
    drh_status        want;
} losses[] = {
    {{.status = 500, .always = true}, DRH_E_NETWORK},
    {{.status = 404}, DRH_E_MISSING},
    {{.status = 401}, DRH_E_AUTH},
    {{.status = 302}, DRH_E_NETWORK},
    {{.body = "[{\"type\":\"file\"", .always = true}, DRH_E_NETWORK},
    {{.body = "[{\"type\":\"file\",\"path\":\"\xff\"}]", .always = true}, DRH_E_NETWORK},
    {{.body = "<html>", .always = true}, DRH_E_NETWORK},
    {{.body = "", .status = 200, .always = true}, DRH_E_NETWORK},
    {{.body = "{\"error\":\"x\"}"}, DRH_E_DATA},
    {{.body = "null"}, DRH_E_DATA},
    {{.body = "[{\"type\":\"file\",\"oid\":\"" GIT "\"}]"}, DRH_E_DATA},
    {{.st = DRH_E_TIMEOUT}, DRH_E_TIMEOUT},
    {{.st = DRH_E_CANCELLED}, DRH_E_CANCELLED},
    {{.st = DRH_E_NOMEM}, DRH_E_NOMEM},
};

START_TEST(a_page_that_does_not_come)
{
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA},
        {.target = TREE, .body = ONE_FILE, .headers = NEXT("https://huggingface.co", "p2")},
        losses[_i].page,
        {0}};

    ck_refused("{\"repo\":\"o/n\"}", answers, losses[_i].want, "");
}
END_TEST

START_TEST(a_broken_page_is_asked_for_again)
{
    const struct hub_answer answers[] = {{.target = INFO, .body = "{\"sha"},
                                         {.target = INFO, .body = SHA},
                                         {.target = TREE, .body = "[{\"ty"},
                                         {.target = TREE, .body = ONE_FILE},
                                         {0}};

    ck_listed("{\"repo\":\"o/n\"}", answers, "a.json 5 git:" GIT "\n");
}
END_TEST

/* ---- commits ---- */

/* asked, what the hub says it is, the commit that is listed; NULL: refused */
static const struct {
    const char *revision, *info, *commit;
} commits[] = {
    {"main", "{\"sha\":\"" COMMIT "\"}", COMMIT},
    {"refs/pr/1", "{\"sha\":\"" COMMIT "\"}", COMMIT},
    {"fbd996d", "{\"sha\":\"" COMMIT "\"}", COMMIT},
    {COMMIT, "{\"sha\":\"" COMMIT "\"}", COMMIT},
    {COMMIT, "{}", COMMIT}, /* a commit stays what it is */
    {COMMIT, "{\"sha\":\"" OTHER "\"}", NULL},
    {"main", "{}", NULL},
    {"main", "{\"sha\":\"fbd996d\"}", NULL},
    {"main", "{\"sha\":\"../../../../../../../../../../../../../\"}", NULL},
    {"main", "{\"sha\":7}", NULL},
    {"main", "[]", NULL},
};

START_TEST(a_revision_is_pinned)
{
    char                    options[200], tree[200];
    const struct hub_answer answers[] = {
        {.body = commits[_i].info}, {.target = tree, .body = ONE_FILE}, {0}};
    drh_source_about a = {.struct_size = sizeof(a)};

    snprintf(options, sizeof(options), "{\"repo\":\"o/n\",\"revision\":\"%s\"}",
             commits[_i].revision);
    snprintf(tree, sizeof(tree), "/api/datasets/o/n/tree/%s?recursive=true&expand=false",
             commits[_i].commit ? commits[_i].commit : "");
    if (commits[_i].commit) {
        ck_assert_msg(list(options, answers) == DRH_OK, "row %d: %s", _i, hub.e.message);
        ck_assert_int_eq(hub.stage->ops.source->about(hub.self, &a), DRH_OK);
        ck_assert(drh_str_eq(a.commit, commits[_i].commit));
        ck_assert(drh_str_eq(a.revision, commits[_i].revision));
        ck_assert(drh_str_eq(hub.stage->ops.source->provenance(hub.self), "hf-mirror:o/n@fbd996d"));
    } else {
        ck_assert_msg(list(options, answers) != DRH_OK, "row %d", _i);
        ck_assert(hub.e.message[0]);
        ck_assert_uint_eq(hub.requests, 1);
    }
    ck_assert(hub_free(&hub));
}
END_TEST

START_TEST(revisions_in_urls)
{
    const struct hub_answer answers[] = {
        {.target = "/api/models/gpt2/revision/refs%2Fconvert%2Fparquet", .body = SHA},
        {.target = "/api/models/gpt2/tree/" COMMIT "?recursive=true&expand=false",
         .body = ONE_FILE},
        {0}};

    ck_listed("{\"repo\":\"models/gpt2\",\"revision\":\"refs/convert/parquet\"}", answers,
              "a.json 5 git:" GIT "\n");
}
END_TEST

/* ---- refusals ---- */

static const struct {
    struct hub_answer info;
    drh_status        want;
    const char       *says;
} refusals[] = {
    {{.status = 401, .body = "{\"error\":\"Invalid username or password.\"}"},
     DRH_E_AUTH,
     "there is no such dataset, or it is private"},
    {{.status = 401, .headers = "x-error-code: GatedRepo\n"}, DRH_E_AUTH, "gated"},
    {{.status = 404, .headers = "x-error-code: RevisionNotFound\n"},
     DRH_E_MISSING,
     "no revision \"main\""},
    {{.status = 404, .headers = "x-error-code: RepoNotFound\n"}, DRH_E_MISSING, "no such dataset"},
    {{.status = 429}, DRH_E_NETWORK, "answers 429"},
    {{.status = 500}, DRH_E_NETWORK, "answers 500"},
    {{.status = 308}, DRH_E_NETWORK, "answers 308"},
    {{.body = "<!doctype html>", .always = true}, DRH_E_NETWORK, "login page"},
    {{.st = DRH_E_NETWORK}, DRH_E_NETWORK, ""},
};

START_TEST(a_repository_that_does_not_open)
{
    const struct hub_answer answers[] = {refusals[_i].info, {0}};

    ck_refused("{\"repo\":\"o/n\"}", answers, refusals[_i].want, refusals[_i].says);
}
END_TEST

START_TEST(offline)
{
    const struct hub_answer answers[] = {{0}};

    setenv(_i ? "TRANSFORMERS_OFFLINE" : "HF_HUB_OFFLINE", _i ? "yes" : "1", 1);
    ck_assert_int_eq(list("{\"repo\":\"o/n\"}", answers), DRH_E_NETWORK);
    ck_assert_uint_eq(hub.requests, 0);
    ck_assert(hub_free(&hub));
}
END_TEST

START_TEST(what_the_hub_has_to_say)
{
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA, .headers = "x-hf-warning: topic; it will end soon\n"},
        {.target = TREE, .body = ONE_FILE},
        {0}};

    ck_assert_int_eq(hub_new(&hub, &drh_entry_v1, "{\"repo\":\"o/n\"}", answers), DRH_OK);
    hub.url = "https://huggingface.co" INFO; /* it was redirected there */
    ck_assert_int_eq(hub_list(&hub), DRH_OK);
    ck_assert_ptr_nonnull(strstr(bare_log(), "2 the hub says: topic; it will end soon"));
    ck_assert_ptr_nonnull(strstr(bare_log(), "sends its visitors to another host"));
    ck_assert(hub_free(&hub));
}
END_TEST

/* ---- mirrors without a tree ---- */

START_TEST(siblings)
{
    static const uint32_t   status[] = {500, 404, 501, 503};
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA},
        {.target = TREE, .status = status[_i]},
        {.target = INFO "?blobs=true",
         .body = "{\"sha\":\"" COMMIT "\",\"siblings\":[{\"rfilename\":\"README.md\"},"
                 "{\"rfilename\":\"a.json\",\"size\":5,\"blobId\":\"" GIT "\"},"
                 "{\"rfilename\":\"b.bin\",\"size\":9,\"blobId\":\"" GIT2
                 "\",\"lfs\":{\"sha256\":\"" SHA256 "\",\"size\":9,\"pointerSize\":134}},"
                 "{\"other\":1}]}"},
        {0}};

    ck_listed("{\"repo\":\"o/n\"}", answers,
              "README.md -1 none aside\n"
              "a.json 5 git:" GIT "\n"
              "b.bin 9 sha256:" SHA256 " aside\n");
}
END_TEST

START_TEST(neither_tree_nor_siblings)
{
    const struct hub_answer answers[] = {{.target = INFO, .body = SHA},
                                         {.target = TREE, .status = 500},
                                         {.target = INFO "?blobs=true", .body = SHA},
                                         {0}};
    const struct hub_answer refused[] = {{.target = INFO, .body = SHA},
                                         {.target = TREE, .status = 401},
                                         {.target = INFO "?blobs=true", .body = SHA},
                                         {0}};

    ck_refused("{\"repo\":\"o/n\"}", answers, DRH_E_NETWORK, "neither the tree");
    ck_assert_int_eq(list("{\"repo\":\"o/n\"}", refused), DRH_E_AUTH);
    ck_assert_uint_eq(hub.requests, 2);
    ck_assert(hub_free(&hub));
}
END_TEST

/* ---- licences ---- */

static const struct {
    const char *more, *license;
} licenses[] = {
    {"", ""},
    {",\"cardData\":{\"license\":\"mit\"}", "mit"},
    {",\"cardData\":{\"license\":[\"mit\",\"cc-by-4.0\"]}", "mit, cc-by-4.0"},
    {",\"cardData\":{\"license\":[]}", ""},
    {",\"cardData\":{\"license\":null},\"tags\":[\"x\",\"license:apache-2.0\"]", "apache-2.0"},
    {",\"tags\":[\"license:apache-2.0\",\"region:us\"]", "apache-2.0"},
    {",\"cardData\":{\"license\":\"mit\"},\"tags\":[\"license:apache-2.0\"]", "mit"},
    {",\"cardData\":null", ""},
    {",\"cardData\":{\"license\":{\"x\":1}}", ""},
    {",\"tags\":\"license:mit\"", ""},
};

START_TEST(forms_of_licenses)
{
    char                    info[300];
    const struct hub_answer answers[] = {
        {.target = INFO, .body = info}, {.target = TREE, .body = ONE_FILE}, {0}};
    drh_source_about a = {.struct_size = sizeof(a)};

    snprintf(info, sizeof(info), "{\"sha\":\"" COMMIT "\"%s}", licenses[_i].more);
    ck_assert_int_eq(list("{\"repo\":\"o/n\"}", answers), DRH_OK);
    ck_assert_int_eq(hub.stage->ops.source->about(hub.self, &a), DRH_OK);
    ck_assert_msg(drh_str_eq(a.license, licenses[_i].license), "row %d: %.*s", _i,
                  (int)a.license.len, a.license.ptr);
    ck_assert(hub_free(&hub));
}
END_TEST

/* ---- memory ---- */

START_TEST(without_memory)
{
    const struct hub_answer answers[] = {
        {.target = INFO, .body = SHA, .always = true},
        {.target = TREE,
         .body = ONE_FILE,
         .headers = NEXT("https://huggingface.co", "p2"),
         .always = true},
        {.target = PAGE("p2"), .body = "[" FILE_OF("b.json") "]", .always = true},
        {0}};
    drh_status st = DRH_E_NOMEM;
    int        n;

    for (n = 0; st == DRH_E_NOMEM; n++) {
        ck_assert_int_eq(hub_new(&hub, &drh_entry_v1, "{\"repo\":\"o/n\"}", answers), DRH_OK);
        bare_allowed = n;
        st = hub_list(&hub);
        bare_allowed = -1;
        ck_assert_msg(st == DRH_OK || st == DRH_E_NOMEM, "%d: %s", n, hub.e.message);
        ck_assert(st != DRH_OK || hub.list.n == 2);
        ck_assert(hub_free(&hub));
    }
    ck_assert_int_gt(n, 4);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("hf_list");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, kinds_of_entries);
    tcase_add_loop_test(t, digests_as_mirrors_write_them, 0, ROWS(digests));
    tcase_add_test(t, bad_digests_and_names);
    tcase_add_loop_test(t, sizes_as_they_come, 0, ROWS(sizes));
    tcase_add_loop_test(t, files_that_are_wanted, 0, ROWS(wishes));
    tcase_add_test(t, nothing_is_wanted);
    tcase_add_loop_test(t, links_to_more, 0, ROWS(links));
    tcase_add_test(t, many_pages);
    tcase_add_test(t, pages_in_a_circle);
    tcase_add_loop_test(t, a_page_that_does_not_come, 0, ROWS(losses));
    tcase_add_test(t, a_broken_page_is_asked_for_again);
    tcase_add_loop_test(t, a_revision_is_pinned, 0, ROWS(commits));
    tcase_add_test(t, revisions_in_urls);
    tcase_add_loop_test(t, a_repository_that_does_not_open, 0, ROWS(refusals));
    tcase_add_loop_test(t, offline, 0, 2);
    tcase_add_test(t, what_the_hub_has_to_say);
    tcase_add_loop_test(t, siblings, 0, 4);
    tcase_add_test(t, neither_tree_nor_siblings);
    tcase_add_loop_test(t, forms_of_licenses, 0, ROWS(licenses));
    tcase_add_test(t, without_memory);
    return run_case("hf_list", t);
}
