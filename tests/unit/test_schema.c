/* SPDX-License-Identifier: MIT
 * test_schema.c - the schema subset: what it accepts and refuses, by tables; defaults, --set,
 * paths, secrets, help, nearest names. */
#include "schema.h"

#include "err.h"
#include "mem.h"
#include "tree.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char stage_schema[] =
    "{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{"
    "\"name\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":4},"
    "\"preset\":{\"type\":\"string\",\"enum\":[\"a\",\"b\",\"c\"],\"default\":\"a\"},"
    "\"top\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.5},"
    "\"share\":{\"type\":\"number\",\"exclusiveMinimum\":0,\"exclusiveMaximum\":1},"
    "\"n\":{\"type\":\"integer\",\"minimum\":1},"
    "\"on\":{\"type\":\"boolean\",\"default\":true},"
    "\"turns\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":1,\"maxItems\":2},"
    "\"either\":{\"type\":[\"integer\",\"string\"]},"
    "\"maybe\":{\"type\":[\"integer\",\"null\"]},"
    "\"map\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}},"
    "\"free\":{\"type\":\"object\"},"
    "\"in\":{\"type\":\"object\",\"properties\":{\"deep\":{\"type\":\"integer\",\"default\":7}}}"
    "}}";

static cJSON *tree(const char *text)
{
    drh_error e = ERR_INIT;
    cJSON    *t = NULL;
    ck_assert_msg(tree_parse(text, strlen(text), "t", &t, &e) == DRH_OK, "%s", e.message);
    return t;
}

static cJSON *schema_of(const char *text)
{
    drh_error e = ERR_INIT;
    cJSON    *t = NULL;
    ck_assert_msg(schema_parse(text, &t, &e) == DRH_OK, "%s", e.message);
    return t;
}

static void ck_tree(const cJSON *t, const char *want)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    ck_assert_int_eq(tree_write(t, &b), DRH_OK);
    ck_assert_str_eq(b.ptr, want);
    buf_free(&b);
}

/* ---- values ---- */

