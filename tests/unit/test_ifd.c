/* SPDX-License-Identifier: MIT
 *
 * test_ifd.c - the ifd selector over a fake model with a token a byte and a table of losses.  Cases
 * named I-n are the vectors of the methods specification.
 */
#include "mini_host.h"

#include "err.h"

#include <check.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>

extern const drh_entry drh_entry_v1;

#define RECORD(q, a)                                                                               \
    "{\"conversations\":[{\"from\":\"human\",\"value\":\"" q                                       \
    "\"},{\"from\":\"gpt\",\"value\":\"" a "\"}]}"

static struct mini_infer fake;

/* Same loss for every token of a pass. */
static void flat(double cond, double alone)
{
    size_t i;
    memset(&fake, 0, sizeof(fake));
    for (i = 0; i < MINI_TOKENS; i++) {
        fake.nll_cond[i] = cond;
        fake.nll_alone[i] = alone;
    }
}

static struct mini_host *make(const char *options)
{
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, options, &fake, &e);
    ck_assert_msg(m != NULL, "%s", e.message);
    return m;
}

/* A number of the metadata; NaN when it is not there. */
static double number(const char *line, const char *key, int at)
{
    cJSON       *r = cJSON_Parse(line);
    const cJSON *v = cJSON_GetObjectItem(cJSON_GetObjectItem(r, "metadata"), key);
    double       n = (double)NAN;
    ck_assert_msg(r != NULL, "%s", line);
    if (cJSON_IsArray(v)) {
        ck_assert_int_eq(cJSON_GetArraySize(v), 2);
        v = cJSON_GetArrayItem(v, at);
    }
    if (cJSON_IsNumber(v)) {
        n = v->valuedouble;
    }
    cJSON_Delete(r);
    return n;
}

static void near(double got, double want)
{
    ck_assert_msg(fabs(got - want) <= 1e-6 * fabs(want), "got %.9g, want %.9g", got, want);
}

static void check_status(const char *line, const char *status)
{
    char want[80];
    (void)snprintf(want, sizeof(want), "\"ifd_status\":\"%s\"", status);
    ck_assert_msg(strstr(line, want) != NULL, "%s, want %s", line, status);
    ck_assert_msg(strstr(line, "\"ifd\":") == NULL, "%s", line);
    ck_assert_msg(strstr(line, "\"ppl\":") == NULL, "%s", line);
}

static drh_ranking ranking_of(struct mini_host *m)
{
    drh_ranking out = {.struct_size = sizeof(out)};
    drh_error   e = DRH_ERROR_INIT;
    ck_assert_int_eq(drh_entry_v1.stages[0]->ops.selector->ranking(mini_self(m), &out, &e), DRH_OK);
    return out;
}

START_TEST(ifd_i1_equal_means)
{
    static const char *const options[] = {"{\"preset\":\"cherry\"}",
                                          "{\"preset\":\"superfiltering\"}"};
    struct mini_host        *m;
    drh_ranking              rank;
    flat(2, 2);
    fake.nll_cond[0] = 1;
    fake.nll_cond[2] = 3;
    m = make(options[_i]);
    near(number(mini_run(m, RECORD("q", "abc")), "ifd", 0), 1.0);
    rank = ranking_of(m);
    ck_assert_uint_eq(rank.ascending, 0);
    ck_assert_str_eq(rank.field, "/metadata/ifd");
    ck_assert_str_eq(rank.status, "/metadata/ifd_status");
    ck_assert_uint_eq(rank.has_bound, 1);
    ck_assert(rank.bound == 1.0);
    ck_assert_uint_eq(rank.bound_inclusive, _i == 0);
    mini_free(m);
}
END_TEST

