/* SPDX-License-Identifier: MIT
 *
 * score.c - speed of scoring with random weights of GPT-2's 124M shape: tokens a second, and the
 * time of the same matrix products alone as a share of the whole, in one run.
 *   score [records] [pack_tokens]
 * Lengths are like Alpaca's: prompts around 75 tokens, answers around 63, a long tail to 512.  Both
 * passes are scored: answer after prompt, answer alone.  One thread.
 */
#define _POSIX_C_SOURCE 200809L
#include "gpt2_random.h"
#include "lm_engine.h"

#include <cblas.h>
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

static const float *tensor(const struct gpt2_random *r, uint32_t layer, const char *part)
{
    char name[96];
    (void)snprintf(name, sizeof(name), "h.%lu.%s", (unsigned long)layer, part);
    return gpt2_random_find(r, name);
}

static struct lm_group group(const struct gpt2_random *r, uint32_t layer, const char *part,
                             uint32_t n, uint32_t k)
{
    struct lm_group g = {.n_parts = 1, .n = n};
    char            name[64];
    (void)snprintf(name, sizeof(name), "%s.weight", part);
    g.part[0] = (struct lm_weight){n, k, 0, tensor(r, layer, name)};
    (void)snprintf(name, sizeof(name), "%s.bias", part);
    g.bias = tensor(r, layer, name);
    return g;
}

static void bind_layer(struct lm_layer *l, const struct gpt2_random *r, uint32_t i)
{
    const uint32_t d = r->s.width;
    l->norm1_w = tensor(r, i, "ln_1.weight");
    l->norm1_b = tensor(r, i, "ln_1.bias");
    l->norm2_w = tensor(r, i, "ln_2.weight");
    l->norm2_b = tensor(r, i, "ln_2.bias");
    l->qkv = group(r, i, "attn.c_attn", 3 * d, d);
    l->out = group(r, i, "attn.c_proj", d, d);
    l->up = group(r, i, "mlp.c_fc", r->s.inner, d);
    l->down = group(r, i, "mlp.c_proj", d, r->s.inner);
}

static void bind(struct lm_model *m, const struct gpt2_random *r)
{
    m->c = (struct lm_config){.arch = "gpt2",
                              .family = LM_FAMILY_GPT2,
                              .act = LM_GELU_TANH,
                              .width = r->s.width,
                              .layers = r->s.layers,
                              .heads = r->s.heads,
                              .kv_heads = r->s.heads,
                              .head_dim = r->s.width / r->s.heads,
                              .context = r->s.context,
                              .vocab = r->s.vocab,
                              .inner = r->s.inner,
                              .tied = 1,
                              .eps = 1e-5f};
    m->embed = m->head = gpt2_random_find(r, "wte.weight");
    m->positions = gpt2_random_find(r, "wpe.weight");
    m->norm_w = gpt2_random_find(r, "ln_f.weight");
    m->norm_b = gpt2_random_find(r, "ln_f.bias");
    m->layer = calloc(r->s.layers, sizeof(*m->layer));
    for (uint32_t i = 0; m->layer && i < r->s.layers; i++) {
        bind_layer(&m->layer[i], r, i);
    }
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

int main(int argc, char **argv)
{
    const struct gpt2_shape shape = {768, 12, 12, 3072, 1024, 50257, "gelu_new", 1, 0.02, 0};
    struct gpt2_random      r;
    struct lm_model         m;
    struct lm_scratch       scratch = {.f = NULL};
    struct tape             tape = {NULL, 0, 0, 0, 0};
    struct lm_engine        en = {&m, lm_math_best(), {gemm, &tape}, NULL, NULL};
    size_t                  records = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
    size_t                  pack = argc > 2 ? strtoul(argv[2], NULL, 10) : 2048;
    struct work             w;
    double                  wall = 1e9, weights = 1e9, attention = 1e9;
    openblas_set_num_threads(1);
    memset(&m, 0, sizeof(m));
    if (gpt2_random_make(&r, &shape)) {
        return 1;
    }
    bind(&m, &r);
    w = make_work(records, shape.vocab);
    (void)score_all(&en, &scratch, &w, pack); /* the first time the scratch still moves */
    tape.record = 1;
    (void)score_all(&en, &scratch, &w, pack);
    tape.record = 0;
    for (int k = 0; k < 3; k++) { /* in turns, so that both see the same machine */
        wall = least(wall, score_all(&en, &scratch, &w, pack));
        weights = least(weights, replay(&tape, &scratch, 0));
        attention = least(attention, replay(&tape, &scratch, 1));
    }
    (void)printf("records %zu, pack %zu, core %s, math %s\n", records, pack,
                 openblas_get_corename(), en.math->name);
    (void)printf("tokens %zu (%zu scored) in %.3f s of CPU time: %.0f tokens/s\n", w.tokens,
                 w.scored, wall, (double)w.tokens / wall);
    (void)printf("%zu sgemm calls, %.1f GFLOP, alone %.3f s (%.1f GFLOP/s): %.3f s with weights, "
                 "%.3f s in attention\n",
                 tape.n, tape.flop * 1e-9, weights + attention,
                 tape.flop * 1e-9 / (weights + attention), weights, attention);
    (void)printf("ratio %.3f (%.3f counting the products with weights only)\n",
                 (weights + attention) / wall, weights / wall);
    lm_scratch_free(&scratch);
    return 0;
}
