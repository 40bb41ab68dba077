/* SPDX-License-Identifier: MIT
 *
 * test_infer_memory.c - loading, scoring and answering when allocation number N of the engine
 * fails, or all from there on: DRH_E_NOMEM with a message or the usual answer; nothing is left
 * behind (a build with AddressSanitizer sees that).  The linker puts the functions here before the
 * library's.
 */
#define _POSIX_C_SOURCE 200809L
#include "lm_request.h"
#include "model_help.h"

#include <check.h>
#include <drh/util.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);

static long left = -1; /* -1: none fails */
static int  all;       /* not only one */

static int refused(void)
{
    if (left < 0 || (left > 0 && --left > 0)) {
        return 0;
    }
    left = all ? 0 : -1;
    return 1;
}

void *__wrap_malloc(size_t n)
{
    return refused() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return refused() ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
    return refused() ? NULL : __real_aligned_alloc(align, n);
}

#define SIZES                                                                                      \
    .width = 40, .heads = 4, .kv_heads = 2, .inner = 54, .layers = 2, .context = 64,               \
    .vocab = 4096, .sigma = 0.1

static const struct {
    struct model_shape s;
    struct model_files f;
    int                tokenizer; /* the whole folder, a few points only */
} cases[] = {{{.arch = "qwen2", SIZES}, {.dtype = "BF16", .shards = 3}, 0},
             {{.arch = "qwen3", SIZES, .untied = 1}, {.dtype = "F32", .odd = 1}, 0},
             {{.arch = "gpt2", SIZES}, {.dtype = "F16"}, 0},
             {{.arch = "llama", SIZES}, {.dtype = "F32", .shards = 2}, 1}};

static drh_status load_and_score(int which, const char *dir, float *out, drh_error *e)
{
    static const uint32_t ids[] = {5, 4095, 17, 0, 5, 80};
    struct lm_model       m;
    struct lm_seq         seq = {ids, 6, 1, out, 0};
    drh_status st = cases[which].tokenizer ? lm_model_load(&m, dir, e) : bare_load(&m, dir, e);
    if (st != DRH_OK) {
        return st;
    }
    st = bare_try(&m, &seq, 1);
    if (st != DRH_OK) {
        (void)drh_fail(e, st, "scoring");
    }
    lm_model_free(&m);
    return st;
}

/* 0: it was refused. */
static int attempt(int which, const char *dir, long n, int from_there_on, const float *want)
{
    float      got[5];
    drh_error  e = DRH_ERROR_INIT;
    drh_status st;
    left = n;
    all = from_there_on;
    st = load_and_score(which, dir, got, &e);
    left = -1;
    ck_assert_msg(st == DRH_OK || (st == DRH_E_NOMEM && e.message[0]), "allocation %ld: %d, %s", n,
                  st, e.message);
    if (st == DRH_OK) {
        ck_assert_mem_eq(got, want, sizeof(got));
    }
    return st == DRH_OK;
}

/* Texts with escapes are copied, which takes memory. */
static void escape(const char *dir, const char *file, const char *text)
{
    char   path[512], *whole, *at;
    size_t n;
    FILE  *f;
    (void)snprintf(path, sizeof(path), "%s/%s", dir, file);
    whole = lab_read(path, &n);
    f = fopen(path, "wb");
    at = strstr(whole, text);
    ck_assert(f && at);
    (void)fprintf(f, "%.*s\\u%04x%s", (int)(at - whole), whole, (unsigned)*at, at + 1);
    ck_assert_int_eq(fclose(f), 0);
    free(whole);
}

START_TEST(an_allocation_fails)
{
    struct model_random r;
    char                dir[256];
    float               want[5];
    drh_error           e = DRH_ERROR_INIT;
    long                n, refusals = 0;
    lab_random(dir, sizeof(dir), &cases[_i].s, &cases[_i].f, &r);
    if (_i == 0) {
        escape(dir, "config.json", "qwen2");
        escape(dir, "model.safetensors.index.json", "model.norm.weight");
    }
    ck_assert_msg(load_and_score(_i, dir, want, &e) == DRH_OK, "%s", e.message);
    for (n = 1; !attempt(_i, dir, n, 1, want); n += cases[_i].tokenizer ? 1 + n / 4 : 1) {
        refusals += !attempt(_i, dir, n, 0, want);
    }
    ck_assert_int_gt(n, 5);
    ck_assert_int_gt(refusals, 5);
    model_random_free(&r);
    lab_remove(dir);
}
END_TEST

