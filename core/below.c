/* SPDX-License-Identifier: MIT
 * below.c - see below.h. */
#include "below.h"

#include "err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static drh_status in_the_way(drh_error *e, int folder, const char *part, const char *name)
{
    struct stat sb;
    const char *what = "something";

    if (fstatat(folder, part, &sb, AT_SYMLINK_NOFOLLOW) == 0) {
        what = S_ISLNK(sb.st_mode)   ? "a symbolic link"
               : S_ISDIR(sb.st_mode) ? "a folder"
               : S_ISREG(sb.st_mode) ? "a file"
                                     : "no ordinary file";
    }
    return err_set(e, DRH_E_IO, "%s: \"%s\" on its way is %s; move it, then start again", name,
                   part, what);
}

drh_status below_root(const char *root, int *fd, drh_error *e)
{
    *fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd < 0 ? err_errno(e, errno, "cannot open folder", root) : DRH_OK;
}

static drh_status step(int *folder, const char *part, bool make, const char *name, drh_error *e)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int       next = openat(*folder, part, flags);

    if (next < 0 && errno == ENOENT && make) {
        if (mkdirat(*folder, part, 0777) != 0 && errno != EEXIST) {
            return err_errno(e, errno, "cannot make a folder for", name);
        }
        next = openat(*folder, part, flags);
    }
    if (next < 0) {
        return errno == ENOENT && !make ? err_set(e, DRH_E_MISSING, "%s is not there", name)
               : errno == ELOOP || errno == ENOTDIR
                   ? in_the_way(e, *folder, part, name)
                   : err_errno(e, errno, "cannot open the folder of", name);
    }
    (void)close(*folder);
    *folder = next;
    return DRH_OK;
}

/* Listed names have been checked by then; a part that leads elsewhere is refused here, too. */
static bool leads_elsewhere(const char *part, size_t n)
{
    return n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.');
}

drh_status below_folder(int root, const char *name, bool make, int *folder, const char **last,
                        drh_error *e)
{
    char       part[NAME_MAX + 1];
    drh_status st = DRH_OK;

    *folder = fcntl(root, F_DUPFD_CLOEXEC, 0);
    if (*folder < 0) {
        return err_errno(e, errno, "cannot open the folder of", name);
    }
    *last = name;
    for (const char *slash; st == DRH_OK && (slash = strchr(*last, '/')) != NULL;) {
        size_t n = (size_t)(slash - *last);
        if (leads_elsewhere(*last, n)) {
            break;
        }
        if (n > NAME_MAX) {
            st = err_errno(e, ENAMETOOLONG, "cannot make a folder for", name);
            break;
        }
        memcpy(part, *last, n);
        part[n] = '\0';
        st = step(folder, part, make, name, e);
        *last = slash + 1;
    }
    if (st == DRH_OK && leads_elsewhere(*last, strcspn(*last, "/"))) {
        st = err_set(e, DRH_E_ARG, "\"%.200s\" is no path below a folder", name);
    }
    if (st != DRH_OK) {
        (void)close(*folder);
        *folder = -1;
    }
    return st;
}

drh_status below_open(int root, const char *name, int flags, int *fd, drh_error *e)
{
    const char *last;
    struct stat sb;
    int         folder;
    drh_status  st = below_folder(root, name, (flags & O_CREAT) != 0, &folder, &last, e);

    *fd = -1;
    if (st != DRH_OK) {
        return st;
    }
    *fd = openat(folder, last, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (*fd < 0) {
        st = errno == ENOENT ? err_set(e, DRH_E_MISSING, "%s is not there", name)
             : errno == ELOOP || errno == EISDIR || errno == ENXIO
                 ? in_the_way(e, folder, last, name)
                 : err_errno(e, errno, "cannot open", name);
    } else if (fstat(*fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        (void)close(*fd);
        *fd = -1;
        st = in_the_way(e, folder, last, name);
    }
    (void)close(folder);
    return st;
}

drh_status below_commit(int root, const char *name, int from, const char *part, drh_error *e)
{
    const char *last;
    struct stat sb;
    int         folder;
    drh_status  st = below_folder(root, name, true, &folder, &last, e);

    if (st != DRH_OK) {
        return st;
    }
    if (fstatat(folder, last, &sb, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(sb.st_mode)) {
        st = in_the_way(e, folder, last, name);
    } else if (renameat(from, part, folder, last) != 0) {
        st = err_errno(e, errno, "cannot give its name to", name);
    }
    (void)close(folder);
    return st;
}
