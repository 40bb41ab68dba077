/* SPDX-License-Identifier: MIT
 *
 * lm_chat_template.c - the texts in a chat template, as far as they have to be found: brought into
 * one spelling, so that quotes, escapes, blanks and the form of a[...] make no difference.  Nothing
 * is interpreted.
 */
#include "lm_chat.h"

#include <string.h>

struct canon {
    const char     *p, *end;
    struct lm_text *out;
    size_t          text_at;  /* where the text outside of code begins in out */
    size_t          quote_at; /* where the last quoted text begins in out; SIZE_MAX: none */
    int             failed;
};

static void put(struct canon *c, const char *p, size_t n)
{
    c->failed |= n && lm_text_put(c->out, p, n);
}

static int is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static int ends_with(const struct canon *c, const char *s)
{
    const size_t n = strlen(s);
    return c->out->n >= n && memcmp(c->out->p + c->out->n - n, s, n) == 0;
}

/* White space of the text outside that code takes away: all before "{%-", the indent of "{%". */
static void close_text(struct canon *c, int all, int block)
{
    size_t n = c->out->n;
    if (all) {
        while (n > c->text_at && is_space(c->out->p[n - 1])) {
            n--;
        }
    } else if (block) {
        while (n > c->text_at && (c->out->p[n - 1] == ' ' || c->out->p[n - 1] == '\t')) {
            n--;
        }
        if (n > c->text_at && c->out->p[n - 1] != '\n') {
            n = c->out->n;
        }
    }
    c->out->n = n;
}

/* The same behind code: all behind "-%}", one newline behind "%}". */
static void open_text(struct canon *c, int all, int block)
{
    if (all) {
        while (c->p < c->end && is_space(*c->p)) {
            c->p++;
        }
    } else if (block && c->p < c->end && *c->p == '\n') {
        c->p++;
    }
    c->text_at = c->out->n;
}

/* A quoted text; two of them with a + between become one. */
static void quoted(struct canon *c)
{
    const char q = *c->p++;
    if (ends_with(c, "'+") && c->quote_at != SIZE_MAX) {
        c->out->n -= 2;
    } else {
        c->quote_at = c->out->n;
        put(c, "'", 1);
    }
    while (c->p < c->end && *c->p != q) {
        char x = *c->p++;
        if (x == '\\' && c->p < c->end) {
            x = *c->p++;
            if (x != 'n' && x != 't' && x != '\\' && x != '\'' && x != '"') {
                put(c, "\\", 1);
            }
            x = (char)(x == 'n' ? '\n' : x == 't' ? '\t' : x);
        }
        put(c, &x, 1);
    }
    c->p += c->p < c->end;
    put(c, "'", 1);
}

/* ['word'] becomes .word; else it is a bracket as any other. */
static void bracket(struct canon *c)
{
    char        *p = c->out->p;
    const size_t at = c->quote_at, n = c->out->n;
    int word = at != SIZE_MAX && at > 0 && n > at + 2 && p[at - 1] == '[' && p[n - 1] == '\'';
    for (size_t i = at + 1; word && i + 1 < n; i++) {
        word = is_word(p[i]);
    }
    if (!word) {
        put(c, "]", 1);
        return;
    }
    p[at - 1] = '.';
    memmove(p + at, p + at + 1, n - at - 2);
    c->out->n = n - 2;
    c->quote_at = SIZE_MAX;
}

/* Code up to its end, of which c->p is at the first byte behind "{%" or "{{". */
static void code(struct canon *c, int block)
{
    const char *stop = block ? "%}" : "}}";
    c->quote_at = SIZE_MAX;
    while (c->p < c->end) {
        const char x = *c->p;
        const int  dash = x == '-';
        if (c->end - c->p >= 2 + dash && memcmp(c->p + dash, stop, 2) == 0) {
            c->p += 2 + dash;
            put(c, stop, 2);
            open_text(c, dash, block);
            return;
        }
        if (x == '\'' || x == '"') {
            quoted(c);
        } else if (x == ']') {
            c->p++;
            bracket(c);
        } else {
            c->p++;
            if (!is_space(x)) {
                put(c, x == '~' ? "+" : &x, 1);
            }
        }
    }
}

static void comment(struct canon *c)
{
    while (c->end - c->p >= 2 && memcmp(c->p, "#}", 2) != 0) {
        c->p++;
    }
    if (c->end - c->p < 2) {
        c->p = c->end;
        return;
    }
    c->p += 2;
    open_text(c, c->p[-3] == '-', 1);
}

int lm_chat_canon(const char *p, size_t n, struct lm_text *out)
{
    struct canon c = {p, p + n, out, out->n, SIZE_MAX, 0};
    while (c.p < c.end && !c.failed) {
        const char kind = c.end - c.p >= 2 && *c.p == '{' ? c.p[1] : 0;
        if (kind != '{' && kind != '%' && kind != '#') {
            put(&c, c.p++, 1);
            continue;
        }
        c.p += 2;
        close_text(&c, c.p < c.end && (*c.p == '-'), kind != '{');
        if (kind == '#') {
            comment(&c);
            continue;
        }
        c.p += c.p < c.end && (*c.p == '-' || *c.p == '+');
        put(&c, kind == '%' ? "{%" : "{{", 2);
        code(&c, kind == '%');
    }
    put(&c, "", 1); /* the 0 behind it */
    out->n -= !c.failed;
    return c.failed ? -1 : 0;
}

/* ---- the system text it puts by itself ----------------------------------------------------- */

enum { MOST_PLACES = 64 };

/* A plain text, and not the beginning of an expression. */
static int is_text(struct lm_slice s)
{
    static const char *const signs[] = {"'+", "+'", "{{", "}}", "{%", "%}"};
    int                      ok = s.n > 0 && s.p[0] != '\'';
    for (size_t i = 0; ok && i < sizeof(signs) / sizeof(signs[0]); i++) {
        for (size_t at = 0; ok && at + 2 <= s.n; at++) {
            ok = memcmp(s.p + at, signs[i], 2) != 0;
        }
    }
    return ok;
}

/* The first of the first few places that is one. */
static int between(const char *canon, const char *open, const char *close, struct lm_slice *out)
{
    const char *p = strstr(canon, open);
    for (int i = 0; p && i < MOST_PLACES; i++, p = strstr(p, open)) {
        const char *stop;
        p += strlen(open);
        stop = strstr(p, close);
        if (!stop) {
            return 0;
        }
        *out = (struct lm_slice){p, (size_t)(stop - p)};
        if (is_text(*out)) {
            return 1;
        }
    }
    return 0;
}

drh_status lm_chat_default(const char *canon, struct lm_slice *out)
{
    return between(canon, "<|im_start|>system\n", "<|im_end|>", out) ||
                   between(canon, "setsystem_message='", "'%}", out)
               ? DRH_OK
               : DRH_E_MISSING;
}
