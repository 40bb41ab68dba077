/* SPDX-License-Identifier: MIT
 *
 * send.c - a request to one endpoint: its address, its key.  [any]
 */
#include "oa.h"

#include <drh/util.h>

static const char *const paths[] = {"/completions", "/chat/completions", "/models", "/tokenize"};

/* The tokenizer of vLLM is beside /v1, not below it. */
static drh_str base_for(const struct oa_endpoint *ep, int path)
{
    drh_str base = drh_str_of(ep->base);

    if (path == OA_PATH_TOKENIZE && drh_str_ends(base, "/v1")) {
        base.len -= strlen("/v1");
    }
    return base;
}

void oa_call_make(struct oa_call *c, const struct oa *o, const struct oa_endpoint *ep, int path,
                  drh_str body)
{
    memset(c, 0, sizeof(*c));
    c->url.host = c->bearer.host = o->host;
    drh_text_addv(&c->url, base_for(ep, path));
    drh_text_adds(&c->url, paths[path]);
    drh_text_adds(&c->url, ep->query);
    c->header[0] = (drh_http_header){{DRH_LIT("content-type")}, {DRH_LIT("application/json")}};
    c->header[1] =
        (drh_http_header){{DRH_LIT("accept")}, {DRH_LIT("application/json, text/event-stream")}};
    c->req = (drh_http_req){.struct_size = sizeof(c->req),
                            .flags = DRH_HTTP_NO_REDIRECT,
                            .url = drh_text_str(&c->url),
                            .headers = body.ptr ? c->header : c->header + 1,
                            .n_headers = body.ptr ? 2 : 1,
                            .body = body,
                            .max_answer = OA_MAX_ANSWER,
                            .tries = 1};
    if (ep->key) {
        drh_text_adds(&c->bearer, ep->azure ? "" : "Bearer ");
        drh_text_adds(&c->bearer, ep->key);
        c->credential.name = drh_str_of(ep->azure ? "api-key" : "authorization");
        c->credential.value = drh_text_str(&c->bearer);
        c->req.credentials = &c->credential;
        c->req.n_credentials = 1;
    }
    c->url.failed = c->url.failed || c->bearer.failed;
}

void oa_call_free(struct oa_call *c)
{
    if (c->bearer.ptr) {
        explicit_bzero(c->bearer.ptr, c->bearer.len);
    }
    drh_text_free(&c->bearer);
    drh_text_free(&c->url);
}
