/* SPDX-License-Identifier: MIT
 * Its schema is no JSON. */
#define ZOO_SCHEMA "{\"type\":"
#include "zoo.h"
