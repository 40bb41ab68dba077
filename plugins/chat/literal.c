/* SPDX-License-Identifier: MIT
 *
 * literal.c - see literal.h.  Called by written.c on the worker's thread, twice for each text: once
 * to count, once to write.
 */
#include "literal.h"

#include <stdbool.h>
#include <string.h>

struct reader {
    const char           *s;
    size_t                len, at;
    char                 *out; /* NULL: only counts */
    size_t                n;
    struct literal_error *e;
};

static drh_status value(struct reader *x, unsigned depth);

static drh_status wrong(struct reader *x, size_t at, const char *what)
{
    x->e->at = at;
    x->e->what = what;
    return DRH_E_DATA;
}

static void put(struct reader *x, const char *p, size_t n)
{
    if (x->out) {
        memcpy(x->out + x->n, p, n);
    }
    x->n += n;
}

static void put_byte(struct reader *x, char c)
{
    put(x, &c, 1);
}

/* The byte ahead; 0 at the end, which is no byte that anything begins with. */
static char ahead(const struct reader *x, size_t by)
{
    return x->len - x->at > by ? x->s[x->at + by] : '\0';
}

static char peek_after_space(struct reader *x)
{
    while (x->at < x->len && (x->s[x->at] == ' ' || (x->s[x->at] >= '\t' && x->s[x->at] <= '\r'))) {
        x->at++;
    }
    return ahead(x, 0);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* ---- strings ------------------------------------------------------------------------------- */

static void put_escape(struct reader *x, unsigned unit)
{
    static const char hex[] = "0123456789abcdef";
    char s[6] = {'\\',          'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15],
                 hex[unit & 15]};
    put(x, s, sizeof(s));
}

/* A byte of the text of a string. */
static void put_text(struct reader *x, char c)
{
    if (c == '\n' || c == '\t' || c == '\r') {
        put_byte(x, '\\');
        put_byte(x, (char)(c == '\n' ? 'n' : c == '\t' ? 't' : 'r'));
    } else if ((unsigned char)c < 0x20) {
        put_escape(x, (unsigned char)c);
    } else {
        if (c == '"' || c == '\\') {
            put_byte(x, '\\');
        }
        put_byte(x, c);
    }
}

static void put_code_point(struct reader *x, uint32_t cp)
{
    if (cp < 0x80) {
        put_text(x, (char)cp);
    } else if (cp < 0x800) {
        put_byte(x, (char)(0xC0 | cp >> 6));
        put_byte(x, (char)(0x80 | (cp & 0x3F)));
    } else if (cp >= 0xD800 && cp < 0xE000) {
        put_escape(x, cp); /* so that two halves of a pair come together */
    } else {
        put_byte(x, (char)(cp < 0x10000 ? 0xE0 | cp >> 12 : 0xF0 | cp >> 18));
        if (cp >= 0x10000) {
            put_byte(x, (char)(0x80 | (cp >> 12 & 0x3F)));
        }
        put_byte(x, (char)(0x80 | (cp >> 6 & 0x3F)));
        put_byte(x, (char)(0x80 | (cp & 0x3F)));
    }
}

static int hex_of(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \x41, \u0041, \U00000041: x->at is behind the letter. */
static drh_status hex_escape(struct reader *x, size_t digits)
{
    uint32_t cp = 0;
    size_t   i;
    for (i = 0; i < digits; i++) {
        int h = hex_of(ahead(x, i));
        if (h < 0 || cp > 0x10FFFF) {
            return wrong(x, x->at - 2, "an escape with too few hexadecimal digits");
        }
        cp = cp << 4 | (uint32_t)h;
    }
    if (cp > 0x10FFFF) {
        return wrong(x, x->at - 2, "an escape beyond U+10FFFF");
    }
    x->at += digits;
    put_code_point(x, cp);
    return DRH_OK;
}

static void octal_escape(struct reader *x)
{
    uint32_t cp = 0;
    size_t   i;
    for (i = 0; i < 3 && ahead(x, 0) >= '0' && ahead(x, 0) <= '7'; i++) {
        cp = cp * 8 + (uint32_t)(x->s[x->at++] - '0');
    }
    put_code_point(x, cp);
}

/* x->at is at a backslash. */
static drh_status escape(struct reader *x)
{
    static const char letters[] = "abfnrtv\\'\"";
    static const char means[] = "\a\b\f\n\r\t\v\\'\"";
    const char        c = ahead(x, 1);
    const char       *known = c ? strchr(letters, c) : NULL;

    if (c == '\0') {
        return wrong(x, x->at, "a string without an end");
    }
    if (c >= '0' && c <= '7') {
        x->at++;
        octal_escape(x);
        return DRH_OK;
    }
    x->at += 2;
    switch (c) {
    case 'x':
        return hex_escape(x, 2);
    case 'u':
        return hex_escape(x, 4);
    case 'U':
        return hex_escape(x, 8);
    case 'N':
        return wrong(x, x->at - 2, "an escape \\N, which is not read");
    case '\n': /* a line that goes on */
        return DRH_OK;
    default:
        if (known) {
            put_text(x, means[known - letters]);
        } else { /* Python keeps both */
            put_text(x, '\\');
            x->at--;
        }
        return DRH_OK;
    }
}

static bool ends(const struct reader *x, char quote, bool triple)
{
    return ahead(x, 0) == quote && (!triple || (ahead(x, 1) == quote && ahead(x, 2) == quote));
}

static drh_status string(struct reader *x, bool raw)
{
    const size_t start = x->at;
    const char   quote = ahead(x, 0);
    const bool   triple = ahead(x, 1) == quote && ahead(x, 2) == quote;
    drh_status   st = DRH_OK;

    x->at += triple ? 3 : 1;
    put_byte(x, '"');
    while (x->at < x->len && !ends(x, quote, triple) && st == DRH_OK) {
        if (x->s[x->at] != '\\') {
            put_text(x, x->s[x->at++]);
        } else if (!raw) {
            st = escape(x);
        } else if (x->len - x->at > 1) { /* both, and what is behind it ends nothing */
            put_text(x, '\\');
            put_text(x, x->s[x->at + 1]);
            x->at += 2;
        } else {
            x->at++;
        }
    }
    if (st != DRH_OK) {
        return st;
    }
    if (x->at >= x->len) {
        return wrong(x, start, "a string without an end");
    }
    x->at += triple ? 3 : 1;
    put_byte(x, '"');
    return DRH_OK;
}

/* ---- numbers and words --------------------------------------------------------------------- */

static size_t digits(struct reader *x)
{
    const size_t from = x->at;
    while (is_digit(ahead(x, 0))) {
        x->at++;
    }
    put(x, x->s + from, x->at - from);
    return x->at - from;
}

/* As Python spells them, "1." and ".5" too, to what JSON allows. */
static drh_status number(struct reader *x)
{
    const size_t start = x->at;
    size_t       whole, part = 1;
    if (ahead(x, 0) == '-') {
        put_byte(x, '-');
    }
    x->at += ahead(x, 0) == '-' || ahead(x, 0) == '+';
    if (ahead(x, 0) == '0' && is_digit(ahead(x, 1))) {
        return wrong(x, start, "a number that begins with 0");
    }
    whole = digits(x);
    if (whole == 0) {
        put_byte(x, '0');
    }
    if (ahead(x, 0) == '.') {
        x->at++;
        put_byte(x, '.');
        part = digits(x);
        if (part == 0) {
            put_byte(x, '0');
        }
    } else if (whole == 0) {
        part = 0;
    }
    if (whole + part == 0) {
        return wrong(x, start, "a sign or a point without a number");
    }
    if (ahead(x, 0) == 'e' || ahead(x, 0) == 'E') {
        x->at++;
        put_byte(x, 'e');
        if (ahead(x, 0) == '-' || ahead(x, 0) == '+') {
            put_byte(x, x->s[x->at++]);
        }
        if (digits(x) == 0) {
            return wrong(x, start, "a number without an exponent");
        }
    }
    if (is_letter(ahead(x, 0)) || ahead(x, 0) == '.') {
        return wrong(x, start, "what is no number");
    }
    return DRH_OK;
}

/* array(VALUE), array(VALUE, dtype=object), list(VALUE), np.int64(VALUE): x->at is behind the word.
 */
static drh_status wrapped(struct reader *x, unsigned depth)
{
    static const char dtype[] = "dtype=";
    const size_t      start = x->at;
    drh_status        st;
    if (peek_after_space(x) != '(') {
        return wrong(x, start, "a word that is no value");
    }
    x->at++;
    (void)peek_after_space(x);
    st = value(x, depth + 1);
    if (st != DRH_OK) {
        return st;
    }
    if (peek_after_space(x) == ',') {
        x->at++;
        (void)peek_after_space(x);
        if (x->len - x->at >= sizeof(dtype) - 1 &&
            memcmp(x->s + x->at, dtype, sizeof(dtype) - 1) == 0) {
            x->at += sizeof(dtype) - 1;
            while (x->at < x->len && x->s[x->at] != ')' && x->s[x->at] != '\n') {
                x->at++;
            }
        }
    }
    if (peek_after_space(x) != ')') {
        return wrong(x, start, "no ) where array(...) ends");
    }
    x->at++;
    return DRH_OK;
}

static bool is_wrapper(const char *p, size_t n)
{
    return (n == 5 && memcmp(p, "array", n) == 0) || (n == 4 && memcmp(p, "list", n) == 0) ||
           (n > 3 && memcmp(p, "np.", 3) == 0);
}

static drh_status word(struct reader *x, unsigned depth)
{
    static const struct {
        const char *word, *json;
    } words[] = {{"None", "null"}, {"null", "null"}, {"nan", "null"},    {"NaN", "null"},
                 {"True", "true"}, {"true", "true"}, {"False", "false"}, {"false", "false"}};
    const char *p = x->s + x->at;
    size_t      i, n = 0;
    while (is_letter(ahead(x, n)) || is_digit(ahead(x, n)) || ahead(x, n) == '.') {
        n++;
    }
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].word) == n && memcmp(p, words[i].word, n) == 0) {
            x->at += n;
            put(x, words[i].json, strlen(words[i].json));
            return DRH_OK;
        }
    }
    if (!is_wrapper(p, n)) {
        return wrong(x, x->at, "a word that is no value");
    }
    x->at += n;
    return wrapped(x, depth);
}

