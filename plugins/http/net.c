/* SPDX-License-Identifier: MIT
 * net.c - see net.h: the thread, its work and its timers. */
#include "net_impl.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum { LONGEST_POLL_MS = 1000, CALLS_KEPT = 1024 /* idle connections of requests */ };

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

void net_post(struct net *n, struct net_work *w)
{
    w->next = NULL;
    (void)pthread_mutex_lock(&n->lock);
    *n->last = w;
    n->last = &w->next;
    (void)pthread_mutex_unlock(&n->lock);
    (void)curl_multi_wakeup(n->multi);
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

static int poll_ms(const struct net *n)
{
    const double now = net_now();
    double       ms = LONGEST_POLL_MS;

    for (const struct net_timer *t = n->timers; t; t = t->next) {
        double left = (t->when - now) * 1000 + 1;
        ms = left < ms ? left : ms;
    }
    return ms > 0 ? (int)ms : 0;
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

static void *run(void *arg)
{
    struct net *n = arg;
    int         running;

    while (!net_stopping(n)) {
        (void)do_work(n);
        do_timers(n);
        (void)curl_multi_perform(n->multi, &running);
        do_messages(n);
        exchange_end_stalled(n, net_now());
        (void)curl_multi_poll(n->multi, NULL, 0, poll_ms(n), NULL);
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
    n->multi = curl_multi_init();
    if (!n->multi) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for libcurl");
    }
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

void net_free(struct net *n)
{
    if (!n) {
        return;
    }
    if (n->started) {
        __atomic_store_n(&n->stopping, true, __ATOMIC_RELEASE);
        (void)curl_multi_wakeup(n->multi);
        (void)pthread_join(n->thread, NULL);
    }
    (void)curl_multi_cleanup(n->multi);
    (void)pthread_mutex_destroy(&n->lock);
    (void)n->host->alloc(n->host, n, 0);
}
