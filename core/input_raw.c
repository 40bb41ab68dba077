/* SPDX-License-Identifier: MIT
 * input_raw.c - a file's bytes, decompressed on the way.  gzip, zstd and xz are known by their
 * first bytes; concatenated members and frames are one stream, as their own tools read them. Damage
 * is reported after everything before it was delivered. */
#include "input_impl.h"

#include "err.h"
#include "hash.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum raw_kind { RAW_PLAIN, RAW_GZIP, RAW_ZSTD, RAW_XZ };

/* What xz -9 needs is 65 MiB; a file may ask for 4 GiB. */
enum { XZ_MEMORY = 256 << 20 };

struct raw {
    int            fd;
    enum raw_kind  kind;
    bool           started; /* its kind is known */
    bool           eof;     /* of the file */
    bool           in_part; /* inside a gzip member or a zstd frame */
    bool           padding; /* after the last gzip member: zeros only */
    bool           started_late;
    char          *path; /* owned; for messages */
    char          *buf;  /* owned: bytes of the file, buf[at,len) not used yet */
    size_t         at, len, cap;
    z_stream       gz;   /* valid when kind is RAW_GZIP */
    ZSTD_DStream  *zstd; /* owned */
    lzma_stream    xz;   /* valid when kind is RAW_XZ */
    struct sha256 *sha;  /* owned; NULL: not wanted */
    uint64_t       read;
    const char    *damage; /* reason code */
    const char    *why;    /* for people; static */
    bool           want_digest, digest_done;
    uint8_t        digest[32];
};

static void *gz_alloc(void *ctx, unsigned n, unsigned size)
{
    (void)ctx;
    return mem_alloc(n, size);
}

static void gz_free(void *ctx, void *p)
{
    (void)ctx;
    mem_free(p);
}

static void *xz_alloc(void *ctx, size_t n, size_t size)
{
    (void)ctx;
    return mem_alloc(n, size);
}

static const lzma_allocator xz_memory = {.alloc = xz_alloc, .free = gz_free};

/* Reads the file into p; *got 0 at its end. */
static drh_status read_some(struct raw *r, char *p, size_t cap, size_t *got, drh_error *e)
{
    ssize_t n;

    *got = 0;
    if (r->eof) {
        return DRH_OK;
    }
    do {
        n = read(r->fd, p, cap);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno == EISDIR) {
            return err_set(e, DRH_E_IO, "cannot read %s: that is a folder; name a file", r->path);
        }
        return err_errno(e, errno, "cannot read", r->path);
    }
    r->eof = n == 0;
    r->read += (uint64_t)n;
    *got = (size_t)n;
    if (r->sha && n && sha256_add(r->sha, p, (size_t)n) != DRH_OK) {
        return err_set(e, DRH_E_INTERNAL, "SHA-256 of %s failed in libcrypto", r->path);
    }
    if (r->sha && r->eof) {
        r->digest_done = sha256_end(r->sha, r->digest) == DRH_OK;
    }
    return DRH_OK;
}

/* Makes sure that buf holds `want` unused bytes, or all that are left. */
static drh_status refill(struct raw *r, size_t want, drh_error *e)
{
    while (r->len - r->at < want && !r->eof) {
        size_t     got;
        drh_status st;

        memmove(r->buf, r->buf + r->at, r->len - r->at);
        r->len -= r->at;
        r->at = 0;
        st = read_some(r, r->buf + r->len, r->cap - r->len, &got, e);
        if (st != DRH_OK) {
            return st;
        }
        r->len += got;
    }
    return DRH_OK;
}

static bool is_gzip(const struct raw *r)
{
    return r->len - r->at >= 2 && memcmp(r->buf + r->at, "\x1f\x8b", 2) == 0;
}