/* A chat's form and its tokens. */
static drh_status open_and_ask(struct lm_model *m, const char *form, size_t *tokens, drh_error *e)
{
    drh_infer_msg        msg[2] = {{sizeof(msg[0]), 0, {"system", 6}, {"Be brief.", 9}},
                                   {sizeof(msg[0]), 0, {"user", 4}, {"<|im_end|>?", 11}}};
    const drh_infer_msg *at[2] = {&msg[0], &msg[1]};
    drh_infer_req        req = lab_req("", "Yes.", DRH_INFER_JOINT, 0);
    struct lm_plan       plan;
    drh_status st = lm_model_chat(m, DRH_SOURCE_DIR "/examples/models/tiny-qwen2", form, e);
    req.messages = at;
    req.n_messages = 2;
    if (st == DRH_OK) {
        st = lm_plan_request(m, &req, NULL, &plan, e);
        *tokens = plan.total;
    }
    lm_chat_free(&m->chat);
    return st;
}

START_TEST(an_allocation_fails_in_a_chat)
{
    const char *form = _i ? "chatml" : "auto";
    size_t      size, tokens, want;
    char       *text = lab_read(DRH_SOURCE_DIR "/examples/models/tiny-qwen2/tokenizer.json", &size);
    struct lm_model m;
    drh_error       e = DRH_ERROR_INIT;
    drh_status      st = DRH_E_NOMEM;
    long            n;
    memset(&m, 0, sizeof(m));
    m.c.context = 512;
    m.named = (struct lm_chat_names){LM_TOK_NONE, 4095};
    ck_assert_int_eq(lm_tok_load(&m.tok, (const uint8_t *)text, size, "tokenizer.json", &e),
                     DRH_OK);
    ck_assert_msg(open_and_ask(&m, form, &want, &e) == DRH_OK, "%s", e.message);
    for (n = 1; st != DRH_OK; n++) {
        left = n;
        all = 1;
        st = open_and_ask(&m, form, &tokens, &e);
        left = -1;
        ck_assert_msg(st == DRH_OK || st == DRH_E_NOMEM, "allocation %ld: %d, %s", n, st,
                      e.message);
    }
    ck_assert_int_gt(n, 10);
    ck_assert_uint_eq(tokens, want);
    lm_tok_free(&m.tok);
    free(text);
}
END_TEST

/* ---- answers ------------------------------------------------------------------------------- */

enum { ANSWERS = 3 };

/* A new worker writes three answers; two share their prompt.  The texts go to `text`, which is the
 * caller's; *none is not 0 when one of them could not be written.  Nothing is asserted here, which
 * takes memory. */
static drh_status write_answers(struct lab *lab, char text[ANSWERS][256], int *none, drh_error *e)
{
    static const drh_str avoid[] = {{"The", 3}, {"\n", 1}}, end = {"zzz", 3};
    const drh_life      *life = drh_entry_v1.stages[0]->life;
    drh_infer_req        req[ANSWERS];
    const drh_infer_req *rq[ANSWERS];
    drh_infer_res        res[ANSWERS], *rs[ANSWERS];
    drh_error            err[ANSWERS];
    void                *worker = NULL;
    drh_status           st = life->open_worker(lab->self, 0, &worker, e);
    for (size_t i = 0; i < ANSWERS; i++) {
        req[i] = lab_req(i ? "### Instruction:\nName a colour.\n\n### Response:"
                           : "The first five days are",
                         "", 0, 0);
        req[i].op = DRH_INFER_GENERATE;
        req[i].max_tokens = 12;
        req[i].temperature = i ? 0.8 : 0.0;
        req[i].top_k = 50;
        req[i].min_p = 0.01;
        req[i].repetition_penalty = 1.1;
        req[i].seed = i;
        req[i].stop = &end;
        req[i].n_stop = 1;
        req[i].first_avoid = avoid;
        req[i].n_first_avoid = 2;
        err[i] = (drh_error)DRH_ERROR_INIT;
        res[i] = (drh_infer_res){.struct_size = sizeof(res[i]), .error = &err[i]};
        rq[i] = &req[i];
        rs[i] = &res[i];
    }
    if (st != DRH_OK) {
        return st;
    }
    st = lab->p->run(lab->self, worker, rq, ANSWERS, rs, e);
    for (size_t i = 0; st == DRH_OK && i < ANSWERS; i++) {
        *none |= res[i].status != DRH_OK;
        st = res[i].status != DRH_OK && res[i].status != DRH_E_NOMEM ? res[i].status : st;
        (void)snprintf(text[i], sizeof(text[i]), "%.*s", (int)res[i].text.len, res[i].text.ptr);
    }
    life->close_worker(lab->self, worker);
    return st;
}

