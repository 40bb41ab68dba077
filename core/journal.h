/* SPDX-License-Identifier: MIT
 * journal.h - results that were paid for, appended as they arrive: an answer of a model, a score.
 *
 * A file of entries, each with its length and CRC-32; a torn tail is cut off on opening.  The first
 * entry holds the task's fingerprint: a journal of another fingerprint is emptied.  Keyed by
 * record, attempt, the request's digest, and which of the record's requests with that digest it is:
 * so answers are found again in whatever order a stage asks.  The coordinator's thread only. */
#ifndef CORE_JOURNAL_H
#define CORE_JOURNAL_H

#include <drh/infer.h>

struct journal;

struct journal_key {
    uint64_t uid;
    uint32_t ordinal, attempt;
    uint8_t  digest[16];
};

/* Opens or makes the file and reads what is there. */
drh_status journal_open(struct journal **j, const char *path, const char *fingerprint,
                        drh_error *e);
/* The result kept under the key, or NULL; valid until journal_close. */
const drh_infer_res *journal_find(const struct journal *j, const struct journal_key *k);
/* Appends; safe against a kill of this process once it returns, against a power cut after
 * journal_sync. */
drh_status journal_append(struct journal *j, const struct journal_key *k, const drh_infer_res *res,
                          drh_error *e);
drh_status journal_sync(struct journal *j, drh_error *e);
void       journal_close(struct journal *j); /* NULL is fine */

#endif
