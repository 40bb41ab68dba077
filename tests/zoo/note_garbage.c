/* SPDX-License-Identifier: MIT
 * Its note is no list of stages. */
#define ZOO_NOTE "preprocessor \x01\x02\x03"
#include "zoo.h"
