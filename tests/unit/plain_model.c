/* SPDX-License-Identifier: MIT
 *
 * plain_model.c - see plain_model.h.
 */
#include "plain_model.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

struct plain {
    const struct model_random *r;
    size_t                     n;
    long                       layer; /* -1: none */
};

/* NULL: the model has none. */
static const float *maybe(const struct plain *p, const char *name)
{
    char full[128];
    if (p->layer < 0) {
        return model_random_find(p->r, name);
    }
    (void)snprintf(full, sizeof(full), "%s.%ld.%s", model_is_gpt2(&p->r->s) ? "h" : "layers",
                   p->layer, name);
    return model_random_find(p->r, full);
}

static const float *weight(const struct plain *p, const char *name)
{
    const float *w = maybe(p, name);
    ck_assert_msg(w != NULL, "%s", name);
    return w;
}

static double *zeros(size_t n)
{
    double *x = calloc(n, sizeof(*x));
    ck_assert_ptr_nonnull(x);
    return x;
}

/* ---- norms and products -------------------------------------------------------------------- */

static void layer_norm(const double *x, double *out, size_t d, const float *w, const float *b)
{
    double mean = 0, var = 0;
    for (size_t i = 0; i < d; i++) {
        mean += x[i] / (double)d;
    }
    for (size_t i = 0; i < d; i++) {
        var += (x[i] - mean) * (x[i] - mean) / (double)d;
    }
    for (size_t i = 0; i < d; i++) {
        out[i] = (x[i] - mean) / sqrt(var + 1e-5) * (double)w[i] + (double)b[i];
    }
}

static void rms_norm(const double *x, double *out, size_t d, const float *w)
{
    double square = 0;
    for (size_t i = 0; i < d; i++) {
        square += x[i] * x[i] / (double)d;
    }
    for (size_t i = 0; i < d; i++) {
        out[i] = x[i] / sqrt(square + 1e-5) * (double)w[i];
    }
}

/* A norm by its name without ".weight". */
static void norm(const struct plain *p, const char *name, const double *x, double *out)
{
    char w[64], b[64];
    (void)snprintf(w, sizeof(w), "%s.weight", name);
    (void)snprintf(b, sizeof(b), "%s.bias", name);
    if (model_is_gpt2(&p->r->s)) {
        layer_norm(x, out, p->r->s.width, weight(p, w), weight(p, b));
    } else {
        rms_norm(x, out, p->r->s.width, weight(p, w));
    }
}

/* y = W x + b, with the bias where the model has one. */
static void linear(const struct plain *p, const char *name, const double *x, double *y, size_t in,
                   size_t out)
{
    const int    gpt2 = model_is_gpt2(&p->r->s);
    const float *w, *b;
    char         full[64];
    (void)snprintf(full, sizeof(full), "%s.weight", name);
    w = weight(p, full);
    (void)snprintf(full, sizeof(full), "%s.bias", name);
    b = maybe(p, full);
    for (size_t o = 0; o < out; o++) {
        y[o] = b ? (double)b[o] : 0;
        for (size_t i = 0; i < in; i++) {
            y[o] += x[i] * (double)(gpt2 ? w[i * out + o] : w[o * in + i]);
        }
    }
}

/* ---- rotary positions ---------------------------------------------------------------------- */

/* Radians a position of pair i. */
static double frequency(const struct model_shape *s, size_t i)
{
    double f = 1 / pow(s->theta, 2 * (double)i / s->head_dim), wave = 2 * PI / f, smooth;
    if (!s->rope) {
        return f;
    }
    if (strcmp(s->rope, "linear") == 0) {
        return f / s->factor;
    }
    if (wave < s->rope_context / s->high) {
        return f;
    }
    if (wave > s->rope_context / s->low) {
        return f / s->factor;
    }
    smooth = (s->rope_context / wave - s->low) / (s->high - s->low);
    return (1 - smooth) * f / s->factor + smooth * f;
}

static void rotate(const struct model_shape *s, double *x, size_t position)
{
    const size_t half = s->head_dim / 2;
    for (size_t i = 0; i < half; i++) {
        const double a = (double)position * frequency(s, i), u = x[i], v = x[half + i];
        x[i] = u * cos(a) - v * sin(a);
        x[half + i] = v * cos(a) + u * sin(a);
    }
}

