/* SPDX-License-Identifier: MIT
 *
 * pace.c - how many requests an endpoint gets at once: doubled each round trip until it first has
 * enough, halved then, one more each round trip from there on.  Under the service's lock.
 */
#include "oa.h"

#include <math.h>

enum { FIRST_WINDOW = 64, MANY = 8 };

void oa_pace_init(struct oa_endpoint *ep)
{
    ep->window = ep->max < FIRST_WINDOW ? ep->max : FIRST_WINDOW;
    ep->threshold = ep->max;
}

bool oa_pace_open(const struct oa_endpoint *ep, double now)
{
    return now >= ep->closed_until && ep->in_flight + 1 <= ep->window;
}

void oa_pace_sent(struct oa_endpoint *ep)
{
    ep->in_flight++;
}

void oa_pace_good(struct oa_endpoint *ep)
{
    ep->in_flight--;
    ep->failures = ep->row = 0;
    ep->failing_since = 0;
    ep->window += ep->window < ep->threshold ? 1 : 1 / ep->window;
    ep->window = ep->window > ep->max ? ep->max : ep->window;
}

static void failed(struct oa_endpoint *ep, double now)
{
    ep->in_flight--;
    ep->failed_at = now;
    if (ep->failing_since == 0) {
        ep->failing_since = now;
    }
}

static void close_for(struct oa_endpoint *ep, double now, double seconds)
{
    if (now + seconds > ep->closed_until) {
        ep->closed_until = now + seconds;
    }
}

void oa_pace_congested(struct oa_pace *p, struct oa_endpoint *ep, double sent, double now,
                       double seconds, bool shut)
{
    failed(ep, now);
    close_for(ep, now, seconds);
    if (sent < ep->halved_at) { /* it was under way when the others were refused: the same event */
        return;
    }
    ep->halved_at = now;
    ep->window = ep->window / 2 > 1 ? ep->window / 2 : 1;
    ep->threshold = ep->window;
    if (shut && seconds <= 0) {
        close_for(ep, now, oa_pause(p, ep->failures));
    }
    ep->failures++;
}

void oa_pace_failed(struct oa_pace *p, struct oa_endpoint *ep, double now)
{
    failed(ep, now);
    if (++ep->row >= MANY) { /* else one that fails at once would get the most requests */
        close_for(ep, now, oa_pause(p, (ep->row - MANY) / MANY));
    }
}

double oa_pause(struct oa_pace *p, uint32_t n)
{
    double most = p->pause * pow(2, n < 30 ? n : 30);

    most = most < p->longest_pause ? most : p->longest_pause;
    p->random ^= p->random << 13; /* xorshift: nothing hangs on its quality */
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return most * ((double)(p->random >> 11) / 9007199254740992.0);
}

struct oa_endpoint *oa_pace_choose(struct oa_endpoint *ep, size_t n, double now)
{
    struct oa_endpoint *best = NULL;

    for (size_t i = 0; i < n; i++) {
        if (oa_pace_open(&ep[i], now) && (!best || (ep[i].in_flight + 1) / ep[i].weight <
                                                       (best->in_flight + 1) / best->weight)) {
            best = &ep[i];
        }
    }
    return best;
}
