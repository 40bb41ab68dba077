/* SPDX-License-Identifier: MIT
 *
 * lm_generate.c - which streams run, and what becomes of them: see lm_generate.h.
 */
#include "lm_generate.h"

#include <stdlib.h>
#include <string.h>

/* ---- keys and values ----------------------------------------------------------------------- */

static size_t kv_floats(const struct lm_config *c, size_t n)
{
    return (size_t)c->layers * n * c->kv_heads * c->head_dim;
}

size_t lm_kv_bytes(const struct lm_config *c, size_t n)
{
    return 2 * kv_floats(c, n) * sizeof(float);
}

static int kv_new(struct lm_generator *g, struct lm_kv *kv, size_t n)
{
    const size_t floats = kv_floats(&g->en->m->c, n);
    kv->k = malloc(floats * sizeof(float));
    kv->v = malloc(floats * sizeof(float));
    kv->cap = n;
    if (!kv->k || !kv->v) {
        free(kv->k);
        free(kv->v);
        memset(kv, 0, sizeof(*kv));
        return -1;
    }
    g->kv_used += lm_kv_bytes(&g->en->m->c, n);
    return 0;
}

static void kv_free(struct lm_generator *g, struct lm_kv *kv)
{
    if (kv->k) {
        g->kv_used -= lm_kv_bytes(&g->en->m->c, kv->cap);
    }
    free(kv->k);
    free(kv->v);
    memset(kv, 0, sizeof(*kv));
}

static void kv_copy(const struct lm_config *c, struct lm_kv *to, const struct lm_kv *from, size_t n)
{
    const size_t w = (size_t)c->kv_heads * c->head_dim;
    for (size_t l = 0; l < c->layers; l++) {
        memcpy(to->k + l * to->cap * w, from->k + l * from->cap * w, n * w * sizeof(float));
        memcpy(to->v + l * to->cap * w, from->v + l * from->cap * w, n * w * sizeof(float));
    }
}

static size_t positions(const struct lm_stream *s)
{
    return (size_t)s->n_prompt + s->max_new;
}

/* ---- prompts that several streams have ----------------------------------------------------- */

static int same_prompt(const struct lm_stream *a, const struct lm_stream *b)
{
    return a->n_prompt == b->n_prompt &&
           memcmp(a->tokens, b->tokens, a->n_prompt * sizeof(*a->tokens)) == 0;
}

static void forget_shared(struct lm_generator *g)
{
    kv_free(g, &g->shared);
    g->shared_of = NULL;
}

/* Keeps the prompt of s if one of the `left` streams behind it has the same, and room is left. */
static drh_status share(struct lm_generator *g, const struct lm_stream *s, size_t left,
                        const float *logits)
{
    const struct lm_config *c = &g->en->m->c;
    size_t                  i = 1;
    while (i <= left && !same_prompt(s, s + i)) {
        i++;
    }
    if (i > left || g->kv_used + lm_kv_bytes(c, s->n_prompt) > g->kv_bytes) {
        return DRH_OK;
    }
    if (!g->shared_logits) {
        g->shared_logits = malloc(c->vocab * sizeof(float));
    }
    if (!g->shared_logits || kv_new(g, &g->shared, s->n_prompt)) {
        return DRH_E_NOMEM;
    }
    kv_copy(c, &g->shared, &s->kv, s->n_prompt);
    memcpy(g->shared_logits, logits, c->vocab * sizeof(float));
    g->shared_of = s;
    return DRH_OK;
}

/* ---- a stream's life ----------------------------------------------------------------------- */

/* The next token of a stream; 1: it goes on. */
static int say(struct lm_generator *g, struct lm_stream *s, float *logits)
{
    const uint32_t n = s->n_prompt + s->n_new;
    const uint32_t id = lm_sample(&g->sampler, &s->sampling, logits, s->tokens, n, s->n_new);
    if (id == UINT32_MAX) {
        s->status = DRH_E_DATA;
        return 0;
    }
    s->tokens[n] = id;
    s->n_new++;
    s->stopped = s->said(s->ctx, s, id);
    return !s->stopped && s->n_new < s->max_new;
}

static void retire(struct lm_generator *g, size_t at)
{
    kv_free(g, &g->active[at]->kv);
    memmove(g->active + at, g->active + at + 1, (g->n_active - at - 1) * sizeof(*g->active));
    g->n_active--;
}

/* Computes a stream's prompt, says its first token and puts it among the active ones. */
static drh_status admit(struct lm_generator *g, struct lm_stream *s, size_t left)
{
    const struct lm_config *c = &g->en->m->c;
    float                  *logits = malloc(c->vocab * sizeof(*logits));
    drh_status              st = logits && !kv_new(g, &s->kv, positions(s)) ? DRH_OK : DRH_E_NOMEM;
    if (st == DRH_OK && g->shared_of && same_prompt(s, g->shared_of)) {
        kv_copy(c, &s->kv, &g->shared, s->n_prompt);
        memcpy(logits, g->shared_logits, c->vocab * sizeof(*logits));
    } else if (st == DRH_OK) {
        forget_shared(g);
        st = lm_prefill(g, s, logits);
        st = st == DRH_OK ? share(g, s, left, logits) : st;
    }
    if (st == DRH_OK) {
        g->active[g->n_active++] = s;
        if (!say(g, s, logits)) {
            retire(g, g->n_active - 1);
        }
    } else {
        kv_free(g, &s->kv);
    }
    free(logits);
    return st;
}

static drh_status one_step(struct lm_generator *g)
{
    const size_t vocab = g->en->m->c.vocab, n = g->n_active;
    float       *logits;
    drh_status   st = lm_step(g, &logits);
    /* from the end, so that what goes leaves the rows before it where they are */
    for (size_t b = n; st == DRH_OK && b-- > 0;) {
        if (!say(g, g->active[b], logits + b * vocab)) {
            retire(g, b);
        }
    }
    return st;
}

/* Is there room for one more?  When nothing runs, what is kept for others makes place. */
static int may_admit(struct lm_generator *g, const struct lm_stream *s)
{
    const size_t bytes = lm_kv_bytes(&g->en->m->c, positions(s));
    if (g->n_active == 0 && g->kv_used + bytes > g->kv_bytes) {
        forget_shared(g);
    }
    return g->n_active == 0 || (g->n_active < g->at_once && g->kv_used + bytes <= g->kv_bytes);
}

static drh_status begin(struct lm_generator *g)
{
    if (!g->active) {
        g->active = calloc(g->at_once, sizeof(*g->active));
    }
    if (!g->active ||
        (!g->sampler.order && lm_sampler_init(&g->sampler, g->en->math, g->en->m->c.vocab))) {
        return DRH_E_NOMEM;
    }
    return DRH_OK;
}

drh_status lm_generate(struct lm_generator *g, struct lm_stream *s, size_t n)
{
    drh_status st = begin(g);
    size_t     next = 0;
    while (st == DRH_OK && (next < n || g->n_active)) {
        if (next < n && s[next].max_new == 0) {
            next++; /* asked for nothing */
        } else if (next < n && may_admit(g, &s[next])) {
            st = admit(g, &s[next], n - next - 1);
            next++;
        } else {
            st = one_step(g);
        }
    }
    while (g->n_active) {
        retire(g, g->n_active - 1);
    }
    forget_shared(g);
    return st;
}

void lm_generator_free(struct lm_generator *g)
{
    free(g->f);
    free(g->active);
    free(g->shared_logits);
    lm_sampler_free(&g->sampler);
    lm_angles_free(&g->angles);
    memset(g, 0, sizeof(*g));
}
