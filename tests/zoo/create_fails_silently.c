/* SPDX-License-Identifier: MIT
 * create() fails and gives no reason.  For the runner. */
#define ZOO_CREATE silent
#include "zoo.h"

static drh_status silent(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    (void)h;
    (void)c;
    (void)self;
    (void)e;
    return DRH_E_INTERNAL;
}
