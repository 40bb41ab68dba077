/* SPDX-License-Identifier: MIT
 * assemble.h - a row out of a batch that is in memory. */
#ifndef ARROW_ASSEMBLE_H
#define ARROW_ASSEMBLE_H

#include "schema.h"

/* Row i of the members of `root` into row->slot, whose object is open.  DRH_E_DATA: the batch
 * contradicts itself. */
drh_status arrow_assemble(struct col_row *row, const struct arrow_node *root, uint64_t i,
                          drh_error *e);

#endif
