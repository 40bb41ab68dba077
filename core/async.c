/* SPDX-License-Identifier: MIT
 * async.c - see async.h.
 *
 * Life of a call: async_submit makes it and appends it to its window; it is answered from the
 * journal or by the backend; the answer is copied, journaled, given to resume(), and the call is
 * freed with the window's arena.  A flight is a record on its way: it lands when it is settled. */
#include "async.h"

#include "async_pool.h"
#include "crash.h"
#include "err.h"
#include "hash.h"
#include "journal.h"
#include "log.h"
#include "mem.h"
#include "services.h"

#include <string.h>

struct flight {
    drh_record      *r;
    struct window   *w;
    struct call_list calls; /* submitted during the present call into the stage */
    struct call     *mine;  /* every call of the present attempt, by mine_next */
    uint32_t         open;  /* of these, the ones without an answer given back */
    uint64_t         tries; /* slots: rejected attempts so far */
    drh_record      *rejected, *last_rejected; /* these attempts, by owner */
    bool             landed;
};

struct window {
    struct batch    *b;
    struct flight   *flight;
    size_t           n, started, landed;
    struct call     *all;  /* every call of the window, by all_next */
    struct call_list wave; /* packs: requests of the next wave, in order */
    struct pack     *pack; /* packs: of the present wave, in order */
    size_t           n_packs;
    size_t           under_way; /* one by one: calls that the pool has */
    bool             committed; /* but kept, for late answers still come */
    struct window   *next;
    bool             last;
};

struct async {
    struct shard         *s;
    size_t                at;
    struct instance      *in;
    const struct service *svc;
    struct window        *first, *tail; /* in input order */
    struct window        *lingering;    /* committed, with calls under way */
    size_t                n_windows;
    struct flight        *now; /* whose start() or resume() is running */
    struct async_pool    *pool;
    uint64_t              in_flight, most_in_flight;
    bool                  packs; /* backend with run() */
    bool                  ended;
    uint64_t              seq;
};

/* ---- submitting ---- */

drh_status async_submit(struct instance *in, drh_record *r, const drh_infer_req *req, uint64_t tag,
                        drh_error *e)
{
    struct async  *a = in->async;
    struct flight *f = a ? a->now : NULL;
    struct call   *c;
    struct arena  *arena;

    if (!f || f->r != r || r->settled != REC_OPEN) {
        return err_set(e, DRH_E_ARG, "submit is for the open record of this start() or resume()");
    }
    arena = f->w->b->arena;
    c = arena_alloc(arena, sizeof(*c));
    if (!c) {
        return err_nomem(e, "a request");
    }
    memset(c, 0, sizeof(*c));
    if (call_copy_request(arena, req, &c->req) != DRH_OK ||
        call_digest(arena, &c->req, c->key.digest) != DRH_OK) {
        return err_nomem(e, "a request");
    }
    c->flight = f;
    c->pool = a->pool;
    c->tag = tag;
    c->key.uid = r->uid;
    c->key.attempt = r->attempt;
    /* which of its equal requests: the same however the answers before it came */
    for (const struct call *o = f->mine; o; o = o->mine_next) {
        c->key.ordinal += memcmp(o->key.digest, c->key.digest, sizeof(o->key.digest)) == 0;
    }
    c->mine_next = f->mine;
    f->mine = c;
    c->kept = journal_find(a->s->journal, &c->key);
    c->all_next = f->w->all;
    f->w->all = c;
    call_list_add(&f->calls, c);
    f->open++;
    return DRH_OK;
}

void async_complete(drh_infer_call *call, const drh_infer_res *res)
{
    pool_answer(call, res);
}

/* ---- calls into the stage ---- */

struct stage_call {
    struct async        *a;
    struct flight       *f;
    uint64_t             tag;
    const drh_infer_res *res; /* NULL: start */
    drh_error           *e;
    drh_status           st;
};

