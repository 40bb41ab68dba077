/* SPDX-License-Identifier: MIT
 * fuzz_chat.c - any bytes as a chat template: its one spelling is no longer than itself, and what
 * is found in it lies in it. */
#include "lm_chat.h"
#include "must.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lm_text  canon = {NULL, 0, 0};
    struct lm_slice system = {NULL, 0};
    unsigned        flags = 0;
    const char     *open = NULL, *copy;
    char           *exact = malloc(size ? size : 1); /* so that a byte behind it is seen */
    MUST(exact);
    if (size) {
        memcpy(exact, data, size);
    }
    MUST(lm_chat_canon(exact, size, &canon) == 0);
    MUST(canon.n <= size + 1 && canon.p[canon.n] == 0);
    copy = canon.p;
    MUST(!lm_chat_match(copy, &flags, &open) == !open);
    if (lm_chat_default(copy, &system) == DRH_OK) {
        MUST(system.n > 0 && system.p > copy && system.p + system.n <= copy + canon.n);
    }
    lm_text_free(&canon);
    free(exact);
    return 0;
}
