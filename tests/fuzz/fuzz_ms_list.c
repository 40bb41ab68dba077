/* SPDX-License-Identifier: MIT
 * fuzz_ms_list.c - any answers to the source `modelscope` while it lists; hub_fuzz.h says how they
 * are written. */
#include "hub_fuzz.h"

extern const drh_entry drh_entry_v1;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const options[] = {
        "{\"repo\":\"o/n\"}",
        "{\"repo\":\"o/n\",\"type\":\"model\",\"token\":\"env:FUZZ_TOKEN\"}",
        "{\"repo\":\"o/n\",\"revision\":\"main\"}",
        "{\"repo\":\"o/n\",\"include_oss\":true}",
        "{\"repo\":\"o/n\",\"include\":[\"*.json\"],\"exclude\":[\"b*\"]}",
    };

    setenv("FUZZ_TOKEN", "ms-secret", 1);
    hub_fuzz(data, size, &drh_entry_v1, options, sizeof(options) / sizeof(options[0]),
             "https://modelscope.cn");
    return 0;
}
