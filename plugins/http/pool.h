/* SPDX-License-Identifier: MIT
 * pool.h - a few threads for what must not hold up the network: hashing, and waiting for the disk.
 */
#ifndef HTTP_POOL_H
#define HTTP_POOL_H

#include <drh/util.h>

#include <stdbool.h>

struct pool;

/* A piece of work that never runs twice at once; the owner keeps it until it has neither been
 * kicked nor is running. */
struct task {
    struct task *next;
    int          state;    /* the pool's, under its lock */
    bool (*fn)(void *arg); /* true: the task is gone, and may have been freed by now */
    void *arg;
};

drh_status pool_new(struct pool **out, const drh_host *h, unsigned threads, drh_error *e);
void       pool_free(struct pool *p); /* after the last task; NULL is fine */
/* Runs t soon; once more when it is running now. [any] */
void pool_kick(struct pool *p, struct task *t);

#endif
