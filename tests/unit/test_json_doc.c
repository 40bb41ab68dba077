/* SPDX-License-Identifier: MIT
 * test_json_doc.c - answers of servers behind cursors: what is refused and why, values of other
 * types than expected, deep nesting, numbers beyond all bounds, texts that end where they end. */
#include "err.h"
#include "mem.h"
#include "record.h"
#include "run.h"

#include <stdbool.h>
#include <string.h>

static const drh_value_api *const v = &value_api;
static drh_json                  *doc;
static drh_value                  root;
static drh_error                  e;
static char                      *text; /* in a block of exactly its size */

static void setup(void)
{
    e = (drh_error)ERR_INIT;
}

static void teardown(void)
{
    json_doc_close(doc);
    free(text);
    doc = NULL;
    text = NULL;
}

static drh_status open_bytes(const char *p, size_t n)
{
    teardown();
    text = malloc(n ? n : 1);
    memcpy(text, p, n);
    return json_doc_open(NULL, text, n, &doc, &root, &e);
}

static drh_value get(const char *key)
{
    drh_value out;

    ck_assert_msg(v->member(&root, key, strlen(key), &out) == DRH_OK, "%s", key);
    return out;
}

/* ---- whole texts ---- */

static const struct {
    const char *text;
    uint32_t    type; /* 0xFF: refused */
} texts[] = {
    {"{}", DRH_T_OBJECT},
    {"[]", DRH_T_ARRAY},
    {" \r\n\t[1]\n ", DRH_T_ARRAY},
    {"8", DRH_T_NUMBER},
    {"\n\n\n\n8", DRH_T_NUMBER}, /* nothing behind it is looked at */
    {"    -0.5e-3", DRH_T_NUMBER},
    {"    \"x\"", DRH_T_STRING},
    {"    true", DRH_T_BOOL},
    {"    null", DRH_T_NULL},
    {"", 0xFF},
    {"   ", 0xFF},
    {"{", 0xFF},
    {"[1,]", 0xFF},
    {"{\"a\":1}x", 0xFF},
    {"{} {}", 0xFF},
    {"{\"a\":1,\"a\":2}", 0xFF},
    {"[01]", 0xFF},
    {"[NaN]", 0xFF},
    {"<html>", 0xFF},
    {"\"\xff\"", 0xFF},
    {"\"\\ud800\"", 0xFF},
    {"\"a\nb\"", 0xFF},
};

START_TEST(whole_texts)
{
    const char *t = texts[_i].text;
    drh_status  st = open_bytes(t, strlen(t));
    size_t      n;

    if (texts[_i].type == 0xFF) {
        ck_assert_int_eq(st, DRH_E_DATA);
        ck_assert_ptr_null(doc);
        ck_assert_msg(strstr(e.message, "not JSON: byte ") == e.message, "%s", e.message);
        return;
    }
    ck_assert_msg(st == DRH_OK, "%s", e.message);
    ck_assert_uint_eq(v->type(&root), texts[_i].type);
    t += strspn(t, " \r\n\t");
    for (n = strlen(t); strchr(" \r\n\t", t[n - 1]); n--) {
    }
    ck_assert_uint_eq(v->json(&root).len, n);
    ck_assert_int_eq(memcmp(v->json(&root).ptr, t, n), 0);
}
END_TEST

START_TEST(a_zero_is_no_end)
{
    ck_assert_int_eq(open_bytes("[1]\0", 4), DRH_E_DATA);
    ck_assert_int_eq(open_bytes("\0", 1), DRH_E_DATA);
    ck_assert_int_eq(open_bytes("[\"a\\u0000b\"]", 12), DRH_OK);
    json_doc_close(NULL);
}
END_TEST

/* ---- other types than expected ---- */

static const char values[] =
    "{\"s\":\"x\",\"n\":7,\"x\":0.5,\"t\":true,\"z\":null,\"a\":[1],\"o\":{\"k\":1},\"e\":[],"
    "\"f\":{}}";

START_TEST(other_types)
{
    static const struct {
        const char *key;
        bool        str, i64, f64, boolean, container;
    } rows[] = {{"s", true, false, false, false, false},  {"n", false, true, true, false, false},
                {"x", false, false, true, false, false},  {"t", false, false, false, true, false},
                {"z", false, false, false, false, false}, {"a", false, false, false, false, true},
                {"o", false, false, false, false, true}};
    drh_value x, y;
    drh_str   s;
    int64_t   n;
    int32_t   b;
    double    d;

    ck_assert_int_eq(open_bytes(values, sizeof(values) - 1), DRH_OK);
    for (int i = 0; i < ROWS(rows); i++) {
        x = get(rows[i].key);
        ck_assert_int_eq(v->str(&x, &s), rows[i].str ? DRH_OK : DRH_E_TYPE);
        ck_assert_int_eq(v->i64(&x, &n), rows[i].i64 ? DRH_OK : DRH_E_TYPE);
        ck_assert_int_eq(v->f64(&x, &d), rows[i].f64 ? DRH_OK : DRH_E_TYPE);
        ck_assert_int_eq(v->boolean(&x, &b), rows[i].boolean ? DRH_OK : DRH_E_TYPE);
        ck_assert_int_eq(v->child(&x, &y), rows[i].container ? DRH_OK : DRH_E_TYPE);
        ck_assert_uint_eq(v->count(&x), rows[i].container ? 1 : 0);
        if (strcmp(rows[i].key, "o") != 0) {
            ck_assert_int_ne(v->member(&x, "k", 1, &y), DRH_OK);
        }
    }
}
END_TEST

