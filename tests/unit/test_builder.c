/* SPDX-License-Identifier: MIT
 * test_builder.c - nested values, built in a record by the calls that plugins have for it. */
#include "mem.h"
#include "record_help.h"

#include <stdio.h>

START_TEST(build)
{
    struct drh_record *r = parse("{\"src\":{\"a\":[1,\n2]},\"c\":0}");
    drh_value          v;

    ck_assert_int_eq(api->get_value(r, fld("src"), &v), DRH_OK);
    ck_assert_int_eq(api->open(r, fld("c"), DRH_T_ARRAY), DRH_OK);
    ck_assert_int_eq(api->begin(r, DRH_T_OBJECT), DRH_OK);
    ck_assert_int_eq(api->put_key(r, DRH_LIT("from")), DRH_OK);
    ck_assert_int_eq(api->put_str(r, DRH_LIT("hu\"man\n")), DRH_OK);
    ck_assert_int_eq(api->put_key(r, DRH_LIT("k\t")), DRH_OK);
    ck_assert_int_eq(api->begin(r, DRH_T_ARRAY), DRH_OK);
    ck_assert_int_eq(api->end(r), DRH_OK);
    ck_assert_int_eq(api->put_key(r, DRH_LIT("")), DRH_OK);
    ck_assert_int_eq(api->put_value(r, &v), DRH_OK);
    ck_assert_int_eq(api->end(r), DRH_OK);
    ck_assert_int_eq(api->put_i64(r, -3), DRH_OK);
    ck_assert_int_eq(api->put_f64(r, 0.25), DRH_OK);
    ck_assert_int_eq(api->put_bool(r, 1), DRH_OK);
    ck_assert_int_eq(api->put_bool(r, 0), DRH_OK);
    ck_assert_int_eq(api->put_null(r), DRH_OK);
    ck_assert_int_eq(api->put_str(r, NULL, 0), DRH_OK);
    ck_assert_int_eq(api->close(r), DRH_OK);
    ck_assert_str_eq(written(r),
                     "{\"src\":{\"a\":[1,2]},\"c\":[{\"from\":\"hu\\\"man\\n\",\"k\\t\":[],\"\":"
                     "{\"a\":[1,2]}},-3,0.25,true,false,null,\"\"]}");
    ck_assert_int_eq(api->keep(r), DRH_OK);
}
END_TEST

START_TEST(build_whole_and_nested)
{
    struct drh_record *r = record_new(arena);

    ck_assert_int_eq(api->open(r, fld("/a/b"), DRH_T_OBJECT), DRH_OK);
    ck_assert_int_eq(api->close(r), DRH_OK);
    ck_assert_str_eq(written(r), "{\"a\":{\"b\":{}}}");
    ck_assert_int_eq(api->open(r, DRH_FIELD_NONE, DRH_T_OBJECT), DRH_OK);
    ck_assert_int_eq(api->put_key(r, DRH_LIT("x")), DRH_OK);
    ck_assert_int_eq(api->put_null(r), DRH_OK);
    ck_assert_int_eq(api->close(r), DRH_OK);
    ck_assert_str_eq(written(r), "{\"x\":null}");
    ck_assert_int_eq(api->open(r, DRH_FIELD_NONE, DRH_T_ARRAY), DRH_OK);
    ck_assert_int_eq(api->close(r), DRH_E_TYPE);
    ck_assert_str_eq(written(r), "{\"x\":null}");
}
END_TEST

