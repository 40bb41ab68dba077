/* SPDX-License-Identifier: MIT
 * test_pull_list.c - what sources name: which names become files, digests, files that are named
 * twice, names that a file system takes for one, and how much memory very many take. */
#include "err.h"
#include "json.h"
#include "mem.h"
#include "pull.h"
#include "run.h"

#include <malloc.h>
#include <stdbool.h>
#include <string.h>

#define SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define GIT "77ebc6577e3fc2c38b5bc7f233510fafba6822ac"
#define S10 "0123456789"
#define S100 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10
#define S1000 S100 S100 S100 S100 S100 S100 S100 S100 S100 S100

static struct drh_list list;

static void teardown(void)
{
    list_free(&list);
}

static drh_file file_of(const char *name, uint64_t size)
{
    return (drh_file){.struct_size = sizeof(drh_file), .name = drh_str_of(name), .size = size};
}

static struct listed *add(const drh_file *f)
{
    ck_assert_int_eq(list_file(&list, f), DRH_OK);
    return &list.file[list.n - 1];
}

/* ---- names ---- */

/* why: what is said of it; NULL: it is accepted */
static const struct {
    const char *name, *why;
} names[] = {
    {"a", NULL},
    {"a/b.json", NULL},
    {"README.md", NULL},
    {"a b#?%&+.json", NULL},
    {"\xe5\xa5\xbd/\xf0\x9f\x98\x80.json", NULL},
    {"...", NULL},
    {"..a/b../.c", NULL},
    {".gitignore", NULL},
    {".github/x", NULL},
    {"xy:z", NULL},
    {"1:x", NULL},
    {".cache/x", NULL},
    {"a/.cache/drhost/x", NULL},
    {"drhost/x", NULL},
    {"~", NULL},
    {"-rf", NULL},
    {S1000 S10 S10 "abcd", NULL},
    {"", "it is empty"},
    {"..", "a part"},
    {".", "a part"},
    {"../x", "a part"},
    {"a/../b", "a part"},
    {"a/..", "a part"},
    {"a/./b", "a part"},
    {"./a", "a part"},
    {"/etc/passwd", "begins with a slash"},
    {"/", "begins with a slash"},
    {"//x", "begins with a slash"},
    {"a//b", "an empty part"},
    {"a/", "an empty part"},
    {"a\\b", "a backslash"},
    {"..\\x", "a backslash"},
    {"c:x", "a drive letter"},
    {"Z:/x", "a drive letter"},
    {".git", ".git folder"},
    {".GIT/hooks/run", ".git folder"},
    {"a/.Git/config", ".git folder"},
    {".cache/drhost/lock", "their own notes"},
    {".Cache/DRHOST/x", "their own notes"},
    {".cache/huggingface", "their own notes"},
    {"a\nb", "a control character"},
    {"a\x1b[2Jb", "a control character"},
    {"a\x7f", "a control character"},
    {"a\xff", "not UTF-8"},
    {"a\xc3", "not UTF-8"},
    {"\xed\xa0\x80", "not UTF-8"},
    {"\xc0\xae\xc0\xae/x", "not UTF-8"}, /* ".." in too many bytes */
    {S1000 S10 S10 "abcde", "longer than 1024 bytes"},
};

START_TEST(names_of_files)
{
    const drh_file       f = file_of(names[_i].name, 7);
    const struct listed *l = add(&f);

    if (!names[_i].why) {
        ck_assert_msg(l->state == LISTED, "%s: %s", names[_i].name, l->why);
        ck_assert_str_eq(l->name, names[_i].name);
        ck_assert_ptr_null(l->why);
        return;
    }
    ck_assert_msg(l->state == LISTED_FAILED, "%s", names[_i].name);
    ck_assert_int_eq(l->status, DRH_E_DATA);
    ck_assert_msg(strstr(l->why, "its name is refused: ") == l->why, "%s", l->why);
    ck_assert_msg(strstr(l->why, names[_i].why) != NULL, "%s: %s", names[_i].name, l->why);
    ck_assert(json_utf8_valid(l->name, strlen(l->name)) && strlen(l->name) <= 1024);
    ck_assert_ptr_null(strpbrk(l->name, "\n\x1b\x7f"));
}
END_TEST

START_TEST(a_name_with_a_zero)
{
    drh_file f = file_of("", 0);

    f.name = (drh_str){"a\0b", 3};
    ck_assert_int_eq(add(&f)->state, LISTED_FAILED);
    ck_assert_str_eq(list.file[0].name, "a?b");
}
END_TEST

/* Nothing of it may be found by its content in another hub, and be brought under this name. */
START_TEST(a_refused_name_has_no_digest)
{
    drh_file f = file_of("../x", 5);

    f.sha256 = drh_str_of(SHA256);
    ck_assert_int_eq(add(&f)->state, LISTED_FAILED);
    ck_assert_uint_eq(list.file[0].hash, DRH_HASH_NONE);
}
END_TEST

