/* SPDX-License-Identifier: MIT
 * Refuses to work here, and does not say why. */
#define ZOO_INIT zoo_init
#include "zoo.h"

static drh_status zoo_init(const drh_host *h, drh_error *e)
{
    (void)h;
    (void)e;
    return DRH_E_INTERNAL;
}