START_TEST(ifd_i2_definitions_disagree)
{
    static const struct {
        double      cond, alone, want;
        const char *options;
    } rows[] = {
        {1.5, 2.0, 0.606531, "{\"preset\":\"same_tokens\"}"},
        {3.2, 4.0, 0.449329, "{\"preset\":\"same_tokens\"}"},
        {1.5, 2.0, 0.75, "{\"preset\":\"same_tokens\",\"definition\":\"loss\"}"},
        {3.2, 4.0, 0.80, "{\"preset\":\"cherry\"}"},
        {3.2, 4.0, 0.449329, "{\"preset\":\"cherry\",\"definition\":\"ppl\"}"},
    };
    struct mini_host *m;
    const char       *line;
    double            got;
    flat(rows[_i].cond, rows[_i].alone);
    m = make(rows[_i].options);
    line = mini_run(m, RECORD("q", "abcd"));
    got = number(line, "ifd", 0);
    ck_assert_msg(fabs(got - rows[_i].want) < 1e-6, "%.9g", got);
    near(number(line, "loss", 0), (double)(float)rows[_i].alone);
    near(number(line, "loss", 1), (double)(float)rows[_i].cond);
    near(number(line, "ppl", 0), exp((double)(float)rows[_i].alone));
    near(number(line, "ppl", 1), exp((double)(float)rows[_i].cond));
    near(number(line, "ifd_n", 0), 4);
    mini_free(m);
}
END_TEST

START_TEST(ifd_i3_uniform_is_one)
{
    static const char *const options[] = {
        "{\"preset\":\"superfiltering\"}", "{\"preset\":\"cherry\"}",
        "{\"preset\":\"same_tokens\"}",    "{\"template\":\"wiz\",\"definition\":\"loss\"}",
        "{\"template\":\"vicuna\"}",       "{\"template\":\"chat\"}",
        "{\"first_token\":\"skip\"}",      "{\"max_length\":5}"};
    struct mini_host *m;
    flat(log(4096), log(4096));
    m = make(options[_i]);
    near(number(mini_run(m, RECORD("q", "abcdef")), "ifd", 0), 1.0);
    mini_free(m);
}
END_TEST

START_TEST(ifd_i4_first_token)
{
    static const struct {
        const char *options;
        double      want, n;
    } rows[] = {
        {"{\"preset\":\"superfiltering\"}", 1.947734, 3},
        {"{\"preset\":\"cherry\"}", 1.0, 3},
        {"{\"preset\":\"same_tokens\"}", 1.0, 3},
        {"{\"preset\":\"superfiltering\",\"first_token\":\"skip\"}", 1.0, 2},
        {"{\"preset\":\"same_tokens\",\"alone_context\":\"none\"}", 1.0, 2},
    };
    struct mini_host *m;
    const char       *line;
    double            got;
    flat(1, 1);
    fake.nll_cond[0] = fake.nll_alone[0] = 3;
    fake.backwards = _i % 2 == 0;
    m = make(rows[_i].options);
    line = mini_run(m, RECORD("q", "abc"));
    got = number(line, "ifd", 0);
    ck_assert_msg(fabs(got - rows[_i].want) < 1e-6, "%.9g", got);
    near(number(line, "ifd_n", 0), rows[_i].n);
    mini_free(m);
}
END_TEST

START_TEST(ifd_i5_one_token)
{
    struct mini_host *m;
    flat(1, 2);
    m = make("{}");
    check_status(mini_run(m, RECORD("q", "a")), "one_token");
    mini_free(m);
    m = make("{\"preset\":\"cherry\"}");
    near(number(mini_run(m, RECORD("q", "a")), "ifd", 0), 0.5);
    mini_free(m);
    m = make("{\"preset\":\"same_tokens\"}");
    near(number(mini_run(m, RECORD("q", "a")), "ifd", 0), exp(-1));
    mini_free(m);
    m = make("{\"preset\":\"same_tokens\",\"first_token\":\"skip\"}");
    check_status(mini_run(m, RECORD("q", "a")), "one_token");
    mini_free(m);
}
END_TEST

static const struct {
    const char *in, *status;
} unscored[] = {
    {RECORD("q", ""), "empty_answer"}, /* I-6 */
    {"{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"}]}", "no_answer"},
    {"{\"conversations\":[{\"from\":\"gpt\",\"value\":\"a\"}]}", "no_question"},
    {"{\"conversations\":[]}", "no_question"},
    {"{\"text\":\"a\"}", "no_conversation"},
    {"{\"conversations\":\"a\"}", "no_conversation"},
};

