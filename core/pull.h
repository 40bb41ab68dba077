/* SPDX-License-Identifier: MIT
 * pull.h - a source's files, brought below a folder: listed, compared with what is there, fetched
 * through drh.fetch/1 (or the source's own fetch), finished from another source when one fails,
 * noted.
 *
 *   ROOT/...                               exactly the source's tree
 *   ROOT/.cache/drhost/manifest.jsonl      per request what it is, then a line per verified file
 *   ROOT/.cache/drhost/lock, *.part, *.journal
 *
 * A file that the manifest has with its size and time is not read again.  [main] */
#ifndef CORE_PULL_H
#define CORE_PULL_H

#include "source.h"

/* drh_source_about with texts of our own, "" for what is not known. */
enum about_key {
    ABOUT_ENDPOINT,
    ABOUT_TYPE,
    ABOUT_REPO,
    ABOUT_REVISION,
    ABOUT_COMMIT,
    ABOUT_LICENSE,
    ABOUT_PAGE,
    ABOUT_KEYS
};
extern const char *const about_names[ABOUT_KEYS]; /* "endpoint" ... */

struct pull_counts {
    uint64_t files, there, brought, failed;
    uint64_t unverified; /* there or brought, and the source lists no digest */
    uint64_t bytes;      /* of all files whose size is known */
    uint64_t missing;    /* of those that are not there before the pull */
    uint64_t received;   /* over the network */
    double   seconds;
};

struct pull {
    struct plan      *p;
    struct plan_step *step;   /* the source of the recipe */
    struct plan_step *listed; /* who named the files: the source, or an alternative; NULL: the
                                 manifest, since nobody could be reached */
    struct drh_list    list;  /* sorted by name */
    char              *name;  /* provenance; owned */
    char              *about[ABOUT_KEYS]; /* owned */
    char              *root;              /* owned */
    int                lock;              /* -1: not held */
    bool               noted;             /* the manifest says that this pull has begun */
    struct pull_counts counts;
};

struct pull_options {
    bool        anew;      /* bring files again that are there */
    bool        look;      /* compare only: nothing is made or locked */
    uint32_t    max_files; /* at once; 0: the service's own number */
    const char *what;      /* for the progress display */
};

/* Asks the source for its files; when it cannot be reached the manifest of a complete pull of the
 * same below `root` (NULL: not known yet), then the alternatives, in turn.  pull_free() in any
 * case.
 */
drh_status pull_list(struct pull *l, struct plan *p, struct plan_step *step, const char *root,
                     drh_error *e);
/* Compares the list with what is below root: states and counts.  Takes the folder's lock, unless it
 * shall only look. */
drh_status pull_compare(struct pull *l, const char *root, const struct pull_options *o,
                        drh_error *e);
/* Brings what is not there, and lets go of the lock.  DRH_OK: every file is; else what is wrong
 * with how many. */
drh_status pull_run(struct pull *l, const struct pull_options *o, drh_error *e);
void       pull_free(struct pull *l);
/* On a file system that ignores case: the later ones of names that differ in nothing else fail. */
drh_status pull_refuse_doubles(struct drh_list *list, drh_error *e);
/* Path of a listed file on this machine; mem_free()d by the caller. */
char *pull_path(const struct pull *l, const struct listed *f);

/* ---- its parts ---- */

/* pull_folder.c */
void       pull_count(struct pull *l); /* states to counts */
drh_status pull_check_room(const struct pull *l, drh_error *e);
void pull_note_file(const struct pull *l, struct listed *f); /* size and time, as they are now */

/* pull_manifest.c */
struct verified; /* files that an earlier pull has verified */
drh_status manifest_read_verified(const char *root, struct verified **v, drh_error *e);
bool       verified_has(const struct verified *v, const struct listed *f, int64_t mtime_ns);
/* The file of that size and time was verified, whatever as. */
bool verified_somehow(const struct verified *v, const char *name, uint64_t size, int64_t mtime_ns);
void verified_free(struct verified *v);
/* Fills l from a complete manifest of the same request below root; DRH_E_MISSING: there is none. */
drh_status manifest_as_list(struct pull *l, const char *root, drh_error *e);
/* Appends a line as soon as a file is there; the file is made new by manifest_finish. */
drh_status manifest_append(struct pull *l, const struct listed *f, drh_error *e);
drh_status manifest_finish(const struct pull *l, bool complete, drh_error *e);

/* pull_job.c: brings files of l through drh.fetch/1. */
struct pull_task {
    struct pull               *l;
    struct plan_step          *from; /* whose request() is asked */
    const struct pull_options *o;
    size_t                    *file; /* in l->list, in the order in which they are begun */
    const struct listed      **as;   /* the same file in from's list, or NULL: as in l's */
    size_t                     n;
    uint32_t                   patience; /* 0: the service's own */
};
drh_status pull_job(struct pull_task *t, drh_error *e);

/* pull_fetch.c: through the source's own fetch(). */
drh_status pull_fetch(struct pull_task *t, drh_error *e);

#endif
