/* SPDX-License-Identifier: MIT
 * Its note names another kind. */
#define ZOO_NOTE "selector zoo 1.0.0"
#include "zoo.h"
