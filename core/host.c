/* SPDX-License-Identifier: MIT
 * host.c - see host.h. */
#include "host.h"

#include "crash.h"
#include "err.h"
#include "field.h"
#include "hash.h"
#include "log.h"
#include "mem.h"
#include "outfile.h"
#include "raw_file.h"
#include "record.h"
#include "services.h"
#include "sink.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_QUOTA = 4 };

/* ---- stopping ---- */

static int  signal_seen; /* atomic: workers poll it */
static bool cancel_asked;

static void on_signal(int sig)
{
    if (__atomic_exchange_n(&signal_seen, sig, __ATOMIC_RELAXED)) {
        _exit(128 + sig);
    }
}

void run_cancel_setup(void)
{
    struct sigaction sa, old;

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = on_signal;
    (void)sigemptyset(&sa.sa_mask);
    (void)sigaction(SIGINT, &sa, NULL);
    (void)sigaction(SIGTERM, &sa, NULL);
    if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN) { /* nohup stays nohup */
        (void)sigaction(SIGHUP, &sa, NULL);
    }
    sa.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &sa, NULL);
    (void)sigaction(SIGXFSZ, &sa, NULL); /* a file beyond the shell's limit: write() says so */
    crash_setup();
}

bool run_cancelled(void)
{
    return __atomic_load_n(&signal_seen, __ATOMIC_RELAXED) != 0 ||
           __atomic_load_n(&cancel_asked, __ATOMIC_RELAXED);
}

void run_cancel(void)
{
    __atomic_store_n(&cancel_asked, true, __ATOMIC_RELAXED);
}

int run_signal(void)
{
    return __atomic_load_n(&signal_seen, __ATOMIC_RELAXED);
}

/* ---- the table that the stage sees ---- */

static struct instance *of(const drh_host *h)
{
    return (struct instance *)h->impl;
}

static void h_log(const drh_host *h, uint32_t level, const char *msg, size_t len)
{
    log_line(level, of(h)->step, msg, len);
}

static int32_t h_cancelled(const drh_host *h)
{
    (void)h;
    return run_cancelled();
}

static void h_progress(const drh_host *h, uint64_t done, uint64_t total, const char *what)
{
    char line[160];

    if (total) {
        (void)snprintf(line, sizeof(line), "%s: %s %llu of %llu", of(h)->step, what ? what : "",
                       (unsigned long long)done, (unsigned long long)total);
    } else {
        (void)snprintf(line, sizeof(line), "%s: %s %llu", of(h)->step, what ? what : "",
                       (unsigned long long)done);
    }
    progress_line(line);
}

static void *h_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    return mem_resize(old, size);
}

static drh_field h_field(const drh_host *h, const char *name, size_t len)
{
    (void)h;
    return field_intern(name, len);
}

static const void *h_extension(const drh_host *h, const char *id)
{
    return services_extension(of(h)->env->services, of(h), id);
}

static drh_status h_digest(const drh_host *h, const drh_str *parts, size_t n, uint8_t out[32])
{
    (void)h;
    return sha256_parts(parts, n, out);
}

static void host_fill(struct instance *in)
{
    in->host = (drh_host){.struct_size = sizeof(drh_host),
                          .abi_minor = DRH_ABI_MINOR,
                          .impl = in,
                          .name = "drhost",
                          .version = DRH_HOST_VERSION,
                          .step = in->step,
                          .max_workers = in->n_workers,
                          .thread_quota = 0,
                          .log = h_log,
                          .cancelled = h_cancelled,
                          .progress = h_progress,
                          .alloc = h_alloc,
                          .field = h_field,
                          .extension = h_extension,
                          .digest = h_digest,
                          .records = &record_api,
                          .values = &value_api,
                          .config = &config_api,
                          .sink_write = sink_write,
                          .list_file = list_file,
                          .json_open = json_doc_open,
                          .json_close = json_doc_close,
                          .sink_patch = sink_patch,
                          .bytes_open = raw_file_open,
                          .bytes_read = raw_file_read,
                          .bytes_close = raw_file_close};
    if (in->stage->desc.flags & DRH_NETWORK) { /* its threads wait more than they compute */
        in->host.thread_quota = in->env->workers < MAX_QUOTA ? in->env->workers + 1 : MAX_QUOTA;
    }
}

/* ---- a PINNED instance's thread ---- */

struct pin {
    pthread_t       thread;
    pthread_mutex_t lock;
    pthread_cond_t  moved;
    void (*fn)(void *);
    void *arg;
    bool  busy, stop;
};

