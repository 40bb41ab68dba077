/* SPDX-License-Identifier: MIT
 * net.c - see net.h: the thread, its work and its timers. */
#include "net_impl.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_POLL_MS = 1000, CALLS_KEPT = 1024 /* idle connections of requests */ };
enum { EVENTS = 256 };
static const double LOOK_S = 0.1;

double net_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

const drh_host *net_host(const struct net *n)
{
    return n->host;
}

const struct net_options *net_options(const struct net *n)
{
    return &n->o;
}

struct limits *net_limits(struct net *n)
{
    return &n->limits;
}

bool net_stopping(const struct net *n)
{
    return __atomic_load_n(&n->stopping, __ATOMIC_ACQUIRE);
}

/* ---- work ---- */

static void wake(const struct net *n)
{
    const uint64_t one = 1;

    (void)!write(n->wake, &one, sizeof(one)); /* full: it is awake anyway */
}

void net_post(struct net *n, struct net_work *w)
{
    w->next = NULL;
    (void)pthread_mutex_lock(&n->lock);
    *n->last = w;
    n->last = &w->next;
    (void)pthread_mutex_unlock(&n->lock);
    wake(n);
}

static bool do_work(struct net *n)
{
    struct net_work *w;

    (void)pthread_mutex_lock(&n->lock);
    w = n->first;
    n->first = NULL;
    n->last = &n->first;
    (void)pthread_mutex_unlock(&n->lock);
    if (!w) {
        return false;
    }
    while (w) {
        struct net_work *next = w->next; /* fn may free w */
        w->fn(w->arg);
        w = next;
    }
    return true;
}

/* ---- timers ---- */

void net_timer_clear(struct net_timer *t)
{
    if (t->prev) {
        *t->prev = t->next;
        if (t->next) {
            t->next->prev = t->prev;
        }
        t->prev = NULL;
        t->next = NULL;
    }
}

/* The list is unsorted: there are a few hundred at most, and a poll looks at them all anyway. */
void net_timer_set(struct net *n, struct net_timer *t, double when)
{
    net_timer_clear(t);
    t->when = when;
    t->next = n->timers;
    t->prev = &n->timers;
    if (t->next) {
        t->next->prev = &t->next;
    }
    n->timers = t;
}

static struct net_timer *due(const struct net *n, double now)
{
    struct net_timer *first = NULL;

    for (struct net_timer *t = n->timers; t; t = t->next) {
        if ((t->when <= now || net_stopping(n)) && (!first || t->when < first->when)) {
            first = t;
        }
    }
    return first;
}

static void do_timers(struct net *n)
{
    const double now = net_now(); /* one that sets itself again waits for the next round */

    for (struct net_timer *t = due(n, now); t; t = due(n, now)) {
        net_timer_clear(t);
        t->fn(t->arg);
    }
}

/* One ms too many rather than a round for nothing. */
static int poll_ms(const struct net *n)
{
    const double now = net_now();
    double       ms = n->open ? LOOK_S * 1000 : LONGEST_POLL_MS;

    if (n->curl_due > 0) {
        double left = (n->curl_due - now) * 1000;
        ms = left < ms ? (left > 0 ? left + 1 : 0) : ms;
    }

    for (const struct net_timer *t = n->timers; t; t = t->next) {
        double left = (t->when - now) * 1000 + 1;
        ms = left < ms ? left : ms;
    }
    return ms > 0 ? (int)ms : 0;
}

/* ---- sockets: what a round costs does not grow with the connections that are open ---- */

/* libcurl wants to know when it may read or write; `known`: it was told before. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct net        *n = arg;
    struct epoll_event ev = {.data.fd = fd};

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(n->ready, EPOLL_CTL_DEL, fd, NULL); /* it may be closed already */
        return 0;
    }
    ev.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    if (epoll_ctl(n->ready, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) != 0) {
        (void)epoll_ctl(n->ready, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev);
    }
    (void)curl_multi_assign(n->multi, fd, n);
    return 0;
}

static int on_curl_timer(CURLM *multi, long ms, void *arg)
{
    struct net *n = arg;

    (void)multi;
    n->curl_due = ms < 0 ? 0 : net_now() + (double)ms / 1000;
    return 0;
}