/* A new whole record: its members are known without a scan up to a number, and scanned beyond. */
START_TEST(build_whole_many)
{
    struct drh_record *r = parse("{\"s\":\"x\\ty\",\"a\":[1,{\"b\":[]}]}");
    drh_value          string, list;
    drh_str            got;
    int64_t            number;
    char               name[32], want[8192] = "{";
    size_t             at = 1;
    int                i;

    ck_assert_int_eq(api->get_value(r, fld("s"), &string), DRH_OK);
    ck_assert_int_eq(api->get_value(r, fld("a"), &list), DRH_OK);
    ck_assert_int_eq(api->open(r, DRH_FIELD_NONE, DRH_T_OBJECT), DRH_OK);
    for (i = 0; i < _i; i++) {
        int n = snprintf(name, sizeof(name), i % 5 == 4 ? "\n%d" : "%d", i);
        ck_assert_int_eq(api->put_key(r, name, (size_t)n), DRH_OK);
        switch (i % 4) {
        case 0:
            ck_assert_int_eq(api->put_str(r, DRH_LIT("a \"text\" of twenty")), DRH_OK);
            break;
        case 1:
            ck_assert_int_eq(api->put_value(r, &string), DRH_OK);
            break;
        case 2:
            ck_assert_int_eq(api->put_value(r, &list), DRH_OK);
            break;
        default:
            ck_assert_int_eq(api->put_i64(r, i), DRH_OK);
        }
        at += (size_t)snprintf(want + at, sizeof(want) - at, "%s\"%s%d\":", i ? "," : "",
                               i % 5 == 4 ? "\\n" : "", i);
        at += i % 4 == 3 ? (size_t)snprintf(want + at, sizeof(want) - at, "%d", i)
                         : (size_t)snprintf(want + at, sizeof(want) - at, "%s",
                                            i % 4 == 0   ? "\"a \\\"text\\\" of twenty\""
                                            : i % 4 == 1 ? "\"x\\ty\""
                                                         : "[1,{\"b\":[]}]");
    }
    ck_assert_int_eq(api->close(r), DRH_OK);
    (void)snprintf(want + at, sizeof(want) - at, "}");
    ck_assert_str_eq(written(r), want);
    for (i = 0; i < _i; i++) {
        (void)snprintf(name, sizeof(name), i % 5 == 4 ? "\n%d" : "%d", i);
        if (i % 4 == 3) {
            ck_assert_int_eq(api->get_i64(r, fld(name), &number), DRH_OK);
            ck_assert_int_eq(number, i);
        } else if (i % 4 != 2) {
            ck_assert_int_eq(api->get_str(r, fld(name), &got), DRH_OK);
            ck_assert_str_eq(got.ptr, i % 4 ? "x\ty" : "a \"text\" of twenty");
            ck_assert_int_eq(api->get_value(r, fld(name), &list), DRH_OK);
            ck_assert_int_eq(value_api.str(&list, &got), DRH_OK);
            ck_assert_str_eq(got.ptr, i % 4 ? "x\ty" : "a \"text\" of twenty");
        }
    }
    ck_assert_int_eq(api->set_bool(r, fld("new"), 1), DRH_OK);
    ck_assert_int_eq(api->get_bool(r, fld("new"), &(int32_t){0}), DRH_OK);
    ck_assert_int_eq(api->get_i64(r, fld("s"), &number), DRH_E_MISSING);
}
END_TEST

/* Bytes of every kind around the sizes at which quoting changes its way. */
START_TEST(build_strings)
{
    static const char *const odd[] = {"",     "\"",   "\\",       "\n",
                                      "\x01", "\x7f", "\xc3\xa9", "\xe4\xb8\xad"};
    static const char *const quoted[] = {"",        "\\\"", "\\\\",     "\\n",
                                         "\\u0001", "\x7f", "\xc3\xa9", "\xe4\xb8\xad"};
    struct drh_record       *r = record_new(arena);
    char                     text[128], want[256];
    size_t                   before, after;
    drh_str                  got;

    for (before = 0; before < 40; before++) {
        for (after = 0; after < 40; after += 3) {
            int n = snprintf(text, sizeof(text), "%.*s%s%.*s", (int)before,
                             "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF", odd[_i], (int)after,
                             "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF");
            (void)snprintf(want, sizeof(want), "{\"a\":[\"%.*s%s%.*s\"]}", (int)before,
                           "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF", quoted[_i], (int)after,
                           "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF");
            ck_assert_int_eq(api->open(r, fld("a"), DRH_T_ARRAY), DRH_OK);
            ck_assert_int_eq(api->put_str(r, text, (size_t)n), DRH_OK);
            ck_assert_int_eq(api->close(r), DRH_OK);
            ck_assert_str_eq(written(r), want);
            ck_assert_int_eq(api->get_str(r, fld("/a/0"), &got), DRH_OK);
            ck_assert_str_eq(got.ptr, text);
        }
    }
    ck_assert_int_eq(api->open(r, fld("a"), DRH_T_ARRAY), DRH_OK);
    (void)snprintf(text, sizeof(text), "%.*s\xff", 3 * _i, "abcdefghijklmnopqrstuvwxyz");
    ck_assert_int_eq(api->put_str(r, text, strlen(text)), DRH_E_DATA);
    ck_assert_int_eq(api->close(r), DRH_E_DATA);
}
END_TEST

