/* SPDX-License-Identifier: MIT
 *
 * test_infer_onednn.c - the same engine on oneDNN: the goldens of a float64 implementation in f32,
 * the order of IFD scores in bf16 and int8, the same bits again, and what is refused.
 */
#define _POSIX_C_SOURCE 200809L
#include "dnn.h"
#include "infer_help.h"
#include "run.h"

#include <cjson/cJSON.h>
#include <drh/util.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { N_ROWS = 120, PACK = 12, BEST = N_ROWS / 5 };

static const struct {
    const char *model, *golden;
} models[] = {{DRH_SOURCE_DIR "/examples/models/tiny-qwen2",
               DRH_SOURCE_DIR "/tests/data/tiny-qwen2/golden.jsonl"},
              {DRH_SOURCE_DIR "/examples/models/tiny-gpt2",
               DRH_SOURCE_DIR "/tests/data/tiny-gpt2/golden.jsonl"}};

static cJSON     *golden[N_ROWS];
static struct lab l;

static void load_golden(const char *path)
{
    size_t n, rows = 0;
    char  *text = lab_read(path, &n), *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        ck_assert_uint_lt(rows, N_ROWS);
        golden[rows++] = cJSON_Parse(line);
    }
    ck_assert_uint_eq(rows, N_ROWS);
    free(text);
}

static void tear_down(void)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        cJSON_Delete(golden[i]);
        golden[i] = NULL;
    }
}

static const char *text_of(size_t row, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(golden[row], key));
}

static double number_of(size_t row, const char *key)
{
    const cJSON *group = cJSON_GetObjectItem(golden[row], "same_tokens");
    return cJSON_GetNumberValue(cJSON_GetObjectItem(group, key));
}

static int has(const char *precision)
{
    drh_error e = DRH_ERROR_INIT;
    return dnn_fitness(precision, &e) > 0;
}

static double mean_loss(const drh_infer_res *r)
{
    double s = 0;
    for (uint32_t i = 0; i < r->n_values; i++) {
        s -= (double)r->values[i];
    }
    return s / r->n_values;
}

/* Losses of every row, [conditional, alone]; Qwen's template is control tokens, GPT-2 has none. */
static void score_all(void *worker, double loss[N_ROWS][2])
{
    drh_infer_req req[2 * PACK];
    drh_infer_res res[2 * PACK];
    drh_error     err[2 * PACK];
    for (size_t from = 0; from < N_ROWS; from += PACK) {
        for (size_t i = 0; i < PACK; i++) {
            const char *out = text_of(from + i, "output");
            req[2 * i] = lab_req(text_of(from + i, "prompt"), out, DRH_INFER_SPECIAL, 0);
            req[2 * i + 1] = lab_req("", out, DRH_INFER_BOS, 0);
        }
        ck_assert_int_eq(lab_run(&l, worker, req, 2 * PACK, res, err), DRH_OK);
        for (size_t i = 0; i < 2 * PACK; i++) {
            ck_assert_int_eq(res[i].status, DRH_OK);
            loss[from + i / 2][i % 2] = mean_loss(&res[i]);
        }
    }
}

static void open_model(const char *model, const char *precision)
{
    ck_assert_msg(lab_open_with(&l, model, NULL, precision) == DRH_OK, "%s", l.e.message);
}

START_TEST(golden_losses_f32)
{
    static double loss[N_ROWS][2];
    load_golden(models[_i].golden);
    open_model(models[_i].model, NULL);
    score_all(l.worker, loss);
    for (size_t i = 0; i < N_ROWS; i++) {
        double cond = number_of(i, "loss_cond"), alone = number_of(i, "loss_direct");
        ck_assert_double_eq_tol(loss[i][0], cond, 1e-4 * cond);
        ck_assert_double_eq_tol(loss[i][1], alone, 1e-4 * alone);
    }
    lab_close(&l);
}
END_TEST

/* ---- bf16 and int8: the order of the scores ------------------------------------------------- */

static const double *by; /* what order() sorts by */

static int smaller(const void *a, const void *b)
{
    double x = by[*(const size_t *)a], y = by[*(const size_t *)b];
    return (x > y) - (x < y);
}

static void order(const double *score, size_t rank[N_ROWS], size_t sorted[N_ROWS])
{
    for (size_t i = 0; i < N_ROWS; i++) {
        sorted[i] = i;
    }
    by = score;
    qsort(sorted, N_ROWS, sizeof(*sorted), smaller);
    for (size_t i = 0; i < N_ROWS; i++) {
        rank[sorted[i]] = i;
    }
}

/* Without ties: 1 - 6 sum d^2 / (n (n^2 - 1)). */
static double spearman(const size_t *a, const size_t *b)
{
    double sum = 0;
    for (size_t i = 0; i < N_ROWS; i++) {
        double d = (double)a[i] - (double)b[i];
        sum += d * d;
    }
    return 1 - 6 * sum / ((double)N_ROWS * ((double)N_ROWS * N_ROWS - 1));
}

