/* SPDX-License-Identifier: MIT
 *
 * test_infer_openblas.c - the scoring service: goldens of a float64 implementation, packs, cutting,
 * precision of the weights, repeated and threaded runs.  Tokens are in test_infer_tokens.c, broken
 * model files in test_infer_files.c.
 */
#define _POSIX_C_SOURCE 200809L
#include "infer_help.h"
#include "plain_model.h"

#include <cjson/cJSON.h>
#include <check.h>
#include <drh/util.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#define TINY DRH_SOURCE_DIR "/examples/models/tiny-gpt2"
#define GOLDEN DRH_SOURCE_DIR "/tests/data/tiny-gpt2/golden.jsonl"

enum { ROWS = 120 };

static cJSON *golden[ROWS];

static void load_golden(void)
{
    size_t n, rows = 0;
    char  *text = lab_read(GOLDEN, &n), *save = NULL;
    for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        ck_assert_uint_lt(rows, ROWS);
        golden[rows] = cJSON_Parse(l);
        ck_assert_ptr_nonnull(golden[rows]);
        rows++;
    }
    ck_assert_uint_eq(rows, ROWS);
    free(text);
}

static void free_golden(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        cJSON_Delete(golden[i]);
    }
}

static const char *text_of(size_t row, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(golden[row], key));
}

static double number_of(size_t row, const char *group, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(golden[row], group), key));
}

static double mean_loss(const drh_infer_res *r)
{
    double s = 0;
    for (uint32_t i = 0; i < r->n_values; i++) {
        s -= (double)r->values[i];
    }
    return s / r->n_values;
}

static void assert_close(double got, double want, double rel, const char *what, size_t row)
{
    ck_assert_msg(fabs(got - want) <= rel * fabs(want), "row %zu, %s: %.8f, expected %.8f", row,
                  what, got, want);
}

static void assert_each(const drh_infer_res *r, size_t row, const char *key)
{
    const cJSON *want = cJSON_GetObjectItem(golden[row], key), *v;
    uint32_t     i = 0;
    ck_assert_int_eq(cJSON_GetArraySize(want), (int)r->n_values);
    cJSON_ArrayForEach(v, want)
    {
        double d = -(double)r->values[i++] - v->valuedouble;
        ck_assert_msg(fabs(d) < 2e-4, "row %zu, %s[%u]: off by %g", row, key, i - 1, d);
    }
}

/* As the published code: conditional over the joint text, alone without a first token. */
START_TEST(golden_superfiltering)
{
    static drh_infer_req req[2 * ROWS];
    static drh_infer_res res[2 * ROWS];
    static drh_error     err[2 * ROWS];
    struct lab           l;
    load_golden();
    ck_assert_int_eq(lab_open(&l, TINY), DRH_OK);
    for (size_t i = 0; i < ROWS; i++) {
        req[2 * i] = lab_req(text_of(i, "prompt"), text_of(i, "output"), DRH_INFER_JOINT, 0);
        req[2 * i + 1] = lab_req("", text_of(i, "output"), 0, 0);
    }
    for (size_t i = 0; i < 2 * ROWS; i += 16) {
        ck_assert_int_eq(lab_run(&l, l.worker, req + i, 16, res + i, err + i), DRH_OK);
        for (size_t k = i; k < i + 16; k += 2) {
            const size_t row = k / 2;
            assert_close(mean_loss(&res[k]), number_of(row, "superfiltering", "loss_cond"), 1e-4,
                         "loss_cond", row);
            assert_close(mean_loss(&res[k + 1]), number_of(row, "superfiltering", "loss_direct"),
                         1e-4, "loss_direct", row);
            ck_assert_uint_eq(res[k].first_value, 0);
            ck_assert_uint_eq(res[k + 1].first_value, 1);
            ck_assert_uint_eq(res[k + 1].n_values, res[k + 1].n_target_tokens - 1);
            ck_assert_double_eq(res[k].n_values, number_of(row, "superfiltering", "n_cond"));
        }
    }
    lab_close(&l);
    free_golden();
}
END_TEST

