/* SPDX-License-Identifier: MIT
 * step_recipe.h - the recipe that `drhost --plugin ...` stands for: a step for each plugin in
 * order, the readers beside them, and first of all the stage that brings records to the canonical
 * form when a later one wants it.  [main] */
#ifndef CORE_STEP_RECIPE_H
#define CORE_STEP_RECIPE_H

#include "cli.h"
#include "loader.h"

drh_status step_recipe(const struct cli_options *o, struct loader *l, struct recipe **r,
                       drh_error *e);

#endif
