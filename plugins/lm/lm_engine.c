/* SPDX-License-Identifier: MIT
 *
 * lm_engine.c - see lm_engine.h.
 */
#include "lm_engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUERY_BLOCK = 128, /* queries of one attention product */
    CHUNK = 512,       /* rows of the MLP and of the logits at a time: they stay in the cache */
    TILE = 1024        /* columns of the vocabulary at a time */
};

struct pass {
    const struct lm_engine *en;
    struct lm_seq          *seq;
    size_t                  n_seq;
    size_t                  rows, scored; /* of the pack */
    float                  *x;            /* rows x width: the residual stream */
    float                  *h;            /* rows x width: normed; then attention's result */
    float                  *qkv;          /* rows x 3 width */
    float                  *mlp;          /* CHUNK x inner, or CHUNK x TILE logits */
    float                  *att;          /* QUERY_BLOCK x longest: attention weights */
    struct lm_lse          *lse;          /* one a scored row */
    float                  *hit;          /* logit of the target, one a scored row */
    uint32_t               *target;       /* its id */
};

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int stopped(const struct pass *p)
{
    return p->en->stop && p->en->stop(p->en->stop_ctx);
}

/* c = a * w + beta * c for a weight matrix [k][n]. */
static void product(const struct pass *p, size_t m, size_t n, size_t k, const float *a,
                    const float *w, float beta, float *c)
{
    p->en->mm.gemm(p->en->mm.ctx, 0, m, n, k, a, k, w, n, beta, c, n);
}

/* ---- memory -------------------------------------------------------------------------------- */

static size_t round16(size_t n)
{
    return (n + 15) / 16 * 16;
}

static int scratch_room(struct lm_scratch *s, size_t floats, size_t ints)
{
    if (floats > s->cap) {
        free(s->f);
        s->cap = 0;
        s->f = aligned_alloc(64, floats * sizeof(float));
        if (!s->f) {
            return -1;
        }
        s->cap = floats;
    }
    if (ints > s->u_cap) {
        free(s->u);
        s->u_cap = 0;
        s->u = malloc(ints * sizeof(*s->u));
        if (!s->u) {
            return -1;
        }
        s->u_cap = ints;
    }
    return 0;
}

void lm_scratch_free(struct lm_scratch *s)
{
    free(s->f);
    free(s->u);
    memset(s, 0, sizeof(*s));
}

static drh_status lay_out(struct pass *p, struct lm_scratch *s)
{
    const struct lm_config *c = &p->en->m->c;
    size_t                  longest = 0, part[7], total = 0;
    for (size_t i = 0; i < p->n_seq; i++) {
        p->rows += p->seq[i].n - 1;
        p->scored += p->seq[i].n - p->seq[i].first;
        longest = max_size(longest, p->seq[i].n - 1);
    }
    part[0] = round16(p->rows * c->width);
    part[1] = part[0];
    part[2] = round16(p->rows * 3 * c->width);
    part[3] = round16(min_size(CHUNK, p->rows) * max_size(c->inner, TILE));
    part[4] = round16(QUERY_BLOCK * longest);
    part[5] = round16(p->scored);
    part[6] = round16(p->scored * sizeof(struct lm_lse) / sizeof(float));
    for (size_t i = 0; i < 7; i++) {
        total += part[i];
    }
    if (scratch_room(s, total, p->scored)) {
        return DRH_E_NOMEM;
    }
    p->x = s->f;
    p->h = p->x + part[0];
    p->qkv = p->h + part[1];
    p->mlp = p->qkv + part[2];
    p->att = p->mlp + part[3];
    p->hit = p->att + part[4];
    p->lse = (struct lm_lse *)(void *)(p->hit + part[5]);
    p->target = s->u;
    return DRH_OK;
}

/* ---- the layers ---------------------------------------------------------------------------- */

