/* SPDX-License-Identifier: MIT
 *
 * lm_split.c - see lm_split.h.  One function cuts for all patterns; what they differ in is constant
 * in each of the small functions at the end, so that the compiler makes one loop of each.
 */
#include "lm_split.h"

#include <string.h>

struct rules {
    int      contraction; /* 's 't ... at the start: 1 lower case, 2 any; 3 any, behind a word */
    int      cased;       /* a word ends where capitals follow small letters */
    int      any_prefix;  /* a word may begin with any sign; else only with a space */
    unsigned letter;      /* classes that a word is made of */
    size_t   digits;      /* most in a number; 0: no limit, and a space may go before */
    int      tail;        /* behind signs: 1 line ends, 2 those and slashes */
    int      lines;       /* white space is cut behind its last line end */
};

typedef const unsigned char bytes;

static inline int is_line_end(unsigned char b)
{
    return b == '\r' || b == '\n';
}

/* Length of 's 't 're 've 'm 'll 'd at t[0..n), or 0. */
static inline size_t contraction(bytes *t, size_t n, int any_case)
{
    const unsigned low = any_case ? 0x20 : 0;
    unsigned       a, b;
    if (n < 2 || t[0] != '\'') {
        return 0;
    }
    a = t[1] | low;
    if (a == 's' || a == 't' || a == 'm' || a == 'd') {
        return 2;
    }
    if (n < 3) {
        return 0;
    }
    b = t[2] | low;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) {
        return 3;
    }
    /* U+017F, the long s, is an s in any case. */
    return any_case && t[1] == 0xc5 && t[2] == 0xbf ? 3 : 0;
}

/* End of the run of characters from `at` whose classes & mask are (want 1) or are not (0) zero. */
static inline size_t run(const struct lm_uni *u, bytes *t, size_t n, size_t at, unsigned mask,
                         int in)
{
    size_t end;
    while (at < n && !(lm_class_at(u, t, n, at, &end) & mask) == !in) {
        at = end;
    }
    return at;
}

/* White space from `at`: all of it at the end of the text, else without its last character, which
 * belongs to the next word or stands alone. */
static size_t space_run(const struct lm_uni *u, bytes *t, size_t n, size_t at, int lines)
{
    size_t end, last = at, p = at, line = 0;
    while (p < n && (lm_class_at(u, t, n, p, &end) & LM_SPACE)) {
        line = is_line_end(t[p]) ? end : line;
        last = p;
        p = end;
    }
    if (lines && line) {
        return line;
    }
    return p == n || last == at ? p : last;
}

/* [A]*[B]+ or else [A]+[B]* from `at`, where A are letters but the small ones, B letters but the
 * capitals, marks in both: the end, or `at`.  must_b: only the first. */
static inline size_t cased_run(const struct lm_uni *u, bytes *t, size_t n, size_t at, int must_b)
{
    size_t   p = at, end, both = at;
    unsigned c = 0;
    while (p < n) {
        c = lm_class_at(u, t, n, p, &end);
        if (!(c & (LM_LETTER | LM_MARK)) || (c & LM_LOWER)) {
            break;
        }
        both = c & LM_UPPER ? both : end;
        p = end;
    }
    if (p < n && (c & LM_LOWER)) {
        while (p < n && ((c = lm_class_at(u, t, n, p, &end)) & (LM_LETTER | LM_MARK)) &&
               !(c & LM_UPPER)) {
            p = end;
        }
        return p;
    }
    return both > at || must_b ? both : p;
}

/* The cased word at `at`, whose first character has the class c and ends at `next`. */
static inline size_t cased_word(const struct lm_uni *u, bytes *t, size_t n, size_t at, unsigned c,
                                size_t next)
{
    const int prefix = !(c & (LM_LETTER | LM_NUMBER)) && !is_line_end(t[at]);
    size_t    end;
    for (int must_b = 1; must_b >= 0; must_b--) {
        if (prefix && (end = cased_run(u, t, n, next, must_b)) > next) {
            return end;
        }
        if ((c & (LM_LETTER | LM_MARK)) && (end = cased_run(u, t, n, at, must_b)) > at) {
            return end;
        }
    }
    return at;
}

static inline size_t cased(const struct lm_uni *u, bytes *t, size_t n, size_t at, unsigned c,
                           size_t next, const struct rules r)
{
    size_t end = cased_word(u, t, n, at, c, next);
    if (end > at && r.contraction == 3) {
        end += contraction(t + end, n - end, 1);
    }
    return end;
}

/* Letters, with what may go before them: the end, or `at` when there is no word. */
static inline size_t letters(const struct lm_uni *u, bytes *t, size_t n, size_t at, unsigned c,
                             size_t next, const struct rules r)
{
    const int prefix = r.any_prefix ? !(c & LM_NUMBER) && !is_line_end(t[at]) : t[at] == ' ';
    size_t    end;
    if (r.cased) {
        return cased(u, t, n, at, c, next, r);
    }
    if (c & r.letter) {
        return run(u, t, n, next, r.letter, 1);
    }
    if (prefix && next < n && (lm_class_at(u, t, n, next, &end) & r.letter)) {
        return run(u, t, n, end, r.letter, 1);
    }
    return at;
}

