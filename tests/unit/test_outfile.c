/* SPDX-License-Identifier: MIT
 * test_outfile.c - a file is there whole or not at all, and its digest and size are those of the
 * bytes on disk.  Each test has a folder of its own and looks at what lies in it. */
#include "outfile.h"

#include "err.h"
#include "hash.h"
#include "mem.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

static char dir[64];
static char path[128]; /* dir/out.jsonl */

static void setup(void)
{
    snprintf(dir, sizeof(dir), "/tmp/drh_outfile_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/out.jsonl", dir);
}

static void remove_tree(const char *top)
{
    DIR           *d = opendir(top);
    struct dirent *x;

    while (d && (x = readdir(d))) {
        char p[512];

        if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0) {
            continue;
        }
        snprintf(p, sizeof(p), "%s/%s", top, x->d_name);
        if (unlink(p) != 0) {
            remove_tree(p);
        }
    }
    if (d) {
        closedir(d);
    }
    rmdir(top);
}

static void teardown(void)
{
    remove_tree(dir);
}

static int count_files(void)
{
    DIR           *d = opendir(dir);
    struct dirent *x;
    int            n = 0;

    while ((x = readdir(d))) {
        n += x->d_name[0] != '.' || strlen(x->d_name) > 2;
    }
    closedir(d);
    return n;
}

static void ck_file(const char *p, const char *want, size_t n)
{
    drh_error e = ERR_INIT;
    char     *got;
    size_t    len;

    ck_assert_msg(read_file(p, 64 << 20, &got, &len, &e) == DRH_OK, "%s", e.message);
    ck_assert_uint_eq(len, n);
    ck_assert_mem_eq(got, want, n);
    ck_assert_int_eq(got[len], 0);
    mem_free(got);
}

/* Bytes that do not compress to nothing; free() them. */
static char *noise(size_t n)
{
    char    *p = malloc(n);
    uint64_t x = 1;
    size_t   i;

    for (i = 0; i < n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        p[i] = (char)('a' + (x >> 60));
    }
    return p;
}

/* In pieces of all sizes, some larger than the buffer. */
static void write_pieces(struct outfile *o, const char *p, size_t n)
{
    drh_error e = ERR_INIT;
    size_t    at, step = 1;

    for (at = 0; at < n; at += step) {
        step = (step * 7 + 3) % 700001;
        if (step > n - at) {
            step = n - at;
        }
        ck_assert_int_eq(outfile_write(o, p + at, step, &e), DRH_OK);
    }
    ck_assert_uint_eq(outfile_size(o), n);
}

START_TEST(appears_whole)
{
    size_t          n = 3000000;
    char           *p = noise(n);
    struct outfile *o;
    drh_error       e = ERR_INIT;
    uint8_t         got[32], want[32];
    uint64_t        stored;
    struct stat     sb;

    umask(022);
    ck_assert_int_eq(outfile_open(&o, path, OUT_DIGEST, &e), DRH_OK);
    write_pieces(o, p, n);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(count_files(), 1);
    ck_assert_int_eq(outfile_commit(o, got, &stored, &e), DRH_OK);
    ck_assert_int_eq(count_files(), 1);
    ck_file(path, p, n);
    ck_assert_uint_eq(stored, n);
    ck_assert_int_eq(sha256_of(p, n, want), DRH_OK);
    ck_assert_mem_eq(got, want, 32);
    ck_assert_int_eq(stat(path, &sb), 0);
    ck_assert_uint_eq(sb.st_mode & 0777, 0644);
    free(p);
}
END_TEST

/* Over bytes that are on the disk, and over some that are still held. */
START_TEST(patched)
{
    size_t          n = 700000;
    char           *p = noise(n);
    struct outfile *o;
    drh_error       e = ERR_INIT;
    uint8_t         got[32], want[32];

    ck_assert_int_eq(outfile_open(&o, path, OUT_DIGEST, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, p, n, &e), DRH_OK);
    memcpy(p + 5, "HEAD", 4);
    ck_assert_int_eq(outfile_patch(o, 5, "HEAD", 4, &e), DRH_OK);
    memcpy(p + n - 3, "END", 3);
    ck_assert_int_eq(outfile_patch(o, n - 3, "END", 3, &e), DRH_OK);
    ck_assert_int_eq(outfile_patch(o, n, "", 0, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, "more", 4, &e), DRH_OK); /* goes on behind */
    ck_assert_int_eq(outfile_patch(o, n + 2, "RE", 2, &e), DRH_OK);
    ck_assert_int_eq(outfile_commit(o, got, NULL, &e), DRH_OK);
    p = realloc(p, n + 4);
    memcpy(p + n, "moRE", 4);
    ck_file(path, p, n + 4);
    ck_assert_int_eq(sha256_of(p, n + 4, want), DRH_OK);
    ck_assert_mem_eq(got, want, 32);
    free(p);
}
END_TEST

