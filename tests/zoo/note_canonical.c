/* SPDX-License-Identifier: MIT
 * Its note promises what its flags do not. */
#define ZOO_NOTE "preprocessor zoo 1.0.0 canonical"
#include "zoo.h"
