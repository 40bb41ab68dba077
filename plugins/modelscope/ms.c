/* SPDX-License-Identifier: MIT
 * ms.c - source `modelscope`: data sets and models of modelscope.cn and modelscope.ai.  It says
 * what to ask for and what answers mean; the host and drh.fetch/1 bring the files. */
#include "ms.h"

#include "card.h"

#include <stdlib.h>

static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"repo\"],\"properties\":{"
    "\"repo\":{\"type\":\"string\",\"minLength\":1,\"description\":\"OWNER/NAME, or the address of "
    "its page.\"},"
    "\"type\":{\"type\":\"string\",\"enum\":[\"dataset\",\"model\"],\"description\":\"What the "
    "repository is; default: what the address says, else dataset.\"},"
    "\"revision\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Branch or tag; default: "
    "what "
    "the address says, else master. main means master where there is no main.\"},"
    "\"include\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},\"default\":[]"
    ","
    "\"description\":\"Only files whose path matches one of these globs; * stands for / too, DIR/ "
    "for "
    "all in it.\"},"
    "\"exclude\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},\"default\":[]"
    ","
    "\"description\":\"No file whose path matches one of these globs.\"},"
    "\"files\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},\"default\":[],"
    "\"description\":\"These paths and no others; DIR/ for all in it.\"}," CARD_SCHEMA
    ",\"include_oss\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Old data sets: "
    "also "
    "the files that are kept outside of git. The hub lists no digests for these: their size is all "
    "that can be verified.\"},"
    "\"endpoint\":{\"type\":\"string\",\"minLength\":1,\"x-drh-env\":\"MODELSCOPE_ENDPOINT\","
    "\"description\":\"URL of the hub; default: the host of a pasted address, else "
    "https://modelscope.cn (or MODELSCOPE_DOMAIN).\"},"
    "\"token\":{\"type\":\"string\",\"x-drh-secret\":true,\"description\":\"Sent to the endpoint "
    "and "
    "to nobody else. Default, for modelscope.cn and modelscope.ai: MODELSCOPE_API_TOKEN.\"}}}";

static drh_text *const *texts_of(struct ms *x, drh_text *all[11])
{
    drh_text *const list[11] = {&x->endpoint, &x->type,    &x->revision, &x->page,
                                &x->commit,   &x->license, &x->name,     &x->bearer,
                                &x->cookie,   &x->file,    &x->url};

    memcpy(all, list, sizeof(list));
    return all;
}

static void destroy(void *self)
{
    struct ms *x = self;
    drh_text  *all[11];
    size_t     i;

    (void)texts_of(x, all);
    for (i = 0; i < 11; i++) {
        if (all[i]->ptr && (all[i] == &x->bearer || all[i] == &x->cookie)) {
            explicit_bzero(all[i]->ptr, all[i]->cap);
        }
        drh_text_free(all[i]);
    }
    (void)x->host->alloc(x->host, x, 0);
}

/* ---- options ---- */

static void choose(drh_text *to, drh_str option, drh_str from_address, drh_str otherwise)
{
    drh_text_addv(to, option.len ? option : from_address.len ? from_address : otherwise);
}

static drh_status set_endpoint(struct ms *x, drh_error *e)
{
    const char *domain = secure_getenv("MODELSCOPE_DOMAIN");
    drh_text   *t = &x->endpoint;
    drh_str     option = drh_hub_option(x->host, x->config, "/endpoint");

    if (!option.len && !x->repo.endpoint.len && domain && domain[0]) {
        drh_text_adds(t, "https://");
        drh_text_adds(t, domain);
    } else {
        choose(t, option, x->repo.endpoint, drh_str_of("https://modelscope.cn"));
    }
    return drh_hub_endpoint(t, e);
}

/* modelscope.cn, modelscope.ai and their www., or this machine. */
static int is_home(drh_str endpoint)
{
    static const char *const hosts[] = {"https://modelscope.cn", "https://www.modelscope.cn",
                                        "https://modelscope.ai", "https://www.modelscope.ai", NULL};

    return drh_hub_is_at(endpoint, hosts) || drh_hub_here(endpoint);
}

