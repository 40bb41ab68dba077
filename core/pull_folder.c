/* SPDX-License-Identifier: MIT
 * pull_folder.c - the folder that a pull fills: its lock, what is in it already, what its file
 * system can hold. */
#include "below.h"
#include "err.h"
#include "hash.h"
#include "log.h"
#include "mem.h"
#include "outfile.h"
#include "pull.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static drh_status lock_folder(struct pull *l, drh_error *e)
{
    char      *path = mem_printf("%s/.cache/drhost/lock", l->root);
    char       holder[200] = "", line[64];
    int        n;
    drh_status st = DRH_OK;

    l->lock = path ? open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666) : -1;
    if (l->lock < 0) {
        st = path ? err_errno(e, errno, "cannot open", path) : err_nomem(e, "a path");
    } else if (flock(l->lock, LOCK_EX | LOCK_NB) != 0) {
        ssize_t got = read(l->lock, holder, sizeof(holder) - 1);
        holder[got > 0 ? got : 0] = '\0';
        holder[strcspn(holder, "\n")] = '\0';
        st = err_set(e, DRH_E_TIMEOUT, "%s is being filled by %s; wait for it, or stop it", l->root,
                     holder[0] ? holder : "another download");
        (void)close(l->lock);
        l->lock = -1;
    } else {
        n = snprintf(line, sizeof(line), "process %ld\n", (long)getpid());
        if (ftruncate(l->lock, 0) != 0 || pwrite(l->lock, line, (size_t)n, 0) != n) {
            st = err_errno(e, errno, "cannot write", path);
        }
    }
    mem_free(path);
    return st;
}

/* What a link in the state folder leads to is somebody's, and would be written over. */
static drh_status refuse_links(const char *root, drh_error *e)
{
    static const char *const names[] = {".cache", ".cache/drhost", ".cache/drhost/lock",
                                        ".cache/drhost/manifest.jsonl", ".cache/drhost/.gitignore"};
    drh_status               st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < sizeof(names) / sizeof(names[0]); i++) {
        char       *path = mem_printf("%s/%s", root, names[i]);
        struct stat sb;
        if (!path) {
            st = err_nomem(e, "a path");
        } else if (lstat(path, &sb) == 0 && S_ISLNK(sb.st_mode)) {
            st = err_set(e, DRH_E_IO,
                         "%s is a link, and nothing is written through links; remove it", path);
        }
        mem_free(path);
    }
    return st;
}

/* Something else by the name of the folder. */
static drh_status check_root(const char *root, drh_error *e)
{
    struct stat sb;

    if (stat(root, &sb) == 0) {
        return S_ISDIR(sb.st_mode)
                   ? DRH_OK
                   : err_set(e, DRH_E_IO, "%s is no folder; move it, or choose another folder",
                             root);
    }
    return lstat(root, &sb) == 0 && S_ISLNK(sb.st_mode)
               ? err_set(e, DRH_E_IO,
                         "%s is a link that leads nowhere; remove it, or choose "
                         "another folder",
                         root)
               : DRH_OK;
}

static drh_status open_root(struct pull *l, const char *root, drh_error *e)
{
    char      *state = mem_printf("%s/.cache/drhost", root);
    char      *ignore = mem_printf("%s/.cache/drhost/.gitignore", root);
    drh_status st = state && ignore ? refuse_links(root, e) : err_nomem(e, "a path");

    st = st == DRH_OK ? make_dirs(state, e) : st;
    st = st == DRH_OK && l->lock < 0 ? lock_folder(l, e) : st;
    if (st == DRH_OK && access(ignore, F_OK) != 0) {
        st = outfile_put(ignore, "*\n", 2, e);
    }
    mem_free(state);
    mem_free(ignore);
    return st;
}

