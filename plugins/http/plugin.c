/* SPDX-License-Identifier: MIT
 * plugin.c - service `http`: drh.http/1 and drh.fetch/1 over libcurl, on one network thread. */
#include "fetch.h"
#include "http.h"

#include <drh/hub.h>
#include <stdlib.h>

enum { DEFAULT_THREADS = 2 };

struct service {
    const drh_host *host;
    struct net     *net;
    struct http    *http;
    struct fetch   *fetch;
    char            agent[96];
};

static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"connections\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1024,\"default\":16,"
    "\"description\":\"Most connections of a download at once; it uses up to 64. Other requests "
    "are as many as their stages send.\"},"
    "\"files\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":64,\"default\":0,"
    "\"description\":\"Most files of a download at once; 0: as many as connections.\"},"
    "\"tries\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"default\":5,"
    "\"description\":\"How often a request is sent before its failure counts.\"},"
    "\"patience\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":8,"
    "\"description\":\"Failures in a row, without anything having come, before a file is given "
    "up.\"},"
    "\"connect_timeout\":{\"type\":\"number\",\"minimum\":0.1,\"maximum\":3600,\"default\":20,"
    "\"description\":\"Seconds for a connection to come about.\"},"
    "\"stall\":{\"type\":\"number\",\"minimum\":1,\"maximum\":3600,\"default\":30,"
    "\"description\":\"Seconds without data after which a connection is given up and made "
    "again.\"},"
    "\"pause\":{\"type\":\"number\",\"minimum\":0,\"maximum\":60,\"default\":1,"
    "\"description\":\"Seconds: the first pause after a failure is anything up to it; each further "
    "one up to twice as long.\"},"
    "\"longest_pause\":{\"type\":\"number\",\"minimum\":0,\"maximum\":3600,\"default\":60,"
    "\"description\":\"Seconds: no pause after a failure is longer. What a server asks for is kept "
    "to, up to 15 minutes.\"},"
    "\"proxy\":{\"type\":\"string\",\"minLength\":1,\"description\":\"URL of a proxy; default: "
    "http_proxy, https_proxy, all_proxy and no_proxy of the environment.\"},"
    "\"ca_file\":{\"type\":\"string\",\"minLength\":1,\"x-drh-path\":\"in\",\"description\":\"File "
    "of "
    "the certificate authorities that are trusted; default: SSL_CERT_FILE, CURL_CA_BUNDLE or "
    "REQUESTS_CA_BUNDLE of the environment, else the system's.\"},"
    "\"user_agent\":{\"type\":\"string\",\"minLength\":1,\"description\":\"What the requests call "
    "themselves.\"}}}";

/* ---- options ---- */

static drh_str text_of(const drh_host *h, const drh_config *c, const char *key)
{
    drh_str s = {NULL, 0};

    return h->config->get_str(c, key, &s) == DRH_OK ? s : (drh_str){NULL, 0};
}

static int64_t int_of(const drh_host *h, const drh_config *c, const char *key)
{
    int64_t n = 0;

    (void)h->config->get_i64(c, key, &n);
    return n;
}

static double number_of(const drh_host *h, const drh_config *c, const char *key)
{
    double d = 0;

    (void)h->config->get_f64(c, key, &d);
    return d;
}