/* Apart and joined, the alone pass behind <|endoftext|>: every answer token in both. */
START_TEST(golden_same_tokens)
{
    struct lab l;
    load_golden();
    ck_assert_int_eq(lab_open(&l, TINY), DRH_OK);
    for (size_t i = 0; i < ROWS; i++) {
        drh_infer_req req[2] = {lab_req(text_of(i, "prompt"), text_of(i, "output"), 0, 0),
                                lab_req("", text_of(i, "output"), DRH_INFER_BOS, 0)};
        drh_infer_res res[2];
        drh_error     err[2];
        ck_assert_int_eq(lab_run(&l, l.worker, req, 2, res, err), DRH_OK);
        assert_each(&res[0], i, "nll_cond");
        assert_each(&res[1], i, "nll_direct");
        assert_close(mean_loss(&res[0]), number_of(i, "same_tokens", "loss_cond"), 1e-4, "cond", i);
        assert_close(mean_loss(&res[1]), number_of(i, "same_tokens", "loss_direct"), 1e-4, "direct",
                     i);
        ck_assert_int_eq((int)res[0].n_prompt_tokens,
                         cJSON_GetArraySize(cJSON_GetObjectItem(golden[i], "prompt_ids")));
        ck_assert_uint_eq(res[1].n_prompt_tokens, 0);
    }
    lab_close(&l);
    free_golden();
}
END_TEST

/* A pack's neighbours change the rounding, not the answer. */
START_TEST(pack_agrees_with_single)
{
    enum { N = 24 };
    struct lab    l;
    drh_infer_req req[N];
    drh_infer_res res[N], one;
    drh_error     err[N], e;
    float        *kept[N];
    load_golden();
    ck_assert_int_eq(lab_open(&l, TINY), DRH_OK);
    for (size_t i = 0; i < N; i++) {
        req[i] = lab_req(text_of(5 * i, "prompt"), text_of(5 * i, "output"), 0, 0);
    }
    ck_assert_int_eq(lab_run(&l, l.worker, req, N, res, err), DRH_OK);
    for (size_t i = 0; i < N; i++) {
        kept[i] = malloc(res[i].n_values * sizeof(float));
        memcpy(kept[i], res[i].values, res[i].n_values * sizeof(float));
    }
    for (size_t i = 0; i < N; i++) {
        ck_assert_int_eq(lab_run(&l, l.worker, &req[i], 1, &one, &e), DRH_OK);
        ck_assert_uint_eq(one.n_values, res[i].n_values);
        for (uint32_t k = 0; k < one.n_values; k++) {
            ck_assert_float_eq_tol(one.values[k], kept[i][k], 1e-5f * (1 + fabsf(kept[i][k])));
        }
        free(kept[i]);
    }
    lab_close(&l);
    free_golden();
}
END_TEST

/* ---- random models ------------------------------------------------------------------------- */

static const struct model_files plain_files = {.dtype = "F32", .bare = 1};

/* The tokenizer's ids for a text, by looking at golden rows: prompt_ids. */
static size_t golden_ids(size_t row, const char *key, uint32_t *ids)
{
    const cJSON *v;
    size_t       n = 0;
    cJSON_ArrayForEach(v, cJSON_GetObjectItem(golden[row], key))
    {
        ids[n++] = (uint32_t)v->valuedouble;
    }
    return n;
}

/* Odd sizes: a width, head size and inner size that fill no vector, long enough for several blocks
 * of queries. */
