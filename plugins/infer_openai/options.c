/* SPDX-License-Identifier: MIT
 *
 * options.c - what the user says: endpoints and their keys, limits, prices.  [main]
 */
#include "oa.h"

#include <drh/util.h>

#include <sys/random.h>

/* ---- values ---- */

static double number_of(const struct oa *o, const drh_config *c, const char *key)
{
    double d = 0;

    (void)o->host->config->get_f64(c, key, &d);
    return d;
}

static uint32_t count_of(const struct oa *o, const drh_config *c, const char *key)
{
    int64_t n = 0;

    (void)o->host->config->get_i64(c, key, &n);
    return (uint32_t)n;
}

/* Which of the words it is; the schema has checked that it is one. */
static int choice_of(const struct oa *o, const drh_config *c, const char *key,
                     const char *const *words)
{
    drh_str s = drh_hub_option(o->host, c, key);
    int     i = 0;

    while (words[i] && !drh_str_eq(s, words[i])) {
        i++;
    }
    return words[i] ? i : 0;
}

static char *copy(const struct oa *o, drh_str s)
{
    char *p = o->host->alloc(o->host, NULL, s.len + 1);

    if (p) {
        memcpy(p, s.len ? s.ptr : "", s.len);
        p[s.len] = '\0';
    }
    return p;
}

/* ---- endpoints ---- */

/* Of the list's i-th endpoint, or, i < 0, of the one at the top. */
static void make_pointer(char *out, size_t cap, int i, const char *key)
{
    if (i < 0) {
        (void)snprintf(out, cap, "/%s", key);
    } else {
        (void)snprintf(out, cap, "/endpoints/%d/%s", i, key);
    }
}

static drh_str member(const struct oa *o, const drh_config *c, int i, const char *key)
{
    char pointer[80];

    make_pointer(pointer, sizeof(pointer), i, key);
    return drh_hub_option(o->host, c, pointer);
}

static double member_number(const struct oa *o, const drh_config *c, int i, const char *key)
{
    char   pointer[80];
    double d = 0;

    make_pointer(pointer, sizeof(pointer), i, key);
    return o->host->config->get_f64(c, pointer, &d) == DRH_OK ? d : 0;
}

static bool member_flag(const struct oa *o, const drh_config *c, int i, const char *key)
{
    char    pointer[80];
    int32_t yes = 0;

    make_pointer(pointer, sizeof(pointer), i, key);
    return o->host->config->get_bool(c, pointer, &yes) == DRH_OK && yes;
}

static drh_status check_url(const struct oa_endpoint *ep, bool over_http, drh_error *e)
{
    drh_str url = drh_str_of(ep->base);

    if (ep->key && !over_http && !drh_hub_private(url)) {
        return drh_fail(e, DRH_E_CONFIG,
                        "endpoint: %.150s is not encrypted, so no key is sent to it: use https, no "
                        "key, or key_over_http in a network that you trust",
                        ep->base);
    }
    if (ep->key && strpbrk(ep->key, "\r\n")) {
        return drh_fail(e, DRH_E_CONFIG, "key: must be one line of text");
    }
    if (ep->azure && !ep->key) {
        return drh_fail(e, DRH_E_CONFIG, "azure_deployment: Azure wants a key; give key");
    }
    return DRH_OK;
}

/* https://NAME.openai.azure.com/openai/deployments/DEPLOYMENT, ?api-version=... */
static void azure_url(drh_text *base, drh_text *query, drh_str deployment, drh_str version)
{
    drh_text_adds(base, "/openai/deployments/");
    drh_text_quote(base, deployment, "");
    drh_text_adds(query, "?api-version=");
    drh_text_quote(query, version, "");
}

static drh_status fill(struct oa *o, const drh_config *c, int i, struct oa_endpoint *ep,
                       drh_error *e)
{
    drh_text   base = {.host = o->host}, query = {.host = o->host};
    drh_str    key = member(o, c, i, "key"), model = member(o, c, i, "model");
    drh_str    deployment = member(o, c, i, "azure_deployment");
    double     max = i < 0 ? 0 : member_number(o, c, i, "max_concurrency");
    drh_status st;

    drh_text_addv(&base, member(o, c, i, "endpoint"));
    st = drh_hub_endpoint(&base, e);
    if (st != DRH_OK) {
        drh_text_free(&base);
        return st;
    }
    model = model.len ? model : drh_hub_option(o->host, c, "/model");
    ep->name = copy(o, drh_text_str(&base));
    ep->azure = deployment.len > 0;
    if (ep->azure) {
        azure_url(&base, &query, deployment, member(o, c, i, "azure_api_version"));
    }
    ep->weight = i < 0 ? 1 : member_number(o, c, i, "weight");
    ep->max = max > 0 ? max : count_of(o, c, "/max_concurrency");
    ep->model = model.len || ep->azure ? copy(o, model.len ? model : deployment) : NULL;
    ep->key = key.len ? copy(o, key) : NULL;
    ep->base = copy(o, drh_text_str(&base));
    ep->query = copy(o, drh_text_str(&query));
    st = ep->base && ep->query && ep->name && !base.failed && !query.failed &&
                 (ep->key || !key.len) && (ep->model || !model.len)
             ? check_url(ep, member_flag(o, c, i, "key_over_http"), e)
             : drh_fail(e, DRH_E_NOMEM, "out of memory for an endpoint");
    drh_text_free(&base);
    drh_text_free(&query);
    oa_pace_init(ep);
    return st;
}

