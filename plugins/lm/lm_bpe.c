/* SPDX-License-Identifier: MIT
 *
 * lm_bpe.c - byte pair encoding: a word to token ids.  Any thread.
 */
#include "lm_tok.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT_WORD = 64, MERGE_SHORT = 192 };

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

static inline uint64_t spread(uint64_t key)
{
    return key * 0x9e3779b97f4a7c15u;
}

/* Slot of the key, or the empty one where it would go. */
size_t lm_tok_merge_slot(const struct lm_tok *t, uint64_t key)
{
    size_t i = (size_t)(spread(key) >> t->merge_shift);
    while (t->merges[i].key != key && t->merges[i].key != UINT64_MAX) {
        i = (i + 1) & t->merge_mask;
    }
    return i;
}

void lm_bpe_note_merge(struct lm_tok *t, uint64_t key)
{
    uint64_t bit = spread(key) >> (64 - LM_TOK_MAYBE_BITS);
    t->maybe[bit / 64] |= (uint64_t)1 << (bit & 63);
}

/* The merge of two tokens; rank LM_TOK_NONE when there is none.  Most pairs have none: `maybe`,
 * which stays in a near cache, says so for all but a few of them. */
static inline struct lm_tok_merge pair(const struct lm_tok *t, uint32_t a, uint32_t b)
{
    static const struct lm_tok_merge none = {UINT64_MAX, LM_TOK_NONE, LM_TOK_NONE};
    const uint64_t                   key = (uint64_t)a << 32 | b;
    const uint64_t                   bit = spread(key) >> (64 - LM_TOK_MAYBE_BITS);
    const struct lm_tok_merge       *m;
    if (!(t->maybe[bit / 64] >> (bit & 63) & 1)) {
        return none;
    }
    m = &t->merges[lm_tok_merge_slot(t, key)];
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

/* key: rank << 8 | place, UINT32_MAX where there is no merge with what follows; id: that merge's.
 * Places of symbols that were merged into the one before stay, out of the list. */
struct row {
    uint32_t key[MERGE_SHORT], id[MERGE_SHORT], sym[MERGE_SHORT + 1]; /* gcc sees no bound */
    uint8_t  next[MERGE_SHORT], prev[MERGE_SHORT];
};

static inline void look(const struct lm_tok *t, struct row *r, size_t i, size_t n)
{
    struct lm_tok_merge m;
    r->key[i] = UINT32_MAX;
    if (r->next[i] < n) {
        m = pair(t, r->sym[i], r->sym[r->next[i]]);
        if (m.rank != LM_TOK_NONE) {
            r->key[i] = m.rank << 8 | (uint32_t)i;
            r->id[i] = m.id;
        }
    }
}

static inline uint32_t lowest(const struct row *r, size_t n)
{
    uint32_t best = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        best = r->key[i] < best ? r->key[i] : best;
    }
    return best;
}

static void merge_short(const struct lm_tok *t, const unsigned char *p, size_t n,
                        struct lm_tok_out *out)
{
    struct row r;
    uint32_t   best;
    n = first_symbols(t, p, n, r.sym);
    for (size_t i = 0; i < n; i++) {
        r.next[i] = (uint8_t)(i + 1);
        r.prev[i] = (uint8_t)(i - 1); /* 255: none */
        look(t, &r, i, n);
    }
    while ((best = lowest(&r, n)) != UINT32_MAX) {
        const size_t i = best & 255, gone = r.next[i];
        r.sym[i] = r.id[i];
        r.next[i] = r.next[gone];
        r.key[gone] = UINT32_MAX;
        if (r.next[i] < n) {
            r.prev[r.next[i]] = (uint8_t)i;
        }
        look(t, &r, i, n);
        if (i > 0) {
            look(t, &r, r.prev[i], n);
        }
    }
    for (size_t i = 0; i < n; i = r.next[i]) {
        lm_tok_emit(out, r.sym[i]);
    }
}

/* ---- many symbols: a list of them, and a heap of the merges that were possible when they were
 * put in ------------------------------------------------------------------------------------- */

