/* SPDX-License-Identifier: MIT
 * input_split.c - finds where a JSON value ends, without checking it and in one pass, so that
 * arrays and pretty-printed files stream.  Any depth, no recursion, resumes at any byte. [any]
 *
 * A broken value should cost only itself.  So only brackets of the value's own kind count (a lost
 * ']' inside an object does no harm), and a raw newline ends a string: JSON has none there, and
 * what follows a lost quote is read as tokens again. */
#include "input_impl.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifdef __SSE2__
/* First of four bytes in [p,end), or end. */
static inline const char *find4(const char *p, const char *end, char a, char b, char c, char d)
{
    const __m128i va = _mm_set1_epi8(a);
    const __m128i vb = _mm_set1_epi8(b);
    const __m128i vc = _mm_set1_epi8(c);
    const __m128i vd = _mm_set1_epi8(d);

    for (; end - p >= 16; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i ab = _mm_or_si128(_mm_cmpeq_epi8(x, va), _mm_cmpeq_epi8(x, vb));
        __m128i cd = _mm_or_si128(_mm_cmpeq_epi8(x, vc), _mm_cmpeq_epi8(x, vd));
        int     hit = _mm_movemask_epi8(_mm_or_si128(ab, cd));

        if (hit) {
            return p + __builtin_ctz((unsigned)hit);
        }
    }
    while (p < end && *p != a && *p != b && *p != c && *p != d) {
        p++;
    }
    return p;
}
#else
static inline const char *find4(const char *p, const char *end, char a, char b, char c, char d)
{
    while (p < end && *p != a && *p != b && *p != c && *p != d) {
        p++;
    }
    return p;
}
#endif

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Ends a word. */
static bool is_punctuation(char c)
{
    return c == ',' || c == ']' || c == '}' || c == '[' || c == '{' || c == '"';
}

void split_begin(struct split *s, char first)
{
    *s = (struct split){0};
    if (first == '{' || first == '[' || first == '"') {
        s->open = first;
        s->close = first == '{' ? '}' : first == '[' ? ']' : '"';
    }
}

/* p is inside a string; returns the first byte that is not. */
static const char *run_string(struct split *s, const char *p, const char *end)
{
    while (p < end) {
        if (s->escape && *p != '\n') {
            s->escape = false;
            p++;
            continue;
        }
        p = find4(p, end, '"', '\\', '\n', '\n');
        if (p == end) {
            break;
        }
        s->escape = *p == '\\';
        s->in_string = s->escape;
        if (*p == '\n') {
            return p; /* a token of its own */
        }
        p++;
        if (!s->in_string) {
            break;
        }
    }
    return p;
}

static const char *run_brackets(struct split *s, const char *p, const char *end)
{
    while (p < end && !s->done) {
        if (s->in_string) {
            p = run_string(s, p, end);
            continue;
        }
        p = find4(p, end, '"', s->open, s->close, '\n');
        if (p == end) {
            break;
        }
        if (*p == '"') {
            s->in_string = true;
        } else if (*p == '\n') {
            s->lines++;
        } else if (*p == s->open) {
            s->depth++;
        } else {
            s->depth--;
            s->done = s->depth == 0;
        }
        p++;
    }
    return p;
}

size_t split_run(struct split *s, const char *p, size_t n)
{
    const char *at = p;
    const char *end = p + n;

    if (s->open == '{' || s->open == '[') {
        return (size_t)(run_brackets(s, p, end) - p);
    }
    if (s->open == '"') {
        if (n && s->depth == 0) {
            s->depth = 1;
            s->in_string = true;
            at++;
        }
        at = run_string(s, at, end);
        s->done = s->depth && !s->in_string;
        return (size_t)(at - p);
    }
    while (at < end && !is_space(*at) && !is_punctuation(*at)) {
        at++;
    }
    s->done = at < end;
    return (size_t)(at - p);
}

size_t split_space(const char *p, size_t n, uint64_t *lines)
{
    size_t i;

    for (i = 0; i < n && is_space(p[i]); i++) {
        *lines += p[i] == '\n';
    }
    return i;
}
