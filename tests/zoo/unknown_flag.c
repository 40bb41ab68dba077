/* SPDX-License-Identifier: MIT
 * A flag that no header has. */
#define ZOO_FLAGS 0x80000000u
#include "zoo.h"
