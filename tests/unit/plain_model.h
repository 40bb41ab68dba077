/* SPDX-License-Identifier: MIT
 *
 * plain_model.h - GPT-2 and the Llama family written down plainly, in double precision: what the
 * engine is measured against.  From the papers and the published models' definitions; it shares no
 * code with the engine.  Slow; any thread.
 */
#ifndef PLAIN_MODEL_H
#define PLAIN_MODEL_H

#include "../perf/model_random.h"

/* Log-probabilities of ids[1..n) given what is before each: out[layers][n - 1], row l - 1 being
 * those of the model that ends behind its first l layers. */
void plain_model(const struct model_random *r, const uint32_t *ids, size_t n, double *out);

#endif /* PLAIN_MODEL_H */
