/* SPDX-License-Identifier: MIT
 * hash.c - see hash.h.  libcrypto's own functions for SHA-256, not its general ones: those look up
 * providers, allocate and go through two tables, which for the text of one record costs a third of
 * the digest itself.  OpenSSL calls them deprecated since 3.0 but keeps them; the code below them
 * is the same. */
#define OPENSSL_API_COMPAT 0x10100000L /* declared as of 1.1.0, without warnings */
#include "hash.h"

#include "err.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { FILE_CHUNK = 256 << 10 };

struct sha256 {
    SHA256_CTX ctx;
    bool       broken;
};

struct sha256 *sha256_new(void)
{
    struct sha256 *s = mem_alloc(1, sizeof(*s));

    if (s) {
        sha256_reset(s);
    }
    return s;
}

void sha256_free(struct sha256 *s)
{
    mem_free(s);
}

void sha256_reset(struct sha256 *s)
{
    s->broken = SHA256_Init(&s->ctx) != 1;
}

drh_status sha256_add(struct sha256 *s, const void *p, size_t n)
{
    if (!s->broken && n > 0 && SHA256_Update(&s->ctx, p, n) != 1) {
        s->broken = true;
    }
    return s->broken ? DRH_E_INTERNAL : DRH_OK;
}

drh_status sha256_end(struct sha256 *s, uint8_t out[32])
{
    if (s->broken || SHA256_Final(out, &s->ctx) != 1) {
        memset(out, 0, 32);
        return DRH_E_INTERNAL;
    }
    return DRH_OK;
}

drh_status sha256_of(const void *p, size_t n, uint8_t out[32])
{
    struct sha256 s;

    sha256_reset(&s);
    (void)sha256_add(&s, p, n);
    return sha256_end(&s, out);
}

/* Small parts are gathered: a call into libcrypto costs more than hashing a few words. */
struct gather {
    struct sha256 sha;
    size_t        n;
    uint8_t       bytes[1024];
};

static void gather_flush(struct gather *g)
{
    (void)sha256_add(&g->sha, g->bytes, g->n);
    g->n = 0;
}

static void gather_add(struct gather *g, const void *p, size_t n)
{
    if (n > sizeof(g->bytes) - g->n) {
        gather_flush(g);
    }
    if (n > sizeof(g->bytes)) {
        (void)sha256_add(&g->sha, p, n);
    } else if (n > 0) {
        memcpy(g->bytes + g->n, p, n);
        g->n += n;
    }
}

drh_status sha256_parts(const drh_str *parts, size_t n, uint8_t out[32])
{
    struct gather g;

    sha256_reset(&g.sha);
    g.n = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t len[8];

        for (int b = 0; b < 8; b++) {
            len[b] = (uint8_t)((uint64_t)parts[i].len >> (8 * b));
        }
        gather_add(&g, len, sizeof(len));
        gather_add(&g, parts[i].ptr, parts[i].len);
    }
    gather_flush(&g);
    return sha256_end(&g.sha, out);
}

/* A running digest of either kind. */
struct running {
    struct sha256 *sha256; /* or NULL */
    SHA_CTX        sha1;
};

static bool running_add(struct running *r, const void *p, size_t n)
{
    return r->sha256 ? sha256_add(r->sha256, p, n) == DRH_OK : SHA1_Update(&r->sha1, p, n) == 1;
}

static drh_status add_fd(struct running *r, int fd, char *chunk, const char *path, drh_error *e)
{
    for (;;) {
        ssize_t n = read(fd, chunk, FILE_CHUNK);

        if (n == 0) {
            return DRH_OK;
        }
        if (n < 0 && errno != EINTR) {
            return err_errno(e, errno, "cannot read", path);
        }
        if (n > 0 && !running_add(r, chunk, (size_t)n)) {
            return err_set(e, DRH_E_INTERNAL, "the digest of %s failed in libcrypto", path);
        }
    }
}

/* A blob's id is the SHA-1 of "blob SIZE", a 0, and its content. */
static bool start_blob(struct running *r, int fd)
{
    char        head[40];
    struct stat sb;
    int         n;

    if (fstat(fd, &sb) != 0 || SHA1_Init(&r->sha1) != 1) {
        return false;
    }
    n = snprintf(head, sizeof(head), "blob %lld", (long long)sb.st_size);
    return running_add(r, head, (size_t)n + 1);
}

drh_status hash_fd(int fd, uint32_t kind, uint8_t out[32], const char *name, drh_error *e)
{
    struct sha256 *s = kind == DRH_HASH_SHA256 ? sha256_new() : NULL;
    struct running r = {.sha256 = s};
    char          *chunk = mem_alloc(1, FILE_CHUNK);
    drh_status     st;

    memset(out, 0, 32);
    if (!chunk || (kind == DRH_HASH_SHA256 && !s)) {
        st = err_nomem(e, "a digest");
        goto out;
    }
    if ((lseek(fd, 0, SEEK_SET) != 0 && errno != ESPIPE) || (!s && !start_blob(&r, fd))) {
        st = err_errno(e, errno, "cannot read", name);
        goto out;
    }
    st = add_fd(&r, fd, chunk, name, e);
    if (st == DRH_OK && (s ? sha256_end(s, out) != DRH_OK : SHA1_Final(out, &r.sha1) != 1)) {
        st = err_set(e, DRH_E_INTERNAL, "the digest of %s failed in libcrypto", name);
    }
out:
    mem_free(chunk);
    sha256_free(s);
    return st;
}

drh_status sha256_file(const char *path, uint8_t out[32], drh_error *e)
{
    int        fd = open(path, O_RDONLY | O_CLOEXEC);
    drh_status st;

    memset(out, 0, 32);
    if (fd < 0) {
        return err_errno(e, errno, "cannot open", path);
    }
    st = hash_fd(fd, DRH_HASH_SHA256, out, path, e);
    (void)close(fd);
    return st;
}

void hex_of(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t            i;

    for (i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

uint64_t mix64(uint64_t a, uint64_t b)
{
    uint64_t z = a + (b + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t crc32_of(uint32_t crc, const void *p, size_t n)
{
    return (uint32_t)crc32_z(crc, p, n);
}
