/* SPDX-License-Identifier: MIT
 * A stage without an id. */
#define ZOO_ID NULL
#include "zoo.h"
