/* SPDX-License-Identifier: MIT
 *
 * text.c - counting, and languages by their scripts; see filter.h.
 */
#include "filter.h"

enum { LANG_SAMPLE = 4096 };

/* The code point at p and its bytes; the host lets in valid UTF-8 only, what is none counts as a
 * byte. */
static uint32_t next(const uint8_t *p, size_t left, size_t *bytes)
{
    const size_t n = p[0] < 0xc0 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t     c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

    *bytes = n <= left ? n : 1;
    for (size_t i = 1; i < *bytes; i++) {
        c = c << 6 | (p[i] & 63u);
    }
    return c;
}

static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

static bool is_han(uint32_t c)
{
    return (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

static bool is_kana(uint32_t c)
{
    return (c >= 0x3041 && c <= 0x30ff) || (c >= 0x31f0 && c <= 0x31ff) ||
           (c >= 0xff66 && c <= 0xff9f);
}

static bool is_alone(uint32_t c)
{
    return is_han(c) || is_kana(c) || (c >= 0x0e00 && c <= 0x0eff) ||
           (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff);
}

struct filter_count filter_count(drh_str s)
{
    struct filter_count n = {0, 0};
    bool                inside = false;
    size_t              bytes;

    for (size_t at = 0; at < s.len; at += bytes) {
        const uint32_t c = next((const uint8_t *)s.ptr + at, s.len - at, &bytes);
        const bool     alone = c >= 0x80 && is_alone(c), space = is_space(c);
        n.chars++;
        n.words += alone || (!space && !inside);
        inside = !space && !alone;
    }
    return n;
}

const char *filter_lang(drh_str s)
{
    size_t latin = 0, han = 0, kana = 0, hangul = 0, cyrillic = 0, wide, bytes;

    for (size_t at = 0; at < s.len && at < LANG_SAMPLE; at += bytes) {
        const uint32_t c = next((const uint8_t *)s.ptr + at, s.len - at, &bytes);
        latin += (c | 0x20) - 'a' < 26 || (c >= 0xc0 && c <= 0x24f);
        han += is_han(c);
        kana += is_kana(c);
        hangul += c >= 0xac00 && c <= 0xd7a3;
        cyrillic += c >= 0x400 && c <= 0x4ff;
    }
    /* A letter of the Latin alphabet says about a quarter of what a Han character says. */
    wide = 4 * (han + kana + hangul);
    if (wide > latin && wide >= cyrillic) {
        return hangul > han + kana ? "Ko" : kana * 5 > han ? "Ja" : "Zh";
    }
    return cyrillic > latin ? "Ru" : latin > 0 ? "En" : "";
}
