/* SPDX-License-Identifier: MIT
 * reader_fuzz.c - see reader_fuzz.h. */
#include "reader_fuzz.h"

#include "must.h"

#include <drh/util.h>

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_ROWS = 300 };

extern const drh_entry drh_entry_v1;

const char *reader_fuzz_file(const uint8_t *data, size_t size)
{
    static char path[64];
    static int  file = -1;

    if (file < 0) {
        file = memfd_create("fuzz", MFD_CLOEXEC);
        MUST(file >= 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    MUST(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    return path;
}

static void check_error(drh_status st, const drh_error *e)
{
    MUST(st == DRH_E_DATA || st == DRH_E_CONFIG);
    MUST(e->message[0] && memchr(e->message, 0, sizeof(e->message)));
}

/* From that position the next row is `want`. */
static void check_position(struct reader_host *h, const char *path, const char *at,
                           const char *want)
{
    drh_error   e = DRH_ERROR_INIT;
    drh_status  st;
    const char *row;

    MUST(reader_open(h, path, at, &e) == DRH_OK);
    MUST(strcmp(reader_tell(h), at) == 0);
    row = reader_next(h, &st, &e);
    MUST(row && strcmp(row, want) == 0);
}

void reader_fuzz(const char *options, const uint8_t *data, size_t size)
{
    static struct reader_host *host;
    const char                *path = reader_fuzz_file(data, size), *row;
    drh_error                  e = DRH_ERROR_INIT;
    drh_status                 st;
    char                      *at = NULL, *next = NULL;
    size_t                     n = 0, middle = size % 7;

    host = host ? host : reader_new(&drh_entry_v1, options, &e);
    MUST(host);
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
        check_position(host, path, at, next);
    }
    reader_close(host);
    MUST(reader_blocks == 1); /* the instance */
    free(at);
    free(next);
}
