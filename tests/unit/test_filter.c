/* SPDX-License-Identifier: MIT
 *
 * test_filter.c - the filter by tables: conditions and what becomes of records, conditions that are
 * wrong, counts and languages; every allocation refused once.
 */
#include "mini_host.h"

#include "err.h"
#include "filter.h"

#include <check.h>
#include <stdlib.h>

extern const drh_entry drh_entry_v1;

#define ROWS(t) (int)(sizeof(t) / sizeof((t)[0]))
#define TURN(who, text) "{\"from\":\"" who "\",\"value\":\"" text "\"}"
#define PAIR(q, a) "{\"conversations\":[" TURN("human", q) "," TURN("gpt", a) "]}"
#define TWO                                                                                        \
    "{\"conversations\":[" TURN("human", "one two") "," TURN("gpt", "three") "," TURN(             \
        "human", "four") "," TURN("gpt", "five six seven") "],\"system\":\"S\",\"score\":2.5,"     \
                                                           "\"metadata\":{\"lang\":\"En\"}}"

/* out NULL: kept as it is. */
static const struct {
    const char *options, *in, *out;
} rows[] = {
    {"{\"keep\":[{\"of\":\"answer\",\"min_chars\":5}]}", PAIR("q", "12345"), NULL},
    {"{\"keep\":[{\"of\":\"answer\",\"min_chars\":5}]}", PAIR("q", "1234"),
     "drop:too_short: condition 1 of keep: answer: 4 characters, at least 5"},
    {"{\"keep\":[{\"of\":\"answer\",\"max_chars\":2}]}", PAIR("long", "\u4f60\u597d"), NULL},
    {"{\"keep\":[{\"of\":\"answer\",\"max_chars\":2}]}", PAIR("long", "\u4f60\u597d\u5417"),
     "drop:too_long: condition 1 of keep: answer: 3 characters, at most 2"},
    /* each question, each answer, each turn */
    {"{\"keep\":[{\"of\":\"question\",\"min_words\":2}]}", TWO,
     "drop:too_few_words: condition 1 of keep: question: 1 words, at least 2"},
    {"{\"keep\":[{\"of\":\"answer\",\"max_words\":2}]}", TWO,
     "drop:too_many_words: condition 1 of keep: answer: 3 words, at most 2"},
    {"{\"keep\":[{\"of\":\"turn\",\"min_words\":1,\"max_words\":3}]}", TWO, NULL},
    {"{\"keep\":[{\"of\":\"conversation\",\"min_words\":7,\"max_words\":7}]}", TWO, NULL},
    {"{\"keep\":[{\"of\":\"conversation\",\"max_chars\":33}]}", TWO, NULL},
    {"{\"keep\":[{\"of\":\"conversation\",\"max_chars\":32}]}", TWO,
     "drop:too_long: condition 1 of keep: conversation: 33 characters, at most 32"},
    {"{\"keep\":[{\"of\":\"system\",\"min_chars\":1}]}", TWO, NULL},
    {"{\"keep\":[{\"of\":\"system\",\"min_chars\":1}]}", PAIR("q", "a"),
     "drop:too_short: condition 1 of keep: system: 0 characters, at least 1"},
    {"{\"keep\":[{\"min_turns\":2,\"max_turns\":2}]}", TWO, NULL},
    {"{\"keep\":[{\"min_turns\":2}]}", PAIR("q", "a"),
     "drop:too_few_turns: condition 1 of keep: 1 questions, at least 2"},
    {"{\"keep\":[{\"max_turns\":1}]}", TWO,
     "drop:too_many_turns: condition 1 of keep: 2 questions, at most 1"},
    /* to drop, one is enough, and everything that it asks has to be so */
    {"{\"drop\":[{\"of\":\"question\",\"max_words\":1}]}", TWO,
     "drop:unwanted: condition 1 of drop holds: question"},
    {"{\"drop\":[{\"of\":\"question\",\"max_words\":1,\"matches\":\"two\"}]}", TWO, NULL},
    {"{\"drop\":[{\"of\":\"question\",\"max_words\":2,\"matches\":\"two\",\"name\":\"about_2\"}]}",
     TWO, "drop:about_2: condition 1 of drop holds: question"},
    {"{\"drop\":[{\"max_turns\":1}]}", PAIR("q", "a"), "drop:unwanted: condition 1 of drop holds"},
    /* the first one decides, those to keep by come first */
    {"{\"drop\":[{\"of\":\"turn\",\"min_chars\":0}],\"keep\":[{\"of\":\"turn\",\"min_chars\":1},"
     "{\"of\":\"turn\",\"min_chars\":9,\"name\":\"stub\"}]}",
     PAIR("q", "a"), "drop:stub: condition 2 of keep: turn: 1 characters, at least 9"},
    /* expressions */
    {"{\"keep\":[{\"of\":\"answer\",\"matches\":\"^\\\\w+\\\\.$\"}]}", PAIR("q", "\u00c9t\u00e9."),
     NULL},
    {"{\"keep\":[{\"of\":\"answer\",\"matches\":\"^\\\\w+\\\\.$\"}]}", PAIR("q", "a b."),
     "drop:no_match: condition 1 of keep: answer: nothing matches ^\\w+\\.$"},
    {"{\"drop\":[{\"of\":\"answer\",\"matches\":\"(?i)as an ai\"}]}", PAIR("q", "Well, As an AI I"),
     "drop:unwanted: condition 1 of drop holds: answer"},
    {"{\"keep\":[{\"of\":\"answer\",\"matches\":\"^(a|a)*$\"}]}",
     PAIR("q", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
     "fail:regex_limit: ^(a|a)*$ takes too many steps"},
    {"{\"drop\":[{\"of\":\"answer\",\"matches\":\"^(a|a)*$\"}]}",
     PAIR("q", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
     "fail:regex_limit: ^(a|a)*$ takes too many steps"},
    {"{\"drop\":[{\"of\":\"turn\",\"matches\":\"^(a|a)*$\"}]}",
     PAIR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "b"),
     "fail:regex_limit: ^(a|a)*$ takes too many steps"},
    /* fields */
    {"{\"keep\":[{\"field\":\"score\",\"min\":2.5,\"max\":2.5}]}", TWO, NULL},
    {"{\"keep\":[{\"field\":\"reward\",\"min\":-10}]}", "{\"reward\":-10.0}", NULL}, /* M-7 */
    {"{\"keep\":[{\"field\":\"score\",\"min\":2.51}]}", TWO,
     "drop:too_low: condition 1 of keep: score: 2.5, at least 2.51"},
    {"{\"keep\":[{\"field\":\"score\",\"max\":-1}]}", TWO,
     "drop:too_high: condition 1 of keep: score: 2.5, at most -1"},
    {"{\"keep\":[{\"field\":\"/metadata/lang\",\"min\":1}]}", TWO,
     "drop:not_a_number: condition 1 of keep: /metadata/lang: \"En\""},
    {"{\"keep\":[{\"field\":\"/metadata/lang\",\"in\":[\"Zh\",\"En\"]}]}", TWO, NULL},
    {"{\"keep\":[{\"field\":\"/metadata/lang\",\"in\":[\"Zh\",\"E\"]}]}", TWO,
     "drop:not_in_list: condition 1 of keep: /metadata/lang: it is \"En\""},
    {"{\"drop\":[{\"field\":\"score\",\"min\":2}]}", TWO,
     "drop:unwanted: condition 1 of drop holds: score"},
    {"{\"keep\":[{\"field\":\"score\",\"min_chars\":1}]}", TWO,
     "drop:not_text: condition 1 of keep: score: 2.5"},
    {"{\"keep\":[{\"field\":\"x\",\"min\":1}]}", TWO, "drop:missing: condition 1 of keep: x: x"},
    {"{\"drop\":[{\"field\":\"x\",\"min\":1}]}", TWO, NULL},
    {"{\"keep\":[{\"field\":\"x\",\"there\":false}]}", "{\"x\":null}", NULL},
    {"{\"keep\":[{\"field\":\"x\",\"there\":true}]}", "{\"x\":null}",
     "drop:missing: condition 1 of keep: x: x"},
    {"{\"drop\":[{\"field\":\"x\",\"there\":true}]}", "{\"x\":0}",
     "drop:unwanted: condition 1 of drop holds: x"},
    {"{\"keep\":[{\"field\":\"x\",\"there\":true}]}", "{\"x\":0}", NULL},
    /* languages, refusals */
    {"{\"keep\":[{\"of\":\"turn\",\"lang\":[\"Zh\"]}]}", PAIR("\u4f60\u597d", "\u6211 is"), NULL},
    {"{\"keep\":[{\"of\":\"turn\",\"lang\":[\"Zh\",\"Ja\"]}]}", PAIR("\u4f60\u597d", "Hello"),
     "drop:other_language: condition 1 of keep: turn: En"},
    {"{\"keep\":[{\"of\":\"turn\",\"lang\":[\"En\"]}]}", PAIR("1", "2"),
     "drop:other_language: condition 1 of keep: turn: no letters"},
    {"{\"keep\":[{\"of\":\"answer\",\"refusal\":false}]}", PAIR("q", "I'm sorry, but no."),
     "drop:refusal: condition 1 of keep: answer: I'm sorry, but no."},
    {"{\"keep\":[{\"of\":\"answer\",\"refusal\":false}]}", PAIR("q", "Say: I'm sorry."), NULL},
    {"{\"drop\":[{\"of\":\"answer\",\"refusal\":true,\"name\":\"refusal\"}]}",
     PAIR("q", "I'm sorry, but no."), "drop:refusal: condition 1 of drop holds: answer"},
    /* records that are otherwise */
    {"{\"keep\":[{\"of\":\"turn\",\"min_chars\":1}]}", "{\"text\":\"x\"}",
     "fail:no_conversation: put chat before this step"},
    {"{\"keep\":[{\"of\":\"turn\",\"min_chars\":1}]}", "{\"conversations\":[7]}",
     "fail:no_conversation: put chat before this step"},
    {"{\"keep\":[{\"of\":\"turn\",\"min_chars\":0}]}",
     "{\"conversations\":[{\"from\":\"human\",\"value\":7}]}",
     "drop:not_text: condition 1 of keep: turn: the content of turn 1"},
    {"{\"keep\":[{\"of\":\"answer\",\"max_chars\":1}]}",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"qq\"},{\"role\":\"assistant\",\"content\":"
     "\"a\"}]}",
     NULL},
};

START_TEST(judged)
{
    drh_error         e = ERR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, rows[_i].options, NULL, &e);
    const char       *got, *want = rows[_i].out ? rows[_i].out : rows[_i].in;

    ck_assert_msg(m != NULL, "%d: %s", _i, e.message);
    got = mini_run(m, rows[_i].in);
    ck_assert_msg(strcmp(got, want) == 0, "%d: %s\n  instead of %s", _i, got, want);
    mini_free(m);
}
END_TEST

