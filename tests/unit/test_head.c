/* SPDX-License-Identifier: MIT
 * test_head.c - what a file is by its first bytes: JSON, something that only a reader can read, or
 * not to be told. */
#include "head.h"

#include "err.h"
#include "run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char path[] = "/tmp/drhost-head-XXXXXX";

static void setup(void)
{
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    (void)close(fd);
}

static void teardown(void)
{
    (void)unlink(path);
}

#define B(s) s, sizeof(s) - 1
static const struct {
    const char *bytes;
    size_t      n;
    const char *name;
    bool        json;
    const char *words; /* NULL: may be JSON */
} cases[] = {
    {B(""), "a.parquet", true, NULL},
    {B(" \n\t \r\n"), "a.csv", true, NULL},
    {B("{\"a\":1}\n"), "a.csv", true, NULL},
    {B("[1]"), "a", true, NULL},
    {B("\xef\xbb\xbf  {\"a\":1}\n"), "a", true, NULL},
    {B("\xef\xbb\xbf"), "a", true, NULL},
    {B("\"text\"\n"), "a.jsonl", false, NULL},
    {B("no JSON here\n"), "a.jsonl", false, NULL},
    {B("no JSON here\n{\"a\":1}\n"), "a.txt", false, NULL},
    {B("\0\0\n{\"a\":1}\n"), "a.jsonl", false, NULL},
    {B("\0\0\n"), "a.jsonl", false, "a binary file"},
    {B("a,b\n"), "x/A.CSV", false, "a CSV file"},
    {B("a,b\n"), "a.csv.zst", false, "a CSV file"},
    {B("a\tb\n"), "a.tsv.gz", false, "a TSV file"},
    {B("a,b\n"), ".csv", false, NULL},
    {B("a,b\n"), "csv", false, NULL},
    {B("text\n"), "a.txt", false, "a text file"},
    {B("key: 1\n"), "a.yml", false, "a YAML file"},
    {B("PAR1"), "a.json", false, "a Parquet file"},
    {B("PAR"), "a.json", false, NULL},
    {B("PAR1\n{\"a\":1}\n"), "a", false, "a Parquet file"},
    {B("xPAR1"), "a.parquet", false, "in spite of its name"},
    {B("ARROW1\0\0"), "a", false, "an Arrow file"},
    {B("PK\x03\x04"), "a", false, "xlsx"},
    {B("BZh91AY"), "a", false, "a bzip2 file"},
    {B("\xff\xfe{\0"), "a", false, "UTF-16"},
    {B("SQLite format 3\0"), "a", false, "SQLite"},
    {B("version https://git-lfs.github.com/spec/v1\n"), "a.jsonl", false, "Git LFS pointer"},
    {B("<!doctype html>"), "a.jsonl", false, "an HTML page"},
};

static void judge(const struct head *h, size_t i)
{
    const char *words = head_foreign(h, cases[i].name);

    ck_assert_msg(head_is_json(h) == cases[i].json, "case %zu: JSON or not", i);
    if (cases[i].words) {
        ck_assert_msg(words && strstr(words, cases[i].words), "case %zu: %s", i,
                      words ? words : "nothing");
    } else {
        ck_assert_msg(!words, "case %zu: %s", i, words);
    }
}

START_TEST(by_content_and_name)
{
    static struct head h;
    drh_error          e = ERR_INIT;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        FILE  *f = fopen(path, "wb");
        gzFile z;

        ck_assert(f && fwrite(cases[i].bytes, 1, cases[i].n, f) == cases[i].n && !fclose(f));
        ck_assert_int_eq(head_read(&h, path, &e), DRH_OK);
        ck_assert_uint_eq(h.n_raw, cases[i].n);
        ck_assert(cases[i].n == 0 || memcmp(h.raw, cases[i].bytes, cases[i].n) == 0);
        judge(&h, i);
        z = gzopen(path, "wb"); /* compressed: the same, but for a reader, which gets it as it is */
        ck_assert(z && gzwrite(z, cases[i].bytes, (unsigned)cases[i].n) == (int)cases[i].n);
        ck_assert_int_eq(gzclose(z), Z_OK);
        ck_assert_int_eq(head_read(&h, path, &e), DRH_OK);
        ck_assert(h.n_raw > 2 && h.raw[0] == 0x1f && h.n_text == cases[i].n);
        judge(&h, i);
    }
}
END_TEST

START_TEST(long_ones)
{
    static struct head h;
    drh_error          e = ERR_INIT;
    FILE              *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < 20000; i++) {
        ck_assert_int_eq(fputc(i < 257 ? 'a' : "ustar"[i % 257 % 5], f),
                         i < 257 ? 'a' : "ustar"[i % 257 % 5]);
    }
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(head_read(&h, path, &e), DRH_OK);
    ck_assert_uint_eq(h.n_raw, HEAD_BYTES);
    ck_assert_uint_eq(h.n_text, HEAD_BYTES);
    ck_assert_str_eq(head_foreign(&h, "a"), "a tar archive");
    ck_assert_int_eq(head_read(&h, "/tmp/drhost-head-none/x", &e), DRH_E_MISSING);
    ck_assert_ptr_nonnull(strstr(e.message, "/tmp/drhost-head-none/x"));
    ck_assert_int_ne(head_read(&h, "/tmp", &e), DRH_OK);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("head");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, by_content_and_name);
    tcase_add_test(t, long_ones);
    return run_case("head", t);
}
