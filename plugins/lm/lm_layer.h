/* SPDX-License-Identifier: MIT
 *
 * lm_layer.h - the steps of a layer that treat each row (token) for itself, so that scoring and
 * generation share them; attention is between them and knows where keys and values lie.
 *
 * Rows have lm_qkv_width floats of queries, keys and values: heads x head_dim, then twice
 * kv_heads x head_dim.  Pure functions of their arguments: any thread.
 */
#ifndef LM_LAYER_H
#define LM_LAYER_H

#include "lm_math.h"
#include "lm_model.h"

/* How a product with weights is made. */
enum {
    LM_ADDS = 1,     /* added to what y holds */
    LM_SAME_ROWS = 2 /* m, x and what x holds are those of the call before */
};

/* The products that a backend brings. */
struct lm_matmul {
    /* c[m][n] = a[m][k] * b + beta * c, row-major; b is [k][n], or [n][k] when b_rows is 1. */
    void (*gemm)(void *ctx, int b_rows, size_t m, size_t n, size_t k, const float *a, size_t lda,
                 const float *b, size_t ldb, float beta, float *c, size_t ldc);
    void *ctx;
    /* A product with weights that were packed (lm_group.packed), as lm_linear; NULL: gemm. */
    void (*linear)(void *ctx, const struct lm_group *g, size_t m, const float *x, size_t ldx,
                   int how, float *y);
    /* 1: linear is for the steps of a generation, too: a row has the same bits whatever m, and few
     * rows are fast. */
    int steps;
    /* Not 0: a product since the last call could not be made, for want of memory.  NULL: never. */
    int (*failed)(void *ctx);
};

/* Cosines and sines of positions 0..n-1, each head_dim / 2 long. */
struct lm_angles {
    float *cosines, *sines;
    size_t n, half;
};

struct lm_steps {
    const struct lm_model  *m;
    const struct lm_math   *math;
    const struct lm_matmul *mm;
};

static inline size_t lm_attention_width(const struct lm_config *c)
{
    return (size_t)c->heads * c->head_dim;
}

static inline size_t lm_qkv_width(const struct lm_config *c)
{
    return ((size_t)c->heads + 2 * (size_t)c->kv_heads) * c->head_dim;
}

/* Floats of a row between the two products of the MLP. */
static inline size_t lm_up_width(const struct lm_config *c)
{
    return c->family == LM_FAMILY_LLAMA ? 2 * (size_t)c->inner : c->inner;
}

/* y[m][n] = x W' of all parts of the group; rows of x are ldx apart, of y as long as the group is
 * wide; `how` of LM_ADDS and LM_SAME_ROWS.  Without the bias. */
void lm_linear(const struct lm_matmul *mm, const struct lm_group *g, size_t m, const float *x,
               size_t ldx, int how, float *y);

/* Makes the table at least n long; 0, or -1 out of memory.  Nothing to do for GPT-2. */
int  lm_angles_room(struct lm_angles *a, const struct lm_model *m, size_t n);
void lm_angles_free(struct lm_angles *a);

/* x[width] of a token at a position. */
void lm_embed(const struct lm_model *m, uint32_t id, size_t position, float *x);

/* x += add (may be NULL); out = norm(x) * w + b. */
void lm_norm(const struct lm_steps *s, float *x, const float *add, float *out, size_t rows,
             const float *w, const float *b);

/* qkv of normed rows h: product, bias, norms of queries and keys.  Without positions. */
void lm_qkv(const struct lm_steps *s, const struct lm_layer *l, size_t rows, const float *h,
            float *qkv);
/* Turns queries and keys of one row by its position; nothing for GPT-2. */
void lm_place(const struct lm_steps *s, const struct lm_angles *a, size_t position, float *qkv);

/* The rest of a layer behind attention: x += out(att), then x += mlp(norm(x)) without down's bias,
 * which the next norm adds.  att has lm_attention_width; h: rows x width and up: rows x lm_up_width
 * are scratch; h may be att when the widths are equal. */
void lm_rest(const struct lm_steps *s, const struct lm_layer *l, size_t rows, const float *att,
             float *x, float *h, float *up);

#endif /* LM_LAYER_H */
