/* SPDX-License-Identifier: MIT
 * util.c - see util.h. */
#include "util.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void *xalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p) {
        abort();
    }
    return p;
}

void *xgrow(void *old, size_t n, size_t size)
{
    void *p = reallocarray(old, n ? n : 1, size);

    if (!p) {
        abort();
    }
    return p;
}

char *xdupn(const char *s, size_t n)
{
    char *p = xalloc(n + 1, 1);

    memcpy(p, s, n);
    return p;
}

char *xdup(const char *s)
{
    return xdupn(s, strlen(s));
}

char *xprintf(const char *fmt, ...)
{
    struct sb s = {NULL, 0, 0};
    va_list   ap;

    va_start(ap, fmt);
    sb_vprintf(&s, fmt, ap);
    va_end(ap);
    return sb_take(&s);
}

void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)fputs("fakehub: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
    exit(2);
}

/* ---- text that grows ----------------------------------------------------------------------- */

static void sb_room(struct sb *s, size_t more)
{
    if (s->cap - s->n <= more) {
        s->cap = (s->n + more + 64) * 2;
        s->p = xgrow(s->p, s->cap, 1);
    }
}

void sb_add(struct sb *s, const void *p, size_t n)
{
    sb_room(s, n);
    if (n) {
        memcpy(s->p + s->n, p, n);
    }
    s->n += n;
    s->p[s->n] = '\0';
}

void sb_puts(struct sb *s, const char *text)
{
    sb_add(s, text, strlen(text));
}

void sb_putc(struct sb *s, char c)
{
    sb_add(s, &c, 1);
}

void sb_vprintf(struct sb *s, const char *fmt, va_list ap)
{
    va_list again;
    int     n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0) {
        abort();
    }
    sb_room(s, (size_t)n);
    (void)vsnprintf(s->p + s->n, (size_t)n + 1, fmt, ap);
    s->n += (size_t)n;
}

void sb_printf(struct sb *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sb_vprintf(s, fmt, ap);
    va_end(ap);
}

const char *sb_text(const struct sb *s)
{
    return s->p ? s->p : "";
}

char *sb_take(struct sb *s)
{
    char *p = s->p ? s->p : xdup("");

    *s = (struct sb){NULL, 0, 0};
    return p;
}

void sb_free(struct sb *s)
{
    free(s->p);
    *s = (struct sb){NULL, 0, 0};
}

/* ---- clocks -------------------------------------------------------------------------------- */

static double clock_of(clockid_t which)
{
    struct timespec t;

    (void)clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double clock_now(void)
{
    return clock_of(CLOCK_MONOTONIC);
}

double clock_wall(void)
{
    return clock_of(CLOCK_REALTIME);
}

void http_date(double t, char out[40])
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t            at = (time_t)t;
    struct tm         tm;

    (void)gmtime_r(&at, &tm);
    (void)snprintf(out, 40, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7],
                   (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12],
                   (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
                   (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

void iso_date(double t, char out[32])
{
    time_t    at = (time_t)t;
    struct tm tm;

    (void)gmtime_r(&at, &tm);
    (void)strftime(out, 32, "%Y-%m-%dT%H:%M:%S.000Z", &tm);
}

/* ---- small things -------------------------------------------------------------------------- */

/* The finalizer of splitmix64. */
uint64_t mix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);

    return n >= k && strcmp(s + n - k, suffix) == 0;
}

bool glob_match(const char *pattern, const char *s)
{
    return fnmatch(pattern, s, FNM_NOESCAPE) == 0;
}
