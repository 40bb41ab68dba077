/* SPDX-License-Identifier: MIT
 *
 * infer_help.c - see infer_help.h.
 */
#define _POSIX_C_SOURCE 200809L
#include "infer_help.h"

#include "../../core/hash.h"

#include <check.h>
#include <drh/util.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- host ---------------------------------------------------------------------------------- */

static void host_log(const drh_host *h, uint32_t level, const char *msg, size_t len)
{
    (void)h, (void)level, (void)msg, (void)len;
}

static int32_t host_cancelled(const drh_host *h)
{
    return ((struct lab *)h->impl)->cancelled;
}

static void *host_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

static drh_status host_digest(const drh_host *h, const drh_str *parts, size_t n, uint8_t out[32])
{
    (void)h;
    return sha256_parts(parts, n, out);
}

static drh_status get_str(const drh_config *c, const char *pointer, drh_str *out)
{
    const struct lab *l = (const struct lab *)(const void *)c;
    if (strcmp(pointer, "/model") == 0 && l->model) {
        *out = drh_str_of(l->model);
        return DRH_OK;
    }
    return DRH_E_MISSING;
}

static drh_status get_i64(const drh_config *c, const char *pointer, int64_t *out)
{
    const struct lab *l = (const struct lab *)(const void *)c;
    if (strcmp(pointer, "/pack_tokens") == 0) {
        *out = l->pack_tokens;
        return DRH_OK;
    }
    return DRH_E_MISSING;
}

static const drh_config_api config_api = {
    sizeof(drh_config_api), 0, get_str, get_i64, NULL, NULL, NULL};

drh_status lab_open(struct lab *l, const char *model)
{
    const drh_stage *st = drh_entry_v1.stages[0];
    drh_error        blank = DRH_ERROR_INIT;
    drh_status       rc;
    memset(l, 0, sizeof(*l));
    l->e = blank;
    l->model = model;
    l->pack_tokens = 2048;
    l->host.struct_size = sizeof(l->host);
    l->host.impl = l;
    l->host.max_workers = 2;
    l->host.log = host_log;
    l->host.cancelled = host_cancelled;
    l->host.alloc = host_alloc;
    l->host.digest = host_digest;
    l->host.config = &config_api;
    rc = st->life->create(&l->host, (const drh_config *)(const void *)l, &l->self, &l->e);
    if (rc != DRH_OK) {
        return rc;
    }
    l->p = st->ops.service->get(l->self, DRH_INFER);
    rc = st->life->open_worker(l->self, 0, &l->worker, &l->e);
    ck_assert_int_eq(rc, DRH_OK);
    return rc;
}

void lab_close(struct lab *l)
{
    const drh_stage *st = drh_entry_v1.stages[0];
    st->life->close_worker(l->self, l->worker);
    st->life->destroy(l->self);
}

drh_infer_req lab_req(const char *prompt, const char *target, uint32_t flags, uint32_t max_total)
{
    drh_infer_req r;
    memset(&r, 0, sizeof(r));
    r.struct_size = sizeof(r);
    r.op = DRH_INFER_SCORE;
    r.flags = flags;
    r.max_total = max_total;
    r.prompt = drh_str_of(prompt);
    r.target = drh_str_of(target);
    return r;
}

drh_status lab_run(struct lab *l, void *worker, const drh_infer_req *req, size_t n,
                   drh_infer_res *res, drh_error *err)
{
    const drh_infer_req **rq = malloc((n + 1) * sizeof(*rq));
    drh_infer_res       **rs = malloc((n + 1) * sizeof(*rs));
    drh_error             blank = DRH_ERROR_INIT;
    drh_status            st;
    ck_assert(rq && rs);
    for (size_t i = 0; i < n; i++) {
        rq[i] = &req[i];
        rs[i] = &res[i];
        memset(&res[i], 0, sizeof(res[i]));
        res[i].struct_size = sizeof(res[i]);
        err[i] = blank;
        res[i].error = &err[i];
    }
    st = l->p->run(l->self, worker, rq, n, rs, &l->e);
    free(rq);
    free(rs);
    return st;
}

