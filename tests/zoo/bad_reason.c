/* SPDX-License-Identifier: MIT
 * Drops with a reason that is no reason code, then leaves the record open.  For the runner. */
#define ZOO_PROCESS process
#include "zoo.h"

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    const drh_host *h = self;
    size_t          i;

    (void)worker;
    (void)e;
    for (i = 0; i < n; i++) {
        (void)h->records->drop(r[i], "Not a Code!\n", NULL, 0);
    }
    return DRH_OK;
}
