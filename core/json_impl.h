/* SPDX-License-Identifier: MIT
 * json_impl.h - what the json_*.c files, builder.c and value.c share: finding the next byte of a
 * string that needs a look, one UTF-8 sequence, and the keys of open objects.  Nobody else includes
 * this. */
#ifndef CORE_JSON_IMPL_H
#define CORE_JSON_IMPL_H

#include "json.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- bytes ---- */

#define JSON_ONES 0x0101010101010101u
#define JSON_HIGHS 0x8080808080808080u

/* Bytes of `w` equal to c get their high bit set; a byte above a hit may get it too. */
static inline uint64_t json_swar_eq(uint64_t w, unsigned char c)
{
    uint64_t x = w ^ (JSON_ONES * c);
    return (x - JSON_ONES) & ~x & JSON_HIGHS;
}

/* Is a byte of `w` a control, '"', '\\' or from 0x80 on? */
static inline bool json_swar_special(uint64_t w)
{
    return ((((w - JSON_ONES * 0x20) | w) & JSON_HIGHS) | json_swar_eq(w, '"') |
            json_swar_eq(w, '\\')) != 0;
}

/* memcmp() == 0 for the length of a key, which mostly is less than what a call costs. */
static inline bool json_same(const char *a, const char *b, size_t n)
{
    uint64_t x, y, v, w;
    uint32_t s, t, m, k;

    if (n > 16) {
        return memcmp(a, b, n) == 0;
    }
    if (n >= 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        memcpy(&v, a + n - 8, 8);
        memcpy(&w, b + n - 8, 8);
        return ((x ^ y) | (v ^ w)) == 0;
    }
    if (n >= 4) {
        memcpy(&s, a, 4);
        memcpy(&t, b, 4);
        memcpy(&m, a + n - 4, 4);
        memcpy(&k, b + n - 4, 4);
        return ((s ^ t) | (m ^ k)) == 0;
    }
    return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

/* Are the 16 bytes of a and b all plain inside a string? */
static inline bool json_plain_words(uint64_t a, uint64_t b)
{
#ifdef __SSE2__
    const __m128i v = _mm_set_epi64x((long long)b, (long long)a);

    /* signed: controls and bytes from 0x80 on are both below 0x20 */
    return !_mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
                                           _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                                        _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')))));
#else
    return !json_swar_special(a) && !json_swar_special(b);
#endif
}

/* Copies p[0,n), n < 16, to q if all of it is plain inside a string.  *head gets the first 8 bytes
 * as one number, zeros behind a shorter text: not read back from q, where they have just been
 * written in pieces, which takes longer than the rest. */
static inline bool json_copy_short(char *q, const unsigned char *p, size_t n, uint64_t *head)
{
    uint64_t a, b;
    uint32_t low, high;

    if (n >= 8) {
        memcpy(&a, p, 8);
        memcpy(&b, p + n - 8, 8);
        memcpy(q, &a, 8);
        memcpy(q + n - 8, &b, 8);
        *head = a;
        return json_plain_words(a, b);
    }
    if (n >= 4) {
        memcpy(&low, p, 4);
        memcpy(&high, p + n - 4, 4);
        memcpy(q, &low, 4);
        memcpy(q + n - 4, &high, 4);
        *head = (uint64_t)high << 8 * (n - 4) | low;
        a = (uint64_t)high << 32 | low;
        return json_plain_words(a, a);
    }
    *head = 0;
    if (n == 0) {
        return true;
    }
    q[0] = (char)p[0]; /* the first, the middle and the last one: all of them */
    q[n / 2] = (char)p[n / 2];
    q[n - 1] = (char)p[n - 1];
    a = p[0] | (uint64_t)p[n / 2] << 8 * (n / 2) | (uint64_t)p[n - 1] << 8 * (n - 1);
    *head = a;
    a |= JSON_ONES * 'a' << 8 * n;
    return json_plain_words(a, a);
}

/* Past the bytes from p on that are plain inside a string: ASCII from 0x20 on, no '"', no '\\'. */
static inline const unsigned char *json_plain(const unsigned char *p, const unsigned char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* signed: controls and bytes from 0x80 on are both below 0x20 */
        __m128i bad =
            _mm_or_si128(_mm_cmplt_epi8(v, space),
                         _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
        unsigned m = (unsigned)_mm_movemask_epi8(bad);
        if (m) {
            return p + __builtin_ctz(m);
        }
        p += 16;
    }
#else
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        if (json_swar_special(w)) {
            break;
        }
        p += 8;
    }
#endif
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }
    return p;
}

#ifdef __SSE2__
/* p behind an opening quote, 16 bytes to read: at the closing one when all before it is plain, else
 * NULL. */
