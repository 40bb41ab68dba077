/* SPDX-License-Identifier: MIT
 * run.h - runs a plan: sources, preprocess, synthesize, select, convert, report.  [main] */
#ifndef CORE_RUN_H
#define CORE_RUN_H

#include "dataset.h"
#include "rank.h"
#include "task.h"

struct run_options {
    uint32_t workers;
    uint64_t limit; /* most records of each source; 0: all */
    bool     fresh, strict;
};

/* One step's counts over all tasks of its segment. */
struct total {
    char         *segment, *step; /* owned */
    struct counts counts;
    double        seconds; /* the segment's, at its first step */
    uint64_t      tasks, skipped;
};

/* A select step after its scores are in. */
struct ranking {
    char              *step;       /* owned */
    char              *field_name; /* owned */
    struct rank_spec   spec;
    drh_field          field, status;
    struct rank_part  *part; /* in the order of data sets and parts */
    size_t             n_parts;
    struct rank_group *group;
    char             **group_name; /* owned */
    size_t             n_groups;
    cJSON             *examples; /* per group, an array; owned */
};

struct run_output {
    char    *path, *domain; /* owned */
    uint64_t records, bytes;
    char     sha256[65];
};

struct run {
    struct plan              *p;
    const struct run_options *o;
    struct layout             l;
    struct task_options       to;
    struct datasets           sets;
    cJSON                    *cache; /* digests of raw files */
    struct total             *total;
    size_t                    n_totals;
    struct ranking           *ranking; /* one per select step done */
    size_t                    n_rankings;
    const struct ranking     *pending; /* its cut is the first step of the next segment */
    struct run_output        *output;
    size_t                    n_outputs;
    bool                      too_bad, shortfall;
    char                      spent[256];   /* a task was ended by DRH_E_BUDGET: why */
    char                      merged[65];   /* SHA-256 of the last data-set scope's result */
    char                      damaged[256]; /* a data set with a file that ends in the middle */
    char                      started[32];
};

/* Runs everything; exit code as cli.h, message in e when not 0.  Writes the report in any case. */
int run_recipe(struct plan *p, const struct run_options *o, drh_error *e);

/* ---- parts of it, run_*.c ---- */

/* A chain over all data sets into parts. */
struct segment {
    const char        *name;
    struct plan_step **step; /* of the plan */
    size_t             n;
    bool               apply_first; /* step 0 is a data-set scope: apply */
    bool               interim;     /* parts go to interim/, else to work/ */
    bool               scores;      /* step n - 1 is a selector */
    bool               traces;      /* parts in work/ say where each record is from */
};

/* Writes sources.json: where every raw file is from, with its digest. */
drh_status run_sources(const struct run *r, drh_error *e);
drh_status run_segment(struct run *r, const struct segment *s, drh_error *e);
/* The first pass of a data-set scope over all parts, merge and prepare. */
drh_status run_observe(struct run *r, struct plan_step *step, drh_error *e);
/* Ranks what the segment of `step` scored, and makes it the pending cut. */
drh_status run_rank(struct run *r, struct plan_step *step, drh_error *e);
/* Cut and convert steps, a file per domain. */
drh_status run_outputs(struct run *r, struct plan_step **step, size_t n, drh_error *e);
drh_status run_add_total(struct run *r, const char *segment, const struct task *t, drh_error *e);
/* The user's bounds; where a cut is asked without one, the selector's own. */
void   ranking_spec(struct rank_spec *s, const struct step *step, const drh_ranking *r);
void   ranking_free(struct ranking *k);
cJSON *run_report(const struct run *r, const char *state, const char *message, double seconds);
/* The task of one part, ready to run; task_done() frees what it holds. */
drh_status run_part_task(struct run *r, const struct segment *s, struct dataset *d, size_t part,
                         struct task *t, struct cut *cut, drh_error *e);
void       run_task_done(struct task *t, struct cut *cut);
/* Counts what a finished task did; DRH_E_DATA when too many records are bad. */
/* DRH_E_DATA when more of a data set's records are bad than max_bad allows. */
drh_status run_judge(struct run *r, const char *segment, const struct dataset *d, drh_error *e);
drh_status run_after_task(struct run *r, const struct segment *s, struct dataset *d,
                          const struct task *t, drh_error *e);

#endif
