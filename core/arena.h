/* SPDX-License-Identifier: MIT
 * arena.h - bump allocator of a batch: everything goes at once.  One thread at a time. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <drh/plugin.h>

#include <stdbool.h>

struct arena;

struct arena *arena_new(void);
void          arena_free(struct arena *a);            /* NULL is fine */
void          arena_reset(struct arena *a);           /* keeps one block */
void         *arena_alloc(struct arena *a, size_t n); /* 16-aligned, not zeroed, or NULL */
char         *arena_dup(struct arena *a, const char *p, size_t n); /* 0-terminated copy */
size_t        arena_bytes(const struct arena *a);                  /* held from the system */
/* Room for up to n bytes in the block at hand, or NULL: then take arena_alloc().  Of it arena_end()
 * keeps `used`; between the two nothing else is allocated. */
char *arena_begin(struct arena *a, size_t n);
void  arena_end(struct arena *a, char *p, size_t used);
/* Of an allocation of n bytes only `used` are kept, if it is the last one: else false. */
bool arena_trim(struct arena *a, char *p, size_t n, size_t used);

/* A string of accepted text, with its quotes, and what it means: 0-terminated, in the arena. */
struct known {
    const char *at, *end;
    drh_str     text;
};

/* What users of an arena keep in it from one call to the next; all NULL after a reset. */
enum { KNOWN_STRINGS = 32 };
struct arena_notes {
    void       *builder;             /* builder.c: a closed one */
    const char *string, *string_end; /* value.c: a string of accepted text, with its quotes */
    const char *parent, *child;      /* value.c: a container and the child of it met last */
    /* value.c: strings of the member whose value was asked for last, in order */
    const struct known *list;
    uint32_t            n_list, list_at;
    uint32_t            n_recent, recent_at;
    struct known        recent[KNOWN_STRINGS]; /* value.c: those decoded last, in a ring */
};

struct arena_notes *arena_notes(struct arena *a);
void                arena_forget_text(struct arena *a); /* of the notes, what is about a text */

#endif
