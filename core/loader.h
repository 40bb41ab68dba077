/* SPDX-License-Identifier: MIT
 * loader.h - from a name to checked, copied stage tables.
 *
 * Resolve, probe (probe.h), dlopen, check, copy.  Every refusal names file, step, reason and
 * remedy. Never dlclose: libraries with threads (OpenMP BLAS) crash at exit when unloaded. [main]
 */
#ifndef CORE_LOADER_H
#define CORE_LOADER_H

#include "probe.h"

#include <drh/plugin.h>

#include <stdbool.h>

struct plugin;

/* A stage as the core uses it: every table is a zeroed struct of the host's own size into which the
 * plugin's was copied as far as it goes; `map` points at the map table for every kind that has one.
 * Optional slots stay NULL and the runner asks once, at plan time. */
struct stage {
    const struct plugin *plugin;
    drh_stage            desc; /* texts and schema are the plugin's (never unloaded) */
    drh_life             life;
    drh_map_ops          map;
    bool                 has_map;
    union {
        drh_source_ops    source;
        drh_reader_ops    reader;
        drh_selector_ops  selector;
        drh_converter_ops converter;
        drh_service_ops   service;
    } ops;
};

/* A converter that writes the bytes of a file format, not records. */
static inline bool stage_writes_bytes(const struct stage *s)
{
    return s->desc.kind == DRH_KIND_CONVERTER && !s->has_map;
}

struct plugin {
    char            *path;  /* real path */
    const drh_entry *entry; /* the plugin's own, read through DRH_HAS only */
    struct stage    *stages;
    size_t           n_stages;
    uint32_t         minor;
};

/* Folders that are searched for bare names, in order: --plugin-path entries, DRHOST_PLUGIN_PATH
 * (secure_getenv), $XDG_DATA_HOME/drhost/plugins, <exe>/../lib/drhost/plugins, <exe>/plugins (build
 * tree).  Never the current folder. */
struct loader;

drh_status loader_new(struct loader **l, const char *const *plugin_path, size_t n, drh_error *e);
void       loader_free(struct loader *l); /* plugins stay mapped */
/* Loads a file: contains '/' -> that path; else looked up in the folders ("ifd", "ifd.so"). Loading
 * twice gives the same plugin. */
drh_status loader_open(struct loader *l, const char *name, const struct plugin **p, drh_error *e);
/* The stage of kind (0: any) and id: among the loaded first, then by the notes of the folders'
 * files, which loads the one file that has it.  Not found: names folders and the nearest known id.
 */
drh_status loader_stage(struct loader *l, uint32_t kind, const char *id, const struct stage **s,
                        drh_error *e);
/* Every stage whose note has `word` (a service id, "canonical"): calls fn with the note's line;
 * loads nothing.  Loaded plugins come first. */
typedef drh_status (*loader_note_fn)(void *ctx, const char *path, const struct note_stage *s);
drh_status loader_each_note(struct loader *l, loader_note_fn fn, void *ctx, drh_error *e);
size_t     loader_folders(const struct loader *l, const char *const **folders);
/* Every .so of the folders, in search order, what was skipped with the reason.  The loader's. */
struct found_plugin {
    char              *path;
    char              *why; /* NULL: a plugin */
    struct note_stage *stages;
    size_t             n_stages;
};
drh_status loader_files(struct loader *l, const struct found_plugin **files, size_t *n,
                        drh_error *e);

const char *kind_name(uint32_t kind);              /* "selector"; NULL when unknown */
uint32_t    kind_of(const char *name, size_t len); /* 0 when unknown */

#endif