/* Does the folder's file system take "lock" and "LOCK" for one name? */
static bool ignores_case(const struct pull *l)
{
    char       *lower = mem_printf("%s/.cache/drhost/lock", l->root);
    char       *upper = mem_printf("%s/.cache/drhost/LOCK", l->root);
    struct stat a, b;
    bool        same =
        lower && upper && stat(lower, &a) == 0 && stat(upper, &b) == 0 && a.st_ino == b.st_ino;

    mem_free(lower);
    mem_free(upper);
    return same;
}

static int by_folded(const void *a, const void *b)
{
    const struct listed *x = *(struct listed *const *)a, *y = *(struct listed *const *)b;
    int                  c = strcasecmp(x->name, y->name);

    return c ? c : strcmp(x->name, y->name);
}

drh_status pull_refuse_doubles(struct drh_list *list, drh_error *e)
{
    struct listed **at = mem_alloc(list->n + 1, sizeof(struct listed *));
    char            why[300];

    if (!at) {
        return err_nomem(e, "a listing");
    }
    for (size_t i = 0; i < list->n; i++) {
        at[i] = &list->file[i];
    }
    qsort(at, list->n, sizeof(struct listed *), by_folded);
    for (size_t i = 1; i < list->n; i++) {
        if (strcasecmp(at[i - 1]->name, at[i]->name) == 0) {
            (void)snprintf(why, sizeof(why),
                           "this file system takes its name and %.200s for the same; use another "
                           "disk, or exclude one",
                           at[i - 1]->name);
            (void)listed_fail(at[i], DRH_E_IO, why);
        }
    }
    mem_free(at);
    return DRH_OK;
}

/* ---- comparing ---- */

static int64_t time_of(const struct stat *sb)
{
    return (int64_t)sb->st_mtim.tv_sec * 1000000000 + sb->st_mtim.tv_nsec;
}

void pull_note_file(const struct pull *l, struct listed *f)
{
    char       *path = pull_path(l, f);
    struct stat sb;

    if (path && lstat(path, &sb) == 0) {
        f->size = (uint64_t)sb.st_size;
        f->mtime_ns = time_of(&sb);
    }
    mem_free(path);
}

static bool has_digest(int root, const struct listed *f)
{
    drh_error ignored = ERR_INIT;
    uint8_t   got[32];
    int       fd = -1;
    bool      same = f->hash != DRH_HASH_NONE &&
                below_open(root, f->name, O_RDONLY, &fd, &ignored) == DRH_OK &&
                hash_fd(fd, f->hash, got, f->name, &ignored) == DRH_OK &&
                memcmp(got, f->digest, f->hash == DRH_HASH_GIT_SHA1 ? 20 : 32) == 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return same;
}

