/* SPDX-License-Identifier: MIT
 * readers.h - who reads a raw file: the host itself (JSON), or a reader plugin.  [main]
 *
 *   1. the reader that the source names;
 *   2. single steps: the reader given by --plugin whose sniff() knows the file;
 *   3. the host, when the file is JSON by content;
 *   4. of the readers that are loaded or in the plugin folders the one whose sniff() is highest,
 * the first in the search order when two are equal.  They are loaded when the first such file
 *      comes, and have their default options;
 *   5. nobody: one error for a file that is evidently no JSON; else the host, which tells good
 *      records from bad. */
#ifndef CORE_READERS_H
#define CORE_READERS_H

#include "feed.h"
#include "plan.h"

/* A reader stage with options; its instance is made when it is first asked. */
struct reader {
    struct reader      *next; /* of its plan */
    const struct stage *stage;
    cJSON              *options; /* owned */
    char               *text;    /* owned; canonical options, for fingerprints */
    char                file[65];
    bool                named; /* by a source: sniffs no other file */
    bool                given; /* by --plugin of single steps */
    bool                warned;
    struct instance    *in; /* owned */
};

struct drh_list;

/* Finds the reader that `d` names, checks its options, adds it to the plan. */
drh_status readers_add(struct plan *p, const struct reader_decl *d, struct problems *all,
                       struct reader **out, drh_error *e);
/* Sets the reader of each file; `named` is the source's own, or NULL. */
drh_status readers_choose(struct plan *p, struct reader *named, struct feed_file *file, size_t n,
                          drh_error *e);
/* Whether the files that a source lists, as far as they are here, can be read at all. */
drh_status readers_check(struct plan *p, const struct reader *named, const struct drh_list *list,
                         drh_error *e);
/* What of the readers of these files the records depend on; nothing when the host reads all. */
bool readers_basis(cJSON *basis, const struct plan *p, const struct feed_file *file, size_t n);
void readers_free(struct plan *p);

#endif
