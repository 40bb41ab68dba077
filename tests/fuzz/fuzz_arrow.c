/* SPDX-License-Identifier: MIT
 * fuzz_arrow.c - a hostile Arrow file or stream. */
#include "message.h"
#include "must.h"
#include "reader_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exactly = malloc(size ? size : 1);

    MUST(exactly);
    memcpy(exactly, data, size);
    MUST(arrow_sniff(exactly, size) >= 0);
    free(exactly);
    reader_fuzz("{\"memory\":16}", data, size);
    return 0;
}
