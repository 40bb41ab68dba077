/* SPDX-License-Identifier: MIT
 * test_record.c - a record through the table that plugins get: reading, changing, settling; and
 * what is written afterwards, byte for byte.  Building nested values: test_builder.c. */
#include "field.h"
#include "hash.h"
#include "mem.h"
#include "record.h"

#include "record_help.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- untouched ---- */

static const struct {
    const char *in, *out; /* NULL: as it is */
} untouched[] = {
    {"{}", NULL},
    {"{\"a\":1}", NULL},
    {"{ \"a\" :  1.50 , \"b\":\"\\u0041\\/\" , \"c\": [ 1,2 ,{ } ] }", NULL},
    {"  {\"a\":1} \t", "{\"a\":1}"},
    {"{\"a\":12345678901234567890.10e+07,\"b\":-0}", NULL},
    {"{\"\xe4\xb8\xad\":\"\xf0\x9f\x98\x80\x7f\"}", NULL},
    {"{\n  \"a\": 1,\n  \"b\": \"x y\"\n}\n", "{\"a\":1,\"b\":\"x y\"}"},
    {"{\"a\":1}\n", "{\"a\":1}"},
    {"{\"a\":\r[1, 2]}", "{\"a\":[1,2]}"},
};

START_TEST(untouched_bytes)
{
    const char        *in = untouched[_i].in;
    struct drh_record *r = parse(in);

    ck_assert_str_eq(written(r), untouched[_i].out ? untouched[_i].out : in);
    ck_assert(!r->changed);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *text, *code;
    } rows[] = {{"[]", "not_object"},      {"1", "not_object"},
                {"\"x\"", "not_object"},   {"{\"a\":1,\"a\":2}", "duplicate_key"},
                {"{\"a\":}", "bad_json"},  {"", "bad_json"},
                {"{\"a\":1}}", "bad_json"}};
    struct json_err e;

    ck_assert_int_eq(record_parse(&rec, rows[_i].text, strlen(rows[_i].text), &e), DRH_E_DATA);
    ck_assert_str_eq(e.code, rows[_i].code);
    ck_assert_uint_eq(rec.n_members, 0);
}
END_TEST

/* ---- reading ---- */

static const char sample[] =
    "{\"s\":\"a\\n\\u4e2d\",\"plain\":\"xyz\",\"empty\":\"\",\"i\":9007199254740993,\"f\":0.73,"
    "\"big\":1E400,\"t\":true,\"n\":null,\"k\\u0065y\":\"K\",\"a\":[10,{\"b\":\"deep\"},null],"
    "\"m\":{\"id\":\"ab\",\"x\":{\"y\":-5},\"esc\\\"\":1,\"z\":null},\"nul\":\"a\\u0000b\","
    "\"huge\":9223372036854775808,\"frac\":1.0}";

static const struct {
    const char *field;
    drh_status  st;
    const char *v;
} strs[] = {
    {"s", DRH_OK, "a\n\xe4\xb8\xad"},
    {"plain", DRH_OK, "xyz"},
    {"empty", DRH_OK, ""},
    {"key", DRH_OK, "K"},
    {"/s", DRH_OK, "a\n\xe4\xb8\xad"},
    {"/m/id", DRH_OK, "ab"},
    {"/a/1/b", DRH_OK, "deep"},
    {"i", DRH_E_TYPE, NULL},
    {"m", DRH_E_TYPE, NULL},
    {"n", DRH_E_MISSING, NULL},
    {"/m/z", DRH_E_MISSING, NULL},
    {"/a/2", DRH_E_MISSING, NULL},
    {"none", DRH_E_MISSING, NULL},
    {"/m/none", DRH_E_MISSING, NULL},
    {"/s/x", DRH_E_MISSING, NULL},
    {"/none/x", DRH_E_MISSING, NULL},
    {"/a/3", DRH_E_MISSING, NULL},
    {"/a/01", DRH_E_MISSING, NULL},
    {"/a/-", DRH_E_MISSING, NULL},
    {"/a/", DRH_E_MISSING, NULL},
    {"/a/99999999999", DRH_E_MISSING, NULL},
    {"m/id", DRH_E_MISSING, NULL},
};

START_TEST(get_str)
{
    struct drh_record *r = parse(sample);
    drh_str            s = {"x", 1};

    ck_assert_int_eq(api->get_str(r, fld(strs[_i].field), &s), strs[_i].st);
    if (strs[_i].v) {
        ck_assert_uint_eq(s.len, strlen(strs[_i].v));
        ck_assert_str_eq(s.ptr, strs[_i].v);
    } else {
        ck_assert_ptr_null(s.ptr);
        ck_assert_uint_eq(s.len, 0);
    }
    ck_assert_str_eq(written(r), sample);
}
END_TEST

