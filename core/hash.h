/* SPDX-License-Identifier: MIT
 * hash.h - SHA-256 (libcrypto), streamed or in one go, git's blob ids, and the seeds made of them.
 */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <drh/fetch.h>

struct sha256; /* a running digest */

struct sha256 *sha256_new(void); /* NULL: out of memory */
void           sha256_free(struct sha256 *s);
void           sha256_reset(struct sha256 *s);
drh_status     sha256_add(struct sha256 *s, const void *p, size_t n);
drh_status     sha256_end(struct sha256 *s, uint8_t out[32]);

drh_status sha256_of(const void *p, size_t n, uint8_t out[32]); /* [any] */
/* Each part preceded by its length, 8 bytes little-endian. [any] */
drh_status sha256_parts(const drh_str *parts, size_t n, uint8_t out[32]);
drh_status sha256_file(const char *path, uint8_t out[32], drh_error *e);
/* Of an open file's content, from its start: `kind` is DRH_HASH_SHA256 or DRH_HASH_GIT_SHA1 (a
 * blob's id, the first 20 bytes of out).  [any] */
drh_status hash_fd(int fd, uint32_t kind, uint8_t out[32], const char *name, drh_error *e);
void       hex_of(const uint8_t *p, size_t n, char *out); /* 2n + 1 bytes */
/* 64-bit mix of two words: output number b (from 0) of splitmix64 started at a.  Cheap seeds from a
 * digest and a number. */
uint64_t mix64(uint64_t a, uint64_t b);
uint32_t crc32_of(uint32_t crc, const void *p, size_t n); /* zlib's */

#endif
