/* SPDX-License-Identifier: MIT
 *
 * lm_service.h - the service drh.infer/1 over this engine.  A backend's plugin.c brings its tables,
 * its schema and a struct lm_backend; the functions below are its life and its get().
 */
#ifndef LM_SERVICE_H
#define LM_SERVICE_H

#include "lm_engine.h"

#include <drh/infer.h>

struct lm_backend {
    const char      *id; /* of the stage */
    struct lm_matmul matmul;
    /* The library, its version and the kernel it chose, for the identity: "openblas-0.3.21/Zen". */
    void (*describe)(char *out, size_t size);
};

/* drh_service_ops.probe: 50 when the folder named by "model" looks like one of ours. */
int32_t lm_service_probe(const drh_host *h, const drh_config *c, drh_error *e);
/* drh_life, with the backend in front; `b` outlives the service. */
drh_status lm_service_create(const struct lm_backend *b, const drh_host *h, const drh_config *c,
                             void **self, drh_error *e);
void       lm_service_destroy(void *self);
drh_status lm_service_open_worker(void *self, uint32_t index, void **worker, drh_error *e);
void       lm_service_close_worker(void *self, void *worker);
/* drh_service_ops.get. */
const void *lm_service_get(void *self, const char *id);

#endif /* LM_SERVICE_H */
