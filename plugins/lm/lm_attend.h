/* SPDX-License-Identifier: MIT
 *
 * lm_attend.h - attention of a run of queries of one sequence over keys and values that lie
 * wherever the caller has them.  Keys and values of a head are packed, then blocks of queries go
 * over blocks of keys that stay in the cache; what no query of a group may see is not computed.  A
 * query's bits do not depend on the queries beside it.  Pure functions: any thread.
 */
#ifndef LM_ATTEND_H
#define LM_ATTEND_H

#include "lm_layer.h"

/* One sequence's rows: positions from..to of queries see keys and values 0..to. */
struct lm_attention {
    const struct lm_steps *s;
    const float           *q;     /* of position `from`, all heads; rows ldq apart */
    const float           *k, *v; /* of position 0, all heads; rows ldkv apart */
    float                 *out;   /* of position `from`: heads x head_dim a row, closely packed */
    float                 *room;  /* scratch: lm_attend_room(.., to) floats, aligned to 64 bytes */
    size_t                 ldq, ldkv, from, to;
    size_t                 window; /* positions that a query sees, its own included; 0: all */
};

size_t lm_attend_room(const struct lm_steps *s, size_t to);
void   lm_attend(const struct lm_attention *a);

#endif /* LM_ATTEND_H */
