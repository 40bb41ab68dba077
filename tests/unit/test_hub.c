/* SPDX-License-Identifier: MIT
 *
 * test_hub.c - drh/hub.h: texts that grow, percent-encoding, globs, the choice of files.  Answers
 * and addresses are test_hub_answers.c's.
 */
#include "bare_host.h"
#include "record.h"
#include "run.h"
#include "schema.h"

#include <drh/hub.h>
#include <stdio.h>

/* ---- texts ---- */

START_TEST(a_text_grows)
{
    drh_text t = {.host = &bare_host};
    size_t   i;

    ck_assert_str_eq(drh_text_str(&t).ptr, "");
    ck_assert_uint_eq(drh_text_str(&t).len, 0);
    drh_text_add(&t, "", 0); /* a text that is empty, but there */
    ck_assert_ptr_nonnull(t.ptr);
    ck_assert_str_eq(t.ptr, "");
    for (i = 0; i < 1000; i++) {
        drh_text_adds(&t, "abc");
        ck_assert_uint_eq(t.len, 3 * (i + 1));
        ck_assert_int_eq(t.ptr[t.len], 0);
        ck_assert_uint_lt(t.len, t.cap);
    }
    drh_text_addv(&t, (drh_str){"x\0y", 3});
    ck_assert_uint_eq(t.len, 3003);
    ck_assert_mem_eq(t.ptr + 2997, "abcx\0y", 7);
    drh_text_clear(&t);
    ck_assert_str_eq(drh_text_str(&t).ptr, "");
    ck_assert_int_eq(bare_blocks, 1);
    drh_text_free(&t);
    ck_assert_int_eq(bare_blocks, 0);
    drh_text_free(&t); /* twice is fine */
    drh_text_clear(&t);
}
END_TEST

START_TEST(a_text_without_memory)
{
    drh_text t = {.host = &bare_host};

    drh_text_adds(&t, "first");
    bare_allowed = 0;
    drh_text_add(&t, "0123456789012345678901234567890123456789", 40);
    ck_assert_int_eq(t.failed, 1);
    ck_assert_str_eq(t.ptr, "first");
    bare_allowed = -1;
    drh_text_adds(&t, "later"); /* a hole in the middle would be worse than none */
    ck_assert_str_eq(t.ptr, "first");
    ck_assert_int_eq(t.failed, 1);
    drh_text_clear(&t);
    ck_assert_int_eq(t.failed, 0);
    drh_text_adds(&t, "again");
    ck_assert_str_eq(t.ptr, "again");
    drh_text_free(&t);
    bare_allowed = 0;
    drh_text_adds(&t, "none");
    ck_assert_ptr_null(t.ptr);
    ck_assert_int_eq(t.failed, 1);
}
END_TEST

/* By hand from Python's urllib.parse.quote(), safe="/" and safe="". */
static const struct {
    const char *text, *path, *all;
} quoted[] = {
    {"", "", ""},
    {"data/train set+1.parquet", "data/train%20set%2B1.parquet", "data%2Ftrain%20set%2B1.parquet"},
    {"refs/convert/parquet", "refs/convert/parquet", "refs%2Fconvert%2Fparquet"},
    {"A-Za-z0-9_.-~", "A-Za-z0-9_.-~", "A-Za-z0-9_.-~"},
    {"#?%+&=@:,;[]'()!*", "%23%3F%25%2B%26%3D%40%3A%2C%3B%5B%5D%27%28%29%21%2A",
     "%23%3F%25%2B%26%3D%40%3A%2C%3B%5B%5D%27%28%29%21%2A"},
    {"\"<>\\^`{|}$ \t\x7f", "%22%3C%3E%5C%5E%60%7B%7C%7D%24%20%09%7F",
     "%22%3C%3E%5C%5E%60%7B%7C%7D%24%20%09%7F"},
    {"数据/文件.json", "%E6%95%B0%E6%8D%AE/%E6%96%87%E4%BB%B6.json",
     "%E6%95%B0%E6%8D%AE%2F%E6%96%87%E4%BB%B6.json"},
    {"100%2F", "100%252F", "100%252F"},
};

