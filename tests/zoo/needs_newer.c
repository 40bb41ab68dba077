/* SPDX-License-Identifier: MIT
 * Needs a minor that no host has. */
#define ZOO_NEED 9
#include "zoo.h"
