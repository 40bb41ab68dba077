/* SPDX-License-Identifier: MIT
 *
 * model_random.h - models with random weights, for tests and measurements: the bundled models'
 * width of 192 cannot show what wide sums round to, and what they leave out (windows, stretched
 * positions, biases) has to be seen, too.  A function of shape and seed alone.
 */
#ifndef MODEL_RANDOM_H
#define MODEL_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct model_shape {
    const char *arch; /* "gpt2", "llama", "mistral", "qwen2", "qwen3" */
    uint32_t    width, layers, heads, inner, context, vocab;
    uint64_t    seed;
    double      sigma;  /* spread of the weights: 0.02 */
    int         coarse; /* 1: multiples of 2^-10 with few bits, exact in F16 and BF16 */
    const char *act;    /* GPT-2: "gelu_new" (NULL), "gelu", "relu" */

    /* not GPT-2 */
    uint32_t    kv_heads, head_dim; /* 0: heads, width / heads */
    double      theta;              /* 0: 10000 */
    const char *rope;               /* NULL, "linear", "llama3" */
    double      factor, low, high;  /* of rope */
    uint32_t    rope_context;       /* of "llama3" */
    int         parameters;         /* 1: all of this as rope_parameters, as newer files have it */
    uint32_t    window;             /* 0: none; a layer that slides sees so many tokens */
    uint32_t    slides_from;        /* Qwen: the first layer that slides */
    const char *types;              /* a letter a layer: s slides, f does not; NULL: slides_from */
    int         untied;             /* a head of its own */
    int         attention_bias;     /* Llama, Qwen3 */
    int         mlp_bias;           /* Llama */
};

struct model_tensor {
    char     name[64]; /* without "transformer." or "model." */
    uint32_t ndim;
    uint32_t shape[2];
    float   *data;
};

struct model_random {
    struct model_shape   s; /* with what was 0 filled in */
    struct model_tensor *t;
    size_t               n;
};

/* 0, or -1 out of memory. */
int                  model_random_make(struct model_random *r, const struct model_shape *s);
void                 model_random_free(struct model_random *r);
struct model_tensor *model_random_tensor(const struct model_random *r, const char *name);
const float         *model_random_find(const struct model_random *r, const char *name);
size_t               model_tensor_count(const struct model_tensor *t);

int model_is_gpt2(const struct model_shape *s);
int model_layer_slides(const struct model_shape *s, uint32_t layer);
/* Which projections have a bias. */
int model_qkv_bias(const struct model_shape *s);
int model_out_bias(const struct model_shape *s);

/* A shape of the real world by its name, "gpt2-124m" or "qwen2.5-0.5b": 0, or -1. */
int model_preset(const char *name, struct model_shape *s);

/* -- files: model_write.c -- */

struct model_files {
    const char *dtype;  /* "F32", "F16", "BF16" */
    int         bare;   /* 1: names without "transformer." or "model." in front */
    uint32_t    shards; /* 0: model.safetensors; else so many files and their index */
    int         odd;    /* 1: the data start at an odd byte */
};

/* DIR's weights and config.json: 0, or -1 with errno. */
int model_write(const struct model_random *r, const char *dir, const struct model_files *f);
int model_write_config(const struct model_random *r, const char *dir);
/* Makes the weights what `dtype` holds of them. */
void model_round(struct model_random *r, const char *dtype);

/* Copies a file: 0 or -1 with errno. */
int model_copy(const char *from_dir, const char *to_dir, const char *name);

#endif /* MODEL_RANDOM_H */
