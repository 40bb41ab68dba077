/* SPDX-License-Identifier: MIT
 *
 * filter.h - the inside of filter.so.  options.c reads the conditions, judge.c asks them of a
 * record, text.c counts and guesses languages, plugin.c has the tables.  struct filter is read-only
 * after create(); scratch is in struct filter_worker, one a thread.
 */
#ifndef FILTER_H
#define FILTER_H

#include <drh/turns.h>

#include <stdbool.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* What a condition is about. */
enum filter_of {
    OF_NOTHING = 0, /* only the number of turns */
    OF_FIELD,
    OF_QUESTION, /* each of the human's turns */
    OF_ANSWER,   /* each of the assistant's */
    OF_TURN,     /* each turn */
    OF_SYSTEM,
    OF_CONVERSATION /* all turns, a newline after each but the last */
};

/* What it asks; several things at once: all have to be so. */
enum filter_test {
    TEST_MIN = 0,
    TEST_MAX,
    TEST_MIN_CHARS,
    TEST_MAX_CHARS,
    TEST_MIN_WORDS,
    TEST_MAX_WORDS,
    TEST_MIN_TURNS,
    TEST_MAX_TURNS,
    TEST_MATCHES,
    TEST_IN,
    TEST_LANG,
    TEST_REFUSAL,
    TEST_THERE,
    N_TESTS
};

enum { FILTER_NAME = 40, FILTER_WORDS = 64 };

struct filter_words { /* texts of the configuration */
    drh_str word[FILTER_WORDS];
    size_t  n;
};

struct filter_condition {
    bool                drop;                  /* else it has to hold */
    uint32_t            number;                /* in its list, from 1 */
    char                name[FILTER_NAME + 1]; /* "": the test's */
    enum filter_of      of;
    drh_field           field;
    drh_str             what;  /* the field's name, or the value of "of" */
    uint32_t            tests; /* 1 << enum filter_test */
    double              limit[TEST_MAX_TURNS + 1];
    bool                refusal, there;
    struct filter_words in, lang;
    pcre2_code         *code;
    drh_str             pattern;
};

struct filter {
    const drh_host          *host;
    drh_field                conversations, messages, system;
    struct filter_condition *condition; /* n of them, those to keep by first */
    size_t                   n;
    bool                     turns; /* some condition is about turns */
    pcre2_general_context   *memory;
    pcre2_match_context     *limits;
};

struct filter_worker {
    const struct filter *f;
    pcre2_match_data    *found;
    drh_turn            *turn; /* of the record at hand */
    size_t               n_turns, cap_turns;
    char                *all; /* the conversation as one text */
    size_t               n_all, cap_all;
    bool                 joined; /* it is that */
    drh_str              system;
};

/* ---- options.c ---- */

extern const char filter_schema[];
drh_status        filter_options(struct filter *f, const drh_config *c, drh_error *e);
void              filter_forget(struct filter *f);
/* The key of a test, and the reason when it is not so. */
const char *filter_key(enum filter_test test);
const char *filter_reason(enum filter_test test);

/* ---- judge.c ---- */

drh_status filter_process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e);

/* ---- text.c, pure ---- */

struct filter_count {
    uint64_t chars, words;
};
/* Characters are code points.  Words are runs without white space, but each Han character, kana
 * and character of Thai, Lao, Khmer or Burmese is a word. */
struct filter_count filter_count(drh_str s);
/* "Zh", "Ja", "Ko", "Ru" (Cyrillic), "En" (Latin) by the letters of the first 4096 bytes, as chat
 * tells it; "": no letters of these. */
const char *filter_lang(drh_str s);

#endif
