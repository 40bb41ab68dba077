/* SPDX-License-Identifier: MIT
 * hub_fuzz.h - a source of a hub whose answers are the fuzzer's.  An input is a line, the number of
 * the options that the source gets, and then the answers to its requests in their order, each after
 * a line "%%":
 *
 *   0
 *   %%
 *   200                                    or 0-N: no answer, but status N of drh_status
 *   link: </api/...>; rel="next"
 *                                          an empty line, then the body to the next "%%"
 *   [{"type":"file", ...}]
 *
 * Every later request is answered with 404. */
#ifndef FUZZ_HUB_FUZZ_H
#define FUZZ_HUB_FUZZ_H

#include "must.h"

#include <drh/plugin.h>

/* Lists, and asks for what was listed: all requests go to `origin`, all names are harmless, all
 * texts are UTF-8, nothing is left behind. */
void hub_fuzz(const uint8_t *data, size_t size, const drh_entry *entry, const char *const *options,
              size_t n_options, const char *origin);

#endif
