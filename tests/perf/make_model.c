/* SPDX-License-Identifier: MIT
 *
 * make_model.c - writes a model folder with random weights and the bundled tokenizer:
 *   make_model DIR [--arch gpt2] [--width 768] [--layers 2] [--context 512] [--seed 1] ...
 * --shape gpt2-124m or qwen2.5-0.5b, first, is a real model's; the options behind it change it.
 */
#define _POSIX_C_SOURCE 200809L
#include "model_random.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct job {
    struct model_shape s;
    struct model_files f;
    const char        *tokenizer;
};

static int usage(void)
{
    (void)fprintf(
        stderr,
        "usage: make_model DIR [--shape gpt2-124m|qwen2.5-0.5b]\n"
        "    [--arch gpt2|llama|mistral|qwen2|qwen3] [--width N] [--layers N] [--heads N]\n"
        "    [--kv-heads N] [--head-dim N] [--inner N] [--context N] [--vocab N] [--act NAME]\n"
        "    [--seed N] [--sigma X] [--theta X] [--rope linear|llama3] [--factor X] [--low X]\n"
        "    [--high X] [--rope-context N] [--rope-parameters 0|1] [--window N]\n"
        "    [--slides-from N] [--types sf...] [--untied 0|1] [--attention-bias 0|1]\n"
        "    [--mlp-bias 0|1] [--dtype F32|F16|BF16] [--shards N] [--tokenizer DIR]\n");
    return 2;
}

static int one_of(const char *value, const char *const *known, const char **out)
{
    for (; *known; known++) {
        if (strcmp(*known, value) == 0) {
            *out = *known;
            return 0;
        }
    }
    return -1;
}

/* 1: no such key. */
static int set_word(struct job *j, const char *key, const char *value)
{
    static const char *const        arch[] = {"gpt2", "llama", "mistral", "qwen2", "qwen3", NULL},
                             *const rope[] = {"linear", "llama3", NULL},
                             *const act[] = {"gelu_new", "gelu", "relu", NULL},
                             *const dtype[] = {"F32", "F16", "BF16", NULL};
    if (strcmp(key, "--shape") == 0) {
        return model_preset(value, &j->s);
    }
    if (strcmp(key, "--tokenizer") == 0) {
        j->tokenizer = value;
        return 0;
    }
    if (strcmp(key, "--types") == 0) {
        j->s.types = value;
        return value[strspn(value, "sf")] ? -1 : 0;
    }
    return strcmp(key, "--arch") == 0    ? one_of(value, arch, &j->s.arch)
           : strcmp(key, "--rope") == 0  ? one_of(value, rope, &j->s.rope)
           : strcmp(key, "--act") == 0   ? one_of(value, act, &j->s.act)
           : strcmp(key, "--dtype") == 0 ? one_of(value, dtype, &j->f.dtype)
                                         : 1;
}

static int set_real(struct job *j, const char *key, const char *value)
{
    const struct {
        const char *key;
        double     *out;
    } keys[] = {{"--sigma", &j->s.sigma},
                {"--theta", &j->s.theta},
                {"--factor", &j->s.factor},
                {"--low", &j->s.low},
                {"--high", &j->s.high}};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i].key, key) == 0) {
            char *end;
            *keys[i].out = strtod(value, &end);
            return *end || end == value || !(*keys[i].out > 0) ? -1 : 0;
        }
    }
    return 1;
}

static int set_number(struct job *j, const char *key, const char *value)
{
    char         *end;
    unsigned long v = strtoul(value, &end, 10);
    const struct {
        const char *key;
        uint32_t   *out;
        int        *flag;
    } keys[] = {{"--width", &j->s.width, NULL},
                {"--layers", &j->s.layers, NULL},
                {"--heads", &j->s.heads, NULL},
                {"--kv-heads", &j->s.kv_heads, NULL},
                {"--head-dim", &j->s.head_dim, NULL},
                {"--inner", &j->s.inner, NULL},
                {"--context", &j->s.context, NULL},
                {"--vocab", &j->s.vocab, NULL},
                {"--rope-context", &j->s.rope_context, NULL},
                {"--window", &j->s.window, NULL},
                {"--slides-from", &j->s.slides_from, NULL},
                {"--shards", &j->f.shards, NULL},
                {"--rope-parameters", NULL, &j->s.parameters},
                {"--untied", NULL, &j->s.untied},
                {"--attention-bias", NULL, &j->s.attention_bias},
                {"--mlp-bias", NULL, &j->s.mlp_bias}};
    if (*end || end == value || v > 1u << 24) {
        return -1;
    }
    if (strcmp(key, "--seed") == 0) {
        j->s.seed = v;
        return 0;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i].key, key) == 0 && keys[i].out) {
            *keys[i].out = (uint32_t)v;
            return 0;
        }
        if (strcmp(keys[i].key, key) == 0) {
            *keys[i].flag = v != 0;
            return v > 1 ? -1 : 0;
        }
    }
    return 1;
}

static int set(struct job *j, const char *key, const char *value)
{
    int rc = set_word(j, key, value);
    rc = rc == 1 ? set_real(j, key, value) : rc;
    return rc == 1 ? set_number(j, key, value) : rc;
}

/* What follows from the rest, and whether it can be. */
static int finish(struct model_shape *s)
{
    if (!s->heads && s->width % 32 == 0) {
        s->heads = s->width % 64 ? s->width / 32 : s->width / 64;
    }
    s->inner = s->inner ? s->inner : 4 * s->width;
    s->low = s->low > 0 ? s->low : 1;
    s->high = s->high > 0 ? s->high : 4;
    s->factor = s->factor > 0 ? s->factor : 8;
    s->rope_context = s->rope_context ? s->rope_context : s->context;
    return !s->width || !s->layers || !s->heads || !s->context || !s->vocab ||
           (!s->head_dim && s->width % s->heads) || (s->kv_heads && s->heads % s->kv_heads) ||
           (s->types && strlen(s->types) != s->layers);
}

int main(int argc, char **argv)
{
    static const char *const files[] = {"tokenizer.json", "tokenizer_config.json"};
    struct model_random      r;
    struct job               j = {{.arch = "gpt2",
                                   .width = 768,
                                   .layers = 2,
                                   .context = 512,
                                   .vocab = 4096,
                                   .seed = 1,
                                   .sigma = 0.02},
                                  {.dtype = "F32"},
                                  DRH_SOURCE_DIR "/examples/models/tiny-gpt2"};
    if (argc < 2 || argc % 2 != 0 || argv[1][0] == '-') {
        return usage();
    }
    for (int i = 2; i < argc; i += 2) {
        if (set(&j, argv[i], argv[i + 1])) {
            return usage();
        }
    }
    if (finish(&j.s)) {
        return usage();
    }
    if (mkdir(argv[1], 0777) && errno != EEXIST) {
        perror(argv[1]);
        return 1;
    }
    if (model_random_make(&r, &j.s) || model_write(&r, argv[1], &j.f) ||
        model_copy(j.tokenizer, argv[1], files[0]) || model_copy(j.tokenizer, argv[1], files[1])) {
        perror(argv[1]);
        return 1;
    }
    model_random_free(&r);
    return 0;
}
