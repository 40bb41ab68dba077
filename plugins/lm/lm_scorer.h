/* SPDX-License-Identifier: MIT
 *
 * lm_scorer.h - SCORE requests of a pack, from request to answer.  One lm_scorer a host worker; its
 * answers live until its next run.
 */
#ifndef LM_SCORER_H
#define LM_SCORER_H

#include "lm_engine.h"
#include "lm_request.h"

struct lm_job { /* a request of a pack */
    struct lm_plan plan;
    size_t         ids; /* where its tokens and values begin */
    size_t         values;
    int            seq; /* index of its sequence, or -1 */
};

struct lm_scorer {
    const struct lm_engine *en;
    struct lm_scratch       scratch;
    uint32_t               *ids;
    size_t                  ids_cap;
    struct lm_job          *jobs;
    struct lm_seq          *seqs;
    size_t                  jobs_cap;
    float                  *values;
    size_t                  values_cap;
};

/* Answers all but the GENERATE requests among req, which are left alone.  DRH_OK: each has its
 * status; DRH_E_NOMEM, DRH_E_CANCELLED. */
drh_status lm_scorer_run(struct lm_scorer *w, const drh_infer_req *const *req, size_t n,
                         drh_infer_res *const *res);
void       lm_scorer_free(struct lm_scorer *w);

#endif /* LM_SCORER_H */
