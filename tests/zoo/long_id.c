/* SPDX-License-Identifier: MIT
 * An id of 64 bytes. */
#define ZOO_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#include "zoo.h"
