/* SPDX-License-Identifier: MIT
 *
 * test_arrow.c - the Arrow reader: positions after every row, every cut and every changed byte of a
 * file, its limits of memory, and what it does when memory runs out.  Whole files are compared with
 * pyarrow's reading by e2e/arrow.sh.
 */
#include "message.h"
#include "reader_host.h"
#include "run.h"

#include <stdlib.h>
#include <unistd.h>

extern const drh_entry drh_entry_v1;

static const char *data(const char *name)
{
    static char path[300];

    (void)snprintf(path, sizeof(path), "%s/tests/data/arrow/%s.arrow", DRH_SOURCE_DIR, name);
    return path;
}

static struct reader_host *host_of(const char *options)
{
    drh_error           e = DRH_ERROR_INIT;
    struct reader_host *h = reader_new(&drh_entry_v1, options, &e);

    ck_assert_msg(h != NULL, "%s", e.message);
    return h;
}

/* All bytes of a file. */
static uint8_t *bytes_of(const char *path, size_t *n)
{
    FILE    *f = fopen(path, "rb");
    uint8_t *p = malloc(1 << 20);

    ck_assert(f && p);
    *n = fread(p, 1, 1 << 20, f);
    (void)fclose(f);
    return p;
}

/* ---- positions ---- */

static void check_positions(const char *name, size_t rows)
{
    struct reader_host *h = host_of("{}");
    drh_error           e = DRH_ERROR_INIT;
    drh_status          st;
    char              **row = calloc(rows, sizeof(*row)), **at = calloc(rows, sizeof(*at));

    ck_assert(row && at);
    ck_assert_int_eq(reader_open(h, data(name), NULL, &e), DRH_OK);
    for (size_t i = 0; i < rows; i++) {
        row[i] = strdup(reader_next(h, &st, &e));
        at[i] = strdup(reader_tell(h));
    }
    ck_assert_ptr_null(reader_next(h, &st, &e));
    ck_assert_int_eq(st, DRH_END);
    for (size_t i = 0; i < rows; i++) {
        ck_assert_int_eq(reader_open(h, data(name), at[i], &e), DRH_OK);
        ck_assert_str_eq(reader_tell(h), at[i]);
        for (size_t k = i + 1; k < rows && k < i + 3; k++) {
            ck_assert_str_eq(reader_next(h, &st, &e), row[k]);
            ck_assert_str_eq(reader_tell(h), at[k]);
        }
    }
    ck_assert_ptr_null(reader_next(h, &st, &e)); /* the last position is the end */
    ck_assert_int_eq(st, DRH_END);
    for (size_t i = 0; i < rows; i++) {
        free(row[i]);
        free(at[i]);
    }
    free(row);
    free(at);
    reader_free(h);
    ck_assert_uint_eq(reader_blocks, 0);
}

START_TEST(positions)
{
    check_positions("nested.file", 120);
    check_positions("nested.stream-lz4", 120);
    check_positions("dictionary.changes", 6);
    check_positions("dictionary.grows", 6);
    check_positions("dictionary.nested", 4);
}
END_TEST

START_TEST(positions_that_are_none)
{
    static const char *const bad[] = {"x",   "1",    "1:",    "0:50", "3:1",
                                      "9:0", "-1:0", "0:1:2", "0:1 "};
    struct reader_host      *h = host_of("{}");
    drh_error                e = DRH_ERROR_INIT;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(reader_open(h, data("nested.stream"), bad[i], &e) == DRH_E_ARG, "%s", bad[i]);
    }
    reader_free(h);
}
END_TEST

/* ---- damage ---- */

/* Rows until it ends or is refused; what is refused says why. */
static size_t read_all(struct reader_host *h, const char *path, drh_status *st)
{
    drh_error e = DRH_ERROR_INIT;
    size_t    n = 0;

    *st = reader_open(h, path, NULL, &e);
    while (*st == DRH_OK && reader_next(h, st, &e)) {
        n++;
    }
    ck_assert(*st == DRH_END || *st == DRH_E_DATA);
    ck_assert(*st == DRH_END || e.message[0]);
    return n;
}

