/* SPDX-License-Identifier: MIT
 * faultio.c - for LD_PRELOAD: the Nth call of one function on a file below a folder fails.
 *
 *     FAULTIO=CALL:N:ERRNO[+]  CALL: open, write, fsync, syncfs, rename; ERRNO: ENOSPC, EIO,
 * EMFILE, or KILL: the process ends there; +: and each one after it FAULTIO_UNDER=FOLDER     whose
 * files are meant FAULTIO_FELT=FILE        gets the path of the first one that failed
 *
 * "open" are those of files to be written; "fsync" is also fdatasync.  On any thread. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int     open(const char *path, int flags, ...);
int     open64(const char *path, int flags, ...);
int     mkstemp(char *path);
int     mkstemp64(char *path);
ssize_t write(int fd, const void *p, size_t n);
int     fsync(int fd);
int     fdatasync(int fd);
int     syncfs(int fd);
int     rename(const char *from, const char *to);

static atomic_ulong calls;

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static bool below(const char *path)
{
    const char *folder = getenv("FAULTIO_UNDER");
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static bool fd_below(int fd, char path[4096])
{
    char    link[64];
    ssize_t n;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, 4095);
    path[n > 0 ? n : 0] = '\0';
    return n > 0 && below(path);
}

static void note(const char *path)
{
    ssize_t (*real_write)(int, const void *, size_t);
    int (*real_open)(const char *, int, ...);
    const char *felt = getenv("FAULTIO_FELT");
    int         fd;

    *(void **)&real_write = real("write");
    *(void **)&real_open = real("open");
    fd = felt ? real_open(felt, O_WRONLY | O_CREAT | O_EXCL, 0666) : -1;
    if (fd >= 0) {
        (void)!real_write(fd, path, strlen(path));
        (void)!real_write(fd, "\n", 1);
        (void)close(fd);
    }
}

/* Counts a call; true with errno set when it has to fail. */
static bool refused(const char *call, const char *path)
{
    static const struct {
        const char *name;
        int         code;
    } codes[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EMFILE", EMFILE}};
    const char   *plan = getenv("FAULTIO");
    size_t        len = strlen(call);
    unsigned long at, now;
    char         *end;

    if (!plan || strncmp(plan, call, len) != 0 || plan[len] != ':') {
        return false;
    }
    at = strtoul(plan + len + 1, &end, 10);
    now = atomic_fetch_add(&calls, 1) + 1;
    if (now < at || (now > at && !strchr(end, '+'))) {
        return false;
    }
    note(path);
    if (strncmp(end + 1, "KILL", 4) == 0) {
        (void)kill(getpid(), SIGKILL);
    }
    errno = EIO;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strncmp(end + 1, codes[i].name, strlen(codes[i].name)) == 0) {
            errno = codes[i].code;
        }
    }
    return true;
}

static int open_or_refuse(const char *name, const char *path, int flags, va_list ap)
{
    int (*f)(const char *, int, ...);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;

    *(void **)&f = real(name);
    if ((flags & O_ACCMODE) != O_RDONLY && below(path) && refused("open", path)) {
        return -1;
    }
    return f(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    int     fd;

    va_start(ap, flags);
    fd = open_or_refuse("open", path, flags, ap);
    va_end(ap);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list ap;
    int     fd;

    va_start(ap, flags);
    fd = open_or_refuse("open64", path, flags, ap);
    va_end(ap);
    return fd;
}

static int mkstemp_or_refuse(const char *name, char *path)
{
    int (*f)(char *);

    *(void **)&f = real(name);
    return below(path) && refused("open", path) ? -1 : f(path);
}

int mkstemp(char *path)
{
    return mkstemp_or_refuse("mkstemp", path);
}

int mkstemp64(char *path)
{
    return mkstemp_or_refuse("mkstemp64", path);
}

ssize_t write(int fd, const void *p, size_t n)
{
    ssize_t (*f)(int, const void *, size_t);
    char path[4096];

    *(void **)&f = real("write");
    return fd_below(fd, path) && refused("write", path) ? -1 : f(fd, p, n);
}

static int sync_or_refuse(const char *name, const char *call, int fd)
{
    int (*f)(int);
    char path[4096];

    *(void **)&f = real(name);
    return fd_below(fd, path) && refused(call, path) ? -1 : f(fd);
}

int fsync(int fd)
{
    return sync_or_refuse("fsync", "fsync", fd);
}

int fdatasync(int fd)
{
    return sync_or_refuse("fdatasync", "fsync", fd);
}

int syncfs(int fd)
{
    return sync_or_refuse("syncfs", "syncfs", fd);
}

int rename(const char *from, const char *to)
{
    int (*f)(const char *, const char *);

    *(void **)&f = real("rename");
    return below(to) && refused("rename", to) ? -1 : f(from, to);
}
