/* SPDX-License-Identifier: MIT
 * Settles each record twice.  For the runner: the second time is an error. */
#define ZOO_PROCESS process
#include "zoo.h"

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    const drh_host *h = self;
    size_t          i;

    (void)worker;
    (void)e;
    for (i = 0; i < n; i++) {
        (void)h->records->keep(r[i]);
        (void)h->records->keep(r[i]);
        (void)h->records->drop(r[i], "twice", NULL, 0);
    }
    return DRH_OK;
}
