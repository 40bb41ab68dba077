/* SPDX-License-Identifier: MIT
 *
 * test_ms_list.c - the source `modelscope` on a fake drh.http/1: listings in pages that may be cut
 * short, repeated or shifted, in the shapes that deployments give them.
 */
#include "hub_host.h"
#include "run.h"

#include <drh/util.h>

#define C1 "fbd996df9489a76f0e1323311a17e9dccdbde88b"
#define C2 "0123456789abcdef0123456789abcdef01234567"
#define SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA256_UPPER "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"

#define API "/api/v1/datasets/o/n"
#define LIST(rev, page)                                                                            \
    API "/repo/tree?Revision=" rev "&Recursive=True&PageNumber=" page "&PageSize=200"
#define ENVELOPE(data) "{\"Code\":200,\"Message\":\"ok\",\"Success\":true,\"Data\":" data "}"
#define FILES(files) ENVELOPE("{\"Files\":" files "}")
#define CARD                                                                                       \
    {                                                                                              \
        .target = API, .body = ENVELOPE("{\"Id\":7,\"License\":\"Apache License 2.0\"}")           \
    }
#define END                                                                                        \
    {                                                                                              \
        .target = LIST("master", "2"), .body = FILES("[]")                                         \
    }

static struct hub_host hub;

static void setup(void)
{
    bare_reset();
    unsetenv("MODELSCOPE_ENDPOINT");
    unsetenv("MODELSCOPE_DOMAIN");
    unsetenv("MODELSCOPE_API_TOKEN");
}

static drh_status list(const char *options, const struct hub_answer *answers)
{
    ck_assert_msg(hub_new(&hub, &drh_entry_v1, options, answers) == DRH_OK, "%s", hub.e.message);
    return hub_list(&hub);
}

/* "NAME SIZE DIGEST KEY [aside] [failed]" a line. */
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
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %lld %s %s%s%s\n", f->name,
                              (long long)f->size,
                              f->state == LISTED_FAILED  ? "?"
                              : f->hash == DRH_HASH_NONE ? "none"
                                                         : hex,
                              f->key ? f->key : "-", f->flags & DRH_FILE_ASIDE ? " aside" : "",
                              f->state == LISTED_FAILED ? " failed" : "");
    }
    return text;
}

static void ck_listed(const char *options, const struct hub_answer *answers, const char *want)
{
    ck_assert_msg(list(options, answers) == DRH_OK, "%s", hub.e.message);
    ck_assert_str_eq(listed(), want);
    ck_assert_msg(!strstr(hub.asked, "UNEXPECTED"), "%s", hub.asked);
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
        {.target = LIST("master", "1"),
         .body = FILES(
             "[{\"Name\":\"data\",\"Path\":\"data\",\"Type\":\"tree\",\"Size\":0,\"Mode\":"
             "\"16384\"},"
             "{\"Name\":\"README.md\",\"Path\":\"README.md\",\"Type\":\"blob\",\"Size\":659,"
             "\"Sha256\":\"" SHA256 "\",\"IsLFS\":false,\"Revision\":\"" C1
             "\",\"Mode\":\"33188\"},"
             "{\"Name\":\"x\",\"Path\":\"data/x.parquet\",\"Type\":\"blob\",\"Size\":4294967296,"
             "\"Sha256\":\"" SHA256_UPPER "\",\"IsLFS\":true,\"Revision\":\"" C2
             "\",\"InCheck\":false},"
             "{\"Path\":\"sub\",\"Type\":\"commit\",\"Size\":0},"
             "{\"Path\":\"no.json\",\"Type\":\"blob\",\"Size\":0,\"Sha256\":\"\"},"
             "{\"Path\":\"bare.json\"},"
             "{\"Path\":\"short.json\",\"Size\":1,\"Revision\":\"fbd996df\"},"
             "{\"Path\":\"bad.json\",\"Size\":1,\"Sha256\":\"AABB\"}]")},
        END,
        CARD,
        {0}};

    ck_listed("{\"repo\":\"o/n\"}", answers,
              "README.md 659 " SHA256 " " C1 " aside\n"
              "data/x.parquet 4294967296 " SHA256 " " C2 "\n"
              "no.json 0 none -\n"
              "bare.json -1 none -\n"
              "short.json 1 none -\n"
              "bad.json 1 ? - failed\n");
}
END_TEST

