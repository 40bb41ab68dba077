/* SPDX-License-Identifier: MIT
 *
 * lang.h - the inside of lang.so.  languages.c has the table of languages, options.c reads what the
 * user wants, sample.c takes the words out of a text, detect.c tells their language, plugin.c has
 * the tables and the call.  struct lang is read-only after create(); struct lang_worker is one a
 * thread.
 */
#ifndef LANG_H
#define LANG_H

#include <drh/turns.h>

#include <stdbool.h>

/* Scripts that several languages share, first, have models; the others name their language. */
enum lang_script {
    SCRIPT_NONE = 0,
    SCRIPT_LATIN,
    SCRIPT_CYRILLIC,
    SCRIPT_ARABIC,
    SCRIPT_HEBREW,
    SCRIPT_DEVANAGARI,
    SCRIPT_ETHIOPIC,
    N_SHARED,
    SCRIPT_HAN = N_SHARED,
    SCRIPT_KANA,
    SCRIPT_HANGUL,
    SCRIPT_GREEK,
    SCRIPT_ARMENIAN,
    SCRIPT_BENGALI,
    SCRIPT_GURMUKHI,
    SCRIPT_GUJARATI,
    SCRIPT_TAMIL,
    SCRIPT_TELUGU,
    SCRIPT_KANNADA,
    SCRIPT_MALAYALAM,
    SCRIPT_SINHALA,
    SCRIPT_THAI,
    SCRIPT_LAO,
    SCRIPT_TIBETAN,
    SCRIPT_BURMESE,
    SCRIPT_GEORGIAN,
    SCRIPT_KHMER,
    N_SCRIPTS
};

/* ---- languages.c ---- */

struct lang_language {
    const char      *code;    /* "fr" */
    const char      *written; /* "Fr", as metadata.lang has it */
    enum lang_script script;
    bool             usual;   /* one of those that are told apart when the user names none */
    const char      *model;   /* file name without .lm; NULL: the script tells it */
    const char      *letters; /* those that not every language of the script has, small */
};

enum { LANG_UND = 0, LANG_MOST = 128 }; /* the first row: nobody can tell */

extern const struct lang_language lang_table[];
extern const size_t               lang_count;
/* Row of a code, "fr" or "Fr"; lang_count: there is none. */
size_t lang_find(drh_str code);
/* First row of a script among those chosen; LANG_UND: none. */
size_t           lang_of_script(enum lang_script script, const bool *chosen);
enum lang_script lang_script_of(uint32_t c);

/* ---- options ---- */

enum lang_of { OF_ANSWER = 0, OF_QUESTION, OF_ALL };

struct lang {
    const drh_host *host;
    drh_field       lang;
    enum lang_of    of;
    size_t          max_bytes, min_letters;
    double          margin;
    bool            chosen[LANG_MOST]; /* by row */
    bool            keeps, keep[LANG_MOST];
    char           *models; /* folder, with a slash at its end */
};

extern const char lang_schema[];
drh_status        lang_options(struct lang *l, const drh_config *c, drh_error *e);

/* ---- sample.c, pure ---- */

/* The words of a text in small letters, a space after each. */
struct lang_sample {
    char  *text; /* cap + 1 bytes */
    size_t len, cap;
    size_t seen;               /* bytes looked at */
    size_t letters[N_SCRIPTS]; /* of each script */
};

void lang_sample_clear(struct lang_sample *s);
/* Adds words until the sample is full.  Code, addresses and markup are left out. */
void lang_sample_add(struct lang_sample *s, drh_str text);
/* The script that says most: Han, kana and Hangul count four times. */
enum lang_script lang_sample_script(const struct lang_sample *s);
/* Leaves words of this script only, and a 0 behind them. */
void lang_sample_only(struct lang_sample *s, enum lang_script script);

/* ---- detect.c ---- */

struct lang_worker {
    const struct lang *lang;
    struct lang_sample sample;
    void              *models[N_SHARED]; /* the library's; NULL where it is not needed */
    void              *found[N_SHARED];  /* its answer */
};

drh_status lang_worker_open(const struct lang *l, struct lang_worker **out, drh_error *e);
void       lang_worker_close(struct lang_worker *w);
/* Row of the language of the sample, which is spent by it. */
size_t lang_detect(struct lang_worker *w);

#endif
