/* SPDX-License-Identifier: MIT
 *
 * lm_tok.c - encoding: added tokens, then the normalizer, added tokens again, the pre-tokenizer and
 * BPE.  See lm_tok.h.
 */
#include "lm_tok.h"

#include <string.h>

struct run {
    const struct lm_tok *t;
    struct lm_tok_out   *out;
    struct lm_pre_run    pre;
    struct lm_text       buf[2], prefix[2]; /* of the normalizer */
};

/* ---- added tokens -------------------------------------------------------------------------- */

/* First key in [lo,hi), which agree in their first d bytes, whose byte d is >= c; a key that ends
 * there is less than any. */
static size_t narrow(const struct lm_tok_set *s, size_t lo, size_t hi, size_t d, unsigned c)
{
    while (lo < hi) {
        size_t                     mid = lo + (hi - lo) / 2;
        const struct lm_tok_added *a = s->by_key[mid];
        if (a->key_len > d && (unsigned char)a->key[d] >= c) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo;
}

/* Longest key at p[0..n), of which [0..special_n) may hold special tokens. */
static const struct lm_tok_added *longest(const struct lm_tok_set *s, const char *p, size_t n,
                                          size_t special_n)
{
    const struct lm_tok_added *best = NULL;
    size_t                     lo = 0, hi = s->n;
    for (size_t d = 0; d < n && lo < hi; d++) {
        unsigned c = (unsigned char)p[d];
        lo = narrow(s, lo, hi, d, c);
        hi = narrow(s, lo, hi, d, c + 1);
        if (lo < hi && s->by_key[lo]->key_len == d + 1 &&
            (!s->by_key[lo]->special || d < special_n)) {
            best = s->by_key[lo];
        }
    }
    return best;
}

static int stands_alone(const struct lm_uni *u, const unsigned char *p, size_t n, size_t from,
                        size_t to)
{
    size_t x;
    return (from == 0 || !(lm_class_before(u, p, from, &x) & LM_WORD)) &&
           (to == n || !(lm_class_at(u, p, n, to, &x) & LM_WORD));
}

/* Takes what lies between added tokens. */
typedef int (*between_fn)(struct run *r, const char *p, size_t n, int first, size_t special_n);

static int between(struct run *r, between_fn fn, const char *p, size_t from, size_t to, int first,
                   size_t special_n)
{
    return from < to ? fn(r, p + from, to - from, first && from == 0,
                          special_n > from ? special_n - from : 0)
                     : 0;
}

static int split_added(struct run *r, const struct lm_tok_set *s, between_fn fn, const char *p,
                       size_t n, int first, size_t special_n)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t               from = 0, at = 0;
    if (s->n == 0 || (special_n == 0 && !s->plain)) {
        return between(r, fn, p, 0, n, first, special_n);
    }
    while (at < n) {
        const struct lm_tok_added *a = NULL;
        size_t                     start = at, stop;
        if (s->first[u[at]]) {
            a = longest(s, p + at, n - at, special_n > at ? special_n - at : 0);
        }
        at += a ? a->key_len : 1;
        if (!a || (a->single_word && !stands_alone(&r->t->uni, u, n, start, at))) {
            continue;
        }
        start =
            a->lstrip ? lm_space_start(&r->t->uni, u, from < start ? from : start, start) : start;
        stop = a->rstrip ? lm_space_end(&r->t->uni, u, n, at) : at;
        if (between(r, fn, p, from, start, first, special_n)) {
            return -1;
        }
        lm_tok_emit(r->out, a->id);
        from = stop;
    }
    return between(r, fn, p, from, n, first, special_n);
}

/* ---- the steps ----------------------------------------------------------------------------- */

static int word(void *ctx, const char *p, size_t n)
{
    struct run *r = ctx;
    return lm_bpe_word(r->t, p, n, r->out);
}

static int plain(struct run *r, const char *p, size_t n, int first, size_t special_n)
{
    (void)special_n;
    return lm_pre_text(&r->pre, p, n, first);
}

/* Special tokens may lie where the normalized text is what its first special_n bytes alone give. */
static int special_part(struct run *r, const char *p, size_t n, size_t *special_n,
                        struct lm_slice whole)
{
    struct lm_slice part;
    size_t          i = 0;
    if (*special_n >= n || *special_n == 0 || r->t->normalized.n == 0) {
        *special_n = *special_n ? whole.n : 0;
        return 0;
    }
    if (lm_norm_run(&r->t->norm, &r->t->uni, p, *special_n, r->prefix, &part)) {
        return -1;
    }
    while (i < part.n && i < whole.n && part.p[i] == whole.p[i]) {
        i++;
    }
    *special_n = i;
    return 0;
}

