/* SPDX-License-Identifier: MIT
 * codec.c - the encodings and digests of util.h. */
#include "util.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";

/* Bytes of the UTF-8 sequence that starts at p, 0: none does. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
    size_t   k = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c = k > 1 ? p[0] & (0x7fu >> k) : p[0];

    if (k == 0 || p[0] > 0xf4 || k > n) {
        return 0;
    }
    for (size_t i = 1; i < k; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    if ((k == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
        (k == 4 && (c < 0x10000 || c > 0x10ffff))) {
        return 0;
    }
    return k;
}

void sb_json(struct sb *s, const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;

    sb_putc(s, '"');
    for (size_t i = 0, k; i < n; i += k) {
        k = utf8_len(p + i, n - i);
        if (p[i] == '"' || p[i] == '\\') {
            sb_printf(s, "\\%c", p[i]);
        } else if (k == 0 || p[i] < 0x20) {
            sb_printf(s, "\\u%04x", p[i]);
            k = 1;
        } else {
            sb_add(s, text + i, k);
        }
    }
    sb_putc(s, '"');
}

void sb_jsons(struct sb *s, const char *text)
{
    sb_json(s, text, strlen(text));
}

void sb_quote(struct sb *s, const char *text, const char *keep)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~";

    for (; *text; text++) {
        if (strchr(plain, *text) || strchr(keep, *text)) {
            sb_putc(s, *text);
        } else {
            sb_printf(s, "%%%02X", (unsigned char)*text);
        }
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t unquote(char *s, bool plus_is_space)
{
    char *to = s;

    for (const char *from = s; *from; from++) {
        if (*from == '%') {
            int hi = hex_digit(from[1]), lo = hi < 0 ? -1 : hex_digit(from[2]);

            if (lo < 0 || hi + lo == 0) {
                return (size_t)-1;
            }
            *to++ = (char)(hi * 16 + lo);
            from += 2;
        } else {
            *to++ = *from == '+' && plus_is_space ? ' ' : *from;
        }
    }
    *to = '\0';
    return (size_t)(to - s);
}

void hex_text(const void *p, size_t n, char *out)
{
    const unsigned char *b = p;

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[b[i] >> 4];
        out[2 * i + 1] = digits[b[i] & 15];
    }
    out[2 * n] = '\0';
}

char *base64_text(const void *p, size_t n, bool url)
{
    char *out = xalloc((n + 2) / 3 * 4 + 1, 1);

    (void)EVP_EncodeBlock((unsigned char *)out, p, (int)n);
    for (char *c = out; url && *c; c++) {
        *c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
    }
    return out;
}

size_t base64_data(const char *text, char **out)
{
    struct sb s = {NULL, 0, 0};
    size_t    pad = 0;
    int       n;

    for (; *text; text++) {
        sb_putc(&s, (char)(*text == '-' ? '+' : *text == '_' ? '/' : *text));
    }
    while (s.n % 4) {
        sb_putc(&s, '=');
    }
    while (pad < s.n && s.p[s.n - 1 - pad] == '=') {
        pad++;
    }
    *out = xalloc(s.n + 1, 1);
    n = EVP_DecodeBlock((unsigned char *)*out, (const unsigned char *)sb_text(&s), (int)s.n);
    sb_free(&s);
    if (n < 0 || pad > 2) {
        free(*out);
        *out = NULL;
        return (size_t)-1;
    }
    (*out)[(size_t)n - pad] = '\0';
    return (size_t)n - pad;
}

static void digest_text(const EVP_MD *how, const void *p, size_t n, char *out)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned      len = 0;

    if (EVP_Digest(p, n, md, &len, how, NULL) != 1) {
        abort();
    }
    hex_text(md, len, out);
}

void sha256_text(const void *p, size_t n, char out[65])
{
    digest_text(EVP_sha256(), p, n, out);
}

void sha1_text(const void *p, size_t n, char out[41])
{
    digest_text(EVP_sha1(), p, n, out);
}

void md5_text(const void *p, size_t n, char out[33])
{
    digest_text(EVP_md5(), p, n, out);
}

void made_id(char out[41], const char *fmt, ...)
{
    struct sb s = {NULL, 0, 0};
    va_list   ap;

    va_start(ap, fmt);
    sb_vprintf(&s, fmt, ap);
    va_end(ap);
    sha1_text(s.p, s.n, out);
    sb_free(&s);
}
