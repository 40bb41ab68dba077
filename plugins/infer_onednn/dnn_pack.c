/* SPDX-License-Identifier: MIT
 *
 * dnn_pack.c - the weights of a model in bf16 or int8, in the order that the kernels read them, and
 * the primitives for each shape.  Made by one thread, then read by all.
 */
#include "dnn.h"

#include <drh/util.h>

#include <stdlib.h>

/* All numbers of rows that a primitive is made for. */
const uint32_t dnn_rows[DNN_SIZES] = {DNN_MAX_ROWS, 384,          256, 192, 128,
                                      96,           DNN_PAD_ROWS, 48,  32,  DNN_MIN_ROWS};

static dnnl_status_t matrix(dnnl_memory_desc_t *d, dnnl_dim_t rows, dnnl_dim_t columns,
                            dnnl_data_type_t type, dnnl_format_tag_t order)
{
    const dnnl_dims_t dims = {rows, columns};
    return dnnl_memory_desc_init_by_tag(d, 2, dims, type, order);
}

/* ---- shapes -------------------------------------------------------------------------------- */

/* Scratch memory is the caller's.  Sums are not left to the product (a post-op): where y comes into
 * the sum may depend on the number of rows, and with it the bits of a row on the rows beside it. */
static dnnl_status_t attributes(dnnl_primitive_attr_t *out)
{
    dnnl_status_t st = dnnl_primitive_attr_create(out);
    return st ? st : dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
}

/* Makes the primitive for `rows` rows; for bf16 the first one chooses the order of the weights. */
static dnnl_status_t make_step(const struct dnn_pack *p, struct dnn_shape *s, struct dnn_step *t,
                               uint32_t rows)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_matmul_desc_t    d;
    dnnl_status_t         st = matrix(&t->x, rows, s->k, p->int8 ? dnnl_u8 : dnnl_bf16, dnnl_ab);
    st = st ? st : matrix(&t->y, rows, s->n, p->int8 ? dnnl_s32 : dnnl_f32, dnnl_ab);
    st = st ? st : dnnl_matmul_desc_init(&d, &t->x, &s->weights, NULL, &t->y);
    st = st ? st : attributes(&attr);
    st = st ? st : dnnl_primitive_desc_create(&pd, &d, attr, p->engine, NULL);
    st = st ? st : dnnl_primitive_create(&t->primitive, pd);
    if (!st) {
        s->weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
        t->scratch = *dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    }
    if (pd) {
        (void)dnnl_primitive_desc_destroy(pd);
    }
    if (attr) {
        (void)dnnl_primitive_attr_destroy(attr);
    }
    return st;
}

static drh_status find_shape(struct dnn_pack *p, const struct lm_group *g,
                             const struct dnn_shape **out, drh_error *e)
{
    const uint32_t    k = g->part[0].k;
    struct dnn_shape *s = p->shape;
    dnnl_status_t     st;
    for (; s < p->shape + p->n_shapes; s++) {
        if (s->n == g->n && s->k == k) {
            *out = s;
            return DRH_OK;
        }
    }
    if (p->n_shapes == DNN_MAX_SHAPES) {
        return drh_fail(e, DRH_E_INTERNAL, "more than %d shapes of weights", DNN_MAX_SHAPES);
    }
    p->n_shapes++;
    s->n = g->n;
    s->k = k;
    st = p->int8 ? matrix(&s->weights, k, g->n, dnnl_s8, dnnl_BA16a64b4a)
                 : matrix(&s->weights, k, g->n, dnnl_bf16, dnnl_format_tag_any);
    for (size_t i = 0; !st && i < DNN_SIZES; i++) {
        st = make_step(p, s, &s->step[i], dnn_rows[i]);
    }
    *out = s;
    return st ? dnn_fail(e, st, p->int8 ? "a product in int8" : "a product in bf16") : DRH_OK;
}

/* ---- weights ------------------------------------------------------------------------------- */

/* The group's f32 weights as one matrix: as they lie, or, when they are in several parts, [n][k] in
 * *joined, which is the caller's. */
static drh_status plain_weights(const struct lm_group *g, const float **f32, float **joined,
                                drh_error *e)
{
    const size_t k = g->part[0].k;
    float       *at;
    *joined = NULL;
    *f32 = g->part[0].f32;
    if (g->n_parts == 1) {
        return DRH_OK;
    }
    *joined = at = malloc(g->n * k * sizeof(*at));
    if (!at) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for weights");
    }
    *f32 = at;
    for (uint32_t i = 0; i < g->n_parts; i++) { /* parts are [n][k] wherever there are several */
        memcpy(at, g->part[i].f32, g->part[i].n * k * sizeof(*at));
        at += g->part[i].n * k;
    }
    return DRH_OK;
}

/* Copies and rounds f32, [k][n] or, with b_rows, [n][k]. */
static dnnl_status_t reorder(const struct dnn_pack *p, dnnl_stream_t stream, const float *f32,
                             int b_rows, const struct dnn_weights *w)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t      copy = NULL;
    dnnl_memory_t         from = NULL;
    dnnl_memory_desc_t    d;
    dnnl_status_t st = matrix(&d, w->shape->k, w->shape->n, dnnl_f32, b_rows ? dnnl_ba : dnnl_ab);
    st = st ? st : dnnl_memory_create(&from, &d, p->engine, (void *)(uintptr_t)f32);
    st = st ? st
            : dnnl_reorder_primitive_desc_create(&pd, &d, p->engine, &w->shape->weights, p->engine,
                                                 NULL);
    st = st ? st : dnnl_primitive_create(&copy, pd);
    if (!st) {
        const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, w->memory}};
        st = dnnl_primitive_execute(copy, stream, 2, args);
        st = st ? st : dnnl_stream_wait(stream);
    }
    if (copy) {
        (void)dnnl_primitive_destroy(copy);
    }
    if (pd) {
        (void)dnnl_primitive_desc_destroy(pd);
    }
    if (from) {
        (void)dnnl_memory_destroy(from);
    }
    return st;
}

