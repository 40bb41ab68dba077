/* SPDX-License-Identifier: MIT
 * text_in.h - the bytes of a text as a window that moves on: a file, decompressed by the host, or
 * what a function gives.  The readers csv, lines and archive share it. */
#ifndef TEXT_IN_H
#define TEXT_IN_H

#include <drh/util.h>

enum { TEXT_MAX_ROW = 64 << 20 };

/* At most cap bytes; *got 0: the end. */
typedef drh_status (*text_read)(void *from, void *to, size_t cap, size_t *got, drh_error *e);

struct text_in {
    const drh_host *host;
    drh_bytes      *bytes; /* of text_in_open() */
    text_read       read;
    void           *from;
    char           *buf; /* owned */
    size_t          at, len, cap;
    uint64_t        offset; /* of buf[at] in the decompressed file */
    int             end;    /* nothing comes behind buf[len) */
    drh_error       why;    /* code not DRH_OK: damaged from here on */
    char            position[24];
};

/* Begins at this offset; at 0 a UTF-8 BOM is passed. */
drh_status text_in_open(struct text_in *in, const drh_host *h, const char *path, uint64_t offset,
                        drh_error *e);
/* The same for what `read` gives, which begins at this offset; `in` is all zeros but host, or was
 * used for another text before, whose window it keeps. */
drh_status text_in_begin(struct text_in *in, text_read read, void *from, uint64_t offset,
                         drh_error *e);
void       text_in_close(struct text_in *in);

static inline char *text_in_ptr(struct text_in *in)
{
    return in->buf + in->at;
}

static inline size_t text_in_held(const struct text_in *in)
{
    return in->len - in->at;
}

/* More bytes behind those that are held, which may move; or in->end.  DRH_E_RANGE: TEXT_MAX_ROW are
 * held already.  DRH_E_DATA: the compressed file is damaged there. */
drh_status text_in_more(struct text_in *in, drh_error *e);

static inline void text_in_take(struct text_in *in, size_t n)
{
    in->at += n;
    in->offset += n;
}

/* Positions of streams are offsets: "1234". */
drh_status text_position(const drh_str *position, uint64_t *offset, drh_error *e);
drh_str    text_in_tell(struct text_in *in); /* valid until the next call */

/* For next(): a file that is damaged, or has a row that is too long, stays so.  Before reading:
 * DRH_OK or the damage; after it: what came of it, damage noted. */
drh_status text_in_before(const struct text_in *in, drh_error *e);
drh_status text_in_after(struct text_in *in, drh_status st, drh_error *e);

/* What a head could be: not empty, UTF-8 as far as it goes, no NUL, no control characters. */
int text_is_text(const uint8_t *head, size_t len);
/* What git keeps in the place of a file that Git LFS has: the host tells people about it. */
int text_is_pointer(const uint8_t *head, size_t len);
/* Whether the name ends with this, in any case, before .gz, .zst or .xz. */
int text_has_ending(const char *name, const char *ending);

#endif
