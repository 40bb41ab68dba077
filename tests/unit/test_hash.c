/* SPDX-License-Identifier: MIT
 * test_hash.c - SHA-256 against the examples of FIPS 180-4, splitmix64 against its published
 * numbers, CRC-32 against the check value of its catalogue. */
#include "hash.h"

#include "err.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *text, *hex;
} vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};
static const char million_a[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void ck_hex(const uint8_t d[32], const char *want)
{
    char hex[65];

    hex_of(d, 32, hex);
    ck_assert_str_eq(hex, want);
}

START_TEST(fips_examples)
{
    uint8_t d[32];
    size_t  i;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        ck_assert_int_eq(sha256_of(vectors[i].text, strlen(vectors[i].text), d), DRH_OK);
        ck_hex(d, vectors[i].hex);
    }
}
END_TEST

START_TEST(streamed)
{
    struct sha256 *s = sha256_new();
    char           piece[1000];
    uint8_t        d[32];
    int            i, round;

    ck_assert_ptr_nonnull(s);
    memset(piece, 'a', sizeof(piece));
    for (round = 0; round < 2; round++) {
        for (i = 0; i < 1000; i++) {
            ck_assert_int_eq(sha256_add(s, piece, sizeof(piece)), DRH_OK);
        }
        ck_assert_int_eq(sha256_end(s, d), DRH_OK);
        ck_hex(d, million_a);
        sha256_reset(s);
    }
    ck_assert_int_eq(sha256_add(s, "never ended", 11), DRH_OK);
    sha256_reset(s);
    ck_assert_int_eq(sha256_add(s, "abc", 3), DRH_OK);
    ck_assert_int_eq(sha256_end(s, d), DRH_OK);
    ck_hex(d, vectors[1].hex);
    sha256_free(s);
    sha256_free(NULL);
}
END_TEST

/* The framing written out: what sha256sum says of those bytes. */
START_TEST(parts_are_framed)
{
    const drh_str parts[] = {{"ab", 2}, {"", 0}, {"c", 1}};
    const drh_str other[] = {{"a", 1}, {"bc", 2}};
    const char    framed[] = "\2\0\0\0\0\0\0\0ab\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0c";
    uint8_t       d[32], want[32];

    ck_assert_int_eq(sha256_parts(parts, 3, d), DRH_OK);
    ck_assert_int_eq(sha256_of(framed, sizeof(framed) - 1, want), DRH_OK);
    ck_assert_mem_eq(d, want, 32);
    ck_assert_int_eq(sha256_parts(other, 2, d), DRH_OK);
    ck_assert_mem_ne(d, want, 32);
    ck_assert_int_eq(sha256_parts(NULL, 0, d), DRH_OK);
    ck_hex(d, vectors[0].hex);
}
END_TEST

/* Parts of sizes around the buffer that small ones are gathered in, in threes. */
START_TEST(parts_of_any_size)
{
    static char  text[1100], framed[3 * sizeof(text) + 24];
    const size_t size[] = {0, 1, 500, 1000, 1007, 1008, 1009, 1015, 1016, 1017, 1024, 1025, 1100};
    const size_t n = sizeof(size) / sizeof(size[0]);
    uint8_t      d[32], want[32];
    size_t       i, k, at;

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (char)(i * 7 + i / 256);
    }
    for (i = 0; i < n * n * n; i++) {
        const drh_str parts[] = {
            {text, size[i / (n * n)]}, {text, size[i / n % n]}, {text, size[i % n]}};
        for (k = at = 0; k < 3; k++) {
            const char head[8] = {(char)parts[k].len, (char)(parts[k].len >> 8)};
            memcpy(framed + at, head, 8);
            memcpy(framed + at + 8, text, parts[k].len);
            at += 8 + parts[k].len;
        }
        ck_assert_int_eq(sha256_parts(parts, 3, d), DRH_OK);
        ck_assert_int_eq(sha256_of(framed, at, want), DRH_OK);
        ck_assert_mem_eq(d, want, 32);
    }
}
END_TEST

static void *in_thread(void *arg)
{
    uint8_t d[32];
    char    hex[65] = "";
    int     i;

    for (i = 0; i < 200; i++) {
        if (sha256_of("abc", 3, d) != DRH_OK) {
            return NULL;
        }
        hex_of(d, 32, hex);
    }
    return strcmp(hex, vectors[1].hex) == 0 ? arg : NULL;
}

/* Under ThreadSanitizer: nothing is shared. */
START_TEST(threads)
{
    pthread_t t[4];
    int       id[4];
    void     *ok;
    int       i;

    for (i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&t[i], NULL, in_thread, &id[i]), 0);
    }
    for (i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_join(t[i], &ok), 0);
        ck_assert_ptr_eq(ok, &id[i]);
    }
}
END_TEST

START_TEST(files)
{
    char      path[] = "/tmp/drh_hash_XXXXXX";
    int       fd = mkstemp(path);
    FILE     *f = fdopen(fd, "wb");
    drh_error e = ERR_INIT;
    uint8_t   d[32];
    int       i;

    ck_assert_ptr_nonnull(f);
    for (i = 0; i < 1000000; i++) {
        fputc('a', f);
    }
    fclose(f);
    ck_assert_int_eq(sha256_file(path, d, &e), DRH_OK);
    ck_hex(d, million_a);
    unlink(path);
    ck_assert_int_eq(sha256_file(path, d, &e), DRH_E_MISSING);
    ck_assert_ptr_nonnull(strstr(e.message, path));
    ck_assert_int_eq(sha256_file("/tmp", d, &e), DRH_E_IO);
}
END_TEST

/* What git hash-object says of them. */
START_TEST(blobs)
{
    static const struct {
        const char *text, *hex;
    } blob[] = {{"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"},
                {"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"}};
    drh_error e = ERR_INIT;

    for (int i = 0; i < 2; i++) {
        FILE   *f = tmpfile();
        uint8_t d[32];
        char    hex[65];

        fputs(blob[i].text, f);
        fflush(f); /* and the position is the end: it begins at the start by itself */
        ck_assert_int_eq(hash_fd(fileno(f), DRH_HASH_GIT_SHA1, d, "x", &e), DRH_OK);
        hex_of(d, 20, hex);
        ck_assert_str_eq(hex, blob[i].hex);
        fclose(f);
    }
}
END_TEST

START_TEST(numbers)
{
    /* Vigna's splitmix64.c started at 1234567. */
    ck_assert_uint_eq(mix64(1234567, 0), 6457827717110365317u);
    ck_assert_uint_eq(mix64(1234567, 1), 3203168211198807973u);
    ck_assert_uint_eq(mix64(1234567, 2), 9817491932198370423u);
    ck_assert_uint_eq(crc32_of(0, "123456789", 9), 0xcbf43926u);
    ck_assert_uint_eq(crc32_of(crc32_of(0, "1234", 4), "56789", 5), 0xcbf43926u);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("hash");
    TCase   *t = tcase_create("hash");
    SRunner *r;
    int      failed;

    tcase_add_test(t, fips_examples);
    tcase_add_test(t, streamed);
    tcase_add_test(t, parts_are_framed);
    tcase_add_test(t, parts_of_any_size);
    tcase_add_test(t, threads);
    tcase_add_test(t, files);
    tcase_add_test(t, blobs);
    tcase_add_test(t, numbers);
    tcase_set_timeout(t, 30);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
