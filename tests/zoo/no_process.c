/* SPDX-License-Identifier: MIT
 * A preprocessor that cannot process. */
#include <drh/plugin.h>
static const drh_map_ops empty = {.struct_size = sizeof(empty)};
#define ZOO_OPS &empty
#include "zoo.h"
