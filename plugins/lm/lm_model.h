/* SPDX-License-Identifier: MIT
 *
 * lm_model.h - a model folder as Hugging Face lays it out: config.json, model.safetensors or its
 * sharded index, tokenizer.json, tokenizer_config.json (optional).  Loaded by one thread, then read
 * by all.  Weights are f32 in memory: the mapped file itself where it holds F32, a converted copy
 * else, or what a backend made of them.
 */
#ifndef LM_MODEL_H
#define LM_MODEL_H

#include "lm_chat.h"
#include "lm_config.h"
#include "lm_shards.h"
#include "lm_tok.h"

/* A matrix: y[n] = W x[k]. */
struct lm_weight {
    uint32_t     n, k;
    int          rows; /* 1: [n][k], a row an output; 0: [k][n], as GPT-2's files have it */
    const float *f32;
};

enum { LM_MAX_PARTS = 3, LM_MAX_STOPS = 16, LM_HEAD_TILE = 1024 };

/* Matrices that share their input; outputs one behind the other. */
struct lm_group {
    struct lm_weight part[LM_MAX_PARTS];
    uint32_t         n_parts;
    uint32_t         n;      /* outputs of all */
    const float     *bias;   /* n, or NULL */
    void            *packed; /* what a backend made of the weights, or NULL; its own */
};

struct lm_layer {
    const float    *norm1_w, *norm1_b, *norm2_w, *norm2_b; /* no _b: RMSNorm */
    const float    *q_norm, *k_norm;                       /* head_dim, or NULL */
    struct lm_group qkv, out, up, down;                    /* up: gate and up, or fc */
};

struct lm_model {
    struct lm_config     c;
    struct lm_tok        tok;
    const float         *embed, *positions, *norm_w, *norm_b; /* positions: GPT-2 */
    const float         *head;                                /* [vocab][width] */
    struct lm_group     *tile; /* the head's rows, LM_HEAD_TILE each, fewer in the last */
    size_t               n_tiles;
    double              *inv_freq; /* Llama: head_dim / 2 angles a position */
    struct lm_layer     *layer;
    uint32_t             bos;                /* what DRH_INFER_BOS puts first, or LM_TOK_NONE */
    uint32_t             stop[LM_MAX_STOPS]; /* tokens that end an answer */
    size_t               n_stop;
    struct lm_chat_names named; /* by tokenizer_config.json */
    struct lm_chat       chat;  /* lm_model_chat */
    struct lm_shards     weights;
    struct lm_map        tok_json, config_json;
    float               *own; /* converted and joined weights */
};

/* Is this a folder that lm_model_load could load, by config.json and file names alone? */
drh_status lm_model_probe(const char *dir, drh_error *e);
/* On failure nothing is left to free. */
drh_status lm_model_load(struct lm_model *m, const char *dir, drh_error *e);
/* Opens the chat form, which a model has none of before: see lm_chat_open. */
drh_status lm_model_chat(struct lm_model *m, const char *dir, const char *name, drh_error *e);
void       lm_model_free(struct lm_model *m);

/* All products with weights, each layer's and the head's tiles.  Ends when each() is not DRH_OK,
 * with that. */
drh_status lm_model_each(struct lm_model *m, drh_status (*each)(void *ctx, struct lm_group *g),
                         void            *ctx);

/* -- between lm_model.c, lm_bind.c and lm_special.c -- */
drh_status lm_bind(struct lm_model *m, drh_error *e);
/* bos, stop and named, from tokenizer_config.json and generation_config.json, if they are there. */
void lm_find_special(struct lm_model *m, const char *dir);

#endif /* LM_MODEL_H */
