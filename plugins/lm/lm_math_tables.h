/* SPDX-License-Identifier: MIT
 *
 * lm_math_tables.h - the builds of lm_math_impl.h, for lm_math.c to choose from.
 */
#ifndef LM_MATH_TABLES_H
#define LM_MATH_TABLES_H

#include "lm_math.h"

extern const struct lm_math lm_math_base;
extern const struct lm_math lm_math_avx2;
extern const struct lm_math lm_math_avx512;

#endif /* LM_MATH_TABLES_H */