#define ROW(path)                                                                                  \
    "{\"Path\":\"" path "\",\"Type\":\"blob\",\"Size\":5,\"Sha256\":\"" SHA256                     \
    "\",\"Revision\":\"" C1 "\"}"
#define LINE(path) path " 5 " SHA256 " " C1 "\n"

static const struct {
    const char *options, *want;
} wishes[] = {
    {"{\"repo\":\"o/n\"}", "README.md a.json data/a.json data/b.png "},
    {"{\"repo\":\"o/n\",\"include\":[\"*.json\"]}", "a.json data/a.json "},
    {"{\"repo\":\"o/n\",\"exclude\":[\"data/\"]}", "README.md a.json "},
    {"{\"repo\":\"o/n\",\"files\":[\"data/b.png\"]}", "data/b.png "},
    {"{\"repo\":\"https://modelscope.cn/datasets/o/n/resolve/master/data/b%2Epng\"}",
     "data/b.png "},
};

START_TEST(files_that_are_wanted)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"),
         .body = FILES("[" ROW("README.md") "," ROW("a.json") "," ROW("data/a.json") "," ROW(
             "data/b.png") "]")},
        END,
        CARD,
        {0}};
    char   got[200] = "";
    size_t n = 0;

    ck_assert_msg(list(wishes[_i].options, answers) == DRH_OK, "%s", hub.e.message);
    for (size_t i = 0; i < hub.list.n; i++) {
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s ", hub.list.file[i].name);
    }
    ck_assert_str_eq(got, wishes[_i].want);
    ck_assert(hub_free(&hub));
}
END_TEST

START_TEST(nothing_is_wanted)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = FILES("[" ROW("a.json") "]")}, END, CARD, {0}};

    ck_refused("{\"repo\":\"o/n\",\"include\":[\"*.csv\"]}", answers, DRH_E_MISSING,
               "has 1 files, and none is wanted");
}
END_TEST

START_TEST(models_come_in_one_page)
{
    const struct hub_answer answers[] = {
        {.target = "/api/v1/models/o/n/repo/files?Revision=master&Recursive=True",
         .body = FILES("[" ROW("a.bin") "," ROW(".gitattributes") "]")},
        {.target = "/api/v1/models/o/n", .body = ENVELOPE("{\"License\":\"MIT\"}")},
        {0}};

    ck_listed("{\"repo\":\"models/o/n\"}", answers,
              "a.bin 5 " SHA256 " " C1 " aside\n.gitattributes 5 " SHA256 " " C1 " aside\n");
}
END_TEST

/* Some deployments: the data is the list. */
START_TEST(a_bare_list)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = ENVELOPE("[" ROW("a.json") "]")},
        {.target = LIST("master", "2"), .body = ENVELOPE("[]")},
        CARD,
        {0}};

    ck_listed("{\"repo\":\"o/n\"}", answers, LINE("a.json"));
}
END_TEST

START_TEST(a_token_on_every_page)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = FILES("[" ROW("a.json") "]")}, END, CARD, {0}};
    const char *p;
    int         n = 0;

    setenv("T_TOKEN", "ms-secret", 1);
    ck_assert_int_eq(list("{\"repo\":\"o/n\",\"token\":\"env:T_TOKEN\"}", answers), DRH_OK);
    for (p = hub.asked; (p = strstr(p, " Authorization=Bearer ms-secret Cookie=m_session_id=ms-"
                                       "secret\n")) != NULL;
         p++) {
        n++;
    }
    ck_assert_int_eq(n, (int)hub.requests);
    ck_assert_int_ge(n, 2);
    ck_assert(hub_free(&hub));
}
END_TEST

