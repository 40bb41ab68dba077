/* SPDX-License-Identifier: MIT
 *
 * lm_generate.h - continues texts, many at a time.
 *
 * A prompt is computed alone, in blocks of a fixed number of rows; then all streams take their
 * steps together, with products whose rows do not depend on how many there are (lm_rows.h).  So
 * what a stream says is a function of its own request, whoever runs beside it.  The keys and values
 * of a prompt that several streams share are computed once.
 *
 * One lm_generator a thread; the rest is read-only.
 */
#ifndef LM_GENERATE_H
#define LM_GENERATE_H

#include "lm_engine.h"
#include "lm_rows.h"
#include "lm_sample.h"

/* Keys and values of one stream: [layer][position][kv_heads x head_dim]. */
struct lm_kv {
    float *k, *v;
    size_t cap; /* positions */
};

struct lm_stream {
    uint32_t          *tokens; /* the prompt; room for n_prompt + max_new */
    uint32_t           n_prompt, max_new;
    struct lm_sampling sampling;
    /* Told of each new token, which is in tokens already; not 0: it was the last one. */
    int (*said)(void *ctx, const struct lm_stream *s, uint32_t id);
    void      *ctx;
    uint32_t   n_new;
    int        stopped; /* by said(), else by max_new */
    drh_status status;  /* DRH_OK; DRH_E_DATA: the logits are not finite; DRH_E_NOMEM */
    /* -- while it runs -- */
    struct lm_kv kv;
};

struct lm_generator {
    const struct lm_engine *en;
    const struct lm_rows   *rows;
    size_t                  at_once;  /* most streams in a step */
    size_t                  kv_bytes; /* most memory for keys and values */
    size_t                  kv_used;
    struct lm_sampler       sampler;
    struct lm_angles        angles;
    float                  *f; /* one block, cut up anew for each step */
    size_t                  cap;
    struct lm_stream      **active;
    size_t                  n_active;
    struct lm_kv            shared; /* of the prompt that the next streams have, too */
    float                  *shared_logits;
    const struct lm_stream *shared_of;
};

/* Bytes of keys and values of a stream of n positions. */
size_t lm_kv_bytes(const struct lm_config *c, size_t n);

/* Runs all to their ends.  DRH_OK: each has its status; DRH_E_NOMEM, DRH_E_CANCELLED.  A stream
 * whose positions do not fit into kv_bytes must not come here. */
drh_status lm_generate(struct lm_generator *g, struct lm_stream *s, size_t n);
void       lm_generator_free(struct lm_generator *g);

/* -- between lm_generate.c and lm_forward.c -- */

/* Computes the prompt of a stream into its kv; logits of what comes next into logits[vocab]. */
drh_status lm_prefill(struct lm_generator *g, struct lm_stream *s, float *logits);
/* One step of all active streams: their last tokens in, logits [n_active][vocab] out. */
drh_status lm_step(struct lm_generator *g, float **logits);

#endif /* LM_GENERATE_H */
