/* SPDX-License-Identifier: MIT
 *
 * lm_norm.c - see lm_norm.h.
 */
#define _GNU_SOURCE /* memmem */
#include "lm_norm.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { FORM_MOST = 32 /* more than any character decomposes into */ };

int lm_text_put(struct lm_text *t, const char *p, size_t n)
{
    if (n > t->cap - t->n) {
        size_t cap = (t->n + n) + (t->n + n) / 2 + 64;
        char  *b = realloc(t->p, cap);
        if (!b) {
            return -1;
        }
        t->p = b;
        t->cap = cap;
    }
    if (n) {
        memcpy(t->p + t->n, p, n);
    }
    t->n += n;
    return 0;
}

void lm_text_free(struct lm_text *t)
{
    free(t->p);
    memset(t, 0, sizeof(*t));
}

/* ---- NFC and the like ---------------------------------------------------------------------- */

static unsigned options_of(const struct lm_norm_step *s)
{
    return UTF8PROC_STABLE | (s->compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) |
           (s->compat ? UTF8PROC_COMPAT : 0);
}

static int decompose(uint32_t c, utf8proc_int32_t *to, unsigned options)
{
    int                     boundary = 0;
    utf8proc_ssize_t        n;
    const utf8proc_option_t o = (utf8proc_option_t)options;
    n = utf8proc_decompose_char((utf8proc_int32_t)c, to, FORM_MOST, o, &boundary);
    if (n < 1 || n > FORM_MOST) {
        to[0] = (utf8proc_int32_t)c;
        n = 1;
    }
    return (int)n;
}

static unsigned combining(utf8proc_int32_t c)
{
    return (unsigned)utf8proc_get_property(c)->combining_class;
}