/* ---- pages ---- */

enum { MAX_PAGE = 1 << 17 };

/* Rows f<from>.json ... f<from + n - 1>.json, and the head commit, "" for none. */
static const char *rows(int from, int n, const char *short_id)
{
    static char   text[12][MAX_PAGE];
    static size_t next;
    char         *p = text[next = (next + 1) % 12], *end = p + MAX_PAGE;
    const char   *start = p;

    p += snprintf(p, (size_t)(end - p),
                  "{\"Code\":200,\"Success\":true,\"Data\":{\"LatestCommitter\":{\"Id\":\"\","
                  "\"ShortId\":\"%s\"},\"Files\":[",
                  short_id);
    for (int i = 0; i < n; i++) {
        p += snprintf(p, (size_t)(end - p),
                      "%s{\"Path\":\"f%d.json\",\"Type\":\"blob\",\"Size\":5,\"Revision\":\"" C1
                      "\"}",
                      i ? "," : "", from + i);
    }
    snprintf(p, (size_t)(end - p), "]}}");
    return start;
}

/* Each of the n files once. */
static void ck_all(int n)
{
    static char seen[5000];

    memset(seen, 0, sizeof(seen));
    ck_assert_uint_eq(hub.list.n, (size_t)n);
    for (size_t i = 0; i < hub.list.n; i++) {
        int k = atoi(hub.list.file[i].name + 1);
        ck_assert(k >= 0 && k < n && !seen[k]);
        seen[k] = 1;
    }
    ck_assert(hub_free(&hub));
}

static void ck_pages(const struct hub_answer *answers, int n, unsigned requests)
{
    ck_assert_msg(list("{\"repo\":\"o/n\"}", answers) == DRH_OK, "%s", hub.e.message);
    ck_assert_msg(hub.requests == requests, "%u requests:\n%s", hub.requests, hub.asked);
    ck_all(n);
}

START_TEST(full_pages)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = rows(0, 200, "fbd996df")},
        {.target = LIST("master", "2"), .body = rows(200, 200, "fbd996df")},
        {.target = LIST("master", "3"), .body = rows(400, 77, "fbd996df")},
        CARD,
        {0}};

    ck_pages(answers, 477, 4);
}
END_TEST

START_TEST(the_last_page_is_full)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = rows(0, 200, "")},
        {.target = LIST("master", "2"), .body = rows(200, 200, "")},
        {.target = LIST("master", "3"), .body = FILES("[]")},
        CARD,
        {0}};
    const struct hub_answer null[] = {{.target = LIST("master", "1"), .body = rows(0, 200, "")},
                                      {.target = LIST("master", "2"), .body = FILES("null")},
                                      CARD,
                                      {0}};

    ck_pages(answers, 400, 4);
    ck_pages(null, 200, 3);
}
END_TEST

/* A server that gives fewer than it was asked for: a short page is not the last one. */
START_TEST(a_server_with_shorter_pages)
{
    const struct hub_answer answers[] = {{.target = LIST("master", "1"), .body = rows(0, 50, "")},
                                         {.target = LIST("master", "2"), .body = rows(50, 50, "")},
                                         {.target = LIST("master", "3"), .body = rows(100, 30, "")},
                                         CARD,
                                         {0}};

    ck_pages(answers, 130, 4);
}
END_TEST

/* ... and one without pages gives the same one again. */
START_TEST(a_server_without_pages)
{
    static const int n[] = {1, 30, 199, 201, 450, 1000};

    for (int i = 0; i < ROWS(n); i++) {
        const struct hub_answer answers[] = {
            CARD, {.body = rows(0, n[i], ""), .always = true}, {0}};
        ck_assert_msg(list("{\"repo\":\"o/n\"}", answers) == DRH_OK, "%d: %s", n[i], hub.e.message);
        ck_assert_uint_le(hub.requests, 5);
        ck_all(n[i]);
    }
}
END_TEST

