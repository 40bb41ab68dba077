/* SPDX-License-Identifier: MIT
 *
 * lm_attend.h - attention of a run of queries of one sequence, by blocks, over keys and values that
 * lie wherever the caller has them.  Pure functions: any thread.
 */
#ifndef LM_ATTEND_H
#define LM_ATTEND_H

#include "lm_layer.h"

enum { LM_QUERY_BLOCK = 128 }; /* queries of one product */

/* One sequence's rows: positions from..to of queries see keys and values 0..to. */
struct lm_attention {
    const struct lm_steps *s;
    const float           *q;       /* of position `from`, all heads; rows ldq apart */
    const float           *k, *v;   /* of position 0, all heads; rows ldkv apart */
    float                 *out;     /* of position `from`: heads x head_dim a row, closely packed */
    float                 *weights; /* scratch: LM_QUERY_BLOCK x `to` */
    size_t                 ldq, ldkv, from, to;
    size_t                 window; /* positions that a query sees, its own included; 0: all */
};

void lm_attend(const struct lm_attention *a);

#endif /* LM_ATTEND_H */
