/* SPDX-License-Identifier: MIT
 *
 * test_magpie.c - what magpie does with texts: the sanitiser against what the published code gives
 * (S-20 and S-24 aside, each row was made by running it; S-23 with its stale offset mended), and
 * what is not worth keeping.
 */
#include "magpie.h"
#include "run.h"

#include <check.h>
#include <drh/util.h>
#include <string.h>

/* ---- the sanitiser -------------------------------------------------------------------------- */

static const struct {
    const char *in, *out, *llama, *gemma, *gemma_out; /* NULL: the same, or not known */
} rows[] = {
    {"**Question 3:** What is 2+2? A. 3 B. 4", "What is 2+2?", "1", "1", NULL},
    {"Task: Write a poem\nSecond line", "Write a poem", "99.2", "6.2", NULL},
    {"1. How do I bake bread? I want sourdough.", "How do I bake bread?", "99.1", "6.1", NULL},
    {"\"Explain gravity\"\nmore", "Explain gravity", "2.2", "2.2", NULL},
    {"Compute x. The answer is: 4", "Compute x.", "4", "4", NULL},
    {"Solve it. Answer: 4", "Solve it. Answer: 4", "99.2", "6.2", NULL},
    {"Solve this. Correct answer: C", "Solve this.", "4", "4", NULL},
    {"Solve x+1=2.\n## Step 1: subtract", "Solve x+1=2.", "5", "6.2", NULL},
    {"Write the following:\n# Title", "Write the following:", "6.1", "5.1", NULL},
    {"Write the following:\nitem? yes", "Write the following:\nitem?", "6.2", "5.2", NULL},
    {"Write the following:\nitem", "Write the following:", "6.3", "5.3", NULL},
    {"*Why?* because", "Why?", "1", "1", NULL},
    {"<b>Bold</b> *x*", "<b>Bold</b> x", "3", "3", NULL},
    {"a) What is it?", "What is it?", "99.1", "6.1", NULL},
    {"Request: \"Why is the sky blue?\"", "Why is the sky blue?", "2.1", "2.1", NULL},
    {"What is A? And what is B?", "What is A?", "99.1", "6.1", NULL},
    {"Q1. Find x.", "Find x.", "99.2", "6.2", NULL},
    {"## Problem: Find y", "Find y", "99.2", "6.2", NULL},
    {"Context: Task: do X", "do X", "99.2", "6.2", NULL},
    {"", "", "99.2", "6.2", NULL},
    {"x**y**? b", "xy?", "99.1", NULL, NULL},
    {"Hi **a**? b", "Hi **a**?", "99.1", NULL, NULL},
    {"Task: Question: Compute x. The answer is: 4", "Compute x.", "4", NULL, NULL},
    /* further ones, by the published code with that offset mended */
    {"Task: **Why ?** now", "Why?", "1", "1", NULL},
    {"\"Is it so \"? yes\"", "Is it so?", "2.1", "2.1", NULL},
    {"Write the following: \nWhat is A ? B", "Write the following: \nWhat is A?", "6.2", "5.2",
     NULL},
    {"Compute x. \nThe answer is: 4", "Compute x.", "4", "4", NULL},
    {"## Task: ## Problem: Find *y* \nnow", "Find y", "99.2", "6.2", NULL},
    {"Part 2: Write a poem.\n### Step 1: think", "Write a poem.", "5", "6.2", NULL},
    {"　请问你是谁？　", "请问你是谁？", "99.2", "6.2", NULL},
    {"é**y**? b", "éy?", "99.1", "6.1", NULL},
    {"12. 3) **Find** x", "Find x", "99.2", "6.2", NULL},
    {"Questions: what?", "Questions: what?", "99.1", "6.1", NULL},
    {"<b>Task: x* ", "<b>Task: x", "3", "3", NULL},
    {"**Prompt** *x* Solution::s", "*x*", "4", "4", NULL},
    {"你好)世界？", "世界？", "99.2", "6.2", NULL},
    {"你好？)世界", "你好？)世界", "99.2", "6.2", NULL},
    /* of a heading nothing stays (the published code leaves "#") */
    {"Find x. #### Step 1: go", "Find x.", "5", NULL, "Find x. #### Step 1: go"},
};

START_TEST(sanitised)
{
    for (int family = MAGPIE_LLAMA3; family <= MAGPIE_GEMMA2; family++) {
        char   text[200];
        size_t n = strlen(rows[_i].in);
        const char *class, *want = family == MAGPIE_LLAMA3 ? rows[_i].llama : rows[_i].gemma;
        const char *out =
            family == MAGPIE_GEMMA2 && rows[_i].gemma_out ? rows[_i].gemma_out : rows[_i].out;
        memcpy(text, rows[_i].in, n);
        class = magpie_sanitise(text, &n, (enum magpie_family)family);
        ck_assert_msg(n == strlen(out) && memcmp(text, out, n) == 0, "S-%d: \"%.*s\"", _i + 1,
                      (int)n, text);
        ck_assert_msg(!want || strcmp(class, want) == 0, "S-%d: class %s", _i + 1, class);
    }
}
END_TEST