START_TEST(get_numbers)
{
    struct drh_record *r = parse(sample);
    int64_t            i = 1;
    double             d = 1;

    ck_assert_int_eq(api->get_i64(r, fld("i"), &i), DRH_OK);
    ck_assert_int_eq(i, 9007199254740993);
    ck_assert_int_eq(api->get_f64(r, fld("i"), &d), DRH_OK);
    ck_assert(d == 9007199254740992.0);
    ck_assert_int_eq(api->get_f64(r, fld("f"), &d), DRH_OK);
    ck_assert(d == 0.73);
    ck_assert_int_eq(api->get_i64(r, fld("/m/x/y"), &i), DRH_OK);
    ck_assert_int_eq(i, -5);
    ck_assert_int_eq(api->get_i64(r, fld("/a/0"), &i), DRH_OK);
    ck_assert_int_eq(i, 10);
    ck_assert_int_eq(api->get_i64(r, fld("/m/esc\""), &i), DRH_OK);
    ck_assert_int_eq(i, 1);
    ck_assert_int_eq(api->get_i64(r, fld("f"), &i), DRH_E_TYPE);
    ck_assert_int_eq(i, 0);
    ck_assert_int_eq(api->get_i64(r, fld("frac"), &i), DRH_E_TYPE);
    ck_assert_int_eq(api->get_i64(r, fld("huge"), &i), DRH_E_RANGE);
    ck_assert_int_eq(api->get_f64(r, fld("big"), &d), DRH_E_RANGE);
    ck_assert(d == 0);
    ck_assert_int_eq(api->get_f64(r, fld("s"), &d), DRH_E_TYPE);
    ck_assert_int_eq(api->get_f64(r, fld("n"), &d), DRH_E_MISSING);
}
END_TEST