static inline size_t numbers(const struct lm_uni *u, bytes *t, size_t n, size_t next,
                             const struct rules r)
{
    size_t end;
    if (!r.digits) {
        return run(u, t, n, next, LM_NUMBER, 1);
    }
    for (size_t i = 1; i < r.digits && next < n; i++) {
        if (!(lm_class_at(u, t, n, next, &end) & LM_NUMBER)) {
            break;
        }
        next = end;
    }
    return next;
}

/* Signs from `at`, and what may follow them. */
static inline size_t signs(const struct lm_uni *u, bytes *t, size_t n, size_t at,
                           const struct rules r)
{
    at = run(u, t, n, at, LM_SPACE | LM_NUMBER | r.letter, 0);
    while (r.tail && at < n && (is_line_end(t[at]) || (r.tail == 2 && t[at] == '/'))) {
        at++;
    }
    return at;
}

static inline size_t next_word(const struct lm_uni *u, const char *text, size_t n, size_t at,
                               const struct rules r)
{
    bytes   *t = (bytes *)text;
    size_t   next, end;
    unsigned c, d;
    if (r.contraction && r.contraction < 3 && t[at] == '\'' &&
        (end = contraction(t + at, n - at, r.contraction == 2)) > 0) {
        return at + end;
    }
    c = lm_class_at(u, t, n, at, &next);
    end = letters(u, t, n, at, c, next, r);
    if (end > at) {
        return end;
    }
    if (c & LM_NUMBER) {
        return numbers(u, t, n, next, r);
    }
    if (!(c & LM_SPACE)) {
        return signs(u, t, n, at, r);
    }
    if (t[at] == ' ' && next < n) {
        d = lm_class_at(u, t, n, next, &end);
        if (!r.digits && (d & LM_NUMBER)) {
            return numbers(u, t, n, end, r);
        }
        if (!(d & (LM_SPACE | LM_NUMBER | r.letter))) {
            return signs(u, t, n, next, r);
        }
    }
    return space_run(u, t, n, at, r.lines);
}

#define CUT(name, ...)                                                                             \
    static size_t name(const struct lm_uni *u, const char *text, size_t n, size_t at)              \
    {                                                                                              \
        static const struct rules r = {__VA_ARGS__};                                               \
        return next_word(u, text, n, at, r);                                                       \
    }

CUT(gpt2, 1, 0, 0, LM_LETTER, 0, 0, 0)
CUT(llama3, 2, 0, 1, LM_LETTER, 3, 1, 1)
CUT(qwen2, 2, 0, 1, LM_LETTER, 1, 1, 1)
CUT(qwen_marks, 2, 0, 1, LM_LETTER | LM_MARK, 1, 1, 1)
CUT(o200k, 3, 1, 1, LM_LETTER, 3, 2, 1)
CUT(tekken, 0, 1, 1, LM_LETTER, 1, 2, 1)

size_t lm_split_gpt2(const struct lm_uni *u, const char *text, size_t n, size_t at)
{
    return gpt2(u, text, n, at);
}

#define ENDS "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define SIGNS "| ?[^\\s\\p{L}\\p{N}]+"
#define ANY_CASE "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define TAIL_GPT2 "| ?\\p{L}+| ?\\p{N}+" SIGNS "|\\s+(?!\\S)|\\s+"
#define TAIL_PREFIX(digits) "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" digits SIGNS "[\\r\\n]*" ENDS
#define CAPITALS "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SMALL "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASED(behind, digits)                                                                      \
    "[^\\r\\n\\p{L}\\p{N}]?" CAPITALS "*" SMALL "+" behind "|[^\\r\\n\\p{L}\\p{N}]?" CAPITALS      \
    "+" SMALL "*" behind "|\\p{N}" digits SIGNS "[\\r\\n/]*" ENDS

static const struct {
    const char *pattern;
    lm_split_fn cut;
} known[] = {
    {"'s|'t|'re|'ve|'m|'ll|'d" TAIL_GPT2, gpt2},
    {"'(?:[sdmt]|ll|ve|re)" TAIL_GPT2, gpt2},
    {ANY_CASE TAIL_PREFIX("{1,3}"), llama3},
    {"'(?i:[sdmt]|ll|ve|re)" TAIL_PREFIX("{1,3}"), llama3},
    {ANY_CASE TAIL_PREFIX(""), qwen2},
    {ANY_CASE
     "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*" ENDS,
     qwen_marks},
    {CASED(ANY_CASE "?", "{1,3}"), o200k},
    {CASED("", ""), tekken},
};

lm_split_fn lm_split_known(const char *pattern, size_t n)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strlen(known[i].pattern) == n && memcmp(known[i].pattern, pattern, n) == 0) {
            return known[i].cut;
        }
    }
    return NULL;
}
