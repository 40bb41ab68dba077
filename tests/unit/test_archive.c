/* SPDX-License-Identifier: MIT
 *
 * test_archive.c - the reader of archives: positions after every row, pieces of any size, lines and
 * elements that are too long, memory that runs out, what is no archive of data.  Whole archives are
 * compared with Python's reading by e2e/archive.sh.
 */
#include "archive_in.h"
#include "input_impl.h"
#include "reader_host.h"
#include "run.h"
#include "values.h"

#include <stdlib.h>
#include <unistd.h>

enum { MOST = 500, N_WANT = 401 };

extern const drh_entry drh_entry_v1;

static struct reader_host *host_of(const char *options)
{
    drh_error           e = DRH_ERROR_INIT;
    struct reader_host *h = reader_new(&drh_entry_v1, options, &e);

    ck_assert_msg(h != NULL, "%s", e.message);
    return h;
}

static const char *data(const char *name)
{
    static char path[300];

    (void)snprintf(path, sizeof(path), "%s/tests/data/archive/%s", DRH_SOURCE_DIR, name);
    return path;
}

/* ---- positions ---- */

static void check_rows(const char *name, size_t chunk, size_t step)
{
    struct reader_host *h = host_of("{}");
    drh_error           e = DRH_ERROR_INIT;
    drh_status          st;
    char               *row[MOST], *at[MOST];
    const char         *got;
    size_t              n = 0;

    input_limits.chunk = chunk;
    ck_assert_int_eq(reader_open(h, data(name), NULL, &e), DRH_OK);
    while ((got = reader_next(h, &st, &e)) != NULL) {
        row[n] = strdup(got);
        at[n++] = strdup(reader_tell(h));
    }
    ck_assert_int_eq(st, DRH_END);
    ck_assert_uint_eq(n, N_WANT);
    for (size_t i = 0; i < n; i += step) {
        ck_assert_int_eq(reader_open(h, data(name), at[i], &e), DRH_OK);
        ck_assert_str_eq(reader_tell(h), at[i]);
        for (size_t k = i + 1; k < n && k < i + 15; k++) {
            ck_assert_str_eq(reader_next(h, &st, &e), row[k]);
            ck_assert_str_eq(reader_tell(h), at[k]);
        }
    }
    if (step == 1) {
        ck_assert_ptr_null(reader_next(h, &st, &e));
        ck_assert_int_eq(st, DRH_END);
    }
    for (size_t i = 0; i < n; i++) {
        free(row[i]);
        free(at[i]);
    }
    reader_free(h);
    ck_assert_uint_eq(reader_blocks, 0);
}

START_TEST(positions)
{
    const size_t old = input_limits.chunk;

    check_rows("gnu.tar.zst", old, 1);
    check_rows("pax.tar.xz", 1, 41);
    check_rows("pax.tar.xz", 513, 9);
    check_rows("deflated.zip", old, 1);
    check_rows("bzip2.zip", old, 19);
    input_limits.chunk = old;
}
END_TEST

START_TEST(positions_that_are_none)
{
    static const char *const bad[] = {
        "1",          "1:2:3:4",    "1:0:0:0:99",    "x:0:0:0:0",  "1:0:0:0:1:2",
        "77:0:0:0:1", "-1:0:0:0:1", "2:0:99999:1:1", "2:0:5:1:1 ", "2:9999999999:5:1:1"};
    struct reader_host *h = host_of("{}");
    drh_error           e = DRH_ERROR_INIT;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(reader_open(h, data("stored.zip"), bad[i], &e) != DRH_OK ||
                          strstr(bad[i], ":9999999999:"),
                      "%s", bad[i]);
    }
    ck_assert_int_eq(reader_open(h, data("gnu.tar.zst"), "2:9999999999:5:1:1", &e), DRH_E_DATA);
    reader_free(h);
    ck_assert_uint_eq(reader_blocks, 0);
}
END_TEST

/* ---- memory ---- */

START_TEST(out_of_memory)
{
    size_t fail_at = 1, failed = 0;

    for (int whole = 0; !whole; fail_at++) {
        drh_error           e = DRH_ERROR_INIT;
        drh_status          st = DRH_OK;
        struct reader_host *h;

        reader_fail_at = fail_at;
        h = reader_new(&drh_entry_v1, "{}", &e);
        st = h ? reader_open(h, data("pax.tar.xz"), NULL, &e) : DRH_E_NOMEM;
        while (st == DRH_OK && reader_next(h, &st, &e)) {
        }
        whole = st == DRH_END;
        ck_assert(whole || st == DRH_E_NOMEM);
        failed += !whole;
        if (h) {
            reader_free(h);
        }
        ck_assert_uint_eq(reader_blocks, 0);
    }
    reader_fail_at = 0;
    ck_assert_uint_ge(failed, 4);
}
END_TEST