static const struct model_shape odd_shapes[] = {
    {.arch = "gpt2",
     .width = 36,
     .layers = 3,
     .heads = 4,
     .inner = 50,
     .context = 300,
     .vocab = 4096,
     .act = "gelu_new",
     .seed = 11,
     .sigma = 0.2},
    {.arch = "gpt2",
     .width = 48,
     .layers = 2,
     .heads = 3,
     .inner = 192,
     .context = 512,
     .vocab = 4099,
     .act = "gelu",
     .seed = 12,
     .sigma = 0.2},
    {.arch = "gpt2",
     .width = 64,
     .layers = 1,
     .heads = 1,
     .inner = 70,
     .context = 256,
     .vocab = 5000,
     .act = "relu",
     .seed = 13,
     .sigma = 0.2},
    {.arch = "qwen2",
     .width = 36,
     .layers = 3,
     .heads = 6,
     .kv_heads = 2,
     .inner = 50,
     .context = 300,
     .vocab = 4100,
     .seed = 14,
     .sigma = 0.2,
     .window = 40,
     .slides_from = 1,
     .untied = 1},
};

START_TEST(agrees_with_plain_model)
{
    const struct model_shape *s = &odd_shapes[_i];
    const struct model_files  f = {.dtype = "F32", .bare = _i == 1, .shards = _i == 3 ? 3 : 0};
    struct model_random       r;
    struct lab                l;
    char                      dir[256];
    uint32_t                  ids[1024];
    static double             want[3 * 1024];
    size_t                    n_prompt, n, first = 1;
    drh_infer_req             req[2];
    drh_infer_res             res[2];
    drh_error                 err[2];
    load_golden();
    lab_random(dir, sizeof(dir), s, &f, &r);
    ck_assert_int_eq(lab_open(&l, dir), DRH_OK);
    for (size_t row = 3; row < ROWS; row += 37) {
        ids[0] = s->vocab - 1; /* bos of config.json */
        n_prompt = golden_ids(row, "prompt_ids", ids + 1);
        n = first + n_prompt + golden_ids(row, "answer_ids", ids + 1 + n_prompt);
        n = n < s->context ? n : s->context;
        req[0] = lab_req(text_of(row, "prompt"), text_of(row, "output"), DRH_INFER_BOS, 0);
        req[1] = lab_req(text_of(row, "prompt"), text_of(row, "output"), DRH_INFER_BOS, 0);
        ck_assert_int_eq(lab_run(&l, l.worker, req, 2, res, err), DRH_OK);
        plain_model(&r, ids, n, want);
        ck_assert_uint_eq(res[1].n_values, n - 1 - n_prompt);
        for (size_t k = 0; k < res[1].n_values; k++) {
            const double w = want[(s->layers - 1) * (n - 1) + n_prompt + k];
            ck_assert_msg(fabs((double)res[1].values[k] - w) < 1e-4,
                          "row %zu, value %zu: %g, expected %g", row, k, (double)res[1].values[k],
                          w);
        }
    }
    lab_close(&l);
    model_random_free(&r);
    lab_remove(dir);
    free_golden();
}
END_TEST

static void score_once(const char *dir, float *out, size_t cap, size_t *n)
{
    struct lab    l;
    drh_infer_req req =
        lab_req("What is a prime number?\n", "A number with two divisors.", DRH_INFER_BOS, 0);
    drh_infer_res res;
    drh_error     err;
    ck_assert_int_eq(lab_open(&l, dir), DRH_OK);
    ck_assert_int_eq(lab_run(&l, l.worker, &req, 1, &res, &err), DRH_OK);
    ck_assert_uint_le(res.n_values, cap);
    *n = res.n_values;
    memcpy(out, res.values, *n * sizeof(*out));
    lab_close(&l);
}

/* Weights that all three formats hold exactly: the same bits come out. */
START_TEST(formats_of_weights_agree)
{
    static const char *const formats[] = {"F32", "F16", "BF16"};
    const struct model_shape s = {.arch = "gpt2",
                                  .width = 96,
                                  .layers = 2,
                                  .heads = 3,
                                  .inner = 200,
                                  .context = 64,
                                  .vocab = 4096,
                                  .act = "gelu_new",
                                  .seed = 5,
                                  .sigma = 0.05,
                                  .coarse = 1};
    float                    got[3][64];
    size_t                   n[3];
    for (size_t i = 0; i < 3; i++) {
        const struct model_files f = {.dtype = formats[i]};
        struct model_random      r;
        char                     dir[256];
        lab_random(dir, sizeof(dir), &s, &f, &r);
        score_once(dir, got[i], 64, &n[i]);
        model_random_free(&r);
        lab_remove(dir);
        ck_assert_uint_gt(n[i], 5);
        ck_assert_uint_eq(n[i], n[0]);
        ck_assert_mem_eq(got[i], got[0], n[0] * sizeof(float));
    }
}
END_TEST

