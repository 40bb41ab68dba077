/* SPDX-License-Identifier: MIT
 *
 * lm_json.c - see lm_json.h.
 */
#include "lm_json.h"
#include "lm_uni.h"

#include <stdlib.h>
#include <string.h>

void lm_json_init(struct lm_json *j, const void *p, size_t n)
{
    memset(j, 0, sizeof(*j));
    j->start = p ? p : "";
    j->p = j->start;
    j->end = j->start + n;
}

void lm_json_free(struct lm_json *j)
{
    free(j->buf);
    j->buf = NULL;
}

size_t lm_json_at(const struct lm_json *j)
{
    return (size_t)(j->p - j->start);
}

int lm_slice_eq(struct lm_slice s, const char *lit)
{
    size_t n = strlen(lit);
    return s.n == n && memcmp(s.p, lit, n) == 0;
}

static int fail(struct lm_json *j, const char *why)
{
    if (!j->err) {
        j->err = why;
    }
    return -1;
}

static int skip_space(struct lm_json *j)
{
    if (j->err) {
        return -1;
    }
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\t' || *j->p == '\r')) {
        j->p++;
    }
    return j->p < j->end ? 0 : fail(j, "the text ends too early");
}

int lm_json_peek(struct lm_json *j)
{
    return skip_space(j) ? 0 : (unsigned char)*j->p;
}

int lm_json_enter(struct lm_json *j, char open)
{
    if (skip_space(j)) {
        return -1;
    }
    if (*j->p != open) {
        return fail(j, open == '{' ? "an object is expected" : "an array is expected");
    }
    j->p++;
    j->first = 1;
    return 0;
}

/* Comma or closing bracket: 1 when a member follows, 0 at the end. */
static int step(struct lm_json *j, char closing)
{
    int first = j->first;
    j->first = 0;
    if (skip_space(j)) {
        return -1;
    }
    if (*j->p == closing) {
        j->p++;
        return 0;
    }
    if (first) {
        return 1;
    }
    if (*j->p != ',') {
        return fail(j, "a comma is missing");
    }
    j->p++;
    if (skip_space(j)) {
        return -1;
    }
    return *j->p == closing ? fail(j, "a comma too many") : 1;
}

int lm_json_item(struct lm_json *j)
{
    return step(j, ']');
}

int lm_json_key(struct lm_json *j, struct lm_slice *key)
{
    int rc = step(j, '}');
    if (rc != 1) {
        return rc;
    }
    if (lm_json_string(j, key) || skip_space(j)) {
        return -1;
    }
    if (*j->p != ':') {
        return fail(j, "a colon is missing");
    }
    j->p++;
    return 1;
}

static int hex4(const char *p, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i];
        unsigned d = c - '0';
        if (d > 9) {
            d = (c | 32u) - 'a';
            if (d > 5) {
                return -1;
            }
            d += 10;
        }
        v = v << 4 | d;
    }
    *out = v;
    return 0;
}

