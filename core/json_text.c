/* SPDX-License-Identifier: MIT
 * json_text.c - UTF-8, decoding and quoting strings of accepted text.  No state; any
 * thread. */
#include "json_impl.h"

typedef unsigned char uc;

/* ---- UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF) ---- */

/* Length of the sequence at p, 2 to 4, or 0 when it is none. */
static inline size_t utf8_sequence(const uc *p, const uc *end)
{
    uc     c = *p;
    size_t n, i;

    if (c < 0xc2 || c > 0xf4) {
        return 0;
    }
    n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if ((size_t)(end - p) < n) {
        return 0;
    }
    for (i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || (c == 0xf0 && p[1] < 0x90) ||
        (c == 0xf4 && p[1] > 0x8f)) {
        return 0;
    }
    return n;
}

/* True for a well-formed sequence of three bytes in the low bytes of w, first byte lowest. */
static inline bool three(uint32_t w)
{
    uint32_t t = w & 0x200f; /* low bits of the first byte, bit 5 of the second */

    /* t == 0: overlong (e0 80..9f); t == 200d: surrogate (ed a0..bf) */
    return (w & 0xc0c0f0) == 0x8080e0 && t != 0 && t != 0x200d;
}

const uc *json_utf8_run(const uc *p, const uc *end)
{
    for (;;) {
        size_t n;
        while (end - p >= 4 &&
               three(p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24)) {
            p += 3;
        }
        if (p >= end || *p < 0x80 || (n = utf8_sequence(p, end)) == 0) {
            return p;
        }
        p += n;
    }
}

bool json_utf8_valid(const char *text, size_t len)
{
    const uc *p = (const uc *)(len ? text : ""), *end = p + len;

    while (p < end) {
        uint64_t w;
        if (end - p >= 8) {
            memcpy(&w, p, 8);
            if (!(w & JSON_HIGHS)) {
                p += 8;
                continue;
            }
        }
        if (*p < 0x80) {
            p++;
        } else {
            const uc *q = json_utf8_run(p, end);
            if (q == p) {
                return false;
            }
            p = q;
        }
    }
    return true;
}

/* ---- text as it is ---- */

bool json_has_escape(const char *p, size_t len)
{
    return len && memchr(p, '\\', len) != NULL;
}

char *json_minify_to(char *out, const char *p, size_t len)
{
    const char *end = p + len;

    while ((p = json_space(p, end)) < end) {
        const char *q = p;
        while (q < end && (uc)*q > ' ') {
            q = *q == '"' ? json_skip(q, end) : q + 1;
        }
        memcpy(out, p, (size_t)(q - p));
        out += q - p;
        p = q;
    }
    return out;
}

drh_status json_minify(struct buf *b, const char *p, size_t len)
{
    drh_status st = buf_reserve(b, len);

    if (st == DRH_OK) {
        b->len = (size_t)(json_minify_to(b->ptr + b->len, p, len) - b->ptr);
        b->ptr[b->len] = '\0';
    }
    return st;
}

/* ---- strings ---- */

static unsigned hex4(const char *p)
{
    unsigned v = 0;
    int      i;

    for (i = 0; i < 4; i++) {
        unsigned c = (uc)p[i];
        v = v << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

static char *put_utf8(char *q, unsigned u)
{
    if (u < 0x80) {
        *q++ = (char)u;
    } else if (u < 0x800) {
        *q++ = (char)(0xc0 | u >> 6);
        *q++ = (char)(0x80 | (u & 0x3f));
    } else if (u < 0x10000) {
        *q++ = (char)(0xe0 | u >> 12);
        *q++ = (char)(0x80 | (u >> 6 & 0x3f));
        *q++ = (char)(0x80 | (u & 0x3f));
    } else {
        *q++ = (char)(0xf0 | u >> 18);
        *q++ = (char)(0x80 | (u >> 12 & 0x3f));
        *q++ = (char)(0x80 | (u >> 6 & 0x3f));
        *q++ = (char)(0x80 | (u & 0x3f));
    }
    return q;
}

/* What a letter after a backslash stands for; 0: 'u'. */
static const char unescaped[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

static const char *decode_unicode(const char *p, char **q)
{
    unsigned u = hex4(p + 2);

    if (u >= 0xd800 && u <= 0xdbff) {
        u = 0x10000 + ((u - 0xd800) << 10) + (hex4(p + 8) - 0xdc00);
        p += 6;
    }
    *q = put_utf8(*q, u);
    return p + 6;
}

/* p at a backslash of accepted text; past the escape. */
static inline const char *decode_escape(const char *p, char **q)
{
    char c = unescaped[(uc)p[1]];

    if (!c) {
        return decode_unicode(p, q);
    }
    *(*q)++ = c;
    return p + 2;
}

size_t json_unescape(const char *p, size_t len, char *out)
{
    const char *end = p + len;
    char       *q = out;

    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t      n = (size_t)((slash ? slash : end) - p);
        memcpy(q, p, n);
        q += n;
        p += n;
        while (p < end && *p == '\\') {
            p = decode_escape(p, &q);
        }
    }
    return (size_t)(q - out);
}

/* Copies up to the next '"' or '\\'. */
static inline const char *copy_to_special(const char *p, const char *end, char **out)
{
    char *q = *out;

#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    while (end - p >= 16) {
        __m128i  v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i  hit = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash));
        unsigned m = (unsigned)_mm_movemask_epi8(hit);
        _mm_storeu_si128((__m128i *)(void *)q, v);
        if (m) {
            unsigned n = (unsigned)__builtin_ctz(m);
            *out = q + n;
            return p + n;
        }
        p += 16;
        q += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '\\') {
        *q++ = *p++;
    }
    *out = q;
    return p;
}

