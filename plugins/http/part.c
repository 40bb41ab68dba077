/* SPDX-License-Identifier: MIT
 * part.c - see part.h.
 *
 * The journal: a head of HEAD bytes, text for whoever looks into it; then a bit a block for
 * "written", then the same again for "forced to disk". */
#include "part.h"

#include "digest.h"
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { HEAD = 4096, BOOT = 64 };
static const uint64_t MOST = 64ull << 40; /* bytes; a larger size is a mistake, or worse */

static void boot_id(char out[BOOT])
{
    int     fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, BOOT - 1) : 0;

    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    if (fd >= 0) {
        (void)close(fd);
    }
    if (!out[0]) {
        (void)snprintf(out, BOOT, "unknown");
    }
}

static size_t bytes_of(const struct part *p)
{
    return (size_t)((p->n_blocks + 7) / 8);
}

static void name_of(const struct part *p, const char *suffix, char out[PART_KEY + 16])
{
    (void)snprintf(out, PART_KEY + 16, "%s%s", p->key, suffix);
}

/* What the journal's head has to say for its bits to count. */
static void head_of(const struct part *p, const drh_fetch_file *f, char head[HEAD])
{
    char digest[DIGEST_HEX];

    digest_hex(f->digest, digest_size(f->hash), digest);
    memset(head, 0, HEAD);
    (void)snprintf(head, HEAD - BOOT, "drhost part 1\nblock %d\nsize %llu\nhash %s%s\nname %.*s\n",
                   PART_BLOCK, (unsigned long long)p->size,
                   f->hash == DRH_HASH_SHA256     ? "sha256:"
                   : f->hash == DRH_HASH_GIT_SHA1 ? "git-sha1:"
                                                  : "none",
                   digest, (int)(f->name.len < 2048 ? f->name.len : 2048), f->name.ptr);
    boot_id(head + HEAD - BOOT);
}

static drh_status write_all(int fd, const void *bytes, size_t n, uint64_t at, drh_error *e,
                            const char *what)
{
    const char *p = bytes;

    while (n) {
        ssize_t k = pwrite(fd, p, n, (off_t)at);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k <= 0) {
            return place_error(e, k < 0 ? errno : EIO, "write to", what);
        }
        p += k;
        at += (uint64_t)k;
        n -= (size_t)k;
    }
    return DRH_OK;
}

static bool read_all(int fd, void *bytes, size_t n, uint64_t at)
{
    char *p = bytes;

    while (n) {
        ssize_t k = pread(fd, p, n, (off_t)at);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k <= 0) {
            return false;
        }
        p += k;
        at += (uint64_t)k;
        n -= (size_t)k;
    }
    return true;
}

/* ---- blocks ---- */

bool part_has(const struct part *p, uint64_t block)
{
    return p->written[block / 8] >> (block % 8) & 1;
}

static void advance(struct part *p)
{
    uint64_t block = p->whole / PART_BLOCK, whole;

    while (block < p->n_blocks && part_has(p, block)) {
        block++;
    }
    whole = block == p->n_blocks ? p->size : block * PART_BLOCK;
    __atomic_store_n(&p->whole, whole, __ATOMIC_RELEASE);
}

uint64_t part_whole(const struct part *p)
{
    return __atomic_load_n(&p->whole, __ATOMIC_ACQUIRE);
}

bool part_mark(struct part *p, uint64_t from, uint64_t to)
{
    uint64_t  first = (from + PART_BLOCK - 1) / PART_BLOCK;
    uint64_t  end = to == p->size ? p->n_blocks : to / PART_BLOCK;
    drh_error e = DRH_ERROR_INIT;
    bool new = false;

    for (uint64_t b = first; b < end; b++) {
        if (!part_has(p, b)) {
            p->left--;
            new = true;
        }
        __atomic_store_n(&p->written[b / 8], (uint8_t)(p->written[b / 8] | 1u << (b % 8)),
                         __ATOMIC_RELEASE);
    }
    if (!new) {
        return true;
    }
    advance(p);
    return write_all(p->journal, p->written + first / 8, (size_t)((end - 1) / 8 - first / 8 + 1),
                     HEAD + first / 8, &e, "the journal") == DRH_OK;
}

