/* SPDX-License-Identifier: MIT
 * Nothing is wrong with it. */
#include "zoo.h"
