/* SPDX-License-Identifier: MIT
 *
 * queue.c - jobs on their way: ready, delayed, flying, arrived; the own thread moves them.
 */
#include "oa.h"

#include <drh/util.h>

#include <math.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_REFUSALS = 1000, WRONG_AT_FIRST = 8, FEW = 8 };
static const double LONGEST_SLEEP = 1;

double oa_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- lists; under the lock ---- */

static void push(struct oa_job **list, struct oa_job *j)
{
    j->next = *list;
    j->prev = list;
    if (j->next) {
        j->next->prev = &j->next;
    }
    *list = j;
}

static void take(struct oa *o, struct oa_job *j)
{
    if (o->ready_end == &j->next) {
        o->ready_end = j->prev;
    }
    if (o->arrived_end == &j->next) {
        o->arrived_end = j->prev;
    }
    *j->prev = j->next;
    if (j->next) {
        j->next->prev = j->prev;
    }
    j->next = NULL;
    j->prev = NULL;
}

static void append(struct oa_job ***end, struct oa_job *j)
{
    j->next = NULL;
    j->prev = *end;
    **end = j;
    *end = &j->next;
}

static void put_ready(struct oa *o, struct oa_job *j)
{
    append(&o->ready_end, j);
}

static void put_delayed(struct oa *o, struct oa_job *j, double due)
{
    j->due = due;
    push(&o->delayed, j);
}

static void put_arrived(struct oa *o, struct oa_job *j)
{
    append(&o->arrived_end, j);
    (void)pthread_cond_signal(&o->moved);
}

/* ---- what comes from the network; its thread ---- */

/* "7", "0.5", a date; 0: none of these. */
static uint32_t wait_ms(drh_str seconds, drh_str ms)
{
    char      buf[64];
    char     *end;
    double    d;
    struct tm tm = {0};

    if (ms.len && ms.len < 12) {
        (void)snprintf(buf, sizeof(buf), "%.*s", (int)ms.len, ms.ptr);
        d = strtod(buf, &end);
        if (*end == '\0' && d > 0) {
            return d < 1e9 ? (uint32_t)d : 1000000000;
        }
    }
    if (!seconds.len || seconds.len >= sizeof(buf)) {
        return 0;
    }
    (void)snprintf(buf, sizeof(buf), "%.*s", (int)seconds.len, seconds.ptr);
    d = strtod(buf, &end);
    if (*end != '\0') {
        const char *rest = strptime(buf, "%a, %d %b %Y %H:%M:%S", &tm);
        d = rest ? difftime(timegm(&tm), time(NULL)) : 0;
    }
    return d > 0 ? d < 1e6 ? (uint32_t)(d * 1000) : 1000000000 : 0;
}

static drh_status on_head(void *ctx, const drh_http_answer *a)
{
    struct oa_job *j = ctx;
    drh_str        type = drh_hub_header(a, "content-type");

    j->status = a->status;
    j->retry_ms = wait_ms(drh_hub_header(a, "retry-after"), drh_hub_header(a, "retry-after-ms"));
    /* a server that does not stream answers as a whole */
    j->streamed = j->streamed && a->status == 200 && drh_str_starts(type, "text/event-stream");
    return DRH_OK;
}

static drh_status on_body(void *ctx, const void *p, size_t n)
{
    struct oa_job *j = ctx;

    if (j->streamed) {
        return oa_stream_feed(&j->stream, j->o->host, p, n, &j->answer) ? DRH_OK : DRH_E_DATA;
    }
    if (n > OA_MAX_ANSWER - j->in.len) {
        return DRH_E_RANGE;
    }
    drh_text_add(&j->in, p, n);
    return DRH_OK;
}

static void on_done(void *ctx, drh_status st, const drh_error *e)
{
    struct oa_job *j = ctx;
    struct oa     *o = j->o;

    (void)pthread_mutex_lock(&o->lock);
    j->st = st;
    j->e = *e;
    j->flying = false;
    take(o, j);
    o->n_flying--;
    put_arrived(o, j);
    (void)pthread_mutex_unlock(&o->lock);
}

