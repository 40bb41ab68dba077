/* SPDX-License-Identifier: MIT
 *
 * lm_pre.c - see lm_pre.h.
 */
#include "lm_pre.h"

#include <stdlib.h>
#include <string.h>

struct piece {
    const char *p;
    size_t      n;
    int         first; /* of the whole text */
};

static int run(struct lm_pre_run *r, size_t step, struct piece in);

static int next_step(struct lm_pre_run *r, size_t step, struct piece in, size_t from, size_t to)
{
    struct piece out = {in.p + from, to - from, in.first && from == 0};
    return from < to ? run(r, step + 1, out) : 0;
}

static int do_cut(struct lm_pre_run *r, size_t step, struct piece in)
{
    const lm_split_fn cut = r->pre->step[step].cut;
    int               rc = 0;
    for (size_t at = 0, end; at < in.n && !rc; at = end) {
        end = cut(r->uni, in.p, in.n, at);
        rc = step + 1 == r->pre->n ? r->word(r->ctx, in.p + at, end - at)
                                   : next_step(r, step, in, at, end);
    }
    return rc;
}

/* What a pattern gives: matches and what is between them, one after the other.  The behavior says
 * which of them are joined; `from`..`to` is the piece that may still grow. */
struct joiner {
    struct lm_pre_run *r;
    size_t             step;
    struct piece       in;
    size_t             from, to;
    int                open, was_match;
};

static int flush(struct joiner *j)
{
    int open = j->open;
    j->open = 0;
    return open ? next_step(j->r, j->step, j->in, j->from, j->to) : 0;
}

static int joins(const struct joiner *j, enum lm_pre_behavior b, int match)
{
    if (!j->open) {
        return 0;
    }
    switch (b) {
    case LM_CONTIGUOUS:
        return match == j->was_match;
    case LM_WITH_PREVIOUS:
        return match && !j->was_match;
    case LM_WITH_NEXT:
        return !match && j->was_match;
    case LM_ISOLATED:
    case LM_REMOVED:
        break;
    }
    return 0;
}

static int event(struct joiner *j, size_t from, size_t to, int match)
{
    const struct lm_pre_step *s = &j->r->pre->step[j->step];
    int                       rc = 0;
    match = s->invert ? !match : match;
    if (joins(j, s->behavior, match)) {
        j->to = to;
    } else {
        rc = flush(j);
        j->open = !(match && s->behavior == LM_REMOVED);
        j->from = from;
        j->to = to;
    }
    j->was_match = match;
    return rc;
}

static int do_split(struct lm_pre_run *r, size_t step, struct piece in)
{
    struct lm_find f = {r->pre->step[step].re, NULL, in.p, in.n, 0, 0, 0};
    struct joiner  j = {r, step, in, 0, 0, 0, 0};
    size_t         b, e, done = 0;
    int            hit = 0, rc = 0;
    if (!r->data[step] && !(r->data[step] = lm_regex_data(f.re))) {
        return -1;
    }
    f.data = r->data[step];
    while (!rc && (hit = lm_find_next(&f, &b, &e)) == 1) {
        rc = b > done ? event(&j, done, b, 0) : 0;
        rc = rc ? rc : event(&j, b, e, 1);
        done = e;
    }
    rc = rc ? rc : hit;
    if (!rc && done < in.n) {
        rc = event(&j, done, in.n, 0);
    }
    return rc ? rc : flush(&j);
}

static int do_prefix(struct lm_pre_run *r, size_t step, struct piece in)
{
    struct lm_text t = {NULL, 0, 0};
    struct piece   out = in;
    int            rc = 0;
    if (in.p[0] != ' ') {
        rc = lm_text_put(&t, " ", 1) || lm_text_put(&t, in.p, in.n) ? -1 : 0;
        out.p = t.p;
        out.n = t.n;
    }
    rc = rc ? rc : run(r, step + 1, out);
    lm_text_free(&t);
    return rc;
}

static int starts_with(struct piece in, const char *p, size_t n)
{
    return in.n >= n && memcmp(in.p, p, n) == 0;
}

static int fill_meta(const struct lm_pre_step *s, struct piece in, struct lm_text *t)
{
    const char *end = in.p + in.n, *sp;
    int         prepend = in.p[0] != ' ' && !starts_with(in, s->meta, s->meta_n);
    prepend = prepend &&
              (s->prepend == LM_PREPEND_ALWAYS || (s->prepend == LM_PREPEND_FIRST && in.first));
    if (prepend && lm_text_put(t, s->meta, s->meta_n)) {
        return -1;
    }
    for (const char *p = in.p; p < end; p = sp + 1) {
        sp = memchr(p, ' ', (size_t)(end - p));
        if (lm_text_put(t, p, (size_t)((sp ? sp : end) - p)) ||
            (sp && lm_text_put(t, s->meta, s->meta_n))) {
            return -1;
        }
        if (!sp) {
            break;
        }
    }
    return 0;
}

/* Position of the next replacement character behind `at`, or n. */
static size_t next_meta(const struct lm_pre_step *s, const struct lm_text *t, size_t at)
{
    for (at++; at < t->n; at++) {
        const char *hit = memchr(t->p + at, s->meta[0], t->n - at);
        if (!hit) {
            break;
        }
        at = (size_t)(hit - t->p);
        if (t->n - at >= s->meta_n && memcmp(hit, s->meta, s->meta_n) == 0) {
            return at;
        }
    }
    return t->n;
}

static int do_metaspace(struct lm_pre_run *r, size_t step, struct piece in)
{
    const struct lm_pre_step *s = &r->pre->step[step];
    struct lm_text            t = {NULL, 0, 0};
    struct piece              out = in;
    int                       rc = fill_meta(s, in, &t);
    out.p = t.p;
    out.n = t.n;
    for (size_t at = 0, end; !rc && at < t.n; at = end) {
        end = s->split ? next_meta(s, &t, at) : t.n;
        rc = next_step(r, step, out, at, end);
    }
    lm_text_free(&t);
    return rc;
}

static int run(struct lm_pre_run *r, size_t step, struct piece in)
{
    if (step == r->pre->n) {
        return r->word(r->ctx, in.p, in.n);
    }
    switch (r->pre->step[step].kind) {
    case LM_PRE_CUT:
        return do_cut(r, step, in);
    case LM_PRE_SPLIT:
        return do_split(r, step, in);
    case LM_PRE_PREFIX:
        return do_prefix(r, step, in);
    case LM_PRE_METASPACE:
        return do_metaspace(r, step, in);
    }
    return -1;
}

int lm_pre_text(struct lm_pre_run *r, const char *p, size_t n, int first)
{
    struct piece in = {p, n, first};
    return n ? run(r, 0, in) : 0;
}

void lm_pre_run_end(struct lm_pre_run *r)
{
    for (size_t i = 0; i < LM_PRE_MAX; i++) {
        lm_regex_data_free(r->data[i]);
        r->data[i] = NULL;
    }
}

void lm_pre_free(struct lm_pre *pre)
{
    for (size_t i = 0; i < pre->n; i++) {
        lm_regex_free(pre->step[i].re);
    }
    memset(pre, 0, sizeof(*pre));
}