/* ---- what may happen in between ---- */

START_TEST(a_page_that_is_repeated)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = rows(0, 200, "")},
        {.target = LIST("master", "2"), .body = rows(0, 200, "")}, /* the first one again */
        {.target = LIST("master", "1"), .body = rows(0, 200, "")},
        {.target = LIST("master", "2"), .body = rows(200, 30, "")},
        CARD,
        {0}};

    ck_pages(answers, 230, 5);
}
END_TEST

/* As above, where pages are short: it must not be taken for a server without pages. */
START_TEST(a_short_page_that_is_repeated)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = rows(0, 50, ""), .always = true},
        {.target = LIST("master", "2"), .body = rows(0, 50, "")}, /* the first one again */
        {.target = LIST("master", "2"), .body = rows(50, 50, ""), .always = true},
        {.target = LIST("master", "3"), .body = rows(100, 30, ""), .always = true},
        CARD,
        {0}};
    const struct hub_answer two[] = {
        {.target = LIST("master", "1"), .body = rows(0, 50, ""), .always = true},
        {.target = LIST("master", "2"), .body = rows(0, 50, "")},
        {.target = LIST("master", "2"), .body = rows(50, 50, ""), .always = true},
        {.target = LIST("master", "3"), .body = FILES("[]"), .always = true},
        CARD,
        {0}};

    ck_assert_msg(list("{\"repo\":\"o/n\"}", answers) == DRH_OK, "%s", hub.e.message);
    ck_all(130);
    ck_assert_msg(list("{\"repo\":\"o/n\"}", two) == DRH_OK, "%s", hub.e.message);
    ck_all(100);
}
END_TEST

/* Somebody has added a file at the front: what was last on page 1 is first on page 2. */
START_TEST(pages_that_are_shifted)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = rows(1, 200, "")},
        {.target = LIST("master", "2"), .body = rows(200, 100, "")},
        {.target = LIST("master", "1"), .body = rows(0, 200, "")},
        {.target = LIST("master", "2"), .body = rows(200, 101, "")},
        CARD,
        {0}};

    ck_pages(answers, 301, 5);
}
END_TEST

/* A file was removed: one is missing between the pages, and only the commit tells. */
START_TEST(a_commit_in_between)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = rows(0, 200, "aaaaaaaa")},
        {.target = LIST("master", "2"), .body = rows(201, 99, "bbbbbbbb")},
        {.target = LIST("master", "1"), .body = rows(0, 200, "bbbbbbbb")},
        {.target = LIST("master", "2"), .body = rows(200, 99, "bbbbbbbb")},
        CARD,
        {0}};

    ck_pages(answers, 299, 5);
}
END_TEST

START_TEST(changes_without_end)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = rows(0, 200, "aaaaaaaa"), .always = true},
        {.target = LIST("master", "2"), .body = rows(150, 99, "aaaaaaaa"), .always = true},
        CARD,
        {0}};

    ck_refused("{\"repo\":\"o/n\"}", answers, DRH_E_NETWORK, "try again later");
}
END_TEST

/* Twice on one page: the listing itself names it twice. */
START_TEST(twice_on_one_page)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = FILES("[" ROW("a.json") "," ROW("a.json") "]")},
        END,
        CARD,
        {0}};

    ck_listed("{\"repo\":\"o/n\"}", answers, LINE("a.json") LINE("a.json"));
}
END_TEST

