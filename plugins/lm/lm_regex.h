/* SPDX-License-Identifier: MIT
 *
 * lm_regex.h - patterns of tokenizer.json, written for Oniguruma, on PCRE2.  What the two read
 * differently is put into PCRE2's words, or refused.  A pattern is read-only and may be used by any
 * thread; the matching data belong to one.
 */
#ifndef LM_REGEX_H
#define LM_REGEX_H

#include <stddef.h>

struct lm_regex;

/* NULL: `why` (200 bytes) says what is wrong; it is empty when memory ran out.  literal: the
 * pattern is a text and not a pattern. */
struct lm_regex *lm_regex_new(const char *pattern, size_t n, int literal, char *why);
void             lm_regex_free(struct lm_regex *re);

/* NULL: out of memory. */
void *lm_regex_data(const struct lm_regex *re);
void  lm_regex_data_free(void *data);

/* All matches in a text, from left to right; an empty one is not taken where the last one ended.
 * Begin with {re, data, p, n, 0, 0, 0}. */
struct lm_find {
    const struct lm_regex *re;
    void                  *data;
    const char            *p;
    size_t                 n, from, last;
    int                    any;
};

/* 1 with the match in [*s,*e), 0: no more, -1: out of memory, or too costly to decide. */
int lm_find_next(struct lm_find *f, size_t *s, size_t *e);

#endif /* LM_REGEX_H */
