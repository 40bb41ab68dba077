/* SPDX-License-Identifier: MIT
 * http_call.c - http_call(): an answer as a whole, for those who wait for it. */
#include "http.h"

#include <errno.h>
#include <drh/hub.h>
#include <pthread.h>
#include <time.h>

static const uint64_t DEFAULT_MOST = 64u << 20;

/* The answer and all that it points to; `a` comes first, for release(). */
struct whole {
    drh_http_answer  a;
    drh_http_header *header;
    drh_text         text; /* url, names and values, each 0-terminated */
    drh_text         body;
};

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t  moved;
    struct whole   *w;
    uint64_t        most;
    bool            done, too_long;
    drh_status      st;
    drh_error       e;
};

static drh_status take_head(struct whole *w, const drh_http_answer *a)
{
    const drh_host *h = w->text.host;
    const char     *p;

    (void)h->alloc(h, w->header, 0); /* of a try that broke off */
    drh_text_clear(&w->text);
    drh_text_clear(&w->body);
    w->header = h->alloc(h, NULL, (a->n_headers + 1) * sizeof(*w->header));
    drh_text_add(&w->text, a->url.ptr, a->url.len + 1);
    for (size_t i = 0; i < a->n_headers; i++) {
        drh_text_add(&w->text, a->headers[i].name.ptr, a->headers[i].name.len + 1);
        drh_text_add(&w->text, a->headers[i].value.ptr, a->headers[i].value.len + 1);
    }
    if (!w->header || w->text.failed) {
        return DRH_E_NOMEM;
    }
    p = w->text.ptr;
    w->a.url = (drh_str){p, a->url.len};
    p += a->url.len + 1;
    for (size_t i = 0; i < a->n_headers; i++) {
        w->header[i].name = (drh_str){p, a->headers[i].name.len};
        p += a->headers[i].name.len + 1;
        w->header[i].value = (drh_str){p, a->headers[i].value.len};
        p += a->headers[i].value.len + 1;
    }
    w->a.status = a->status;
    w->a.headers = w->header;
    w->a.n_headers = a->n_headers;
    return DRH_OK;
}

static drh_status on_head(void *ctx, const drh_http_answer *a)
{
    return take_head(((struct waiter *)ctx)->w, a);
}

static drh_status on_body(void *ctx, const void *p, size_t n)
{
    struct waiter *x = ctx;

    if (n > x->most - x->w->body.len) {
        x->too_long = true;
        return DRH_E_RANGE;
    }
    drh_text_add(&x->w->body, p, n);
    return x->w->body.failed ? DRH_E_NOMEM : DRH_OK;
}

static void on_done(void *ctx, drh_status st, const drh_error *e)
{
    struct waiter *x = ctx;

    (void)pthread_mutex_lock(&x->lock);
    x->st = st;
    x->e = *e;
    x->done = true;
    (void)pthread_cond_signal(&x->moved);
    (void)pthread_mutex_unlock(&x->lock);
}

static void wait_for(struct http *http, const drh_host *h, struct waiter *x, uint64_t id)
{
    bool asked = false;

    (void)pthread_mutex_lock(&x->lock);
    while (!x->done) {
        struct timespec t;
        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_nsec += 100 * 1000 * 1000;
        if (t.tv_nsec >= 1000 * 1000 * 1000) {
            t.tv_nsec -= 1000 * 1000 * 1000;
            t.tv_sec++;
        }
        if (pthread_cond_timedwait(&x->moved, &x->lock, &t) == ETIMEDOUT && !asked &&
            h->cancelled(h)) {
            asked = true;
            (void)pthread_mutex_unlock(&x->lock);
            http_cancel(http, id);
            (void)pthread_mutex_lock(&x->lock);
        }
    }
    (void)pthread_mutex_unlock(&x->lock);
}

static drh_status outcome(const struct waiter *x, const drh_http_req *req, drh_error *e)
{
    char plain[160], url[512];

    if (x->st == DRH_OK) {
        return DRH_OK;
    }
    if (!x->too_long) {
        if (x->st == DRH_E_NOMEM) {
            return drh_fail(e, x->st, "out of memory for an answer");
        }
        (void)drh_fail(e, x->st, "%s", x->e.message);
        if (e) { /* the caller's may be shorter, but has these */
            e->flags = x->e.flags;
            e->retry_after_ms = x->e.retry_after_ms;
        }
        return x->st;
    }
    (void)snprintf(url, sizeof(url), "%.*s", (int)(req->url.len < 500 ? req->url.len : 500),
                   req->url.ptr);
    return drh_fail(e, DRH_E_RANGE, "%s: the answer is longer than %llu MiB",
                    url_plain(url, plain, sizeof(plain)), (unsigned long long)(x->most >> 20));
}

drh_status http_call(struct http *http, const drh_host *h, const drh_http_req *req,
                     const drh_http_answer **out, drh_error *e)
{
    struct waiter      x = {.most = req->max_answer ? req->max_answer : DEFAULT_MOST};
    drh_http_sink      sink = {sizeof(sink), 0, &x, on_head, on_body, on_done};
    pthread_condattr_t attr;
    uint64_t           id;
    drh_status         st;

    *out = NULL;
    x.w = h->alloc(h, NULL, sizeof(*x.w));
    if (!x.w) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for an answer");
    }
    memset(x.w, 0, sizeof(*x.w));
    x.w->a.struct_size = sizeof(x.w->a);
    x.w->text.host = x.w->body.host = h;
    (void)pthread_mutex_init(&x.lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&x.moved, &attr);
    (void)pthread_condattr_destroy(&attr);
    st = http_begin(http, req, &sink, true, &id, e);
    if (st == DRH_OK) {
        wait_for(http, h, &x, id);
        st = outcome(&x, req, e);
    }
    (void)pthread_cond_destroy(&x.moved);
    (void)pthread_mutex_destroy(&x.lock);
    x.w->a.body = drh_text_str(&x.w->body);
    if (st != DRH_OK) {
        http_release(h, &x.w->a);
        return st;
    }
    *out = &x.w->a;
    return DRH_OK;
}

void http_release(const drh_host *h, const drh_http_answer *a)
{
    struct whole *w = (struct whole *)(uintptr_t)a; /* its first member */

    if (w) {
        drh_text_free(&w->text);
        drh_text_free(&w->body);
        (void)h->alloc(h, w->header, 0);
        (void)h->alloc(h, w, 0);
    }
}
