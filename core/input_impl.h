/* SPDX-License-Identifier: MIT
 * input_impl.h - what the input_*.c files share: the byte stream under a file (input_raw.c) and the
 * search for the end of a JSON value (input_split.c).  Nobody else includes it, but for head.c,
 * which looks at the bytes too, and tests. */
#ifndef CORE_INPUT_IMPL_H
#define CORE_INPUT_IMPL_H

#include "input.h"

/* Sizes, copied by input_open.  Tests shrink them so that every boundary is met; never touched
 * while a stream is being opened. */
struct input_limits {
    size_t chunk;      /* most bytes a read */
    size_t max_record; /* INPUT_MAX_RECORD */
    size_t sniff;      /* how far the form is looked for */
};
extern struct input_limits input_limits;
size_t                     input_held(const struct input *in); /* size of its buffer */

/* ---- bytes: plain, gzip, zstd or xz -------------------------------------------------------- */

struct raw;

drh_status raw_open(struct raw **r, const char *path, size_t chunk, drh_error *e);
/* Goes to this decompressed offset; once, before the first raw_fill. */
drh_status raw_seek(struct raw *r, uint64_t offset, drh_error *e);
/* At most cap bytes (cap > 0); *got is 0 at the end of the file and where damage begins. */
drh_status  raw_fill(struct raw *r, char *dst, size_t cap, size_t *got, drh_error *e);
const char *raw_damage(const struct raw *r, const char **why); /* reason code, or NULL */
uint64_t    raw_read(const struct raw *r);
void        raw_want_digest(struct raw *r);
/* Reads the rest of the file for the digest, if one is wanted. */
drh_status raw_drain(struct raw *r, drh_error *e);
drh_status raw_digest(const struct raw *r, uint8_t out[32]);
void       raw_close(struct raw *r); /* NULL is fine */

/* ---- the end of a value -------------------------------------------------------------------- */

/* Follows one value without checking it: an object or array until its own kind of bracket
 * balances, a string until its quote or a raw newline, a word until white space or punctuation. */
struct split {
    uint64_t depth, lines; /* open brackets; raw newlines passed */
    char     open, close;  /* '{' '}', '[' ']', '"' for a string, 0 for a word */
    bool     in_string, escape, done;
};

void split_begin(struct split *s, char first);
/* Goes on in p[0,n), which starts at the value's first byte on the first call; returns how many
 * bytes belong to the value.  s->done: it ends there. */
size_t split_run(struct split *s, const char *p, size_t n);
/* Past white space; counts newlines. */
size_t split_space(const char *p, size_t n, uint64_t *lines);

#endif