START_TEST(patched_in_vain)
{
    struct outfile *o;
    drh_error       e = ERR_INIT;

    ck_assert_int_eq(outfile_open(&o, path, OUT_DIGEST, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, "0123456789", 10, &e), DRH_OK);
    ck_assert_int_eq(outfile_patch(o, 8, "abc", 3, &e), DRH_E_RANGE);
    ck_assert_int_eq(outfile_patch(o, UINT64_MAX, "abc", 3, &e), DRH_E_RANGE);
    ck_assert_int_eq(outfile_commit(o, NULL, NULL, &e), DRH_OK);
    ck_file(path, "0123456789", 10);
    ck_assert_int_eq(outfile_open(&o, path, OUT_ZSTD, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, "0123456789", 10, &e), DRH_OK);
    ck_assert_int_eq(outfile_patch(o, 0, "a", 1, &e), DRH_E_UNSUPPORTED);
    outfile_abort(o);
    ck_assert_int_eq(outfile_open(&o, "/dev/null", 0, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, "0123456789", 10, &e), DRH_OK);
    ck_assert_int_eq(outfile_patch(o, 0, "a", 1, &e), DRH_E_UNSUPPORTED);
    outfile_abort(o);
}
END_TEST

START_TEST(abort_leaves_nothing)
{
    struct outfile *o;
    drh_error       e = ERR_INIT;

    ck_assert_int_eq(outfile_put(path, "old", 3, &e), DRH_OK);
    ck_assert_int_eq(outfile_open(&o, path, OUT_DIGEST | OUT_ZSTD, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, "new", 3, &e), DRH_OK);
    ck_assert_int_eq(count_files(), 2);
    outfile_abort(o);
    outfile_abort(NULL);
    ck_assert_int_eq(count_files(), 1);
    ck_file(path, "old", 3);
    ck_assert_int_eq(outfile_put(path, "newer", 5, &e), DRH_OK);
    ck_file(path, "newer", 5);
}
END_TEST

static void ck_zstd(const char *want, size_t n)
{
    drh_error e = ERR_INIT;
    char     *got, *text = malloc(n + 1);
    size_t    len;

    ck_assert_int_eq(read_file(path, 64 << 20, &got, &len, &e), DRH_OK);
    ck_assert_uint_gt(len, 0);
    ck_assert_uint_eq(ZSTD_decompress(text, n + 1, got, len), n);
    ck_assert_mem_eq(text, want, n);
    mem_free(got);
    free(text);
}

START_TEST(compressed)
{
    size_t          n = 2000000;
    char           *p = noise(n);
    struct outfile *o;
    drh_error       e = ERR_INIT;
    uint8_t         got[32], want[32];
    uint64_t        stored;
    struct stat     sb;

    ck_assert_int_eq(outfile_open(&o, path, OUT_ZSTD | OUT_DIGEST, &e), DRH_OK);
    write_pieces(o, p, n);
    ck_assert_int_eq(outfile_commit(o, got, &stored, &e), DRH_OK);
    ck_zstd(p, n);
    ck_assert_int_eq(stat(path, &sb), 0);
    ck_assert_uint_eq((uint64_t)sb.st_size, stored);
    ck_assert_uint_lt(stored, n);
    ck_assert_int_eq(sha256_file(path, want, &e), DRH_OK);
    ck_assert_mem_eq(got, want, 32);
    free(p);
}
END_TEST

START_TEST(compressed_by_name)
{
    struct outfile *o;
    drh_error       e = ERR_INIT;

    snprintf(path, sizeof(path), "%s/x.jsonl.zst", dir);
    ck_assert_int_eq(outfile_open(&o, path, 0, &e), DRH_OK);
    ck_assert_int_eq(outfile_commit(o, NULL, NULL, &e), DRH_OK);
    ck_zstd("", 0); /* nothing in it, and still a zstd file */
    ck_assert_int_eq(outfile_open(&o, path, 0, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, "hello", 5, &e), DRH_OK);
    ck_assert_int_eq(outfile_commit(o, NULL, NULL, &e), DRH_OK);
    ck_zstd("hello", 5);
}
END_TEST

