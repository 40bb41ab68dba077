/* SPDX-License-Identifier: MIT
 * digest.c - see digest.h. */
#include "digest.h"

#include <openssl/evp.h>
#include <stdio.h>

size_t digest_size(uint32_t kind)
{
    return kind == DRH_HASH_SHA256 ? 32 : kind == DRH_HASH_GIT_SHA1 ? 20 : 0;
}

bool digest_start(struct digest *d, uint32_t kind, uint64_t size)
{
    const EVP_MD *type = kind == DRH_HASH_GIT_SHA1 ? EVP_sha1() : EVP_sha256();
    char          head[40];
    int           n;

    d->ctx = d->ctx ? d->ctx : EVP_MD_CTX_new();
    d->kind = kind;
    if (!d->ctx || (kind != DRH_HASH_NONE && EVP_DigestInit_ex(d->ctx, type, NULL) != 1)) {
        return false;
    }
    n = snprintf(head, sizeof(head), "blob %llu", (unsigned long long)size);
    return kind != DRH_HASH_GIT_SHA1 || digest_add(d, head, (size_t)n + 1); /* with its 0 */
}

bool digest_add(struct digest *d, const void *p, size_t n)
{
    return d->kind == DRH_HASH_NONE || EVP_DigestUpdate(d->ctx, p, n) == 1;
}

bool digest_end(struct digest *d, uint8_t out[32])
{
    uint8_t  all[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (d->kind == DRH_HASH_NONE) {
        return true;
    }
    if (EVP_DigestFinal_ex(d->ctx, all, &n) != 1 || n != digest_size(d->kind)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        out[i] = all[i];
    }
    return true;
}

void digest_free(struct digest *d)
{
    EVP_MD_CTX_free(d->ctx);
    d->ctx = NULL;
}

void digest_hex(const uint8_t *p, size_t n, char *out)
{
    static const char digit[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digit[p[i] >> 4];
        out[2 * i + 1] = digit[p[i] & 15];
    }
    out[2 * n] = '\0';
}
