/* SPDX-License-Identifier: MIT
 * An empty list of suffixes. */
#include <drh/plugin.h>
static const char *const suffixes[] = {NULL};
#include "zoo_bytes.h"
