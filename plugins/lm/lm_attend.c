/* SPDX-License-Identifier: MIT
 *
 * lm_attend.c - see lm_attend.h.
 */
#include "lm_attend.h"

#include <math.h>
#include <string.h>

enum {
    QUERIES = 6 * LM_QUERY_GROUP, /* that share a block of keys while it is in the cache */
    VALUES = 64,                  /* that they share */
    SPARE = 16 /* behind a row of scores, lest all rows share the same lines of the cache */
};

/* How lm_attention.room is cut up. */
struct room {
    float *keys, *values, *q, *sums, *scores;
    size_t width; /* of a packed value */
    size_t lds;   /* of scores */
};

/* Where each part begins, and behind the last. */
static size_t parts_of(const struct lm_steps *s, size_t to, size_t at[5])
{
    const size_t size = s->m->c.head_dim, n = s->math->room_for(to);
    const size_t width = s->math->room_for(size);
    at[0] = 0;
    at[1] = at[0] + n * size;
    at[2] = at[1] + n * width;
    at[3] = at[2] + QUERIES * size;
    at[4] = at[3] + QUERIES * width;
    return at[4] + QUERIES * (n + SPARE);
}

size_t lm_attend_room(const struct lm_steps *s, size_t to)
{
    size_t at[5];
    return parts_of(s, to, at);
}

static struct room cut_up(const struct lm_attention *a)
{
    const struct lm_math *math = a->s->math;
    size_t                at[5];
    (void)parts_of(a->s, a->to, at);
    return (struct room){.keys = a->room + at[0],
                         .values = a->room + at[1],
                         .q = a->room + at[2],
                         .sums = a->room + at[3],
                         .scores = a->room + at[4],
                         .width = math->room_for(a->s->m->c.head_dim),
                         .lds = math->room_for(a->to) + SPARE};
}

/* The first position that a query sees. */
static size_t first_seen(const struct lm_attention *a, size_t position)
{
    return a->window && position >= a->window ? position - a->window + 1 : 0;
}

/* Scores of queries from..to, of the keys from `low` on; a group of them sees none behind its last
 * position. */
static void score(const struct lm_attention *a, const struct room *r, size_t from, size_t to,
                  size_t low)
{
    const struct lm_math *math = a->s->math;
    const size_t          size = a->s->m->c.head_dim, block = math->room_for(1);
    for (size_t key = low; key < to; key += block) {
        const size_t skip = key > from ? (key - from) / LM_QUERY_GROUP * LM_QUERY_GROUP : 0;
        for (size_t i = skip; from + i < to; i += LM_QUERY_GROUP) {
            math->scores(r->q + i * size, r->keys + key * size, size,
                         r->scores + i * r->lds + key - low, r->lds);
        }
    }
}

/* Scores to weights, in place; inv[i] is what their sums are still to be multiplied by. */
static void weigh(const struct lm_attention *a, const struct room *r, size_t from, size_t to,
                  size_t low, float *inv)
{
    for (size_t i = 0; from + i < to; i++) {
        const size_t first = first_seen(a, from + i) - low, n = from + i + 1 - low - first;
        const size_t last = i / LM_QUERY_GROUP * LM_QUERY_GROUP + LM_QUERY_GROUP;
        const size_t end = (from + last < to ? from + last : to) - low;
        float       *p = r->scores + i * r->lds;
        memset(p, 0, first * sizeof(*p));
        inv[i] = a->s->math->softmax(p + first, n, end - first, 1.0f);
    }
}

/* Sums of the values, weighted. */
static void mix(const struct lm_attention *a, const struct room *r, size_t from, size_t to,
                size_t low)
{
    memset(r->sums, 0, QUERIES * r->width * sizeof(*r->sums));
    for (size_t key = low; key < to; key += VALUES) {
        const size_t skip = key > from ? (key - from) / LM_QUERY_GROUP * LM_QUERY_GROUP : 0;
        for (size_t i = skip; from + i < to; i += LM_QUERY_GROUP) {
            size_t end = from + i + LM_QUERY_GROUP;
            end = end < to ? end : to;
            end = end < key + VALUES ? end : key + VALUES;
            a->s->math->mix(r->scores + i * r->lds + key - low, r->lds, r->values + key * r->width,
                            end - key, r->width, r->sums + i * r->width);
        }
    }
}

/* Queries from..to, at most QUERIES, of one head whose keys and values are packed. */
static void block(const struct lm_attention *a, const struct room *r, size_t head, size_t from,
                  size_t to)
{
    const struct lm_math *math = a->s->math;
    const size_t          size = a->s->m->c.head_dim, d = lm_attention_width(&a->s->m->c);
    const size_t          low = first_seen(a, from) / math->room_for(1) * math->room_for(1);
    float                *out = a->out + (from - a->from) * d + head * size, inv[QUERIES];
    math->pack_queries(a->q + (from - a->from) * a->ldq + head * size, to - from, size, a->ldq,
                       1.0f / sqrtf((float)size), r->q);
    score(a, r, from, to, low);
    weigh(a, r, from, to, low, inv);
    mix(a, r, from, to, low);
    for (size_t i = 0; from + i < to; i++) {
        memcpy(out + i * d, r->sums + i * r->width, size * sizeof(*out));
        math->scale(out + i * d, size, inv[i]);
    }
}

void lm_attend(const struct lm_attention *a)
{
    const struct lm_config *c = &a->s->m->c;
    const size_t            size = c->head_dim, group = c->heads / c->kv_heads;
    const struct room       r = cut_up(a);
    for (size_t kv = 0; kv < c->kv_heads; kv++) {
        a->s->math->pack_keys(a->k + kv * size, a->to, size, a->ldkv, r.keys);
        a->s->math->pack_values(a->v + kv * size, a->to, size, a->ldkv, r.values);
        for (size_t h = kv * group; h < (kv + 1) * group; h++) {
            for (size_t from = a->from; from < a->to; from += QUERIES) {
                block(a, &r, h, from, from + QUERIES < a->to ? from + QUERIES : a->to);
            }
        }
    }
}
