/* SPDX-License-Identifier: MIT
 * field.h - field names as small integers, one table a process.  [any] */
#ifndef CORE_FIELD_H
#define CORE_FIELD_H

#include <drh/plugin.h>

enum { FIELD_MAX_PARTS = 8 }; /* deepest JSON Pointer */

struct field_path {
    uint32_t       n;    /* 1: a top-level member */
    uint64_t       bit;  /* field_bit() of part[0] */
    const drh_str *part; /* unescaped keys, outermost first */
    const drh_str *json; /* the same as JSON has them between quotes */
};

/* One of 64 bits for a key: a set of keys as a word, which tells at once of most keys that they are
 * not in it. */
static inline uint64_t field_bit(const char *key, size_t len)
{
    size_t h = len ? 3 * len + (unsigned char)key[0] + 5 * (unsigned char)key[len - 1] : 0;

    return (uint64_t)1 << (h & 63);
}

/* DRH_FIELD_NONE when out of memory, too deep, or a broken pointer ("/a~2").  Interning the same
 * name gives the same number for ever. */
drh_field                field_intern(const char *name, size_t len);
const struct field_path *field_path(drh_field f); /* NULL for NONE or an unknown number */
drh_str                  field_name(drh_field f);
void                     field_free_all(void); /* at exit, for leak checks */

#endif
