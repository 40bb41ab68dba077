/* SPDX-License-Identifier: MIT
 *
 * lm_rows_avx512.c - lm_rows_impl.h for CPUs with AVX-512.
 */
#include "lm_rows_tables.h"

#include <string.h>

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))),    \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma")
#endif

#define LANES 16
#define BLOCK_N 4
#define BLOCK_M 6
#define LM_ROWS_TABLE lm_rows_avx512
#define LM_ROWS_NAME "avx512"
#include "lm_rows_impl.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int lm_rows_avx512_is_empty;
#endif
