/* SPDX-License-Identifier: MIT
 * test_arena.c - the bump allocator: alignment, no overlap, bounded after a reset. */
#include "arena.h"

#include "mem.h"
#include "run.h"

#include <stdint.h>
#include <string.h>

START_TEST(aligned_and_apart)
{
    struct arena  *a = arena_new();
    unsigned char *p[2000];
    size_t         i, j;

    for (i = 0; i < 2000; i++) {
        p[i] = arena_alloc(a, i * 7 % 1500);
        if (!p[i] || (uintptr_t)p[i] % 16) {
            ck_abort_msg("allocation %zu", i);
        }
        memset(p[i], (int)(i & 255), i * 7 % 1500);
    }
    for (i = 0; i < 2000; i++) {
        size_t good = 0;
        for (j = 0; j < i * 7 % 1500; j++) {
            good += p[i][j] == (i & 255);
        }
        ck_assert_uint_eq(good, j); /* one assertion a block: each costs a message */
    }
    arena_free(a);
}
END_TEST

START_TEST(empty_allocations_differ)
{
    struct arena *a = arena_new();
    void         *p = arena_alloc(a, 0), *q = arena_alloc(a, 0);

    ck_assert_ptr_nonnull(p);
    ck_assert_ptr_ne(p, q);
    arena_free(a);
}
END_TEST

START_TEST(big_and_small_mixed)
{
    struct arena *a = arena_new();
    char         *small = arena_dup(a, "small", 5), *big = arena_alloc(a, 5 << 20), *next;

    ck_assert_ptr_nonnull(big);
    memset(big, 'b', 5 << 20);
    next = arena_dup(a, "next", 4);
    ck_assert_str_eq(small, "small");
    ck_assert_str_eq(next, "next");
    /* a big one does not end the block that is being filled */
    ck_assert_int_lt(next - small, 64);
    ck_assert_int_gt(next - small, 0);
    ck_assert_uint_ge(arena_bytes(a), 5 << 20);
    arena_free(a);
}
END_TEST

START_TEST(reset_keeps_one_block)
{
    struct arena *a = arena_new();
    int           i, round;
    uint64_t      calls = 0;

    for (round = 0; round < 50; round++) {
        for (i = 0; i < 100; i++) {
            (void)arena_alloc(a, 500);
        }
        ck_assert_ptr_nonnull(arena_alloc(a, 8 << 20));
        arena_reset(a);
        ck_assert_uint_le(arena_bytes(a), 1 << 20);
        ck_assert_uint_gt(arena_bytes(a), 0);
        if (round == 0) {
            calls = mem_calls();
        }
    }
    /* only the big one is asked for again */
    ck_assert_uint_eq(mem_calls(), calls + 49);
    arena_free(a);
}
END_TEST

START_TEST(reset_of_an_empty_one)
{
    struct arena *a = arena_new();

    arena_reset(a);
    ck_assert_uint_eq(arena_bytes(a), 0);
    ck_assert_ptr_nonnull(arena_alloc(a, 1));
    arena_free(a);
    arena_free(NULL);
}
END_TEST

START_TEST(copies)
{
    struct arena *a = arena_new();

    ck_assert_mem_eq(arena_dup(a, "x\0yz", 3), "x\0y", 4);
    ck_assert_str_eq(arena_dup(a, NULL, 0), "");
    arena_free(a);
}
END_TEST

START_TEST(trimmed)
{
    struct arena *a = arena_new();
    char         *p = arena_alloc(a, 1000), *q, *r;

    memset(p, 'p', 1000);
    ck_assert(arena_trim(a, p, 1000, 17));
    q = arena_alloc(a, 5000);
    ck_assert_ptr_eq(q, p + 32);
    memset(q, 'q', 5000);
    ck_assert(!arena_trim(a, p, 17, 1)); /* not the last one any more */
    r = arena_alloc(a, 10);
    ck_assert(!arena_trim(a, q, 5000, 10));
    ck_assert(arena_trim(a, r, 10, 10));
    ck_assert_mem_eq(p, "ppppppppppppppppp", 17);
    ck_assert_mem_eq(q, "qqqq", 4);
    p = arena_alloc(a, 3 << 20); /* a block of its own */
    memset(p, 'x', 3 << 20);
    ck_assert(!arena_trim(a, p, 3 << 20, 1));
    arena_free(a);
}
END_TEST

START_TEST(impossible_sizes)
{
    struct arena *a = arena_new();

    ck_assert_ptr_null(arena_alloc(a, SIZE_MAX));
    ck_assert_ptr_null(arena_alloc(a, SIZE_MAX - 40));
    ck_assert_ptr_null(arena_dup(a, "", SIZE_MAX));
    ck_assert_ptr_nonnull(arena_alloc(a, 1));
    arena_free(a);
}
END_TEST

START_TEST(out_of_memory)
{
    struct arena *a = arena_new();

    (void)setenv("DRHOST_FAULT", "alloc:1", 1);
    mem_fault_from_env();
    ck_assert_ptr_null(arena_alloc(a, 10));
    ck_assert_ptr_nonnull(arena_alloc(a, 10));
    arena_free(a);
    (void)setenv("DRHOST_FAULT", "alloc:1", 1);
    mem_fault_from_env();
    ck_assert_ptr_null(arena_new());
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("arena");

    tcase_add_test(t, aligned_and_apart);
    tcase_add_test(t, empty_allocations_differ);
    tcase_add_test(t, big_and_small_mixed);
    tcase_add_test(t, reset_keeps_one_block);
    tcase_add_test(t, reset_of_an_empty_one);
    tcase_add_test(t, copies);
    tcase_add_test(t, trimmed);
    tcase_add_test(t, impossible_sizes);
    tcase_add_test(t, out_of_memory);
    return run_case("arena", t);
}
