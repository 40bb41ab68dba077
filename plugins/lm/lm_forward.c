/* SPDX-License-Identifier: MIT
 *
 * lm_forward.c - the two ways through the layers with keys and values kept: a prompt, in blocks of
 * rows, and one step of many streams.  See lm_generate.h.
 */
#include "lm_attend.h"
#include "lm_generate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROMPT_BLOCK = 512 }; /* rows of a prompt at a time; part of what the numbers depend on */

/* Scratch of a number of rows, cut from one block. */
struct room {
    float *x, *h, *normed, *qkv, *up, *room, *logits;
};

static size_t round16(size_t n)
{
    return (n + 15) / 16 * 16;
}

/* Room for `rows`, `attention` floats for that and `n_logits` rows of logits. */
static int make_room(struct lm_generator *g, size_t rows, size_t attention, size_t n_logits,
                     struct room *r)
{
    const struct lm_config *c = &g->en->m->c;
    const size_t            d = c->width, a = lm_attention_width(c);
    const size_t            up = lm_up_width(c), tile = g->en->mm.steps ? LM_HEAD_TILE : 0;
    const size_t            part[7] = {rows * d,
                                       rows * (a > d ? a : d),
                                       rows * d,
                                       rows * lm_qkv_width(c),
                                       rows * (up > tile ? up : tile),
                                       attention,
                                       n_logits * c->vocab};
    float **const out[7] = {&r->x, &r->h, &r->normed, &r->qkv, &r->up, &r->room, &r->logits};
    size_t        total = 0;
    for (size_t i = 0; i < 7; i++) {
        total += round16(part[i]);
    }
    if (total > g->cap) {
        free(g->f);
        g->cap = 0;
        g->f = aligned_alloc(64, total * sizeof(float));
        if (!g->f) {
            return -1;
        }
        g->cap = total;
    }
    total = 0;
    for (size_t i = 0; i < 7; i++) {
        *out[i] = g->f + total;
        total += round16(part[i]);
    }
    return 0;
}

/* The products of a step, where the backend has none for that. */
static void few_rows(void *ctx, int b_rows, size_t m, size_t n, size_t k, const float *a,
                     size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    const struct lm_rows *r = ctx;
    (void)ldb; /* a weight matrix: n or k */
    (b_rows ? r->rows : r->columns)(m, n, k, a, lda, b, beta, c, ldc);
}

static struct lm_matmul step_products(const struct lm_generator *g)
{
    return g->en->mm.steps
               ? g->en->mm
               : (struct lm_matmul){.gemm = few_rows, .ctx = (void *)(uintptr_t)g->rows};
}

static size_t kv_width(const struct lm_config *c)
{
    return (size_t)c->kv_heads * c->head_dim;
}

/* Puts the keys and values of `rows` rows of one sequence where they stay. */
static void keep(const struct lm_config *c, const struct lm_kv *kv, size_t layer, size_t position,
                 size_t rows, const float *qkv)
{
    const size_t w = kv_width(c), a = lm_attention_width(c), s = lm_qkv_width(c);
    const size_t at = (layer * kv->cap + position) * w;
    for (size_t i = 0; i < rows; i++) {
        memcpy(kv->k + at + i * w, qkv + i * s + a, w * sizeof(float));
        memcpy(kv->v + at + i * w, qkv + i * s + a + w, w * sizeof(float));
    }
}

static size_t window_of(const struct lm_config *c, size_t layer)
{
    return lm_layer_slides(c, layer) ? c->window : 0;
}

/* rows x LM_HEAD_TILE of `tile` are scratch. */
static void tiled_logits(const struct lm_steps *s, const float *h, size_t rows, float *tile,
                         float *logits)
{
    const struct lm_model *m = s->m;
    for (size_t t = 0; t < m->n_tiles; t++) {
        const size_t n = m->tile[t].n;
        lm_linear(s->mm, &m->tile[t], rows, h, m->c.width, t ? LM_SAME_ROWS : 0, tile);
        for (size_t r = 0; r < rows; r++) {
            memcpy(logits + r * m->c.vocab + t * LM_HEAD_TILE, tile + r * n, n * sizeof(*tile));
        }
    }
}

/* Logits of rows of the residual stream, `add` still to be added; r->h and r->up are overwritten.
 */
static void head(const struct lm_generator *g, const struct lm_steps *s, const struct room *r,
                 float *x, const float *add, size_t rows, float *logits)
{
    const struct lm_model *m = s->m;
    lm_norm(s, x, add, r->h, rows, m->norm_w, m->norm_b);
    if (s->mm->steps) {
        tiled_logits(s, r->h, rows, r->up, logits);
    } else {
        g->rows->rows(rows, m->c.vocab, m->c.width, r->h, m->c.width, m->head, 0.0f, logits,
                      m->c.vocab);
    }
}

/* ---- a prompt ------------------------------------------------------------------------------ */

