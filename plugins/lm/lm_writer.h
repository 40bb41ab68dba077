/* SPDX-License-Identifier: MIT
 *
 * lm_writer.h - GENERATE requests of a pack, from request to answer.  One lm_writer a host worker;
 * its answers live until its next run.
 */
#ifndef LM_WRITER_H
#define LM_WRITER_H

#include "lm_answer.h"
#include "lm_generate.h"

struct lm_writer {
    struct lm_generator g;
    struct lm_stream   *stream; /* cap each */
    struct lm_answer   *answer;
    size_t             *of; /* a stream's request in the pack */
    size_t              cap;
};

/* May req run at all?  DRH_E_RANGE with the numbers when its keys and values do not fit into
 * kv_bytes; else as lm_plan_prompt. */
drh_status lm_writer_check(const struct lm_model *m, const drh_infer_req *req, size_t kv_bytes,
                           drh_error *e);
/* Answers the GENERATE requests among req; the others are left alone.  DRH_OK: each has its status;
 * DRH_E_NOMEM, DRH_E_CANCELLED. */
drh_status lm_writer_run(struct lm_writer *w, const drh_infer_req *const *req, size_t n,
                         drh_infer_res *const *res);
void       lm_writer_free(struct lm_writer *w);

#endif /* LM_WRITER_H */
