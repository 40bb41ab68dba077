/* SPDX-License-Identifier: MIT
 *
 * parquet.c - speed of the Parquet reader on one core, from files to records in memory:
 *
 *     perf_parquet build/plugins/parquet.so FILE.parquet [OPTIONS]
 *
 * Reads all rows, several rounds, and prints the best: records, their bytes as JSON and CPU time.
 * By hand, not in ctest; parquet.py makes files and compares with pyarrow.
 */
#include "reader_host.h"

#include <drh/util.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 5 };

/* CPU time, so that a busy machine does not count. */
static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    void               *so = argc > 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    const drh_entry    *entry = so ? dlsym(so, "drh_entry_v1") : NULL;
    drh_error           e = DRH_ERROR_INIT;
    struct reader_host *h = entry ? reader_new(entry, argc > 3 ? argv[3] : "{}", &e) : NULL;
    double              best = 0;
    size_t              rows = 0, bytes = 0;

    if (!h) {
        (void)fprintf(stderr, "usage: perf_parquet PLUGIN.so FILE [OPTIONS as JSON] %s\n",
                      e.message);
        return 2;
    }
    for (int i = 0; i < ROUNDS; i++) {
        double     from = now(), took;
        drh_status st = reader_open(h, argv[2], NULL, &e);

        rows = bytes = 0;
        while (st == DRH_OK) {
            bytes += reader_size(h, &st, &e);
            rows += st == DRH_OK;
        }
        if (st != DRH_END) {
            (void)fprintf(stderr, "perf_parquet: %s\n", e.message);
            return 1;
        }
        took = now() - from;
        best = i == 0 || took < best ? took : best;
    }
    printf("%zu %zu %.4f\n", rows, bytes, best);
    reader_free(h);
    return 0;
}
