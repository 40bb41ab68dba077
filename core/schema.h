/* SPDX-License-Identifier: MIT
 * schema.h - the JSON Schema subset of stage configurations and of the recipe.  cJSON trees;
 * [main].
 *
 *   type                  string, integer, number, boolean, array, object, null; or a list of these
 *   properties, required  of objects
 *   additionalProperties  false, true or a schema for the values.  Not given: false for the
 *                         outermost object and for objects with properties, true otherwise
 *   items, minItems, maxItems
 *   enum, default
 *   minimum, maximum, exclusiveMinimum, exclusiveMaximum
 *   minLength, maxLength  in characters
 *   x-drh-secret: true    a string that must be a reference, "env:NAME" or "file:PATH"
 *   x-drh-path: "in"      a string (or list of strings): a relative path starts at the recipe's
 *                         folder.  "out": a path that stays as it is
 *   x-drh-env: "NAME"     the default is this environment variable when it is set and not empty;
 *                         of a secret, the reference to it
 *   description, title, $schema, $id, $comment    for people
 * Anything else in a schema is refused.  Whole numbers must lie within +-2^53. */
#ifndef CORE_SCHEMA_H
#define CORE_SCHEMA_H

#include "buf.h"
#include "problems.h"

#include <cjson/cJSON.h>
#include <drh/plugin.h>

/* Checks a stage's schema text (NULL: an object without properties) and gives its tree; the caller
 * deletes it. */
drh_status schema_parse(const char *text, cJSON **schema, drh_error *e);
/* Checks `value`, an object, and makes it final, in place: types what --set left as text
 * ({"$set": "text"}), fills in defaults, resolves paths against base_dir (NULL: they stay; --set
 * paths always stay), marks secrets.  Once a value.  `at` is the JSON pointer of value for messages
 * ("/select/0").  null is the same as not given.  Unknown key: names the nearest known one.  Goes
 * on after a mistake: e gets the first, `all` (may be NULL) each of them.  DRH_E_CONFIG, NOMEM. */
drh_status schema_apply(const cJSON *schema, cJSON *value, const char *at, const char *base_dir,
                        struct problems *all, drh_error *e);
/* Sets the member `key` of `object` from the text of --set key=value: by the schema's type ("5" is
 * a string for a string property); JSON for arrays and objects. */
drh_status schema_set(const cJSON *schema, cJSON *object, const char *key, const char *value,
                      const char *at, drh_error *e);
/* Options as people read them, one a paragraph: name, type, default, range, description. */
drh_status schema_help(const cJSON *schema, struct buf *out);
/* The known name nearest to `name` (edits at most a third of its length, a swap of neighbours
 * counts as one), or NULL. */
const char *nearest(const char *name, const char *const *known, size_t n);

/* A configuration as plugins read it: canonical JSON text and cursors into it.  Secrets are
 * resolved when it is made: DRH_E_CONFIG when the variable or file is not there. */
struct drh_config;
extern const drh_config_api config_api;
drh_status                  config_new(const cJSON *value, struct drh_config **c, drh_error *e);
void                        config_free(struct drh_config *c);
const char *config_text(const struct drh_config *c); /* canonical: keys sorted, no space; secrets by
                                                        reference only */

#endif