static drh_status set_token(struct ms *x, drh_error *e)
{
    const char *v = secure_getenv("MODELSCOPE_API_TOKEN");
    drh_str     token = drh_hub_option(x->host, x->config, "/token");

    if (!token.len && v && v[0] && is_home(drh_text_str(&x->endpoint))) {
        token = drh_str_of(v);
    } else if (!token.len && v && v[0]) {
        drh_logf(x->host, DRH_LOG_INFO,
                 "MODELSCOPE_API_TOKEN is not sent to %s, which is not ModelScope",
                 x->endpoint.ptr);
    }
    while (token.len && strchr(" \t\r\n", token.ptr[token.len - 1])) {
        token.len--;
    }
    if (!token.len) {
        return DRH_OK;
    }
    if (drh_hub_span(token, ";, \t\r\n\"\\", 0) < token.len) { /* it goes into a cookie, too */
        return drh_fail(
            e, DRH_E_CONFIG,
            "token: it holds a character that no token of ModelScope has; copy it again "
            "from the page of your account");
    }
    if (!drh_hub_private(drh_text_str(&x->endpoint))) {
        return drh_fail(e, DRH_E_CONFIG,
                        "endpoint: %s is not encrypted; no token is sent to it: use https, or no "
                        "token",
                        x->endpoint.ptr);
    }
    drh_text_adds(&x->bearer, "Bearer ");
    drh_text_addv(&x->bearer, token);
    drh_text_adds(&x->cookie, "m_session_id=");
    drh_text_addv(&x->cookie, token);
    x->auth[0] = (drh_http_header){drh_str_of("Authorization"), drh_text_str(&x->bearer)};
    x->auth[1] = (drh_http_header){drh_str_of("Cookie"), drh_text_str(&x->cookie)};
    return x->bearer.failed || x->cookie.failed ? DRH_E_NOMEM : DRH_OK;
}

static drh_status fill(struct ms *x, drh_error *e)
{
    const drh_host   *h = x->host;
    const drh_config *c = x->config;
    drh_status        st = ms_repo_parse(drh_hub_option(h, c, "/repo"), &x->repo, e);

    st = st == DRH_OK ? card_check(h, c, e) : st;
    st = st == DRH_OK ? set_endpoint(x, e) : st;
    if (st != DRH_OK) {
        return st;
    }
    choose(&x->type, drh_hub_option(h, c, "/type"), x->repo.type, drh_str_of("dataset"));
    if (drh_hub_option(h, c, "/revision").len) {
        drh_text_addv(&x->revision, drh_hub_option(h, c, "/revision"));
    } else {
        drh_text_unquote(&x->revision,
                         x->repo.revision.len ? x->repo.revision : drh_str_of("master"));
    }
    drh_text_unquote(&x->file, x->repo.path);
    if ((x->file.ptr && strlen(x->file.ptr) < x->file.len) ||
        (x->revision.ptr && strlen(x->revision.ptr) < x->revision.len)) {
        return drh_fail(e, DRH_E_CONFIG, "repo: %%00 in an address is part of no name");
    }
    drh_text_addv(&x->page, drh_text_str(&x->endpoint));
    drh_text_adds(&x->page, ms_is_model(x) ? "/models/" : "/datasets/");
    drh_text_addv(&x->page, x->repo.id);
    if (x->type.failed || x->revision.failed || x->file.failed || x->page.failed) {
        return DRH_E_NOMEM;
    }
    return set_token(x, e);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct ms *x = h->alloc(h, NULL, sizeof(*x));
    drh_text  *all[11];
    drh_status st;
    size_t     i;

    if (!x) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a source");
    }
    memset(x, 0, sizeof(*x));
    x->host = h;
    x->config = c;
    (void)texts_of(x, all);
    for (i = 0; i < 11; i++) {
        all[i]->host = h;
    }
    x->http = h->extension(h, DRH_HTTP);
    st = x->http ? fill(x, e) : drh_fail(e, DRH_E_UNSUPPORTED, "nobody offers %s", DRH_HTTP);
    if (st != DRH_OK) {
        destroy(x);
        return st == DRH_E_NOMEM ? drh_fail(e, st, "out of memory for a source") : st;
    }
    *self = x;
    return DRH_OK;
}

