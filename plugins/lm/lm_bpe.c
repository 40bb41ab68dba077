/* SPDX-License-Identifier: MIT
 *
 * lm_bpe.c - byte pair encoding: a word to token ids.  Any thread.
 */
#include "lm_tok.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT_WORD = 64, JOIN_BITS = 20 };

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

const struct lm_tok_word *lm_tok_find(const struct lm_tok *t, const char *p, size_t n, int alien)
{
    uint64_t h = lm_tok_hash(p, n);
    for (size_t i = (size_t)h & t->word_mask; t->words[i].id != LM_TOK_NONE;
         i = (i + 1) & t->word_mask) {
        const struct lm_tok_word *w = &t->words[i];
        if (w->hash == h && w->len == n && w->alien == alien &&
            memcmp(t->pool + w->off, p, n) == 0) {
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

/* ---- what a word is made of ---------------------------------------------------------------- */

struct symbols {
    uint32_t *to;
    size_t    n;
    int       unk; /* unknown characters wait to be written as one token */
};

static void put_unk(const struct lm_tok *t, struct symbols *s)
{
    if (s->unk) {
        s->to[s->n++] = t->unk;
        s->unk = 0;
    }
}

static void put_unknown(const struct lm_tok *t, struct symbols *s, const unsigned char *p, size_t n)
{
    size_t have = 0;
    while (!t->byte_level && have < n && t->byte_id[p[have]] != LM_TOK_NONE) {
        have++;
    }
    if (have == n) {
        for (size_t i = 0; i < n;
             i++) { /* as the original: even before an unknown one that waits */
            s->to[s->n++] = t->byte_id[p[i]];
        }
        return;
    }
    if (t->unk != LM_TOK_NONE) {
        if (!t->fuse_unk) {
            put_unk(t, s);
        }
        s->unk = 1;
    }
}

/* First symbols of a word, at most n of them: bytes, or characters with bytes for those that the
 * vocabulary has not, or unk, or nothing. */
static size_t first_symbols(const struct lm_tok *t, const unsigned char *p, size_t n, uint32_t *to)
{
    struct symbols s = {to, 0, 0};
    for (size_t at = 0, len; at < n; at += len) {
        uint32_t c = p[at], id;
        len = t->byte_level ? 1 : lm_utf8(p + at, n - at, &c);
        id = t->byte_level ? t->byte_id[c] : c == LM_NO_CHAR ? LM_TOK_NONE : t->char_id[c] - 1;
        if (id == LM_TOK_NONE) {
            put_unknown(t, &s, p + at, len);
        } else {
            put_unk(t, &s);
            to[s.n++] = id;
        }
    }
    put_unk(t, &s);
    return s.n;
}

/* ---- few symbols: look for the lowest rank each time --------------------------------------- */

static void merge_short(const struct lm_tok *t, const unsigned char *p, size_t n,
                        struct lm_tok_out *out)
{
    uint32_t            sym[SHORT_WORD + 1]; /* one more: gcc sees no bound */
    struct lm_tok_merge m[SHORT_WORD + 1];
    n = first_symbols(t, p, n, sym);
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
        lm_tok_emit(out, sym[i]);
    }
}

/* ---- many symbols: a list of them, and a heap of the merges that were possible when they were
 * put in ------------------------------------------------------------------------------------- */

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

static int list_symbols(const struct lm_tok *t, struct merger *g, const unsigned char *p, size_t n)
{
    uint32_t *sym = malloc(n * sizeof(*sym));
    int       rc = sym ? 0 : -1;
    if (sym) {
        n = first_symbols(t, p, n, sym);
        for (size_t i = 0; i < n; i++) {
            g->nodes[i].sym = sym[i];
            g->nodes[i].prev = i ? (uint32_t)i - 1 : LM_TOK_NONE;
            g->nodes[i].next = i + 1 < n ? (uint32_t)i + 1 : LM_TOK_NONE;
        }
    }
    free(sym);
    for (size_t i = 0; i + 1 < n && !rc; i++) {
        rc = push_pair(t, g, (uint32_t)i);
    }
    return rc ? rc : n > 0;
}

static int merge_long(const struct lm_tok *t, const unsigned char *p, size_t n,
                      struct lm_tok_out *out)
{
    struct merger g = {NULL, NULL, 0, 0};
    int           rc = -1;
    if (n >= LM_TOK_NONE || !(g.nodes = malloc(n * sizeof(*g.nodes)))) {
        return -1;
    }
    rc = list_symbols(t, &g, p, n);
    if (rc == 1) {
        rc = merge_all(t, &g);
        for (uint32_t i = 0; !rc && i != LM_TOK_NONE; i = g.nodes[i].next) {
            lm_tok_emit(out, g.nodes[i].sym);
        }
    }
    free(g.heap);
    free(g.nodes);
    return rc;
}

int lm_bpe_merge(const struct lm_tok *t, const char *p, size_t n, struct lm_tok_out *out)
{
    const unsigned char *u = (const unsigned char *)p;
    if (n > SHORT_WORD) {
        return merge_long(t, u, n, out);
    }
    merge_short(t, u, n, out);
    return 0;
}

/* ---- words --------------------------------------------------------------------------------- */

static inline size_t join_bit(uint32_t a, uint32_t b)
{
    return (size_t)(((uint64_t)a << 21 | b) * 0x9e3779b97f4a7c15u >> (64 - JOIN_BITS));
}

void lm_bpe_note_join(struct lm_tok *t, uint32_t a, uint32_t b)
{
    size_t bit = join_bit(a, b);
    t->joins[bit / 64] |= (uint64_t)1 << (bit & 63);
}

/* End of the part that starts at `at`: no merge joins the two characters there, so what is on one
 * side has no influence on the other.  (`joins` may say yes too often, never no.)  Beside a
 * character that the vocabulary has not there is never an end: it may become other symbols, or
 * none. */
static size_t part_end(const struct lm_tok *t, const unsigned char *p, size_t n, size_t at)
{
    uint32_t c, last = LM_NO_CHAR;
    while (at < n) {
        size_t len = lm_utf8(p + at, n - at, &c);
        c = c != LM_NO_CHAR && t->char_id[c] ? c : LM_NO_CHAR;
        if (last != LM_NO_CHAR && c != LM_NO_CHAR) {
            size_t bit = join_bit(last, c);
            if (!(t->joins[bit / 64] >> (bit & 63) & 1)) {
                return at;
            }
        }
        last = c;
        at += len;
    }
    return n;
}

static int one_word(const struct lm_tok *t, const char *p, size_t n, struct lm_tok_out *out)
{
    const struct lm_tok_word *w = n <= SHORT_WORD ? lm_tok_find(t, p, n, 0) : NULL;
    if (w && w->whole) {
        lm_tok_emit(out, w->id);
        return 0;
    }
    return lm_bpe_merge(t, p, n, out);
}

int lm_bpe_word(const struct lm_tok *t, const char *p, size_t n, struct lm_tok_out *out)
{
    int rc = 0;
    if (t->ignore_merges && n <= t->longest_word) {
        const struct lm_tok_word *w = lm_tok_find(t, p, n, 0);
        if (w) {
            lm_tok_emit(out, w->id);
            return 0;
        }
    }
    if (t->byte_level) {
        return one_word(t, p, n, out);
    }
    for (size_t at = 0, end; at < n && !rc; at = end) {
        end = part_end(t, (const unsigned char *)p, n, at);
        rc = one_word(t, p + at, end - at, out);
    }
    return rc;
}
