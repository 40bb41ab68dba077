/* SPDX-License-Identifier: MIT
 * state.h - where the state of a version is, for the commands that only look at it. [main] */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "cli.h"
#include "layout.h"

/* The data folder and version that o means: its argument `arg` (when given) is a recipe or a data
 * folder, --data a data folder; a folder with several versions takes the one worked on last.  The
 * texts of *l are then owned by *text, which the caller mem_free()s, both of them. */
drh_status state_find(const struct cli_options *o, size_t arg, struct layout *l, char *text[2],
                      drh_error *e);

#endif
