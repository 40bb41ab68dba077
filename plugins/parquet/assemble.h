/* SPDX-License-Identifier: MIT
 * assemble.h - a row out of its columns: the levels of the first column below a list or a struct
 * say what is there, and all others below it have to agree. */
#ifndef PQ_ASSEMBLE_H
#define PQ_ASSEMBLE_H

#include "column.h"
#include "../columns/row.h"

/* The next row below `root` into row->slot, whose object is open.  `column` of every wanted node is
 * its first wanted column.  DRH_E_DATA: the columns end or contradict one another. */
drh_status pq_assemble(struct col_row *row, const struct pq_node *root, drh_error *e);

#endif
