/* SPDX-License-Identifier: MIT
 * async_pool.c - see async_pool.h. */
#include "async_pool.h"

#include "clock.h"
#include "err.h"
#include "mem.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { MAX_TRIES = 5 };

struct pool_thread {
    struct async_pool *p;
    uint32_t           index;
    pthread_t          thread;
};

struct async_pool {
    const struct service *svc;
    pthread_mutex_t       lock;
    pthread_cond_t        moved;
    bool                  stop;
    /* packs */
    struct pool_thread *thread;
    uint32_t            n_threads;
    struct pack        *first, *last;
    uint32_t            busy; /* threads in run(); under the lock */
    /* one by one */
    struct call_list answered; /* under the lock */
    struct call_list pending;  /* not yet taken by the backend */
    struct call_list delayed;  /* to be tried again when due */
    uint64_t         open;     /* with the backend; under the lock */
    bool             full;     /* it said DRH_AGAIN: no use to ask before the next answer */
};

void call_list_add(struct call_list *l, struct call *c)
{
    c->next = NULL;
    *(l->last ? &l->last->next : &l->first) = c;
    l->last = c;
    l->n++;
}

struct call *call_list_take(struct call_list *l)
{
    struct call *c = l->first;

    if (c) {
        l->first = c->next;
        l->last = l->first ? l->last : NULL;
        l->n--;
        c->next = NULL;
    }
    return c;
}

void call_free_block(struct call *c)
{
    mem_free(c->block);
    c->block = NULL;
}

/* ---- tickets ---- */

/* All open calls of the process.  A ticket is serial << 32 | place + 1: never given twice (before
 * the serial comes round), so an answer that comes a second time finds nothing. */
static struct {
    pthread_mutex_t lock;
    struct {
        struct call *c; /* NULL: free */
        uint32_t     serial;
    } * at;
    uint32_t n, used, serial;
} tickets = {.lock = PTHREAD_MUTEX_INITIALIZER};

static drh_status ticket_new(struct call *c)
{
    uint32_t i = 0;

    (void)pthread_mutex_lock(&tickets.lock);
    if (tickets.used == tickets.n) {
        uint32_t n = tickets.n ? tickets.n * 2 : 64;
        void    *more = mem_resize(tickets.at, n * sizeof(*tickets.at));
        if (!more) {
            (void)pthread_mutex_unlock(&tickets.lock);
            return DRH_E_NOMEM;
        }
        tickets.at = more;
        memset(tickets.at + tickets.n, 0, (n - tickets.n) * sizeof(*tickets.at));
        i = tickets.n;
        tickets.n = n;
    }
    while (tickets.at[i].c) {
        i++;
    }
    tickets.at[i].c = c;
    tickets.at[i].serial = ++tickets.serial;
    tickets.used++;
    c->ticket = (drh_infer_call *)(((uintptr_t)tickets.serial << 32) | (i + 1));
    (void)pthread_mutex_unlock(&tickets.lock);
    return DRH_OK;
}

/* The call of a ticket, which is then no good any more; NULL: it was not. */
static struct call *ticket_take(const drh_infer_call *ticket)
{
    uintptr_t    t = (uintptr_t)ticket;
    uint32_t     i = (uint32_t)t - 1;
    struct call *c = NULL;

    (void)pthread_mutex_lock(&tickets.lock);
    if (i < tickets.n && tickets.at[i].c && tickets.at[i].serial == (uint32_t)(t >> 32)) {
        c = tickets.at[i].c;
        tickets.at[i].c = NULL;
        if (--tickets.used == 0) {
            mem_free(tickets.at);
            tickets.at = NULL;
            tickets.n = 0;
        }
    }
    (void)pthread_mutex_unlock(&tickets.lock);
    return c;
}

/* ---- answers ---- */

