/* SPDX-License-Identifier: MIT
 * batch.h - some records in a row on their way through a chain of steps.
 *
 * Filled by the thread that reads, processed by one worker, committed in order by the thread that
 * reads: never two threads at once. */
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include "counts.h"
#include "feed.h"
#include "host.h"

enum {
    BATCH_RECORDS = 512, /* most records in a batch */
    BATCH_BYTES =
        256 << 10, /* and about as many source bytes: what is made of them fits the cache */
    BATCH_OUT_MAX = 1 << 30 /* most bytes that a batch may write */
};

/* One step as a shard runs it. */
struct chain_step {
    const char      *id;
    struct instance *in;    /* NULL: the host's own step, below */
    bool             apply; /* scope data set: call apply, not process */
    /* Host's own: settles every record. */
    drh_status (*own)(const void *ctx, drh_record *const *r, size_t n);
    const void      *ctx;
    struct drh_sink *sink; /* the last step of a chain: write() its records here */
};

struct chain {
    struct chain_step *step;
    size_t             n;
    uint64_t           seed; /* of the run */
};

struct batch {
    uint64_t             seq;
    bool                 last; /* the pseudo batch after the last record: flush */
    struct arena        *arena;
    struct buf           text;
    size_t               made;        /* about as many bytes of records that readers made */
    const struct origin *slot_origin; /* of slots; NULL: records come from files */
    struct batch_item   *item;        /* what was read; arena */
    size_t               n_items;
    struct drh_record  **rec; /* live ones, in order; arena */
    size_t               n_rec;
    struct buf           out, rejects, scores;
    drh_field            score_field; /* DRH_FIELD_NONE: none */
    struct counts       *counts;      /* one per chain step, after the reader's at 0 */
    size_t               n_counts;
    uint64_t             n_read, n_out;
    bool                 traces;  /* out: before each record a line on where it is from */
    bool                 written; /* the last step wrote the live records: no text is wanted */
    drh_status           st;      /* of the processing; error says why */
    drh_error            error;
};

struct batch *batch_new(size_t n_steps);
void          batch_free(struct batch *b); /* NULL is fine */
void          batch_reset(struct batch *b, uint64_t seq);

/* Reads up to max records, and no further than `bytes`.  DRH_END when the feed had none. */
drh_status batch_fill(struct batch *b, struct feed *f, size_t max, size_t bytes, drh_error *e);
/* Source text to records; refused ones are rejected. */
drh_status batch_parse(struct batch *b);
/* Runs chain steps [from, to) on worker w.  Errors are kept in b->st; later calls then only pass
 * through the turns of serial steps. */
void batch_process(struct batch *b, const struct chain *c, size_t from, size_t to, uint32_t w);
/* Settled records of step `at` (index in the chain) to the next: rejects lines, counts, live list.
 */
drh_status batch_gather(struct batch *b, const struct chain *c, size_t at, drh_record *const *r,
                        size_t n);
/* Live records to text (and their scores). */
drh_status batch_emit(struct batch *b);

#define NO_ROW UINT64_MAX

/* A line of the rejects file.  step "read" for what never became a record; row NO_ROW: not known.
 */
drh_status reject_line(struct buf *out, const char *step, bool failed, const char *reason,
                       drh_str detail, const struct origin *o, uint64_t row, uint64_t line,
                       drh_str id);
/* The seed and uid of a record for a step. */
void record_enter_step(drh_record *r, const struct chain *c, const struct chain_step *s);

#endif
