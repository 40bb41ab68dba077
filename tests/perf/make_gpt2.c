/* SPDX-License-Identifier: MIT
 *
 * make_gpt2.c - writes a GPT-2 model folder with random weights and the bundled tokenizer:
 *   make_gpt2 DIR [--width 768] [--layers 2] [--context 512] [--seed 1] [--dtype F32]
 */
#define _POSIX_C_SOURCE 200809L
#include "gpt2_random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int usage(void)
{
    (void)fprintf(stderr, "usage: make_gpt2 DIR [--width N] [--layers N] [--context N] [--seed N] "
                          "[--dtype F32|F16|BF16] [--tokenizer DIR]\n");
    return 2;
}

static int set(struct gpt2_shape *s, const char **dtype, const char **tok, const char *key,
               const char *value)
{
    char         *end;
    unsigned long v;
    if (strcmp(key, "--dtype") == 0) {
        *dtype = value;
        return strcmp(value, "F32") && strcmp(value, "F16") && strcmp(value, "BF16") ? -1 : 0;
    }
    if (strcmp(key, "--tokenizer") == 0) {
        *tok = value;
        return 0;
    }
    v = strtoul(value, &end, 10);
    if (*end || end == value || v > 1u << 24) {
        return -1;
    }
    if (strcmp(key, "--width") == 0 && v >= 32 && v % 32 == 0) {
        s->width = (uint32_t)v;
    } else if (strcmp(key, "--layers") == 0 && v) {
        s->layers = (uint32_t)v;
    } else if (strcmp(key, "--context") == 0 && v) {
        s->context = (uint32_t)v;
    } else if (strcmp(key, "--seed") == 0) {
        s->seed = v;
    } else {
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const files[] = {"tokenizer.json", "tokenizer_config.json"};
    struct gpt2_shape        s = {768, 2, 0, 0, 512, 4096, "gelu_new", 1, 0.02, 0};
    struct gpt2_random       r;
    const char              *dtype = "F32", *tok = DRH_SOURCE_DIR "/examples/models/tiny-gpt2";
    if (argc < 2 || argc % 2 != 0 || argv[1][0] == '-') {
        return usage();
    }
    for (int i = 2; i < argc; i += 2) {
        if (set(&s, &dtype, &tok, argv[i], argv[i + 1])) {
            return usage();
        }
    }
    s.heads = s.width % 64 ? s.width / 32 : s.width / 64;
    s.inner = 4 * s.width;
    if (mkdir(argv[1], 0777) && errno != EEXIST) {
        perror(argv[1]);
        return 1;
    }
    if (gpt2_random_make(&r, &s) || gpt2_random_write(&r, argv[1], dtype, "transformer.") ||
        gpt2_copy(tok, argv[1], files[0]) || gpt2_copy(tok, argv[1], files[1])) {
        perror(argv[1]);
        return 1;
    }
    gpt2_random_free(&r);
    return 0;
}