static drh_status to_bf16(const struct dnn_pack *p, dnnl_stream_t stream, const float *f32,
                          int b_rows, struct dnn_weights *w, drh_error *e)
{
    dnnl_status_t st =
        dnnl_memory_create(&w->memory, &w->shape->weights, p->engine, DNNL_MEMORY_ALLOCATE);
    st = st ? st : reorder(p, stream, f32, b_rows, w);
    return st ? dnn_fail(e, st, "weights in bf16") : DRH_OK;
}

static drh_status to_int8(const struct dnn_pack *p, const float *f32, int b_rows,
                          struct dnn_weights *w, drh_error *e)
{
    const size_t  n = w->shape->n, k = w->shape->k;
    dnnl_status_t st;
    if (k > DNN8_MAX_WIDTH) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "int8 is for layers of up to %d inputs, this model has %zu; take precision "
                        "bf16 or f32",
                        DNN8_MAX_WIDTH, k);
    }
    w->int8.s8 = aligned_alloc(64, dnn8_room(n, k));
    w->int8.scale = malloc(n * sizeof(*w->int8.scale));
    w->int8.sum = malloc(n * sizeof(*w->int8.sum));
    if (!w->int8.s8 || !w->int8.scale || !w->int8.sum) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for weights");
    }
    st = dnnl_memory_create(&w->memory, &w->shape->weights, p->engine, w->int8.s8);
    if (st) {
        return dnn_fail(e, st, "weights in int8");
    }
    dnn8_weights(f32, b_rows, n, k, &w->int8);
    return DRH_OK;
}

struct packer {
    struct dnn_pack *p;
    dnnl_stream_t    stream;
    drh_error       *e;
};

static drh_status count_group(void *ctx, struct lm_group *g)
{
    (void)g;
    ++*(size_t *)ctx;
    return DRH_OK;
}

static drh_status pack_group(void *ctx, struct lm_group *g)
{
    const struct packer *k = ctx;
    struct dnn_weights  *w = &k->p->weights[k->p->n_weights];
    const float         *f32;
    float               *joined;
    drh_status           st = find_shape(k->p, g, &w->shape, k->e);
    if (st != DRH_OK) {
        return st;
    }
    k->p->n_weights++;
    g->packed = w;
    st = plain_weights(g, &f32, &joined, k->e);
    if (st == DRH_OK) {
        st = k->p->int8 ? to_int8(k->p, f32, g->part[0].rows, w, k->e)
                        : to_bf16(k->p, k->stream, f32, g->part[0].rows, w, k->e);
    }
    free(joined);
    return st;
}

static drh_status pack_all(struct dnn_pack *p, struct lm_model *m, drh_error *e)
{
    struct packer k = {p, NULL, e};
    size_t        groups = 0;
    dnnl_status_t rc;
    drh_status    st;
    (void)lm_model_each(m, count_group, &groups);
    p->weights = calloc(groups ? groups : 1, sizeof(*p->weights));
    if (!p->weights) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    rc = dnnl_stream_create(&k.stream, p->engine, dnnl_stream_default_flags);
    if (rc) {
        return dnn_fail(e, rc, "a stream");
    }
    st = lm_model_each(m, pack_group, &k);
    (void)dnnl_stream_destroy(k.stream);
    return st;
}

/* ---- life ---------------------------------------------------------------------------------- */

drh_status dnn_open(struct lm_model *m, const char *precision, void **self, drh_error *e)
{
    struct dnn_pack *p = calloc(1, sizeof(*p));
    const int        kept = dnn_hold_threads();
    dnnl_status_t    rc;
    drh_status       st = DRH_OK;
    *self = NULL;
    if (!p) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
        goto out;
    }
    rc = dnnl_engine_create(&p->engine, dnnl_cpu, 0);
    if (rc) {
        st = dnn_fail(e, rc, "the CPU");
        goto out;
    }
    p->int8 = strcmp(precision, "int8") == 0;
    if (strcmp(precision, "f32") != 0) {
        st = pack_all(p, m, e);
    }
out:
    dnn_give_threads(kept);
    if (st != DRH_OK) {
        dnn_close(p);
        return st;
    }
    *self = p;
    return DRH_OK;
}

void dnn_close(void *self)
{
    struct dnn_pack *p = self;
    if (!p) {
        return;
    }
    for (size_t i = 0; i < p->n_weights; i++) {
        struct dnn_weights *w = &p->weights[i];
        if (w->memory) {
            (void)dnnl_memory_destroy(w->memory);
        }
        free(w->int8.s8);
        free(w->int8.scale);
        free(w->int8.sum);
    }
    for (size_t i = 0; i < p->n_shapes * DNN_SIZES; i++) {
        dnnl_primitive_t t = p->shape[i / DNN_SIZES].step[i % DNN_SIZES].primitive;
        if (t) {
            (void)dnnl_primitive_destroy(t);
        }
    }
    if (p->engine) {
        (void)dnnl_engine_destroy(p->engine);
    }
    free(p->weights);
    free(p);
}
