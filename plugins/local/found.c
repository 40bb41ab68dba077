/* SPDX-License-Identifier: MIT
 * found.c - see found.h. */
#define _POSIX_C_SOURCE 200809L
#include "found.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>

static drh_status no_memory(drh_error *e)
{
    return drh_fail(e, DRH_E_NOMEM, "out of memory for a list of files");
}

static drh_status failed(drh_error *e, int en, const char *what, const char *path)
{
    char text[96];

    const char *why = strerror_r(en, text, sizeof(text)) == 0 ? text : "error";

    return drh_fail(e, en == ENOENT ? DRH_E_MISSING : DRH_E_IO, "cannot %s %s: %s", what, path,
                    why);
}

char *found_dup(const drh_host *h, const char *p, size_t n)
{
    char *s = h->alloc(h, NULL, n + 1);

    if (s) {
        memcpy(s, p, n);
        s[n] = '\0';
    }
    return s;
}

/* "a/b"; "" and "b" give "b". */
static char *join(const drh_host *h, const char *a, const char *b)
{
    size_t na = strlen(a);
    size_t nb = strlen(b);
    size_t slash = na && a[na - 1] != '/';
    char  *s = h->alloc(h, NULL, na + slash + nb + 1);

    if (s) {
        memcpy(s, a, na);
        s[na] = '/';
        memcpy(s + na + slash, b, nb + 1);
    }
    return s;
}

/* Room for one more in a list of `size`-byte objects. */
static void *grow(const drh_host *h, void *list, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap ? 2 * *cap : 16;
    void  *p = list;

    if (n == *cap) {
        p = h->alloc(h, list, more * size);
        *cap = p ? more : *cap;
    }
    return p;
}

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}

/* A pattern without '/' is about the last part of the name, one with '/' about all of it; '*'
 * stands for '/' too. */
static int any_matches(const char *const *patterns, const char *name)
{
    size_t i;

    for (i = 0; patterns[i]; i++) {
        if (fnmatch(patterns[i], strchr(patterns[i], '/') ? name : base_of(name), 0) == 0) {
            return 1;
        }
    }
    return 0;
}

static int wanted(const struct found *f, const char *name)
{
    return (!f->include[0] || any_matches(f->include, name)) && !any_matches(f->exclude, name);
}

/* Takes over both texts, also when it fails. */
static drh_status add_file(struct found *f, char *name, char *local, const struct stat *sb,
                           drh_error *e)
{
    struct found_file *files = NULL;

    if (name && local) {
        files = grow(f->host, f->files, f->n, &f->cap, sizeof(*files));
    }
    if (!files) {
        (void)f->host->alloc(f->host, name, 0);
        (void)f->host->alloc(f->host, local, 0);
        return no_memory(e);
    }
    f->files = files;
    files[f->n++] = (struct found_file){.name = name,
                                        .local = local,
                                        .size = (uint64_t)sb->st_size,
                                        .device = (uint64_t)sb->st_dev,
                                        .inode = (uint64_t)sb->st_ino};
    return DRH_OK;
}

static drh_status push_folder(struct found *f, char *name, drh_error *e)
{
    char **todo = name ? grow(f->host, f->todo, f->n_todo, &f->cap_todo, sizeof(*todo)) : NULL;

    if (!todo) {
        (void)f->host->alloc(f->host, name, 0);
        return no_memory(e);
    }
    f->todo = todo;
    todo[f->n_todo++] = name;
    return DRH_OK;
}