drh_status part_write(struct part *p, uint64_t at, const void *bytes, size_t n, drh_error *e)
{
    return write_all(p->fd, bytes, n, at, e, "the part");
}

drh_status part_sync(struct part *p, drh_error *e)
{
    size_t n = bytes_of(p);

    /* What is written before the snapshot is on disk after it; bits that come in between wait. */
    for (size_t i = 0; i < n; i++) {
        p->synced[i] = __atomic_load_n(&p->written[i], __ATOMIC_ACQUIRE);
    }
    if (fdatasync(p->fd) != 0) {
        return place_error(e, errno, "write to", "the part");
    }
    return write_all(p->journal, p->synced, n, HEAD + n, e, "the journal");
}

/* ---- opening ---- */

static drh_status reserve(const struct part *p, drh_error *e)
{
    struct statfs v;
    off_t         size = (off_t)p->size;

    if (fstatfs(p->fd, &v) == 0 && (uint64_t)v.f_type == TMPFS_MAGIC) {
        /* fallocate would touch every page there */
        if ((uint64_t)v.f_bavail * (uint64_t)v.f_bsize < p->size) {
            return place_error(e, ENOSPC, "make room for", "the part");
        }
    } else if (fallocate(p->fd, 0, 0, size) == 0) {
        return DRH_OK;
    } else if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) {
        return place_error(e, errno, "make room for", "the part");
    }
    return ftruncate(p->fd, size) == 0 ? DRH_OK
                                       : place_error(e, errno, "make room for", "the part");
}

static drh_status start_anew(struct part *p, const char head[HEAD], drh_error *e)
{
    size_t     n = bytes_of(p);
    drh_status st;

    p->anew = true;
    memset(p->written, 0, n);
    memset(p->synced, 0, n);
    p->left = p->n_blocks;
    p->whole = 0;
    if (ftruncate(p->journal, 0) != 0 || ftruncate(p->fd, 0) != 0) {
        return place_error(e, errno, "empty", "the part");
    }
    st = p->size ? reserve(p, e) : DRH_OK;
    st = st == DRH_OK ? write_all(p->journal, p->written, n, HEAD, e, "the journal") : st;
    st = st == DRH_OK ? write_all(p->journal, p->synced, n, HEAD + n, e, "the journal") : st;
    /* the head comes last: it makes the bits count */
    return st == DRH_OK ? write_all(p->journal, head, HEAD, 0, e, "the journal") : st;
}

/* Bits beyond the last block would make `left` wrong. */
static void count_left(struct part *p)
{
    if (p->n_blocks % 8) {
        p->written[bytes_of(p) - 1] &= (uint8_t)((1u << (p->n_blocks % 8)) - 1);
    }
    p->left = p->n_blocks;
    for (uint64_t b = 0; b < p->n_blocks; b++) {
        p->left -= part_has(p, b);
    }
}

/* True when an earlier run's files go on; false: start anew. */
static bool go_on(struct part *p, const char head[HEAD])
{
    char        old[HEAD];
    size_t      n = bytes_of(p);
    struct stat sb;
    drh_error   e = DRH_ERROR_INIT;

    if (fstat(p->fd, &sb) != 0 || (uint64_t)sb.st_size != p->size ||
        !read_all(p->journal, old, HEAD, 0) || memcmp(old, head, HEAD - BOOT) != 0) {
        return false;
    }
    if (memcmp(old + HEAD - BOOT, head + HEAD - BOOT, BOOT) == 0) {
        if (!read_all(p->journal, p->written, n, HEAD)) {
            return false;
        }
    } else if (!read_all(p->journal, p->written, n, HEAD + n) ||
               write_all(p->journal, p->written, n, HEAD, &e, "the journal") != DRH_OK ||
               write_all(p->journal, head, HEAD, 0, &e, "the journal") != DRH_OK) {
        return false;
    }
    count_left(p);
    p->whole = 0;
    advance(p);
    return true;
}

