/* SPDX-License-Identifier: MIT
 * A source that stands for one that nobody has. */
#define ZOO_ID "stands_nobody"
#define ZOO_NOTE "source stands_nobody 1.0.0"
#define ZOO_FOR "{\"use\":\"nobody\"}"
#include "zoo_stand.h"
