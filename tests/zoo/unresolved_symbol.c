/* SPDX-License-Identifier: MIT
 * Calls what no library has. */
extern int drh_zoo_nowhere(void);
#define ZOO_INIT zoo_init
#include "zoo.h"

static drh_status zoo_init(const drh_host *h, drh_error *e)
{
    (void)h;
    (void)e;
    return drh_zoo_nowhere();
}
