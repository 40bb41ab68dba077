/* SPDX-License-Identifier: MIT
 * Both process() and start(): the host could not know which to call. */
#include <drh/util.h>

static drh_status start(void *self, void *worker, drh_record *r, drh_error *e)
{
    (void)self;
    (void)worker;
    (void)r;
    (void)e;
    return DRH_OK;
}

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    (void)self;
    (void)worker;
    (void)r;
    (void)n;
    (void)e;
    return DRH_OK;
}

static const drh_map_ops both = {.struct_size = sizeof(both), .process = process, .start = start};
#define ZOO_OPS &both
#include "zoo.h"