/* ---- sending; the own thread, under the lock ---- */

static void halt(struct oa *o, drh_status code, uint32_t flags, const char *words)
{
    if (o->halt.code == DRH_OK) {
        o->halt = (drh_error){.struct_size = sizeof(o->halt), .flags = flags, .record = -1};
        (void)drh_fail(&o->halt, code, "%s", words);
    }
}

/* The job has left the list of ready ones; on failure it is back, as arrived. */
static void send_job(struct oa *o, struct oa_job *j, struct oa_endpoint *ep, double now)
{
    const drh_http_sink sink = {sizeof(sink), 0, j, on_head, on_body, on_done};
    drh_text            body = {.host = o->host};
    struct oa_call      c = {0};
    double              left = o->opt.timeout;
    drh_error           e = DRH_ERROR_INIT;
    drh_status          st;

    j->ep = ep;
    j->sent = now;
    j->status = j->retry_ms = 0;
    drh_text_clear(&j->in);
    oa_answer_clear(&j->answer);
    st = oa_job_body(j, &body, &e);
    oa_stream_start(&j->stream, o->host, j->req->n_messages > 0,
                    j->req->stop ? j->req->stop + oa_stops_there(o, j->req) : NULL,
                    j->req->stop ? j->req->n_stop - oa_stops_there(o, j->req) : 0);
    oa_call_make(&c, o, ep, oa_job_path(j), drh_text_str(&body));
    if (j->deadline > 0 && j->deadline - now < left) {
        left = j->deadline - now;
    }
    c.req.flags |= DRH_HTTP_OWN_PACE;
    c.req.deadline_ms = (uint32_t)(left * 1000) + 1;
    c.req.stall_ms = (uint32_t)(left * 1000) + 1000;
    if (st == DRH_OK && c.url.failed) {
        st = drh_fail(&e, DRH_E_NOMEM, "out of memory for a request");
    }
    oa_pace_sent(ep);
    oa_spend_hold(&o->spend, &j->hold);
    push(&o->flying, j);
    o->n_flying++;
    j->flying = true;
    st = st == DRH_OK ? o->http->start(o->host, &c.req, &sink, &j->http_id, &e) : st;
    if (st != DRH_OK) {
        take(o, j);
        o->n_flying--;
        j->flying = false;
        j->st = st;
        j->e = e;
        put_arrived(o, j);
    }
    drh_text_free(&body);
    oa_call_free(&c);
}

static void send_ready(struct oa *o, double now)
{
    while (o->ready && o->halt.code == DRH_OK) {
        struct oa_job      *j = o->ready;
        struct oa_endpoint *ep = oa_pace_choose(o->ep, o->n_ep, now);
        enum oa_may         may;

        if (!ep) {
            return;
        }
        j->hold = oa_job_most(j);
        may = oa_spend_may(&o->spend, &j->hold, now);
        if (may == OA_MAY_NEVER) {
            char words[300];
            oa_spend_words(&o->spend, &j->hold, now, words, sizeof(words));
            halt(o, DRH_E_BUDGET, 0, words);
        }
        if (may != OA_MAY) {
            return;
        }
        take(o, j);
        send_job(o, j, ep, now);
    }
}

/* ---- judging ---- */

static void pace_by(struct oa *o, struct oa_job *j, enum oa_verdict v, double now)
{
    double wait = j->retry_ms / 1000.0;

    switch (v) {
    case OA_BUSY:
    case OA_GONE:
        oa_pace_congested(&o->pace, j->ep, j->sent, now, wait, true);
        break;
    case OA_AGAIN:
        if (j->answer.code == DRH_E_TIMEOUT) {
            oa_pace_congested(&o->pace, j->ep, j->sent, now, 0, false);
        } else {
            oa_pace_failed(&o->pace, j->ep, now);
        }
        break;
    case OA_FAIL: /* the server works, the request does not; or it was cancelled */
        if (j->answer.code == DRH_E_CANCELLED || j->answer.code == DRH_E_NOMEM) {
            j->ep->in_flight--;
            break;
        }
        /* fall through */
    case OA_GOOD:
        oa_pace_good(j->ep);
        j->ep->good += v == OA_GOOD;
        break;
    case OA_HALT:
    case OA_SPENT:
    default:
        oa_pace_failed(&o->pace, j->ep, now);
    }
}

