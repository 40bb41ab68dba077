/* SPDX-License-Identifier: MIT
 *
 * score.c - speed of scoring: tokens a second, and the time of the same matrix products alone as a
 * share of the whole, in one run.
 *   score [--shape gpt2-124m] [--dtype F32] [--records 64] [--pack 2048] [--layers N] [--rounds 3]
 *   score --model DIR [--records 64] [--pack 2048]
 * Then the same with the products of infer-onednn, as many rounds of each in turns.
 * The weights are random ones of a shape that make_model knows, written to a folder that is gone
 * when they are mapped, or a real model's.
 * Lengths are like Alpaca's: prompts around 75 tokens, answers around 63, a long tail to 512.  Both
 * passes are scored: answer after prompt, answer alone.  One thread.
 */
#define _POSIX_C_SOURCE 200809L
#include "dnn.h"
#include "lm_engine.h"
#include "perf_model.h"

#include <cblas.h>
#include <drh/util.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct call {
    int          b_rows;
    size_t       m, n, k, lda, ldb, ldc;
    float        beta;
    const float *a, *b;
    float       *c;
};

struct tape {
    struct call *call;
    size_t       n, cap;
    int          record;
    double       flop;
};

/* CPU time of this thread: all is done in it, and another program on the machine does not count. */
static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void play(const struct call *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, c->b_rows ? CblasTrans : CblasNoTrans, (blasint)c->m,
                (blasint)c->n, (blasint)c->k, 1.0f, c->a, (blasint)c->lda, c->b, (blasint)c->ldb,
                c->beta, c->c, (blasint)c->ldc);
}

static void gemm(void *ctx, int b_rows, size_t m, size_t n, size_t k, const float *a, size_t lda,
                 const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    struct tape *t = ctx;
    struct call  x = {b_rows, m, n, k, lda, ldb, ldc, beta, a, b, c};
    if (t->record) {
        if (t->n == t->cap) {
            t->cap = t->cap * 2 + 4096;
            t->call = realloc(t->call, t->cap * sizeof(*t->call));
            if (!t->call) {
                abort();
            }
        }
        t->call[t->n++] = x;
        t->flop += 2.0 * (double)m * (double)n * (double)k;
    }
    play(&x);
}

static uint64_t state = 7;

static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

/* Log-normal about `mean`, cut to 4..most. */
static uint32_t length(double mean, double sigma, uint32_t most)
{
    double z = sqrt(-2 * log(uniform() + 1e-12)) * cos(6.283185307179586 * uniform());
    double v = mean * exp(sigma * z - sigma * sigma / 2);
    return v < 4 ? 4 : v > most ? most : (uint32_t)v;
}

struct work {
    struct lm_seq *seq;
    size_t         n;
    size_t         tokens, scored;
};

static struct work make_work(size_t records, uint32_t vocab)
{
    struct work w = {calloc(2 * records, sizeof(struct lm_seq)), 0, 0, 0};
    for (size_t i = 0; w.seq && i < records; i++) {
        uint32_t  p = length(75, 0.6, 256), a = length(63, 0.9, 512 - p), n = p + a;
        uint32_t *ids = malloc(n * sizeof(*ids));
        float    *out = malloc(2 * a * sizeof(*out));
        if (!ids || !out) {
            abort();
        }
        for (uint32_t k = 0; k < n; k++) {
            ids[k] = (uint32_t)(uniform() * vocab);
        }
        w.seq[w.n++] = (struct lm_seq){ids, n, p, out, 0};
        w.seq[w.n++] = (struct lm_seq){ids + p - 1, a + 1, 1, out + a, 0};
        w.tokens += n + a + 1;
        w.scored += 2 * (size_t)a;
    }
    return w;
}

static double score_all(const struct lm_engine *en, struct lm_scratch *s, const struct work *w,
                        size_t pack)
{
    double t = now();
    for (size_t i = 0; i < w->n;) {
        size_t k = i, tokens = 0;
        while (k < w->n && (k == i || tokens + w->seq[k].n <= pack)) {
            tokens += w->seq[k++].n;
        }
        if (lm_engine_score(en, s, w->seq + i, k - i) != DRH_OK) {
            abort();
        }
        i = k;
    }
    return now() - t;
}

/* Plays the calls whose right side is a weight matrix (attention 0) or not (1). */
static double replay(const struct tape *t, const struct lm_scratch *s, int attention)
{
    double from = now();
    for (size_t i = 0; i < t->n; i++) {
        const struct call *c = &t->call[i];
        if ((c->b >= s->f && c->b < s->f + s->cap) == attention) {
            play(c);
        }
    }
    return now() - from;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

struct options {
    struct model_shape shape;
    const char        *dtype, *model;
    size_t             records, pack, rounds;
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
    } else if (strcmp(key, "--records") == 0) {
        o->records = n;
    } else if (strcmp(key, "--pack") == 0) {
        o->pack = n;
    } else if (strcmp(key, "--rounds") == 0) {
        o->rounds = n;
    } else if (strcmp(key, "--layers") == 0) {
        o->shape.layers = (uint32_t)n;
    } else {
        return -1;
    }
    return 0;
}

static int read_options(struct options *o, int argc, char **argv)
{
    *o = (struct options){.dtype = "F32", .records = 64, .pack = 2048, .rounds = 3};
    (void)model_preset("gpt2-124m", &o->shape);
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc || set(o, argv[i], argv[i + 1])) {
            (void)fprintf(stderr,
                          "usage: score [--shape gpt2-124m|qwen2.5-0.5b] [--dtype F32|F16|BF16] "
                          "[--layers N] [--model DIR] [--records N] [--pack N] [--rounds N]\n");
            return -1;
        }
    }
    return 0;
}