START_TEST(percent_encoding)
{
    drh_text t = {.host = &bare_host};

    drh_text_quote(&t, drh_str_of(quoted[_i].text), "/");
    ck_assert_str_eq(drh_text_str(&t).ptr, quoted[_i].path);
    drh_text_clear(&t);
    drh_text_quote(&t, drh_str_of(quoted[_i].text), "");
    ck_assert_str_eq(drh_text_str(&t).ptr, quoted[_i].all);
    drh_text_free(&t);
}
END_TEST

START_TEST(percent_encoding_of_zero)
{
    drh_text t = {.host = &bare_host};

    drh_text_quote(&t, (drh_str){"a\0b\n", 4}, "/");
    ck_assert_str_eq(drh_text_str(&t).ptr, "a%00b%0A");
    drh_text_free(&t);
}
END_TEST

/* By hand from Python's urllib.parse.unquote(). */
static const struct {
    const char *text, *plain;
} unquoted[] = {
    {"", ""},
    {"a%20b", "a b"},
    {"refs%2Fpr%2F1", "refs/pr/1"},
    {"%E6%95%B0%e6%8d%ae", "\xe6\x95\xb0\xe6\x8d\xae"},
    {"a+b", "a+b"}, /* a space in a query only */
    {"100%", "100%"},
    {"%2", "%2"},
    {"%2G%G2%%41", "%2G%G2%A"},
    {"%252F", "%2F"},
};

START_TEST(percent_decoding)
{
    drh_text t = {.host = &bare_host};

    drh_text_unquote(&t, drh_str_of(unquoted[_i].text));
    ck_assert_str_eq(drh_text_str(&t).ptr, unquoted[_i].plain);
    drh_text_free(&t);
    drh_text_unquote(&t, (drh_str){"%41", 2}); /* its length counts */
    ck_assert_str_eq(drh_text_str(&t).ptr, "%4");
    drh_text_free(&t);
}
END_TEST

/* ---- parts of texts ---- */

START_TEST(parts_of_texts)
{
    drh_str s = drh_str_of("abc/def/"), rest, none = {NULL, 0};

    ck_assert_int_eq(drh_str_starts(s, "abc/"), 1);
    ck_assert_int_eq(drh_str_starts(s, ""), 1);
    ck_assert_int_eq(drh_str_starts(s, "abc/def/g"), 0);
    ck_assert_int_eq(drh_str_ends(s, "/"), 1);
    ck_assert_int_eq(drh_str_ends(s, "def"), 0);
    ck_assert_int_eq(drh_str_ends(drh_str_of("f"), "def"), 0);
    ck_assert_int_eq(drh_str_eq(drh_str_from(s, 4), "def/"), 1);
    ck_assert_uint_eq(drh_str_from(s, 8).len, 0);
    ck_assert_uint_eq(drh_str_from(s, 99).len, 0);
    ck_assert_int_eq(drh_str_eq(drh_str_cut(s, '/', &rest), "abc"), 1);
    ck_assert_int_eq(drh_str_eq(rest, "def/"), 1);
    ck_assert_int_eq(drh_str_eq(drh_str_cut(rest, '/', &rest), "def"), 1);
    ck_assert_uint_eq(rest.len, 0);
    ck_assert_uint_eq(drh_str_cut(none, '/', &rest).len, 0);
    ck_assert_int_eq(drh_str_eq(drh_str_cut(s, 'x', &rest), "abc/def/"), 1);
    ck_assert_uint_eq(rest.len, 0);
    ck_assert_int_eq(drh_str_eq(drh_str_cut(s, '/', NULL), "abc"), 1);
    rest = drh_str_of("/x");
    ck_assert_uint_eq(drh_str_cut(rest, '/', &rest).len, 0); /* into itself */
    ck_assert_int_eq(drh_str_eq(rest, "x"), 1);
}
END_TEST

START_TEST(hexadecimal_digits)
{
    ck_assert_int_eq(drh_str_hex(drh_str_of("09afAF"), 6), 1);
    ck_assert_int_eq(drh_str_hex(drh_str_of("09afAF"), 5), 0);
    ck_assert_int_eq(drh_str_hex(drh_str_of("09afAF"), 7), 0);
    ck_assert_int_eq(drh_str_hex(drh_str_of("09afAg"), 6), 0);
    ck_assert_int_eq(drh_str_hex(drh_str_of("09af@`"), 6), 0);
    ck_assert_int_eq(drh_str_hex(drh_str_of("09af:/"), 6), 0);
    ck_assert_int_eq(drh_str_hex(drh_str_of("0x09af"), 6), 0);
    ck_assert_int_eq(drh_str_hex((drh_str){NULL, 0}, 0), 1);
    ck_assert_int_eq(drh_str_hex((drh_str){NULL, 0}, 40), 0);
}
END_TEST

