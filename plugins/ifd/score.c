/* SPDX-License-Identifier: MIT
 *
 * score.c - two results to means and a score, and what is written into the record.  resume() is
 * called by the host, one call at a time.
 */
#include "ifd.h"

#include <math.h>

/* ---- states -------------------------------------------------------------------------------- */

struct ifd_score *ifd_state_take(struct ifd *s)
{
    struct ifd_score *st = s->pool;
    if (st) {
        s->pool = st->next;
        memset(&st->cond, 0, sizeof(st->cond));
        memset(&st->alone, 0, sizeof(st->alone));
        return st;
    }
    st = s->host->alloc(s->host, NULL, sizeof(*st));
    if (st) {
        memset(st, 0, sizeof(*st));
    }
    return st;
}

void ifd_release(void *self, void *state)
{
    struct ifd       *s = self;
    struct ifd_score *score = state;
    if (score) {
        score->next = s->pool;
        s->pool = score;
    }
}

void ifd_free_states(struct ifd *s)
{
    while (s->pool) {
        struct ifd_score *score = s->pool;
        s->pool = score->next;
        (void)s->host->alloc(s->host, score->values, 0);
        (void)s->host->alloc(s->host, score, 0);
    }
}

/* ---- the record's outcome ------------------------------------------------------------------ */

/* Removes what an earlier run wrote. */
static drh_status forget(struct ifd *s, drh_record *r)
{
    const drh_field f[] = {s->ppl, s->loss, s->score, s->count, s->status};
    drh_status      st = DRH_OK;
    size_t          i;
    for (i = 0; i < sizeof(f) / sizeof(f[0]) && st == DRH_OK; i++) {
        st = s->host->records->unset(r, f[i]);
    }
    return st;
}

drh_status ifd_no_score(struct ifd *s, drh_record *r, const char *why)
{
    drh_status st = forget(s, r);
    if (st == DRH_OK) {
        st = s->host->records->set_str(r, s->status, why, strlen(why));
    }
    return st == DRH_OK ? s->host->records->keep(r) : st;
}

static drh_status put_pair(const drh_record_api *api, drh_record *r, drh_field f, double a,
                           double b)
{
    drh_status st = api->open(r, f, DRH_T_ARRAY);
    if (st == DRH_OK) {
        st = api->put_f64(r, a);
    }
    if (st == DRH_OK) {
        st = api->put_f64(r, b);
    }
    return st == DRH_OK ? api->close(r) : st;
}

static drh_status write_score(struct ifd *s, drh_record *r, double alone, double cond, double ifd,
                              uint32_t n)
{
    const drh_record_api *api = s->host->records;
    drh_status            st = forget(s, r);
    if (st == DRH_OK) {
        st = put_pair(api, r, s->ppl, exp(alone), exp(cond));
    }
    if (st == DRH_OK) {
        st = put_pair(api, r, s->loss, alone, cond);
    }
    if (st == DRH_OK) {
        st = api->set_f64(r, s->score, ifd);
    }
    if (st == DRH_OK) {
        st = api->set_i64(r, s->count, (int64_t)n);
    }
    return st == DRH_OK ? api->keep(r) : st;
}

/* Both passes are there. */
static drh_status finish(struct ifd *s, drh_record *r, const struct ifd_score *score)
{
    const struct ifd_pass *a = &score->alone;
    const struct ifd_pass *c = &score->cond;
    double                 alone, cond, ifd;
    if (c->used == 0) {
        const char *why = c->target == 0 ? "no_answer" : c->n == 0 ? "too_long" : "one_token";
        return ifd_no_score(s, r, why);
    }
    if (a->used == 0) {
        return ifd_no_score(s, r, a->target == 1 ? "one_token" : "too_long");
    }
    alone = -a->sum / a->used;
    cond = -c->sum / c->used;
    if (s->opt.by_loss && alone == 0.0) {
        return ifd_no_score(s, r, "zero_loss");
    }
    ifd = s->opt.by_loss ? cond / alone : exp(cond - alone);
    if (!isfinite(exp(alone)) || !isfinite(exp(cond)) || !isfinite(ifd)) {
        return ifd_no_score(s, r, "nonfinite");
    }
    return write_score(s, r, alone, cond, ifd, c->used);
}

