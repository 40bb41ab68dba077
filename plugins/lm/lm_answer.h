/* SPDX-License-Identifier: MIT
 *
 * lm_answer.h - the text of an answer as it grows: tokens decoded, special tokens left out, stop
 * texts found wherever the borders of tokens lie.  One thread.
 */
#ifndef LM_ANSWER_H
#define LM_ANSWER_H

#include "lm_decode.h"
#include "lm_model.h"

#include <drh/infer.h>

struct lm_answer {
    const struct lm_model *m;
    const drh_infer_req   *req;
    struct lm_decoder      decoder;
    char                  *text; /* owned; kept from answer to answer */
    size_t                 n, cap;
    drh_str                turn_end; /* a stop text of the chat form */
    size_t                 longest;  /* stop text */
    double                 until;    /* monotonic seconds, 0: no deadline */
    int                    no_memory, late;
};

/* Begins a new answer to req. */
void lm_answer_begin(struct lm_answer *a, const struct lm_model *m, const drh_infer_req *req);
/* One more token; 1: it ended the answer and is no part of its text. */
int lm_answer_push(struct lm_answer *a, uint32_t id);
/* Ends the text: what waits for the rest of a character becomes U+FFFD. */
void lm_answer_end(struct lm_answer *a);
void lm_answer_free(struct lm_answer *a);

#endif /* LM_ANSWER_H */
