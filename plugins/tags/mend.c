/* SPDX-License-Identifier: MIT
 *
 * mend.c - the first object in what a model says, as JSON; see tags.h.
 */
#include "tags.h"

enum { MOST_DEPTH = 64 };

struct mending {
    drh_str   s; /* what is left */
    drh_text *to;
    char      open[MOST_DEPTH]; /* '{' or '[' */
    size_t    depth;
    int       key;   /* a member's name comes next */
    int       value; /* a value is there, so a comma or an end comes next */
};

static int blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static drh_str after_blanks(drh_str s)
{
    while (s.len && blank(s.ptr[0])) {
        s = drh_str_from(s, 1);
    }
    return s;
}

static void put(struct mending *m, char c)
{
    drh_text_addv(m->to, (drh_str){&c, 1});
}

/* ---- strings -------------------------------------------------------------------------------- */

static const struct {
    const char *open, *close;
} quotes[] = {{"\"", "\""}, {"'", "'"}, {"“", "”"}, {"‘", "’"}, {"`", "`"}};
enum { N_QUOTES = sizeof(quotes) / sizeof(quotes[0]) };

/* The quote that s begins with, or -1. */
static int quote_of(drh_str s)
{
    for (int i = 0; i < N_QUOTES; i++) {
        if (drh_str_starts(s, quotes[i].open)) {
            return i;
        }
    }
    return -1;
}

/* Does a member begin here: a quote, or a bare name and a colon? */
static int member_begins(drh_str s)
{
    size_t i = 0;
    s = after_blanks(s);
    if (s.len == 0 || s.ptr[0] == '}' || quote_of(s) >= 0) {
        return s.len > 0;
    }
    while (i < s.len && ((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || s.ptr[i] == '_')) {
        i++;
    }
    s = after_blanks(drh_str_from(s, i));
    return i > 0 && drh_str_starts(s, ":");
}

/* Is a quote with this behind it the end of its string?  Models also quote words in a string. */
static int ends_string(const struct mending *m, drh_str rest)
{
    const drh_str next = after_blanks(rest);
    if (next.len == 0 || next.ptr[0] == '}' || next.ptr[0] == ']') {
        return 1;
    }
    if (m->key) {
        return next.ptr[0] == ':';
    }
    if (next.ptr[0] == ',') {
        return m->open[m->depth - 1] == '[' || member_begins(drh_str_from(next, 1));
    }
    /* the comma is missing, and the next member stands in the next line */
    return quote_of(next) >= 0 && memchr(rest.ptr, '\n', (size_t)(next.ptr - rest.ptr)) != NULL;
}

static int is_hex(drh_str s)
{
    for (size_t i = 0; i < 4; i++) {
        if (i >= s.len || !((s.ptr[i] >= '0' && s.ptr[i] <= '9') ||
                            ((s.ptr[i] | 32) >= 'a' && (s.ptr[i] | 32) <= 'f'))) {
            return 0;
        }
    }
    return 1;
}

/* One character of a string as JSON; bytes of UTF-8 go through. */
static void put_character(struct mending *m, char c)
{
    if (c == '\n') {
        drh_text_adds(m->to, "\\n");
    } else if (c == '\t') {
        drh_text_adds(m->to, "\\t");
    } else if (c == '"' || c == '\\') {
        put(m, '\\');
        put(m, c);
    } else if ((unsigned char)c >= 0x20) {
        put(m, c);
    }
}

/* What a backslash stands before, which is taken; a backslash that escapes nothing is one. */
static void put_escape(struct mending *m)
{
    const char c = m->s.len ? m->s.ptr[0] : '\0';
    if (c == '\0' || (c == 'u' && !is_hex(drh_str_from(m->s, 1)))) {
        drh_text_adds(m->to, "\\\\");
        return;
    }
    m->s = drh_str_from(m->s, 1);
    if (strchr("\"\\/bfnrtu", c)) {
        put(m, '\\');
        put(m, c);
    } else if (c == '\'' || c == '`') {
        put(m, c);
    } else {
        drh_text_adds(m->to, "\\\\");
        put_character(m, c);
    }
}

/* From behind the opening quote to behind the closing one.  0: there is none. */
static int string(struct mending *m, const char *close)
{
    const size_t n = strlen(close);
    put(m, '"');
    while (m->s.len) {
        const char c = m->s.ptr[0];
        if (drh_str_starts(m->s, close) && ends_string(m, drh_str_from(m->s, n))) {
            m->s = drh_str_from(m->s, n);
            put(m, '"');
            return 1;
        }
        m->s = drh_str_from(m->s, 1);
        if (c == '\\') {
            put_escape(m);
        } else {
            put_character(m, c);
        }
    }
    return 0;
}

/* ---- what is not quoted --------------------------------------------------------------------- */

static int is_number(drh_str s)
{
    size_t i = 0, digits = 0;
    i += s.len && s.ptr[0] == '-';
    if (i + 1 < s.len && s.ptr[i] == '0' && s.ptr[i + 1] != '.') {
        return 0; /* JSON has no 007 */
    }
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) {
        digits++;
    }
    if (i < s.len && s.ptr[i] == '.' && digits) {
        for (i++, digits = 0; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) {
            digits++;
        }
    }
    return digits && i == s.len;
}

