/* SPDX-License-Identifier: MIT
 * server.c - a thread for each connection, requests one after the other on it. */
#include "hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEAD_MAX = 64 << 10, BODY_MAX = 64 << 20 };

static void answer_error(struct call *c, int status)
{
    reply_textf(&c->r, status, "text/plain", "%d %s\n", status, status_text(status));
    c->r.close = true;
}

/* The head with its empty line, taken out of what was read; NULL: the connection has ended. */
static char *read_head(struct conn *c, size_t *n, int *status)
{
    double idle = (double)setting(&c->hub->settings, NET_IDLE);
    char  *head, *end;

    *status = 0;
    while (!c->in_n || !(end = strstr(c->in, "\r\n\r\n"))) {
        if (c->in_n > HEAD_MAX) {
            *status = 431;
            return xdup("");
        }
        if (!conn_fill(c, idle)) {
            return NULL;
        }
        if (strlen(c->in) != c->in_n && !strstr(c->in, "\r\n\r\n")) {
            *status = 400; /* a 0 in the head */
            return xdup("");
        }
    }
    *n = (size_t)(end - c->in) + 4;
    head = xdupn(c->in, *n);
    memmove(c->in, c->in + *n, c->in_n - *n + 1);
    c->in_n -= *n;
    return head;
}

/* false: no body can be read; *status says what to answer, 0 nothing. */
static bool read_request_body(struct conn *c, struct request *q, int *status)
{
    const char *length = request_field(q, "Content-Length");
    const char *expect = request_field(q, "Expect");
    size_t      n = length ? strtoul(length, NULL, 10) : 0;

    *status = request_field(q, "Transfer-Encoding") ? 411 : n > BODY_MAX ? 413 : 0;
    if (*status) {
        return false;
    }
    if (n && expect && !conn_send(c, "HTTP/1.1 100 Continue\r\n\r\n", 25, false)) {
        return false;
    }
    while (c->in_n < n) {
        if (!conn_fill(c, 10)) {
            return false;
        }
    }
    if (n) {
        q->body = xdupn(c->in, n);
        q->body_n = n;
        memmove(c->in, c->in + n, c->in_n - n + 1);
        c->in_n -= n;
    }
    return true;
}

/* /__hop/N/TARGET: N more redirects, then TARGET.  false: answered. */
static bool hop(struct call *c)
{
    char           *end;
    unsigned long   n;
    struct request *q = &c->q;

    if (!starts_with(q->target, "/__hop/")) {
        return true;
    }
    n = strtoul(q->target + 7, &end, 10);
    if (n) {
        reply_text(&c->r, 302, "text/plain", "");
        reply_setf(&c->r, "Location", "/__hop/%lu%s", n - 1, end);
        return false;
    }
    c->hopped = true;
    return request_retarget(q, end);
}

static void route(struct call *c)
{
    if (c->port->kind != PORT_CTL && !hop(c)) {
        return;
    }
    switch (c->port->kind) {
    case PORT_HUB:
        hf_route(c);
        break;
    case PORT_MS:
        ms_route(c);
        break;
    case PORT_CDN:
    case PORT_OSS:
        cdn_route(c);
        break;
    case PORT_CTL:
        ctl_route(c);
        break;
    }
}

void answer_again(struct call *c)
{
    bool close = c->r.close;

    reply_free(&c->r);
    c->r.close = close;
    route(c);
}

static void most(atomic_int *now, atomic_int *peak)
{
    int n = atomic_fetch_add(now, 1) + 1, old = atomic_load(peak);

    while (old < n && !atomic_compare_exchange_weak(peak, &old, n)) {
    }
}

static void answer(struct call *c)
{
    struct file *f;

    atomic_fetch_add(&c->port->requests, 1);
    most(&c->port->now, &c->port->most);
    call_account(c);
    route(c);
    if (c->port->kind != PORT_CTL) {
        faults_apply(c);
    }
    f = c->r.file;
    if (f) {
        most(&f->now, &f->most);
    }
    send_call(c);
    if (f) {
        atomic_fetch_sub(&f->now, 1);
    }
    atomic_fetch_sub(&c->port->now, 1);
    if (c->port->kind != PORT_CTL) {
        log_call(c);
    }
}

/* One request; false: the connection ends in the way of *how. */
static bool one_call(struct conn *conn, enum ending *how)
{
    struct call c;
    const char *token;
    char       *head;
    size_t      n = 0;
    int         early, status;
    bool        good, again;

    memset(&c, 0, sizeof(c));
    plan_init(&c.plan);
    head = read_head(conn, &n, &early);
    if (!head) {
        return false;
    }
    c.hub = conn->hub;
    c.conn = conn;
    c.port = conn->port;
    c.nth = ++conn->requests;
    c.t = clock_wall();
    good = request_parse(&c.q, head, n, &status);
    if (good && read_request_body(conn, &c.q, &status)) {
        token = request_field(&c.q, "Connection");
        c.r.close = (token && strcasecmp(token, "close") == 0) ||
                    (c.q.http10 && !(token && strcasecmp(token, "keep-alive") == 0));
        answer(&c);
    } else {
        answer_error(&c, early ? early : status ? status : 400);
        send_call(&c);
        log_call(&c);
    }
    again = !c.r.close;
    *how = /* an end that was planned, or the usual one */
        c.plan.cut || c.plan.hang_up || c.plan.close_after ? c.plan.cut_how : END_FIN;
    request_free(&c.q);
    reply_free(&c.r);
    sb_free(&c.plan.names);
    return again;
}

static void list_out(struct conn *c)
{
    struct hub *h = c->hub;

    (void)pthread_mutex_lock(&h->lock);
    *(c->prev ? &c->prev->next : &h->conns) = c->next;
    if (c->next) {
        c->next->prev = c->prev;
    }
    (void)pthread_mutex_unlock(&h->lock);
}

static void count_out(struct hub *h, bool ctl)
{
    (void)pthread_mutex_lock(&h->lock);
    *(ctl ? &h->n_ctl : &h->n_conns) -= 1;
    wake(h);
    (void)pthread_cond_broadcast(&h->changed);
    (void)pthread_mutex_unlock(&h->lock);
}

static void *run_conn(void *arg)
{
    struct conn *c = arg;
    struct hub  *h = c->hub;
    bool         ctl = c->port->kind == PORT_CTL;
    enum ending  how = END_FIN;

    if (faults_accept(&h->faults, c, &how) && (!c->port->tls || conn_handshake(c))) {
        while (!atomic_load(&h->stop) && one_call(c, &how)) {
        }
    }
    list_out(c);
    conn_free(c, how);
    count_out(h, ctl);
    return NULL;
}

void start_conn(struct hub *h, struct port *p, int fd)
{
    struct conn   *c = conn_new(h, p, fd);
    bool           ctl = p->kind == PORT_CTL;
    pthread_attr_t a;
    pthread_t      t;

    atomic_fetch_add(&p->connections, 1);
    (void)pthread_mutex_lock(&h->lock);
    c->next = h->conns;
    if (c->next) {
        c->next->prev = c;
    }
    h->conns = c;
    *(ctl ? &h->n_ctl : &h->n_conns) += 1;
    (void)pthread_mutex_unlock(&h->lock);
    (void)pthread_attr_init(&a);
    (void)pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&a, 1 << 20);
    if (pthread_create(&t, &a, run_conn, c) != 0) {
        list_out(c);
        conn_free(c, END_RST);
        count_out(h, ctl);
    }
    (void)pthread_attr_destroy(&a);
}