/* A frame, or the skippable frame that parallel compressors put first. */
static bool is_zstd(const struct raw *r)
{
    const unsigned char *p = (const unsigned char *)r->buf + r->at;

    if (r->len - r->at < 4) {
        return false;
    }
    return memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0 ||
           ((p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0);
}

static bool is_xz(const struct raw *r)
{
    static const char magic[6] = {(char)0xfd, '7', 'z', 'X', 'Z', 0};

    return r->len - r->at >= sizeof(magic) && memcmp(r->buf + r->at, magic, sizeof(magic)) == 0;
}

static drh_status start_kind(struct raw *r, drh_error *e)
{
    drh_status st = refill(r, 6, e);

    if (st != DRH_OK) {
        return st;
    }
    if (is_gzip(r)) {
        r->gz.zalloc = gz_alloc;
        r->gz.zfree = gz_free;
        if (inflateInit2(&r->gz, 15 + 16) != Z_OK) {
            return err_nomem(e, "gzip");
        }
        r->kind = RAW_GZIP;
        r->in_part = true;
    } else if (is_zstd(r)) {
        r->zstd = ZSTD_createDStream();
        if (!r->zstd) {
            return err_nomem(e, "zstd");
        }
        r->kind = RAW_ZSTD;
    } else if (is_xz(r)) {
        r->xz = (lzma_stream)LZMA_STREAM_INIT;
        r->xz.allocator = &xz_memory;
        if (lzma_stream_decoder(&r->xz, XZ_MEMORY, LZMA_CONCATENATED) != LZMA_OK) {
            return err_nomem(e, "xz");
        }
        r->kind = RAW_XZ;
    }
    return DRH_OK;
}

drh_status raw_open(struct raw **out, const char *path, size_t chunk, drh_error *e)
{
    struct raw *r = mem_alloc(1, sizeof(*r));

    *out = NULL;
    if (!r) {
        return err_nomem(e, "an input file");
    }
    r->cap = chunk < 16 ? 16 : chunk;
    r->buf = mem_alloc(1, r->cap);
    r->path = mem_dupz(strcmp(path, "-") == 0 ? "standard input" : path);
    r->fd = -1;
    if (!r->buf || !r->path) {
        raw_close(r);
        return err_nomem(e, "an input file");
    }
    r->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0) {
        int en = errno;
        raw_close(r);
        return err_errno(e, en, "cannot open", path);
    }
    (void)posix_fadvise(r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    *out = r;
    return DRH_OK;
}

static void damaged(struct raw *r, const char *code, const char *why)
{
    r->damage = code;
    r->why = why;
}

/* ---- gzip ---------------------------------------------------------------------------------- */

/* Between members.  False: nothing more comes. */
static drh_status gz_next_member(struct raw *r, bool *more, drh_error *e)
{
    drh_status st = refill(r, 2, e);

    *more = false;
    if (st != DRH_OK) {
        return st;
    }
    if (!r->padding && is_gzip(r)) {
        r->in_part = inflateReset(&r->gz) == Z_OK;
        *more = true;
        return DRH_OK;
    }
    if (!r->padding && r->len - r->at == 1 && r->buf[r->at] == 0x1f) {
        damaged(r, "truncated", "the gzip data ends too early; fetch the file again");
        return DRH_OK;
    }
    /* Tapes and block devices pad with zeros, and gzip accepts that. */
    while (r->len > r->at) {
        r->padding = true;
        for (; r->at < r->len; r->at++) {
            if (r->buf[r->at] != 0) {
                damaged(r, "bad_compression", "bytes after the gzip data that are no gzip");
                return DRH_OK;
            }
        }
        st = refill(r, 1, e);
        if (st != DRH_OK) {
            return st;
        }
    }
    return DRH_OK;
}

static drh_status gz_fill(struct raw *r, char *dst, size_t cap, size_t *got, drh_error *e)
{
    bool more = true;

    while (*got == 0 && !r->damage) {
        drh_status st = r->in_part ? refill(r, 1, e) : gz_next_member(r, &more, e);
        int        z;

        if (st != DRH_OK || !more || r->damage) {
            return st;
        }
        r->gz.next_in = (unsigned char *)r->buf + r->at;
        r->gz.avail_in = (unsigned)(r->len - r->at);
        r->gz.next_out = (unsigned char *)dst;
        r->gz.avail_out = cap < UINT32_MAX ? (unsigned)cap : UINT32_MAX;
        z = inflate(&r->gz, Z_NO_FLUSH);
        r->at = r->len - r->gz.avail_in;
        *got = (size_t)((char *)r->gz.next_out - dst);
        if (z == Z_MEM_ERROR) {
            return err_nomem(e, "gzip");
        }
        r->in_part = z != Z_STREAM_END;
        if (z == Z_BUF_ERROR && r->at == r->len && r->eof) {
            damaged(r, "truncated", "the gzip data ends too early; fetch the file again");
        } else if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR) {
            damaged(r, "bad_compression", r->gz.msg ? r->gz.msg : "the gzip data is damaged");
        }
    }
    return DRH_OK;
}

