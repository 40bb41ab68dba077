/* SPDX-License-Identifier: MIT
 *
 * model_help.h - the engine without a service and a tokenizer: a folder's model, and scores of ids.
 */
#ifndef MODEL_HELP_H
#define MODEL_HELP_H

#include "infer_help.h"
#include "lm_engine.h"

/* lm_model_load without the tokenizer, so that the vocabulary may be small. */
drh_status bare_load(struct lm_model *m, const char *dir, drh_error *e);

/* Scores a pack; the products are OpenBLAS's. */
drh_status bare_try(const struct lm_model *m, struct lm_seq *seq, size_t n);
/* The same, which must work. */
void bare_score(const struct lm_model *m, struct lm_seq *seq, size_t n);

#endif /* MODEL_HELP_H */