static const struct {
    const char *value, *want; /* want: after; or the message, with '!' before it */
} values[] = {
    {"{\"name\":\"ab\"}",
     "{\"in\":{\"deep\":7},\"name\":\"ab\",\"on\":true,\"preset\":\"a\",\"top\":0.5}"},
    {"{\"name\":\"ab\",\"top\":1,\"preset\":\"c\",\"on\":false,\"in\":{\"deep\":1}}",
     "{\"in\":{\"deep\":1},\"name\":\"ab\",\"on\":false,\"preset\":\"c\",\"top\":1}"},
    {"{\"name\":\"ab\",\"top\":null,\"in\":{\"deep\":1}}",
     "{\"in\":{\"deep\":1},\"name\":\"ab\",\"on\":true,\"preset\":\"a\",\"top\":0.5}"},
    {"{\"name\":\"ab\",\"maybe\":null,\"in\":{\"deep\":1}}",
     "{\"in\":{\"deep\":1},\"maybe\":null,\"name\":\"ab\",\"on\":true,\"preset\":\"a\",\"top\":0."
     "5}"},
    {"{}", "!/s/0: \"name\" is missing; it must be a string of 2 to 4 characters"},
    {"[]", "!/s/0: must be an object, is []"},
    {"{\"name\":\"a\"}", "!/s/0/name: must be a string of 2 to 4 characters, is \"a\""},
    {"{\"name\":\"abcde\"}", "!/s/0/name: must be a string of 2 to 4 characters, is \"abcde\""},
    {"{\"name\":3}", "!/s/0/name: must be a string of 2 to 4 characters, is 3"},
    {"{\"name\":\"ab\",\"tpo\":0.2}", "!/s/0/tpo: unknown key \"tpo\"; did you mean \"top\"?"},
    {"{\"name\":\"ab\",\"presett\":0}",
     "!/s/0/presett: unknown key \"presett\"; did you mean \"preset\"?"},
    {"{\"name\":\"ab\",\"in\":{\"xyzzy\":1}}",
     "!/s/0/in/xyzzy: unknown key \"xyzzy\"; known are: deep"},
    {"{\"name\":\"ab\",\"a/b~c\":1}",
     "!/s/0/a~1b~0c: unknown key \"a/b~c\"; known are: name, preset, top, share, n, on, turns, "
     "either, maybe, map, free, in"},
    {"{\"name\":\"ab\",\"top\":\"x\"}", "!/s/0/top: must be a number from 0 to 1, is \"x\""},
    {"{\"name\":\"ab\",\"top\":1.01}", "!/s/0/top: must be a number from 0 to 1, is 1.01"},
    {"{\"name\":\"ab\",\"top\":-0.1}", "!/s/0/top: must be a number from 0 to 1, is -0.1"},
    {"{\"name\":\"ab\",\"share\":0}", "!/s/0/share: must be a number above 0 and below 1, is 0"},
    {"{\"name\":\"ab\",\"share\":1}", "!/s/0/share: must be a number above 0 and below 1, is 1"},
    {"{\"name\":\"ab\",\"n\":1.5}", "!/s/0/n: must be an integer from 1 on, is 1.5"},
    {"{\"name\":\"ab\",\"n\":0}", "!/s/0/n: must be an integer from 1 on, is 0"},
    {"{\"name\":\"ab\",\"n\":9007199254740994}",
     "!/s/0/n: must be an integer from 1 on, is 9007199254740994"},
    {"{\"name\":\"ab\",\"on\":1}", "!/s/0/on: must be true or false, is 1"},
    {"{\"name\":\"ab\",\"preset\":\"d\"}", "!/s/0/preset: must be \"a\", \"b\" or \"c\", is \"d\""},
    {"{\"name\":\"ab\",\"turns\":[]}", "!/s/0/turns: must be a list of 1 to 2 items, is []"},
    {"{\"name\":\"ab\",\"turns\":[1,2,3]}",
     "!/s/0/turns: must be a list of 1 to 2 items, is [1,2,3]"},
    {"{\"name\":\"ab\",\"turns\":[1,\"x\"]}", "!/s/0/turns/1: must be an integer, is \"x\""},
    {"{\"name\":\"ab\",\"either\":true}", "!/s/0/either: must be an integer or a string, is true"},
    {"{\"name\":\"ab\",\"map\":{\"k\":1,\"l\":\"x\"}}",
     "!/s/0/map/l: must be an integer, is \"x\""},
    {"{\"name\":\"ab\",\"free\":{\"x\":{\"y\":[1]}},\"map\":{\"k\":1},\"turns\":[1,8],\"either\":"
     "\"x\","
     "\"share\":0.5,\"n\":3}",
     "{\"either\":\"x\",\"free\":{\"x\":{\"y\":[1]}},\"in\":{\"deep\":7},\"map\":{\"k\":1},\"n\":3,"
     "\"name\":\"ab\",\"on\":true,\"preset\":\"a\",\"share\":0.5,\"top\":0.5,\"turns\":[1,8]}"},
};

START_TEST(apply)
{
    drh_error  e = ERR_INIT;
    cJSON     *s = schema_of(stage_schema), *v = tree(values[_i].value);
    drh_status st = schema_apply(s, v, "/s/0", NULL, NULL, &e);

    if (values[_i].want[0] == '!') {
        ck_assert_int_eq(st, DRH_E_CONFIG);
        ck_assert_str_eq(e.message, values[_i].want + 1);
    } else {
        ck_assert_msg(st == DRH_OK, "%s", e.message);
        ck_tree(v, values[_i].want);
    }
    cJSON_Delete(v);
    cJSON_Delete(s);
}
END_TEST

START_TEST(every_mistake)
{
    struct problems all = {{NULL}, 0, 0};
    drh_error       e = ERR_INIT;
    cJSON          *s = schema_of(stage_schema);
    cJSON          *v = tree("{\"nam\":\"ab\",\"top\":7,\"turns\":[1,\"x\"]}");

    ck_assert_int_eq(schema_apply(s, v, "", NULL, &all, &e), DRH_E_CONFIG);
    ck_assert_uint_eq(all.n, 4);
    ck_assert_str_eq(all.text[0],
                     "/: \"name\" is missing; it must be a string of 2 to 4 characters");
    ck_assert_str_eq(all.text[1], "/nam: unknown key \"nam\"; did you mean \"name\"?");
    ck_assert_str_eq(all.text[2], "/top: must be a number from 0 to 1, is 7");
    ck_assert_str_eq(all.text[3], "/turns/1: must be an integer, is \"x\"");
    ck_assert_str_eq(e.message, all.text[0]);
    problems_free(&all);
    cJSON_Delete(v);
    cJSON_Delete(s);
}
END_TEST

START_TEST(problems_are_bounded)
{
    struct problems all = {{NULL}, 0, 0};
    for (int i = 0; i < PROBLEMS_MAX + 3; i++) {
        problems_add(&all, "%d", i);
    }
    ck_assert_uint_eq(all.n, PROBLEMS_MAX);
    ck_assert_uint_eq(all.left_out, 3);
    problems_add(NULL, "nobody listens");
    problems_free(&all);
}
END_TEST