static void *pin_main(void *arg)
{
    struct pin *p = arg;

    (void)pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        if (p->fn) {
            void (*fn)(void *) = p->fn;
            (void)pthread_mutex_unlock(&p->lock);
            fn(p->arg);
            (void)pthread_mutex_lock(&p->lock);
            p->fn = NULL;
            (void)pthread_cond_broadcast(&p->moved);
        } else {
            (void)pthread_cond_wait(&p->moved, &p->lock);
        }
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

static struct pin *pin_new(void)
{
    struct pin *p = mem_alloc(1, sizeof(*p));

    if (!p) {
        return NULL;
    }
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->moved, NULL);
    if (pthread_create(&p->thread, NULL, pin_main, p) != 0) {
        mem_free(p);
        return NULL;
    }
    return p;
}

static void pin_free(struct pin *p)
{
    if (!p) {
        return;
    }
    (void)pthread_mutex_lock(&p->lock);
    p->stop = true;
    (void)pthread_cond_broadcast(&p->moved);
    (void)pthread_mutex_unlock(&p->lock);
    (void)pthread_join(p->thread, NULL);
    (void)pthread_mutex_destroy(&p->lock);
    (void)pthread_cond_destroy(&p->moved);
    mem_free(p);
}

void instance_call(struct instance *in, void (*fn)(void *arg), void *arg)
{
    struct pin *p = in->pin;

    if (!p || pthread_equal(pthread_self(), p->thread)) {
        fn(arg);
        return;
    }
    (void)pthread_mutex_lock(&p->lock);
    while (p->busy) {
        (void)pthread_cond_wait(&p->moved, &p->lock);
    }
    p->busy = true;
    p->fn = fn;
    p->arg = arg;
    (void)pthread_cond_broadcast(&p->moved);
    while (p->fn) {
        (void)pthread_cond_wait(&p->moved, &p->lock);
    }
    p->busy = false;
    (void)pthread_cond_broadcast(&p->moved);
    (void)pthread_mutex_unlock(&p->lock);
}

/* ---- life ---- */

struct life_call {
    struct instance *in;
    uint32_t         index;
    drh_error       *e;
    drh_status       st;
};

static void do_create(void *arg)
{
    struct life_call *c = arg;
    c->st = c->in->stage->life.create(&c->in->host, c->in->config, &c->in->self, c->e);
}

static void do_destroy(void *arg)
{
    struct life_call *c = arg;
    c->in->stage->life.destroy(c->in->self);
}

static void do_open_worker(void *arg)
{
    struct life_call *c = arg;
    c->st = c->in->stage->life.open_worker(c->in->self, c->index, &c->in->worker[c->index], c->e);
}

static void do_close_worker(void *arg)
{
    struct life_call *c = arg;
    c->in->stage->life.close_worker(c->in->self, c->in->worker[c->index]);
}

drh_status stage_error(const struct instance *in, drh_status st, drh_error *e)
{
    if (st < DRH_E_ARG) {
        return st == DRH_OK
                   ? DRH_OK
                   : err_set(e, DRH_E_INTERNAL, "%s (%s) answered with the unknown status %d",
                             in->step, in->stage->plugin->path, (int)st);
    }
    if (st > DRH_E_BUDGET) {
        return err_set(e, DRH_E_INTERNAL, "%s (%s) answered with the unknown status %d", in->step,
                       in->stage->plugin->path, (int)st);
    }
    if (e->message[0] == '\0') {
        (void)err_set(e, st, "(%s gave no reason; status %s)", in->step, err_name(st));
    }
    err_harmless(e->message, strnlen(e->message, sizeof(e->message)));
    e->code = st;
    return st;
}

static drh_status instance_alloc(struct instance *in, const char *step, const struct run_env *env)
{
    uint8_t       digest[32];
    const drh_str part = drh_str_of(step);

    in->env = env;
    /* what depends on the records before it in its shard goes through them in order */
    in->n_workers = in->stage->desc.threading == DRH_WORKERS &&
                            in->stage->desc.scope != DRH_SCOPE_SHARD &&
                            !stage_writes_bytes(in->stage) /* writes in order */
                        ? env->workers
                        : 1;
    in->step = mem_dupz(step);
    in->worker = mem_alloc(in->n_workers, sizeof(*in->worker));
    in->worker_open = mem_alloc(in->n_workers, sizeof(*in->worker_open));
    if (!in->step || !in->worker || !in->worker_open) {
        return DRH_E_NOMEM;
    }
    if (sha256_parts(&part, 1, digest) != DRH_OK) {
        return DRH_E_NOMEM;
    }
    memcpy(&in->step_hash, digest, sizeof(in->step_hash));
    if (in->stage->desc.threading == DRH_PINNED) {
        in->pin = pin_new();
        return in->pin ? DRH_OK : DRH_E_NOMEM;
    }
    return DRH_OK;
}

