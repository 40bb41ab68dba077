/* SPDX-License-Identifier: MIT
 *
 * lm_config.h - config.json of a Hugging Face model folder: the shape of a decoder-only transformer
 * of the GPT-2 or the Llama family.  What would change the numbers and is not done here is refused
 * by name.  One thread, at load.
 */
#ifndef LM_CONFIG_H
#define LM_CONFIG_H

#include <drh/plugin.h>

enum lm_family {
    LM_FAMILY_GPT2 = 1, /* learned positions, LayerNorm, matrices [in][out] */
    LM_FAMILY_LLAMA     /* rotary positions, RMSNorm, gated MLP, matrices [out][in] */
};

enum lm_act { LM_GELU_TANH = 1, LM_GELU_ERF, LM_RELU, LM_SILU };

enum lm_rope { LM_ROPE_PLAIN, LM_ROPE_LINEAR, LM_ROPE_LLAMA3 };

enum { LM_MAX_LAYERS = 1024, LM_MAX_EOS = 8 };

struct lm_config {
    char           arch[16]; /* model_type: "gpt2", "llama", "mistral", "qwen2", "qwen3" */
    enum lm_family family;
    enum lm_act    act;
    uint32_t       width, layers, heads, kv_heads, head_dim, context, vocab, inner;
    uint32_t       bos; /* LM_NO_ID: not named */
    uint32_t       eos[LM_MAX_EOS];
    uint32_t       n_eos;
    uint32_t       window; /* tokens a sliding layer sees, itself included; 0: all */
    uint64_t       sliding[LM_MAX_LAYERS / 64]; /* a bit a layer: has the window */
    int            tied;                        /* the head is the embedding */
    int            qkv_bias, out_bias, mlp_bias, qk_norm;
    float          eps; /* of the norms */
    enum lm_rope   rope;
    double         rope_theta, rope_factor, rope_low, rope_high, rope_context;
};

#define LM_NO_ID UINT32_MAX

/* `file` is for messages. */
drh_status lm_config_read(struct lm_config *c, const uint8_t *json, size_t n, const char *file,
                          drh_error *e);

/* An id, a list of ids, or null: up to `cap`; *n is their number.  For generation_config.json, too.
 * 0, or -1: something else is there. */
struct lm_json;
int lm_read_ids(struct lm_json *j, uint32_t *ids, uint32_t cap, uint32_t *n);

static inline int lm_layer_slides(const struct lm_config *c, size_t layer)
{
    return c->window && (c->sliding[layer / 64] >> layer % 64 & 1);
}

#endif /* LM_CONFIG_H */
