/* SPDX-License-Identifier: MIT
 * http.c - see http.h.  A call lives on the network thread from http_start() to its sink's done().
 */
#include "http.h"

#include "trip.h"

#include <drh/hub.h>
#include <pthread.h>

enum { MOST_DISCARDED = 1 << 20, SAY_WAIT_S = 5 };

struct call {
    struct call     *next, **prev; /* in http->calls; under its lock */
    struct http     *http;
    uint64_t         id;
    uint32_t         flags, tries, tried, stall_ms;
    double           deadline; /* 0: none */
    char            *method;   /* owned; NULL: by the body */
    char            *body;     /* owned */
    size_t           n_body;
    bool             has_body;
    bool             as_get; /* a redirect has made a GET of it */
    drh_http_sink    sink;
    struct trip      trip;
    struct exchange  x;
    struct net_timer again, late;
    struct net_work  begin, stop;
    bool             stop_asked; /* under the lock: `stop` is posted */
    bool             stop_ran, ended;
    bool             discard; /* of this answer nothing is given on */
    uint64_t         discarded;
    bool             given; /* the head, or some of the body */
    bool             whole; /* the sink takes an answer again from its head */
    drh_status       sink_says;
};

struct http {
    struct net     *net;
    const drh_host *host;
    pthread_mutex_t lock;
    struct call    *calls;
    uint64_t        last_id;
};

/* ---- the end ---- */

static void call_free(struct call *c)
{
    const drh_host *h = c->http->host;

    exchange_free(&c->x);
    trip_free(&c->trip);
    (void)h->alloc(h, c->method, 0);
    if (c->body) {
        explicit_bzero(c->body, c->n_body);
    }
    (void)h->alloc(h, c->body, 0);
    (void)h->alloc(h, c, 0);
}

static void leave(struct call *c, bool *stop_pending)
{
    struct http *http = c->http;

    (void)pthread_mutex_lock(&http->lock);
    *c->prev = c->next;
    if (c->next) {
        c->next->prev = c->prev;
    }
    *stop_pending = c->stop_asked && !c->stop_ran;
    (void)pthread_mutex_unlock(&http->lock);
}

static void end(struct call *c, drh_status st, const drh_error *e)
{
    drh_error none = DRH_ERROR_INIT;
    bool      stop_pending;

    net_timer_clear(&c->again);
    net_timer_clear(&c->late);
    exchange_stop(&c->x);
    c->sink.done(c->sink.ctx, st, e ? e : &none);
    leave(c, &stop_pending);
    c->ended = true;
    if (!stop_pending) {
        call_free(c);
    }
}

static void on_stop(void *arg)
{
    struct call *c = arg;
    drh_error    e = DRH_ERROR_INIT;

    c->stop_ran = true;
    if (c->ended) {
        call_free(c);
        return;
    }
    end(c, drh_fail(&e, DRH_E_CANCELLED, "the request was cancelled"), &e);
}

static void on_late(void *arg)
{
    struct call *c = arg;
    drh_error    e = DRH_ERROR_INIT;
    char         plain[200];

    if (net_stopping(c->http->net)) {
        end(c, drh_fail(&e, DRH_E_CANCELLED, "the request was cancelled"), &e);
        return;
    }
    (void)drh_fail(&e, DRH_E_TIMEOUT, "%s: no whole answer within the time given for it",
                   url_plain(trip_url(&c->trip), plain, sizeof(plain)));
    end(c, DRH_E_TIMEOUT, &e);
}

/* ---- an answer ---- */

static void go(void *arg);

static bool may_repeat(const struct call *c)
{
    return (c->whole || !c->given) && (!c->has_body || (c->flags & DRH_HTTP_REPEATABLE)) &&
           c->tried < c->tries && !net_stopping(c->http->net);
}

static bool is_transient(uint32_t status)
{
    return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 ||
           status == 503 || status == 504 || (status >= 520 && status <= 524);
}

static bool on_head(struct exchange *x)
{
    struct call *c = x->owner;
    uint32_t     status = x->answer.status;

    c->discard = (trip_is_redirect(status) && !(c->flags & DRH_HTTP_NO_REDIRECT)) ||
                 (is_transient(status) && may_repeat(c));
    c->discarded = 0;
    if (!c->discard && c->sink.head) {
        c->given = true;
        c->sink_says = c->sink.head(c->sink.ctx, &x->answer);
    }
    return c->sink_says == DRH_OK;
}