/* \uXXXX, p behind the u; a pair of surrogates is one character. */
static const char *unescape_u(const char *p, const char *end, uint32_t *out)
{
    uint32_t c, d;
    if (end - p < 4 || hex4(p, &c)) {
        return NULL;
    }
    p += 4;
    if (c >= 0xd800 && c < 0xdc00) {
        if (end - p < 6 || p[0] != '\\' || p[1] != 'u' || hex4(p + 2, &d) || d < 0xdc00 ||
            d > 0xdfff) {
            return NULL;
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (d - 0xdc00);
        p += 6;
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        return NULL;
    }
    *out = c;
    return p;
}

/* Decodes [p,end) into j->buf, which is large enough: no escape makes text longer. */
static int unescape(struct lm_json *j, const char *p, const char *end, struct lm_slice *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t            n = 0;
    while (p < end) {
        const char *hit;
        uint32_t    c;
        if (*p != '\\') {
            j->buf[n++] = *p++;
            continue;
        }
        p++;
        if (*p == 'u') {
            p = unescape_u(p + 1, end, &c);
            if (!p) {
                return fail(j, "a broken \\u escape");
            }
            n += lm_utf8_put(j->buf + n, c);
            continue;
        }
        hit = *p ? strchr(from, *p) : NULL;
        if (!hit) {
            return fail(j, "an unknown escape");
        }
        j->buf[n++] = to[hit - from];
        p++;
    }
    out->p = j->buf;
    out->n = n;
    return 0;
}

int lm_json_string(struct lm_json *j, struct lm_slice *out)
{
    const char *p, *s;
    int         escapes = 0;
    if (skip_space(j)) {
        return -1;
    }
    if (*j->p != '"') {
        return fail(j, "a string is expected");
    }
    s = p = j->p + 1;
    while (p < j->end && *p != '"') {
        if ((unsigned char)*p < 0x20) {
            return fail(j, "a control character in a string");
        }
        if (*p == '\\') {
            escapes = 1;
            p++;
        }
        p++;
    }
    if (p >= j->end) {
        return fail(j, "a string does not end");
    }
    j->p = p + 1;
    if (!escapes) {
        out->p = s;
        out->n = (size_t)(p - s);
        return 0;
    }
    if ((size_t)(p - s) > j->cap) {
        size_t cap = (size_t)(p - s) + 64;
        char  *b = realloc(j->buf, cap);
        if (!b) {
            j->no_memory = !j->err;
            return fail(j, "out of memory");
        }
        j->buf = b;
        j->cap = cap;
    }
    return unescape(j, s, p, out);
}

int lm_json_number(struct lm_json *j, double *out)
{
    double v = 0, scale = 1;
    int    neg, exp = 0, eneg = 0, digits = 0, drop = 0;
    if (skip_space(j)) {
        return -1;
    }
    neg = *j->p == '-';
    j->p += neg;
    for (; j->p < j->end && (unsigned)(*j->p - '0') < 10; j->p++, digits++) {
        v = v * 10 + (*j->p - '0');
    }
    if (digits && j->p < j->end && *j->p == '.') {
        for (j->p++; j->p < j->end && (unsigned)(*j->p - '0') < 10; j->p++) {
            v = v * 10 + (*j->p - '0');
            drop++;
        }
    }
    if (digits && j->p < j->end && (*j->p == 'e' || *j->p == 'E')) {
        j->p++;
        if (j->p < j->end && (*j->p == '-' || *j->p == '+')) {
            eneg = *j->p == '-';
            j->p++;
        }
        for (; j->p < j->end && (unsigned)(*j->p - '0') < 10; j->p++) {
            exp = exp < 10000 ? exp * 10 + (*j->p - '0') : exp;
        }
    }
    if (!digits) {
        return fail(j, "a number is expected");
    }
    exp = (eneg ? -exp : exp) - drop;
    if (exp < -300 || exp > 300) {
        return fail(j, "a number out of range");
    }
    for (int i = exp < 0 ? -exp : exp; i > 0; i--) {
        scale *= 10;
    }
    v = exp < 0 ? v / scale : v * scale;
    *out = neg ? -v : v;
    return 0;
}

int lm_json_uint(struct lm_json *j, uint64_t *out)
{
    uint64_t v = 0;
    int      digits = 0;
    if (skip_space(j)) {
        return -1;
    }
    for (; j->p < j->end && (unsigned)(*j->p - '0') < 10; j->p++, digits++) {
        unsigned d = (unsigned)(*j->p - '0');
        if (v > (UINT64_MAX - d) / 10) {
            return fail(j, "a number out of range");
        }
        v = v * 10 + d;
    }
    if (!digits || (j->p < j->end && (*j->p == '.' || *j->p == 'e' || *j->p == 'E'))) {
        return fail(j, "a whole number of 0 or more is expected");
    }
    *out = v;
    return 0;
}

static int word(struct lm_json *j, const char *w)
{
    size_t n = strlen(w);
    if (skip_space(j)) {
        return -1;
    }
    if ((size_t)(j->end - j->p) < n || memcmp(j->p, w, n) != 0) {
        return fail(j, "an unknown word");
    }
    j->p += n;
    return 0;
}

int lm_json_bool(struct lm_json *j, int *out)
{
    *out = lm_json_peek(j) == 't';
    return word(j, *out ? "true" : "false");
}

int lm_json_null(struct lm_json *j)
{
    return word(j, "null");
}

static int scalar(struct lm_json *j)
{
    struct lm_slice s;
    double          d;
    int             b, c = lm_json_peek(j);
    switch (c) {
    case '"':
        return lm_json_string(j, &s);
    case 't':
    case 'f':
        return lm_json_bool(j, &b);
    case 'n':
        return lm_json_null(j);
    default:
        return lm_json_number(j, &d);
    }
}

/* One turn of lm_json_skip: a scalar, or an opening bracket.  Returns the new depth, -1 on error.
 */
static int skip_value(struct lm_json *j, char *stack, int depth)
{
    int c = lm_json_peek(j);
    if (c != '{' && c != '[') {
        return scalar(j) ? -1 : depth;
    }
    if (depth == LM_JSON_DEPTH) {
        return fail(j, "nested too deep");
    }
    stack[depth] = (char)c;
    return lm_json_enter(j, (char)c) ? -1 : depth + 1;
}

int lm_json_skip(struct lm_json *j, struct lm_slice *raw)
{
    char            stack[LM_JSON_DEPTH];
    struct lm_slice key;
    const char     *from;
    int             depth, rc;
    if (skip_space(j)) {
        return -1;
    }
    from = j->p;
    depth = skip_value(j, stack, 0);
    while (depth > 0) {
        rc = stack[depth - 1] == '{' ? lm_json_key(j, &key) : lm_json_item(j);
        if (rc < 0) {
            return -1;
        }
        depth = rc ? skip_value(j, stack, depth) : depth - 1;
    }
    if (depth < 0) {
        return -1;
    }
    if (raw) {
        raw->p = from;
        raw->n = (size_t)(j->p - from);
    }
    return 0;
}

int lm_json_end(struct lm_json *j)
{
    if (j->err) {
        return -1;
    }
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\t' || *j->p == '\r')) {
        j->p++;
    }
    return j->p == j->end ? 0 : fail(j, "text behind the end");
}
