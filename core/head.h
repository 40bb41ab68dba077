/* SPDX-License-Identifier: MIT
 * head.h - the first bytes of a raw file: JSON, or what else it is.  [any] */
#ifndef CORE_HEAD_H
#define CORE_HEAD_H

#include <drh/plugin.h>

#include <stdbool.h>

enum { HEAD_BYTES = 4096 };

struct head {
    uint8_t raw[HEAD_BYTES]; /* as they lie in the file */
    size_t  n_raw;
    uint8_t text[HEAD_BYTES]; /* decompressed when it is gzip, zstd or xz, else the same */
    size_t  n_text;
};

drh_status head_read(struct head *h, const char *path, drh_error *e);
/* JSON by content, or nothing that says otherwise: an empty file, white space, damaged gzip. */
bool head_is_json(const struct head *h);
/* What the host cannot read, in words: "a Parquet file"; NULL when it may be JSON with a bad start.
 * The name counts only where the content says nothing. */
const char *head_foreign(const struct head *h, const char *name);
/* The same by the first bytes alone, for input that cannot be looked at twice. */
const char *head_magic(const uint8_t *p, size_t n);

#endif
