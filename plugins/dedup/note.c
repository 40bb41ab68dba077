/* SPDX-License-Identifier: MIT
 *
 * note.c - reading notes; see note.h.  One thread.
 */
#include "note.h"

#include "sort.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WALK_BYTES = 256 << 10 };

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

/* ---- the walk ------------------------------------------------------------------------------ */

void notes_walk(struct notes_walk *w, struct notes *s)
{
    memset(w, 0, sizeof(*w));
    w->notes = s;
    w->buf.host = s->host;
}

void notes_walk_end(struct notes_walk *w)
{
    dedup_buf_free(&w->buf);
}

/* At least `len` bytes at the walk's address in memory. */
static drh_status hold(struct notes_walk *w, size_t len, const uint8_t **p, drh_error *e)
{
    const uint64_t end = w->notes->start[w->shard + 1];
    if (len > end - w->address) {
        return drh_fail(e, DRH_E_DATA, NOTES_DAMAGED);
    }
    if (w->buf.len == 0 || w->address < w->from ||
        w->address + len > w->from + (uint64_t)w->buf.len) {
        size_t     want = len > WALK_BYTES ? len : WALK_BYTES;
        drh_status st;
        want = want > end - w->address ? (size_t)(end - w->address) : want;
        w->buf.len = 0;
        if (dedup_room(&w->buf, want) != DRH_OK) {
            return drh_fail(e, DRH_E_NOMEM, "out of memory");
        }
        st = w->notes->host->cancelled(w->notes->host)
                 ? drh_fail(e, DRH_E_CANCELLED, "stopped")
                 : notes_read(w->notes, w->address, w->buf.ptr, want, e);
        if (st != DRH_OK) {
            return st;
        }
        w->from = w->address;
        w->buf.len = want;
    }
    *p = w->buf.ptr + (w->address - w->from);
    return DRH_OK;
}

/* The next item of whatever kind. */
static drh_status next_item(struct notes_walk *w, struct note_head *head, drh_error *e)
{
    const uint8_t *p;
    drh_status     st;

    while (w->shard < w->notes->n && w->address == w->notes->start[w->shard + 1]) {
        w->shard++;
    }
    if (w->shard == w->notes->n) {
        return DRH_END;
    }
    st = hold(w, sizeof(*head), &p, e);
    if (st != DRH_OK) {
        return st;
    }
    memcpy(head, p, sizeof(*head));
    st = hold(w, sizeof(*head) + head->len, &p, e);
    if (st != DRH_OK) {
        return st;
    }
    w->at = w->address;
    w->address += sizeof(*head) + head->len;
    w->more = p + sizeof(*head);
    w->n_more = head->len;
    return DRH_OK;
}

drh_status notes_next(struct notes_walk *w, drh_error *e)
{
    struct note_head head = {0, 0};
    drh_status       st;

    while ((st = next_item(w, &head, e)) == DRH_OK) {
        if (head.kind == NOTE_SHARD && head.len == sizeof(w->id)) {
            memcpy(w->id, w->more, sizeof(w->id));
        } else if (head.kind == NOTE_RECORD && head.len >= sizeof(*w->note)) {
            w->note = (const void *)w->more;
            w->more += sizeof(*w->note);
            w->n_more -= sizeof(*w->note);
            return DRH_OK;
        } else if (head.kind != NOTE_NAME) {
            return drh_fail(e, DRH_E_DATA, NOTES_DAMAGED);
        }
    }
    return st;
}
