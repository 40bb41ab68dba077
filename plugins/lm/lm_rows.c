/* SPDX-License-Identifier: MIT
 *
 * lm_rows.c - the baseline build of lm_rows_impl.h, and the choice for this CPU.
 */
#include "lm_rows_tables.h"

#define LANES 4
#define BLOCK_N 3
#define BLOCK_M 3
#define LM_ROWS_TABLE lm_rows_base
#define LM_ROWS_NAME "base"
#include "lm_rows_impl.h"

const struct lm_rows *lm_rows_at(size_t i)
{
    const struct lm_rows *can[4];
    size_t                n = 0;
    memset(can, 0, sizeof(can));
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        can[n++] = &lm_rows_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        can[n++] = &lm_rows_avx2;
    }
#endif
    can[n++] = &lm_rows_base;
    return i < n ? can[i] : NULL;
}

const struct lm_rows *lm_rows_best(void)
{
    return lm_rows_at(0);
}
