/* SPDX-License-Identifier: MIT
 * async_pool.h - between the coordinator (async.c) and an inference backend: threads that run
 * packs, or a queue of single requests and their answers.
 *
 * All functions are the coordinator's, except pool_answer. */
#ifndef CORE_ASYNC_POOL_H
#define CORE_ASYNC_POOL_H

#include "arena.h"
#include "journal.h"
#include "services.h"

#include <drh/infer.h>

struct flight;
struct async_pool;

/* One request.  Lies in its window's arena; `block` holds the answer's texts and is freed with the
 * window.  A backend never sees its address: what it is given, `ticket`, is a number of a table, so
 * that it may answer twice, or years later, and do no harm. */
struct call {
    struct call         *next;      /* in a list or queue */
    struct call         *all_next;  /* in its window */
    struct call         *mine_next; /* in its flight's attempt */
    struct flight       *flight;
    struct async_pool   *pool;
    drh_infer_req        req;
    uint64_t             tag;
    struct journal_key   key;
    drh_infer_call      *ticket; /* the backend's name for it */
    const drh_infer_res *kept;   /* answer from the journal, or NULL */
    drh_infer_res        res;
    drh_error            error; /* res.error points here when set */
    void                *block; /* owned: values and text of res */
    uint32_t             tries;
    bool                 sent;     /* to the backend; under the pool's lock */
    bool                 answered; /* likewise */
    bool                 late;     /* nobody waits for the answer; the coordinator's */
    double               due;      /* next try, monotonic seconds */
};

struct call_list {
    struct call *first, *last;
    size_t       n;
};

void         call_list_add(struct call_list *l, struct call *c);
struct call *call_list_take(struct call_list *l); /* the first, or NULL */

struct pack {
    struct call_list calls;
    struct pack     *next; /* in the queue */
    bool             done;
    drh_status       st; /* of run() */
    drh_error        error;
};

/* svc NULL: a step that asks for nothing; every request is refused. */
drh_status pool_new(struct async_pool **p, const struct service *svc, uint32_t workers,
                    drh_error *e);
/* Stops threads, cancels what is open and waits for it.  false: a backend did not answer within 2
 * s; then nothing that it could still touch may be freed. */
bool pool_stop(struct async_pool *p);
void pool_free(struct async_pool *p);

/* Copies an answer into its call and queues it, if the ticket is still good. [any] */
void pool_answer(drh_infer_call *ticket, const drh_infer_res *res);
void call_free_block(struct call *c);

/* -- requests, async_call.c; memory is the arena's -- */
#define CALL_REQUEST_MIN offsetof(drh_infer_req, first_avoid) /* what older plugins know */
drh_status call_copy_request(struct arena *a, const drh_infer_req *from, drh_infer_req *q);
/* What makes two requests the same: all that the answer depends on. */
drh_status call_digest(struct arena *a, const drh_infer_req *q, uint8_t out[16]);

/* -- packs -- */
drh_status pool_cost(const struct service *svc, const drh_infer_req *req, uint32_t *tokens,
                     drh_error *e);
/* Answers c itself with status st and e's text. */
void       pool_refuse(struct call *c, drh_status st, const drh_error *e);
void       pool_run(struct async_pool *p, struct pack *pack); /* done at once if all is known */
drh_status pool_wait(struct async_pool *p, struct pack *pack, drh_error *e);

/* -- one by one -- */
void pool_send(struct async_pool *p, struct call *c);
/* An answered call; NULL after 100 ms without one, or with *st set. */
struct call *pool_next(struct async_pool *p, drh_error *e, drh_status *st);

bool pool_is_open(struct call *c); /* with the backend */

/* Writes an answer to the journal, unless it is from there, or may be different next time. */
drh_status pool_keep(struct journal *j, struct call *c, drh_error *e);
/* After pool_stop(): the same for answers that nobody has taken. */
drh_status pool_keep_rest(struct async_pool *p, struct journal *j, drh_error *e);

#endif
