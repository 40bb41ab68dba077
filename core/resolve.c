/* SPDX-License-Identifier: MIT
 * resolve.c - from a name to a file: the plugin folders, the lookup of bare names, and the scan of
 * the folders by notes.  The current folder is never searched: a file in a downloaded data set must
 * not become code. [main] */
#include "err.h"
#include "loader_impl.h"
#include "log.h"
#include "mem.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The installed plugins as seen from the host's own folder. */
#ifndef DRH_PLUGINS_FROM_BIN
#define DRH_PLUGINS_FROM_BIN "../lib/drhost/plugins"
#endif

enum { PATH_SHOWN = 160, MAX_FILES = 4096 };

const char *path_tail(const char *path)
{
    size_t n = strlen(path);

    return n > PATH_SHOWN ? path + n - PATH_SHOWN : path;
}

drh_status at_step(drh_error *e, drh_status st, const char *file, const char *step)
{
    err_prefix(e, "%s: %s", path_tail(file), step);
    return st;
}

static bool is_file(const char *path)
{
    struct stat sb;

    return stat(path, &sb) == 0 && S_ISREG(sb.st_mode);
}

/* ---- the folders --------------------------------------------------------------------------- */

/* Takes a folder once, under its real path; NULL or a missing one is DRH_E_MISSING. */
static drh_status add_folder(struct loader *l, const char *path, drh_error *e)
{
    char       *real = path ? realpath(path, NULL) : NULL;
    struct stat sb;
    char      **grown;
    size_t      i;
    drh_status  st = DRH_OK;

    if (!real || stat(real, &sb) != 0 || !S_ISDIR(sb.st_mode)) {
        free(real);
        return DRH_E_MISSING;
    }
    for (i = 0; i < l->n_folders; i++) {
        if (strcmp(l->folders[i], real) == 0) {
            free(real);
            return DRH_OK;
        }
    }
    grown = mem_resize(l->folders, (l->n_folders + 1) * sizeof(*grown));
    if (grown) {
        l->folders = grown;
        grown[l->n_folders] = mem_dupz(real);
    }
    if (grown && grown[l->n_folders]) {
        l->n_folders++;
    } else {
        st = err_nomem(e, "the plugin folders");
    }
    free(real);
    return st;
}

/* A folder that need not be there. */
static drh_status add_optional(struct loader *l, char *path, drh_error *e)
{
    drh_status st = path ? add_folder(l, path, e) : err_nomem(e, "the plugin folders");

    mem_free(path);
    return st == DRH_E_MISSING ? DRH_OK : st;
}

/* Entries between ':'; an empty or relative one would mean the current folder. */
static drh_status add_list(struct loader *l, const char *list, drh_error *e)
{
    drh_status st = DRH_OK;

    while (st == DRH_OK && list && *list) {
        size_t n = strcspn(list, ":");
        if (n > 0 && *list == '/') {
            st = add_optional(l, mem_dup(list, n), e);
        } else if (n > 0) {
            log_put(DRH_LOG_WARN, "DRHOST_PLUGIN_PATH: %.*s: not searched; write the whole path",
                    (int)(n < PATH_SHOWN ? n : PATH_SHOWN), list);
        }
        list += n + (list[n] == ':');
    }
    return st;
}

static drh_status add_users(struct loader *l, drh_error *e)
{
    const char *xdg = secure_getenv("XDG_DATA_HOME");
    const char *home = secure_getenv("HOME");

    if (xdg && *xdg == '/') {
        return add_optional(l, mem_printf("%s/drhost/plugins", xdg), e);
    }
    if (home && *home == '/') {
        return add_optional(l, mem_printf("%s/.local/share/drhost/plugins", home), e);
    }
    return DRH_OK;
}

static drh_status add_own(struct loader *l, drh_error *e)
{
    char       exe[PATH_MAX];
    ssize_t    n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    char      *slash;
    drh_status st;

    if (n <= 0) {
        return DRH_OK;
    }
    exe[n] = 0;
    slash = strrchr(exe, '/');
    if (!slash) {
        return DRH_OK;
    }
    *slash = 0;
    st = add_optional(l, mem_printf("%s/" DRH_PLUGINS_FROM_BIN, exe), e);
    return st == DRH_OK ? add_optional(l, mem_printf("%s/plugins", exe), e) : st;
}

drh_status folders_find(struct loader *l, const char *const *plugin_path, size_t n, drh_error *e)
{
    drh_status st = DRH_OK;
    size_t     i;

    for (i = 0; i < n && st == DRH_OK; i++) {
        st = add_folder(l, plugin_path[i], e);
        if (st == DRH_E_MISSING) {
            st = err_set(e, DRH_E_CONFIG, "%s: find: no such folder; check --plugin-path",
                         path_tail(plugin_path[i]));
        }
    }
    if (st == DRH_OK) {
        st = add_list(l, secure_getenv("DRHOST_PLUGIN_PATH"), e);
    }
    if (st == DRH_OK) {
        st = add_users(l, e);
    }
    return st == DRH_OK ? add_own(l, e) : st;
}

static void folders_text(const struct loader *l, char *out, size_t cap)
{
    size_t i, used = 0;

    (void)snprintf(out, cap, "(there are none)");
    for (i = 0; i < l->n_folders; i++) {
        size_t n = strlen(l->folders[i]);
        if (used + n + 8 > cap) {
            (void)snprintf(out + used, cap - used, "%s...", used ? ":" : "");
            return;
        }
        used += (size_t)snprintf(out + used, cap - used, "%s%s", used ? ":" : "", l->folders[i]);
    }
}

/* ---- names --------------------------------------------------------------------------------- */

