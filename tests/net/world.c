/* SPDX-License-Identifier: MIT
 * world.c - see world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    (void)pthread_mutex_init(&w->lock, NULL);
}

static void commit_free(struct commit *c)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        free(c->rows[i].path);
    }
    free(c->rows);
    free(c->files);
    free(c->name);
    free(c->title);
    free(c);
}

static void repo_free(struct repo *r)
{
    for (size_t i = 0; i < r->n_commits; i++) {
        commit_free(r->commits[i]);
    }
    for (size_t i = 0; i < r->n_refs; i++) {
        free(r->refs[i].name);
    }
    free(r->commits);
    free(r->refs);
    free(r->type);
    free(r->id);
    free(r->license);
    free(r->summary);
    free(r->was);
    free(r);
}

static void token_free(struct token *t)
{
    for (size_t i = 0; i < t->n_can; i++) {
        free(t->can[i]);
    }
    for (size_t i = 0; i < t->n_forbid; i++) {
        free(t->forbid[i]);
    }
    free(t->can);
    free(t->forbid);
    free(t->text);
    free(t->user);
}

static void file_free(struct file *f)
{
    free(f->path);
    free(f->shown);
    free(f->listed_sha);
    free(f->type);
    free(f);
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->n_repos; i++) {
        repo_free(w->repos[i]);
    }
    for (size_t i = 0; i < w->n_tokens; i++) {
        token_free(&w->tokens[i]);
    }
    for (size_t i = 0; i < w->n_files; i++) {
        file_free(w->files[i]);
    }
    for (size_t i = 0; i < w->n_contents; i++) {
        content_free(w->contents[i]);
    }
    free(w->repos);
    free(w->tokens);
    free(w->files);
    free(w->contents);
    (void)pthread_mutex_destroy(&w->lock);
}

/* ---- making -------------------------------------------------------------------------------- */

/* Room for one more at the end of an array that doubles. */
#define GROW(array, n)                                                                             \
    do {                                                                                           \
        if (((n) & ((n)-1)) == 0) {                                                                \
            (array) = xgrow((array), (n) ? 2 * (n) : 1, sizeof(*(array)));                         \
        }                                                                                          \
    } while (0)

struct content *world_content(struct world *w, struct content *c)
{
    GROW(w->contents, w->n_contents);
    w->contents[w->n_contents++] = c;
    return c;
}

struct file *world_file(struct world *w, const struct repo *r, const char *path, struct content *c)
{
    struct file *f = xalloc(1, sizeof(*f));

    f->repo = r;
    f->path = xdup(path);
    f->content = c;
    f->mode = 0100644;
    f->times = 1;
    f->listed_size = c->size;
    f->number = w->n_files;
    GROW(w->files, w->n_files);
    w->files[w->n_files++] = f;
    return f;
}

struct repo *world_repo(struct world *w, enum hub_kind hub, const char *type, const char *id)
{
    struct repo *r = xalloc(1, sizeof(*r));

    r->hub = hub;
    r->type = xdup(type);
    r->id = xdup(id);
    r->number = w->n_repos;
    GROW(w->repos, w->n_repos);
    w->repos[w->n_repos++] = r;
    return r;
}

struct commit *repo_commit(struct repo *r, const char *name, const char *id)
{
    struct commit *c = xalloc(1, sizeof(*c));

    c->repo = r;
    c->name = xdup(name);
    if (id) {
        (void)snprintf(c->id, sizeof(c->id), "%s", id);
    } else {
        made_id(c->id, "commit %s %s %s", r->type, r->id, name);
    }
    c->date = 1767225600.0 + 86400.0 * (double)r->n_commits; /* 2026-01-01 */
    GROW(r->commits, r->n_commits);
    r->commits[r->n_commits++] = c;
    return c;
}

void repo_ref(struct repo *r, const char *name, bool tag, struct commit *c)
{
    GROW(r->refs, r->n_refs);
    r->refs[r->n_refs++] = (struct ref){xdup(name), tag, c, c};
}

void commit_add(struct commit *c, struct file *f)
{
    GROW(c->files, c->n);
    c->files[c->n++] = f;
}

void commit_remove(struct commit *c, const char *path)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->files[i]->path, path) != 0) {
            c->files[kept++] = c->files[i];
        }
    }
    c->n = kept;
}

static int by_path(const void *a, const void *b)
{
    const struct file *x = *(struct file *const *)a, *y = *(struct file *const *)b;
    int                order = strcmp(x->path, y->path);

    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static void files_unique(struct commit *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->n; i++) {
        if (i + 1 == c->n || strcmp(c->files[i]->path, c->files[i + 1]->path) != 0) {
            c->files[kept++] = c->files[i];
        }
    }
    c->n = kept;
}

static void row_add(struct commit *c, char *path, struct file *f)
{
    GROW(c->rows, c->n_rows);
    c->rows[c->n_rows++] = (struct row){path, f};
}

/* Folders of `path` that the one before it, `last`, does not have. */
static void rows_of_folders(struct commit *c, const char *path, const char *last)
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t n = (size_t)(slash - path);

        if (n && strncmp(path, last, n + 1) != 0) {
            row_add(c, xdupn(path, n), NULL);
        }
    }
}

static int rows_by_path(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int               order = strcmp(x->path, y->path);

    return order ? order : (x->file != NULL) - (y->file != NULL);
}

/* "a", "a-b" and "a/c" do not sort as the folders do, so one may be made twice. */
static void rows_unique(struct commit *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->n_rows; i++) {
        struct row *r = &c->rows[i], *last = kept ? &c->rows[kept - 1] : NULL;

        if (last && !r->file && !last->file && strcmp(last->path, r->path) == 0) {
            free(r->path);
        } else {
            c->rows[kept++] = *r;
        }
    }
    c->n_rows = kept;
}

void commit_finish(struct commit *c)
{
    const char *last = "";

    if (c->n) {
        qsort(c->files, c->n, sizeof(struct file *), by_path);
    }
    files_unique(c);
    for (size_t i = 0; i < c->n; i++) {
        struct file *f = c->files[i];

        if (!f->revision[0]) {
            memcpy(f->revision, c->id, sizeof(f->revision));
        }
        if (f->oss) {
            continue; /* not in git */
        }
        rows_of_folders(c, f->path, last);
        for (unsigned k = 0; k < f->times; k++) {
            row_add(c, xdup(f->path), f);
        }
        last = f->path;
    }
    if (c->n_rows) {
        qsort(c->rows, c->n_rows, sizeof(struct row), rows_by_path);
    }
    rows_unique(c);
}

void file_finish(struct file *f)
{
    char text[200];
    int  n = snprintf(text, sizeof(text),
                      "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %llu\n",
                      f->content->sha256, (unsigned long long)f->content->size);
    char blob[240];
    int  k = snprintf(blob, sizeof(blob), "blob %d", n);

    f->pointer_size = (size_t)n;
    memcpy(blob + k + 1, text, (size_t)n); /* the head ends in a 0 */
    sha1_text(blob, (size_t)(k + 1 + n), f->pointer);
    n = snprintf(text, sizeof(text), "xet %s", f->content->sha256);
    sha256_text(text, (size_t)n, f->xet);
}
