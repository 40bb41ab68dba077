/* SPDX-License-Identifier: MIT
 *
 * lm_model.h - a GPT-2 model folder as Hugging Face lays it out: config.json, model.safetensors,
 * tokenizer.json, tokenizer_config.json (optional).  Loaded by one thread, then read by all.
 * Weights are f32 in memory: the mapped file itself where it holds F32, a converted copy else.
 */
#ifndef LM_MODEL_H
#define LM_MODEL_H

#include "lm_file.h"
#include "lm_tensors.h"
#include "lm_tok.h"

enum { LM_GELU_TANH = 1, LM_GELU_ERF, LM_RELU };

struct lm_config {
    uint32_t width, layers, heads, context, vocab, inner, act;
    uint32_t bos, eos; /* LM_TOK_NONE: not named */
    int      tied;
    float    eps;
};

/* Matrices are [in][out] as GPT-2's Conv1D has them. */
struct lm_layer {
    const float *ln1_w, *ln1_b, *qkv_w, *qkv_b, *proj_w, *proj_b;
    const float *ln2_w, *ln2_b, *fc_w, *fc_b, *out_w, *out_b;
};

struct lm_model {
    struct lm_config  c;
    struct lm_tok     tok;
    const float      *wte, *wpe, *lnf_w, *lnf_b, *head; /* head: [vocab][width] */
    struct lm_layer  *layer;
    uint32_t          bos; /* what DRH_INFER_BOS puts first, or LM_TOK_NONE */
    struct lm_map     weights, tok_json, config_json;
    struct lm_tensors tensors;
    float            *own; /* converted weights */
};

/* Is this a folder that lm_model_load could load, by config.json and file names alone? */
drh_status lm_model_probe(const char *dir, drh_error *e);
/* On failure nothing is left to free. */
drh_status lm_model_load(struct lm_model *m, const char *dir, drh_error *e);
void       lm_model_free(struct lm_model *m);

drh_status lm_config_read(struct lm_config *c, const uint8_t *json, size_t n, const char *file,
                          drh_error *e);

#endif /* LM_MODEL_H */
