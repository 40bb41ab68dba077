/* SPDX-License-Identifier: MIT
 * shard.c - see shard.h.
 *
 * A fixed set of batches goes round: the calling thread fills them in order, workers take them from
 * a queue, and the calling thread commits them in order again.  That bounds memory, and the order
 * of what comes out never depends on the workers. */
#include "shard.h"

#include "async.h"
#include "err.h"
#include "mem.h"
#include "sink.h"

#include <stdio.h>
#include <string.h>

bool shard_async_step(const struct shard *s, size_t *at)
{
    for (size_t i = 0; i < s->chain.n; i++) {
        const struct instance *in = s->chain.step[i].in;
        if (in && in->stage->has_map && in->stage->map.start) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* The first bad records of a single step, on stderr; the rest is in the rejects file. */
static void name_rejects(struct shard *s, const struct batch *b)
{
    static const uint64_t most = 20;
    static uint64_t       named;
    const char           *p = b->rejects.ptr, *end = p + b->rejects.len;

    while (s->name_rejects && p && p < end && (named < most || !s->rejects)) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        cJSON      *j = cJSON_ParseWithLength(p, (size_t)(nl - p));
        const char *file = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j, "file"));
        const char *reason = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j, "reason"));
        const char *detail = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j, "detail"));
        const char *outcome = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j, "outcome"));
        double      line = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(j, "line"));

        if (outcome && strcmp(outcome, "failed") == 0) {
            (void)fprintf(stderr, "%s:%.0f: %s%s%s\n", file ? file : "-", line,
                          reason ? reason : "", detail ? ": " : "", detail ? detail : "");
            if (++named == most && s->rejects) {
                (void)fprintf(stderr, "drhost: more bad records are in the rejects file only\n");
            }
        }
        cJSON_Delete(j);
        p = nl + 1;
    }
}

static void show_progress(struct shard *s)
{
    struct progress *p = &s->progress;

    p->done = s->feed->slot_origin ? s->n_in : s->feed->bytes;
    p->records = s->n_in;
    p->out = s->n_out;
    p->dropped = p->failed = 0;
    for (size_t i = 0; i <= s->chain.n; i++) {
        p->dropped += s->counts[i].dropped;
        p->failed += s->counts[i].failed;
    }
    progress_tick(p);
}

drh_status shard_commit(struct shard *s, struct batch *b, drh_error *e)
{
    drh_status st = b->st;

    if (st != DRH_OK) {
        *e = b->error;
        return st;
    }
    if (s->out && b->out.len) {
        st = outfile_write(s->out, b->out.ptr, b->out.len, e);
    }
    if (st == DRH_OK && s->scores && b->scores.len) {
        st = outfile_write(s->scores, b->scores.ptr, b->scores.len, e);
    }
    if (st == DRH_OK && s->rejects && b->rejects.len) {
        st = outfile_write(s->rejects, b->rejects.ptr, b->rejects.len, e);
    }
    for (size_t i = 0; st == DRH_OK && i <= s->chain.n; i++) {
        if (counts_add(&s->counts[i], &b->counts[i]) != DRH_OK) {
            st = err_nomem(e, "counts");
        }
    }
    if (st == DRH_OK) {
        name_rejects(s, b);
        s->n_in += b->n_read;
        s->n_out += b->n_out;
        show_progress(s);
    }
    return st;
}

/* ---- the work on one batch, on any thread ---- */

struct observe_call {
    const struct shard *s;
    struct batch       *b;
    drh_status          st;
};

static void do_observe(void *arg)
{
    struct observe_call *c = arg;
    struct instance     *in = c->s->observe;

    c->st = instance_open_worker(in, 0, &c->b->error);
    if (c->st == DRH_OK) {
        c->st = in->stage->map.observe(in->self, instance_worker(in, 0), c->b->rec, c->b->n_rec,
                                       c->s->notes, &c->b->error);
    }
}

/* stopping: the run has failed; the batch goes through the turns only. */
static void work(const struct shard *s, struct batch *b, uint32_t w, bool stopping)
{
    b->st = stopping ? DRH_E_CANCELLED : batch_parse(b);
    batch_process(b, &s->chain, 0, s->chain.n, w);
    if (b->st == DRH_OK && s->observe && b->n_rec) {
        struct observe_call call = {.s = s, .b = b};
        instance_call(s->observe, do_observe, &call);
        b->st = call.st == DRH_OK ? DRH_OK : stage_error(s->observe, call.st, &b->error);
    }
    if (b->st == DRH_OK && (s->out || b->written)) {
        b->st = batch_emit(b);
    }
}

