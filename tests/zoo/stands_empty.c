/* SPDX-License-Identifier: MIT
 * A source that stands for nothing. */
#define ZOO_ID "stands_empty"
#define ZOO_NOTE "source stands_empty 1.0.0"
#define ZOO_FOR ""
#include "zoo_stand.h"