/* What it cost.  A request that broke off may have been worked on; one that was refused was not. */
static void account(struct oa *o, const struct oa_job *j, enum oa_verdict v)
{
    const struct oa_answer *a = &j->answer;
    bool                    worked_on = v == OA_GOOD || a->n_in >= 0 || a->text.len > 0 ||
                     (v == OA_AGAIN && (j->status == 200 || a->code == DRH_E_TIMEOUT)) ||
                     (v == OA_FAIL && a->code == DRH_E_CANCELLED && j->status == 200);

    if (!worked_on || j->phase != OA_ASK) {
        oa_spend_take(&o->spend, &j->hold, 0, 0, 0, 0);
    } else {
        oa_spend_take(&o->spend, &j->hold, a->n_in, a->n_out, j->hold.n_in, (double)a->text.len);
    }
}

static void describe(const struct oa_job *j, char *out, size_t cap)
{
    (void)snprintf(out, cap, "%.120s: %s", j->ep->name, j->answer.words);
}

static uint64_t all_good(const struct oa *o)
{
    uint64_t n = 0;

    for (size_t i = 0; i < o->n_ep; i++) {
        n += o->ep[i].good;
    }
    return n;
}

/* A failure counts against the request when others were answered since its first one, or nearly
 * none are left that could be.  Else it is the servers that fail, and patience has the last word.
 */
static bool counts(const struct oa *o, const struct oa_job *j)
{
    return all_good(o) > j->good_seen || o->n_jobs < FEW;
}

/* When a request that failed is to be repeated; 0: never. */
static double repeat_at(struct oa *o, struct oa_job *j, enum oa_verdict v, double now)
{
    double wait = j->retry_ms / 1000.0;

    switch (v) {
    case OA_BUSY:
        return ++j->refused >= MOST_REFUSALS ? 0 : now + wait + oa_pause(&o->pace, 0);
    case OA_GONE:
    case OA_AGAIN:
        j->good_seen = j->failed ? j->good_seen : all_good(o);
        if (counts(o, j) && ++j->tries >= o->opt.tries) {
            return 0;
        }
        return now + wait + oa_pause(&o->pace, j->failed++);
    case OA_GOOD:
    case OA_FAIL:
    case OA_HALT:
    case OA_SPENT:
    default:
        return 0;
    }
}

/* After an answer: the job is in a list again, or to be completed. */
static bool goes_on(struct oa *o, struct oa_job *j, enum oa_verdict *v, double now)
{
    double at;

    if (*v == OA_HALT || *v == OA_SPENT) {
        char words[400];
        describe(j, words, sizeof(words));
        halt(o, *v == OA_SPENT ? DRH_E_BUDGET : j->answer.code, *v == OA_HALT ? DRH_ERR_STOP : 0,
             words);
        put_ready(o, j); /* is answered with the others, when what is under way has come in */
        return true;
    }
    if (*v == OA_GOOD) {
        if (oa_job_next(j)) {
            put_ready(o, j);
            return true;
        }
        return false;
    }
    at = j->cancelled ? 0 : repeat_at(o, j, *v, now);
    if (at > 0) {
        drh_logf(o->host, DRH_LOG_DEBUG, "%s: %s; asked for again in %.2g s", j->ep->name,
                 j->answer.words, at - now);
        put_delayed(o, j, at);
        return true;
    }
    return false;
}

/* A server that finds the first requests all wrong would go on like that: a parameter that it does
 * not know, a model without a template. */
