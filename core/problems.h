/* SPDX-License-Identifier: MIT
 * problems.h - every mistake that a check finds, not only the first.  [main] */
#ifndef CORE_PROBLEMS_H
#define CORE_PROBLEMS_H

#include <drh/plugin.h>

#include <stddef.h>

enum { PROBLEMS_MAX = 50 };

struct problems {
    char  *text[PROBLEMS_MAX]; /* owned */
    size_t n;
    size_t left_out; /* found beyond PROBLEMS_MAX, or no memory to note them */
};

void problems_free(struct problems *p); /* and makes it empty */
/* Notes a message; p may be NULL. */
__attribute__((format(printf, 2, 3))) void problems_add(struct problems *p, const char *fmt, ...);

#endif
