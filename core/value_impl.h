/* SPDX-License-Identifier: MIT
 * value_impl.h - what value.c and value_walk.c share: the words of a cursor, and what is known of
 * the texts that cursors went through.  Nobody else includes this.
 *
 * A text is met several times: a stage decodes a string and writes the value as it is, the next one
 * decodes it again, and each leaves the object that it is in.  So the arena remembers where the
 * last string ends, which child of which container was met last, and what the last strings mean.
 * All of it is found by address, and only the bytes of one text lie at an address until the notes
 * are forgotten.  A configuration has no notes: many threads read it. */
#ifndef CORE_VALUE_IMPL_H
#define CORE_VALUE_IMPL_H

#include "json_impl.h"
#include "record_impl.h"

/* Words of a drh_value.  W_HOME is the arena, or a struct decoded with its lowest bit set.  W_END
 * is 0 while nobody has needed it.  W_KEY_LEN is a set of flags, the key's length from KEY_SHIFT
 * on, and, of a container where it is known, one more than its depth from DEPTH_SHIFT on. */
enum { W_HOME = 0, W_AT, W_END, W_LIMIT, W_KEY, W_KEY_LEN };
enum {
    KEY_ESCAPED = 1,  /* the key has escapes */
    PLAIN_STRING = 2, /* a string without any */
    ONE_LINE = 4,     /* no newline in it, between tokens */
    KEY_SHIFT = 3,
    KEY_MASK = 0x1ffff,
    DEPTH_SHIFT = 20
};
_Static_assert(W_KEY_LEN < sizeof(((drh_value *)0)->w) / sizeof(uintptr_t), "words");
_Static_assert((int)JSON_MAX_KEY <= (int)KEY_MASK, "a key");
_Static_assert((int)KEY_MASK < 1 << (DEPTH_SHIFT - KEY_SHIFT), "a key");

static inline const char *at(const drh_value *v)
{
    return (const char *)v->w[W_AT];
}

static inline const char *limit(const drh_value *v)
{
    return (const char *)v->w[W_LIMIT];
}

/* The notes of a record's arena; NULL for a configuration. */
static inline struct arena_notes *notes_of(const drh_value *v)
{
    return v->w[W_HOME] & 1 ? NULL : arena_notes((struct arena *)v->w[W_HOME]);
}

/* The last string that was walked through is likely to be met again when its parent is left. */
static inline void note_string(struct arena_notes *n, const char *p, const char *end)
{
    if (n && *p == '"') {
        n->string = p;
        n->string_end = end;
    }
}

static inline void set_key(drh_value *v, const char *key, uint32_t len, bool escaped)
{
    v->w[W_KEY] = (uintptr_t)key;
    v->w[W_KEY_LEN] = (uintptr_t)len << KEY_SHIFT | (escaped ? KEY_ESCAPED : 0);
}

#ifdef __SSE2__
/* p behind an opening quote, 16 bytes to read: at the closing quote when it is among them and no
 * backslash before it, else NULL. */
static inline const char *short_end(const char *p)
{
    const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    unsigned      quote = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
    unsigned      slash = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

    return quote && !(slash & (quote ^ (quote - 1))) ? p + __builtin_ctz(quote) : NULL;
}
#endif

#endif
