/* SPDX-License-Identifier: MIT
 *
 * test_infer_generate.c - text from the inference service: greedy goldens of a float64
 * implementation, the same text whatever runs beside it, stops, limits, refusals; and the losses of
 * the same model, which has another architecture than that of test_infer_openblas.c.
 */
#define _POSIX_C_SOURCE 200809L
#include "infer_help.h"
#include "run.h"

#include <cjson/cJSON.h>
#include <check.h>
#include <drh/util.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define QWEN DRH_SOURCE_DIR "/examples/models/tiny-qwen2"
#define GOLDEN DRH_SOURCE_DIR "/tests/data/tiny-qwen2/golden.jsonl"

enum { N_ROWS = 120, GREEDY = 16, TOKENS = 48 };

static cJSON     *golden[N_ROWS];
static struct lab l;

static void set_up(void)
{
    size_t n, rows = 0;
    char  *text = lab_read(GOLDEN, &n), *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        ck_assert_uint_lt(rows, N_ROWS);
        golden[rows] = cJSON_Parse(line);
        ck_assert_ptr_nonnull(golden[rows]);
        rows++;
    }
    ck_assert_uint_eq(rows, N_ROWS);
    free(text);
    ck_assert_msg(lab_open(&l, QWEN) == DRH_OK, "%s", l.e.message);
}

static void tear_down(void)
{
    lab_close(&l);
    for (size_t i = 0; i < N_ROWS; i++) {
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

/* The rows that have a greedy answer. */
static size_t greedy_rows(size_t rows[GREEDY])
{
    size_t n = 0;
    for (size_t i = 0; i < N_ROWS; i++) {
        if (cJSON_GetObjectItem(golden[i], "greedy_ids")) {
            ck_assert_uint_lt(n, GREEDY);
            rows[n++] = i;
        }
    }
    ck_assert_uint_eq(n, GREEDY);
    return n;
}

static drh_infer_req ask(const char *prompt)
{
    drh_infer_req q = lab_req(prompt, "", DRH_INFER_SPECIAL, 0);
    q.op = DRH_INFER_GENERATE;
    q.max_tokens = TOKENS;
    return q;
}

/* ---- losses -------------------------------------------------------------------------------- */

static double mean_loss(const drh_infer_res *r)
{
    double s = 0;
    for (uint32_t i = 0; i < r->n_values; i++) {
        s -= (double)r->values[i];
    }
    return s / r->n_values;
}

static void close_to(double got, double want, size_t row, const char *what)
{
    ck_assert_msg(fabs(got - want) <= 1e-5 * fabs(want), "row %zu, %s: %.8f, expected %.8f", row,
                  what, got, want);
}

START_TEST(golden_losses)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        drh_infer_req req[3] = {
            lab_req(text_of(i, "prompt"), text_of(i, "output"), DRH_INFER_SPECIAL, 0),
            lab_req("", text_of(i, "output"), 0, 0),
            lab_req("", text_of(i, "output"), DRH_INFER_BOS, 0)};
        drh_infer_res res[3];
        drh_error     err[3];
        ck_assert_int_eq(lab_run(&l, l.worker, req, 3, res, err), DRH_OK);
        close_to(mean_loss(&res[0]), number_of(i, "superfiltering", "loss_cond"), i, "cond");
        close_to(mean_loss(&res[1]), number_of(i, "superfiltering", "loss_direct"), i, "direct");
        close_to(mean_loss(&res[0]), number_of(i, "same_tokens", "loss_cond"), i, "same, cond");
        close_to(mean_loss(&res[2]), number_of(i, "same_tokens", "loss_direct"), i, "same, direct");
        ck_assert_int_eq((int)res[0].n_prompt_tokens,
                         cJSON_GetArraySize(cJSON_GetObjectItem(golden[i], "prompt_ids")));
    }
}
END_TEST

/* ---- answers ------------------------------------------------------------------------------- */

static void same_text(const drh_infer_res *r, const char *want)
{
    ck_assert_msg(r->status == DRH_OK, "%s", r->error->message);
    ck_assert_uint_eq(r->text.len, strlen(want));
    ck_assert_mem_eq(r->text.ptr, want, r->text.len);
}

