/* SPDX-License-Identifier: MIT
 *
 * perf_model.h - a model to measure with: random weights of a real shape, or a real model's folder.
 */
#ifndef PERF_MODEL_H
#define PERF_MODEL_H

#include "lm_model.h"
#include "model_random.h"

/* All but the tokenizer. */
drh_status perf_model_load(struct lm_model *m, const char *dir, drh_error *e);
/* Random weights, written below TMPDIR to a folder that is gone when they are mapped. */
drh_status perf_model_make(struct lm_model *m, const struct model_shape *s, const char *dtype,
                           drh_error *e);

#endif /* PERF_MODEL_H */
