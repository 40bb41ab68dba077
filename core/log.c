/* SPDX-License-Identifier: MIT
 * log.c - see log.h. */
#include "log.h"

#include "clock.h"
#include "err.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t        least_level = DRH_LOG_INFO;
static bool            progress_on, line_open;
static double          started, printed;

static void clear_line(void)
{
    if (line_open) {
        (void)fputs("\r\033[K", stderr);
        line_open = false;
    }
}

void log_set_level(uint32_t least)
{
    least_level = least;
}

void log_line(uint32_t level, const char *step, const char *msg, size_t len)
{
    static const char *const words[] = {"debug: ", "", "warning: ", "error: "};
    char                     line[4096];

    if (level < least_level) {
        return;
    }
    len = len < sizeof(line) ? len : sizeof(line);
    memcpy(line, msg, len);
    err_harmless(line, len); /* servers have their say here, too */
    (void)pthread_mutex_lock(&lock);
    clear_line();
    (void)fprintf(stderr, "drhost: %s%s%s%.*s\n", words[level < 4 ? level : 3], step ? step : "",
                  step ? ": " : "", (int)len, line);
    (void)pthread_mutex_unlock(&lock);
}

void log_put(uint32_t level, const char *fmt, ...)
{
    char    line[2048];
    va_list ap;
    int     n;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n > 0) {
        log_line(level, NULL, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
    }
}

void progress_enable(bool on)
{
    progress_on = on;
    printed = clock_now();
}

void progress_start(const char *what)
{
    (void)what;
    started = printed = clock_now();
}

static void format_progress(const struct progress *p, double elapsed, char *line, size_t size)
{
    char   eta[48] = "";
    double rate = elapsed > 0 ? (double)p->records / elapsed : 0;

    if (p->total > 0 && p->done > 0 && p->done <= p->total) {
        double share = (double)p->done / (double)p->total;
        (void)snprintf(eta, sizeof(eta), " %3.0f%% [%.0fs<%.0fs]", share * 100, elapsed,
                       elapsed / share - elapsed);
    }
    (void)snprintf(line, size, "%s%s %llu records, %.0f/s, kept %llu, dropped %llu, failed %llu",
                   p->what, eta, (unsigned long long)p->records, rate, (unsigned long long)p->out,
                   (unsigned long long)p->dropped, (unsigned long long)p->failed);
}

static bool progress_due(double now, bool tty)
{
    if (!progress_on || now - printed < (tty ? 0.2 : 5.0)) {
        return false;
    }
    printed = now;
    return true;
}

static void print_progress(const char *line, bool tty)
{
    (void)pthread_mutex_lock(&lock);
    if (tty) {
        (void)fprintf(stderr, "\r\033[K%s", line);
        (void)fflush(stderr);
        line_open = true;
    } else {
        (void)fprintf(stderr, "drhost: %s\n", line);
    }
    (void)pthread_mutex_unlock(&lock);
}

void progress_tick(const struct progress *p)
{
    bool   tty = isatty(STDERR_FILENO) == 1;
    double now = clock_now();
    char   line[256];

    if (progress_due(now, tty)) {
        format_progress(p, now - started, line, sizeof(line));
        print_progress(line, tty);
    }
}

void progress_line(const char *text)
{
    bool tty = isatty(STDERR_FILENO) == 1;

    if (progress_due(clock_now(), tty)) {
        print_progress(text, tty);
    }
}

void progress_end(void)
{
    (void)pthread_mutex_lock(&lock);
    clear_line();
    (void)pthread_mutex_unlock(&lock);
}
