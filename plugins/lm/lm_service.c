/* SPDX-License-Identifier: MIT
 *
 * lm_service.c - see lm_service.h.  Host workers call run() concurrently, each with its own
 * scratch.
 */
#include "lm_service.h"
#include "lm_scorer.h"
#include "lm_writer.h"

#include <drh/util.h>

#include <stdlib.h>

enum { FULL_DIGEST = 64 << 20, SAMPLES = 64, SAMPLE = 1 << 20 };
enum { ANSWERS_A_PACK = 64 };

struct service {
    const drh_host          *host;
    const struct lm_backend *backend;
    struct lm_model          model;
    struct lm_engine         engine; /* without products: each worker has its own */
    void                    *packed; /* the backend's */
    char                     precision[8];
    char                    *dir;
    uint32_t                 pack_tokens;
    size_t                   streams;  /* decoded together */
    size_t                   kv_bytes; /* a worker */
    char                     identity[320];
};

struct worker {
    struct lm_engine engine;
    struct lm_scorer scorer;
    struct lm_writer writer;
};

static int stop(void *ctx)
{
    const drh_host *h = ctx;
    return h->cancelled(h);
}

/* ---- life ---------------------------------------------------------------------------------- */

/* One file of weights.  Beyond 64 MiB it goes in as its header and 64 blocks of 1 MiB spread over
 * it, with its size: a whole pass over gigabytes would cost minutes. */
static drh_status digest_shard(const struct service *s, const struct lm_shard *f, uint8_t out[32])
{
    const char    *w = (const char *)f->map.p;
    const size_t   n = f->map.n;
    const uint64_t size = n;
    drh_str        parts[SAMPLES + 2];
    size_t         k = 0;
    parts[k++] = (drh_str){(const char *)&size, sizeof(size)};
    if (n <= FULL_DIGEST) {
        parts[k++] = (drh_str){w, n};
    } else {
        parts[k++] = (drh_str){w, f->tensors.header};
        for (size_t i = 0; i < SAMPLES; i++) {
            parts[k++] = (drh_str){w + (n - SAMPLE) / (SAMPLES - 1) * i, SAMPLE};
        }
    }
    return s->host->digest(s->host, parts, k, out);
}

/* SHA-256 over what the numbers depend on. */
static drh_status digest(const struct service *s, uint8_t out[32])
{
    const struct lm_model *m = &s->model;
    const uint64_t         bos = m->bos;
    uint8_t               *sums = malloc(m->weights.n * 32);
    drh_str                parts[5];
    struct lm_text         chat = {NULL, 0, 0};
    drh_status             st = sums && !lm_chat_facts(&m->chat, &chat) ? DRH_OK : DRH_E_NOMEM;
    for (size_t i = 0; st == DRH_OK && i < m->weights.n; i++) {
        st = digest_shard(s, &m->weights.s[i], sums + 32 * i);
    }
    parts[0] = (drh_str){(const char *)m->config_json.p, m->config_json.n};
    parts[1] = (drh_str){(const char *)m->tok_json.p, m->tok_json.n};
    parts[2] = (drh_str){(const char *)&bos, sizeof(bos)};
    parts[3] = (drh_str){(const char *)sums, m->weights.n * 32};
    parts[4] = (drh_str){chat.p, chat.n};
    st = st == DRH_OK ? s->host->digest(s->host, parts, chat.n ? 5 : 4, out) : st;
    lm_text_free(&chat);
    free(sums);
    return st;
}

static drh_status make_identity(struct service *s, drh_error *e)
{
    uint8_t    sha[32];
    char       hex[65], library[64];
    drh_status st = digest(s, sha);
    if (st != DRH_OK) {
        return drh_fail(e, st, "cannot make the digest of the model");
    }
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", sha[i]);
    }
    s->backend->describe(library, sizeof(library));
    (void)snprintf(s->identity, sizeof(s->identity), "%s sha256:%s %s/2 %s math-%s/%s %s pack=%lu",
                   s->model.c.arch, hex, s->backend->id, library, s->engine.math->name,
                   lm_rows_best()->name, s->precision, (unsigned long)s->pack_tokens);
    return DRH_OK;
}