/* head + file + tail, for each kind of target and part. */
static void append_case(uint32_t flags, bool zstd_part)
{
    size_t          n = 1500000;
    char           *p = noise(n + 8);
    char            part[160];
    struct outfile *o;
    drh_error       e = ERR_INIT;
    uint8_t         got[32], want[32];

    memcpy(p, "head", 4);
    memcpy(p + n + 4, "tail", 4);
    snprintf(part, sizeof(part), "%s/part", dir);
    ck_assert_int_eq(outfile_open(&o, part, zstd_part ? OUT_ZSTD : 0, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, p + 4, n, &e), DRH_OK);
    ck_assert_int_eq(outfile_commit(o, NULL, NULL, &e), DRH_OK);

    ck_assert_int_eq(outfile_open(&o, path, flags, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, "head", 4, &e), DRH_OK);
    ck_assert_int_eq(outfile_append_file(o, part, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, "tail", 4, &e), DRH_OK);
    ck_assert_int_eq(outfile_commit(o, got, NULL, &e), DRH_OK);
    if (flags & OUT_ZSTD) {
        ck_zstd(p, n + 8);
    } else {
        ck_file(path, p, n + 8);
    }
    if (flags & OUT_DIGEST) {
        ck_assert_int_eq(sha256_file(path, want, &e), DRH_OK);
        ck_assert_mem_eq(got, want, 32);
    }
    free(p);
}

START_TEST(append)
{
    append_case(0, false);
    append_case(OUT_DIGEST, false);
    append_case(OUT_ZSTD, false);
    append_case(OUT_ZSTD, true);
    append_case(OUT_ZSTD | OUT_DIGEST, true);
}
END_TEST

START_TEST(append_of_nothing)
{
    struct outfile *o;
    drh_error       e = ERR_INIT;
    char            part[160];

    snprintf(part, sizeof(part), "%s/part", dir);
    ck_assert_int_eq(outfile_put(part, "", 0, &e), DRH_OK);
    ck_assert_int_eq(outfile_open(&o, path, OUT_NOSYNC, &e), DRH_OK);
    ck_assert_int_eq(outfile_append_file(o, part, &e), DRH_OK);
    ck_assert_int_eq(outfile_append_file(o, "/nonexistent", &e), DRH_E_MISSING);
    /* a failure stays: such a file is never put in place */
    ck_assert_int_eq(outfile_write(o, "x", 1, &e), DRH_E_MISSING);
    ck_assert_int_eq(outfile_commit(o, NULL, NULL, &e), DRH_E_MISSING);
    ck_assert_ptr_nonnull(strstr(e.message, "/nonexistent"));
    ck_assert_int_eq(count_files(), 1);
}
END_TEST

START_TEST(folders_are_made)
{
    drh_error e = ERR_INIT;

    snprintf(path, sizeof(path), "%s/a//b/c/out.json", dir);
    ck_assert_int_eq(outfile_put(path, "x", 1, &e), DRH_OK);
    ck_file(path, "x", 1);
    ck_assert_int_eq(make_dirs(dir, &e), DRH_OK);
    ck_assert_int_eq(make_dirs("/", &e), DRH_OK);
    ck_assert_int_eq(make_dirs(path, &e), DRH_E_IO); /* a file */
    ck_assert_ptr_nonnull(strstr(e.message, path));
    snprintf(path, sizeof(path), "%s/a/b/c/out.json/d/e", dir);
    ck_assert_int_ge(outfile_put(path, "x", 1, &e), DRH_E_ARG);
}
END_TEST

START_TEST(odd_targets)
{
    struct outfile *o;
    drh_error       e = ERR_INIT;
    char            link_to[160], longest[400];
    struct stat     sb;

    ck_assert_int_eq(outfile_open(&o, dir, 0, &e), DRH_E_IO);
    ck_assert_ptr_null(o);
    ck_assert_ptr_nonnull(strstr(e.message, "folder"));
    ck_assert_int_eq(outfile_open(&o, "", 0, &e), DRH_E_IO);

    ck_assert_int_eq(outfile_put("/dev/null", "x", 1, &e), DRH_OK);
    ck_assert_int_eq(stat("/dev/null", &sb), 0);
    ck_assert(S_ISCHR(sb.st_mode));

    snprintf(link_to, sizeof(link_to), "%s/link", dir);
    ck_assert_int_eq(outfile_put(path, "old", 3, &e), DRH_OK);
    ck_assert_int_eq(symlink("out.jsonl", link_to), 0);
    ck_assert_int_eq(outfile_put(link_to, "new", 3, &e), DRH_OK);
    ck_assert_int_eq(lstat(link_to, &sb), 0);
    ck_assert(S_ISLNK(sb.st_mode));
    ck_file(path, "new", 3);

    snprintf(longest, sizeof(longest), "%s/%0255d", dir, 1); /* NAME_MAX */
    ck_assert_int_eq(outfile_put(longest, "x", 1, &e), DRH_OK);
    ck_file(longest, "x", 1);
}
END_TEST

