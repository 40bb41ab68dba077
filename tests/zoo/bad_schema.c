/* SPDX-License-Identifier: MIT
 * Its schema uses what the subset does not have. */
#define ZOO_SCHEMA "{\"type\":\"object\",\"properties\":{\"x\":{\"$ref\":\"#/y\"}}}"
#include "zoo.h"
