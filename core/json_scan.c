/* SPDX-License-Identifier: MIT
 * json_scan.c - the strict scanner: one pass over the bytes, no recursion, nothing copied but keys
 * that hold escapes.  Called for every record that is read, on any thread. */
#include "json_impl.h"

#include <stdarg.h>
#include <stdio.h>

typedef unsigned char uc; /* bytes compare as 0..255 */

/* What is expected next. */
enum want { WANT_VALUE, WANT_KEY, WANT_MORE, WANT_END };

struct scan {
    const uc          *text, *p, *end;
    struct json_err   *e;
    uint32_t           depth;
    uint32_t           newlines; /* between tokens so far */
    json_member_fn     fn;
    void              *ctx;
    struct json_member m;           /* the open member of the outermost object */
    bool               val_escaped; /* the last string value held a backslash */
    uint32_t           m_newlines;  /* `newlines` where its value began */
    struct json_keys   keys;
    /* For each open container: 1 + number of its first key, or 0 for an array. */
    uint32_t base[JSON_MAX_DEPTH];
};

__attribute__((format(printf, 4, 5), cold)) static drh_status
refuse(struct scan *s, const uc *at, const char *code, const char *fmt, ...)
{
    va_list ap;

    if (s->e) {
        s->e->code = code;
        s->e->offset = (size_t)(at - s->text);
        va_start(ap, fmt);
        (void)vsnprintf(s->e->message, sizeof(s->e->message), fmt, ap);
        va_end(ap);
    }
    return DRH_E_DATA;
}

/* A byte that no token can begin with, or that does not fit here. */
__attribute__((cold)) static drh_status refuse_byte(struct scan *s, const char *expected)
{
    const uc *p = s->p;

    if (p >= s->end) {
        return refuse(s, p, "bad_json", "the text ends where %s is expected", expected);
    }
    if (*p < 0x20) {
        return refuse(s, p, "raw_control", "raw control character 0x%02x", *p);
    }
    if (*p >= 0x80) {
        if (json_utf8_run(p, s->end) == p) {
            return refuse(s, p, "bad_utf8", "byte 0x%02x is not UTF-8", *p);
        }
        return refuse(s, p, "bad_json", "byte 0x%02x where %s is expected", *p, expected);
    }
    return refuse(s, p, "bad_json", "'%c' where %s is expected", *p, expected);
}

static inline void space(struct scan *s)
{
    const uc *p = s->p;

    while (p < s->end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) {
        s->newlines += *p == '\n' || *p == '\r';
        p++;
    }
    s->p = p;
}

/* ---- strings ---- */

static int hex4(const uc *p, const uc *end)
{
    int v = 0, i;

    if (end - p < 4) {
        return -1;
    }
    for (i = 0; i < 4; i++) {
        int c = p[i] | 0x20;
        if (p[i] >= '0' && p[i] <= '9') {
            c = p[i] - '0';
        } else if (c >= 'a' && c <= 'f') {
            c = c - 'a' + 10;
        } else {
            return -1;
        }
        v = v << 4 | c;
    }
    return v;
}

/* s->p at a backslash followed by 'u'. */
static drh_status scan_unicode(struct scan *s)
{
    const uc *p = s->p;
    int       u = hex4(p + 2, s->end), low;

    if (u < 0) {
        return refuse(s, p, "bad_json", "\\u needs four hexadecimal digits");
    }
    s->p = p + 6;
    if (u < 0xd800 || u > 0xdfff) {
        return DRH_OK;
    }
    if (u <= 0xdbff && s->end - p >= 8 && p[6] == '\\' && p[7] == 'u') {
        low = hex4(p + 8, s->end);
        if (low >= 0xdc00 && low <= 0xdfff) {
            s->p = p + 12;
            return DRH_OK;
        }
    }
    return refuse(s, p, "lone_surrogate", "\\u%04x is half of a surrogate pair", (unsigned)u);
}

/* s->p at a byte that stops json_plain() and is no quote. */
static drh_status scan_special(struct scan *s, const uc *start)
{
    const uc *p = s->p;

    if (p >= s->end) {
        return refuse(s, start, "bad_json", "string without an end");
    }
    if (*p >= 0x80) {
        s->p = json_utf8_run(p, s->end);
        if (s->p < s->end && *s->p >= 0x80) {
            return refuse(s, s->p, "bad_utf8", "byte 0x%02x is not UTF-8", *s->p);
        }
        return DRH_OK;
    }
    if (*p < 0x20) {
        return refuse(s, p, "raw_control", "raw control character 0x%02x in a string", *p);
    }
    if (p + 1 >= s->end) {
        return refuse(s, start, "bad_json", "string without an end");
    }
    return p[1] == 'u' ? scan_unicode(s)
                       : refuse(s, p, "bad_json", "unknown escape after a backslash");
}

