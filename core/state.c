/* SPDX-License-Identifier: MIT
 * state.c - see state.h. */
#include "state.h"

#include "err.h"
#include "mem.h"
#include "recipe.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

/* The version whose lock file is youngest. */
static drh_status newest_version(const char *data, char **version, drh_error *e)
{
    char          *folder = mem_printf("%s/.drhost", data);
    DIR           *d = folder ? opendir(folder) : NULL;
    time_t         best = 0;
    struct dirent *entry;

    *version = NULL;
    while (d && (entry = readdir(d)) != NULL) {
        char       *lock = mem_printf("%s/%s/lock", folder, entry->d_name);
        struct stat sb;

        if (lock && entry->d_name[0] != '.' && stat(lock, &sb) == 0 &&
            (!*version || sb.st_mtime > best)) {
            best = sb.st_mtime;
            mem_free(*version);
            *version = mem_dupz(entry->d_name);
        }
        mem_free(lock);
    }
    if (d) {
        (void)closedir(d);
    }
    mem_free(folder);
    return *version
               ? DRH_OK
               : err_set(e, DRH_E_MISSING,
                         "no run has left anything in %s; name a recipe or its data folder", data);
}

static drh_status from_recipe(const struct cli_options *o, const char *path, char *text[2],
                              drh_error *e)
{
    struct recipe *r = NULL;
    drh_status     st = recipe_load(path, &r, e);

    st = st == DRH_OK ? cli_apply(o, r, e) : st;
    if (st == DRH_OK) {
        text[0] = mem_dupz(r->data);
        text[1] = mem_dupz(r->version);
        st = text[0] && text[1] ? DRH_OK : err_nomem(e, "a path");
    }
    recipe_free(r);
    return st;
}

drh_status state_find(const struct cli_options *o, size_t arg, struct layout *l, char *text[2],
                      drh_error *e)
{
    const char *given = o->args.n > arg ? o->args.text[arg] : NULL;
    struct stat sb;
    drh_status  st = DRH_OK;

    text[0] = text[1] = NULL;
    if (given && stat(given, &sb) == 0 && !S_ISDIR(sb.st_mode)) {
        st = from_recipe(o, given, text, e);
    } else {
        text[0] = mem_dupz(given ? given : (o->data ? o->data : "data"));
        st = text[0] ? newest_version(text[0], &text[1], e) : err_nomem(e, "a path");
    }
    *l = (struct layout){.data = text[0], .version = text[1]};
    return st;
}