/* One name in folder `at` (relative to `top`; names in the data set get `prefix` in front). */
static drh_status visit(struct found *f, const char *top, const char *prefix, const char *at,
                        const char *entry, drh_error *e)
{
    const drh_host *h = f->host;
    char           *rel = join(h, at, entry);
    char           *local = rel ? join(h, top, rel) : NULL;
    drh_status      st = local ? DRH_OK : no_memory(e);
    struct stat     sb;

    if (st != DRH_OK || lstat(local, &sb) != 0) {
        goto out; /* gone since the folder was read: not there */
    }
    if (S_ISDIR(sb.st_mode)) {
        st = push_folder(f, rel, e);
        rel = NULL;
        goto out;
    }
    /* A link counts when it leads to a file; one to a folder could lead round in circles. */
    if (S_ISLNK(sb.st_mode) && stat(local, &sb) != 0) {
        goto out;
    }
    if (S_ISREG(sb.st_mode) && wanted(f, rel)) {
        st = add_file(f, join(h, prefix, rel), local, &sb, e);
        local = NULL;
    }
out:
    (void)h->alloc(h, rel, 0);
    (void)h->alloc(h, local, 0);
    return st;
}

static drh_status walk_one(struct found *f, const char *top, const char *prefix, const char *at,
                           drh_error *e)
{
    drh_status     st = DRH_OK;
    char          *path = join(f->host, top, at);
    DIR           *d = path ? opendir(path) : NULL;
    struct dirent *x;

    if (!d) {
        st = path ? failed(e, errno, "read folder", path) : no_memory(e);
    }
    while (st == DRH_OK && (errno = 0, x = readdir(d))) {
        if (x->d_name[0] != '.') {
            st = visit(f, top, prefix, at, x->d_name, e);
        }
        if (st == DRH_OK && f->host->cancelled(f->host)) {
            st = drh_fail(e, DRH_E_CANCELLED, "stopped while listing %s", path);
        }
    }
    if (st == DRH_OK && errno) {
        st = failed(e, errno, "read folder", path);
    }
    if (d) {
        (void)closedir(d);
    }
    (void)f->host->alloc(f->host, path, 0);
    return st;
}

static drh_status add_folder(struct found *f, const char *top, const char *prefix, drh_error *e)
{
    drh_status st = walk_one(f, top, prefix, "", e);

    while (st == DRH_OK && f->n_todo) {
        char *at = f->todo[--f->n_todo];

        st = walk_one(f, top, prefix, at, e);
        (void)f->host->alloc(f->host, at, 0);
    }
    return st;
}

/* `name` is what a file is called, or the folder in front of the names in it. */
static drh_status add_path(struct found *f, const char *path, const char *name, drh_error *e)
{
    const drh_host *h = f->host;
    struct stat     sb;

    if (stat(path, &sb) != 0) {
        return failed(e, errno, "look at", path);
    }
    if (S_ISDIR(sb.st_mode)) {
        return add_folder(f, path, name, e);
    }
    if (!S_ISREG(sb.st_mode)) {
        return drh_fail(e, DRH_E_CONFIG, "%s is neither a file nor a folder", path);
    }
    name = *name ? name : base_of(path);
    return add_file(f, found_dup(h, name, strlen(name)), found_dup(h, path, strlen(path)), &sb, e);
}

/* Names are what follows the folders before the first wildcard. */
static drh_status add_pattern(struct found *f, const char *pattern, drh_error *e)
{
    size_t     fixed = strcspn(pattern, "*?[");
    glob_t     g = {0};
    int        rc = glob(pattern, GLOB_NOSORT, NULL, &g);
    drh_status st = DRH_OK;
    size_t     i;

    while (fixed && pattern[fixed - 1] != '/') {
        fixed--;
    }
    if (rc == GLOB_NOSPACE) {
        st = no_memory(e);
    }
    for (i = 0; st == DRH_OK && i < g.gl_pathc; i++) {
        st = add_path(f, g.gl_pathv[i], g.gl_pathv[i] + fixed, e);
    }
    globfree(&g);
    return st;
}