/* ---- files ---- */

/* Of the object store: its key is a URL. */
static int is_oss(const drh_file *f)
{
    return drh_str_starts(f->key, "http://") || drh_str_starts(f->key, "https://");
}

static drh_status request(void *self, const drh_file *f, drh_http_req *out, drh_error *e)
{
    struct ms *x = self;

    if (is_oss(f)) {
        out->url = f->key; /* signed, so nobody needs to know who we are */
        return DRH_OK;
    }
    ms_put_url(x, &x->url, "/repo?Revision=");
    drh_text_quote(&x->url, f->key.len && !x->by_branch ? f->key : drh_text_str(&x->revision), "");
    drh_text_adds(&x->url, "&FilePath=");
    drh_text_quote(&x->url, f->name, "");
    if (x->url.failed) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a URL");
    }
    out->url = drh_text_str(&x->url);
    if (x->bearer.len) {
        out->credentials = x->auth;
        out->n_credentials = 2;
    }
    return DRH_OK;
}

/* A file that is not there at the commit that its listing names: some deployments know only
 * branches. */
static drh_status judge(void *self, const drh_file *f, const drh_http_answer *a, drh_error *e)
{
    struct ms *x = self;
    drh_json  *doc = NULL;
    drh_value  root;
    drh_status st;
    int        is_json =
        x->host->json_open(x->host, a->body.ptr, a->body.len, &doc, &root, NULL) == DRH_OK &&
        x->host->values->type(&root) == DRH_T_OBJECT;

    st = ms_explain(x, a, is_json && drh_hub_int(x->host, &root, "Code", 0) ? &root : NULL,
                    f->name.ptr, e);
    x->host->json_close(doc);
    if (st == DRH_E_MISSING && f->key.len && !is_oss(f) && strstr(a->url.ptr, f->key.ptr)) {
        x->by_branch = 1; /* from the next request on */
        e->flags |= DRH_ERR_RETRYABLE;
    }
    return st;
}

static drh_str provenance(void *self)
{
    return drh_text_str(&((struct ms *)self)->name);
}

static drh_status about(void *self, drh_source_about *out)
{
    struct ms *x = self;

    out->endpoint = drh_text_str(&x->endpoint);
    out->type = drh_text_str(&x->type);
    out->repo = x->repo.id;
    out->revision = drh_text_str(&x->revision);
    out->commit = drh_text_str(&x->commit);
    out->license = drh_text_str(&x->license);
    out->page = drh_text_str(&x->page);
    return DRH_OK;
}

static const char *const needs[] = {DRH_HTTP, "drh.fetch/1", NULL};
static const drh_life    life = {.struct_size = sizeof(life), .create = create, .destroy = destroy};
static const drh_source_ops   ops = {.struct_size = sizeof(ops),
                                     .list = ms_list,
                                     .provenance = provenance,
                                     .request = request,
                                     .judge = judge,
                                     .about = about};
static const drh_stage        stage = {.struct_size = sizeof(stage),
                                       .kind = DRH_KIND_SOURCE,
                                       .id = "modelscope",
                                       .version = "1.0.0",
                                       .summary = "data sets and models of ModelScope",
                                       .config_schema = schema,
                                       .threading = DRH_SERIAL,
                                       .flags = DRH_NETWORK,
                                       .needs = needs,
                                       .life = &life,
                                       .ops.source = &ops};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "modelscope",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
DRH_PLUGIN_NOTE(0, "source modelscope 1.0.0 https://modelscope.cn/ https://www.modelscope.cn/ "
                   "https://modelscope.ai/ https://www.modelscope.ai/");
