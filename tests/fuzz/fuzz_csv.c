/* SPDX-License-Identifier: MIT
 * fuzz_csv.c - any bytes as separated values: read or refused, and what was read from the start is
 * what is read from any position.  The first byte chooses the options. */
#include "must.h"
#include "reader_host.h"

#include <drh/util.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_ROWS = 300, N_OPTIONS = 4 };

extern const drh_entry drh_entry_v1;

static const char *const options[N_OPTIONS] = {
    "{}", "{\"quote\":\"\",\"delimiter\":\"tab\"}",
    "{\"header\":false,\"names\":[\"a\",\"b\",\"c\"],\"columns\":[\"c\",\"a\"]}",
    "{\"header\":false,\"names\":[\"a\",\"b\"],\"json\":[\"b\"],\"delimiter\":\";\"}"};
static struct reader_host *host[N_OPTIONS];
static char                path[64];
static int                 file = -1;

static void prepare(void)
{
    drh_error e = DRH_ERROR_INIT;

    file = memfd_create("fuzz", MFD_CLOEXEC);
    MUST(file >= 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    for (int i = 0; i < N_OPTIONS; i++) {
        host[i] = reader_new(&drh_entry_v1, options[i], &e);
        MUST(host[i]);
    }
}

static void check_error(drh_status st, const drh_error *e)
{
    MUST(st == DRH_E_DATA || st == DRH_E_CONFIG);
    MUST(e->message[0] && memchr(e->message, 0, sizeof(e->message)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader_host *h;
    drh_error           e = DRH_ERROR_INIT;
    drh_status          st;
    const char         *row;
    char               *at = NULL, *next = NULL;
    size_t              n = 0, middle = size % 7;

    if (file < 0) {
        prepare();
    }
    if (size == 0) {
        return 0;
    }
    h = host[data[0] % N_OPTIONS];
    MUST(ftruncate(file, 0) == 0 && pwrite(file, data + 1, size - 1, 0) == (ssize_t)size - 1);
    st = reader_open(h, path, NULL, &e);
    if (st != DRH_OK) {
        check_error(st, &e);
        return 0;
    }
    while (n < MOST_ROWS && (row = reader_next(h, &st, &e)) != NULL) {
        MUST(strcmp(row, "open") != 0);
        if (n == middle + 1) {
            next = strdup(row);
        }
        if (n++ == middle) {
            at = strdup(reader_tell(h));
        }
    }
    MUST(st == DRH_OK || st == DRH_END || (check_error(st, &e), true));
    if (next) {
        MUST(reader_open(h, path, at, &e) == DRH_OK);
        MUST(strcmp(reader_tell(h), at) == 0);
        row = reader_next(h, &st, &e);
        MUST(row && strcmp(row, next) == 0);
    }
    reader_close(h);
    MUST(reader_blocks == N_OPTIONS);
    free(at);
    free(next);
    return 0;
}
