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

static drh_status check_messages(const drh_infer_req *req, drh_error *e)
{
    if (req->n_messages && req->prompt.len) {
        return drh_fail(e, DRH_E_ARG, "both prompt and messages are given; give one of them");
    }
    if ((req->flags & DRH_INFER_OPEN) && !req->n_messages) {
        return drh_fail(e, DRH_E_ARG, "DRH_INFER_OPEN is for messages; a prompt is always open");
    }
    return DRH_OK;
}

static drh_status check(const struct lm_model *m, const drh_infer_req *req, drh_error *e)
{
    const uint32_t known = DRH_INFER_BOS | DRH_INFER_JOINT | DRH_INFER_SPECIAL | DRH_INFER_OPEN;
    if (req->op != DRH_INFER_SCORE && req->op != DRH_INFER_GENERATE) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "this backend scores and generates; it does not embed");
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
    return check_messages(req, e);
}

/* Is there a context token?  A chat form that begins with bos has its own. */
static int has_context(const struct lm_model *m, const drh_infer_req *req)
{
    return (req->flags & DRH_INFER_BOS) && !(req->n_messages && lm_chat_has_bos(&m->chat));
}

static size_t special_part(const drh_infer_req *req)
{
    return req->flags & DRH_INFER_SPECIAL ? req->prompt.len : 0;
}

static drh_status no_memory(drh_error *e)
{
    return drh_fail(e, DRH_E_NOMEM, "out of memory for tokens");
}

/* ---- prompt and target --------------------------------------------------------------------- */

/* A prompt as text: the request's own, or its messages in the model's form. */
struct prompt {
    const drh_infer_req *req;
    const char          *p;
    size_t               n;
    struct lm_chat_text  chat;
};

static drh_status open_prompt(struct prompt *t, const struct lm_model *m, const drh_infer_req *req,
                              drh_error *e)
{
    drh_status st = DRH_OK;
    memset(t, 0, sizeof(*t));
    t->req = req;
    t->p = req->prompt.ptr;
    t->n = req->prompt.len;
    if (req->n_messages) {
        st = lm_chat_render(&m->chat, &m->tok.uni, req, &t->chat, e);
        t->p = t->chat.text.p;
        t->n = t->chat.text.n;
    }
    return st;
}

static void close_prompt(struct prompt *t)
{
    lm_chat_text_free(&t->chat);
}

/* The tokens of p[0..n), which begins with the prompt. */
static int encode(const struct prompt *t, const struct lm_model *m, const char *p, size_t n,
                  struct lm_tok_out *out)
{
    return t->req->n_messages
               ? lm_tok_encode_marked(&m->tok, p, n, t->chat.mark, t->chat.n_marks, out)
               : lm_tok_encode(&m->tok, p, n, special_part(t->req), out);
}

/* Both texts as one; the target starts at token tokens(prompt). */
static int encode_joint(const struct prompt *t, const struct lm_model *m, struct lm_tok_out *out,
                        size_t *n_prompt)
{
    struct lm_tok_out alone = {NULL, 0, 0};
    const drh_str     target = t->req->target;
    char             *both;
    int               rc;
    if (encode(t, m, t->p, t->n, &alone)) {
        return -1;
    }
    *n_prompt = alone.count;
    both = malloc(t->n + target.len + 1);
    if (!both) {
        return -1;
    }
    if (t->n) {
        memcpy(both, t->p, t->n);
    }
    if (target.len) {
        memcpy(both + t->n, target.ptr, target.len);
    }
    rc = encode(t, m, both, t->n + target.len, out);
    free(both);
    return rc;
}

static int encode_apart(const struct prompt *t, const struct lm_model *m, struct lm_tok_out *out,
                        size_t *n_prompt)
{
    const size_t before = out->count;
    if (encode(t, m, t->p, t->n, out)) {
        return -1;
    }
    *n_prompt = out->count - before;
    return lm_tok_encode(&m->tok, t->req->target.ptr, t->req->target.len, 0, out);
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

/* The context token, if there is one: how many. */
static size_t begin(const struct lm_model *m, const drh_infer_req *req, struct lm_tok_out *out)
{
    if (has_context(m, req)) {
        lm_tok_emit(out, m->bos);
    }
    return out->count;
}

drh_status lm_plan_request(const struct lm_model *m, const drh_infer_req *req, uint32_t *ids,
                           struct lm_plan *plan, drh_error *e)
{
    const uint32_t    limit = lm_request_limit(m, req);
    struct lm_tok_out out = {ids, ids ? limit : 0, 0};
    struct prompt     t;
    size_t            n_prompt = 0, bos;
    drh_status        st = check(m, req, e);
    memset(plan, 0, sizeof(*plan));
    if (st != DRH_OK) {
        return st;
    }
    bos = begin(m, req, &out);
    st = open_prompt(&t, m, req, e);
    if (st == DRH_OK && (req->flags & DRH_INFER_JOINT ? encode_joint(&t, m, &out, &n_prompt)
                                                      : encode_apart(&t, m, &out, &n_prompt))) {
        st = no_memory(e);
    }
    close_prompt(&t);
    return st == DRH_OK ? fill(plan, bos, n_prompt, out.count, limit, e) : st;
}

drh_status lm_plan_prompt(const struct lm_model *m, const drh_infer_req *req, uint32_t *ids,
                          struct lm_prompt *plan, drh_error *e)
{
    struct lm_tok_out out = {ids, ids ? m->c.context : 0, 0};
    struct prompt     t;
    drh_status        st = check(m, req, e);
    memset(plan, 0, sizeof(*plan));
    if (st != DRH_OK) {
        return st;
    }
    plan->bos = (uint32_t)begin(m, req, &out);
    st = open_prompt(&t, m, req, e);
    if (st == DRH_OK && encode(&t, m, t.p, t.n, &out)) {
        st = no_memory(e);
    }
    close_prompt(&t);
    if (st != DRH_OK) {
        return st;
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
            st = no_memory(e);
        }
        out->n_avoid += first.count > 0;
    }
    return st;
}
