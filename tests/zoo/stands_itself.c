/* SPDX-License-Identifier: MIT
 * A source that stands for itself. */
#define ZOO_ID "stands_itself"
#define ZOO_NOTE "source stands_itself 1.0.0"
#define ZOO_FOR "{\"use\":\"stands_itself\"}"
#include "zoo_stand.h"