struct node {
    uint32_t sym, prev, next;
    uint32_t rank; /* of the merge with the next one, or LM_TOK_NONE */
};
/* The heap has rank << 32 | place: the lowest is the merge to do, unless the node there has another
 * rank meanwhile.  Each entry has four below it. */
struct merger {
    struct node *nodes;
    uint64_t    *heap;
    size_t       n, cap;
};

static int heap_push(struct merger *g, uint64_t x)
{
    size_t i = g->n;
    if (g->n == g->cap) {
        size_t    cap = g->cap + g->cap / 2 + 256;
        uint64_t *h = realloc(g->heap, cap * sizeof(*h));
        if (!h) {
            return -1;
        }
        g->heap = h;
        g->cap = cap;
    }
    g->n++;
    while (i > 0 && x < g->heap[(i - 1) / 4]) {
        g->heap[i] = g->heap[(i - 1) / 4];
        i = (i - 1) / 4;
    }
    g->heap[i] = x;
    return 0;
}

/* The lowest of the entries below i, which has some. */
static inline size_t lowest_below(const struct merger *g, size_t i)
{
    const size_t end = 4 * i + 5 < g->n ? 4 * i + 5 : g->n;
    size_t       best = 4 * i + 1;
    for (size_t c = best + 1; c < end; c++) {
        best = g->heap[c] < g->heap[best] ? c : best;
    }
    return best;
}

