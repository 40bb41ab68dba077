/* SPDX-License-Identifier: MIT
 * raw_file.c - see raw_file.h. */
#include "raw_file.h"

#include "err.h"
#include "input_impl.h"
#include "mem.h"

struct drh_bytes {
    struct raw *raw;
    uint64_t    at; /* decompressed bytes given so far, for messages */
};

drh_status raw_file_open(const drh_host *h, const char *path, uint64_t offset, drh_bytes **out,
                         drh_error *e)
{
    drh_bytes *b = mem_alloc(1, sizeof(*b));
    drh_status st = b ? raw_open(&b->raw, path, input_limits.chunk, e) : err_nomem(e, "a file");

    (void)h;
    *out = NULL;
    if (st == DRH_OK && offset) {
        st = raw_seek(b->raw, offset, e);
    }
    if (st != DRH_OK) {
        raw_file_close(b);
        return st;
    }
    b->at = offset;
    *out = b;
    return DRH_OK;
}

drh_status raw_file_read(drh_bytes *b, void *to, size_t cap, size_t *got, drh_error *e)
{
    const char *code, *why;
    drh_status  st = cap ? raw_fill(b->raw, to, cap, got, e) : err_set(e, DRH_E_ARG, "no room");

    if (st != DRH_OK) {
        *got = 0;
        return st;
    }
    b->at += *got;
    if (*got == 0 && (code = raw_damage(b->raw, &why)) != NULL) {
        return err_set(e, DRH_E_DATA, "%s: %s, after %llu bytes of text", code, why,
                       (unsigned long long)b->at);
    }
    return DRH_OK;
}

void raw_file_close(drh_bytes *b)
{
    if (b) {
        raw_close(b->raw);
        mem_free(b);
    }
}
