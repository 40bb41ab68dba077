/* SPDX-License-Identifier: MIT
 * ms_error.c - the hub's envelope: {"Code":200,"Success":true,"Message":"...","RequestId":"...",
 * "Data":...}.  Trouble comes with status 200 as well. */
#include "ms.h"

static const int64_t NOT_FOUND = 10010205001, FILE_GONE = 10990101007;

static int is_success(const drh_host *h, const drh_value *root)
{
    return drh_hub_true(h, root, "Success") || drh_hub_int(h, root, "Code", 0) == 200;
}

drh_status ms_explain(const struct ms *x, const drh_http_answer *a, const drh_value *root,
                      const char *what, drh_error *e)
{
    const drh_host *h = x->host;
    drh_str         says = {NULL, 0}, id = {NULL, 0};
    int64_t         code = 0;
    uint32_t        s = a->status;
    const char     *token = x->bearer.len ? "with your token" : "without a token";

    if (root) {
        says = drh_hub_text(h, root, "Message");
        id = drh_hub_text(h, root, "RequestId");
        code = drh_hub_int(h, root, "Code", 0);
    }
    if (s / 100 == 2 && (!root || is_success(h, root))) {
        return DRH_OK;
    }
    says.len = says.len < 150 ? says.len : 150;
    id.len = id.len < 60 ? id.len : 60;
    (void)drh_fail(e, DRH_E_NETWORK, "%s: %s: status %u, code %lld%s%.*s%s%.*s", x->page.ptr, what,
                   s, (long long)code, says.len ? ": " : "", (int)says.len,
                   says.ptr ? says.ptr : "", id.len ? "; request " : "", (int)id.len,
                   id.ptr ? id.ptr : "");
    if (s == 401 || s == 403) {
        char   why[200];
        size_t n = strlen(e->message);
        (void)snprintf(why, sizeof(why), " (asked %s; MODELSCOPE_API_TOKEN or --token-file)",
                       token);
        (void)snprintf(e->message + n, sizeof(e->message) - n, "%s", why);
        return e->code = DRH_E_AUTH;
    }
    if (s == 404 || code == NOT_FOUND || code == FILE_GONE) {
        size_t n = strlen(e->message);
        if (code != FILE_GONE) { /* the hub says no more of what somebody may not see */
            (void)snprintf(e->message + n, sizeof(e->message) - n,
                           " (asked %s; is it gated or private: look at its page; or is it a %s: "
                           "--repo-type?)",
                           token, ms_is_model(x) ? "dataset" : "model");
        }
        return e->code = DRH_E_MISSING;
    }
    if (s == 408 || s == 416 || s == 429 || s >= 500 || s / 100 == 2) {
        e->flags |= DRH_ERR_RETRYABLE;
    }
    return DRH_E_NETWORK;
}

void ms_put_url(const struct ms *x, drh_text *url, const char *rest)
{
    drh_text_clear(url);
    drh_text_addv(url, drh_text_str(&x->endpoint));
    drh_text_adds(url, ms_is_model(x) ? "/api/v1/models/" : "/api/v1/datasets/");
    drh_text_addv(url, x->repo.id);
    drh_text_adds(url, rest);
}

drh_status ms_get(struct ms *x, const drh_text *url, const char *what, drh_hub_page *p,
                  drh_error *e)
{
    drh_http_req req = {.struct_size = sizeof(req), .url = drh_text_str(url)};
    drh_json    *doc = NULL;
    drh_value    root;
    drh_status   st;

    memset(p, 0, sizeof(*p));
    if (url->failed) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a listing");
    }
    if (x->bearer.len) {
        req.credentials = x->auth;
        req.n_credentials = 2;
    }
    st = drh_hub_get(x->host, x->http, &req, p, e);
    if (st != DRH_OK) {
        return st;
    }
    if (!p->doc) { /* not 2xx: its body is an envelope nevertheless, as a rule */
        if (x->host->json_open(x->host, p->answer->body.ptr, p->answer->body.len, &doc, &root,
                               NULL) == DRH_OK) {
            st = ms_explain(x, p->answer, &root, what, e);
            x->host->json_close(doc);
        } else {
            st = ms_explain(x, p->answer, NULL, what, e);
        }
        return st == DRH_OK
                   ? drh_fail(e, DRH_E_NETWORK, "%s answers %u", x->page.ptr, p->answer->status)
                   : st;
    }
    st = ms_explain(x, p->answer, &p->root, what, e);
    if (st == DRH_OK && x->host->values->member(&p->root, "Data", 4, &p->root) != DRH_OK) {
        st = drh_fail(e, DRH_E_NETWORK, "%s: %s has no \"Data\"", x->page.ptr, what);
    }
    return st;
}
