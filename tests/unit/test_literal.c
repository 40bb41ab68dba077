/* SPDX-License-Identifier: MIT
 *
 * test_literal.c - lists as Python prints them, to JSON: what tests/data/chat/literals.py got by
 * Python itself, and what has no place in a JSON file.
 */
#include "literal.h"

#include "mem.h"
#include "run.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As JSON text of exactly the bytes that were counted; NULL: refused. */
static char *convert(const char *text, size_t len, struct literal_error *e)
{
    char  *exact = mem_alloc(1, len ? len : 1); /* so that a read behind the text is seen */
    char  *out = NULL;
    size_t counted = 0, written = 0;
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, text, len);
    if (literal_json(exact, len, NULL, &counted, e) == DRH_OK) {
        out = mem_alloc(1, counted + 1);
        ck_assert_ptr_nonnull(out);
        ck_assert_int_eq(literal_json(exact, len, out, &written, e), DRH_OK);
        ck_assert_uint_eq(written, counted);
        out[written] = '\0';
    } else {
        ck_assert_uint_le(e->at, len);
        ck_assert_str_ne(e->what, "");
    }
    mem_free(exact);
    return out;
}

static void check_line(const char *line)
{
    struct literal_error e = {0, ""};
    cJSON               *all = cJSON_Parse(line), *got;
    const cJSON         *want = cJSON_GetObjectItem(all, "value");
    const char          *text = cJSON_GetStringValue(cJSON_GetObjectItem(all, "text"));
    char                *json;
    ck_assert_msg(text != NULL, "%s", line);
    json = convert(text, strlen(text), &e);
    if (!want) {
        ck_assert_msg(!json, "not refused: %s", line);
    } else {
        ck_assert_msg(json != NULL, "byte %zu: %s: %s", e.at, e.what, line);
        got = cJSON_Parse(json);
        ck_assert_msg(got && cJSON_Compare(got, want, 1), "%s became %s", line, json);
        cJSON_Delete(got);
    }
    mem_free(json);
    cJSON_Delete(all);
}

START_TEST(literal_as_python)
{
    FILE  *f = fopen(DRH_SOURCE_DIR "/tests/data/chat/literals.jsonl", "r");
    char  *line = NULL;
    size_t cap = 0, n = 0;
    ck_assert_ptr_nonnull(f);
    while (getline(&line, &cap, f) > 0) {
        check_line(line);
        n++;
    }
    ck_assert_uint_gt(n, 200);
    free(line);
    (void)fclose(f);
}
END_TEST

static const struct {
    const char *text, *json; /* json NULL: refused at `at` with that */
    size_t      at;
    const char *what;
} cases[] = {
    /* Beyond Python: what a missing comma makes, and JSON that is not quite JSON. */
    {"[{'a': 1}\n {'a': 2}]", "[{\"a\":1},{\"a\":2}]", 0, NULL},
    {"[{'a': 1}{'a': 2}]", "[{\"a\":1},{\"a\":2}]", 0, NULL},
    {"['a' 'b']", "[\"a\",\"b\"]", 0, NULL},
    {"[[1][2], (3)]", "[[1],[2], 3 ]", 0, NULL},
    {"[{\"a\": null, \"b\": true, \"c\": NaN,},]", "[{\"a\":null,\"b\":true,\"c\":null}]", 0, NULL},
    {"['a\nb']", "[\"a\\nb\"]", 0, NULL},
    {"['\\ud83d\\ude00']", "[\"\\ud83d\\ude00\"]", 0, NULL},
    {"['\\x00']", "[\"\\u0000\"]", 0, NULL},
    {"{1.: ''}", "{\"1.0\":\"\"}", 0, NULL},
    /* Where it went wrong. */
    {"[{'a': 1 'b': 2}]", NULL, 9, "neither , nor } after a value of a dict"},
    {"[{'a' 1}]", NULL, 6, "no : after a key of a dict"},
    {"[{'a': it}]", NULL, 7, "a word that is no value"},
    {"['it's']", NULL, 5, "a word that is no value"},
    {"['a', 'b", NULL, 6, "a string without an end"},
    {"[1, 2", NULL, 0, "a list without an end"},
    {"[{'a': [}]", NULL, 8, "no value where one is expected"},
    {"[1] 2", NULL, 4, "more text behind the list"},
    {"['\\N{DASH}']", NULL, 2, "an escape \\N, which is not read"},
    {"[b'a']", NULL, 1, "a word that is no value"},
    {"[array(1, x)]", NULL, 6, "no ) where array(...) ends"},
    {"[np.x]", NULL, 5, "a word that is no value"},
    {"{None: 1}", NULL, 1, "no key of a dict where one is expected"},
};

START_TEST(literal_cases)
{
    struct literal_error e = {0, ""};
    const char          *text = cases[_i].text;
    char                *json = convert(text, strlen(text), &e);
    if (cases[_i].json) {
        ck_assert_msg(json && strcmp(json, cases[_i].json) == 0, "%s: %s", text, json ? json : "");
    } else {
        ck_assert_msg(!json && e.at == cases[_i].at && strcmp(e.what, cases[_i].what) == 0,
                      "%s: byte %zu: %s", text, e.at, e.what);
    }
    mem_free(json);
}
END_TEST

START_TEST(literal_nul)
{
    struct literal_error e = {0, ""};
    char                *json = convert("['a\0b']", 7, &e);
    ck_assert_str_eq(json, "[\"a\\u0000b\"]");
    mem_free(json);
    ck_assert_ptr_null(convert("[\0]", 3, &e));
    ck_assert_ptr_null(convert("[1]\0", 4, &e));
    ck_assert_ptr_null(convert("['\\\0']", 6, &e));
}
END_TEST

/* As deep as is said and one more, of each kind. */
START_TEST(literal_depth)
{
    static const char *const kind[][2] = {{"[", "]"}, {"(", ",)"}, {"{1:", "}"}, {"list(", ")"}};
    for (size_t k = 0; k < 4; k++) {
        for (size_t n = LITERAL_DEPTH; n <= LITERAL_DEPTH + 1; n++) {
            struct literal_error e = {0, ""};
            char                 text[(LITERAL_DEPTH + 1) * 8 + 2] = "";
            char                *json;
            for (size_t i = 0; i < 2 * n; i++) {
                strcat(text, kind[k][i / n]);
                strcat(text, i == n - 1 ? "1" : "");
            }
            json = convert(text, strlen(text), &e);
            ck_assert_msg(!json == (n > LITERAL_DEPTH), "%s: %s", text, e.what);
            mem_free(json);
        }
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("literal");
    tcase_add_test(t, literal_as_python);
    tcase_add_loop_test(t, literal_cases, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(t, literal_nul);
    tcase_add_test(t, literal_depth);
    return run_case("literal", t);
}