/* ---- results ------------------------------------------------------------------------------- */

/* Sums the values of answer tokens below `end`, without the first token if it does not count. */
static void sum_pass(const struct ifd *s, struct ifd_pass *p, const float *values, uint32_t end)
{
    uint32_t i;
    p->sum = 0;
    p->used = 0;
    for (i = 0; i < p->n && p->first + i < end; i++) {
        if (p->first + i > 0 || !s->opt.skip_first) {
            p->sum += (double)values[i];
            p->used++;
        }
    }
}

/* Where the alone pass ends.  When the answer was cut in the pass with the prompt, both count the
 * same number of tokens: published that way, though without a context the alone pass is one token
 * further on. */
static uint32_t alone_end(const struct ifd *s, const struct ifd_score *score)
{
    const struct ifd_pass *c = &score->cond;
    if (c->first + c->n >= c->target) {
        return UINT32_MAX;
    }
    return s->opt.skip_first ? c->first + c->n : score->alone.first + c->n;
}

static drh_status keep_values(struct ifd *s, struct ifd_score *score, const drh_infer_res *res)
{
    if (res->n_values > score->cap) {
        size_t cap = 2 * (size_t)res->n_values;
        float *p = s->host->alloc(s->host, score->values, cap * sizeof(*p));
        if (!p) {
            return DRH_E_NOMEM;
        }
        score->values = p;
        score->cap = cap;
    }
    if (res->n_values > 0) {
        memcpy(score->values, res->values, res->n_values * sizeof(*res->values));
    }
    return DRH_OK;
}

static drh_status take(struct ifd *s, struct ifd_score *score, uint64_t tag,
                       const drh_infer_res *res)
{
    struct ifd_pass *p = tag == IFD_COND ? &score->cond : &score->alone;
    p->there = true;
    p->first = res->first_value;
    p->n = res->n_values;
    p->target = res->n_target_tokens;
    if (tag == IFD_COND) {
        sum_pass(s, p, res->values, UINT32_MAX);
        if (score->alone.there) {
            sum_pass(s, &score->alone, score->values, alone_end(s, score));
        }
        return DRH_OK;
    }
    if (score->cond.there) {
        sum_pass(s, p, res->values, alone_end(s, score));
        return DRH_OK;
    }
    return keep_values(s, score, res);
}

/* The record was settled with `st`: its state goes back to the pool.  If it was not, the host gives
 * the state to release(). */
static drh_status done(struct ifd *s, struct ifd_score *score, drh_status st, drh_error *e)
{
    if (st == DRH_E_NOMEM) {
        return drh_fail(e, st, "out of memory");
    }
    if (st != DRH_OK) {
        return drh_fail(e, st, "the score cannot be written: is metadata an object?");
    }
    ifd_release(s, score);
    return DRH_OK;
}

static drh_status failed(struct ifd *s, drh_record *r, const drh_infer_res *res, drh_error *e)
{
    struct ifd_score *score = s->host->records->state(r);
    const char       *text = "the model gave no reason";
    if (res->status == DRH_E_CANCELLED) {
        return DRH_OK; /* the run is being stopped */
    }
    if (res->status == DRH_E_RANGE) {
        return done(s, score, ifd_no_score(s, r, "too_long"), e);
    }
    if (res->error && res->error->message[0]) {
        text = res->error->message;
    }
    if (res->status == DRH_E_UNSUPPORTED) { /* the same for every record */
        return drh_fail(e, DRH_E_CONFIG, "%s", text);
    }
    return done(s, score, s->host->records->fail(r, "infer_failed", text, strlen(text)), e);
}

drh_status ifd_resume(void *self, void *worker, drh_record *r, uint64_t tag, const void *result,
                      drh_error *e)
{
    struct ifd          *s = self;
    const drh_infer_res *res = result;
    struct ifd_score    *score = s->host->records->state(r);
    drh_status           st;
    (void)worker;
    if (res->status != DRH_OK) {
        return failed(s, r, res, e);
    }
    st = take(s, score, tag, res);
    if (st != DRH_OK) {
        return drh_fail(e, st, "out of memory");
    }
    if (!score->cond.there || !score->alone.there) {
        return DRH_OK;
    }
    return done(s, score, finish(s, r, score), e);
}
