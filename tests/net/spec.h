/* SPDX-License-Identifier: MIT
 * spec.h - reads the specification (JSON, see README.md) into a world and settings.  Whatever is
 * wrong with it ends the program, with a message that names it. */
#ifndef NET_SPEC_H
#define NET_SPEC_H

#include "settings.h"
#include "world.h"

#include <cjson/cJSON.h>

/* Returns its "faults" (owned by the caller, NULL: none).  Digests are computed. */
cJSON *spec_load(const char *path, struct world *w, struct settings *s);
char  *read_text(const char *path, size_t *n); /* the caller's; dies */

#endif
