/* SPDX-License-Identifier: MIT
 * file.c - see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Pages of a column differ a little in size; a block is not made anew for each. */
static size_t with_spare(const struct col_file *f, size_t n)
{
    size_t spare = n / 8 + 256;

    return f->limit - f->used - n > spare ? n + spare : n;
}

drh_status col_reserve(struct col_file *f, struct col_block *b, size_t n, drh_error *e)
{
    if (n <= b->cap && b->p) {
        return DRH_OK;
    }
    col_release(f, b);
    if (n > f->limit - f->used) {
        return drh_fail(e, DRH_E_RANGE,
                        "needs %zu MiB of memory beside %zu MiB, and the option memory allows %zu: "
                        "read fewer columns (option columns) or raise it",
                        (n >> 20) + 1, f->used >> 20, f->limit >> 20);
    }
    n = with_spare(f, n ? n : 1);
    b->p = f->host->alloc(f->host, NULL, n);
    if (!b->p) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for %zu bytes of a page", n);
    }
    b->cap = n;
    f->used += n;
    return DRH_OK;
}

void col_release(struct col_file *f, struct col_block *b)
{
    if (b->p) {
        (void)f->host->alloc(f->host, b->p, 0);
        f->used -= b->cap;
    }
    b->p = NULL;
    b->cap = 0;
}

drh_status col_open(struct col_file *f, const char *path, drh_error *e)
{
    struct stat sb;

    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0) {
        return drh_fail(e, DRH_E_IO, "cannot open %s: %s", path, strerror(errno));
    }
    if (fstat(f->fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        return drh_fail(e, DRH_E_IO, "%s is no regular file, and only such a file can be read",
                        path);
    }
    f->size = (uint64_t)sb.st_size;
    return DRH_OK;
}

void col_close(struct col_file *f)
{
    if (f->fd >= 0) {
        (void)close(f->fd);
    }
    f->fd = -1;
}

drh_status col_read(const struct col_file *f, uint64_t at, void *p, size_t n, drh_error *e)
{
    uint8_t *to = p;

    if (at > f->size || n > f->size - at) {
        return drh_fail(e, DRH_E_DATA, "bytes from %llu on lie beyond the file's end" COL_AGAIN,
                        (unsigned long long)at);
    }
    while (n) {
        ssize_t got = pread(f->fd, to, n, (off_t)at);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return drh_fail(e, DRH_E_IO, "reading failed at byte %llu: %s", (unsigned long long)at,
                            strerror(errno));
        }
        if (got == 0) {
            return drh_fail(e, DRH_E_DATA, "the file has become shorter" COL_AGAIN);
        }
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return DRH_OK;
}
