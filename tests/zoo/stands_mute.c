/* SPDX-License-Identifier: MIT
 * A source that fails without a word. */
#define ZOO_ID "stands_mute"
#define ZOO_NOTE "source stands_mute 1.0.0"
#include "zoo_stand.h"
