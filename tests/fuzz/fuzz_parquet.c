/* SPDX-License-Identifier: MIT
 * fuzz_parquet.c - a hostile Parquet file: it is refused or read, and what was read from its start
 * is what is read from any position in it.  An input that does not begin with 'P' is the values of
 * a page instead: encoding, type, width, size of the dictionary (1 byte each), dictionary, page. */
#include "column.h"
#include "must.h"
#include "reader_host.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_ROWS = 300, HEAD = 4 };

extern const drh_entry drh_entry_v1;

/* ---- files ---- */

static struct reader_host *host;
static char                path[64];
static int                 file = -1;

static void put_file(const uint8_t *data, size_t size)
{
    drh_error e = DRH_ERROR_INIT;

    if (file < 0) {
        file = memfd_create("fuzz", MFD_CLOEXEC);
        MUST(file >= 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
        host = reader_new(&drh_entry_v1, "{\"memory\":16}", &e);
        MUST(host);
    }
    MUST(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
}

static void check_error(drh_status st, const drh_error *e)
{
    MUST(st == DRH_E_DATA || st == DRH_E_CONFIG);
    MUST(e->message[0] && memchr(e->message, 0, sizeof(e->message)));
}

static void run_file(const uint8_t *data, size_t size)
{
    drh_error   e = DRH_ERROR_INIT;
    drh_status  st;
    const char *row;
    char       *at = NULL, *next = NULL;
    size_t      n = 0, middle = size % 7;

    put_file(data, size);
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

/* ---- values ---- */

static void *fuzz_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

static const drh_host bare = {.struct_size = sizeof(bare), .alloc = fuzz_alloc};

static void run_values(const uint8_t *data, size_t size)
{
    struct col_file      f = {.host = &bare, .fd = -1, .limit = 1 << 20};
    struct pq_values     v = {.file = &f};
    struct pq_dictionary d = {0};
    struct pq_type       type = {.physical = (enum pq_physical)(data[1] % PQ_N_PHYSICAL)};
    static const uint8_t width[PQ_N_PHYSICAL] = {0, 4, 8, 12, 4, 8, 0, 0};
    struct col_value     got;
    drh_error            e = DRH_ERROR_INIT;
    uint8_t             *page;
    size_t               n_dictionary = data[3], n = size - HEAD, sum = 0;

    type.show.width = type.physical == PQ_FIXED ? data[2] % 20 + 1u : width[type.physical];
    n_dictionary = n_dictionary < n ? n_dictionary : n;
    MUST(col_reserve(&f, &d.bytes, n_dictionary, &e) == DRH_OK);
    memcpy(d.bytes.p, data + HEAD, n_dictionary);
    (void)pq_dictionary_open(&f, &d, &type, data[2], n_dictionary, &e);
    n -= n_dictionary;
    page = malloc(n ? n : 1); /* exactly as large */
    MUST(page);
    memcpy(page, data + HEAD + n_dictionary, n);
    if (pq_values_open(&v, &type, data[0] % 10, &d, page, n, &e) == DRH_OK) {
        for (int i = 0; i < 5000 && pq_values_next(&v, &got, &e) == DRH_OK; i++) {
            MUST(type.show.width == 0 || got.n == type.show.width);
            for (size_t k = 0; k < got.n; k++) {
                sum += got.p[k];
            }
        }
    }
    MUST(sum < SIZE_MAX);
    free(page);
    pq_values_free(&v);
    pq_dictionary_free(&f, &d);
    MUST(f.used == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'P') {
        run_file(data, size);
    } else if (size > HEAD) {
        run_values(data, size);
    }
    return 0;
}
