/* SPDX-License-Identifier: MIT
 * text.c - see text.h. */
#include "text.h"

/* ---- UTF-8 ---- */

/* Bytes of the character at p, of n; 0: it is none. */
static size_t char_len(const uint8_t *p, size_t n)
{
    size_t  k = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    uint8_t low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    uint8_t high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;

    if (k == 0 || k > n || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < k; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return k;
}

static bool check(const uint8_t *p, size_t n, bool controls)
{
    const uint8_t *end = p + n;

    while (p < end) {
        size_t k = *p < 0x80 ? 1 : char_len(p, (size_t)(end - p));
        bool   odd = (*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r') || *p == 0x7f;

        if (k == 0 || (odd && !controls)) {
            return false;
        }
        p += k;
    }
    return true;
}

bool col_utf8(const char *p, size_t n)
{
    return check((const uint8_t *)p, n, true);
}

bool col_is_text(const char *p, size_t n)
{
    return check((const uint8_t *)p, n, false);
}

/* ---- numbers ---- */

char *col_put_uint(char *out, uint64_t v)
{
    char   text[COL_NUMBER_SIZE], *p = text + sizeof(text);
    size_t n;

    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    n = (size_t)(text + sizeof(text) - p);
    memcpy(out, p, n);
    return out + n;
}

/* Exactly n digits. */
static char *put_digits(char *out, uint64_t v, size_t n)
{
    for (size_t i = n; i > 0; i--) {
        out[i - 1] = (char)('0' + v % 10);
        v /= 10;
    }
    return out + n;
}

/* A byte is less than 2.41 digits. */
size_t col_decimal_size(size_t n, uint32_t scale)
{
    return n * 5 / 2 + scale + 16;
}

/* The digits of `part`, n of them, most significant last; parts are 32 bits, least first. */
static size_t to_digits(uint32_t *part, size_t n, char *digit)
{
    size_t k = 0;

    while (n) {
        uint64_t left = 0;

        for (size_t i = n; i > 0; i--) {
            left = left << 32 | part[i - 1];
            part[i - 1] = (uint32_t)(left / 1000000000);
            left %= 1000000000;
        }
        while (n && part[n - 1] == 0) {
            n--;
        }
        for (int i = 0; i < 9; i++) {
            digit[k++] = (char)('0' + left % 10);
            left /= 10;
        }
    }
    while (k && digit[k - 1] == '0') {
        k--;
    }
    return k;
}

char *col_put_decimal(char *out, const uint8_t *p, size_t n, uint32_t scale)
{
    uint32_t part[COL_MAX_DECIMAL / 4 + 1] = {0};
    char     digit[COL_MAX_DECIMAL * 5 / 2 + 16];
    bool     minus = n && (p[0] & 0x80);
    uint32_t carry = minus;
    size_t   k, whole;

    for (size_t i = 0; i < n; i++) {
        uint32_t b = minus ? (uint8_t)~p[n - 1 - i] : p[n - 1 - i];
        b += carry;
        carry = b >> 8;
        part[i / 4] |= (b & 0xff) << i % 4 * 8;
    }
    part[n / 4] |= carry << n % 4 * 8;
    k = to_digits(part, n / 4 + 1, digit);
    if (minus) {
        *out++ = '-';
    }
    whole = k > scale ? k : (size_t)scale + 1;
    for (size_t i = whole; i > 0; i--) {
        if (i == scale) {
            *out++ = '.';
        }
        *out++ = i > k ? '0' : digit[i - 1];
    }
    return out;
}

/* ---- bytes ---- */

char *col_put_base64(char *out, const uint8_t *p, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (; n >= 3; n -= 3, p += 3) {
        uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        *out++ = digit[v >> 18];
        *out++ = digit[v >> 12 & 63];
        *out++ = digit[v >> 6 & 63];
        *out++ = digit[v & 63];
    }
    if (n) {
        uint32_t v = (uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0);
        *out++ = digit[v >> 18];
        *out++ = digit[v >> 12 & 63];
        *out++ = n == 2 ? digit[v >> 6 & 63] : '=';
        *out++ = '=';
    }
    return out;
}

char *col_put_uuid(char *out, const uint8_t *p)
{
    static const char digit[] = "0123456789abcdef";

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *out++ = '-';
        }
        *out++ = digit[p[i] >> 4];
        *out++ = digit[p[i] & 15];
    }
    return out;
}

/* ---- times ---- */

enum { DAY = 86400 };

/* The civil calendar carried on to both sides; 400 years are 146097 days, and a year begins in
 * March, so that the day that is not always there is its last. */
char *col_put_date(char *out, int64_t days)
{
    int64_t  shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    uint64_t of_era = (uint64_t)(shifted - era * 146097);
    uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * of_year + 2) / 153;
    uint64_t day = of_year - (153 * month + 2) / 5 + 1;
    int64_t  y = (int64_t)year + era * 400 + (month >= 10);

    if (y < 0 || y > 9999) {
        *out++ = y < 0 ? '-' : '+';
    }
    y = y < 0 ? -y : y;
    out = y > 9999 ? col_put_uint(out, (uint64_t)y) : put_digits(out, (uint64_t)y, 4);
    *out++ = '-';
    out = put_digits(out, month < 10 ? month + 3 : month - 9, 2);
    *out++ = '-';
    return put_digits(out, day, 2);
}

/* What is left of a second: nothing, six digits or nine. */
static char *put_fraction(char *out, uint64_t v, uint32_t per_second)
{
    uint64_t nano = v * (1000000000 / per_second);

    if (nano == 0) {
        return out;
    }
    *out++ = '.';
    return nano % 1000 ? put_digits(out, nano, 9) : put_digits(out, nano / 1000, 6);
}

char *col_put_time(char *out, uint64_t v, uint32_t per_second)
{
    uint64_t s = v / per_second;

    out = put_digits(out, s / 3600, 2);
    *out++ = ':';
    out = put_digits(out, s / 60 % 60, 2);
    *out++ = ':';
    out = put_digits(out, s % 60, 2);
    return put_fraction(out, v % per_second, per_second);
}

char *col_put_timestamp(char *out, int64_t v, uint32_t per_second, bool utc)
{
    int64_t day = (int64_t)per_second * DAY, days = v / day, left = v % day;

    if (left < 0) {
        left += day;
        days--;
    }
    out = col_put_date(out, days);
    *out++ = 'T';
    out = col_put_time(out, (uint64_t)left, per_second);
    if (utc) {
        memcpy(out, "+00:00", 6);
        out += 6;
    }
    return out;
}

/* The Julian day of 1970-01-01 is 2440588. */
char *col_put_int96(char *out, const uint8_t *p)
{
    int64_t  days = (int64_t)(int32_t)col_u32(p + 8) - 2440588;
    uint64_t nano = col_u64(p), day = (uint64_t)DAY * 1000000000;

    out = col_put_date(out, days + (int64_t)(nano / day));
    *out++ = 'T';
    return col_put_time(out, nano % day, 1000000000);
}

char *col_put_interval(char *out, const uint8_t *p)
{
    uint32_t ms = col_u32(p + 8);

    *out++ = 'P';
    out = col_put_uint(out, col_u32(p));
    *out++ = 'M';
    out = col_put_uint(out, col_u32(p + 4));
    *out++ = 'D';
    *out++ = 'T';
    out = col_put_uint(out, ms / 1000);
    if (ms % 1000) {
        *out++ = '.';
        out = put_digits(out, ms % 1000, 3);
    }
    *out++ = 'S';
    return out;
}