/* A listing must not end early in silence. */
static const struct {
    struct hub_answer page; /* the second */
    drh_status        want;
} losses[] = {
    {{.status = 500, .always = true}, DRH_E_NETWORK},
    {{.status = 404}, DRH_E_MISSING},
    {{.status = 403, .body = "{\"Code\":10010103002,\"Success\":false}"}, DRH_E_AUTH},
    {{.status = 302}, DRH_E_NETWORK},
    {{.body = "{\"Code\":10990101007,\"Message\":\"x\",\"Success\":false}"}, DRH_E_MISSING},
    {{.body = "{\"Code\":500,\"Message\":\"x\",\"Success\":false}", .always = true}, DRH_E_NETWORK},
    {{.body = "{\"Code\":200,\"Success\":true}"}, DRH_E_NETWORK},
    {{.body = "{\"Code\":200,\"Success\":true,\"Data\":", .always = true}, DRH_E_NETWORK},
    {{.body = "\xff", .always = true}, DRH_E_NETWORK},
    {{.body = "<html>", .always = true}, DRH_E_NETWORK},
    {{.body = "[]"}, DRH_E_NETWORK},
    {{.body = "null"}, DRH_E_NETWORK},
    {{.body = FILES("[{\"Name\":\"x\"}]")}, DRH_E_DATA},
    {{.body = FILES("[7]")}, DRH_E_DATA},
    {{.st = DRH_E_TIMEOUT}, DRH_E_TIMEOUT},
    {{.st = DRH_E_CANCELLED}, DRH_E_CANCELLED},
};

START_TEST(a_page_that_does_not_come)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = rows(0, 200, "")}, losses[_i].page, {0}};

    ck_refused("{\"repo\":\"o/n\"}", answers, losses[_i].want, "");
}
END_TEST

/* ---- revisions ---- */

#define REVISIONS(branches, tags)                                                                  \
    ENVELOPE("{\"RevisionMap\":{\"Branches\":[" branches "],\"Tags\":[" tags "]}}")
#define REVISION(name) "{\"Revision\":\"" name "\",\"CreatedAt\":1}"

START_TEST(main_means_master)
{
    const struct hub_answer answers[] = {
        {.target = API "/revisions",
         .body = REVISIONS(REVISION("master"), REVISION("v1")),
         .always = true},
        {.target = LIST("master", "1"), .body = FILES("[" ROW("a.json") "]")},
        END,
        CARD,
        {0}};
    drh_source_about a = {.struct_size = sizeof(a)};

    ck_assert_msg(list("{\"repo\":\"o/n\",\"revision\":\"main\"}", answers) == DRH_OK, "%s",
                  hub.e.message);
    ck_assert_ptr_nonnull(strstr(bare_log(), "has no branch main; master is used"));
    ck_assert_int_eq(hub.stage->ops.source->about(hub.self, &a), DRH_OK);
    ck_assert(drh_str_eq(a.revision, "master"));
    ck_assert(hub_free(&hub));
}
END_TEST

static const struct {
    struct hub_answer revisions;
} mains[] = {
    {{.body = REVISIONS(REVISION("master") "," REVISION("main"), "")}}, /* there is one */
    {{.body = REVISIONS("", REVISION("main"))}},
    {{.body = REVISIONS(REVISION("dev"), "")}}, /* neither */
    {{.status = 404}},                          /* nobody can tell */
    {{.body = ENVELOPE("{}")}},
    {{.st = DRH_E_NETWORK}},
};

START_TEST(main_stays_main)
{
    struct hub_answer answers[] = {
        mains[_i].revisions,
        {.target = LIST("main", "1"), .body = FILES("[" ROW("a.json") "]")},
        {.target = LIST("main", "2"), .body = FILES("[]")},
        CARD,
        {0}};

    answers[0].target = API "/revisions";
    answers[0].always = true;
    ck_listed("{\"repo\":\"o/n\",\"revision\":\"main\"}", answers, LINE("a.json"));
}
END_TEST

