/* SPDX-License-Identifier: MIT
 * fault.h - rules that spoil answers.  A rule says which calls it is for and what happens to them;
 * what cannot be done to the answer itself becomes part of the plan by which it is sent. */
#ifndef NET_FAULT_H
#define NET_FAULT_H

#include "conn.h"
#include "util.h"

#include <cjson/cJSON.h>
#include <pthread.h>

struct call;
struct rule;

struct faults {
    pthread_mutex_t    lock;
    struct rule       *rules; /* owned */
    size_t             n;
    unsigned long long next_id;
};

enum length { LENGTH_RIGHT, LENGTH_WRONG, LENGTH_CHUNKED, LENGTH_CHUNKED_CUT, LENGTH_NONE };
enum { FLIPS = 8 };
#define NEVER UINT64_MAX

struct plan {
    struct sb   names;     /* of the faults, for the log */
    double      wait;      /* before the status line */
    bool        silent;    /* no answer, ever */
    bool        hang_up;   /* no answer but the end, cut_how */
    uint64_t    stall_at;  /* byte of the body before which it waits */
    double      stall_for; /* negative: for ever */
    uint64_t    cut_at;    /* byte of the body before which it ends */
    enum ending cut_how;
    bool        cut;         /* there is a cut_at */
    uint64_t    flip[FLIPS]; /* places in the object */
    unsigned    flips;
    enum length length;
    long long   length_by;   /* LENGTH_WRONG */
    uint64_t    slow_from;   /* byte of the body from which `each` is on */
    double      each, total; /* bytes a second; 0: as fast as it goes */
    bool        close_after; /* the connection, with notice or */
    bool        close_quietly;
    bool        lower_case, upper_case; /* names of header fields */
};

void faults_init(struct faults *f);
void faults_free(struct faults *f);
/* Instead of the rules there are, or in addition.  false: *why says what is wrong, nothing done. */
bool faults_put(struct faults *f, const cJSON *list, bool add, struct sb *why);
void faults_reset(struct faults *f);                /* no rules */
void faults_list(struct faults *f, struct sb *out); /* JSON, with hits */

void plan_init(struct plan *p);
/* Spoils c->r and c->plan. */
void faults_apply(struct call *c);
/* When a connection comes in.  false: answered with its end, END_RST or END_FIN. */
bool faults_accept(struct faults *f, struct conn *c, enum ending *how);

#endif