/* ---- GPT-2, plainly ------------------------------------------------------------------------ */

struct plain {
    const struct gpt2_random *r;
    size_t                    n;
};

static const float *weight(const struct plain *p, long layer, const char *name)
{
    char         full[64];
    const float *w;
    if (layer < 0) {
        (void)snprintf(full, sizeof(full), "%s", name);
    } else {
        (void)snprintf(full, sizeof(full), "h.%ld.%s", layer, name);
    }
    w = gpt2_random_find(p->r, full);
    ck_assert_ptr_nonnull(w);
    return w;
}

static double *zeros(size_t n)
{
    double *x = calloc(n, sizeof(*x));
    ck_assert_ptr_nonnull(x);
    return x;
}

static void plain_norm(const double *x, double *out, size_t d, const float *w, const float *b)
{
    double mean = 0, var = 0;
    for (size_t i = 0; i < d; i++) {
        mean += x[i] / (double)d;
    }
    for (size_t i = 0; i < d; i++) {
        var += (x[i] - mean) * (x[i] - mean) / (double)d;
    }
    for (size_t i = 0; i < d; i++) {
        out[i] = (x[i] - mean) / sqrt(var + 1e-5) * (double)w[i] + (double)b[i];
    }
}

/* y = x w + b, w[in][out] */
static void plain_linear(const double *x, double *y, size_t in, size_t out, const float *w,
                         const float *b)
{
    for (size_t o = 0; o < out; o++) {
        y[o] = (double)b[o];
        for (size_t i = 0; i < in; i++) {
            y[o] += x[i] * (double)w[i * out + o];
        }
    }
}

static double plain_act(const struct plain *p, double x)
{
    if (strcmp(p->r->s.act, "relu") == 0) {
        return x > 0 ? x : 0;
    }
    if (strcmp(p->r->s.act, "gelu") == 0) {
        return 0.5 * x * (1 + erf(x / sqrt(2.0)));
    }
    return 0.5 * x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
}

/* One query against the keys and values of positions 0..at of one head. */
static void plain_head(const double *qkv, size_t at, size_t d, size_t head, size_t size,
                       double *out)
{
    double *s = zeros(at + 1), max = -INFINITY, sum = 0;
    for (size_t k = 0; k <= at; k++) {
        for (size_t i = 0; i < size; i++) {
            s[k] += qkv[at * 3 * d + head * size + i] * qkv[k * 3 * d + d + head * size + i];
        }
        s[k] /= sqrt((double)size);
        max = s[k] > max ? s[k] : max;
    }
    for (size_t k = 0; k <= at; k++) {
        s[k] = exp(s[k] - max);
        sum += s[k];
    }
    for (size_t i = 0; i < size; i++) {
        out[head * size + i] = 0;
        for (size_t k = 0; k <= at; k++) {
            out[head * size + i] += s[k] / sum * qkv[k * 3 * d + 2 * d + head * size + i];
        }
    }
    free(s);
}

