/* SPDX-License-Identifier: MIT
 *
 * lm_request.h - a request as tokens: what infer.h says about the context token, joint or apart,
 * and cutting, in one place for every backend.  Reads the model only: any thread.
 */
#ifndef LM_REQUEST_H
#define LM_REQUEST_H

#include "lm_model.h"
#include "lm_sample.h"

#include <drh/infer.h>

struct lm_plan {                 /* SCORE */
    uint32_t n_prompt, n_target; /* without the context token, before the cut */
    uint32_t total;              /* tokens after the cut, context token included */
    uint32_t first;              /* index of the first scored token */
    uint32_t n_values;
    uint32_t first_value;
};

/* Most tokens that the request can keep: the room that lm_plan_request needs in ids. */
uint32_t lm_request_limit(const struct lm_model *m, const drh_infer_req *req);

/* Fills *plan and, unless ids is NULL, ids[0..total).  DRH_E_RANGE: the prompt leaves no room for a
 * target token (n_prompt and n_target are set); DRH_E_UNSUPPORTED; DRH_E_NOMEM. */
drh_status lm_plan_request(const struct lm_model *m, const drh_infer_req *req, uint32_t *ids,
                           struct lm_plan *plan, drh_error *e);

struct lm_prompt {    /* GENERATE */
    uint32_t n;       /* tokens, context token included */
    uint32_t bos;     /* 1: of which one is the context token */
    uint32_t max_new; /* tokens that the answer may have */
};

/* Fills *plan and, unless ids is NULL, ids[0..n), which has room for the model's context.
 * DRH_E_RANGE: no room for an answer; DRH_E_ARG: nothing to continue; DRH_E_UNSUPPORTED;
 * DRH_E_NOMEM. */
drh_status lm_plan_prompt(const struct lm_model *m, const drh_infer_req *req, uint32_t *ids,
                          struct lm_prompt *plan, drh_error *e);

/* Parameters of a GENERATE request, checked.  avoid: room for n_first_avoid ids. */
drh_status lm_plan_sampling(const struct lm_model *m, const drh_infer_req *req, uint32_t *avoid,
                            struct lm_sampling *out, drh_error *e);

#endif /* LM_REQUEST_H */