static drh_status open_files(struct part *p, drh_error *e)
{
    const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    char      name[PART_KEY + 16];

    name_of(p, ".part", name);
    p->fd = openat(p->state, name, flags, 0666);
    if (p->fd >= 0) {
        name_of(p, ".journal", name);
        p->journal = openat(p->state, name, flags, 0666);
    }
    return p->fd < 0 || p->journal < 0 ? place_error(e, errno, "open", name) : DRH_OK;
}

drh_status part_open(struct part *p, const drh_host *h, int state, const drh_fetch_file *f,
                     uint64_t size, drh_error *e)
{
    uint8_t    sum[EVP_MAX_MD_SIZE];
    unsigned   n_sum = 0;
    char       head[HEAD];
    drh_status st;

    *p = (struct part){.host = h, .state = state, .fd = -1, .journal = -1, .size = size};
    if (size > MOST) {
        part_close(p);
        return drh_fail(e, DRH_E_RANGE, "it is listed with %llu TiB; no file is as large as that",
                        (unsigned long long)(size >> 40));
    }
    p->n_blocks = size / PART_BLOCK + (size % PART_BLOCK != 0);
    if (EVP_Digest(f->name.ptr, f->name.len, sum, &n_sum, EVP_sha256(), NULL) != 1) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a digest");
    }
    digest_hex(sum, (PART_KEY - 1) / 2, p->key);
    p->written = h->alloc(h, NULL, bytes_of(p) + 1);
    p->synced = h->alloc(h, NULL, bytes_of(p) + 1);
    if (!p->written || !p->synced) {
        part_close(p);
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a journal");
    }
    head_of(p, f, head);
    st = open_files(p, e);
    if (st == DRH_OK && !go_on(p, head)) {
        st = start_anew(p, head, e);
        if (st != DRH_OK) { /* nothing is in it: give the space back */
            part_remove(p);
            return st;
        }
    }
    if (st != DRH_OK) {
        part_close(p);
    }
    return st;
}

drh_status part_reset(struct part *p, drh_error *e)
{
    char head[HEAD];

    if (!read_all(p->journal, head, HEAD, 0)) {
        return drh_fail(e, DRH_E_IO, "the journal of a part cannot be read");
    }
    return start_anew(p, head, e);
}

drh_status part_end(struct part *p, uint64_t size, drh_error *e)
{
    const drh_host *h = p->host;
    uint64_t        n_blocks = size / PART_BLOCK + (size % PART_BLOCK != 0);
    size_t          n = (size_t)((n_blocks + 7) / 8);
    uint8_t        *written = h->alloc(h, p->written, n + 1), *synced;

    p->written = written ? written : p->written;
    synced = written ? h->alloc(h, p->synced, n + 1) : NULL;
    p->synced = synced ? synced : p->synced;
    if (!synced) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a journal");
    }
    memset(p->written, 0xFF, n);
    p->size = size;
    p->n_blocks = n_blocks;
    p->left = 0;
    __atomic_store_n(&p->whole, size, __ATOMIC_RELEASE);
    return DRH_OK;
}

void part_close(struct part *p)
{
    if (!p->host) {
        return;
    }
    if (p->fd >= 0) {
        (void)close(p->fd);
    }
    if (p->journal >= 0) {
        (void)close(p->journal);
    }
    (void)p->host->alloc(p->host, p->written, 0);
    (void)p->host->alloc(p->host, p->synced, 0);
    *p = (struct part){.fd = -1, .journal = -1};
}

void part_done(struct part *p)
{
    char name[PART_KEY + 16];

    if (p->host) {
        name_of(p, ".journal", name);
        (void)unlinkat(p->state, name, 0);
        part_close(p);
    }
}

void part_remove(struct part *p)
{
    char name[PART_KEY + 16];

    if (p->host) {
        name_of(p, ".part", name);
        (void)unlinkat(p->state, name, 0);
        part_done(p);
    }
}
