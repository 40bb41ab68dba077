/* SPDX-License-Identifier: MIT
 *
 * spend.c - tokens, money and time: what was spent, what requests under way can cost at most, and
 * whether one more may be sent.  Under the service's lock.
 */
#include "oa.h"

/* Marks of a chat template around a message, and what a server puts at the beginning. */
static const double MARGIN = 64, BYTES_A_TOKEN = 3, MILLION = 1e6;

struct oa_hold oa_spend_most(double prompt_bytes, double max_tokens)
{
    return (struct oa_hold){prompt_bytes + MARGIN, max_tokens};
}

static double cost(const struct oa_spend *s, double n_in, double n_out)
{
    return (n_in * s->price_in + n_out * s->price_out) / MILLION;
}

double oa_spend_money(const struct oa_spend *s)
{
    return cost(s, s->n_in, s->n_out);
}

static bool fits(const struct oa_spend *s, double n_in, double n_out)
{
    return (s->tokens <= 0 || n_in + n_out <= s->tokens) &&
           (s->money <= 0 || cost(s, n_in, n_out) <= s->money);
}

enum oa_may oa_spend_may(const struct oa_spend *s, const struct oa_hold *h, double now)
{
    if (s->seconds > 0 && now - s->started >= s->seconds) {
        return OA_MAY_NEVER;
    }
    if (fits(s, s->n_in + s->held_in + h->n_in, s->n_out + s->held_out + h->n_out)) {
        return OA_MAY;
    }
    return s->held_in + s->held_out > 0 ? OA_MAY_LATER : OA_MAY_NEVER;
}

void oa_spend_hold(struct oa_spend *s, const struct oa_hold *h)
{
    s->held_in += h->n_in;
    s->held_out += h->n_out;
    s->requests++;
}

void oa_spend_take(struct oa_spend *s, const struct oa_hold *h, double n_in, double n_out,
                   double bytes_in, double bytes_out)
{
    s->held_in -= h->n_in;
    s->held_out -= h->n_out;
    s->answers++;
    if (n_in < 0 || n_out < 0) {
        s->unmeasured++;
        n_in = (double)(uint64_t)((bytes_in + BYTES_A_TOKEN - 1) / BYTES_A_TOKEN);
        n_out = (double)(uint64_t)((bytes_out + BYTES_A_TOKEN - 1) / BYTES_A_TOKEN);
    }
    s->n_in += n_in;
    s->n_out += n_out;
}

void oa_spend_words(const struct oa_spend *s, const struct oa_hold *h, double now, char *out,
                    size_t cap)
{
    char spent[96];

    (void)snprintf(spent, sizeof(spent), "%.0f tokens in and %.0f out", s->n_in, s->n_out);
    if (s->seconds > 0 && now - s->started >= s->seconds) {
        (void)snprintf(out, cap, "the %g s of budget_seconds are over (%s)", s->seconds, spent);
    } else if (s->tokens > 0 && s->n_in + s->n_out + h->n_in + h->n_out > s->tokens) {
        (void)snprintf(out, cap,
                       "another request could exceed the %.0f tokens of budget_tokens (%s); raise "
                       "it to go on",
                       s->tokens, spent);
    } else {
        (void)snprintf(out, cap,
                       "another request could cost more than the %g of budget_money (%.4g spent: "
                       "%s); raise it to go on",
                       s->money, oa_spend_money(s), spent);
    }
}