/* ---- infer-onednn -------------------------------------------------------------------------- */

enum { RIVALS = 3 };

struct rival {
    const char       *precision;
    void             *packed;
    struct lm_engine  en;
    struct lm_scratch scratch;
    double            wall;   /* 0: not here */
    void            **groups; /* what it made of each group's weights */
};

struct cursor {
    void **at;
    size_t n;
};

static drh_status count_group(void *ctx, struct lm_group *g)
{
    (void)g;
    ((struct cursor *)ctx)->n++;
    return DRH_OK;
}

static drh_status keep_group(void *ctx, struct lm_group *g)
{
    *((struct cursor *)ctx)->at++ = g->packed;
    return DRH_OK;
}

static drh_status place_group(void *ctx, struct lm_group *g)
{
    g->packed = *((struct cursor *)ctx)->at++;
    return DRH_OK;
}

/* A model refers to one packed form; the rivals take turns. */
static void keep_groups(struct rival *r, struct lm_model *m)
{
    struct cursor c = {NULL, 0};
    (void)lm_model_each(m, count_group, &c);
    r->groups = c.at = calloc(c.n, sizeof(*c.at));
    if (!c.at) {
        abort();
    }
    (void)lm_model_each(m, keep_group, &c);
}

static void rival_open(struct rival *r, struct lm_model *m)
{
    drh_error e = DRH_ERROR_INIT;
    double    t = now();
    r->en = (struct lm_engine){.m = m, .math = lm_math_best()};
    if (dnn_fitness(r->precision, &e) <= 0 || dnn_open(m, r->precision, &r->packed, &e) != DRH_OK ||
        dnn_open_worker(r->packed, &r->en.mm, &e) != DRH_OK) {
        (void)printf("onednn %s: %s\n", r->precision, e.message);
        return;
    }
    t = now() - t;
    (void)printf("onednn %s: weights packed in %.2f s\n", r->precision, t);
    r->wall = 1e9;
    keep_groups(r, m);
}

static void rival_score(struct rival *r, struct lm_model *m, const struct work *w, size_t pack)
{
    struct cursor c = {r->groups, 0};
    if (r->wall > 0) {
        (void)lm_model_each(m, place_group, &c);
        dnn_one_thread();
        r->wall = least(r->wall, score_all(&r->en, &r->scratch, w, pack));
        if (r->en.mm.failed(r->en.mm.ctx)) {
            abort();
        }
    }
}

static void rival_tell(struct rival *r, const struct work *w, double openblas)
{
    if (r->wall > 0) {
        (void)printf("onednn %s: %.3f s of CPU time: %.0f tokens/s, %.2f times openblas f32\n",
                     r->precision, r->wall, (double)w->tokens / r->wall, openblas / r->wall);
        dnn_close_worker(&r->en.mm);
        dnn_close(r->packed);
        free(r->groups);
    }
    lm_scratch_free(&r->scratch);
}

/* ---- all ----------------------------------------------------------------------------------- */

static void measure(struct lm_model *m, const struct options *o)
{
    struct lm_scratch scratch = {.f = NULL};
    struct tape       tape = {NULL, 0, 0, 0, 0};
    struct lm_engine  en = {.m = m, .math = lm_math_best(), .mm = {.gemm = gemm, .ctx = &tape}};
    struct work       w = make_work(o->records, m->c.vocab);
    struct rival      rival[RIVALS] = {
             {.precision = "f32"}, {.precision = "bf16"}, {.precision = "int8"}};
    double wall = 1e9, weights = 1e9, attention = 1e9;
    (void)score_all(&en, &scratch, &w, o->pack); /* the first time the scratch still moves */
    tape.record = 1;
    (void)score_all(&en, &scratch, &w, o->pack);
    tape.record = 0;
    for (size_t i = 0; i < RIVALS; i++) {
        rival_open(&rival[i], m);
    }
    for (size_t k = 0; k < o->rounds; k++) { /* in turns, so that all see the same machine */
        wall = least(wall, score_all(&en, &scratch, &w, o->pack));
        weights = least(weights, replay(&tape, &scratch, 0));
        attention = least(attention, replay(&tape, &scratch, 1));
        for (size_t i = 0; i < RIVALS; i++) {
            rival_score(&rival[i], m, &w, o->pack);
        }
    }
    (void)printf("%s, width %u, %u layers: records %zu, pack %zu, core %s, math %s\n", m->c.arch,
                 m->c.width, m->c.layers, o->records, o->pack, openblas_get_corename(),
                 en.math->name);
    (void)printf("tokens %zu (%zu scored) in %.3f s of CPU time: %.0f tokens/s\n", w.tokens,
                 w.scored, wall, (double)w.tokens / wall);
    (void)printf("%zu sgemm calls, %.1f GFLOP, alone %.3f s (%.1f GFLOP/s): %.3f s with weights, "
                 "%.3f s in attention\n",
                 tape.n, tape.flop * 1e-9, weights + attention,
                 tape.flop * 1e-9 / (weights + attention), weights, attention);
    (void)printf("ratio %.3f (%.3f counting the products with weights only)\n",
                 (weights + attention) / wall, weights / wall);
    for (size_t i = 0; i < RIVALS; i++) {
        rival_tell(&rival[i], &w, wall);
    }
    lm_scratch_free(&scratch);
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
        (void)fprintf(stderr, "score: %s\n", e.message[0] ? e.message : "cannot make the model");
        return 1;
    }
    measure(&m, &o);
    lm_model_free(&m);
    return 0;
}
