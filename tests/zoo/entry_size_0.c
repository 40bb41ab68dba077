/* SPDX-License-Identifier: MIT
 * struct_size was forgotten. */
#define ZOO_ENTRY_SIZE 0
#include "zoo.h"
