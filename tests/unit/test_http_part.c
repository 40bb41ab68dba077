/* SPDX-License-Identifier: MIT
 *
 * test_http_part.c - plugins/http/part.c: what an earlier run has left of a file, and when it is
 * believed.
 */
#include "bare_host.h"
#include "part.h"
#include "run.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { B = PART_BLOCK, HEAD = 4096, BOOT = 64 }; /* as part.c has the journal */

static char        dir[BARE_PATH];
static int         state;
static struct part p;
static drh_error   e;

static void setup(void)
{
    bare_reset();
    bare_folder(dir);
    state = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(state, 0);
    e = (drh_error)DRH_ERROR_INIT;
}

static void teardown(void)
{
    part_close(&p);
    part_close(&p);
    ck_assert_int_eq(bare_blocks, 0);
    close(state);
    bare_remove(dir);
}

static drh_fetch_file file_of(const char *name, uint64_t size, uint32_t hash, uint8_t first)
{
    drh_fetch_file f = {.struct_size = sizeof(f), .hash = hash, .size = size};

    f.name = drh_str_of(name);
    f.digest[0] = first;
    return f;
}

static void open_it(uint64_t size)
{
    drh_fetch_file f = file_of("a/b.bin", size, DRH_HASH_SHA256, 7);

    ck_assert_msg(part_open(&p, &bare_host, state, &f, size, &e) == DRH_OK, "%s", e.message);
}

static void reopen(uint64_t size)
{
    part_close(&p);
    open_it(size);
}

static void fill(uint64_t from, uint64_t to)
{
    static char bytes[B];

    memset(bytes, 'x', sizeof(bytes));
    for (uint64_t at = from; at < to;) {
        size_t n = to - at < B ? (size_t)(to - at) : B;
        ck_assert_int_eq(part_write(&p, at, bytes, n, &e), DRH_OK);
        at += n;
    }
    ck_assert(part_mark(&p, from, to));
}

/* "10110": which blocks are there. */
static void ck_blocks(const char *want)
{
    char     got[64];
    uint64_t left = 0;

    ck_assert_uint_eq(p.n_blocks, strlen(want));
    for (uint64_t b = 0; b < p.n_blocks; b++) {
        got[b] = part_has(&p, b) ? '1' : '0';
        left += !part_has(&p, b);
    }
    got[p.n_blocks] = '\0';
    ck_assert_str_eq(got, want);
    ck_assert_uint_eq(p.left, left);
}

static off_t size_of(const char *suffix)
{
    char        path[200];
    struct stat sb;

    snprintf(path, sizeof(path), "%s/%s%s", dir, p.key, suffix);
    return lstat(path, &sb) == 0 ? sb.st_size : -1;
}

/* ---- blocks ---- */

START_TEST(a_new_part)
{
    open_it(3 * B + 5);
    ck_assert(p.anew);
    ck_blocks("0000");
    ck_assert_uint_eq(part_whole(&p), 0);
    ck_assert_int_eq(size_of(".part"), 3 * B + 5);
    ck_assert_int_eq(size_of(".journal"), HEAD + 2);
    ck_assert_uint_eq(strlen(p.key), 32);
    ck_assert_uint_eq(strspn(p.key, "0123456789abcdef"), 32);
}
END_TEST

static const struct {
    uint64_t size, blocks;
} sizes[] = {{0, 0},         {1, 1},       {B - 1, 1},      {B, 1},         {B + 1, 2},
             {2 * B - 1, 2}, {2 * B, 2},   {7 * B + 1, 8},  {8 * B - 1, 8}, {8 * B, 8},
             {8 * B + 1, 9}, {16 * B, 16}, {16 * B + 1, 17}};

