/* SPDX-License-Identifier: MIT
 * limit.c - see limit.h.
 *
 * RateLimit headers tell what is left in the server's window.  Answers overtake each other, so the
 * lowest number of a window counts; requests that are under way may or may not be in it, so they
 * are taken off: the worst is that an answer is waited for.  When the window ends, or should have,
 * the answers to requests that were sent before tell nothing any more: the first one that is sent
 * then brings the new number.  Before a server has said anything it gets a few requests at a time,
 * and twice as many with each answer. */
#include "limit.h"

#include "head.h"

#include <drh/hub.h>
#include <math.h>
#include <time.h>

enum { FIRST_WINDOW = 4, MOST_WINDOW = 1 << 16 };
static const double LOOK_AGAIN_S = 0.02, MARGIN_S = 0.25;

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

/* Requests under way may use up what the server has left. */
static bool is_used_up(const struct gate *g)
{
    return g->counted && g->left <= (int64_t)g->open;
}

double limit_wait(const struct gate *g, double now)
{
    double until = g->closed_until;
    bool   answers_may_open = g->open >= g->window;

    if (is_used_up(g) && g->reset_at > now) {
        if (g->left > 0) {
            answers_may_open = true;
        } else if (g->reset_at > until) {
            until = g->reset_at;
        }
    }
    if (until <= now && answers_may_open) {
        return LOOK_AGAIN_S;
    }
    return until > now ? until - now : 0;
}

void limit_sent(struct gate *g, double now)
{
    if (g->counted && now >= g->reset_at) { /* the first one of a new window */
        if (!g->first || g->open == 0) {
            g->since = now;
            g->untold = 0;
        }
        g->left = is_used_up(g) ? 0 : g->left; /* the others wait for the number that it brings, */
        g->reset_at = now + 2;                 /* but not for ever */
        g->first = true;
    }
    g->open++;
}

void limit_lost(struct gate *g)
{
    g->open -= g->open > 0;
    g->left -= g->left > 0;
    g->untold++;
}

/* The window of an answer ends between `low` and `high`: its seconds are rounded up, and it was on
 * its way for a while. */
static void take_rate(struct gate *g, const struct rate *rate, double sent, double now)
{
    const int64_t left = rate->left > INT32_MAX ? INT32_MAX : (int64_t)rate->left;
    const double  high = now + rate->reset_s + MARGIN_S;
    const double  low = sent + rate->reset_s - 1 + MARGIN_S;

    if (!g->counted || g->first || low > g->reset_at) { /* a new one */
        g->left = g->first ? left - g->untold : left;
        g->reset_low = low;
        g->reset_at = high;
    } else if (high >= g->reset_low) { /* the same, else an earlier one */
        g->left = left < g->left ? left : g->left;
        g->reset_low = low > g->reset_low ? low : g->reset_low;
        g->reset_at = high < g->reset_at ? high : g->reset_at;
    }
    g->counted = true;
    g->first = false;
}

static void close_for(struct gate *g, double now, double seconds)
{
    if (now + seconds > g->closed_until) {
        g->closed_until = now + seconds;
    }
}

void limit_answer(struct limits *l, struct gate *g, uint32_t status, const drh_http_answer *a,
                  double sent, double now)
{
    drh_str     value;
    struct rate rate;
    uint32_t    ms = 0;

    g->failures = status == 0 || status == 429 || status >= 500 ? g->failures + 1 : 0;
    if (status == 0) {
        limit_lost(g);
        return;
    }
    value = drh_hub_header(a, "ratelimit");
    if (!value.ptr || !head_rate_limit(value, &rate)) {
        g->open -= g->open > 0;
        g->counted = false;
    } else if (sent < g->since) {
        limit_lost(g);
    } else {
        g->open -= g->open > 0;
        take_rate(g, &rate, sent, now);
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
    if (sent < g->refused_at) { /* a hundred that were under way together are refused once */
        return;
    }
    g->refused_at = now;
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
