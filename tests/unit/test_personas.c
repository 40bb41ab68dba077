/* SPDX-License-Identifier: MIT
 *
 * test_personas.c - what personas makes of replies: openings that are asked for, introductions,
 * likeness, lines.
 */
#include "personas.h"
#include "run.h"

#include <check.h>
#include <drh/util.h>
#include <string.h>

static const struct {
    const char *reply, *opening, *rest; /* NULL: it does not begin so */
} opened[] = {
    {"User prompt: How do I prune roses?", "user prompt", "How do I prune roses?"},
    {"  user PROMPT:\n\nHow?", "user prompt", "How?"},
    {"**User prompt:** How?", "user prompt", "How?"},
    {"**User prompt**: How?", "user prompt", "How?"},
    {"## Title: Roses\nText", "title", "Roses\nText"},
    {"Math problem:", "math problem", ""},
    {"Sure! User prompt: How?", "user prompt", NULL},
    {"User prompts: How?", "user prompt", NULL},
    {"User", "user prompt", NULL},
    {"", "title", NULL},
};

START_TEST(openings)
{
    drh_str   rest = {NULL, 0};
    const int is = reply_open(drh_str_of(opened[_i].reply), opened[_i].opening, &rest);
    ck_assert_int_eq(is, opened[_i].rest != NULL);
    ck_assert_msg(!is || (rest.len == strlen(opened[_i].rest) &&
                          memcmp(rest.ptr, opened[_i].rest, rest.len) == 0),
                  "\"%.*s\"", (int)rest.len, rest.ptr);
}
END_TEST

START_TEST(introductions)
{
    ck_assert(reply_introduces(drh_str_of("As a retired teacher, I love to explain things.")));
    ck_assert(reply_introduces(drh_str_of("I'm a nurse")));
    ck_assert(!reply_introduces(
        drh_str_of("As a rule, prune in spring. Cut above an outward bud. Feed afterwards.")));
    ck_assert(!reply_introduces(drh_str_of("Prune in spring.")));
}
END_TEST

/* Jaccard of the sets of words, computed by hand. */
START_TEST(likeness)
{
    static const struct {
        const char *a, *b;
        double      want;
    } rows[] = {
        {"a a b", "a b", 1},
        {"the cat sat", "The cat, sat!", 1},
        {"a b", "c d", 0},
        {"a b c", "b c d", 2.0 / 4},
        {"one two three four", "one two three", 3.0 / 4},
        {"你好吗", "你好啊", 2.0 / 4},
        {"", "", 1},
        {"", "a", 0},
    };
    for (int i = 0; i < ROWS(rows); i++) {
        const double got = reply_likeness(drh_str_of(rows[i].a), drh_str_of(rows[i].b));
        ck_assert_msg(got > rows[i].want - 1e-9 && got < rows[i].want + 1e-9, "%s|%s: %g",
                      rows[i].a, rows[i].b, got);
    }
}
END_TEST

START_TEST(lines)
{
    static const struct {
        const char *reply, *line;
    } rows[] = {
        {" A nurse who sings \nand more", "A nurse who sings"},
        {"- **A nurse**", "A nurse"},
        {"1. \"A nurse\"\r\n2. \"A cook\"", "A nurse"},
        {"“一位老师”", "一位老师"},
        {"\"A\" and \"B\" teachers", "\"A\" and \"B\" teachers"},
        {"\"Yes\" or \"no\"", "\"Yes\" or \"no\""},
        {"\"", "\""},
        {"", ""},
    };
    for (int i = 0; i < ROWS(rows); i++) {
        const drh_str got = reply_line(drh_str_of(rows[i].reply));
        ck_assert_msg(got.len == strlen(rows[i].line) &&
                          memcmp(got.ptr, rows[i].line, got.len) == 0,
                      "\"%.*s\"", (int)got.len, got.ptr);
    }
    ck_assert_uint_eq(reply_words(drh_str_of("A nurse, a nurse.")), 2);
    ck_assert_uint_eq(reply_words(drh_str_of("老师好")), 3);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("personas");
    tcase_add_loop_test(t, openings, 0, ROWS(opened));
    tcase_add_test(t, introductions);
    tcase_add_test(t, likeness);
    tcase_add_test(t, lines);
    return run_case("personas", t);
}
