/* SPDX-License-Identifier: MIT
 * A reader that has no tell(), instead of one that says it cannot. */
#include <drh/plugin.h>
#define ZOO_TELL NULL
#include "zoo_reader.h"
