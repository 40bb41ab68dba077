/* SPDX-License-Identifier: MIT
 * input.h - a raw file as a stream of record texts.
 *
 * By content, not by name: gzip, zstd, xz or plain (concatenated members too); a UTF-8 BOM is
 * skipped; then
 *   lines   one JSON value a line (LF or CRLF, last newline optional, blank lines skipped)
 *   array   one JSON array, its elements streamed
 *   values  JSON values one after another, pretty-printed or not (one object a file, too)
 * Array if the first byte that is no space is '['; values if the first value is valid only when
 * read across lines; else lines.  Memory is bounded by INPUT_MAX_RECORD whatever the file.
 *
 * One thread at a time a stream. */
#ifndef CORE_INPUT_H
#define CORE_INPUT_H

#include <drh/plugin.h>

#include <stdbool.h>

enum { INPUT_MAX_RECORD = 64 << 20 };

struct input;

/* A place between two records: what a shard starts at.  For compressed files `offset` counts
 * decompressed bytes, and opening there decompresses up to it. */
struct input_pos {
    uint64_t offset, row, line;
    uint32_t form; /* 0: not known yet; otherwise input.c's own: the form and what may follow */
};

/* One record's text, or the reason why there is none. */
struct input_item {
    const char *text; /* valid until the next call; NULL when refused */
    size_t      len;
    uint64_t    row;  /* from 0, counting refused ones */
    uint64_t    line; /* from 1, where the record starts */
    /* Refused: line_too_long, element_too_long, broken_array (commas, brackets), broken_values (the
     * same outside an array), truncated (the file is cut), bad_compression. */
    const char *code;
    char        message[160];
};

/* path "-": standard input.  pos NULL: the start. */
drh_status input_open(struct input **in, const char *path, const struct input_pos *pos,
                      drh_error *e);
/* DRH_OK with *item, DRH_END, or an error that ends the file (I/O).  What is wrong with a single
 * record is an item with text NULL; a file that is damaged from here on (compressed data, an
 * array's brackets) gives one such item and then DRH_END.  Texts are not validated here. */
drh_status input_next(struct input *in, struct input_item *item, drh_error *e);
void       input_tell(const struct input *in, struct input_pos *pos); /* after the last item */
uint64_t   input_read(const struct input *in); /* bytes of the file read so far, for progress */
/* SHA-256 over the file's raw bytes, when asked for before the first input_next and read to the end
 * from the start; DRH_E_MISSING otherwise. */
void       input_want_digest(struct input *in);
drh_status input_digest(const struct input *in, uint8_t out[32]);
void       input_close(struct input *in); /* NULL is fine */

#endif
