/* SPDX-License-Identifier: MIT
 *
 * model_random.c - see model_random.h.
 */
#include "model_random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- shapes -------------------------------------------------------------------------------- */

int model_is_gpt2(const struct model_shape *s)
{
    return strcmp(s->arch, "gpt2") == 0;
}

int model_layer_slides(const struct model_shape *s, uint32_t layer)
{
    if (!s->window) {
        return 0;
    }
    return s->types ? s->types[layer] == 's' : layer >= s->slides_from;
}

int model_qkv_bias(const struct model_shape *s)
{
    return model_is_gpt2(s) || strcmp(s->arch, "qwen2") == 0 || s->attention_bias;
}

int model_out_bias(const struct model_shape *s)
{
    return model_is_gpt2(s) || s->attention_bias;
}

int model_preset(const char *name, struct model_shape *s)
{
    const struct model_shape gpt2 = {.arch = "gpt2",
                                     .width = 768,
                                     .layers = 12,
                                     .heads = 12,
                                     .inner = 3072,
                                     .context = 1024,
                                     .vocab = 50257,
                                     .seed = 1,
                                     .sigma = 0.02},
                             qwen = {.arch = "qwen2",
                                     .width = 896,
                                     .layers = 24,
                                     .heads = 14,
                                     .kv_heads = 2,
                                     .inner = 4864,
                                     .context = 32768,
                                     .vocab = 151936,
                                     .theta = 1e6,
                                     .seed = 1,
                                     .sigma = 0.02};
    if (strcmp(name, "gpt2-124m") == 0) {
        *s = gpt2;
    } else if (strcmp(name, "qwen2.5-0.5b") == 0) {
        *s = qwen;
    } else {
        return -1;
    }
    return 0;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static uint64_t next_u64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Nearly normal: the sum of twelve uniform numbers, so no libm result goes into a file. */
static double next_normal(uint64_t *state)
{
    double s = -6.0;
    for (int i = 0; i < 3; i++) {
        uint64_t u = next_u64(state);
        for (int k = 0; k < 4; k++) {
            s += (double)(u >> (16 * k) & 0xffff) / 65536.0;
        }
    }
    return s;
}

size_t model_tensor_count(const struct model_tensor *t)
{
    return (size_t)t->shape[0] * (t->ndim == 2 ? t->shape[1] : 1);
}

/* The factors of a norm lie about one. */
static int is_factor(const char *name)
{
    return (strstr(name, "ln_") || strstr(name, "norm")) && strstr(name, ".weight");
}

static void fill(const struct model_shape *s, struct model_tensor *t, uint64_t *state)
{
    const size_t n = model_tensor_count(t);
    const int    one = is_factor(t->name);
    for (size_t i = 0; i < n; i++) {
        double v = next_normal(state) * s->sigma;
        if (s->coarse) {
            v = nearbyint(v * 1024) / 1024;
            v = v > 0.12 ? 0.12 : v < -0.12 ? -0.12 : v;
            v = nearbyint(v * 1024) / 1024;
            v = one ? nearbyint((1 + v) * 128) / 128 : v;
        } else {
            v += one;
        }
        t->data[i] = (float)v;
    }
}

/* ---- tensors ------------------------------------------------------------------------------- */

struct maker {
    struct model_random *r;
    uint64_t             state;
    const char          *prefix;
    int                  failed;
};

/* cols 0: a vector. */
static void add(struct maker *m, const char *name, uint32_t rows, uint32_t cols)
{
    struct model_random *r = m->r;
    struct model_tensor *t = m->failed ? NULL : realloc(r->t, (r->n + 1) * sizeof(*t));
    if (!t) {
        m->failed = 1;
        return;
    }
    r->t = t;
    t += r->n;
    memset(t, 0, sizeof(*t));
    (void)snprintf(t->name, sizeof(t->name), "%s%s", m->prefix, name);
    t->ndim = cols ? 2 : 1;
    t->shape[0] = rows;
    t->shape[1] = cols;
    t->data = malloc(model_tensor_count(t) * sizeof(float));
    if (!t->data) {
        m->failed = 1;
        return;
    }
    r->n++;
    fill(&r->s, t, &m->state);
}

static void gpt2_layer(struct maker *m)
{
    const uint32_t d = m->r->s.width, f = m->r->s.inner;
    add(m, "ln_1.weight", d, 0);
    add(m, "ln_1.bias", d, 0);
    add(m, "attn.c_attn.weight", d, 3 * d);
    add(m, "attn.c_attn.bias", 3 * d, 0);
    add(m, "attn.c_proj.weight", d, d);
    add(m, "attn.c_proj.bias", d, 0);
    add(m, "ln_2.weight", d, 0);
    add(m, "ln_2.bias", d, 0);
    add(m, "mlp.c_fc.weight", d, f);
    add(m, "mlp.c_fc.bias", f, 0);
    add(m, "mlp.c_proj.weight", f, d);
    add(m, "mlp.c_proj.bias", d, 0);
}

static void attention(struct maker *m)
{
    const struct model_shape *s = &m->r->s;
    const uint32_t            q = s->heads * s->head_dim, kv = s->kv_heads * s->head_dim;
    add(m, "self_attn.q_proj.weight", q, s->width);
    add(m, "self_attn.k_proj.weight", kv, s->width);
    add(m, "self_attn.v_proj.weight", kv, s->width);
    if (model_qkv_bias(s)) {
        add(m, "self_attn.q_proj.bias", q, 0);
        add(m, "self_attn.k_proj.bias", kv, 0);
        add(m, "self_attn.v_proj.bias", kv, 0);
    }
    if (strcmp(s->arch, "qwen3") == 0) {
        add(m, "self_attn.q_norm.weight", s->head_dim, 0);
        add(m, "self_attn.k_norm.weight", s->head_dim, 0);
    }
    add(m, "self_attn.o_proj.weight", s->width, q);
    if (model_out_bias(s)) {
        add(m, "self_attn.o_proj.bias", s->width, 0);
    }
}

static void llama_layer(struct maker *m)
{
    const struct model_shape *s = &m->r->s;
    add(m, "input_layernorm.weight", s->width, 0);
    attention(m);
    add(m, "post_attention_layernorm.weight", s->width, 0);
    add(m, "mlp.gate_proj.weight", s->inner, s->width);
    add(m, "mlp.up_proj.weight", s->inner, s->width);
    add(m, "mlp.down_proj.weight", s->width, s->inner);
    if (s->mlp_bias) {
        add(m, "mlp.gate_proj.bias", s->inner, 0);
        add(m, "mlp.up_proj.bias", s->inner, 0);
        add(m, "mlp.down_proj.bias", s->width, 0);
    }
}

static void all_tensors(struct maker *m)
{
    const struct model_shape *s = &m->r->s;
    const int                 gpt2 = model_is_gpt2(s);
    char                      prefix[32] = "";
    m->prefix = prefix;
    add(m, gpt2 ? "wte.weight" : "embed_tokens.weight", s->vocab, s->width);
    if (gpt2) {
        add(m, "wpe.weight", s->context, s->width);
    }
    for (uint32_t i = 0; i < s->layers; i++) {
        (void)snprintf(prefix, sizeof(prefix), gpt2 ? "h.%lu." : "layers.%lu.", (unsigned long)i);
        (gpt2 ? gpt2_layer : llama_layer)(m);
    }
    prefix[0] = 0;
    add(m, gpt2 ? "ln_f.weight" : "norm.weight", s->width, 0);
    if (gpt2) {
        add(m, "ln_f.bias", s->width, 0);
    }
    if (s->untied) {
        add(m, "lm_head.weight", s->vocab, s->width);
    }
}

int model_random_make(struct model_random *r, const struct model_shape *s)
{
    struct maker m = {r, s->seed, "", 0};
    memset(r, 0, sizeof(*r));
    r->s = *s;
    r->s.act = s->act ? s->act : "gelu_new";
    r->s.kv_heads = s->kv_heads ? s->kv_heads : s->heads;
    r->s.head_dim = s->head_dim ? s->head_dim : s->width / s->heads;
    r->s.theta = s->theta > 0 ? s->theta : 10000;
    all_tensors(&m);
    if (m.failed) {
        model_random_free(r);
    }
    return m.failed ? -1 : 0;
}

void model_random_free(struct model_random *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->t[i].data);
    }
    free(r->t);
    memset(r, 0, sizeof(*r));
}

struct model_tensor *model_random_tensor(const struct model_random *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->t[i].name, name) == 0) {
            return &r->t[i];
        }
    }
    return NULL;
}

const float *model_random_find(const struct model_random *r, const char *name)
{
    const struct model_tensor *t = model_random_tensor(r, name);
    return t ? t->data : NULL;
}
