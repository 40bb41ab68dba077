/* SPDX-License-Identifier: MIT
 * limit.h - when the next request may go to an origin: a server's own limits, heeded before they
 * are reached, and pauses that grow after failures.  On the network thread only. */
#ifndef HTTP_LIMIT_H
#define HTTP_LIMIT_H

#include "url.h"

enum { LIMIT_MAX_ORIGINS = 64 };

/* Hubs count questions to their API and downloads apart. */
enum gate_kind { GATE_CALLS = 0, GATE_FILES };

struct gate {
    struct origin origin;
    uint32_t      kind;         /* enum gate_kind */
    double        closed_until; /* clock_now(); 0: open */
    bool          counted;      /* the server says how many requests are left */
    bool          first;        /* the number of a new window is asked for */
    int64_t       left;         /* until reset_at: the lowest number that it has said */
    double        reset_at;
    double        reset_low;  /* it may be as early as that */
    double        since;      /* what was sent before is of an earlier window */
    uint32_t      untold;     /* ended without a number; the next one may not have them yet */
    uint32_t      open;       /* requests under way */
    uint32_t      window;     /* most of these: few until the server has shown that it bears more */
    uint32_t      refused;    /* times that it refused (429 or 503) in a row */
    double        refused_at; /* what was sent before is of the same refusal */
    uint32_t      failures;   /* requests in a row that failed in any way */
};

struct limits {
    struct gate gate[LIMIT_MAX_ORIGINS];
    size_t      n;
    double      base, cap; /* seconds: of the pauses */
    uint64_t    random;    /* state of their jitter */
};

/* The origin's gate, made when there is none; the oldest idle one is forgotten for it. */
struct gate *limit_gate(struct limits *l, const struct origin *o, enum gate_kind kind);
/* Seconds until a request may be sent, 0: now. */
double limit_wait(const struct gate *g, double now);
void   limit_sent(struct gate *g, double now);
/* One that was sent is given up; the server may have counted it. */
void limit_lost(struct gate *g);
/* What the answer to a request that was sent at `sent` says of limits.  status 0: there was none.
 */
void limit_answer(struct limits *l, struct gate *g, uint32_t status, const drh_http_answer *a,
                  double sent, double now);
/* Full jitter: anything from 0 to base * 2^n, at most cap; n counts from 0. */
double limit_pause(struct limits *l, uint32_t n);

#endif