/* ---- lists and dicts ----------------------------------------------------------------------- */

/* [...] and (...).  In the former commas may be missing altogether, as numpy prints arrays. */
static drh_status items(struct reader *x, char close, unsigned depth)
{
    const size_t start = x->at, begin = x->n;
    size_t       n = 0;
    bool         comma = false;

    x->at++;
    put_byte(x, '[');
    for (char c = peek_after_space(x); c != close; c = peek_after_space(x)) {
        drh_status st;
        if (x->at >= x->len) {
            return wrong(x, start, "a list without an end");
        }
        if (n > 0 && !comma && close != ']') {
            return wrong(x, x->at, "no comma between the parts of a tuple");
        }
        if (n > 0) {
            put_byte(x, ',');
        }
        st = value(x, depth + 1);
        if (st != DRH_OK) {
            return st;
        }
        n++;
        comma = peek_after_space(x) == ',';
        x->at += comma;
    }
    x->at++;
    if (close == ')' && n == 1 && !comma) { /* brackets around a value, no tuple */
        if (x->out) {
            x->out[begin] = ' ';
        }
        put_byte(x, ' ');
    } else {
        put_byte(x, ']');
    }
    return DRH_OK;
}

static bool is_string(const struct reader *x)
{
    char c = ahead(x, 0);
    if (c == 'u' || c == 'U' || c == 'r' || c == 'R') {
        c = ahead(x, 1);
    }
    return c == '\'' || c == '"';
}

