/* SPDX-License-Identifier: MIT
 * test_value.c - the cursor through the table that plugins get. */
#include "field.h"
#include "mem.h"
#include "record.h"

#include "run.h"

#include <pthread.h>
#include <string.h>

static const char text[] =
    "{ \"turns\" : [ {\"from\":\"human\",\"value\":\"a\\n\\u4e2d\"} , {\"from\":\"gpt\"} , 7 ] ,"
    "\"n\":-12,\"x\":0.5,\"big\":9223372036854775808,\"t\":true,\"f\":false,\"z\":null,"
    "\"e\":[ ],\"o\":{ },\"k\\u0065y\\n\":\"\",\"nul\":\"a\\u0000b\"}";

static const drh_value_api *const v = &value_api;
static struct arena              *arena;
static drh_value                  root;

static void setup(void)
{
    uint32_t type;

    arena = arena_new();
    ck_assert_int_eq(json_scan(text, sizeof(text) - 1, arena, NULL, NULL, &type, NULL), DRH_OK);
    value_at(&root, arena, text, sizeof(text) - 1);
}

static void teardown(void)
{
    arena_free(arena);
}

static drh_value get(const char *key)
{
    drh_value out;

    ck_assert_int_eq(v->member(&root, key, strlen(key), &out), DRH_OK);
    return out;
}

START_TEST(types)
{
    static const struct {
        const char *key;
        uint32_t    type;
        size_t      count;
    } rows[] = {{"turns", DRH_T_ARRAY, 3}, {"n", DRH_T_NUMBER, 0},    {"x", DRH_T_NUMBER, 0},
                {"t", DRH_T_BOOL, 0},      {"z", DRH_T_NULL, 0},      {"e", DRH_T_ARRAY, 0},
                {"o", DRH_T_OBJECT, 0},    {"key\n", DRH_T_STRING, 0}};
    size_t i;

    ck_assert_uint_eq(v->struct_size, sizeof(drh_value_api));
    ck_assert_uint_eq(v->type(&root), DRH_T_OBJECT);
    ck_assert_uint_eq(v->count(&root), 11);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        drh_value x = get(rows[i].key);
        ck_assert_uint_eq(v->type(&x), rows[i].type);
        ck_assert_uint_eq(v->count(&x), rows[i].count);
    }
}
END_TEST

START_TEST(numbers)
{
    drh_value n = get("n"), x = get("x"), big = get("big"), t = get("t");
    int64_t   i = 1;
    double    d = 1;

    ck_assert_int_eq(v->i64(&n, &i), DRH_OK);
    ck_assert_int_eq(i, -12);
    ck_assert_int_eq(v->i64(&x, &i), DRH_E_TYPE);
    ck_assert_int_eq(i, 0);
    ck_assert_int_eq(v->i64(&big, &i), DRH_E_RANGE);
    ck_assert_int_eq(v->f64(&big, &d), DRH_OK);
    ck_assert(d == 9223372036854775808.0);
    ck_assert_int_eq(v->f64(&x, &d), DRH_OK);
    ck_assert(d == 0.5);
    ck_assert_int_eq(v->f64(&t, &d), DRH_E_TYPE);
    ck_assert_int_eq(v->i64(&t, &i), DRH_E_TYPE);
}
END_TEST

START_TEST(booleans)
{
    drh_value t = get("t"), f = get("f"), z = get("z");
    int32_t   b = 5;

    ck_assert_int_eq(v->boolean(&t, &b), DRH_OK);
    ck_assert_int_eq(b, 1);
    ck_assert_int_eq(v->boolean(&f, &b), DRH_OK);
    ck_assert_int_eq(b, 0);
    ck_assert_int_eq(v->boolean(&z, &b), DRH_E_TYPE);
}
END_TEST