/* ---- globs ---- */

/* By hand from Python 3.11's fnmatch.fnmatchcase(path, pattern). */
static const struct {
    const char *pattern, *path;
    int         hit;
} globs[] = {
    {"*.json", "a.json", 1},
    {"*.json", "a/b/c.json", 1},
    {"*.json", "a.jsonl", 0},
    {"*.json", "A.JSON", 0},
    {"a/*/c", "a/b/c", 1},
    {"a/*/c", "a/b/x/c", 1},
    {"a/*/c", "a/c", 0},
    {"*", "a/b", 1},
    {"*", "", 1},
    {"", "", 1},
    {"", "a", 0},
    {"?", "a", 1},
    {"?", "/", 1},
    {"a?c", "abc", 1},
    {"a?c", "a/c", 1},
    {"a?c", "ac", 0},
    {"???", "ab", 0},
    {"**/x", "a/b/x", 1},
    {"**/x", "x", 0},
    {"[abc]", "b", 1},
    {"[abc]", "d", 0},
    {"[a-c]", "b", 1},
    {"[a-c]", "-", 0},
    {"[!a-c]", "d", 1},
    {"[!a-c]", "b", 0},
    {"[!a-c]", "/", 1},
    {"[]a]", "]", 1},
    {"[]a]", "a", 1},
    {"[]a]", "b", 0},
    {"[!]a]", "]", 0},
    {"[!]a]", "x", 1},
    {"[", "[", 1},
    {"[a", "[a", 1},
    {"[a", "a", 0},
    {"[!", "[!", 1},
    {"[]", "[]", 1},
    {"[!]", "[!]", 1},
    {"x[", "x[", 1},
    {"[[]", "[", 1},
    {"[a-]", "-", 1},
    {"[a-]", "a", 1},
    {"[a-]", "b", 0},
    {"[-a]", "-", 1},
    {"[--0]", ".", 1},
    {"[c-a]", "b", 0},
    {"[!c-a]", "b", 1},
    {"[a-c-e]", "d", 0},
    {"[a-c-e]", "-", 1},
    {"[^a]", "^", 1},
    {"[^a]", "b", 0},
    {"[/]", "/", 1},
    {"a[/]b", "a/b", 1},
    {"\\*", "\\abc", 1},
    {"\\*", "*", 0},
    {"a\\?", "a\\b", 1},
    {"[\\]", "\\", 1},
    {"[\\]]", "\\]", 1},
    {"[\\]]", "]", 0},
    {".*", ".hidden", 1},
    {"*", ".hidden", 1},
    {"*.bin", "x.bin.json", 0},
    {"train*", "data/train.json", 0},
    {"data/train-????"
     "?-of-*.parquet",
     "data/train-00001-of-00010.parquet", 1},
    {"{a,b}", "a", 0},
    {"{a,b}", "{a,b}", 1},
    {"a+", "a+", 1},
    {"a.c", "abc", 0},
    {"$", "$", 1},
    {"(a|b)", "a", 0},
    {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaac", 0},
    {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaab", 1},
    {"*ab", "aab", 1},
    {"a*b*c", "abbc", 1},
    {"a*b*c", "abcb", 0},
    {"*[ab]x", "caax", 1},
    {"数*", "数据.json", 1},
    {"*.json", "数据.json", 1},
    {"a\nb*", "a\nbc", 1},
    {"*", "a\nb", 1},
};

START_TEST(globs_as_python_reads_them)
{
    ck_assert_msg(drh_hub_match(drh_str_of(globs[_i].pattern), drh_str_of(globs[_i].path)) ==
                      globs[_i].hit,
                  "\"%s\" and \"%s\": %d", globs[_i].pattern, globs[_i].path, !globs[_i].hit);
}
END_TEST

/* "dir/" is "dir/" and "*" for the hub's own tools: the same, by hand, with the star added. */
static const struct {
    const char *pattern, *path;
    int         hit;
} folders[] = {
    {"data/", "data/a", 1},  {"data/", "data/a/b", 1},   {"data/", "data", 0},
    {"data/", "xdata/a", 0}, {"data/", "a/data/b", 0},   {"*/", "a/b", 1},
    {"*/", "a", 0},          {"d?ta/", "data/x", 1},     {"/", "a", 0},
    {"/", "/a", 1},          {"data/x/", "data/y/z", 0}, {"*data/", "a/data/b", 1},
};

START_TEST(globs_of_folders)
{
    ck_assert_msg(drh_hub_match(drh_str_of(folders[_i].pattern), drh_str_of(folders[_i].path)) ==
                      folders[_i].hit,
                  "\"%s\" and \"%s\": %d", folders[_i].pattern, folders[_i].path, !folders[_i].hit);
}
END_TEST

/* A pattern is its length, not what is behind it. */
START_TEST(globs_end_where_they_end)
{
    ck_assert_int_eq(drh_hub_match((drh_str){"[a]", 2}, drh_str_of("[a")), 1);
    ck_assert_int_eq(drh_hub_match((drh_str){"[a]", 2}, drh_str_of("a")), 0);
    ck_assert_int_eq(drh_hub_match((drh_str){"ab*", 2}, drh_str_of("abc")), 0);
    ck_assert_int_eq(drh_hub_match(drh_str_of("ab"), (drh_str){"abc", 2}), 1);
    ck_assert_int_eq(drh_hub_match((drh_str){NULL, 0}, (drh_str){NULL, 0}), 1);
}
END_TEST

/* ? is one byte here and one letter in Python; so it says in the header. */
START_TEST(globs_count_bytes)
{
    ck_assert_int_eq(drh_hub_match(drh_str_of("?.json"), drh_str_of("数.json")), 0);
    ck_assert_int_eq(drh_hub_match(drh_str_of("???.json"), drh_str_of("数.json")), 1);
}
END_TEST

/* One step for each byte of pattern and path: here 13 million; trying all ways would not end. */
START_TEST(globs_take_no_time)
{
    static char pattern[202], path[1 << 16];
    size_t      i;

    for (i = 0; i < 200; i += 2) {
        memcpy(pattern + i, "*a", 2);
    }
    pattern[200] = 'b';
    memset(path, 'a', sizeof(path) - 1);
    ck_assert_int_eq(drh_hub_match(drh_str_of(pattern), drh_str_of(path)), 0);
    path[sizeof(path) - 2] = 'b';
    ck_assert_int_eq(drh_hub_match(drh_str_of(pattern), drh_str_of(path)), 1);
}
END_TEST

/* ---- which files ---- */

static const struct {
    const char *path;
    int         aside;
} sides[] = {
    {"train.json", 0},
    {"train.jsonl", 0},
    {"a/b/train.jsonl", 0},
    {"data/train-00000-of-00001.parquet", 0},
    {"x.ndjson", 0},
    {"x.csv", 0},
    {"x.tsv", 0},
    {"x.arrow", 0},
    {"x.txt", 0},
    {"x.jsonl.gz", 0},
    {"x.json.zst", 0},
    {"x.zip", 0},
    {"x.tar", 0},
    {"x.tgz", 0},
    {"x.feather", 0},
    {"README.md", 1},
    {"a/README.md", 1},
    {"LICENSE", 1},
    {"LICENSE.txt", 1},
    {"README.txt", 1},
    {"a/README.txt", 1},
    {"requirements.txt", 1},
    {"dataset_info.json", 1},
    {"a/dataset_infos.json", 1},
    {"state.json", 1},
    {"my_state.json", 0},
    {"configuration.json", 1},
    {"logo.png", 1},
    {"load.py", 1},
    {"json", 1},
    {".gitattributes", 1},
    {".json", 1},
    {".cache/a.json", 1},
    {"a/.hidden/b.json", 1},
    {"a/.hidden.json", 1},
    {"a.b/c.json", 0},
    {"", 1},
};

START_TEST(files_without_records)
{
    ck_assert_msg(drh_hub_aside(drh_str_of(sides[_i].path)) == sides[_i].aside, "\"%s\"",
                  sides[_i].path);
}
END_TEST

static drh_host host;

static struct drh_config *config_of(const char *options)
{
    struct drh_config *c = NULL;
    drh_error          e = DRH_ERROR_INIT;
    cJSON             *value = cJSON_Parse(options);

    ck_assert_ptr_nonnull(value);
    ck_assert_int_eq(config_new(value, &c, &e), DRH_OK);
    cJSON_Delete(value);
    host = bare_host;
    host.values = &value_api;
    host.config = &config_api;
    return c;
}

/* w: wanted, a: set aside. */
static const struct {
    const char *options, *path, *want;
} choices[] = {
    {"{}", "a.json", "w"},
    {"{}", "README.md", "wa"},
    {"{\"include\":[]}", "a.json", "w"},
    {"{\"include\":[\"*.md\"]}", "README.md", "w"},
    {"{\"include\":[\"*.md\"]}", "a.json", ""},
    {"{\"include\":[\"x\",\"a.*\"]}", "a.json", "w"},
    {"{\"include\":[\"data/\"]}", "data/x/LICENSE", "w"},
    {"{\"include\":[\"data/\"]}", "other/a.json", ""},
    {"{\"exclude\":[\"*.json\"]}", "a.json", ""},
    {"{\"exclude\":[\"x\",\"*.json\"]}", "a.json", ""},
    {"{\"exclude\":[\"*.json\"]}", "README.md", "wa"},
    {"{\"include\":[\"*.json\"],\"exclude\":[\"a*\"]}", "a.json", ""},
    {"{\"include\":[\"*.json\"],\"exclude\":[\"a*\"]}", "b.json", "w"},
    {"{\"files\":[\"a.json\"]}", "a.json", "w"},
    {"{\"files\":[\"a.json\"]}", "b.json", ""},
    {"{\"files\":[\"a.json\"]}", "xa.json", ""},
    {"{\"files\":[\"a.json\"]}", "a.jsonl", ""},
    {"{\"files\":[\"*.json\"]}", "a.json", ""}, /* names, not globs */
    {"{\"files\":[\"*.json\"]}", "*.json", "w"},
    {"{\"files\":[\"data/\"]}", "data/a/b.png", "w"},
    {"{\"files\":[\"data/\"]}", "data", ""},
    {"{\"files\":[\"README.md\"]}", "README.md", "w"},
    {"{\"files\":[\"x\",\"y\",\"a.json\"]}", "a.json", "w"},
    {"{\"files\":[\"a.json\"],\"exclude\":[\"a.json\"]}", "a.json", "w"},
    {"{\"files\":[\"a.json\"],\"include\":[\"b.json\"]}", "b.json", ""},
    {"{\"files\":\"a.json\"}", "b.json", "w"}, /* no list: not there */
    {"{\"files\":[1,null,\"a.json\"]}", "a.json", "w"},
};

START_TEST(the_choice_of_files)
{
    struct drh_config *c = config_of(choices[_i].options);
    drh_str            path = drh_str_of(choices[_i].path);
    int                wanted = drh_hub_wanted(&host, c, path);
    uint32_t           flags = drh_hub_flags(&host, c, path);

    ck_assert_msg(wanted == (strchr(choices[_i].want, 'w') != NULL), "%s, %s: wanted",
                  choices[_i].options, choices[_i].path);
    if (wanted) {
        ck_assert_msg(flags == (strchr(choices[_i].want, 'a') ? DRH_FILE_ASIDE : 0),
                      "%s, %s: aside", choices[_i].options, choices[_i].path);
    }
    config_free(c);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("hub");

    tcase_add_checked_fixture(t, bare_reset, NULL);
    tcase_add_test(t, a_text_grows);
    tcase_add_test(t, a_text_without_memory);
    tcase_add_loop_test(t, percent_encoding, 0, ROWS(quoted));
    tcase_add_test(t, percent_encoding_of_zero);
    tcase_add_loop_test(t, percent_decoding, 0, ROWS(unquoted));
    tcase_add_test(t, parts_of_texts);
    tcase_add_test(t, hexadecimal_digits);
    tcase_add_loop_test(t, globs_as_python_reads_them, 0, ROWS(globs));
    tcase_add_loop_test(t, globs_of_folders, 0, ROWS(folders));
    tcase_add_test(t, globs_end_where_they_end);
    tcase_add_test(t, globs_count_bytes);
    tcase_add_test(t, globs_take_no_time);
    tcase_add_loop_test(t, files_without_records, 0, ROWS(sides));
    tcase_add_loop_test(t, the_choice_of_files, 0, ROWS(choices));
    return run_case("hub", t);
}