/* What a backend of this or an older header gave, whatever it left out. */
static void take_plain(struct call *c, const drh_infer_res *res)
{
    size_t n = res->struct_size < sizeof(c->res) ? res->struct_size : sizeof(c->res);

    memset(&c->res, 0, sizeof(c->res));
    memcpy(&c->res, res, n);
    c->res.struct_size = sizeof(c->res);
    if (c->res.status < 0 || (c->res.status > 0 && c->res.status < DRH_E_ARG) ||
        c->res.status > DRH_E_BUDGET || (c->res.n_values && !c->res.values)) {
        c->res.status = DRH_E_INTERNAL;
        c->res.error = NULL;
    }
    if (c->res.status != DRH_OK) {
        c->res.n_values = 0;
        c->res.text = (drh_str){NULL, 0};
    }
    c->error = (drh_error)ERR_INIT;
    if (c->res.error && c->res.status != DRH_OK) {
        c->error = *c->res.error;
        c->error.message[sizeof(c->error.message) - 1] = '\0';
    }
    c->error.code = c->res.status;
    if (c->res.status != DRH_OK && c->error.message[0] == '\0') {
        (void)err_set(&c->error, c->res.status, "the inference backend gave no reason; status %s",
                      err_name(c->res.status));
    }
    c->res.error = c->res.status != DRH_OK ? &c->error : NULL;
}

static void copy_answer(struct call *c, const drh_infer_res *res)
{
    size_t values, text;
    char  *block;

    call_free_block(c);
    take_plain(c, res);
    values = (size_t)c->res.n_values * sizeof(float);
    text = c->res.text.ptr ? c->res.text.len : 0;
    block = mem_alloc(1, values + text + 1);
    if (!block) {
        c->res.status = err_nomem(&c->error, "an answer");
        c->res.error = &c->error;
        c->res.values = NULL;
        c->res.n_values = 0;
        c->res.text = (drh_str){NULL, 0};
        return;
    }
    c->block = block;
    if (values) {
        memcpy(block, c->res.values, values);
    }
    if (text) {
        memcpy(block + values, c->res.text.ptr, text);
    }
    c->res.values = values ? (const float *)(const void *)block : NULL;
    c->res.text = (drh_str){c->res.text.ptr ? block + values : NULL, text};
}

static void put_answered(struct async_pool *p, struct call *c)
{
    (void)pthread_mutex_lock(&p->lock);
    p->open -= c->sent;
    c->sent = false;
    call_list_add(&p->answered, c);
    (void)pthread_cond_broadcast(&p->moved);
    (void)pthread_mutex_unlock(&p->lock);
}

void pool_answer(drh_infer_call *ticket, const drh_infer_res *res)
{
    struct call *c = ticket_take(ticket);

    if (c) {
        copy_answer(c, res);
        put_answered(c->pool, c);
    }
}

void pool_refuse(struct call *c, drh_status st, const drh_error *e)
{
    memset(&c->res, 0, sizeof(c->res));
    c->res.struct_size = sizeof(c->res);
    c->res.status = st;
    c->error = *e;
    c->error.code = st;
    c->res.error = &c->error;
    c->answered = true;
}

drh_status pool_keep(struct journal *j, struct call *c, drh_error *e)
{
    drh_status st = c->res.status;

    if (!j || c->kept || (st != DRH_OK && st != DRH_E_RANGE && st != DRH_E_DATA)) {
        return DRH_OK;
    }
    return journal_append(j, &c->key, &c->res, e);
}

drh_status pool_keep_rest(struct async_pool *p, struct journal *j, drh_error *e)
{
    struct call *c;
    drh_status   st = DRH_OK;

    while (st == DRH_OK && (c = call_list_take(&p->answered)) != NULL) {
        st = pool_keep(j, c, e);
    }
    return st;
}

/* ---- packs ---- */

struct cost_call {
    const struct service *svc;
    const drh_infer_req  *req;
    uint32_t             *tokens;
    drh_error            *e;
    drh_status            st;
};

static void do_cost(void *arg)
{
    struct cost_call *c = arg;
    c->st = c->svc->infer.cost(c->svc->in->self, c->req, c->tokens, c->e);
}

