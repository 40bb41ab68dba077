/* SPDX-License-Identifier: MIT
 *
 * job.c - one request of the host: what is sent for it, phase by phase, and what its answers are.
 * The own thread, outside of the lock, except for what names the network's.
 */
#include "oa.h"

#include <drh/util.h>

/* ---- life ---- */

struct oa_job *oa_job_new(struct oa *o, const drh_infer_req *q, drh_infer_call *call)
{
    struct oa_job *j = o->host->alloc(o->host, NULL, sizeof(*j));

    if (!j) {
        return NULL;
    }
    memset(j, 0, sizeof(*j));
    j->o = o;
    j->req = q;
    j->call = call;
    j->phase =
        q->op == DRH_INFER_SCORE && o->caps.score == OA_SCORE_PROMPT ? OA_PROMPT_IDS : OA_ASK;
    if (j->phase == OA_PROMPT_IDS && q->prompt.len == 0) {
        j->phase = OA_TARGET_IDS;
    }
    j->in.host = j->answer.text.host = j->stream.line.host = o->host;
    oa_answer_clear(&j->answer);
    return j;
}

void oa_job_free(struct oa_job *j)
{
    const drh_host *h = j->o->host;

    drh_text_free(&j->in);
    drh_text_free(&j->answer.text);
    oa_stream_free(&j->stream);
    (void)h->alloc(h, j->prompt.id, 0);
    (void)h->alloc(h, j->all.id, 0);
    (void)h->alloc(h, j->values, 0);
    (void)h->alloc(h, j, 0);
}

/* ---- what is sent ---- */

int oa_job_path(const struct oa_job *j)
{
    if (j->phase != OA_ASK) {
        return OA_PATH_TOKENIZE;
    }
    return j->req->n_messages ? OA_PATH_CHAT : OA_PATH_COMPLETIONS;
}

/* Context token, prompt, target; cut to what is asked for and what the server takes, which answers
 * with a token of its own. */
static drh_status plan_score(struct oa_job *j, drh_error *e)
{
    const struct oa_caps *c = &j->o->caps;
    size_t                bos = j->req->flags & DRH_INFER_BOS ? 1 : 0;
    size_t                limit = c->context > 1 ? c->context - 1 : SIZE_MAX;

    if (j->req->max_total && j->req->max_total < limit) {
        limit = j->req->max_total;
    }
    return oa_plan_score(&j->plan, bos, j->prompt.n, j->all.n, limit, e);
}

static bool join_ids(struct oa_job *j)
{
    const drh_host *h = j->o->host;
    size_t          bos = j->req->flags & DRH_INFER_BOS ? 1 : 0;
    bool            joint = (j->req->flags & DRH_INFER_JOINT) != 0;
    size_t          before = joint ? 0 : j->prompt.n, n = bos + before + j->all.n;
    uint32_t       *id = h->alloc(h, NULL, (n + 1) * sizeof(*id));

    if (!id) {
        return false;
    }
    id[0] = j->o->caps.bos;
    if (before) {
        memcpy(id + bos, j->prompt.id, before * sizeof(*id));
    }
    if (j->all.n) {
        memcpy(id + bos + before, j->all.id, j->all.n * sizeof(*id));
    }
    (void)h->alloc(h, j->all.id, 0);
    j->all.id = id;
    j->all.n += before; /* without the context token, which stands before them */
    return true;
}

drh_status oa_job_body(struct oa_job *j, drh_text *body, drh_error *e)
{
    const struct oa     *o = j->o;
    const drh_infer_req *q = j->req;
    static const drh_str none = {"", 0};
    bool                 joint = (q->flags & DRH_INFER_JOINT) != 0;

    j->streamed = false;
    if (j->phase == OA_PROMPT_IDS) {
        oa_write_ids(body, o, j->ep, q->prompt, none, false);
    } else if (j->phase == OA_TARGET_IDS) {
        oa_write_ids(body, o, j->ep, joint ? q->prompt : none, q->target, false);
    } else if (q->op == DRH_INFER_SCORE && o->caps.score == OA_SCORE_PROMPT) {
        oa_write_score_ids(body, o, j->ep, j->all.id, j->plan.total);
    } else if (q->op == DRH_INFER_SCORE) {
        oa_write_score_echo(body, o, j->ep, q);
    } else {
        j->streamed = oa_streams(o, q);
        oa_write_generate(body, o, j->ep, q, j->streamed);
    }
    return body->failed ? drh_fail(e, DRH_E_NOMEM, "out of memory for a request") : DRH_OK;
}

struct oa_hold oa_job_most(const struct oa_job *j)
{
    const drh_infer_req *q = j->req;
    double               bytes = (double)(q->prompt.len + q->target.len);
    double               made = j->o->caps.context ? j->o->caps.context : 8192;

    for (uint32_t i = 0; i < q->n_messages; i++) {
        bytes += (double)q->messages[i]->content.len + 16;
    }
    if (j->phase != OA_ASK) { /* the tokenizer costs nothing */
        return (struct oa_hold){0, 0};
    }
    return oa_spend_most(bytes, q->op == DRH_INFER_SCORE ? 1
                                : q->max_tokens          ? q->max_tokens
                                                         : made);
}

/* ---- what came ---- */

static enum oa_verdict say(struct oa_job *j, enum oa_verdict v, drh_status code, const char *words)
{
    j->answer.code = code;
    oa_words(&j->answer, "", drh_str_of(words), j->ep ? j->ep->key : NULL);
    return v;
}

