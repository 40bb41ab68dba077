/* SPDX-License-Identifier: MIT
 *
 * drh/util.h - small helpers for plugin authors.  All inline; nothing to link.
 */
#ifndef DRH_UTIL_H
#define DRH_UTIL_H

#include <drh/plugin.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A string literal as pointer, length. */
#define DRH_LIT(s) (s), (sizeof(s) - 1)

/* A drh_error on the stack, ready to be passed. */
#define DRH_ERROR_INIT                                                                             \
    {                                                                                              \
        (uint32_t)sizeof(drh_error), DRH_OK, 0, 0, -1, "", ""                                      \
    }

static inline drh_str drh_str_of(const char *s)
{
    drh_str t;
    t.ptr = s;
    t.len = s ? strlen(s) : 0;
    return t;
}

static inline int drh_str_eq(drh_str s, const char *lit)
{
    size_t n = strlen(lit);
    return s.len == n && (n == 0 || memcmp(s.ptr, lit, n) == 0);
}

static inline drh_field drh_field_of(const drh_host *h, const char *name)
{
    return h->field(h, name, strlen(name));
}

/* Fills `e` (may be NULL) and returns `code`:  return drh_fail(e, DRH_E_CONFIG, "...", ...); */
__attribute__((format(printf, 3, 4))) static inline drh_status
drh_fail(drh_error *e, drh_status code, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        e->code = code;
        va_start(ap, fmt);
        (void)vsnprintf(e->message, sizeof(e->message), fmt, ap);
        va_end(ap);
    }
    return code;
}

/* One formatted line to the host's log; cut at 1 KiB. */
__attribute__((format(printf, 3, 4))) static inline void drh_logf(const drh_host *h, uint32_t level,
                                                                  const char *fmt, ...)
{
    char    line[1024];
    va_list ap;
    int     n;
    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n > 0) {
        h->log(h, level, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
    }
}

#ifdef __cplusplus
}
#endif
#endif /* DRH_UTIL_H */
