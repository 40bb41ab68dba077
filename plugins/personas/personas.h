/* SPDX-License-Identifier: MIT
 *
 * personas.h - texts by and for many different people (PersonaHub, arXiv 2406.20094): synthesizer
 * "personas" makes a record of each slot, from one persona; preprocessor "perspectives" answers the
 * question of each record that is read as k personas would.
 *
 * One call of the instance at a time, so nothing here is locked.
 */
#ifndef PERSONAS_H
#define PERSONAS_H

#include "synth.h"

enum { PERSONAS_MAX_K = 16, PERSONAS_MAX_LINE = 64 << 10 };

/* The people, by number. */
struct people {
    char   *text;  /* all of them, one after another */
    size_t *start; /* of each, and of the end */
    size_t  n;
    size_t  step; /* coprime to n: the order of slots */
};

struct purpose {
    const char *name;
    const char *before, *after; /* the prompt, with the persona in the middle */
    const char *opening;        /* what the reply has to begin with */
    int         is_question;    /* the reply is a question, to be answered by the model */
    int         keeps_opening;
};

struct options {
    const struct purpose *purpose; /* personas */
    double                temperature, top_p, answer_temperature, answer_top_p;
    uint32_t              max_tokens, answer_max_tokens;
    int64_t               k;
    int32_t               keep_original, keep_refusals;
    double                similar;
};

struct personas {
    const drh_host     *host;
    const drh_infer    *infer;
    struct options      o;
    struct people       people;
    drh_infer_info      info;
    int                 ready;
    struct synth_fields f;
    drh_field           parent, persona, conversations, system;
    struct job         *all; /* those not yet given back */
};

/* ---- people.c ---- */

/* Reads a file of JSON lines (the member `field`, or one of the usual ones) or of plain lines. */
drh_status people_read(const drh_host *h, struct people *p, drh_str path, drh_str field,
                       drh_error *e);
void       people_free(const drh_host *h, struct people *p);
drh_str    people_get(const struct people *p, size_t i);

/* ---- options.c ---- */

extern const char personas_schema[], perspectives_schema[];
drh_status        personas_read_options(const drh_host *h, const drh_config *c, struct options *o,
                                        drh_error *e);

/* ---- reply.c: pure ---- */

/* What is behind the opening; "**Math problem:**" counts, too.  0: it does not begin so. */
int reply_open(drh_str reply, const char *opening, drh_str *rest);
/* The reply only says who is speaking: "As a retired teacher, I ..." of one sentence. */
int reply_introduces(drh_str reply);
/* Share of words that two texts have in common (Jaccard): 0 to 1. */
double reply_likeness(drh_str a, drh_str b);

/* ---- run.c: the host's calls ---- */

drh_status personas_start(void *self, void *worker, drh_record *r, drh_error *e);
drh_status personas_resume(void *self, void *worker, drh_record *r, uint64_t tag,
                           const void *result, drh_error *e);

/* ---- views.c: those of perspectives ---- */

drh_status perspectives_start(void *self, void *worker, drh_record *r, drh_error *e);
drh_status perspectives_resume(void *self, void *worker, drh_record *r, uint64_t tag,
                               const void *result, drh_error *e);

/* ---- job.c: what is known of a record while it waits for the model ---- */

enum { PERSONAS_TEXTS = PERSONAS_MAX_K + 1 };

struct job {
    struct job *next, *back;
    uint64_t    seed;
    size_t      persona[PERSONAS_MAX_K];
    size_t      n, waits;
    const char *why[PERSONAS_MAX_K];  /* an answer is not kept; NULL: it is */
    drh_text    text[PERSONAS_TEXTS]; /* the question first, then answers */
};

/* The model is asked once what it is; DRH_E_CONFIG when it cannot help. */
drh_status  personas_ready(struct personas *p, drh_error *e);
struct job *job_new(struct personas *p, drh_record *r); /* NULL: out of memory */
void        personas_release(void *self, void *state);
/* Without a model that can do this no record is ever made: DRH_OK when the failure is the record's
 * own. */
drh_status job_failure(const drh_infer_res *res, const char **why, drh_error *e);

#endif /* PERSONAS_H */
