/* SPDX-License-Identifier: MIT
 * pool.c - see pool.h. */
#include "pool.h"

#include <pthread.h>

enum { IDLE = 0, QUEUED, RUNNING, AGAIN };
enum { MAX_THREADS = 8 };

struct pool {
    const drh_host *host;
    pthread_mutex_t lock;
    pthread_cond_t  moved;
    struct task    *first, **last;
    bool            stop;
    pthread_t       thread[MAX_THREADS];
    unsigned        n;
};

static void enqueue(struct pool *p, struct task *t)
{
    t->state = QUEUED;
    t->next = NULL;
    *p->last = t;
    p->last = &t->next;
    (void)pthread_cond_signal(&p->moved);
}

void pool_kick(struct pool *p, struct task *t)
{
    (void)pthread_mutex_lock(&p->lock);
    if (t->state == IDLE) {
        enqueue(p, t);
    } else if (t->state == RUNNING) {
        t->state = AGAIN;
    }
    (void)pthread_mutex_unlock(&p->lock);
}

static void *run(void *arg)
{
    struct pool *p = arg;

    (void)pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        struct task *t = p->first;
        if (!t) {
            (void)pthread_cond_wait(&p->moved, &p->lock);
            continue;
        }
        p->first = t->next;
        if (!p->first) {
            p->last = &p->first;
        }
        t->state = RUNNING;
        (void)pthread_mutex_unlock(&p->lock);
        bool gone = t->fn(t->arg);
        (void)pthread_mutex_lock(&p->lock);
        if (gone) {
            continue;
        }
        if (t->state == AGAIN) {
            enqueue(p, t);
        } else {
            t->state = IDLE;
        }
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

drh_status pool_new(struct pool **out, const drh_host *h, unsigned threads, drh_error *e)
{
    struct pool *p = h->alloc(h, NULL, sizeof(*p));

    *out = NULL;
    if (!p) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for threads");
    }
    memset(p, 0, sizeof(*p));
    p->host = h;
    p->last = &p->first;
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->moved, NULL);
    threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
    while (p->n < threads && pthread_create(&p->thread[p->n], NULL, run, p) == 0) {
        p->n++;
    }
    if (p->n == 0) {
        pool_free(p);
        return drh_fail(e, DRH_E_NOMEM, "cannot start a thread");
    }
    *out = p;
    return DRH_OK;
}

void pool_free(struct pool *p)
{
    if (!p) {
        return;
    }
    (void)pthread_mutex_lock(&p->lock);
    p->stop = true;
    (void)pthread_cond_broadcast(&p->moved);
    (void)pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n; i++) {
        (void)pthread_join(p->thread[i], NULL);
    }
    (void)pthread_cond_destroy(&p->moved);
    (void)pthread_mutex_destroy(&p->lock);
    (void)p->host->alloc(p->host, p, 0);
}
