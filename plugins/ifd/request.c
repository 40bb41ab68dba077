/* SPDX-License-Identifier: MIT
 *
 * request.c - a record to two scoring requests: its answer after the prompt, and its answer alone.
 * start() is called by the host, one call at a time.
 */
#include "ifd.h"

/* Asks the backend once what it is. */
static drh_status get_ready(struct ifd *s, drh_error *e)
{
    drh_infer_info info;
    drh_status     st;
    if (s->ready) {
        return DRH_OK;
    }
    memset(&info, 0, sizeof(info));
    info.struct_size = (uint32_t)sizeof(info);
    st = s->infer->info(s->host, &info);
    if (st != DRH_OK) {
        return drh_fail(e, st, "the model service does not say what it is");
    }
    if (!(info.caps & (1u << DRH_INFER_SCORE))) {
        return drh_fail(e, DRH_E_CONFIG,
                        "the model %s cannot score texts; choose another backend for infer",
                        info.model ? info.model : "");
    }
    s->max_length = s->opt.max_length;
    if (info.context > 0 && s->max_length > info.context) {
        s->max_length = info.context;
    }
    if ((s->opt.alone_context == IFD_BOS || s->opt.prompt_bos) && !info.has_bos) {
        return drh_fail(e, DRH_E_CONFIG,
                        "the model %s has no bos, <|endoftext|> or eos token; choose "
                        "alone_context none or response, prompt_context none",
                        info.model ? info.model : "");
    }
    if (s->opt.alone_context == IFD_RESPONSE) {
        drh_error   unused = DRH_ERROR_INIT;
        const char *marker = ifd_marker(s->opt.template);
        s->has_count = s->infer->count(s->host, marker, strlen(marker), 0, &s->prefix_tokens,
                                       &unused) == DRH_OK;
    } else {
        s->has_count = true;
    }
    s->ready = true;
    return DRH_OK;
}

/* Most tokens of the alone pass, so that it scores no token that would not count: what the answer
 * has left beside the prompt, and what stands before it.  0: nothing is left. */
static drh_status alone_budget(struct ifd *s, const struct ifd_parts *p, uint32_t *budget,
                               drh_error *e)
{
    uint32_t   before = s->opt.prompt_bos;
    uint32_t   tokens = 0;
    drh_status st;
    *budget = s->max_length;
    /* A token is at least a byte: short texts fit without being counted. */
    if (!s->has_count || s->opt.template == IFD_CHAT ||
        s->prompt.len + p->answer.len + 16 <= s->max_length) {
        return DRH_OK;
    }
    st = s->infer->count(s->host, s->prompt.ptr, s->prompt.len, 0, &tokens, e);
    if (st == DRH_E_UNSUPPORTED) {
        s->has_count = false;
        return DRH_OK;
    }
    if (st != DRH_OK) {
        return st;
    }
    if ((uint64_t)tokens + before >= s->max_length) {
        *budget = 0;
        return DRH_OK;
    }
    *budget = s->max_length - tokens - before;
    switch (s->opt.alone_context) {
    case IFD_RESPONSE:
        *budget += before + s->prefix_tokens;
        break;
    case IFD_BOS:
        *budget += 1;
        break;
    default:
        *budget += s->opt.skip_first ? 0 : 1;
    }
    if (*budget > s->max_length) {
        *budget = s->max_length;
    }
    return DRH_OK;
}

static drh_status submit_cond(struct ifd *s, drh_record *r, const struct ifd_parts *p, drh_error *e)
{
    drh_infer_msg        system = {(uint32_t)sizeof(system), 0, {"system", 6}, p->system};
    drh_infer_msg        user = {(uint32_t)sizeof(user), 0, {"user", 4}, p->human};
    const drh_infer_msg *messages[2] = {&system, &user};
    drh_infer_req        req;
    memset(&req, 0, sizeof(req));
    req.struct_size = (uint32_t)sizeof(req);
    req.op = DRH_INFER_SCORE;
    req.flags = (s->opt.joint ? (uint32_t)DRH_INFER_JOINT : 0u) |
                (s->opt.prompt_bos ? (uint32_t)DRH_INFER_BOS : 0u);
    req.max_total = s->max_length;
    req.target = p->answer;
    if (s->opt.template == IFD_CHAT) {
        req.n_messages = p->system.len > 0 ? 2 : 1;
        req.messages = p->system.len > 0 ? messages : messages + 1;
    } else {
        req.prompt.ptr = s->prompt.ptr;
        req.prompt.len = s->prompt.len;
    }
    return s->infer->submit(s->host, r, &req, IFD_COND, e);
}

