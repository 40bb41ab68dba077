/* SPDX-License-Identifier: MIT
 *
 * test_infer_models.c - each architecture and each of its variants, layer by layer, against the
 * same model in double precision (plain_model.h), with random weights in every format of file.
 */
#define _POSIX_C_SOURCE 200809L
#include "model_help.h"
#include "plain_model.h"

#include <check.h>
#include <drh/util.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sizes that fill no vector; more columns than a tile of logits has. */
#define SIZES                                                                                      \
    .width = 40, .heads = 4, .inner = 54, .layers = 3, .context = 1024, .vocab = 1030, .sigma = 0.3

#define LLAMA3 .rope = "llama3", .factor = 4, .low = 1, .high = 4, .rope_context = 64, .theta = 500

static const struct {
    const char        *name;
    struct model_shape s;
    struct model_files f;
} cases[] = {
    {"gpt2", {.arch = "gpt2", SIZES, .seed = 1}, {.dtype = "F32"}},
    {"gpt2, a head of its own, F16",
     {.arch = "gpt2", SIZES, .seed = 2, .untied = 1},
     {.dtype = "F16"}},
    {"gpt2, shards, BF16",
     {.arch = "gpt2", SIZES, .seed = 3, .act = "gelu"},
     {.dtype = "BF16", .bare = 1, .shards = 3}},
    {"llama, tied", {.arch = "llama", SIZES, .seed = 4}, {.dtype = "F32"}},
    {"llama, llama3 positions, grouped",
     {.arch = "llama", SIZES, .seed = 5, .kv_heads = 2, .untied = 1, LLAMA3},
     {.dtype = "F32", .shards = 2}},
    {"llama, llama3 positions as rope_parameters",
     {.arch = "llama", SIZES, .seed = 6, .kv_heads = 1, .parameters = 1, LLAMA3},
     {.dtype = "BF16"}},
    {"llama, all biases, linear positions",
     {.arch = "llama",
      SIZES,
      .seed = 7,
      .untied = 1,
      .attention_bias = 1,
      .mlp_bias = 1,
      .rope = "linear",
      .factor = 2.5},
     {.dtype = "F16"}},
    {"llama, all biases, bare names, shards",
     {.arch = "llama",
      SIZES,
      .seed = 8,
      .kv_heads = 2,
      .attention_bias = 1,
      .mlp_bias = 1,
      .rope = "linear",
      .factor = 4,
      .parameters = 1},
     {.dtype = "F32", .bare = 1, .shards = 5}},
    {"mistral, a window over block ends",
     {.arch = "mistral", SIZES, .seed = 9, .kv_heads = 2, .untied = 1, .window = 50},
     {.dtype = "F32"}},
    {"mistral, a window longer than a block",
     {.arch = "mistral", SIZES, .seed = 10, .kv_heads = 2, .head_dim = 6, .window = 200},
     {.dtype = "F32", .odd = 1}},
    {"mistral, a window of one block",
     {.arch = "mistral", SIZES, .seed = 11, .kv_heads = 4, .window = 128},
     {.dtype = "BF16", .shards = 2}},
    {"mistral, only itself", {.arch = "mistral", SIZES, .seed = 12, .window = 1}, {.dtype = "F32"}},
    {"mistral, no window", {.arch = "mistral", SIZES, .seed = 13, .kv_heads = 1}, {.dtype = "F16"}},
    {"qwen2", {.arch = "qwen2", SIZES, .seed = 14, .kv_heads = 2, .theta = 1e6}, {.dtype = "BF16"}},
    {"qwen2, windows from a layer on",
     {.arch = "qwen2", SIZES, .seed = 15, .kv_heads = 2, .window = 33, .slides_from = 2},
     {.dtype = "F32"}},
    {"qwen2, windows by layer",
     {.arch = "qwen2", SIZES, .seed = 16, .kv_heads = 2, .untied = 1, .window = 70, .types = "fsf"},
     {.dtype = "F32", .shards = 4}},
    {"qwen3",
     {.arch = "qwen3", SIZES, .seed = 17, .kv_heads = 1, .head_dim = 22},
     {.dtype = "F32"}},
    {"qwen3, biases, windows by layer",
     {.arch = "qwen3",
      SIZES,
      .seed = 18,
      .kv_heads = 2,
      .head_dim = 6,
      .untied = 1,
      .attention_bias = 1,
      .window = 31,
      .types = "sfs"},
     {.dtype = "F16", .shards = 2}},
};

