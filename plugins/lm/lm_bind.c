/* SPDX-License-Identifier: MIT
 *
 * lm_bind.c - which tensor of the files is which part of the model.  Goes over all twice: first
 * checks names, shapes and types and adds up the room for what has to be converted, then fills it.
 */
#include "lm_model.h"

#include <drh/util.h>

#include <math.h>
#include <stdlib.h>

struct binder {
    struct lm_model *m;
    drh_error       *e;
    size_t           own_n; /* floats of `own` in use */
    int              fill;  /* 0: check and count; 1: convert */
    char             prefix[64];
};

/* ---- one tensor ---------------------------------------------------------------------------- */

/* Old files lack the name of the part in front. */
static const struct lm_tensor *find(const struct binder *b, const char *name,
                                    const struct lm_shard **shard)
{
    const char *const       front = b->m->c.family == LM_FAMILY_GPT2 ? "transformer." : "model.";
    char                    full[160];
    const struct lm_tensor *t;
    (void)snprintf(full, sizeof(full), "%s%s%s", front, b->prefix, name);
    t = lm_shards_find(&b->m->weights, full, shard);
    return t ? t : lm_shards_find(&b->m->weights, full + strlen(front), shard);
}

static drh_status check_shape(struct binder *b, const char *file, const struct lm_tensor *t,
                              uint64_t rows, uint64_t cols)
{
    if (t->dtype == LM_OTHER) {
        return drh_fail(b->e, DRH_E_UNSUPPORTED,
                        "%s: tensor \"%s\": dtype %s is not supported; F32, F16 and BF16 are", file,
                        t->name, t->dtype_name);
    }
    if (t->ndim != (cols ? 2u : 1u) || t->shape[0] != rows || (cols && t->shape[1] != cols)) {
        return drh_fail(
            b->e, DRH_E_DATA,
            "%s: tensor \"%s\": the shape is not [%llu%s%.0llu], which config.json asks for", file,
            t->name, (unsigned long long)rows, cols ? ", " : "", (unsigned long long)cols);
    }
    return DRH_OK;
}

/* Finds and checks; cols 0: a vector. */
static drh_status want(struct binder *b, const char *name, uint64_t rows, uint64_t cols,
                       const struct lm_tensor **out)
{
    const struct lm_shard  *shard = NULL;
    const struct lm_tensor *t = find(b, name, &shard);
    *out = t;
    return t ? check_shape(b, shard->name, t, rows, cols)
             : drh_fail(b->e, DRH_E_DATA, "%s: the tensor \"%s%s\" is missing",
                        lm_shards_name(&b->m->weights), b->prefix, name);
}

/* A converted copy at the end of `own`; `align` 0: right behind what is there. */
static const float *copy(struct binder *b, const struct lm_tensor *t, int align)
{
    const size_t at = align ? (b->own_n + 15) / 16 * 16 : b->own_n;
    if (b->fill) {
        lm_tensor_to_f32(t, b->m->own + at);
    }
    b->own_n = at + (size_t)t->count;
    return b->fill ? b->m->own + at : NULL;
}

static const float *in_place(const struct lm_tensor *t)
{
    return t->dtype == LM_F32 && (uintptr_t)t->data % sizeof(float) == 0
               ? (const float *)(const void *)t->data
               : NULL;
}

static drh_status bind(struct binder *b, const char *name, uint64_t rows, uint64_t cols,
                       const float **out)
{
    const struct lm_tensor *t;
    drh_status              st = want(b, name, rows, cols, &t);
    if (st == DRH_OK) {
        *out = in_place(t);
        *out = *out ? *out : copy(b, t, 1);
    }
    return st;
}

/* ---- groups -------------------------------------------------------------------------------- */

struct part {
    const char *name; /* without ".weight" */
    uint32_t    n;
};

/* Parts that happen to lie one behind the other are one matrix. */
static void join(struct lm_group *g)
{
    uint32_t n = 1;
    for (uint32_t i = 1; i < g->n_parts; i++) {
        struct lm_weight *last = &g->part[n - 1], *w = &g->part[i];
        if (w->rows && last->f32 && w->f32 == last->f32 + (size_t)last->n * last->k) {
            last->n += w->n;
        } else {
            g->part[n++] = *w;
        }
    }
    g->n_parts = n;
}

static drh_status bind_biases(struct binder *b, struct lm_group *g, const struct part *p, size_t n)
{
    drh_status st = DRH_OK;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        const struct lm_tensor *t;
        const float            *at;
        char                    name[64];
        (void)snprintf(name, sizeof(name), "%s.bias", p[i].name);
        st = want(b, name, p[i].n, 0, &t);
        if (st == DRH_OK) {
            at = copy(b, t, i == 0);
            g->bias = i == 0 ? at : g->bias;
        }
    }
    return st;
}

