/* SPDX-License-Identifier: MIT
 *
 * lm_uni.h - UTF-8 and the Unicode classes that tokenizers cut by.  The classes are asked of
 * utf8proc once, at load, into one byte a code point.  Read-only afterwards: any thread.
 */
#ifndef LM_UNI_H
#define LM_UNI_H

#include <stddef.h>
#include <stdint.h>

enum {
    LM_LETTER = 1, /* L* */
    LM_NUMBER = 2, /* N* */
    LM_SPACE = 4,  /* White_Space */
    LM_MARK = 8,   /* M* */
    LM_UPPER = 16, /* Lu, Lt */
    LM_LOWER = 32, /* Ll */
    LM_WORD = 64   /* \w: Alphabetic, M*, Nd, Pc, Join_Control */
};

/* Beyond this code point there is only what belongs to no class, but for the variation selectors,
 * which are marks (category Mn). */
#define LM_UNI_LIMIT 0x40000u
#define LM_UNI_SELECTOR 0xe0100u
#define LM_UNI_SELECTORS 240u
#define LM_NO_CHAR UINT32_MAX

struct lm_uni {
    uint8_t *cls;
};

/* 0, or -1: out of memory. */
int  lm_uni_init(struct lm_uni *u);
void lm_uni_free(struct lm_uni *u);

static inline int lm_utf8_more(unsigned char b)
{
    return (b & 0xc0) == 0x80;
}

/* Length of the first character of t[0..n), n > 0; *c is it.  A byte that begins no well-formed
 * one: 1 and LM_NO_CHAR. */
static inline size_t lm_utf8(const unsigned char *t, size_t n, uint32_t *c)
{
    uint32_t b = t[0];
    if (b < 0x80) {
        *c = b;
        return 1;
    }
    if (b >= 0xc2 && b < 0xe0 && n > 1 && lm_utf8_more(t[1])) {
        *c = (b & 31u) << 6 | (t[1] & 63u);
        return 2;
    }
    if (b >= 0xe0 && b < 0xf0 && n > 2 && lm_utf8_more(t[1]) && lm_utf8_more(t[2])) {
        *c = (b & 15u) << 12 | (t[1] & 63u) << 6 | (t[2] & 63u);
        if (*c >= 0x800 && (*c < 0xd800 || *c > 0xdfff)) {
            return 3;
        }
    } else if (b >= 0xf0 && b < 0xf5 && n > 3 && lm_utf8_more(t[1]) && lm_utf8_more(t[2]) &&
               lm_utf8_more(t[3])) {
        *c = (b & 7u) << 18 | (t[1] & 63u) << 12 | (t[2] & 63u) << 6 | (t[3] & 63u);
        if (*c >= 0x10000 && *c < 0x110000) {
            return 4;
        }
    }
    *c = LM_NO_CHAR;
    return 1;
}

/* Writes c at o, which has room for 4: its length. */
static inline size_t lm_utf8_put(char *o, uint32_t c)
{
    if (c < 0x80) {
        o[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        o[0] = (char)(0xc0 | c >> 6);
        o[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        o[0] = (char)(0xe0 | c >> 12);
        o[1] = (char)(0x80 | (c >> 6 & 63));
        o[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    o[0] = (char)(0xf0 | c >> 18);
    o[1] = (char)(0x80 | (c >> 12 & 63));
    o[2] = (char)(0x80 | (c >> 6 & 63));
    o[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* Classes of the character at `at` < n; *end is behind it.  A byte that is no UTF-8 has none. */
static inline unsigned lm_class_at(const struct lm_uni *u, const unsigned char *t, size_t n,
                                   size_t at, size_t *end)
{
    uint32_t c = t[at];
    if (c < 0x80) {
        *end = at + 1;
        return u->cls[c];
    }
    *end = at + lm_utf8(t + at, n - at, &c);
    if (c < LM_UNI_LIMIT) {
        return u->cls[c];
    }
    return c - LM_UNI_SELECTOR < LM_UNI_SELECTORS ? LM_MARK | LM_WORD : 0;
}

/* The same of the character before `at` > 0; *start is where it begins. */
unsigned lm_class_before(const struct lm_uni *u, const unsigned char *t, size_t at, size_t *start);

/* End of the white space from `at`. */
size_t lm_space_end(const struct lm_uni *u, const unsigned char *t, size_t n, size_t at);
/* Start of the white space that ends at `at`, not before `from`. */
size_t lm_space_start(const struct lm_uni *u, const unsigned char *t, size_t from, size_t at);

#endif /* LM_UNI_H */
