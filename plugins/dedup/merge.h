/* SPDX-License-Identifier: MIT
 *
 * merge.h - what the parts of merge() share; see dedup.h.  [main]
 */
#ifndef DEDUP_MERGE_H
#define DEDUP_MERGE_H

#include "note.h"
#include "sort.h"

struct merge {
    const struct dedup *d;
    const drh_host     *host;
    drh_error          *e;
    char                folder[1024]; /* of temporary files */
    size_t              memory;       /* of one sort */
    struct notes        notes;
    struct notes_walk   walk;
    uint8_t            *gone;   /* a bit for each place where a note may begin */
    struct sort        *exact;  /* kept, dropped, what */
    struct sort        *near;   /* dropped, kept, similarity; NULL: MinHash is off */
    struct sort        *all;    /* kept, dropped, what: with the last word on who is kept */
    struct sort        *list;   /* dropped, name, line, what */
    struct dedup_buf    shards; /* struct dedup_shard, in order of addresses */
    struct dedup_buf    starts; /* their addresses */
    drh_sink           *result;
    uint64_t            written;
};

static inline void merge_set_gone(struct merge *m, uint64_t address)
{
    const uint64_t bit = address / NOTE_ADDRESS_STEP;
    m->gone[bit / 8] |= (uint8_t)(1u << bit % 8);
}

static inline bool merge_is_gone(const struct merge *m, uint64_t address)
{
    const uint64_t bit = address / NOTE_ADDRESS_STEP;
    return m->gone[bit / 8] >> bit % 8 & 1;
}

/* A sort with m's memory and folder; DRH_E_NOMEM. */
drh_status merge_sort(struct merge *m, size_t item, struct sort **out);

/* near.c: similar records of those that are not gone; fills m->near and marks what goes. */
drh_status merge_near(struct merge *m);

/* list.c: what is known of everything that goes, as the file that apply() reads. */
drh_status merge_write(struct merge *m);

/* ---- the file: names, entries, shards, end ---- */

struct list_entry {
    uint64_t row, name; /* name: where it is in the file */
    uint64_t line;      /* UINT64_MAX: the name says it all */
    uint64_t what;      /* 0..10000, DEDUP_EXACT, DEDUP_NO_TEXT */
};

#define LIST_MAGIC 0x316c70756465u
struct list_end {
    uint64_t magic, entries, n_entries, n_shards; /* entries: where they begin */
};

#endif
