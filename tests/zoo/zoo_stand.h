/* SPDX-License-Identifier: MIT
 * zoo_stand.h - a source that stands for ZOO_FOR, or fails without a word when that is not there.
 */
#ifndef ZOO_STAND_H
#define ZOO_STAND_H

#include <drh/util.h>

static drh_status stands_for(void *self, drh_str *entry, drh_error *e)
{
    (void)self;
    (void)e;
#ifdef ZOO_FOR
    *entry = drh_str_of(ZOO_FOR);
    return DRH_OK;
#else
    (void)entry;
    return DRH_E_IO;
#endif
}

static const drh_source_ops source = {.struct_size = sizeof(source), .stands_for = stands_for};

#define ZOO_KIND DRH_KIND_SOURCE
#define ZOO_OPS &source
#include "zoo.h"

#endif
