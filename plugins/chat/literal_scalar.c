/* SPDX-License-Identifier: MIT
 *
 * literal_scalar.c - strings and numbers as Python spells them; see literal.h.
 */
#include "literal_impl.h"

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

bool literal_is_string(const struct reader *x)
{
    char c = ahead(x, 0);
    if (c == 'u' || c == 'U' || c == 'r' || c == 'R') {
        c = ahead(x, 1);
    }
    return c == '\'' || c == '"';
}

drh_status literal_string(struct reader *x)
{
    const bool raw = ahead(x, 0) == 'r' || ahead(x, 0) == 'R';
    x->at += is_letter(ahead(x, 0));
    return string(x, raw);
}

/* ---- numbers ------------------------------------------------------------------------------- */

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
drh_status literal_number(struct reader *x)
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
