/* SPDX-License-Identifier: MIT
 * Its note has a stage more than its table. */
#define ZOO_NOTE "preprocessor zoo 1.0.0\npreprocessor zoo2 1.0.0"
#include "zoo.h"
