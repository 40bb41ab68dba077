/* SPDX-License-Identifier: MIT
 * found.h - the files that a source names: folders walked, patterns expanded, names made unique.
 * One thread at a time; all memory is the host's, owned by struct found. */
#ifndef LOCAL_FOUND_H
#define LOCAL_FOUND_H

#include <drh/util.h>

struct found_file {
    char    *name;  /* relative, what the data set calls it */
    char    *local; /* where it is */
    uint64_t size;
    uint64_t device, inode;
};

struct found {
    const drh_host    *host;
    const char *const *include; /* patterns on names inside folders; NULL-terminated */
    const char *const *exclude;
    struct found_file *files; /* files[0,n) */
    size_t             n, cap;
    char             **todo; /* folders still to walk, relative to the one given */
    size_t             n_todo, cap_todo;
};

/* Adds what `path` names: a file, a folder with all below it, or a pattern.  DRH_E_MISSING when
 * that is nothing. */
drh_status found_add(struct found *f, const char *path, drh_error *e);
/* Sorts by name, bytewise, and settles equal names: the same file once; different files get more of
 * their path. */
drh_status found_finish(struct found *f, drh_error *e);
void       found_free(struct found *f);

char *found_dup(const drh_host *h, const char *p, size_t n); /* 0-terminated copy, or NULL */

#endif
