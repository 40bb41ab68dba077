/* SPDX-License-Identifier: MIT
 *
 * test_pretrain.c - the pretrain converter by a table; the default form is the recipe's own.
 */
#include "mini_host.h"

#include "err.h"

#include <check.h>
#include <stdlib.h>

extern const drh_entry drh_entry_v1;

#define TURNS                                                                                      \
    "\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\",\"value\":\"a\"}]"

static const struct {
    const char *options, *in, *out;
} rows[] = {
    {"{}", "{" TURNS ",\"metadata\":{\"id\":\"1\",\"ifd\":0.50}}",
     "{\"metadata\":{\"id\":\"1\",\"ifd\":0.50},\"content\":\"q\\na\\n\"}"},
    {"{}", "{" TURNS "}", "{\"content\":\"q\\na\\n\"}"},
    {"{}", "{\"x\":1," TURNS ",\"system\":\"You are a helpful assistant.\",\"metadata\":{}}",
     "{\"metadata\":{},\"content\":\"q\\na\\n\"}"},
    {"{}", "{" TURNS ",\"system\":\"Play Conan.\",\"metadata\":{}}",
     "{\"metadata\":{},\"content\":\"Play Conan.\\nq\\na\\n\"}"},
    {"{\"system\":\"keep\"}", "{" TURNS ",\"system\":\"You are a helpful assistant.\"}",
     "{\"content\":\"You are a helpful assistant.\\nq\\na\\n\"}"},
    {"{\"system\":\"drop\"}", "{" TURNS ",\"system\":\"S\"}", "{\"content\":\"q\\na\\n\"}"},
    {"{\"default_systems\":[\"A\",\"S\"]}", "{" TURNS ",\"system\":\"S\"}",
     "{\"content\":\"q\\na\\n\"}"},
    {"{\"default_systems\":[]}", "{" TURNS ",\"system\":\"You are a helpful assistant.\"}",
     "{\"content\":\"You are a helpful assistant.\\nq\\na\\n\"}"},
    {"{\"key\":\"text\",\"metadata\":false}", "{" TURNS ",\"metadata\":{\"id\":\"1\"}}",
     "{\"text\":\"q\\na\\n\"}"},
    /* C-1 */
    {"{\"final_separator\":false}", "{" TURNS "}", "{\"content\":\"q\\na\"}"},
    {"{\"separator\":\"\\n\\n\",\"labels\":\"q_a\"}", "{" TURNS "}",
     "{\"content\":\"Q: q\\n\\nA: a\\n\\n\"}"},
    {"{\"labels\":\"question_answer\"}", "{" TURNS "}",
     "{\"content\":\"Question: q\\nAnswer: a\\n\"}"},
    {"{\"labels\":\"zh\"}", "{" TURNS "}", "{\"content\":\"\u95ee\uff1aq\\n\u7b54\uff1aa\\n\"}"},
    {"{\"labels\":\"user_assistant\"}", "{" TURNS ",\"system\":\"S\"}",
     "{\"content\":\"S\\nUser: q\\nAssistant: a\\n\"}"},
    {"{}",
     "{\"conversations\":[{\"from\":\"human\",\"value\":\"\\u4f60\\\"\\u0000\"},{\"from\":\"gpt\","
     "\"value\":\"\\ud83d\\ude00\\n\"},{\"from\":\"human\",\"value\":\"r\"},{\"from\":\"gpt\","
     "\"value\":\"b\"}]}",
     "{\"content\":\"\u4f60\\\"\\u0000\\n\U0001f600\\n\\nr\\nb\\n\"}"},
    {"{}",
     "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"q\"},"
     "{"
     "\"role\":\"assistant\",\"content\":\"a\"}],\"metadata\":{}}",
     "{\"metadata\":{},\"content\":\"S\\nq\\na\\n\"}"},
    {"{}", "{\"a\":1}", "fail:no_conversation: "},
    {"{}", "{\"conversations\":[]}", "fail:no_turns: "},
    {"{}", "{\"conversations\":[{\"from\":\"human\",\"value\":7}]}", "fail:not_text: "},
    {"{}", "{\"conversations\":[\"x\"]}", "fail:not_text: "},
};

START_TEST(pretrain_rows)
{
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, rows[_i].options, NULL, &e);
    const char       *got;
    ck_assert_msg(m != NULL, "%s", e.message);
    got = mini_run(m, rows[_i].in);
    ck_assert_msg(strcmp(got, rows[_i].out) == 0, "\n got %s\nwant %s", got, rows[_i].out);
    mini_free(m);
}
END_TEST

START_TEST(pretrain_without_memory)
{
    mini_sweep(&drh_entry_v1, "{}", NULL, "{" TURNS "}", "{\"content\":\"q\\na\\n\"}");
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("pretrain");
    TCase   *t = tcase_create("pretrain");
    SRunner *r;
    int      failed;
    tcase_add_loop_test(t, pretrain_rows, 0, sizeof(rows) / sizeof(rows[0]));
    tcase_add_test(t, pretrain_without_memory);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
