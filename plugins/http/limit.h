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
    int64_t       left;         /* until reset_at, those under way taken off */
    double        reset_at;
    uint32_t      open;     /* requests under way */
    uint32_t      window;   /* most of these: few until the server has shown that it bears more */
    uint32_t      refused;  /* answers of 429 or 503 in a row */
    uint32_t      failures; /* requests in a row that failed in any way */
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
/* What the answer to a request that was sent says of limits.  status 0: there was no answer. */
void limit_answer(struct limits *l, struct gate *g, uint32_t status, const drh_http_answer *a,
                  double now);
/* Full jitter: anything from 0 to base * 2^n, at most cap; n counts from 0. */
double limit_pause(struct limits *l, uint32_t n);

#endif
