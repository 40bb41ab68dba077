/* SPDX-License-Identifier: MIT
 *
 * note.h - the notes of all shards as one long sequence of bytes.  Every call of observe writes one
 * block: the shard's id, then a note for each record, each preceded by the name of its file when
 * that is another one than before.  Numbers are the machine's own, for notes never leave it.
 */
#ifndef DEDUP_NOTE_H
#define DEDUP_NOTE_H

#include "dedup.h"
#include "notes.h"

enum { NOTE_SHARD = 0x64641, NOTE_NAME, NOTE_RECORD };
enum { NOTE_NO_TEXT = 1u << 0, NOTE_LINE = 1u << 1 /* the name is a file, with a line */ };

struct note_head {
    uint32_t kind, len; /* NOTE_*; bytes of what follows: a multiple of 8 */
};

/* NOTE_RECORD; then, for MinHash, a number for each band, and the shingles or the signature. */
struct note {
    uint8_t  key[16]; /* digest of the text */
    uint64_t row, line;
    uint32_t back; /* bytes from the note's head back to the head of the name */
    uint32_t flags;
};

/* NOTE_NAME: its length, its bytes, padding.  NOTE_SHARD: the id. */
enum { NOTE_ADDRESS_STEP = sizeof(struct note_head) + sizeof(struct note) };

/* Walks over all of them. */
struct notes_walk {
    struct notes    *notes;
    size_t           shard;
    uint64_t         address; /* of the next item */
    uint64_t         from;    /* what is in memory begins here */
    struct dedup_buf buf;
    /* of the last note */
    const struct note *note;
    const uint8_t     *more; /* what is behind it */
    size_t             n_more;
    uint64_t           at; /* its address */
    uint64_t           id[2];
};

void notes_walk(struct notes_walk *w, struct notes *s);
/* DRH_OK with the next record's note, which is valid until the next call, or DRH_END. */
drh_status notes_next(struct notes_walk *w, drh_error *e);
void       notes_walk_end(struct notes_walk *w);

#endif