static const struct {
    const char *options, *says;
} wrong[] = {
    {"{}", "no condition: give \"keep\" or \"drop\""},
    {"{\"keep\":[]}", "no condition"},
    {"{\"keep\":[{\"of\":\"answer\"}]}", "condition 1 of \"keep\": it asks nothing"},
    {"{\"drop\":[{\"of\":\"answer\",\"min_chars\":1},{\"min_words\":2}]}",
     "condition 2 of \"drop\": of what?"},
    {"{\"keep\":[{\"of\":\"answer\",\"field\":\"x\",\"min_chars\":1}]}",
     "it is about \"of\" or about \"field\"; leave one out"},
    {"{\"keep\":[{\"of\":\"answer\",\"min\":1}]}", "are about a \"field\""},
    {"{\"keep\":[{\"field\":\"x\",\"min\":1,\"min_chars\":2}]}", "make two conditions of it"},
    {"{\"keep\":[{\"of\":\"answer\",\"min_chars\":3,\"max_chars\":2}]}",
     "\"min_chars\" is more than \"max_chars\""},
    {"{\"keep\":[{\"field\":\"x\",\"min\":1,\"max\":0.5}]}", "\"min\" is more than \"max\""},
    {"{\"keep\":[{\"of\":\"answer\",\"matches\":\"a(b\"}]}",
     "\"matches\" is no regular expression: missing closing parenthesis at byte 3 of a(b"},
    {"{\"keep\":[{\"field\":\"/a~b\",\"there\":true}]}", "\"/a~b\" is no field"},
    {"{\"keep\":[{\"of\":\"answer\",\"min_chars\":3,\"name\":\"Too short\"}]}",
     "at most 40 of a-z, 0-9 and _"},
    {"{\"keep\":[{\"of\":\"answer\",\"min_char\":3}]}", "min_char"},
    {"{\"keep\":[{\"of\":\"answers\",\"min_chars\":3}]}", "answers"},
    {"{\"keep\":[{\"of\":\"answer\",\"lang\":[\"Xx\"]}]}", "Xx"},
};

