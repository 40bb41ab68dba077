/* SPDX-License-Identifier: MIT
 * hf.h - what the files of hf-mirror share: one repository of a hub that speaks Hugging Face's
 * protocol.  One call at a time; memory is the host's. */
#ifndef HF_MIRROR_HF_H
#define HF_MIRROR_HF_H

#include <drh/hub.h>

/* What the option "repo" names; texts point into the option. */
struct hf_repo {
    drh_str id;       /* "openai/gsm8k" */
    drh_str type;     /* "dataset", "model"; {NULL,0}: not said */
    drh_str revision; /* {NULL,0}: not said */
    drh_str path;     /* of a file or folder; {NULL,0}: all */
    drh_str endpoint; /* of a pasted address: its "https://host"; {NULL,0}: none */
};

struct hf {
    const drh_host   *host;
    const drh_config *config;
    const drh_http   *http;
    struct hf_repo    repo;
    drh_text          endpoint, type, revision;    /* as they are used; never empty */
    drh_text          commit, license, page, name; /* after list() */
    drh_text          bearer;                      /* value of Authorization; empty: none */
    drh_text          folder;                      /* repo.path, decoded */
    drh_text          url, path, note;             /* of the last request() and note() */
    drh_http_header   auth;
    const char       *token_from; /* for people: where the token came from */
};

/* hf_repo.c: an id, an hf:// address or the address of a page.  DRH_E_CONFIG with what is wrong. */
drh_status hf_repo_parse(drh_str text, struct hf_repo *out, drh_error *e);

/* hf_token.c: finds the token by the order of the official client, and decides whether this
 * endpoint may see it. */
drh_status hf_token(struct hf *x, drh_error *e);

/* hf.c: drh_source_ops.request; the commit must be known. */
drh_status hf_request(void *self, const drh_file *f, drh_http_req *out, drh_error *e);

/* hf_list.c */
drh_status hf_list(void *self, drh_list *l, drh_error *e);

/* hf_error.c: what an answer that is no success means.  DRH_OK: nothing that is known. */
drh_status hf_explain(const struct hf *x, const drh_http_answer *a, const char *what, drh_error *e);

/* "models" or "datasets", as the API calls it, and "" or "datasets/", as pages do. */
static inline const char *hf_api_type(const struct hf *x)
{
    return drh_str_eq(drh_text_str(&x->type), "model") ? "models" : "datasets";
}

static inline const char *hf_page_type(const struct hf *x)
{
    return drh_str_eq(drh_text_str(&x->type), "model") ? "" : "datasets/";
}

#endif
