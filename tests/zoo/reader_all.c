/* SPDX-License-Identifier: MIT
 * A reader that says it knows every file, and finds no row in it. */
#include <drh/plugin.h>
#include "zoo_reader.h"
