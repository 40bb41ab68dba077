/* SPDX-License-Identifier: MIT
 *
 * literal_impl.h - what the two files of the reader share; see literal.h.
 */
#ifndef CHAT_LITERAL_IMPL_H
#define CHAT_LITERAL_IMPL_H

#include "literal.h"

#include <stdbool.h>
#include <string.h>

struct reader {
    const char           *s;
    size_t                len, at;
    char                 *out; /* NULL: only counts */
    size_t                n;
    struct literal_error *e;
};

static inline drh_status wrong(struct reader *x, size_t at, const char *what)
{
    x->e->at = at;
    x->e->what = what;
    return DRH_E_DATA;
}

static inline void put(struct reader *x, const char *p, size_t n)
{
    if (x->out) {
        memcpy(x->out + x->n, p, n);
    }
    x->n += n;
}

static inline void put_byte(struct reader *x, char c)
{
    put(x, &c, 1);
}

/* The byte ahead; 0 at the end, which is no byte that anything begins with. */
static inline char ahead(const struct reader *x, size_t by)
{
    return x->len - x->at > by ? x->s[x->at + by] : '\0';
}

static inline char peek_after_space(struct reader *x)
{
    while (x->at < x->len && (x->s[x->at] == ' ' || (x->s[x->at] >= '\t' && x->s[x->at] <= '\r'))) {
        x->at++;
    }
    return ahead(x, 0);
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* -- literal_scalar.c */
bool       literal_is_string(const struct reader *x);
drh_status literal_string(struct reader *x); /* with u or r before it */
drh_status literal_number(struct reader *x);

#endif
