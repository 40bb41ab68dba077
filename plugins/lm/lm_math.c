/* SPDX-License-Identifier: MIT
 *
 * lm_math.c - the baseline build of lm_math_impl.h, and the choice for this CPU.
 */
#include "lm_math_tables.h"

#define LM_MATH_TABLE lm_math_base
#define LM_MATH_NAME "base"
#define NATIVE 4
#define MICRO 4
#include "lm_math_impl.h"

const struct lm_math *lm_math_at(size_t i)
{
    const struct lm_math *can[4];
    size_t                n = 0;
    memset(can, 0, sizeof(can));
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        can[n++] = &lm_math_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        can[n++] = &lm_math_avx2;
    }
#endif
    can[n++] = &lm_math_base;
    return i < n ? can[i] : NULL;
}

const struct lm_math *lm_math_best(void)
{
    return lm_math_at(0);
}
