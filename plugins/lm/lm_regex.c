/* SPDX-License-Identifier: MIT
 *
 * lm_regex.c - see lm_regex.h.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "lm_regex.h"
#include "lm_uni.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Steps that one match may take: a hostile pattern must not stop a run. */
enum { MATCH_LIMIT = 5000000, MAX_PATTERN = 65536, WHY = 200 };

struct lm_regex {
    pcre2_code          *code;
    pcre2_match_context *ctx;
};

/* The pattern in PCRE2's words. */
struct writer {
    char       *p;
    size_t      n, cap;
    const char *why; /* "" when memory ran out */
};

static void put(struct writer *w, const char *s, size_t n)
{
    if (w->why) {
        return;
    }
    if (w->n + n > w->cap) {
        size_t cap = (w->n + n) * 2 + 256;
        char  *p = realloc(w->p, cap);
        if (!p) {
            w->why = "";
            return;
        }
        w->p = p;
        w->cap = cap;
    }
    memcpy(w->p + w->n, s, n);
    w->n += n;
}

static void put_text(struct writer *w, const char *s)
{
    put(w, s, strlen(s));
}

/* Oniguruma's \s is White_Space; PCRE2's has U+180E, too.  Its \w has marks, PCRE2's has not. */
#define SPACES                                                                                     \
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"    \
    "\\x{205f}\\x{3000}"
#define NO_SPACES                                                                                  \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-"         \
    "\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"        \
    "\\x{3001}-\\x{10ffff}"
#define WORDS                                                                                      \
    "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}\\x{1f150}-"         \
    "\\x{1f169}\\x{1f170}-\\x{1f189}"

static void put_class(struct writer *w, int in_class, const char *open, const char *set)
{
    put_text(w, in_class ? "" : open);
    put_text(w, set);
    put_text(w, in_class ? "" : "]");
}

/* \ and what follows at p[0..n): the bytes read. */
static size_t escape(struct writer *w, const char *p, size_t n, int in_class)
{
    if (n < 2) {
        w->why = "it ends with a backslash";
        return n;
    }
    switch (p[1]) {
    case 's':
        put_class(w, in_class, "[", SPACES);
        return 2;
    case 'S':
        put_class(w, in_class, "[", NO_SPACES);
        return 2;
    case 'w':
        put_class(w, in_class, "[", WORDS);
        return 2;
    case 'h':
        put_class(w, in_class, "[", "0-9A-Fa-f");
        return 2;
    case 'W':
        if (!in_class) {
            put_class(w, 0, "[^", WORDS);
            return 2;
        }
        w->why = "\\W in a class";
        return 2;
    case 'u':
        if (n < 6) {
            w->why = "a short \\u";
            return n;
        }
        put_text(w, "\\x{");
        put(w, p + 2, 4);
        put_text(w, "}");
        return 6;
    case 'H':
    case 'O':
    case 'y':
    case 'Y':
    case 'M':
    case 'C':
    case 'c':
    case 'g':
    case 'Q':
    case 'E':
        w->why = "an escape that is not known here";
        return 2;
    default:
        put(w, p, 2);
        return 2;
    }
}

/* One item of a class: the two read it alike but for sets in sets. */
static size_t class_part(struct writer *w, const char *p, size_t n, int *open)
{
    if (p[0] == '\\') {
        return escape(w, p, n, 1);
    }
    if ((p[0] == '[' && !(n > 1 && p[1] == ':')) || (p[0] == '&' && n > 1 && p[1] == '&')) {
        w->why = "a set within a set";
        return n;
    }
    if (p[0] == '[') { /* [:name:] */
        const char *end = memchr(p + 1, ']', n - 1);
        size_t      len = end ? (size_t)(end - p) + 1 : n;
        put(w, p, len);
        return len;
    }
    *open = p[0] != ']';
    put(w, p, 1);
    return 1;
}

/* {n,m} and what is behind it: a + or ? there means something else to PCRE2. */
static size_t interval(struct writer *w, const char *p, size_t n)
{
    size_t i = 1;
    while (i < n && ((p[i] >= '0' && p[i] <= '9') || p[i] == ',')) {
        i++;
    }
    if (i > 1 && i + 1 < n && p[i] == '}' && (p[i + 1] == '+' || p[i + 1] == '?')) {
        w->why = "+ or ? behind {}";
    }
    put(w, p, 1);
    return 1;
}

/* "(?": flags other than i mean something else to PCRE2; calls and recursion are not wanted. */
static size_t group(struct writer *w, const char *p, size_t n)
{
    size_t i = 2;
    if (n < 3 || p[1] != '?') {
        if (n > 1 && p[1] == '*') {
            w->why = "(*";
        }
        put(w, p, 1);
        return 1;
    }
    if (!strchr(":=!<>i-", p[2])) {
        w->why = "a kind of group that is not known here";
        return n;
    }
    while (i < n && (p[i] == 'i' || p[i] == '-')) {
        i++;
    }
    if (i > 2 && (i >= n || (p[i] != ':' && p[i] != ')'))) {
        w->why = "a flag other than i";
        return n;
    }
    put(w, p, i);
    return i;
}