drh_status pool_cost(const struct service *svc, const drh_infer_req *req, uint32_t *tokens,
                     drh_error *e)
{
    struct cost_call c = {svc, req, tokens, e, DRH_OK};

    if (!svc) {
        return err_set(e, DRH_E_UNSUPPORTED, "no inference service is there");
    }
    e->message[0] = '\0';
    instance_call(svc->in, do_cost, &c);
    return c.st == DRH_OK ? DRH_OK : stage_error(svc->in, c.st, e);
}

struct run_call {
    struct async_pool    *p;
    struct pack          *pack;
    uint32_t              index;
    const drh_infer_req **req;
    drh_infer_res       **res;
    drh_infer_res        *slots;
};

static void do_run(void *arg)
{
    struct run_call *c = arg;
    struct instance *in = c->p->svc->in;
    struct pack     *pack = c->pack;

    pack->st = instance_open_worker(in, c->index, &pack->error);
    if (pack->st == DRH_OK) {
        pack->error.message[0] = '\0';
        pack->st = c->p->svc->infer.run(in->self, instance_worker(in, c->index), c->req,
                                        pack->calls.n, c->res, &pack->error);
        if (pack->st != DRH_OK) {
            pack->st = stage_error(in, pack->st, &pack->error);
        }
    }
    /* what the results point to is the worker's until its next run: copied here, on its thread */
    if (pack->st == DRH_OK) {
        size_t i = 0;
        for (struct call *x = pack->calls.first; x; x = x->next) {
            if (!x->kept) {
                copy_answer(x, c->res[i]);
            }
            i++;
        }
    }
}

static void run_pack(struct async_pool *p, struct pack *pack, uint32_t index)
{
    size_t          n = pack->calls.n, i = 0;
    struct run_call c = {.p = p, .pack = pack, .index = index};
    drh_error      *errors = mem_alloc(n, sizeof(*errors));

    c.req = mem_alloc(n, sizeof(*c.req));
    c.res = mem_alloc(n, sizeof(*c.res));
    c.slots = mem_alloc(n, sizeof(*c.slots));
    if (!c.req || !c.res || !c.slots || !errors) {
        pack->st = err_nomem(&pack->error, "a pack");
    } else {
        for (struct call *x = pack->calls.first; x; x = x->next, i++) {
            errors[i] = (drh_error)ERR_INIT;
            c.slots[i].struct_size = sizeof(c.slots[i]);
            c.slots[i].error = &errors[i];
            c.req[i] = &x->req;
            c.res[i] = &c.slots[i];
        }
        instance_call(p->svc->in, do_run, &c);
    }
    mem_free(c.req);
    mem_free(c.res);
    mem_free(c.slots);
    mem_free(errors);
}

static void *thread_main(void *arg)
{
    struct pool_thread *t = arg;
    struct async_pool  *p = t->p;

    (void)pthread_mutex_lock(&p->lock);
    for (;;) {
        struct pack *pack;

        while (!p->stop && !p->first) {
            (void)pthread_cond_wait(&p->moved, &p->lock);
        }
        if (p->stop) {
            break;
        }
        pack = p->first;
        p->first = pack->next;
        p->last = p->first ? p->last : NULL;
        p->busy++;
        (void)pthread_mutex_unlock(&p->lock);
        run_pack(p, pack, t->index);
        (void)pthread_mutex_lock(&p->lock);
        p->busy--;
        pack->done = true;
        (void)pthread_cond_broadcast(&p->moved);
    }
    (void)pthread_mutex_unlock(&p->lock);
    if (p->svc->in->n_workers > 1) {
        instance_close_worker(p->svc->in, t->index);
    }
    return NULL;
}

void pool_run(struct async_pool *p, struct pack *pack)
{
    bool known = true;

    for (const struct call *c = pack->calls.first; c && known; c = c->next) {
        known = c->kept || c->answered;
    }
    pack->error = (drh_error)ERR_INIT;
    (void)pthread_mutex_lock(&p->lock);
    pack->done = known;
    pack->next = NULL;
    if (!known) {
        *(p->last ? &p->last->next : &p->first) = pack;
        p->last = pack;
        (void)pthread_cond_broadcast(&p->moved);
    }
    (void)pthread_mutex_unlock(&p->lock);
}

