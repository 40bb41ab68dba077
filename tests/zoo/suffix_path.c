/* SPDX-License-Identifier: MIT
 * A suffix that leads out of the folder. */
#include <drh/plugin.h>
static const char *const suffixes[] = {"/../../x", NULL};
#include "zoo_bytes.h"