START_TEST(golden_greedy)
{
    size_t        rows[GREEDY];
    drh_infer_req req[GREEDY];
    drh_infer_res res[GREEDY];
    drh_error     err[GREEDY];
    const size_t  n = greedy_rows(rows);
    for (size_t i = 0; i < n; i++) {
        req[i] = ask(text_of(rows[i], "prompt"));
    }
    ck_assert_int_eq(lab_run(&l, l.worker, req, n, res, err), DRH_OK);
    for (size_t i = 0; i < n; i++) {
        const int ids = cJSON_GetArraySize(cJSON_GetObjectItem(golden[rows[i]], "greedy_ids"));
        same_text(&res[i], text_of(rows[i], "greedy_text"));
        ck_assert_int_ge((int)res[i].n_target_tokens, ids);
        ck_assert_int_le((int)res[i].n_target_tokens, ids + 1); /* the end is a token, too */
        ck_assert_uint_eq(res[i].finish, ids < TOKENS ? DRH_INFER_STOP : DRH_INFER_LENGTH);
    }
}
END_TEST

/* The texts of n requests, run in packs of `pack`. */
static void run_in_packs(const drh_infer_req *req, size_t n, size_t pack, char *text[])
{
    for (size_t i = 0; i < n; i += pack) {
        const size_t  m = n - i < pack ? n - i : pack;
        drh_infer_res res[64];
        drh_error     err[64];
        ck_assert_int_eq(lab_run(&l, l.worker, req + i, m, res, err), DRH_OK);
        for (size_t k = 0; k < m; k++) {
            ck_assert_msg(res[k].status == DRH_OK, "%s", err[k].message);
            text[i + k] = strndup(res[k].text.ptr, res[k].text.len);
            ck_assert_ptr_nonnull(text[i + k]);
        }
    }
}

/* Hot sampling, so that the last bit of a logit would soon be another word. */
START_TEST(company_changes_nothing)
{
    static const size_t packs[] = {48, 1, 5, 16};
    size_t              rows[GREEDY], differ = 0;
    drh_infer_req       req[3 * GREEDY];
    char               *text[4][3 * GREEDY];
    (void)greedy_rows(rows);
    for (size_t i = 0; i < 3 * GREEDY; i++) { /* each prompt three times, so that some share it */
        req[i] = ask(text_of(rows[i / 3], "prompt"));
        req[i].temperature = 1.2;
        req[i].top_p = i % 3 == 1 ? 0.9 : 0;
        req[i].top_k = i % 3 == 2 ? 40 : 0;
        req[i].seed = i;
    }
    for (size_t p = 0; p < 4; p++) {
        run_in_packs(req, 3 * GREEDY, packs[p], text[p]);
    }
    for (size_t i = 0; i < 3 * GREEDY; i++) {
        for (size_t p = 1; p < 4; p++) {
            ck_assert_str_eq(text[p][i], text[0][i]);
        }
        differ += i % 3 && strcmp(text[0][i], text[0][i - 1]) != 0;
    }
    for (size_t i = 0; i < 4 * 3 * GREEDY; i++) {
        free(text[i / (3 * GREEDY)][i % (3 * GREEDY)]);
    }
    ck_assert_uint_gt(differ, GREEDY); /* other seeds say other things */
}
END_TEST

/* The answer to the first golden prompt, and where a piece of it begins. */
static const char *first_answer(size_t *row)
{
    size_t rows[GREEDY];
    (void)greedy_rows(rows);
    *row = rows[0];
    return text_of(rows[0], "greedy_text");
}

static drh_infer_res run_one(const drh_infer_req *q, drh_error *e)
{
    drh_infer_res r;
    ck_assert_int_eq(lab_run(&l, l.worker, q, 1, &r, e), DRH_OK);
    return r;
}

/* Every piece of two to nine letters: whatever the tokens, the text ends before its first place. */
START_TEST(stop_texts)
{
    size_t      row;
    const char *all = first_answer(&row);
    for (size_t len = 2; len < 10; len++) {
        for (size_t at = 0; at + len < strlen(all); at += 11) {
            char          piece[16], want[1024];
            drh_error     e;
            drh_str       stops[2] = {{DRH_LIT("never said")}, {NULL, 0}};
            drh_infer_req q = ask(text_of(row, "prompt"));
            drh_infer_res r;
            (void)snprintf(piece, sizeof(piece), "%.*s", (int)len, all + at);
            (void)snprintf(want, sizeof(want), "%.*s", (int)(strstr(all, piece) - all), all);
            stops[1] = drh_str_of(piece);
            q.stop = stops;
            q.n_stop = 2;
            r = run_one(&q, &e);
            same_text(&r, want);
            ck_assert_uint_eq(r.finish, DRH_INFER_STOP);
        }
    }
}
END_TEST