START_TEST(strings)
{
    drh_value k = get("key\n"), nul = get("nul"), n = get("n");
    drh_str   s;

    ck_assert_int_eq(v->str(&k, &s), DRH_OK);
    ck_assert_uint_eq(s.len, 0);
    ck_assert_str_eq(s.ptr, "");
    ck_assert_int_eq(v->key(&k, &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "key\n");
    ck_assert_uint_eq(s.len, 4);
    ck_assert_int_eq(v->str(&nul, &s), DRH_OK);
    ck_assert_uint_eq(s.len, 3);
    ck_assert_mem_eq(s.ptr, "a\0b", 4);
    ck_assert_int_eq(v->str(&n, &s), DRH_E_TYPE);
    ck_assert_ptr_null(s.ptr);
    ck_assert_int_eq(v->key(&root, &s), DRH_E_TYPE);
}
END_TEST

START_TEST(walk)
{
    drh_value turns = get("turns"), turn, x;
    drh_str   s;

    ck_assert_int_eq(v->child(&turns, &turn), DRH_OK);
    ck_assert_int_eq(v->key(&turn, &s), DRH_E_TYPE);
    ck_assert_int_eq(v->child(&turn, &x), DRH_OK);
    ck_assert_int_eq(v->key(&x, &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "from");
    ck_assert_int_eq(v->next(&x), DRH_OK);
    ck_assert_int_eq(v->key(&x, &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "value");
    ck_assert_int_eq(v->str(&x, &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "a\n\xe4\xb8\xad");
    ck_assert_int_eq(v->next(&x), DRH_END);
    ck_assert_int_eq(v->str(&x, &s), DRH_OK); /* still at the last one */
    ck_assert_int_eq(v->next(&turn), DRH_OK);
    ck_assert_int_eq(v->next(&turn), DRH_OK);
    ck_assert_uint_eq(v->type(&turn), DRH_T_NUMBER);
    ck_assert_int_eq(v->next(&turn), DRH_END);
    ck_assert_int_eq(v->next(&root), DRH_END);
}
END_TEST

START_TEST(empty_and_scalar)
{
    drh_value e = get("e"), o = get("o"), n = get("n"), out = n;

    ck_assert_int_eq(v->child(&e, &out), DRH_END);
    ck_assert_int_eq(v->child(&o, &out), DRH_END);
    ck_assert_int_eq(v->child(&n, &out), DRH_E_TYPE);
    ck_assert_int_eq(v->member(&o, "a", 1, &out), DRH_E_MISSING);
    ck_assert_int_eq(v->member(&e, "a", 1, &out), DRH_E_TYPE);
    ck_assert_int_eq(v->member(&n, "a", 1, &out), DRH_E_TYPE);
    ck_assert_int_eq(v->member(&root, "", 0, &out), DRH_E_MISSING);
    ck_assert_int_eq(v->member(&root, NULL, 0, &out), DRH_E_MISSING);
    ck_assert_int_eq(v->member(&root, "human", 5, &out), DRH_E_MISSING);
}
END_TEST

START_TEST(source_text)
{
    drh_value turns = get("turns"), turn;
    drh_str   s = v->json(&turns);

    ck_assert_uint_eq(s.len, strlen("[ {\"from\":\"human\",\"value\":\"a\\n\\u4e2d\"} , "
                                    "{\"from\":\"gpt\"} , 7 ]"));
    ck_assert_ptr_eq(s.ptr, strchr(text, '['));
    ck_assert_int_eq(v->child(&turns, &turn), DRH_OK);
    ck_assert_int_eq(v->next(&turn), DRH_OK);
    s = v->json(&turn);
    ck_assert_uint_eq(s.len, 14);
    ck_assert_mem_eq(s.ptr, "{\"from\":\"gpt\"}", 14);
}
END_TEST

START_TEST(member_into_itself)
{
    drh_value x = root;

    ck_assert_int_eq(v->member(&x, "turns", 5, &x), DRH_OK);
    ck_assert_int_eq(v->child(&x, &x), DRH_OK);
    ck_assert_int_eq(v->member(&x, "from", 4, &x), DRH_OK);
    ck_assert_uint_eq(v->type(&x), DRH_T_STRING);
}
END_TEST

START_TEST(out_of_memory)
{
    drh_value k = get("nul");
    drh_str   s;

    teardown();
    arena = arena_new();
    k.w[0] = (uintptr_t)arena;
    (void)setenv("DRHOST_FAULT", "alloc:1+", 1);
    mem_fault_from_env();
    ck_assert_int_eq(v->str(&k, &s), DRH_E_NOMEM);
    ck_assert_ptr_null(s.ptr);
    ck_assert_int_eq(v->key(&k, &s), DRH_E_NOMEM);
}
END_TEST

/* ---- decoded ahead ---- */

static void *read_shared(void *ctx)
{
    const drh_value *top = ctx;
    drh_value        x, y;
    drh_str          s, k;
    int              i, ok = 1;

    for (i = 0; i < 200; i++) {
        ok &= v->member(top, "turns", 5, &x) == DRH_OK && v->child(&x, &x) == DRH_OK;
        ok &= v->child(&x, &y) == DRH_OK && v->next(&y) == DRH_OK;
        ok &= v->str(&y, &s) == DRH_OK && s.len == 5 && strcmp(s.ptr, "a\n\xe4\xb8\xad") == 0;
        ok &= v->key(&y, &k) == DRH_OK && k.len == 5 && strcmp(k.ptr, "value") == 0;
    }
    return ok ? ctx : NULL;
}

START_TEST(shared)
{
    struct decoded *d = value_decode(text, sizeof(text) - 1);
    drh_value       top, x;
    drh_str         s;
    uint64_t        calls = mem_calls();
    size_t          bytes = arena_bytes(arena);
    pthread_t       t[3];
    void           *ok;
    int             i;

    ck_assert_ptr_nonnull(d);
    value_at_decoded(&top, d, text, sizeof(text) - 1);
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&t[i], NULL, read_shared, &top), 0);
    }
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_join(t[i], &ok), 0);
        ck_assert_ptr_nonnull(ok);
    }
    ck_assert_int_eq(v->member(&top, "nul", 3, &x), DRH_OK);
    ck_assert_int_eq(v->str(&x, &s), DRH_OK);
    ck_assert_uint_eq(s.len, 3);
    ck_assert_mem_eq(s.ptr, "a\0b", 4);
    ck_assert_int_eq(v->member(&top, "key\n", 4, &x), DRH_OK);
    ck_assert_int_eq(v->key(&x, &s), DRH_OK);
    ck_assert_uint_eq(s.len, 4);
    ck_assert_str_eq(s.ptr, "key\n");
    ck_assert_int_eq(v->str(&x, &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "");
    ck_assert_uint_eq(mem_calls(), calls);
    ck_assert_uint_eq(arena_bytes(arena), bytes);
    mem_free(d);
}
END_TEST

