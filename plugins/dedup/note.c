/* SPDX-License-Identifier: MIT
 *
 * note.c - walking over notes; see note.h.  One thread.
 */
#include "note.h"

enum { WALK_BYTES = 256 << 10 };

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
