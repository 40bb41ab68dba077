/* SPDX-License-Identifier: MIT
 * content.h - the bytes of files: made from a seed, a text, a file on the disk, or rows of a list.
 * Any part of any of them can be had at any time.  Constant once hashed.  [any] */
#ifndef NET_CONTENT_H
#define NET_CONTENT_H

#include "util.h"

enum content_kind { CONTENT_MADE, CONTENT_TEXT, CONTENT_FILE, CONTENT_ROWS };

#define ENDLESS UINT64_MAX

struct content {
    enum content_kind kind;
    uint64_t          size; /* ENDLESS: rows without end */
    uint64_t          seed; /* CONTENT_MADE */
    char             *text; /* owned; CONTENT_TEXT; the path of a CONTENT_FILE */
    int               fd;   /* CONTENT_FILE */
    /* CONTENT_ROWS: head, then `rows` times row with its number for each '#', then tail. */
    char    *head, *row, *tail; /* owned */
    uint64_t rows;
    bool     want_git;            /* the git digest is asked for, too */
    char     sha256[65], git[41]; /* "" until hashed */
};

struct content *content_made(uint64_t seed, uint64_t size);
struct content *content_text(const char *text, size_t n);
struct content *content_file(const char *path); /* dies when it cannot be read */
/* All '#' next to each other are one number, with leading zeros: every row has the same length. */
struct content *content_rows(const char *head, const char *row, const char *tail, uint64_t rows);
void            content_free(struct content *c);

/* n bytes from `at` on, all within the size. */
void content_read(const struct content *c, uint64_t at, void *buf, size_t n);

/* Computes the digests that are missing, on all cores. */
void content_hash_all(struct content **c, size_t n);
void content_hash(struct content *c);

#endif