const char *json_decode(const char *p, const char *end, char **out)
{
    for (;;) {
        p = copy_to_special(p, end, out);
        if (p >= end || *p == '"') {
            return p;
        }
        p = decode_escape(p, out);
    }
}

/* Letters after a backslash; 0: \u00XX. */
static const char short_escape[128] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                       ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};

/* Length of c's escape. */
static size_t escape_len(uc c)
{
    return short_escape[c] ? 2 : 6;
}

static inline char *put_escape(char *q, uc c)
{
    static const char hex[] = "0123456789abcdef";

    *q++ = '\\';
    if (short_escape[c]) {
        *q++ = short_escape[c];
        return q;
    }
    *q++ = 'u';
    *q++ = '0';
    *q++ = '0';
    *q++ = hex[c >> 4];
    *q++ = hex[c & 15];
    return q;
}

drh_status json_quoted(const char *text, size_t len, size_t *size)
{
    const uc *p = (const uc *)(len ? text : ""), *end = p + len;
    size_t    n = len + 2;

    while ((p = json_plain(p, end)) < end) {
        if (*p >= 0x80) {
            const uc *q = json_utf8_run(p, end);
            if (q == p) {
                return DRH_E_DATA;
            }
            p = q;
        } else {
            n += escape_len(*p++) - 1;
        }
    }
    *size = n;
    return n < len ? DRH_E_RANGE : DRH_OK;
}

char *json_quote_to(char *q, const char *text, size_t len, size_t size)
{
    const uc *p = (const uc *)(len ? text : ""), *end = p + len;

    *q++ = '"';
    if (size == len + 2) {
        if (len) {
            memcpy(q, text, len);
        }
        q += len;
        p = end;
    }
    while (p < end) {
        const uc *run = p;
        while ((p = json_plain(p, end)) < end && *p >= 0x80) {
            p = json_utf8_run(p, end);
        }
        memcpy(q, run, (size_t)(p - run));
        q += p - run;
        while (p < end && (*p < 0x20 || *p == '"' || *p == '\\')) {
            q = put_escape(q, *p++);
        }
    }
    *q++ = '"';
    return q;
}

/* Copies what is plain from *p on; at the first other byte or end. */
static inline const uc *copy_plain(const uc *p, const uc *end, char **out)
{
    char *q = *out;

#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    uint64_t      head;
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i bad =
            _mm_or_si128(_mm_cmplt_epi8(v, space),
                         _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
        unsigned m = (unsigned)_mm_movemask_epi8(bad);
        _mm_storeu_si128((__m128i *)(void *)q, v);
        if (m) {
            unsigned n = (unsigned)__builtin_ctz(m);
            *out = q + n;
            return p + n;
        }
        p += 16;
        q += 16;
    }
    if (json_copy_short(q, p, (size_t)(end - p), &head)) {
        *out = q + (end - p);
        return end;
    }
#endif
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
        *q++ = (char)*p++;
    }
    *out = q;
    return p;
}

drh_status json_quote_part(const char **at, const char *text_end, char **out, const char *limit)
{
    const uc  *p = (const uc *)*at, *end = (const uc *)text_end;
    char      *q = *out;
    drh_status st = DRH_OK;

    while (p < end && limit - q >= end - p + JSON_QUOTE_ROOM) {
        p = copy_plain(p, end, &q);
        if (p < end && *p >= 0x80) {
            const uc *run = p;
            p = json_utf8_run(p, end);
            if (p == run) {
                st = DRH_E_DATA;
                break;
            }
            memcpy(q, run, (size_t)(p - run));
            q += p - run;
        } else if (p < end) {
            q = put_escape(q, *p++);
        }
    }
    *at = (const char *)p;
    *out = q;
    return st;
}

drh_status json_quote(struct buf *b, const char *p, size_t len)
{
    size_t     size;
    drh_status st = json_quoted(p, len, &size);

    if (st == DRH_OK) {
        st = buf_reserve(b, size);
    }
    if (st == DRH_OK) {
        (void)json_quote_to(b->ptr + b->len, p, len, size);
        b->len += size;
        b->ptr[b->len] = '\0';
    }
    return st;
}

size_t json_escape_len(const char *p)
{
    if (p[1] != 'u') {
        return 2;
    }
    return (p[2] | 0x20) == 'd' && ((uc)p[3] >= '8') ? 12 : 6;
}

bool json_key_is(const char *key, size_t key_len, bool escaped, const char *want, size_t len)
{
    const char *end = key + key_len, *want_end;
    char        part[4];

    if (!escaped || len == 0) {
        return key_len == len && (len == 0 || memcmp(key, want, len) == 0);
    }
    want_end = want + len;
    while (key < end) {
        size_t n = 1, from = 1;
        part[0] = *key;
        if (*key == '\\') {
            from = json_escape_len(key);
            n = json_unescape(key, from, part);
        }
        if ((size_t)(want_end - want) < n || memcmp(part, want, n) != 0) {
            return false;
        }
        key += from;
        want += n;
    }
    return want == want_end;
}
