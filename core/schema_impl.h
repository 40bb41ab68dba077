/* SPDX-License-Identifier: MIT
 * schema_impl.h - what the files of the schema module share. [main] */
#ifndef CORE_SCHEMA_IMPL_H
#define CORE_SCHEMA_IMPL_H

#include "problems.h"
#include "schema.h"

#include <stdbool.h>

/* A walk over a value.  Recursion is bounded by TREE_MAX_DEPTH of value and schema. */
struct check {
    const char        *base_dir;
    const char *const *also; /* more known keys of the outermost object, NULL-terminated; or NULL */
    struct problems   *all;
    drh_error         *e;
    bool               failed, nomem;
    size_t             at_len;
    char               at[320]; /* JSON pointer of the value in hand; cut when it gets longer */
};

enum {
    TYPE_NULL = 1,
    TYPE_BOOL = 2,
    TYPE_INT = 4,
    TYPE_NUMBER = 8,
    TYPE_STRING = 16,
    TYPE_ARRAY = 32,
    TYPE_OBJECT = 64
};

const cJSON *schema_key(const cJSON *schema, const char *key); /* a keyword, or NULL */
unsigned     schema_types(const cJSON *schema);                /* TYPE_*; all without "type" */
unsigned     schema_type_word(const char *word);               /* 0: no such type */
bool         schema_is_secret(const cJSON *schema);
/* "a number from 0 to 1", "\"a\" or \"b\"". */
void schema_expected(const cJSON *schema, char *out, size_t cap);
/* "from 0 to 1", "above 0"; "" without limits. */
void schema_range(const cJSON *schema, char *out, size_t cap);

void check_begin(struct check *c, const char *at, const char *base_dir, struct problems *all,
                 drh_error *e);
/* Checks one value that sits in parent (NULL: outermost) and makes it final. */
void       check_value(struct check *c, const cJSON *schema, cJSON *value, cJSON *parent);
drh_status check_end(const struct check *c);
/* A new value of the schema's type from the text of --set, or NULL with e filled. */
cJSON *schema_value_of(const cJSON *schema, const char *text, const char *at, drh_error *e);

#endif