static void embed(const struct pass *p)
{
    const struct lm_model *m = p->en->m;
    const size_t           d = m->c.width;
    float                 *x = p->x;
    for (size_t i = 0; i < p->n_seq; i++) {
        for (size_t k = 0; k + 1 < p->seq[i].n; k++, x += d) {
            const float *t = m->wte + p->seq[i].ids[k] * d, *w = m->wpe + k * d;
            for (size_t j = 0; j < d; j++) {
                x[j] = t[j] + w[j];
            }
        }
    }
}

/* Queries from..to of one sequence and head: softmax(q k' / sqrt(size)) v. */
static void attend_block(const struct pass *p, const float *q, const float *kv, float *out,
                         size_t from, size_t to)
{
    const struct lm_math   *math = p->en->math;
    const struct lm_matmul *mm = &p->en->mm;
    const size_t            d = p->en->m->c.width, size = d / p->en->m->c.heads, n = to - from;
    const float             scale = 1.0f / sqrtf((float)size);
    float                   inv[QUERY_BLOCK];
    mm->gemm(mm->ctx, 1, n, to, size, q, 3 * d, kv + d, 3 * d, 0.0f, p->att, to);
    for (size_t i = 0; i < n; i++) {
        inv[i] = math->softmax(p->att + i * to, from + i + 1, to, scale);
    }
    mm->gemm(mm->ctx, 0, n, size, to, p->att, to, kv + 2 * d, 3 * d, 0.0f, out, d);
    for (size_t i = 0; i < n; i++) {
        math->scale(out + i * d, size, inv[i]);
    }
}

/* Attention of all sequences into p->h; `last`: only the scored rows, closely packed. */
static int attend(const struct pass *p, int last)
{
    const size_t d = p->en->m->c.width, heads = p->en->m->c.heads, size = d / heads;
    const float *qkv = p->qkv;
    float       *out = p->h;
    for (size_t i = 0; i < p->n_seq; i++) {
        const size_t n = p->seq[i].n - 1, skip = last ? p->seq[i].first - 1 : 0;
        if (stopped(p)) {
            return -1;
        }
        for (size_t from = skip; from < n; from += QUERY_BLOCK) {
            const size_t to = min_size(from + QUERY_BLOCK, n);
            for (size_t k = 0; k < heads; k++) {
                attend_block(p, qkv + from * 3 * d + k * size, qkv + k * size,
                             out + (from - skip) * d + k * size, from, to);
            }
        }
        qkv += n * 3 * d;
        out += (n - skip) * d;
    }
    return 0;
}

/* Moves the scored rows of the residual stream together. */
static void keep_scored(const struct pass *p)
{
    const size_t d = p->en->m->c.width;
    const float *from = p->x;
    float       *to = p->x;
    for (size_t i = 0; i < p->n_seq; i++) {
        const size_t n = p->seq[i].n - 1, skip = p->seq[i].first - 1;
        memmove(to, from + skip * d, (n - skip) * d * sizeof(float));
        to += (n - skip) * d;
        from += n * d;
    }
}

static void activate(const struct pass *p, float *x, size_t rows, const float *bias)
{
    const struct lm_math *math = p->en->math;
    const size_t          n = p->en->m->c.inner;
    switch (p->en->m->c.act) {
    case LM_GELU_ERF:
        math->bias_gelu_erf(x, rows, n, bias);
        break;
    case LM_RELU:
        math->bias_relu(x, rows, n, bias);
        break;
    default:
        math->bias_gelu_tanh(x, rows, n, bias);
    }
}

