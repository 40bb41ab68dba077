/* SPDX-License-Identifier: MIT
 * tree.h - recipes, schemas and configurations as cJSON trees: strict reading, canonical writing.
 *
 * cJSON alone is lax: it takes duplicate keys, broken UTF-8 and texts cut at U+0000.  tree_parse
 * lets none of these through, and limits the depth so that recursion over a tree is bounded.
 * [main] */
#ifndef CORE_TREE_H
#define CORE_TREE_H

#include "buf.h"

#include <cjson/cJSON.h>
#include <drh/plugin.h>

#include <stdbool.h>

enum { TREE_MAX_DEPTH = 32, TREE_MAX_TEXT = 16 << 20 };

/* cJSON allocates through mem.h from here on.  Before the first tree is made. [once] */
void tree_use_mem(void);

/* Reads one JSON value; comments and trailing commas are fine.  Errors: DRH_E_CONFIG with
 * "NAME:LINE:COLUMN: what".  The caller deletes the tree. */
drh_status tree_parse(const char *text, size_t len, const char *name, cJSON **tree, drh_error *e);
/* Keys sorted by bytes, no space, shortest numbers. */
drh_status tree_write(const cJSON *t, struct buf *out);
/* The value on one line for messages, cut to fit; returns out. */
const char *tree_brief(const cJSON *t, char *out, size_t cap);
/* Puts repl where child was, under the same key; takes repl in any case, deletes child on success.
 */
drh_status tree_replace(cJSON *parent, cJSON *child, cJSON *repl);
/* The text of an object {"KEY": "text"} with no other member, or NULL. */
const char *tree_marker(const cJSON *t, const char *key);
/* {"KEY": "text"}, or NULL when out of memory. */
cJSON *tree_mark(const char *key, const char *text);

/* Marks of values that are not final yet: text from --set that the stage's schema will type, and a
 * secret's reference that config_new() resolves. */
#define TREE_SET "$set"
#define TREE_SECRET "$secret"

/* Whole numbers up to here are exact in a double. */
#define TREE_MAX_INT 9007199254740992.0
bool tree_is_int(const cJSON *t); /* a whole number within +-TREE_MAX_INT */

#endif
