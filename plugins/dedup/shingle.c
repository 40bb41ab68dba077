/* SPDX-License-Identifier: MIT
 *
 * shingle.c - words, n-grams of words, MinHash signatures and their bands; see dedup.h.  Any
 * thread.
 */
#include "dedup.h"

#include <stdlib.h>
#include <utf8proc.h>

static uint64_t mix64(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* ---- words --------------------------------------------------------------------------------- */

/* Scripts without blanks between words: each character is a word. */
static bool is_alone(int32_t c)
{
    return (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) ||
           (c >= 0x3041 && c <= 0x30ff) || (c >= 0x31f0 && c <= 0x31ff) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff) ||
           (c >= 0x0e00 && c <= 0x0eff) || (c >= 0x1000 && c <= 0x109f) ||
           (c >= 0x1780 && c <= 0x17ff) || (c >= 0xff66 && c <= 0xff9f);
}

/* Letters, digits and marks are of a word; *c becomes a small letter. */
static bool is_of_word(int32_t *c)
{
    utf8proc_category_t kind;
    if (*c < 0x80) {
        *c = *c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c;
        return (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
    }
    kind = utf8proc_category(*c);
    *c = utf8proc_tolower(*c);
    return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_NO;
}

struct grams {
    struct dedup_worker *w;
    uint32_t             n;
    uint64_t             word[DEDUP_NGRAM]; /* hashes of the last words, a ring */
    uint64_t             n_words;
    uint64_t             hash; /* of the word that is not over, 0: none */
};

/* All words of the text so far, at most n of them, as one number. */
static drh_status add_gram(struct grams *g, uint32_t n)
{
    uint64_t h = n;
    for (uint32_t i = 0; i < n; i++) {
        h = mix64(h ^ g->word[(g->n_words - n + i) % DEDUP_NGRAM]);
    }
    return dedup_add(&g->w->shingle, &h, sizeof(h));
}

static drh_status end_word(struct grams *g)
{
    const uint32_t n = g->n;
    if (!g->hash) {
        return DRH_OK;
    }
    g->word[g->n_words++ % DEDUP_NGRAM] = mix64(g->hash);
    g->hash = 0;
    return g->n_words >= n ? add_gram(g, n) : DRH_OK;
}

static drh_status add_words(struct grams *g, const uint8_t *p, size_t len)
{
    size_t     at = 0;
    drh_status st = DRH_OK;
    while (st == DRH_OK && at < len) {
        utf8proc_int32_t c = p[at];
        utf8proc_ssize_t n =
            c < 0x80 ? 1 : utf8proc_iterate(p + at, (utf8proc_ssize_t)(len - at), &c);
        if (n <= 0) { /* no valid UTF-8, which the host does not let in */
            n = 1;
            c = ' ';
        }
        at += (size_t)n;
        if (is_alone(c)) {
            st = end_word(g);
            g->hash = (0xcbf29ce484222325u ^ (uint32_t)c) * 0x100000001b3u;
            st = st == DRH_OK ? end_word(g) : st;
        } else if (is_of_word(&c)) {
            g->hash = g->hash ? g->hash : 0xcbf29ce484222325u;
            g->hash = (g->hash ^ (uint32_t)c) * 0x100000001b3u;
            g->hash += !g->hash; /* 0 is none */
        } else {
            st = end_word(g);
        }
    }
    return st == DRH_OK ? end_word(g) : st;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

drh_status dedup_shingles(struct dedup_worker *w, uint32_t n_gram)
{
    const struct dedup_part *part = (const void *)w->part.ptr;
    struct grams             g = {.w = w, .n = n_gram};
    uint64_t                *s;
    size_t                   n, kept = 0;
    drh_status               st = DRH_OK;

    w->shingle.len = 0;
    for (size_t i = 0; st == DRH_OK && i < w->part.len / sizeof(*part); i++) {
        if (!part[i].word) {
            st = add_words(&g, w->text.ptr + part[i].at, part[i].len);
        }
    }
    if (st == DRH_OK && g.n_words > 0 && g.n_words < n_gram) {
        st = add_gram(&g, (uint32_t)g.n_words);
    }
    w->n_words = g.n_words;
    s = (uint64_t *)(void *)w->shingle.ptr;
    n = w->shingle.len / sizeof(*s);
    if (st != DRH_OK || n == 0) {
        return st;
    }
    qsort(s, n, sizeof(*s), by_value);
    for (size_t i = 1; i < n; i++) {
        if (s[i] != s[kept]) {
            s[++kept] = s[i];
        }
    }
    w->shingle.len = (kept + 1) * sizeof(*s);
    return DRH_OK;
}

/* ---- signatures ---------------------------------------------------------------------------- */

/* The finaliser of MurmurHash3: a permutation of 32-bit numbers. */
static inline uint32_t mix32(uint32_t x)
{
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return x ^ x >> 16;
}

/* Permutation k of a shingle: mix32(shingle ^ seed k). */
void dedup_signature(const struct dedup_near *o, const uint64_t *shingle, size_t n,
                     uint32_t *signature)
{
    const uint32_t many = o->bands * o->rows;

    for (uint32_t from = 0; from < many; from += 16) { /* so that least[] is in registers */
        const uint32_t here = many - from < 16 ? many - from : 16;
        uint32_t       seed[16], least[16];
        for (uint32_t k = 0; k < 16; k++) {
            seed[k] = (uint32_t)(mix64(0x9e3779b97f4a7c15u * (from + k + 1)) >> 32);
            least[k] = UINT32_MAX;
        }
        for (size_t i = 0; i < n; i++) {
            const uint32_t x = (uint32_t)(shingle[i] ^ shingle[i] >> 32);
            for (uint32_t k = 0; k < 16; k++) {
                const uint32_t h = mix32(x ^ seed[k]);
                least[k] = h < least[k] ? h : least[k];
            }
        }
        memcpy(signature + from, least, here * sizeof(*least));
    }
}

void dedup_bands(const struct dedup_near *o, const uint32_t *signature, uint64_t group,
                 uint64_t *band)
{
    for (uint32_t b = 0; b < o->bands; b++) {
        uint64_t h = mix64(group + 0x9e3779b97f4a7c15u * (b + 1));
        for (uint32_t i = 0; i < o->rows; i++) {
            h = mix64(h ^ signature[b * o->rows + i]);
        }
        band[b] = h;
    }
}

uint32_t dedup_jaccard(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    size_t i = 0, k = 0, both = 0;
    while (i < n && k < m) {
        both += a[i] == b[k];
        if (a[i] < b[k]) {
            i++;
        } else if (a[i] > b[k]) {
            k++;
        } else {
            i++;
            k++;
        }
    }
    return n + m ? (uint32_t)(both * 10000 / (n + m - both)) : 10000;
}