static void do_stage_call(void *arg)
{
    struct stage_call *c = arg;
    struct instance   *in = c->a->in;
    void              *worker;

    c->st = instance_open_worker(in, 0, c->e);
    if (c->st != DRH_OK) {
        return;
    }
    worker = instance_worker(in, 0);
    c->e->record = -1;
    c->e->message[0] = '\0';
    crash_note(in->step, c->f->r->origin->file.ptr, c->f->r->origin->file.len, c->f->r->row);
    c->st = c->res ? in->stage->map.resume(in->self, worker, c->f->r, c->tag, c->res, c->e)
                   : in->stage->map.start(in->self, worker, c->f->r, c->e);
    crash_note(NULL, NULL, 0, 0);
}

static void do_release(void *arg)
{
    struct stage_call *c = arg;
    c->a->in->stage->map.release(c->a->in->self, c->f->r->state);
}

static void release_state(struct async *a, struct flight *f)
{
    struct stage_call c = {.a = a, .f = f};

    if (f->r && f->r->state && a->in->stage->map.release) {
        instance_call(a->in, do_release, &c);
    }
    if (f->r) {
        f->r->state = NULL;
    }
}

/* ---- settling ---- */

/* The host settles what the stage left open, and gives the stage's state back to it. */
static drh_status settle_for(struct async *a, struct flight *f, const char *reason,
                             const char *detail)
{
    release_state(a, f);
    return record_settle(f->r, REC_FAILED, reason, detail, strlen(detail));
}

/* One call into the stage; afterwards the record is settled or has open requests. */
static drh_status call_once(struct async *a, struct flight *f, uint64_t tag,
                            const drh_infer_res *res, drh_error *e)
{
    struct stage_call c = {.a = a, .f = f, .tag = tag, .res = res, .e = e};

    a->now = f;
    instance_call(a->in, do_stage_call, &c);
    a->now = NULL;
    if (c.st == DRH_E_DATA) {
        c.st = f->r->settled == REC_OPEN ? settle_for(a, f, "bad_data", e->message) : DRH_OK;
    } else if (c.st == DRH_OK && f->r->settled == REC_OPEN && f->open == 0) {
        c.st = settle_for(a, f, "unsettled",
                          "the stage neither settled this record nor asked for anything");
    }
    if (c.st != DRH_OK) {
        c.st = stage_error(a->in, c.st, e);
        err_prefix(e, "step %s", a->s->chain.step[a->at].id);
    }
    return c.st;
}

/* The record is settled: requests that are under way are of no use to it any more. */
static void let_go(struct flight *f)
{
    for (struct call *c = f->mine; c; c = c->mine_next) {
        c->late = true;
    }
    f->mine = NULL;
    f->open = 0;
    memset(&f->calls, 0, sizeof(f->calls));
    f->r->state = NULL;
}

static bool is_rejected_slot(const struct async *a, const struct flight *f)
{
    return a->at == 0 && a->s->feed->slot_origin && f->r->settled != REC_OPEN &&
           f->r->settled != REC_KEPT && f->tries + 1 < a->s->attempts && !run_cancelled();
}

/* A new empty record for a rejected slot; the old one is counted when its window is committed, so
 * in the order of the slots. */
static drh_status next_attempt(struct async *a, struct flight *f, drh_error *e)
{
    drh_record *old = f->r, *r = record_new(f->w->b->arena);

    if (!r) {
        return err_nomem(e, "a slot");
    }
    let_go(f);
    old->owner = NULL;
    if (f->last_rejected) {
        f->last_rejected->owner = old;
    } else {
        f->rejected = old;
    }
    f->last_rejected = old;
    r->origin = old->origin;
    r->row = r->slot = old->slot;
    r->uid = old->uid;
    r->attempt = old->attempt + 1;
    record_enter_step(r, &a->s->chain, &a->s->chain.step[a->at]);
    f->r = r;
    f->tries++;
    return DRH_OK;
}

