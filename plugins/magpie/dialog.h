/* SPDX-License-Identifier: MIT
 *
 * dialog.h - what is known of a slot while it waits for the model; see talk.c.
 */
#ifndef MAGPIE_DIALOG_H
#define MAGPIE_DIALOG_H

#include "magpie.h"

struct dialog {
    struct dialog              *next, *back;
    const struct magpie_system *system; /* of the first question */
    const char *class;                  /* of the sanitiser, for the last question */
    uint64_t seed;
    size_t   n; /* turns */
    drh_text turn[2 * MAGPIE_MAX_ROUNDS];
};

/* record.c: turns, system text and metadata into the record. */
drh_status magpie_write(struct magpie *m, drh_record *r, const struct dialog *d);

#endif /* MAGPIE_DIALOG_H */
