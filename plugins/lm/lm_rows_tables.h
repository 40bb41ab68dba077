/* SPDX-License-Identifier: MIT
 *
 * lm_rows_tables.h - the builds of lm_rows_impl.h, for lm_rows.c to choose from.
 */
#ifndef LM_ROWS_TABLES_H
#define LM_ROWS_TABLES_H

#include "lm_rows.h"

extern const struct lm_rows lm_rows_base;
extern const struct lm_rows lm_rows_avx2;
extern const struct lm_rows lm_rows_avx512;

#endif /* LM_ROWS_TABLES_H */
