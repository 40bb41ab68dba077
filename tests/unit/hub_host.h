/* SPDX-License-Identifier: MIT
 *
 * hub_host.h - the least of a host that a source of a hub needs, for tests and fuzz targets: core's
 * JSON, configuration and list of files, and a fake "drh.http/1" whose answers are a table.  One
 * thread.  Aborts when the source breaks a contract.
 */
#ifndef HUB_HOST_H
#define HUB_HOST_H

#include "bare_host.h"
#include "sink.h"

#include <drh/http.h>

/* An answer.  The first row that fits a request and is not used up is taken; when there is none,
 * the request is logged as unexpected and answered with 404. */
struct hub_answer {
    const char *target;  /* what follows the endpoint; NULL: any */
    uint32_t    status;  /* 0: 200 */
    const char *headers; /* "name: value\n" ...; NULL: none */
    const char *body;
    size_t      n_body; /* 0: strlen */
    drh_status  st;     /* no answer but this error */
    bool        always; /* any number of times; else once */
};

struct hub_host {
    drh_host                 host;
    const struct hub_answer *answer; /* ends with a row without target, status, body and st */
    bool                     used[64];
    const char              *url;         /* of the answers, instead of the request's; NULL: that */
    const char              *origin;      /* a request to another one aborts; NULL: any will do */
    char                     asked[8192]; /* "TARGET CREDENTIALS\n" of each request */
    size_t                   n_asked;
    unsigned                 requests, open; /* answers that are not released */
    struct drh_config       *config;
    struct drh_list          list;
    const drh_stage         *stage;
    void                    *self;
    drh_error                e;
};

/* Makes an instance of the entry's first stage with options as JSON text.  What went wrong is in
 * h->e.  hub_free() in any case; false from it: memory or an answer is left. */
drh_status hub_new(struct hub_host *h, const drh_entry *entry, const char *options,
                   const struct hub_answer *answers);
drh_status hub_list(struct hub_host *h);
bool       hub_free(struct hub_host *h);

#endif
