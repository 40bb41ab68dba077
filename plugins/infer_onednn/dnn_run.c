/* SPDX-License-Identifier: MIT
 *
 * dnn_run.c - the products of one worker.  Each has a stream and memory of its own; primitives and
 * weights are shared and read-only.
 */
#include "dnn.h"

#include <drh/util.h>

#include <stdlib.h>

struct step_memory {
    dnnl_memory_t x, y, scratch;
};

struct dnn_worker {
    const struct dnn_pack *p;
    dnnl_stream_t          stream;
    struct step_memory     memory[DNN_MAX_SHAPES][DNN_SIZES];
    uint16_t              *x;       /* a block of rows in bf16 */
    float                 *y;       /* the last rows, filled up to DNN_MIN_ROWS */
    void                  *scratch; /* of the primitive that runs */
    int                    failed;
};

/* ---- f32 ----------------------------------------------------------------------------------- */

static void gemm(void *ctx, int b_rows, size_t m, size_t n, size_t k, const float *a, size_t lda,
                 const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    struct dnn_worker *w = ctx;
    if (dnnl_sgemm('N', b_rows ? 'T' : 'N', (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1.0f, a,
                   (dnnl_dim_t)lda, b, (dnnl_dim_t)ldb, beta, c, (dnnl_dim_t)ldc)) {
        w->failed = 1;
    }
}

static int failed(void *ctx)
{
    struct dnn_worker *w = ctx;
    const int          was = w->failed;
    w->failed = 0;
    return was;
}

/* ---- bf16 ---------------------------------------------------------------------------------- */

/* w->x times the weights into y, as many rows as the step has. */
static void run_step(struct dnn_worker *w, const struct dnn_weights *g, size_t size, float *y)
{
    const size_t              at = (size_t)(g->shape - w->p->shape);
    const struct step_memory *m = &w->memory[at][size];
    const dnnl_exec_arg_t     args[] = {{DNNL_ARG_SRC, m->x},
                                        {DNNL_ARG_WEIGHTS, g->memory},
                                        {DNNL_ARG_DST, m->y},
                                        {DNNL_ARG_SCRATCHPAD, m->scratch}};
    if (dnnl_memory_set_data_handle(m->y, y) ||
        dnnl_primitive_execute(g->shape->step[size].primitive, w->stream, 4, args) ||
        dnnl_stream_wait(w->stream)) {
        w->failed = 1;
    }
}

/* Fewer rows than the smallest step has. */
static void run_last(struct dnn_worker *w, const struct dnn_weights *g, size_t rows, float *y)
{
    const size_t k = g->shape->k, bytes = rows * g->shape->n * sizeof(*y);
    memset(w->x + rows * k, 0, (DNN_MIN_ROWS - rows) * k * sizeof(*w->x));
    if (g->shape->adds) {
        memcpy(w->y, y, bytes);
    }
    run_step(w, g, DNN_SIZES - 1, w->y);
    memcpy(y, w->y, bytes);
}

static void linear(void *ctx, const struct lm_group *g, size_t m, const float *x, size_t ldx,
                   int adds, float *y)
{
    struct dnn_worker        *w = ctx;
    const struct dnn_weights *packed = g->packed;
    size_t                    size = 0;
    (void)adds; /* known since the weights were packed */
    while (m > 0) {
        size_t rows = dnn_rows[size];
        if (rows > m && size + 1 < DNN_SIZES) {
            size++;
            continue;
        }
        rows = rows < m ? rows : m;
        dnn_to_bf16(x, ldx, rows, packed->shape->k, w->x);
        if (rows < DNN_MIN_ROWS) {
            run_last(w, packed, rows, y);
        } else {
            run_step(w, packed, size, y);
        }
        x += rows * ldx;
        y += rows * g->n;
        m -= rows;
    }
}

/* ---- life ---------------------------------------------------------------------------------- */

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t round64(size_t n)
{
    return (n + 63) / 64 * 64;
}

static int make_buffers(struct dnn_worker *w)
{
    size_t x = 64, y = 64, scratch = 64;
    for (size_t i = 0; i < w->p->n_shapes; i++) {
        const struct dnn_shape *s = &w->p->shape[i];
        x = max_size(x, (size_t)DNN_MAX_ROWS * s->k * sizeof(*w->x));
        y = max_size(y, (size_t)DNN_MIN_ROWS * s->n * sizeof(*w->y));
        for (size_t j = 0; j < DNN_SIZES; j++) {
            scratch = max_size(scratch, dnnl_memory_desc_get_size(&s->step[j].scratch));
        }
    }
    w->x = aligned_alloc(64, round64(x));
    w->y = aligned_alloc(64, round64(y));
    w->scratch = aligned_alloc(64, round64(scratch));
    if (w->y) {
        memset(w->y, 0, round64(y));
    }
    return w->x && w->y && w->scratch ? 0 : -1;
}

static dnnl_status_t make_memory(struct dnn_worker *w)
{
    dnnl_engine_t engine = w->p->engine;
    dnnl_status_t st = dnnl_stream_create(&w->stream, engine, dnnl_stream_default_flags);
    for (size_t i = 0; !st && i < w->p->n_shapes * DNN_SIZES; i++) {
        const struct dnn_step *t = &w->p->shape[i / DNN_SIZES].step[i % DNN_SIZES];
        struct step_memory    *m = &w->memory[i / DNN_SIZES][i % DNN_SIZES];
        st = dnnl_memory_create(&m->x, &t->x, engine, w->x);
        st = st ? st : dnnl_memory_create(&m->y, &t->y, engine, DNNL_MEMORY_NONE);
        st = st ? st : dnnl_memory_create(&m->scratch, &t->scratch, engine, w->scratch);
    }
    return st;
}

static void free_memory(dnnl_memory_t m)
{
    if (m) {
        (void)dnnl_memory_destroy(m);
    }
}

static void worker_free(struct dnn_worker *w)
{
    for (size_t i = 0; i < w->p->n_shapes * DNN_SIZES; i++) {
        const struct step_memory *m = &w->memory[i / DNN_SIZES][i % DNN_SIZES];
        free_memory(m->x);
        free_memory(m->y);
        free_memory(m->scratch);
    }
    if (w->stream) {
        (void)dnnl_stream_destroy(w->stream);
    }
    free(w->x);
    free(w->y);
    free(w->scratch);
    free(w);
}

drh_status dnn_open_worker(void *self, struct lm_matmul *mm, drh_error *e)
{
    struct dnn_worker *w = calloc(1, sizeof(*w));
    dnnl_status_t      rc;
    if (!w) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    w->p = self;
    rc = make_buffers(w) ? dnnl_out_of_memory : make_memory(w);
    if (rc) {
        worker_free(w);
        return dnn_fail(e, rc, "a worker's memory");
    }
    *mm = (struct lm_matmul){
        .gemm = gemm, .ctx = w, .linear = w->p->n_shapes ? linear : NULL, .failed = failed};
    return DRH_OK;
}

void dnn_close_worker(struct lm_matmul *mm)
{
    worker_free(mm->ctx);
}