/* ---- schemas ---- */

static const struct {
    const char *schema, *want; /* want NULL: fine */
} schemas[] = {
    {"{\"type\":\"object\"}", NULL},
    {"{\"type\":\"object\",\"title\":\"t\",\"description\":\"d\",\"$comment\":\"c\"}", NULL},
    {"[]", "schema: must be an object"},
    {"{}", "schema: must have \"type\": \"object\""},
    {"{\"type\":\"string\"}", "schema: must have \"type\": \"object\""},
    {"{\"type\":\"object\",\"pattern\":\"x\"}", "\"pattern\" is not in the supported subset"},
    {"{\"type\":\"object\",\"propertys\":{}}", "did you mean \"properties\"?"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"text\"}}}",
     "schema/properties/a/type: must be string, integer"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"minimum\":\"1\"}}}",
     "/a/minimum: must be a number"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"maxLength\":-1}}}",
     "/a/maxLength: must be a count"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[]}}}",
     "/a/enum: must be a list of values"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"items\":{\"oneOf\":[]}}}}",
     "schema/properties/a/items: \"oneOf\""},
    {"{\"type\":\"object\",\"properties\":{\"a\":3}}", "must be an object"},
    {"{\"type\":\"object\",\"required\":[\"b\"]}", "\"b\" is not among the properties"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"default\":\"x\"}}}",
     "schema/properties/a: /default: must be an integer, is \"x\""},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"maximum\":3,\"default\":4}"
     "}}",
     "must be an integer up to 3, is 4"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"x-drh-secret\":true}}}",
     "a secret must be of type string"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"x-drh-path\":\"up\"}}}",
     "must be \"in\" or \"out\""},
    {"{\"type\":\"object\",\"properties\":{\"$set\":{}}}", "must not be empty, $set or $secret"},
    {"{\"type\":\"object\"", "schema:1:"},
    {"{\"type\":\"object\",\"type\":\"object\"}", "schema:1:"},
};

START_TEST(check_schemas)
{
    drh_error  e = ERR_INIT;
    cJSON     *s = NULL;
    drh_status st = schema_parse(schemas[_i].schema, &s, &e);

    if (schemas[_i].want) {
        ck_assert_int_eq(st, DRH_E_CONFIG);
        ck_assert_ptr_null(s);
        ck_assert_msg(strstr(e.message, schemas[_i].want) != NULL, "%s", e.message);
    } else {
        ck_assert_msg(st == DRH_OK, "%s", e.message);
    }
    cJSON_Delete(s);
}
END_TEST

START_TEST(no_schema_means_no_options)
{
    drh_error e = ERR_INIT;
    cJSON    *s = schema_of(NULL), *v = tree("{}"), *w = tree("{\"a\":1}");

    ck_assert_int_eq(schema_apply(s, v, "/x", NULL, NULL, &e), DRH_OK);
    ck_assert_int_eq(schema_apply(s, w, "/x", NULL, NULL, &e), DRH_E_CONFIG);
    ck_assert_str_eq(e.message, "/x/a: unknown key \"a\"; there are no options here");
    cJSON_Delete(s);
    cJSON_Delete(v);
    cJSON_Delete(w);
}
END_TEST

/* ---- --set ---- */

static const struct {
    const char *key, *text, *want; /* want: the member; or the message, with '!' before it */
} sets[] = {
    {"name", "5", "\"5\""},
    {"name", "abc", "\"abc\""},
    {"n", "5", "5"},
    {"n", "5.5", "!/s/n: must be an integer from 1 on, is \"5.5\""},
    {"n", "five", "!/s/n: must be an integer from 1 on, is \"five\""},
    {"n", "", "!/s/n: must be an integer from 1 on, is \"\""},
    {"n", "5 x", "!/s/n: must be an integer from 1 on, is \"5 x\""},
    {"top", "0.25", "0.25"},
    {"top", "1e-1", "0.1"},
    {"on", "false", "false"},
    {"on", "1", "!/s/on: must be true or false, is \"1\""},
    {"turns", "[1,2]", "[1,2]"},
    {"turns", "1", "!/s/turns: must be a list of 1 to 2 items written as JSON, is \"1\""},
    {"map", "{\"a\":1}", "{\"a\":1}"},
    {"either", "7", "7"},
    {"either", "seven", "\"seven\""},
    {"either", "\"7\"", "\"\\\"7\\\"\""},
    {"name", "\xff", "!/s/name: must be UTF-8 text"},
    {"nn", "7", "!/s/nn: unknown key \"nn\"; did you mean \"n\"?"},
};

