/* SPDX-License-Identifier: MIT
 * Two files of one name. */
#include <drh/plugin.h>
static const char *const suffixes[] = {".bin", ".bin", NULL};
#include "zoo_bytes.h"
