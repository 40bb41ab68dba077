/* SPDX-License-Identifier: MIT
 * plan.h - a recipe whose stages are found, whose options are checked and final, and whose services
 * have providers.  Nothing has run yet: no instance exists.  [main] */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "host.h"
#include "problems.h"
#include "recipe.h"

struct reader;

struct plan_step {
    const struct step  *step; /* the recipe's */
    const struct stage *stage;
    cJSON              *options;    /* owned; defaults filled in */
    char               *text;       /* owned; canonical, for fingerprints */
    char                file[65];   /* SHA-256 of the plugin's file: a rebuilt one is another one */
    char                inputs[65]; /* SHA-256 of the files that its options name; by plan_start */
    uint64_t            count;      /* synthesizers: slots; 0: not given */
    uint64_t            attempts;
    struct reader      *reader; /* the plan's: that a source names; NULL: by content */
    struct instance    *in;     /* owned; made by plan_start */
};

struct plan_service {
    char               *id;   /* "drh.infer/1"; owned */
    char               *name; /* "infer"; owned */
    bool                own;  /* for the steps that name it only */
    const struct stage *stage;
    cJSON              *options; /* owned */
};

struct plan {
    struct recipe       *recipe; /* owned */
    struct loader       *loader; /* the caller's */
    struct plan_step    *step;
    size_t               n_steps;
    struct plan_service *service; /* in the order in which they have to be made */
    size_t               n_services;
    struct run_env       env;
    struct services     *services; /* owned; filled by plan_start */
    struct reader       *readers;  /* owned; see readers.h */
    bool                 readers_loaded;
    char                *reader_note; /* owned: why one of them cannot be used */
};

/* Takes the recipe over in any case.  e gets the first mistake, `all` (may be NULL) each. */
drh_status plan_make(struct plan **p, struct recipe *r, struct loader *l, uint32_t workers,
                     struct problems *all, drh_error *e);
/* Makes the services that one step needs, and those that they need; for a command that runs one. */
drh_status plan_serve(struct plan *p, const struct plan_step *step, drh_error *e);
/* Makes the services, then the instances of all steps but the sources. */
drh_status plan_start(struct plan *p, drh_error *e);
/* plan_inputs.c: fills s->inputs. */
drh_status plan_digest_inputs(struct plan_step *s, drh_error *e);
/* The instance of one step, made if need be. */
drh_status plan_instance(struct plan *p, struct plan_step *s, drh_error *e);
void       plan_free(struct plan *p); /* NULL is fine */

/* The stage of that kind that `use` names, as in a recipe. */
drh_status plan_stage(struct plan *p, uint32_t kind, const char *use, const struct stage **out,
                      drh_error *e);
/* Checks options (*options NULL: none are given) and makes them final; `at` is their pointer. */
drh_status plan_options(const struct plan *p, const struct stage *stage, cJSON **options,
                        const char *at, struct problems *all, drh_error *e);

/* "" or what the numbers of step `s` depend on outside its own options: the inference backend. */
const char *plan_identity(const struct plan *p, const struct plan_step *s);

#endif