static drh_status bind_group(struct binder *b, struct lm_group *g, const struct part *p, size_t n,
                             uint32_t k, int bias)
{
    const int  rows = b->m->c.family == LM_FAMILY_LLAMA;
    drh_status st = DRH_OK;
    memset(g, 0, sizeof(*g));
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        struct lm_weight *w = &g->part[i];
        char              name[64];
        (void)snprintf(name, sizeof(name), "%s.weight", p[i].name);
        st = bind(b, name, rows ? p[i].n : k, rows ? k : p[i].n, &w->f32);
        w->n = p[i].n;
        w->k = k;
        w->rows = rows;
        g->n += p[i].n;
    }
    g->n_parts = (uint32_t)n;
    st = st == DRH_OK && bias ? bind_biases(b, g, p, n) : st;
    if (st == DRH_OK) {
        join(g);
    }
    return st;
}

/* ---- the two families ---------------------------------------------------------------------- */

static drh_status gpt2_layer(struct binder *b, struct lm_layer *l)
{
    const struct lm_config *c = &b->m->c;
    const uint32_t          d = c->width;
    const struct part       qkv = {"attn.c_attn", 3 * d}, out = {"attn.c_proj", d},
                      up = {"mlp.c_fc", c->inner}, down = {"mlp.c_proj", d};
    drh_status st = bind(b, "ln_1.weight", d, 0, &l->norm1_w);
    st = st == DRH_OK ? bind(b, "ln_1.bias", d, 0, &l->norm1_b) : st;
    st = st == DRH_OK ? bind_group(b, &l->qkv, &qkv, 1, d, 1) : st;
    st = st == DRH_OK ? bind_group(b, &l->out, &out, 1, d, 1) : st;
    st = st == DRH_OK ? bind(b, "ln_2.weight", d, 0, &l->norm2_w) : st;
    st = st == DRH_OK ? bind(b, "ln_2.bias", d, 0, &l->norm2_b) : st;
    st = st == DRH_OK ? bind_group(b, &l->up, &up, 1, d, 1) : st;
    return st == DRH_OK ? bind_group(b, &l->down, &down, 1, c->inner, 1) : st;
}

static drh_status llama_layer(struct binder *b, struct lm_layer *l)
{
    const struct lm_config *c = &b->m->c;
    const uint32_t    d = c->width, q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
    const struct part qkv[] = {{"self_attn.q_proj", q},
                               {"self_attn.k_proj", kv},
                               {"self_attn.v_proj", kv}},
                      up[] = {{"mlp.gate_proj", c->inner}, {"mlp.up_proj", c->inner}},
                      out = {"self_attn.o_proj", d}, down = {"mlp.down_proj", d};
    drh_status st = bind(b, "input_layernorm.weight", d, 0, &l->norm1_w);
    st = st == DRH_OK ? bind_group(b, &l->qkv, qkv, 3, d, c->qkv_bias) : st;
    if (st == DRH_OK && c->qk_norm) {
        st = bind(b, "self_attn.q_norm.weight", c->head_dim, 0, &l->q_norm);
        st = st == DRH_OK ? bind(b, "self_attn.k_norm.weight", c->head_dim, 0, &l->k_norm) : st;
    }
    st = st == DRH_OK ? bind_group(b, &l->out, &out, 1, q, c->out_bias) : st;
    st = st == DRH_OK ? bind(b, "post_attention_layernorm.weight", d, 0, &l->norm2_w) : st;
    st = st == DRH_OK ? bind_group(b, &l->up, up, 2, d, c->mlp_bias) : st;
    return st == DRH_OK ? bind_group(b, &l->down, &down, 1, c->inner, c->mlp_bias) : st;
}

/* A table of positions may be longer than the context. */
static drh_status gpt2_top(struct binder *b)
{
    struct lm_model        *m = b->m;
    const struct lm_shard  *shard;
    const struct lm_tensor *t = find(b, "wpe.weight", &shard);
    const uint64_t n = t && t->ndim == 2 && t->shape[0] > m->c.context ? t->shape[0] : m->c.context;
    drh_status     st = bind(b, "wpe.weight", n, m->c.width, &m->positions);
    st = st == DRH_OK ? bind(b, "wte.weight", m->c.vocab, m->c.width, &m->embed) : st;
    st = st == DRH_OK ? bind(b, "ln_f.weight", m->c.width, 0, &m->norm_w) : st;
    return st == DRH_OK ? bind(b, "ln_f.bias", m->c.width, 0, &m->norm_b) : st;
}

