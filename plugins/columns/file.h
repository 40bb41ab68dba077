/* SPDX-License-Identifier: MIT
 * file.h - what every part of the reader shares: the file, and memory that is counted.
 *
 * All memory of a stream that a file can ask for comes from col_reserve() and stays below one
 * limit; what grows with the schema alone comes from the host as it is.  One thread at a time a
 * file. */
#ifndef COL_FILE_H
#define COL_FILE_H

#include <drh/util.h>

#include <stdbool.h>
#include <stdint.h>

/* A file that is open for reading. */
struct col_file {
    const drh_host *host;
    int             fd;
    uint64_t        size;
    size_t          used, limit; /* bytes of memory in blocks */
};

/* Memory with one owner; all zeros: none. */
struct col_block {
    uint8_t *p;
    size_t   cap;
};

/* At least n bytes; what was in it is gone.  DRH_E_RANGE: beyond the limit, DRH_E_NOMEM; both with
 * a message. */
drh_status col_reserve(struct col_file *f, struct col_block *b, size_t n, drh_error *e);
void       col_release(struct col_file *f, struct col_block *b);

drh_status col_open(struct col_file *f, const char *path, drh_error *e);
void       col_close(struct col_file *f);
/* All n bytes at `at`.  DRH_E_DATA: the file ends before; DRH_E_IO. */
drh_status col_read(const struct col_file *f, uint64_t at, void *p, size_t n, drh_error *e);

/* What a damaged file is told. */
#define COL_AGAIN "; fetch or write the file again"

/* ---- little-endian numbers ---- */

static inline uint32_t col_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t col_u64(const uint8_t *p)
{
    return (uint64_t)col_u32(p) | (uint64_t)col_u32(p + 4) << 32;
}

#endif
