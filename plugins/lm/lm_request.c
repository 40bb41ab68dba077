/* SPDX-License-Identifier: MIT
 *
 * lm_request.c - see lm_request.h.
 */
#include "lm_request.h"

#include <drh/util.h>

#include <stdlib.h>

uint32_t lm_request_limit(const struct lm_model *m, const drh_infer_req *req)
{
    return req->max_total && req->max_total < m->c.context ? req->max_total : m->c.context;
}

static drh_status check(const struct lm_model *m, const drh_infer_req *req, drh_error *e)
{
    const uint32_t known = DRH_INFER_BOS | DRH_INFER_JOINT | DRH_INFER_SPECIAL;
    if (req->op != DRH_INFER_SCORE && req->op != DRH_INFER_GENERATE) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "this backend scores and generates; it does not embed");
    }
    if (req->n_messages) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "chat messages are not supported; give prompt as text");
    }
    if (req->flags & ~known) {
        return drh_fail(e, DRH_E_UNSUPPORTED, "a flag of the request is not known: 0x%lx",
                        (unsigned long)(req->flags & ~known));
    }
    if ((req->flags & DRH_INFER_BOS) && m->bos == LM_TOK_NONE) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "the model's tokenizer has no bos, <|endoftext|> or "
                        "eos token to begin with");
    }
    return DRH_OK;
}

static size_t special_part(const drh_infer_req *req)
{
    return req->flags & DRH_INFER_SPECIAL ? req->prompt.len : 0;
}

/* Both texts as one; the target starts at token tokens(prompt). */
static int encode_joint(const struct lm_model *m, const drh_infer_req *req, struct lm_tok_out *out,
                        size_t *n_prompt)
{
    struct lm_tok_out alone = {NULL, 0, 0};
    const size_t      n = req->prompt.len + req->target.len;
    char             *both;
    int               rc;
    if (lm_tok_encode(&m->tok, req->prompt.ptr, req->prompt.len, special_part(req), &alone)) {
        return -1;
    }
    *n_prompt = alone.count;
    both = malloc(n + 1);
    if (!both) {
        return -1;
    }
    if (req->prompt.len) {
        memcpy(both, req->prompt.ptr, req->prompt.len);
    }
    if (req->target.len) {
        memcpy(both + req->prompt.len, req->target.ptr, req->target.len);
    }
    rc = lm_tok_encode(&m->tok, both, n, special_part(req), out);
    free(both);
    return rc;
}

static int encode_apart(const struct lm_model *m, const drh_infer_req *req, struct lm_tok_out *out,
                        size_t *n_prompt)
{
    const size_t before = out->count;
    if (lm_tok_encode(&m->tok, req->prompt.ptr, req->prompt.len, special_part(req), out)) {
        return -1;
    }
    *n_prompt = out->count - before;
    return lm_tok_encode(&m->tok, req->target.ptr, req->target.len, 0, out);
}

static drh_status fill(struct lm_plan *p, size_t bos, size_t n_prompt, size_t total, size_t limit,
                       drh_error *e)
{
    const size_t start = bos + n_prompt, n_target = total > start ? total - start : 0;
    if (total >= UINT32_MAX || start >= UINT32_MAX) {
        return drh_fail(e, DRH_E_RANGE, "the text is too long");
    }
    p->n_prompt = (uint32_t)n_prompt;
    p->n_target = (uint32_t)n_target;
    p->total = (uint32_t)(total < limit ? total : limit);
    if (n_target == 0) {
        return DRH_OK;
    }
    if (start >= p->total) {
        return drh_fail(e, DRH_E_RANGE,
                        "the prompt's %zu tokens leave none of the %zu that are allowed for the "
                        "target",
                        start, limit);
    }
    p->first = start ? (uint32_t)start : 1;
    p->first_value = start ? 0 : 1;
    p->n_values = p->total - p->first;
    return DRH_OK;
}

