/* SPDX-License-Identifier: MIT
 * fuzz_archive.c - any bytes as an archive: read or refused, and what was read from the start is
 * what is read from any position.  An input that begins with 'J' is a text instead: its values are
 * those that the host finds in a file of it. */
#include "input.h"
#include "input_impl.h"
#include "must.h"
#include "reader_host.h"
#include "values.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_ROWS = 300 };

extern const drh_entry drh_entry_v1;

static struct reader_host *host;
static char                path[64];
static int                 file = -1;

static void put(const uint8_t *data, size_t size)
{
    drh_error e = DRH_ERROR_INIT;

    if (file < 0) {
        file = memfd_create("fuzz", MFD_CLOEXEC);
        MUST(file >= 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
        host = reader_new(&drh_entry_v1, "{\"include\":[\"*\"]}", &e);
        MUST(host);
    }
    MUST(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
}

static void check_error(drh_status st, const drh_error *e)
{
    MUST(st == DRH_E_DATA);
    MUST(e->message[0] && memchr(e->message, 0, sizeof(e->message)));
}

static void run_file(const uint8_t *data, size_t size)
{
    drh_error   e = DRH_ERROR_INIT;
    drh_status  st;
    const char *row;
    char       *at = NULL, *next = NULL;
    size_t      n = 0, middle = size % 7;

    put(data, size);
    st = reader_open(host, path, NULL, &e);
    if (st != DRH_OK) {
        check_error(st, &e);
        return;
    }
    while (n < MOST_ROWS && (row = reader_next(host, &st, &e)) != NULL) {
        MUST(strcmp(row, "open") != 0);
        if (n == middle + 1) {
            next = strdup(row);
        }
        if (n++ == middle) {
            at = strdup(reader_tell(host));
        }
    }
    MUST(st == DRH_OK || st == DRH_END || (check_error(st, &e), true));
    if (next) {
        MUST(reader_open(host, path, at, &e) == DRH_OK);
        MUST(strcmp(reader_tell(host), at) == 0);
        row = reader_next(host, &st, &e);
        MUST(row && strcmp(row, next) == 0);
    }
    reader_close(host);
    MUST(reader_blocks == 1); /* the instance */
    free(at);
    free(next);
}

/* ---- texts ---- */

static void *plain_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

struct text {
    const uint8_t *p;
    size_t         n, most;
};

static drh_status read_text(void *from, void *to, size_t cap, size_t *got, drh_error *e)
{
    struct text *t = from;

    (void)e;
    *got = t->n < t->most ? t->n : t->most;
    *got = *got < cap ? *got : cap;
    memcpy(to, t->p, *got);
    t->p += *got;
    t->n -= *got;
    return DRH_OK;
}

/* White space at its end, which is not always told from the line's end. */
static size_t trimmed(const char *p, size_t n)
{
    while (n && strchr(" \t\r\n", p[n - 1])) {
        n--;
    }
    return n;
}

static void run_text(const uint8_t *data, size_t size)
{
    static const drh_host plain = {.struct_size = sizeof(plain),
                                   .alloc = plain_alloc,
                                   .json_open = json_doc_open,
                                   .json_close = json_doc_close};
    struct text           t = {data, size, size % 50 + 1};
    struct values         v = {.in.host = &plain};
    struct values_item    got;
    struct input         *in;
    struct input_item     want;
    drh_error             e = DRH_ERROR_INIT;
    drh_status            st, st_want;

    put(data, size);
    MUST(input_open(&in, path, NULL, &e) == DRH_OK);
    MUST(values_begin(&v, read_text, &t, &e) == DRH_OK);
    do {
        st = values_next(&v, &got, &e);
        st_want = input_next(in, &want, &e);
        MUST(st == st_want);
        if (st == DRH_OK) {
            MUST((got.code != NULL) == (want.code != NULL));
            MUST(!got.code || strcmp(got.code, want.code) == 0);
            MUST(got.code || (trimmed(got.text.ptr, got.text.len) == trimmed(want.text, want.len) &&
                              memcmp(got.text.ptr, want.text, trimmed(want.text, want.len)) == 0));
            MUST(got.line == want.line);
        }
    } while (st == DRH_OK);
    MUST(st == DRH_END);
    input_close(in);
    text_in_close(&v.in);
}

/* The host would unpack it. */
static bool is_packed(const uint8_t *p, size_t n)
{
    return n >= 2 && ((p[0] == 0x1f && p[1] == 0x8b) || p[0] == 0x28 || (p[0] & 0xf0) == 0x50 ||
                      p[0] == 0xfd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'J') {
        if (!is_packed(data + 1, size - 1)) {
            run_text(data + 1, size - 1);
        }
    } else {
        run_file(data, size);
    }
    return 0;
}