/* Passes new requests on, or sees that the record has landed. */
static void after_calls(struct async *a, struct flight *f)
{
    if (f->r->settled != REC_OPEN) {
        let_go(f);
        f->landed = true;
        f->w->landed++;
        a->in_flight--;
        return;
    }
    while (f->calls.first) {
        struct call *c = call_list_take(&f->calls);
        if (a->packs) {
            call_list_add(&f->w->wave, c);
        } else {
            f->w->under_way++;
            pool_send(a->pool, c);
        }
    }
}

static drh_status call_into(struct async *a, struct flight *f, uint64_t tag,
                            const drh_infer_res *res, drh_error *e)
{
    drh_status st = call_once(a, f, tag, res, e);

    while (st == DRH_OK && is_rejected_slot(a, f)) {
        st = next_attempt(a, f, e);
        st = st == DRH_OK ? call_once(a, f, 0, NULL, e) : st;
    }
    if (st == DRH_OK) {
        after_calls(a, f);
    }
    return st;
}

/* The backend may spend no more: a record that waits for it is dropped, none begins any more, what
 * is under way comes in.  The journal has all that was paid for, for a run with a larger budget. */
static drh_status out_of_budget(struct async *a, struct flight *f)
{
    drh_status st;

    release_state(a, f);
    st = record_settle(f->r, REC_DROPPED, "budget", a->s->spent, strlen(a->s->spent));
    if (st == DRH_OK) {
        after_calls(a, f);
    }
    return st;
}

static void note_budget(struct async *a, const struct call *c)
{
    if (!a->s->spent[0]) {
        (void)snprintf(a->s->spent, sizeof(a->s->spent), "%.*s", (int)sizeof(a->s->spent) - 1,
                       c->error.message);
        err_harmless(a->s->spent, strlen(a->s->spent));
        a->s->feed->left = 0;
    }
}

/* An answer that is about the backend, and not about its record. */
static bool stops_the_run(const struct call *c)
{
    return !c->kept &&
           (c->res.status == DRH_E_NOMEM || (c->res.error && (c->error.flags & DRH_ERR_STOP)));
}

/* Gives one answer back, unless its record is settled or its slot at another attempt. */
static drh_status give_back(struct async *a, struct call *c, drh_error *e)
{
    if (c->late) {
        return DRH_OK;
    }
    c->flight->open--;
    if (!c->kept && c->res.status == DRH_E_BUDGET) {
        note_budget(a, c);
        return out_of_budget(a, c->flight);
    }
    if (stops_the_run(c)) {
        return err_set(e, c->res.status, "%s", c->error.message);
    }
    return call_into(a, c->flight, c->tag, c->kept ? c->kept : &c->res, e);
}

/* ---- windows ---- */

static void release_states(struct async *a, struct window *w)
{
    for (size_t i = 0; i < w->started; i++) {
        if (!w->flight[i].landed) {
            release_state(a, &w->flight[i]);
        }
    }
}

static void window_free(struct async *a, struct window *w)
{
    if (!w) {
        return;
    }
    release_states(a, w);
    for (struct call *c = w->all; c; c = c->all_next) {
        call_free_block(c);
    }
    mem_free(w->pack);
    mem_free(w->flight);
    batch_free(w->b);
    mem_free(w);
}