START_TEST(lengths)
{
    size_t        row;
    const char   *all = first_answer(&row);
    drh_infer_req q = ask(text_of(row, "prompt"));
    drh_error     e;
    drh_infer_res r;
    for (uint32_t n = 1; n < 12; n++) {
        q.max_tokens = n;
        r = run_one(&q, &e);
        ck_assert_int_eq(r.status, DRH_OK);
        ck_assert_uint_eq(r.n_target_tokens, n);
        ck_assert_uint_eq(r.finish, DRH_INFER_LENGTH);
        ck_assert_int_eq(strncmp(all, r.text.ptr, r.text.len), 0);
    }
    q.max_tokens = 0; /* up to the context */
    q.temperature = 50;
    r = run_one(&q, &e);
    ck_assert_int_eq(r.status, DRH_OK);
    ck_assert_uint_le(r.n_prompt_tokens + r.n_target_tokens, 512);
    ck_assert_uint_gt(r.n_target_tokens, TOKENS);
}
END_TEST

START_TEST(first_tokens)
{
    size_t        row;
    const char   *all = first_answer(&row);
    drh_infer_req q = ask(text_of(row, "prompt"));
    drh_str       avoid[1];
    char          begin[8];
    drh_error     e;
    drh_infer_res r;
    (void)snprintf(begin, sizeof(begin), "%.5s", all);
    avoid[0] = drh_str_of(begin);
    q.first_avoid = avoid;
    q.n_first_avoid = 1;
    r = run_one(&q, &e);
    ck_assert_int_eq(r.status, DRH_OK);
    ck_assert_msg(strncmp(r.text.ptr, all, 3) != 0, "%.*s", (int)r.text.len, r.text.ptr);
}
END_TEST

START_TEST(refusals)
{
    static char   letters[8192];
    drh_infer_req q[5] = {ask("Hello"), ask(""), ask(letters), ask("Hello"), ask("Hello")};
    drh_infer_res r[5];
    drh_error     e[5];
    memset(letters, 'x', sizeof(letters) - 1);
    q[2].prompt = drh_str_of(letters);
    q[3].top_p = 1.5;
    q[4].temperature = NAN;
    ck_assert_int_eq(lab_run(&l, l.worker, q, 5, r, e), DRH_OK);
    ck_assert_int_eq(r[0].status, DRH_OK);
    ck_assert_int_eq(r[1].status, DRH_E_ARG);
    ck_assert_int_eq(r[2].status, DRH_E_RANGE);
    ck_assert_ptr_nonnull(strstr(e[2].message, "context of 512"));
    ck_assert_int_eq(r[3].status, DRH_E_ARG);
    ck_assert_ptr_nonnull(strstr(e[3].message, "top_p"));
    ck_assert_int_eq(r[4].status, DRH_E_ARG);
    q[0].flags |= DRH_INFER_BOS;
    q[0].prompt = drh_str_of("");
    ck_assert_int_eq(lab_run(&l, l.worker, q, 1, r, e), DRH_OK);
    ck_assert_int_eq(r[0].status, DRH_OK);
    ck_assert_uint_eq(r[0].n_prompt_tokens, 0);
}
END_TEST

/* Both kinds in one pack. */
START_TEST(scores_and_answers_together)
{
    size_t        row;
    const char   *all = first_answer(&row);
    drh_infer_req q[3] = {lab_req("A", " B", 0, 0), ask(text_of(row, "prompt")),
                          lab_req("A", " B", 0, 0)};
    drh_infer_res r[3];
    drh_error     e[3];
    ck_assert_int_eq(lab_run(&l, l.worker, q, 3, r, e), DRH_OK);
    ck_assert_uint_eq(r[0].n_values, 1);
    same_text(&r[1], all);
    ck_assert_float_eq(r[2].values[0], r[0].values[0]);
}
END_TEST

/* ---- chats --------------------------------------------------------------------------------- */

struct talk { /* a user's message, perhaps behind a system's */
    drh_infer_msg        msg[2];
    const drh_infer_msg *at[2];
    char                 user[4096];
};