drh_status lm_plan_request(const struct lm_model *m, const drh_infer_req *req, uint32_t *ids,
                           struct lm_plan *plan, drh_error *e)
{
    const uint32_t    limit = lm_request_limit(m, req);
    struct lm_tok_out out = {ids, ids ? limit : 0, 0};
    size_t            n_prompt = 0, bos = req->flags & DRH_INFER_BOS ? 1 : 0;
    drh_status        st = check(m, req, e);
    int               rc;
    memset(plan, 0, sizeof(*plan));
    if (st != DRH_OK) {
        return st;
    }
    if (bos) {
        if (out.cap) {
            ids[0] = m->bos;
        }
        out.count = 1;
    }
    rc = req->flags & DRH_INFER_JOINT ? encode_joint(m, req, &out, &n_prompt)
                                      : encode_apart(m, req, &out, &n_prompt);
    if (rc) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for tokens");
    }
    return fill(plan, bos, n_prompt, out.count, limit, e);
}

drh_status lm_plan_prompt(const struct lm_model *m, const drh_infer_req *req, uint32_t *ids,
                          struct lm_prompt *plan, drh_error *e)
{
    struct lm_tok_out out = {ids, ids ? m->c.context : 0, 0};
    drh_status        st = check(m, req, e);
    memset(plan, 0, sizeof(*plan));
    if (st != DRH_OK) {
        return st;
    }
    if (req->flags & DRH_INFER_BOS) {
        plan->bos = 1;
        lm_tok_emit(&out, m->bos);
    }
    if (lm_tok_encode(&m->tok, req->prompt.ptr, req->prompt.len, special_part(req), &out)) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for tokens");
    }
    if (out.count == 0) {
        return drh_fail(e, DRH_E_ARG,
                        "an empty prompt has nothing to continue; DRH_INFER_BOS "
                        "gives it a beginning");
    }
    if (out.count >= m->c.context) {
        return drh_fail(e, DRH_E_RANGE,
                        "the prompt's %zu tokens leave no room for an answer in the model's "
                        "context of %lu",
                        out.count, (unsigned long)m->c.context);
    }
    plan->n = (uint32_t)out.count;
    plan->max_new = m->c.context - plan->n;
    if (req->max_tokens && req->max_tokens < plan->max_new) {
        plan->max_new = req->max_tokens;
    }
    return DRH_OK;
}

static drh_status check_parameter(const char *name, double v, double low, double high, drh_error *e)
{
    return v >= low && v <= high
               ? DRH_OK
               : drh_fail(e, DRH_E_ARG, "%s is %g, which is not from %g to %g", name, v, low, high);
}

static drh_status check_sampling(const drh_infer_req *req, drh_error *e)
{
    const struct {
        const char *name;
        double      v, low, high;
    } all[] = {{"temperature", req->temperature, 0, 1000},
               {"first_temperature", req->first_temperature, 0, 1000},
               {"top_p", req->top_p, 0, 1},
               {"min_p", req->min_p, 0, 1},
               {"repetition_penalty", req->repetition_penalty, 0, 1000}};
    drh_status st = DRH_OK;
    for (size_t i = 0; st == DRH_OK && i < sizeof(all) / sizeof(all[0]); i++) {
        st = check_parameter(all[i].name, all[i].v, all[i].low, all[i].high, e);
    }
    return st;
}

drh_status lm_plan_sampling(const struct lm_model *m, const drh_infer_req *req, uint32_t *avoid,
                            struct lm_sampling *out, drh_error *e)
{
    drh_status st = check_sampling(req, e);
    *out = (struct lm_sampling){.temperature = req->temperature,
                                .first_temperature = req->first_temperature,
                                .top_p = req->top_p,
                                .min_p = req->min_p,
                                .repetition_penalty = req->repetition_penalty,
                                .top_k = req->top_k,
                                .avoid = avoid,
                                .seed = req->seed};
    for (uint32_t i = 0; st == DRH_OK && i < req->n_first_avoid; i++) {
        struct lm_tok_out first = {avoid + out->n_avoid, 1, 0};
        if (lm_tok_encode(&m->tok, req->first_avoid[i].ptr, req->first_avoid[i].len,
                          req->first_avoid[i].len, &first)) {
            st = drh_fail(e, DRH_E_NOMEM, "out of memory for tokens");
        }
        out->n_avoid += first.count > 0;
    }
    return st;
}