/* ---- attention ----------------------------------------------------------------------------- */

/* Queries (n x heads x size), keys and values (n x kv_heads x size) of a layer. */
struct sight {
    double *q, *k, *v;
    size_t  heads, kv_heads, size;
    size_t  window; /* 0: none */
};

static void place_head(const struct plain *p, const char *name, double *x, size_t position)
{
    const float *w = maybe(p, name);
    double      *normed = zeros(p->r->s.head_dim);
    if (w) {
        rms_norm(x, normed, p->r->s.head_dim, w);
        memcpy(x, normed, p->r->s.head_dim * sizeof(*x));
    }
    rotate(&p->r->s, x, position);
    free(normed);
}

static void look_llama(const struct plain *p, const struct sight *s, const double *h, size_t t)
{
    const size_t d = p->r->s.width, qn = s->heads * s->size, kn = s->kv_heads * s->size;
    linear(p, "self_attn.q_proj", h, s->q + t * qn, d, qn);
    linear(p, "self_attn.k_proj", h, s->k + t * kn, d, kn);
    linear(p, "self_attn.v_proj", h, s->v + t * kn, d, kn);
    for (size_t i = 0; i < s->heads; i++) {
        place_head(p, "self_attn.q_norm.weight", s->q + t * qn + i * s->size, t);
    }
    for (size_t i = 0; i < s->kv_heads; i++) {
        place_head(p, "self_attn.k_norm.weight", s->k + t * kn + i * s->size, t);
    }
}

static void look_gpt2(const struct plain *p, const struct sight *s, const double *h, size_t t)
{
    const size_t d = p->r->s.width;
    double      *all = zeros(3 * d);
    linear(p, "attn.c_attn", h, all, d, 3 * d);
    memcpy(s->q + t * d, all, d * sizeof(*all));
    memcpy(s->k + t * d, all + d, d * sizeof(*all));
    memcpy(s->v + t * d, all + 2 * d, d * sizeof(*all));
    free(all);
}

/* What head `head` of the token at `at` sees. */
static void attend(const struct sight *s, size_t at, size_t head, double *out)
{
    const size_t size = s->size, kv = head / (s->heads / s->kv_heads),
                 first = s->window && at + 1 > s->window ? at + 1 - s->window : 0;
    double *score = zeros(at + 1), max = -INFINITY, sum = 0;
    for (size_t k = first; k <= at; k++) {
        for (size_t i = 0; i < size; i++) {
            score[k] += s->q[(at * s->heads + head) * size + i] *
                        s->k[(k * s->kv_heads + kv) * size + i] / sqrt((double)size);
        }
        max = score[k] > max ? score[k] : max;
    }
    for (size_t k = first; k <= at; k++) {
        score[k] = exp(score[k] - max);
        sum += score[k];
    }
    for (size_t i = 0; i < size; i++) {
        out[head * size + i] = 0;
        for (size_t k = first; k <= at; k++) {
            out[head * size + i] += score[k] / sum * s->v[(k * s->kv_heads + kv) * size + i];
        }
    }
    free(score);
}

static void attention(const struct plain *p, double *x)
{
    const struct model_shape *m = &p->r->s;
    const int                 gpt2 = model_is_gpt2(m);
    const size_t              d = m->width, qn = (size_t)m->heads * m->head_dim,
                 kn = (size_t)m->kv_heads * m->head_dim;
    struct sight s = {zeros(p->n * qn),
                      zeros(p->n * kn),
                      zeros(p->n * kn),
                      m->heads,
                      m->kv_heads,
                      m->head_dim,
                      0};
    double      *h = zeros(d), *seen = zeros(qn);
    s.window = model_layer_slides(m, (uint32_t)p->layer) ? m->window : 0;
    for (size_t t = 0; t < p->n; t++) {
        norm(p, gpt2 ? "ln_1" : "input_layernorm", x + t * d, h);
        (gpt2 ? look_gpt2 : look_llama)(p, &s, h, t);
    }
    for (size_t t = 0; t < p->n; t++) {
        for (size_t k = 0; k < s.heads; k++) {
            attend(&s, t, k, seen);
        }
        linear(p, gpt2 ? "attn.c_proj" : "self_attn.o_proj", seen, h, qn, d);
        for (size_t i = 0; i < d; i++) {
            x[t * d + i] += h[i];
        }
    }
    free(s.q);
    free(s.k);
    free(s.v);
    free(h);
    free(seen);
}

