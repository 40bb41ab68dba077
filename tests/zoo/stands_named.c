/* SPDX-License-Identifier: MIT
 * A source that names the step of the recipe. */
#define ZOO_ID "stands_named"
#define ZOO_NOTE "source stands_named 1.0.0"
#define ZOO_FOR "{\"use\":\"local\",\"path\":\"x\",\"id\":\"mine\"}"
#include "zoo_stand.h"
