/* SPDX-License-Identifier: MIT
 * head.h - the values of answer headers that decide something.  Strict where a wrong reading would
 * put bytes in a wrong place, lenient where it would only cost a pause.  Pure functions, fuzzed.
 * [any] */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <drh/plugin.h>

#include <stdbool.h>

/* Content-Range: "bytes 0-99/659", "bytes 0-99" + "/" + "*", "bytes *" + "/659". */
struct content_range {
    bool     has_range, has_total;
    uint64_t from, to; /* inclusive */
    uint64_t total;
};
bool head_content_range(drh_str v, struct content_range *out);

/* Digits only, within 64 bits. */
bool head_u64(drh_str v, uint64_t *out);

/* Retry-After in both forms, a fraction allowed: milliseconds from `now` (seconds of Unix time), 0
 * for the past, at most HEAD_MAX_WAIT_MS. */
enum { HEAD_MAX_WAIT_MS = 15 * 60 * 1000 };
bool head_retry_after(drh_str v, int64_t now, uint32_t *ms);

/* RateLimit: any number of policies, `"api";r=485;t=163, "pages";r=99;t=5` or the older
 * `limit=100, remaining=50, reset=5`: the smallest remaining number and the seconds to its reset;
 * of equal ones the longest. */
struct rate {
    uint64_t left;
    uint32_t reset_s;
};
bool head_rate_limit(drh_str v, struct rate *out);

#endif
