/* SPDX-License-Identifier: MIT
 * json_num.c - numbers as text and back, the same in every locale.  No state; any thread. */
#include "json.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

drh_status json_i64(const char *p, size_t len, int64_t *out)
{
    const char *end = p + len;
    bool        minus = len && *p == '-';
    uint64_t    v = 0, limit = (uint64_t)INT64_MAX + minus;
    drh_status  st = DRH_OK;

    p += minus;
    if (p == end || *p < '0' || *p > '9') {
        return DRH_E_TYPE;
    }
    for (; p < end; p++) {
        unsigned d = (unsigned)((unsigned char)*p - '0');
        if (d > 9) {
            return DRH_E_TYPE;
        }
        if (v > (limit - d) / 10) {
            st = DRH_E_RANGE;
        } else {
            v = v * 10 + d;
        }
    }
    if (st == DRH_OK) {
        *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    }
    return st;
}

/* A number as digits[0,n) * 10^exp10. */
enum { MAX_DIGITS = 800 };
struct decimal {
    bool minus;
    int  n, exp10;
    char digit[MAX_DIGITS + 1];
};

static void decimal_add(struct decimal *d, char c, bool after_point)
{
    if (d->n == 0 && c == '0') {
        d->exp10 -= after_point;
        return;
    }
    if (d->n < MAX_DIGITS) {
        d->digit[d->n++] = c;
        d->exp10 -= after_point;
        return;
    }
    /* 768 digits decide which double is nearest; of the rest only whether it is 0 matters. */
    d->exp10 += !after_point;
    if (c != '0') {
        d->digit[MAX_DIGITS - 1] = '1';
    }
}

static bool decimal_read(struct decimal *d, const char *p, const char *end)
{
    bool after_point = false, exp_minus = false;
    int  e = 0;

    d->minus = p < end && *p == '-';
    p += d->minus;
    d->n = d->exp10 = 0;
    if (p == end || *p < '0' || *p > '9') {
        return false;
    }
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            after_point = true;
        } else {
            decimal_add(d, *p, after_point);
        }
    }
    if (p < end) {
        p++;
        exp_minus = p < end && *p == '-';
        p += p < end && (*p == '-' || *p == '+');
        for (; p < end; p++) {
            e = e < 100000000 ? e * 10 + (*p - '0') : e;
        }
    }
    d->exp10 += exp_minus ? -e : e;
    return true;
}

/* All powers of ten that a double holds exactly. */
static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                             1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Exact when the digits fit in 53 bits and the power of ten is exact too: one rounding. */
static bool decimal_fast(const struct decimal *d, double *out)
{
    uint64_t v = 0;
    int      i;

    if (d->n > 19 || d->exp10 < -22 || d->exp10 > 22) {
        return false;
    }
    for (i = 0; i < d->n; i++) {
        v = v * 10 + (uint64_t)(d->digit[i] - '0');
    }
    if (v > (uint64_t)1 << 53) {
        return false;
    }
    *out = d->exp10 < 0 ? (double)v / ten[-d->exp10] : (double)v * ten[d->exp10];
    return true;
}

/* The C library's, which rounds correctly, told to use the C locale. */
static double decimal_slow(struct decimal *d)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* a static object: cannot fail */
    char     text[MAX_DIGITS + 16];
    int      e = d->exp10 > 99999 ? 99999 : d->exp10 < -99999 ? -99999 : d->exp10;
    double   v;

    d->digit[d->n] = '\0';
    (void)snprintf(text, sizeof(text), "%se%d", d->digit, e);
    v = strtod_l(text, NULL, c);
    freelocale(c);
    return v;
}

drh_status json_f64(const char *p, size_t len, double *out)
{
    struct decimal d;
    double         v = 0;

    if (!decimal_read(&d, p, p + len)) {
        return DRH_E_TYPE;
    }
    if (d.n && !decimal_fast(&d, &v)) {
        v = decimal_slow(&d);
    }
    if (isinf(v)) {
        return DRH_E_RANGE;
    }
    *out = d.minus ? -v : v;
    return DRH_OK;
}

/* ---- writing ---- */

static bool reads_back(struct decimal *d, double v)
{
    double w;

    if (!decimal_fast(d, &w)) {
        w = decimal_slow(d);
    }
    return w == v;
}

/* *d becomes v > 0 rounded to n digits. */
static void round_to(struct decimal *d, double v, int n)
{
    char        text[64];
    const char *p;

    /* Some locales put something else than '.' behind the first digit: digits only are taken. */
    (void)snprintf(text, sizeof(text), "%.*e", n - 1, v);
    d->minus = false;
    d->n = 0;
    for (p = text; *p && *p != 'e'; p++) {
        if (*p >= '0' && *p <= '9') {
            d->digit[d->n++] = *p;
        }
    }
    d->exp10 = (int)strtol(p + 1, NULL, 10) - (n - 1);
}