START_TEST(what_is_empty_or_not_there)
{
    drh_value x, y;
    drh_str   s;

    ck_assert_int_eq(open_bytes(values, sizeof(values) - 1), DRH_OK);
    x = get("e");
    ck_assert_int_eq(v->child(&x, &y), DRH_END);
    x = get("f");
    ck_assert_int_eq(v->child(&x, &y), DRH_END);
    ck_assert_int_eq(v->member(&root, "nothing", 7, &y), DRH_E_MISSING);
    ck_assert_int_eq(v->member(&root, "", 0, &y), DRH_E_MISSING);
    ck_assert_int_eq(v->key(&root, &s), DRH_E_TYPE);
    ck_assert_int_eq(v->next(&root), DRH_END);
}
END_TEST

/* ---- bounds ---- */

START_TEST(deep_nesting)
{
    enum { DEEP = JSON_MAX_DEPTH };
    char      nested[2 * DEEP + 4];
    drh_value x, y;
    int       n = 0;

    memset(nested, '[', DEEP + 1);
    memset(nested + DEEP + 1, ']', DEEP + 1);
    ck_assert_int_eq(open_bytes(nested, 2 * DEEP + 2), DRH_E_DATA);
    ck_assert_int_eq(open_bytes(nested + 1, 2 * DEEP), DRH_OK);
    for (x = root; v->child(&x, &y) == DRH_OK; x = y) {
        n++;
    }
    ck_assert_int_eq(n, DEEP - 1);
}
END_TEST

START_TEST(deeper_than_any_stack)
{
    enum { DEEP = 4 << 20 };
    char *nested = malloc(DEEP);

    memset(nested, '[', DEEP);
    ck_assert_int_eq(open_bytes(nested, DEEP), DRH_E_DATA);
    free(nested);
}
END_TEST

/* i64, f64: what they say; n, d: the number when it is DRH_OK */
static const struct {
    const char *text;
    drh_status  i64, f64;
    int64_t     n;
    double      d;
} numbers[] = {
    {"0", DRH_OK, DRH_OK, 0, 0},
    {"-0", DRH_OK, DRH_OK, 0, -0.0},
    {"9007199254740993", DRH_OK, DRH_OK, 9007199254740993, 9007199254740992.0},
    {"9223372036854775807", DRH_OK, DRH_OK, INT64_MAX, 9223372036854775808.0},
    {"-9223372036854775808", DRH_OK, DRH_OK, INT64_MIN, -9223372036854775808.0},
    {"9223372036854775808", DRH_E_RANGE, DRH_OK, 0, 9223372036854775808.0},
    {"-9223372036854775809", DRH_E_RANGE, DRH_OK, 0, -9223372036854775808.0},
    {"18446744073709551616", DRH_E_RANGE, DRH_OK, 0, 18446744073709551616.0},
    {"99999999999999999999999999999999999999999", DRH_E_RANGE, DRH_OK, 0, 1e41},
    {"5.0", DRH_E_TYPE, DRH_OK, 0, 5},
    {"1e3", DRH_E_TYPE, DRH_OK, 0, 1000},
    {"1e308", DRH_E_TYPE, DRH_OK, 0, 1e308},
    {"1e999", DRH_E_TYPE, DRH_E_RANGE, 0, 0},
    {"-1e999", DRH_E_TYPE, DRH_E_RANGE, 0, 0},
    {"1e-999", DRH_E_TYPE, DRH_OK, 0, 0},
};

START_TEST(numbers_of_all_sizes)
{
    int64_t n;
    double  d;

    ck_assert_int_eq(open_bytes(numbers[_i].text, strlen(numbers[_i].text)), DRH_OK);
    ck_assert_int_eq(v->i64(&root, &n), numbers[_i].i64);
    ck_assert_int_eq(v->f64(&root, &d), numbers[_i].f64);
    if (numbers[_i].i64 == DRH_OK) {
        ck_assert_int_eq(n, numbers[_i].n);
    }
    if (numbers[_i].f64 == DRH_OK) {
        ck_assert(d == numbers[_i].d);
    }
}
END_TEST

/* Strings that were asked for stay where they are while more are asked for. */
START_TEST(texts_stay)
{
    enum { N = 2000 };
    char     *many = malloc(N * 32 + 3), *p = many;
    drh_str   first, s;
    drh_value x;

    *p++ = '[';
    for (int i = 0; i < N; i++) {
        p += snprintf(p, 32, "%s\"a\\n\\u4e2d%d\"", i ? "," : "", i);
    }
    *p++ = ']';
    ck_assert_int_eq(open_bytes(many, (size_t)(p - many)), DRH_OK);
    free(many);
    ck_assert_int_eq(v->child(&root, &x), DRH_OK);
    ck_assert_int_eq(v->str(&x, &first), DRH_OK);
    for (int i = 1; i < N; i++) {
        char want[32];
        ck_assert_int_eq(v->next(&x), DRH_OK);
        ck_assert_int_eq(v->str(&x, &s), DRH_OK);
        (void)snprintf(want, sizeof(want), "a\n\xe4\xb8\xad%d", i);
        ck_assert_str_eq(s.ptr, want);
    }
    ck_assert_str_eq(first.ptr, "a\n\xe4\xb8\xad"
                                "0");
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("json_doc");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, whole_texts, 0, ROWS(texts));
    tcase_add_test(t, a_zero_is_no_end);
    tcase_add_test(t, other_types);
    tcase_add_test(t, what_is_empty_or_not_there);
    tcase_add_test(t, deep_nesting);
    tcase_add_test(t, deeper_than_any_stack);
    tcase_add_loop_test(t, numbers_of_all_sizes, 0, ROWS(numbers));
    tcase_add_test(t, texts_stay);
    return run_case("json_doc", t);
}