/* ---- what is kept --------------------------------------------------------------------------- */

static const struct {
    const char *text, *why; /* NULL: kept */
} questions[] = {
    {"What is 2+2?", NULL},
    {"", "empty_question"},
    {"List:", "question_incomplete"},
    {"请列出：", "question_incomplete"},
    {"a<|im_end|>b", "template_leak"},
    {"a <|start_header_id|> b", "template_leak"},
    {"Is a <| b and c |> d right?", NULL}, /* no token has spaces */
    {"[INST] hi", "template_leak"},
    {"<start_of_turn>user", "template_leak"},
    {"hi", "question_short"},
    {"Why is this question so very long that nobody reads it to its end?", "question_long"},
};

START_TEST(bad_questions)
{
    const struct magpie_options o = {.min_chars = 3, .max_chars = 40, .lang = {"any", 3}};
    const char                 *why = magpie_bad_question(&o, drh_str_of(questions[_i].text));
    ck_assert_msg(questions[_i].why ? why && strcmp(why, questions[_i].why) == 0 : !why,
                  "\"%s\": %s", questions[_i].text, why ? why : "kept");
}
END_TEST

START_TEST(languages)
{
    struct magpie_options o = {.lang = {"Zh", 2}};
    ck_assert_ptr_null(magpie_bad_question(&o, drh_str_of("什么是人工智能?")));
    ck_assert_ptr_null(magpie_bad_question(&o, drh_str_of("用Python写一个快速排序")));
    ck_assert_str_eq(magpie_bad_question(&o, drh_str_of("What is AI?")), "other_language");
    o.lang = drh_str_of("En");
    ck_assert_ptr_null(
        magpie_bad_question(&o, drh_str_of("What does 好 mean in Chinese writing?")));
    ck_assert_str_eq(magpie_bad_question(&o, drh_str_of("什么是人工智能?")), "other_language");
    ck_assert_str_eq(synth_lang(drh_str_of("42")), "En");
}
END_TEST

static const struct {
    const char *text, *why;
} answers[] = {
    {"It is 4.", NULL},
    {"", "empty_answer"},
    {"I'm sorry, but I cannot help with that.", "refusal"},
    {"As an AI language model, I have no age.", "refusal"},
    {"抱歉，我无法回答。", "refusal"},
    {"She said: I'm sorry, I cannot come.", NULL},
    {"4<|endoftext|>", "template_leak"},
    {"### Response: 4", "template_leak"},
};

START_TEST(bad_answers)
{
    const char *why = synth_bad_answer(drh_str_of(answers[_i].text), 0);
    ck_assert_msg(answers[_i].why ? why && strcmp(why, answers[_i].why) == 0 : !why, "\"%s\": %s",
                  answers[_i].text, why ? why : "kept");
    why = synth_bad_answer(drh_str_of(answers[_i].text), 1);
    ck_assert(!why || strcmp(why, "refusal") != 0);
}
END_TEST

static void ck_text(drh_str got, const char *want)
{
    ck_assert_msg(got.len == strlen(want) && memcmp(got.ptr, want, got.len) == 0, "\"%.*s\"",
                  (int)got.len, got.ptr);
}

START_TEST(thoughts)
{
    ck_text(synth_answer_of(drh_str_of("4")), "4");
    ck_text(synth_answer_of(drh_str_of("<think>\n2+2\n</think>\n\n4")), "4");
    ck_text(synth_answer_of(drh_str_of("so\n</think>\n4 ")), "4"); /* opened by the template */
    ck_text(synth_answer_of(drh_str_of("<think>a</think>b<think>c</think> d")), "d");
    ck_text(synth_answer_of(drh_str_of("<think>never ends")), "");
    ck_text(synth_trim(drh_str_of(" \n a b\t\n")), "a b");
    ck_text(synth_trim(drh_str_of(" \n")), "");
}
END_TEST

START_TEST(systems)
{
    ck_assert_uint_gt(magpie_system_text(drh_str_of("maths")).len, 50);
    ck_assert_uint_eq(magpie_system_text(drh_str_of("none")).len, 0);
    ck_assert_ptr_nonnull(magpie_system_text(drh_str_of("none")).ptr);
    ck_assert_ptr_null(magpie_system_text(drh_str_of("math")).ptr);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("magpie");
    tcase_add_loop_test(t, sanitised, 0, ROWS(rows));
    tcase_add_loop_test(t, bad_questions, 0, ROWS(questions));
    tcase_add_loop_test(t, bad_answers, 0, ROWS(answers));
    tcase_add_test(t, languages);
    tcase_add_test(t, thoughts);
    tcase_add_test(t, systems);
    return run_case("magpie", t);
}