START_TEST(ifd_unscored)
{
    struct mini_host *m;
    flat(1, 2);
    m = make("{}");
    check_status(mini_run(m, unscored[_i].in), unscored[_i].status);
    ck_assert_uint_eq(fake.n_requests, 0);
    mini_free(m);
}
END_TEST

static const struct mini_request *request(uint64_t tag)
{
    size_t i;
    for (i = 0; i < fake.n_requests; i++) {
        if (fake.request[i].tag == tag) {
            return &fake.request[i];
        }
    }
    ck_abort_msg("no request %d", (int)tag);
}

static const struct mini_request *alone_request(void)
{
    ck_assert_uint_eq(fake.n_requests, 2);
    return request(fake.request[1].tag);
}

/* Losses 1, 2, 4, 8, 16 tell which tokens were counted. */
static void powers(void)
{
    size_t i;
    flat(0, 0);
    for (i = 0; i < 5; i++) {
        fake.nll_cond[i] = fake.nll_alone[i] = ldexp(1, (int)i);
    }
}

/* I-7: ten tokens, seven of them the prompt, five the answer: the conditional pass scores 1..3. */
START_TEST(ifd_i7_truncation)
{
    static const struct {
        const char *options;
        double      cond, alone;
        uint32_t    budget;
        bool        no_count;
    } rows[] = {
        {"{\"max_length\":10}", 7.0 / 3, 14.0 / 3, 4, false}, /* alone: 2..4 */
        {"{\"max_length\":10}", 7.0 / 3, 14.0 / 3, 10, true},
        {"{\"max_length\":10,\"preset\":\"same_tokens\"}", 7.0 / 3, 7.0 / 3, 4, false},
        {"{\"max_length\":10,\"preset\":\"same_tokens\"}", 7.0 / 3, 7.0 / 3, 10, true},
        {"{\"max_length\":10,\"first_token\":\"skip\"}", 3, 3, 3, false},
        {"{\"max_length\":10,\"first_token\":\"skip\"}", 3, 3, 10, true},
        {"{\"max_length\":11,\"prompt_context\":\"bos\",\"preset\":\"same_tokens\"}", 7.0 / 3,
         7.0 / 3, 4, false},
    };
    struct mini_host *m;
    const char       *line;
    powers();
    fake.no_count = rows[_i].no_count;
    m = make(rows[_i].options);
    for (fake.backwards = false;; fake.backwards = true) {
        line = mini_run(m, RECORD("123456", "abcde"));
        near(number(line, "loss", 1), rows[_i].cond);
        near(number(line, "loss", 0), rows[_i].alone);
        ck_assert_uint_eq(alone_request()->max_total, rows[_i].budget);
        if (fake.backwards) {
            break;
        }
    }
    mini_free(m);
}
END_TEST

/* I-7 for Cherry: the header, "123456", the response marker, and room for three answer tokens. */
START_TEST(ifd_i7_cherry)
{
    enum { PROMPT = 107 + 17 + 6 + 15, MARKER = 13 };
    char              options[80];
    struct mini_host *m;
    const char       *line;
    powers();
    fake.no_count = _i == 1;
    (void)snprintf(options, sizeof(options), "{\"preset\":\"cherry\",\"max_length\":%d}",
                   PROMPT + 3);
    m = make(options);
    line = mini_run(m, RECORD("123456", "abcde"));
    ck_assert_uint_eq(strlen(fake.request[0].prompt), PROMPT);
    near(number(line, "loss", 1), 7.0 / 3);
    near(number(line, "loss", 0), 7.0 / 3);
    near(number(line, "ifd_n", 0), 3);
    if (_i == 0) {
        ck_assert_uint_eq(alone_request()->max_total, MARKER + 3);
    }
    mini_free(m);
}
END_TEST

