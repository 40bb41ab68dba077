/* SPDX-License-Identifier: MIT
 *
 * test_chat_flags.c - what chat's option `flags` says of a question and an answer: the rows "role
 * words leaked" and "truncated answer" of the methods specification, 5.4.
 */
#include "mini_host.h"

#include "err.h"
#include "run.h"

extern const drh_entry drh_entry_v1;

#define LEAK "\"flags\":[\"template_leak\"]"
#define CUT "\"flags\":[\"truncated\"]"
#define BOTH "\"flags\":[\"template_leak\",\"truncated\"]"
#define TEN "ten bytes, "
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define HAN "\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341"

static const struct {
    const char *name, *question, *answer, *flags; /* as JSON has them; NULL: none */
} cases[] = {
    {"nothing", "q", "a", NULL},
    {"5.4 leak: a token in the answer", "q", "a<|im_end|>", LEAK},
    {"5.4 leak: a token in the question", "[INST] q", "a.", LEAK},
    {"5.4 leak: of DeepSeek", "q", "a <\uff5cUser\uff5c> q", LEAK},
    {"5.4 leak: ### Response:", "q", "### Response:\\na", LEAK},
    {"5.4 leak: a line of the human", "q", "a\\nHuman: r", LEAK},
    {"no token", "q", "a <|im_sta [INS] a < b", NULL},
    {"words in the middle of a line", "q", "not Human: but User: here, ### Response: there", NULL},
    {"a question may hold a dialogue", "Human: hi\\nAssistant: yo", "a", NULL},
    {"5.4 truncated: open code", "q", "a:\\n```c\\nint x;", CUT},
    {"5.4 truncated: open code, closed and open", "q", "```\\na\\n```\\n  ~~~\\nb", CUT},
    {"code", "q", "a:\\n```c\\nint x;\\n```", NULL},
    {"code on one line", "q", "```a``` b", NULL},
    {"5.4 truncated: a letter", "q", LONG "and then\\n", CUT},
    {"5.4 truncated: a comma", "q", LONG "a, b,", CUT},
    {"5.4 truncated: a colon", "q", LONG "as follows:", CUT},
    {"5.4 truncated: Chinese", "q", HAN HAN HAN HAN, CUT},
    {"5.4 truncated: a Chinese comma", "q", HAN HAN HAN HAN "\uff0c", CUT},
    {"the end of a sentence", "q", LONG "end.", NULL},
    {"the end of a quotation", "q", LONG "\u201cend\u201d", NULL},
    {"the end of a Chinese sentence", "q", HAN HAN HAN HAN "\u3002", NULL},
    {"a number", "q", LONG "\\n#### 24", NULL},
    {"a short answer", "q", TEN "and then", NULL},
    {"a list", "q", LONG "\\n- an item", NULL},
    {"a list with numbers", "q", LONG "\\n12. an item", NULL},
    {"a list with bullets", "q", LONG "\\n\u2022 an item", NULL},
    {"a table", "q", LONG "\\n| a | b", NULL},
    {"a paragraph behind a list", "q", "- an item\\n" LONG "and then", CUT},
    {"both", "q", "<|im_start|>" LONG "and then", BOTH},
};

START_TEST(chat_flags_of)
{
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, "{\"flags\":true}", NULL, &e);
    char              line[1024];
    const char       *got;
    ck_assert_ptr_nonnull(m);
    (void)snprintf(line, sizeof(line), "{\"question\":\"%s\",\"answer\":\"%s\"}",
                   cases[_i].question, cases[_i].answer);
    got = mini_run(m, line);
    ck_assert_msg(got[0] == '{' && (cases[_i].flags ? strstr(got, cases[_i].flags) != NULL
                                                    : strstr(got, "\"flags\"") == NULL),
                  "%s: %s", cases[_i].name, got);
    mini_free(m);
}
END_TEST

START_TEST(chat_flags_asked_for)
{
    static const char line[] = "{\"question\":\"q\",\"answer\":\"a<|im_end|>\",\"metadata\":{%s}}";
    char              some[200];
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, "{}", NULL, &e);
    ck_assert_ptr_nonnull(m);
    (void)snprintf(some, sizeof(some), line, "");
    ck_assert_ptr_null(strstr(mini_run(m, some), "\"flags\""));
    mini_free(m);
    m = mini_new(&drh_entry_v1, "{\"flags\":true}", NULL, &e);
    ck_assert_ptr_nonnull(m);
    ck_assert_ptr_nonnull(strstr(mini_run(m, some), LEAK));
    (void)snprintf(some, sizeof(some), line, "\"flags\":\"mine\""); /* what is there stays */
    ck_assert_ptr_nonnull(strstr(mini_run(m, some), "\"flags\":\"mine\""));
    ck_assert_ptr_null(strstr(mini_run(m, some), "template_leak"));
    mini_free(m);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("chat_flags");
    tcase_add_loop_test(t, chat_flags_of, 0, ROWS(cases));
    tcase_add_test(t, chat_flags_asked_for);
    return run_case("chat_flags", t);
}
