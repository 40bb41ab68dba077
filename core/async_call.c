/* SPDX-License-Identifier: MIT
 * async_call.c - a request as the coordinator keeps it: a copy of its own, and the digest by which
 * the journal knows it. */
#include "async_pool.h"

#include "hash.h"

#include <string.h>

static drh_status copy_text(struct arena *a, drh_str *s)
{
    if (!s->ptr) {
        return DRH_OK;
    }
    s->ptr = arena_dup(a, s->ptr, s->len);
    return s->ptr ? DRH_OK : DRH_E_NOMEM;
}

static drh_status copy_messages(struct arena *a, drh_infer_req *q)
{
    drh_infer_msg        *msg = arena_alloc(a, q->n_messages * sizeof(*msg));
    const drh_infer_msg **at = arena_alloc(a, q->n_messages * sizeof(*at));
    drh_status            st = msg && at ? DRH_OK : DRH_E_NOMEM;

    for (uint32_t i = 0; st == DRH_OK && i < q->n_messages; i++) {
        msg[i] = *q->messages[i];
        at[i] = &msg[i];
        st = copy_text(a, &msg[i].role);
        st = st == DRH_OK ? copy_text(a, &msg[i].content) : st;
    }
    q->messages = at;
    return st;
}

static drh_status copy_texts(struct arena *a, const drh_str **texts, uint32_t n)
{
    drh_str   *copy = arena_alloc(a, n * sizeof(*copy));
    drh_status st = copy ? DRH_OK : DRH_E_NOMEM;

    for (uint32_t i = 0; st == DRH_OK && i < n; i++) {
        copy[i] = (*texts)[i];
        st = copy_text(a, &copy[i]);
    }
    *texts = copy;
    return st;
}

drh_status call_copy_request(struct arena *a, const drh_infer_req *from, drh_infer_req *q)
{
    drh_status st;

    memset(q, 0, sizeof(*q));
    memcpy(q, from, from->struct_size < sizeof(*q) ? from->struct_size : sizeof(*q));
    q->struct_size = sizeof(*q);
    st = copy_text(a, &q->prompt);
    st = st == DRH_OK ? copy_text(a, &q->target) : st;
    st = st == DRH_OK && q->n_messages ? copy_messages(a, q) : st;
    st = st == DRH_OK && q->n_stop ? copy_texts(a, &q->stop, q->n_stop) : st;
    return st == DRH_OK && q->n_first_avoid ? copy_texts(a, &q->first_avoid, q->n_first_avoid) : st;
}

drh_status call_digest(struct arena *a, const drh_infer_req *q, uint8_t out[16])
{
    struct {
        double   f[4];
        uint64_t seed;
        uint32_t u[8];
    } fixed = {
        {q->temperature, q->top_p, q->min_p, q->repetition_penalty},
        q->seed,
        {q->op, q->flags, q->max_total, q->max_tokens, q->top_k, q->n_stop, q->n_messages, 0}};
    drh_str *part = arena_alloc(a, (4 + q->n_stop + q->n_first_avoid + 2 * (size_t)q->n_messages) *
                                       sizeof(*part));
    uint8_t  full[32];
    size_t   n = 3;
    drh_status st;

    if (!part) {
        return DRH_E_NOMEM;
    }
    part[0] = (drh_str){(const char *)&fixed, sizeof(fixed)};
    part[1] = q->prompt;
    part[2] = q->target;
    for (uint32_t i = 0; i < q->n_stop; i++) {
        part[n++] = q->stop[i];
    }
    for (uint32_t i = 0; i < q->n_messages; i++) {
        part[n++] = q->messages[i]->role;
        part[n++] = q->messages[i]->content;
    }
    if (q->n_first_avoid || q->first_temperature != 0.0) { /* else as it always was */
        part[n++] = (drh_str){(const char *)&q->first_temperature, sizeof(q->first_temperature)};
    }
    for (uint32_t i = 0; i < q->n_first_avoid; i++) {
        part[n++] = q->first_avoid[i];
    }
    st = sha256_parts(part, n, full);
    memcpy(out, full, 16);
    return st;
}