/* Each letter a call: { [ } k (key "k") j (key "j") s (string) n (NaN) b (bad string) x (bad key).
 */
static const struct {
    uint32_t    type;
    const char *calls;
    drh_status  st;
} mistakes[] = {
    {DRH_T_OBJECT, "ks", DRH_OK},
    {DRH_T_OBJECT, "ksjs", DRH_OK},
    {DRH_T_OBJECT, "k{ks}j[]", DRH_OK},
    {DRH_T_ARRAY, "{ks}{ks}", DRH_OK},
    {DRH_T_OBJECT, "s", DRH_E_ARG},
    {DRH_T_OBJECT, "k", DRH_E_ARG},
    {DRH_T_OBJECT, "kk", DRH_E_ARG},
    {DRH_T_OBJECT, "kss", DRH_E_ARG},
    {DRH_T_OBJECT, "{", DRH_E_ARG},
    {DRH_T_OBJECT, "}", DRH_E_ARG},
    {DRH_T_OBJECT, "k{", DRH_E_ARG},
    {DRH_T_OBJECT, "k{}}", DRH_E_ARG},
    {DRH_T_OBJECT, "k{k}", DRH_E_ARG},
    {DRH_T_ARRAY, "k", DRH_E_ARG},
    {DRH_T_ARRAY, "[k]", DRH_E_ARG},
    {DRH_T_ARRAY, "}", DRH_E_ARG},
    {DRH_T_ARRAY, "?", DRH_E_ARG},
    {DRH_T_OBJECT, "ksks", DRH_E_DATA},
    {DRH_T_OBJECT, "k{ksjs}jsks", DRH_E_DATA},
    {DRH_T_ARRAY, "n", DRH_E_RANGE},
    {DRH_T_ARRAY, "b", DRH_E_DATA},
    {DRH_T_OBJECT, "xs", DRH_E_DATA},
    {DRH_T_ARRAY, "sbs}}}", DRH_E_DATA},
};

static drh_status call(struct drh_record *r, char c)
{
    switch (c) {
    case '{':
        return api->begin(r, DRH_T_OBJECT);
    case '[':
        return api->begin(r, DRH_T_ARRAY);
    case '?':
        return api->begin(r, DRH_T_STRING);
    case '}':
    case ']':
        return api->end(r);
    case 'k':
        return api->put_key(r, "k", 1);
    case 'j':
        return api->put_key(r, "j", 1);
    case 'x':
        return api->put_key(r, "\xff", 1);
    case 's':
        return api->put_str(r, "s", 1);
    case 'n':
        return api->put_f64(r, NAN);
    default:
        return api->put_str(r, "\xc3", 1);
    }
}

/* Strings that are mostly escapes, in a builder that has no room yet: it grows while it quotes. */
START_TEST(build_escapes)
{
    static char        text[40000];
    struct drh_record *r;
    drh_str            got;
    size_t             n;

    for (n = 0; n < sizeof(text); n++) {
        text[n] = (char)(n % 7 ? '"' : 'a' + n % 26);
    }
    for (n = 3000 + (size_t)_i * 977; n < sizeof(text); n += 7919) {
        arena_reset(arena);
        r = record_new(arena);
        ck_assert_int_eq(api->open(r, fld("a"), DRH_T_OBJECT), DRH_OK);
        ck_assert_int_eq(api->put_key(r, "key", 3), DRH_OK);
        ck_assert_int_eq(api->put_str(r, text, n), DRH_OK);
        ck_assert_int_eq(api->put_key(r, text, 5000), DRH_OK);
        ck_assert_int_eq(api->put_null(r), DRH_OK);
        ck_assert_int_eq(api->close(r), DRH_OK);
        ck_assert_int_eq(api->get_str(r, fld("/a/key"), &got), DRH_OK);
        ck_assert_uint_eq(got.len, n);
        ck_assert_mem_eq(got.ptr, text, n);
    }
}
END_TEST