static enum oa_verdict all_wrong(struct oa_job *j, enum oa_verdict v)
{
    if (v == OA_FAIL && j->answer.code == DRH_E_ARG && j->ep->good == 0 &&
        ++j->ep->bad >= WRONG_AT_FIRST) {
        j->answer.code = DRH_E_CONFIG;
        return OA_HALT;
    }
    return v;
}

static void arrive(struct oa *o, struct oa_job *j)
{
    enum oa_verdict v;
    bool            on, sent = j->sent > 0;
    double          now = oa_now();

    if (!sent) { /* cancelled, or too late, before it could be */
        j->answer.code = j->st;
        oa_words(&j->answer, "", drh_str_of(j->e.message), NULL);
        v = OA_FAIL;
    } else {
        v = all_wrong(j, oa_job_judge(j));
    }
    (void)pthread_mutex_lock(&o->lock);
    if (sent) {
        pace_by(o, j, v, now);
        account(o, j, v);
        j->sent = 0;
    }
    on = goes_on(o, j, &v, now);
    o->n_jobs -= !on;
    (void)pthread_mutex_unlock(&o->lock);
    if (!on) {
        oa_job_complete(j, v);
        oa_job_free(j);
    }
}

/* ---- time; under the lock ---- */

/* Delayed jobs that are due become ready; those that are too late arrive with that. */
static double move_due(struct oa *o, double now)
{
    double         next = now + LONGEST_SLEEP;
    struct oa_job *j, *after;

    for (j = o->delayed; j; j = after) {
        after = j->next;
        if (j->due <= now) {
            take(o, j);
            put_ready(o, j);
        } else if (j->due < next) {
            next = j->due;
        }
    }
    for (j = o->ready; j; j = after) {
        after = j->next;
        if (j->deadline > 0 && j->deadline <= now) {
            take(o, j);
            j->st = drh_fail(&j->e, DRH_E_TIMEOUT, "no answer within the time for the request");
            put_arrived(o, j);
        }
    }
    for (size_t i = 0; i < o->n_ep; i++) {
        if (o->ep[i].closed_until > now && o->ep[i].closed_until < next) {
            next = o->ep[i].closed_until;
        }
    }
    return next;
}

/* Nobody has answered for too long, or says that nobody will. */
static void check_patience(struct oa *o, double now)
{
    double least = (double)INFINITY, wait = (double)INFINITY;
    char   words[300];

    for (size_t i = 0; i < o->n_ep; i++) {
        double since = o->ep[i].failing_since; /* from failure to failure: a slow answer is none */
        double failing = since > 0 ? o->ep[i].failed_at - since : 0;
        double closed = o->ep[i].closed_until - now;
        least = failing < least ? failing : least;
        wait = closed < wait ? closed : wait;
    }
    if (wait > o->opt.patience && wait > o->pace.longest_pause) {
        (void)snprintf(words, sizeof(words),
                       "%.150s asks to wait %.0f s, more than patience allows; go on then",
                       o->ep[0].name, wait);
        halt(o, DRH_E_NETWORK, DRH_ERR_STOP, words);
    } else if (least > o->opt.patience) {
        (void)snprintf(words, sizeof(words),
                       "%.150s%s: no good answer for %.0f s (patience); go on when the server is "
                       "well",
                       o->ep[0].name, o->n_ep > 1 ? " and the others" : "", least);
        halt(o, DRH_E_NETWORK, DRH_ERR_STOP, words);
    }
}

/* Everything ends with the same answer, once what was under way has come in. */
static struct oa_job *take_halted(struct oa *o)
{
    struct oa_job *j = NULL;

    if (o->halt.code != DRH_OK && o->n_flying == 0 && !o->arrived) {
        j = o->ready ? o->ready : o->delayed;
        if (j) {
            take(o, j);
            o->n_jobs--;
        }
    }
    return j;
}

static void wait_until(struct oa *o, double when)
{
    struct timespec t = {(time_t)when, (long)((when - floor(when)) * 1e9)};

    (void)pthread_cond_timedwait(&o->moved, &o->lock, &t);
}

