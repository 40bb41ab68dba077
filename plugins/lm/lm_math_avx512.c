/* SPDX-License-Identifier: MIT
 *
 * lm_math_avx512.c - lm_math_impl.h for CPUs with AVX512.
 */
#include "lm_math_tables.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))),    \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma")
#endif

#define LM_MATH_TABLE lm_math_avx512
#define LM_MATH_NAME "avx512"
#define NATIVE 16
#define MICRO 8
#define LARGER(a, b) ((vf)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define SMALLER(a, b) ((vf)_mm512_min_ps((__m512)(a), (__m512)(b)))
#include "lm_math_impl.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int lm_math_avx512_is_empty;
#endif
