/* SPDX-License-Identifier: MIT
 *
 * lm_split.c - see lm_split.h.
 */
#define PCRE2_CODE_UNIT_WIDTH 32
#include "lm_split.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum { OTHER = 0, LETTER, NUMBER, SPACE };

/* Marks every code point that `pattern` (a run of one class) matches in text, where text[i] is the
 * code point i. */
static int mark(const char *pattern, uint8_t cls, const uint32_t *text, uint8_t *out)
{
    PCRE2_UCHAR32     pat[16];
    PCRE2_SIZE        at = 0, n = strlen(pattern);
    pcre2_code       *re;
    pcre2_match_data *md;
    int               err, rc = -1;
    for (size_t i = 0; i < n; i++) {
        pat[i] = (unsigned char)pattern[i];
    }
    re = pcre2_compile(pat, n, PCRE2_UTF, &err, &at, NULL);
    if (!re) {
        return -1;
    }
    (void)pcre2_jit_compile(re, PCRE2_JIT_COMPLETE); /* without JIT it is only slower */
    md = pcre2_match_data_create_from_pattern(re, NULL);
    at = 0;
    while (md &&
           (rc = pcre2_match(re, text, LM_SPLIT_LIMIT, at, PCRE2_NO_UTF_CHECK, md, NULL)) > 0) {
        const PCRE2_SIZE *o = pcre2_get_ovector_pointer(md);
        memset(out + o[0], cls, o[1] - o[0]);
        at = o[1];
    }
    pcre2_match_data_free(md);
    pcre2_code_free(re);
    return md && rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

int lm_split_init(struct lm_split *s)
{
    /* White_Space of Unicode; PCRE2's own \s has U+180E too. */
    static const uint32_t space[] = {0x09,   0x0a,   0x0b,   0x0c,   0x0d,   0x20,   0x85,
                                     0xa0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
                                     0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028,
                                     0x2029, 0x202f, 0x205f, 0x3000};
    uint32_t             *all = malloc(LM_SPLIT_LIMIT * sizeof(*all));
    int                   rc = -1;
    s->cls = calloc(LM_SPLIT_LIMIT, 1);
    if (all && s->cls) {
        for (uint32_t c = 0; c < LM_SPLIT_LIMIT; c++) {
            all[c] = c >= 0xd800 && c < 0xe000 ? 0xfffd : c;
        }
        rc = mark("\\p{L}+", LETTER, all, s->cls) || mark("\\p{N}+", NUMBER, all, s->cls) ? -1 : 0;
        for (size_t i = 0; i < sizeof(space) / sizeof(space[0]); i++) {
            s->cls[space[i]] = SPACE;
        }
    }
    free(all);
    if (rc) {
        lm_split_free(s);
    }
    return rc;
}

void lm_split_free(struct lm_split *s)
{
    free(s->cls);
    s->cls = NULL;
}

/* Class of the character at `at`; *end is behind it.  A byte that is no UTF-8 is OTHER. */
static inline int class_at(const struct lm_split *s, const unsigned char *t, size_t n, size_t at,
                           size_t *end)
{
    uint32_t c = t[at];
    size_t   left = n - at;
    if (c < 0x80) {
        *end = at + 1;
        return s->cls[c];
    }
    if (c >= 0xc2 && c < 0xe0 && left > 1 && (t[at + 1] & 0xc0) == 0x80) {
        *end = at + 2;
        return s->cls[(c & 31u) << 6 | (t[at + 1] & 63u)];
    }
    if (c >= 0xe0 && c < 0xf0 && left > 2 && (t[at + 1] & 0xc0) == 0x80 &&
        (t[at + 2] & 0xc0) == 0x80) {
        *end = at + 3;
        return s->cls[(c & 15u) << 12 | (t[at + 1] & 63u) << 6 | (t[at + 2] & 63u)];
    }
    if (c >= 0xf0 && c < 0xf5 && left > 3 && (t[at + 1] & 0xc0) == 0x80 &&
        (t[at + 2] & 0xc0) == 0x80 && (t[at + 3] & 0xc0) == 0x80) {
        c = (c & 7u) << 18 | (t[at + 1] & 63u) << 12 | (t[at + 2] & 63u) << 6 | (t[at + 3] & 63u);
        *end = at + 4;
        return c < LM_SPLIT_LIMIT ? s->cls[c] : OTHER;
    }
    *end = at + 1;
    return OTHER;
}

/* Length of 's 't 're 've 'm 'll 'd at t[0..n), or 0. */
static size_t contraction(const unsigned char *t, size_t n)
{
    if (n < 2 || t[0] != '\'') {
        return 0;
    }
    if (t[1] == 's' || t[1] == 't' || t[1] == 'm' || t[1] == 'd') {
        return 2;
    }
    if (n > 2 && ((t[1] == 'r' && t[2] == 'e') || (t[1] == 'v' && t[2] == 'e') ||
                  (t[1] == 'l' && t[2] == 'l'))) {
        return 3;
    }
    return 0;
}

/* White space from `at`: all of it at the end of the text, else without its last character, which
 * belongs to the next word or stands alone. */
static size_t space_run(const struct lm_split *s, const unsigned char *t, size_t n, size_t at)
{
    size_t end, last = at, p = at;
    while (p < n && class_at(s, t, n, p, &end) == SPACE) {
        last = p;
        p = end;
    }
    return p == n || last == at ? p : last;
}

size_t lm_split_next(const struct lm_split *s, const char *text, size_t n, size_t at)
{
    const unsigned char *t = (const unsigned char *)text;
    size_t               end, next, len = contraction(t + at, n - at);
    int                  cls;
    if (len) {
        return at + len;
    }
    cls = class_at(s, t, n, at, &end);
    if (cls == SPACE) {
        if (t[at] != ' ' || end == n) {
            return space_run(s, t, n, at);
        }
        cls = class_at(s, t, n, end, &next);
        if (cls == SPACE) {
            return space_run(s, t, n, at);
        }
        end = next;
    }
    while (end < n && class_at(s, t, n, end, &next) == cls) {
        end = next;
    }
    return end;
}
