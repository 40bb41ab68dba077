/* SPDX-License-Identifier: MIT
 * loader_impl.h - what the files of the loader share: probe.c, resolve.c, tables.c, fpu.c, loader.c
 * (and nobody else). [main] */
#ifndef CORE_LOADER_IMPL_H
#define CORE_LOADER_IMPL_H

#include "loader.h"

#include <stdbool.h>
#include <stdint.h>

/* A plugin that is loaded, with what its note said. */
struct loaded {
    struct plugin      plugin;
    struct note_stage *notes; /* owned */
    size_t             n_notes;
};

struct loader {
    char               **folders; /* owned, absolute */
    size_t               n_folders;
    struct loaded      **loaded; /* in the order of loading */
    size_t               n_loaded;
    struct found_plugin *found; /* folders' files, scanned once; owned with its texts */
    size_t               n_found;
    bool                 scanned;
};

/* The end of a path that may be too long for a message. [any] */
const char *path_tail(const char *path);
/* "FILE: STEP: " before the message that is there; returns st. */
drh_status at_step(drh_error *e, drh_status st, const char *file, const char *step);

/* resolve.c */
drh_status folders_find(struct loader *l, const char *const *plugin_path, size_t n, drh_error *e);
drh_status resolve(const struct loader *l, const char *name, char **real, drh_error *e);
drh_status folders_scan(struct loader *l, drh_error *e); /* fills found, once */
void       folders_free(struct loader *l);
/* DRH_E_MISSING with the folders and, when ./NAME is there, how to load that. */
drh_status not_found(const struct loader *l, const char *name, const char *what, const char *remedy,
                     drh_error *e);

/* tables.c: checks what the entry says against the note and copies its tables to p->stages. */
drh_status tables_take(struct plugin *p, const struct probe *note, drh_error *e);
void       tables_free(struct plugin *p);

/* fpu.c: rounding, flush-to-zero and exception masks of this thread.  A .so linked with -Ofast
 * changes them in its constructor, and the results of every other stage with them. */
struct fpu {
    uint32_t mxcsr;
    uint32_t x87;
    uint64_t other;
};
struct fpu fpu_save(void);
bool       fpu_restore(const struct fpu *s); /* true: they had been changed */

#endif
