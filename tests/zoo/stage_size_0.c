/* SPDX-License-Identifier: MIT
 * struct_size of its stage was forgotten. */
#define ZOO_STAGE_SIZE 0
#include "zoo.h"
