/* SPDX-License-Identifier: MIT
 * dataset.h - the data sets of a run: raw files first, parts after each segment.  [main] */
#ifndef CORE_DATASET_H
#define CORE_DATASET_H

#include "feed.h"
#include "layout.h"
#include "pull.h"

#include <cjson/cJSON.h>

/* A finished part of a data set. */
struct part {
    char    *path;   /* owned */
    char    *scores; /* owned or NULL */
    uint64_t n;      /* records */
    bool     traced; /* with lines of origin.h */
    char     sha256[65];
};

struct dataset {
    char             *domain, *name, *source; /* owned */
    struct feed_file *file;                   /* raw files; texts owned by `pull` and here */
    char            **local;                  /* owned paths of the raw files */
    size_t            n_files;
    struct pull       pull;       /* what the source names, and brought */
    char              digest[65]; /* of all raw files: names and contents */
    struct part      *part;
    size_t            n_parts, cap_parts;
    uint64_t          slots, attempts; /* synthesized from nothing: how many */
    uint64_t          read, failed;    /* by all segments, for max_bad */
};

struct datasets {
    struct dataset *ds;
    size_t          n;
};

/* Lists, and brings, the files of one source step; appends a data set.  `cache` holds digests of
 * files by path, size and time; it is added to. */
drh_status dataset_from_source(struct datasets *all, struct plan *p, struct plan_step *s,
                               const struct layout *l, cJSON *cache, drh_error *e);
/* An empty one, for a synthesizer. */
drh_status dataset_add(struct datasets *all, const char *domain, const char *name,
                       const char *source, struct dataset **out, drh_error *e);
drh_status dataset_add_part(struct dataset *d, struct part part,
                            drh_error *e); /* takes texts over */
void       dataset_clear_parts(struct dataset *d);
void       datasets_free(struct datasets *all);

#endif