/* ---- zstd ---------------------------------------------------------------------------------- */

static drh_status zstd_fill(struct raw *r, char *dst, size_t cap, size_t *got, drh_error *e)
{
    while (*got == 0 && !r->damage) {
        ZSTD_outBuffer out = {dst, cap, 0};
        ZSTD_inBuffer  in = {r->buf, 0, 0};
        drh_status     st = refill(r, 1, e);
        size_t         left;

        if (st != DRH_OK) {
            return st;
        }
        if (r->at == r->len && !r->in_part) {
            return DRH_OK;
        }
        in.pos = r->at;
        in.size = r->len;
        left = ZSTD_decompressStream(r->zstd, &out, &in);
        if (ZSTD_isError(left)) {
            damaged(r, "bad_compression", ZSTD_getErrorName(left));
            return DRH_OK;
        }
        if (out.pos == 0 && r->at == r->len) {
            damaged(r, "truncated", "the zstd data ends too early; fetch the file again");
        }
        r->at = in.pos;
        r->in_part = left != 0;
        *got = out.pos;
    }
    return DRH_OK;
}

/* ---- xz ------------------------------------------------------------------------------------ */

static void xz_damage(struct raw *r, lzma_ret z)
{
    if (z == LZMA_MEMLIMIT_ERROR) {
        damaged(r, "bad_compression",
                "the xz data needs more than 256 MiB of memory; pack it again");
    } else if (z == LZMA_BUF_ERROR) {
        damaged(r, "truncated", "the xz data ends too early; fetch the file again");
    } else {
        damaged(r, "bad_compression", "the xz data is damaged");
    }
}

static drh_status xz_fill(struct raw *r, char *dst, size_t cap, size_t *got, drh_error *e)
{
    while (*got == 0 && !r->damage) {
        drh_status st = refill(r, 1, e);
        lzma_ret   z;

        if (st != DRH_OK) {
            return st;
        }
        r->xz.next_in = (const uint8_t *)r->buf + r->at;
        r->xz.avail_in = r->len - r->at;
        r->xz.next_out = (uint8_t *)dst;
        r->xz.avail_out = cap;
        z = lzma_code(&r->xz, r->eof && r->len == r->at ? LZMA_FINISH : LZMA_RUN);
        r->at = r->len - r->xz.avail_in;
        *got = cap - r->xz.avail_out;
        if (z == LZMA_MEM_ERROR) {
            return err_nomem(e, "xz");
        }
        if (z == LZMA_STREAM_END) {
            return DRH_OK;
        }
        if (z != LZMA_OK && (z != LZMA_BUF_ERROR || (r->eof && r->at == r->len))) {
            xz_damage(r, z);
        }
    }
    return DRH_OK;
}

/* ---- the stream ---------------------------------------------------------------------------- */

