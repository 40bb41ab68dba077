/* SPDX-License-Identifier: MIT
 * zoo_reader.h - a reader of empty files; ZOO_TELL replaces its tell(). */
#ifndef ZOO_READER_H
#define ZOO_READER_H

static int32_t sniff(void *self, const uint8_t *head, size_t len, const char *name)
{
    (void)self;
    (void)head;
    (void)len;
    (void)name;
    return 1;
}

static drh_status open_stream(void *self, const char *path, const drh_str *position, void **stream,
                              drh_error *e)
{
    (void)path;
    (void)position;
    (void)e;
    *stream = self;
    return DRH_OK;
}

static drh_status next(void *self, void *stream, drh_record *slot, drh_error *e)
{
    (void)self;
    (void)stream;
    (void)slot;
    (void)e;
    return DRH_END;
}

static void close_stream(void *self, void *stream)
{
    (void)self;
    (void)stream;
}

#ifndef ZOO_TELL
static drh_status tell(void *self, void *stream, drh_str *position, drh_error *e)
{
    (void)self;
    (void)stream;
    (void)position;
    (void)e;
    return DRH_E_UNSUPPORTED;
}
#define ZOO_TELL tell
#endif

static const drh_reader_ops reader = {.struct_size = sizeof(reader),
                                      .sniff = sniff,
                                      .open = open_stream,
                                      .next = next,
                                      .tell = ZOO_TELL,
                                      .close = close_stream};
#define ZOO_KIND DRH_KIND_READER
#define ZOO_NOTE "reader zoo 1.0.0"
#define ZOO_OPS &reader
#include "zoo.h"

#endif
