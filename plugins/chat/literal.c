/* SPDX-License-Identifier: MIT
 *
 * literal.c - see literal.h.  Called by written.c on the worker's thread, twice for each text: once
 * to count, once to write.
 */
#include "literal_impl.h"

static drh_status value(struct reader *x, unsigned depth);

/* ---- words --------------------------------------------------------------------------------- */

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

static drh_status key(struct reader *x)
{
    drh_status st;
    if (literal_is_string(x)) {
        return literal_string(x);
    }
    if (!is_digit(ahead(x, 0)) && ahead(x, 0) != '-') {
        return wrong(x, x->at, "no key of a dict where one is expected");
    }
    put_byte(x, '"');
    st = literal_number(x);
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
    if (literal_is_string(x)) {
        return literal_string(x);
    }
    if (is_digit(c) || c == '-' || c == '+' || (c == '.' && is_digit(ahead(x, 1)))) {
        return literal_number(x);
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
