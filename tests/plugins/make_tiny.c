/* SPDX-License-Identifier: MIT
 * make_tiny VERSION ROWS [BAD] - a file for the readers of tiny.c on standard output; every BADth
 * row is bad: without a tab, or no UTF-8; every 97th other one is to be dropped. */
#include "tiny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    unsigned long rows = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    unsigned long bad = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    char          row[512];
    uint8_t       head[4];

    if (argc < 3 || strlen(argv[1]) != 1) {
        (void)fprintf(stderr, "usage: make_tiny VERSION ROWS [BAD]\n");
        return 2;
    }
    (void)printf("TINY%s\n", argv[1]);
    for (unsigned long i = 1; i <= rows; i++) {
        int broken = bad && i % bad == 0, n;

        if (broken && i / bad % 2) {
            n = snprintf(row, sizeof(row), "question %lu and no answer", i);
        } else if (i % 97 == 0) {
            n = snprintf(row, sizeof(row), "question %lu?\tunlucky", i);
        } else {
            n = snprintf(row, sizeof(row), "question %lu?%s\tthe answer is %lu, %.*s", i,
                         broken ? "\xff" : "", i * 7 % 1000, (int)(i % 97),
                         "a long one, with as many words as it takes to make rows of different "
                         "lengths, so that batches end anywhere");
        }
        tiny_put(head, (uint32_t)n);
        (void)fwrite(head, 1, sizeof(head), stdout);
        (void)fwrite(row, 1, (size_t)n, stdout);
    }
    return fflush(stdout) ? 1 : 0;
}
