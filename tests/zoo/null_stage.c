/* SPDX-License-Identifier: MIT
 * A hole in its list of stages. */
#define ZOO_STAGES NULL
#include "zoo.h"
