/* SPDX-License-Identifier: MIT
 * util.h - memory, text, encodings, digests and clocks of the fake hubs.  A test server has nobody
 * to report to when memory gives out: it aborts.  [any] */
#ifndef NET_UTIL_H
#define NET_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void *xalloc(size_t n, size_t size); /* zeroed */
void *xgrow(void *old, size_t n, size_t size);
char *xdup(const char *s);
char *xdupn(const char *s, size_t n);
PRINTF_LIKE(1, 2) char *xprintf(const char *fmt, ...);
/* Says why and exits with status 2. */
PRINTF_LIKE(1, 2) __attribute__((noreturn)) void die(const char *fmt, ...);

/* A text that grows; p ends in 0 as soon as something was added.  sb_text() is never NULL. */
struct sb {
    char  *p; /* owned */
    size_t n, cap;
};

void sb_add(struct sb *s, const void *p, size_t n);
void sb_puts(struct sb *s, const char *text);
void sb_putc(struct sb *s, char c);
PRINTF_LIKE(2, 3) void sb_printf(struct sb *s, const char *fmt, ...);
PRINTF_LIKE(2, 0) void sb_vprintf(struct sb *s, const char *fmt, va_list ap);
const char *sb_text(const struct sb *s);
char       *sb_take(struct sb *s); /* the caller's; s is empty then */
void        sb_free(struct sb *s);

/* "text" as JSON; what is no UTF-8 becomes \u00XX, byte by byte. */
void sb_json(struct sb *s, const char *text, size_t n);
void sb_jsons(struct sb *s, const char *text);
/* Percent-encodes all but letters, digits, "_.-~" and those in `keep`. */
void sb_quote(struct sb *s, const char *text, const char *keep);
/* Decodes %XX in place; returns the new length, or (size_t)-1: broken escape or %00. */
size_t unquote(char *s, bool plus_is_space);

void   hex_text(const void *p, size_t n, char *out); /* 2n + 1 bytes */
char  *base64_text(const void *p, size_t n, bool url);
size_t base64_data(const char *text, char **out); /* either alphabet; (size_t)-1: broken */

void sha256_text(const void *p, size_t n, char out[65]);
void sha1_text(const void *p, size_t n, char out[41]);
void md5_text(const void *p, size_t n, char out[33]);
/* 40 hex digits out of a few words; the same for the same words. */
PRINTF_LIKE(2, 3) void made_id(char out[41], const char *fmt, ...);

uint64_t mix64(uint64_t x);
double   clock_now(void);  /* seconds, steady */
double   clock_wall(void); /* seconds since 1970 */
void     http_date(double t, char out[40]);
void     iso_date(double t, char out[32]); /* 2026-01-31T12:00:00.000Z */

bool starts_with(const char *s, const char *prefix);
bool ends_with(const char *s, const char *suffix);
bool glob_match(const char *pattern, const char *s); /* '*' crosses '/' */

#endif
