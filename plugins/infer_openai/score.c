/* SPDX-License-Identifier: MIT
 *
 * score.c - log-probabilities of a text's tokens: out of vLLM's prompt_logprobs, by token ids, or
 * out of an echo with logprobs, by places in the text.  Pure. [any]
 */
#include "oa.h"

#include <drh/util.h>

#include <math.h>

enum { MAX_TOKENS = 1 << 24 };

drh_status oa_plan_score(struct oa_plan *p, size_t bos, size_t n_prompt, size_t all, size_t limit,
                         drh_error *e)
{
    const size_t start = bos + n_prompt, total = bos + all;

    *p = (struct oa_plan){.n_prompt = n_prompt, .n_target = all > n_prompt ? all - n_prompt : 0};
    p->total = total < limit ? total : limit;
    p->first = start ? start : 1;
    p->first_value = start ? 0 : 1;
    if (p->n_target > 0 && start >= p->total) {
        return drh_fail(e, DRH_E_RANGE,
                        "the prompt's %zu tokens leave none of the %zu that are allowed for the "
                        "target",
                        start, limit);
    }
    return DRH_OK;
}

static enum oa_verdict broken(struct oa_answer *a, const char *words)
{
    a->code = DRH_E_NETWORK;
    oa_words(a, words, (drh_str){NULL, 0}, NULL);
    return OA_AGAIN;
}

static bool member(const drh_host *h, const drh_value *o, const char *key, drh_value *out)
{
    return h->values->member(o, key, strlen(key), out) == DRH_OK;
}

static void read_usage(const drh_host *h, const drh_value *root, struct oa_answer *a)
{
    drh_value u;

    if (member(h, root, "usage", &u)) {
        int64_t in = drh_hub_int(h, &u, "prompt_tokens", -1);
        if (in >= 0) {
            a->n_in = (double)in;
            a->n_out = (double)drh_hub_int(h, &u, "completion_tokens", 0);
        }
    }
}

static bool first_choice(const drh_host *h, const drh_value *root, drh_value *out)
{
    drh_value list;

    return member(h, root, "choices", &list) && h->values->child(&list, out) == DRH_OK;
}

/* ---- token ids ---- */

static bool take_ids(const drh_host *h, const drh_value *list, struct oa_ids *out)
{
    size_t     n = h->values->count(list), i = 0;
    drh_value  v;
    drh_status st;

    if (h->values->type(list) != DRH_T_ARRAY || n > MAX_TOKENS) {
        return false;
    }
    out->id = h->alloc(h, NULL, (n + 1) * sizeof(*out->id));
    for (st = h->values->child(list, &v); out->id && st == DRH_OK && i < n;
         st = h->values->next(&v)) {
        int64_t id;
        if (h->values->i64(&v, &id) != DRH_OK || id < 0 || id > UINT32_MAX) {
            return false;
        }
        out->id[i++] = (uint32_t)id;
    }
    out->n = i;
    return out->id && i == n;
}

enum oa_verdict oa_read_ids(const drh_host *h, drh_str body, struct oa_ids *out,
                            struct oa_answer *a)
{
    drh_json       *doc = NULL;
    drh_value       root, list;
    drh_error       e = DRH_ERROR_INIT;
    enum oa_verdict v = OA_GOOD;

    *out = (struct oa_ids){NULL, 0};
    if (h->json_open(h, body.ptr, body.len, &doc, &root, &e) != DRH_OK ||
        !member(h, &root, "tokens", &list) || !take_ids(h, &list, out)) {
        (void)h->alloc(h, out->id, 0);
        *out = (struct oa_ids){NULL, 0};
        v = broken(a, "the server's list of tokens is broken");
    }
    h->json_close(doc);
    return v;
}

/* ---- prompt_logprobs ---- */

/* {"ID": {"logprob": -1.5, ...}, ...} */
static bool take_value(const drh_host *h, const drh_value *at, uint32_t id, float *out)
{
    char      key[16];
    drh_value one, v;
    double    d;

    (void)snprintf(key, sizeof(key), "%lu", (unsigned long)id);
    if (!member(h, at, key, &one) || !member(h, &one, "logprob", &v) ||
        h->values->f64(&v, &d) != DRH_OK || !isfinite(d) || d > 0.0001) {
        return false;
    }
    *out = (float)d;
    return true;
}