START_TEST(an_answer_without_memory)
{
    struct lab lab;
    char       want[ANSWERS][256], got[ANSWERS][256];
    drh_error  e = DRH_ERROR_INIT;
    int        none = 0, done = 0;
    ck_assert_int_eq(lab_open(&lab, DRH_SOURCE_DIR "/examples/models/tiny-qwen2"), DRH_OK);
    ck_assert_int_eq(write_answers(&lab, want, &none, &e), DRH_OK);
    ck_assert_int_eq(none, 0);
    for (size_t i = 0; i < ANSWERS; i++) {
        ck_assert_msg(strlen(want[i]) > 10, "%zu: \"%s\"", i, want[i]);
    }
    for (int from_there_on = 0; from_there_on < 2; from_there_on++, done = 0) {
        long n = 1;
        for (; !done; n++) {
            drh_status st;
            none = 0;
            left = n;
            all = from_there_on;
            st = write_answers(&lab, got, &none, &e);
            done = left > 0; /* it did not come to that one */
            left = -1;
            ck_assert_msg(st == DRH_OK || st == DRH_E_NOMEM, "allocation %ld: %d, %s", n, st,
                          e.message);
            for (size_t i = 0; st == DRH_OK && !none && i < ANSWERS; i++) {
                ck_assert_str_eq(got[i], want[i]);
            }
        }
        ck_assert_int_gt(n, 10);
    }
    lab_close(&lab);
}
END_TEST

/* ---- tokenizers ---------------------------------------------------------------------------- */

static const char *const tokenizers[] = {"llama3", "qwen2", "llama2", "misc", "tiny_steps"};

struct tokenized {
    uint32_t ids[512];
    size_t   n;
};

/* Allocation number `at` fails, 0: none.  1, 0: want of memory, told as that; *all_had: it did not
 * come to that number. */
static int load_and_encode(const char *json, size_t n, const char *text, long at,
                           struct tokenized *k, int *all_had)
{
    struct lm_tok     t;
    drh_error         e = DRH_ERROR_INIT;
    struct lm_tok_out out = {k->ids, 512, 0};
    drh_status        st;
    int               ok = 0;
    left = at ? at : -1;
    st = lm_tok_load(&t, (const uint8_t *)json, n, "f.json", &e);
    if (st == DRH_OK) {
        ok = lm_tok_encode(&t, text, strlen(text), strlen(text) / 2, &out) == 0;
        lm_tok_free(&t);
    }
    *all_had = left > 0;
    left = -1;
    ck_assert_msg(st == DRH_OK || (st == DRH_E_NOMEM && strstr(e.message, "f.json")), "%d, %s", st,
                  e.message);
    k->n = out.count;
    return ok;
}

/* The files and texts of the fuzz target's corpus, which are small; and a long word. */
START_TEST(a_tokenizer_without_memory)
{
    char             path[512], *json, *text;
    size_t           n;
    struct tokenized want, got;
    int              done;
    (void)snprintf(path, sizeof(path), DRH_SOURCE_DIR "/tests/fuzz/corpus/tokenizer/%s",
                   tokenizers[_i]);
    json = lab_read(path, &n);
    text = strstr(json, "\n----\n");
    n = (size_t)(text - json);
    memset(text, 'a', 6);
    text = realloc(strdup(text), 2000);
    while (strlen(text) < 300) {
        strcat(text, "the\xe4\xbd\xa0");
    }
    ck_assert(load_and_encode(json, n, text, 0, &want, &done));
    ck_assert_uint_gt(want.n, 10);
    for (all = 0; all < 2; all++) {
        long at = 0;
        while (!done) {
            if (load_and_encode(json, n, text, ++at, &got, &done)) { /* it could do without */
                ck_assert_uint_eq(got.n, want.n);
                ck_assert_mem_eq(got.ids, want.ids, want.n * sizeof(*want.ids));
            }
        }
        ck_assert_int_gt(at, 20);
        done = 0;
    }
    free(text);
    free(json);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("infer_memory");
    TCase   *t = tcase_create("memory");
    SRunner *r;
    int      failed;
    tcase_set_timeout(t, 100);
    tcase_add_loop_test(t, an_allocation_fails, 0, (int)(sizeof(cases) / sizeof(cases[0])));
    tcase_add_loop_test(t, an_allocation_fails_in_a_chat, 0, 2);
    tcase_add_test(t, an_answer_without_memory);
    tcase_add_loop_test(t, a_tokenizer_without_memory, 0,
                        (int)(sizeof(tokenizers) / sizeof(tokenizers[0])));
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