static drh_str ca_file(const drh_host *h, const drh_config *c)
{
    static const char *const names[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"};
    drh_str                  s = text_of(h, c, "/ca_file");

    for (size_t i = 0; !s.ptr && i < sizeof(names) / sizeof(names[0]); i++) {
        const char *v = secure_getenv(names[i]);
        s = v && v[0] ? drh_str_of(v) : s;
    }
    return s;
}

static void read_options(const drh_host *h, const drh_config *c, struct net_options *n,
                         struct fetch_options *f)
{
    *n = (struct net_options){.proxy = text_of(h, c, "/proxy"),
                              .ca_file = ca_file(h, c),
                              .user_agent = text_of(h, c, "/user_agent"),
                              .connections = (uint32_t)int_of(h, c, "/connections"),
                              .connect_ms = (uint32_t)(number_of(h, c, "/connect_timeout") * 1000),
                              .stall_ms = (uint32_t)(number_of(h, c, "/stall") * 1000),
                              .pause = number_of(h, c, "/pause"),
                              .longest_pause = number_of(h, c, "/longest_pause"),
                              .tries = (uint32_t)int_of(h, c, "/tries")};
    *f = (struct fetch_options){.connections = n->connections,
                                .max_files = (uint32_t)int_of(h, c, "/files"),
                                .patience = (uint32_t)int_of(h, c, "/patience"),
                                .threads = h->thread_quota ? h->thread_quota : DEFAULT_THREADS};
    if (f->max_files == 0) {
        f->max_files = f->connections;
    }
}

/* ---- the tables ---- */

static drh_status call(void *self, const drh_http_req *req, const drh_http_answer **out,
                       drh_error *e)
{
    struct service *s = self;

    return http_call(s->http, s->host, req, out, e);
}

static void release(void *self, const drh_http_answer *a)
{
    http_release(((struct service *)self)->host, a);
}

static drh_status start(void *self, const drh_http_req *req, const drh_http_sink *sink,
                        uint64_t *id, drh_error *e)
{
    return http_start(((struct service *)self)->http, req, sink, id, e);
}

static void cancel(void *self, uint64_t id)
{
    http_cancel(((struct service *)self)->http, id);
}

static drh_status run(void *self, const drh_fetch_job *job, drh_error *e)
{
    return fetch_run(((struct service *)self)->fetch, job, e);
}

static const drh_http_provider  http_table = {.struct_size = sizeof(http_table),
                                              .call = call,
                                              .release = release,
                                              .start = start,
                                              .cancel = cancel};
static const drh_fetch_provider fetch_table = {.struct_size = sizeof(fetch_table), .run = run};

static const void *get(void *self, const char *id)
{
    (void)self;
    return strcmp(id, DRH_HTTP) == 0    ? (const void *)&http_table
           : strcmp(id, DRH_FETCH) == 0 ? (const void *)&fetch_table
                                        : NULL;
}

/* ---- life ---- */

static void destroy(void *self)
{
    struct service *s = self;

    net_free(s->net); /* first: it ends what the others have under way */
    fetch_free(s->fetch);
    http_free(s->http);
    (void)s->host->alloc(s->host, s, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct service      *s = h->alloc(h, NULL, sizeof(*s));
    struct net_options   n;
    struct fetch_options f;
    drh_status           st;

    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a service");
    }
    *s = (struct service){.host = h};
    read_options(h, c, &n, &f);
    (void)snprintf(s->agent, sizeof(s->agent), "%s/%s (libcurl/%s)", h->name, h->version,
                   curl_version_info(CURLVERSION_NOW)->version);
    n.user_agent = n.user_agent.ptr ? n.user_agent : drh_str_of(s->agent);
    st = net_new(&s->net, h, &n, e);
    st = st == DRH_OK ? http_new(&s->http, s->net, e) : st;
    st = st == DRH_OK ? fetch_new(&s->fetch, s->net, &f, e) : st;
    if (st != DRH_OK) {
        destroy(s);
        return st;
    }
    *self = s;
    return DRH_OK;
}

/* libcurl wants this once a process, before any thread of its own. */
static drh_status init(const drh_host *h, drh_error *e)
{
    (void)h;
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
               ? DRH_OK
               : drh_fail(e, DRH_E_INTERNAL, "libcurl cannot be set up");
}

static void fini(void)
{
    curl_global_cleanup();
}

static const char *const ids[] = {DRH_HTTP, DRH_FETCH, NULL};
static const drh_life    life = {.struct_size = sizeof(life), .create = create, .destroy = destroy};
static const drh_service_ops  ops = {.struct_size = sizeof(ops), .ids = ids, .get = get};
static const drh_stage        stage = {.struct_size = sizeof(stage),
                                       .kind = DRH_KIND_SERVICE,
                                       .id = "http",
                                       .version = "1.0.0",
                                       .summary = "HTTP requests and verified downloads, by libcurl",
                                       .config_schema = schema,
                                       .threading = DRH_SERIAL,
                                       .flags = DRH_NETWORK,
                                       .life = &life,
                                       .ops.service = &ops};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "http",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages,
                                .init = init,
                                .fini = fini};
DRH_PLUGIN_NOTE(0, "service http 1.0.0 drh.http/1 drh.fetch/1");