static bool on_body(struct exchange *x, const char *p, size_t n)
{
    struct call *c = x->owner;

    if (c->discard) {
        c->discarded += n;
        return c->discarded <= MOST_DISCARDED;
    }
    c->given = true;
    if (c->sink.body) {
        c->sink_says = c->sink.body(c->sink.ctx, p, n);
    }
    return c->sink_says == DRH_OK;
}

static void repeat(struct call *c)
{
    struct net *n = c->http->net;

    trip_back(&c->trip);
    c->as_get = false;
    net_timer_set(n, &c->again, net_now() + limit_pause(net_limits(n), c->tried - 1));
}

/* 303 asks for a GET, and of a POST 301 and 302 make one, as is the custom; 307 and 308 repeat the
 * request (RFC 9110, 15.4). */
static bool turns_into_get(const struct call *c, uint32_t status)
{
    if (status == 303) {
        return !c->method || strcmp(c->method, "HEAD") != 0;
    }
    return status < 303 && (c->method ? strcmp(c->method, "POST") == 0 : c->has_body);
}

static void follow(struct call *c)
{
    drh_error  e = DRH_ERROR_INIT;
    char       plain[160];
    drh_str    to = drh_hub_header(&c->x.answer, "location");
    uint32_t   status = c->x.answer.status;
    drh_status st;

    (void)url_plain(trip_url(&c->trip), plain, sizeof(plain));
    st = trip_follow(&c->trip, to, &e);
    if (st != DRH_OK) {
        char why[240];
        (void)snprintf(why, sizeof(why), "%.200s", e.message);
        (void)drh_fail(&e, st, "%s answers %u: %s", plain, status, why);
        end(c, st, &e);
        return;
    }
    c->as_get = c->as_get || turns_into_get(c, status);
    if (c->has_body && !c->as_get && !c->trip.at_home) { /* it was meant for who was asked */
        (void)drh_fail(&e, DRH_E_NETWORK,
                       "%s answers %u: it redirects to another host, which does not get the body "
                       "of the request",
                       plain, status);
        end(c, DRH_E_NETWORK, &e);
        return;
    }
    go(c);
}

static void on_done(struct exchange *x)
{
    struct call *c = x->owner;
    drh_error    e = DRH_ERROR_INIT;
    drh_status   st = DRH_OK;

    if (net_stopping(c->http->net)) {
        end(c, drh_fail(&e, DRH_E_CANCELLED, "the request was cancelled"), &e);
    } else if (c->sink_says != DRH_OK) {
        end(c, drh_fail(&e, c->sink_says, "the receiver stopped the answer"), &e);
    } else if (x->has_head && trip_is_redirect(x->answer.status) && c->discard) {
        follow(c);
    } else if (x->has_head && c->discard) {
        repeat(c);
    } else if (x->code == CURLE_OK) {
        end(c, DRH_OK, NULL);
    } else {
        st = exchange_failure(x, &e);
        if (st != DRH_E_AUTH && st != DRH_E_NOMEM && may_repeat(c)) {
            repeat(c);
        } else {
            end(c, st, &e);
        }
    }
}

/* ---- the beginning ---- */

static void say_wait(const struct call *c, double wait)
{
    char plain[160];

    if (wait >= SAY_WAIT_S) {
        drh_logf(c->http->host, DRH_LOG_INFO, "%s: the server asks to wait %.0f s",
                 url_plain(trip_url(&c->trip), plain, sizeof(plain)), wait);
    }
}

/* Sends the request to where the trip is now, when its origin lets it. */
static void go(void *arg)
{
    struct call  *c = arg;
    struct net   *n = c->http->net;
    drh_error     e = DRH_ERROR_INIT;
    struct origin o;
    double        wait;
    drh_status    st = net_stopping(n) ? drh_fail(&e, DRH_E_CANCELLED, "the request was cancelled")
                                       : url_origin(trip_url(&c->trip), &o, &e);

    if (st != DRH_OK) {
        end(c, st, &e);
        return;
    }
    wait = c->flags & DRH_HTTP_OWN_PACE
               ? 0
               : limit_wait(limit_gate(net_limits(n), &o, GATE_CALLS), net_now());
    if (wait > 0) {
        say_wait(c, wait);
        net_timer_set(n, &c->again, net_now() + wait);
        return;
    }
    c->tried += c->trip.redirects == 0;
    c->x.owner = c;
    c->x.url = trip_url(&c->trip);
    c->x.headers = trip_headers(&c->trip);
    c->x.method = c->as_get ? NULL : c->method;
    c->x.body = (drh_str){c->has_body && !c->as_get ? c->body : NULL, c->n_body};
    c->x.compressed = (c->flags & DRH_HTTP_COMPRESSED) != 0;
    c->x.stall_ms = c->stall_ms;
    c->x.on_head = on_head;
    c->x.on_body = on_body;
    c->x.on_done = on_done;
    st = exchange_start(n, &c->x, &e);
    if (st != DRH_OK) {
        end(c, st, &e);
    }
}