static const struct {
    size_t      model;
    const char *precision;
} coarse[] = {{0, "bf16"}, {1, "bf16"}, {0, "int8"}, {1, "int8"}};

START_TEST(coarse_order)
{
    static double loss[N_ROWS][2], got[N_ROWS], want[N_ROWS];
    static size_t rank_got[N_ROWS], rank_want[N_ROWS], sorted_got[N_ROWS], sorted_want[N_ROWS];
    size_t        same = 0;
    if (!has(coarse[_i].precision)) {
        return; /* this CPU has nothing to offer; see refused */
    }
    load_golden(models[coarse[_i].model].golden);
    open_model(models[coarse[_i].model].model, coarse[_i].precision);
    score_all(l.worker, loss);
    for (size_t i = 0; i < N_ROWS; i++) {
        got[i] = exp(loss[i][0] - loss[i][1]);
        want[i] = exp(number_of(i, "loss_cond") - number_of(i, "loss_direct"));
    }
    order(got, rank_got, sorted_got);
    order(want, rank_want, sorted_want);
    ck_assert_double_ge(spearman(rank_got, rank_want), 0.999);
    for (size_t i = N_ROWS - BEST; i < N_ROWS; i++) {
        same += rank_got[sorted_want[i]] >= N_ROWS - BEST;
    }
    ck_assert_uint_ge(same, BEST - 1); /* one of 24 at the border */
    lab_close(&l);
}
END_TEST

/* ---- the same bits -------------------------------------------------------------------------- */

struct second {
    void  *worker;
    double loss[N_ROWS][2];
};

static void *on_thread(void *arg)
{
    struct second *s = arg;
    score_all(s->worker, s->loss);
    return NULL;
}

static const char *const precisions[] = {"f32", "bf16", "int8"};

START_TEST(same_bits_on_two_threads)
{
    static struct second a, b;
    const drh_stage     *st = drh_entry_v1.stages[0];
    pthread_t            t;
    if (!has(precisions[_i])) {
        return;
    }
    load_golden(models[0].golden);
    open_model(models[0].model, precisions[_i]);
    a.worker = l.worker;
    ck_assert_int_eq(st->life->open_worker(l.self, 1, &b.worker, &l.e), DRH_OK);
    ck_assert_int_eq(pthread_create(&t, NULL, on_thread, &b), 0);
    (void)on_thread(&a);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    ck_assert_mem_eq(a.loss, b.loss, sizeof(a.loss));
    st->life->close_worker(l.self, b.worker);
    lab_close(&l);
}
END_TEST

/* Wide enough that sums over a row may be cut in several ways, see DESIGN.md. */
static void open_wide(char *dir, size_t size, const char *precision)
{
    const struct model_shape wide = {.arch = "gpt2",
                                     .width = 768,
                                     .layers = 2,
                                     .heads = 12,
                                     .inner = 3072,
                                     .context = 512,
                                     .vocab = 4096,
                                     .seed = 3,
                                     .sigma = 0.02};
    const struct model_files files = {.dtype = "F32"};
    struct model_random      r;
    lab_random(dir, size, &wide, &files, &r);
    model_random_free(&r);
    open_model(dir, precision);
}

/* One of requests alone has the bits that it has in a pack of all: rows are padded and cut into
 * blocks in other ways there. */
START_TEST(same_bits_in_any_pack)
{
    drh_infer_req req[PACK];
    drh_infer_res res[PACK];
    drh_error     err[PACK];
    float        *alone[PACK];
    uint32_t      n[PACK];
    char          dir[256];
    if (!has(precisions[_i])) {
        return;
    }
    load_golden(models[1].golden);
    open_wide(dir, sizeof(dir), precisions[_i]);
    for (size_t i = 0; i < PACK; i++) {
        req[i] = lab_req(i % 2 ? text_of(i, "prompt") : "", text_of(i, "output"), DRH_INFER_BOS, 0);
        ck_assert_int_eq(lab_run(&l, l.worker, &req[i], 1, res, err), DRH_OK);
        ck_assert_int_eq(res->status, DRH_OK);
        n[i] = res->n_values;
        ck_assert_uint_gt(n[i], 0);
        alone[i] = malloc(n[i] * sizeof(float));
        ck_assert_ptr_nonnull(alone[i]);
        memcpy(alone[i], res->values, n[i] * sizeof(float));
    }
    ck_assert_int_eq(lab_run(&l, l.worker, req, PACK, res, err), DRH_OK);
    for (size_t i = 0; i < PACK; i++) {
        ck_assert_int_eq(res[i].status, DRH_OK);
        ck_assert_uint_eq(res[i].n_values, n[i]);
        ck_assert_msg(memcmp(res[i].values, alone[i], n[i] * sizeof(float)) == 0,
                      "request %zu has other bits in a pack", i);
        free(alone[i]);
    }
    lab_close(&l);
    lab_remove(dir);
}
END_TEST

