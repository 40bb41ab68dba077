/* SPDX-License-Identifier: MIT
 * world.h - what the two hubs hold: repositories with commits, names of commits and files;
 * accounts. Made from the specification at the start (spec.c) and constant from then on, but for
 * names that ctl moves (repo_* take the lock) and the counters of files.  [any] */
#ifndef NET_WORLD_H
#define NET_WORLD_H

#include "content.h"

#include <pthread.h>
#include <stdatomic.h>

enum hub_kind { HUB_HF, HUB_MS };
enum file_kind { FILE_GIT, FILE_LFS, FILE_XET };
enum gate { GATE_NONE, GATE_AUTO, GATE_MANUAL };

struct repo;

struct file {
    size_t             number; /* in the world */
    const struct repo *repo;
    char              *path; /* owned */
    char           *shown;   /* owned; what stands between the quotes of a listing, or NULL: path */
    struct content *content; /* the world's */
    enum file_kind  kind;
    unsigned        mode;
    char            xet[65], pointer[41]; /* xet digest; git digest of the LFS pointer */
    size_t          pointer_size;
    char            revision[41]; /* the commit that last touched it */
    /* Lies of listings. */
    uint64_t listed_size; /* right unless told */
    char    *listed_sha;  /* owned; NULL right; upper, prefix, none, or what to say */
    unsigned times;       /* how often it is listed */
    char    *type;        /* owned; NULL blob; ModelScope's Type: commit */
    bool     oss;         /* lies in OSS, not in git */
    /* Counters. */
    atomic_ullong bytes, gets, resolves, expired;
    atomic_int    now, most; /* answers under way */
};

struct row {           /* of a listing: a file or a folder */
    char        *path; /* owned */
    struct file *file; /* NULL: a folder */
};

struct commit {
    struct repo  *repo;
    char         *name; /* owned; how the specification calls it */
    char          id[41];
    char         *title; /* owned */
    double        date;
    struct file **files; /* owned array of the world's files, sorted by path */
    size_t        n;
    struct row   *rows; /* owned; sorted by path */
    size_t        n_rows;
};

struct ref {             /* a branch, a tag or refs/... */
    char          *name; /* owned */
    bool           tag;
    struct commit *commit, *first; /* now (under the lock), and at the start */
};

struct repo {
    enum hub_kind hub;
    char         *type; /* owned; "datasets", "models" */
    char         *id;   /* owned; "owner/name", old ones "name" */
    size_t        number;
    bool private, disabled;
    enum gate       gate;
    char           *license, *summary, *was; /* owned, or NULL; was: the former id */
    struct commit **commits;                 /* owned, in the order of the specification */
    size_t          n_commits;
    struct ref     *refs; /* owned */
    size_t          n_refs;
};

struct token {
    enum hub_kind hub;
    char         *text, *user; /* owned */
    char        **can;         /* owned; globs of ids it has access to */
    size_t        n_can;
    char        **forbid; /* owned; globs of ids that it may not read although public */
    size_t        n_forbid;
    bool          tls_only; /* seen in the clear: a leak */
};

struct world {
    struct repo    **repos; /* owned */
    size_t           n_repos;
    struct token    *tokens; /* owned */
    size_t           n_tokens;
    struct content **contents; /* owned */
    size_t           n_contents;
    struct file    **files; /* owned */
    size_t           n_files;
    pthread_mutex_t  lock; /* ref.commit */
};

void world_init(struct world *w);
void world_free(struct world *w);

struct content *world_content(struct world *w, struct content *c); /* takes it over */
struct file *world_file(struct world *w, const struct repo *r, const char *path, struct content *c);
struct repo *world_repo(struct world *w, enum hub_kind hub, const char *type, const char *id);
struct commit *repo_commit(struct repo *r, const char *name, const char *id);
void           repo_ref(struct repo *r, const char *name, bool tag, struct commit *c);
void           commit_add(struct commit *c, struct file *f); /* of one path the last one stays */
void           commit_remove(struct commit *c, const char *path);
void           commit_finish(struct commit *c); /* sorts; makes the rows */
void           file_finish(struct file *f);     /* once its content is hashed */

/* *moved: found by its former id. */
struct repo *world_find(const struct world *w, enum hub_kind hub, const char *type, const char *id,
                        bool *moved);
struct commit *repo_resolve(struct world *w, const struct repo *r, const char *revision);
bool           repo_move(struct world *w, struct repo *r, const char *name, const char *to);
void           world_reset(struct world *w); /* names as at the start, counters zero */
/* By path, or NULL. */
struct file *commit_file(const struct commit *c, const char *path);
/* A file of that path whose own revision this is. */
struct file *repo_file_at(const struct repo *r, const char *path, const char *revision);
/* The first row at or below the folder, and the one behind the last; "" is everything. */
void commit_rows(const struct commit *c, const char *folder, size_t *from, size_t *to);
/* The digest that listings give, with the lies of the specification; NULL: none. */
const char *file_listed(const struct file *f, bool git, char room[128]);
bool        token_can(const struct token *t, const struct repo *r);
bool        token_forbidden(const struct token *t, const struct repo *r);

#endif
