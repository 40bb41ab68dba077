/* SPDX-License-Identifier: MIT
 * message.h - the messages of an Arrow file or stream, one after the other: a little metadata, then
 * a body of buffers that lie beside each other. */
#ifndef ARROW_MESSAGE_H
#define ARROW_MESSAGE_H

#include "flat.h"

enum arrow_header { ARROW_SCHEMA = 1, ARROW_DICTIONARY_BATCH, ARROW_RECORD_BATCH };

struct arrow_messages {
    struct col_file *file;
    uint64_t         at, end; /* the next message; where they end */
    bool             is_file; /* the format with a footer */
    bool             whole;   /* it has one */
};

struct arrow_message {
    struct col_block  bytes; /* owned: the metadata */
    struct flat       flat;
    struct flat_table header;
    int64_t           kind; /* enum arrow_header */
    int64_t           version;
    uint64_t          body, body_len; /* in the file */
};

/* Before the first message.  DRH_E_DATA: neither of the formats. */
drh_status arrow_messages_open(struct arrow_messages *m, struct col_file *file, drh_error *e);
/* The next one, in the place of the one before.  DRH_END; DRH_E_DATA: cut or damaged. */
drh_status arrow_messages_next(struct arrow_messages *m, struct arrow_message *out, drh_error *e);

/* How well the first bytes of a file fit; 0: they do not. */
int32_t arrow_sniff(const uint8_t *head, size_t len);

#endif
