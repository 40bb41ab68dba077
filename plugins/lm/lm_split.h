/* SPDX-License-Identifier: MIT
 *
 * lm_split.h - the split patterns that many models share, by hand.  Each is known by its exact
 * text; the words are cut over the class table of lm_uni.h, a few times faster than by a general
 * matcher.  Other patterns: lm_regex.h.  Any thread.
 */
#ifndef LM_SPLIT_H
#define LM_SPLIT_H

#include "lm_uni.h"

/* End of the word that starts at `at` (< n). */
typedef size_t (*lm_split_fn)(const struct lm_uni *u, const char *text, size_t n, size_t at);

/* The hand-written cut of a pattern, or NULL. */
lm_split_fn lm_split_known(const char *pattern, size_t n);

/* GPT-2's: that of ByteLevel. */
size_t lm_split_gpt2(const struct lm_uni *u, const char *text, size_t n, size_t at);

#endif /* LM_SPLIT_H */