static drh_status submit_alone(struct ifd *s, drh_record *r, const struct ifd_parts *p,
                               uint32_t budget, drh_error *e)
{
    drh_infer_req req;
    memset(&req, 0, sizeof(req));
    req.struct_size = (uint32_t)sizeof(req);
    req.op = DRH_INFER_SCORE;
    req.max_total = budget;
    req.prompt = drh_str_of("");
    req.target = p->answer;
    if (s->opt.alone_context == IFD_RESPONSE) {
        req.prompt = drh_str_of(ifd_marker(s->opt.template));
        req.flags = s->opt.joint ? (uint32_t)DRH_INFER_JOINT : 0u;
    }
    if (s->opt.alone_context == IFD_BOS ||
        (s->opt.alone_context == IFD_RESPONSE && s->opt.prompt_bos)) {
        req.flags |= DRH_INFER_BOS;
    }
    return s->infer->submit(s->host, r, &req, IFD_ALONE, e);
}

/* First question and the first answer after it.  NULL, or why there is no score. */
static const char *read_parts(struct ifd *s, const drh_record *r, struct ifd_parts *p)
{
    const drh_host *h = s->host;
    drh_turns       turns;
    drh_turn        turn;
    drh_value       list;
    int64_t         from = 0;
    bool            asked = false;
    memset(p, 0, sizeof(*p));
    (void)h->records->get_str(r, s->system, &p->system);
    if (h->records->get_i64(r, s->input_from, &from) == DRH_OK && from > 0) {
        p->input_from = (size_t)from;
    }
    if ((h->records->get_value(r, s->conversations, &list) != DRH_OK &&
         h->records->get_value(r, s->messages, &list) != DRH_OK) ||
        drh_turns_in(&turns, h, &list) != DRH_OK) {
        return "no_conversation";
    }
    while (drh_turns_next(&turns, &turn) != DRH_END) {
        if (turn.role == DRH_ROLE_SYSTEM && !asked) {
            p->system = turn.text;
        } else if (turn.role == DRH_ROLE_USER && !asked) {
            p->human = turn.text;
            asked = true;
        } else if (turn.role == DRH_ROLE_ASSISTANT && asked) {
            p->answer = turn.text;
            return turn.text.len > 0 ? NULL : "empty_answer";
        }
    }
    return asked ? "no_answer" : "no_question";
}

static drh_status submit_both(struct ifd *s, drh_record *r, const struct ifd_parts *p,
                              uint32_t budget, drh_error *e)
{
    struct ifd_score *score = ifd_state_take(s);
    drh_status        st;
    if (!score || s->host->records->set_state(r, score) != DRH_OK) {
        ifd_release(s, score);
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    st = submit_cond(s, r, p, e);
    if (st == DRH_OK) {
        st = submit_alone(s, r, p, budget, e);
    }
    if (st == DRH_E_RANGE) {
        st = ifd_no_score(s, r, "too_long");
        if (st == DRH_OK) {
            ifd_release(s, score);
        }
    }
    return st;
}

drh_status ifd_start(void *self, void *worker, drh_record *r, drh_error *e)
{
    struct ifd      *s = self;
    struct ifd_parts p;
    const char      *why;
    uint32_t         budget = 0;
    drh_status       st = get_ready(s, e);
    (void)worker;
    if (st != DRH_OK) {
        return st;
    }
    why = read_parts(s, r, &p);
    if (!why && s->opt.template != IFD_CHAT &&
        ifd_prompt(s->host, s->opt.template, &p, &s->prompt) != DRH_OK) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    if (!why) {
        st = alone_budget(s, &p, &budget, e);
        if (st != DRH_OK) {
            return st;
        }
        why = budget == 0 ? "too_long" : NULL;
    }
    if (why) {
        st = ifd_no_score(s, r, why);
        return st == DRH_OK ? DRH_OK : drh_fail(e, st, "the status cannot be written");
    }
    return submit_both(s, r, &p, budget, e);
}
