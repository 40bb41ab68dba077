/* SPDX-License-Identifier: MIT
 * hf_error.c - what the hub's refusals mean, and what to do about them. */
#include "hf.h"

/* The hub's own words, X-Error-Message or a short body that is text. */
static drh_str hub_says(const drh_http_answer *a)
{
    drh_str s = drh_hub_header(a, "x-error-message");

    if (!s.ptr) {
        s = a->body;
        s.len = s.len && s.ptr[0] != '<' ? strcspn(s.ptr, "\r\n") : 0;
    }
    s.len = s.len < 160 ? s.len : 160;
    return s;
}

static const char *token_words(const struct hf *x)
{
    return x->bearer.len ? x->token_from : "no token";
}

static drh_status not_allowed(const struct hf *x, const drh_http_answer *a, drh_error *e)
{
    drh_str code = drh_hub_header(a, "x-error-code"), says = hub_says(a);

    if (drh_str_eq(code, "GatedRepo")) {
        return drh_fail(
            e, DRH_E_AUTH,
            a->status == 401
                ? "%s is gated: accept its terms at %s, then give your token (HF_TOKEN or "
                  "--token-file); asked with %s"
                : "%s is gated, and your account has not been let in: ask at %s; asked "
                  "with %s",
            x->name.ptr ? x->name.ptr : "it", x->page.ptr, token_words(x));
    }
    if (a->status == 403) {
        return drh_fail(e, DRH_E_AUTH, "%s is not allowed: %.*s; asked with %s", x->page.ptr,
                        (int)says.len, says.ptr ? says.ptr : "", token_words(x));
    }
    return drh_fail(
        e, DRH_E_AUTH,
        "%s: there is no such %s, or it is private, or the token is wrong (asked with %s): "
        "check the name, and whether it is a %s (type, --repo-type)",
        x->page.ptr, x->type.ptr, token_words(x),
        drh_str_eq(drh_text_str(&x->type), "model") ? "dataset" : "model");
}

static drh_status not_there(const struct hf *x, const drh_http_answer *a, const char *what,
                            drh_error *e)
{
    drh_str code = drh_hub_header(a, "x-error-code");

    if (drh_str_eq(code, "RevisionNotFound")) {
        return drh_fail(e, DRH_E_MISSING, "%s has no revision \"%s\"", x->page.ptr,
                        x->revision.ptr);
    }
    if (drh_str_eq(code, "EntryNotFound")) {
        return drh_fail(e, DRH_E_MISSING, "%s is not in %s at this commit", what, x->page.ptr);
    }
    return drh_fail(e, DRH_E_MISSING, "%s: there is no such %s at %s; is it a %s (--repo-type)?",
                    x->page.ptr, x->type.ptr, x->endpoint.ptr,
                    drh_str_eq(drh_text_str(&x->type), "model") ? "dataset" : "model");
}

drh_status hf_explain(const struct hf *x, const drh_http_answer *a, const char *what, drh_error *e)
{
    drh_str says = hub_says(a), id = drh_hub_header(a, "x-request-id");

    switch (a->status) {
    case 401:
    case 403:
        return not_allowed(x, a, e);
    case 404:
        return not_there(x, a, what, e);
    case 451:
        return drh_fail(e, DRH_E_MISSING, "%s was removed for legal reasons", x->page.ptr);
    default:
        break;
    }
    if (a->status < 400) {
        return DRH_OK;
    }
    (void)drh_fail(e, DRH_E_NETWORK, "%s answers %u to %s%s%.*s%s%.*s", x->endpoint.ptr, a->status,
                   what, says.len ? ": " : "", (int)says.len, says.ptr ? says.ptr : "",
                   id.len ? "; request " : "", (int)(id.len < 60 ? id.len : 60),
                   id.ptr ? id.ptr : "");
    if (a->status == 408 || a->status == 416 || a->status == 429 || a->status >= 500) {
        e->flags |= DRH_ERR_RETRYABLE;
    }
    return DRH_E_NETWORK;
}
