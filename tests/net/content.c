/* SPDX-License-Identifier: MIT
 * content.c - see content.h.
 *
 * Made content: 64-bit word w (little-endian) is block[w % WORDS] ^ (key(seed) + w * STEP).  The
 * block is random and the same for all; the sum makes each place of each object different, so that
 * a piece in the wrong place, or of the wrong file, is found.  Costs about as much as a copy. */
#include "content.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS = 8192, HASH_STEP = 256 << 10, HASH_THREADS = 8 };
#define STEP 0x9e3779b97f4a7c15u

static uint64_t       block[WORDS];
static pthread_once_t block_once = PTHREAD_ONCE_INIT;

static void block_make(void)
{
    for (size_t i = 0; i < WORDS; i++) {
        block[i] = mix64(i);
    }
}

static struct content *content_new(enum content_kind kind, uint64_t size)
{
    struct content *c = xalloc(1, sizeof(*c));

    (void)pthread_once(&block_once, block_make);
    c->kind = kind;
    c->size = size;
    c->fd = -1;
    return c;
}

struct content *content_made(uint64_t seed, uint64_t size)
{
    struct content *c = content_new(CONTENT_MADE, size);

    c->seed = seed;
    return c;
}

struct content *content_text(const char *text, size_t n)
{
    struct content *c = content_new(CONTENT_TEXT, n);

    c->text = xdupn(text, n);
    return c;
}

struct content *content_file(const char *path)
{
    struct content *c = content_new(CONTENT_FILE, 0);
    struct stat     sb;

    c->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (c->fd < 0 || fstat(c->fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        die("cannot read %s: %s", path, errno ? strerror(errno) : "not a file");
    }
    c->size = (uint64_t)sb.st_size;
    c->text = xdup(path);
    return c;
}

struct content *content_rows(const char *head, const char *row, const char *tail, uint64_t rows)
{
    struct content *c = content_new(CONTENT_ROWS, 0);

    c->head = xdup(head);
    c->row = xdup(row);
    c->tail = xdup(tail);
    c->rows = rows;
    c->size = rows == ENDLESS ? ENDLESS : strlen(head) + rows * strlen(row) + strlen(tail);
    return c;
}

void content_free(struct content *c)
{
    if (!c) {
        return;
    }
    if (c->fd >= 0) {
        (void)close(c->fd);
    }
    free(c->text);
    free(c->head);
    free(c->row);
    free(c->tail);
    free(c);
}

/* ---- reading ------------------------------------------------------------------------------- */

/* The loop that the speed of benchmarks hangs on. */
static void words_make(uint64_t key, uint64_t w, uint64_t *out, size_t n)
{
    while (n) {
        size_t          at = w % WORDS, run = WORDS - at < n ? WORDS - at : n;
        const uint64_t *from = block + at;
        uint64_t        sum = key + w * STEP;

        for (size_t i = 0; i < run; i++) {
            out[i] = from[i] ^ (sum + i * STEP);
        }
        out += run;
        w += run;
        n -= run;
    }
}

static void made_read(const struct content *c, uint64_t at, char *buf, size_t n)
{
    uint64_t key = mix64(c->seed), piece[512];

    while (n) {
        size_t skip = at % 8, got;

        /* Straight into the caller's memory where both sides are at a word, else by a detour. */
        if (skip == 0 && n >= 8 && (uintptr_t)buf % 8 == 0) {
            got = n / 8 * 8;
            words_make(key, at / 8, (uint64_t *)(void *)buf, got / 8);
        } else {
            got = n < sizeof(piece) - skip ? n : sizeof(piece) - skip;
            words_make(key, at / 8, piece, (skip + got + 7) / 8);
            memcpy(buf, (const char *)piece + skip, got);
        }
        at += got;
        buf += got;
        n -= got;
    }
}

static void file_read(const struct content *c, uint64_t at, char *buf, size_t n)
{
    while (n) {
        ssize_t got = pread(c->fd, buf, n, (off_t)at);

        if (got <= 0) {
            die("cannot read %s: %s", c->text, got ? strerror(errno) : "it became shorter");
        }
        at += (uint64_t)got;
        buf += got;
        n -= (size_t)got;
    }
}

/* Row number i, from byte `at` of it on. */
static size_t row_read(const struct content *c, uint64_t i, size_t at, char *buf, size_t n)
{
    char   one[1024];
    size_t len = strlen(c->row);

    if (len >= sizeof(one)) {
        abort();
    }
    memcpy(one, c->row, len + 1);
    for (size_t k = len; k-- > 0;) {
        if (one[k] == '#') {
            uint64_t left = i;

            for (; one[k] == '#'; k--) {
                one[k] = (char)('0' + left % 10);
                left /= 10;
                if (k == 0) {
                    break;
                }
            }
        }
    }
    n = n < len - at ? n : len - at;
    memcpy(buf, one + at, n);
    return n;
}

static void rows_read(const struct content *c, uint64_t at, char *buf, size_t n)
{
    uint64_t head = strlen(c->head), len = strlen(c->row);

    while (n) {
        size_t got;

        if (at < head) {
            got = n < head - at ? n : (size_t)(head - at);
            memcpy(buf, c->head + at, got);
        } else if ((at - head) / len < c->rows) {
            got = row_read(c, (at - head) / len, (size_t)((at - head) % len), buf, n);
        } else {
            got = n;
            memcpy(buf, c->tail + (at - head - c->rows * len), got);
        }
        at += got;
        buf += got;
        n -= got;
    }
}

void content_read(const struct content *c, uint64_t at, void *buf, size_t n)
{
    switch (c->kind) {
    case CONTENT_MADE:
        made_read(c, at, buf, n);
        break;
    case CONTENT_TEXT:
        memcpy(buf, c->text + at, n);
        break;
    case CONTENT_FILE:
        file_read(c, at, buf, n);
        break;
    case CONTENT_ROWS:
        rows_read(c, at, buf, n);
        break;
    }
}

/* ---- digests ------------------------------------------------------------------------------- */

static EVP_MD_CTX *digest_new(const EVP_MD *how)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    if (!md || EVP_DigestInit_ex(md, how, NULL) != 1) {
        abort();
    }
    return md;
}

