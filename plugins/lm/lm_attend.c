/* SPDX-License-Identifier: MIT
 *
 * lm_attend.c - see lm_attend.h.
 */
#include "lm_attend.h"

#include <math.h>
#include <string.h>

/* Queries from..to of one head: softmax(q k' / sqrt(size)) v. */
static void block(const struct lm_attention *a, size_t head, size_t from, size_t to)
{
    const struct lm_config *c = &a->s->m->c;
    const struct lm_math   *math = a->s->math;
    const struct lm_matmul *mm = a->s->mm;
    const size_t            size = c->head_dim, d = lm_attention_width(c), n = to - from,
                 kv = head / (c->heads / c->kv_heads) * size, w = a->window,
                 low = w && from >= w ? from - w + 1 : 0, width = to - low;
    const float scale = 1.0f / sqrtf((float)size);
    float      *out = a->out + (from - a->from) * d + head * size, inv[LM_QUERY_BLOCK];
    mm->gemm(mm->ctx, 1, n, width, size, a->q + (from - a->from) * a->ldq + head * size, a->ldq,
             a->k + low * a->ldkv + kv, a->ldkv, 0.0f, a->weights, width);
    for (size_t i = 0; i < n; i++) {
        const size_t row = from + i, first = w && row >= w ? row - w + 1 - low : 0;
        float       *p = a->weights + i * width;
        memset(p, 0, first * sizeof(*p));
        inv[i] = math->softmax(p + first, row + 1 - low - first, width - first, scale);
    }
    mm->gemm(mm->ctx, 0, n, size, width, a->weights, width, a->v + low * a->ldkv + kv, a->ldkv,
             0.0f, out, d);
    for (size_t i = 0; i < n; i++) {
        math->scale(out + i * d, size, inv[i]);
    }
}

void lm_attend(const struct lm_attention *a)
{
    for (size_t from = a->from; from < a->to; from += LM_QUERY_BLOCK) {
        const size_t to = from + LM_QUERY_BLOCK < a->to ? from + LM_QUERY_BLOCK : a->to;
        for (size_t h = 0; h < a->s->m->c.heads; h++) {
            block(a, h, from, to);
        }
    }
}
