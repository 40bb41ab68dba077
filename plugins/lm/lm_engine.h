/* SPDX-License-Identifier: MIT
 *
 * lm_engine.h - scores packs of token sequences.
 *
 * A pack's sequences lie one behind the other as rows, without padding; the projections are one
 * matrix product over all rows, attention is per sequence, head and block of queries.  The last
 * layer computes only the scored rows, and logits are made in tiles of the vocabulary, reduced at
 * once, so rows x vocabulary never exists.
 *
 * The only thing asked of a backend is lm_matmul.  One lm_scratch a thread; the rest is read-only.
 */
#ifndef LM_ENGINE_H
#define LM_ENGINE_H

#include "lm_layer.h"

/* Tokens ids[0..n), of which first.. n-1 are scored: first >= 1, n > first.  The last token is only
 * scored, never computed. */
struct lm_seq {
    const uint32_t *ids;
    uint32_t        n, first;
    float          *out; /* n - first natural-log probabilities */
    int             bad; /* set: a logit was not finite */
};

struct lm_scratch {
    float           *f; /* one block, cut up anew for each pack */
    size_t           cap;
    uint32_t        *u;
    size_t           u_cap;
    struct lm_angles angles;
};

struct lm_engine {
    const struct lm_model *m;
    const struct lm_math  *math;
    struct lm_matmul       mm;
    int (*stop)(void *ctx); /* polled before each piece of work; not 0: give up */
    void *stop_ctx;
};

/* DRH_OK, DRH_E_NOMEM, DRH_E_CANCELLED. */
drh_status lm_engine_score(const struct lm_engine *en, struct lm_scratch *s, struct lm_seq *seq,
                           size_t n);
void       lm_scratch_free(struct lm_scratch *s);

#endif /* LM_ENGINE_H */
