/* SPDX-License-Identifier: MIT
 *
 * lm_math_avx2.c - lm_math_impl.h for CPUs with AVX2.
 */
#include "lm_math_tables.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define LM_MATH_TABLE lm_math_avx2
#define LM_MATH_NAME "avx2"
#define NATIVE 8
#define MICRO 4
#include "lm_math_impl.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int lm_math_avx2_is_empty;
#endif
