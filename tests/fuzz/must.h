/* SPDX-License-Identifier: MIT
 * must.h - what a fuzz target asserts: a condition that does not hold is a crash for libFuzzer. */
#ifndef FUZZ_MUST_H
#define FUZZ_MUST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