START_TEST(build_mistakes)
{
    struct drh_record *r = parse("{\"v\":1}");
    const char        *p;
    drh_status         first = DRH_OK;

    ck_assert_int_eq(api->open(r, fld("v"), mistakes[_i].type), DRH_OK);
    for (p = mistakes[_i].calls; *p; p++) {
        drh_status st = call(r, *p);
        ck_assert(first == DRH_OK || st == first || mistakes[_i].st == first);
        first = first == DRH_OK ? st : first;
    }
    ck_assert_int_eq(api->close(r), mistakes[_i].st);
    if (mistakes[_i].st != DRH_OK) {
        ck_assert_str_eq(written(r), "{\"v\":1}");
    } else {
        (void)written(r);
    }
    ck_assert_int_eq(api->close(r), DRH_E_ARG);
    ck_assert_int_eq(api->open(r, fld("v"), DRH_T_ARRAY), DRH_OK);
    ck_assert_int_eq(api->close(r), DRH_OK);
}
END_TEST

START_TEST(build_one_at_a_time)
{
    struct drh_record *r = parse("{}");

    ck_assert_int_eq(api->put_null(r), DRH_E_ARG);
    ck_assert_int_eq(api->put_key(r, "k", 1), DRH_E_ARG);
    ck_assert_int_eq(api->put_str(r, "\xff", 1), DRH_E_ARG);
    ck_assert_int_eq(api->put_f64(r, NAN), DRH_E_ARG);
    ck_assert_int_eq(api->begin(r, DRH_T_ARRAY), DRH_E_ARG);
    ck_assert_int_eq(api->end(r), DRH_E_ARG);
    ck_assert_int_eq(api->close(r), DRH_E_ARG);
    ck_assert_int_eq(api->open(r, fld("a"), DRH_T_STRING), DRH_E_ARG);
    ck_assert_int_eq(api->open(r, fld("a"), DRH_T_ARRAY), DRH_OK);
    ck_assert_int_eq(api->open(r, fld("b"), DRH_T_ARRAY), DRH_E_ARG);
    ck_assert_int_eq(api->keep(r), DRH_E_ARG);
    ck_assert_int_eq(api->close(r), DRH_OK);
    ck_assert_int_eq(api->keep(r), DRH_OK);
}
END_TEST

START_TEST(build_large)
{
    struct drh_record *r = record_new(arena);
    char               name[32];
    int                i;

    ck_assert_int_eq(api->open(r, fld("o"), DRH_T_OBJECT), DRH_OK);
    for (i = 0; i < 20000; i++) {
        int n = snprintf(name, sizeof(name), "key%d", i);
        ck_assert_int_eq(api->put_key(r, name, (size_t)n), DRH_OK);
        ck_assert_int_eq(api->begin(r, DRH_T_OBJECT), DRH_OK);
        ck_assert_int_eq(api->put_key(r, "key0", 4), DRH_OK);
        ck_assert_int_eq(api->put_i64(r, i), DRH_OK);
        ck_assert_int_eq(api->end(r), DRH_OK);
    }
    ck_assert_int_eq(api->close(r), DRH_OK);
    ck_assert_uint_gt(strlen(written(r)), 20000 * 20);
    ck_assert_int_eq(api->open(r, fld("d"), DRH_T_ARRAY), DRH_OK);
    for (i = 1; i < 511; i++) {
        ck_assert_int_eq(api->begin(r, DRH_T_ARRAY), DRH_OK);
    }
    for (i = 1; i < 511; i++) {
        ck_assert_int_eq(api->end(r), DRH_OK);
    }
    ck_assert_int_eq(api->close(r), DRH_OK);
    (void)written(r);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("builder");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, build);
    tcase_add_test(t, build_whole_and_nested);
    tcase_add_loop_test(t, build_whole_many, 0, 40);
    tcase_add_loop_test(t, build_strings, 0, 8);
    tcase_add_loop_test(t, build_escapes, 0, 6);
    tcase_add_loop_test(t, build_mistakes, 0, ROWS(mistakes));
    tcase_add_test(t, build_one_at_a_time);
    tcase_add_test(t, build_large);
    return run_case("builder", t);
}
