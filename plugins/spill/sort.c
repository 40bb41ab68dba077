/* SPDX-License-Identifier: MIT
 *
 * sort.c - see sort.h.  A buffer of items is sorted whenever it is full and written behind the last
 * one; in the end all these runs are merged by a heap, each read through its share of the buffer.
 */
#include "sort.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { SORT_BLOCK = 16 << 10 }; /* least bytes that are read of a run at a time */

struct sort_run {
    uint64_t at, end;   /* bytes in the file that are still to be read */
    uint8_t *buf;       /* its share of the buffer */
    size_t   pos, have; /* bytes of it */
};

struct sort {
    const drh_host  *host;
    const char      *folder; /* the caller's */
    size_t           item, cap, n;
    uint8_t         *items; /* cap of them; later the runs' buffers */
    int              fd;
    uint64_t         written;
    struct sort_run *run;
    size_t           n_runs, cap_runs;
    size_t          *heap; /* of runs, the least item first */
    size_t           n_heap, share;
    size_t           at; /* everything fitted: next item */
    bool             reading, any;
    uint8_t          last[SORT_ITEM];
};

/* qsort() hands no context over, and there are only a few sizes. */
#define BY_SIZE(n)                                                                                 \
    static int by_##n(const void *a, const void *b)                                                \
    {                                                                                              \
        return memcmp(a, b, n);                                                                    \
    }
BY_SIZE(16)
BY_SIZE(24)
BY_SIZE(32)

static int (*order_of(size_t item))(const void *, const void *)
{
    return item == 16 ? by_16 : item == 24 ? by_24 : by_32;
}

struct sort *sort_new(const drh_host *h, const char *folder, size_t item, size_t memory)
{
    struct sort *s = h->alloc(h, NULL, sizeof(*s));
    if (!s) {
        return NULL;
    }
    memset(s, 0, sizeof(*s));
    s->host = h;
    s->folder = folder;
    s->item = item;
    s->cap = memory / item;
    s->fd = -1;
    s->items = h->alloc(h, NULL, s->cap * item);
    if (!s->items) {
        sort_free(s);
        return NULL;
    }
    return s;
}

void sort_free(struct sort *s)
{
    const drh_host *h;
    if (!s) {
        return;
    }
    h = s->host;
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    (void)h->alloc(h, s->items, 0);
    (void)h->alloc(h, s->run, 0);
    (void)h->alloc(h, s->heap, 0);
    (void)h->alloc(h, s, 0);
}

/* ---- files --------------------------------------------------------------------------------- */

int sort_temporary(const char *folder, drh_error *e)
{
    static const char name[] = "/drhost-XXXXXX";
    char              path[4096];
    int               fd = -1;

    if (strlen(folder) + sizeof(name) > sizeof(path)) {
        (void)drh_fail(e, DRH_E_IO, "the folder's name is too long: %.200s", folder);
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s%s", folder, name);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0 || unlink(path) != 0) {
        (void)drh_fail(e, DRH_E_IO, "cannot make a temporary file in %.200s: %s", folder,
                       strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return -1;
    }
    return fd;
}

static drh_status write_all(int fd, const uint8_t *p, size_t len, const char *folder, drh_error *e)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return drh_fail(e, DRH_E_IO, "cannot write a temporary file in %.200s: %s", folder,
                            strerror(n < 0 ? errno : ENOSPC));
        }
        p += n;
        len -= (size_t)n;
    }
    return DRH_OK;
}