static void do_curl_timer(struct net *n)
{
    int running;

    if (n->curl_due > 0 && n->curl_due <= net_now()) {
        n->curl_due = 0;
        (void)curl_multi_socket_action(n->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

static void do_sockets(struct net *n)
{
    struct epoll_event ev[EVENTS];
    int                k = epoll_wait(n->ready, ev, EVENTS, poll_ms(n)), running;

    for (int i = 0; i < k; i++) {
        int mask = (ev[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (ev[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (ev[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        if (ev[i].data.fd == n->wake) {
            uint64_t times;
            (void)!read(n->wake, &times, sizeof(times));
        } else {
            (void)curl_multi_socket_action(n->multi, ev[i].data.fd, mask, &running);
        }
    }
}

/* ---- the thread ---- */

static void do_messages(struct net *n)
{
    CURLMsg *m;
    int      left;

    while ((m = curl_multi_info_read(n->multi, &left)) != NULL) {
        struct exchange *x = NULL;
        CURLcode         code = m->data.result;
        if (m->msg == CURLMSG_DONE &&
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x) == CURLE_OK && x) {
            exchange_finish(x, code);
        }
    }
}

/* Each look is at all of them. */
static void end_stalled(struct net *n)
{
    const double now = net_now();

    if (now >= n->looked + LOOK_S) {
        n->looked = now;
        exchange_end_stalled(n, now);
    }
}

static void *run(void *arg)
{
    struct net *n = arg;

    while (!net_stopping(n)) {
        (void)do_work(n);
        do_timers(n);
        do_curl_timer(n);
        do_messages(n);
        end_stalled(n);
        do_sockets(n);
        do_messages(n);
    }
    do { /* each owner is told, and lets go */
        while (n->open) {
            exchange_finish(n->open, CURLE_ABORTED_BY_CALLBACK);
        }
        do_timers(n);
    } while (do_work(n) || n->open || n->timers);
    return NULL;
}

static drh_status start(struct net *n, drh_error *e)
{
    struct epoll_event ev = {.events = EPOLLIN};

    n->multi = curl_multi_init();
    n->ready = epoll_create1(EPOLL_CLOEXEC);
    n->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ev.data.fd = n->wake;
    if (!n->multi || n->ready < 0 || n->wake < 0 ||
        epoll_ctl(n->ready, EPOLL_CTL_ADD, n->wake, &ev) != 0) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for libcurl");
    }
    (void)curl_multi_setopt(n->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(n->multi, CURLMOPT_SOCKETDATA, n);
    (void)curl_multi_setopt(n->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    (void)curl_multi_setopt(n->multi, CURLMOPT_TIMERDATA, n);
    (void)curl_multi_setopt(n->multi, CURLMOPT_MAXCONNECTS, (long)n->o.connections + CALLS_KEPT);
    if (getrandom(&n->limits.random, sizeof(n->limits.random), 0) < 0 || n->limits.random == 0) {
        n->limits.random = (uint64_t)time(NULL) | 1;
    }
    if (pthread_create(&n->thread, NULL, run, n) != 0) {
        return drh_fail(e, DRH_E_NOMEM, "cannot start the network thread");
    }
    n->started = true;
    return DRH_OK;
}

drh_status net_new(struct net **out, const drh_host *h, const struct net_options *o, drh_error *e)
{
    struct net *n = h->alloc(h, NULL, sizeof(*n));
    drh_status  st;

    *out = NULL;
    if (!n) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for the network thread");
    }
    memset(n, 0, sizeof(*n));
    n->host = h;
    n->o = *o;
    n->last = &n->first;
    n->ready = n->wake = -1;
    n->limits.base = o->pause;
    n->limits.cap = o->longest_pause;
    (void)pthread_mutex_init(&n->lock, NULL);
    st = start(n, e);
    if (st != DRH_OK) {
        net_free(n);
        return st;
    }
    *out = n;
    return DRH_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

void net_free(struct net *n)
{
    if (!n) {
        return;
    }
    if (n->started) {
        __atomic_store_n(&n->stopping, true, __ATOMIC_RELEASE);
        wake(n);
        (void)pthread_join(n->thread, NULL);
    }
    (void)curl_multi_cleanup(n->multi); /* it still closes sockets */
    close_fd(n->ready);
    close_fd(n->wake);
    (void)pthread_mutex_destroy(&n->lock);
    (void)n->host->alloc(n->host, n, 0);
}
