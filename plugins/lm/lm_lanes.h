/* SPDX-License-Identifier: MIT
 *
 * lm_lanes.h - the sum over the lanes of a vector: its upper half is added to its lower one until
 * one lane is left, so vectors of one length give the same sum in every build.
 */
#ifndef LM_LANES_H
#define LM_LANES_H

typedef float lm_f4 __attribute__((vector_size(16)));
typedef float lm_f8 __attribute__((vector_size(32)));
typedef float lm_f16 __attribute__((vector_size(64)));

/* By address: a vector that the build has no registers for cannot be an argument. */
#define LM_LANES_INLINE static inline __attribute__((always_inline, unused))

LM_LANES_INLINE float lm_sum4(const lm_f4 *v)
{
    const lm_f4 s = *v + __builtin_shufflevector(*v, *v, 2, 3, 0, 1);
    return s[0] + s[1];
}

LM_LANES_INLINE float lm_sum8(const lm_f8 *v)
{
    const lm_f4 s =
        __builtin_shufflevector(*v, *v, 0, 1, 2, 3) + __builtin_shufflevector(*v, *v, 4, 5, 6, 7);
    return lm_sum4(&s);
}

LM_LANES_INLINE float lm_sum16(const lm_f16 *v)
{
    const lm_f8 s = __builtin_shufflevector(*v, *v, 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(*v, *v, 8, 9, 10, 11, 12, 13, 14, 15);
    return lm_sum8(&s);
}

#endif /* LM_LANES_H */
