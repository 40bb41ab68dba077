/* SPDX-License-Identifier: MIT
 *
 * magpie.h - synthesizer "magpie": a chat model whose user's turn is left open makes up a question,
 * and then answers it (Magpie, arXiv 2406.08464).  A slot a record; nothing is read.
 *
 * One call of the instance at a time, so nothing here is locked.
 */
#ifndef MAGPIE_H
#define MAGPIE_H

#include "synth.h"

enum {
    MAGPIE_MAX_ROUNDS = 8,
    MAGPIE_MAX_SYSTEMS = 32,
    MAGPIE_MAX_STOPS = 16,
    MAGPIE_MAX_MESSAGES = 2 * MAGPIE_MAX_ROUNDS + 1
};

struct magpie_sampling {
    double   temperature, top_p, min_p, penalty, first_temperature;
    uint32_t top_k, max_tokens;
};

/* What a question's system message may be. */
struct magpie_system {
    drh_str name, text; /* text empty: no such message */
    double  weight;
};

/* A chat template by name: the texts around those of users and answers. */
struct magpie_form {
    const char *name, *bos;          /* bos NULL: none */
    const char *own_system;          /* NULL: none */
    const char *system, *system_end; /* NULL: the form has no system message */
    const char *user;                /* all that precedes a user's text */
    const char *end;                 /* ends it, and begins ... */
    const char *answer, *answer_end; /* NULL: one round only */
};

struct magpie_options {
    struct magpie_sampling    question, answer;
    struct magpie_system      system[MAGPIE_MAX_SYSTEMS];
    uint32_t                  n_systems;
    drh_str                   answer_system, follow_up, cue, pre_query, lang;
    drh_str                   stop[MAGPIE_MAX_STOPS]; /* of questions; the first one is a newline */
    uint32_t                  n_stop;
    const struct magpie_form *form; /* NULL: the backend knows */
    int64_t                   rounds, min_chars, max_chars;
    int32_t first_line, avoid_headings, answers, refusals, cut_answers, strip_thoughts;
    int     sanitise; /* enum magpie_family, or -1 */
};

struct magpie {
    const drh_host       *host;
    const drh_infer      *infer;
    struct magpie_options o;
    drh_infer_info        info;
    int                   ready;
    char                  prompt_digest[MAGPIE_MAX_SYSTEMS][17]; /* by system message */
    struct dialog        *all;                                   /* those not yet given back */
    struct synth_fields   f;
};

extern const char magpie_schema[]; /* schema.c */

/* ---- options.c: in create(), on the main thread ---- */

drh_status magpie_read_options(const drh_host *h, const drh_config *c, struct magpie_options *o,
                               drh_error *e);
/* The built-in system text of that name, or {NULL,0}. */
drh_str magpie_system_text(drh_str name);

/* ---- forms.c: pure ---- */

const struct magpie_form *magpie_form_of(drh_str name); /* NULL: there is none */
/* What precedes a first question: bos if it is wanted, a system message, the user's beginning. */
void magpie_form_open(const struct magpie_form *f, int bos, drh_str system, drh_text *to);
/* Goes on behind that: a question, its answer, the user's beginning again. */
void magpie_form_round(const struct magpie_form *f, drh_str question, drh_str answer, drh_text *to);

/* ---- talk.c: the host's calls ---- */

drh_status magpie_start(void *self, void *worker, drh_record *r, drh_error *e);
drh_status magpie_resume(void *self, void *worker, drh_record *r, uint64_t tag, const void *result,
                         drh_error *e);
void       magpie_release(void *self, void *state);

/* ---- clean.c: pure ---- */

/* Why a question is not worth keeping, as a reason code, or NULL. */
const char *magpie_bad_question(const struct magpie_options *o, drh_str s);

/* ---- sanitise.c: pure ---- */

enum magpie_family { MAGPIE_LLAMA3, MAGPIE_GEMMA2 };

/* Takes away what chatty models put around a question (the original's sanitiser, its offsets
 * mended), in place.  *n: its length.  The class is the original's name of the way that was taken.
 * It keeps the first question or the first line only: no good for code and texts of several
 * paragraphs. */
const char *magpie_sanitise(char *p, size_t *n, enum magpie_family family);

#endif /* MAGPIE_H */
