/* SPDX-License-Identifier: MIT
 * Writes through a bad pointer.  For the runner: the last line says where it was. */
#define ZOO_PROCESS process
#include "zoo.h"

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    int *volatile bad = (int *)(uintptr_t)16; /* volatile: the compiler must not see it */

    (void)self;
    (void)worker;
    (void)r;
    (void)n;
    (void)e;
    *bad = 1;
    return DRH_OK;
}