START_TEST(no_such_revision)
{
    const struct hub_answer answers[] = {
        {.target = LIST("v9", "1"), .body = FILES("null")},
        {.target = API "/revisions", .body = REVISIONS(REVISION("master"), REVISION("v1"))},
        {.target = API, .body = ENVELOPE("{}")},
        {0}};
    const struct hub_answer empty[] = {
        {.target = LIST("v1", "1"), .body = FILES("[]")},
        {.target = API "/revisions", .body = REVISIONS(REVISION("master"), REVISION("v1"))},
        {.target = API, .body = ENVELOPE("{}")},
        {0}};

    ck_refused("{\"repo\":\"o/n\",\"revision\":\"v9\"}", answers, DRH_E_MISSING,
               "has no revision \"v9\"");
    ck_refused("{\"repo\":\"o/n\",\"revision\":\"v1\"}", empty, DRH_E_MISSING, "has no file");
}
END_TEST

/* ---- what it is ---- */

/* short id, the file's own commit, what is told as commit and in the name */
static const struct {
    const char *id, *short_id, *revision, *commit, *name;
} commits[] = {
    {"", "fbd996df", C1, C1, "modelscope:o/n@fbd996d"},
    {"", "fbd996df", C2, "fbd996df", "modelscope:o/n@fbd996d"},
    {C1, "fbd996df", C2, C1, "modelscope:o/n@fbd996d"},
    {"", "", C1, "", "modelscope:o/n@master"},
    {"nonsense", "fbd996df", "", "fbd996df", "modelscope:o/n@fbd996d"},
    {"", "a-short-id-that-is-longer-than-any-commit-could-be", "", "", "modelscope:o/n@master"},
};

START_TEST(which_commit_it_is)
{
    char                    body[600];
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = body}, END, CARD, {0}};
    drh_source_about a = {.struct_size = sizeof(a)};

    snprintf(body, sizeof(body),
             ENVELOPE("{\"LatestCommitter\":{\"Id\":\"%s\",\"ShortId\":\"%s\"},\"Files\":[{"
                      "\"Path\":\"a.json\",\"Size\":5,\"Revision\":\"%s\"}]}"),
             commits[_i].id, commits[_i].short_id, commits[_i].revision);
    ck_assert_msg(list("{\"repo\":\"o/n\"}", answers) == DRH_OK, "%s", hub.e.message);
    ck_assert_int_eq(hub.stage->ops.source->about(hub.self, &a), DRH_OK);
    ck_assert_msg(drh_str_eq(a.commit, commits[_i].commit), "row %d: %s", _i, a.commit.ptr);
    ck_assert_str_eq(hub.stage->ops.source->provenance(hub.self).ptr, commits[_i].name);
    ck_assert(drh_str_eq(a.license, "Apache License 2.0"));
    ck_assert(hub_free(&hub));
}
END_TEST

/* A card that cannot be had is no reason to stop. */
START_TEST(no_card)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = FILES("[" ROW("a.json") "]")},
        END,
        {.target = API, .status = 404},
        {0}};

    ck_listed("{\"repo\":\"o/n\"}", answers, LINE("a.json"));
}
END_TEST

/* ---- the object store ---- */

#define OSS API "/oss/tree/?MaxLimit=-1&Revision=master&Recursive=True&FilterDir=True"

START_TEST(files_of_the_object_store)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"),
         .body = FILES("[" ROW("meta.json") "," ROW("both.json") "]")},
        END,
        {.target = OSS,
         .body = ENVELOPE("[{\"Key\":\"data/x.tar\",\"Size\":7,\"Url\":\"https://oss/x?s=1\"},"
                          "{\"Key\":\"both.json\",\"Size\":9,\"Url\":\"https://oss/both\"},"
                          "{\"Key\":\"no-url\",\"Size\":9},{\"Url\":\"https://oss/no-key\"},"
                          "{\"Key\":\"y.json\",\"Url\":\"http://oss/y\"}]")},
        CARD,
        {0}};

    ck_listed("{\"repo\":\"o/n\",\"include_oss\":true}", answers,
              LINE("meta.json") LINE("both.json") "data/x.tar 7 none https://oss/x?s=1\n"
                                                  "y.json -1 none http://oss/y\n");
}
END_TEST

