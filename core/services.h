/* SPDX-License-Identifier: MIT
 * services.h - the services of a run, by id, and the host's proxy for "drh.infer/1".
 *
 * Made on the main thread before the steps that need them, freed after them. */
#ifndef CORE_SERVICES_H
#define CORE_SERVICES_H

#include "host.h"

#include <drh/infer.h>

struct service {
    char              *id;    /* "drh.infer/1"; owned */
    struct instance   *in;    /* owned */
    const void        *table; /* the provider's own */
    drh_infer_provider infer; /* copy, for DRH_INFER */
    drh_infer_info     info;  /* copy; texts are the provider's until it is freed */
};

struct services {
    struct service *s;
    size_t          n;
};

/* Makes the instance (config taken over in any case) and adds it. */
drh_status            services_add(struct services *all, const char *id, const struct stage *stage,
                                   const char *step, struct drh_config *config, const struct run_env *env,
                                   drh_error *e);
const struct service *services_find(const struct services *all, const char *id);
void                  services_free(struct services *all);
/* What host->extension() answers to `in`: for what its stage needs, or offers. */
const void *services_extension(const struct services *all, const struct instance *in,
                               const char *id);

#endif