START_TEST(set_by_type)
{
    drh_error  e = ERR_INIT;
    cJSON     *s = schema_of(stage_schema), *v = tree("{\"n\":3}");
    drh_status st = schema_set(s, v, sets[_i].key, sets[_i].text, "/s", &e);

    if (sets[_i].want[0] == '!') {
        ck_assert_int_eq(st, DRH_E_CONFIG);
        ck_assert_str_eq(e.message, sets[_i].want + 1);
        ck_tree(v, "{\"n\":3}");
    } else {
        ck_assert_msg(st == DRH_OK, "%s", e.message);
        ck_tree(cJSON_GetObjectItemCaseSensitive(v, sets[_i].key), sets[_i].want);
    }
    cJSON_Delete(v);
    cJSON_Delete(s);
}
END_TEST

START_TEST(set_marks_are_typed)
{
    drh_error e = ERR_INIT;
    cJSON    *s = schema_of(stage_schema);
    cJSON    *v = tree(
           "{\"name\":{\"$set\":\"12\"},\"n\":{\"$set\":\"12\"},\"in\":{\"deep\":{\"$set\":\"4\"}}}");
    cJSON *w = tree("{\"name\":\"ab\",\"n\":{\"$set\":\"0\"}}");

    ck_assert_int_eq(schema_apply(s, v, "", NULL, NULL, &e), DRH_OK);
    ck_tree(
        v,
        "{\"in\":{\"deep\":4},\"n\":12,\"name\":\"12\",\"on\":true,\"preset\":\"a\",\"top\":0.5}");
    ck_assert_int_eq(schema_apply(s, w, "", NULL, NULL, &e), DRH_E_CONFIG);
    ck_assert_str_eq(e.message, "/n: must be an integer from 1 on, is 0");
    cJSON_Delete(v);
    cJSON_Delete(w);
    cJSON_Delete(s);
}
END_TEST

/* ---- strings with a meaning ---- */

static const char special[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"model\":{\"type\":\"string\",\"x-drh-path\":\"in\",\"x-drh-env\":\"DRH_TEST_MODEL\"},"
    "\"out\":{\"type\":\"string\",\"x-drh-path\":\"out\"},"
    "\"files\":{\"type\":\"array\",\"x-drh-path\":\"in\",\"items\":{\"type\":\"string\"}},"
    "\"more\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"x-drh-path\":\"in\"}},"
    "\"token\":{\"type\":\"string\",\"x-drh-secret\":true,\"x-drh-env\":\"DRH_TEST_TOKEN\"}}}";

START_TEST(paths)
{
    drh_error e = ERR_INIT;
    cJSON    *s = schema_of(special);
    cJSON *v = tree("{\"model\":\"m/x\",\"out\":\"o\",\"files\":[\"a\",\"/b\"],\"more\":[\"c\"]}");
    cJSON *w = tree("{\"model\":{\"$set\":\"here\"}}");
    cJSON *x = tree("{\"model\":\"m/x\"}");

    ck_assert_int_eq(schema_apply(s, v, "", "/r", NULL, &e), DRH_OK);
    ck_tree(v,
            "{\"files\":[\"/r/a\",\"/b\"],\"model\":\"/r/m/x\",\"more\":[\"/r/c\"],\"out\":\"o\"}");
    ck_assert_int_eq(schema_apply(s, w, "", "/r", NULL, &e), DRH_OK);
    ck_tree(w, "{\"model\":\"here\"}");
    ck_assert_int_eq(schema_apply(s, x, "", NULL, NULL, &e), DRH_OK);
    ck_tree(x, "{\"model\":\"m/x\"}");
    cJSON_Delete(x);
    /* --set after the fact */
    x = tree("{}");
    ck_assert_int_eq(schema_set(s, x, "model", "here", "", &e), DRH_OK);
    ck_assert_int_eq(schema_apply(s, x, "", "/r", NULL, &e), DRH_OK);
    ck_tree(x, "{\"model\":\"here\"}");
    cJSON_Delete(v);
    cJSON_Delete(w);
    cJSON_Delete(x);
    cJSON_Delete(s);
}
END_TEST

START_TEST(environment)
{
    drh_error e = ERR_INIT;
    cJSON *s = schema_of(special), *v = tree("{}"), *w = tree("{}"), *x = tree("{\"model\":\"m\"}");

    ck_assert_int_eq(schema_apply(s, v, "", "/r", NULL, &e), DRH_OK);
    ck_tree(v, "{}");
    ck_assert_int_eq(setenv("DRH_TEST_MODEL", "big", 1), 0);
    ck_assert_int_eq(setenv("DRH_TEST_TOKEN", "hush", 1), 0);
    ck_assert_int_eq(schema_apply(s, w, "", "/r", NULL, &e), DRH_OK);
    ck_tree(w, "{\"model\":\"big\",\"token\":{\"$secret\":\"env:DRH_TEST_TOKEN\"}}");
    ck_assert_int_eq(schema_apply(s, x, "", "/r", NULL, &e), DRH_OK);
    ck_assert_str_eq(cJSON_GetObjectItem(x, "model")->valuestring, "/r/m");
    cJSON_Delete(v);
    cJSON_Delete(w);
    cJSON_Delete(x);
    cJSON_Delete(s);
}
END_TEST

START_TEST(secrets)
{
    static const char *const bad[] = {
        "\"hunter2\"",  "\"env:\"", "\"file:\"", "123456", "{\"$set\":\"hunter2\"}",
        "[\"hunter2\"]"};
    drh_error e = ERR_INIT;
    cJSON    *s = schema_of(special), *v;
    char      text[64];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)snprintf(text, sizeof(text), "{\"token\":%s}", bad[i]);
        v = tree(text);
        ck_assert_int_eq(schema_apply(s, v, "", NULL, NULL, &e), DRH_E_CONFIG);
        ck_assert_msg(strstr(e.message, "env:NAME") != NULL, "%s", e.message);
        ck_assert_msg(!strstr(e.message, "hunter2") && !strstr(e.message, "123456"), "%s",
                      e.message);
        cJSON_Delete(v);
    }
    v = tree("{\"token\":\"file:/run/token\"}");
    ck_assert_int_eq(schema_apply(s, v, "", "/r", NULL, &e), DRH_OK);
    ck_tree(v, "{\"token\":{\"$secret\":\"file:/run/token\"}}");
    cJSON_Delete(v);
    cJSON_Delete(s);
}
END_TEST

