/* SPDX-License-Identifier: MIT
 * crash.c - see crash.h.  The handler uses only calls that are safe in one. */
#include "crash.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static _Thread_local struct {
    const char *step, *file;
    size_t      file_len;
    uint64_t    row;
} now;

void crash_note(const char *step, const char *file, size_t file_len, uint64_t row)
{
    now.step = step;
    now.file = file;
    now.file_len = file_len;
    now.row = row;
}

#ifndef SANITIZED
static void put(const char *s, size_t n)
{
    if (write(STDERR_FILENO, s, n) < 0) {
        return; /* nothing left to try */
    }
}

static void put_number(uint64_t v)
{
    char   digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    put(digits + at, sizeof(digits) - at);
}

static void on_crash(int sig)
{
    static const char head[] = "\ndrhost: error: crashed (signal ", in[] = ") while in stage ",
                      from[] = ", records from row ", of[] = " of ",
                      hint[] = "; a plugin's bug: run it under a debugger, or leave it out\n";

    put(head, sizeof(head) - 1);
    put_number((uint64_t)sig);
    if (now.step) {
        put(in, sizeof(in) - 1);
        put(now.step, strlen(now.step));
        put(from, sizeof(from) - 1);
        put_number(now.row);
        put(of, sizeof(of) - 1);
        put(now.file, now.file_len);
        put(hint, sizeof(hint) - 1);
    } else {
        put(") in the host\n", 14);
    }
    /* SA_RESETHAND: returning runs into the default action, core file and all */
}
#endif

void crash_setup(void)
{
#ifndef SANITIZED
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction sa;

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = on_crash;
    sa.sa_flags = (int)SA_RESETHAND;
    (void)sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)sigaction(signals[i], &sa, NULL);
    }
#endif
}