/* There is no whole answer. */
static enum oa_verdict judge_line(struct oa_job *j)
{
    switch (j->st) {
    case DRH_E_CANCELLED:
        return say(j, OA_FAIL, DRH_E_CANCELLED, "cancelled");
    case DRH_E_AUTH:
        return say(j, OA_HALT, DRH_E_AUTH, j->e.message);
    case DRH_E_ARG: /* the address, or the key, is none */
        return say(j, OA_HALT, DRH_E_CONFIG, j->e.message);
    case DRH_E_NOMEM:
        return say(j, OA_FAIL, DRH_E_NOMEM, "out of memory for an answer");
    case DRH_E_RANGE:
        return say(j, OA_FAIL, DRH_E_DATA, "the answer is too long");
    case DRH_E_TIMEOUT:
        return say(j, OA_AGAIN, DRH_E_TIMEOUT, "no whole answer in time");
    default:
        return j->status ? say(j, OA_AGAIN, DRH_E_NETWORK, "the answer breaks off")
                         : say(j, OA_GONE, DRH_E_NETWORK, j->e.message);
    }
}

static enum oa_verdict judge_ids(struct oa_job *j)
{
    drh_error       e = DRH_ERROR_INIT;
    struct oa_ids  *to = j->phase == OA_PROMPT_IDS ? &j->prompt : &j->all;
    enum oa_verdict v = oa_read_ids(j->o->host, drh_text_str(&j->in), to, &j->answer);

    if (v != OA_GOOD || j->phase == OA_PROMPT_IDS) {
        return v;
    }
    if (!join_ids(j)) {
        return say(j, OA_FAIL, DRH_E_NOMEM, "out of memory for tokens");
    }
    if (plan_score(j, &e) != DRH_OK) {
        return say(j, OA_FAIL, DRH_E_RANGE, e.message);
    }
    j->values = j->o->host->alloc(j->o->host, j->values, (j->plan.total + 1) * sizeof(float));
    return j->values ? OA_GOOD : say(j, OA_FAIL, DRH_E_NOMEM, "out of memory for scores");
}

/* Characters, as the places in an echo count them. */
static size_t characters(drh_str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        n += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    }
    return n;
}

static enum oa_verdict judge_score(struct oa_job *j)
{
    const drh_host      *h = j->o->host;
    const drh_infer_req *q = j->req;
    drh_str              body = drh_text_str(&j->in);
    size_t               before = characters(q->prompt);

    if (j->o->caps.score == OA_SCORE_PROMPT) {
        return oa_read_prompt_logprobs(h, body, j->all.id, &j->plan, j->values, &j->answer);
    }
    if (q->flags & DRH_INFER_BOS) {
        before += characters(j->o->opt.bos);
    }
    (void)h->alloc(h, j->values, 0);
    return oa_read_echo(h, body, before, q->max_total, &j->plan, &j->values, &j->answer);
}

enum oa_verdict oa_job_judge(struct oa_job *j)
{
    if (j->streamed && j->stream.stopped) {
        return OA_GOOD;
    }
    if (j->streamed && j->stream.verdict != OA_GOOD) {
        return j->stream.verdict;
    }
    if (j->st != DRH_OK) {
        return j->streamed && j->answer.finish ? OA_GOOD : judge_line(j);
    }
    if (j->status != 200) {
        return oa_read_error(j->o->host, j->status, drh_text_str(&j->in), j->ep->key,
                             j->ep->good > 0, &j->answer);
    }
    if (j->in.failed) {
        return say(j, OA_FAIL, DRH_E_NOMEM, "out of memory for an answer");
    }
    if (j->phase != OA_ASK) {
        return judge_ids(j);
    }
    if (j->req->op == DRH_INFER_SCORE) {
        return judge_score(j);
    }
    return j->streamed ? oa_stream_end(&j->stream, &j->answer)
                       : oa_read_whole(j->o->host, drh_text_str(&j->in), j->req->n_messages > 0,
                                       &j->answer);
}

bool oa_job_next(struct oa_job *j)
{
    if (j->phase == OA_ASK) {
        return false;
    }
    j->phase = j->phase == OA_PROMPT_IDS ? OA_TARGET_IDS : OA_ASK;
    j->tries = j->failed = j->refused = 0;
    /* a target without tokens has no values */
    return j->phase != OA_ASK || j->plan.total > j->plan.first;
}

/* ---- the end ---- */

static void fill_good(const struct oa_job *j, drh_infer_res *res)
{
    if (j->req->op == DRH_INFER_SCORE) {
        res->n_prompt_tokens = (uint32_t)j->plan.n_prompt;
        res->n_target_tokens = (uint32_t)j->plan.n_target;
        res->first_value = j->plan.first_value;
        res->n_values =
            j->plan.total > j->plan.first ? (uint32_t)(j->plan.total - j->plan.first) : 0;
        res->values = j->values;
        return;
    }
    res->text = drh_text_str(&j->answer.text);
    res->finish = j->answer.finish;
    res->n_prompt_tokens = j->answer.n_in > 0 ? (uint32_t)j->answer.n_in : 0;
    res->n_target_tokens = j->answer.n_out > 0 ? (uint32_t)j->answer.n_out : 0;
}

void oa_job_complete(struct oa_job *j, enum oa_verdict v)
{
    drh_error     e = DRH_ERROR_INIT;
    drh_infer_res res = {.struct_size = sizeof(res), .error = &e};

    if (v == OA_GOOD) {
        fill_good(j, &res);
    } else {
        res.status = drh_fail(&e, j->answer.code ? j->answer.code : DRH_E_INTERNAL, "%.120s%s%s",
                              j->ep ? j->ep->name : "", j->ep ? ": " : "", j->answer.words);
    }
    j->o->back->complete(j->call, &res);
}

void oa_job_refuse(struct oa_job *j, const drh_error *why)
{
    drh_error     e = *why;
    drh_infer_res res = {.struct_size = sizeof(res), .status = why->code, .error = &e};

    j->o->back->complete(j->call, &res);
}