START_TEST(refused)
{
    drh_error         e = ERR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, wrong[_i].options, NULL, &e);
    ck_assert_msg(m == NULL, "%d was accepted", _i);
    ck_assert_msg(strstr(e.message, wrong[_i].says) != NULL, "%d: %s", _i, e.message);
}
END_TEST

START_TEST(without_memory)
{
    mini_sweep(&drh_entry_v1,
               "{\"keep\":[{\"of\":\"conversation\",\"min_words\":7,\"matches\":\"s[ei](x|v)\"},"
               "{\"of\":\"turn\",\"lang\":[\"En\"]}],\"drop\":[{\"field\":\"/metadata/lang\","
               "\"in\":[\"Zh\"]}]}",
               NULL, TWO, TWO);
}
END_TEST

/* Characters, words: by hand. */
static const struct {
    const char *text;
    uint64_t    chars, words;
    const char *lang;
} counts[] = {
    {"", 0, 0, ""},
    {" \n", 2, 0, ""},
    {"one, two", 8, 2, "En"},
    {"\u4f60\u597d world", 8, 3, "Zh"},
    {"\u4f60a\u597d", 3, 3, "Zh"},
    {"\u3053\u3093\u306b\u3061\u306f\u4e16\u754c", 7, 7, "Ja"},
    {"\uc548\ub155 \ud558\uc138\uc694", 6, 2, "Ko"},
    {"\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440", 10, 2, "Ru"},
    {"a\u00a0b\u3000c", 5, 3, "En"},
    {"\U0001f600", 1, 1, ""},
    {"na\u00efve \u00e9t\u00e9", 9, 2, "En"},
};

START_TEST(counted)
{
    const drh_str             s = drh_str_of(counts[_i].text);
    const struct filter_count n = filter_count(s);
    ck_assert_uint_eq(n.chars, counts[_i].chars);
    ck_assert_uint_eq(n.words, counts[_i].words);
    ck_assert_str_eq(filter_lang(s), counts[_i].lang);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("filter");
    TCase   *t = tcase_create("filter");
    SRunner *r;
    int      failed;

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, judged, 0, ROWS(rows));
    tcase_add_loop_test(t, refused, 0, ROWS(wrong));
    tcase_add_loop_test(t, counted, 0, ROWS(counts));
    tcase_add_test(t, without_memory);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