/* Does the character end a name or a value without quotes? */
static int ends_bare(const struct mending *m, char c)
{
    return c != '\0' && strchr(m->key ? ":}\n" : ",}]\n", c) != NULL;
}

/* A name up to its colon, or a value up to what ends it; words of Python are known. */
static void bare(struct mending *m)
{
    static const char *const known[][2] = {{"true", "true"},   {"True", "true"}, {"false", "false"},
                                           {"False", "false"}, {"null", "null"}, {"None", "null"}};
    drh_str                  word = m->s;
    size_t                   n = 0;
    while (n < m->s.len && !ends_bare(m, m->s.ptr[n])) {
        n++;
    }
    word.len = n;
    word = synth_trim(word);
    m->s = drh_str_from(m->s, n);
    for (size_t i = 0; !m->key && i < sizeof(known) / sizeof(known[0]); i++) {
        if (drh_str_eq(word, known[i][0])) {
            drh_text_adds(m->to, known[i][1]);
            return;
        }
    }
    if (!m->key && is_number(word)) {
        drh_text_addv(m->to, word);
        return;
    }
    put(m, '"');
    for (size_t i = 0; i < word.len; i++) {
        put_character(m, word.ptr[i]);
    }
    put(m, '"');
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Takes a comma before an end away. */
static void drop_comma(drh_text *t)
{
    size_t n = t->len;
    while (n && blank(t->ptr[n - 1])) {
        n--;
    }
    if (n && t->ptr[n - 1] == ',') {
        t->ptr[n - 1] = ' ';
    }
}

static int begin(struct mending *m, char c)
{
    if (m->depth == MOST_DEPTH) {
        return 0;
    }
    m->open[m->depth++] = c;
    m->key = c == '{';
    m->value = 0;
    put(m, c);
    return 1;
}

static void end(struct mending *m)
{
    drop_comma(m->to);
    put(m, m->open[--m->depth] == '{' ? '}' : ']');
    m->key = 0;
    m->value = 1;
}

static void comma(struct mending *m)
{
    put(m, ',');
    m->key = m->open[m->depth - 1] == '{';
    m->value = 0;
}

/* The next token; 0: no object can come of it. */
static int step(struct mending *m)
{
    const char c = m->s.ptr[0];
    const int  quote = quote_of(m->s);
    const int  mark = c == ',' || c == ':' || c == '}' || c == ']' || blank(c);
    if (m->value && !mark) { /* the comma is missing */
        comma(m);
    }
    if (quote < 0 && !mark && c != '{' && c != '[') {
        m->value = !m->key;
        bare(m);
        return 1;
    }
    m->s = drh_str_from(m->s, quote < 0 ? 1 : strlen(quotes[quote].open));
    if (quote >= 0) {
        m->value = !m->key;
        return string(m, quotes[quote].close);
    }
    if (c == '{' || c == '[') {
        return begin(m, c);
    }
    if (c == '}' || c == ']') {
        end(m);
    } else if (c == ',') {
        comma(m);
    } else {
        m->key = c == ':' ? 0 : m->key;
        put(m, c);
    }
    return 1;
}

int tags_mend(drh_str said, drh_text *to)
{
    struct mending m = {.s = synth_trim(said), .to = to};
    const int      opened = quote_of(m.s) >= 0; /* behind a "{" that the model was given */
    while (!opened && m.s.len && m.s.ptr[0] != '{') {
        m.s = drh_str_from(m.s, 1);
    }
    if (!m.s.len) {
        return 0;
    }
    m.s = opened ? m.s : drh_str_from(m.s, 1);
    (void)begin(&m, '{');
    while (m.depth && m.s.len && step(&m)) {
    }
    return m.depth == 0 && !to->failed;
}