static void plain_layer(const struct plain *p, long l, double *x)
{
    const size_t d = p->r->s.width, f = p->r->s.inner, heads = p->r->s.heads;
    double *h = zeros(d), *qkv = zeros(p->n * 3 * d), *att = zeros(d), *y = zeros(d), *m = zeros(f);
    for (size_t t = 0; t < p->n; t++) {
        plain_norm(x + t * d, h, d, weight(p, l, "ln_1.weight"), weight(p, l, "ln_1.bias"));
        plain_linear(h, qkv + t * 3 * d, d, 3 * d, weight(p, l, "attn.c_attn.weight"),
                     weight(p, l, "attn.c_attn.bias"));
    }
    for (size_t t = 0; t < p->n; t++) {
        for (size_t k = 0; k < heads; k++) {
            plain_head(qkv, t, d, k, d / heads, att);
        }
        plain_linear(att, y, d, d, weight(p, l, "attn.c_proj.weight"),
                     weight(p, l, "attn.c_proj.bias"));
        for (size_t i = 0; i < d; i++) {
            x[t * d + i] += y[i];
        }
        plain_norm(x + t * d, h, d, weight(p, l, "ln_2.weight"), weight(p, l, "ln_2.bias"));
        plain_linear(h, m, d, f, weight(p, l, "mlp.c_fc.weight"), weight(p, l, "mlp.c_fc.bias"));
        for (size_t i = 0; i < f; i++) {
            m[i] = plain_act(p, m[i]);
        }
        plain_linear(m, y, f, d, weight(p, l, "mlp.c_proj.weight"),
                     weight(p, l, "mlp.c_proj.bias"));
        for (size_t i = 0; i < d; i++) {
            x[t * d + i] += y[i];
        }
    }
    free(h);
    free(qkv);
    free(att);
    free(y);
    free(m);
}

static double plain_logprob(const struct plain *p, const double *h, uint32_t target)
{
    const size_t d = p->r->s.width, vocab = p->r->s.vocab;
    const float *wte = weight(p, -1, "wte.weight");
    double      *logit = zeros(vocab), max = -INFINITY, sum = 0, v;
    for (size_t k = 0; k < vocab; k++) {
        for (size_t i = 0; i < d; i++) {
            logit[k] += h[i] * (double)wte[k * d + i];
        }
        max = logit[k] > max ? logit[k] : max;
    }
    for (size_t k = 0; k < vocab; k++) {
        sum += exp(logit[k] - max);
    }
    v = logit[target] - max - log(sum);
    free(logit);
    return v;
}

void plain_gpt2(const struct gpt2_random *r, const uint32_t *ids, size_t n, double *out)
{
    const struct plain p = {r, n};
    const size_t       d = r->s.width;
    double            *x = zeros(n * d), *h = zeros(d);
    for (size_t t = 0; t < n; t++) {
        for (size_t i = 0; i < d; i++) {
            x[t * d + i] = (double)weight(&p, -1, "wte.weight")[ids[t] * d + i] +
                           (double)weight(&p, -1, "wpe.weight")[t * d + i];
        }
    }
    for (uint32_t l = 0; l < r->s.layers; l++) {
        plain_layer(&p, (long)l, x);
    }
    for (size_t t = 0; t + 1 < n; t++) {
        plain_norm(x + t * d, h, d, weight(&p, -1, "ln_f.weight"), weight(&p, -1, "ln_f.bias"));
        out[t] = plain_logprob(&p, h, ids[t + 1]);
    }
    free(x);
    free(h);
}

/* ---- files --------------------------------------------------------------------------------- */

void lab_folder(char *path, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(path, size, "%s/drh-infer-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(path));
}

void lab_remove(const char *path)
{
    static const char *const files[] = {"config.json", "model.safetensors", "tokenizer.json",
                                        "tokenizer_config.json"};
    for (size_t i = 0; i < 4; i++) {
        char name[4096];
        (void)snprintf(name, sizeof(name), "%s/%s", path, files[i]);
        (void)unlink(name);
    }
    (void)rmdir(path);
}

char *lab_read(const char *path, size_t *n)
{
    FILE  *f = fopen(path, "rb");
    size_t cap = 1 << 20, got;
    char  *b = malloc(cap + 1);
    ck_assert_msg(f && b, "%s", path);
    *n = 0;
    while ((got = fread(b + *n, 1, cap - *n, f)) > 0) {
        *n += got;
        if (*n == cap) {
            cap *= 2;
            b = realloc(b, cap + 1);
            ck_assert_ptr_nonnull(b);
        }
    }
    (void)fclose(f);
    b[*n] = 0;
    return b;
}
