/* SPDX-License-Identifier: MIT
 *
 * notes.c - see notes.h.
 */
#include "notes.h"

#include "sort.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

drh_status notes_open(struct notes *s, const drh_host *h, const char *const *path, size_t n,
                      drh_error *e)
{
    memset(s, 0, sizeof(*s));
    s->host = h;
    s->path = path;
    s->n = n;
    for (size_t i = 0; i < NOTES_OPEN; i++) {
        s->open[i].fd = -1;
    }
    s->start = h->alloc(h, NULL, (n + 1) * sizeof(*s->start));
    if (!s->start) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    s->start[0] = 0;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (stat(path[i], &st) != 0) {
            return drh_fail(e, DRH_E_IO, "cannot read %.200s: %s", path[i], strerror(errno));
        }
        s->start[i + 1] = s->start[i] + (uint64_t)st.st_size;
    }
    return DRH_OK;
}

void notes_close(struct notes *s)
{
    for (size_t i = 0; s->host && i < NOTES_OPEN; i++) {
        if (s->open[i].fd >= 0) {
            (void)close(s->open[i].fd);
        }
    }
    if (s->host) {
        (void)s->host->alloc(s->host, s->start, 0);
    }
    memset(s, 0, sizeof(*s));
}

/* The shard's file, open; there are places for some at a time. */
static int open_shard(struct notes *s, size_t shard, drh_error *e)
{
    const size_t place = shard % NOTES_OPEN;
    if (s->open[place].fd >= 0 && s->open[place].shard == shard) {
        return s->open[place].fd;
    }
    if (s->open[place].fd >= 0) {
        (void)close(s->open[place].fd);
    }
    s->open[place].shard = shard;
    s->open[place].fd = open(s->path[shard], O_RDONLY | O_CLOEXEC);
    if (s->open[place].fd < 0) {
        (void)drh_fail(e, DRH_E_IO, "cannot open %.200s: %s", s->path[shard], strerror(errno));
    }
    return s->open[place].fd;
}

static size_t shard_of(const struct notes *s, uint64_t address)
{
    size_t low = 0, high = s->n;
    while (low + 1 < high) {
        size_t mid = (low + high) / 2;
        if (s->start[mid] <= address) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return low;
}

drh_status notes_read(struct notes *s, uint64_t address, void *to, size_t len, drh_error *e)
{
    size_t shard = shard_of(s, address);
    int    fd;
    if (shard >= s->n || address > s->start[s->n] || len > s->start[shard + 1] - address) {
        return drh_fail(e, DRH_E_DATA, NOTES_DAMAGED);
    }
    fd = open_shard(s, shard, e);
    return fd < 0 ? DRH_E_IO : sort_pread(fd, to, len, address - s->start[shard], e);
}

void notes_folder(const char *const *path, size_t n, char *to, size_t size)
{
    char *slash;
    (void)snprintf(to, size, "%s", n ? path[0] : ".");
    slash = strrchr(to, '/');
    if (slash && slash != to) {
        *slash = '\0';
    } else if (n && !slash) {
        (void)snprintf(to, size, ".");
    }
}
