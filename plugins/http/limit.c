/* SPDX-License-Identifier: MIT
 * limit.c - see limit.h.
 *
 * RateLimit headers tell what is left in the server's window.  Requests that are under way may or
 * may not be counted in it yet, so they are taken off: the worst is a request too few.  When the
 * window ends one request goes first and brings the new number.  Before a server has said anything
 * it gets a few requests at a time, and twice as many with each answer. */
#include "limit.h"

#include "head.h"

#include <drh/hub.h>
#include <math.h>
#include <time.h>

enum { FIRST_WINDOW = 4, MOST_WINDOW = 1 << 16 };
static const double LOOK_AGAIN_S = 0.02;

struct gate *limit_gate(struct limits *l, const struct origin *o, enum gate_kind kind)
{
    struct gate *g = NULL;

    for (size_t i = 0; i < l->n; i++) {
        if (l->gate[i].kind == kind && origin_same(&l->gate[i].origin, o)) {
            return &l->gate[i];
        }
    }
    if (l->n < LIMIT_MAX_ORIGINS) {
        g = &l->gate[l->n++];
    }
    for (size_t i = 0; !g && i < l->n; i++) { /* more hosts than anyone meets */
        g = l->gate[i].open == 0 ? &l->gate[i] : NULL;
    }
    g = g ? g : &l->gate[LIMIT_MAX_ORIGINS - 1];
    memset(g, 0, sizeof(*g));
    g->origin = *o;
    g->kind = kind;
    g->window = FIRST_WINDOW;
    return g;
}

double limit_wait(const struct gate *g, double now)
{
    double until = g->closed_until;

    if (g->counted && g->left <= 0 && g->reset_at > until) {
        until = g->reset_at;
    }
    if (until <= now && g->open >= g->window) { /* an answer will open it */
        return LOOK_AGAIN_S;
    }
    return until > now ? until - now : 0;
}

void limit_sent(struct gate *g, double now)
{
    g->open++;
    if (!g->counted) {
        return;
    }
    if (g->left > 0) {
        g->left--;
    } else { /* the first one of a new window: the others wait for the number that it brings */
        g->reset_at = now + 2;
    }
}

static void close_for(struct gate *g, double now, double seconds)
{
    if (now + seconds > g->closed_until) {
        g->closed_until = now + seconds;
    }
}

void limit_answer(struct limits *l, struct gate *g, uint32_t status, const drh_http_answer *a,
                  double now)
{
    drh_str     value;
    struct rate rate;
    uint32_t    ms = 0;

    g->open -= g->open > 0;
    g->failures = status == 0 || status == 429 || status >= 500 ? g->failures + 1 : 0;
    if (status == 0) {
        return;
    }
    value = drh_hub_header(a, "ratelimit");
    g->counted = value.ptr && head_rate_limit(value, &rate);
    if (g->counted) {
        g->left = rate.left > INT32_MAX ? INT32_MAX : (int64_t)rate.left - g->open;
        g->reset_at = now + rate.reset_s + 0.25; /* its second has begun by then */
    }
    if (status != 429 && status != 503) {
        g->refused = 0;
        g->window = g->window < MOST_WINDOW ? g->window * 2 : g->window;
        return;
    }
    value = drh_hub_header(a, "retry-after");
    if (value.ptr && head_retry_after(value, (int64_t)time(NULL), &ms)) {
        close_for(g, now, ms / 1000.0);
    }
    if (status == 429 && g->counted && rate.left == 0) {
        close_for(g, now, rate.reset_s + 1.0);
    }
    close_for(g, now, limit_pause(l, g->refused));
    g->refused++;
    g->window = g->window > 1 ? g->window / 2 : 1;
}

double limit_pause(struct limits *l, uint32_t n)
{
    double most = l->base * pow(2, n < 30 ? n : 30);

    most = most < l->cap ? most : l->cap;
    l->random ^= l->random << 13; /* xorshift: nothing hangs on its quality */
    l->random ^= l->random >> 7;
    l->random ^= l->random << 17;
    return most * ((double)(l->random >> 11) / 9007199254740992.0);
}