static drh_status model_dir(const drh_host *h, const drh_config *c, char **out, drh_error *e)
{
    drh_str s;
    *out = NULL;
    if (h->config->get_str(c, "/model", &s) != DRH_OK || s.len == 0) {
        return drh_fail(e, DRH_E_CONFIG, "model: name the folder of a model");
    }
    if (memchr(s.ptr, 0, s.len)) {
        return drh_fail(e, DRH_E_CONFIG, "model: a NUL in the path");
    }
    *out = malloc(s.len + 1);
    if (!*out) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memcpy(*out, s.ptr, s.len);
    (*out)[s.len] = 0;
    return DRH_OK;
}

/* The schema knows the names; 8 bytes hold each. */
static void precision_of(const drh_host *h, const drh_config *c, char out[8])
{
    drh_str s = {"f32", 3};
    (void)h->config->get_str(c, "/precision", &s);
    (void)snprintf(out, 8, "%.*s", (int)s.len, s.ptr);
}

int32_t lm_service_probe(const struct lm_backend *b, const drh_host *h, const drh_config *c,
                         drh_error *e)
{
    char      *dir, precision[8];
    drh_status st = model_dir(h, c, &dir, e);
    st = st == DRH_OK ? lm_model_probe(dir, e) : st;
    free(dir);
    precision_of(h, c, precision);
    return st == DRH_OK ? b->fitness(precision, e) : 0;
}

void lm_service_destroy(void *self)
{
    struct service *s = self;
    if (s->packed) {
        s->backend->close(s->packed);
    }
    lm_model_free(&s->model);
    free(s->dir);
    free(s);
}

/* The schema has checked its bounds. */
static int64_t option(const drh_host *h, const drh_config *c, const char *pointer,
                      int64_t otherwise)
{
    int64_t v = otherwise;
    return h->config->get_i64(c, pointer, &v) == DRH_OK && v > 0 ? v : otherwise;
}

/* The chat form that is asked for, or the model's own. */
static drh_status open_chat(struct service *s, const drh_config *c, drh_error *e)
{
    char       name[64] = "auto";
    drh_str    v;
    drh_status st;
    if (s->host->config->get_str(c, "/chat", &v) == DRH_OK && v.len) {
        (void)snprintf(name, sizeof(name), "%.*s", (int)(v.len < sizeof(name) ? v.len : 63), v.ptr);
    }
    st = lm_model_chat(&s->model, s->dir, name, e);
    if (st == DRH_OK) {
        drh_logf(s->host, DRH_LOG_DEBUG, "chat: %s",
                 s->model.chat.form ? s->model.chat.form->name : s->model.chat.why);
    }
    return st;
}

static drh_status start(struct service *s, const drh_config *c, drh_error *e)
{
    const drh_host *h = s->host;
    drh_status      st = model_dir(h, c, &s->dir, e);
    precision_of(h, c, s->precision);
    if (st == DRH_OK && s->backend->fitness(s->precision, e) <= 0) {
        st = DRH_E_UNSUPPORTED;
    }
    if (st != DRH_OK) {
        return st;
    }
    s->pack_tokens = (uint32_t)option(h, c, "/pack_tokens", 2048);
    s->streams = (size_t)option(h, c, "/streams", 32);
    s->kv_bytes =
        ((size_t)option(h, c, "/kv_mb", 384) << 20) / (h->max_workers ? h->max_workers : 1);
    st = lm_model_load(&s->model, s->dir, e);
    st = st == DRH_OK ? open_chat(s, c, e) : st;
    if (st != DRH_OK) {
        return st;
    }
    s->engine.m = &s->model;
    s->engine.math = lm_math_best();
    s->engine.stop = stop;
    s->engine.stop_ctx = (void *)(uintptr_t)h;
    st = make_identity(s, e);
    return st == DRH_OK && s->backend->open
               ? s->backend->open(&s->model, s->precision, &s->packed, e)
               : st;
}

drh_status lm_service_create(const struct lm_backend *b, const drh_host *h, const drh_config *c,
                             void **self, drh_error *e)
{
    struct service *s = calloc(1, sizeof(*s));
    drh_status      st;
    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    s->host = h;
    s->backend = b;
    st = start(s, c, e);
    if (st != DRH_OK) {
        lm_service_destroy(s);
        return st;
    }
    drh_logf(h, DRH_LOG_INFO, "model %s: %s, %lu layers, width %lu, %lu tokens of context", s->dir,
             s->model.c.arch, (unsigned long)s->model.c.layers, (unsigned long)s->model.c.width,
             (unsigned long)s->model.c.context);
    drh_logf(h, DRH_LOG_DEBUG, "identity: %s", s->identity);
    *self = s;
    return DRH_OK;
}