drh_status found_add(struct found *f, const char *path, drh_error *e)
{
    size_t      before = f->n;
    int         pattern = strpbrk(path, "*?[") != NULL;
    struct stat sb;
    drh_status  st = DRH_OK;

    if (stat(path, &sb) == 0) {
        pattern = 0;
        st = add_path(f, path, "", e);
    } else if (errno != ENOENT && errno != ENOTDIR && !pattern) {
        return failed(e, errno, "look at", path);
    } else if (pattern) {
        st = add_pattern(f, path, e);
    }
    if (st != DRH_OK || f->n > before) {
        return st;
    }
    if (!pattern && stat(path, &sb) == 0) {
        return drh_fail(e, DRH_E_MISSING,
                        "folder %s holds no file that is wanted; look at include "
                        "and exclude",
                        path);
    }
    return drh_fail(e, DRH_E_MISSING,
                    "no file matches %s; paths in a recipe start at the recipe's folder", path);
}

/* ---- names --------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct found_file *x = a;
    const struct found_file *y = b;
    int                      c = strcmp(x->name, y->name);

    return c ? c : strcmp(x->local, y->local);
}

/* The path without what a relative name cannot hold: a leading '/', ".", "..". */
static char *whole_name(const drh_host *h, const char *path)
{
    char *out = found_dup(h, path, strlen(path));
    char *to = out;

    while (out && *path) {
        size_t n = strcspn(path, "/");

        if (n && !(n <= 2 && strncmp(path, "..", n) == 0)) {
            if (to > out) {
                *to++ = '/';
            }
            memmove(to, path, n);
            to += n;
        }
        path += n;
        path += *path == '/';
    }
    if (out) {
        *to = '\0';
    }
    return out;
}

static int same_name(const struct found *f, size_t i, size_t j)
{
    return j < f->n && strcmp(f->files[i].name, f->files[j].name) == 0;
}

static void drop(struct found *f, size_t i)
{
    (void)f->host->alloc(f->host, f->files[i].name, 0);
    (void)f->host->alloc(f->host, f->files[i].local, 0);
    f->n--;
    memmove(&f->files[i], &f->files[i + 1], (f->n - i) * sizeof(f->files[0]));
}

/* A file that two paths lead to is one file. */
static void drop_doubles(struct found *f)
{
    size_t i, j;

    for (i = 0; i < f->n; i++) {
        for (j = i + 1; same_name(f, i, j);) {
            if (f->files[i].device == f->files[j].device &&
                f->files[i].inode == f->files[j].inode) {
                drop(f, j);
            } else {
                j++;
            }
        }
    }
}

static drh_status rename_doubles(struct found *f, drh_error *e)
{
    size_t i, j;

    for (i = 0; i < f->n; i = j) {
        size_t k;

        j = i + 1;
        while (same_name(f, i, j)) {
            j++;
        }
        for (k = i; j > i + 1 && k < j; k++) {
            char *name = whole_name(f->host, f->files[k].local);

            if (!name) {
                return no_memory(e);
            }
            (void)f->host->alloc(f->host, f->files[k].name, 0);
            f->files[k].name = name;
        }
    }
    return DRH_OK;
}

drh_status found_finish(struct found *f, drh_error *e)
{
    drh_status st;
    size_t     i;

    if (f->n < 2) {
        return DRH_OK;
    }
    qsort(f->files, f->n, sizeof(f->files[0]), by_name);
    drop_doubles(f);
    st = rename_doubles(f, e);
    if (st != DRH_OK) {
        return st;
    }
    qsort(f->files, f->n, sizeof(f->files[0]), by_name);
    for (i = 0; i + 1 < f->n; i++) {
        if (same_name(f, i, i + 1)) {
            return drh_fail(e, DRH_E_CONFIG,
                            "%s and %s would both be called %s; make them two sources",
                            f->files[i].local, f->files[i + 1].local, f->files[i].name);
        }
    }
    return DRH_OK;
}

void found_free(struct found *f)
{
    const drh_host *h = f->host;

    while (f->n) {
        drop(f, f->n - 1);
    }
    while (f->n_todo) {
        (void)h->alloc(h, f->todo[--f->n_todo], 0);
    }
    (void)h->alloc(h, f->files, 0);
    (void)h->alloc(h, f->todo, 0);
    f->files = NULL;
    f->todo = NULL;
}