/* ---- the rest ------------------------------------------------------------------------------ */

static double act(const struct plain *p, double x)
{
    const char *name = p->r->s.act;
    if (!model_is_gpt2(&p->r->s)) {
        return x / (1 + exp(-x));
    }
    if (strcmp(name, "relu") == 0) {
        return x > 0 ? x : 0;
    }
    if (strcmp(name, "gelu") == 0) {
        return 0.5 * x * (1 + erf(x / sqrt(2.0)));
    }
    return 0.5 * x * (1 + tanh(sqrt(2 / PI) * (x + 0.044715 * x * x * x)));
}

/* x += mlp(norm(x)) of one token. */
static void mlp(const struct plain *p, double *x)
{
    const int    gpt2 = model_is_gpt2(&p->r->s);
    const size_t d = p->r->s.width, f = p->r->s.inner;
    double      *h = zeros(d), *m = zeros(f), *up = zeros(f);
    norm(p, gpt2 ? "ln_2" : "post_attention_layernorm", x, h);
    linear(p, gpt2 ? "mlp.c_fc" : "mlp.gate_proj", h, m, d, f);
    if (!gpt2) {
        linear(p, "mlp.up_proj", h, up, d, f);
    }
    for (size_t i = 0; i < f; i++) {
        m[i] = act(p, m[i]) * (gpt2 ? 1 : up[i]);
    }
    linear(p, gpt2 ? "mlp.c_proj" : "mlp.down_proj", m, h, f, d);
    for (size_t i = 0; i < d; i++) {
        x[i] += h[i];
    }
    free(h);
    free(m);
    free(up);
}

static double logprob(const struct plain *p, const double *h, uint32_t target)
{
    const size_t d = p->r->s.width, vocab = p->r->s.vocab;
    const float *head = weight(p, p->r->s.untied            ? "lm_head.weight"
                                  : model_is_gpt2(&p->r->s) ? "wte.weight"
                                                            : "embed_tokens.weight");
    double      *logit = zeros(vocab), max = -INFINITY, sum = 0, v;
    for (size_t k = 0; k < vocab; k++) {
        for (size_t i = 0; i < d; i++) {
            logit[k] += h[i] * (double)head[k * d + i];
        }
        max = logit[k] > max ? logit[k] : max;
    }
    for (size_t k = 0; k < vocab; k++) {
        sum += exp(logit[k] - max);
    }
    v = logit[target] - max - log(sum);
    free(logit);
    return v;
}

static void embed(const struct plain *p, const uint32_t *ids, double *x)
{
    const int    gpt2 = model_is_gpt2(&p->r->s);
    const size_t d = p->r->s.width;
    const float *table = weight(p, gpt2 ? "wte.weight" : "embed_tokens.weight"),
                *place = gpt2 ? weight(p, "wpe.weight") : NULL;
    for (size_t t = 0; t < p->n; t++) {
        for (size_t i = 0; i < d; i++) {
            x[t * d + i] = (double)table[ids[t] * d + i] + (place ? (double)place[t * d + i] : 0);
        }
    }
}

void plain_model(const struct model_random *r, const uint32_t *ids, size_t n, double *out)
{
    struct plain p = {r, n, -1};
    const size_t d = r->s.width;
    double      *x = zeros(n * d), *h = zeros(d);
    embed(&p, ids, x);
    for (uint32_t l = 0; l < r->s.layers; l++) {
        p.layer = (long)l;
        attention(&p, x);
        for (size_t t = 0; t < n; t++) {
            mlp(&p, x + t * d);
        }
        p.layer = -1;
        for (size_t t = 0; t + 1 < n; t++) {
            norm(&p, model_is_gpt2(&r->s) ? "ln_f" : "norm", x + t * d, h);
            out[l * (n - 1) + t] = logprob(&p, h, ids[t + 1]);
        }
    }
    free(x);
    free(h);
}