START_TEST(ifd_i8_prompt_fills_all)
{
    static const char *const options[] = {"{\"max_length\":7}", "{\"max_length\":6}",
                                          "{\"max_length\":7,\"preset\":\"same_tokens\"}",
                                          "{\"max_length\":20,\"preset\":\"cherry\"}"};
    struct mini_host        *m;
    flat(1, 2);
    fake.no_count = _i >= 4;
    m = make(options[_i % 4]);
    check_status(mini_run(m, RECORD("123456", "abcde")), "too_long");
    mini_free(m);
}
END_TEST

/* The answer of a backend that refuses a text as too long. */
START_TEST(ifd_refused_as_too_long)
{
    struct mini_host *m;
    flat(1, 2);
    m = make("{}");
    fake.status = DRH_E_RANGE;
    check_status(mini_run(m, RECORD("q", "abc")), "too_long");
    fake.status = DRH_OK;
    fake.submitted = DRH_E_RANGE;
    check_status(mini_run(m, RECORD("q", "abc")), "too_long");
    fake.submitted = DRH_OK;
    near(number(mini_run(m, RECORD("q", "abc")), "ifd", 0), exp(-1));
    mini_free(m);
}
END_TEST

START_TEST(ifd_i12_large_losses)
{
    struct mini_host *m;
    flat(100, 120);
    m = make("{}");
    ck_assert(fabs(number(mini_run(m, RECORD("q", "abc")), "ifd", 0) / 2.061154e-9 - 1) < 1e-6);
    flat(100, 800); /* the perplexity is no number that can be written */
    check_status(mini_run(m, RECORD("q", "abc")), "nonfinite");
    flat(100, 120);
    fake.nll_cond[1] = (double)NAN;
    check_status(mini_run(m, RECORD("q", "abc")), "nonfinite");
    flat(100, 120);
    fake.nll_alone[1] = (double)INFINITY;
    check_status(mini_run(m, RECORD("q", "abc")), "nonfinite");
    mini_free(m);
    flat(1, 0);
    m = make("{\"definition\":\"loss\"}");
    check_status(mini_run(m, RECORD("q", "abc")), "zero_loss");
    mini_free(m);
}
END_TEST

#define HEADER_INPUT                                                                               \
    "Below is an instruction that describes a task, paired with an input that provides further "   \
    "context. Write a response that appropriately completes the request.\n\n"
#define HEADER                                                                                     \
    "Below is an instruction that describes a task. Write a response that appropriately "          \
    "completes the request.\n\n"
#define VICUNA                                                                                     \
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives " \
    "helpful, detailed, and polite answers to the user's questions."