drh_status sort_pread(int fd, void *to, size_t len, uint64_t at, drh_error *e)
{
    uint8_t *p = to;
    while (len > 0) {
        ssize_t n = pread(fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return drh_fail(e, DRH_E_IO, "cannot read a file of this step: %s",
                            n < 0 ? strerror(errno) : "it is shorter than it was");
        }
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return DRH_OK;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* Sorts what is in memory and takes equal items away. */
static void sort_items(struct sort *s)
{
    size_t kept = 0;
    if (s->n == 0) {
        return;
    }
    qsort(s->items, s->n, s->item, order_of(s->item));
    for (size_t i = 1; i < s->n; i++) {
        const uint8_t *item = s->items + i * s->item;
        if (memcmp(s->items + kept * s->item, item, s->item) != 0) {
            kept++;
            memmove(s->items + kept * s->item, item, s->item);
        }
    }
    s->n = kept + 1;
}

static drh_status add_run(struct sort *s, drh_error *e)
{
    size_t     bytes;
    drh_status st;

    sort_items(s);
    bytes = s->n * s->item;
    if (s->n_runs == s->cap_runs) {
        size_t           cap = 2 * s->cap_runs + 16;
        struct sort_run *more = s->host->alloc(s->host, s->run, cap * sizeof(*more));
        if (!more) {
            return drh_fail(e, DRH_E_NOMEM, "out of memory");
        }
        s->run = more;
        s->cap_runs = cap;
    }
    if (s->fd < 0 && (s->fd = sort_temporary(s->folder, e)) < 0) {
        return DRH_E_IO;
    }
    st = write_all(s->fd, s->items, bytes, s->folder, e);
    memset(&s->run[s->n_runs], 0, sizeof(s->run[0]));
    s->run[s->n_runs].at = s->written;
    s->written += bytes;
    s->run[s->n_runs++].end = s->written;
    s->n = 0;
    return st;
}

drh_status sort_put(struct sort *s, const void *item, drh_error *e)
{
    if (s->n == s->cap) {
        drh_status st =
            s->host->cancelled(s->host) ? drh_fail(e, DRH_E_CANCELLED, "stopped") : add_run(s, e);
        if (st != DRH_OK) {
            return st;
        }
    }
    memcpy(s->items + s->n++ * s->item, item, s->item);
    return DRH_OK;
}

/* ---- reading ------------------------------------------------------------------------------- */

static const uint8_t *head(const struct sort *s, size_t heap_at)
{
    const struct sort_run *r = &s->run[s->heap[heap_at]];
    return r->buf + r->pos;
}

static void sink_down(struct sort *s, size_t at)
{
    for (;;) {
        size_t least = at, child = 2 * at + 1, keep = s->heap[at];
        for (size_t c = child; c < child + 2 && c < s->n_heap; c++) {
            least = memcmp(head(s, c), head(s, least), s->item) < 0 ? c : least;
        }
        if (least == at) {
            return;
        }
        s->heap[at] = s->heap[least];
        s->heap[least] = keep;
        at = least;
    }
}

/* Bytes of the run that are in memory are used up: the next ones; r->have 0: there are none. */
static drh_status refill(struct sort *s, struct sort_run *r, drh_error *e)
{
    uint64_t left = r->end - r->at;
    r->have = left < s->share ? (size_t)left : s->share;
    r->pos = 0;
    if (r->have == 0) {
        return DRH_OK;
    }
    r->at += r->have;
    if (s->host->cancelled(s->host)) {
        return drh_fail(e, DRH_E_CANCELLED, "stopped");
    }
    return sort_pread(s->fd, r->buf, r->have, r->at - r->have, e);
}

/* Each run gets its share of the buffer; with very many of them the buffer grows. */
static drh_status share_out(struct sort *s, drh_error *e)
{
    size_t     size = s->cap * s->item;
    drh_status st = DRH_OK;

    s->share = size / s->n_runs;
    s->share = s->share < SORT_BLOCK ? SORT_BLOCK : s->share;
    s->share -= s->share % s->item;
    if (s->share * s->n_runs > size) {
        uint8_t *more = s->host->alloc(s->host, s->items, s->share * s->n_runs);
        if (!more) {
            return drh_fail(e, DRH_E_NOMEM, "out of memory");
        }
        s->items = more;
    }
    s->heap = s->host->alloc(s->host, NULL, s->n_runs * sizeof(*s->heap));
    if (!s->heap) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; st == DRH_OK && i < s->n_runs; i++) {
        s->run[i].buf = s->items + i * s->share;
        s->heap[s->n_heap++] = i;
        st = refill(s, &s->run[i], e);
    }
    for (size_t i = s->n_heap; st == DRH_OK && i > 0; i--) {
        sink_down(s, i - 1);
    }
    return st;
}

static drh_status start_reading(struct sort *s, drh_error *e)
{
    drh_status st = DRH_OK;
    s->reading = true;
    if (s->n_runs == 0) {
        sort_items(s);
        return DRH_OK;
    }
    if (s->n > 0) {
        st = add_run(s, e);
    }
    return st == DRH_OK ? share_out(s, e) : st;
}

static drh_status next_merged(struct sort *s, uint8_t *item, drh_error *e)
{
    struct sort_run *r;
    drh_status       st = DRH_OK;

    if (s->n_heap == 0) {
        return DRH_END;
    }
    r = &s->run[s->heap[0]];
    memcpy(item, r->buf + r->pos, s->item);
    r->pos += s->item;
    if (r->pos == r->have) {
        st = refill(s, r, e);
        if (st == DRH_OK && r->have == 0) {
            s->heap[0] = s->heap[--s->n_heap];
        }
    }
    if (st == DRH_OK && s->n_heap > 0) {
        sink_down(s, 0);
    }
    return st;
}

drh_status sort_next(struct sort *s, void *item, drh_error *e)
{
    drh_status st = s->reading ? DRH_OK : start_reading(s, e);
    if (st != DRH_OK) {
        return st;
    }
    if (s->n_runs == 0) {
        if (s->at == s->n) {
            return DRH_END;
        }
        memcpy(item, s->items + s->at++ * s->item, s->item);
        return DRH_OK;
    }
    do {
        st = next_merged(s, item, e);
    } while (st == DRH_OK && s->any && memcmp(item, s->last, s->item) == 0);
    if (st == DRH_OK) {
        memcpy(s->last, item, s->item);
        s->any = true;
    }
    return st;
}
