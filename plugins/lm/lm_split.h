/* SPDX-License-Identifier: MIT
 *
 * lm_split.h - the words of GPT-2's pre-tokenizer:
 *   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * The Unicode classes are asked of PCRE2 once, at load; the words are then cut by hand over a table
 * of one byte a code point.  Read-only after lm_split_init: any thread.
 */
#ifndef LM_SPLIT_H
#define LM_SPLIT_H

#include <stddef.h>
#include <stdint.h>

/* Beyond this code point there are no letters, numbers or white space. */
#define LM_SPLIT_LIMIT 0x40000u

struct lm_split {
    uint8_t *cls;
};

/* 0, or -1: out of memory, or PCRE2 without Unicode. */
int  lm_split_init(struct lm_split *s);
void lm_split_free(struct lm_split *s);

/* End of the word that starts at `at` (< n). */
size_t lm_split_next(const struct lm_split *s, const char *text, size_t n, size_t at);

#endif /* LM_SPLIT_H */