drh_status instance_new(struct instance **out, const struct stage *stage, const char *step,
                        const char *infer, struct drh_config *config, const struct run_env *env,
                        drh_error *e)
{
    struct instance *in = mem_alloc(1, sizeof(*in));
    struct life_call call = {.in = in, .e = e};

    *out = NULL;
    if (!in) {
        config_free(config);
        return err_nomem(e, step);
    }
    in->stage = stage;
    in->infer = infer;
    in->config = config;
    (void)pthread_mutex_init(&in->turn_lock, NULL);
    (void)pthread_cond_init(&in->turn_moved, NULL);
    if (instance_alloc(in, step, env) != DRH_OK) {
        instance_free(in);
        return err_nomem(e, step);
    }
    host_fill(in);
    e->message[0] = '\0';
    instance_call(in, do_create, &call);
    if (call.st != DRH_OK) {
        call.st = stage_error(in, call.st, e);
        err_prefix(e, "step %s", step);
        instance_free(in);
        return call.st;
    }
    in->created = true;
    *out = in;
    return DRH_OK;
}

int32_t instance_probe(const struct stage *stage, const char *step, const struct drh_config *config,
                       const struct run_env *env, drh_error *e)
{
    struct instance in = {.stage = stage, .env = env, .n_workers = 1};
    int32_t         score = 0;

    in.step = mem_dupz(step);
    if (in.step) {
        host_fill(&in);
        score = stage->ops.service.probe(&in.host, config, e);
    } else {
        (void)err_nomem(e, step);
    }
    mem_free(in.step);
    return score;
}

void instance_free(struct instance *in)
{
    struct life_call call = {.in = in};

    if (!in) {
        return;
    }
    for (uint32_t i = 0; in->worker_open && i < in->n_workers; i++) {
        instance_close_worker(in, i);
    }
    if (in->created) {
        instance_call(in, do_destroy, &call);
    }
    pin_free(in->pin);
    config_free(in->config);
    (void)pthread_mutex_destroy(&in->turn_lock);
    (void)pthread_cond_destroy(&in->turn_moved);
    mem_free(in->worker);
    mem_free(in->worker_open);
    mem_free(in->step);
    mem_free(in);
}

static uint32_t slot_of(const struct instance *in, uint32_t index)
{
    return in->n_workers == 1 ? 0 : index;
}

drh_status instance_open_worker(struct instance *in, uint32_t index, drh_error *e)
{
    struct life_call call = {.in = in, .index = slot_of(in, index), .e = e};

    if (!in->stage->life.open_worker || in->worker_open[call.index]) {
        return DRH_OK;
    }
    instance_call(in, do_open_worker, &call);
    if (call.st != DRH_OK) {
        return stage_error(in, call.st, e);
    }
    in->worker_open[call.index] = true;
    return DRH_OK;
}

void instance_close_worker(struct instance *in, uint32_t index)
{
    struct life_call call = {.in = in, .index = slot_of(in, index)};

    if (in->worker_open[call.index]) {
        in->worker_open[call.index] = false;
        if (in->stage->life.close_worker) {
            instance_call(in, do_close_worker, &call);
        }
    }
}

void *instance_worker(const struct instance *in, uint32_t index)
{
    return in->worker[slot_of(in, index)];
}

/* ---- turns ---- */

void instance_enter(struct instance *in, uint64_t seq)
{
    (void)pthread_mutex_lock(&in->turn_lock);
    while (in->turn != seq) {
        (void)pthread_cond_wait(&in->turn_moved, &in->turn_lock);
    }
    (void)pthread_mutex_unlock(&in->turn_lock);
}

void instance_leave(struct instance *in, uint64_t seq)
{
    (void)pthread_mutex_lock(&in->turn_lock);
    in->turn = seq + 1;
    (void)pthread_cond_broadcast(&in->turn_moved);
    (void)pthread_mutex_unlock(&in->turn_lock);
}

void instance_restart_turns(struct instance *in)
{
    (void)pthread_mutex_lock(&in->turn_lock);
    in->turn = 0;
    (void)pthread_mutex_unlock(&in->turn_lock);
}
