/* SPDX-License-Identifier: MIT
 * ms.h - what the files of modelscope share: one repository of a ModelScope hub.  One call at a
 * time; memory is the host's. */
#ifndef MODELSCOPE_MS_H
#define MODELSCOPE_MS_H

#include <drh/hub.h>

/* What the option "repo" names; texts point into the option. */
struct ms_repo {
    drh_str id;       /* "owner/name" */
    drh_str type;     /* "dataset", "model"; {NULL,0}: not said */
    drh_str revision; /* {NULL,0}: not said */
    drh_str path;     /* of a file or folder; {NULL,0}: all */
    drh_str endpoint; /* of a pasted address */
};

struct ms {
    const drh_host   *host;
    const drh_config *config;
    const drh_http   *http;
    struct ms_repo    repo;
    int               by_branch; /* files are asked for at the branch, not at their own commits */
    drh_text          endpoint, type, revision, page;
    drh_text          commit, license, name; /* after list() */
    drh_text          bearer, cookie;        /* values of headers; empty: no token */
    drh_text          file, url; /* the wanted file or folder of an address; of the last request */
    drh_http_header   auth[2];
};

/* ms_repo.c: "owner/name" or the address of a page.  DRH_E_CONFIG with what is wrong. */
drh_status ms_repo_parse(drh_str text, struct ms_repo *out, drh_error *e);
/* ms_list.c */
drh_status ms_list(void *self, drh_list *l, drh_error *e);
/* ms_error.c: what an answer means that is no success by its status or by its envelope (`root`,
 * NULL: not JSON).  DRH_OK: a success, or nothing that is known. */
drh_status ms_explain(const struct ms *x, const drh_http_answer *a, const drh_value *root,
                      const char *what, drh_error *e);
/* A page of the API: sent with the credentials, read, its envelope judged; p->root is "Data" then.
 */
drh_status ms_get(struct ms *x, const drh_text *url, const char *what, drh_hub_page *p,
                  drh_error *e);
/* ENDPOINT/api/v1/datasets/ID and what follows. */
void ms_put_url(const struct ms *x, drh_text *url, const char *rest);

static inline int ms_is_model(const struct ms *x)
{
    return drh_str_eq(drh_text_str(&x->type), "model");
}

#endif