/* The golden rows' users say the instruction and, on a new line, the input. */
static void row_talk(struct talk *t, size_t row)
{
    const char *input = text_of(row, "input");
    (void)snprintf(t->user, sizeof(t->user), "%s%s%s", text_of(row, "instruction"),
                   *input ? "\n" : "", input);
    t->msg[0] = (drh_infer_msg){sizeof(t->msg[0]), 0, {DRH_LIT("user")}, drh_str_of(t->user)};
    t->at[0] = &t->msg[0];
}

static drh_infer_req talk_req(drh_infer_req q, const struct talk *t)
{
    q.prompt = (drh_str){NULL, 0};
    q.flags &= ~(uint32_t)DRH_INFER_SPECIAL;
    q.messages = t->at;
    q.n_messages = 1;
    return q;
}

START_TEST(golden_chat_losses)
{
    static struct talk t;
    for (size_t i = 0; i < N_ROWS; i++) {
        drh_infer_req req[2];
        drh_infer_res res[2];
        drh_error     err[2];
        row_talk(&t, i);
        req[0] = talk_req(lab_req("", text_of(i, "output"), 0, 0), &t);
        req[1] = talk_req(lab_req("", text_of(i, "output"), DRH_INFER_JOINT, 0), &t);
        ck_assert_int_eq(lab_run(&l, l.worker, req, 2, res, err), DRH_OK);
        ck_assert_msg(res[0].status == DRH_OK, "%s", err[0].message);
        close_to(mean_loss(&res[0]), number_of(i, "same_tokens", "loss_cond"), i, "chat");
        close_to(mean_loss(&res[1]), number_of(i, "superfiltering", "loss_cond"), i, "joint chat");
        ck_assert_int_eq((int)res[0].n_prompt_tokens,
                         cJSON_GetArraySize(cJSON_GetObjectItem(golden[i], "prompt_ids")));
    }
}
END_TEST

START_TEST(golden_chat_greedy)
{
    static struct talk t[GREEDY];
    size_t             rows[GREEDY];
    drh_infer_req      req[GREEDY];
    drh_infer_res      res[GREEDY];
    drh_error          err[GREEDY];
    const size_t       n = greedy_rows(rows);
    for (size_t i = 0; i < n; i++) {
        row_talk(&t[i], rows[i]);
        req[i] = talk_req(ask(""), &t[i]);
    }
    ck_assert_int_eq(lab_run(&l, l.worker, req, n, res, err), DRH_OK);
    for (size_t i = 0; i < n; i++) {
        same_text(&res[i], text_of(rows[i], "greedy_text"));
        ck_assert_int_eq((int)res[i].n_prompt_tokens,
                         cJSON_GetArraySize(cJSON_GetObjectItem(golden[rows[i]], "prompt_ids")));
    }
}
END_TEST

/* The same as the prompt that spells the form; the context token once more, and counted apart. */
START_TEST(chat_as_prompt)
{
    struct talk   t = {.msg = {{sizeof(t.msg[0]), 0, {DRH_LIT("system")}, {DRH_LIT("Be brief.")}},
                               {sizeof(t.msg[0]), 0, {DRH_LIT("user")}, {DRH_LIT("Hi")}}}};
    drh_infer_req q[4] = {
        ask("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>"
            "\n<|im_start|>assistant\n"),
        talk_req(ask(""), &t), ask("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi"),
        talk_req(ask(""), &t)};
    drh_infer_res r[4];
    drh_error     e[4];
    t.at[0] = &t.msg[0];
    t.at[1] = &t.msg[1];
    q[1].n_messages = q[3].n_messages = 2;
    q[3].flags = DRH_INFER_OPEN;
    for (int bos = 0; bos < 2; bos++) {
        for (size_t i = 0; i < 4; i++) {
            q[i].flags |= bos ? (uint32_t)DRH_INFER_BOS : 0;
        }
        ck_assert_int_eq(lab_run(&l, l.worker, q, 4, r, e), DRH_OK);
        for (size_t i = 0; i < 4; i += 2) {
            char want[1024];
            ck_assert_msg(r[i].status == DRH_OK, "%s", e[i].message);
            (void)snprintf(want, sizeof(want), "%.*s", (int)r[i].text.len, r[i].text.ptr);
            ck_assert_uint_gt(strlen(want), 0);
            same_text(&r[i + 1], want);
            ck_assert_uint_eq(r[i + 1].n_prompt_tokens, r[i].n_prompt_tokens);
        }
    }
}
END_TEST

