/* SPDX-License-Identifier: MIT
 * boundary.c - what the border between host and plugin costs, by hand:
 *     boundary [FILE.jsonl]
 * Nanoseconds a record by accessor (two get_str, one set) and by column; with a file also how fast
 * its lines are scanned, parsed and written.  CPU time, best of several rounds. */
#include "field.h"
#include "mem.h"
#include "outfile.h"
#include "record.h"

#include <drh/util.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 512, ROUNDS = 200 };

static struct drh_record  records[BATCH];
static struct drh_record *handles[BATCH];
static char               lines[BATCH][256];
static drh_str            texts[BATCH];
static double             numbers[BATCH];

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    fprintf(stderr, "boundary: %s failed\n", what);
    exit(1);
}

static void fill(struct arena *a)
{
    int i;

    arena_reset(a);
    for (i = 0; i < BATCH; i++) {
        int n = snprintf(lines[i], sizeof(lines[i]),
                         "{\"instruction\":\"How many apples are left of %d?\",\"input\":\"\","
                         "\"output\":\"There are %d apples left.\",\"score\":%d.25}",
                         i, i / 2, i);
        memset(&records[i], 0, sizeof(records[i]));
        records[i].arena = a;
        handles[i] = &records[i];
        if (record_parse(&records[i], lines[i], (size_t)n, NULL) != DRH_OK) {
            die("record_parse");
        }
    }
}

static void two_gets_one_set(void)
{
    drh_field in = field_intern(DRH_LIT("instruction")), out = field_intern(DRH_LIT("output"));
    drh_field n = field_intern(DRH_LIT("n"));
    drh_str   a, b;
    int       i;

    for (i = 0; i < BATCH; i++) {
        if (record_api.get_str(handles[i], in, &a) != DRH_OK ||
            record_api.get_str(handles[i], out, &b) != DRH_OK ||
            record_api.set_i64(handles[i], n, (int64_t)(a.len + b.len)) != DRH_OK) {
            die("accessor");
        }
    }
}

static void nested_float(void)
{
    drh_field f = field_intern(DRH_LIT("/metadata/ifd"));
    int       i;

    for (i = 0; i < BATCH; i++) {
        if (record_api.set_f64(handles[i], f, 1.0 / (i + 3)) != DRH_OK) {
            die("set_f64");
        }
    }
}

static void column_of_strings(void)
{
    if (record_api.get_strs(handles, BATCH, field_intern(DRH_LIT("output")), texts) != BATCH) {
        die("get_strs");
    }
}

static void column_of_numbers(void)
{
    if (record_api.get_f64s(handles, BATCH, field_intern(DRH_LIT("score")), numbers) != BATCH) {
        die("get_f64s");
    }
}

static void measure(const char *name, void (*what)(void))
{
    struct arena *a = arena_new();
    double        best = 1e9;
    int           i;

    for (i = 0; i < ROUNDS; i++) {
        double t;
        fill(a);
        t = now();
        what();
        t = now() - t;
        best = t < best ? t : best;
    }
    printf("%-36s %8.1f ns/record\n", name, best * 1e9 / BATCH);
    arena_free(a);
}

/* ---- a file ---- */

static void scan_line(struct arena *a, const char *p, size_t n, struct buf *out)
{
    struct json_err e;

    (void)out;
    if (json_scan(p, n, a, NULL, NULL, NULL, &e) != DRH_OK) {
        die(e.message);
    }
}

static void parse_line(struct arena *a, const char *p, size_t n, struct buf *out)
{
    struct drh_record r;
    struct json_err   e;

    memset(&r, 0, sizeof(r));
    r.arena = a;
    if (record_parse(&r, p, n, &e) != DRH_OK) {
        die(e.message);
    }
    if (out) {
        (void)record_api.set_i64(&r, field_intern(DRH_LIT("n")), 1);
        if (record_write(&r, out) != DRH_OK) {
            die("record_write");
        }
    }
}

static void decode_line(struct arena *a, const char *p, size_t n, struct buf *out)
{
    drh_value stack[8], v;
    int       at = 0;
    drh_str   s;

    (void)out;
    value_at(&stack[0], a, p, n);
    while (at >= 0) {
        v = stack[at];
        (void)value_api.str(&v, &s);
        if (value_api.next(&stack[at]) != DRH_OK) {
            at--;
        }
        if (at + 1 < 8 && value_api.child(&v, &stack[at + 1]) == DRH_OK) {
            at++;
        }
    }
}

static void file_pass(const char *name, const char *text, size_t len, struct buf *out,
                      void (*line)(struct arena *, const char *, size_t, struct buf *))
{
    struct arena *a = arena_new();
    const char   *end = text + len;
    double        best = 1e9;
    int           i;

    for (i = 0; i < 5; i++) {
        const char *p = text;
        size_t      n = 0;
        double      t = now();
        while (p < end) {
            const char *q = memchr(p, '\n', (size_t)(end - p));
            q = q ? q : end;
            if (q > p) {
                line(a, p, (size_t)(q - p), out);
            }
            p = q + 1;
            if (++n % 256 == 0) {
                arena_reset(a);
            }
            if (out) {
                buf_reset(out);
            }
        }
        t = now() - t;
        best = t < best ? t : best;
    }
    printf("%-36s %8.0f MB/s\n", name, (double)len * 1e-6 / best);
    arena_free(a);
}

int main(int argc, char **argv)
{
    char      *text;
    size_t     len;
    struct buf out;
    drh_error  e = DRH_ERROR_INIT;

    measure("accessor: two get_str, one set_i64", two_gets_one_set);
    measure("accessor: set_f64 in /metadata", nested_float);
    measure("column of strings", column_of_strings);
    measure("column of numbers", column_of_numbers);
    if (argc > 1) {
        if (read_file(argv[1], (size_t)1 << 30, &text, &len, &e) != DRH_OK) {
            die(e.message);
        }
        buf_init(&out, (size_t)1 << 30);
        file_pass("json_scan", text, len, NULL, scan_line);
        file_pass("record_parse", text, len, NULL, parse_line);
        file_pass("record_parse, set, record_write", text, len, &out, parse_line);
        file_pass("cursor over everything", text, len, NULL, decode_line);
        buf_free(&out);
        mem_free(text);
    }
    field_free_all();
    return 0;
}
