/* SPDX-License-Identifier: MIT
 * Needs a library that is not installed. */
extern int zoo_gone(void);
#define ZOO_INIT zoo_init
#include "zoo.h"

static drh_status zoo_init(const drh_host *h, drh_error *e)
{
    (void)h;
    (void)e;
    return zoo_gone();
}
