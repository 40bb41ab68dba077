/* SPDX-License-Identifier: MIT
 *
 * lm_sample.h - the next token from logits.  In this order, as the transformers library has it:
 * repetition penalty, tokens that may not come first, temperature, top-k, top-p, min-p.
 * The choice is a function of the logits, the parameters, the seed and the step alone.
 */
#ifndef LM_SAMPLE_H
#define LM_SAMPLE_H

#include "lm_math.h"

struct lm_sampling {
    double          temperature;        /* 0: the likeliest, the lowest id among equals */
    double          first_temperature;  /* for the first token, on top of it; 0: 1 */
    double          top_p;              /* 0 or 1: all */
    double          min_p;              /* share of the likeliest token's probability; 0: all */
    double          repetition_penalty; /* 0 or 1: none */
    uint32_t        top_k;              /* 0: all */
    uint32_t        n_avoid;
    const uint32_t *avoid; /* ids that may not come first */
    uint64_t        seed;
};

/* Scratch of one thread. */
struct lm_sampler {
    const struct lm_math *math;
    size_t                vocab;
    uint32_t             *order; /* candidates */
    uint32_t             *mark;  /* a stamp an id: seen in this call */
    uint32_t              stamp;
};

/* 0, or -1 out of memory. */
int  lm_sampler_init(struct lm_sampler *s, const struct lm_math *math, size_t vocab);
void lm_sampler_free(struct lm_sampler *s);

/* The token after `n` tokens (prompt and answer), of which `step` are the answer's so far; changes
 * the logits.  UINT32_MAX: they are not finite. */
uint32_t lm_sample(struct lm_sampler *s, const struct lm_sampling *p, float *logits,
                   const uint32_t *tokens, size_t n, uint32_t step);

#endif /* LM_SAMPLE_H */