START_TEST(sizes_around_blocks)
{
    const uint64_t size = sizes[_i].size;

    open_it(size);
    ck_assert_uint_eq(p.n_blocks, sizes[_i].blocks);
    ck_assert_uint_eq(p.left, sizes[_i].blocks);
    if (size) {
        fill(0, size);
    }
    ck_assert_uint_eq(p.left, 0);
    ck_assert_uint_eq(part_whole(&p), size);
    ck_assert_int_eq(part_sync(&p, &e), DRH_OK);
    reopen(size);
    ck_assert_uint_eq(p.left, 0);
    ck_assert_uint_eq(part_whole(&p), size);
    ck_assert(!p.anew);
    if (size > 1) { /* all but the first byte: the first block is not there */
        ck_assert_int_eq(part_reset(&p, &e), DRH_OK);
        fill(1, size);
        ck_assert_uint_eq(p.left, 1);
        ck_assert_uint_eq(part_whole(&p), 0);
        ck_assert_int_eq(part_reset(&p, &e), DRH_OK);
        fill(0, size - 1); /* all but the last one */
        ck_assert_uint_eq(p.left, 1);
        ck_assert_uint_eq(part_whole(&p), (size - 1) / B * B);
    }
}
END_TEST

START_TEST(only_whole_blocks_count)
{
    open_it(4 * B + 10);
    fill(0, B - 1);
    ck_blocks("00000");
    fill(5, B);
    ck_blocks("00000");
    fill(B + 1, 3 * B - 1);
    ck_blocks("00000");
    fill(B - 1, 2 * B + 7);
    ck_blocks("01000");
    ck_assert_uint_eq(part_whole(&p), 0);
    fill(4 * B, 4 * B + 9);
    ck_blocks("01000");
    fill(4 * B, 4 * B + 10); /* the last one is short */
    ck_blocks("01001");
    fill(4 * B + 3, 4 * B + 10);
    fill(2 * B, 2 * B); /* nothing */
    ck_blocks("01001");
    fill(0, B);
    ck_blocks("11001");
    ck_assert_uint_eq(part_whole(&p), 2 * B);
    fill(0, B); /* again */
    ck_blocks("11001");
    fill(2 * B, 4 * B);
    ck_blocks("11111");
    ck_assert_uint_eq(part_whole(&p), 4 * B + 10);
}
END_TEST

START_TEST(bytes_at_their_places)
{
    char got[8] = "";
    char path[200];
    int  fd;

    open_it(2 * B);
    ck_assert_int_eq(part_write(&p, B - 2, "abcd", 4, &e), DRH_OK);
    snprintf(path, sizeof(path), "%s/%s.part", dir, p.key);
    fd = open(path, O_RDONLY);
    ck_assert_int_eq(pread(fd, got, 6, B - 3), 6);
    ck_assert_mem_eq(got, "\0abcd\0", 6);
    close(fd);
}
END_TEST

/* ---- going on ---- */

START_TEST(going_on)
{
    open_it(9 * B + 1);
    fill(2 * B, 4 * B);
    fill(8 * B, 9 * B + 1);
    ck_blocks("0011000011");
    reopen(9 * B + 1); /* nothing was forced to disk: it is there all the same */
    ck_assert(!p.anew);
    ck_blocks("0011000011");
    fill(0, 2 * B);
    ck_assert_uint_eq(part_whole(&p), 4 * B);
    reopen(9 * B + 1);
    ck_assert_uint_eq(part_whole(&p), 4 * B);
}
END_TEST

START_TEST(another_file_starts_anew)
{
    const drh_fetch_file other[] = {file_of("a/b.bin", 3 * B, DRH_HASH_SHA256, 8),
                                    file_of("a/b.bin", 3 * B, DRH_HASH_GIT_SHA1, 7),
                                    file_of("a/b.bin", 3 * B, DRH_HASH_NONE, 7),
                                    file_of("a/b.bin", 3 * B - 1, DRH_HASH_SHA256, 7),
                                    file_of("a/b.bin", 4 * B, DRH_HASH_SHA256, 7)};

    for (int i = 0; i < ROWS(other); i++) {
        open_it(3 * B);
        fill(0, 3 * B);
        part_close(&p);
        ck_assert_int_eq(part_open(&p, &bare_host, state, &other[i], other[i].size, &e), DRH_OK);
        ck_assert_msg(p.anew, "%d", i);
        ck_assert_msg(p.left == p.n_blocks, "%d", i);
        ck_assert_int_eq(size_of(".part"), (off_t)other[i].size);
        part_remove(&p);
    }
}
END_TEST

