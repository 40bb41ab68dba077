/* SPDX-License-Identifier: MIT
 * struct_size is no size. */
#define ZOO_ENTRY_SIZE 0x40000000u
#include "zoo.h"
