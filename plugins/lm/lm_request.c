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
    if (req->op != DRH_INFER_SCORE) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "infer-openblas only scores; it does not generate or "
                        "embed");
    }
    if (req->n_messages) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "a GPT-2 model has no chat template; give prompt as text");
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
