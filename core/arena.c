/* SPDX-License-Identifier: MIT
 * arena.c - see arena.h.  A list of blocks; the newest is the one that is filled.  Under
 * AddressSanitizer what was not handed out is poisoned, so an overrun of one allocation is seen. */
#include "arena.h"
#include "mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)0)
#endif

enum { ALIGN = 16, FIRST_BLOCK = 64 << 10, MAX_BLOCK = 4 << 20 };

struct block {
    struct block *older;
    size_t        size; /* of data */
    _Alignas(ALIGN) char data[];
};

struct arena {
    struct block      *newest;
    char              *at, *end; /* free part of the newest block */
    size_t             next_size, bytes;
    struct arena_notes notes;
};

struct arena *arena_new(void)
{
    struct arena *a = mem_alloc(1, sizeof(*a));

    if (a) {
        a->next_size = FIRST_BLOCK;
    }
    return a;
}

static void free_blocks(struct block *b)
{
    while (b) {
        struct block *older = b->older;
        ASAN_UNPOISON_MEMORY_REGION(b->data, b->size);
        mem_free(b);
        b = older;
    }
}

void arena_free(struct arena *a)
{
    if (a) {
        free_blocks(a->newest);
        mem_free(a);
    }
}

static void fill_from(struct arena *a, struct block *b)
{
    ASAN_POISON_MEMORY_REGION(b->data, b->size);
    a->at = b->data;
    a->end = b->data + b->size;
}

/* Keeps the largest ordinary block: a huge record must not stay paid for. */
void arena_reset(struct arena *a)
{
    struct block *keep = NULL, **link = &a->newest;

    while (*link) {
        if ((*link)->size <= MAX_BLOCK && (!keep || (*link)->size > keep->size)) {
            keep = *link;
        }
        link = &(*link)->older;
    }
    for (link = &a->newest; *link && *link != keep;) {
        link = &(*link)->older;
    }
    if (keep) {
        *link = keep->older;
    }
    free_blocks(a->newest);
    a->newest = keep;
    memset(&a->notes, 0, sizeof(a->notes));
    a->at = a->end = NULL;
    a->bytes = 0;
    if (keep) {
        keep->older = NULL;
        a->bytes = keep->size;
        fill_from(a, keep);
    }
}

static void *alloc_slow(struct arena *a, size_t n)
{
    bool          big = a->newest && n > a->next_size / 2;
    size_t        size = big || n > a->next_size ? n : a->next_size;
    struct block *b;
    char         *p;

    if (size > SIZE_MAX - sizeof(*b)) {
        return NULL;
    }
    b = mem_resize(NULL, sizeof(*b) + size);
    if (!b) {
        return NULL;
    }
    b->size = size;
    a->bytes += size;
    if (big) {
        /* A big one lies behind the block that is being filled, whose rest stays in use. */
        b->older = a->newest->older;
        a->newest->older = b;
        ASAN_POISON_MEMORY_REGION(b->data, b->size);
        return b->data;
    }
    b->older = a->newest;
    a->newest = b;
    fill_from(a, b);
    if (a->next_size < MAX_BLOCK) {
        a->next_size *= 2;
    }
    p = a->at;
    a->at += n;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t room;
    char  *p;

    if (n > SIZE_MAX - 2 * ALIGN) {
        return NULL;
    }
    room = n ? (n + ALIGN - 1) & ~(size_t)(ALIGN - 1) : ALIGN;
    if (room <= (size_t)(a->end - a->at)) {
        p = a->at;
        a->at += room;
    } else {
        p = alloc_slow(a, room);
    }
    if (p) {
        ASAN_UNPOISON_MEMORY_REGION(p, n);
    }
    return p;
}

char *arena_begin(struct arena *a, size_t n)
{
    if (n > (size_t)(a->end - a->at)) {
        return NULL;
    }
    ASAN_UNPOISON_MEMORY_REGION(a->at, n);
    return a->at;
}

void arena_end(struct arena *a, char *p, size_t used)
{
    size_t room = (used + ALIGN - 1) & ~(size_t)(ALIGN - 1);

    a->at = room < (size_t)(a->end - p) ? p + room : a->end;
    ASAN_POISON_MEMORY_REGION(p + used, (size_t)(a->end - p) - used);
}

bool arena_trim(struct arena *a, char *p, size_t n, size_t used)
{
    if (p + ((n + ALIGN - 1) & ~(size_t)(ALIGN - 1)) != a->at) {
        return false;
    }
    arena_end(a, p, used);
    return true;
}

char *arena_dup(struct arena *a, const char *p, size_t n)
{
    char *copy = n == SIZE_MAX ? NULL : arena_alloc(a, n + 1);

    if (copy) {
        if (n) {
            memcpy(copy, p, n);
        }
        copy[n] = '\0';
    }
    return copy;
}

size_t arena_bytes(const struct arena *a)
{
    return a->bytes;
}

struct arena_notes *arena_notes(struct arena *a)
{
    return &a->notes;
}

void arena_forget_text(struct arena *a)
{
    struct arena_notes *n = &a->notes;

    n->string = n->string_end = n->parent = n->child = NULL;
    n->list = NULL;
    n->n_list = n->list_at = 0;
    if (n->n_recent) {
        memset(n->recent, 0, sizeof(n->recent));
        n->n_recent = n->recent_at = 0;
    }
}
