/* SPDX-License-Identifier: MIT
 * packs.c - service infer-fake-packs: scores in packs.  A value depends a little on how many
 * requests its pack has and where in it the request is, so a pack that is cut in another way shows.
 */
#include "packs.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

struct packs {
    const drh_host *host;
    int64_t         pack_tokens, context, threads, delay, kill_after, fail_after;
    int32_t         hang;
    int             log;
    pthread_mutex_t lock;
    int64_t         runs, now, most;
};

/* A worker's results, valid until its next run. */
struct hand {
    float **values;
    size_t  n;
};

static const char SCHEMA[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"pack_tokens\":{\"type\":\"integer\",\"default\":200},"
    "\"context\":{\"type\":\"integer\",\"default\":1024},"
    "\"threads\":{\"type\":\"integer\",\"default\":4},"
    "\"delay\":{\"type\":\"integer\",\"default\":0,\"description\":\"milliseconds a pack\"},"
    "\"hang\":{\"type\":\"boolean\",\"default\":false,\"description\":\"until cancelled\"},"
    "\"kill_after\":{\"type\":\"integer\",\"default\":0},"
    "\"fail_after\":{\"type\":\"integer\",\"default\":0,\"description\":\"this run() fails\"},"
    "\"log\":{\"type\":\"string\",\"default\":\"\"}}}";

static drh_status packs_info(void *self, drh_infer_info *out, drh_error *e)
{
    const struct packs *p = self;
    (void)e;
    out->caps = 1u << DRH_INFER_SCORE;
    out->context = (uint32_t)p->context;
    out->model = "fake";
    out->identity = "infer-fake-packs 1";
    out->pack_tokens = (uint32_t)p->pack_tokens;
    out->max_parallel = (uint32_t)p->threads;
    out->has_bos = 1;
    return DRH_OK;
}

static drh_status packs_cost(void *self, const drh_infer_req *req, uint32_t *tokens, drh_error *e)
{
    const struct packs *p = self;

    *tokens = fake_count(req->prompt) + fake_count(req->target) + 1;
    if (*tokens > p->context) {
        return drh_fail(e, DRH_E_RANGE, "%u words, more than %d", *tokens, (int)p->context);
    }
    return DRH_OK;
}

static void forget(struct hand *h)
{
    for (size_t i = 0; i < h->n; i++) {
        free(h->values[i]);
    }
    free(h->values);
    h->values = NULL;
    h->n = 0;
}

static void nap(int64_t ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}

/* Notes what was asked and who runs; dies or fails when it is time. */
static drh_status enter(struct packs *p, const drh_infer_req *const *req, size_t n, drh_error *e)
{
    drh_status st = DRH_OK;

    (void)pthread_mutex_lock(&p->lock);
    p->runs++;
    p->now++;
    if (p->now > p->threads) {
        drh_logf(p->host, DRH_LOG_ERROR, "BROKEN: more than max_parallel runs at once");
    }
    if (p->kill_after && p->runs == p->kill_after) {
        (void)kill(getpid(), SIGKILL);
    }
    if (p->fail_after && p->runs == p->fail_after) {
        st = drh_fail(e, DRH_E_INTERNAL, "this pack fails");
    }
    for (size_t i = 0; i < n; i++) {
        fake_log(p->log, fake_key(req[i]));
    }
    (void)pthread_mutex_unlock(&p->lock);
    return st;
}

static drh_status packs_run(void *self, void *worker, const drh_infer_req *const *req, size_t n,
                            drh_infer_res *const *res, drh_error *e)
{
    struct packs *p = self;
    struct hand  *h = worker;
    drh_status    st = enter(p, req, n, e);

    forget(h);
    h->values = calloc(n, sizeof(*h->values));
    h->n = h->values ? n : 0;
    nap(p->delay);
    while (p->hang && !p->host->cancelled(p->host)) {
        nap(10);
    }
    if (p->hang) {
        st = drh_fail(e, DRH_E_CANCELLED, "cancelled");
    }
    for (size_t i = 0; st == DRH_OK && i < h->n; i++) {
        float shape = 1e-4F * (float)n + 1e-5F * (float)i;
        res[i]->status = fake_score(req[i], (uint32_t)p->context, shape, res[i]);
        h->values[i] = (float *)(uintptr_t)res[i]->values;
    }
    (void)pthread_mutex_lock(&p->lock);
    p->now--;
    (void)pthread_mutex_unlock(&p->lock);
    return st;
}

static drh_status read_options(struct packs *p, const drh_config *c, drh_error *e)
{
    const drh_config_api *api = p->host->config;
    drh_str               log;

    if (api->get_i64(c, "/pack_tokens", &p->pack_tokens) != DRH_OK ||
        api->get_i64(c, "/context", &p->context) != DRH_OK ||
        api->get_i64(c, "/threads", &p->threads) != DRH_OK ||
        api->get_i64(c, "/delay", &p->delay) != DRH_OK ||
        api->get_i64(c, "/kill_after", &p->kill_after) != DRH_OK ||
        api->get_i64(c, "/fail_after", &p->fail_after) != DRH_OK ||
        api->get_bool(c, "/hang", &p->hang) != DRH_OK || api->get_str(c, "/log", &log) != DRH_OK) {
        return drh_fail(e, DRH_E_CONFIG, "cannot read the options");
    }
    p->log = log.len ? open(log.ptr, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    return log.len && p->log < 0 ? drh_fail(e, DRH_E_IO, "cannot open %s", log.ptr) : DRH_OK;
}

static drh_status packs_create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct packs *p = calloc(1, sizeof(*p));
    drh_status    st;

    if (!p) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    p->host = h;
    st = read_options(p, c, e);
    if (st != DRH_OK) {
        free(p);
        return st;
    }
    (void)pthread_mutex_init(&p->lock, NULL);
    *self = p;
    return DRH_OK;
}

static void packs_destroy(void *self)
{
    struct packs *p = self;

    if (p->log >= 0) {
        (void)close(p->log);
    }
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

static drh_status packs_open(void *self, uint32_t index, void **worker, drh_error *e)
{
    (void)self;
    (void)index;
    *worker = calloc(1, sizeof(struct hand));
    return *worker ? DRH_OK : drh_fail(e, DRH_E_NOMEM, "out of memory");
}

static void packs_close(void *self, void *worker)
{
    (void)self;
    forget(worker);
    free(worker);
}

static const drh_infer_provider provider = {
    .struct_size = sizeof(provider), .info = packs_info, .cost = packs_cost, .run = packs_run};

static const void *packs_get(void *self, const char *id)
{
    (void)self;
    return strcmp(id, DRH_INFER) == 0 ? &provider : NULL;
}

static const char *const     IDS[] = {DRH_INFER, NULL};
static const drh_life        life = {.struct_size = sizeof(life),
                                     .create = packs_create,
                                     .destroy = packs_destroy,
                                     .open_worker = packs_open,
                                     .close_worker = packs_close};
static const drh_service_ops ops = {sizeof(ops), 0, IDS, NULL, packs_get};
const drh_stage              fake_packs_stage = {.struct_size = sizeof(fake_packs_stage),
                                                 .kind = DRH_KIND_SERVICE,
                                                 .id = "infer-fake-packs",
                                                 .version = "1.0.0",
                                                 .summary = "scores made up in packs",
                                                 .config_schema = SCHEMA,
                                                 .threading = DRH_WORKERS,
                                                 .life = &life,
                                                 .ops.service = &ops};
