/* SPDX-License-Identifier: MIT
 *
 * lm_answer.c - see lm_answer.h.
 */
#define _POSIX_C_SOURCE 200809L
#include "lm_answer.h"

#include <drh/util.h>

#include <stdlib.h>
#include <time.h>

enum { ROOM = 256 }; /* more than a token's text most of the time */

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void lm_answer_begin(struct lm_answer *a, const struct lm_model *m, const drh_infer_req *req)
{
    a->m = m;
    a->req = req;
    a->n = a->longest = 0;
    a->no_memory = a->late = 0;
    a->until = req->deadline_ms ? now() + 1e-3 * req->deadline_ms : 0;
    for (uint32_t i = 0; i < req->n_stop; i++) {
        a->longest = req->stop[i].len > a->longest ? req->stop[i].len : a->longest;
    }
    a->turn_end = lm_chat_user_end(&m->chat, req);
    a->longest = a->turn_end.len > a->longest ? a->turn_end.len : a->longest;
    lm_decode_init(&a->decoder, &m->tok, LM_DECODE_SKIP_SPECIAL);
}

/* One of the tokens that end a turn, of a chat only. */
static int ends_turn(const struct lm_answer *a, uint32_t id)
{
    const struct lm_chat *c = &a->m->chat;
    for (size_t i = 0; a->req->n_messages && i < c->n_stop; i++) {
        if (c->stop[i] == id) {
            return 1;
        }
    }
    return 0;
}

/* A model's own end, or a stop text that is a special token, which no text ever holds. */
static int is_stop(const struct lm_answer *a, uint32_t id)
{
    size_t      n = 0;
    const char *text;
    for (size_t i = 0; i < a->m->n_stop; i++) {
        if (a->m->stop[i] == id) {
            return 1;
        }
    }
    if (ends_turn(a, id)) {
        return 1;
    }
    if (!lm_tok_is_special(&a->m->tok, id)) {
        return 0;
    }
    text = lm_tok_text(&a->m->tok, id, &n);
    for (uint32_t i = 0; text && i < a->req->n_stop; i++) {
        if (a->req->stop[i].len == n && memcmp(a->req->stop[i].ptr, text, n) == 0) {
            return 1;
        }
    }
    return 0;
}

static int room(struct lm_answer *a, size_t n)
{
    const size_t cap = a->n + n + a->n / 2;
    char        *more;
    if (a->n + n <= a->cap) {
        return 0;
    }
    more = realloc(a->text, cap);
    if (!more) {
        return -1;
    }
    a->text = more;
    a->cap = cap;
    return 0;
}

typedef void decode_step(struct lm_decoder *d, uint32_t id, struct lm_decode_out *out);

static void last_step(struct lm_decoder *d, uint32_t id, struct lm_decode_out *out)
{
    (void)id;
    lm_decode_end(d, out);
}

/* Appends what a step of the decoder gives.  It is repeated when there was too little room. */
static void append(struct lm_answer *a, decode_step *step, uint32_t id)
{
    struct lm_decode_out out = {NULL, 0, 0};
    struct lm_decoder    before = a->decoder;
    size_t               want = ROOM;
    do {
        if (room(a, want)) {
            a->no_memory = 1;
            return;
        }
        a->decoder = before;
        out = (struct lm_decode_out){a->text + a->n, a->cap - a->n, 0};
        step(&a->decoder, id, &out);
        want = out.count;
    } while (out.count > out.cap);
    a->n += out.count;
}

static int stands_at(const struct lm_answer *a, size_t at, drh_str s)
{
    return s.len && s.len <= a->n - at && memcmp(a->text + at, s.ptr, s.len) == 0;
}

/* The first stop text that ends behind `from`: the answer ends where it begins. */
static int find_stop(struct lm_answer *a, size_t from)
{
    const size_t begin = from >= a->longest ? from - a->longest + 1 : 0;
    for (size_t at = begin; at < a->n; at++) {
        for (uint32_t i = 0; i < a->req->n_stop; i++) {
            const drh_str s = a->req->stop[i];
            if (stands_at(a, at, s)) {
                a->n = at;
                return 1;
            }
        }
        if (stands_at(a, at, a->turn_end)) {
            a->n = at;
            return 1;
        }
    }
    return 0;
}

int lm_answer_push(struct lm_answer *a, uint32_t id)
{
    const size_t from = a->n;
    if (is_stop(a, id)) {
        return 1;
    }
    append(a, lm_decode_push, id);
    if (a->no_memory || (a->longest && find_stop(a, from))) {
        return 1;
    }
    a->late = a->until > 0 && now() > a->until;
    return a->late;
}

void lm_answer_end(struct lm_answer *a)
{
    append(a, last_step, 0);
}

void lm_answer_free(struct lm_answer *a)
{
    free(a->text);
    memset(a, 0, sizeof(*a));
}
