/* SPDX-License-Identifier: MIT
 * Works for a minute without looking at cancelled(), in naps.  For the runner. */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#define ZOO_PROCESS process
#include "zoo.h"

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    const drh_host *h = self;
    size_t          i;

    (void)worker;
    (void)e;
    for (i = 0; i < 600; i++) {
        struct timespec nap = {0, 100000000};
        (void)nanosleep(&nap, NULL);
    }
    for (i = 0; i < n; i++) {
        (void)h->records->keep(r[i]);
    }
    return DRH_OK;
}