static void close_workers(const struct shard *s, uint32_t w)
{
    for (size_t i = 0; i < s->chain.n; i++) {
        struct instance *in = s->chain.step[i].in;
        if (in && in->n_workers > 1) {
            instance_close_worker(in, w);
        }
    }
}

/* Fills the next batch; after the last one comes the pseudo batch for flush.  *more: false at the
 * end. */
static drh_status fill(struct shard *s, struct batch *b, uint64_t seq, bool *ended, bool *more,
                       drh_error *e)
{
    drh_status st;

    batch_reset(b, seq);
    b->score_field = s->score_field;
    b->traces = s->traces;
    *more = true;
    if (*ended) {
        *more = false;
        return DRH_OK;
    }
    st = batch_fill(b, s->feed, BATCH_RECORDS, BATCH_BYTES, e);
    if (st == DRH_END) {
        *ended = true;
        b->last = true;
        return DRH_OK;
    }
    return st;
}

/* ---- one thread ---- */

static drh_status run_inline(struct shard *s, drh_error *e)
{
    struct batch *b = batch_new(s->chain.n);
    bool          ended = false, more = true;
    drh_status    st = b ? DRH_OK : err_nomem(e, "a batch");

    for (uint64_t seq = 0; st == DRH_OK && more; seq++) {
        if (run_cancelled()) {
            st = err_set(e, DRH_E_CANCELLED, "stopped");
            break;
        }
        st = fill(s, b, seq, &ended, &more, e);
        if (st == DRH_OK && more) {
            work(s, b, 0, false);
            st = shard_commit(s, b, e);
        }
    }
    batch_free(b);
    return st;
}

/* ---- several threads ---- */

struct crew {
    struct shard   *s;
    pthread_mutex_t lock;
    pthread_cond_t  moved;
    struct batch  **ring; /* batch seq is at seq % n */
    bool           *done;
    size_t          n;
    uint64_t        filled, taken, committed;
    bool            stop;
};

struct hand {
    struct crew *crew;
    uint32_t     index;
    pthread_t    thread;
};

static void *hand_main(void *arg)
{
    struct hand *h = arg;
    struct crew *c = h->crew;

    (void)pthread_mutex_lock(&c->lock);
    for (;;) {
        uint64_t seq;
        bool     stopping;

        while (!c->stop && c->taken == c->filled) {
            (void)pthread_cond_wait(&c->moved, &c->lock);
        }
        if (c->taken == c->filled) {
            break;
        }
        seq = c->taken++;
        stopping = c->stop;
        (void)pthread_mutex_unlock(&c->lock);
        work(c->s, c->ring[seq % c->n], h->index, stopping);
        (void)pthread_mutex_lock(&c->lock);
        c->done[seq % c->n] = true;
        (void)pthread_cond_broadcast(&c->moved);
    }
    (void)pthread_mutex_unlock(&c->lock);
    close_workers(c->s, h->index);
    return NULL;
}

/* Waits for batch `committed`, hands it out. */
static drh_status commit_next(struct crew *c, drh_error *e)
{
    size_t     at = c->committed % c->n;
    drh_status st;

    (void)pthread_mutex_lock(&c->lock);
    while (!c->done[at]) {
        (void)pthread_cond_wait(&c->moved, &c->lock);
    }
    c->done[at] = false;
    (void)pthread_mutex_unlock(&c->lock);
    st = shard_commit(c->s, c->ring[at], e);
    c->committed++;
    return st;
}

static bool ready(struct crew *c)
{
    bool is;

    (void)pthread_mutex_lock(&c->lock);
    is = c->done[c->committed % c->n];
    (void)pthread_mutex_unlock(&c->lock);
    return is;
}