START_TEST(what_cannot_be_said_of_a_file)
{
    drh_file f = file_of("a", 5);

    f.struct_size = 8;
    ck_assert_int_eq(list_file(&list, &f), DRH_E_ARG);
    f = file_of("../a", 5);
    f.local = drh_str_of("/data/a");
    ck_assert_int_eq(list_file(&list, &f), DRH_E_ARG);
    ck_assert_uint_eq(list.n, 0);
}
END_TEST

/* ---- digests ---- */

static const struct {
    const char *sha256, *git;
    int         hash; /* -1: the file cannot be brought */
} digests[] = {
    {SHA256, NULL, DRH_HASH_SHA256},
    {SHA256, GIT, DRH_HASH_SHA256},
    {NULL, GIT, DRH_HASH_GIT_SHA1},
    {"", GIT, DRH_HASH_GIT_SHA1},
    {NULL, NULL, DRH_HASH_NONE},
    {"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", NULL, DRH_HASH_SHA256},
    {GIT, NULL, -1},
    {NULL, SHA256, -1},
    {"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ag", GIT, -1},
    {"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a\x13", GIT, -1}, /* no '3' */
    {SHA256 "0", NULL, -1},
    {"x", NULL, -1},
};

START_TEST(digests_of_files)
{
    drh_file             f = file_of("a", 5);
    const struct listed *l;
    char                 hex[65];

    f.sha256 = drh_str_of(digests[_i].sha256);
    f.git_sha1 = drh_str_of(digests[_i].git);
    l = add(&f);
    ck_assert_int_eq(l->state == LISTED_FAILED, digests[_i].hash < 0);
    if (digests[_i].hash >= 0) {
        ck_assert_int_eq(l->hash, digests[_i].hash);
        listed_file(l, hex, &f);
        ck_assert_uint_eq(f.sha256.len, digests[_i].hash == DRH_HASH_SHA256 ? 64 : 0);
        ck_assert_uint_eq(f.git_sha1.len, digests[_i].hash == DRH_HASH_GIT_SHA1 ? 40 : 0);
        ck_assert_str_eq(hex, digests[_i].hash == DRH_HASH_SHA256     ? SHA256
                              : digests[_i].hash == DRH_HASH_GIT_SHA1 ? GIT
                                                                      : hex);
    }
}
END_TEST

/* ---- very many ---- */

START_TEST(very_many_take_little)
{
    enum { N = 100000 };
    char     name[80];
    drh_file f;
    size_t   bytes;

    for (int i = 0; i < N; i++) {
        (void)snprintf(name, sizeof(name), "data/train/part-%05d/shard-%05d-of-%05d.json", i / 100,
                       i, N);
        f = file_of(name, (uint64_t)i);
        f.sha256 = drh_str_of(SHA256);
        f.key = drh_str_of(GIT); /* a commit, as ModelScope pins each file */
        (void)add(&f);
    }
    bytes = list.cap * sizeof(*list.file);
    for (size_t i = 0; i < list.n; i++) {
        bytes += malloc_usable_size(list.file[i].name) + sizeof(size_t);
    }
    ck_assert_uint_le(bytes / N, 300);
}
END_TEST

/* ---- twice ---- */

struct row {
    const char *name;
    uint64_t    size;
    const char *sha256, *git, *key, *local;
    uint32_t    flags;
};

static void add_row(const struct row *r)
{
    drh_file f = file_of(r->name, r->size);

    f.flags = r->flags;
    f.sha256 = drh_str_of(r->sha256);
    f.git_sha1 = drh_str_of(r->git);
    f.key = drh_str_of(r->key);
    f.local = drh_str_of(r->local);
    (void)add(&f);
}

START_TEST(the_same_twice_is_once)
{
    static const struct row rows[] = {
        {.name = "b", .size = 5, .sha256 = SHA256, .key = "k", .flags = DRH_FILE_ASIDE},
        {.name = "a", .size = 7},
        {.name = "b", .size = 5, .sha256 = SHA256, .key = "k", .flags = DRH_FILE_ASIDE},
        {.name = "bad", .size = 1, .sha256 = "x"},
        {.name = "a", .size = 7},
        {.name = "c", .size = 7, .local = "/x/c"},
        {.name = "bad", .size = 1, .sha256 = "x"},
        {.name = "a", .size = 7},
        {.name = "c", .size = 7, .local = "/x/c"},
        {.name = "A", .size = 7},
    };
    drh_error e = ERR_INIT;

    for (int i = 0; i < ROWS(rows); i++) {
        add_row(&rows[i]);
    }
    ck_assert_int_eq(list_settle(&list, &e), DRH_OK);
    ck_assert_uint_eq(list.n, 5);
    ck_assert_str_eq(list.file[0].name, "A");
    ck_assert_str_eq(list.file[1].name, "a");
    ck_assert_str_eq(list.file[2].name, "b");
    ck_assert_str_eq(list.file[3].name, "bad");
    ck_assert_str_eq(list.file[4].name, "c");
    ck_assert_str_eq(list.file[4].local, "/x/c");
}
END_TEST

