/* SPDX-License-Identifier: MIT
 * hash.c - see hash.h.  The digest object is fetched once a process (a fetch walks the providers
 * under a lock); short inputs use one context a thread, freed when the thread ends. */
#include "hash.h"

#include "err.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { FILE_CHUNK = 256 << 10 };

struct sha256 {
    EVP_MD_CTX *ctx; /* owned */
    bool        broken;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD        *md; /* for the life of the process */
static pthread_key_t  thread_ctx;
static bool           have_key;

static void free_thread_ctx(void *p)
{
    EVP_MD_CTX_free(p);
}

static void init(void)
{
    md = EVP_MD_fetch(NULL, "SHA256", NULL);
    have_key = pthread_key_create(&thread_ctx, free_thread_ctx) == 0;
}

/* The calling thread's context, reset; NULL when out of memory. */
static EVP_MD_CTX *thread_begin(void)
{
    EVP_MD_CTX *ctx;

    (void)pthread_once(&once, init);
    if (!md || !have_key) {
        return NULL;
    }
    ctx = pthread_getspecific(thread_ctx);
    if (ctx) {
        return EVP_DigestInit_ex2(ctx, NULL, NULL) == 1 ? ctx : NULL;
    }
    ctx = EVP_MD_CTX_new();
    if (ctx && EVP_DigestInit_ex2(ctx, md, NULL) == 1 &&
        pthread_setspecific(thread_ctx, ctx) == 0) {
        return ctx;
    }
    EVP_MD_CTX_free(ctx);
    return NULL;
}

struct sha256 *sha256_new(void)
{
    struct sha256 *s = mem_alloc(1, sizeof(*s));

    if (!s) {
        return NULL;
    }
    (void)pthread_once(&once, init);
    s->ctx = md ? EVP_MD_CTX_new() : NULL;
    if (!s->ctx || EVP_DigestInit_ex2(s->ctx, md, NULL) != 1) {
        sha256_free(s);
        return NULL;
    }
    return s;
}

void sha256_free(struct sha256 *s)
{
    if (s) {
        EVP_MD_CTX_free(s->ctx);
        mem_free(s);
    }
}

void sha256_reset(struct sha256 *s)
{
    s->broken = EVP_DigestInit_ex2(s->ctx, NULL, NULL) != 1;
}

drh_status sha256_add(struct sha256 *s, const void *p, size_t n)
{
    if (!s->broken && EVP_DigestUpdate(s->ctx, p, n) != 1) {
        s->broken = true;
    }
    return s->broken ? DRH_E_INTERNAL : DRH_OK;
}

drh_status sha256_end(struct sha256 *s, uint8_t out[32])
{
    if (s->broken || EVP_DigestFinal_ex(s->ctx, out, NULL) != 1) {
        memset(out, 0, 32);
        return DRH_E_INTERNAL;
    }
    return DRH_OK;
}

static drh_status thread_end(EVP_MD_CTX *ctx, int ok, uint8_t out[32])
{
    if (!ctx) {
        memset(out, 0, 32);
        return DRH_E_NOMEM;
    }
    if (!ok || EVP_DigestFinal_ex(ctx, out, NULL) != 1) {
        memset(out, 0, 32);
        return DRH_E_INTERNAL;
    }
    return DRH_OK;
}

drh_status sha256_of(const void *p, size_t n, uint8_t out[32])
{
    EVP_MD_CTX *ctx = thread_begin();

    return thread_end(ctx, ctx && EVP_DigestUpdate(ctx, p, n) == 1, out);
}

/* Small parts are gathered: a call into libcrypto costs more than hashing a few words. */
struct gather {
    EVP_MD_CTX *ctx;
    size_t      n;
    int         ok;
    uint8_t     bytes[1024];
};

static void gather_flush(struct gather *g)
{
    g->ok = g->ok && (g->n == 0 || EVP_DigestUpdate(g->ctx, g->bytes, g->n) == 1);
    g->n = 0;
}

static void gather_add(struct gather *g, const void *p, size_t n)
{
    if (n > sizeof(g->bytes) - g->n) {
        gather_flush(g);
    }
    if (n > sizeof(g->bytes)) {
        g->ok = g->ok && EVP_DigestUpdate(g->ctx, p, n) == 1;
    } else if (n > 0) {
        memcpy(g->bytes + g->n, p, n);
        g->n += n;
    }
}

drh_status sha256_parts(const drh_str *parts, size_t n, uint8_t out[32])
{
    struct gather g;

    g.ctx = thread_begin();
    g.ok = g.ctx != NULL;
    g.n = 0;
    for (size_t i = 0; i < n && g.ok; i++) {
        uint8_t len[8];

        for (int b = 0; b < 8; b++) {
            len[b] = (uint8_t)((uint64_t)parts[i].len >> (8 * b));
        }
        gather_add(&g, len, sizeof(len));
        gather_add(&g, parts[i].ptr, parts[i].len);
    }
    if (g.ok) {
        gather_flush(&g);
    }
    return thread_end(g.ctx, g.ok, out);
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
