/* SPDX-License-Identifier: MIT
 * flat.h - FlatBuffers, as far as Arrow's metadata needs it.  The bytes are hostile: every offset
 * and length is checked before it is used, and what does not fit is as if it were not there, with
 * `broken` of the buffer set. */
#ifndef ARROW_FLAT_H
#define ARROW_FLAT_H

#include "../columns/file.h"

struct flat {
    const uint8_t *p;
    size_t         n;
    bool           broken;
};

/* A table; all zeros: there is none, and all its fields have their defaults. */
struct flat_table {
    struct flat *f;
    size_t       at;            /* where it begins */
    size_t       vtable, slots; /* its list of fields, and how many there are */
    size_t       size;
};

/* A vector of n elements of `width` bytes that lie at p. */
struct flat_vector {
    struct flat   *f;
    const uint8_t *p;
    uint32_t       n;
};

static inline bool flat_there(const struct flat_table *t)
{
    return t->size > 0;
}

struct flat_table flat_root(struct flat *f);
/* A number of 1, 2, 4 or 8 bytes, sign-extended. */
int64_t           flat_int(const struct flat_table *t, uint32_t slot, uint32_t width, int64_t none);
struct flat_table flat_child(const struct flat_table *t, uint32_t slot);
drh_str           flat_text(const struct flat_table *t, uint32_t slot);
struct flat_vector flat_list(const struct flat_table *t, uint32_t slot, uint32_t width);
struct flat_table  flat_item(const struct flat_vector *v, uint32_t i); /* of a vector of tables */

#endif
