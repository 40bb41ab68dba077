/* SPDX-License-Identifier: MIT
 * fuzz_hf_list.c - any answers to the source `hf-mirror` while it lists; hub_fuzz.h says how they
 * are written. */
#include "hub_fuzz.h"

extern const drh_entry drh_entry_v1;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const options[] = {
        "{\"repo\":\"o/n\"}",
        "{\"repo\":\"gpt2\",\"type\":\"model\",\"token\":\"env:FUZZ_TOKEN\"}",
        "{\"repo\":\"hf://datasets/o/n@fbd996df9489a76f0e1323311a17e9dccdbde88b/data/\"}",
        "{\"repo\":\"o/n\",\"include\":[\"*.json\",\"data/\"],\"exclude\":[\"*[0-9].json\"]}",
        "{\"repo\":\"o/n\",\"revision\":\"refs/pr/1\",\"files\":[\"data/a.json\",\"b/\"]}",
    };

    setenv("FUZZ_TOKEN", "hf_secret", 1);
    setenv("HF_TOKEN_PATH", "/nowhere", 1);
    hub_fuzz(data, size, &drh_entry_v1, options, sizeof(options) / sizeof(options[0]),
             "https://hf-mirror.com");
    return 0;
}
