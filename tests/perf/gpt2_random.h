/* SPDX-License-Identifier: MIT
 *
 * gpt2_random.h - GPT-2 models with random weights, for tests and measurements: width 192 of the
 * bundled model cannot show what wide sums round to.  A function of shape and seed alone.
 */
#ifndef GPT2_RANDOM_H
#define GPT2_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct gpt2_shape {
    uint32_t    width, layers, heads, inner, context, vocab;
    const char *act; /* "gelu_new" ... */
    uint64_t    seed;
    double      sigma;  /* spread of the weights: 0.02 */
    int         coarse; /* 1: multiples of 2^-10 with few bits, exact in F16 and BF16 */
};

struct gpt2_tensor {
    char     name[64]; /* without "transformer." */
    uint32_t ndim;
    uint32_t shape[2];
    float   *data;
};

struct gpt2_random {
    struct gpt2_shape   s;
    struct gpt2_tensor *t;
    size_t              n;
};

/* 0, or -1 out of memory. */
int          gpt2_random_make(struct gpt2_random *r, const struct gpt2_shape *s);
void         gpt2_random_free(struct gpt2_random *r);
const float *gpt2_random_find(const struct gpt2_random *r, const char *name);

/* DIR/model.safetensors (dtype "F32", "F16", "BF16") and DIR/config.json: 0, or -1 with errno. */
int gpt2_random_write(const struct gpt2_random *r, const char *dir, const char *dtype,
                      const char *prefix);

/* Copies a file: 0 or -1 with errno. */
int gpt2_copy(const char *from_dir, const char *to_dir, const char *name);

#endif /* GPT2_RANDOM_H */
