/* SPDX-License-Identifier: MIT
 * A kind that no header has. */
#define ZOO_KIND 77
#include "zoo.h"
