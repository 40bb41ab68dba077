/* SPDX-License-Identifier: MIT
 * A reader that wants a service. */
#include <drh/infer.h>
static const char *const needs[] = {DRH_INFER, NULL};
#define ZOO_NEEDS needs
#include "zoo_reader.h"
