/* SPDX-License-Identifier: MIT
 * crash.h - the last line of a process that a plugin crashed: which stage, which records. */
#ifndef CORE_CRASH_H
#define CORE_CRASH_H

#include <stddef.h>
#include <stdint.h>

void crash_setup(void); /* [once] */
/* What this thread is about to call; texts must outlive the call.  step NULL: back in the host. */
void crash_note(const char *step, const char *file, size_t file_len, uint64_t row);

#endif
