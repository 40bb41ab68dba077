/* SPDX-License-Identifier: MIT
 * problems.c - see problems.h. */
#include "problems.h"

#include "mem.h"

#include <stdarg.h>
#include <stdio.h>

void problems_free(struct problems *p)
{
    for (size_t i = 0; i < p->n; i++) {
        mem_free(p->text[i]);
    }
    p->n = 0;
    p->left_out = 0;
}

void problems_add(struct problems *p, const char *fmt, ...)
{
    char    line[1024];
    va_list ap;
    char   *copy;

    if (!p) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    copy = p->n < PROBLEMS_MAX ? mem_dupz(line) : NULL;
    if (!copy) {
        p->left_out++;
        return;
    }
    p->text[p->n++] = copy;
}
