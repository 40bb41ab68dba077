/* SPDX-License-Identifier: MIT
 *
 * plugin.c - service "infer-openai": its tables and its life.
 */
#include "oa.h"

#include <drh/util.h>

static drh_status info(void *self, drh_infer_info *out, drh_error *e)
{
    const struct oa *o = self;
    double           most = 0;

    (void)e;
    for (size_t i = 0; i < o->n_ep; i++) {
        most += o->ep[i].max;
    }
    out->caps = 1u << DRH_INFER_GENERATE;
    out->caps |= o->caps.score != OA_SCORE_NONE ? 1u << DRH_INFER_SCORE : 0;
    out->flags = o->caps.completions ? 0 : DRH_INFER_NO_RAW;
    out->flags |= o->caps.chat ? 0 : DRH_INFER_NO_CHAT;
    out->context = o->caps.context;
    out->model = o->ep[0].model ? o->ep[0].model : "";
    out->identity = o->identity;
    out->max_in_flight = (uint32_t)most;
    out->has_bos = o->caps.has_bos;
    return DRH_OK;
}

static drh_status count(void *self, const char *text, size_t len, uint32_t flags, uint32_t *tokens,
                        drh_error *e)
{
    (void)flags;
    return oa_count(self, (drh_str){text, len}, tokens, e);
}

static drh_status submit(void *self, const drh_infer_req *req, drh_infer_call *call, drh_error *e)
{
    return oa_queue_submit(self, req, call, e);
}

static void cancel_one(void *self, drh_infer_call *call)
{
    oa_queue_cancel(self, call);
}

static void cancel_all(void *self)
{
    oa_queue_cancel(self, NULL);
}

/* The model, and in what form it is asked.  Not where it is: the same model elsewhere goes on with
 * what the journal has. */
static drh_status make_identity(struct oa *o, drh_error *e)
{
    static const char *const scores[] = {"", "none", "prompt_logprobs", "echo"};
    const drh_str parts[] = {drh_str_of(o->ep[0].model ? o->ep[0].model : ""), o->opt.extra,
                             o->opt.bos};
    uint8_t       sha[32];
    drh_status    st = o->host->digest(o->host, parts, 3, sha);

    (void)snprintf(o->identity, sizeof(o->identity),
                   "openai/1 %.120s raw=%d chat=%d score=%s %02x%02x%02x%02x%02x%02x%02x%02x",
                   o->ep[0].model ? o->ep[0].model : "", o->caps.completions, o->caps.chat,
                   scores[o->caps.score], sha[0], sha[1], sha[2], sha[3], sha[4], sha[5], sha[6],
                   sha[7]);
    return st == DRH_OK ? st : drh_fail(e, st, "cannot make a digest");
}

static void say_spent(const struct oa *o)
{
    const struct oa_spend *s = &o->spend;
    char                   money[48] = "", guess[80] = "";

    if (s->requests == 0) {
        return;
    }
    if (s->price_in > 0 || s->price_out > 0) {
        (void)snprintf(money, sizeof(money), ", cost %.6g", oa_spend_money(s));
    }
    if (s->unmeasured) {
        (void)snprintf(guess, sizeof(guess), " (%llu answers without usage: guessed)",
                       (unsigned long long)s->unmeasured);
    }
    drh_logf(o->host, DRH_LOG_INFO, "%llu requests, %.0f tokens in, %.0f out%s%s",
             (unsigned long long)s->requests, s->n_in, s->n_out, money, guess);
}

static void destroy(void *self)
{
    struct oa      *o = self;
    const drh_host *h = o->host;

    oa_queue_stop(o);
    say_spent(o);
    oa_free_options(o);
    (void)pthread_cond_destroy(&o->moved);
    (void)pthread_mutex_destroy(&o->lock);
    (void)h->alloc(h, o, 0);
}

static void init_locks(struct oa *o)
{
    pthread_condattr_t attr;

    (void)pthread_mutex_init(&o->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&o->moved, &attr);
    (void)pthread_condattr_destroy(&attr);
    o->ready_end = &o->ready;
    o->arrived_end = &o->arrived;
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct oa *o = h->alloc(h, NULL, sizeof(*o));
    drh_status st;

    if (!o) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a service");
    }
    memset(o, 0, sizeof(*o));
    o->host = h;
    o->http = h->extension(h, DRH_HTTP);
    o->back = h->extension(h, DRH_INFER_HOST);
    init_locks(o);
    st = o->http && o->back ? oa_read_options(o, c, e)
                            : drh_fail(e, DRH_E_MISSING, "no " DRH_HTTP " or no " DRH_INFER_HOST);
    st = st == DRH_OK ? oa_probe(o, e) : st;
    st = st == DRH_OK ? make_identity(o, e) : st;
    st = st == DRH_OK ? oa_queue_start(o, e) : st;
    if (st != DRH_OK) {
        destroy(o);
        return st;
    }
    drh_logf(h, DRH_LOG_DEBUG, "identity: %s", o->identity);
    *self = o;
    return DRH_OK;
}

/* Nobody who names a folder means a server. */
static int32_t probe(const drh_host *h, const drh_config *c, drh_error *e)
{
    drh_value list;

    if (drh_hub_option(h, c, "/endpoint").len ||
        h->config->get_value(c, "/endpoints", &list) == DRH_OK) {
        return 60;
    }
    (void)drh_fail(e, DRH_E_CONFIG, "endpoint: no server is named");
    return 0;
}

static const drh_infer_provider provider = {.struct_size = sizeof(provider),
                                            .info = info,
                                            .count = count,
                                            .submit = submit,
                                            .cancel = cancel_one};

static const void *get(void *self, const char *id)
{
    (void)self;
    return strcmp(id, DRH_INFER) == 0 ? &provider : NULL;
}

static const char *const ids[] = {DRH_INFER, NULL};
static const char *const needs[] = {DRH_HTTP, NULL};
static const drh_life    life = {
       .struct_size = sizeof(life), .create = create, .destroy = destroy, .cancel = cancel_all};
static const drh_service_ops ops = {
    .struct_size = sizeof(ops), .ids = ids, .probe = probe, .get = get};
static const drh_stage stage = {
    .struct_size = sizeof(stage),
    .kind = DRH_KIND_SERVICE,
    .id = "infer-openai",
    .version = "1.0.0",
    .summary = "Asks a server that speaks OpenAI's API: vLLM, SGLang, llama.cpp, Ollama, Azure",
    .config_schema = oa_schema,
    .threading = DRH_SERIAL,
    .flags = DRH_NETWORK,
    .needs = needs,
    .life = &life,
    .ops.service = &ops};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "infer-openai",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
DRH_PLUGIN_NOTE(0, "service infer-openai 1.0.0 drh.infer/1");
