/* SPDX-License-Identifier: MIT
 *
 * tags.h - preprocessor "tags": what a model says of a record's question: how hard it is, how good,
 * and of what kind (Magpie's tags, arXiv 2406.08464).  One call of the instance at a time.
 */
#ifndef TAGS_H
#define TAGS_H

#include "synth.h"

enum tag { TAG_DIFFICULTY, TAG_QUALITY, TAG_CATEGORY, TAGS };
enum { TAGS_MOST_LABELS = 12, TAGS_MOST_OTHERS = 11 };

/* One thing that is asked, in a request of its own. */
struct tag_kind {
    const char *name;         /* in the options and in messages */
    const char *ask, *behind; /* the prompt, with the question in the middle */
    const char *key;          /* of the label in the reply */
    const char *field;        /* of the label in the record */
    const char *label[TAGS_MOST_LABELS + 1];
    struct {
        const char *key, *field; /* a text beside it */
    } beside[2];
    const char *others, *others_field; /* a list of further labels */
};

extern const struct tag_kind tag_kinds[TAGS]; /* kinds.c */
extern const char            tags_schema[];

/* ---- mend.c: pure ---- */

/* The first object in what a model says, as JSON: without the words and fences around it; with
 * quotes of other kinds, bare words, trailing and missing commas, quotes and line ends in strings
 * mended.  The text may begin behind the object's first brace.  0: there is no whole object. */
int tags_mend(drh_str said, drh_text *to);

/* ---- read.c: pure, but for the host's JSON ---- */

struct tag_reply {
    drh_json *doc;   /* owned; NULL: nothing could be read */
    drh_value root;  /* of it */
    int       label; /* of the kind's list, or -1 */
    drh_text  text;  /* owned */
};

/* The number of a label, whatever its case and its spaces, or -1. */
int tag_label(const struct tag_kind *k, drh_str word);
/* Reads a reply: 1, and the label may be -1 nevertheless; 0: no object with the kind's key is in
 * it; -1: out of memory.
 * tag_reply_free() in any case. */
int  tag_read(const drh_host *h, const struct tag_kind *k, drh_str said, struct tag_reply *r);
void tag_reply_free(const drh_host *h, struct tag_reply *r);

#endif /* TAGS_H */
