/* SPDX-License-Identifier: MIT
 *
 * dnn.h - products by oneDNN: f32 from the weights as they are, bf16 from packed ones.
 *
 * A product with packed weights goes by blocks of dnn_rows rows, so that a handful of primitives,
 * made when the model is loaded, does for packs of any size; rows that are left over are filled up
 * with zeros.  oneDNN runs on the thread that calls it: dnn_one_thread() first.
 */
#ifndef DNN_H
#define DNN_H

#include "lm_service.h"

#include <oneapi/dnnl/dnnl.h>

enum {
    DNN_SIZES = 10, /* numbers of rows that there is a primitive for */
    DNN_MAX_ROWS = 512,
    DNN_PAD_ROWS = 64, /* so many or fewer at the end are filled up */
    DNN_MIN_ROWS = 16,
    DNN_MAX_SHAPES = 8
};

/* ---- dnn_cpu.c ----------------------------------------------------------------------------- */

/* lm_backend.describe, fitness, enter. */
void    dnn_describe(char *out, size_t size);
int32_t dnn_fitness(const char *precision, drh_error *e);
void    dnn_one_thread(void);
/* For a thread that is not ours alone: what to give back to it afterwards. */
int  dnn_hold_threads(void);
void dnn_give_threads(int kept);
/* "WHAT: reason", with the code that fits. */
drh_status dnn_fail(drh_error *e, dnnl_status_t st, const char *what);
/* Rows of k floats, ldx apart, to rows of bf16 without gaps; only where bf16 is offered. */
void dnn_to_bf16(const float *x, size_t ldx, size_t rows, size_t k, uint16_t *out);

/* ---- dnn_pack.c ---------------------------------------------------------------------------- */

/* The product of one number of rows. */
struct dnn_step {
    dnnl_primitive_t   primitive;
    dnnl_memory_desc_t x, y, scratch;
};

/* All products of one shape. */
struct dnn_shape {
    uint32_t           n, k;
    dnnl_memory_desc_t weights;
    struct dnn_step    step[DNN_SIZES]; /* the most rows first */
};

struct dnn_weights { /* lm_group.packed */
    dnnl_memory_t           memory;
    const struct dnn_shape *shape;
};

/* Read-only once it is made; without shapes for f32. */
struct dnn_pack {
    dnnl_engine_t       engine;
    struct dnn_shape    shape[DNN_MAX_SHAPES];
    size_t              n_shapes;
    struct dnn_weights *weights; /* one a group */
    size_t              n_weights;
};

extern const uint32_t dnn_rows[DNN_SIZES];

/* lm_backend.open and close. */
drh_status dnn_open(struct lm_model *m, const char *precision, void **self, drh_error *e);
void       dnn_close(void *self);

/* ---- dnn_run.c ----------------------------------------------------------------------------- */

/* lm_backend.open_worker and close_worker. */
drh_status dnn_open_worker(void *self, struct lm_matmul *mm, drh_error *e);
void       dnn_close_worker(struct lm_matmul *mm);

#endif /* DNN_H */
