/* SPDX-License-Identifier: MIT
 *
 * lm_tok.c - encoding: see lm_tok.h.  Loading is in lm_tok_load.c.
 */
#include "lm_tok.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT_WORD = 64 };

static inline uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

uint64_t lm_tok_hash(const char *p, size_t n)
{
    uint64_t h = n * 0xa0761d6478bd642fu, w;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = mix(h ^ w) * 0xe7037ed1a0b428dbu;
    }
    w = 0;
    for (size_t i = 0; i < n; i++) {
        w |= (uint64_t)(unsigned char)p[i] << (8 * i);
    }
    return mix(mix(h ^ w) * 0x8ebc6af09c88c6e3u);
}

const struct lm_tok_word *lm_tok_find_word(const struct lm_tok *t, const char *p, size_t n)
{
    uint64_t h = lm_tok_hash(p, n);
    for (size_t i = (size_t)h & t->word_mask; t->words[i].id != LM_TOK_NONE;
         i = (i + 1) & t->word_mask) {
        const struct lm_tok_word *w = &t->words[i];
        if (w->hash == h && w->len == n && memcmp(t->pool + w->off, p, n) == 0) {
            return w;
        }
    }
    return NULL;
}

/* Slot of the key, or the empty one where it would go. */
size_t lm_tok_merge_slot(const struct lm_tok *t, uint64_t key)
{
    size_t i = (size_t)mix(key * 0xd6e8feb86659fd93u) & t->merge_mask;
    while (t->merges[i].key != key && t->merges[i].key != UINT64_MAX) {
        i = (i + 1) & t->merge_mask;
    }
    return i;
}

/* The merge of two tokens; rank LM_TOK_NONE when there is none. */
static inline struct lm_tok_merge pair(const struct lm_tok *t, uint32_t a, uint32_t b)
{
    static const struct lm_tok_merge none = {UINT64_MAX, LM_TOK_NONE, LM_TOK_NONE};
    const struct lm_tok_merge       *m = &t->merges[lm_tok_merge_slot(t, (uint64_t)a << 32 | b)];
    return m->key == UINT64_MAX ? none : *m;
}

static inline void emit(struct lm_tok_out *out, uint32_t id)
{
    if (out->count < out->cap) {
        out->ids[out->count] = id;
    }
    out->count++;
}

/* Few symbols: look for the lowest rank each time. */
static void encode_short(const struct lm_tok *t, const unsigned char *p, size_t n,
                         struct lm_tok_out *out)
{
    uint32_t            sym[SHORT_WORD];
    struct lm_tok_merge m[SHORT_WORD];
    for (size_t i = 0; i < n; i++) {
        sym[i] = t->byte_id[p[i]];
    }
    for (size_t i = 0; i + 1 < n; i++) {
        m[i] = pair(t, sym[i], sym[i + 1]);
    }
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++) {
            best = m[i].rank < m[best].rank ? i : best;
        }
        if (m[best].rank == LM_TOK_NONE) {
            break;
        }
        sym[best] = m[best].id;
        n--;
        for (size_t i = best + 1; i < n; i++) {
            sym[i] = sym[i + 1];
            m[i - 1] = m[i];
        }
        if (best + 1 < n) {
            m[best] = pair(t, sym[best], sym[best + 1]);
        }
        if (best > 0) {
            m[best - 1] = pair(t, sym[best - 1], sym[best]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        emit(out, sym[i]);
    }
}

/* Many symbols: a list of them, and a heap of the merges that were possible when they were put in.
 */
struct node {
    uint32_t sym, prev, next;
};
struct entry {
    uint32_t rank, at, left, right;
};
struct merger {
    struct node  *nodes;
    struct entry *heap;
    size_t        n, cap;
};