static uint64_t heap_pop(struct merger *g)
{
    const uint64_t top = g->heap[0], x = g->heap[--g->n];
    size_t         i = 0;
    while (4 * i + 1 < g->n) {
        const size_t c = lowest_below(g, i);
        if (x <= g->heap[c]) {
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
    struct node   *a = &g->nodes[at];
    const uint32_t rank =
        a->next == LM_TOK_NONE ? LM_TOK_NONE : pair(t, a->sym, g->nodes[a->next].sym).rank;
    if (rank == a->rank) {
        return 0; /* none, as before */
    }
    a->rank = rank;
    return rank == LM_TOK_NONE ? 0 : heap_push(g, (uint64_t)rank << 32 | at);
}

static int merge_all(const struct lm_tok *t, struct merger *g)
{
    while (g->n > 0) {
        const uint64_t x = heap_pop(g);
        const uint32_t at = (uint32_t)x;
        struct node   *a = &g->nodes[at], *b;
        if (a->rank != x >> 32) {
            continue; /* one of the two was merged meanwhile */
        }
        b = &g->nodes[a->next];
        a->sym = pair(t, a->sym, b->sym).id;
        a->next = b->next;
        a->rank = b->rank = LM_TOK_NONE;
        if (a->next != LM_TOK_NONE) {
            g->nodes[a->next].prev = at;
        }
        if (push_pair(t, g, at) || (a->prev != LM_TOK_NONE && push_pair(t, g, a->prev))) {
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
            g->nodes[i].rank = LM_TOK_NONE;
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
    if (n > MERGE_SHORT) {
        return merge_long(t, u, n, out);
    }
    merge_short(t, u, n, out);
    return 0;
}

/* ---- words --------------------------------------------------------------------------------- */

/* A character at the end or the start of a token, or the bytes of it that the token has. */
struct edge {
    uint32_t c; /* or LM_NO_CHAR */
    size_t   n; /* bytes of it */
};

/* Bits of all those merges that join a with b, by what both are or have. */
static inline size_t join_bit(uint32_t a, uint32_t b)
{
    return (size_t)(((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15u >> (64 - LM_TOK_JOIN_BITS));
}

/* Instead of a character: a part of it, of 1 to 3 bytes. */
static inline uint32_t part_of_char(const unsigned char *p, size_t n)
{
    uint32_t x = 0x80 | (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        x = x << 8 | p[i];
    }
    return x;
}

static inline size_t loose_bit(unsigned char a, unsigned char b)
{
    return (size_t)a << 8 | b;
}

static inline int is_set(const uint64_t *bits, size_t i)
{
    return (int)(bits[i / 64] >> (i & 63) & 1);
}

static inline void set(uint64_t *bits, size_t i)
{
    bits[i / 64] |= (uint64_t)1 << (i & 63);
}

/* The character that p[0..n), n > 0, ends with; LM_NO_CHAR when that is a part of one. */
static uint32_t last_char(const unsigned char *p, size_t n)
{
    uint32_t c;
    for (size_t back = 1; back <= 4 && back <= n; back++) {
        if (lm_utf8(p + n - back, back, &c) == back && c != LM_NO_CHAR) {
            return c;
        }
    }
    return LM_NO_CHAR;
}

/* Of tokens that end or begin within a character only those matter that have nothing else: between
 * whole characters there are no others. */
void lm_bpe_note_join(struct lm_tok *t, const char *p, size_t n, const char *q, size_t m)
{
    const unsigned char *u = (const unsigned char *)p, *v = (const unsigned char *)q;
    uint32_t             a, b;
    if (n == 0 || m == 0) {
        return;
    }
    a = last_char(u, n);
    (void)lm_utf8(v, m, &b);
    if ((a == LM_NO_CHAR && n > 3) || (b == LM_NO_CHAR && m > 3)) {
        return;
    }
    if (a == LM_NO_CHAR || b == LM_NO_CHAR) {
        set(t->loose, loose_bit(u[n - 1], v[0]));
    }
    a = a == LM_NO_CHAR ? part_of_char(u, n) : a;
    b = b == LM_NO_CHAR ? part_of_char(v, m) : b;
    set(t->joins, join_bit(a, b));
}

/* The same when the token on one side, or both, has only a part of the character. */
static int parts_may_join(const struct lm_tok *t, struct edge a, struct edge b,
                          const unsigned char *p)
{
    for (size_t i = 0; i < a.n; i++) {
        const uint32_t left = i ? part_of_char(p - i, i) : a.c;
        for (size_t k = i ? 0 : 1; k < b.n; k++) {
            if (is_set(t->joins, join_bit(left, k ? part_of_char(p, k) : b.c))) {
                return 1;
            }
        }
    }
    return 0;
}

/* Whether a merge may join what ends with the character a, before p, and what begins with b, at
 * p. */
static inline int may_join(const struct lm_tok *t, struct edge a, struct edge b,
                           const unsigned char *p)
{
    return is_set(t->joins, join_bit(a.c, b.c)) ||
           (is_set(t->loose, loose_bit(p[-1], p[0])) && parts_may_join(t, a, b, p));
}

/* End of the part that starts at `at`: no merge joins the two characters there, nor parts of them,
 * so what is on one side has no influence on the other.  (`joins` may say yes too often, never no.)
 * Beside a character that the vocabulary has not there is never an end: it may become other
 * symbols, or none.  In short words of a byte-level vocabulary ends between ASCII characters are
 * not worth the search. */
static size_t part_end(const struct lm_tok *t, const unsigned char *p, size_t n, size_t at)
{
    const uint32_t plain = t->byte_level && n <= MERGE_SHORT ? 0x80 : 0;
    struct edge    last = {LM_NO_CHAR, 0}, next;
    while (at < n) {
        next.n = lm_utf8(p + at, n - at, &next.c);
        if (next.c != LM_NO_CHAR && t->char_id && !t->char_id[next.c]) {
            next.c = LM_NO_CHAR;
        }
        if (last.c != LM_NO_CHAR && next.c != LM_NO_CHAR && (last.c | next.c) >= plain &&
            !may_join(t, last, next, p + at)) {
            return at;
        }
        last = next;
        at += next.n;
    }
    return n;
}

/* 1: it was one token. */
static int whole_word(const struct lm_tok *t, const char *p, size_t n, struct lm_tok_out *out)
{
    const struct lm_tok_word *w = n <= SHORT_WORD ? lm_tok_find(t, p, n, 0) : NULL;
    if (!w || !w->whole) {
        return 0;
    }
    lm_tok_emit(out, w->id);
    return 1;
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
    if (t->byte_level && whole_word(t, p, n, out)) {
        return 0;
    }
    for (size_t at = 0, end; at < n && !rc; at = end) {
        end = part_end(t, (const unsigned char *)p, n, at);
        rc = whole_word(t, p + at, end - at, out) ? 0 : lm_bpe_merge(t, p + at, end - at, out);
    }
    return rc;
}
