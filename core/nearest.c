/* SPDX-License-Identifier: MIT
 * nearest.c - "did you mean": edit distance over short names.  Called wherever a name that a user
 * wrote is not known. [any] */
#include "schema.h"

#include <string.h>

enum { MAX_NAME = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Insertions, deletions, changes and swaps of neighbours (optimal string alignment). */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t row[3][MAX_NAME + 1];
    for (size_t j = 0; j <= m; j++) {
        row[0][j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = a[i - 1] != b[j - 1];
            now[j] = min3(up[j] + 1, now[j - 1] + 1, up[j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                up2[j - 2] + 1 < now[j]) {
                now[j] = up2[j - 2] + 1;
            }
        }
    }
    return row[n % 3][m];
}

const char *nearest(const char *name, const char *const *known, size_t n)
{
    size_t      len = strlen(name);
    size_t      best = len / 3 > 0 ? len / 3 : 1;
    const char *found = NULL;

    if (len < 2 || len > MAX_NAME) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        size_t m = known[i] ? strlen(known[i]) : 0;
        size_t d;
        if (m == 0 || m > MAX_NAME || (m > len ? m - len : len - m) > best) {
            continue;
        }
        d = distance(name, len, known[i], m);
        if (d < best || (d == best && !found)) {
            best = d;
            found = known[i];
        }
    }
    return found;
}