static drh_status real_of(const char *path, char **real, drh_error *e)
{
    char *found = realpath(path, NULL);

    if (!found) {
        int en = errno;
        return err_set(e, en == ENOMEM ? DRH_E_NOMEM : DRH_E_MISSING,
                       "%s: find: %s; check the path", path_tail(path), strerror(en));
    }
    *real = mem_dupz(found);
    free(found);
    return *real ? DRH_OK : err_nomem(e, "a plugin's path");
}

static const char *suffix_of(const char *name)
{
    size_t n = strlen(name);

    return n > 3 && strcmp(name + n - 3, ".so") == 0 ? "" : ".so";
}

static bool is_here(const char *name)
{
    char *path = strchr(name, '/') ? NULL : mem_printf("./%s%s", name, suffix_of(name));
    bool  here = path && is_file(path);

    mem_free(path);
    return here;
}

drh_status not_found(const struct loader *l, const char *name, const char *what, const char *remedy,
                     drh_error *e)
{
    char folders[140];

    folders_text(l, folders, sizeof(folders));
    if (is_here(name)) {
        return err_set(e, DRH_E_MISSING,
                       "%s: find: no such %s in the folders %s; the current folder is never "
                       "searched, write ./%s%s to load the file that is there",
                       path_tail(name), what, folders, path_tail(name), suffix_of(name));
    }
    return err_set(e, DRH_E_MISSING, "%s: find: no such %s in the folders %s; %s", path_tail(name),
                   what, folders, remedy);
}

drh_status resolve(const struct loader *l, const char *name, char **real, drh_error *e)
{
    size_t i;

    *real = NULL;
    if (*name == 0) {
        return err_set(e, DRH_E_MISSING, "\"\": find: an empty name; give a plugin's name or path");
    }
    if (strchr(name, '/')) {
        return real_of(name, real, e);
    }
    for (i = 0; i < l->n_folders; i++) {
        char      *path = mem_printf("%s/%s%s", l->folders[i], name, suffix_of(name));
        drh_status st = DRH_E_MISSING;
        if (!path) {
            return err_nomem(e, "a plugin's path");
        }
        if (is_file(path)) {
            st = real_of(path, real, e);
        }
        mem_free(path);
        if (st != DRH_E_MISSING) {
            return st;
        }
    }
    return not_found(l, name, "plugin", "give its path, or its folder with --plugin-path", e);
}

/* ---- the scan ------------------------------------------------------------------------------ */

static int is_so(const struct dirent *d)
{
    size_t n = strlen(d->d_name);

    return n > 3 && d->d_name[0] != '.' && strcmp(d->d_name + n - 3, ".so") == 0;
}

/* By bytes, not by locale: the order decides which of two equal ids wins. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static drh_status scan_file(struct loader *l, const char *folder, const char *file, drh_error *e)
{
    drh_error            why = ERR_INIT;
    struct found_plugin *f;
    struct probe        *pr = mem_alloc(1, sizeof(*pr));
    drh_status           st;

    f = pr ? mem_resize(l->found, (l->n_found + 1) * sizeof(*f)) : NULL;
    if (!f) {
        mem_free(pr);
        return err_nomem(e, "the list of plugins");
    }
    l->found = f;
    f += l->n_found++;
    memset(f, 0, sizeof(*f));
    f->path = mem_printf("%s/%s", folder, file);
    st = f->path ? probe_file(f->path, pr, &why) : DRH_E_NOMEM;
    if (st == DRH_OK) {
        struct note_stage *s = mem_alloc(pr->n_stages, sizeof(*s));
        if (s) {
            memcpy(s, pr->stages, pr->n_stages * sizeof(*s));
            f->n_stages = pr->n_stages;
        }
        f->stages = s;
    } else if (st != DRH_E_NOMEM) {
        f->why = mem_dupz(why.message);
        log_put(DRH_LOG_DEBUG, "skipped %s", why.message);
    }
    mem_free(pr);
    return f->path && (f->stages || f->why) ? DRH_OK : err_nomem(e, "the list of plugins");
}

static drh_status scan_folder(struct loader *l, const char *folder, drh_error *e)
{
    struct dirent **d = NULL;
    int             i, n = scandir(folder, &d, is_so, by_name);
    drh_status      st = DRH_OK;

    if (n < 0) {
        log_put(DRH_LOG_DEBUG, "skipped %s: %s", folder, strerror(errno));
        return DRH_OK;
    }
    if (n > MAX_FILES) {
        log_put(DRH_LOG_WARN, "%s: only the first %d of %d files are looked at", folder,
                (int)MAX_FILES, n);
    }
    for (i = 0; i < n; i++) {
        if (st == DRH_OK && i < MAX_FILES) {
            st = scan_file(l, folder, d[i]->d_name, e);
        }
        free(d[i]);
    }
    free(d);
    return st;
}

static void free_found(struct loader *l)
{
    size_t i;

    for (i = 0; i < l->n_found; i++) {
        mem_free(l->found[i].path);
        mem_free(l->found[i].why);
        mem_free(l->found[i].stages);
    }
    mem_free(l->found);
    l->found = NULL;
    l->n_found = 0;
}

drh_status folders_scan(struct loader *l, drh_error *e)
{
    drh_status st = DRH_OK;
    size_t     i;

    if (l->scanned) {
        return DRH_OK;
    }
    for (i = 0; i < l->n_folders && st == DRH_OK; i++) {
        st = scan_folder(l, l->folders[i], e);
    }
    if (st != DRH_OK) {
        free_found(l);
    }
    l->scanned = st == DRH_OK;
    return st;
}

void folders_free(struct loader *l)
{
    size_t i;

    free_found(l);
    for (i = 0; i < l->n_folders; i++) {
        mem_free(l->folders[i]);
    }
    mem_free(l->folders);
}
