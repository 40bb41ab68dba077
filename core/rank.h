/* SPDX-License-Identifier: MIT
 * rank.h - who stays, out of all scores of a select step.
 *
 * Scores lie in files of doubles, one a record, NaN where there is none, in the order of the parts.
 * Cuts and quantiles are found by radix selection over the files, so memory does not grow with the
 * number of records: 512 KiB whatever their number. [main] */
#ifndef CORE_RANK_H
#define CORE_RANK_H

#include "record.h"

#include <stdbool.h>

enum { RANK_BINS = 20 };

struct rank_spec {
    bool    ascending; /* the lowest are kept */
    bool    has_below, has_at_most, has_above, has_at_least, has_top, has_count;
    double  below, at_most, above, at_least, top;
    int64_t count;
};

/* A part's scores. */
struct rank_part {
    const char *path;
    uint64_t    n;
    size_t      group;
    uint64_t    take_ties; /* result: how many of the scores equal to the cut this part keeps */
};

struct rank_group {
    const char *name;
    uint64_t    n, scored, passed, kept; /* passed: within the bounds */
    double      cut;                     /* the worst score kept; NaN: none, or no cut asked */
    bool        limited;                 /* top or count was asked */
    double      mean, sd, min, q1, median, q3, max; /* of all scored; sd with n - 1 */
    uint64_t    bin[RANK_BINS]; /* from lo to hi; what lies outside is in the end bins */
    double      lo, hi;
};

bool rank_has_cut(const struct rank_spec *s);
/* Statistics, then the cut, of each group. */
drh_status rank_groups(const struct rank_spec *s, struct rank_part *part, size_t n_parts,
                       struct rank_group *group, size_t n_groups, drh_error *e);

/* What becomes of each record of one part: input to the host's own cut step. */
enum verdict { VERDICT_KEEP = 0, VERDICT_UNSCORED, VERDICT_BOUND, VERDICT_RANK };

struct cut {
    const struct rank_spec  *spec;
    const struct rank_group *group;
    drh_field                field, status; /* where score and reason are in the record */
    double                  *score;         /* owned */
    uint8_t                 *verdict;       /* owned; by row in the part */
    uint64_t                 n;
};

drh_status cut_open(struct cut *c, const struct rank_spec *s, const struct rank_group *g,
                    const struct rank_part *part, drh_error *e);
void       cut_close(struct cut *c);
/* chain_step.own: keeps and drops by the verdicts. */
drh_status cut_step(const void *cut, drh_record *const *r, size_t n);
/* The score of a part that is `score`, or nearest below it; of equal ones the first row. */
struct rank_near {
    bool     found;
    uint64_t row;
    double   score;
};
drh_status rank_find(const struct rank_part *part, double score, struct rank_near *near,
                     drh_error *e);
/* The score at share q (0..1) of the scored ones of a group, lowest first. */
drh_status rank_quantile(const struct rank_part *part, size_t n_parts, size_t group,
                         uint64_t scored, double q, double *out, drh_error *e);

#endif
