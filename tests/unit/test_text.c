/* SPDX-License-Identifier: MIT
 *
 * test_text.c - the reader of separated values: positions after every row, windows that end
 * anywhere, guesses, limits, and what it does when memory runs out.  Whole files are compared with
 * Python's reading by e2e/text.sh.
 */
#include "csv_reader.h"
#include "input_impl.h"
#include "reader_host.h"
#include "run.h"

#include <stdlib.h>
#include <unistd.h>

extern const drh_entry drh_entry_v1;

static char file[64];

static void put(const char *text, size_t n)
{
    FILE *f;
    int   fd;

    (void)snprintf(file, sizeof(file), "/tmp/drh-text-XXXXXX");
    fd = mkstemp(file);
    ck_assert_int_ge(fd, 0);
    f = fdopen(fd, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static struct reader_host *host_of(const char *options)
{
    drh_error           e = DRH_ERROR_INIT;
    struct reader_host *h = reader_new(&drh_entry_v1, options, &e);

    ck_assert_msg(h != NULL, "%s", e.message);
    return h;
}

/* ---- positions ---- */

static const char some[] = "\xef\xbb\xbfid,text\n"
                           "1,\"a \"\"quoted\"\" text,\nof two lines\"\r\n\n"
                           "2,\n\"3\",x\r4,\"\"\"\"\n5,last";

static const char *const rows[] = {
    "{\"id\":\"1\",\"text\":\"a \\\"quoted\\\" text,\\nof two lines\"}",
    "{\"id\":\"2\",\"text\":\"\"}", "{\"id\":\"3\",\"text\":\"x\"}",
    "{\"id\":\"4\",\"text\":\"\\\"\"}", "{\"id\":\"5\",\"text\":\"last\"}"};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

/* chunk: so many bytes are read at once. */
static void check_rows(size_t chunk)
{
    struct reader_host *h = host_of("{}");
    drh_error           e = DRH_ERROR_INIT;
    drh_status          st;
    char                at[N_ROWS + 1][32];

    input_limits.chunk = chunk;
    ck_assert_int_eq(reader_open(h, file, NULL, &e), DRH_OK);
    for (size_t i = 0; i <= N_ROWS; i++) {
        const char *row;
        (void)snprintf(at[i], sizeof(at[i]), "%s", reader_tell(h));
        row = reader_next(h, &st, &e);
        if (i < N_ROWS) {
            ck_assert_str_eq(row, rows[i]);
        } else {
            ck_assert_ptr_null(row);
            ck_assert_int_eq(st, DRH_END);
        }
    }
    for (size_t i = 0; i <= N_ROWS; i++) {
        ck_assert_int_eq(reader_open(h, file, at[i], &e), DRH_OK);
        ck_assert_str_eq(reader_tell(h), at[i]);
        for (size_t k = i; k < N_ROWS; k++) {
            ck_assert_str_eq(reader_next(h, &st, &e), rows[k]);
        }
        ck_assert_ptr_null(reader_next(h, &st, &e));
        ck_assert_int_eq(st, DRH_END);
    }
    reader_free(h);
    ck_assert_uint_eq(reader_blocks, 0);
}

START_TEST(positions_and_windows)
{
    static const size_t chunk[] = {1, 2, 3, 7, 4096};
    const size_t        old = input_limits.chunk;

    put(some, sizeof(some) - 1);
    for (size_t i = 0; i < sizeof(chunk) / sizeof(chunk[0]); i++) {
        check_rows(chunk[i]);
    }
    input_limits.chunk = old;
    (void)unlink(file);
}
END_TEST

/* ---- memory ---- */

START_TEST(out_of_memory)
{
    size_t fail_at = 1, failed = 0;

    put(some, sizeof(some) - 1);
    for (int whole = 0; !whole; fail_at++) {
        drh_error           e = DRH_ERROR_INIT;
        drh_status          st = DRH_OK;
        struct reader_host *h;

        reader_fail_at = fail_at;
        h = reader_new(&drh_entry_v1, "{\"columns\":[\"text\"]}", &e);
        st = h ? reader_open(h, file, NULL, &e) : DRH_E_NOMEM;
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
    ck_assert_uint_ge(failed, 5);
    (void)unlink(file);
}
END_TEST

/* ---- limits ---- */

static void refused(const char *text, size_t n, const char *options, drh_status want,
                    const char *words)
{
    struct reader_host *h = host_of(options);
    drh_error           e = DRH_ERROR_INIT;
    drh_status          st;

    put(text, n);
    st = reader_open(h, file, NULL, &e);
    while (st == DRH_OK && reader_next(h, &st, &e)) {
    }
    ck_assert_int_eq(st, want);
    ck_assert_msg(strstr(e.message, words) != NULL, "\"%s\" is not in: %s", words, e.message);
    (void)unlink(file);
    reader_free(h);
    ck_assert_uint_eq(reader_blocks, 0);
}

START_TEST(limits)
{
    const size_t n = TEXT_MAX_ROW + (1 << 20);
    char        *much = malloc(n);

    ck_assert_ptr_nonnull(much);
    memset(much, ',', n);
    refused(much, CSV_MAX_FIELDS - 1, "{\"names\":[\"x\"]}", DRH_E_CONFIG, "4096 columns");
    refused(much, CSV_MAX_FIELDS, "{}", DRH_E_DATA, "more than 4096 fields");
    memset(much, 'x', n);
    memcpy(much, "a\n", 2);
    refused(much, n, "{}", DRH_E_DATA, "longer than 64 MiB");
    refused(much + 2, 1001, "{}", DRH_E_DATA, "has 1001 bytes; is there no header?");
    free(much);
    refused("a,b\n1,2\n3,\"x\n", 13, "{}", DRH_E_DATA, "never closed");
    refused("a,b,a\n1,2,3\n", 12, "{}", DRH_E_DATA, "two columns are called \"a\"");
    refused("a,b\n", 4, "{\"names\":[\"x\"]}", DRH_E_CONFIG, "names: 1, but the file has 2");
}
END_TEST

START_TEST(without_rows)
{
    static const char *const empty[] = {"", "\n\n", "a,b", "a,b\n\n\r\n"};
    struct reader_host      *h = host_of("{}");
    drh_error                e = DRH_ERROR_INIT;
    drh_status               st;

    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        put(empty[i], strlen(empty[i]));
        ck_assert_int_eq(reader_open(h, file, NULL, &e), DRH_OK);
        ck_assert_ptr_null(reader_next(h, &st, &e));
        ck_assert_int_eq(st, DRH_END);
        (void)unlink(file);
    }
    reader_free(h);
}
END_TEST

/* ---- guesses ---- */

START_TEST(guesses)
{
    static const struct {
        const char *head;
        char        delimiter;
        int         named, unnamed; /* scores */
    } g[] = {
        {"a,b\n1,2\n3,4\n", ',', 50, 20},
        {"a;b;c,d\n1;2;3\n4;5;6\n", ';', 50, 20},
        {"a\tb\n1\t2\n3\t4\n5\t", '\t', 50, 20},
        {"a|b\n1|2\n3|4|5\n", '|', 50, 0},      /* rows of other lengths */
        {"\"a,b\";c\n1;2\n3;4\n", ';', 50, 20}, /* what is quoted is no delimiter */
        {"a,b\n\"1\n,\",2\n3,4\n", ',', 50, 20},
        {"a,b\n1,2\n", ',', 50, 0}, /* too few */
        {"text\nonly\nlines\n", 0, 50, 0},
        {"{\"a\":1,\"b\":2}\n", ',', 0, 0},
        {"<p>a,b\n<p>c,d\n<p>e,f\n", ',', 0, 0},
        {"a,b\n\x01,2\n3,4\n", ',', 50, 0},
        {"a,b\n\xff,2\n3,4\n", ',', 50, 0},
    };
    const drh_reader_ops *ops = drh_entry_v1.stages[0]->ops.reader;

    for (size_t i = 0; i < sizeof(g) / sizeof(g[0]); i++) {
        const size_t         n = strlen(g[i].head);
        const uint8_t *const head = (const uint8_t *)g[i].head;
        struct csv_options   self = {.quote = '"', .header = 1};

        ck_assert_int_eq(csv_guess(g[i].head, n, '"'), g[i].delimiter);
        ck_assert_int_eq(ops->sniff(&self, head, n, "x/some.CSV"), g[i].named);
        ck_assert_int_eq(ops->sniff(&self, head, n, "some.tsv.gz"), g[i].named);
        ck_assert_int_eq(ops->sniff(&self, head, n, "csv"), g[i].unnamed);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("text");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, positions_and_windows);
    tcase_add_test(t, out_of_memory);
    tcase_add_test(t, limits);
    tcase_add_test(t, without_rows);
    tcase_add_test(t, guesses);
    return run_case("text", t);
}
