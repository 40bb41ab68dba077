/* SPDX-License-Identifier: MIT
 * test_config.c - strict trees and configurations: canonical text, getters by pointer, cursors,
 * secrets that stay out of the text. */
#include "schema.h"

#include "err.h"
#include "mem.h"
#include "record.h"
#include "tree.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cJSON *tree(const char *text)
{
    drh_error e = ERR_INIT;
    cJSON    *t = NULL;
    ck_assert_msg(tree_parse(text, strlen(text), "t", &t, &e) == DRH_OK, "%s", e.message);
    return t;
}

static struct drh_config *config(const char *text)
{
    drh_error          e = ERR_INIT;
    cJSON             *t = tree(text);
    struct drh_config *c = NULL;
    ck_assert_msg(config_new(t, &c, &e) == DRH_OK, "%s", e.message);
    cJSON_Delete(t);
    return c;
}

static const struct {
    const char *text, *want;
} canon[] = {
    {"{\"b\":1, \"a\" : [1.0, 2.50, 1e2, -0.0, 0.1],\"A\":null}",
     "{\"A\":null,\"a\":[1,2.5,100,0,0.1],\"b\":1}"},
    {"{\"ab\":1,\"a\":2,\"\\u00e9\":3}", "{\"a\":2,\"ab\":1,\"\xC3\xA9\":3}"},
    {"{\"n\":9007199254740991,\"m\":-9007199254740992}",
     "{\"m\":-9007199254740992,\"n\":9007199254740991}"},
    {"{\"s\":\"a\\\"\\\\\\n\\u0001/\"}", "{\"s\":\"a\\\"\\\\\\n\\u0001/\"}"},
    {"{ }", "{}"},
    {"// comment\n{\"a\":[1,/* two */2,],}", "{\"a\":[1,2]}"},
    {"\xEF\xBB\xBF{}", "{}"},
};

START_TEST(canonical)
{
    struct drh_config *c = config(canon[_i].text);
    ck_assert_str_eq(config_text(c), canon[_i].want);
    config_free(c);
}
END_TEST

static const struct {
    const char *text, *want;
} broken[] = {
    {"{", "f:1:2: "},
    {"{\n  \"a\": 1\n  \"b\": 2\n}", "f:3:3: "},
    {"{\"a\":1,\n\"a\":2}", "f:2:1: "},
    {"{\"a\":1} x", "f:1:9: "},
    {"{\"a\":\"\xff\"}", "f:1:"},
    {"{\"a\":\"\\ud800\"}", "f:1:"},
    {"[,]", "f:1:2: "},
    {"[1,,]", "f:1:4: "},
    {"{\"a\":}", "f:1:6: "},
    {"{\"\xC3\xA9\":1, x}", "f:1:9: "},
    {"/* open", "f: line 1: comment is not closed"},
    {"{}\n\n /* open", "f: line 3: comment is not closed"},
    {"// a\n/* b\n*/ {\"a\" 1}", "f:3:9: "},
    {"{\"a\":\"\\u0000\"}", "a text here cannot hold \\u0000"},
    {"{\"a\":1e999}", "f:1:6: number is too big"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
     "f:1:33: nested too deep"},
    {"[1.0000000000000000000000000000000000000000000000000000000000000000]", "number is too long"},
    {"", "f:1:1: "},
};

START_TEST(strict)
{
    drh_error e = ERR_INIT;
    cJSON    *t = NULL;

    ck_assert_int_eq(tree_parse(broken[_i].text, strlen(broken[_i].text), "f", &t, &e),
                     DRH_E_CONFIG);
    ck_assert_ptr_null(t);
    ck_assert_msg(strstr(e.message, broken[_i].want) != NULL, "%s", e.message);
}
END_TEST

START_TEST(a_nul_is_refused)
{
    drh_error e = ERR_INIT;
    cJSON    *t = NULL;
    ck_assert_int_eq(tree_parse("{}\0{}", 5, "f", &t, &e), DRH_E_CONFIG);
    ck_assert_int_eq(tree_parse("{\"a\":\"x\0y\"}", 12, "f", &t, &e), DRH_E_CONFIG);
}
END_TEST

