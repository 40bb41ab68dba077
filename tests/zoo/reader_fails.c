/* SPDX-License-Identifier: MIT
 * A reader that cannot be made. */
#include <drh/plugin.h>
#define ZOO_CREATE fail
#include "zoo_reader.h"

#include <drh/util.h>

static drh_status fail(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    (void)h;
    (void)c;
    (void)self;
    return drh_fail(e, DRH_E_CONFIG, "no table of shapes; set SHAPES");
}
