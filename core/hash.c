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
#include <string.h>
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

static drh_status add_fd(struct sha256 *s, int fd, char *chunk, const char *path, drh_error *e)
{
    for (;;) {
        ssize_t n = read(fd, chunk, FILE_CHUNK);

        if (n == 0) {
            return DRH_OK;
        }
        if (n < 0 && errno != EINTR) {
            return err_errno(e, errno, "cannot read", path);
        }
        if (n > 0 && sha256_add(s, chunk, (size_t)n) != DRH_OK) {
            return err_set(e, DRH_E_INTERNAL, "SHA-256 of %s failed in libcrypto", path);
        }
    }
}

drh_status sha256_file(const char *path, uint8_t out[32], drh_error *e)
{
    drh_status     st = DRH_OK;
    struct sha256 *s = sha256_new();
    char          *chunk = mem_alloc(1, FILE_CHUNK);
    int            fd = -1;

    memset(out, 0, 32);
    if (!s || !chunk) {
        st = err_nomem(e, "a SHA-256");
        goto out;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        st = err_errno(e, errno, "cannot open", path);
        goto out;
    }
    st = add_fd(s, fd, chunk, path, e);
    if (st == DRH_OK && sha256_end(s, out) != DRH_OK) {
        st = err_set(e, DRH_E_INTERNAL, "SHA-256 of %s failed in libcrypto", path);
    }
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    mem_free(chunk);
    sha256_free(s);
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