/* Reads the next window and runs the plain steps before the record-driven one. */
static drh_status window_read(struct async *a, drh_error *e)
{
    struct shard  *s = a->s;
    struct window *w = mem_alloc(1, sizeof(*w));
    drh_status     st;

    if (!w || !(w->b = batch_new(s->chain.n))) {
        mem_free(w);
        return err_nomem(e, "a window");
    }
    batch_reset(w->b, a->seq++);
    w->b->score_field = s->score_field;
    w->b->traces = s->traces;
    st = batch_fill(w->b, s->feed, a->packs ? ASYNC_WINDOW : ASYNC_SMALL_WINDOW, ASYNC_BYTES, e);
    if (st == DRH_END) {
        a->ended = w->last = w->b->last = true;
        st = DRH_OK;
    } else if (st == DRH_OK) {
        w->b->st = batch_parse(w->b);
    }
    batch_process(w->b, &s->chain, 0, a->at, 0);
    if (st == DRH_OK && w->b->st != DRH_OK) {
        *e = w->b->error;
        st = w->b->st;
    }
    w->n = w->b->n_rec;
    w->flight = st == DRH_OK ? mem_alloc(w->n + 1, sizeof(*w->flight)) : NULL;
    if (!w->flight) {
        window_free(a, w);
        return st == DRH_OK ? err_nomem(e, "a window") : st;
    }
    for (size_t i = 0; i < w->n; i++) {
        w->flight[i].r = w->b->rec[i];
        w->flight[i].w = w;
    }
    *(a->tail ? &a->tail->next : &a->first) = w;
    a->tail = w;
    a->n_windows++;
    return DRH_OK;
}

/* Starts what may be started: all of a window for packs, up to the limit in flight otherwise. */
static drh_status window_start(struct async *a, struct window *w, drh_error *e)
{
    drh_status st = DRH_OK;

    while (st == DRH_OK && w->started < w->n && (a->packs || a->in_flight < a->most_in_flight)) {
        struct flight *f = &w->flight[w->started++];

        if (run_cancelled()) {
            return err_set(e, DRH_E_CANCELLED, "stopped");
        }
        record_enter_step(f->r, &a->s->chain, &a->s->chain.step[a->at]);
        a->in_flight++;
        st = a->s->spent[0] ? out_of_budget(a, f) : call_into(a, f, 0, NULL, e);
    }
    return st;
}

/* Counts the rejected attempts of a window's slots. */
static drh_status gather_attempts(struct async *a, struct window *w)
{
    const char    *step = a->s->chain.step[a->at].id;
    struct counts *counts = &w->b->counts[a->at + 1];
    drh_status     st = DRH_OK;

    for (size_t i = 0; i < w->n; i++) {
        for (const drh_record *r = w->flight[i].rejected; st == DRH_OK && r; r = r->owner) {
            bool failed = r->settled == REC_FAILED;

            counts->in++;
            st = counts_reason(counts, r->reason, failed, 1);
            st = st == DRH_OK ? reject_line(&w->b->rejects, step, failed, r->reason, r->detail,
                                            r->origin, r->row, r->attempt, record_id(r))
                              : st;
        }
    }
    return st;
}

/* All flights of the oldest window have landed: later steps, then out. */
static drh_status window_commit(struct async *a, drh_error *e)
{
    struct window *w = a->first;
    struct batch  *b = w->b;
    drh_record   **r = arena_alloc(b->arena, (w->n + 1) * sizeof(*r));
    drh_status     st;

    if (!r) {
        return err_nomem(e, "a window");
    }
    for (size_t i = 0; i < w->n; i++) {
        r[i] = w->flight[i].r;
    }
    b->st = gather_attempts(a, w);
    b->st = b->st == DRH_OK ? batch_gather(b, &a->s->chain, a->at, r, w->n) : b->st;
    if (b->st == DRH_E_NOMEM) {
        (void)err_nomem(&b->error, "a window");
    }
    batch_process(b, &a->s->chain, a->at + 1, a->s->chain.n, 0);
    if (b->st == DRH_OK && (a->s->out || b->written)) {
        b->st = batch_emit(b);
    }
    st = a->s->journal ? journal_sync(a->s->journal, e) : DRH_OK; /* a power cut costs a window */
    st = st != DRH_OK ? st : shard_commit(a->s, b, e);
    a->first = w->next;
    a->tail = a->first ? a->tail : NULL;
    a->n_windows--;
    if (w->under_way) { /* late answers are still to come, and lie in this window */
        w->committed = true;
        w->next = a->lingering;
        a->lingering = w;
    } else {
        window_free(a, w);
    }
    return st;
}