/* NULL: was not wanted. */
static void digest_end(EVP_MD_CTX *md, char *out)
{
    unsigned char d[EVP_MAX_MD_SIZE];
    unsigned      n = 0;

    if (!md) {
        return;
    }
    if (EVP_DigestFinal_ex(md, d, &n) != 1) {
        abort();
    }
    hex_text(d, n, out);
    EVP_MD_CTX_free(md);
}

static void digest_add(EVP_MD_CTX *md, const void *p, size_t n)
{
    if (md && EVP_DigestUpdate(md, p, n) != 1) {
        abort();
    }
}

void content_hash(struct content *c)
{
    EVP_MD_CTX *sha256, *sha1;
    char        head[40], *buf;
    int         len = snprintf(head, sizeof(head), "blob %llu", (unsigned long long)c->size);
    size_t      step = c->size < HASH_STEP ? (size_t)c->size : HASH_STEP;

    if (c->size == ENDLESS) {
        return;
    }
    sha256 = c->sha256[0] ? NULL : digest_new(EVP_sha256());
    sha1 = c->want_git && !c->git[0] ? digest_new(EVP_sha1()) : NULL;
    digest_add(sha1, head, (size_t)len + 1); /* with the 0 that ends the head */
    buf = xalloc(step, 1);
    for (uint64_t at = 0; at < c->size && (sha256 || sha1); at += step) {
        step = c->size - at < step ? (size_t)(c->size - at) : step;
        content_read(c, at, buf, step);
        digest_add(sha256, buf, step);
        digest_add(sha1, buf, step);
    }
    free(buf);
    digest_end(sha256, c->sha256);
    digest_end(sha1, c->git);
}

struct hash_work {
    struct content **c;
    size_t           n;
    atomic_size_t    next;
};

static void *hash_some(void *arg)
{
    struct hash_work *w = arg;
    size_t            i;

    while ((i = atomic_fetch_add(&w->next, 1)) < w->n) {
        content_hash(w->c[i]);
    }
    return NULL;
}

void content_hash_all(struct content **c, size_t n)
{
    struct hash_work w = {c, n, 0};
    pthread_t        t[HASH_THREADS];
    long             cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t           more = cores > HASH_THREADS ? HASH_THREADS : cores > 1 ? (size_t)cores - 1 : 0;

    for (size_t i = 0; i < more; i++) {
        if (pthread_create(&t[i], NULL, hash_some, &w) != 0) {
            more = i;
        }
    }
    (void)hash_some(&w);
    for (size_t i = 0; i < more; i++) {
        (void)pthread_join(t[i], NULL);
    }
}