/* ---- answers in int8 ------------------------------------------------------------------------ */

enum { ASKED = 12 }; /* more than DNN8_FEW_ROWS, so that steps go both ways */

static void copy_text(const drh_infer_res *r, char out[1024])
{
    ck_assert_int_eq(r->status, DRH_OK);
    ck_assert_uint_lt(r->text.len, 1024);
    (void)snprintf(out, 1024, "%.*s", (int)r->text.len, r->text.ptr);
}

/* Hot sampling, so that the last bit of a logit would soon be another word. */
START_TEST(company_changes_nothing)
{
    static char   alone[ASKED][1024], beside[1024];
    drh_infer_req req[ASKED];
    drh_infer_res res[ASKED];
    drh_error     err[ASKED];
    if (!has("int8")) {
        return;
    }
    load_golden(models[0].golden);
    open_model(models[0].model, "int8");
    for (size_t i = 0; i < ASKED; i++) {
        req[i] = lab_req(text_of(i, "prompt"), "", DRH_INFER_SPECIAL, 0);
        req[i].op = DRH_INFER_GENERATE;
        req[i].max_tokens = 40;
        req[i].temperature = 1.2;
        req[i].seed = i;
        ck_assert_int_eq(lab_run(&l, l.worker, &req[i], 1, res, err), DRH_OK);
        copy_text(res, alone[i]);
    }
    ck_assert_int_eq(lab_run(&l, l.worker, req, ASKED, res, err), DRH_OK);
    for (size_t i = 0; i < ASKED; i++) {
        copy_text(&res[i], beside);
        ck_assert_str_eq(beside, alone[i]);
        ck_assert_str_ne(beside, "");
    }
    lab_close(&l);
}
END_TEST

/* The greedy answers of a float64 implementation: they part where two tokens are as good as equally
 * likely, so most are to be the same and no more. */
START_TEST(greedy_in_int8)
{
    size_t asked = 0, same = 0;
    if (!has("int8")) {
        return;
    }
    load_golden(models[0].golden);
    open_model(models[0].model, "int8");
    for (size_t i = 0; i < N_ROWS; i++) {
        static char   text[1024];
        drh_infer_req req = lab_req(text_of(i, "prompt"), "", DRH_INFER_SPECIAL, 0);
        drh_infer_res res;
        drh_error     err;
        if (!text_of(i, "greedy_text")) {
            continue;
        }
        req.op = DRH_INFER_GENERATE;
        req.max_tokens = 48;
        ck_assert_int_eq(lab_run(&l, l.worker, &req, 1, &res, &err), DRH_OK);
        copy_text(&res, text);
        asked++;
        same += strcmp(text, text_of(i, "greedy_text")) == 0;
    }
    ck_assert_uint_eq(asked, 16);
    ck_assert_uint_gt(same, asked / 2);
    lab_close(&l);
}
END_TEST

/* ---- what it is, and what is refused -------------------------------------------------------- */

START_TEST(identity)
{
    drh_infer_info info = {.struct_size = sizeof(info)};
    open_model(models[0].model, has("bf16") ? "bf16" : "f32");
    ck_assert_int_eq(l.p->info(l.self, &info, &l.e), DRH_OK);
    ck_assert_ptr_nonnull(strstr(info.identity, " infer-onednn/2 onednn-"));
    ck_assert_ptr_nonnull(strstr(info.identity, has("bf16") ? " bf16 pack=" : " f32 pack="));
    lab_close(&l);
}
END_TEST

/* Before the library has looked at the CPU it can be told to use less of it. */
START_TEST(refused)
{
    ck_assert_int_eq(setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1), 0);
    ck_assert_int_eq(lab_open_with(&l, models[0].model, NULL, "bf16"), DRH_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(l.e.message, "AVX512_BF16 or AMX"));
    ck_assert_ptr_nonnull(strstr(l.e.message, "take precision f32"));
    ck_assert_int_eq(lab_open_with(&l, models[0].model, NULL, "int8"), DRH_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(l.e.message, "precision int8 needs a CPU with AVX512_VNNI"));
    ck_assert_ptr_nonnull(strstr(l.e.message, "take precision f32"));
    open_model(models[0].model, "f32");
    lab_close(&l);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("infer_onednn");
    tcase_add_checked_fixture(t, NULL, tear_down);
    tcase_add_loop_test(t, golden_losses_f32, 0, ROWS(models));
    tcase_add_loop_test(t, coarse_order, 0, ROWS(coarse));
    tcase_add_loop_test(t, same_bits_on_two_threads, 0, ROWS(precisions));
    tcase_add_loop_test(t, same_bits_in_any_pack, 1, ROWS(precisions)); /* f32 promises none */
    tcase_add_test(t, company_changes_nothing);
    tcase_add_test(t, greedy_in_int8);
    tcase_add_test(t, identity);
    tcase_add_test(t, refused);
    return run_case("infer_onednn", t);
}