/* ---- the same bits ------------------------------------------------------------------------- */

struct shift { /* one thread's work */
    struct lab   *l;
    void         *worker;
    drh_infer_req req[6];
    float         got[4][2048];
    size_t        n;
    uint32_t      noise;
};

static void *work(void *arg)
{
    struct shift *s = arg;
    drh_infer_res res[6];
    drh_error     err[6];
    for (size_t round = 0; round < 4; round++) {
        /* Another pack in between leaves its marks in the scratch. */
        if (round & 1) {
            ck_assert_int_eq(lab_run(s->l, s->worker, s->req + s->noise, 2, res, err), DRH_OK);
        }
        ck_assert_int_eq(lab_run(s->l, s->worker, s->req, 6, res, err), DRH_OK);
        s->n = 0;
        for (size_t i = 0; i < 6; i++) {
            ck_assert_uint_le(s->n + res[i].n_values, 2048);
            memcpy(s->got[round] + s->n, res[i].values, res[i].n_values * sizeof(float));
            s->n += res[i].n_values;
        }
    }
    return NULL;
}

/* Width 768, where sums round differently with the shape of a product. */
START_TEST(same_bits_again_and_on_two_threads)
{
    static struct shift      s[2];
    const struct model_shape shape = {.arch = "gpt2",
                                      .width = 768,
                                      .layers = 1,
                                      .heads = 12,
                                      .inner = 512,
                                      .context = 512,
                                      .vocab = 4096,
                                      .act = "gelu_new",
                                      .seed = 9,
                                      .sigma = 0.02};
    const drh_stage         *st = drh_entry_v1.stages[0];
    struct model_random      r;
    struct lab               l;
    char                     dir[256];
    pthread_t                t[2];
    load_golden();
    lab_random(dir, sizeof(dir), &shape, &plain_files, &r);
    ck_assert_int_eq(lab_open(&l, dir), DRH_OK);
    for (size_t k = 0; k < 2; k++) {
        s[k].l = &l;
        s[k].noise = (uint32_t)(2 + k);
        ck_assert_int_eq(st->life->open_worker(l.self, (uint32_t)k + 1, &s[k].worker, &l.e),
                         DRH_OK);
        for (size_t i = 0; i < 6; i++) {
            s[k].req[i] = lab_req(text_of(20 * i, "prompt"), text_of(20 * i, "output"),
                                  i & 1 ? DRH_INFER_JOINT : 0, 0);
        }
        ck_assert_int_eq(pthread_create(&t[k], NULL, work, &s[k]), 0);
    }
    for (size_t k = 0; k < 2; k++) {
        ck_assert_int_eq(pthread_join(t[k], NULL), 0);
        st->life->close_worker(l.self, s[k].worker);
        ck_assert_uint_gt(s[k].n, 100);
        ck_assert_uint_eq(s[k].n, s[0].n);
        for (size_t round = 0; round < 4; round++) {
            ck_assert_mem_eq(s[k].got[round], s[0].got[0], s[0].n * sizeof(float));
        }
    }
    lab_close(&l);
    model_random_free(&r);
    lab_remove(dir);
    free_golden();
}
END_TEST

/* ---- what a request means ------------------------------------------------------------------ */

#define P "Name three colors.\n"
#define T "Red, green and blue are three colors."

static uint32_t tokens_of(struct lab *l, const char *text)
{
    uint32_t n = 0;
    ck_assert_int_eq(l->p->count(l->self, text, strlen(text), 0, &n, &l->e), DRH_OK);
    return n;
}

