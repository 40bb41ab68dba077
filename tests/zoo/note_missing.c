/* SPDX-License-Identifier: MIT
 * A drh_entry_v1 without a note. */
#define ZOO_NO_NOTE
#include "zoo.h"