START_TEST(another_name_is_another_part)
{
    drh_fetch_file f = file_of("a/c.bin", B, DRH_HASH_SHA256, 7);
    char           key[PART_KEY];

    open_it(B);
    fill(0, B);
    memcpy(key, p.key, sizeof(key));
    part_close(&p);
    ck_assert_int_eq(part_open(&p, &bare_host, state, &f, B, &e), DRH_OK);
    ck_assert_str_ne(p.key, key);
    ck_assert(p.anew);
    reopen(B);
    ck_assert_str_eq(p.key, key);
    ck_blocks("1");
}
END_TEST

/* ---- after a crash of the machine ---- */

static int open_journal(void)
{
    char path[200];
    int  fd;

    snprintf(path, sizeof(path), "%s/%s.journal", dir, p.key);
    fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void write_journal(const void *bytes, size_t n, off_t at)
{
    int fd = open_journal();

    ck_assert_int_eq(pwrite(fd, bytes, n, at), (ssize_t)n);
    close(fd);
}

START_TEST(after_a_reboot_only_what_was_forced_to_disk)
{
    open_it(10 * B);
    fill(0, B);
    fill(9 * B, 10 * B);
    ck_assert_int_eq(part_sync(&p, &e), DRH_OK);
    fill(B, 5 * B);
    write_journal("another boot", 13, HEAD - BOOT);
    reopen(10 * B);
    ck_assert(!p.anew);
    ck_blocks("1000000001");
    ck_assert_uint_eq(part_whole(&p), B);
    reopen(10 * B); /* the journal says so, too */
    ck_blocks("1000000001");
    fill(B, 2 * B);
    reopen(10 * B); /* after a kill without a reboot */
    ck_blocks("1100000001");
    write_journal("a third boot", 13, HEAD - BOOT);
    reopen(10 * B);
    ck_blocks("1000000001");
}
END_TEST

START_TEST(nothing_was_forced_to_disk)
{
    open_it(3 * B);
    fill(0, 3 * B);
    write_journal("another boot", 13, HEAD - BOOT);
    reopen(3 * B);
    ck_blocks("000");
}
END_TEST

/* ---- journals that are broken ---- */

START_TEST(a_journal_that_was_cut)
{
    static const off_t cuts[] = {0, 1, 100, HEAD - BOOT, HEAD - 1, HEAD, HEAD + 1};

    for (int i = 0; i < ROWS(cuts); i++) {
        int fd;
        open_it(10 * B); /* two bytes of bits, twice */
        fill(0, 10 * B);
        fd = open_journal();
        ck_assert_int_eq(ftruncate(fd, cuts[i]), 0);
        close(fd);
        reopen(10 * B);
        ck_assert_msg(p.anew, "%d", (int)cuts[i]);
        ck_blocks("0000000000");
        part_remove(&p);
    }
}
END_TEST

/* After the bits of what was written have been read those of the disk are not needed. */
START_TEST(a_journal_without_its_end)
{
    int fd;

    open_it(10 * B);
    fill(0, 3 * B);
    fd = open_journal();
    ck_assert_int_eq(ftruncate(fd, HEAD + 2), 0);
    close(fd);
    reopen(10 * B);
    ck_blocks("1110000000");
    fd = open_journal();
    ck_assert_int_eq(ftruncate(fd, HEAD + 2), 0);
    close(fd);
    write_journal("another boot", 13, HEAD - BOOT);
    reopen(10 * B);
    ck_blocks("0000000000");
}
END_TEST

START_TEST(a_journal_of_something_else)
{
    static const off_t at[] = {0, 5, 13, 20, 40, 60, 100, 120, 2000, HEAD - BOOT - 1};

    for (int i = 0; i < ROWS(at); i++) {
        open_it(3 * B);
        fill(0, 3 * B);
        write_journal("\x7f", 1, at[i]);
        reopen(3 * B);
        ck_assert_msg(p.anew, "byte %d", (int)at[i]);
        ck_blocks("000");
        part_remove(&p);
    }
}
END_TEST

START_TEST(bits_beyond_the_end)
{
    open_it(10 * B);
    write_journal("\x01\xfe", 2, HEAD); /* blocks 0 and 9; and 10 to 15, which do not exist */
    reopen(10 * B);
    ck_blocks("1000000001");
    fill(0, 10 * B);
    ck_assert_uint_eq(p.left, 0);
    reopen(10 * B);
    ck_assert_uint_eq(p.left, 0);
}
END_TEST

START_TEST(a_part_that_was_cut)
{
    char path[200];

    for (int i = 0; i < 3; i++) {
        static const off_t to[] = {0, 3 * B - 1, 3 * B + 1};
        reopen(3 * B);
        fill(0, 3 * B);
        snprintf(path, sizeof(path), "%s/%s.part", dir, p.key);
        ck_assert_int_eq(truncate(path, to[i]), 0);
        reopen(3 * B);
        ck_assert(p.anew);
        ck_assert_int_eq(size_of(".part"), 3 * B);
    }
    ck_assert_int_eq(unlink(path), 0);
    reopen(3 * B);
    ck_assert(p.anew);
}
END_TEST

START_TEST(a_journal_without_a_part)
{
    char path[200];

    open_it(0);
    part_close(&p);
    open_it(B);
    snprintf(path, sizeof(path), "%s/%s.journal", dir, p.key);
    ck_assert_int_eq(unlink(path), 0);
    reopen(B);
    ck_assert(p.anew);
}
END_TEST

/* ---- ends ---- */

START_TEST(reset)
{
    open_it(3 * B);
    fill(0, 2 * B);
    ck_assert_int_eq(part_sync(&p, &e), DRH_OK);
    ck_assert_int_eq(part_reset(&p, &e), DRH_OK);
    ck_blocks("000");
    ck_assert_uint_eq(part_whole(&p), 0);
    ck_assert_int_eq(size_of(".part"), 3 * B);
    reopen(3 * B);
    ck_assert(!p.anew);
    ck_blocks("000");
    write_journal("another boot", 13, HEAD - BOOT);
    reopen(3 * B);
    ck_blocks("000");
}
END_TEST

START_TEST(reset_without_a_journal)
{
    int fd;

    open_it(3 * B);
    fd = open_journal();
    ck_assert_int_eq(ftruncate(fd, 5), 0);
    close(fd);
    ck_assert_int_eq(part_reset(&p, &e), DRH_E_IO);
}
END_TEST

START_TEST(a_size_that_nobody_knew)
{
    static const uint64_t ends[] = {0, 1, B - 1, B, B + 1, 20 * B + 3};

    for (int i = 0; i < ROWS(ends); i++) {
        const uint64_t blocks = (ends[i] + B - 1) / B;
        drh_fetch_file f = file_of("a/b.bin", UINT64_MAX, DRH_HASH_NONE, 0);
        ck_assert_int_eq(part_open(&p, &bare_host, state, &f, 0, &e), DRH_OK);
        ck_assert_uint_eq(p.n_blocks, 0);
        for (uint64_t at = 0; at < ends[i]; at += B) {
            ck_assert_int_eq(part_write(&p, at, dir, ends[i] - at < 9 ? ends[i] - at : 9, &e),
                             DRH_OK);
        }
        ck_assert_int_eq(part_end(&p, ends[i], &e), DRH_OK);
        ck_assert_uint_eq(p.n_blocks, blocks);
        ck_assert_uint_eq(p.left, 0);
        ck_assert_uint_eq(part_whole(&p), ends[i]);
        for (uint64_t b = 0; b < blocks; b++) {
            ck_assert(part_has(&p, b));
        }
        ck_assert_int_eq(part_sync(&p, &e), DRH_OK);
        part_remove(&p);
    }
}
END_TEST

/* What came of it cannot be judged later: it starts anew. */
START_TEST(a_size_that_nobody_knew_starts_anew)
{
    drh_fetch_file f = file_of("a/b.bin", UINT64_MAX, DRH_HASH_NONE, 0);

    ck_assert_int_eq(part_open(&p, &bare_host, state, &f, 0, &e), DRH_OK);
    ck_assert_int_eq(part_write(&p, 0, "abc", 3, &e), DRH_OK);
    part_close(&p);
    ck_assert_int_eq(part_open(&p, &bare_host, state, &f, 0, &e), DRH_OK);
    ck_assert(p.anew);
    ck_assert_int_eq(size_of(".part"), 0);
}
END_TEST

START_TEST(what_is_left_at_the_end)
{
    char key[PART_KEY];

    open_it(B);
    memcpy(key, p.key, sizeof(key));
    part_done(&p);
    memcpy(p.key, key, sizeof(key));
    ck_assert_int_eq(size_of(".journal"), -1);
    ck_assert_int_eq(size_of(".part"), B);
    open_it(B);
    part_remove(&p);
    memcpy(p.key, key, sizeof(key));
    ck_assert_int_eq(size_of(".journal"), -1);
    ck_assert_int_eq(size_of(".part"), -1);
    part_remove(&p); /* closed ones are left alone */
    part_done(&p);
}
END_TEST

/* ---- what may go wrong ---- */

START_TEST(links_are_not_followed)
{
    static const char *const suffix[] = {".part", ".journal"};
    char                     path[200], key[PART_KEY];

    open_it(B);
    memcpy(key, p.key, sizeof(key));
    part_remove(&p);
    bare_write(dir, "precious", "keep me");
    for (int i = 0; i < 2; i++) {
        drh_fetch_file f = file_of("a/b.bin", B, DRH_HASH_SHA256, 7);
        snprintf(path, sizeof(path), "%s/%s%s", dir, key, suffix[i]);
        ck_assert_int_eq(symlink("precious", path), 0);
        ck_assert_int_eq(part_open(&p, &bare_host, state, &f, B, &e), DRH_E_IO);
        ck_assert_str_eq(bare_read(dir, "precious"), "keep me");
        ck_assert_int_eq(unlink(path), 0);
    }
}
END_TEST

START_TEST(without_memory)
{
    drh_fetch_file f = file_of("a/b.bin", 10 * B, DRH_HASH_SHA256, 7);
    drh_status     st = DRH_E_NOMEM;
    int            n;

    for (n = 0; st == DRH_E_NOMEM; n++) {
        bare_allowed = n;
        st = part_open(&p, &bare_host, state, &f, 10 * B, &e);
        bare_allowed = -1;
    }
    ck_assert_int_eq(st, DRH_OK);
    ck_assert_int_ge(n, 3);
    for (n = 0; n < 2; n++) {
        bare_allowed = n;
        ck_assert_int_eq(part_end(&p, 1000 * (uint64_t)B, &e), DRH_E_NOMEM);
        bare_allowed = -1;
        ck_blocks("0000000000"); /* it is as it was */
        fill(0, B);
        ck_assert_int_eq(part_sync(&p, &e), DRH_OK);
        ck_assert_int_eq(part_reset(&p, &e), DRH_OK);
    }
}
END_TEST

/* A size that no disk has is no reason for a journal of a terabyte. */
START_TEST(absurd_sizes)
{
    static const uint64_t big[] = {INT64_MAX, UINT64_MAX - 1, 1ull << 60, 1ull << 47};

    for (int i = 0; i < ROWS(big); i++) {
        drh_fetch_file f = file_of("a/b.bin", big[i], DRH_HASH_SHA256, 7);
        drh_status     st = part_open(&p, &bare_host, state, &f, big[i], &e);
        ck_assert_msg(st == DRH_E_IO || st == DRH_E_RANGE, "%d: %d", i, st);
        ck_assert_int_eq(bare_blocks, 0);
    }
}
END_TEST

static void limit_files_to(rlim_t bytes)
{
    const struct rlimit r = {bytes, bytes};

    (void)signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

START_TEST(files_that_may_not_grow)
{
    drh_fetch_file f = file_of("a/b.bin", 3 * B, DRH_HASH_SHA256, 7);

    limit_files_to(B);
    ck_assert_int_eq(part_open(&p, &bare_host, state, &f, 3 * B, &e), DRH_E_IO);
    ck_assert_ptr_nonnull(strstr(e.message, "limit of the shell"));
    ck_assert_int_eq(rmdir(dir), 0); /* nothing is left behind */
    ck_assert_int_eq(mkdir(dir, 0700), 0);
}
END_TEST

START_TEST(a_write_that_fails)
{
    open_it(3 * B);
    fill(0, B);
    limit_files_to(2 * B + 10);
    ck_assert_int_eq(part_write(&p, 2 * B, dir, 10, &e), DRH_OK);
    ck_assert_int_eq(part_write(&p, 2 * B + 5, dir, 10, &e), DRH_E_IO); /* half of it */
    ck_assert_ptr_nonnull(strstr(e.message, "the part"));
    limit_files_to(10);
    ck_assert(!part_mark(&p, B, 2 * B)); /* the journal cannot say so, but it is there */
    ck_blocks("110");
    ck_assert_int_eq(part_sync(&p, &e), DRH_E_IO);
}
END_TEST

/* On a disk of its own, where that can be had. */
START_TEST(a_full_disk)
{
    drh_fetch_file f = file_of("a/b.bin", 8 * B, DRH_HASH_SHA256, 7);
    char           path[BARE_PATH + 8], size[24];
    int            small;
    static char    bytes[B];

    snprintf(path, sizeof(path), "%s/small", dir);
    snprintf(size, sizeof(size), "size=%d", 4 * B);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    if (mount("none", path, "tmpfs", 0, size) != 0) {
        rmdir(path);
        return;
    }
    small = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(part_open(&p, &bare_host, small, &f, 8 * B, &e), DRH_E_IO);
    ck_assert_ptr_nonnull(strstr(e.message, "free some space"));
    ck_assert_int_eq(part_open(&p, &bare_host, small, &f, 3 * B, &e), DRH_OK);
    bare_write(path, "other", "");
    for (int fd = openat(small, "other", O_WRONLY); fd >= 0;) { /* somebody else takes the rest */
        if (write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes)) {
            close(fd);
            break;
        }
    }
    ck_assert_int_eq(part_write(&p, 0, bytes, B, &e), DRH_E_IO);
    ck_assert_ptr_nonnull(strstr(e.message, "free some space"));
    part_remove(&p);
    close(small);
    ck_assert_int_eq(umount(path), 0);
    rmdir(path);
}
END_TEST

/* ---- threads ---- */

static void *sync_often(void *arg)
{
    drh_error   mine = DRH_ERROR_INIT;
    const bool *stop = arg;

    while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
        ck_assert_int_eq(part_sync(&p, &mine), DRH_OK);
        (void)part_whole(&p);
    }
    return NULL;
}