static void begin(void *arg)
{
    struct call *c = arg;

    if (c->deadline > 0) {
        net_timer_set(c->http->net, &c->late, c->deadline);
    }
    go(c);
}

static char *copy(const drh_host *h, drh_str s)
{
    char *p = h->alloc(h, NULL, s.len + 1);

    if (p) {
        if (s.len) {
            memcpy(p, s.ptr, s.len);
        }
        p[s.len] = '\0';
    }
    return p;
}

static drh_status fill(struct call *c, const drh_http_req *req, drh_error *e)
{
    const drh_host           *h = c->http->host;
    const struct net_options *o = net_options(c->http->net);

    c->flags = req->flags;
    c->tries = req->tries ? req->tries : o->tries;
    c->stall_ms = req->stall_ms;
    c->deadline = req->deadline_ms ? net_now() + req->deadline_ms / 1000.0 : 0;
    c->again = (struct net_timer){.fn = go, .arg = c};
    c->late = (struct net_timer){.fn = on_late, .arg = c};
    c->begin = (struct net_work){.fn = begin, .arg = c};
    c->stop = (struct net_work){.fn = on_stop, .arg = c};
    if (req->method.ptr) {
        c->method = copy(h, req->method);
    }
    if (req->body.ptr) {
        c->has_body = true;
        c->body = copy(h, req->body);
        c->n_body = req->body.len;
    }
    if ((req->method.ptr && !c->method) || (req->body.ptr && !c->body)) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a request");
    }
    return trip_new(&c->trip, h, req, e);
}

drh_status http_begin(struct http *http, const drh_http_req *req, const drh_http_sink *sink,
                      bool whole, uint64_t *id, drh_error *e)
{
    const drh_host *h = http->host;
    struct call    *c = h->alloc(h, NULL, sizeof(*c));
    drh_status      st;

    if (!c) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a request");
    }
    memset(c, 0, sizeof(*c));
    c->http = http;
    c->sink = *sink;
    c->whole = whole;
    st = fill(c, req, e);
    if (st != DRH_OK) {
        call_free(c);
        return st;
    }
    (void)pthread_mutex_lock(&http->lock);
    c->id = ++http->last_id;
    c->next = http->calls;
    c->prev = &http->calls;
    if (c->next) {
        c->next->prev = &c->next;
    }
    http->calls = c;
    *id = c->id;
    (void)pthread_mutex_unlock(&http->lock);
    net_post(http->net, &c->begin);
    return DRH_OK;
}

drh_status http_start(struct http *http, const drh_http_req *req, const drh_http_sink *sink,
                      uint64_t *id, drh_error *e)
{
    return http_begin(http, req, sink, false, id, e);
}

void http_cancel(struct http *http, uint64_t id)
{
    struct call *c;

    (void)pthread_mutex_lock(&http->lock);
    for (c = http->calls; c && c->id != id; c = c->next) {
    }
    if (c && !c->stop_asked) {
        c->stop_asked = true;
        net_post(http->net, &c->stop);
    }
    (void)pthread_mutex_unlock(&http->lock);
}

drh_status http_new(struct http **out, struct net *n, drh_error *e)
{
    const drh_host *h = net_host(n);
    struct http    *http = h->alloc(h, NULL, sizeof(*http));

    *out = http;
    if (!http) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a service");
    }
    *http = (struct http){.net = n, .host = h};
    (void)pthread_mutex_init(&http->lock, NULL);
    return DRH_OK;
}

void http_free(struct http *http)
{
    if (http) {
        (void)pthread_mutex_destroy(&http->lock);
        (void)http->host->alloc(http->host, http, 0);
    }
}