static drh_status prefixed_string(struct reader *x)
{
    const bool raw = ahead(x, 0) == 'r' || ahead(x, 0) == 'R';
    x->at += is_letter(ahead(x, 0));
    return string(x, raw);
}

static drh_status key(struct reader *x)
{
    drh_status st;
    if (is_string(x)) {
        return prefixed_string(x);
    }
    if (!is_digit(ahead(x, 0)) && ahead(x, 0) != '-') {
        return wrong(x, x->at, "no key of a dict where one is expected");
    }
    put_byte(x, '"');
    st = number(x);
    put_byte(x, '"');
    return st;
}

static drh_status members(struct reader *x, unsigned depth)
{
    const size_t start = x->at;
    size_t       n = 0;
    bool         comma = false;

    x->at++;
    put_byte(x, '{');
    for (char c = peek_after_space(x); c != '}'; c = peek_after_space(x)) {
        drh_status st;
        if (x->at >= x->len) {
            return wrong(x, start, "a dict without an end");
        }
        if (n > 0 && !comma) {
            return wrong(x, x->at, "neither , nor } after a value of a dict");
        }
        if (n > 0) {
            put_byte(x, ',');
        }
        st = key(x);
        if (st != DRH_OK) {
            return st;
        }
        if (peek_after_space(x) != ':') {
            return wrong(x, x->at, "no : after a key of a dict");
        }
        x->at++;
        put_byte(x, ':');
        (void)peek_after_space(x);
        st = value(x, depth + 1);
        if (st != DRH_OK) {
            return st;
        }
        n++;
        comma = peek_after_space(x) == ',';
        x->at += comma;
    }
    x->at++;
    put_byte(x, '}');
    return DRH_OK;
}

/* x->at is behind white space. */
static drh_status value(struct reader *x, unsigned depth)
{
    const char c = ahead(x, 0);
    if (depth > LITERAL_DEPTH) {
        return wrong(x, x->at, "lists in lists, too deep");
    }
    if (c == '[' || c == '(') {
        return items(x, c == '[' ? ']' : ')', depth);
    }
    if (c == '{') {
        return members(x, depth);
    }
    if (is_string(x)) {
        return prefixed_string(x);
    }
    if (is_digit(c) || c == '-' || c == '+' || (c == '.' && is_digit(ahead(x, 1)))) {
        return number(x);
    }
    if (is_letter(c)) {
        return word(x, depth);
    }
    return wrong(x, x->at,
                 x->at < x->len ? "no value where one is expected"
                                : "the text ends where a value is expected");
}

drh_status literal_json(const char *text, size_t len, char *out, size_t *n, struct literal_error *e)
{
    struct reader x = {text, len, 0, out, 0, e};
    drh_status    st;

    (void)peek_after_space(&x);
    st = value(&x, 0);
    if (st == DRH_OK && (peek_after_space(&x) != '\0' || x.at < x.len)) {
        st = wrong(&x, x.at, "more text behind the list");
    }
    *n = x.n;
    return st;
}
