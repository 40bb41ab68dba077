/* SPDX-License-Identifier: MIT
 * test_content.c - made content is what README.md says, the same by any way of reading it, without
 * repeated places; digests against published vectors and OpenSSL over the bytes as read. */
#include "content.h"

#include "../unit/run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint64_t word_at(const unsigned char *p)
{
    uint64_t w = 0;

    for (int i = 7; i >= 0; i--) {
        w = w << 8 | p[i];
    }
    return w;
}

START_TEST(words_as_documented)
{
    struct content *c = content_made(77, 8 * 20000);
    unsigned char  *p = xalloc(8, 20000);
    int             wrong = 0;

    content_read(c, 0, p, 8 * 20000);
    for (uint64_t w = 0; w < 20000; w++) {
        wrong += word_at(p + 8 * w) != (mix64(w % 8192) ^ (mix64(77) + w * 0x9e3779b97f4a7c15u));
    }
    ck_assert_int_eq(wrong, 0);
    free(p);
    content_free(c);
}
END_TEST

/* Any cut of the file gives the same bytes: odd offsets and lengths, odd memory, far out. */
START_TEST(any_part)
{
    static const uint64_t bases[] = {0, 65536 - 9, (1ull << 32) + 65536 - 100, (1ull << 40) + 3};
    struct content       *c = content_made(5, 1ull << 41);
    char                 *whole = xalloc(1, 5000), *part = xalloc(1, 5008);
    int                   wrong = 0;

    for (size_t b = 0; b < COUNT(bases); b++) {
        content_read(c, bases[b], whole, 5000);
        for (size_t from = 0; from < 40; from++) {
            for (size_t n = 0; n < 4000; n = n * 3 + 1) {
                content_read(c, bases[b] + from, part + from % 8, n);
                wrong += memcmp(part + from % 8, whole + from, n) != 0;
            }
        }
    }
    ck_assert_int_eq(wrong, 0);
    free(part);
    free(whole);
    content_free(c);
}
END_TEST

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Nowhere do two places of two objects look alike. */
START_TEST(places_differ)
{
    enum { N = 1 << 18 };
    uint64_t *words = xalloc(2 * N, 8);
    int       same = 0;

    for (size_t i = 0; i < 2; i++) {
        struct content *c = content_made(i + 1, 8 * N);

        content_read(c, 0, words + i * N, 8 * N);
        content_free(c);
    }
    qsort(words, 2 * N, 8, by_value);
    for (size_t i = 1; i < 2 * N; i++) {
        same += words[i - 1] == words[i];
    }
    ck_assert_int_eq(same, 0);
    free(words);
}
END_TEST

START_TEST(digests)
{
    static const struct {
        const char *text, *sha256, *git;
    } v[] = {{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
              "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"},
             {"# hi\n", "045d2d07c2db3b9e6cef022457ee89434045a508c2dadccf9abe182ad633c273",
              "77ebc6577e3fc2c38b5bc7f233510fafba6822ac"},
             {"Hello, World!", "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f",
              "b45ef6fec89518d314f546fd6c3025367b721684"}};

    for (size_t i = 0; i < COUNT(v); i++) {
        struct content *c = content_text(v[i].text, strlen(v[i].text));

        c->want_git = true;
        content_hash(c);
        ck_assert_str_eq(c->sha256, v[i].sha256);
        ck_assert_str_eq(c->git, v[i].git);
        content_free(c);
    }
}
END_TEST

/* Many at once, on all cores; digests that are given are not computed. */
START_TEST(all_digests)
{
    struct content *c[40];
    char            want[65], *p = xalloc(1, 400000);

    for (size_t i = 0; i < COUNT(c); i++) {
        c[i] = content_made(i, 10000 * i);
    }
    (void)snprintf(c[7]->sha256, sizeof(c[7]->sha256), "given");
    content_hash_all(c, COUNT(c));
    ck_assert_str_eq(c[7]->sha256, "given");
    for (size_t i = 0; i < COUNT(c); i++) {
        content_read(c[i], 0, p, 10000 * i);
        sha256_text(p, 10000 * i, want);
        if (i != 7) {
            ck_assert_str_eq(c[i]->sha256, want);
        }
        content_free(c[i]);
    }
    free(p);
}
END_TEST

START_TEST(rows_and_files)
{
    static const char want[] = "[a 0000 0000,a 0001 0001,a 0002 0002,]";
    struct content   *c = content_rows("[", "a #### ####,", "]", 3);
    char              path[] = "/tmp/fakehub-content-XXXXXX", got[64];
    int               fd = mkstemp(path);

    ck_assert_uint_eq(c->size, strlen(want));
    for (size_t from = 0; from < sizeof(want) - 1; from++) {
        content_read(c, from, got, sizeof(want) - 1 - from);
        ck_assert_mem_eq(got, want + from, sizeof(want) - 1 - from);
    }
    content_free(c);
    c = content_rows("[", "####", "]", ENDLESS);
    content_read(c, 1 + 4ull * 1000000000000 + 2, got, 4);
    ck_assert_mem_eq(got, "0000", 4);
    content_free(c);

    ck_assert_int_eq((int)write(fd, "0123456789", 10), 10);
    (void)close(fd);
    c = content_file(path);
    ck_assert_uint_eq(c->size, 10);
    content_read(c, 3, got, 4);
    ck_assert_mem_eq(got, "3456", 4);
    content_free(c);
    (void)unlink(path);
}
END_TEST

START_TEST(encodings)
{
    struct sb s = {NULL, 0, 0};
    char      text[] = "a%2Fb+c%20d", bad[] = "%4", zero[] = "%00", *data, *b64;

    ck_assert_uint_eq(unquote(text, true), 7);
    ck_assert_str_eq(text, "a/b c d");
    ck_assert_uint_eq(unquote(bad, false), (size_t)-1);
    ck_assert_uint_eq(unquote(zero, false), (size_t)-1);
    sb_quote(&s, "data/train set+1.parquet", "/");
    ck_assert_str_eq(s.p, "data/train%20set%2B1.parquet");
    s.n = 0;
    sb_json(&s, "a\"\\\n\xff\xc3\xa9", 7);
    ck_assert_str_eq(s.p, "\"a\\\"\\\\\\u000a\\u00ff\xc3\xa9\"");
    sb_free(&s);
    b64 = base64_text("\xff\xef\0x", 4, false);
    ck_assert_str_eq(b64, "/+8AeA==");
    ck_assert_uint_eq(base64_data(b64, &data), 4);
    ck_assert_mem_eq(data, "\xff\xef\0x", 4);
    free(data);
    free(b64);
    ck_assert(glob_match("*/tree/*", "/api/datasets/o/d/tree/main?x=/y"));
    ck_assert(!glob_match("*.bin", "a.bin.json"));
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("content");

    tcase_add_test(t, words_as_documented);
    tcase_add_test(t, any_part);
    tcase_add_test(t, places_differ);
    tcase_add_test(t, digests);
    tcase_add_test(t, all_digests);
    tcase_add_test(t, rows_and_files);
    tcase_add_test(t, encodings);
    return run_case("content", t);
}
