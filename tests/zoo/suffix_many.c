/* SPDX-License-Identifier: MIT
 * More files than a set can have. */
#include <drh/plugin.h>
static const char *const suffixes[] = {".0", ".1", ".2", ".3", ".4", ".5", ".6", ".7", ".8", NULL};
#include "zoo_bytes.h"