drh_status lm_service_open_worker(void *self, uint32_t index, void **worker, drh_error *e)
{
    struct service *s = self;
    struct worker  *w = calloc(1, sizeof(*w));
    (void)index;
    *worker = NULL;
    if (!w) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    w->engine = s->engine;
    w->engine.mm = s->backend->matmul;
    if (s->backend->open_worker) {
        drh_status st = s->backend->open_worker(s->packed, &w->engine.mm, e);
        if (st != DRH_OK) {
            free(w);
            return st;
        }
    }
    *worker = w;
    w->scorer.en = w->writer.g.en = &w->engine;
    w->writer.g.rows = lm_rows_best();
    w->writer.g.at_once = s->streams;
    w->writer.g.kv_bytes = s->kv_bytes;
    return DRH_OK;
}

void lm_service_close_worker(void *self, void *worker)
{
    const struct service *s = self;
    struct worker        *w = worker;
    lm_scorer_free(&w->scorer);
    lm_writer_free(&w->writer);
    if (s->backend->close_worker) {
        s->backend->close_worker(&w->engine.mm);
    }
    free(w);
}

/* ---- the provider's table ------------------------------------------------------------------ */

static drh_status info(void *self, drh_infer_info *out, drh_error *e)
{
    const struct service *s = self;
    (void)e;
    out->caps = 1u << DRH_INFER_SCORE | 1u << DRH_INFER_GENERATE;
    out->flags = 0;
    out->context = s->model.c.context;
    out->model = s->dir;
    out->identity = s->identity;
    out->pack_tokens = s->pack_tokens;
    out->max_parallel = s->host->max_workers ? s->host->max_workers : 1;
    out->max_in_flight = 0;
    out->has_bos = s->model.bos != LM_TOK_NONE;
    return DRH_OK;
}

static drh_status count(void *self, const char *text, size_t len, uint32_t flags, uint32_t *tokens,
                        drh_error *e)
{
    const struct service *s = self;
    struct lm_tok_out     out = {NULL, 0, 0};
    if (lm_tok_encode(&s->model.tok, text, len, flags & DRH_INFER_SPECIAL ? len : 0, &out)) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for tokens");
    }
    if (out.count > UINT32_MAX) {
        return drh_fail(e, DRH_E_RANGE, "the text is too long");
    }
    *tokens = (uint32_t)out.count;
    return DRH_OK;
}

static drh_status cost(void *self, const drh_infer_req *req, uint32_t *tokens, drh_error *e)
{
    const struct service *s = self;
    struct lm_plan        plan;
    drh_status            st;
    if (req->op == DRH_INFER_GENERATE) { /* more than run at once, so that ends leave no gaps */
        *tokens = s->pack_tokens > ANSWERS_A_PACK ? s->pack_tokens / ANSWERS_A_PACK : 1;
        return lm_writer_check(&s->model, req, s->kv_bytes, e);
    }
    st = lm_plan_request(&s->model, req, NULL, &plan, e);
    *tokens = plan.total ? plan.total : 1;
    return st;
}

static drh_status run(void *self, void *worker, const drh_infer_req *const *req, size_t n,
                      drh_infer_res *const *res, drh_error *e)
{
    const struct service   *s = self;
    struct worker          *w = worker;
    const struct lm_matmul *mm = &w->engine.mm;
    drh_status              st;
    if (s->backend->enter) {
        s->backend->enter();
    }
    st = lm_scorer_run(&w->scorer, req, n, res);
    st = st == DRH_OK ? lm_writer_run(&w->writer, req, n, res) : st;
    if (mm->failed && mm->failed(mm->ctx) && st == DRH_OK) {
        st = DRH_E_NOMEM;
    }
    return st == DRH_OK ? DRH_OK
                        : drh_fail(e, st, "%s",
                                   st == DRH_E_CANCELLED ? "stopped"
                                                         : "out of memory for a pack of requests");
}

static const drh_infer_provider provider = {
    sizeof(drh_infer_provider), 0, info, count, cost, run, NULL, NULL};

const void *lm_service_get(void *self, const char *id)
{
    (void)self;
    return strcmp(id, DRH_INFER) == 0 ? &provider : NULL;
}
