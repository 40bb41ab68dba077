/* SPDX-License-Identifier: MIT
 * clock.c - see clock.h. */
#include "clock.h"

#include <time.h>

double clock_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