START_TEST(cuts_and_counts)
{
    struct lab    l;
    uint32_t      p, t, cost;
    drh_infer_res full, r;
    drh_error     err;
    float         all[64];
    drh_infer_req q;
    ck_assert_int_eq(lab_open(&l, TINY), DRH_OK);
    p = tokens_of(&l, P);
    t = tokens_of(&l, T);
    q = lab_req(P, T, DRH_INFER_BOS, 0);
    ck_assert_int_eq(lab_run(&l, l.worker, &q, 1, &full, &err), DRH_OK);
    ck_assert_uint_eq(full.n_values, t);
    memcpy(all, full.values, t * sizeof(float));
    ck_assert_int_eq(l.p->cost(l.self, &q, &cost, &l.e), DRH_OK);
    ck_assert_uint_eq(cost, 1 + p + t);
    for (uint32_t max = 1; max <= p + t + 3; max++) {
        const uint32_t kept = max > 1 + p ? (max < 1 + p + t ? max - 1 - p : t) : 0;
        q.max_total = max;
        ck_assert_int_eq(lab_run(&l, l.worker, &q, 1, &r, &err), DRH_OK);
        ck_assert_int_eq(r.status, kept ? DRH_OK : DRH_E_RANGE);
        ck_assert_int_eq(l.p->cost(l.self, &q, &cost, &l.e), r.status);
        ck_assert_uint_eq(r.n_values, kept);
        ck_assert_uint_eq(r.n_prompt_tokens, p);
        ck_assert_uint_eq(r.n_target_tokens, t);
        if (!kept) {
            ck_assert_ptr_nonnull(strstr(err.message, "prompt"));
            continue;
        }
        ck_assert_uint_eq(cost, 1 + p + kept);
        for (uint32_t i = 0; i < kept; i++) {
            ck_assert_float_eq_tol(r.values[i], all[i], 1e-4f);
        }
    }
    lab_close(&l);
}
END_TEST

START_TEST(empty_texts)
{
    struct lab    l;
    drh_infer_req q[5] = {lab_req(P, "", 0, 0), lab_req("", "", DRH_INFER_BOS, 0),
                          lab_req("", "a", 0, 0), lab_req("", "a", DRH_INFER_BOS, 0),
                          lab_req(P, "", DRH_INFER_JOINT, 2)};
    drh_infer_res r[5];
    drh_error     err[5];
    ck_assert_int_eq(lab_open(&l, TINY), DRH_OK);
    q[1].prompt = q[1].target = (drh_str){NULL, 0};
    ck_assert_int_eq(lab_run(&l, l.worker, q, 5, r, err), DRH_OK);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(r[i].status, DRH_OK);
        ck_assert_uint_eq(r[i].n_values, i == 3);
    }
    ck_assert_uint_eq(r[2].n_target_tokens, 1); /* there, but without a context */
    ck_assert_uint_eq(r[2].first_value, 1);
    ck_assert_uint_eq(r[3].first_value, 0);
    ck_assert_uint_eq(r[0].n_target_tokens, 0);
    ck_assert_int_eq(lab_run(&l, l.worker, q, 0, r, err), DRH_OK);
    lab_close(&l);
}
END_TEST

/* "Hel" + "lo world" is two words apart and "Hello world" joined. */
START_TEST(joint_and_apart_differ)
{
    struct lab    l;
    drh_infer_req q[2] = {lab_req("Hel", "lo world", DRH_INFER_JOINT, 0),
                          lab_req("Hel", "lo world", 0, 0)};
    drh_infer_res r[2];
    drh_error     err[2];
    uint32_t      p, t, joint;
    ck_assert_int_eq(lab_open(&l, TINY), DRH_OK);
    p = tokens_of(&l, "Hel");
    t = tokens_of(&l, "lo world");
    joint = tokens_of(&l, "Hello world");
    ck_assert_uint_ne(p + t, joint);
    ck_assert_int_eq(lab_run(&l, l.worker, q, 2, r, err), DRH_OK);
    ck_assert_uint_eq(r[0].n_prompt_tokens, p);
    ck_assert_uint_eq(r[0].n_target_tokens, joint > p ? joint - p : 0);
    ck_assert_uint_eq(r[1].n_target_tokens, t);
    lab_close(&l);
}
END_TEST

