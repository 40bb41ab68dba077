/* SPDX-License-Identifier: MIT
 *
 * lm_writer.c - see lm_writer.h.
 */
#include "lm_writer.h"
#include "lm_request.h"

#include <drh/util.h>

#include <stdlib.h>

drh_status lm_writer_check(const struct lm_model *m, const drh_infer_req *req, size_t kv_bytes,
                           drh_error *e)
{
    struct lm_prompt p;
    drh_status       st = lm_plan_prompt(m, req, NULL, &p, e);
    const size_t     need = lm_kv_bytes(&m->c, (size_t)p.n + p.max_new);
    if (st == DRH_OK && need > kv_bytes) {
        st = drh_fail(e, DRH_E_RANGE,
                      "prompt and answer of up to %lu tokens need %zu MiB of keys and values, %zu "
                      "MiB are allowed a worker; lower max_tokens or raise kv_mb",
                      (unsigned long)p.n + p.max_new, (need >> 20) + 1, kv_bytes >> 20);
    }
    return st;
}

static int room(struct lm_writer *w, size_t n)
{
    void *p;
    if (n <= w->cap) {
        return 0;
    }
    if (!(p = realloc(w->stream, n * sizeof(*w->stream)))) {
        return -1;
    }
    w->stream = p;
    if (!(p = realloc(w->answer, n * sizeof(*w->answer)))) {
        return -1;
    }
    w->answer = p;
    if (!(p = realloc(w->of, n * sizeof(*w->of)))) {
        return -1;
    }
    w->of = p;
    memset(w->answer + w->cap, 0, (n - w->cap) * sizeof(*w->answer));
    w->cap = n;
    return 0;
}

static int said(void *ctx, const struct lm_stream *s, uint32_t id)
{
    (void)s;
    return lm_answer_push(ctx, id);
}

/* A stream for req; its tokens, and the ids that may not come first behind them, are one block. */
static drh_status open_stream(const struct lm_writer *w, const drh_infer_req *req,
                              struct lm_answer *a, struct lm_stream *s, drh_infer_res *res)
{
    drh_error             *e = res->error;
    const struct lm_model *m = w->g.en->m;
    struct lm_prompt       p;
    const size_t           most = (size_t)m->c.context + req->n_first_avoid;
    drh_status             st = lm_writer_check(m, req, w->g.kv_bytes, e);
    memset(s, 0, sizeof(*s));
    if (st != DRH_OK) {
        return st;
    }
    s->tokens = malloc(most * sizeof(*s->tokens));
    if (!s->tokens) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for tokens");
    }
    st = lm_plan_prompt(m, req, s->tokens, &p, e);
    if (st == DRH_OK) {
        st = lm_plan_sampling(m, req, s->tokens + m->c.context, &s->sampling, e);
    }
    if (st != DRH_OK) {
        free(s->tokens);
        s->tokens = NULL;
        return st;
    }
    res->n_prompt_tokens = p.n - p.bos;
    s->n_prompt = p.n;
    s->max_new = p.max_new;
    s->said = said;
    s->ctx = a;
    lm_answer_begin(a, m, req);
    return DRH_OK;
}

static void close_stream(const struct lm_stream *s, struct lm_answer *a, const drh_infer_req *req,
                         drh_infer_res *res)
{
    res->n_target_tokens = s->n_new;
    if (s->status != DRH_OK) {
        res->status = drh_fail(res->error, s->status,
                               "the model's output is non-finite; its weights may be damaged");
        return;
    }
    if (!s->stopped) {
        lm_answer_end(a);
    }
    if (a->no_memory) {
        res->status = drh_fail(res->error, DRH_E_NOMEM, "out of memory for an answer");
    } else if (a->late) {
        res->status = drh_fail(res->error, DRH_E_TIMEOUT, "no end after %lu ms and %lu tokens",
                               (unsigned long)req->deadline_ms, (unsigned long)s->n_new);
    } else {
        res->status = DRH_OK;
        res->text = (drh_str){a->text ? a->text : "", a->n};
        res->finish = s->stopped ? DRH_INFER_STOP : DRH_INFER_LENGTH;
    }
}

drh_status lm_writer_run(struct lm_writer *w, const drh_infer_req *const *req, size_t n,
                         drh_infer_res *const *res)
{
    size_t     k = 0;
    drh_status st = room(w, n) ? DRH_E_NOMEM : DRH_OK;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        if (req[i]->op != DRH_INFER_GENERATE) {
            continue;
        }
        res[i]->status = open_stream(w, req[i], &w->answer[k], &w->stream[k], res[i]);
        st = res[i]->status == DRH_E_NOMEM ? DRH_E_NOMEM : DRH_OK;
        if (res[i]->status == DRH_OK) {
            w->of[k++] = i;
        }
    }
    st = st == DRH_OK && k ? lm_generate(&w->g, w->stream, k) : st;
    for (size_t i = 0; i < k; i++) {
        if (st == DRH_OK) {
            close_stream(&w->stream[i], &w->answer[i], req[w->of[i]], res[w->of[i]]);
        }
        free(w->stream[i].tokens);
    }
    return st;
}

void lm_writer_free(struct lm_writer *w)
{
    for (size_t i = 0; i < w->cap; i++) {
        lm_answer_free(&w->answer[i]);
    }
    free(w->stream);
    free(w->answer);
    free(w->of);
    lm_generator_free(&w->g);
}
