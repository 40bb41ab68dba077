/* SPDX-License-Identifier: MIT
 *
 * lm_sample.c - see lm_sample.h.
 */
#include "lm_sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int lm_sampler_init(struct lm_sampler *s, const struct lm_math *math, size_t vocab)
{
    s->math = math;
    s->vocab = vocab;
    s->stamp = 0;
    s->order = malloc(vocab * sizeof(*s->order));
    s->mark = calloc(vocab, sizeof(*s->mark));
    if (!s->order || !s->mark) {
        lm_sampler_free(s);
        return -1;
    }
    return 0;
}

void lm_sampler_free(struct lm_sampler *s)
{
    free(s->order);
    free(s->mark);
    memset(s, 0, sizeof(*s));
}

/* In [0, 1), from seed and step (splitmix64). */
static double uniform(uint64_t seed, uint32_t step)
{
    uint64_t z = seed + ((uint64_t)step + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

/* Each token that was there is made less likely once, however often it was there. */
static void penalise(struct lm_sampler *s, double penalty, float *logits, const uint32_t *tokens,
                     size_t n)
{
    const float f = (float)penalty;
    if (++s->stamp == 0) {
        memset(s->mark, 0, s->vocab * sizeof(*s->mark));
        s->stamp = 1;
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t id = tokens[i];
        if (s->mark[id] != s->stamp) {
            s->mark[id] = s->stamp;
            logits[id] = logits[id] > 0 ? logits[id] / f : logits[id] * f;
        }
    }
}

static uint32_t likeliest(const float *logits, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        best = logits[i] > logits[best] ? i : best;
    }
    return isfinite(logits[best]) ? (uint32_t)best : UINT32_MAX;
}

/* ---- candidates ---------------------------------------------------------------------------- */

static int likelier(const float *p, uint32_t a, uint32_t b)
{
    return p[a] > p[b] || (p[a] == p[b] && a < b);
}

static void sift(uint32_t *a, size_t n, size_t i, const float *p)
{
    for (;;) {
        size_t   least = i, l = 2 * i + 1;
        uint32_t t;
        if (l < n && likelier(p, a[least], a[l])) {
            least = l;
        }
        if (l + 1 < n && likelier(p, a[least], a[l + 1])) {
            least = l + 1;
        }
        if (least == i) {
            return;
        }
        t = a[i];
        a[i] = a[least];
        a[least] = t;
        i = least;
    }
}

/* Heapsort, the likeliest first: no recursion, no comparison that needs a context. */
static void sort(uint32_t *a, size_t n, const float *p)
{
    for (size_t i = n / 2; i-- > 0;) {
        sift(a, n, i, p);
    }
    for (size_t m = n; m > 1; m--) {
        const uint32_t t = a[0];
        a[0] = a[m - 1];
        a[m - 1] = t;
        sift(a, m - 1, 0, p);
    }
}

/* The k likeliest of all, kept in a heap with the unlikeliest on top; returns their number. */
static size_t best_k(struct lm_sampler *s, const float *p, size_t k)
{
    uint32_t *a = s->order;
    k = k < s->vocab ? k : s->vocab;
    for (size_t i = 0; i < k; i++) {
        a[i] = (uint32_t)i;
    }
    for (size_t i = k / 2; i-- > 0;) {
        sift(a, k, i, p);
    }
    for (size_t i = k; i < s->vocab; i++) {
        if (likelier(p, (uint32_t)i, a[0])) {
            a[0] = (uint32_t)i;
            sift(a, k, 0, p);
        }
    }
    return k;
}

/* All with a weight of at least `least`. */
static size_t all_above(struct lm_sampler *s, const float *p, float least)
{
    size_t n = 0;
    for (size_t i = 0; i < s->vocab; i++) {
        if (p[i] >= least) {
            s->order[n++] = (uint32_t)i;
        }
    }
    return n;
}

/* The candidates by top-k, top-p and min-p, the likeliest first; p are weights, the greatest 1. */
static size_t choose(struct lm_sampler *s, const struct lm_sampling *o, const float *p, double sum)
{
    const int nucleus = o->top_p > 0 && o->top_p < 1;
    size_t    n;
    double    left = 0, total = 0;
    if (o->top_k && o->top_k < s->vocab) {
        n = best_k(s, p, o->top_k);
        for (size_t i = 0; i < n; i++) {
            total += (double)p[s->order[i]];
        }
    } else {
        /* what is below the share of 1 - top_p over all is behind the nucleus for sure */
        n = all_above(s, p,
                      nucleus ? (float)((1 - o->top_p) * sum / (double)s->vocab) : (float)o->min_p);
        total = sum;
    }
    sort(s->order, n, p);
    for (size_t i = 0; nucleus && i < n; i++) {
        left += (double)p[s->order[i]];
        if (left >= o->top_p * total) {
            n = i + 1;
        }
    }
    while (n > 1 && (double)p[s->order[n - 1]] < o->min_p) {
        n--;
    }
    return n;
}

static uint32_t draw_listed(const struct lm_sampler *s, const float *p, size_t n, double u)
{
    double total = 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        total += (double)p[s->order[i]];
    }
    for (size_t i = 0; i + 1 < n; i++) {
        at += (double)p[s->order[i]];
        if (u * total < at) {
            return s->order[i];
        }
    }
    return s->order[n - 1];
}

static uint32_t draw_any(const struct lm_sampler *s, const float *p, double sum, double u)
{
    double   at = 0;
    uint32_t last = 0;
    for (size_t i = 0; i < s->vocab; i++) {
        at += (double)p[i];
        if (u * sum < at) {
            return (uint32_t)i;
        }
        last = p[i] > 0 ? (uint32_t)i : last; /* sums that round may end short of u */
    }
    return last;
}

uint32_t lm_sample(struct lm_sampler *s, const struct lm_sampling *o, float *logits,
                   const uint32_t *tokens, size_t n, uint32_t step)
{
    double         sum = 0, t = o->temperature;
    const uint32_t best = likeliest(logits, s->vocab);
    if (best == UINT32_MAX) {
        return best;
    }
    if (o->repetition_penalty > 0 && o->repetition_penalty != 1.0) {
        penalise(s, o->repetition_penalty, logits, tokens, n);
    }
    for (uint32_t i = 0; step == 0 && i < o->n_avoid; i++) {
        logits[o->avoid[i]] = -1e30f;
    }
    if (step == 0 && o->first_temperature > 0) {
        t *= o->first_temperature;
    }
    if (!(t > 0)) {
        return likeliest(logits, s->vocab);
    }
    (void)s->math->softmax(logits, s->vocab, s->vocab, (float)(1 / t));
    for (size_t i = 0; i < s->vocab; i++) {
        sum += (double)logits[i];
    }
    if (!isfinite(sum)) {
        return UINT32_MAX;
    }
    if (!o->top_k && !(o->top_p > 0 && o->top_p < 1) && !(o->min_p > 0)) {
        return draw_any(s, logits, sum, uniform(o->seed, step));
    }
    return draw_listed(s, logits, choose(s, o, logits, sum), uniform(o->seed, step));
}
