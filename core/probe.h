/* SPDX-License-Identifier: MIT
 * probe.h - looks at a .so without loading, so without running, it: ELF header, segment bounds (a
 * truncated file would kill the process inside dlopen), the .note.drhost note. [any] */
#ifndef CORE_PROBE_H
#define CORE_PROBE_H

#include <drh/plugin.h>

enum { NOTE_MAX_STAGES = 64, NOTE_MAX_WORDS = 8 };

/* A line of the note: KIND ID VERSION [WORD...]. */
struct note_stage {
    uint32_t kind;
    char     id[64];
    char     version[32];
    char     words[NOTE_MAX_WORDS][64];
    uint32_t n_words;
};

struct probe {
    uint32_t          major, minor_need;
    uint32_t          n_stages;
    struct note_stage stages[NOTE_MAX_STAGES];
};

/* DRH_OK, or an error whose message says what is wrong with the file and what to do.
 * probe_bytes is the same over memory, for the fuzzer. */
drh_status probe_file(const char *path, struct probe *out, drh_error *e);
drh_status probe_bytes(const uint8_t *p, size_t n, struct probe *out, drh_error *e);

#endif
