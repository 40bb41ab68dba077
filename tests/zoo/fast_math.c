/* SPDX-License-Identifier: MIT
 * Nothing but how it is linked: with -ffast-math, which flips the floating-point mode. */
#include "zoo.h"
