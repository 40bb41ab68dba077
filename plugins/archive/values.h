/* SPDX-License-Identifier: MIT
 * values.h - the JSON values of a text in the forms that the host itself reads: a value a line, the
 * elements of an array, values one after another.  Where a value ends is found in one pass; whether
 * it is JSON is the host's business. */
#ifndef ARCHIVE_VALUES_H
#define ARCHIVE_VALUES_H

#include "../text/text_in.h"

#include <stdbool.h>

enum values_form { /* in positions: append only */
                   VALUES_UNKNOWN,
                   VALUES_LINES,
                   VALUES_FREE,        /* one after another */
                   VALUES_ARRAY_FIRST, /* after [ */
                   VALUES_ARRAY_AFTER, /* after an element */
                   VALUES_ARRAY_COMMA, /* after a comma */
                   VALUES_ARRAY_ANY,   /* after what was wrong and reported: anything */
                   VALUES_ARRAY_CLOSED,
                   VALUES_ENDED
};

struct values {
    struct text_in   in; /* owned */
    uint64_t         line;
    enum values_form form;
};

/* A value, or with `code` what is wrong in the place of one.  The text is valid until the next
 * call. */
struct values_item {
    drh_str     text;
    uint64_t    line; /* where it begins, from 1 */
    const char *code, *why;
};

/* The text that `read` gives.  v->in is as text_in_begin() wants it. */
drh_status values_begin(struct values *v, text_read read, void *from, drh_error *e);
/* The same, at a place where it was before: `offset` of v->in. */
drh_status values_resume(struct values *v, text_read read, void *from, uint64_t offset,
                         uint64_t line, enum values_form form, drh_error *e);
/* DRH_END; what `read` answers when it fails. */
drh_status values_next(struct values *v, struct values_item *item, drh_error *e);

#endif