enum { N_CASES = sizeof(cases) / sizeof(cases[0]), LONG = 600, LAYERS = 3 };

/* Three texts of a pack: many blocks of queries and more than one chunk of rows; a short one; one
 * of which only the end is scored. */
static const struct {
    uint32_t n, first;
} texts[] = {{LONG, 1}, {9, 1}, {150, 141}};

enum { N_TEXTS = sizeof(texts) / sizeof(texts[0]) };

static void make_ids(uint32_t *ids, size_t n, uint32_t vocab, uint32_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        ids[i] = (seed >> 8) % vocab;
    }
}

static void compare(int which, const struct lm_model *m, uint32_t ids[][LONG],
                    double want[][LAYERS * LONG])
{
    static float  out[N_TEXTS][LONG];
    struct lm_seq seq[N_TEXTS];
    for (size_t i = 0; i < N_TEXTS; i++) {
        seq[i] = (struct lm_seq){ids[i], texts[i].n, texts[i].first, out[i], 0};
    }
    bare_score(m, seq, N_TEXTS);
    for (size_t i = 0; i < N_TEXTS; i++) {
        const double *w = want[i] + (m->c.layers - 1) * (texts[i].n - 1);
        ck_assert_int_eq(seq[i].bad, 0);
        for (uint32_t k = texts[i].first; k < texts[i].n; k++) {
            const double got = (double)out[i][k - texts[i].first];
            ck_assert_msg(fabs(got - w[k - 1]) < 2e-5 * (1 + fabs(w[k - 1])),
                          "%s: %u layers, text %zu, token %u: %.7f, expected %.7f",
                          cases[which].name, m->c.layers, i, k, got, w[k - 1]);
        }
    }
}

/* The model that ends behind its first layer, its second, and so on: what a layer does is seen
 * before the next one hides it. */
START_TEST(agrees_layer_by_layer)
{
    static uint32_t     ids[N_TEXTS][LONG];
    static double       want[N_TEXTS][LAYERS * LONG];
    struct model_random r;
    struct lm_model     m;
    drh_error           e = DRH_ERROR_INIT;
    char                dir[256];
    lab_folder(dir, sizeof(dir));
    ck_assert_int_eq(model_random_make(&r, &cases[_i].s), 0);
    model_round(&r, cases[_i].f.dtype);
    ck_assert_int_eq(model_write(&r, dir, &cases[_i].f), 0);
    ck_assert_msg(bare_load(&m, dir, &e) == DRH_OK, "%s: %s", cases[_i].name, e.message);
    for (size_t i = 0; i < N_TEXTS; i++) {
        make_ids(ids[i], texts[i].n, r.s.vocab, (uint32_t)(_i * 10) + (uint32_t)i);
        plain_model(&r, ids[i], texts[i].n, want[i]);
    }
    ck_assert_uint_eq(m.c.layers, LAYERS);
    for (m.c.layers = 1; m.c.layers <= LAYERS; m.c.layers++) {
        compare(_i, &m, ids, want);
    }
    lm_model_free(&m);
    model_random_free(&r);
    lab_remove(dir);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("infer_models");
    TCase   *t = tcase_create("models");
    SRunner *r;
    int      failed;
    tcase_set_timeout(t, 100);
    tcase_add_loop_test(t, agrees_layer_by_layer, 0, N_CASES);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