enum oa_verdict oa_read_prompt_logprobs(const drh_host *h, drh_str body, const uint32_t *id,
                                        const struct oa_plan *p, float *values, struct oa_answer *a)
{
    drh_json       *doc = NULL;
    drh_value       root, choice, list, at;
    drh_error       e = DRH_ERROR_INIT;
    size_t          i = 0;
    drh_status      st = DRH_END;
    enum oa_verdict v = OA_GOOD;

    if (h->json_open(h, body.ptr, body.len, &doc, &root, &e) != DRH_OK) {
        return broken(a, "the answer is broken JSON");
    }
    read_usage(h, &root, a);
    if (!first_choice(h, &root, &choice)) {
        v = broken(a, "the answer has no choices");
    } else if (!member(h, &choice, "prompt_logprobs", &list) ||
               h->values->count(&list) != p->total) {
        v = broken(a, "the answer does not have a probability for each token of the prompt");
    } else {
        st = h->values->child(&list, &at);
    }
    for (; v == OA_GOOD && st == DRH_OK && i < p->total; i++, st = h->values->next(&at)) {
        if (i >= p->first && !take_value(h, &at, id[i], &values[i - p->first])) {
            v = broken(a, "the answer lacks the probability of a token of the prompt");
        }
    }
    h->json_close(doc);
    return v;
}

/* ---- echo ---- */

struct echo {
    drh_value  logprob, offset; /* of the next token */
    drh_status st;
};

static bool echo_open(const drh_host *h, const drh_value *choice, struct echo *x)
{
    drh_value l, logprobs, offsets;

    return member(h, choice, "logprobs", &l) && member(h, &l, "token_logprobs", &logprobs) &&
           member(h, &l, "text_offset", &offsets) &&
           h->values->child(&logprobs, &x->logprob) == DRH_OK &&
           h->values->child(&offsets, &x->offset) == DRH_OK;
}

static bool echo_next(const drh_host *h, struct echo *x)
{
    return h->values->next(&x->logprob) == DRH_OK && h->values->next(&x->offset) == DRH_OK;
}

/* Tokens [0,n) of the prompt; those from the first at or behind character `prompt` on are the
 * target.  false: what should be a number is none. */
static bool echo_walk(const drh_host *h, struct echo *x, size_t prompt, size_t n, size_t max_total,
                      struct oa_plan *p, float *values)
{
    size_t n_values = 0;

    p->first = n;
    for (size_t i = 0; i < n; i++) {
        int64_t at;
        double  d = 0;
        bool    known = h->values->f64(&x->logprob, &d) == DRH_OK;

        if (h->values->i64(&x->offset, &at) != DRH_OK || (!known && i > 0) ||
            (known && (!isfinite(d) || d > 0.0001))) {
            return false;
        }
        if (at >= 0 && (size_t)at >= prompt && p->first == n) {
            p->first = i;
            p->first_value = !known;
        }
        if (i >= p->first && known && i < max_total) {
            values[n_values++] = (float)d;
        }
        if (i + 1 < n && !echo_next(h, x)) {
            return false;
        }
    }
    p->n_prompt = p->first;
    p->n_target = n - p->first;
    p->first += p->first_value;
    p->total = p->first + n_values;
    return true;
}

enum oa_verdict oa_read_echo(const drh_host *h, drh_str body, size_t prompt, size_t max_total,
                             struct oa_plan *p, float **values, struct oa_answer *a)
{
    drh_json       *doc = NULL;
    drh_value       root, choice;
    drh_error       e = DRH_ERROR_INIT;
    struct echo     x;
    enum oa_verdict v = OA_GOOD;

    *p = (struct oa_plan){0};
    *values = NULL;
    if (h->json_open(h, body.ptr, body.len, &doc, &root, &e) != DRH_OK) {
        return broken(a, "the answer is broken JSON");
    }
    read_usage(h, &root, a);
    if (!first_choice(h, &root, &choice)) {
        v = broken(a, "the answer has no choices");
    } else if (a->n_in < 1 || a->n_in > MAX_TOKENS || !echo_open(h, &choice, &x)) {
        v = broken(a, "the answer has no probabilities of the prompt, or no usage");
    } else {
        *values = h->alloc(h, NULL, ((size_t)a->n_in + 1) * sizeof(**values));
        if (!*values) {
            a->code = DRH_E_NOMEM;
            oa_words(a, "out of memory", (drh_str){NULL, 0}, NULL);
            v = OA_FAIL;
        } else if (!echo_walk(h, &x, prompt, (size_t)a->n_in, max_total ? max_total : MAX_TOKENS, p,
                              *values)) {
            v = broken(a, "the probabilities of the prompt are broken");
        }
    }
    h->json_close(doc);
    return v;
}
