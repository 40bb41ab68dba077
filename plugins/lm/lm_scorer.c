/* SPDX-License-Identifier: MIT
 *
 * lm_scorer.c - see lm_scorer.h.
 */
#include "lm_scorer.h"

#include <drh/util.h>

#include <stdlib.h>

/* Room for at least n items; 0, or -1 with the old block kept. */
static int room(void **p, size_t *cap, size_t n, size_t size)
{
    size_t want = n + n / 2;
    void  *q;
    if (n <= *cap) {
        return 0;
    }
    q = realloc(*p, want * size);
    if (!q) {
        return -1;
    }
    *p = q;
    *cap = want;
    return 0;
}

static int jobs_room(struct lm_scorer *w, size_t n)
{
    size_t cap = w->jobs_cap, cap2 = w->jobs_cap;
    void  *jobs = w->jobs, *seqs = w->seqs;
    int    rc = room(&jobs, &cap, n, sizeof(*w->jobs)) || room(&seqs, &cap2, n, sizeof(*w->seqs));
    w->jobs = jobs;
    w->seqs = seqs;
    if (!rc) {
        w->jobs_cap = cap;
    }
    return rc ? -1 : 0;
}

/* Tokenises all requests; a request that cannot run gets its status here. */
static int plan_pack(struct lm_scorer *w, const drh_infer_req *const *req, size_t n,
                     drh_infer_res *const *res)
{
    size_t ids = 0, values = 0;
    int    seqs = 0;
    void  *p;
    for (size_t i = 0; i < n; i++) {
        struct lm_job *j = &w->jobs[i];
        j->seq = -1;
        if (req[i]->op == DRH_INFER_GENERATE) {
            continue;
        }
        p = w->ids;
        if (room(&p, &w->ids_cap, ids + lm_request_limit(w->en->m, req[i]), sizeof(*w->ids))) {
            return -1;
        }
        w->ids = p;
        res[i]->status = lm_plan_request(w->en->m, req[i], w->ids + ids, &j->plan, res[i]->error);
        if (res[i]->status == DRH_E_NOMEM) {
            return -1;
        }
        j->ids = ids;
        j->values = values;
        j->seq = res[i]->status == DRH_OK && j->plan.n_values ? seqs++ : -1;
        if (j->seq >= 0) {
            ids += j->plan.total;
            values += j->plan.n_values;
        }
    }
    p = w->values;
    if (room(&p, &w->values_cap, values, sizeof(*w->values))) {
        return -1;
    }
    w->values = p;
    for (size_t i = 0; i < n; i++) {
        const struct lm_job *j = &w->jobs[i];
        if (j->seq >= 0) {
            w->seqs[j->seq] = (struct lm_seq){w->ids + j->ids, j->plan.total, j->plan.first,
                                              w->values + j->values, 0};
        }
    }
    return seqs;
}

static void answer(const struct lm_scorer *w, const struct lm_job *j, drh_infer_res *res)
{
    res->n_prompt_tokens = j->plan.n_prompt;
    res->n_target_tokens = j->plan.n_target;
    res->first_value = j->plan.first_value;
    res->n_values = 0;
    res->values = NULL;
    if (j->seq < 0) {
        return;
    }
    if (w->seqs[j->seq].bad) {
        res->status = drh_fail(res->error, DRH_E_DATA,
                               "the model's output is non-finite; its weights may be damaged");
        return;
    }
    res->n_values = j->plan.n_values;
    res->values = w->values + j->values;
}

drh_status lm_scorer_run(struct lm_scorer *w, const drh_infer_req *const *req, size_t n,
                         drh_infer_res *const *res)
{
    drh_status st;
    int        seqs = jobs_room(w, n);
    if (seqs == 0) {
        seqs = plan_pack(w, req, n, res);
    }
    st = seqs < 0 ? DRH_E_NOMEM : lm_engine_score(w->en, &w->scratch, w->seqs, (size_t)seqs);
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        if (req[i]->op != DRH_INFER_GENERATE) {
            answer(w, &w->jobs[i], res[i]);
        }
    }
    return st;
}

void lm_scorer_free(struct lm_scorer *w)
{
    lm_scratch_free(&w->scratch);
    free(w->ids);
    free(w->jobs);
    free(w->seqs);
    free(w->values);
    memset(w, 0, sizeof(*w));
}