static drh_status drive(struct crew *c, drh_error *e)
{
    bool       ended = false, more = true;
    drh_status st = DRH_OK;

    while (st == DRH_OK && (more || c->committed < c->filled)) {
        if (run_cancelled()) {
            return err_set(e, DRH_E_CANCELLED, "stopped");
        }
        if (c->committed < c->filled && (!more || c->filled - c->committed == c->n || ready(c))) {
            st = commit_next(c, e);
            continue;
        }
        st = fill(c->s, c->ring[c->filled % c->n], c->filled, &ended, &more, e);
        if (st == DRH_OK && more) {
            (void)pthread_mutex_lock(&c->lock);
            c->filled++;
            (void)pthread_cond_broadcast(&c->moved);
            (void)pthread_mutex_unlock(&c->lock);
        }
    }
    return st;
}

static drh_status crew_init(struct crew *c, struct shard *s, drh_error *e)
{
    c->s = s;
    c->n = (size_t)s->workers * 2 + 2;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_cond_init(&c->moved, NULL);
    c->ring = mem_alloc(c->n, sizeof(struct batch *));
    c->done = mem_alloc(c->n, sizeof(*c->done));
    if (!c->ring || !c->done) {
        return err_nomem(e, "batches");
    }
    for (size_t i = 0; i < c->n; i++) {
        c->ring[i] = batch_new(s->chain.n);
        if (!c->ring[i]) {
            return err_nomem(e, "batches");
        }
    }
    return DRH_OK;
}

static void crew_free(struct crew *c)
{
    for (size_t i = 0; c->ring && i < c->n; i++) {
        batch_free(c->ring[i]);
    }
    mem_free(c->ring);
    mem_free(c->done);
    (void)pthread_mutex_destroy(&c->lock);
    (void)pthread_cond_destroy(&c->moved);
}

static drh_status run_crew(struct shard *s, drh_error *e)
{
    struct crew  crew = {0};
    struct hand *hand = mem_alloc(s->workers, sizeof(*hand));
    uint32_t     n_hands = 0;
    drh_status   st = crew_init(&crew, s, e);

    if (st == DRH_OK && !hand) {
        st = err_nomem(e, "workers");
    }
    for (; st == DRH_OK && n_hands < s->workers; n_hands++) {
        hand[n_hands].crew = &crew;
        hand[n_hands].index = n_hands;
        if (pthread_create(&hand[n_hands].thread, NULL, hand_main, &hand[n_hands]) != 0) {
            st =
                err_set(e, DRH_E_NOMEM, "cannot start worker thread %u; try a smaller -j", n_hands);
            break;
        }
    }
    if (st == DRH_OK) {
        st = drive(&crew, e);
    }
    (void)pthread_mutex_lock(&crew.lock);
    crew.stop = true;
    (void)pthread_cond_broadcast(&crew.moved);
    (void)pthread_mutex_unlock(&crew.lock);
    for (uint32_t i = 0; i < n_hands; i++) {
        (void)pthread_join(hand[i].thread, NULL);
    }
    crew_free(&crew);
    mem_free(hand);
    return st;
}

/* ---- both ---- */

struct begin_call {
    struct instance *in;
    drh_error       *e;
    drh_status       st;
};

static void do_begin(void *arg)
{
    struct begin_call *c = arg;

    c->st = instance_open_worker(c->in, 0, c->e);
    if (c->st == DRH_OK) {
        c->st = c->in->stage->map.begin(c->in->self, instance_worker(c->in, 0), c->e);
    }
}

static drh_status begin_steps(struct shard *s, drh_error *e)
{
    for (size_t i = 0; i < s->chain.n; i++) {
        struct begin_call call = {s->chain.step[i].in, e, DRH_OK};

        if (!call.in) {
            continue;
        }
        instance_restart_turns(call.in);
        if (call.in->stage->map.begin) {
            instance_call(call.in, do_begin, &call);
            if (call.st != DRH_OK) {
                return stage_error(call.in, call.st, e);
            }
        }
    }
    return DRH_OK;
}

drh_status shard_run(struct shard *s, drh_error *e)
{
    size_t     at;
    drh_status st = begin_steps(s, e);

    if (st != DRH_OK) {
        return st;
    }
    if (shard_async_step(s, &at)) {
        st = async_run(s, at, e);
    } else if (s->workers > 1 && !s->observe) {
        st = run_crew(s, e);
    } else {
        st = run_inline(s, e);
    }
    return st;
}
