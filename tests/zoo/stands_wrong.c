/* SPDX-License-Identifier: MIT
 * A source that stands for one with a key of the wrong type. */
#define ZOO_ID "stands_wrong"
#define ZOO_NOTE "source stands_wrong 1.0.0"
#define ZOO_FOR "{\"use\":\"local\",\"path\":\"x\",\"or\":3}"
#include "zoo_stand.h"