START_TEST(special_only_when_asked)
{
    const char   *text = "a<|endoftext|>b";
    struct lab    l;
    uint32_t      plain = 0, special = 0;
    drh_infer_req q[3] = {lab_req(text, text, DRH_INFER_SPECIAL, 0),
                          lab_req(text, text, DRH_INFER_SPECIAL | DRH_INFER_JOINT, 0),
                          lab_req(text, text, 0, 0)};
    drh_infer_res r[3];
    drh_error     err[3];
    ck_assert_int_eq(lab_open(&l, TINY), DRH_OK);
    ck_assert_int_eq(l.p->count(l.self, text, strlen(text), 0, &plain, &l.e), DRH_OK);
    ck_assert_int_eq(l.p->count(l.self, text, strlen(text), DRH_INFER_SPECIAL, &special, &l.e),
                     DRH_OK);
    ck_assert_uint_eq(special, 3);
    ck_assert_uint_gt(plain, 3);
    ck_assert_int_eq(lab_run(&l, l.worker, q, 3, r, err), DRH_OK);
    ck_assert_uint_eq(r[0].n_prompt_tokens, 3);
    ck_assert_uint_eq(r[0].n_target_tokens, plain);
    ck_assert_uint_eq(r[1].n_prompt_tokens, 3);
    ck_assert_uint_ge(r[1].n_target_tokens, plain - 1); /* the target's stays text */
    ck_assert_uint_eq(r[2].n_prompt_tokens, plain);
    lab_close(&l);
}
END_TEST

START_TEST(refuses_what_it_cannot)
{
    struct lab    l;
    drh_infer_req q[3] = {lab_req(P, T, 0, 0), lab_req(P, T, 1u << 20, 0), lab_req(P, T, 0, 0)};
    drh_infer_res r[3];
    drh_error     err[3];
    uint32_t      cost;
    ck_assert_int_eq(lab_open(&l, TINY), DRH_OK);
    q[0].op = DRH_INFER_EMBED;
    ck_assert_int_eq(l.p->cost(l.self, &q[0], &cost, &l.e), DRH_E_UNSUPPORTED);
    ck_assert_int_eq(lab_run(&l, l.worker, q, 3, r, err), DRH_OK);
    ck_assert_int_eq(r[0].status, DRH_E_UNSUPPORTED);
    ck_assert_int_eq(r[1].status, DRH_E_UNSUPPORTED);
    ck_assert_int_eq(r[2].status, DRH_OK);
    ck_assert_uint_gt(r[2].n_values, 0);
    lab_close(&l);
}
END_TEST

START_TEST(stops_when_cancelled)
{
    struct lab    l;
    drh_infer_req q = lab_req(P, T, 0, 0);
    drh_infer_res r;
    drh_error     err;
    ck_assert_int_eq(lab_open(&l, TINY), DRH_OK);
    l.cancelled = 1;
    ck_assert_int_eq(lab_run(&l, l.worker, &q, 1, &r, &err), DRH_E_CANCELLED);
    l.cancelled = 0;
    ck_assert_int_eq(lab_run(&l, l.worker, &q, 1, &r, &err), DRH_OK);
    lab_close(&l);
}
END_TEST

static void set_weight(struct model_random *r, const char *name, size_t at, float v)
{
    struct model_tensor *t = model_random_tensor(r, name);
    ck_assert_msg(t != NULL, "%s", name);
    t->data[at] = v;
}

