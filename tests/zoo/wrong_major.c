/* SPDX-License-Identifier: MIT
 * Its note says ABI major 2. */
#include <drh/plugin.h>
#undef DRH_ABI_MAJOR
#define DRH_ABI_MAJOR 2u
#include "zoo.h"