/* I-13 */
static const struct {
    const char *options, *in, *prompt, *alone;
    uint32_t    flags, alone_flags;
} prompts[] = {
    {"{}", RECORD("q", "a b"), "q\n", "", DRH_INFER_JOINT, 0},
    {"{}",
     "{\"system\":\"S\",\"conversations\":[{\"from\":\"human\",\"value\":\"q\\ni\"},{\"from\":"
     "\"gpt\",\"value\":\"ab\"},{\"from\":\"human\",\"value\":\"x\"},{\"from\":\"gpt\",\"value\":"
     "\"y\"}],\"metadata\":{\"input_from\":2}}",
     "S\nq\ni\n", "", DRH_INFER_JOINT, 0},
    {"{\"preset\":\"same_tokens\"}", RECORD("q", "ab"), "q\n", "", 0, DRH_INFER_BOS},
    {"{\"preset\":\"cherry\"}", RECORD("q", "ab"), HEADER "### Instruction:\nq\n\n### Response:",
     "### Response:", DRH_INFER_JOINT, DRH_INFER_JOINT},
    {"{\"preset\":\"cherry\",\"prompt_context\":\"bos\"}", RECORD("q", "ab"),
     HEADER "### Instruction:\nq\n\n### Response:", "### Response:",
     DRH_INFER_JOINT | DRH_INFER_BOS, DRH_INFER_JOINT | DRH_INFER_BOS},
    {"{\"preset\":\"cherry\"}",
     "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\\ni\"},{\"from\":\"gpt\",\"value\":"
     "\"ab\"}],\"metadata\":{\"input_from\":2}}",
     HEADER_INPUT "### Instruction:\nq\n\n### Input:\ni\n\n### Response:", "### Response:",
     DRH_INFER_JOINT, DRH_INFER_JOINT},
    {"{\"preset\":\"cherry\",\"template\":\"wiz\",\"boundary\":\"apart\"}", RECORD("q", "ab"),
     "q\n\n### Response:", "### Response:", 0, 0},
    {"{\"preset\":\"cherry\",\"template\":\"wiz\"}",
     "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\\ni\"},{\"from\":\"gpt\",\"value\":"
     "\"ab\"}],\"metadata\":{\"input_from\":2}}",
     "q\nInput:i\n\n### Response:", "### Response:", DRH_INFER_JOINT, DRH_INFER_JOINT},
    {"{\"preset\":\"cherry\",\"template\":\"vicuna\"}",
     "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\\ni\"},{\"from\":\"gpt\",\"value\":"
     "\"ab\"}],\"metadata\":{\"input_from\":2}}",
     VICUNA " USER: q\nInput:\ni ASSISTANT:", "ASSISTANT:", DRH_INFER_JOINT, DRH_INFER_JOINT},
    {"{\"template\":\"vicuna\"}", RECORD("q", "ab"), VICUNA " USER: q ASSISTANT:", "",
     DRH_INFER_JOINT, 0},
    {"{\"template\":\"chat\",\"alone_context\":\"bos\"}",
     "{\"system\":\"S\",\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\","
     "\"value\":\"ab\"}]}",
     "[system:S][user:q]", "", 0, DRH_INFER_BOS},
    {"{\"template\":\"chat\"}",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
     "\"ab\"}]}",
     "[user:q]", "", 0, 0},
    {"{}",
     "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"q\"},"
     "{"
     "\"role\":\"assistant\",\"content\":\"ab\"}]}",
     "S\nq\n", "", DRH_INFER_JOINT, 0},
};

START_TEST(ifd_i13_prompts)
{
    const struct mini_request *cond, *alone;
    struct mini_host          *m;
    const char                *line;
    flat(1, 2);
    m = make(prompts[_i].options);
    line = mini_run(m, prompts[_i].in);
    ck_assert_msg(!isnan(number(line, "ifd", 0)), "%s", line);
    cond = &fake.request[0];
    alone = alone_request();
    ck_assert_str_eq(cond->prompt, prompts[_i].prompt);
    ck_assert_str_eq(alone->prompt, prompts[_i].alone);
    ck_assert_str_eq(cond->target, alone->target);
    ck_assert_uint_eq(cond->flags, prompts[_i].flags);
    ck_assert_uint_eq(alone->flags, prompts[_i].alone_flags);
    mini_free(m);
}
END_TEST

START_TEST(ifd_context_caps_length)
{
    struct mini_host *m;
    flat(1, 2);
    fake.context = 64;
    m = make("{\"max_length\":4096}");
    (void)mini_run(m, RECORD("q", "abc"));
    ck_assert_uint_eq(fake.request[0].max_total, 64);
    mini_free(m);
}
END_TEST

/* A second run replaces what the first wrote; other metadata stays. */
START_TEST(ifd_again)
{
    struct mini_host *m;
    const char       *line;
    flat(1, 2);
    m = make("{}");
    line = mini_run(m, "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\","
                       "\"value\":\"\"}],\"metadata\":{\"ifd\":0.5,\"ppl\":[1,2],\"x\":1}}");
    check_status(line, "empty_answer");
    ck_assert_ptr_nonnull(strstr(line, "\"x\":1"));
    line = mini_run(m, "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\","
                       "\"value\":\"ab\"}],\"metadata\":{\"ifd_status\":\"too_long\"}}");
    ck_assert_ptr_null(strstr(line, "ifd_status"));
    near(number(line, "ifd", 0), exp(-1));
    mini_free(m);
}
END_TEST