/* Letters after a backslash that stand alone. */
static const bool simple_escape[256] = {['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true,
                                        ['f'] = true, ['n'] = true,  ['r'] = true, ['t'] = true};

/* s->p at the opening quote; then behind the closing one. */
static inline drh_status scan_string(struct scan *s, bool *escaped)
{
    const uc *start = s->p++;

    for (;;) {
        drh_status st;
        s->p = json_plain(s->p, s->end);
        if (s->p < s->end && *s->p == '"') {
            s->p++;
            return DRH_OK;
        }
        if (s->end - s->p >= 2 && *s->p == '\\') {
            *escaped = true;
            if (simple_escape[s->p[1]]) {
                s->p += 2;
                continue;
            }
        }
        st = scan_special(s, start);
        if (st != DRH_OK) {
            return st;
        }
    }
}

/* ---- scalars ---- */

static inline const uc *digits(const uc *p, const uc *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

static drh_status scan_number(struct scan *s)
{
    const uc *p = s->p, *q;

    p += *p == '-';
    q = digits(p, s->end);
    if (q == p || (*p == '0' && q - p > 1)) {
        s->p = p;
        return q == p ? refuse_byte(s, "a digit")
                      : refuse(s, p, "bad_json", "a number begins with a needless 0");
    }
    p = q;
    if (p < s->end && *p == '.') {
        q = digits(p + 1, s->end);
        s->p = p + 1;
        if (q == p + 1) {
            return refuse_byte(s, "a digit");
        }
        p = q;
    }
    if (p < s->end && (*p | 0x20) == 'e') {
        p++;
        p += p < s->end && (*p == '+' || *p == '-');
        q = digits(p, s->end);
        s->p = p;
        if (q == p) {
            return refuse_byte(s, "a digit");
        }
        p = q;
    }
    s->p = p;
    return DRH_OK;
}

static drh_status scan_word(struct scan *s, const char *word, size_t n)
{
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) {
        return refuse(s, s->p, "bad_json", "a value is expected; did you mean %s?", word);
    }
    s->p += n;
    return DRH_OK;
}

/* ---- structure ---- */

/* A value has just ended at s->p. */
static inline drh_status value_done(struct scan *s, enum want *want)
{
    *want = s->depth ? WANT_MORE : WANT_END;
    if (s->depth == 1 && s->base[0] && s->fn) {
        s->m.val_len = (size_t)((const char *)s->p - s->m.val);
        s->m.val_escaped = s->m.type == DRH_T_STRING && s->val_escaped;
        s->m.multiline = s->newlines != s->m_newlines;
        return s->fn(s->ctx, &s->m);
    }
    return DRH_OK;
}

static drh_status open_container(struct scan *s, uc c, enum want *want)
{
    if (s->depth == JSON_MAX_DEPTH) {
        return refuse(s, s->p, "too_deep", "nested deeper than %d", (int)JSON_MAX_DEPTH);
    }
    s->base[s->depth++] = c == '{' ? s->keys.n + 1 : 0;
    s->p++;
    space(s);
    *want = c == '{' ? WANT_KEY : WANT_VALUE;
    if (s->p < s->end && *s->p == (c == '{' ? '}' : ']')) {
        s->p++;
        s->depth--;
        return value_done(s, want);
    }
    return DRH_OK;
}

static drh_status scan_value(struct scan *s, enum want *want)
{
    uc         c;
    bool       escaped = false;
    drh_status st;

    if (s->p >= s->end) {
        return refuse_byte(s, "a value");
    }
    c = *s->p;
    if (s->depth == 1) {
        s->m.val = (const char *)s->p;
        s->m.type = (uint8_t)json_type(s->m.val);
        s->m_newlines = s->newlines;
    }
    switch (c) {
    case '"':
        st = scan_string(s, &escaped);
        s->val_escaped = escaped;
        break;
    case '{':
    case '[':
        return open_container(s, c, want);
    case 't':
        st = scan_word(s, "true", 4);
        break;
    case 'f':
        st = scan_word(s, "false", 5);
        break;
    case 'n':
        st = scan_word(s, "null", 4);
        break;
    default:
        st = c == '-' || (c >= '0' && c <= '9') ? scan_number(s) : refuse_byte(s, "a value");
        break;
    }
    return st == DRH_OK ? value_done(s, want) : st;
}

#ifdef __SSE2__
enum { QUICK_ROOM = 24 }; /* bytes that a look at a key takes */

/* Members with a short plain key, at most one space between tokens and a string: most of most
 * texts.  s->p where a key is expected; stops where it is none of these, and takes no part of it.
 */
static inline drh_status scan_strings(struct scan *s, enum want *want)
{
    while (s->end - s->p >= QUICK_ROOM && *s->p == '"') {
        const uc  *key = s->p + 1, *key_end = json_short_plain(key), *val;
        bool       escaped = false;
        uint64_t   head;
        drh_status st;

        if (!key_end || key_end[1] != ':') {
            break;
        }
        val = key_end + 2 + (key_end[2] == ' ');
        head = json_key_head((const char *)key, (size_t)(key_end - key));
        if (*val != '"' ||
            json_keys_add_plain(&s->keys, s->base[s->depth - 1] - 1, (const char *)key,
                                (uint32_t)(key_end - key), head) != DRH_OK) {
            break;
        }
        if (s->depth == 1) {
            s->m.key = (const char *)key;
            s->m.key_len = (uint32_t)(key_end - key);
            s->m.key_escaped = false;
            s->m.val = (const char *)val;
            s->m.type = DRH_T_STRING;
            s->m_newlines = s->newlines;
        }
        s->p = val;
        st = scan_string(s, &escaped);
        s->val_escaped = escaped;
        st = st == DRH_OK ? value_done(s, want) : st;
        if (st != DRH_OK || s->p >= s->end || *s->p != ',') {
            return st;
        }
        s->p++;
        s->p += s->p < s->end && *s->p == ' ';
        *want = WANT_KEY;
    }
    return DRH_OK;
}
#else
static drh_status scan_strings(struct scan *s, enum want *want)
{
    (void)s, (void)want;
    return DRH_OK;
}
#endif

/* s->p at a key's quote; then at the value. */
static drh_status scan_key(struct scan *s, enum want *want)
{
    const uc  *start = s->p;
    bool       escaped = false;
    size_t     len;
    drh_status st;

    if (s->p >= s->end || *s->p != '"') {
        return refuse_byte(s, "a key in quotes");
    }
    st = scan_string(s, &escaped);
    if (st != DRH_OK) {
        return st;
    }
    len = (size_t)(s->p - start) - 2;
    if (len > JSON_MAX_KEY) {
        return refuse(s, start, "key_too_long", "a key of %zu bytes; the limit is %d", len,
                      (int)JSON_MAX_KEY);
    }
    if (s->depth == 1) {
        s->m.key = (const char *)start + 1;
        s->m.key_len = (uint32_t)len;
        s->m.key_escaped = escaped;
    }
    st = json_keys_add(&s->keys, s->base[s->depth - 1] - 1, (const char *)start + 1, (uint32_t)len,
                       escaped);
    if (st == DRH_E_DATA) {
        return refuse(s, start, "duplicate_key", "the key \"%.*s\" appears twice in an object",
                      (int)(len < 64 ? len : 64), (const char *)start + 1);
    }
    if (st != DRH_OK) {
        return st;
    }
    space(s);
    if (s->p >= s->end || *s->p != ':') {
        return refuse_byte(s, "':'");
    }
    s->p++;
    *want = WANT_VALUE;
    return DRH_OK;
}

/* s->p behind a value inside a container. */
static drh_status scan_more(struct scan *s, enum want *want)
{
    uint32_t base = s->base[s->depth - 1];

    if (s->p < s->end && *s->p == ',') {
        s->p++;
        *want = base ? WANT_KEY : WANT_VALUE;
        return DRH_OK;
    }
    if (s->p < s->end && *s->p == (base ? '}' : ']')) {
        if (base) {
            json_keys_close(&s->keys, base - 1);
        }
        s->p++;
        s->depth--;
        return value_done(s, want);
    }
    return refuse_byte(s, base ? "',' or '}'" : "',' or ']'");
}

static drh_status scan_all(struct scan *s)
{
    enum want  want = WANT_VALUE;
    drh_status st = DRH_OK;

    while (st == DRH_OK) {
        space(s);
        switch (want) {
        case WANT_VALUE:
            st = scan_value(s, &want);
            break;
        case WANT_KEY:
            st = scan_strings(s, &want);
            if (st == DRH_OK && want == WANT_KEY) {
                space(s);
                st = scan_key(s, &want);
            }
            break;
        case WANT_MORE:
            st = scan_more(s, &want);
            break;
        case WANT_END:
            return s->p == s->end ? DRH_OK : refuse_byte(s, "the end of the text");
        }
    }
    return st;
}

drh_status json_scan(const char *text, size_t len, struct arena *scratch, json_member_fn fn,
                     void *ctx, uint32_t *type, struct json_err *e)
{
    bool newline;

    return json_scan_lines(text, len, scratch, fn, ctx, type, &newline, e);
}

drh_status json_scan_lines(const char *text, size_t len, struct arena *scratch, json_member_fn fn,
                           void *ctx, uint32_t *type, bool *newline, struct json_err *e)
{
    struct scan s;
    drh_status  st;

    s.text = s.p = (const uc *)(len ? text : "");
    s.end = s.text + len;
    s.e = e;
    s.depth = s.newlines = s.m_newlines = 0;
    s.val_escaped = false;
    s.fn = fn;
    s.ctx = ctx;
    memset(&s.m, 0, sizeof(s.m));
    json_keys_init(&s.keys, scratch);
    space(&s);
    if (type) {
        *type = s.p < s.end ? json_type((const char *)s.p) : DRH_T_NONE;
    }
    st = scan_all(&s);
    *newline = s.newlines > 0;
    return st;
}