/* ---- packs ---- */

/* Cuts the wave into packs, in order, by the backend's own count of tokens. */
static drh_status cut_packs(struct async *a, struct window *w, drh_error *e)
{
    const struct service *svc = a->svc;
    struct pack          *pack = NULL;
    uint64_t              tokens = 0;
    size_t                n = 0;

    mem_free(w->pack);
    w->pack = mem_alloc(w->wave.n + 1, sizeof(*w->pack));
    w->n_packs = 0;
    if (!w->pack) {
        return err_nomem(e, "packs");
    }
    while (w->wave.first) {
        struct call *c = call_list_take(&w->wave);
        uint32_t     cost = 0;
        drh_status   st;

        if (c->late) {
            continue;
        }
        st = pool_cost(svc, &c->req, &cost, e);
        if (st != DRH_OK) { /* cannot run at all: answered with the reason, in a pack of its own */
            pool_refuse(c, st, e);
        }
        if (!pack || n == 0 || tokens + cost > svc->info.pack_tokens || st != DRH_OK) {
            pack = &w->pack[w->n_packs++];
            tokens = n = 0;
        }
        call_list_add(&pack->calls, c);
        tokens += cost;
        n = st == DRH_OK ? n + 1 : 0;
    }
    for (size_t i = 0; i < w->n_packs; i++) {
        pool_run(a->pool, &w->pack[i]);
    }
    return DRH_OK;
}

/* One wave of the oldest window: waits for each pack in order, journals, gives the answers back. */
static drh_status drive_wave(struct async *a, struct window *w, drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < w->n_packs; i++) {
        st = pool_wait(a->pool, &w->pack[i], e);
        for (struct call *c = w->pack[i].calls.first; st == DRH_OK && c; c = c->next) {
            st = pool_keep(a->s->journal, c, e);
        }
    }
    for (size_t i = 0; st == DRH_OK && i < w->n_packs; i++) {
        while (st == DRH_OK && w->pack[i].calls.first) {
            st = give_back(a, call_list_take(&w->pack[i].calls), e);
        }
    }
    w->n_packs = 0;
    return st == DRH_OK ? cut_packs(a, w, e) : st;
}

static drh_status drive_packs(struct async *a, drh_error *e)
{
    drh_status st = DRH_OK;

    while (st == DRH_OK && (!a->ended || a->first)) {
        if (run_cancelled()) {
            return err_set(e, DRH_E_CANCELLED, "stopped");
        }
        if (!a->ended && a->n_windows < 2) { /* two, so that the pool never waits for a window */
            st = window_read(a, e);
            st = st == DRH_OK ? window_start(a, a->tail, e) : st;
            st = st == DRH_OK ? cut_packs(a, a->tail, e) : st;
        } else if (a->first->landed == a->first->n) {
            st = window_commit(a, e);
        } else {
            st = drive_wave(a, a->first, e);
        }
    }
    return st;
}

/* ---- one by one ---- */

/* Keeps an answer, gives it back, and lets a window go that waited for it only. */
static drh_status take_answer(struct async *a, struct call *c, drh_error *e)
{
    struct window *w = c->flight->w;
    drh_status     st = pool_keep(a->s->journal, c, e);

    w->under_way--;
    st = st == DRH_OK ? give_back(a, c, e) : st;
    if (w->committed && w->under_way == 0) {
        struct window **at = &a->lingering;
        while (*at != w) {
            at = &(*at)->next;
        }
        *at = w->next;
        window_free(a, w);
    }
    return st;
}

/* Requests of records that were dropped for want of budget: they are paid for, so their answers are
 * waited for and kept, where otherwise nobody would need them. */
