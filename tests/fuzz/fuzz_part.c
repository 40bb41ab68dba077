/* SPDX-License-Identifier: MIT
 * fuzz_part.c - a file on its way whose journal somebody has changed: it goes on or starts anew,
 * and what it says of its blocks hangs together.  An input is
 *
 *   size (2 bytes: blocks, what is over), blocks that are written (2: first, end),
 *   what follows (1: 0 the journal is cut at `at`, 1 also the part, else nothing),
 *   at (2 bytes, where in the journal), bytes to put there */
#include "bare_host.h"
#include "must.h"
#include "part.h"

#include <fcntl.h>
#include <unistd.h>

enum { FIXED = 7 };

static char folder[BARE_PATH];
static int  state = -1;

static void make_folder(void)
{
    /* in memory when there is such a place: parts are made by the thousand */
    (void)snprintf(folder, sizeof(folder), "%s/drh_fuzz_XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    MUST(mkdtemp(folder) != NULL);
    state = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(state >= 0);
}

static void take_away(void)
{
    bare_remove(folder);
}

static void check(const struct part *p)
{
    uint64_t missing = 0, first_gap = p->n_blocks;

    for (uint64_t b = p->n_blocks; b-- > 0;) {
        missing += !part_has(p, b);
        first_gap = part_has(p, b) ? first_gap : b;
    }
    MUST(p->left == missing);
    MUST(part_whole(p) == (first_gap == p->n_blocks ? p->size : first_gap * PART_BLOCK));
    MUST(!p->anew || missing == p->n_blocks);
    MUST(p->n_blocks % 8 == 0 || p->written[p->n_blocks / 8] >> (p->n_blocks % 8) == 0);
}

static int open_file(const struct part *p, const char *suffix)
{
    char name[PART_KEY + 16];
    int  fd;

    (void)snprintf(name, sizeof(name), "%s%s", p->key, suffix);
    fd = openat(state, name, O_RDWR | O_CLOEXEC);
    MUST(fd >= 0);
    return fd;
}

static bool is_there(const struct part *p, const char *suffix)
{
    char name[PART_KEY + 16];

    (void)snprintf(name, sizeof(name), "%s%s", p->key, suffix);
    return faccessat(state, name, F_OK, 0) == 0;
}

static void meddle(const struct part *p, const uint8_t *data, size_t n)
{
    const uint16_t at = (uint16_t)(data[5] << 8 | data[6]);
    int            journal = open_file(p, ".journal"), part = open_file(p, ".part");

    MUST(n == FIXED || pwrite(journal, data + FIXED, n - FIXED, at) == (ssize_t)(n - FIXED));
    MUST(data[4] > 1 || ftruncate(journal, at) == 0);
    MUST(data[4] != 1 || ftruncate(part, at) == 0);
    (void)close(journal);
    (void)close(part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const drh_fetch_file f = {
        .struct_size = sizeof(f), .hash = DRH_HASH_SHA256, .name = {"a/b.bin", 7}};
    struct part p, before;
    uint64_t    bytes, first, end;
    drh_error   e = DRH_ERROR_INIT;

    if (size < FIXED) {
        return 0;
    }
    if (state < 0) {
        make_folder();
        (void)atexit(take_away);
    }
    bare_reset();
    bytes = (uint64_t)(data[0] % 40) * PART_BLOCK + data[1];
    MUST(part_open(&p, &bare_host, state, &f, bytes, &e) == DRH_OK && p.anew);
    first = (uint64_t)data[2] * PART_BLOCK;
    end = (uint64_t)data[3] * PART_BLOCK;
    end = end < bytes ? end : bytes;
    if (first < end) {
        MUST(part_mark(&p, first, end) && (data[3] % 2 || part_sync(&p, &e) == DRH_OK));
    }
    before = p;
    p.anew = first >= end;
    check(&p);
    part_close(&p);
    meddle(&before, data, size);
    MUST(part_open(&p, &bare_host, state, &f, bytes, &e) == DRH_OK);
    check(&p);
    if (bytes) {
        MUST(part_mark(&p, 0, bytes) && p.left == 0 && part_whole(&p) == bytes);
    }
    MUST(part_reset(&p, &e) == DRH_OK && p.left == p.n_blocks && p.anew);
    part_remove(&p);
    MUST(bare_blocks == 0 && !is_there(&before, ".part") && !is_there(&before, ".journal"));
    return 0;
}
