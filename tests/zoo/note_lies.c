/* SPDX-License-Identifier: MIT
 * Its note names another stage. */
#define ZOO_NOTE "preprocessor harmless 1.0.0"
#include "zoo.h"