START_TEST(get_bool_json_value)
{
    struct drh_record *r = parse(sample);
    int32_t            b = 5;
    drh_str            s;
    drh_value          v;

    ck_assert_int_eq(api->get_bool(r, fld("t"), &b), DRH_OK);
    ck_assert_int_eq(b, 1);
    ck_assert_int_eq(api->get_bool(r, fld("i"), &b), DRH_E_TYPE);
    ck_assert_int_eq(b, 0);
    ck_assert_int_eq(api->get_json(r, fld("/m/x"), &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "{\"y\":-5}");
    ck_assert_int_eq(api->get_json(r, fld("f"), &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "0.73");
    ck_assert_int_eq(api->get_json(r, fld("f"), &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "0.73");
    ck_assert_int_eq(api->get_json(r, fld("s"), &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "\"a\\n\\u4e2d\"");
    ck_assert_int_eq(api->get_str(r, fld("s"), &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "a\n\xe4\xb8\xad");
    ck_assert_int_eq(api->get_json(r, fld("n"), &s), DRH_E_MISSING);
    ck_assert_ptr_null(s.ptr);
    ck_assert_int_eq(api->get_value(r, fld("n"), &v), DRH_OK);
    ck_assert_uint_eq(value_api.type(&v), DRH_T_NULL);
    ck_assert_int_eq(value_api.next(&v), DRH_END);
    ck_assert_int_eq(api->get_value(r, fld("/m/x/y"), &v), DRH_OK);
    ck_assert_int_eq(value_api.key(&v, &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "y");
    ck_assert_int_eq(api->get_value(r, fld("none"), &v), DRH_E_MISSING);
}
END_TEST

START_TEST(the_record_as_a_whole)
{
    struct drh_record *r = parse("{\"a\":1, \"b\":2}");
    drh_value          v;
    drh_str            s;

    ck_assert_int_eq(api->get_json(r, DRH_FIELD_NONE, &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "{\"a\":1, \"b\":2}");
    ck_assert_int_eq(api->get_str(r, DRH_FIELD_NONE, &s), DRH_E_TYPE);
    ck_assert_int_eq(api->set_i64(r, fld("c"), 3), DRH_OK);
    ck_assert_int_eq(api->get_value(r, DRH_FIELD_NONE, &v), DRH_OK);
    ck_assert_uint_eq(value_api.count(&v), 3);
    ck_assert_int_eq(api->set_i64(r, fld("a"), 9), DRH_OK);
    ck_assert_str_eq(written(r), "{\"a\":9,\"b\":2,\"c\":3}");
    ck_assert_int_eq(api->set_json(r, DRH_FIELD_NONE, DRH_LIT("[]")), DRH_E_TYPE);
    ck_assert_int_eq(api->set_i64(r, DRH_FIELD_NONE, 1), DRH_E_TYPE);
    ck_assert_int_eq(api->set_json(r, DRH_FIELD_NONE, DRH_LIT(" { \"z\" : 0 } ")), DRH_OK);
    ck_assert_int_eq(api->get_json(r, fld("a"), &s), DRH_E_MISSING);
    ck_assert_int_eq(api->set_i64(r, fld("y"), 1), DRH_OK);
    ck_assert_str_eq(written(r), "{\"z\":0,\"y\":1}");
}
END_TEST

START_TEST(field_numbers_out_of_nowhere)
{
    struct drh_record *r = parse("{}");
    drh_str            s;

    ck_assert_int_eq(api->get_str(r, 4711, &s), DRH_E_ARG);
    ck_assert_int_eq(api->set_i64(r, 4711, 1), DRH_E_ARG);
    ck_assert_int_eq(api->unset(r, 4711), DRH_E_ARG);
    ck_assert_int_eq(api->unset(r, DRH_FIELD_NONE), DRH_E_ARG);
    ck_assert_int_eq(api->open(r, 4711, DRH_T_ARRAY), DRH_E_ARG);
}
END_TEST

START_TEST(columns)
{
    static const char *const texts[] = {
        "{\"s\":\"a\",\"m\":{\"d\":1.5},\"i\":1}", "{\"s\":\"b\\n\",\"m\":{\"d\":2},\"i\":2}",
        "{\"m\":{},\"i\":2.5,\"s\":\"c\"}", "{\"s\":null,\"m\":null}",
        "{\"x\":0,\"\\u0073\":\"e\",\"m\":{\"d\":1e999},\"i\":-9223372036854775808}"};
    struct drh_record r[5], *h[5];
    drh_str           s[5];
    double            d[5];
    int64_t           n[5];
    uint8_t           there[5];
    int               i;

    memset(r, 0, sizeof(r));
    for (i = 0; i < 5; i++) {
        h[i] = &r[i];
        r[i].arena = arena;
        ck_assert_int_eq(record_parse(&r[i], texts[i], strlen(texts[i]), NULL), DRH_OK);
    }
    ck_assert_uint_eq(api->get_strs(h, 5, fld("s"), s), 4);
    ck_assert_str_eq(s[0].ptr, "a");
    ck_assert_str_eq(s[1].ptr, "b\n");
    ck_assert_str_eq(s[2].ptr, "c");
    ck_assert_ptr_null(s[3].ptr);
    ck_assert_str_eq(s[4].ptr, "e");
    ck_assert_uint_eq(api->get_strs(h, 5, fld("/m/d"), s), 0);
    ck_assert_uint_eq(api->get_f64s(h, 5, fld("/m/d"), d), 2);
    ck_assert(d[0] == 1.5 && d[1] == 2 && isnan(d[2]) && isnan(d[3]) && isnan(d[4]));
    ck_assert_uint_eq(api->get_i64s(h, 5, fld("i"), n, there), 3);
    ck_assert(n[0] == 1 && n[1] == 2 && n[2] == 0 && n[3] == 0 && n[4] == INT64_MIN);
    ck_assert_mem_eq(there, "\1\1\0\0\1", 5);
    ck_assert_uint_eq(api->get_i64s(h, 5, fld("i"), n, NULL), 3);
    ck_assert_uint_eq(api->get_strs(h, 5, 4711, s), 0);
    ck_assert_ptr_null(s[0].ptr);
}
END_TEST

/* ---- changing ---- */

enum op { STR, I64, F64, BOOL, JSON, UNSET };

static const struct {
    const char *in;
    enum op     op;
    const char *field, *value;
    drh_status  st;
    const char *out;
} sets[] = {
    {"{}", STR, "a", "x\"\n", DRH_OK, "{\"a\":\"x\\\"\\n\"}"},
    {"{\"a\":1,\"b\":2}", STR, "a", "", DRH_OK, "{\"a\":\"\",\"b\":2}"},
    {"{\"a\" : 1.50 , \"\\u0062\" : [ 1 ] }", I64, "c", "-7", DRH_OK,
     "{\"a\":1.50,\"\\u0062\":[ 1 ],\"c\":-7}"},
    {"{\"\\u0062\":1}", I64, "b", "2", DRH_OK, "{\"\\u0062\":2}"},
    {"{}", F64, "f", "0.1", DRH_OK, "{\"f\":0.1}"},
    {"{}", F64, "f", "nan", DRH_E_RANGE, "{}"},
    {"{}", F64, "f", "-inf", DRH_E_RANGE, "{}"},
    {"{}", BOOL, "t", "1", DRH_OK, "{\"t\":true}"},
    {"{\"t\":true}", BOOL, "t", "0", DRH_OK, "{\"t\":false}"},
    {"{}", STR, "a", "\xff", DRH_E_DATA, "{}"},
    {"{\"a\":[\n1,\n 2],\"b\":0}", I64, "b", "1", DRH_OK, "{\"a\":[1,2],\"b\":1}"},
    {"{}", I64, "k\"\n", "1", DRH_OK, "{\"k\\\"\\n\":1}"},
    {"{}", I64, "/", "1", DRH_OK, "{\"\":1}"},

    {"{}", JSON, "a", " { \"x\" : [ 1 , 2 ] } ", DRH_OK, "{\"a\":{ \"x\" : [ 1 , 2 ] }}"},
    {"{}", JSON, "a", "[1,\n2]", DRH_OK, "{\"a\":[1,2]}"},
    {"{}", JSON, "a", "null", DRH_OK, "{\"a\":null}"},
    {"{}", JSON, "a", "[1,]", DRH_E_DATA, "{}"},
    {"{}", JSON, "a", "{\"k\":1,\"k\":2}", DRH_E_DATA, "{}"},
    {"{}", JSON, "a", "", DRH_E_DATA, "{}"},
    {"{}", JSON, "a", "1 2", DRH_E_DATA, "{}"},

    {"{}", F64, "/metadata/ifd", "0.5", DRH_OK, "{\"metadata\":{\"ifd\":0.5}}"},
    {"{}", I64, "/a/b/c/d", "1", DRH_OK, "{\"a\":{\"b\":{\"c\":{\"d\":1}}}}"},
    {"{\"a\":null}", I64, "/a/b/c", "1", DRH_OK, "{\"a\":{\"b\":{\"c\":1}}}"},
    {"{\"a\":{\"b\":null,\"z\":0}}", I64, "/a/b/c", "1", DRH_OK,
     "{\"a\":{\"b\":{\"c\":1},\"z\":0}}"},
    {"{\"a\":{\"b\":null}}", I64, "/a/b", "1", DRH_OK, "{\"a\":{\"b\":1}}"},
    {"{\"a\":{}}", I64, "/a/b", "1", DRH_OK, "{\"a\":{\"b\":1}}"},
    {"{\"a\":{ }}", I64, "/a/b", "1", DRH_OK, "{\"a\":{\"b\":1 }}"},
    {"{\"a\":{ \"x\" : 1.0 }, \"z\" : 0}", I64, "/a/b/c", "1", DRH_OK,
     "{\"a\":{ \"x\" : 1.0,\"b\":{\"c\":1} },\"z\":0}"},
    {"{\"a\":{\"x\":{\"y\":[1, 2]},\"b\":3}}", STR, "/a/x/y", "s", DRH_OK,
     "{\"a\":{\"x\":{\"y\":\"s\"},\"b\":3}}"},
    {"{\"a\":{\"\\u0062\":1}}", I64, "/a/b", "2", DRH_OK, "{\"a\":{\"\\u0062\":2}}"},
    {"{\"a\":{\n \"x\":1\n}}", I64, "/a/b", "2", DRH_OK, "{\"a\":{\"x\":1,\"b\":2}}"},
    {"{}", I64, "/a~1b/c~0\"", "1", DRH_OK, "{\"a/b\":{\"c~\\\"\":1}}"},
    {"{\"a\":1}", I64, "/a/b", "1", DRH_E_TYPE, "{\"a\":1}"},
    {"{\"a\":[1]}", I64, "/a/0", "2", DRH_E_TYPE, "{\"a\":[1]}"},
    {"{\"a\":\"n\"}", I64, "/a/b", "1", DRH_E_TYPE, "{\"a\":\"n\"}"},
    {"{\"a\":{\"b\":false}}", I64, "/a/b/c", "1", DRH_E_TYPE, "{\"a\":{\"b\":false}}"},

    {"{\"a\":1,\"b\":2,\"c\":3}", UNSET, "b", "", DRH_OK, "{\"a\":1,\"c\":3}"},
    {"{\"a\":1}", UNSET, "a", "", DRH_OK, "{}"},
    {"{ \"a\":1}", UNSET, "b", "", DRH_OK, "{ \"a\":1}"},
    {"{\"m\":{\"a\":1,\"b\":2,\"c\":3}}", UNSET, "/m/a", "", DRH_OK, "{\"m\":{\"b\":2,\"c\":3}}"},
    {"{\"m\":{\"a\":1, \"b\":2, \"c\":3}}", UNSET, "/m/b", "", DRH_OK,
     "{\"m\":{\"a\":1, \"c\":3}}"},
    {"{\"m\":{\"a\":1, \"b\" : 2 }}", UNSET, "/m/b", "", DRH_OK, "{\"m\":{\"a\":1 }}"},
    {"{\"m\":{ \"a\":1 }}", UNSET, "/m/a", "", DRH_OK, "{\"m\":{ }}"},
    {"{\"m\":{\"x\":{\"y\":1}}}", UNSET, "/m/x/y", "", DRH_OK, "{\"m\":{\"x\":{}}}"},
    {"{\"m\":{\"x\":1}}", UNSET, "/m/y", "", DRH_OK, "{\"m\":{\"x\":1}}"},
    {"{\"m\":null}", UNSET, "/m/y", "", DRH_OK, "{\"m\":null}"},
    {"{\"m\":[1]}", UNSET, "/m/0", "", DRH_E_TYPE, "{\"m\":[1]}"},
};

static drh_status apply(struct drh_record *r, enum op op, drh_field f, const char *value)
{
    switch (op) {
    case STR:
        return api->set_str(r, f, value, strlen(value));
    case I64:
        return api->set_i64(r, f, strtoll(value, NULL, 10));
    case F64:
        return api->set_f64(r, f, strtod(value, NULL));
    case BOOL:
        return api->set_bool(r, f, *value == '1');
    case JSON:
        return api->set_json(r, f, value, strlen(value));
    case UNSET:
    default:
        return api->unset(r, f);
    }
}

START_TEST(set)
{
    struct drh_record *r = parse(sets[_i].in);

    ck_assert_int_eq(apply(r, sets[_i].op, fld(sets[_i].field), sets[_i].value), sets[_i].st);
    ck_assert_str_eq(written(r), sets[_i].out);
    ck_assert(r->changed == (strcmp(sets[_i].in, sets[_i].out) != 0));
}
END_TEST

START_TEST(set_twice_reads_the_last)
{
    struct drh_record *r = parse("{\"a\":\"one\",\"m\":{\"x\":\"1\"}}");
    drh_str            s;

    ck_assert_int_eq(api->get_str(r, fld("a"), &s), DRH_OK);
    ck_assert_int_eq(api->set_str(r, fld("a"), DRH_LIT("two\n")), DRH_OK);
    ck_assert_int_eq(api->get_str(r, fld("a"), &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "two\n");
    ck_assert_int_eq(api->set_str(r, fld("a"), DRH_LIT("three")), DRH_OK);
    ck_assert_int_eq(api->get_str(r, fld("a"), &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "three");
    ck_assert_int_eq(api->set_str(r, fld("/m/x"), DRH_LIT("2")), DRH_OK);
    ck_assert_int_eq(api->set_str(r, fld("/m/y"), DRH_LIT("3")), DRH_OK);
    ck_assert_int_eq(api->set_str(r, fld("/m/x"), DRH_LIT("4")), DRH_OK);
    ck_assert_int_eq(api->get_str(r, fld("/m/x"), &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "4");
    ck_assert_str_eq(written(r), "{\"a\":\"three\",\"m\":{\"x\":\"4\",\"y\":\"3\"}}");
    ck_assert_int_eq(api->set_bool(r, fld("m"), 1), DRH_OK);
    ck_assert_str_eq(written(r), "{\"a\":\"three\",\"m\":true}");
}
END_TEST

START_TEST(set_from_itself)
{
    struct drh_record *r = parse("{\"a\":{\"b\":[1,\n2]},\"s\":\"x\\ty\"}");
    drh_value          v;
    drh_str            s;

    ck_assert_int_eq(api->get_value(r, fld("a"), &v), DRH_OK);
    ck_assert_int_eq(api->set_value(r, fld("/a/b"), &v), DRH_OK);
    ck_assert_int_eq(api->get_str(r, fld("s"), &s), DRH_OK);
    ck_assert_int_eq(api->set_str(r, fld("s"), s.ptr, s.len), DRH_OK);
    ck_assert_int_eq(api->get_value(r, fld("s"), &v), DRH_OK);
    ck_assert_int_eq(api->set_value(r, fld("copy"), &v), DRH_OK);
    ck_assert_int_eq(api->get_str(r, fld("copy"), &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "x\ty");
    ck_assert_str_eq(written(r),
                     "{\"a\":{\"b\":{\"b\":[1,2]}},\"s\":\"x\\ty\",\"copy\":\"x\\ty\"}");
}
END_TEST

START_TEST(depth_limit_of_sets)
{
    struct drh_record *r = parse("{}");
    char               deep[1024];

    memset(deep, '[', 512);
    memset(deep + 512, ']', 512);
    ck_assert_int_eq(api->set_json(r, fld("a"), deep, 1024), DRH_E_DATA);
    ck_assert_int_eq(api->set_json(r, fld("a"), deep + 1, 1022), DRH_OK);
    (void)written(r);
    ck_assert_int_eq(api->set_json(r, fld("/b/c"), deep + 1, 1022), DRH_E_DATA);
    ck_assert_int_eq(api->set_json(r, fld("/b/c"), deep + 2, 1020), DRH_OK);
    (void)written(r);
}
END_TEST

START_TEST(many_members)
{
    struct drh_record *r = record_new(arena);
    char               name[32];
    int                i;
    int64_t            v;

    ck_assert_str_eq(written(r), "{}");
    for (i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), i % 2 ? "/m/k%d" : "k%d", i);
        ck_assert_int_eq(api->set_i64(r, fld(name), i), DRH_OK);
    }
    (void)written(r);
    for (i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), i % 2 ? "/m/k%d" : "k%d", i);
        ck_assert_int_eq(api->get_i64(r, fld(name), &v), DRH_OK);
        ck_assert_int_eq(v, i);
    }
}
END_TEST

/* ---- settling ---- */

START_TEST(settled_once)
{
    static const char *const ways[] = {"keep", "drop", "fail"};
    struct drh_record       *r = parse("{\"a\":1,\"m\":{}}");
    struct drh_record       *child;
    drh_value                v;
    int64_t                  i;
    drh_status               st;

    ck_assert_int_eq(api->get_value(r, fld("a"), &v), DRH_OK);
    st = _i == 0   ? api->keep(r)
         : _i == 1 ? api->drop(r, "too_short", DRH_LIT("3 < 5"))
                   : api->fail(r, "bad_turns", NULL, 0);
    ck_assert_msg(st == DRH_OK, "%s", ways[_i]);
    ck_assert_uint_eq(r->settled, REC_KEPT + _i);
    ck_assert_int_eq(api->keep(r), DRH_E_ARG);
    ck_assert_int_eq(api->drop(r, "x", NULL, 0), DRH_E_ARG);
    ck_assert_int_eq(api->fail(r, "x", NULL, 0), DRH_E_ARG);
    ck_assert_int_eq(api->set_str(r, fld("a"), "", 0), DRH_E_ARG);
    ck_assert_int_eq(api->set_i64(r, fld("a"), 2), DRH_E_ARG);
    ck_assert_int_eq(api->set_f64(r, fld("a"), 2), DRH_E_ARG);
    ck_assert_int_eq(api->set_bool(r, fld("a"), 1), DRH_E_ARG);
    ck_assert_int_eq(api->set_json(r, fld("a"), "1", 1), DRH_E_ARG);
    ck_assert_int_eq(api->set_value(r, fld("m"), &v), DRH_E_ARG);
    ck_assert_int_eq(api->unset(r, fld("a")), DRH_E_ARG);
    ck_assert_int_eq(api->open(r, fld("a"), DRH_T_ARRAY), DRH_E_ARG);
    ck_assert_int_eq(api->add(r, &child), DRH_E_ARG);
    ck_assert_ptr_null(child);
    ck_assert_int_eq(api->set_state(r, r), DRH_E_ARG);
    ck_assert_int_eq(api->get_i64(r, fld("a"), &i), DRH_OK);
    ck_assert_int_eq(i, 1);
    ck_assert_str_eq(written(r), "{\"a\":1,\"m\":{}}");
    if (_i == 1) {
        ck_assert_str_eq(r->reason, "too_short");
        ck_assert_str_eq(r->detail.ptr, "3 < 5");
    }
}
END_TEST

START_TEST(reasons)
{
    static const struct {
        const char *reason;
        bool        ok;
    } rows[] = {{"a", true},
                {"too_short_2", true},
                {"0123456789012345678901234567890123456789", true},
                {"01234567890123456789012345678901234567890", false},
                {"", false},
                {NULL, false},
                {"Upper", false},
                {"has space", false},
                {"dash-ed", false},
                {"caf\xc3\xa9", false}};
    struct drh_record *r = parse("{}");

    ck_assert_int_eq(api->drop(r, rows[_i].reason, NULL, 0), rows[_i].ok ? DRH_OK : DRH_E_ARG);
    ck_assert_uint_eq(r->settled, rows[_i].ok ? REC_DROPPED : REC_OPEN);
    ck_assert_str_eq(r->reason, rows[_i].ok ? rows[_i].reason : "");
}
END_TEST

START_TEST(details_are_one_line_of_utf8)
{
    struct drh_record *r = parse("{}");
    char               text[3000];
    size_t             i;

    ck_assert_int_eq(api->drop(r, "x", "a\nb\0c\x7f", 6), DRH_OK);
    ck_assert_mem_eq(r->detail.ptr, "a b c ", 7);
    record_reopen(r, 1);
    ck_assert_int_eq(api->fail(r, "x", "a\xff\xc3", 3), DRH_OK);
    ck_assert_str_eq(r->detail.ptr, "a??");
    record_reopen(r, 1);
    for (i = 0; i + 3 <= sizeof(text); i += 3) {
        memcpy(text + i, "\xe4\xb8\xad", 3);
    }
    ck_assert_int_eq(api->fail(r, "x", text, sizeof(text)), DRH_OK);
    ck_assert_uint_eq(r->detail.len, 1023);
    ck_assert(json_utf8_valid(r->detail.ptr, r->detail.len));
}
END_TEST

START_TEST(drop_with_an_open_builder)
{
    struct drh_record *r = parse("{\"a\":1}");

    ck_assert_int_eq(api->open(r, fld("a"), DRH_T_ARRAY), DRH_OK);
    ck_assert_int_eq(api->put_null(r), DRH_OK);
    ck_assert_int_eq(api->drop(r, "x", NULL, 0), DRH_OK);
    ck_assert_int_eq(api->close(r), DRH_E_ARG);
    ck_assert_str_eq(written(r), "{\"a\":1}");
}
END_TEST

START_TEST(reopen)
{
    struct drh_record *r = parse("{\"a\":1}");
    struct drh_record *child;

    ck_assert_int_eq(api->set_state(r, &out), DRH_OK);
    ck_assert_ptr_eq(api->state(r), &out);
    ck_assert_int_eq(api->add(r, &child), DRH_OK);
    ck_assert_int_eq(api->set_i64(r, fld("a"), 2), DRH_OK);
    ck_assert_int_eq(api->keep(r), DRH_OK);
    record_reopen(r, 99);
    ck_assert_ptr_null(api->state(r));
    ck_assert_ptr_null(r->first_child);
    ck_assert_uint_eq(r->settled, REC_OPEN);
    ck_assert_uint_eq(api->seed(r), mix64(99, 0));
    ck_assert_int_eq(api->set_i64(r, fld("a"), 3), DRH_OK);
    ck_assert_str_eq(written(r), "{\"a\":3}");
}
END_TEST

START_TEST(children)
{
    static const struct origin from = {.file = {"f.jsonl", 7},
                                       .domain = {"Math", 4},
                                       .dataset = {"gsm8k", 5},
                                       .source = {"local:f.jsonl", 13}};
    struct drh_record         *r = parse("{}"), *c[3];
    drh_record_info            info = {.struct_size = sizeof(info)};
    int                        i;

    r->origin = &from;
    r->row = 5;
    r->line = 6;
    r->step_seed = 1;
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(api->add(r, &c[i]), DRH_OK);
        ck_assert_ptr_eq(c[i]->parent, r);
        ck_assert_str_eq(written(c[i]), "{}");
    }
    ck_assert_ptr_eq(r->first_child, c[0]);
    ck_assert_ptr_eq(c[0]->next_sibling, c[1]);
    ck_assert_ptr_eq(c[1]->next_sibling, c[2]);
    ck_assert_ptr_null(c[2]->next_sibling);
    ck_assert_ptr_eq(r->last_child, c[2]);
    ck_assert_int_eq(api->info(c[2], &info), DRH_OK);
    ck_assert_uint_eq(info.row, 5);
    ck_assert_str_eq(info.dataset.ptr, "gsm8k");
    ck_assert(api->seed(c[0]) != api->seed(c[1]) && api->seed(c[1]) != api->seed(c[2]) &&
              api->seed(c[0]) != api->seed(r) && api->seed(c[0]) != api->seed(c[2]));
    ck_assert_int_eq(api->set_i64(c[1], fld("a"), 1), DRH_OK);
    ck_assert_int_eq(api->keep(c[1]), DRH_OK);
    ck_assert_str_eq(written(r), "{}");
}
END_TEST

START_TEST(info_of_any_size)
{
    struct drh_record *r = parse("{}");
    struct {
        drh_record_info info;
        uint64_t        newer[4];
    } big;

    r->attempt = 3;
    r->slot = 4;
    r->row = 5;
    r->line = 6;
    memset(&big, 0x55, sizeof(big));
    big.info.struct_size = sizeof(big);
    ck_assert_int_eq(api->info(r, &big.info), DRH_OK);
    ck_assert_uint_eq(big.info.struct_size, sizeof(big));
    ck_assert_uint_eq(big.info.attempt, 3);
    ck_assert_uint_eq(big.info.slot, 4);
    ck_assert_uint_eq(big.info.line, 6);
    ck_assert_str_eq(big.info.source.ptr, "");
    ck_assert_uint_eq(big.newer[0], 0x5555555555555555u);
    memset(&big, 0x55, sizeof(big));
    big.info.struct_size = offsetof(drh_record_info, row);
    ck_assert_int_eq(api->info(r, &big.info), DRH_OK);
    ck_assert_uint_eq(big.info.slot, 4);
    ck_assert_uint_eq(big.info.row, 0x5555555555555555u);
    big.info.struct_size = 0;
    ck_assert_int_eq(api->info(r, &big.info), DRH_E_ARG);
}
END_TEST

START_TEST(seeds)
{
    struct drh_record *r = parse("{}");
    uint64_t           a;

    r->step_seed = 42;
    a = api->seed(r);
    ck_assert_uint_eq(api->seed(r), a);
    r->attempt = 1;
    ck_assert_uint_ne(api->seed(r), a);
    r->attempt = 0;
    r->step_seed = 43;
    ck_assert_uint_ne(api->seed(r), a);
}
END_TEST

START_TEST(ids)
{
    ck_assert_str_eq(record_id(parse("{\"metadata\":{\"id\":\"9f2c\"}}")).ptr, "9f2c");
    ck_assert_str_eq(record_id(parse("{\"metadata\":{\"id\":17}}")).ptr, "");
    ck_assert_str_eq(record_id(parse("{\"metadata\":null}")).ptr, "");
    ck_assert_str_eq(record_id(parse("{}")).ptr, "");
}
END_TEST

/* Every allocation fails once: no crash, DRH_E_NOMEM is said, and the record stays writable. */
START_TEST(out_of_memory)
{
    char setting[32];
    int  at, failed = 0;

    for (at = 1; at < 40; at++) {
        struct arena     *a = arena_new();
        struct drh_record r;
        drh_status        st[6];
        size_t            i;
        char             *big = mem_alloc(300000, 1);

        memset(big, 'x', 299999);
        memset(&r, 0, sizeof(r));
        r.arena = a;
        snprintf(setting, sizeof(setting), "alloc:%d", at);
        (void)setenv("DRHOST_FAULT", setting, 1);
        mem_fault_from_env();
        st[0] = record_parse(&r, DRH_LIT("{\"a\":{\"b\":1}}"), NULL);
        st[1] = api->set_str(&r, fld("s"), big, 299999);
        st[2] = api->set_str(&r, fld("/a/c"), big, 299999);
        st[3] = api->open(&r, fld("o"), DRH_T_ARRAY);
        if (st[3] == DRH_OK) {
            st[4] = api->put_str(&r, big, 299999);
            st[5] = api->close(&r);
            ck_assert(st[4] == DRH_OK || st[5] == st[4]);
        } else {
            st[4] = st[5] = DRH_OK;
        }
        (void)setenv("DRHOST_FAULT", "", 1);
        mem_fault_from_env();
        for (i = 0; i < 6; i++) {
            ck_assert(st[i] == DRH_OK || st[i] == DRH_E_NOMEM || st[i] == DRH_E_ARG);
            failed += st[i] == DRH_E_NOMEM;
        }
        (void)written(&r);
        arena_free(a);
        mem_free(big);
    }
    ck_assert_int_gt(failed, 4);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("record");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, untouched_bytes, 0, ROWS(untouched));
    tcase_add_loop_test(t, refused, 0, 7);
    tcase_add_loop_test(t, get_str, 0, ROWS(strs));
    tcase_add_test(t, get_numbers);
    tcase_add_test(t, get_bool_json_value);
    tcase_add_test(t, the_record_as_a_whole);
    tcase_add_test(t, field_numbers_out_of_nowhere);
    tcase_add_test(t, columns);
    tcase_add_loop_test(t, set, 0, ROWS(sets));
    tcase_add_test(t, set_twice_reads_the_last);
    tcase_add_test(t, set_from_itself);
    tcase_add_test(t, depth_limit_of_sets);
    tcase_add_test(t, many_members);
    tcase_add_loop_test(t, settled_once, 0, 3);
    tcase_add_loop_test(t, reasons, 0, 10);
    tcase_add_test(t, details_are_one_line_of_utf8);
    tcase_add_test(t, drop_with_an_open_builder);
    tcase_add_test(t, reopen);
    tcase_add_test(t, children);
    tcase_add_test(t, info_of_any_size);
    tcase_add_test(t, seeds);
    tcase_add_test(t, ids);
    tcase_add_test(t, out_of_memory);
    return run_case("record", t);
}