/* ---- words ---- */

START_TEST(help)
{
    static const char text[] =
        "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{"
        "\"a\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"How many.\"},"
        "\"b\":{\"type\":\"object\",\"properties\":{\"c\":{\"type\":\"boolean\",\"default\":false}}"
        "}}}";
    struct buf b;
    cJSON     *s = schema_of(text);

    buf_init(&b, 1 << 16);
    ck_assert_int_eq(schema_help(s, &b), DRH_OK);
    ck_assert_str_eq(b.ptr, "  a (an integer from 1 on; required)\n"
                            "      How many.\n"
                            "  b (an object)\n"
                            "  b.c (true or false; default false)\n");
    buf_free(&b);
    cJSON_Delete(s);
}
END_TEST

START_TEST(nearest_names)
{
    static const char *const known[] = {"top", "below", "preset", "max_length", "a"};
    static const struct {
        const char *name, *want;
    } cases[] = {{"tpo", "top"},
                 {"to", "top"},
                 {"top", "top"},
                 {"stop", "top"},
                 {"bellow", "below"},
                 {"max_lenght", "max_length"},
                 {"maxlength", "max_length"},
                 {"zzz", NULL},
                 {"presets", "preset"},
                 {"abc", NULL},
                 {"", NULL},
                 {"b", NULL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *got = nearest(cases[i].name, known, 5);
        ck_assert_pstr_eq(got, cases[i].want);
    }
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("schema");
    TCase   *t = tcase_create("schema");
    SRunner *r;
    int      failed;

    tcase_add_loop_test(t, apply, 0, sizeof(values) / sizeof(values[0]));
    tcase_add_test(t, every_mistake);
    tcase_add_test(t, problems_are_bounded);
    tcase_add_loop_test(t, check_schemas, 0, sizeof(schemas) / sizeof(schemas[0]));
    tcase_add_test(t, no_schema_means_no_options);
    tcase_add_loop_test(t, set_by_type, 0, sizeof(sets) / sizeof(sets[0]));
    tcase_add_test(t, set_marks_are_typed);
    tcase_add_test(t, paths);
    tcase_add_test(t, environment);
    tcase_add_test(t, secrets);
    tcase_add_test(t, help);
    tcase_add_test(t, nearest_names);
    tcase_set_timeout(t, 30);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