/* One layer.  `add` is the bias that the layer before left to be added to x, or NULL. */
static int layer(const struct pass *p, size_t i, const float *add)
{
    const struct lm_config *c = &p->en->m->c;
    const struct lm_layer  *l = &p->en->m->layer[i];
    const struct lm_math   *math = p->en->math;
    const size_t            d = c->width, last = i + 1 == c->layers;
    size_t                  rows = p->rows;
    math->norm(p->x, add, p->h, rows, d, l->ln1_w, l->ln1_b, c->eps);
    for (size_t r = 0; r < rows; r += CHUNK) {
        const size_t n = min_size(CHUNK, rows - r);
        if (stopped(p)) {
            return -1;
        }
        product(p, n, 3 * d, d, p->h + r * d, l->qkv_w, 0.0f, p->qkv + r * 3 * d);
        math->bias(p->qkv + r * 3 * d, n, 3 * d, l->qkv_b);
    }
    if (attend(p, (int)last)) {
        return -1;
    }
    if (last) {
        keep_scored(p);
        rows = p->scored;
    }
    for (size_t r = 0; r < rows; r += CHUNK) {
        const size_t n = min_size(CHUNK, rows - r);
        float       *x = p->x + r * d, *h = p->h + r * d;
        if (stopped(p)) {
            return -1;
        }
        product(p, n, d, d, h, l->proj_w, 1.0f, x);
        math->norm(x, l->proj_b, h, n, d, l->ln2_w, l->ln2_b, c->eps);
        product(p, n, c->inner, d, h, l->fc_w, 0.0f, p->mlp);
        activate(p, p->mlp, n, l->fc_b);
        product(p, n, d, c->inner, p->mlp, l->out_w, 1.0f, x);
    }
    return 0;
}

/* ---- logits -------------------------------------------------------------------------------- */

static void fill_targets(const struct pass *p)
{
    size_t r = 0;
    for (size_t i = 0; i < p->n_seq; i++) {
        for (size_t k = p->seq[i].first; k < p->seq[i].n; k++, r++) {
            p->target[r] = p->seq[i].ids[k];
            p->hit[r] = 0.0f;
            p->lse[r].max = -INFINITY;
            p->lse[r].bad = 0.0f;
            p->lse[r].sum = 0.0;
        }
    }
}

static int logits(const struct pass *p)
{
    const struct lm_model *m = p->en->m;
    const size_t           d = m->c.width, vocab = m->c.vocab;
    for (size_t r = 0; r < p->scored; r += CHUNK) {
        const size_t rows = min_size(CHUNK, p->scored - r);
        for (size_t v = 0; v < vocab; v += TILE) {
            const size_t n = min_size(TILE, vocab - v);
            if (stopped(p)) {
                return -1;
            }
            p->en->mm.gemm(p->en->mm.ctx, 1, rows, n, d, p->h + r * d, d, m->head + v * d, d, 0.0f,
                           p->mlp, n);
            for (size_t i = 0; i < rows; i++) {
                const size_t t = p->target[r + i] - v;
                if (p->target[r + i] >= v && t < n) {
                    p->hit[r + i] = p->mlp[i * n + t];
                }
                p->en->math->lse(&p->lse[r + i], p->mlp + i * n, n);
            }
        }
    }
    return 0;
}

static void answers(const struct pass *p)
{
    size_t r = 0;
    for (size_t i = 0; i < p->n_seq; i++) {
        struct lm_seq *s = &p->seq[i];
        for (size_t k = 0; k < s->n - s->first; k++, r++) {
            const struct lm_lse *l = &p->lse[r];
            double               v = (double)p->hit[r] - (double)l->max - log(l->sum);
            s->bad |= !isfinite(v) || isnan(l->bad);
            s->out[k] = (float)v;
        }
    }
}

drh_status lm_engine_score(const struct lm_engine *en, struct lm_scratch *s, struct lm_seq *seq,
                           size_t n)
{
    const struct lm_model *m = en->m;
    struct pass            p;
    const float           *add = NULL;
    memset(&p, 0, sizeof(p));
    p.en = en;
    p.seq = seq;
    p.n_seq = n;
    if (n == 0) {
        return DRH_OK;
    }
    if (lay_out(&p, s) != DRH_OK) {
        return DRH_E_NOMEM;
    }
    embed(&p);
    for (size_t i = 0; i < m->c.layers; i++) {
        if (layer(&p, i, add)) {
            return DRH_E_CANCELLED;
        }
        add = m->layer[i].out_b;
    }
    en->math->norm(p.x, add, p.h, p.scored, m->c.width, m->lnf_w, m->lnf_b, m->c.eps);
    fill_targets(&p);
    if (logits(&p)) {
        return DRH_E_CANCELLED;
    }
    answers(&p);
    return DRH_OK;
}
