/* SPDX-License-Identifier: MIT
 * A source that stands for what is no JSON. */
#define ZOO_ID "stands_badly"
#define ZOO_NOTE "source stands_badly 1.0.0"
#define ZOO_FOR "{\"use\":\"local\","
#include "zoo_stand.h"