static drh_status await_paid(struct async *a, drh_error *e)
{
    drh_status st = DRH_OK;

    while (st == DRH_OK && a->lingering) {
        struct call *c = NULL;

        if (run_cancelled()) {
            return err_set(e, DRH_E_CANCELLED, "stopped");
        }
        c = pool_next(a->pool, e, &st);
        st = st == DRH_OK && c ? take_answer(a, c, e) : st;
    }
    return st;
}

static drh_status drive_singly(struct async *a, drh_error *e)
{
    drh_status st = DRH_OK;

    while (st == DRH_OK && (!a->ended || a->first)) {
        struct call *c;

        if (run_cancelled()) {
            return err_set(e, DRH_E_CANCELLED, "stopped");
        }
        for (struct window *w = a->first; st == DRH_OK && w; w = w->next) {
            st = window_start(a, w, e);
        }
        if (st == DRH_OK && a->first && a->first->landed == a->first->n) {
            st = window_commit(a, e);
            continue;
        }
        if (st == DRH_OK && !a->ended && a->in_flight < a->most_in_flight && a->n_windows < 64) {
            st = window_read(a, e);
            continue;
        }
        c = st == DRH_OK ? pool_next(a->pool, e, &st) : NULL;
        if (c) {
            st = take_answer(a, c, e);
        }
    }
    return st == DRH_OK && a->s->spent[0] ? await_paid(a, e) : st;
}

struct cancel_call {
    const struct service *svc;
    struct call          *c;
};

static void do_cancel(void *arg)
{
    struct cancel_call *c = arg;
    c->svc->infer.cancel(c->svc->in->self, c->c->ticket);
}

/* What is not needed any more, or a run that stops early: the backend is asked to let go. */
static void cancel_open(struct async *a, struct window *w)
{
    for (; w && a->svc && a->svc->infer.cancel; w = w->next) {
        for (struct call *c = w->all; c; c = c->all_next) {
            struct cancel_call call = {a->svc, c};
            if (pool_is_open(c)) {
                instance_call(a->svc->in, do_cancel, &call);
            }
        }
    }
}

static void free_windows(struct async *a, struct window *w)
{
    while (w) {
        struct window *next = w->next;
        window_free(a, w);
        w = next;
    }
}

/* A backend may still write into what it did not give back: left as it is until the process ends,
 * and on a list, so that it is not taken for a leak. */
static void abandon(struct async *a, struct window *w)
{
    static struct window *abandoned;

    while (w) {
        struct window *next = w->next;
        release_states(a, w);
        w->next = abandoned;
        abandoned = w;
        w = next;
    }
}

drh_status async_run(struct shard *s, size_t at, drh_error *e)
{
    struct instance *in = s->chain.step[at].in;
    struct async     a = {.s = s, .at = at, .in = in};
    drh_status       st;

    a.svc = services_infer(in->env->services, in->infer);
    a.packs = !a.svc || a.svc->infer.run;
    a.most_in_flight = a.svc && a.svc->info.max_in_flight ? a.svc->info.max_in_flight : 64;
    st = pool_new(&a.pool, a.svc, s->workers, e);
    if (st != DRH_OK) {
        return st;
    }
    in->async = &a;
    st = a.packs ? drive_packs(&a, e) : drive_singly(&a, e);
    cancel_open(&a, a.first);
    cancel_open(&a, a.lingering);
    if (pool_stop(a.pool)) {
        drh_error late = ERR_INIT;
        if (pool_keep_rest(a.pool, s->journal, &late) != DRH_OK) {
            log_put(DRH_LOG_WARN, "%s", late.message);
        }
        free_windows(&a, a.first);
        free_windows(&a, a.lingering);
        pool_free(a.pool);
    } else {
        log_put(DRH_LOG_WARN, "%s did not give back its requests within 2 s", a.svc->in->step);
        abandon(&a, a.first);
        abandon(&a, a.lingering);
    }
    in->async = NULL;
    return st;
}
