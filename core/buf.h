/* SPDX-License-Identifier: MIT
 * buf.h - the one growable text type.  Always 0-terminated; a mandatory maximum; a failed add
 * leaves the content as it was. */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <drh/plugin.h>

struct buf {
    char  *ptr; /* owned; NULL while nothing was added */
    size_t len, cap, max;
};

void       buf_init(struct buf *b, size_t max);
void       buf_free(struct buf *b);
void       buf_reset(struct buf *b); /* len 0; gives back memory beyond 8 MiB */
drh_status buf_reserve(struct buf *b,
                       size_t      more); /* room for `more` bytes; NOMEM or RANGE (max) */
drh_status buf_add(struct buf *b, const void *p, size_t n);
drh_status buf_adds(struct buf *b, const char *s);
drh_status buf_addc(struct buf *b, char c);
__attribute__((format(printf, 2, 3))) drh_status buf_addf(struct buf *b, const char *fmt, ...);

#endif
