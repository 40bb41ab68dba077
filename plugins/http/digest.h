/* SPDX-License-Identifier: MIT
 * digest.h - the digests that hubs list, over libcrypto: SHA-256, and git's blob id, which begins
 * with the size.  One thread at a time. */
#ifndef HTTP_DIGEST_H
#define HTTP_DIGEST_H

#include <drh/fetch.h>

#include <stdbool.h>

enum { DIGEST_HEX = 65 };

struct digest {
    void    *ctx; /* EVP_MD_CTX */
    uint32_t kind;
};

/* From the start, for content of `size` bytes.  False: out of memory. */
bool   digest_start(struct digest *d, uint32_t kind, uint64_t size);
bool   digest_add(struct digest *d, const void *p, size_t n);
bool   digest_end(struct digest *d, uint8_t out[32]);
void   digest_free(struct digest *d);
size_t digest_size(uint32_t kind);                        /* 32, 20, 0 for DRH_HASH_NONE */
void   digest_hex(const uint8_t *p, size_t n, char *out); /* 2 n + 1 bytes */

#endif
