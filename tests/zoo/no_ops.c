/* SPDX-License-Identifier: MIT
 * A stage without its table. */
#define ZOO_OPS NULL
#include "zoo.h"
