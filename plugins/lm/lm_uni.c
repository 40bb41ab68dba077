/* SPDX-License-Identifier: MIT
 *
 * lm_uni.c - see lm_uni.h.
 */
#include "lm_uni.h"

#include <stdlib.h>
#include <utf8proc.h>

/* By the order of utf8proc_category_t: CN, LU LL LT LM LO, MN MC ME, ND NL NO, PC ... */
static const uint8_t by_category[] = {
    [UTF8PROC_CATEGORY_LU] = LM_LETTER | LM_UPPER | LM_WORD,
    [UTF8PROC_CATEGORY_LL] = LM_LETTER | LM_LOWER | LM_WORD,
    [UTF8PROC_CATEGORY_LT] = LM_LETTER | LM_UPPER | LM_WORD,
    [UTF8PROC_CATEGORY_LM] = LM_LETTER | LM_WORD,
    [UTF8PROC_CATEGORY_LO] = LM_LETTER | LM_WORD,
    [UTF8PROC_CATEGORY_MN] = LM_MARK | LM_WORD,
    [UTF8PROC_CATEGORY_MC] = LM_MARK | LM_WORD,
    [UTF8PROC_CATEGORY_ME] = LM_MARK | LM_WORD,
    [UTF8PROC_CATEGORY_ND] = LM_NUMBER | LM_WORD,
    [UTF8PROC_CATEGORY_NL] = LM_NUMBER | LM_WORD,
    [UTF8PROC_CATEGORY_NO] = LM_NUMBER,
    [UTF8PROC_CATEGORY_PC] = LM_WORD,
    [UTF8PROC_CATEGORY_CO] = 0,
};

struct range {
    uint32_t first, last;
};

/* White_Space. */
static const struct range space[] = {
    {0x09, 0x0d},     {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},     {0x1680, 0x1680},
    {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};

/* What \w has beyond categories: Join_Control, and the circled and squared letters. */
static const struct range word[] = {
    {0x200c, 0x200d}, {0x24b6, 0x24e9}, {0x1f130, 0x1f149}, {0x1f150, 0x1f169}, {0x1f170, 0x1f189}};

static void mark(uint8_t *cls, const struct range *r, size_t n, uint8_t bit)
{
    for (size_t i = 0; i < n; i++) {
        for (uint32_t c = r[i].first; c <= r[i].last; c++) {
            cls[c] |= bit;
        }
    }
}

int lm_uni_init(struct lm_uni *u)
{
    u->cls = calloc(LM_UNI_LIMIT, 1);
    if (!u->cls) {
        return -1;
    }
    for (uint32_t c = 0; c < LM_UNI_LIMIT; c++) {
        u->cls[c] = by_category[utf8proc_category((utf8proc_int32_t)c)];
    }
    mark(u->cls, space, sizeof(space) / sizeof(space[0]), LM_SPACE);
    mark(u->cls, word, sizeof(word) / sizeof(word[0]), LM_WORD);
    return 0;
}

void lm_uni_free(struct lm_uni *u)
{
    free(u->cls);
    u->cls = NULL;
}

unsigned lm_class_before(const struct lm_uni *u, const unsigned char *t, size_t at, size_t *start)
{
    size_t end;
    for (size_t back = 1; back <= 4 && back <= at; back++) {
        unsigned cls = lm_class_at(u, t, at, at - back, &end);
        if (end == at && (back == 1) == (t[at - 1] < 0x80)) {
            *start = at - back;
            return cls;
        }
    }
    *start = at - 1;
    return 0;
}

size_t lm_space_end(const struct lm_uni *u, const unsigned char *t, size_t n, size_t at)
{
    size_t end;
    while (at < n && (lm_class_at(u, t, n, at, &end) & LM_SPACE)) {
        at = end;
    }
    return at;
}

size_t lm_space_start(const struct lm_uni *u, const unsigned char *t, size_t from, size_t at)
{
    size_t start;
    while (at > from && (lm_class_before(u, t, at, &start) & LM_SPACE) && start >= from) {
        at = start;
    }
    return at;
}