/* Rows from..from+n of the prompt through all layers. */
static int prompt_block(const struct lm_generator *g, const struct lm_steps *s,
                        const struct lm_stream *st, const struct room *r, size_t from, size_t n)
{
    const struct lm_model  *m = g->en->m;
    const struct lm_config *c = &m->c;
    const size_t            q = lm_qkv_width(c), w = kv_width(c);
    struct lm_attention     a = {.s = s,
                                 .q = r->qkv,
                                 .out = r->h,
                                 .room = r->room,
                                 .ldq = q,
                                 .ldkv = w,
                                 .from = from,
                                 .to = from + n};
    const float            *add = NULL;
    for (size_t i = 0; i < n; i++) {
        lm_embed(m, st->tokens[from + i], from + i, r->x + i * c->width);
    }
    for (size_t i = 0; i < c->layers; i++) {
        const struct lm_layer *l = &m->layer[i];
        if (g->en->stop && g->en->stop(g->en->stop_ctx)) {
            return -1;
        }
        lm_norm(s, r->x, add, r->h, n, l->norm1_w, l->norm1_b);
        lm_qkv(s, l, n, r->h, r->qkv);
        for (size_t k = 0; k < n; k++) {
            lm_place(s, &g->angles, from + k, r->qkv + k * q);
        }
        keep(c, &st->kv, i, from, n, r->qkv);
        a.k = st->kv.k + i * st->kv.cap * w;
        a.v = st->kv.v + i * st->kv.cap * w;
        a.window = window_of(c, i);
        lm_attend(&a);
        lm_rest(s, l, n, r->h, r->x, r->normed, r->up);
        add = l->down.bias;
    }
    return 0;
}

drh_status lm_prefill(struct lm_generator *g, struct lm_stream *st, float *logits)
{
    const struct lm_model *m = g->en->m;
    const struct lm_steps  s = {m, g->en->math, &g->en->mm};
    const size_t           n = st->n_prompt, block = n < PROMPT_BLOCK ? n : PROMPT_BLOCK;
    struct room            r;
    size_t                 from = 0, rows = 0;
    if (make_room(g, block, lm_attend_room(&s, n), 0, &r) || lm_angles_room(&g->angles, m, n)) {
        return DRH_E_NOMEM;
    }
    for (; from < n; from += rows) {
        rows = n - from < block ? n - from : block;
        if (prompt_block(g, &s, st, &r, from, rows)) {
            return DRH_E_CANCELLED;
        }
    }
    head(g, &s, &r, r.x + (rows - 1) * m->c.width, m->layer[m->c.layers - 1].down.bias, 1, logits);
    return DRH_OK;
}

/* ---- a step -------------------------------------------------------------------------------- */

/* Attention of one row over its stream's keys and values. */
static void look_back(const struct lm_generator *g, const struct lm_kv *kv, size_t layer,
                      size_t position, const float *q, float *weights, float *out)
{
    const struct lm_config *c = &g->en->m->c;
    const size_t            size = c->head_dim, w = kv_width(c), group = c->heads / c->kv_heads;
    const size_t win = window_of(c, layer), low = win && position >= win ? position - win + 1 : 0;
    const size_t n = position + 1 - low;
    const float  scale = 1.0f / sqrtf((float)size);
    const float *k = kv->k + (layer * kv->cap + low) * w, *v = kv->v + (layer * kv->cap + low) * w;
    for (size_t h = 0; h < c->heads; h++) {
        const size_t at = h / group * size;
        float        inv;
        g->rows->dots(q + h * size, k + at, n, size, w, weights);
        inv = g->en->math->softmax(weights, n, n, scale);
        g->rows->mix(weights, v + at, n, size, w, out + h * size);
        g->en->math->scale(out + h * size, size, inv);
    }
}

static void step_layer(const struct lm_generator *g, const struct lm_steps *s, const struct room *r,
                       size_t i, const float *add)
{
    const struct lm_config *c = &s->m->c;
    const struct lm_layer  *l = &s->m->layer[i];
    const size_t            q = lm_qkv_width(c), a = lm_attention_width(c);
    lm_norm(s, r->x, add, r->h, g->n_active, l->norm1_w, l->norm1_b);
    lm_qkv(s, l, g->n_active, r->h, r->qkv);
    for (size_t b = 0; b < g->n_active; b++) {
        const struct lm_stream *st = g->active[b];
        const size_t            position = st->n_prompt + st->n_new - 1;
        lm_place(s, &g->angles, position, r->qkv + b * q);
        keep(c, &st->kv, i, position, 1, r->qkv + b * q);
        look_back(g, &st->kv, i, position, r->qkv + b * q, r->room, r->h + b * a);
    }
    lm_rest(s, l, g->n_active, r->h, r->x, r->normed, r->up);
}

drh_status lm_step(struct lm_generator *g, float **logits)
{
    const struct lm_model *m = g->en->m;
    struct lm_matmul       mm = step_products(g);
    const struct lm_steps  s = {m, g->en->math, &mm};
    struct room            r;
    size_t                 longest = 0;
    for (size_t b = 0; b < g->n_active; b++) {
        const size_t n = g->active[b]->n_prompt + g->active[b]->n_new;
        longest = n > longest ? n : longest;
    }
    if (make_room(g, g->n_active, longest, g->n_active, &r) ||
        lm_angles_room(&g->angles, m, longest)) {
        return DRH_E_NOMEM;
    }
    for (size_t b = 0; b < g->n_active; b++) {
        const struct lm_stream *st = g->active[b];
        const size_t            position = st->n_prompt + st->n_new - 1;
        lm_embed(m, st->tokens[position], position, r.x + b * m->c.width);
    }
    for (size_t i = 0; i < m->c.layers; i++) {
        if (g->en->stop && g->en->stop(g->en->stop_ctx)) {
            return DRH_E_CANCELLED;
        }
        step_layer(g, &s, &r, i, i ? m->layer[i - 1].down.bias : NULL);
    }
    head(g, &s, &r, r.x, m->layer[m->c.layers - 1].down.bias, g->n_active, r.logits);
    *logits = r.logits;
    return DRH_OK;
}
