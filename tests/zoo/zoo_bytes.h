/* SPDX-License-Identifier: MIT
 * zoo_bytes.h - a converter that writes bytes; the animal gives its suffixes. */
#ifndef ZOO_BYTES_H
#define ZOO_BYTES_H

static drh_status edge(void *self, drh_sink *s, drh_error *e)
{
    (void)self;
    (void)s;
    (void)e;
    return DRH_OK;
}

static drh_status write_none(void *self, drh_record *const *r, size_t n, drh_sink *s, drh_error *e)
{
    (void)r;
    (void)n;
    return edge(self, s, e);
}

static const drh_converter_ops bytes = {.struct_size = sizeof(bytes),
                                        .suffixes = suffixes,
                                        .begin = edge,
                                        .write = write_none,
                                        .end = edge};
#define ZOO_KIND DRH_KIND_CONVERTER
#define ZOO_NOTE "converter zoo 1.0.0"
#define ZOO_OPS &bytes
#include "zoo.h"

#endif
