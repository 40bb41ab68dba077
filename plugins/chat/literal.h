/* SPDX-License-Identifier: MIT
 *
 * literal.h - a list or dict as Python prints it, written as JSON.  No state, no memory of its own.
 */
#ifndef CHAT_LITERAL_H
#define CHAT_LITERAL_H

#include <drh/plugin.h>

enum { LITERAL_DEPTH = 64 };

struct literal_error {
    size_t      at;   /* byte in the text */
    const char *what; /* what is wrong there */
};

/* Writes text[0,len) to `out` as JSON, how many bytes to *n; with `out` NULL only counts them.  The
 * text is to be UTF-8.  What is read:
 *     None, True, False, and null, true, false; nan is null
 *     numbers; strings in ', ", ''' or """, with r and u before them, and Python's escapes but \N
 *     lists, tuples, dicts with texts or numbers for keys; a comma before the end
 *     elements of a list without commas between them, as numpy prints arrays; array(...,
 * dtype=...), list(...), np.int64(...) as what is in them Linear in len.  DRH_E_DATA: *e says where
 * and what.  Keys that are there twice and halves of surrogate pairs are left for the JSON reader
 * to refuse. */
drh_status literal_json(const char *text, size_t len, char *out, size_t *n,
                        struct literal_error *e);

#endif