/* Composes or leaves d[0..n), which is decomposed and in order: the new length. */
static utf8proc_ssize_t recompose(const struct lm_norm_step *s, utf8proc_int32_t *d,
                                  utf8proc_ssize_t n)
{
    utf8proc_ssize_t m = n;
    if (s->compose) {
        m = utf8proc_normalize_utf32(d, n, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    }
    return m < 0 || m > n ? n : m;
}

/* A code point is inert when it is a starter, is its own normal form, and is not composed with what
 * goes before it: text may then be normalized apart on both sides of the boundary before it. */
int lm_norm_form(struct lm_norm_step *s)
{
    const unsigned   options = options_of(s);
    utf8proc_int32_t d[FORM_MOST + 1];
    s->inert = malloc(LM_UNI_LIMIT);
    if (!s->inert) {
        return -1;
    }
    memset(s->inert, 1, LM_UNI_LIMIT);
    for (uint32_t c = 0x80; c < LM_UNI_LIMIT; c++) {
        int surrogate = c >= 0xd800 && c < 0xe000;
        int n = surrogate ? 1 : decompose(c, d, options);
        if (n == 1 && (uint32_t)d[0] == c && !surrogate) {
            s->inert[c] &= combining(d[0]) == 0;
            continue;
        }
        for (int i = 1; i < n; i++) { /* a second half may come from anywhere */
            if (d[i] >= 0x80 && (uint32_t)d[i] < LM_UNI_LIMIT) {
                s->inert[d[i]] &= !s->compose;
            }
        }
        s->inert[c] &= !surrogate && recompose(s, d, n) == 1 && (uint32_t)d[0] == c;
    }
    return 0;
}

struct points {
    utf8proc_int32_t *p, *tmp;
    size_t            n, cap;
};

static int points_room(struct points *v)
{
    utf8proc_int32_t *p;
    size_t            cap = v->cap * 2 + 8 * FORM_MOST;
    if (v->n + FORM_MOST < v->cap) {
        return 0;
    }
    p = realloc(v->p, cap * sizeof(*p));
    if (!p) {
        return -1;
    }
    v->p = p;
    v->cap = cap;
    return 0;
}

/* Stable, by combining class.  Counting, so that a long run of marks takes no square time. */
static int sort_marks(struct points *v, utf8proc_int32_t *p, size_t n)
{
    size_t            at[257] = {0};
    utf8proc_int32_t *tmp = realloc(v->tmp, n * sizeof(*tmp));
    if (!tmp) {
        return -1;
    }
    v->tmp = tmp;
    for (size_t i = 0; i < n; i++) {
        at[(combining(p[i]) & 255) + 1]++;
    }
    for (size_t k = 1; k < 257; k++) {
        at[k] += at[k - 1];
    }
    for (size_t i = 0; i < n; i++) {
        tmp[at[combining(p[i]) & 255]++] = p[i];
    }
    memcpy(p, tmp, n * sizeof(*p));
    return 0;
}

static int order(struct points *v)
{
    for (size_t i = 0, end; i < v->n; i = end + 1) {
        int sorted = 1;
        for (end = i; end < v->n && combining(v->p[end]); end++) {
            sorted &= end == i || combining(v->p[end - 1]) <= combining(v->p[end]);
        }
        if (!sorted && sort_marks(v, v->p + i, end - i)) {
            return -1;
        }
    }
    return 0;
}

/* Normalizes p[0..n), well-formed and between two boundaries. */
static int form_part(const struct lm_norm_step *s, struct points *v, const char *p, size_t n,
                     struct lm_text *out)
{
    const unsigned   options = options_of(s);
    utf8proc_ssize_t m;
    v->n = 0;
    for (size_t at = 0; at < n;) {
        uint32_t c;
        at += lm_utf8((const unsigned char *)p + at, n - at, &c);
        if (points_room(v)) {
            return -1;
        }
        v->n += (size_t)decompose(c, v->p + v->n, options);
    }
    if (order(v)) {
        return -1;
    }
    m = recompose(s, v->p, (utf8proc_ssize_t)v->n);
    for (utf8proc_ssize_t i = 0; i < m; i++) {
        char   b[4];
        size_t len = lm_utf8_put(b, (uint32_t)v->p[i]);
        if (lm_text_put(out, b, len)) {
            return -1;
        }
    }
    return 0;
}

/* Length of an inert character, a bad byte among them, at p[0..n), or 0. */
static inline size_t inert_at(const struct lm_norm_step *s, const unsigned char *p, size_t n,
                              uint32_t *c)
{
    size_t len = lm_utf8(p, n, c);
    return *c == LM_NO_CHAR || (*c < LM_UNI_LIMIT && s->inert[*c]) ? len : 0;
}

/* From `at`: the first character that is not inert, or n; *start is the inert one before it. */
static size_t skip_inert(const struct lm_norm_step *s, const unsigned char *p, size_t n, size_t at,
                         size_t *start)
{
    uint64_t w;
    uint32_t c;
    size_t   len;
    while (at < n) {
        while (n - at >= 8) {
            memcpy(&w, p + at, 8);
            if (w & 0x8080808080808080u) {
                break;
            }
            at += 8;
            *start = at - 1;
        }
        if (at == n || !(len = inert_at(s, p + at, n - at, &c))) {
            break;
        }
        *start = c == LM_NO_CHAR ? at + 1 : at;
        at += len;
    }
    return at;
}

static int do_form(const struct lm_norm_step *s, const char *p, size_t n, struct lm_text *out,
                   int *changed)
{
    const unsigned char *u = (const unsigned char *)p;
    struct points        v = {NULL, NULL, 0, 0};
    size_t               done = 0, start = 0, at = skip_inert(s, u, n, 0, &start), len;
    uint32_t             c;
    int                  rc = 0;
    *changed = at < n;
    while (!rc && at < n) {
        rc = lm_text_put(out, p + done, start - done);
        while (at < n && !inert_at(s, u + at, n - at, &c)) {
            len = lm_utf8(u + at, n - at, &c);
            at += len;
        }
        rc = rc || form_part(s, &v, p + start, at - start, out) ? -1 : 0;
        done = start = at;
        at = skip_inert(s, u, n, at, &start);
    }
    if (!rc && *changed) {
        rc = lm_text_put(out, p + done, n - done);
    }
    free(v.p);
    free(v.tmp);
    return rc;
}

/* ---- the others ---------------------------------------------------------------------------- */

static int do_prepend(const struct lm_norm_step *s, const char *p, size_t n, struct lm_text *out)
{
    return lm_text_put(out, s->to, s->to_n) || lm_text_put(out, p, n) ? -1 : 0;
}

static int do_replace(const struct lm_norm_step *s, const char *p, size_t n, struct lm_text *out,
                      int *changed)
{
    const char *end = p + n, *hit = s->from_n ? memmem(p, n, s->from, s->from_n) : NULL;
    *changed = hit != NULL;
    while (hit) {
        if (lm_text_put(out, p, (size_t)(hit - p)) || lm_text_put(out, s->to, s->to_n)) {
            return -1;
        }
        p = hit + s->from_n;
        hit = memmem(p, (size_t)(end - p), s->from, s->from_n);
    }
    return *changed ? lm_text_put(out, p, (size_t)(end - p)) : 0;
}

static int do_replace_pattern(const struct lm_norm_step *s, const char *p, size_t n,
                              struct lm_text *out, int *changed)
{
    struct lm_find f = {s->re, lm_regex_data(s->re), p, n, 0, 0, 0};
    size_t         b, e, done = 0;
    int            rc = f.data ? 1 : -1;
    *changed = 0;
    while (rc == 1 && (rc = lm_find_next(&f, &b, &e)) == 1) {
        *changed = 1;
        if (lm_text_put(out, p + done, b - done) || lm_text_put(out, s->to, s->to_n)) {
            rc = -1;
        }
        done = e;
    }
    if (rc == 0 && *changed) {
        rc = lm_text_put(out, p + done, n - done);
    }
    lm_regex_data_free(f.data);
    return rc;
}

static int do_lower(const char *p, size_t n, struct lm_text *out, int *changed)
{
    *changed = 1;
    for (size_t at = 0, len; at < n; at += len) {
        char     b[8];
        uint32_t c;
        size_t   m;
        len = lm_utf8((const unsigned char *)p + at, n - at, &c);
        if (c == LM_NO_CHAR) {
            b[0] = p[at];
            m = 1;
        } else if (c == 0x130) { /* the only one that becomes two */
            memcpy(b, "i\xcc\x87", 3);
            m = 3;
        } else {
            m = lm_utf8_put(b, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
        }
        if (lm_text_put(out, b, m)) {
            return -1;
        }
    }
    return 0;
}

static int do_strip(const struct lm_norm_step *s, const struct lm_uni *u, const char *p, size_t n,
                    struct lm_text *out, int *changed)
{
    const unsigned char *t = (const unsigned char *)p;
    size_t               from = s->left ? lm_space_end(u, t, n, 0) : 0;
    size_t               to = s->right ? lm_space_start(u, t, from, n) : n;
    *changed = from > 0 || to < n;
    return *changed ? lm_text_put(out, p + from, to - from) : 0;
}

static int run_step(const struct lm_norm_step *s, const struct lm_uni *u, struct lm_slice in,
                    struct lm_text *out, int *changed)
{
    *changed = 1;
    out->n = 0;
    switch (s->kind) {
    case LM_NORM_FORM:
        return do_form(s, in.p, in.n, out, changed);
    case LM_NORM_PREPEND:
        return do_prepend(s, in.p, in.n, out);
    case LM_NORM_REPLACE:
        return s->re ? do_replace_pattern(s, in.p, in.n, out, changed)
                     : do_replace(s, in.p, in.n, out, changed);
    case LM_NORM_LOWER:
        return do_lower(in.p, in.n, out, changed);
    case LM_NORM_STRIP:
        return do_strip(s, u, in.p, in.n, out, changed);
    }
    return -1;
}

int lm_norm_run(const struct lm_norm *m, const struct lm_uni *u, const char *p, size_t n,
                struct lm_text buf[2], struct lm_slice *out)
{
    size_t to = 0;
    out->p = p;
    out->n = n;
    for (size_t i = 0; i < m->n && out->n; i++) {
        int changed;
        if (run_step(&m->step[i], u, *out, &buf[to], &changed)) {
            return -1;
        }
        if (changed) {
            out->p = buf[to].p ? buf[to].p : "";
            out->n = buf[to].n;
            to = 1 - to;
        }
    }
    return 0;
}

void lm_norm_free(struct lm_norm *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->step[i].inert);
        free(m->step[i].from);
        free(m->step[i].to);
        lm_regex_free(m->step[i].re);
    }
    memset(m, 0, sizeof(*m));
}
