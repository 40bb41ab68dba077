/* SPDX-License-Identifier: MIT
 * task.h - one task of a run: a chain of steps over one shard, skipped when it is done already.
 * [main] */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include "layout.h"
#include "manifest.h"
#include "shard.h"

#include <cjson/cJSON.h>

struct task {
    struct task_name name;
    struct feed      feed;
    struct chain     chain;
    cJSON           *basis;  /* the caller's: all that the output depends on */
    char            *out;    /* the caller's; NULL: the task writes no records */
    struct outfile  *into;   /* the caller's, instead of out: records are added to it, and the task
                              * is done when the caller says so: it leaves no manifest */
    struct drh_sink *sink;   /* likewise, of the chain's last step, which writes bytes */
    char            *scores; /* the caller's; NULL: none */
    drh_field        score_field;
    bool             traces; /* out: with lines of origin.h */
    bool             journal;
    uint64_t         attempts;
    struct instance *observe; /* first pass of a data-set scope; notes go to `notes` */
    char            *notes;
    uint64_t         total; /* bytes or slots, for the progress display */
    /* results; counts are the caller's, chain.n + 1 of them, zeroed */
    struct counts  *counts;
    uint64_t        n_in, n_out;
    char            sha256[65]; /* of out */
    struct feed_pos next;       /* where the next shard starts */
    bool            done;       /* the feed's files are at their ends */
    bool            skipped;
    char            spent[256]; /* as in struct shard: what was made is there, but not done */
    double          seconds;
};

struct task_options {
    const struct layout *layout;
    uint32_t             workers;
    bool                 fresh, strict;
};

/* What an earlier run left of `t` is no longer good: says that it is made again, and why.  strict:
 * DRH_E_CONFIG when it was made of something else. */
drh_status task_redo(const struct task_name *t, const struct task_options *o,
                     enum manifest_state state, const struct buf *why, drh_error *e);
/* DRH_E_CONFIG with strict when it was done before with something else. */
drh_status task_run(struct task *t, const struct task_options *o, drh_error *e);

#endif
