/* SPDX-License-Identifier: MIT
 * arena.h - bump allocator of a batch: everything goes at once.  One thread at a time. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void          arena_free(struct arena *a);            /* NULL is fine */
void          arena_reset(struct arena *a);           /* keeps one block */
void         *arena_alloc(struct arena *a, size_t n); /* 16-aligned, not zeroed, or NULL */
char         *arena_dup(struct arena *a, const char *p, size_t n); /* 0-terminated copy */
size_t        arena_bytes(const struct arena *a);                  /* held from the system */
/* A place for one thing in this arena that its owner uses again and again; NULL after a reset. */
void **arena_spare(struct arena *a);

#endif
