/* SPDX-License-Identifier: MIT
 * A selector whose scores are no numbers.  For the runner: set_f64 refuses them. */
#include <drh/util.h>

#include <math.h>

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e);

static drh_status ranking(void *self, drh_ranking *out, drh_error *e)
{
    (void)self;
    (void)e;
    out->field = "/metadata/nan";
    out->status = "/metadata/nan_status";
    return DRH_OK;
}

static const drh_map_ops      map = {.struct_size = sizeof(map), .process = process};
static const drh_selector_ops selector = {
    .struct_size = sizeof(selector), .map = &map, .ranking = ranking};
#define ZOO_KIND DRH_KIND_SELECTOR
#define ZOO_NOTE "selector zoo 1.0.0"
#define ZOO_OPS &selector
#define ZOO_PROCESS process
#include "zoo.h"

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    const drh_host *h = self;
    drh_field       f = drh_field_of(h, "/metadata/nan");
    size_t          i;

    (void)worker;
    (void)e;
    for (i = 0; i < n; i++) {
        (void)h->records->set_f64(r[i], f, (double)NAN);
        (void)h->records->keep(r[i]);
    }
    return DRH_OK;
}