static drh_status plain_fill(struct raw *r, char *dst, size_t cap, size_t *got, drh_error *e)
{
    size_t have = r->len - r->at;

    if (have == 0) {
        return read_some(r, dst, cap, got, e);
    }
    *got = have < cap ? have : cap;
    memcpy(dst, r->buf + r->at, *got);
    r->at += *got;
    return DRH_OK;
}

static drh_status start(struct raw *r, drh_error *e)
{
    if (r->started) {
        return DRH_OK;
    }
    r->started = true;
    if (r->want_digest && !r->sha && !(r->sha = sha256_new())) {
        return err_nomem(e, "a SHA-256");
    }
    return start_kind(r, e);
}

drh_status raw_fill(struct raw *r, char *dst, size_t cap, size_t *got, drh_error *e)
{
    drh_status st = start(r, e);

    *got = 0;
    if (st != DRH_OK || r->damage) {
        return st;
    }
    if (r->kind == RAW_GZIP) {
        return gz_fill(r, dst, cap, got, e);
    }
    if (r->kind == RAW_ZSTD) {
        return zstd_fill(r, dst, cap, got, e);
    }
    return r->kind == RAW_XZ ? xz_fill(r, dst, cap, got, e) : plain_fill(r, dst, cap, got, e);
}

static drh_status skip(struct raw *r, uint64_t n, drh_error *e)
{
    enum { PIECE = 64 << 10 };
    drh_status st = DRH_OK;
    char      *piece = mem_alloc(1, PIECE);

    if (!piece) {
        return err_nomem(e, "an input buffer");
    }
    while (n > 0) {
        size_t got;

        st = raw_fill(r, piece, n < PIECE ? (size_t)n : PIECE, &got, e);
        if (st != DRH_OK || got == 0) {
            break;
        }
        n -= got;
    }
    mem_free(piece);
    return st;
}

drh_status raw_seek(struct raw *r, uint64_t offset, drh_error *e)
{
    drh_status st;

    if (offset == 0) {
        return DRH_OK;
    }
    r->started_late = true;
    st = start(r, e);
    if (st != DRH_OK) {
        return st;
    }
    if (r->kind != RAW_PLAIN) {
        return skip(r, offset, e);
    }
    if (offset > INT64_MAX || lseek(r->fd, (off_t)offset, SEEK_SET) < 0) {
        return err_set(e, DRH_E_IO, "cannot go back to byte %llu of %s: it is no regular file",
                       (unsigned long long)offset, r->path);
    }
    r->at = r->len = 0;
    r->eof = false;
    return DRH_OK;
}

const char *raw_damage(const struct raw *r, const char **why)
{
    *why = r->why;
    return r->damage;
}

uint64_t raw_read(const struct raw *r)
{
    return r->read;
}

void raw_want_digest(struct raw *r)
{
    r->want_digest = true;
}

drh_status raw_drain(struct raw *r, drh_error *e)
{
    drh_status st = DRH_OK;

    while (r->sha && !r->eof && st == DRH_OK) {
        st = read_some(r, r->buf, r->cap, &r->len, e);
    }
    return st;
}

drh_status raw_digest(const struct raw *r, uint8_t out[32])
{
    if (!r->digest_done || r->started_late) {
        return DRH_E_MISSING;
    }
    memcpy(out, r->digest, 32);
    return DRH_OK;
}

void raw_close(struct raw *r)
{
    if (!r) {
        return;
    }
    if (r->kind == RAW_GZIP) {
        (void)inflateEnd(&r->gz);
    }
    if (r->kind == RAW_XZ) {
        lzma_end(&r->xz);
    }
    (void)ZSTD_freeDStream(r->zstd);
    sha256_free(r->sha);
    if (r->fd > STDIN_FILENO) {
        (void)close(r->fd);
    }
    mem_free(r->buf);
    mem_free(r->path);
    mem_free(r);
}