static inline int before(const struct entry *a, const struct entry *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static int heap_push(struct merger *g, struct entry x)
{
    size_t i = g->n;
    if (g->n == g->cap) {
        size_t        cap = g->cap + g->cap / 2 + 64;
        struct entry *h = realloc(g->heap, cap * sizeof(*h));
        if (!h) {
            return -1;
        }
        g->heap = h;
        g->cap = cap;
    }
    g->n++;
    while (i > 0 && before(&x, &g->heap[(i - 1) / 2])) {
        g->heap[i] = g->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    g->heap[i] = x;
    return 0;
}

static struct entry heap_pop(struct merger *g)
{
    struct entry top = g->heap[0], x = g->heap[--g->n];
    size_t       i = 0, c;
    while ((c = 2 * i + 1) < g->n) {
        c += c + 1 < g->n && before(&g->heap[c + 1], &g->heap[c]);
        if (!before(&g->heap[c], &x)) {
            break;
        }
        g->heap[i] = g->heap[c];
        i = c;
    }
    g->heap[i] = x;
    return top;
}

static int push_pair(const struct lm_tok *t, struct merger *g, uint32_t at)
{
    uint32_t            next = g->nodes[at].next;
    struct lm_tok_merge m;
    struct entry        x;
    if (next == LM_TOK_NONE) {
        return 0;
    }
    m = pair(t, g->nodes[at].sym, g->nodes[next].sym);
    if (m.rank == LM_TOK_NONE) {
        return 0;
    }
    x.rank = m.rank;
    x.at = at;
    x.left = g->nodes[at].sym;
    x.right = g->nodes[next].sym;
    return heap_push(g, x);
}

static int merge_all(const struct lm_tok *t, struct merger *g)
{
    while (g->n > 0) {
        struct entry x = heap_pop(g);
        struct node *a = &g->nodes[x.at];
        uint32_t     next = a->next;
        if (a->sym != x.left || next == LM_TOK_NONE || g->nodes[next].sym != x.right) {
            continue; /* one of the two was merged meanwhile */
        }
        a->sym = pair(t, x.left, x.right).id;
        a->next = g->nodes[next].next;
        g->nodes[next].sym = LM_TOK_NONE;
        if (a->next != LM_TOK_NONE) {
            g->nodes[a->next].prev = x.at;
        }
        if (push_pair(t, g, x.at) || (a->prev != LM_TOK_NONE && push_pair(t, g, a->prev))) {
            return -1;
        }
    }
    return 0;
}

static int encode_long(const struct lm_tok *t, const unsigned char *p, size_t n,
                       struct lm_tok_out *out)
{
    struct merger g = {NULL, NULL, 0, 0};
    int           rc = -1;
    if (n >= LM_TOK_NONE || !(g.nodes = malloc(n * sizeof(*g.nodes)))) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        g.nodes[i].sym = t->byte_id[p[i]];
        g.nodes[i].prev = i ? (uint32_t)i - 1 : LM_TOK_NONE;
        g.nodes[i].next = i + 1 < n ? (uint32_t)i + 1 : LM_TOK_NONE;
    }
    for (size_t i = 0; i + 1 < n; i++) {
        if (push_pair(t, &g, (uint32_t)i)) {
            goto out;
        }
    }
    if (merge_all(t, &g)) {
        goto out;
    }
    for (uint32_t i = 0; i != LM_TOK_NONE; i = g.nodes[i].next) {
        emit(out, g.nodes[i].sym);
    }
    rc = 0;
out:
    free(g.heap);
    free(g.nodes);
    return rc;
}

int lm_tok_word_encode(const struct lm_tok *t, const char *p, size_t n, struct lm_tok_out *out)
{
    const unsigned char *u = (const unsigned char *)p;
    if (n > SHORT_WORD) {
        return encode_long(t, u, n, out);
    }
    encode_short(t, u, n, out);
    return 0;
}

static int encode_plain(const struct lm_tok *t, const char *text, size_t n, struct lm_tok_out *out)
{
    for (size_t at = 0, end; at < n; at = end) {
        const struct lm_tok_word *w;
        end = lm_split_next(&t->split, text, n, at);
        w = end - at <= SHORT_WORD ? lm_tok_find_word(t, text + at, end - at) : NULL;
        if (w && w->whole) {
            emit(out, w->id);
        } else if (lm_tok_word_encode(t, text + at, end - at, out)) {
            return -1;
        }
    }
    return 0;
}

/* Longest added token at text[0..n), of which [0..special_n) may hold special ones. */
static const struct lm_tok_added *added_at(const struct lm_tok *t, const char *text, size_t n,
                                           size_t special_n)
{
    const struct lm_tok_added *best = NULL;
    for (size_t i = 0; i < t->n_added; i++) {
        const struct lm_tok_added *a = &t->added[i];
        if (a->len <= (a->special ? special_n : n) && (!best || a->len > best->len) &&
            memcmp(a->text, text, a->len) == 0) {
            best = a;
        }
    }
    return best;
}

int lm_tok_encode(const struct lm_tok *t, const char *text, size_t n, size_t special_n,
                  struct lm_tok_out *out)
{
    size_t from = 0, at = 0;
    if (special_n == 0 && !t->added_plain) {
        return encode_plain(t, text, n, out);
    }
    while (at < n) {
        const struct lm_tok_added *a = NULL;
        if (t->added_first[(unsigned char)text[at]]) {
            a = added_at(t, text + at, n - at, at < special_n ? special_n - at : 0);
        }
        if (!a) {
            at++;
            continue;
        }
        if (encode_plain(t, text + from, at - from, out)) {
            return -1;
        }
        emit(out, a->id);
        at += a->len;
        from = at;
    }
    return encode_plain(t, text + from, n - from, out);
}

uint32_t lm_tok_id(const struct lm_tok *t, const char *text, size_t n)
{
    const struct lm_tok_word *w;
    for (size_t i = 0; i < t->n_added; i++) {
        if (t->added[i].len == n && memcmp(t->added[i].text, text, n) == 0) {
            return t->added[i].id;
        }
    }
    w = lm_tok_find_word(t, text, n);
    return w ? w->id : LM_TOK_NONE;
}