/* ---- limits ---- */

/* `before`, then `n` times x, then `after`, without holding them. */
struct much {
    const char *before, *after;
    size_t      n;
};

static drh_status read_much(void *from, void *to, size_t cap, size_t *got, drh_error *e)
{
    struct much *m = from;
    const char **text = *m->before || m->n ? &m->before : &m->after;

    (void)e;
    if (**text) {
        *got = strlen(*text);
        ck_assert_uint_le(*got, cap);
        memcpy(to, *text, *got);
        *text += *got;
    } else {
        *got = m->n < cap ? m->n : cap;
        memset(to, 'x', *got);
        m->n -= *got;
    }
    return DRH_OK;
}

static void *plain_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    ck_assert_uint_le(size, TEXT_MAX_ROW + (1 << 20));
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

static void check_long(const char *before, size_t n, const char *after, const char *code,
                       const char *next)
{
    static const drh_host plain = {.struct_size = sizeof(plain),
                                   .alloc = plain_alloc,
                                   .json_open = json_doc_open,
                                   .json_close = json_doc_close};
    struct much           m = {before, after, n};
    struct values         v = {.in.host = &plain};
    struct values_item    item;
    drh_error             e = DRH_ERROR_INIT;

    ck_assert_int_eq(values_begin(&v, read_much, &m, &e), DRH_OK);
    ck_assert_int_eq(values_next(&v, &item, &e), DRH_OK);
    ck_assert_ptr_null(item.code);
    ck_assert_uint_eq(item.line, 1);
    ck_assert_int_eq(values_next(&v, &item, &e), DRH_OK);
    ck_assert_str_eq(item.code, code);
    ck_assert_uint_eq(item.line, 2);
    ck_assert_int_eq(values_next(&v, &item, &e), DRH_OK);
    ck_assert_ptr_null(item.code);
    ck_assert_uint_eq(item.line, 3);
    ck_assert_uint_eq(item.text.len, strlen(next));
    ck_assert_mem_eq(item.text.ptr, next, item.text.len);
    ck_assert_int_eq(values_next(&v, &item, &e), DRH_END);
    text_in_close(&v.in);
}

START_TEST(too_long)
{
    const size_t n = (size_t)200 << 20;

    check_long("{\"a\":1}\n{\"b\":\"", n, "\"}\n{\"c\":1}\n", "line_too_long", "{\"c\":1}");
    check_long("[{\"a\":1},\n{\"b\":\"", n, "\"},\n{\"c\":1}]", "element_too_long", "{\"c\":1}");
}
END_TEST

/* ---- what is an archive ---- */

START_TEST(sniff)
{
    uint8_t head[512] = "PK\3\4";

    memcpy(head + 30, "a.jsonl", 7);
    ck_assert_int_gt(archive_sniff(head, 512), 0);
    memcpy(head + 30, "[Content_Types].xml", 19); /* a spreadsheet */
    ck_assert_int_eq(archive_sniff(head, 512), 0);
    ck_assert_int_eq(archive_sniff(head, 40), 90); /* too short to know */
    ck_assert_int_eq(archive_sniff(head, 20), 0);
    memset(head, 0, sizeof(head));
    ck_assert_int_eq(archive_sniff(head, 512), 0);
    memcpy(head + 257, "ustar", 5);
    ck_assert_int_gt(archive_sniff(head, 512), 0);
    ck_assert_int_eq(archive_sniff(head, 511), 0);
    memset(head, 0, sizeof(head)); /* before ustar: a sum, here of 'a' and eight spaces */
    head[0] = 'a';
    memcpy(head + 148, "000541\0 ", 8);
    ck_assert_int_gt(archive_sniff(head, 512), 0);
    head[1] = 'b';
    ck_assert_int_eq(archive_sniff(head, 512), 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("archive");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, positions);
    tcase_add_test(t, positions_that_are_none);
    tcase_add_test(t, out_of_memory);
    tcase_add_test(t, too_long);
    tcase_add_test(t, sniff);
    return run_case("archive", t);
}