static inline const unsigned char *json_short_plain(const unsigned char *p)
{
    const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    unsigned      quote = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
    unsigned      other = (unsigned)_mm_movemask_epi8(_mm_or_si128(
             _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));

    return quote && !(other & (quote ^ (quote - 1))) ? p + __builtin_ctz(quote) : NULL;
}
#endif

/* At the next '"' or '\\', or at end. */
static inline const char *json_quote_or_slash(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    while (end - p >= 16) {
        __m128i  v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i  hit = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash));
        unsigned m = (unsigned)_mm_movemask_epi8(hit);
        if (m) {
            return p + __builtin_ctz(m);
        }
        p += 16;
    }
#else
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        if (json_swar_eq(w, '"') | json_swar_eq(w, '\\')) {
            break;
        }
        p += 8;
    }
#endif
    while (p < end && *p != '"' && *p != '\\') {
        p++;
    }
    return p;
}

/* p just behind an opening quote of accepted text: at the closing one. */
static inline const char *json_string_end(const char *p, const char *end)
{
    for (;;) {
        p = json_quote_or_slash(p, end);
        if (p >= end || *p == '"') {
            return p;
        }
        p += 2;
    }
}

/* Quotes text[*at,end) to *out, without the quotes themselves, in one pass, until it is done or
 * `limit` comes near: at the end *at == end.  There must be room for the text and JSON_QUOTE_ROOM
 * more for this to get on.  DRH_E_DATA: not UTF-8. */
enum { JSON_QUOTE_ROOM = 32 };
drh_status json_quote_part(const char **at, const char *end, char **out, const char *limit);

/* p behind the opening quote of accepted text: decodes to *out, which has room for the source and
 * 16 bytes more; at the closing quote. */
const char *json_decode(const char *p, const char *end, char **out);

/* Past the well-formed sequences of two to four bytes from p on; at the first other byte. */
const unsigned char *json_utf8_run(const unsigned char *p, const unsigned char *end);

/* ---- keys of open objects, for the duplicate check ---- */

struct json_key {
    const char *ptr;  /* unescaped */
    uint64_t    head; /* json_key_head(); a hash once its object is hashed */
    uint32_t    len;
    uint32_t    slot; /* in the hash table, + 1; 0: its object is not hashed */
};

/* A stack of keys: those of the innermost object lie on top.  Objects up to JSON_KEYS_PLAIN keys
 * are compared one by one; those of larger objects are in one hash table too, from which they leave
 * in reverse order when their object closes. */
enum { JSON_KEYS_PLAIN = 16 };
struct json_keys {
    struct arena    *arena; /* what grows beyond `first` */
    struct json_key *keys;
    uint32_t         n, cap;
    uint32_t        *table; /* key index + 1; at most half full */
    uint32_t         mask, used;
    struct json_key  first[64];
};

void json_keys_init(struct json_keys *k, struct arena *a);
/* Adds a key to the object whose first key is number `base`.  `escaped`: ptr is JSON source with
 * backslashes.  DRH_E_DATA: it is there already.  DRH_E_NOMEM. */
drh_status json_keys_add(struct json_keys *k, uint32_t base, const char *ptr, uint32_t len,
                         bool escaped);
/* The first 8 bytes of a key as one number, zeros behind a shorter one; all 8 can be read. */
static inline uint64_t json_key_head(const char *ptr, size_t len)
{
    uint64_t w;

    memcpy(&w, ptr, 8);
    return len < 8 ? w & (((uint64_t)1 << (8 * len)) - 1) : w;
}

/* The same for what nearly all keys are: without escapes, in a small object; the head is known. */
static inline drh_status json_keys_add_plain(struct json_keys *k, uint32_t base, const char *ptr,
                                             uint32_t len, uint64_t head)
{
    uint32_t i;

    if (k->n == k->cap || k->n - base >= JSON_KEYS_PLAIN) {
        return json_keys_add(k, base, ptr, len, false);
    }
    for (i = base; i < k->n; i++) {
        if (k->keys[i].head == head && k->keys[i].len == len &&
            memcmp(k->keys[i].ptr, ptr, len) == 0) {
            return DRH_E_DATA;
        }
    }
    k->keys[i].ptr = ptr;
    k->keys[i].head = head;
    k->keys[i].len = len;
    k->keys[i].slot = 0;
    k->n++;
    return DRH_OK;
}

/* The object whose first key is number `base` closes. */
void json_keys_close(struct json_keys *k, uint32_t base);
/* What the keys point into has moved from `from` to `to`. */
void json_keys_moved(struct json_keys *k, const char *from, const char *to);

#endif