/* What is forced to disk is never more than what was marked. */
START_TEST(marking_beside_syncing)
{
    const uint64_t n = 40;
    bool           stop = false;
    pthread_t      thread;

    open_it(n * B);
    ck_assert_int_eq(pthread_create(&thread, NULL, sync_often, &stop), 0);
    for (uint64_t b = 0; b < n; b += 2) {
        ck_assert_int_eq(part_write(&p, b * B, dir, 8, &e), DRH_OK);
        ck_assert(part_mark(&p, b * B, (b + 1) * B));
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(part_sync(&p, &e), DRH_OK);
    write_journal("another boot", 13, HEAD - BOOT);
    reopen(n * B);
    ck_blocks("1010101010101010101010101010101010101010");
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("http_part");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_new_part);
    tcase_add_loop_test(t, sizes_around_blocks, 0, ROWS(sizes));
    tcase_add_test(t, only_whole_blocks_count);
    tcase_add_test(t, bytes_at_their_places);
    tcase_add_test(t, going_on);
    tcase_add_test(t, another_file_starts_anew);
    tcase_add_test(t, another_name_is_another_part);
    tcase_add_test(t, after_a_reboot_only_what_was_forced_to_disk);
    tcase_add_test(t, nothing_was_forced_to_disk);
    tcase_add_test(t, a_journal_that_was_cut);
    tcase_add_test(t, a_journal_without_its_end);
    tcase_add_test(t, a_journal_of_something_else);
    tcase_add_test(t, bits_beyond_the_end);
    tcase_add_test(t, a_part_that_was_cut);
    tcase_add_test(t, a_journal_without_a_part);
    tcase_add_test(t, reset);
    tcase_add_test(t, reset_without_a_journal);
    tcase_add_test(t, a_size_that_nobody_knew);
    tcase_add_test(t, a_size_that_nobody_knew_starts_anew);
    tcase_add_test(t, what_is_left_at_the_end);
    tcase_add_test(t, links_are_not_followed);
    tcase_add_test(t, without_memory);
    tcase_add_test(t, absurd_sizes);
    tcase_add_test(t, files_that_may_not_grow);
    tcase_add_test(t, a_write_that_fails);
    tcase_add_test(t, a_full_disk);
    tcase_add_test(t, marking_beside_syncing);
    return run_case("http_part", t);
}
