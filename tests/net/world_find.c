/* SPDX-License-Identifier: MIT
 * world_find.c - looking things up in the world; see world.h. */
#include "world.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct repo *world_find(const struct world *w, enum hub_kind hub, const char *type, const char *id,
                        bool *moved)
{
    for (size_t i = 0; i < w->n_repos; i++) {
        struct repo *r = w->repos[i];

        if (r->hub != hub || strcmp(r->type, type) != 0) {
            continue;
        }
        if (strcmp(r->id, id) == 0 || (r->was && strcmp(r->was, id) == 0)) {
            if (moved) {
                *moved = strcmp(r->id, id) != 0;
            }
            return r;
        }
    }
    return NULL;
}

static struct ref *ref_find(const struct repo *r, const char *name)
{
    static const char heads[] = "refs/heads/", tags[] = "refs/tags/";

    for (size_t i = 0; i < r->n_refs; i++) {
        struct ref *ref = &r->refs[i];

        if (strcmp(ref->name, name) == 0 ||
            (starts_with(name, heads) && strcmp(ref->name, name + sizeof(heads) - 1) == 0) ||
            (starts_with(name, tags) && strcmp(ref->name, name + sizeof(tags) - 1) == 0)) {
            return ref;
        }
    }
    return NULL;
}

static bool is_short_id(const char *s)
{
    size_t n = strlen(s);

    return n >= 7 && n <= 40 && strspn(s, "0123456789abcdef") == n;
}

struct commit *repo_resolve(struct world *w, const struct repo *r, const char *revision)
{
    struct ref    *ref = ref_find(r, revision);
    struct commit *c = NULL;

    if (ref) {
        (void)pthread_mutex_lock(&w->lock);
        c = ref->commit;
        (void)pthread_mutex_unlock(&w->lock);
        return c;
    }
    for (size_t i = 0; i < r->n_commits && is_short_id(revision); i++) {
        if (starts_with(r->commits[i]->id, revision)) {
            return r->commits[i];
        }
    }
    return NULL;
}

bool repo_move(struct world *w, struct repo *r, const char *name, const char *to)
{
    struct ref    *ref = ref_find(r, name);
    struct commit *c = repo_resolve(w, r, to);

    for (size_t i = 0; i < r->n_commits && !c; i++) {
        c = strcmp(r->commits[i]->name, to) == 0 ? r->commits[i] : NULL;
    }
    if (!ref || !c) {
        return false;
    }
    (void)pthread_mutex_lock(&w->lock);
    ref->commit = c;
    (void)pthread_mutex_unlock(&w->lock);
    return true;
}

void world_reset(struct world *w)
{
    (void)pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->n_repos; i++) {
        for (size_t k = 0; k < w->repos[i]->n_refs; k++) {
            w->repos[i]->refs[k].commit = w->repos[i]->refs[k].first;
        }
    }
    (void)pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < w->n_files; i++) {
        struct file *f = w->files[i];

        atomic_store(&f->bytes, 0);
        atomic_store(&f->gets, 0);
        atomic_store(&f->resolves, 0);
        atomic_store(&f->expired, 0);
        atomic_store(&f->most, 0);
    }
}

struct file *commit_file(const struct commit *c, const char *path)
{
    size_t from = 0, to = c->n;

    while (from < to) {
        size_t mid = from + (to - from) / 2;
        int    order = strcmp(path, c->files[mid]->path);

        if (order == 0) {
            return c->files[mid];
        }
        if (order < 0) {
            to = mid;
        } else {
            from = mid + 1;
        }
    }
    return NULL;
}

struct file *repo_file_at(const struct repo *r, const char *path, const char *revision)
{
    for (size_t i = 0; i < r->n_commits; i++) {
        struct file *f = commit_file(r->commits[i], path);

        if (f && strcmp(f->revision, revision) == 0) {
            return f;
        }
    }
    return NULL;
}

/* The rows below "a" are next to each other (all start with "a/"), the row "a" itself may not be.
 */
void commit_rows(const struct commit *c, const char *folder, size_t *from, size_t *to)
{
    char  *prefix = xprintf("%s/", folder);
    size_t n = strlen(prefix), lo = 0, hi = c->n_rows;

    if (!*folder) {
        *from = 0;
        *to = c->n_rows;
        free(prefix);
        return;
    }
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (strcmp(c->rows[mid].path, prefix) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    *from = lo;
    for (*to = lo; *to < c->n_rows && strncmp(c->rows[*to].path, prefix, n) == 0; ++*to) {
    }
    free(prefix);
}

const char *file_listed(const struct file *f, bool git, char room[128])
{
    const char *right = git ? f->content->git : f->content->sha256, *lie = f->listed_sha;

    if (!lie) {
        return right;
    }
    if (strcmp(lie, "none") == 0) {
        return NULL;
    }
    if (strcmp(lie, "prefix") == 0) {
        (void)snprintf(room, 128, "%s:%s", git ? "sha1" : "sha256", right);
    } else if (strcmp(lie, "wrong") == 0) {
        (void)snprintf(room, 128, "%c%s", right[0] == '0' ? '1' : '0', right + 1);
    } else {
        (void)snprintf(room, 128, "%s", strcmp(lie, "upper") == 0 ? right : lie);
    }
    for (char *p = room; *p && strcmp(lie, "upper") == 0; p++) {
        *p = (char)toupper((unsigned char)*p);
    }
    return room;
}

static bool in_globs(char *const *globs, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++) {
        if (glob_match(globs[i], id)) {
            return true;
        }
    }
    return false;
}

bool token_can(const struct token *t, const struct repo *r)
{
    return t && in_globs(t->can, t->n_can, r->id);
}

bool token_forbidden(const struct token *t, const struct repo *r)
{
    return t && in_globs(t->forbid, t->n_forbid, r->id);
}
