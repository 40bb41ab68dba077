/* SPDX-License-Identifier: MIT
 * fuzz_archive.c - any bytes as an archive: read or refused, and what was read from the start is
 * what is read from any position.  An input that begins with 'J' is a text instead: its values are
 * those that the host finds in a file of it. */
#include "input.h"
#include "input_impl.h"
#include "must.h"
#include "reader_fuzz.h"
#include "values.h"

#include <stdlib.h>

static const char options[] = "{\"include\":[\"*\"]}";

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

    MUST(input_open(&in, reader_fuzz_file(data, size), NULL, &e) == DRH_OK);
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
        reader_fuzz(options, data, size);
    }
    return 0;
}
