/* SPDX-License-Identifier: MIT
 *
 * lm_engine.c - see lm_engine.h.
 */
#include "lm_engine.h"
#include "lm_attend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 512 }; /* rows of the MLP and of the logits at a time: they stay in the cache */

struct pass {
    const struct lm_engine *en;
    struct lm_seq          *seq;
    size_t                  n_seq;
    size_t                  rows, scored; /* of the pack */
    struct lm_steps         steps;
    const struct lm_angles *angles;
    size_t                  qkv_width;
    float                  *x;      /* rows x width: the residual stream */
    float                  *h;      /* rows x width: normed; then attention's result */
    float                  *normed; /* CHUNK x width: before the MLP */
    float                  *qkv;    /* rows x qkv_width */
    float                  *mlp;    /* CHUNK x up width, or CHUNK x LM_HEAD_TILE logits */
    float                  *att;    /* scratch of attention */
    struct lm_lse          *lse;    /* one a scored row */
    float                  *hit;    /* logit of the target, one a scored row */
    uint32_t               *target; /* its id */
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
    lm_angles_free(&s->angles);
    memset(s, 0, sizeof(*s));
}

static drh_status lay_out(struct pass *p, struct lm_scratch *s)
{
    const struct lm_config *c = &p->en->m->c;
    size_t                  longest = 0, part[8], total = 0;
    for (size_t i = 0; i < p->n_seq; i++) {
        p->rows += p->seq[i].n - 1;
        p->scored += p->seq[i].n - p->seq[i].first;
        longest = max_size(longest, p->seq[i].n - 1);
    }
    p->qkv_width = lm_qkv_width(c);
    part[0] = round16(p->rows * c->width);
    part[1] = round16(p->rows * max_size(c->width, lm_attention_width(c)));
    part[2] = round16(p->rows * p->qkv_width);
    part[3] = round16(min_size(CHUNK, p->rows) * max_size(lm_up_width(c), LM_HEAD_TILE));
    part[4] = round16(lm_attend_room(&p->steps, longest));
    part[5] = round16(p->scored);
    part[6] = round16(p->scored * sizeof(struct lm_lse) / sizeof(float));
    part[7] = round16(min_size(CHUNK, p->rows) * c->width);
    for (size_t i = 0; i < 8; i++) {
        total += part[i];
    }
    if (scratch_room(s, total, p->scored) || lm_angles_room(&s->angles, p->en->m, longest)) {
        return DRH_E_NOMEM;
    }
    p->x = s->f;
    p->h = p->x + part[0];
    p->qkv = p->h + part[1];
    p->mlp = p->qkv + part[2];
    p->att = p->mlp + part[3];
    p->hit = p->att + part[4];
    p->lse = (struct lm_lse *)(void *)(p->hit + part[5]);
    p->normed = p->hit + part[5] + part[6];
    p->angles = &s->angles;
    p->target = s->u;
    return DRH_OK;
}

/* ---- the layers ---------------------------------------------------------------------------- */

static void embed(const struct pass *p)
{
    float *x = p->x;
    for (size_t i = 0; i < p->n_seq; i++) {
        for (size_t k = 0; k + 1 < p->seq[i].n; k++, x += p->en->m->c.width) {
            lm_embed(p->en->m, p->seq[i].ids[k], k, x);
        }
    }
}

/* Turns queries and keys of all rows by their positions. */
static void place(const struct pass *p)
{
    float *qkv = p->qkv;
    for (size_t i = 0; i < p->n_seq; i++) {
        for (size_t k = 0; k + 1 < p->seq[i].n; k++, qkv += p->qkv_width) {
            lm_place(&p->steps, p->angles, k, qkv);
        }
    }
}

/* Attention of all sequences into p->h; `last`: only the scored rows, closely packed. */
static int attend(const struct pass *p, int last, size_t window)
{
    const struct lm_config *c = &p->en->m->c;
    const size_t            d = lm_attention_width(c), s = p->qkv_width;
    struct lm_attention a = {.s = &p->steps, .room = p->att, .ldq = s, .ldkv = s, .window = window};
    const float        *qkv = p->qkv;
    a.out = p->h;
    for (size_t i = 0; i < p->n_seq; i++) {
        a.to = p->seq[i].n - 1;
        a.from = last ? p->seq[i].first - 1 : 0;
        if (stopped(p)) {
            return -1;
        }
        a.q = qkv + a.from * s;
        a.k = qkv + d;
        a.v = a.k + (size_t)c->kv_heads * c->head_dim;
        lm_attend(&a);
        qkv += a.to * s;
        a.out += (a.to - a.from) * d;
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

/* One layer.  `add` is the bias that the layer before left to be added to x, or NULL. */
static int layer(const struct pass *p, size_t i, const float *add)
{
    const struct lm_config *c = &p->en->m->c;
    const struct lm_layer  *l = &p->en->m->layer[i];
    const size_t            d = c->width, a = lm_attention_width(c), last = i + 1 == c->layers;
    size_t                  rows = p->rows;
    lm_norm(&p->steps, p->x, add, p->h, rows, l->norm1_w, l->norm1_b);
    for (size_t r = 0; r < rows; r += CHUNK) {
        if (stopped(p)) {
            return -1;
        }
        lm_qkv(&p->steps, l, min_size(CHUNK, rows - r), p->h + r * d, p->qkv + r * p->qkv_width);
    }
    place(p);
    if (attend(p, (int)last, lm_layer_slides(c, i) ? c->window : 0)) {
        return -1;
    }
    if (last) {
        keep_scored(p);
        rows = p->scored;
    }
    for (size_t r = 0; r < rows; r += CHUNK) {
        if (stopped(p)) {
            return -1;
        }
        lm_rest(&p->steps, l, min_size(CHUNK, rows - r), p->h + r * a, p->x + r * d, p->normed,
                p->mlp);
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
    const size_t           d = m->c.width;
    for (size_t r = 0; r < p->scored; r += CHUNK) {
        const size_t rows = min_size(CHUNK, p->scored - r);
        for (size_t tile = 0; tile < m->n_tiles; tile++) {
            const size_t n = m->tile[tile].n, v = tile * LM_HEAD_TILE;
            if (stopped(p)) {
                return -1;
            }
            lm_linear(p->steps.mm, &m->tile[tile], rows, p->h + r * d, d, tile ? LM_SAME_ROWS : 0,
                      p->mlp);
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
    p.steps = (struct lm_steps){m, en->math, &en->mm};
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
        add = m->layer[i].down.bias;
    }
    lm_norm(&p.steps, p.x, add, p.h, p.scored, m->norm_w, m->norm_b);
    fill_targets(&p);
    if (logits(&p)) {
        return DRH_E_CANCELLED;
    }
    answers(&p);
    return DRH_OK;
}