/* The next larger number of as many digits. */
static void step_up(struct decimal *d)
{
    int i = d->n - 1;

    while (i > 0 && d->digit[i] == '9') {
        d->digit[i--] = '0';
    }
    d->digit[i]++; /* "99..9" does not come here: 10^n has one digit */
}

/* *d becomes v rounded to n digits, taken from its 17 when these leave no doubt: printing is what
 * costs. */
static void round_from(struct decimal *d, const struct decimal *full, double v, int n)
{
    const char *tail = full->digit + n;
    bool        half = *tail == '5' && strspn(tail + 1, "0") == (size_t)(full->n - n - 1);

    if (half || strspn(full->digit, "9") >= (size_t)n) {
        round_to(d, v, n);
        return;
    }
    d->minus = false;
    d->n = n;
    d->exp10 = full->exp10 + full->n - n;
    memcpy(d->digit, full->digit, (size_t)n);
    if (*tail >= '5') {
        step_up(d);
    }
}

/* What people write has few digits: the least k for which v is the double next to a whole number
 * over 10^k gives them.  Up to 15 digits no other ones mean v.  False: it has more. */
static bool few_digits(struct decimal *d, double v)
{
    for (int k = 1; k < (int)(sizeof(ten) / sizeof(ten[0])) && v * ten[k] < 1e15; k++) {
        const int64_t whole = (int64_t)(v * ten[k] + 0.5);

        if ((double)whole / ten[k] == v) {
            d->minus = false;
            d->n = (int)json_fmt_i64(d->digit, whole);
            d->exp10 = -k;
            return true;
        }
    }
    return false;
}

static void shortest(struct decimal *d, double v)
{
    struct decimal full;
    /* Any 15 digits survive a normal double, so a shorter form is these without zeros at the end;
     * subnormals have fewer digits of their own. */
    int n = v < 2.2250738585072014e-308 ? 1 : 15, exp2;

    round_to(&full, v, 17);
    full.digit[17] = '\0';
    for (; n < 17; n++) {
        round_from(d, &full, v, n);
        if (reads_back(d, v)) {
            break;
        }
        /* Below a power of two the doubles lie closer: the nearest decimal may be too low while
         * the next one up is right. */
        if (frexp(v, &exp2) == 0.5 && d->digit[0] != '9') {
            step_up(d);
            if (reads_back(d, v)) {
                break;
            }
        }
    }
    if (n == 17) {
        *d = full;
    }
    while (d->n > 1 && d->digit[d->n - 1] == '0') {
        d->n--;
        d->exp10++;
    }
}

static char *put(char *q, const char *p, int n)
{
    memcpy(q, p, (size_t)n);
    return q + n;
}

static char *put_zeros(char *q, int n)
{
    memset(q, '0', (size_t)n);
    return q + n;
}

/* The rules of JavaScript: plain digits from 1e-6 to 1e21, else an exponent. */
static char *put_decimal(char *q, const struct decimal *d)
{
    int point = d->n + d->exp10; /* digits before the point */

    if (point > 21 || point < -5) {
        *q++ = d->digit[0];
        if (d->n > 1) {
            *q++ = '.';
            q = put(q, d->digit + 1, d->n - 1);
        }
        return q + snprintf(q, 8, "e%+d", point - 1);
    }
    if (point <= 0) {
        q = put_zeros(put(q, "0.", 2), -point);
        return put(q, d->digit, d->n);
    }
    if (d->exp10 >= 0) {
        return put_zeros(put(q, d->digit, d->n), d->exp10);
    }
    q = put(q, d->digit, point);
    *q++ = '.';
    return put(q, d->digit + point, d->n - point);
}

size_t json_fmt_f64(char *out, double v)
{
    struct decimal d;
    char          *q = out;

    if (!isfinite(v)) {
        return 0;
    }
    if (signbit(v)) {
        *q++ = '-';
        v = -v;
    }
    if (v < 9007199254740992.0 && (double)(int64_t)v == v) {
        return (size_t)(q - out) + json_fmt_i64(q, (int64_t)v);
    }
    if (!few_digits(&d, v)) {
        shortest(&d, v);
    }
    return (size_t)(put_decimal(q, &d) - out);
}

size_t json_fmt_i64(char *out, int64_t v)
{
    char     text[24], *p = text + sizeof(text);
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    size_t   n;

    do {
        *--p = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0) {
        *--p = '-';
    }
    n = (size_t)(text + sizeof(text) - p);
    memcpy(out, p, n);
    return n;
}

drh_status json_put_f64(struct buf *b, double v)
{
    char   text[JSON_NUM_SIZE];
    size_t n = json_fmt_f64(text, v);

    return n ? buf_add(b, text, n) : DRH_E_RANGE;
}

drh_status json_put_i64(struct buf *b, int64_t v)
{
    char text[JSON_NUM_SIZE];

    return buf_add(b, text, json_fmt_i64(text, v));
}
