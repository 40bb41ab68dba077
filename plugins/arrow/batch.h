/* SPDX-License-Identifier: MIT
 * batch.h - the buffers of a batch into memory: of those columns that are wanted, unpacked. */
#ifndef ARROW_BATCH_H
#define ARROW_BATCH_H

#include "message.h"
#include "schema.h"

#include <lz4frame.h>
#include <zstd.h>

struct arrow_unpack {
    LZ4F_dctx       *lz4;
    ZSTD_DCtx       *zstd;
    struct col_block packed;
};

/* A RecordBatch table of message m into the nodes below `root`: the members of it, or with
 * `values` the values of a dictionary, which are `root` itself.  *rows gets how many there are.
 * DRH_E_DATA, DRH_E_RANGE with a message. */
drh_status arrow_batch_load(struct arrow_schema *s, struct arrow_node *root, bool values,
                            const struct arrow_message *m, const struct flat_table *batch,
                            struct col_file *file, struct arrow_unpack *u, uint64_t *rows,
                            drh_error *e);
void       arrow_unpack_free(struct arrow_unpack *u, struct col_file *file);

#endif
