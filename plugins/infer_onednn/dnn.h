/* SPDX-License-Identifier: MIT
 *
 * dnn.h - products by oneDNN: f32 from the weights as they are, bf16 and int8 from packed ones.
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
    DNN_MAX_SHAPES = 8,
    DNN8_N = 64, /* outputs and inputs of a block of int8 weights */
    DNN8_K = 64,
    DNN8_FEW_ROWS = 8,     /* so many or fewer do not go to oneDNN */
    DNN8_MAX_WIDTH = 65536 /* inputs: more could overflow the sums */
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

/* ---- dnn_int8.c ---------------------------------------------------------------------------- */

/* Weights of n outputs. */
struct dnn8 {
    int8_t  *s8;    /* oneDNN's BA16a64b4a, filled up with zeros: dnn8_room(n, k) */
    float   *scale; /* n: a weight is about scale * s8; not finite where a weight is not */
    int32_t *sum;   /* n: of an output's s8 */
};

/* A row of x: about scale * (u8 - zero).  The scale is NaN when a number is not finite. */
struct dnn8_row {
    float   scale, inverse;
    int32_t zero;
};

size_t dnn8_room(size_t n, size_t k);
/* The rest only where int8 is offered.  f32 is [k][n] or, with b_rows, [n][k]; out's arrays are
 * there. */
void dnn8_weights(const float *f32, int b_rows, size_t n, size_t k, struct dnn8 *out);
/* Rows of k floats, ldx apart, to rows without gaps. */
void dnn8_rows(const float *x, size_t ldx, size_t rows, size_t k, uint8_t *out,
               struct dnn8_row *row);
/* int32 sums[rows][n] of u8 * s8 to y[rows][n], or added to it; y may be where the sums are. */
void dnn8_back(const void *sums, size_t rows, size_t n, const struct dnn8_row *row,
               const struct dnn8 *w, int adds, float *y);
/* The product of a few rows, with the same bits as through oneDNN. */
void dnn8_few(size_t rows, size_t n, size_t k, const uint8_t *x, const struct dnn8_row *row,
              const struct dnn8 *w, int adds, float *y);

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
    struct dnn8             int8; /* what memory refers to, then; owned */
};

/* Read-only once it is made; without shapes for f32. */
struct dnn_pack {
    dnnl_engine_t       engine;
    int                 int8;
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
