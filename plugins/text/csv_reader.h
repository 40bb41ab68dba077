/* SPDX-License-Identifier: MIT
 * csv_reader.h - the stage "csv": its options, and a file's columns. */
#ifndef CSV_READER_H
#define CSV_READER_H

#include "csv.h"

struct csv_options {
    const drh_host   *host;
    const drh_config *config;
    char              delimiter; /* 0: by the first row */
    char              quote;
    int32_t           header;
};

struct csv_column {
    drh_str name; /* in the stream's `names` */
    int     wanted, json;
};

struct csv_stream {
    const struct csv_options *o;
    struct text_in            in;
    struct csv_form           form;
    struct csv_row            row;
    struct csv_column        *column; /* owned */
    char                     *names;  /* owned */
    size_t                    n_columns;
};

/* csv_columns.c: the names, by the first row or the option names, and which are wanted. */
drh_status csv_columns(struct csv_stream *s, drh_error *e);

#endif
