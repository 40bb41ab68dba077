/* SPDX-License-Identifier: MIT
 * Its note names another version. */
#define ZOO_NOTE "preprocessor zoo 1.0.1"
#include "zoo.h"