/* Two cursors in turns: what one has learned of the text must not mislead the other. */
START_TEST(interleaved)
{
    static const char nested[] =
        "[{\"k\":\"a long string with ] and } and \\\" in it\",\"l\":{\"k\":\"}\",\"m\":[\"]\"]}},"
        "{\"l\":{\"k\":\"]\"},\"k\":\"b\"},\"c\"]";
    static const char *const want[] = {"a long string with ] and } and \" in it", "b"};
    drh_value                all, one, two, x;
    drh_str                  s;
    size_t                   i;

    value_at(&all, arena, nested, sizeof(nested) - 1);
    ck_assert_int_eq(v->child(&all, &one), DRH_OK);
    two = one;
    for (i = 0; i < 2; i++) {
        ck_assert_int_eq(v->member(&one, "k", 1, &x), DRH_OK);
        ck_assert_int_eq(v->str(&x, &s), DRH_OK);
        ck_assert_str_eq(s.ptr, want[i]);
        ck_assert_int_eq(v->member(&two, "l", 1, &x), DRH_OK);
        ck_assert_int_eq(v->child(&x, &x), DRH_OK);
        ck_assert_int_eq(v->str(&x, &s), DRH_OK);
        ck_assert_str_eq(s.ptr, i ? "]" : "}");
        ck_assert_int_eq(v->member(&one, "k", 1, &x), DRH_OK); /* found, not read */
        ck_assert_int_eq(v->next(&one), DRH_OK);
        ck_assert_int_eq(v->next(&two), DRH_OK);
        ck_assert_uint_eq(v->type(&one), v->type(&two));
        ck_assert_ptr_eq(v->json(&one).ptr, v->json(&two).ptr);
    }
    ck_assert_int_eq(v->str(&one, &s), DRH_OK);
    ck_assert_str_eq(s.ptr, "c");
    ck_assert_int_eq(v->next(&one), DRH_END);
    ck_assert_uint_eq(v->count(&all), 3);
}
END_TEST

/* A text where another one was: nothing that is known of the old one counts. */
START_TEST(another_text)
{
    char      place[64] = "[{\"a\":\"one string here\"},1]";
    drh_value all, x, y;
    drh_str   s;

    value_at(&all, arena, place, strlen(place));
    ck_assert_int_eq(v->child(&all, &x), DRH_OK);
    ck_assert_int_eq(v->child(&x, &y), DRH_OK);
    ck_assert_int_eq(v->str(&y, &s), DRH_OK);
    memcpy(place, "[{\"a\":\"x\",\"b\":[{}]},22]", 24);
    value_at(&all, arena, place, strlen(place));
    ck_assert_int_eq(v->child(&all, &x), DRH_OK);
    ck_assert_int_eq(v->next(&x), DRH_OK);
    s = v->json(&x);
    ck_assert_uint_eq(s.len, 2);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("value");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, types);
    tcase_add_test(t, numbers);
    tcase_add_test(t, booleans);
    tcase_add_test(t, strings);
    tcase_add_test(t, walk);
    tcase_add_test(t, empty_and_scalar);
    tcase_add_test(t, source_text);
    tcase_add_test(t, member_into_itself);
    tcase_add_test(t, out_of_memory);
    tcase_add_test(t, shared);
    tcase_add_test(t, interleaved);
    tcase_add_test(t, another_text);
    return run_case("value", t);
}
