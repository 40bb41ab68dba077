/* SPDX-License-Identifier: MIT
 * A stage without a life. */
#define ZOO_LIFE NULL
#include "zoo.h"