/* Is there a file of that name, not behind a link?  root -1: there is no folder yet. */
static bool stat_below(int root, const char *name, struct stat *sb)
{
    drh_error   ignored = ERR_INIT;
    const char *last;
    int         folder;
    bool        there;

    if (root < 0 || below_folder(root, name, false, &folder, &last, &ignored) != DRH_OK) {
        return false;
    }
    there = fstatat(folder, last, sb, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(sb->st_mode);
    (void)close(folder);
    return there;
}

/* True: what is there was verified as something else, and another source lists this.  Two hubs may
 * list digests of different kinds, so that the manifest cannot say whether they mean the same. */
static bool compare_one(const struct pull *l, int root, const struct verified *v, struct listed *f)
{
    struct stat sb;
    bool        other = false;

    if (f->local) {
        f->state = LISTED_THERE;
        return false;
    }
    if (stat_below(root, f->name, &sb)) {
        const uint64_t size = (uint64_t)sb.st_size;
        f->mtime_ns = time_of(&sb);
        if (size == f->size && verified_has(v, f, f->mtime_ns)) {
            f->state = LISTED_THERE;
        } else if (l->listed != l->step && verified_somehow(v, f->name, size, f->mtime_ns)) {
            f->state = size == f->size && has_digest(root, f) ? LISTED_THERE : LISTED;
            other = f->state == LISTED;
        }
    }
    return other;
}

/* Another source may mean other data by the same name. */
static void warn_of_other(const struct pull *l, uint64_t n, const struct listed *one)
{
    if (n && l->listed) {
        log_put(DRH_LOG_WARN,
                "%s has other content than what was verified here, and it will be replaced: %llu "
                "file%s, %.200s%s",
                l->name, (unsigned long long)n, n == 1 ? "" : "s", one->name,
                n == 1 ? "" : " among them");
    }
}

void pull_count(struct pull *l)
{
    struct pull_counts *c = &l->counts;

    c->files = l->list.n;
    c->there = c->brought = c->failed = c->unverified = c->bytes = 0;
    for (size_t i = 0; i < l->list.n; i++) {
        const struct listed *f = &l->list.file[i];
        c->there += f->state == LISTED_THERE;
        c->brought += f->state == LISTED_BROUGHT;
        c->failed += f->state == LISTED_FAILED;
        c->unverified += f->hash == DRH_HASH_NONE && !f->local &&
                         (f->state == LISTED_THERE || f->state == LISTED_BROUGHT);
        c->bytes += f->size == UINT64_MAX ? 0 : f->size;
    }
}

drh_status pull_compare(struct pull *l, const char *root, const struct pull_options *o,
                        drh_error *e)
{
    struct verified     *v = NULL;
    const struct listed *other = NULL;
    uint64_t             others = 0;
    int                  fd;
    drh_status           st;

    mem_free(l->root);
    l->root = mem_dupz(root);
    st = l->root ? check_root(root, e) : err_nomem(e, "a path");
    st = st == DRH_OK && !o->look ? open_root(l, root, e) : st;
    st = st == DRH_OK ? manifest_read_verified(root, &v, e) : st;
    if (st == DRH_OK && ignores_case(l)) {
        st = pull_refuse_doubles(&l->list, e);
    }
    fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; st == DRH_OK && i < l->list.n; i++) {
        struct listed *f = &l->list.file[i];
        if (f->state == LISTED && (!o->anew || f->local) && compare_one(l, fd, v, f)) {
            other = f;
            others++;
        }
        if (f->state == LISTED && f->size != UINT64_MAX) {
            l->counts.missing += f->size;
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    warn_of_other(l, others, other);
    verified_free(v);
    pull_count(l);
    return st;
}

/* ---- room ---- */

/* What unfinished parts occupy already. */
static uint64_t held_by_parts(const struct pull *l)
{
    char          *path = mem_printf("%s/.cache/drhost", l->root);
    DIR           *d = path ? opendir(path) : NULL;
    struct dirent *x;
    struct stat    sb;
    uint64_t       n = 0;

    while (d && (x = readdir(d)) != NULL) {
        size_t len = strlen(x->d_name);
        if (len > 5 && strcmp(x->d_name + len - 5, ".part") == 0 &&
            fstatat(dirfd(d), x->d_name, &sb, AT_SYMLINK_NOFOLLOW) == 0) {
            n += (uint64_t)sb.st_blocks * 512;
        }
    }
    if (d) {
        (void)closedir(d);
    }
    mem_free(path);
    return n;
}

drh_status pull_check_room(const struct pull *l, drh_error *e)
{
    struct statvfs v;
    uint64_t       have, need = l->counts.missing, held = held_by_parts(l);

    if (statvfs(l->root, &v) != 0) {
        return DRH_OK; /* the download will find out */
    }
    have = (uint64_t)v.f_bavail * v.f_frsize;
    need = need > held ? need - held : 0;
    if (need <= have) {
        return DRH_OK;
    }
    return err_set(e, DRH_E_IO,
                   "%s needs %llu MiB and has %llu MiB free; free some, choose another folder, or "
                   "bring less (include, exclude)",
                   l->root, (unsigned long long)(need >> 20) + 1, (unsigned long long)(have >> 20));
}
