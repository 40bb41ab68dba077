/* SPDX-License-Identifier: MIT
 * shelf.h - copies of the files of a listing, kept until all of it is known.  One thread at a time;
 * memory is the host's. */
#ifndef CARD_SHELF_H
#define CARD_SHELF_H

#include "card.h"

struct shelf { /* zero it, set kept.host; drh_text_clear(&kept) empties it, drh_text_free frees */
    drh_text kept;
};

/* DRH_E_NOMEM without a message. */
drh_status shelf_add(struct shelf *s, const drh_file *f);
/* Gives to the host those that the card wants, and README.md beside them.  `page` is what to call
 * the data set in messages.  Errors of card_choose; DRH_E_MISSING: none is wanted; of list_file. */
drh_status shelf_pass(const struct shelf *s, struct card *c, const char *page, drh_list *to,
                      drh_error *e);

#endif
