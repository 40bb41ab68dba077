/* SPDX-License-Identifier: MIT
 * schema.h - the JSON Schema subset of stage configurations: type, properties, required,
 * additionalProperties:false, default, description, enum, minimum, maximum, exclusiveMinimum,
 * exclusiveMaximum, minLength, maxLength, items, minItems, maxItems, x-drh-secret, x-drh-path,
 * x-drh-env.  Anything else in a schema is refused.  cJSON trees; [main]. */
#ifndef CORE_SCHEMA_H
#define CORE_SCHEMA_H

#include "buf.h"

#include <cjson/cJSON.h>
#include <drh/plugin.h>

/* Checks a stage's schema text (NULL: an object without properties) and gives its tree; the caller
 * deletes it. */
drh_status schema_parse(const char *text, cJSON **schema, drh_error *e);
/* Checks `value` and fills in defaults, in place.  `at` is the JSON pointer of value for messages
 * ("/select/0").  Unknown key: names the nearest known one. */
drh_status schema_apply(const cJSON *schema, cJSON *value, const char *at, drh_error *e);
/* Sets the member `key` of `object` from the text of --set key=value: by the schema's type ("5" is
 * a string for a string property); JSON for arrays and objects. */
drh_status schema_set(const cJSON *schema, cJSON *object, const char *key, const char *value,
                      const char *at, drh_error *e);
/* Options as people read them, one a paragraph: name, type, default, range, description. */
drh_status schema_help(const cJSON *schema, struct buf *out);
/* The known name nearest to `name` (edit distance at most a third of its length), or NULL. */
const char *nearest(const char *name, const char *const *known, size_t n);

/* A configuration as plugins read it: canonical JSON text and cursors into it. */
struct drh_config;
extern const drh_config_api config_api;
drh_status                  config_new(const cJSON *value, struct drh_config **c, drh_error *e);
void                        config_free(struct drh_config *c);
const char *config_text(const struct drh_config *c); /* canonical: keys sorted, no space; secrets by
                                                        reference only */

#endif
