/* SPDX-License-Identifier: MIT
 * services.h - the services of a run, by id, and the host's proxies for those that begin with
 * "drh.".
 *
 * Made on the main thread before the steps that need them, freed after them. */
#ifndef CORE_SERVICES_H
#define CORE_SERVICES_H

#include "host.h"

#include <drh/fetch.h>
#include <drh/infer.h>

struct service {
    char              *id;     /* "drh.infer/1"; owned */
    char              *own;    /* for the steps that name it only, by this name; owned; NULL: all */
    struct instance   *in;     /* owned, unless shared */
    bool               shared; /* an earlier service has the same instance */
    const void        *table;  /* the provider's own */
    drh_infer_provider infer;  /* copy, for DRH_INFER */
    drh_infer_info     info;   /* copy; texts are the provider's until it is freed */
    drh_http_provider  http;   /* copy, for DRH_HTTP */
    drh_fetch_provider fetch;  /* copy, for DRH_FETCH */
    uint64_t          *requests; /* DRH_HTTP: sent by stages; owned */
};

struct services {
    struct service *s;
    size_t          n;
};

/* Makes the instance (config taken over in any case) and adds it; one that was made for another id
 * of the same stage and step serves this one, too.  `own`: it is for steps that name it `step`. */
drh_status services_add(struct services *all, const char *id, bool own, const struct stage *stage,
                        const char *step, struct drh_config *config, const struct run_env *env,
                        drh_error *e);
/* That of no name of its own. */
const struct service *services_find(const struct services *all, const char *id);
/* The model that steps name so; NULL: that of no name. */
const struct service *services_infer(const struct services *all, const char *own);
void                  services_free(struct services *all);
/* What host->extension() answers to `in`: for what its stage needs, or offers. */
const void *services_extension(const struct services *all, const struct instance *in,
                               const char *id);

/* services_http.c */
extern const drh_http http_proxy;
drh_status            services_check_http(struct service *s, drh_error *e);
drh_status            services_check_fetch(struct service *s, drh_error *e);

#endif
