/* SPDX-License-Identifier: MIT
 * recipe.h - a recipe file as a checked tree.  What belongs to the host is parsed here; what
 * belongs to a stage stays JSON until its schema is known (plan.c). [main] */
#ifndef CORE_RECIPE_H
#define CORE_RECIPE_H

#include "problems.h"

#include <cjson/cJSON.h>
#include <drh/plugin.h>

#include <stdbool.h>

enum phase {
    PHASE_SOURCE = 0,
    PHASE_PREPROCESS,
    PHASE_SYNTHESIZE,
    PHASE_SELECT,
    PHASE_CONVERT,
    PHASES
};

/* A reader that is named: by a source ("reader": "csv" or {"use": "csv", ...its options}), or by
 * --plugin of single steps. */
struct reader_decl {
    char  *use;         /* as in a step */
    cJSON *options;     /* owned */
    char   id[64];      /* single steps: what --set calls it */
    char   pointer[72]; /* "/sources/0/reader" */
};

/* One entry of a phase. */
struct step {
    enum phase phase;
    size_t     index; /* in its phase */
    /* "or" of a source: 1 + the place of that source in recipe.steps; 0: a step of its own */
    size_t alternative_of;
    /* "then" of a source or synthesizer: 1 + the place of that one, whose records this step takes;
       0: all */
    size_t follows;
    char  *id;  /* unique in the recipe; default: use, then use-2, ... */
    char  *use; /* stage id, or a path to a .so, or FILE:STAGE; a relative path
                   starts at the recipe's folder */
    char               *domain, *dataset; /* sources and synthesizers; NULL otherwise */
    char               *infer;            /* the service that it asks for answers; NULL: "infer" */
    struct reader_decl *reader;           /* sources; owned; NULL: by content */
    bool                here;             /* its relative paths start at the current folder */
    cJSON              *options;          /* owned; the stage's own keys only */
    /* select: the cut */
    bool    has_below, has_at_most, has_above, has_at_least, has_top, has_count;
    double  below, at_most, above, at_least, top;
    int64_t count;
    char   *per;         /* NULL, "domain", "dataset" */
    char    pointer[64]; /* "/select/0", for messages */
};

/* One service: "services": {"infer": {"use": ..., ...}}.  Name `infer` serves id "drh.infer/1". */
struct service_decl {
    char  *name, *use; /* use "auto": by probe */
    cJSON *options;    /* owned */
    char   pointer[64];
};

struct recipe {
    char *path;                   /* as given; NULL for single steps */
    char *dir;                    /* folder of the recipe: relative paths in it start there;
                                     NULL: the current folder */
    char                *version; /* "v1" */
    char                *data;    /* data folder, absolute or relative to the current folder */
    uint64_t             seed;
    int64_t              part_records; /* 100,000 */
    double               max_bad;      /* share (< 1) or count (>= 1) */
    bool                 compress;     /* parts and outputs as .jsonl.zst */
    struct step         *steps;        /* in phase order */
    size_t               n_steps;
    struct service_decl *services;
    size_t               n_services;
    struct reader_decl  *readers; /* of single steps */
    size_t               n_readers;
};

/* JSON with // and block comments and trailing commas: comments become spaces, offsets stay.  In
 * place.  DRH_E_DATA: an open comment. */
drh_status jsonc_strip(char *text, size_t len, drh_error *e);

/* Reads and checks a recipe.  Errors: "FILE:LINE:COLUMN: ..." for syntax, else "FILE: POINTER: ..."
 * with the nearest known key.  `all` (may be NULL) gets every mistake that is not one of syntax,
 * without the file's name. */
drh_status recipe_load(const char *path, struct recipe **r, drh_error *e);
drh_status recipe_load_all(const char *path, struct recipe **r, struct problems *all, drh_error *e);
drh_status recipe_parse(const char *text, size_t len, const char *path, struct recipe **r,
                        drh_error *e); /* the same from memory (fuzzed) */
drh_status recipe_parse_all(const char *text, size_t len, const char *path, struct recipe **r,
                            struct problems *all, drh_error *e);
/* An empty recipe for single steps. */
drh_status recipe_empty(struct recipe **r, drh_error *e);
/* "per" without "top" or "count"; for whoever sets keys one by one, after the last. */
drh_status recipe_check_per(const struct step *s, drh_error *e);
/* Appends a step; `use` as in the recipe. */
drh_status recipe_add(struct recipe *r, enum phase phase, const char *use, struct step **s,
                      drh_error *e);
/* Adds a reader for single steps; `use` as in the recipe, `id` of its stage. */
drh_status recipe_add_reader(struct recipe *r, const char *use, const char *id, drh_error *e);
/* --set [ID.]KEY=VALUE: seed, max_bad ... for the host; ID a step's id or "services.NAME" (made
 * when it is not there, with use "auto"); the bare key when there is one step.  Host keys of a step
 * are set at once; a stage's own keys are noted as text and typed by the stage's schema later
 * (step->options["key"] = {"$set": "text"}).  KEY may name a member: "template.name".  Works after
 * loading: earlier --set first. */
drh_status recipe_set(struct recipe *r, const char *assignment, drh_error *e);
/* schema_apply() for the options of step s, or of a service (s NULL), at `at`; an unknown key may
 * also have been meant for a key of the host. */
drh_status recipe_options(const struct recipe *r, const struct step *s, const char *at,
                          cJSON *options, const cJSON *schema, struct problems *all, drh_error *e);
/* Puts the source that the JSON text describes, an entry of "sources", in the place of source `at`,
 * which stands for it (drh_source_ops.stands_for); what the recipe says of that one itself (id,
 * domain, dataset, reader, then) stays.  Its paths start at the current folder. */
drh_status recipe_stand_in(struct recipe *r, size_t at, const char *text, size_t len, drh_error *e);
struct step *recipe_step(const struct recipe *r, const char *id); /* or NULL */
void         recipe_free(struct recipe *r);                       /* NULL is fine */

#endif
