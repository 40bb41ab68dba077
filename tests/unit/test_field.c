/* SPDX-License-Identifier: MIT
 * test_field.c - names and JSON Pointers (RFC 6901) as numbers, from many threads at once. */
#include "field.h"

#include "json.h"
#include "mem.h"
#include "run.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* Parts are joined with '|'; NULL: refused. */
static const struct {
    const char *name;
    const char *parts;
} names[] = {
    {"output", "output"},
    {"a/b", "a/b"},
    {"a~b", "a~b"},
    {"/metadata/ifd", "metadata|ifd"},
    {"/", ""},
    {"//", "|"},
    {"/a~1b", "a/b"},
    {"/m~0n", "m~n"},
    {"/~01", "~1"},
    {"/a//b", "a||b"},
    {"/0/1", "0|1"},
    {"/1/2/3/4/5/6/7/8", "1|2|3|4|5|6|7|8"},
    {"/1/2/3/4/5/6/7/8/9", NULL},
    {"/a~", NULL},
    {"/a~2", NULL},
    {"/~/b", NULL},
    {"", NULL},
    {"\xff", NULL},
    {"\xe4\xb8\xad", "\xe4\xb8\xad"},
};

START_TEST(name)
{
    const char              *s = names[_i].name;
    drh_field                f = field_intern(s, strlen(s));
    const struct field_path *path = field_path(f);
    char                     joined[200] = "";
    uint32_t                 i;

    if (!names[_i].parts) {
        ck_assert_uint_eq(f, DRH_FIELD_NONE);
        ck_assert_ptr_null(path);
        return;
    }
    ck_assert_uint_ne(f, DRH_FIELD_NONE);
    for (i = 0; i < path->n; i++) {
        size_t n = strlen(joined);
        ck_assert_uint_eq(strlen(path->part[i].ptr), path->part[i].len);
        snprintf(joined + n, sizeof(joined) - n, "%s%s", i ? "|" : "", path->part[i].ptr);
    }
    ck_assert_str_eq(joined, names[_i].parts);
    ck_assert_uint_eq(field_intern(s, strlen(s)), f);
    ck_assert_str_eq(field_name(f).ptr, s);
    ck_assert_uint_eq(field_name(f).len, strlen(s));
    field_free_all();
}
END_TEST

START_TEST(unknown_numbers)
{
    ck_assert_ptr_null(field_path(0));
    ck_assert_ptr_null(field_path(1));
    ck_assert_ptr_null(field_path(UINT32_MAX));
    ck_assert_ptr_null(field_name(7).ptr);
    ck_assert_uint_eq(field_intern("x", 1), 1);
    ck_assert_ptr_null(field_path(2));
    field_free_all();
    ck_assert_ptr_null(field_path(1));
}
END_TEST

START_TEST(need_not_be_terminated)
{
    drh_field f = field_intern("abcdef", 3);

    ck_assert_str_eq(field_name(f).ptr, "abc");
    ck_assert_uint_eq(field_intern("abc", 3), f);
    ck_assert_uint_ne(field_intern("abcdef", 6), f);
    ck_assert_uint_ne(field_intern("abd", 3), f);
    ck_assert_uint_ne(field_intern("abc\0", 4), f);
    field_free_all();
}
END_TEST

START_TEST(key_length)
{
    char     *p = mem_alloc(JSON_MAX_KEY + 3, 1);
    drh_field f;

    memset(p, 'k', JSON_MAX_KEY + 2);
    ck_assert_uint_ne(field_intern(p, JSON_MAX_KEY), DRH_FIELD_NONE);
    ck_assert_uint_eq(field_intern(p, JSON_MAX_KEY + 1), DRH_FIELD_NONE);
    p[0] = '/';
    f = field_intern(p, JSON_MAX_KEY + 1);
    ck_assert_uint_ne(f, DRH_FIELD_NONE);
    ck_assert_uint_eq(field_path(f)->part[0].len, JSON_MAX_KEY);
    ck_assert_uint_eq(field_intern(p, JSON_MAX_KEY + 2), DRH_FIELD_NONE);
    mem_free(p);
    field_free_all();
}
END_TEST

enum { MANY = 3000 };

static void *intern_many(void *ctx)
{
    drh_field *out = ctx;
    char       text[32];
    int        i;

    for (i = 0; i < MANY; i++) {
        int n = snprintf(text, sizeof(text), "/m/%d", i);
        out[i] = field_intern(text, (size_t)n);
        if (!field_path(out[i]) || field_path(out[i])->n != 2) {
            out[i] = 0;
        }
    }
    return NULL;
}

START_TEST(threads_agree)
{
    static drh_field out[4][MANY];
    pthread_t        t[4];
    int              i, k;

    for (k = 0; k < 4; k++) {
        ck_assert_int_eq(pthread_create(&t[k], NULL, intern_many, out[k]), 0);
    }
    for (k = 0; k < 4; k++) {
        ck_assert_int_eq(pthread_join(t[k], NULL), 0);
    }
    for (i = 0; i < MANY; i++) {
        char text[32];
        snprintf(text, sizeof(text), "/m/%d", i);
        ck_assert_str_eq(field_name(out[0][i]).ptr, text);
        for (k = 1; k < 4; k++) {
            ck_assert_uint_eq(out[k][i], out[0][i]);
        }
    }
    ck_assert_ptr_null(field_path(MANY + 1));
    field_free_all();
}
END_TEST

START_TEST(out_of_memory)
{
    char text[32];

    snprintf(text, sizeof(text), "alloc:%d", _i + 1);
    (void)setenv("DRHOST_FAULT", text, 1);
    mem_fault_from_env();
    ck_assert_uint_eq(field_intern("name", 4), DRH_FIELD_NONE);
    ck_assert_uint_eq(field_intern("name", 4), 1);
    ck_assert_str_eq(field_name(1).ptr, "name");
    field_free_all();
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("field");

    tcase_add_loop_test(t, name, 0, ROWS(names));
    tcase_add_test(t, unknown_numbers);
    tcase_add_test(t, need_not_be_terminated);
    tcase_add_test(t, key_length);
    tcase_add_test(t, threads_agree);
    tcase_add_loop_test(t, out_of_memory, 0, 3); /* index, chunk, text */
    return run_case("field", t);
}
