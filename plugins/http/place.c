/* SPDX-License-Identifier: MIT
 * place.c - see place.h. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

drh_status place_error(drh_error *e, int number, const char *doing, const char *name)
{
    const char *remedy = "";

    switch (number) {
    case ENOSPC:
    case EDQUOT:
        remedy = "; free some space, then start again: what has arrived is kept";
        break;
    case EFBIG:
        remedy = "; this file system or a limit of the shell forbids files of this size";
        break;
    case EROFS:
    case EACCES:
    case EPERM:
        remedy = "; choose a folder that you may write to";
        break;
    case ENAMETOOLONG:
        remedy = "; this file system has no room for such a name";
        break;
    default:
        break;
    }
    return drh_fail(e, DRH_E_IO, "cannot %s %s: %s%s", doing, name, strerror(number), remedy);
}

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
    return drh_fail(e, DRH_E_IO, "%s: \"%s\" on its way is %s; move it, then start again", name,
                    part, what);
}

static drh_status step(int *folder, const char *part, bool make, const char *name, drh_error *e)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int       next = openat(*folder, part, flags);

    if (next < 0 && errno == ENOENT && make) {
        if (mkdirat(*folder, part, 0777) != 0 && errno != EEXIST) {
            return place_error(e, errno, "make a folder for", name);
        }
        next = openat(*folder, part, flags);
    }
    if (next < 0) {
        return errno == ENOENT && !make ? drh_fail(e, DRH_E_MISSING, "%s is not there", name)
               : errno == ELOOP || errno == ENOTDIR
                   ? in_the_way(e, *folder, part, name)
                   : place_error(e, errno, "open the folder of", name);
    }
    (void)close(*folder);
    *folder = next;
    return DRH_OK;
}

/* The host has checked names by then; a part that leads elsewhere is refused here, too. */
static bool leads_elsewhere(const char *part, size_t n)
{
    return n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.');
}

drh_status place_folder(int root, const char *name, bool make, int *folder, const char **last,
                        drh_error *e)
{
    char       part[NAME_MAX + 1];
    drh_status st = DRH_OK;

    *folder = fcntl(root, F_DUPFD_CLOEXEC, 0);
    if (*folder < 0) {
        return place_error(e, errno, "open the folder of", name);
    }
    *last = name;
    for (const char *slash; st == DRH_OK && (slash = strchr(*last, '/')) != NULL;) {
        size_t n = (size_t)(slash - *last);
        if (leads_elsewhere(*last, n)) {
            break;
        }
        if (n > NAME_MAX) {
            st = place_error(e, ENAMETOOLONG, "make a folder for", name);
            break;
        }
        memcpy(part, *last, n);
        part[n] = '\0';
        st = step(folder, part, make, name, e);
        *last = slash + 1;
    }
    if (st == DRH_OK && leads_elsewhere(*last, strcspn(*last, "/"))) {
        st = drh_fail(e, DRH_E_ARG, "\"%.200s\" is no path below a folder", name);
    }
    if (st != DRH_OK) {
        (void)close(*folder);
        *folder = -1;
    }
    return st;
}

drh_status place_open(int root, const char *name, int *fd, drh_error *e)
{
    const char *last;
    struct stat sb;
    int         folder;
    drh_status  st = place_folder(root, name, false, &folder, &last, e);

    *fd = -1;
    if (st != DRH_OK) {
        return st == DRH_E_MISSING ? DRH_OK : st;
    }
    *fd = openat(folder, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (*fd < 0) {
        st = errno == ENOENT  ? DRH_OK
             : errno == ELOOP ? in_the_way(e, folder, last, name)
                              : place_error(e, errno, "read", name);
    } else if (fstat(*fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        (void)close(*fd);
        *fd = -1;
        st = in_the_way(e, folder, last, name);
    }
    (void)close(folder);
    return st;
}

drh_status place_commit(int root, const char *name, int from, const char *part, drh_error *e)
{
    const char *last;
    struct stat sb;
    int         folder;
    drh_status  st = place_folder(root, name, true, &folder, &last, e);

    if (st != DRH_OK) {
        return st;
    }
    if (fstatat(folder, last, &sb, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(sb.st_mode)) {
        st = in_the_way(e, folder, last, name);
    } else if (renameat(from, part, folder, last) != 0) {
        st = errno == EISDIR || errno == EEXIST || errno == ENOTEMPTY
                 ? in_the_way(e, folder, last, name) /* it came in this moment */
                 : place_error(e, errno, "give its name to", name);
    }
    (void)close(folder);
    return st;
}

static bool write_all(int fd, drh_str text)
{
    while (text.len) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        text.ptr += n > 0 ? n : 0;
        text.len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

drh_status place_put(int root, const char *name, drh_str text, drh_error *e)
{
    static uint32_t counter;
    char            tmp[48];
    const char     *last;
    int             folder, fd;
    drh_status      st = place_folder(root, name, true, &folder, &last, e);

    if (st != DRH_OK) {
        return st;
    }
    (void)snprintf(tmp, sizeof(tmp), ".tmp-drhost-%ld-%u", (long)getpid(),
                   __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED));
    fd = openat(folder, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0 || !write_all(fd, text) || renameat(folder, tmp, folder, last) != 0) {
        st = place_error(e, errno, "write", name);
        (void)unlinkat(folder, tmp, 0);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    (void)close(folder);
    return st;
}
