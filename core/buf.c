/* SPDX-License-Identifier: MIT
 * buf.c - see buf.h.  One owner, one thread at a time a buffer. */
#include "buf.h"
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAP = 256, KEEP_CAP = 8 << 20 };

void buf_init(struct buf *b, size_t max)
{
    b->ptr = NULL;
    b->len = 0;
    b->cap = 0;
    b->max = max;
}

void buf_free(struct buf *b)
{
    mem_free(b->ptr);
    buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
    if (b->cap > KEEP_CAP) {
        buf_free(b);
        return;
    }
    b->len = 0;
    if (b->ptr) {
        b->ptr[0] = '\0';
    }
}

/* cap counts the terminator, max does not. */
drh_status buf_reserve(struct buf *b, size_t more)
{
    size_t need, cap;
    char  *p;

    if (b->len > b->max || more > b->max - b->len || more >= SIZE_MAX - b->len) {
        return DRH_E_RANGE;
    }
    if (more < b->cap - b->len) {
        return DRH_OK;
    }
    need = b->len + more + 1;
    cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap;
    while (cap < need) {
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    }
    if (cap > b->max && b->max >= need) {
        cap = b->max;
    }
    p = mem_resize(b->ptr, cap);
    if (!p) {
        return DRH_E_NOMEM;
    }
    b->ptr = p;
    b->cap = cap;
    p[b->len] = '\0';
    return DRH_OK;
}

drh_status buf_add(struct buf *b, const void *p, size_t n)
{
    drh_status st = buf_reserve(b, n);

    if (st == DRH_OK) {
        if (n) {
            memcpy(b->ptr + b->len, p, n);
        }
        b->len += n;
        b->ptr[b->len] = '\0';
    }
    return st;
}

drh_status buf_adds(struct buf *b, const char *s)
{
    return buf_add(b, s, strlen(s));
}

drh_status buf_addc(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

drh_status buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list    ap;
    int        n;
    drh_status st;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return DRH_E_ARG;
    }
    st = buf_reserve(b, (size_t)n);
    if (st != DRH_OK) {
        return st;
    }
    va_start(ap, fmt);
    (void)vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
    return DRH_OK;
}
