/* SPDX-License-Identifier: MIT
 * An id that could be taken for a path. */
#define ZOO_ID "../zoo"
#include "zoo.h"
