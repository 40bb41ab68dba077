/* SPDX-License-Identifier: MIT
 * Built with a later header: a table longer than the host knows.  It must load. */
#include <drh/util.h>

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e);

static const struct {
    drh_map_ops map;
    void (*later)(void *self);
} longer = {.map = {.struct_size = sizeof(longer), .process = process}};
#define ZOO_OPS &longer
#define ZOO_PROCESS process
#include "zoo.h"

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    (void)self;
    (void)worker;
    (void)r;
    (void)n;
    (void)e;
    return DRH_OK;
}
