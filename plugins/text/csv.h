/* SPDX-License-Identifier: MIT
 * csv.h - rows of separated values: RFC 4180 as most programs write it and Python's csv module
 * reads it.  A quote counts at the start of a field only; inside quotes two are one, delimiters and
 * line breaks are text; what follows a closing quote belongs to the field.  LF, CRLF or CR ends a
 * row. */
#ifndef CSV_H
#define CSV_H

#include "text_in.h"

enum { CSV_MAX_FIELDS = 4096 };

struct csv_form {
    char delimiter;
    char quote; /* 0: there is none */
};

struct csv_row {
    drh_str *field; /* owned; valid until the next row */
    size_t   n, cap;
    size_t   size;  /* bytes of the row in the file, its end too */
    int      blank; /* nothing is in it, not even a quote */
};

/* The next row that is not blank, taken from `in`; its fields stay valid until the next call.
 * DRH_END: there is none.  DRH_E_DATA: a quote is never closed, too many fields, damage;
 * DRH_E_RANGE: longer than TEXT_MAX_ROW. */
drh_status csv_next(struct text_in *in, struct csv_form form, struct csv_row *row, drh_error *e);
void       csv_row_free(const drh_host *h, struct csv_row *row);

/* The delimiter that the first row of a text has most of outside quotes: , tab ; or |.  0: none. */
char csv_guess(const char *p, size_t n, char quote);
/* Fields of the rows that p[0,n) holds whole: how many have as many as the first one, and whether
 * any has not. */
size_t csv_alike(const char *p, size_t n, struct csv_form form, size_t *fields, int *unlike);

#endif
