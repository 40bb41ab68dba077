/* SPDX-License-Identifier: MIT
 * test_buf.c - the growable text: always terminated, never beyond its maximum, unchanged by a
 * failure. */
#include "buf.h"

#include "mem.h"
#include "run.h"

#include <string.h>

START_TEST(grows_and_terminates)
{
    struct buf b;
    int        i;

    buf_init(&b, 100000);
    ck_assert_ptr_null(b.ptr);
    for (i = 0; i < 5000; i++) {
        ck_assert_int_eq(buf_addc(&b, (char)('a' + i % 26)), DRH_OK);
        ck_assert_int_eq(b.ptr[b.len], 0);
    }
    ck_assert_uint_eq(b.len, 5000);
    ck_assert_uint_eq(strlen(b.ptr), 5000);
    ck_assert_int_eq(b.ptr[4999], 'a' + 4999 % 26);
    buf_free(&b);
    ck_assert_ptr_null(b.ptr);
    ck_assert_int_eq(buf_adds(&b, "again"), DRH_OK);
    buf_free(&b);
}
END_TEST

START_TEST(exactly_the_maximum)
{
    struct buf b;

    buf_init(&b, 5);
    ck_assert_int_eq(buf_adds(&b, "12345"), DRH_OK);
    ck_assert_int_eq(buf_addc(&b, '6'), DRH_E_RANGE);
    ck_assert_str_eq(b.ptr, "12345");
    ck_assert_int_eq(buf_add(&b, "", 0), DRH_OK);
    buf_free(&b);
}
END_TEST

START_TEST(too_much_leaves_it_alone)
{
    struct buf b;

    buf_init(&b, 1000);
    ck_assert_int_eq(buf_adds(&b, "abc"), DRH_OK);
    ck_assert_int_eq(buf_reserve(&b, 998), DRH_E_RANGE);
    ck_assert_int_eq(buf_reserve(&b, SIZE_MAX), DRH_E_RANGE);
    ck_assert_int_eq(buf_addf(&b, "%998d", 1), DRH_E_RANGE);
    ck_assert_str_eq(b.ptr, "abc");
    ck_assert_int_eq(buf_addf(&b, "%997d", 1), DRH_OK);
    ck_assert_uint_eq(b.len, 1000);
    buf_free(&b);
}
END_TEST

START_TEST(huge_maximum)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    ck_assert_int_eq(buf_adds(&b, "x"), DRH_OK);
    ck_assert_int_eq(buf_reserve(&b, SIZE_MAX - 1), DRH_E_RANGE);
    ck_assert_int_ne(buf_reserve(&b, SIZE_MAX / 2), DRH_OK);
    ck_assert_str_eq(b.ptr, "x");
    buf_free(&b);
}
END_TEST

START_TEST(formats)
{
    struct buf b;

    buf_init(&b, 1000);
    ck_assert_int_eq(buf_addf(&b, "%s=%d;", "x", 42), DRH_OK);
    ck_assert_int_eq(buf_addf(&b, "%s", ""), DRH_OK);
    ck_assert_str_eq(b.ptr, "x=42;");
    buf_free(&b);
}
END_TEST

START_TEST(nul_bytes_count)
{
    struct buf b;

    buf_init(&b, 10);
    ck_assert_int_eq(buf_add(&b, "a\0b", 3), DRH_OK);
    ck_assert_uint_eq(b.len, 3);
    ck_assert_mem_eq(b.ptr, "a\0b", 4);
    buf_free(&b);
}
END_TEST

START_TEST(reset_keeps_small_gives_back_large)
{
    struct buf b;

    buf_init(&b, 32 << 20);
    ck_assert_int_eq(buf_reserve(&b, 1000), DRH_OK);
    buf_reset(&b);
    ck_assert_ptr_nonnull(b.ptr);
    ck_assert_uint_eq(b.len, 0);
    ck_assert_str_eq(b.ptr, "");
    ck_assert_int_eq(buf_reserve(&b, 9 << 20), DRH_OK);
    buf_reset(&b);
    ck_assert_ptr_null(b.ptr);
    ck_assert_uint_eq(b.cap, 0);
}
END_TEST

START_TEST(out_of_memory_leaves_it_alone)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    ck_assert_int_eq(buf_adds(&b, "abc"), DRH_OK);
    (void)setenv("DRHOST_FAULT", "alloc:1+", 1);
    mem_fault_from_env();
    ck_assert_int_eq(buf_reserve(&b, 100000), DRH_E_NOMEM);
    ck_assert_int_eq(buf_addf(&b, "%5000d", 1), DRH_E_NOMEM);
    ck_assert_str_eq(b.ptr, "abc");
    ck_assert_uint_eq(b.len, 3);
    buf_free(&b);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("buf");

    tcase_add_test(t, grows_and_terminates);
    tcase_add_test(t, exactly_the_maximum);
    tcase_add_test(t, too_much_leaves_it_alone);
    tcase_add_test(t, huge_maximum);
    tcase_add_test(t, formats);
    tcase_add_test(t, nul_bytes_count);
    tcase_add_test(t, reset_keeps_small_gives_back_large);
    tcase_add_test(t, out_of_memory_leaves_it_alone);
    return run_case("buf", t);
}
