/* SPDX-License-Identifier: MIT
 *
 * lm_layer.c - see lm_layer.h.
 */
#include "lm_layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- positions ----------------------------------------------------------------------------- */

int lm_angles_room(struct lm_angles *a, const struct lm_model *m, size_t n)
{
    const size_t half = m->c.head_dim / 2;
    float       *c, *s;
    if (m->c.family == LM_FAMILY_GPT2 || n <= a->n) {
        return 0;
    }
    n = (n + 255) / 256 * 256;
    if (!(c = realloc(a->cosines, n * half * sizeof(*c)))) {
        return -1;
    }
    a->cosines = c;
    if (!(s = realloc(a->sines, n * half * sizeof(*s)))) {
        return -1;
    }
    a->sines = s;
    for (size_t p = a->n; p < n; p++) {
        for (size_t i = 0; i < half; i++) {
            c[p * half + i] = (float)cos((double)p * m->inv_freq[i]);
            s[p * half + i] = (float)sin((double)p * m->inv_freq[i]);
        }
    }
    a->n = n;
    a->half = half;
    return 0;
}

void lm_angles_free(struct lm_angles *a)
{
    free(a->cosines);
    free(a->sines);
    memset(a, 0, sizeof(*a));
}

void lm_place(const struct lm_steps *s, const struct lm_angles *a, size_t position, float *qkv)
{
    const struct lm_config *c = &s->m->c;
    if (c->family == LM_FAMILY_LLAMA) {
        s->math->rotate(qkv, (size_t)c->heads + c->kv_heads, a->half,
                        a->cosines + position * a->half, a->sines + position * a->half);
    }
}

void lm_embed(const struct lm_model *m, uint32_t id, size_t position, float *x)
{
    const size_t d = m->c.width;
    const float *t = m->embed + id * d;
    if (!m->positions) {
        memcpy(x, t, d * sizeof(*x));
        return;
    }
    for (size_t j = 0; j < d; j++) {
        x[j] = t[j] + m->positions[position * d + j];
    }
}

/* ---- rows ---------------------------------------------------------------------------------- */

void lm_norm(const struct lm_steps *s, float *x, const float *add, float *out, size_t rows,
             const float *w, const float *b)
{
    const size_t d = s->m->c.width;
    const float  eps = s->m->c.eps;
    if (b) {
        s->math->norm(x, add, out, rows, d, w, b, eps);
    } else {
        s->math->rms(x, add, out, rows, d, w, eps);
    }
}

void lm_linear(const struct lm_matmul *mm, const struct lm_group *g, size_t m, const float *x,
               size_t ldx, int how, float *y)
{
    if (mm->linear) {
        mm->linear(mm->ctx, g, m, x, ldx, how, y);
        return;
    }
    for (uint32_t i = 0; i < g->n_parts; i++) {
        const struct lm_weight *w = &g->part[i];
        mm->gemm(mm->ctx, w->rows, m, w->n, w->k, x, ldx, w->f32, w->rows ? w->k : w->n,
                 how & LM_ADDS ? 1.0f : 0.0f, y, g->n);
        y += w->n;
    }
}

void lm_qkv(const struct lm_steps *s, const struct lm_layer *l, size_t rows, const float *h,
            float *qkv)
{
    const struct lm_config *c = &s->m->c;
    const size_t            n = l->qkv.n, q = lm_attention_width(c);
    lm_linear(s->mm, &l->qkv, rows, h, c->width, 0, qkv);
    if (l->qkv.bias) {
        s->math->bias(qkv, rows, n, l->qkv.bias);
    }
    for (size_t r = 0; l->q_norm && r < rows; r++, qkv += n) {
        s->math->rms(qkv, NULL, qkv, c->heads, c->head_dim, l->q_norm, c->eps);
        s->math->rms(qkv + q, NULL, qkv + q, c->kv_heads, c->head_dim, l->k_norm, c->eps);
    }
}

/* In place; the result is the first `inner` of each row. */
static void activate(const struct lm_steps *s, const struct lm_group *g, float *up, size_t rows)
{
    const struct lm_math *math = s->math;
    const size_t          n = s->m->c.inner;
    switch (s->m->c.act) {
    case LM_SILU:
        if (g->bias) {
            math->bias(up, rows, 2 * n, g->bias);
        }
        math->silu_mul(up, rows, n);
        break;
    case LM_GELU_ERF:
        math->bias_gelu_erf(up, rows, n, g->bias);
        break;
    case LM_RELU:
        math->bias_relu(up, rows, n, g->bias);
        break;
    case LM_GELU_TANH:
        math->bias_gelu_tanh(up, rows, n, g->bias);
    }
}

void lm_rest(const struct lm_steps *s, const struct lm_layer *l, size_t rows, const float *att,
             float *x, float *h, float *up)
{
    const struct lm_config *c = &s->m->c;
    lm_linear(s->mm, &l->out, rows, att, lm_attention_width(c), LM_ADDS, x);
    lm_norm(s, x, l->out.bias, h, rows, l->norm2_w, l->norm2_b);
    lm_linear(s->mm, &l->up, rows, h, c->width, 0, up);
    activate(s, &l->up, up, rows);
    lm_linear(s->mm, &l->down, rows, up, lm_up_width(c), LM_ADDS, x);
}
