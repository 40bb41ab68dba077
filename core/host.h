/* SPDX-License-Identifier: MIT
 * host.h - a stage instance and the drh_host that it sees.
 *
 * An instance is made and destroyed on the main thread (a PINNED one on its own thread, to which
 * every call is handed over).  Worker states are opened by the thread that uses them. */
#ifndef CORE_HOST_H
#define CORE_HOST_H

#include "loader.h"
#include "schema.h"

#include <drh/plugin.h>

#include <pthread.h>
#include <stdbool.h>

struct services;
struct async;

/* What all instances of a run share. */
struct run_env {
    uint64_t         seed;
    uint32_t         workers;  /* -j */
    struct services *services; /* who answers extension() */
};

struct pin; /* the thread of a PINNED instance */

struct instance {
    const struct stage   *stage;
    const struct run_env *env;
    char                 *step;   /* owned */
    const char           *infer;  /* its model's name of its own, the caller's text; or NULL */
    struct drh_config    *config; /* owned */
    drh_host              host;
    void                 *self;
    bool                  created;
    void                **worker; /* one a worker index; SERIAL and PINNED use index 0 only */
    bool                 *worker_open;
    uint32_t              n_workers;
    struct pin           *pin;
    pthread_mutex_t       turn_lock; /* SERIAL: batches take turns in order */
    pthread_cond_t        turn_moved;
    uint64_t              turn;
    uint64_t              step_hash;
    struct async         *async; /* the coordinator that drives it now, for drh_infer.submit */
};

/* Takes `config` over in any case; `infer` (may be NULL) has to last as long as the instance. */
drh_status instance_new(struct instance **out, const struct stage *stage, const char *step,
                        const char *infer, struct drh_config *config, const struct run_env *env,
                        drh_error *e);
void       instance_free(struct instance *in); /* NULL is fine; closes workers */

/* A service stage's probe() before it is created: 0 with e's reason, or a score. */
int32_t instance_probe(const struct stage *stage, const char *step, const struct drh_config *config,
                       const struct run_env *env, drh_error *e);

/* Opens the worker state for index if it is not open yet; to be called by the thread that will use
 * it.  instance_close_worker closes it, on the same thread. */
drh_status instance_open_worker(struct instance *in, uint32_t index, drh_error *e);
void       instance_close_worker(struct instance *in, uint32_t index);
void      *instance_worker(const struct instance *in, uint32_t index);

/* Runs fn(arg) where the instance's calls have to run: here, or on its own thread. */
void instance_call(struct instance *in, void (*fn)(void *arg), void *arg);

/* SERIAL and PINNED: waits until batch `seq` may enter; leaving lets seq + 1 in.  A run that stops
 * early leaves too, so nobody waits for ever. */
void instance_enter(struct instance *in, uint64_t seq);
void instance_leave(struct instance *in, uint64_t seq);
void instance_restart_turns(struct instance *in); /* before each shard */

/* Gives an error without text one, "(STEP gave no reason)". */
drh_status stage_error(const struct instance *in, drh_status st, drh_error *e);

/* ---- stopping ---- */
void run_cancel_setup(void); /* SIGINT and SIGTERM ask to stop, a second one kills */
bool run_cancelled(void);    /* [any] */
void run_cancel(void);       /* [any]: as a signal would */
int  run_signal(void);       /* the signal that asked, or 0 */

#endif