static const struct {
    struct row  a, b;
    const char *says;
} differing[] = {
    {{.name = "a", .size = 12}, {.name = "a", .size = 10}, "with 10 and 12 bytes"},
    {{.name = "a", .size = UINT64_MAX}, {.name = "a", .size = 10}, "10 bytes and without a size"},
    {{.name = "a", .sha256 = SHA256}, {.name = "a", .git = GIT}, "digests of two kinds"},
    {{.name = "a", .sha256 = SHA256}, {.name = "a"}, "digests of two kinds"},
    {{.name = "a", .git = GIT},
     {.name = "a", .git = "0000000000000000000000000000000000000000"},
     "two digests"},
    {{.name = "a", .sha256 = SHA256}, {.name = "a", .sha256 = "x"}, "two digests"},
    {{.name = "a", .flags = DRH_FILE_ASIDE}, {.name = "a"}, "once as data and once set aside"},
    {{.name = "a", .key = "secret1"}, {.name = "a", .key = "secret2"}, "two keys"},
    {{.name = "a", .key = "secret1"}, {.name = "a", .key = "secret"}, "two keys"},
    {{.name = "a", .key = "secret"}, {.name = "a", .key = "secret1"}, "two keys"},
    {{.name = "a", .key = "secret1"}, {.name = "a"}, "two keys"},
    {{.name = "a", .local = "/x/a"}, {.name = "a", .local = "/y/a"}, "/a"},
    {{.name = "a", .local = "/x/a"}, {.name = "a"}, "from"},
};

START_TEST(two_that_differ)
{
    drh_error e = ERR_INIT;

    add_row(&(struct row){.name = "0"});
    add_row(&differing[_i].a);
    add_row(&(struct row){.name = "z"});
    add_row(&differing[_i].b);
    add_row(&(struct row){.name = "z"});
    ck_assert_int_eq(list_settle(&list, &e), DRH_E_DATA);
    ck_assert_msg(strstr(e.message, "the file a twice, ") == e.message, "%s", e.message);
    ck_assert_msg(strstr(e.message, differing[_i].says) != NULL, "%s", e.message);
    ck_assert_ptr_null(strstr(e.message, "secret"));
    ck_assert_uint_eq(list.n, 5);
}
END_TEST

/* What is left of their names is the same; the files need not be.  A good one is not harmed. */
START_TEST(refused_names_do_not_clash)
{
    static const struct row rows[] = {{.name = "a\x01", .size = 1}, {.name = "a?", .size = 3},
                                      {.name = "a\x02", .size = 2}, {.name = "a?", .size = 3},
                                      {.name = "../b", .size = 1},  {.name = "../b", .size = 2}};
    drh_error               e = ERR_INIT;

    for (int i = 0; i < ROWS(rows); i++) {
        add_row(&rows[i]);
    }
    ck_assert_msg(list_settle(&list, &e) == DRH_OK, "%s", e.message);
    ck_assert_uint_eq(list.n, 5);
    ck_assert_str_eq(list.file[2].name, "a?");
    ck_assert_int_eq(list.file[2].state, LISTED);
    ck_assert_int_eq(list.file[3].state, LISTED_FAILED);
}
END_TEST

START_TEST(nothing_is_settled)
{
    drh_error e = ERR_INIT;

    ck_assert_int_eq(list_settle(&list, &e), DRH_OK);
    ck_assert_uint_eq(list.n, 0);
}
END_TEST

/* ---- as a source gives them ---- */

static const struct row *given;

static drh_status give(void *self, drh_list *l, drh_error *e)
{
    (void)self, (void)e;
    for (size_t i = 0; given[i].name; i++) {
        drh_file   f = file_of(given[i].name, given[i].size);
        drh_status st = list_file(l, &f);
        if (st != DRH_OK) {
            return st;
        }
    }
    return DRH_OK;
}

static drh_status ask(const struct row *rows, drh_error *e)
{
    static struct stage stage = {
        .ops.source = {.struct_size = sizeof(drh_source_ops), .list = give}};
    static char            id[] = "hub";
    static struct step     of_recipe = {.id = id};
    static struct instance in = {.stage = &stage, .step = id};
    struct plan_step       step = {.step = &of_recipe, .stage = &stage, .in = &in};

    given = rows;
    return source_list(&step, &list, e);
}