static void put(const char *path, const uint8_t *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    ck_assert(f && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

/* Of a file that is cut only whole batches come, and it is said; a stream may end after any. */
static void check_cuts(const char *name, bool is_file, size_t batch, size_t all)
{
    struct reader_host *h = host_of("{}");
    size_t              n, rows, ends = 0;
    uint8_t            *p = bytes_of(data(name), &n);
    char                path[] = "/tmp/drh-arrow-XXXXXX";
    drh_status          st;

    ck_assert_int_ge(close(mkstemp(path)), 0);
    for (size_t cut = 0; cut < n; cut += cut < 3000 ? 1 : 509) {
        put(path, p, cut);
        rows = read_all(h, path, &st);
        ck_assert(rows % batch == 0 || rows == all);
        ck_assert(!is_file || st == DRH_E_DATA);
        ends += st == DRH_END;
    }
    ck_assert(is_file || ends > 0);
    (void)unlink(path);
    free(p);
    reader_free(h);
    ck_assert_uint_eq(reader_blocks, 0);
}

START_TEST(cuts)
{
    check_cuts("nested.file", true, 50, 120);
    check_cuts("many.stream", false, 250, 3000);
}
END_TEST

/* A byte that is another is noticed, or gives other values; nothing else happens. */
static void check_changes(const char *name)
{
    static const uint8_t with[] = {0, 1, 0x7f, 0x80, 0xff};
    struct reader_host  *h = host_of("{\"memory\":16}");
    size_t               n;
    uint8_t             *p = bytes_of(data(name), &n);
    char                 path[] = "/tmp/drh-arrow-XXXXXX";
    drh_status           st;

    ck_assert_int_ge(close(mkstemp(path)), 0);
    for (size_t i = 0; i < n; i++) {
        const uint8_t old = p[i];
        for (size_t k = 0; k < sizeof(with); k++) {
            p[i] = with[k];
            put(path, p, n);
            (void)read_all(h, path, &st);
        }
        p[i] = old;
    }
    (void)unlink(path);
    free(p);
    reader_free(h);
    ck_assert_uint_eq(reader_blocks, 0);
}

START_TEST(changes)
{
    check_changes("dictionary.grows");
    check_changes("dictionary.nested");
}
END_TEST

/* ---- memory ---- */

static void check_memory(const char *name, size_t rows)
{
    size_t fail_at = 1, failed = 0;

    for (int whole = 0; !whole; fail_at++) {
        drh_error           e = DRH_ERROR_INIT;
        drh_status          st;
        struct reader_host *h;
        size_t              n = 0;

        reader_fail_at = fail_at;
        h = reader_new(&drh_entry_v1, "{}", &e);
        st = h ? reader_open(h, data(name), NULL, &e) : DRH_E_NOMEM;
        while (st == DRH_OK && reader_next(h, &st, &e)) {
            n++;
        }
        whole = st == DRH_END;
        ck_assert(whole ? n == rows : st == DRH_E_NOMEM);
        failed += !whole;
        if (h) {
            reader_free(h);
        }
        ck_assert_uint_eq(reader_blocks, 0);
    }
    reader_fail_at = 0;
    ck_assert_uint_ge(failed, 10);
}

START_TEST(out_of_memory)
{
    check_memory("nested.file-zstd", 120);
    check_memory("types.file-lz4", 4);
    check_memory("dictionary.nested", 4);
}
END_TEST

/* A packed buffer may say that it was of any size; here the first one of a batch says 1 GiB. */
START_TEST(limits)
{
    static const uint8_t much[8] = {0, 0, 0, 0x40};
    struct reader_host  *h = host_of("{\"memory\":16}");
    size_t               n, i, found = 0;
    uint8_t             *p = bytes_of(data("many.file-lz4"), &n);
    char                 path[] = "/tmp/drh-arrow-XXXXXX";
    drh_error            e = DRH_ERROR_INIT;
    drh_status           st;

    for (i = 8; i + 4 <= n && !found; i++) { /* the frame's mark, behind the size */
        if (memcmp(p + i, "\x04\x22\x4d\x18", 4) == 0) {
            memcpy(p + i - 8, much, sizeof(much));
            found = i;
        }
    }
    ck_assert_uint_gt(found, 0);
    ck_assert_int_ge(close(mkstemp(path)), 0);
    put(path, p, n);
    st = reader_open(h, path, NULL, &e);
    ck_assert(st == DRH_OK && reader_next(h, &st, &e) == NULL);
    ck_assert_int_eq(st, DRH_E_DATA);
    ck_assert_msg(strstr(e.message, "needs 1025 MiB") != NULL, "%s", e.message);
    (void)unlink(path);
    free(p);
    reader_free(h);
    ck_assert_uint_eq(reader_blocks, 0);
}
END_TEST

/* The offsets of the first batch's texts, 1,004 bytes, are said to be longer than the batch. */
START_TEST(outside)
{
    struct reader_host *h = host_of("{}");
    size_t              n, found = 0;
    uint8_t            *p = bytes_of(data("many.stream"), &n);
    char                path[] = "/tmp/drh-arrow-XXXXXX";
    drh_error           e = DRH_ERROR_INIT;
    drh_status          st;

    for (size_t i = 0; i + 8 <= 4000 && !found; i += 4) {
        found = col_u64(p + i) == 1004 ? i : 0;
    }
    ck_assert_uint_gt(found, 0);
    p[found + 1] = 0x80; /* 32 KiB more; the file has them */
    ck_assert_int_ge(close(mkstemp(path)), 0);
    put(path, p, n);
    st = reader_open(h, path, NULL, &e);
    ck_assert(st == DRH_OK && reader_next(h, &st, &e) == NULL);
    ck_assert_int_eq(st, DRH_E_DATA);
    ck_assert_str_eq(e.message,
                     "batch 0, column text: a buffer lies outside of its batch; fetch or "
                     "write the file again");
    (void)unlink(path);
    free(p);
    reader_free(h);
}
END_TEST

/* ---- what is an Arrow file ---- */

START_TEST(sniff)
{
    static const char *const yes[] = {"nested.file", "nested.stream", "nested.stream-old",
                                      "types.stream-v4"};
    uint8_t                  other[64] = {0xff, 0xff, 0xff, 0xff, 0x40};
    size_t                   n;

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        uint8_t *p = bytes_of(data(yes[i]), &n);
        ck_assert_msg(arrow_sniff(p, n < 4096 ? n : 4096) > 0, "%s", yes[i]);
        ck_assert_int_eq(arrow_sniff(p, 5), 0);
        free(p);
    }
    ck_assert_int_eq(arrow_sniff(other, sizeof(other)), 0);
    ck_assert_int_eq(arrow_sniff((const uint8_t *)"PAR1\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("arrow");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, positions);
    tcase_add_test(t, positions_that_are_none);
    tcase_add_test(t, cuts);
    tcase_add_test(t, changes);
    tcase_add_test(t, out_of_memory);
    tcase_add_test(t, limits);
    tcase_add_test(t, outside);
    tcase_add_test(t, sniff);
    return run_case("arrow", t);
}
