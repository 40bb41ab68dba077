/* SPDX-License-Identifier: MIT
 * field.h - field names as small integers, one table a process.  [any] */
#ifndef CORE_FIELD_H
#define CORE_FIELD_H

#include <drh/plugin.h>

enum { FIELD_MAX_PARTS = 8 }; /* deepest JSON Pointer */

struct field_path {
    uint32_t       n;    /* 1: a top-level member */
    const drh_str *part; /* unescaped keys, outermost first */
    const drh_str *json; /* the same as JSON has them between quotes */
};

/* DRH_FIELD_NONE when out of memory, too deep, or a broken pointer ("/a~2").  Interning the same
 * name gives the same number for ever. */
drh_field                field_intern(const char *name, size_t len);
const struct field_path *field_path(drh_field f); /* NULL for NONE or an unknown number */
drh_str                  field_name(drh_field f);
void                     field_free_all(void); /* at exit, for leak checks */

#endif