START_TEST(standard_output)
{
    struct outfile *o;
    drh_error       e = ERR_INIT;
    int             keep = dup(STDOUT_FILENO);
    int             fd = open(path, O_WRONLY | O_CREAT, 0600);

    dup2(fd, STDOUT_FILENO);
    close(fd);
    ck_assert_int_eq(outfile_open(&o, "-", 0, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, "hello", 5, &e), DRH_OK);
    ck_assert_int_eq(outfile_commit(o, NULL, NULL, &e), DRH_OK);
    ck_assert_int_ge(fcntl(STDOUT_FILENO, F_GETFD), 0); /* still open */
    dup2(keep, STDOUT_FILENO);
    close(keep);
    ck_file(path, "hello", 5);
}
END_TEST

/* EFBIG takes the way that ENOSPC takes; /dev/full gives that one. */
START_TEST(no_room)
{
    struct rlimit    small = {100000, 100000};
    struct outfile  *o;
    drh_error        e = ERR_INIT;
    char            *p = noise(400000);
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    ck_assert_int_eq(outfile_open(&o, "/dev/full", 0, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, p, 1000, &e), DRH_OK);
    ck_assert_int_eq(outfile_commit(o, NULL, NULL, &e), DRH_E_IO);
    ck_assert_ptr_nonnull(strstr(e.message, "no space left"));
    ck_assert_ptr_nonnull(strstr(e.message, "the next 1000 do not fit"));

    sigaction(SIGXFSZ, &ignore, NULL);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    ck_assert_int_eq(outfile_open(&o, path, OUT_NOSYNC, &e), DRH_OK);
    ck_assert_int_eq(outfile_write(o, p, 400000, &e), DRH_E_IO);
    ck_assert_ptr_nonnull(strstr(e.message, path));
    ck_assert_ptr_nonnull(strstr(e.message, "100000 bytes are written, the next 162144"));
    ck_assert_int_eq(outfile_commit(o, NULL, NULL, &e), DRH_E_IO);
    ck_assert_int_eq(count_files(), 0);
    free(p);
}
END_TEST

START_TEST(reading)
{
    drh_error e = ERR_INIT;
    char     *p;
    size_t    n;

    ck_assert_int_eq(outfile_put(path, "12345", 5, &e), DRH_OK);
    ck_assert_int_eq(read_file(path, 5, &p, &n, &e), DRH_OK);
    ck_assert_uint_eq(n, 5);
    ck_assert_str_eq(p, "12345");
    mem_free(p);
    ck_assert_int_eq(read_file(path, 4, &p, &n, &e), DRH_E_RANGE);
    ck_assert_ptr_null(p);
    ck_assert_int_eq(read_file(dir, 4, &p, &n, &e), DRH_E_IO);
    ck_assert_int_eq(read_file("/nonexistent", 4, &p, &n, &e), DRH_E_MISSING);
    ck_assert_int_eq(read_file("/proc/self/stat", 4096, &p, &n, &e), DRH_OK); /* says size 0 */
    ck_assert_uint_gt(n, 10);
    mem_free(p);
    ck_assert_int_eq(read_file("/dev/null", 0, &p, &n, &e), DRH_OK);
    ck_assert_str_eq(p, "");
    mem_free(p);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("outfile");
    TCase   *t = tcase_create("outfile");
    SRunner *r;
    int      failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, appears_whole);
    tcase_add_test(t, patched);
    tcase_add_test(t, patched_in_vain);
    tcase_add_test(t, abort_leaves_nothing);
    tcase_add_test(t, compressed);
    tcase_add_test(t, compressed_by_name);
    tcase_add_test(t, append);
    tcase_add_test(t, append_of_nothing);
    tcase_add_test(t, folders_are_made);
    tcase_add_test(t, odd_targets);
    tcase_add_test(t, standard_output);
    tcase_add_test(t, no_room);
    tcase_add_test(t, reading);
    tcase_set_timeout(t, 30);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