START_TEST(ifd_model_fails)
{
    struct mini_host *m;
    flat(1, 2);
    fake.status = DRH_E_INTERNAL;
    m = make("{}");
    ck_assert_str_eq(mini_run(m, RECORD("q", "ab")),
                     "fail:infer_failed: the fake was told to fail");
    fake.status = DRH_E_CANCELLED;
    ck_assert_str_eq(mini_run(m, RECORD("q", "ab")), "open");
    fake.status = DRH_OK;
    fake.submitted = DRH_E_CANCELLED;
    ck_assert_int_eq(strncmp(mini_run(m, RECORD("q", "ab")), "error:", 6), 0);
    mini_free(m);
}
END_TEST

START_TEST(ifd_options_refused)
{
    static const char *const bad[] = {"{\"alone_context\":\"response\"}",
                                      "{\"preset\":\"cherry\",\"template\":\"plain\"}",
                                      "{\"preset\":\"cherry\",\"template\":\"chat\"}",
                                      "{\"preset\":\"x\"}", "{\"max_length\":1}"};
    drh_error                e = DRH_ERROR_INIT;
    flat(1, 2);
    ck_assert_ptr_null(mini_new(&drh_entry_v1, bad[_i], &fake, &e));
    ck_assert_str_ne(e.message, "");
}
END_TEST

START_TEST(ifd_needs_a_model)
{
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m;
    ck_assert_ptr_null(mini_new(&drh_entry_v1, "{}", NULL, &e));
    ck_assert_ptr_nonnull(strstr(e.message, "--model"));
    flat(1, 2);
    fake.no_bos = true;
    m = make("{\"preset\":\"same_tokens\"}");
    ck_assert_int_eq(strncmp(mini_run(m, RECORD("q", "ab")), "error:", 6), 0);
    mini_free(m);
}
END_TEST

START_TEST(ifd_without_memory)
{
    flat(1, 1);
    fake.backwards = _i == 1;
    mini_sweep(&drh_entry_v1, "{\"preset\":\"same_tokens\",\"definition\":\"loss\"}", &fake,
               "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"}]}",
               "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"}],\"metadata\":{"
               "\"ifd_status\":\"no_answer\"}}");
    mini_sweep(&drh_entry_v1, "{\"max_length\":9}", &fake, RECORD("12345678", "abcde"),
               "{\"conversations\":[{\"from\":\"human\",\"value\":\"12345678\"},{\"from\":"
               "\"gpt\",\"value\":\"abcde\"}],\"metadata\":{\"ifd_status\":\"too_long\"}}");
    mini_sweep(&drh_entry_v1, "{\"preset\":\"same_tokens\",\"definition\":\"loss\"}", &fake,
               RECORD("q", "abc"),
               "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\","
               "\"value\":\"abc\"}],\"metadata\":{\"ppl\":[2.718281828459045,2.718281828459045],"
               "\"loss\":[1,1],\"ifd\":1,\"ifd_n\":3}}");
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
    Suite   *s = suite_create("ifd");
    TCase   *t = tcase_create("ifd");
    SRunner *r;
    int      failed;
    tcase_add_loop_test(t, ifd_i1_equal_means, 0, 2);
    tcase_add_loop_test(t, ifd_i2_definitions_disagree, 0, 5);
    tcase_add_loop_test(t, ifd_i3_uniform_is_one, 0, 8);
    tcase_add_loop_test(t, ifd_i4_first_token, 0, 5);
    tcase_add_test(t, ifd_i5_one_token);
    tcase_add_loop_test(t, ifd_unscored, 0, COUNT(unscored));
    tcase_add_loop_test(t, ifd_i7_truncation, 0, 7);
    tcase_add_loop_test(t, ifd_i7_cherry, 0, 2);
    tcase_add_loop_test(t, ifd_i8_prompt_fills_all, 0, 8);
    tcase_add_test(t, ifd_refused_as_too_long);
    tcase_add_test(t, ifd_i12_large_losses);
    tcase_add_loop_test(t, ifd_i13_prompts, 0, COUNT(prompts));
    tcase_add_test(t, ifd_context_caps_length);
    tcase_add_test(t, ifd_again);
    tcase_add_test(t, ifd_model_fails);
    tcase_add_loop_test(t, ifd_options_refused, 0, 5);
    tcase_add_test(t, ifd_needs_a_model);
    tcase_add_loop_test(t, ifd_without_memory, 0, 2);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
