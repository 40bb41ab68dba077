/* SPDX-License-Identifier: MIT
 *
 * decode.c - speed of decoding, in one run: tokens a second of one stream as a share of what the
 * memory's bandwidth allows, and of many streams against one.
 *   decode [--shape qwen2.5-0.5b] [--dtype F32] [--streams 32] [--tokens 32] [--layers N]
 *   decode --model DIR [--streams 32] [--tokens 32]
 * A step of one stream reads each weight once, so bandwidth / bytes of the weights is its limit;
 * the bandwidth is that of a loop that only reads, in the same thread.  Steps alone count: what a
 * prompt costs is measured by a generation of one token and taken off.
 * Then the same with int8 weights by infer-onednn, where the CPU has it, as many rounds in turns.
 */
#define _POSIX_C_SOURCE 200809L
#include "dnn.h"
#include "lm_generate.h"
#include "perf_model.h"

#include <cblas.h>
#include <drh/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROMPT = 32, ROUNDS = 3 };

/* CPU time of this thread: another program on the machine does not count, but for the bandwidth
 * that it takes. */
static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* ---- bandwidth ----------------------------------------------------------------------------- */

typedef uint64_t words __attribute__((vector_size(64)));

__attribute__((target_clones("avx512f", "avx2", "default"))) static uint64_t sum_all(const words *p,
                                                                                     size_t       n)
{
    words    a = {0}, b = {0}, c = {0}, d = {0};
    uint64_t sum = 0;
    for (size_t i = 0; i + 4 <= n; i += 4) {
        a += p[i];
        b += p[i + 1];
        c += p[i + 2];
        d += p[i + 3];
    }
    a += b + c + d;
    for (int i = 0; i < 8; i++) {
        sum += a[i];
    }
    return sum;
}

/* Seconds to read all of p[0..bytes). */
static double read_all(const void *p, size_t bytes)
{
    static volatile uint64_t sink __attribute__((unused));
    double                   from = now();
    sink = sum_all(p, bytes / sizeof(words));
    return now() - from;
}

/* ---- decoding ------------------------------------------------------------------------------ */

static void gemm(void *ctx, int b_rows, size_t m, size_t n, size_t k, const float *a, size_t lda,
                 const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    (void)ctx;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, b_rows ? CblasTrans : CblasNoTrans, (blasint)m,
                (blasint)n, (blasint)k, 1.0f, a, (blasint)lda, b, (blasint)ldb, beta, c,
                (blasint)ldc);
}

static int said(void *ctx, const struct lm_stream *s, uint32_t id)
{
    (void)ctx, (void)s, (void)id;
    return 0;
}

/* Seconds of `n` streams that each say `tokens` tokens after one prompt. */
static double generate(struct lm_generator *g, size_t n, uint32_t tokens)
{
    struct lm_stream *s = calloc(n, sizeof(*s));
    double            from;
    for (size_t i = 0; s && i < n; i++) {
        s[i] = (struct lm_stream){.tokens = calloc(PROMPT + tokens, sizeof(uint32_t)),
                                  .n_prompt = PROMPT,
                                  .max_new = tokens,
                                  .sampling = {.temperature = 1, .seed = i},
                                  .said = said};
        for (uint32_t k = 0; k < PROMPT; k++) {
            s[i].tokens[k] = k + 1;
        }
    }
    from = now();
    if (!s || lm_generate(g, s, n) != DRH_OK) {
        abort();
    }
    from = now() - from;
    for (size_t i = 0; i < n; i++) {
        free(s[i].tokens);
    }
    free(s);
    return from;
}

/* Seconds of one step of n streams. */
static double step(struct lm_generator *g, size_t n, uint32_t tokens)
{
    double prompts = generate(g, n, 1);
    return (generate(g, n, tokens + 1) - prompts) / tokens;
}

/* Bytes of weights that a step reads. */
static size_t weight_bytes(const struct lm_config *c)
{
    const size_t d = c->width, a = lm_attention_width(c);
    const size_t layer = d * lm_qkv_width(c) + a * d + d * lm_up_width(c) + (size_t)c->inner * d;
    return (c->layers * layer + (size_t)c->vocab * d) * sizeof(float);
}

struct options {
    struct model_shape shape;
    const char        *dtype, *model;
    size_t             streams, tokens;
};

static int set(struct options *o, const char *key, const char *value)
{
    const size_t n = strtoul(value, NULL, 10);
    if (strcmp(key, "--shape") == 0) {
        return model_preset(value, &o->shape);
    }
    if (strcmp(key, "--model") == 0) {
        o->model = value;
    } else if (strcmp(key, "--dtype") == 0) {
        o->dtype = value;
    } else if (strcmp(key, "--streams") == 0 && n) {
        o->streams = n;
    } else if (strcmp(key, "--tokens") == 0 && n) {
        o->tokens = n;
    } else if (strcmp(key, "--layers") == 0 && n) {
        o->shape.layers = (uint32_t)n;
    } else {
        return -1;
    }
    return 0;
}

