/* SPDX-License-Identifier: MIT
 * Has a note, but no drh_entry_v1. */
#define ZOO_NO_ENTRY
#include "zoo.h"
