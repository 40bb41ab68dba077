/* SPDX-License-Identifier: MIT
 * shard.h - runs one shard: a feed through a chain into files.  The calling thread reads and
 * writes, in input order; with -j above 1 worker threads do the steps in between. */
#ifndef CORE_SHARD_H
#define CORE_SHARD_H

#include "batch.h"
#include "log.h"
#include "outfile.h"

struct journal;

struct shard {
    struct feed    *feed;
    struct chain    chain;
    uint32_t        workers;
    struct outfile *out, *rejects, *scores; /* out, scores may be NULL */
    drh_field       score_field;            /* of the selector in the chain */
    bool            traces;                 /* out: with lines of origin.h */
    struct journal *journal;                /* for the record-driven step; may be NULL */
    uint64_t        attempts;               /* slots: most tries of one */
    /* Scope data set, first pass: every batch's records go to observe, none comes out. */
    struct instance *observe;
    struct drh_sink *notes;
    bool             name_rejects; /* single steps: FILE:LINE: reason on stderr, the first 20 */
    struct progress  progress;
    /* results */
    struct counts *counts; /* reader, then one a step; owned by the caller */
    uint64_t       n_in, n_out;
    char           spent[256]; /* why it ended before the feed did: DRH_E_BUDGET; "": it did not */
};

/* DRH_E_CANCELLED when the run is being stopped. */
drh_status shard_run(struct shard *s, drh_error *e);
/* In input order, by the calling thread: writes and counts what a batch made. */
drh_status shard_commit(struct shard *s, struct batch *b, drh_error *e);
/* Whether the chain has a record-driven step, and where. */
bool shard_async_step(const struct shard *s, size_t *at);

#endif