static int read_options(struct options *o, int argc, char **argv)
{
    *o = (struct options){.dtype = "F32", .streams = 32, .tokens = 32};
    (void)model_preset("qwen2.5-0.5b", &o->shape);
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc || set(o, argv[i], argv[i + 1])) {
            (void)fprintf(stderr,
                          "usage: decode [--shape gpt2-124m|qwen2.5-0.5b] [--dtype F32|F16|BF16] "
                          "[--layers N] [--model DIR] [--streams N] [--tokens N]\n");
            return -1;
        }
    }
    return 0;
}

/* Times of a step. */
struct speed {
    double one, many;
};

static void steps(struct speed *v, struct lm_generator *g, const struct options *o)
{
    v->one = least(v->one, step(g, 1, (uint32_t)o->tokens));
    v->many = least(v->many, step(g, o->streams, (uint32_t)o->tokens));
}

/* Weights in int8: 0, or -1 with a word on why not. */
static int open_int8(struct lm_model *m, struct lm_engine *en, void **packed)
{
    drh_error e = DRH_ERROR_INIT;
    if (dnn_fitness("int8", &e) <= 0 || dnn_open(m, "int8", packed, &e) != DRH_OK ||
        dnn_open_worker(*packed, &en->mm, &e) != DRH_OK) {
        (void)printf("int8: %s\n", e.message);
        return -1;
    }
    dnn_one_thread();
    return 0;
}

static void measure(struct lm_model *m, const struct options *o)
{
    struct lm_engine    en = {m, lm_math_best(), {.gemm = gemm}, NULL, NULL}, en8 = en;
    struct lm_generator g = {
        .en = &en, .rows = lm_rows_best(), .at_once = o->streams, .kv_bytes = SIZE_MAX / 4};
    struct lm_generator g8 = g;
    struct speed        f32 = {1e9, 1e9}, int8 = {1e9, 1e9};
    const size_t        bytes = weight_bytes(&m->c);
    void               *plain = aligned_alloc(64, bytes / 64 * 64), *packed;
    const int           has8 = open_int8(m, &en8, &packed) == 0;
    double              memory = 1e9;
    if (!plain) {
        abort();
    }
    g8.en = &en8;
    memset(plain, 1, bytes / 64 * 64);
    for (int i = 0; i < ROUNDS; i++) { /* in turns, so that all see the same machine */
        memory = least(memory, read_all(plain, bytes));
        steps(&f32, &g, o);
        if (has8) {
            steps(&int8, &g8, o);
        }
    }
    (void)printf("%s, width %u, %u layers, weights %.2f GB, kernels %s, one thread\n", m->c.arch,
                 m->c.width, m->c.layers, (double)bytes * 1e-9, g.rows->name);
    (void)printf("reading alone %.2f GB/s: at most %.2f tokens/s for one stream\n",
                 (double)bytes * 1e-9 / memory, 1 / memory);
    (void)printf("one stream %.2f tokens/s: ratio %.3f of that\n", 1 / f32.one, memory / f32.one);
    (void)printf("%zu streams %.2f tokens/s: %.2f times one stream\n", o->streams,
                 (double)o->streams / f32.many, (double)o->streams * f32.one / f32.many);
    if (has8) {
        (void)printf("int8: one stream %.2f tokens/s, %.2f times f32, ratio %.3f of reading a "
                     "quarter; %zu streams %.2f tokens/s, %.2f times f32\n",
                     1 / int8.one, f32.one / int8.one, memory / 4 / int8.one, o->streams,
                     (double)o->streams / int8.many, f32.many / int8.many);
        lm_generator_free(&g8);
        dnn_close_worker(&en8.mm);
        dnn_close(packed);
    }
    lm_generator_free(&g);
    free(plain);
}

int main(int argc, char **argv)
{
    struct options  o;
    struct lm_model m;
    drh_error       e = DRH_ERROR_INIT;
    drh_status      st;
    if (read_options(&o, argc, argv)) {
        return 2;
    }
    openblas_set_num_threads(1);
    memset(&m, 0, sizeof(m));
    st = o.model ? perf_model_load(&m, o.model, &e) : perf_model_make(&m, &o.shape, o.dtype, &e);
    if (st != DRH_OK) {
        (void)fprintf(stderr, "decode: %s\n", e.message[0] ? e.message : "cannot make the model");
        return 1;
    }
    measure(&m, &o);
    lm_model_free(&m);
    return 0;
}
