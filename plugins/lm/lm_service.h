/* SPDX-License-Identifier: MIT
 *
 * lm_service.h - the service drh.infer/1 over this engine.  A backend's plugin.c brings its tables,
 * its schema and a struct lm_backend; the functions below are its life and its get().
 */
#ifndef LM_SERVICE_H
#define LM_SERVICE_H

#include "lm_engine.h"

#include <drh/infer.h>

/* The options that all backends have; PRECISIONS is a list of JSON strings. */
#define LM_SERVICE_SCHEMA(PRECISIONS)                                                              \
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"model\"],"                \
    "\"properties\":{"                                                                             \
    "\"model\":{\"type\":\"string\",\"minLength\":1,\"x-drh-path\":\"in\",\"description\":"        \
    "\"Folder of a model from Hugging Face (gpt2, llama, mistral, qwen2, qwen3): config.json, "    \
    "model.safetensors (or its index) in F32, F16 or BF16, tokenizer.json\"},"                     \
    "\"chat\":{\"type\":\"string\",\"minLength\":1,\"default\":\"auto\",\"description\":"          \
    "\"Form of chat messages. auto: that of the model's own template. By name: chatml, phi-4, "    \
    "llama-3, llama-3.1, llama-2, mistral-v0.1, mistral-v0.2, mixtral-8x22b, mistral-v1, "         \
    "mistral-v3, mistral-tekken, mistral-v7, mistral-v7-tekken, gemma, gemma-3, phi-3, "           \
    "deepseek-v2, deepseek-v3, deepseek-r1, chatglm3, glm-4, glm-edge, zephyr\"},"                 \
    "\"precision\":{\"type\":\"string\",\"enum\":[" PRECISIONS                                     \
    "],\"default\":\"f32\",\"description\":\"Arithmetic of the matrix products\"},"                \
    "\"pack_tokens\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1048576,\"default\":2048,"    \
    "\"description\":\"Most tokens that are computed together; part of the identity, since sums "  \
    "round differently in packs of another shape\"},"                                              \
    "\"streams\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1024,\"default\":32,"             \
    "\"description\":\"Most answers that a worker writes at the same time\"},"                     \
    "\"kv_mb\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1048576,\"default\":384,"           \
    "\"description\":\"MiB of memory for keys and values of prompts and answers, all workers "     \
    "together; a request that cannot fit is refused\"}}}"

struct lm_backend {
    const char *id; /* of the stage */
    /* The library, its version and the kernel it chose, for the identity: "openblas-0.3.21/Zen". */
    void (*describe)(char *out, size_t size);
    /* drh_service_ops.probe for a precision, as far as the machine goes: 0 with the reason in e, or
     * how well, with a word on what it is. */
    int32_t (*fitness)(const char *precision, drh_error *e);
    /* The products of all workers, or those of each: */
    struct lm_matmul matmul;
    /* Packs the weights of a loaded model; NULL with all below: nothing to be packed.  On failure
     * nothing is left to close. */
    drh_status (*open)(struct lm_model *m, const char *precision, void **self, drh_error *e);
    void (*close)(void *self);
    drh_status (*open_worker)(void *self, struct lm_matmul *mm, drh_error *e);
    void (*close_worker)(struct lm_matmul *mm);
    void (*enter)(void); /* on the thread that will compute, before each pack */
};

/* drh_service_ops.probe: the backend's fitness when the folder named by "model" looks like one of
 * ours. */
int32_t lm_service_probe(const struct lm_backend *b, const drh_host *h, const drh_config *c,
                         drh_error *e);
/* drh_life, with the backend in front; `b` outlives the service. */
drh_status lm_service_create(const struct lm_backend *b, const drh_host *h, const drh_config *c,
                             void **self, drh_error *e);
void       lm_service_destroy(void *self);
drh_status lm_service_open_worker(void *self, uint32_t index, void **worker, drh_error *e);
void       lm_service_close_worker(void *self, void *worker);
/* drh_service_ops.get. */
const void *lm_service_get(void *self, const char *id);

#endif /* LM_SERVICE_H */