static void wait_a_little(struct async_pool *p)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += 100 * 1000 * 1000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(&p->moved, &p->lock, &t);
}

drh_status pool_wait(struct async_pool *p, struct pack *pack, drh_error *e)
{
    bool done;

    (void)pthread_mutex_lock(&p->lock);
    while (!pack->done && !run_cancelled()) {
        wait_a_little(p);
    }
    done = pack->done;
    (void)pthread_mutex_unlock(&p->lock);
    if (!done) {
        return err_set(e, DRH_E_CANCELLED, "stopped");
    }
    if (pack->st != DRH_OK) {
        *e = pack->error;
    }
    return pack->st;
}

/* ---- one by one ---- */

struct submit_call {
    struct async_pool *p;
    struct call       *c;
    drh_error          e;
    drh_status         st;
};

static void do_submit(void *arg)
{
    struct submit_call *s = arg;
    s->st = s->p->svc->infer.submit(s->p->svc->in->self, &s->c->req, s->c->ticket, &s->e);
}

/* Takes the next pending request for the backend; NULL: none, or it has as many as it may. */
static struct call *take_pending(struct async_pool *p)
{
    uint32_t     most = p->svc->info.max_in_flight;
    struct call *c = NULL;

    while (p->pending.first && p->pending.first->late) {
        put_answered(p, call_list_take(&p->pending));
    }
    (void)pthread_mutex_lock(&p->lock);
    if (p->pending.first && !p->full && (most == 0 || p->open < most)) {
        c = call_list_take(&p->pending);
        c->sent = true;
        p->open++;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return c;
}

/* The backend did not take it: to the head of the queue again. */
static void put_back(struct async_pool *p, struct call *c)
{
    p->full = true;
    if (ticket_take(c->ticket)) { /* else it has answered all the same */
        (void)pthread_mutex_lock(&p->lock);
        p->open--;
        c->sent = false;
        (void)pthread_mutex_unlock(&p->lock);
        c->next = p->pending.first;
        p->pending.first = c;
        p->pending.last = p->pending.last ? p->pending.last : c;
        p->pending.n++;
    }
}

static void refuse_sent(struct async_pool *p, struct call *c, drh_status st, const drh_error *e)
{
    pool_refuse(c, st, e);
    put_answered(p, c);
}

/* Hands pending requests to the backend until it is full. */
static void pump(struct async_pool *p)
{
    struct submit_call s = {.p = p};

    while ((s.c = take_pending(p)) != NULL) {
        const drh_infer_call *ticket;

        s.e = (drh_error)ERR_INIT;
        if (ticket_new(s.c) != DRH_OK) {
            refuse_sent(p, s.c, err_nomem(&s.e, "a request"), &s.e);
            continue;
        }
        ticket = s.c->ticket;
        instance_call(p->svc->in, do_submit, &s);
        if (s.st == DRH_AGAIN) {
            put_back(p, s.c);
        } else if (s.st != DRH_OK && ticket_take(ticket)) {
            refuse_sent(p, s.c, stage_error(p->svc->in, s.st, &s.e), &s.e);
        }
    }
}

void pool_send(struct async_pool *p, struct call *c)
{
    if (c->kept || !p->svc) {
        drh_error e = ERR_INIT;
        if (!c->kept) {
            (void)err_set(&e, DRH_E_UNSUPPORTED, "no inference service is there");
            pool_refuse(c, DRH_E_UNSUPPORTED, &e);
        }
        put_answered(p, c);
        return;
    }
    call_list_add(&p->pending, c);
    pump(p);
}

static void revive_delayed(struct async_pool *p)
{
    struct call_list later = {0};
    double           t = clock_now();

    while (p->delayed.first) {
        struct call *c = call_list_take(&p->delayed);
        call_list_add(c->due <= t ? &p->pending : &later, c);
    }
    p->delayed = later;
}

/* A passing fault is tried again, later each time. */
static bool try_later(struct async_pool *p, struct call *c)
{
    double wait = 0.1 * (double)(1u << c->tries);

    if (c->kept || c->late || c->res.status == DRH_OK || !c->res.error ||
        !(c->res.error->flags & DRH_ERR_RETRYABLE) || ++c->tries >= MAX_TRIES) {
        return false;
    }
    if ((double)c->res.error->retry_after_ms / 1000 > wait) {
        wait = (double)c->res.error->retry_after_ms / 1000;
    }
    c->due = clock_now() + wait;
    call_list_add(&p->delayed, c);
    return true;
}

struct call *pool_next(struct async_pool *p, drh_error *e, drh_status *st)
{
    struct call *c;

