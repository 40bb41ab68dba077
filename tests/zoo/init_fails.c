/* SPDX-License-Identifier: MIT
 * Refuses to work here, and says why. */
#define ZOO_INIT zoo_init
#include "zoo.h"

static drh_status zoo_init(const drh_host *h, drh_error *e)
{
    (void)h;
    return drh_fail(e, DRH_E_UNSUPPORTED, "this machine has no tail");
}