static void translate(struct writer *w, const char *p, size_t n)
{
    int    open = 0;
    size_t at = 0;
    while (at < n && !w->why) {
        const char *q = p + at;
        size_t      left = n - at;
        if (open) {
            at += class_part(w, q, left, &open);
        } else if (*q == '\\') {
            at += escape(w, q, left, 0);
        } else if (*q == '(') {
            at += group(w, q, left);
        } else if (*q == '{') {
            at += interval(w, q, left);
        } else {
            size_t len = *q == '[' && left > 1 && q[1] == '^' ? 2 : 1;
            open = *q == '[';
            put(w, q, len);
            at += len;
        }
    }
}

static void quote(struct writer *w, const char *p, size_t n)
{
    for (size_t i = 0; i < n && !w->why; i++) {
        unsigned char c = (unsigned char)p[i];
        int           plain = c >= 0x80 || (c | 32u) - 'a' < 26 || c - (unsigned)'0' < 10;
        put(w, "\\", c && !plain ? 1 : 0);
        put(w, p + i, 1);
    }
}

static pcre2_code *compile(const struct writer *w, char *why)
{
    pcre2_compile_context *cc = pcre2_compile_context_create(NULL);
    pcre2_code            *code = NULL;
    PCRE2_SIZE             at = 0;
    int                    err = 0;
    PCRE2_UCHAR            text[128];
    if (cc) {
        (void)pcre2_set_newline(cc, PCRE2_NEWLINE_LF);
        code = pcre2_compile((PCRE2_SPTR)(w->p ? w->p : ""), w->n,
                             PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_MULTILINE |
                                 PCRE2_NEVER_BACKSLASH_C,
                             &err, &at, cc);
        if (!code && err != PCRE2_ERROR_NOMEMORY) {
            (void)pcre2_get_error_message(err, text, sizeof(text));
            (void)snprintf(why, WHY, "%s", (const char *)text);
        }
    }
    pcre2_compile_context_free(cc);
    return code;
}

struct lm_regex *lm_regex_new(const char *pattern, size_t n, int literal, char *why)
{
    struct writer    w = {NULL, 0, 0, NULL};
    struct lm_regex *re = calloc(1, sizeof(*re));
    why[0] = 0;
    if (!re || n > MAX_PATTERN) {
        (void)snprintf(why, WHY, "%s", re ? "it is too long" : "");
        goto out;
    }
    if (literal) {
        quote(&w, pattern, n);
    } else {
        translate(&w, pattern, n);
    }
    if (w.why) {
        (void)snprintf(why, WHY, "%s", w.why);
        goto out;
    }
    re->code = compile(&w, why);
    re->ctx = re->code ? pcre2_match_context_create(NULL) : NULL;
    if (!re->ctx) {
        goto out;
    }
    (void)pcre2_set_match_limit(re->ctx, MATCH_LIMIT);
    (void)pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE); /* without JIT it is only slower */
    free(w.p);
    return re;
out:
    free(w.p);
    lm_regex_free(re);
    return NULL;
}

void lm_regex_free(struct lm_regex *re)
{
    if (re) {
        pcre2_match_context_free(re->ctx);
        pcre2_code_free(re->code);
        free(re);
    }
}

void *lm_regex_data(const struct lm_regex *re)
{
    return pcre2_match_data_create_from_pattern(re->code, NULL);
}

void lm_regex_data_free(void *data)
{
    pcre2_match_data_free(data);
}

static int match(const struct lm_find *f, uint32_t options)
{
    return pcre2_match(f->re->code, (PCRE2_SPTR)f->p, f->n, f->from, options, f->data, f->re->ctx);
}

int lm_find_next(struct lm_find *f, size_t *s, size_t *e)
{
    while (f->from <= f->n) {
        const PCRE2_SIZE *o;
        uint32_t          c;
        int               rc = match(f, 0);
        if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
            rc = match(f, PCRE2_NO_JIT);
        }
        if (rc == PCRE2_ERROR_NOMATCH) {
            return 0;
        }
        o = pcre2_get_ovector_pointer(f->data);
        if (rc < 0 || o[1] < o[0] || o[0] < f->from) {
            return -1;
        }
        if (o[0] != o[1] || !f->any || f->last != o[1]) {
            *s = o[0];
            *e = o[1];
            f->any = 1;
            f->last = f->from = o[1];
            return 1;
        }
        f->from +=
            f->from < f->n ? lm_utf8((const unsigned char *)f->p + f->from, f->n - f->from, &c) : 1;
    }
    return 0;
}
