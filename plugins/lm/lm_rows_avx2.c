/* SPDX-License-Identifier: MIT
 *
 * lm_rows_avx2.c - lm_rows_impl.h for CPUs with AVX2.
 */
#include "lm_rows_tables.h"

#include <string.h>

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define LANES 8
#define BLOCK_N 3
#define BLOCK_M 3
#define LM_ROWS_TABLE lm_rows_avx2
#define LM_ROWS_NAME "avx2"
#include "lm_rows_impl.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int lm_rows_avx2_is_empty;
#endif
