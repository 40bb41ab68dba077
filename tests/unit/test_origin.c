/* SPDX-License-Identifier: MIT
 *
 * test_origin.c - lines on where a record is from: what is written is read again, whatever the
 * name; what is no such line is refused.
 */
#include "origin.h"
#include "run.h"

#include <drh/util.h>

static struct arena *a;
static struct buf    out;

static void set_up(void)
{
    a = arena_new();
    ck_assert_ptr_nonnull(a);
    buf_init(&out, 4096);
}

static void tear_down(void)
{
    arena_free(a);
    buf_free(&out);
}

static void ck_line(const struct drh_record *r, const char *file, uint64_t line)
{
    drh_str  got = {NULL, 0};
    uint64_t n = 0;
    buf_reset(&out);
    ck_assert_int_eq(origin_put(&out, r), DRH_OK);
    ck_assert_ptr_eq(memchr(out.ptr, '\n', out.len), out.ptr + out.len - 1);
    ck_assert_int_eq(origin_take(a, out.ptr, out.len - 1, &got, &n), DRH_OK);
    ck_assert_uint_eq(got.len, strlen(file));
    ck_assert_mem_eq(got.ptr, file, got.len);
    ck_assert_uint_eq(n, line);
}

START_TEST(written_and_read)
{
    static const char *const names[] = {"a.jsonl", "x/y z.jsonl", "q\"\\\n\t\x01.json",
                                        "数据/é.jsonl"};
    for (size_t i = 0; i < ROWS(names); i++) {
        const struct origin raw = {.file = drh_str_of(names[i])};
        const struct origin work = {.file = drh_str_of("work"), .between = true};
        struct drh_record  *r = record_new(a);
        ck_assert_ptr_nonnull(r);
        ck_line(r, "", 0); /* nowhere */
        r->origin = &raw;
        r->line = 17;
        ck_line(r, names[i], 17);
        r->origin = &work;
        ck_line(r, "", 0);
        r->from = drh_str_of(names[i]);
        r->from_line = UINT64_MAX;
        ck_line(r, names[i], UINT64_MAX);
    }
}
END_TEST

START_TEST(damaged)
{
    static const char *const lines[] = {"",
                                        "{}",
                                        "{\"from\":",
                                        "{\"from\":\"a",
                                        "{\"from\":\"a\\",
                                        "{\"from\":\"a\\\"",
                                        "{\"from\":\"a\"",
                                        "{\"from\":\"a\",\"line\":1",
                                        "{\"from\":\"a\",\"line\":1} ",
                                        "{\"from\":\"a\",\"line\":-1}",
                                        "{\"from\":3,\"line\":1}",
                                        "{\"id\":1,\"from\":\"a\",\"line\":1}"};
    for (size_t i = 0; i < ROWS(lines); i++) {
        drh_str  file;
        uint64_t line;
        /* in a block of its own, so that a read behind it is seen */
        char *copy = strdup(lines[i]);
        ck_assert_msg(origin_take(a, copy, strlen(copy), &file, &line) == DRH_E_DATA, "%s",
                      lines[i]);
        free(copy);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("origin");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, written_and_read);
    tcase_add_test(t, damaged);
    return run_case("origin", t);
}