/* A NaN or an infinity in the weights fails the request, and never comes out as a number. */
START_TEST(damage_is_told)
{
    const float              poison[] = {NAN, INFINITY, -INFINITY};
    const struct model_shape s = {.arch = "gpt2",
                                  .width = 64,
                                  .layers = 2,
                                  .heads = 2,
                                  .inner = 128,
                                  .context = 64,
                                  .vocab = 4096,
                                  .act = "gelu_new",
                                  .seed = 21,
                                  .sigma = 0.05};
    struct model_random      r;
    struct lab               l;
    char                     dir[256];
    drh_infer_req            q = lab_req(P, T, DRH_INFER_BOS, 0);
    drh_infer_res            res;
    drh_error                err;
    lab_random(dir, sizeof(dir), &s, &plain_files, &r);
    if (_i < 3) {
        set_weight(&r, "h.0.mlp.c_fc.bias", 7, poison[_i]);
    } else if (_i < 6) {
        set_weight(&r, "wte.weight", 4000 * 64, poison[_i % 3]);
    } else { /* one logit, of no target, overflows to -inf */
        set_weight(&r, "ln_f.bias", 0, 100.0f);
        set_weight(&r, "wte.weight", 4000 * 64, -3e38f);
    }
    ck_assert_int_eq(model_write(&r, dir, &plain_files), 0);
    ck_assert_int_eq(lab_open(&l, dir), DRH_OK);
    ck_assert_int_eq(lab_run(&l, l.worker, &q, 1, &res, &err), DRH_OK);
    ck_assert_int_eq(res.status, DRH_E_DATA);
    ck_assert_ptr_nonnull(strstr(err.message, "non-finite"));
    ck_assert_uint_eq(res.n_values, 0);
    lab_close(&l);
    model_random_free(&r);
    lab_remove(dir);
}
END_TEST

START_TEST(tells_about_itself)
{
    struct lab     l, m;
    drh_infer_info a, b;
    memset(&a, 0, sizeof(a));
    a.struct_size = sizeof(a);
    b = a;
    ck_assert_int_eq(lab_open(&l, TINY), DRH_OK);
    ck_assert_int_eq(l.p->info(l.self, &a, &l.e), DRH_OK);
    ck_assert_uint_eq(a.caps, 1u << DRH_INFER_SCORE | 1u << DRH_INFER_GENERATE);
    ck_assert_uint_eq(a.context, 512);
    ck_assert_uint_eq(a.pack_tokens, 2048);
    ck_assert_uint_eq(a.max_parallel, 2);
    ck_assert_uint_eq(a.has_bos, 1);
    ck_assert_ptr_nonnull(strstr(a.identity, "f32"));
    ck_assert_ptr_nonnull(strstr(a.identity, "openblas-0."));
    ck_assert_int_eq(lab_open(&m, TINY), DRH_OK);
    ck_assert_int_eq(m.p->info(m.self, &b, &m.e), DRH_OK);
    ck_assert_str_eq(a.identity, b.identity);
    ck_assert_ptr_null(drh_entry_v1.stages[0]->ops.service->get(m.self, "drh.http/1"));
    lab_close(&m);
    lab_close(&l);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("infer_openblas");
    TCase   *g = tcase_create("golden"), *t = tcase_create("requests");
    SRunner *r;
    int      failed;
    tcase_set_timeout(g, 100);
    tcase_set_timeout(t, 100);
    tcase_add_test(g, golden_superfiltering);
    tcase_add_test(g, golden_same_tokens);
    tcase_add_test(g, pack_agrees_with_single);
    tcase_add_loop_test(g, agrees_with_plain_model, 0, 4);
    tcase_add_test(g, formats_of_weights_agree);
    tcase_add_test(g, same_bits_again_and_on_two_threads);
    tcase_add_test(t, cuts_and_counts);
    tcase_add_test(t, empty_texts);
    tcase_add_test(t, joint_and_apart_differ);
    tcase_add_test(t, special_only_when_asked);
    tcase_add_test(t, refuses_what_it_cannot);
    tcase_add_test(t, stops_when_cancelled);
    tcase_add_loop_test(t, damage_is_told, 0, 7);
    tcase_add_test(t, tells_about_itself);
    suite_add_tcase(s, g);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