START_TEST(an_object_store_that_does_not_answer)
{
    const struct hub_answer answers[] = {
        {.target = LIST("master", "1"), .body = FILES("[" ROW("meta.json") "]")},
        END,
        {.target = OSS, .status = 500, .always = true},
        CARD,
        {0}};
    const struct hub_answer model[] = {
        {.target = "/api/v1/models/o/n/repo/files?Revision=master&Recursive=True",
         .body = FILES("[" ROW("a.json") "]")},
        {.target = "/api/v1/models/o/n", .body = ENVELOPE("{}")},
        {0}};

    ck_refused("{\"repo\":\"o/n\",\"include_oss\":true}", answers, DRH_E_NETWORK, "object store");
    ck_listed("{\"repo\":\"models/o/n\",\"include_oss\":true}", model, LINE("a.json"));
}
END_TEST

/* ---- memory ---- */

START_TEST(without_memory)
{
    const struct hub_answer answers[] = {
        {.target = LIST("main", "1"), .body = rows(0, 200, "fbd996df"), .always = true},
        {.target = LIST("main", "2"), .body = rows(200, 3, "fbd996df"), .always = true},
        {.target = OSS, .status = 404, .always = true},
        {.target = API "/revisions", .body = REVISIONS(REVISION("main"), ""), .always = true},
        {.target = API, .body = ENVELOPE("{\"License\":\"x\"}"), .always = true},
        {0}};
    drh_status st = DRH_E_NOMEM;
    int        n;

    for (n = 0; st == DRH_E_NOMEM; n++) {
        ck_assert_int_eq(
            hub_new(&hub, &drh_entry_v1, "{\"repo\":\"o/n\",\"revision\":\"main\"}", answers),
            DRH_OK);
        bare_allowed = n;
        st = hub_list(&hub);
        bare_allowed = -1;
        ck_assert_msg(st == DRH_OK || st == DRH_E_NOMEM, "%d: %d, %s", n, st, hub.e.message);
        if (st == DRH_OK) {
            ck_all(203);
        } else {
            ck_assert(hub_free(&hub));
        }
    }
    ck_assert_int_gt(n, 6);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("ms_list");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, kinds_of_entries);
    tcase_add_loop_test(t, files_that_are_wanted, 0, ROWS(wishes));
    tcase_add_test(t, nothing_is_wanted);
    tcase_add_test(t, models_come_in_one_page);
    tcase_add_test(t, a_bare_list);
    tcase_add_test(t, a_token_on_every_page);
    tcase_add_test(t, full_pages);
    tcase_add_test(t, the_last_page_is_full);
    tcase_add_test(t, a_server_with_shorter_pages);
    tcase_add_test(t, a_server_without_pages);
    tcase_add_test(t, a_page_that_is_repeated);
    tcase_add_test(t, a_short_page_that_is_repeated);
    tcase_add_test(t, pages_that_are_shifted);
    tcase_add_test(t, a_commit_in_between);
    tcase_add_test(t, changes_without_end);
    tcase_add_test(t, twice_on_one_page);
    tcase_add_loop_test(t, a_page_that_does_not_come, 0, ROWS(losses));
    tcase_add_test(t, main_means_master);
    tcase_add_loop_test(t, main_stays_main, 0, ROWS(mains));
    tcase_add_test(t, no_such_revision);
    tcase_add_loop_test(t, which_commit_it_is, 0, ROWS(commits));
    tcase_add_test(t, no_card);
    tcase_add_test(t, files_of_the_object_store);
    tcase_add_test(t, an_object_store_that_does_not_answer);
    tcase_add_test(t, without_memory);
    return run_case("ms_list", t);
}
