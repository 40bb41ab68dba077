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
    char                  *x;       /* rows in bf16 or u8, filled up */
    size_t                 x_size;  /* bytes of a number there */
    struct dnn8_row       *row;     /* of the rows in u8 */
    float                 *y;       /* of a step, where its place is not the caller's */
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

/* ---- packed weights ------------------------------------------------------------------------ */

/* Rows in w->x times the weights into y, as many as the step has: f32, or sums in s32. */
static void run_step(struct dnn_worker *w, const struct dnn_weights *g, size_t size, char *x,
                     void *y)
{
    const size_t              at = (size_t)(g->shape - w->p->shape);
    const struct step_memory *m = &w->memory[at][size];
    const dnnl_exec_arg_t     args[] = {{DNNL_ARG_SRC, m->x},
                                        {DNNL_ARG_WEIGHTS, g->memory},
                                        {DNNL_ARG_DST, m->y},
                                        {DNNL_ARG_SCRATCHPAD, m->scratch}};
    if (dnnl_memory_set_data_handle(m->x, x) || dnnl_memory_set_data_handle(m->y, y) ||
        dnnl_primitive_execute(g->shape->step[size].primitive, w->stream, 4, args) ||
        dnnl_stream_wait(w->stream)) {
        w->failed = 1;
    }
}

static void add_to(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += x[i];
    }
}

/* `rows` rows of w->x, from `at`, by a step of that many or, at the end of w->x, more: these are
 * filled up, and y has no room for them. */
static void run_block(struct dnn_worker *w, const struct dnn_weights *g, size_t size, size_t at,
                      size_t rows, int how, float *y)
{
    const size_t k = g->shape->k * w->x_size, n = g->shape->n;
    const int    adds = how & LM_ADDS, there = rows == dnn_rows[size] && !adds;
    char        *x = w->x + at * k;
    float       *out = there ? y : w->y;
    memset(x + rows * k, 0, (dnn_rows[size] - rows) * k);
    run_step(w, g, size, x, out);
    if (w->p->int8) {
        dnn8_back(out, rows, n, w->row + at, &g->int8, adds, y);
    } else if (adds) {
        add_to(y, out, rows * n);
    } else if (!there) {
        memcpy(y, out, rows * n * sizeof(*y));
    }
}

/* The step for the next of m rows.  Each one reads all weights, so what is left at the end is
 * filled up rather than cut into ever smaller pieces. */
static size_t next_step(size_t m)
{
    size_t size = 0;
    if (m <= DNN_PAD_ROWS) {
        size = DNN_SIZES - 1;
        while (dnn_rows[size] < m) {
            size--;
        }
        return size;
    }
    while (dnn_rows[size] > m) {
        size++;
    }
    return size;
}

/* m rows in w->x, at most DNN_MAX_ROWS. */
static void run_rows(struct dnn_worker *w, const struct dnn_weights *g, size_t m, int how, float *y)
{
    size_t at = 0;
    if (w->p->int8 && m <= DNN8_FEW_ROWS) {
        dnn8_few(m, g->shape->n, g->shape->k, (const uint8_t *)w->x, w->row, &g->int8,
                 how & LM_ADDS, y);
        return;
    }
    while (at < m) {
        const size_t size = next_step(m - at),
                     rows = dnn_rows[size] < m - at ? dnn_rows[size] : m - at;
        run_block(w, g, size, at, rows, how, y + at * g->shape->n);
        at += rows;
    }
}

static void bring_rows(struct dnn_worker *w, const float *x, size_t ldx, size_t rows, size_t k)
{
    if (w->p->int8) {
        dnn8_rows(x, ldx, rows, k, (uint8_t *)w->x, w->row);
    } else {
        dnn_to_bf16(x, ldx, rows, k, (uint16_t *)(void *)w->x);
    }
}

static void linear(void *ctx, const struct lm_group *g, size_t m, const float *x, size_t ldx,
                   int how, float *y)
{
    struct dnn_worker        *w = ctx;
    const struct dnn_weights *packed = g->packed;
    const int                 there = (how & LM_SAME_ROWS) && m <= DNN_MAX_ROWS;
    while (m > 0) {
        const size_t rows = m < DNN_MAX_ROWS ? m : DNN_MAX_ROWS;
        if (!there) {
            bring_rows(w, x, ldx, rows, packed->shape->k);
        }
        run_rows(w, packed, rows, how, y);
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
    w->x_size = w->p->int8 ? sizeof(uint8_t) : sizeof(uint16_t);
    for (size_t i = 0; i < w->p->n_shapes; i++) {
        const struct dnn_shape *s = &w->p->shape[i];
        x = max_size(x, (size_t)(DNN_MAX_ROWS + DNN_MIN_ROWS) * s->k * w->x_size);
        y = max_size(y, (size_t)DNN_MAX_ROWS * s->n * sizeof(*w->y));
        for (size_t j = 0; j < DNN_SIZES; j++) {
            scratch = max_size(scratch, dnnl_memory_desc_get_size(&s->step[j].scratch));
        }
    }
    w->x = aligned_alloc(64, round64(x));
    w->y = aligned_alloc(64, round64(y));
    w->scratch = aligned_alloc(64, round64(scratch));
    w->row = w->p->int8 ? calloc(DNN_MAX_ROWS, sizeof(*w->row)) : NULL;
    return w->x && w->y && w->scratch && (w->row || !w->p->int8) ? 0 : -1;
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
    free(w->row);
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
    *mm = (struct lm_matmul){.gemm = gemm,
                             .ctx = w,
                             .linear = w->p->n_shapes ? linear : NULL,
                             .steps = w->p->int8,
                             .failed = failed};
    return DRH_OK;
}

void dnn_close_worker(struct lm_matmul *mm)
{
    worker_free(mm->ctx);
}