static int normalize(struct run *r, const char *p, size_t n, int first, size_t special_n)
{
    struct lm_slice s;
    if (lm_norm_run(&r->t->norm, &r->t->uni, p, n, r->buf, &s) ||
        special_part(r, p, n, &special_n, s)) {
        return -1;
    }
    return split_added(r, &r->t->normalized, plain, s.p, s.n, first, special_n);
}

static void begin(struct run *r, const struct lm_tok *t, struct lm_tok_out *out)
{
    memset(r, 0, sizeof(*r));
    r->t = t;
    r->out = out;
    r->pre.pre = &t->pre;
    r->pre.uni = &t->uni;
    r->pre.word = word;
    r->pre.ctx = r;
}

static void end(struct run *r)
{
    lm_pre_run_end(&r->pre);
    for (size_t i = 0; i < 2; i++) {
        lm_text_free(&r->buf[i]);
        lm_text_free(&r->prefix[i]);
    }
}

int lm_tok_encode(const struct lm_tok *t, const char *text, size_t n, size_t special_n,
                  struct lm_tok_out *out)
{
    struct run r;
    int        rc;
    begin(&r, t, out);
    rc = split_added(&r, &t->raw, normalize, text, n, 1, special_n < n ? special_n : n);
    end(&r);
    return rc;
}

int lm_tok_encode_marked(const struct lm_tok *t, const char *text, size_t n,
                         const struct lm_tok_mark *mark, size_t n_marks, struct lm_tok_out *out)
{
    const unsigned char *u = (const unsigned char *)text;
    struct run           r;
    size_t               from = 0;
    int                  rc = 0;
    begin(&r, t, out);
    for (size_t i = 0; !rc && i < n_marks; i++) {
        const struct lm_tok_added *a = mark[i].token;
        const size_t               behind = mark[i].at + a->len;
        const size_t               to = a->lstrip && mark[i].at > from
                                            ? lm_space_start(&t->uni, u, from, mark[i].at)
                                            : mark[i].at;
        rc = from < to ? split_added(&r, &t->raw, normalize, text + from, to - from, from == 0, 0)
                       : 0;
        if (!rc) {
            lm_tok_emit(out, a->id);
        }
        from = a->rstrip ? lm_space_end(&t->uni, u, n, behind) : behind;
    }
    if (!rc && from < n) {
        rc = split_added(&r, &t->raw, normalize, text + from, n - from, from == 0, 0);
    }
    end(&r);
    return rc;
}

/* ---- looking up ---------------------------------------------------------------------------- */

struct lm_tok_added *lm_tok_added_of(const struct lm_tok *t, const char *text, size_t n)
{
    for (size_t i = 0; i < t->n_added; i++) {
        if (t->added[i].len == n && memcmp(t->added[i].text, text, n) == 0) {
            return &t->added[i];
        }
    }
    return NULL;
}

uint32_t lm_tok_id(const struct lm_tok *t, const char *text, size_t n)
{
    const struct lm_tok_word  *w;
    const struct lm_tok_added *a = lm_tok_added_of(t, text, n);
    if (a) {
        return a->id;
    }
    w = lm_tok_find(t, text, n, 0);
    w = w ? w : lm_tok_find(t, text, n, 1);
    return w ? w->id : LM_TOK_NONE;
}

const char *lm_tok_text(const struct lm_tok *t, uint32_t id, size_t *n)
{
    if (id > t->max_id || !(t->texts[id].flags & LM_TOK_USED)) {
        *n = 0;
        return NULL;
    }
    for (size_t i = t->texts[id].flags & LM_TOK_ADDED ? t->n_added : 0; i-- > 0;) {
        if (t->added[i].id == id) {
            *n = t->added[i].len;
            return t->added[i].text;
        }
    }
    *n = t->texts[id].len;
    return t->pool + t->texts[id].off;
}

int lm_tok_is_special(const struct lm_tok *t, uint32_t id)
{
    return id <= t->max_id && (t->texts[id].flags & LM_TOK_SPECIAL);
}