/* One thing that is to be done without the lock.  False: nothing is. */
static bool work(struct oa *o)
{
    struct oa_job *j = o->arrived;

    if (j) {
        take(o, j);
        (void)pthread_mutex_unlock(&o->lock);
        arrive(o, j);
        (void)pthread_mutex_lock(&o->lock);
        return true;
    }
    j = take_halted(o);
    if (j) {
        drh_error why = o->halt;
        (void)pthread_mutex_unlock(&o->lock);
        oa_job_refuse(j, &why);
        oa_job_free(j);
        (void)pthread_mutex_lock(&o->lock);
    }
    return j != NULL;
}

static void *run(void *arg)
{
    struct oa *o = arg;

    (void)pthread_mutex_lock(&o->lock);
    while (!o->quit || o->n_jobs) {
        double now, next;

        if (work(o)) {
            continue;
        }
        now = oa_now();
        next = move_due(o, now);
        if (o->n_jobs && o->halt.code == DRH_OK) {
            check_patience(o, now);
        }
        send_ready(o, now);
        if (!o->arrived &&
            !(o->halt.code != DRH_OK && o->n_flying == 0 && (o->ready || o->delayed)) &&
            (!o->quit || o->n_jobs)) {
            wait_until(o, next);
        }
    }
    (void)pthread_mutex_unlock(&o->lock);
    return NULL;
}

/* ---- the host's side ---- */

drh_status oa_queue_submit(struct oa *o, const drh_infer_req *q, drh_infer_call *call, drh_error *e)
{
    drh_status     st = oa_check_request(o, q, e);
    struct oa_job *j = st == DRH_OK ? oa_job_new(o, q, call) : NULL;
    double         now = oa_now(), most = o->opt.deadline;

    if (st == DRH_E_UNSUPPORTED) { /* so it is for every request of that stage */
        e->flags |= DRH_ERR_STOP;
        return DRH_E_CONFIG;
    }
    if (!j) {
        return st == DRH_OK ? drh_fail(e, DRH_E_NOMEM, "out of memory for a request") : st;
    }
    if (q->deadline_ms && (most <= 0 || q->deadline_ms / 1000.0 < most)) {
        most = q->deadline_ms / 1000.0;
    }
    j->deadline = most > 0 ? now + most : 0;
    (void)pthread_mutex_lock(&o->lock);
    o->n_jobs++;
    put_ready(o, j);
    (void)pthread_cond_signal(&o->moved);
    (void)pthread_mutex_unlock(&o->lock);
    return DRH_OK;
}

static void cancel_in(struct oa *o, struct oa_job *list, const drh_infer_call *call)
{
    struct oa_job *after;

    for (struct oa_job *j = list; j; j = after) {
        after = j->next;
        if (call && j->call != call) {
            continue;
        }
        j->cancelled = true;
        if (j->flying) {
            o->http->cancel(o->host, j->http_id);
        } else {
            take(o, j);
            j->st = drh_fail(&j->e, DRH_E_CANCELLED, "cancelled");
            put_arrived(o, j);
        }
    }
}

void oa_queue_cancel(struct oa *o, const drh_infer_call *call)
{
    (void)pthread_mutex_lock(&o->lock);
    cancel_in(o, o->ready, call);
    cancel_in(o, o->delayed, call);
    cancel_in(o, o->flying, call);
    (void)pthread_mutex_unlock(&o->lock);
}

drh_status oa_queue_start(struct oa *o, drh_error *e)
{
    if (pthread_create(&o->thread, NULL, run, o) != 0) {
        return drh_fail(e, DRH_E_NOMEM, "cannot start a thread");
    }
    o->running = true;
    return DRH_OK;
}

void oa_queue_stop(struct oa *o)
{
    if (!o->running) {
        return;
    }
    oa_queue_cancel(o, NULL);
    (void)pthread_mutex_lock(&o->lock);
    o->quit = true;
    (void)pthread_cond_signal(&o->moved);
    (void)pthread_mutex_unlock(&o->lock);
    (void)pthread_join(o->thread, NULL);
    o->running = false;
}
