/* SPDX-License-Identifier: MIT
 * test_mem.c - the allocator: zeroing, overflow, and failing on demand. */
#include "mem.h"

#include "run.h"

#include <string.h>

START_TEST(zeroed)
{
    unsigned char *p = mem_alloc(100, 3);
    size_t         i;

    ck_assert_ptr_nonnull(p);
    for (i = 0; i < 300; i++) {
        ck_assert_int_eq(p[i], 0);
    }
    mem_free(p);
}
END_TEST

START_TEST(overflow_is_refused)
{
    ck_assert_ptr_null(mem_alloc(SIZE_MAX / 2, 3));
    ck_assert_ptr_null(mem_alloc(3, SIZE_MAX / 2));
    ck_assert_ptr_null(mem_dup("", SIZE_MAX));
}
END_TEST

START_TEST(nothing_is_something)
{
    void *p = mem_alloc(0, 8);

    ck_assert_ptr_nonnull(p);
    mem_free(p);
    mem_free(NULL);
    ck_assert_ptr_null(mem_resize(NULL, 0));
}
END_TEST

START_TEST(resize)
{
    char *p = mem_resize(NULL, 4);

    ck_assert_ptr_nonnull(p);
    memcpy(p, "abc", 4);
    p = mem_resize(p, 100000);
    ck_assert_str_eq(p, "abc");
    ck_assert_ptr_null(mem_resize(p, 0));
}
END_TEST

START_TEST(copies)
{
    char *a = mem_dup("abcdef", 3), *b = mem_dupz("xyz"), *c = mem_printf("%s-%d", "n", 17);
    char *d = mem_dup(NULL, 0);

    ck_assert_str_eq(a, "abc");
    ck_assert_str_eq(b, "xyz");
    ck_assert_str_eq(c, "n-17");
    ck_assert_str_eq(d, "");
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(d);
}
END_TEST

START_TEST(calls_are_counted)
{
    uint64_t before = mem_calls();
    void    *p = mem_alloc(1, 1);

    p = mem_resize(p, 2);
    ck_assert_uint_eq(mem_calls(), before + 2);
    mem_free(p);
    ck_assert_uint_eq(mem_calls(), before + 2);
}
END_TEST

/* What of five calls succeeds under a setting, as bits, first call highest. */
static const struct {
    const char *setting;
    unsigned    works;
} faults[] = {
    {"alloc:1", 0x0f},  {"alloc:3", 0x1b}, {"alloc:3+", 0x18},
    {"alloc:1+", 0},    {"alloc:0", 0x1f}, {"alloc:", 0x1f},
    {"alloc:2x", 0x1f}, {"write:1", 0x1f}, {"alloc:99", 0x1f},
};

START_TEST(fault)
{
    unsigned works = 0;
    int      i;

    ck_assert_int_eq(setenv("DRHOST_FAULT", faults[_i].setting, 1), 0);
    mem_fault_from_env();
    for (i = 0; i < 5; i++) {
        void *p = i % 2 ? mem_alloc(1, 8) : mem_resize(NULL, 8);
        works = works << 1 | (p != NULL);
        mem_free(p);
    }
    ck_assert_uint_eq(works, faults[_i].works);
}
END_TEST

START_TEST(fault_off_again)
{
    void *p;

    (void)setenv("DRHOST_FAULT", "alloc:1+", 1);
    mem_fault_from_env();
    ck_assert_ptr_null(mem_dupz("x"));
    ck_assert_ptr_null(mem_printf("x"));
    (void)unsetenv("DRHOST_FAULT");
    mem_fault_from_env();
    p = mem_alloc(1, 1);
    ck_assert_ptr_nonnull(p);
    mem_free(p);
}
END_TEST

START_TEST(failed_resize_keeps_the_old)
{
    char *p = mem_dupz("old"), *q;

    (void)setenv("DRHOST_FAULT", "alloc:1", 1);
    mem_fault_from_env();
    q = mem_resize(p, 1 << 20);
    ck_assert_ptr_null(q);
    ck_assert_str_eq(p, "old");
    mem_free(p);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("mem");

    tcase_add_test(t, zeroed);
    tcase_add_test(t, overflow_is_refused);
    tcase_add_test(t, nothing_is_something);
    tcase_add_test(t, resize);
    tcase_add_test(t, copies);
    tcase_add_test(t, calls_are_counted);
    tcase_add_loop_test(t, fault, 0, ROWS(faults));
    tcase_add_test(t, fault_off_again);
    tcase_add_test(t, failed_resize_keeps_the_old);
    return run_case("mem", t);
}