START_TEST(comments_in_strings)
{
    struct drh_config *c = config("{\"a\":\"http://x /* y */ ,]\", // \"\n\"b\":\"\\\\\" /**/ }");
    ck_assert_str_eq(config_text(c), "{\"a\":\"http://x /* y */ ,]\",\"b\":\"\\\\\"}");
    config_free(c);
}
END_TEST

START_TEST(getters)
{
    struct drh_config *c =
        config("{\"s\":\"te\\\"xt\",\"n\":5,\"f\":2.5,\"big\":1e300,\"t\":true,\"z\":null,"
               "\"o\":{\"a/b\":{\"~\":1}},\"l\":[10,[20,30],\"x\"]}");
    const drh_config_api *a = &config_api;
    drh_str               s = {NULL, 0};
    int64_t               n = 0;
    double                f = 0;
    int32_t               b = 0;

    ck_assert_int_eq(a->get_str(c, "/s", &s), DRH_OK);
    ck_assert_uint_eq(s.len, 5);
    ck_assert_str_eq(s.ptr, "te\"xt");
    ck_assert_int_eq(a->get_i64(c, "/n", &n), DRH_OK);
    ck_assert_int_eq(n, 5);
    ck_assert_int_eq(a->get_f64(c, "/n", &f), DRH_OK);
    ck_assert_double_eq(f, 5.0);
    ck_assert_int_eq(a->get_f64(c, "/f", &f), DRH_OK);
    ck_assert_double_eq(f, 2.5);
    ck_assert_int_eq(a->get_i64(c, "/f", &n), DRH_E_TYPE);
    ck_assert_int_eq(a->get_i64(c, "/big", &n), DRH_E_TYPE);
    ck_assert_int_eq(a->get_bool(c, "/t", &b), DRH_OK);
    ck_assert_int_eq(b, 1);
    ck_assert_int_eq(a->get_bool(c, "/n", &b), DRH_E_TYPE);
    ck_assert_int_eq(a->get_str(c, "/n", &s), DRH_E_TYPE);
    ck_assert_int_eq(a->get_str(c, "/none", &s), DRH_E_MISSING);
    ck_assert_int_eq(a->get_str(c, "/z", &s), DRH_E_MISSING);
    ck_assert_int_eq(a->get_str(c, "/s/deeper", &s), DRH_E_MISSING);
    ck_assert_int_eq(a->get_i64(c, "/o/a~1b/~0", &n), DRH_OK);
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(a->get_i64(c, "/l/1/1", &n), DRH_OK);
    ck_assert_int_eq(n, 30);
    ck_assert_int_eq(a->get_i64(c, "/l/3", &n), DRH_E_MISSING);
    ck_assert_int_eq(a->get_i64(c, "/l/01", &n), DRH_E_MISSING);
    ck_assert_int_eq(a->get_i64(c, "/l/-", &n), DRH_E_MISSING);
    ck_assert_int_eq(a->get_i64(c, "n", &n), DRH_E_ARG);
    ck_assert_int_eq(a->get_i64(c, "/n~2", &n), DRH_E_ARG);
    config_free(c);
}
END_TEST

