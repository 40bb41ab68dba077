/* SPDX-License-Identifier: MIT
 * log.h - what people read, on stderr: "drhost: warning: ..." lines, and the first bad records of a
 * run by FILE:LINE.  A progress line on a terminal is cleared first.  [any] */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <drh/plugin.h>

#include <stdbool.h>

void log_set_level(uint32_t least); /* DRH_LOG_*; default DRH_LOG_INFO */
/* step may be NULL. */
void log_line(uint32_t level, const char *step, const char *msg, size_t len);
__attribute__((format(printf, 2, 3))) void log_put(uint32_t level, const char *fmt, ...);

/* The progress display: one line, rewritten on a terminal, else a line every 5 s. */
struct progress {
    const char *what;        /* "preprocess gsm8k" */
    uint64_t    done, total; /* bytes or records; total 0: not known */
    uint64_t    records;     /* read so far in this step */
    uint64_t    out, dropped, failed;
};
void progress_enable(bool on);
void progress_start(const char *what);        /* resets the clock */
void progress_tick(const struct progress *p); /* cheap; prints when due */
void progress_line(const char *text);         /* the same with a line of the caller's own */
void progress_end(void);                      /* clears the line */

#endif