    (void)e;
    *st = DRH_OK;
    revive_delayed(p);
    p->full = false;
    pump(p);
    (void)pthread_mutex_lock(&p->lock);
    if (!p->answered.first) {
        wait_a_little(p);
    }
    c = call_list_take(&p->answered);
    (void)pthread_mutex_unlock(&p->lock);
    return c && try_later(p, c) ? NULL : c;
}

bool pool_is_open(struct call *c)
{
    bool open;

    (void)pthread_mutex_lock(&c->pool->lock);
    open = c->sent;
    (void)pthread_mutex_unlock(&c->pool->lock);
    return open;
}

/* ---- life ---- */

static uint32_t threads_for(const struct service *svc, uint32_t workers)
{
    uint32_t n = svc->in->n_workers < workers ? svc->in->n_workers : workers;

    return svc->info.max_parallel && svc->info.max_parallel < n ? svc->info.max_parallel : n;
}

drh_status pool_new(struct async_pool **out, const struct service *svc, uint32_t workers,
                    drh_error *e)
{
    struct async_pool *p = mem_alloc(1, sizeof(*p));
    uint32_t           n;

    *out = p;
    if (!p) {
        return err_nomem(e, "the request pool");
    }
    p->svc = svc;
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->moved, NULL);
    if (!svc || !svc->infer.run) {
        return DRH_OK;
    }
    n = threads_for(svc, workers);
    p->thread = mem_alloc(n, sizeof(*p->thread));
    for (; p->thread && p->n_threads < n; p->n_threads++) {
        struct pool_thread *t = &p->thread[p->n_threads];
        t->p = p;
        t->index = p->n_threads;
        if (pthread_create(&t->thread, NULL, thread_main, t) != 0) {
            break;
        }
    }
    if (p->n_threads == 0) {
        pool_free(p);
        *out = NULL;
        return err_nomem(e, "inference threads");
    }
    return DRH_OK;
}

bool pool_stop(struct async_pool *p)
{
    double until = clock_now() + 2;
    bool   clean, working;

    (void)pthread_mutex_lock(&p->lock);
    p->stop = true;
    working = p->open || p->busy;
    (void)pthread_cond_broadcast(&p->moved);
    (void)pthread_mutex_unlock(&p->lock);
    if (working && p->svc->in->stage->life.cancel) {
        p->svc->in->stage->life.cancel(p->svc->in->self);
    }
    for (uint32_t i = 0; i < p->n_threads; i++) {
        (void)pthread_join(p->thread[i].thread, NULL);
    }
    p->n_threads = 0;
    (void)pthread_mutex_lock(&p->lock);
    while (p->open && clock_now() < until) {
        wait_a_little(p);
    }
    clean = p->open == 0;
    (void)pthread_mutex_unlock(&p->lock);
    return clean;
}

void pool_free(struct async_pool *p)
{
    if (!p) {
        return;
    }
    (void)pthread_mutex_destroy(&p->lock);
    (void)pthread_cond_destroy(&p->moved);
    mem_free(p->thread);
    mem_free(p);
}