START_TEST(chat_refusals)
{
    struct talk   t = {.msg = {{sizeof(t.msg[0]), 0, {DRH_LIT("robot")}, {DRH_LIT("a")}}}};
    drh_infer_req q[4] = {talk_req(ask(""), &t), ask("a"), talk_req(ask(""), &t), ask("a")};
    drh_infer_res r[4];
    drh_error     e[4];
    uint32_t      tokens;
    t.at[0] = &t.msg[0];
    q[1].flags = DRH_INFER_OPEN;
    q[2].prompt = drh_str_of("a");
    ck_assert_int_eq(lab_run(&l, l.worker, q, 4, r, e), DRH_OK);
    ck_assert_int_eq(r[0].status, DRH_E_ARG);
    ck_assert_ptr_nonnull(strstr(e[0].message, "the role \"robot\""));
    ck_assert_int_eq(r[1].status, DRH_E_ARG);
    ck_assert_ptr_nonnull(strstr(e[1].message, "DRH_INFER_OPEN"));
    ck_assert_int_eq(r[2].status, DRH_E_ARG);
    ck_assert_ptr_nonnull(strstr(e[2].message, "both prompt and messages"));
    ck_assert_int_eq(r[3].status, DRH_OK);
    ck_assert_int_eq(l.p->cost(l.self, &q[0], &tokens, &e[0]), DRH_E_ARG);
}
END_TEST

/* What a form does not change is the same model; what it changes is another one. */
START_TEST(chat_in_identity)
{
    drh_infer_info plain = {.struct_size = sizeof(plain)}, other = plain, gpt2 = plain;
    struct lab     named;
    drh_infer_res  r;
    drh_error      e;
    struct talk    t = {.msg = {{sizeof(t.msg[0]), 0, {DRH_LIT("user")}, {DRH_LIT("a")}}}};
    drh_infer_req  q = talk_req(ask(""), &t);
    t.at[0] = &t.msg[0];
    ck_assert_int_eq(lab_open_with(&named, QWEN, "chatml", NULL),
                     DRH_OK); /* without its system text */
    ck_assert_int_eq(l.p->info(l.self, &plain, &l.e), DRH_OK);
    ck_assert_int_eq(named.p->info(named.self, &other, &named.e), DRH_OK);
    ck_assert_str_ne(plain.identity, other.identity);
    ck_assert_ptr_nonnull(strstr(other.identity, " pack=2048"));
    lab_close(&named);
    ck_assert_int_eq(lab_open_with(&named, QWEN, "chat", NULL), DRH_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(named.e.message, "chatml, phi-4"));
    ck_assert_int_eq(lab_open(&named, DRH_SOURCE_DIR "/examples/models/tiny-gpt2"), DRH_OK);
    ck_assert_int_eq(named.p->info(named.self, &gpt2, &named.e), DRH_OK);
    ck_assert_int_eq(lab_run(&named, named.worker, &q, 1, &r, &e), DRH_OK);
    ck_assert_int_eq(r.status, DRH_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(e.message, "no chat template"));
    ck_assert_ptr_nonnull(strstr(e.message, "option chat: chatml"));
    lab_close(&named);
}
END_TEST

START_TEST(cancelled)
{
    size_t        row;
    drh_infer_req q;
    drh_infer_res r;
    drh_error     e;
    (void)first_answer(&row);
    q = ask(text_of(row, "prompt"));
    l.cancelled = 1;
    ck_assert_int_eq(lab_run(&l, l.worker, &q, 1, &r, &e), DRH_E_CANCELLED);
    l.cancelled = 0;
    r = run_one(&q, &e);
    same_text(&r, text_of(row, "greedy_text"));
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("qwen2");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, golden_losses);
    tcase_add_test(t, golden_greedy);
    tcase_add_test(t, company_changes_nothing);
    tcase_add_test(t, stop_texts);
    tcase_add_test(t, lengths);
    tcase_add_test(t, first_tokens);
    tcase_add_test(t, refusals);
    tcase_add_test(t, scores_and_answers_together);
    tcase_add_test(t, golden_chat_losses);
    tcase_add_test(t, golden_chat_greedy);
    tcase_add_test(t, chat_as_prompt);
    tcase_add_test(t, chat_refusals);
    tcase_add_test(t, chat_in_identity);
    tcase_add_test(t, cancelled);
    return run_case("infer_generate", t);
}