START_TEST(cursors)
{
    struct drh_config *c = config("{\"o\":{\"a/b\":[{\"k\":\"v\\n\"},7,[1]]},\"p\":\"q\"}");
    drh_value          v, k;
    drh_str            s;
    int64_t            n = 0;

    ck_assert_int_eq(config_api.get_value(c, "/o/a~1b", &v), DRH_OK);
    ck_assert_uint_eq(value_api.type(&v), DRH_T_ARRAY);
    ck_assert_int_eq(config_api.get_value(c, "/o/a~1b/0", &v), DRH_OK);
    ck_assert_int_eq(value_api.member(&v, "k", 1, &k), DRH_OK);
    ck_assert_int_eq(value_api.str(&k, &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "v\n");
    ck_assert_int_eq(config_api.get_value(c, "/o/a~1b/1", &v), DRH_OK);
    ck_assert_int_eq(value_api.i64(&v, &n), DRH_OK);
    ck_assert_int_eq(n, 7);
    ck_assert_int_eq(config_api.get_value(c, "/o/a~1b/2/0", &v), DRH_OK);
    ck_assert_int_eq(value_api.i64(&v, &n), DRH_OK);
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(config_api.get_value(c, "/p", &v), DRH_OK);
    ck_assert_uint_eq(value_api.type(&v), DRH_T_STRING);
    ck_assert_int_eq(config_api.get_value(c, "", &v), DRH_OK);
    ck_assert_uint_eq(value_api.type(&v), DRH_T_OBJECT);
    ck_assert_int_eq(config_api.get_value(c, "/o/x", &v), DRH_E_MISSING);
    config_free(c);
}
END_TEST

static void *read_much(void *arg)
{
    const struct drh_config *c = arg;
    for (int i = 0; i < 2000; i++) {
        drh_value v;
        drh_str   s = {"", 0};
        if (config_api.get_value(c, "/l/1", &v) != DRH_OK || value_api.str(&v, &s) != DRH_OK ||
            strcmp(s.ptr, "a\"b") != 0 || config_api.get_str(c, "/s", &s) != DRH_OK) {
            return arg;
        }
    }
    return NULL;
}

START_TEST(many_threads)
{
    struct drh_config *c = config("{\"l\":[\"x\",\"a\\\"b\"],\"s\":\"t\"}");
    pthread_t          t[4];
    void              *failed;

    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&t[i], NULL, read_much, c), 0);
    }
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_join(t[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
    config_free(c);
}
END_TEST

START_TEST(secrets)
{
    char               path[] = "/tmp/drh-config-XXXXXX", text[128];
    int                fd = mkstemp(path);
    struct drh_config *c;
    drh_str            s;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "from-file\n", 10), 10);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_eq(setenv("DRH_TEST_TOKEN", "hunter2", 1), 0);
    (void)snprintf(text, sizeof(text),
                   "{\"a\":{\"$secret\":\"env:DRH_TEST_TOKEN\"},\"l\":[{\"$secret\":\"file:%s\"}]}",
                   path);
    c = config(text);
    ck_assert_ptr_null(strstr(config_text(c), "hunter2"));
    ck_assert_ptr_null(strstr(config_text(c), "from-file"));
    ck_assert_ptr_nonnull(strstr(config_text(c), "\"a\":\"env:DRH_TEST_TOKEN\""));
    ck_assert_int_eq(config_api.get_str(c, "/a", &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "hunter2");
    ck_assert_int_eq(config_api.get_str(c, "/l/0", &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "from-file");
    config_free(c);
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(missing_secrets)
{
    static const struct {
        const char *ref, *want;
    } cases[] = {
        {"env:DRH_TEST_NOT_SET", "token: environment variable DRH_TEST_NOT_SET is not set"},
        {"file:/nonexistent/token", "/nonexistent/token"},
        {"file:/dev/null", "must hold one line of text"},
        {"word", "must be \"env:NAME\" or \"file:PATH\""}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        drh_error          e = ERR_INIT;
        struct drh_config *c = NULL;
        char               text[128];
        cJSON             *t;
        (void)snprintf(text, sizeof(text), "{\"token\":{\"$secret\":\"%s\"}}", cases[i].ref);
        t = tree(text);
        ck_assert_int_eq(config_new(t, &c, &e), DRH_E_CONFIG);
        ck_assert_ptr_null(c);
        ck_assert_msg(strstr(e.message, cases[i].want) != NULL, "%s", e.message);
        cJSON_Delete(t);
    }
}
END_TEST

START_TEST(briefs)
{
    cJSON *t = tree("[\"abcdefghij\",1]");
    char   out[12];
    ck_assert_str_eq(tree_brief(t, out, sizeof(out)), "[\"abcdef...");
    cJSON_Delete(t);
    t = tree("\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"");
    ck_assert_str_eq(tree_brief(t, out, sizeof(out)), "\"\xC3\xA9\xC3\xA9\xC3\xA9...");
    cJSON_Delete(t);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("config");
    TCase   *t = tcase_create("config");
    SRunner *r;
    int      failed;

    tcase_add_loop_test(t, canonical, 0, sizeof(canon) / sizeof(canon[0]));
    tcase_add_loop_test(t, strict, 0, sizeof(broken) / sizeof(broken[0]));
    tcase_add_test(t, a_nul_is_refused);
    tcase_add_test(t, comments_in_strings);
    tcase_add_test(t, getters);
    tcase_add_test(t, cursors);
    tcase_add_test(t, many_threads);
    tcase_add_test(t, secrets);
    tcase_add_test(t, missing_secrets);
    tcase_add_test(t, briefs);
    tcase_set_timeout(t, 30);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
