/* SPDX-License-Identifier: MIT
 * counts.h - what happened to records, by step and reason.  One thread at a time; batches count on
 * their own and are added up in order. */
#ifndef CORE_COUNTS_H
#define CORE_COUNTS_H

#include <cjson/cJSON.h>
#include <drh/plugin.h>

#include <stdbool.h>

struct reason_count {
    char     reason[41];
    bool     failed; /* a failure, else a drop */
    uint64_t n;
};

/* Balance: in + added = out + dropped + failed. */
struct counts {
    uint64_t             in, added, out, dropped, failed;
    uint64_t             mended; /* of those out: json_mend() */
    struct reason_count *reason; /* owned, in order of first appearance */
    size_t               n_reasons, cap_reasons;
};

void       counts_free(struct counts *c);
drh_status counts_reason(struct counts *c, const char *reason, bool failed,
                         uint64_t n); /* also adds
                       to dropped or failed */
drh_status counts_add(struct counts *into, const struct counts *from);
bool       counts_damaged(const struct counts *c); /* the reader's: a file ends in the middle */
bool       counts_balance(const struct counts *c);
/* {"in":..,"added":..,"out":..,"dropped":..,"failed":..,"reasons":{"dropped":{..},"failed":{..}}},
 * and "mended" if there are any. */
cJSON     *counts_json(const struct counts *c); /* NULL: out of memory */
drh_status counts_from_json(struct counts *c, const cJSON *j);

#endif