static drh_status llama_top(struct binder *b)
{
    struct lm_model *m = b->m;
    drh_status       st = bind(b, "embed_tokens.weight", m->c.vocab, m->c.width, &m->embed);
    return st == DRH_OK ? bind(b, "norm.weight", m->c.width, 0, &m->norm_w) : st;
}

static drh_status bind_all(struct binder *b)
{
    struct lm_model *m = b->m;
    const int        gpt2 = m->c.family == LM_FAMILY_GPT2;
    drh_status       st;
    b->own_n = 0;
    b->prefix[0] = 0;
    st = gpt2 ? gpt2_top(b) : llama_top(b);
    if (st == DRH_OK && !m->c.tied) {
        st = bind(b, "lm_head.weight", m->c.vocab, m->c.width, &m->head);
    }
    for (uint32_t i = 0; st == DRH_OK && i < m->c.layers; i++) {
        (void)snprintf(b->prefix, sizeof(b->prefix), "%s.%lu.", gpt2 ? "h" : "layers",
                       (unsigned long)i);
        st = gpt2 ? gpt2_layer(b, &m->layer[i]) : llama_layer(b, &m->layer[i]);
    }
    if (m->c.tied) {
        m->head = m->embed;
    }
    return st;
}

/* ---- rotary positions ---------------------------------------------------------------------- */

/* Llama 3's stretching: long waves by the whole factor, short ones not at all, a ramp between. */
static double stretch(const struct lm_config *c, double f)
{
    const double wave = 2 * 3.14159265358979323846 / f, low = c->rope_context / c->rope_low,
                 high = c->rope_context / c->rope_high;
    double ramp;
    if (wave < high) {
        return f;
    }
    if (wave > low) {
        return f / c->rope_factor;
    }
    ramp = (c->rope_context / wave - c->rope_low) / (c->rope_high - c->rope_low);
    return (1 - ramp) * f / c->rope_factor + ramp * f;
}

static drh_status make_angles(struct lm_model *m, drh_error *e)
{
    const struct lm_config *c = &m->c;
    const size_t            half = c->head_dim / 2;
    m->inv_freq = malloc(half * sizeof(*m->inv_freq));
    if (!m->inv_freq) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < half; i++) {
        double f = pow(c->rope_theta, -2.0 * (double)i / c->head_dim);
        f = c->rope == LM_ROPE_LINEAR ? f / c->rope_factor : f;
        m->inv_freq[i] = c->rope == LM_ROPE_LLAMA3 ? stretch(c, f) : f;
    }
    return DRH_OK;
}

/* The head in pieces that stay in the cache. */
static drh_status cut_head(struct lm_model *m, drh_error *e)
{
    const uint32_t vocab = m->c.vocab, d = m->c.width;
    m->n_tiles = ((size_t)vocab + LM_HEAD_TILE - 1) / LM_HEAD_TILE;
    m->tile = calloc(m->n_tiles, sizeof(*m->tile));
    if (!m->tile) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < m->n_tiles; i++) {
        const uint32_t at = (uint32_t)i * LM_HEAD_TILE, left = vocab - at;
        const uint32_t n = left < LM_HEAD_TILE ? left : LM_HEAD_TILE;
        m->tile[i] =
            (struct lm_group){.part = {{n, d, 1, m->head + (size_t)at * d}}, .n_parts = 1, .n = n};
    }
    return DRH_OK;
}

/* ---- all ----------------------------------------------------------------------------------- */

drh_status lm_bind(struct lm_model *m, drh_error *e)
{
    struct binder b = {m, e, 0, 0, ""};
    drh_status    st;
    if (m->c.layers > lm_shards_tensors(&m->weights)) { /* before room is made for them */
        return drh_fail(e, DRH_E_DATA, "%s: fewer tensors than config.json has layers",
                        lm_shards_name(&m->weights));
    }
    m->layer = calloc(m->c.layers, sizeof(*m->layer));
    if (!m->layer) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    st = bind_all(&b);
    st = st == DRH_OK && m->c.family == LM_FAMILY_LLAMA ? make_angles(m, e) : st;
    if (st != DRH_OK) {
        return st;
    }
    if (b.own_n == 0) {
        return cut_head(m, e);
    }
    b.own_n = (b.own_n + 15) / 16 * 16;
    m->own = aligned_alloc(64, b.own_n * sizeof(float));
    if (!m->own) {
        return drh_fail(e, DRH_E_NOMEM, "%s: no memory for %zu MB of weights",
                        lm_shards_name(&m->weights), b.own_n * sizeof(float) >> 20);
    }
    b.fill = 1;
    st = bind_all(&b);
    return st == DRH_OK ? cut_head(m, e) : st;
}
