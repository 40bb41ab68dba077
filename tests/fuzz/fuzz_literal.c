/* SPDX-License-Identifier: MIT
 * fuzz_literal.c - any bytes as a list that Python printed: counted and written alike; what comes
 * out is JSON but for what is left to its reader, and it means the same when it is read again. */
#include "literal.h"
#include "must.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

static char *convert(const char *text, size_t len, size_t *n)
{
    struct literal_error e = {0, NULL};
    size_t               again = 0;
    char                *out;
    if (literal_json(text, len, NULL, n, &e) != DRH_OK) {
        MUST(e.at <= len && e.what);
        return NULL;
    }
    MUST(*n <= 6 * len);
    out = malloc(*n ? *n : 1); /* exactly, so that a byte behind it is seen */
    MUST(out && literal_json(text, len, out, &again, &e) == DRH_OK && again == *n);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const left[] = {"bad_utf8", "lone_surrogate", "duplicate_key",
                                       "key_too_long"};
    char                    *text = malloc(size ? size : 1), *json;
    size_t                   n = 0, i;
    MUST(text);
    if (size) {
        memcpy(text, data, size);
    }
    json = convert(text, size, &n);
    if (json) {
        struct arena   *a = arena_new();
        struct json_err e;
        uint32_t        type;
        MUST(a);
        if (json_scan(json, n, a, NULL, NULL, &type, &e) != DRH_OK) {
            for (i = 0; i < 4 && strcmp(e.code, left[i]) != 0; i++) {
            }
            MUST(i < 4);
        } else {
            size_t m = 0;
            char  *same = convert(json, n, &m);
            MUST(same);
            free(same);
        }
        arena_free(a);
    }
    free(json);
    free(text);
    return 0;
}
