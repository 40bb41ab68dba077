/* SPDX-License-Identifier: MIT
 *
 * personas.h - texts by and for many different people (PersonaHub, arXiv 2406.20094): synthesizer
 * "personas" makes a record of each slot, from one persona; preprocessor "perspectives" answers the
 * question of each record that is read as k personas would; preprocessor "persona-maker" makes
 * personas out of texts, or out of other personas.
 *
 * One call of the instance at a time, so nothing here is locked.
 */
#ifndef PERSONAS_H
#define PERSONAS_H

#include "synth.h"

enum {
    PERSONAS_MAX_K = 16,
    PERSONAS_MAX_LINE = 64 << 10,
    PEOPLE_MAX_KINDS = 1024,
    PERSONAS_MAX_FROM = 6
};

/* The people, by number. */
struct people {
    char     *text;  /* all of them, one after another */
    size_t   *start; /* of each, and of the end */
    uint32_t *kind;  /* category of each */
    size_t    n;
    size_t    step;    /* coprime to n: the order of slots */
    uint32_t *by_kind; /* in the order of categories */
    size_t    kind_from[PEOPLE_MAX_KINDS + 1];
    drh_text  kind_name[PEOPLE_MAX_KINDS]; /* "": those without one */
    uint32_t  n_kinds;
};

struct people_option {
    drh_str field, category; /* members of a JSON line; empty: the usual ones, none */
    double  alike;           /* one that shares so many of its words with an earlier one is left
                              * out; 0: none is */
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
    int32_t               keep_original, keep_refusals, spread;
    double                similar;
    /* persona-maker */
    int32_t from_persona, own_field; /* the field is named */
    int64_t min_words, max_chars, text_chars;
};

struct personas {
    const drh_host     *host;
    const drh_infer    *infer;
    struct options      o;
    struct people       people;
    drh_infer_info      info;
    int                 ready;
    struct synth_fields f;
    drh_field           parent, persona;               /* in the metadata */
    drh_field           match;                         /* perspectives: NONE: by chance */
    drh_field           from[PERSONAS_MAX_FROM], made; /* persona-maker; NONE ends them */
    struct job         *all;                           /* those not yet given back */
};

/* ---- people.c ---- */

/* Reads a file of JSON lines or of plain lines. */
drh_status people_read(const drh_host *h, struct people *p, drh_str path,
                       const struct people_option *o, drh_error *e);
void       people_free(const drh_host *h, struct people *p);
drh_str    people_get(const struct people *p, size_t i);
/* At most k different ones: of this category, if there is one of that name ({NULL,0}: of any);
 * spread: each of another category, while there are some. */
size_t people_draw(const struct people *p, drh_str category, int spread, size_t k, uint64_t seed,
                   size_t *out);

/* ---- alike.c ---- */

/* Different words of a text; a character that is no letter of an alphabet is one. */
size_t reply_words(drh_str s);
/* Share of words that two texts have in common (Jaccard): 0 to 1. */
double reply_likeness(drh_str a, drh_str b);

struct alike *alike_new(const drh_host *h);
void          alike_free(struct alike *a);
/* *like: an earlier text of `p` that shares at least `least` of its words with this one, else
 * SIZE_MAX, and this one is earlier than those to come.  So of a chain of texts every second one
 * may stay. */
drh_status alike_add(struct alike *a, const struct people *p, size_t text, double least,
                     size_t *like);

/* ---- options.c ---- */

extern const char personas_schema[], perspectives_schema[], maker_schema[];
void              personas_read_options(const drh_host *h, const drh_config *c, struct options *o);

/* ---- reply.c: pure ---- */

/* What is behind the opening; "**Math problem:**" counts, too.  0: it does not begin so. */
int reply_open(drh_str reply, const char *opening, drh_str *rest);
/* The reply only says who is speaking: "As a retired teacher, I ..." of one sentence. */
int reply_introduces(drh_str reply);
/* The first line, without what is around it: marks of a list, quotes, stars. */
drh_str reply_line(drh_str reply);

/* ---- run.c: the host's calls ---- */

drh_status personas_start(void *self, void *worker, drh_record *r, drh_error *e);
drh_status personas_resume(void *self, void *worker, drh_record *r, uint64_t tag,
                           const void *result, drh_error *e);

/* ---- views.c: those of perspectives ---- */

drh_status perspectives_start(void *self, void *worker, drh_record *r, drh_error *e);
drh_status perspectives_resume(void *self, void *worker, drh_record *r, uint64_t tag,
                               const void *result, drh_error *e);

/* ---- maker.c: those of persona-maker ---- */

drh_status maker_start(void *self, void *worker, drh_record *r, drh_error *e);
drh_status maker_resume(void *self, void *worker, drh_record *r, uint64_t tag, const void *result,
                        drh_error *e);

/* ---- job.c: what is known of a record while it waits for the model ---- */

enum { PERSONAS_TEXTS = PERSONAS_MAX_K + 1 };

struct job {
    struct job *next, *back;
    uint64_t    seed;
    size_t      persona[PERSONAS_MAX_K];
    size_t      n, waits;
    const char *why[PERSONAS_MAX_K]; /* an answer is not kept; NULL: it is */
    int         failed[PERSONAS_MAX_K];
    drh_text    text[PERSONAS_TEXTS]; /* the question first, then answers */
};

/* The model is asked once what it is; DRH_E_CONFIG when it cannot help. */
drh_status personas_ready(struct personas *p, drh_error *e);
/* Takes the i-th of the job's replies: its text, or why there is none. */
drh_status  job_take(struct job *j, size_t i, const drh_infer_res *res, drh_error *e);
struct job *job_new(struct personas *p, drh_record *r); /* NULL: out of memory */
void        personas_release(void *self, void *state);
#endif /* PERSONAS_H */
