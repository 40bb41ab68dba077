/* SPDX-License-Identifier: MIT
 *
 * merge.c - from the notes to the list of what goes; see dedup.h and merge.h.  Everything is done
 * by walking over notes in order and by sorting, so memory does not grow with the data but for a
 * bit a record.  [main]
 */
#include "merge.h"

drh_status merge_sort(struct merge *m, size_t item, struct sort **out)
{
    *out = sort_new(m->host, m->folder, item, m->memory);
    return *out ? DRH_OK : drh_fail(m->e, DRH_E_NOMEM, "out of memory");
}

static drh_status put3(struct sort *s, uint64_t a, uint64_t b, uint64_t c, drh_error *e)
{
    uint8_t item[24];
    sort_put64(item, a);
    sort_put64(item + 8, b);
    sort_put64(item + 16, c);
    return sort_put(s, item, e);
}

/* ---- equal records ------------------------------------------------------------------------- */

/* Notes of one shard follow each other. */
static drh_status count_shard(struct merge *m)
{
    struct dedup_shard *last = NULL;
    drh_status          st = DRH_OK;

    if (m->shards.len > 0) {
        last = (struct dedup_shard *)(void *)(m->shards.ptr + m->shards.len) - 1;
    }
    if (!last || memcmp(last->id, m->walk.id, sizeof(last->id)) != 0) {
        struct dedup_shard shard = {.rows = 0};
        memcpy(shard.id, m->walk.id, sizeof(shard.id));
        st = dedup_add(&m->shards, &shard, sizeof(shard));
        st = st == DRH_OK ? dedup_add(&m->starts, &m->walk.at, sizeof(m->walk.at)) : st;
        if (st != DRH_OK) {
            return drh_fail(m->e, DRH_E_NOMEM, "out of memory");
        }
        last = (struct dedup_shard *)(void *)(m->shards.ptr + m->shards.len) - 1;
    }
    last->rows = m->walk.note->row + 1 > last->rows ? m->walk.note->row + 1 : last->rows;
    return st;
}

/* The key and address of each note; what has no text is known to go. */
static drh_status read_keys(struct merge *m, struct sort *keys)
{
    drh_status st;

    notes_walk(&m->walk, &m->notes);
    while ((st = notes_next(&m->walk, m->e)) == DRH_OK) {
        uint8_t item[24];
        st = count_shard(m);
        if (st == DRH_OK && (m->walk.note->flags & NOTE_NO_TEXT)) {
            st = put3(m->exact, m->walk.at, m->walk.at, DEDUP_NO_TEXT, m->e);
        } else if (st == DRH_OK) {
            memcpy(item, m->walk.note->key, 16);
            sort_put64(item + 16, m->walk.at);
            st = sort_put(keys, item, m->e);
        }
        if (st != DRH_OK) {
            break;
        }
    }
    notes_walk_end(&m->walk);
    return st == DRH_END ? DRH_OK : st;
}

/* Of each key the first address stays. */
static drh_status find_equal(struct merge *m, struct sort *keys)
{
    uint8_t    item[24], first[24] = {0};
    bool       any = false;
    drh_status st;

    while ((st = sort_next(keys, item, m->e)) == DRH_OK) {
        uint64_t at = sort_get64(item + 16);
        if (!any || memcmp(item, first, 16) != 0) {
            memcpy(first, item, sizeof(first));
            any = true;
            continue;
        }
        merge_set_gone(m, at);
        st = put3(m->exact, sort_get64(first + 16), at, DEDUP_EXACT, m->e);
        if (st != DRH_OK) {
            return st;
        }
    }
    return st == DRH_END ? DRH_OK : st;
}

static drh_status equal(struct merge *m)
{
    struct sort *keys = NULL;
    drh_status   st = merge_sort(m, 24, &keys);

    st = st == DRH_OK ? merge_sort(m, 24, &m->exact) : st;
    st = st == DRH_OK ? read_keys(m, keys) : st;
    st = st == DRH_OK ? find_equal(m, keys) : st;
    sort_free(keys);
    return st;
}

/* ---- who stays in the end ------------------------------------------------------------------ */

/* Copies of a record that goes, since it is similar to an earlier one, are similar to that one. */
static drh_status join(struct merge *m)
{
    uint8_t    near[24], exact[24];
    drh_status more = m->near ? sort_next(m->near, near, m->e) : DRH_END;
    drh_status st = merge_sort(m, 24, &m->all);

    while (st == DRH_OK && (st = sort_next(m->exact, exact, m->e)) == DRH_OK) {
        uint64_t kept = sort_get64(exact), what = sort_get64(exact + 16);
        while (more == DRH_OK && st == DRH_OK && sort_get64(near) < kept) {
            st = put3(m->all, sort_get64(near + 8), sort_get64(near), sort_get64(near + 16), m->e);
            more = st == DRH_OK ? sort_next(m->near, near, m->e) : more;
        }
        if (more == DRH_OK && sort_get64(near) == kept) {
            kept = sort_get64(near + 8);
            what = sort_get64(near + 16);
        }
        st = st == DRH_OK ? put3(m->all, kept, sort_get64(exact + 8), what, m->e) : st;
    }
    while (st == DRH_END && more == DRH_OK) {
        st = put3(m->all, sort_get64(near + 8), sort_get64(near), sort_get64(near + 16), m->e);
        more = st == DRH_OK ? sort_next(m->near, near, m->e) : more;
        st = st == DRH_OK ? DRH_END : st;
    }
    sort_free(m->exact);
    sort_free(m->near);
    m->exact = m->near = NULL;
    return st != DRH_END ? st : more == DRH_END ? DRH_OK : more;
}

/* ---- the call ------------------------------------------------------------------------------ */

static drh_status start(struct merge *m, const char *const *notes, size_t n)
{
    drh_status st = notes_open(&m->notes, m->host, notes, n, m->e);
    size_t     size;

    if (st != DRH_OK) {
        return st;
    }
    size = (size_t)(m->notes.start[n] / NOTE_ADDRESS_STEP / 8 + 1);
    m->gone = m->host->alloc(m->host, NULL, size);
    if (!m->gone) {
        return drh_fail(m->e, DRH_E_NOMEM, "out of memory");
    }
    memset(m->gone, 0, size);
    return DRH_OK;
}

drh_status dedup_merge(void *self, const char *const *notes, size_t n, drh_sink *result,
                       drh_error *e)
{
    const struct dedup *d = self;
    struct merge        m = {.d = d, .host = d->host, .e = e, .result = result};
    drh_status          st;

    m.memory = d->memory / 4; /* three sorts at once, and one that is being sorted */
    m.shards.host = m.starts.host = d->host;
    notes_folder(notes, n, m.folder, sizeof(m.folder));
    st = start(&m, notes, n);
    st = st == DRH_OK ? equal(&m) : st;
    st = st == DRH_OK && d->near.on ? merge_near(&m) : st;
    st = st == DRH_OK ? join(&m) : st;
    st = st == DRH_OK ? merge_write(&m) : st;
    sort_free(m.exact);
    sort_free(m.near);
    sort_free(m.all);
    sort_free(m.list);
    notes_close(&m.notes);
    dedup_buf_free(&m.shards);
    dedup_buf_free(&m.starts);
    (void)d->host->alloc(d->host, m.gone, 0);
    return st;
}