START_TEST(a_source_that_repeats_itself)
{
    static const struct row same[] = {
        {.name = "b", .size = 2}, {.name = "a", .size = 1}, {.name = "b", .size = 2}, {0}};
    static const struct row differ[] = {{.name = "b", .size = 2}, {.name = "b", .size = 3}, {0}};
    static const struct row none[] = {{0}};
    drh_error               e = ERR_INIT;

    ck_assert_msg(ask(same, &e) == DRH_OK, "%s", e.message);
    ck_assert_uint_eq(list.n, 2);
    list_free(&list);
    ck_assert_int_eq(ask(differ, &e), DRH_E_DATA);
    ck_assert_str_eq(e.message, "source hub names the file b twice, with 2 and 3 bytes");
    ck_assert_int_eq(e.code, DRH_E_DATA);
    list_free(&list);
    ck_assert_int_eq(ask(none, &e), DRH_E_MISSING);
    ck_assert_str_eq(e.message, "source hub names no file");
}
END_TEST

/* ---- a file system that ignores case ---- */

START_TEST(names_that_differ_in_case)
{
    static const char *const given_names[] = {"B/x", "a",      "A",      "b/X",   "b/y",
                                              "C",   "c",      "d",      "C\\d",  "\xc3\x84.",
                                              "e",   "Readme", "README", "rEADME"};
    static const char *const failing[] = {"a", "b/X", "c", "Readme", "rEADME"};
    drh_error                e = ERR_INIT;
    size_t                   n = 0;

    for (int i = 0; i < ROWS(given_names); i++) {
        const drh_file f = file_of(given_names[i], 1);
        (void)add(&f);
    }
    ck_assert_int_eq(list_settle(&list, &e), DRH_OK);
    ck_assert_int_eq(pull_refuse_doubles(&list, &e), DRH_OK);
    for (size_t i = 0; i < list.n; i++) {
        const struct listed *f = &list.file[i];
        bool                 fails = strchr(f->name, '\\') != NULL;
        for (int k = 0; k < ROWS(failing); k++) {
            fails |= strcmp(f->name, failing[k]) == 0;
        }
        ck_assert_msg((f->state == LISTED_FAILED) == fails, "%s", f->name);
        n += fails && strstr(f->why, "takes its name and") != NULL;
    }
    ck_assert_uint_eq(n, ROWS(failing));
}
END_TEST

/* ---- words of others ---- */

static const char *const words[][2] = {
    {"plain", "plain"},
    {"", ""},
    {"\xe5\xa5\xbd\xf0\x9f\x98\x80", "\xe5\xa5\xbd\xf0\x9f\x98\x80"},
    {"a\tb\nc\r", "a b c "},
    {"\x1b[2J\x07\x7f", "?[2J??"},
    {"\xc2\x9b"
     "2J\xc2\xa0",
     "??2J\xc2\xa0"}, /* a control sequence in one character */
    {"cut \xe5\xa5", "cut ??"},
    {"\xff\xe5\xa5\xbd\xc3", "?\xe5\xa5\xbd?"},
    {"\xed\xa0\x80", "???"},
};

START_TEST(words_of_servers)
{
    static struct instance in = {.step = NULL};
    char                   text[64];
    struct listed          f = {0};
    drh_error              e = ERR_INIT;

    (void)snprintf(text, sizeof(text), "%s", words[_i][0]);
    err_harmless(text, strlen(text));
    ck_assert_str_eq(text, words[_i][1]);
    if (text[0]) {
        (void)err_set(&e, DRH_E_NETWORK, "%s", words[_i][0]);
        ck_assert_int_eq(stage_error(&in, DRH_E_NETWORK, &e), DRH_E_NETWORK);
        ck_assert_str_eq(e.message, words[_i][1]);
    }
    ck_assert_int_eq(listed_fail(&f, DRH_E_NETWORK, words[_i][0]), DRH_E_NETWORK);
    ck_assert_str_eq(f.why, words[_i][1]);
    (void)listed_fail(&f, DRH_E_NETWORK, ""); /* frees the first */
    mem_free(f.why);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("list");

    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_loop_test(t, names_of_files, 0, ROWS(names));
    tcase_add_test(t, a_name_with_a_zero);
    tcase_add_test(t, a_refused_name_has_no_digest);
    tcase_add_test(t, what_cannot_be_said_of_a_file);
    tcase_add_loop_test(t, digests_of_files, 0, ROWS(digests));
    tcase_add_test(t, very_many_take_little);
    tcase_add_test(t, the_same_twice_is_once);
    tcase_add_loop_test(t, two_that_differ, 0, ROWS(differing));
    tcase_add_test(t, refused_names_do_not_clash);
    tcase_add_test(t, nothing_is_settled);
    tcase_add_test(t, a_source_that_repeats_itself);
    tcase_add_test(t, names_that_differ_in_case);
    tcase_add_loop_test(t, words_of_servers, 0, ROWS(words));
    return run_case("pull_list", t);
}
