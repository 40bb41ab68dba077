/* SPDX-License-Identifier: MIT
 *
 * alike.c - how much two texts have in common, and which of many have a text before them that is
 * nearly the same: MinHash of their words, 16 bands of 8 rows to find candidates, then the exact
 * share of words.  A pair that shares 0.9 of its words is missed once in 8000.
 */
#include "personas.h"

#include <stdlib.h>

enum { MOST_WORDS = 2048, BANDS = 16, ROWS_OF_BAND = 8, FIRST_HEADS = 1 << 12 };

/* ---- words --------------------------------------------------------------------------------- */

static uint64_t hash_word(const char *p, size_t n)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) {
        const char c = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] - 'A' + 'a') : p[i];
        h = (h ^ (unsigned char)c) * 1099511628211u;
    }
    return h;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int in_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

/* Different words of a text, sorted; a character that is no letter of an alphabet is one. */
static size_t words_of(drh_str s, uint64_t word[MOST_WORDS])
{
    size_t n = 0, to = 0;
    for (size_t i = 0; i < s.len && n < MOST_WORDS;) {
        size_t k = 0;
        if ((unsigned char)s.ptr[i] >= 0xe0) {
            k = (unsigned char)s.ptr[i] >= 0xf0 ? 4 : 3;
            k = k <= s.len - i ? k : s.len - i;
        } else {
            while (i + k < s.len && in_word(s.ptr[i + k]) && (unsigned char)s.ptr[i + k] < 0xe0) {
                k++;
            }
        }
        if (k) {
            word[n++] = hash_word(s.ptr + i, k);
        }
        i += k ? k : 1;
    }
    qsort(word, n, sizeof(*word), by_value);
    for (size_t i = 0; i < n; i++) {
        if (to == 0 || word[to - 1] != word[i]) {
            word[to++] = word[i];
        }
    }
    return to;
}

static double share(const uint64_t *x, size_t n, const uint64_t *y, size_t m)
{
    size_t both = 0, i = 0, k = 0;
    while (i < n && k < m) {
        both += x[i] == y[k];
        if (x[i] == y[k]) {
            i++;
            k++;
        } else if (x[i] < y[k]) {
            i++;
        } else {
            k++;
        }
    }
    return n + m ? (double)both / (double)(n + m - both) : 1;
}

size_t reply_words(drh_str s)
{
    static _Thread_local uint64_t word[MOST_WORDS];
    return words_of(s, word);
}

double reply_likeness(drh_str a, drh_str b)
{
    static _Thread_local uint64_t x[MOST_WORDS], y[MOST_WORDS];
    const size_t                  n = words_of(a, x);
    return share(x, n, y, words_of(b, y));
}

/* ---- bands --------------------------------------------------------------------------------- */

struct entry {
    uint32_t next; /* of the same head: index + 1, 0: none */
    uint32_t text;
    uint64_t band;
};

struct alike {
    const drh_host *h;
    uint32_t       *head; /* index + 1 of the newest entry */
    size_t          heads;
    struct entry   *entry;
    size_t          n, cap;
};

struct alike *alike_new(const drh_host *h)
{
    struct alike *a = h->alloc(h, NULL, sizeof(*a));
    if (a) {
        memset(a, 0, sizeof(*a));
        a->h = h;
    }
    return a;
}

void alike_free(struct alike *a)
{
    if (a) {
        const drh_host *h = a->h;
        (void)h->alloc(h, a->head, 0);
        (void)h->alloc(h, a->entry, 0);
        (void)h->alloc(h, a, 0);
    }
}

/* The hash of each band: of the least values of 8 of the 128 functions of the words. */
static void bands_of(const uint64_t *word, size_t n, uint64_t band[BANDS])
{
    for (uint64_t b = 0; b < BANDS; b++) {
        band[b] = b;
        for (uint64_t r = 0; r < ROWS_OF_BAND; r++) {
            const uint64_t salt = synth_nth(1, b * ROWS_OF_BAND + r);
            uint64_t       least = UINT64_MAX;
            for (size_t i = 0; i < n; i++) {
                const uint64_t v = synth_nth(word[i] ^ salt, 0);
                least = v < least ? v : least;
            }
            band[b] = synth_nth(band[b] ^ least, 0);
        }
    }
}

static drh_status grow(struct alike *a)
{
    const size_t heads = a->heads ? 2 * a->heads : FIRST_HEADS, cap = heads;
    void        *head, *entry;
    if (a->n + BANDS <= a->cap) {
        return DRH_OK;
    }
    if (cap > UINT32_MAX || !(entry = a->h->alloc(a->h, a->entry, cap * sizeof(*a->entry)))) {
        return DRH_E_NOMEM;
    }
    a->entry = entry;
    a->cap = cap;
    head = a->h->alloc(a->h, a->head, heads * sizeof(*a->head));
    if (!head) {
        return DRH_E_NOMEM;
    }
    a->head = head;
    a->heads = heads;
    memset(a->head, 0, heads * sizeof(*a->head));
    for (size_t i = 0; i < a->n; i++) {
        uint32_t *to = &a->head[a->entry[i].band & (heads - 1)];
        a->entry[i].next = *to;
        *to = (uint32_t)(i + 1);
    }
    return DRH_OK;
}

/* The one among earlier texts that shares enough words, or SIZE_MAX. */
static size_t candidate(const struct alike *a, const struct people *p, const uint64_t band[BANDS],
                        const uint64_t *word, size_t n, double least)
{
    static _Thread_local uint64_t other[MOST_WORDS];
    for (int b = 0; a->heads && b < BANDS; b++) {
        for (uint32_t i = a->head[band[b] & (a->heads - 1)]; i; i = a->entry[i - 1].next) {
            const struct entry *en = &a->entry[i - 1];
            if (en->band == band[b] &&
                share(word, n, other, words_of(people_get(p, en->text), other)) >= least) {
                return en->text;
            }
        }
    }
    return SIZE_MAX;
}

drh_status alike_add(struct alike *a, const struct people *p, size_t text, double least,
                     size_t *like)
{
    static _Thread_local uint64_t word[MOST_WORDS];
    uint64_t                      band[BANDS];
    const size_t                  n = words_of(people_get(p, text), word);
    bands_of(word, n, band);
    *like = candidate(a, p, band, word, n, least);
    if (*like != SIZE_MAX) {
        return DRH_OK;
    }
    if (grow(a) != DRH_OK) {
        return DRH_E_NOMEM;
    }
    for (int b = 0; b < BANDS; b++) {
        uint32_t *to = &a->head[band[b] & (a->heads - 1)];
        a->entry[a->n++] = (struct entry){*to, (uint32_t)text, band[b]};
        *to = (uint32_t)a->n;
    }
    return DRH_OK;
}
