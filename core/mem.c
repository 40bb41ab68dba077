/* SPDX-License-Identifier: MIT
 * mem.c - the process's allocator: calloc/realloc behind a counter and a fault switch.  Called by
 * all of core on any thread; the counters are atomic, everything else is the C library's. */
#include "mem.h"

#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint_fast64_t calls;
/* Count of the call that fails, 0 for none; written once at start, before other threads. */
static uint64_t fault_at;
static bool     fault_from_then_on;

/* Counts a call; true when it has to fail.  No object can be larger than a pointer difference. */
static bool refused(size_t size)
{
    uint64_t n = atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) + 1;

    if (size > PTRDIFF_MAX) {
        return true;
    }
    if (fault_at == 0) {
        return false;
    }
    return n == fault_at || (fault_from_then_on && n > fault_at);
}

void *mem_alloc(size_t n, size_t size)
{
    size_t bytes = size && n > SIZE_MAX / size ? SIZE_MAX : n * size;

    return refused(bytes) ? NULL : calloc(bytes ? bytes : 1, 1);
}

void *mem_resize(void *old, size_t size)
{
    if (size == 0) {
        free(old);
        return NULL;
    }
    return refused(size) ? NULL : realloc(old, size);
}

void mem_free(void *p)
{
    free(p);
}

char *mem_dup(const char *s, size_t len)
{
    char *p;

    if (refused(len)) {
        return NULL;
    }
    p = malloc(len + 1);
    if (p) {
        if (len) {
            memcpy(p, s, len);
        }
        p[len] = '\0';
    }
    return p;
}

char *mem_dupz(const char *s)
{
    return mem_dup(s, strlen(s));
}

char *mem_printf(const char *fmt, ...)
{
    va_list ap;
    char   *p;
    int     n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    p = n < 0 ? NULL : mem_alloc((size_t)n + 1, 1);
    if (p) {
        va_start(ap, fmt);
        (void)vsnprintf(p, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    return p;
}

void mem_fault_from_env(void)
{
    const char *s = getenv("DRHOST_FAULT");
    char       *end;
    uint64_t    n;

    fault_at = 0;
    fault_from_then_on = false;
    if (!s || strncmp(s, "alloc:", 6) != 0) {
        return;
    }
    n = strtoull(s + 6, &end, 10);
    if (end == s + 6 || n == 0 || (*end != '\0' && strcmp(end, "+") != 0)) {
        return;
    }
    fault_from_then_on = *end == '+';
    fault_at = n + mem_calls();
}

uint64_t mem_calls(void)
{
    return atomic_load_explicit(&calls, memory_order_relaxed);
}