static drh_status read_endpoints(struct oa *o, const drh_config *c, drh_error *e)
{
    const drh_host *h = o->host;
    drh_value       list;
    drh_status      st = DRH_OK;
    bool            one = drh_hub_option(h, c, "/endpoint").len > 0;
    size_t          n = 0;

    if (h->config->get_value(c, "/endpoints", &list) == DRH_OK) {
        n = h->values->count(&list);
    }
    if (one == (n > 0) || n > OA_MAX_ENDPOINTS) {
        return drh_fail(e, DRH_E_CONFIG, "endpoint: give the address of one server, or endpoints");
    }
    if (one) {
        o->n_ep = 1;
        return fill(o, c, -1, &o->ep[0], e);
    }
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        o->n_ep = i + 1;
        st = fill(o, c, (int)i, &o->ep[i], e);
    }
    return st;
}

/* ---- all of them ---- */

static void read_extra(struct oa *o, const drh_config *c)
{
    drh_value v;
    drh_str   s;

    if (o->host->config->get_value(c, "/extra", &v) == DRH_OK && o->host->values->count(&v) > 0) {
        s = o->host->values->json(&v); /* canonical text: "{...}" */
        o->opt.extra = (drh_str){s.ptr + 1, s.len - 2};
    }
}

static void read_rest(struct oa *o, const drh_config *c)
{
    static const char *const apis[] = {"auto", "completions", "chat", NULL};
    static const char *const scores[] = {"auto", "none", "prompt_logprobs", "echo", NULL};
    static const char *const streams[] = {"auto", "yes", "no", NULL};
    static const char *const servers[] = {"auto",   "openai",   "azure",  "vllm",
                                          "sglang", "llamacpp", "ollama", NULL};
    struct oa_options       *x = &o->opt;

    x->api = (enum oa_api)choice_of(o, c, "/api", apis);
    x->score = (enum oa_score)choice_of(o, c, "/score", scores);
    x->stream = (enum oa_stream_mode)choice_of(o, c, "/stream", streams);
    x->server = (enum oa_server)choice_of(o, c, "/server", servers);
    x->bos = drh_hub_option(o->host, c, "/bos");
    x->context = count_of(o, c, "/context");
    x->timeout = number_of(o, c, "/timeout");
    x->deadline = number_of(o, c, "/deadline");
    x->patience = number_of(o, c, "/patience");
    x->tries = count_of(o, c, "/tries");
    o->pace.pause = number_of(o, c, "/pause");
    o->pace.longest_pause = number_of(o, c, "/longest_pause");
    o->spend = (struct oa_spend){.tokens = number_of(o, c, "/budget_tokens"),
                                 .money = number_of(o, c, "/budget_money"),
                                 .seconds = number_of(o, c, "/budget_seconds"),
                                 .price_in = number_of(o, c, "/price_in"),
                                 .price_out = number_of(o, c, "/price_out"),
                                 .started = oa_now()};
    read_extra(o, c);
}

drh_status oa_read_options(struct oa *o, const drh_config *c, drh_error *e)
{
    drh_status st;

    read_rest(o, c);
    if (o->spend.money > 0 && o->spend.price_in <= 0 && o->spend.price_out <= 0) {
        return drh_fail(e, DRH_E_CONFIG,
                        "budget_money: needs the prices of a million tokens, price_in and "
                        "price_out");
    }
    if (getrandom(&o->pace.random, sizeof(o->pace.random), 0) < 0 || o->pace.random == 0) {
        o->pace.random = 0x9e3779b97f4a7c15u;
    }
    st = read_endpoints(o, c, e);
    for (size_t i = 0; st == DRH_OK && i < o->n_ep; i++) {
        if (o->ep[i].azure && o->opt.server == OA_ANY) {
            o->opt.server = OA_AZURE;
        }
    }
    return st;
}

void oa_free_options(struct oa *o)
{
    const drh_host *h = o->host;

    for (size_t i = 0; i < o->n_ep; i++) {
        struct oa_endpoint *ep = &o->ep[i];
        if (ep->key) {
            explicit_bzero(ep->key, strlen(ep->key));
        }
        (void)h->alloc(h, ep->key, 0);
        (void)h->alloc(h, ep->base, 0);
        (void)h->alloc(h, ep->query, 0);
        (void)h->alloc(h, ep->model, 0);
        (void)h->alloc(h, ep->name, 0);
    }
}
