/* SPDX-License-Identifier: MIT
 *
 * near.c - similar records; see merge.h.  Records that share a band are candidates; each candidate
 * pair is then compared by what the notes hold, the later record of it in input order: it goes when
 * an earlier one that stays is similar enough.  [main]
 */
#include "merge.h"

/* In a band that more records share, each is compared with the first of them only. */
enum { NEAR_FIRST = 32 };

/* Bands of all records that are still there, each with the record's address. */
static drh_status read_bands(struct merge *m, struct sort *bands)
{
    const size_t n = m->d->near.bands;
    drh_status   st;

    notes_walk(&m->walk, &m->notes);
    while ((st = notes_next(&m->walk, m->e)) == DRH_OK) {
        const uint64_t *band = (const void *)m->walk.more;
        if (m->walk.n_more < n * sizeof(*band) || merge_is_gone(m, m->walk.at)) {
            continue; /* no words */
        }
        for (size_t i = 0; st == DRH_OK && i < n; i++) {
            uint8_t item[16];
            sort_put64(item, band[i]);
            sort_put64(item + 8, m->walk.at);
            st = sort_put(bands, item, m->e);
        }
        if (st != DRH_OK) {
            break;
        }
    }
    notes_walk_end(&m->walk);
    return st == DRH_END ? DRH_OK : st;
}

/* Pairs out of records with a band in common: the later one, the earlier one. */
static drh_status pair_up(struct merge *m, struct sort *bands, struct sort *pairs)
{
    uint64_t   first[NEAR_FIRST], band = 0;
    size_t     n = 0;
    uint8_t    item[16], pair[16];
    drh_status st;

    while ((st = sort_next(bands, item, m->e)) == DRH_OK) {
        if (n == 0 || sort_get64(item) != band) {
            band = sort_get64(item);
            n = 0;
        }
        memcpy(pair, item + 8, 8);
        for (size_t i = 0; st == DRH_OK && i < n; i++) {
            sort_put64(pair + 8, first[i]);
            st = sort_put(pairs, pair, m->e);
        }
        if (st != DRH_OK) {
            return st;
        }
        if (n < NEAR_FIRST) {
            first[n++] = sort_get64(item + 8);
        }
    }
    return st == DRH_END ? DRH_OK : st;
}

/* ---- comparing ----------------------------------------------------------------------------- */

/* The shingles of a record. */
struct evidence {
    struct dedup_buf buf;
    const uint64_t  *p;
    size_t           n;
};

static drh_status load(struct merge *m, uint64_t address, struct evidence *v)
{
    const size_t     before = sizeof(struct note) + m->d->near.bands * sizeof(uint64_t);
    struct note_head head = {0, 0};
    drh_status       st = notes_read(&m->notes, address, &head, sizeof(head), m->e);

    if (st != DRH_OK) {
        return st;
    }
    v->buf.len = 0;
    if (head.len < before) {
        return drh_fail(m->e, DRH_E_DATA, NOTES_DAMAGED);
    }
    if (dedup_room(&v->buf, head.len) != DRH_OK) {
        return drh_fail(m->e, DRH_E_NOMEM, "out of memory");
    }
    v->p = (const void *)v->buf.ptr;
    v->n = (head.len - before) / sizeof(uint64_t);
    return notes_read(&m->notes, address + sizeof(head) + before, v->buf.ptr, head.len - before,
                      m->e);
}

/* One pair; `later` holds the evidence of the record at *loaded. */
static drh_status compare(struct merge *m, uint64_t late, uint64_t early, struct evidence *later,
                          struct evidence *earlier, uint64_t *loaded)
{
    uint32_t   alike;
    uint8_t    item[24];
    drh_status st = DRH_OK;

    if (merge_is_gone(m, late) || merge_is_gone(m, early)) {
        return DRH_OK;
    }
    if (*loaded != late) {
        st = load(m, late, later);
        *loaded = late;
    }
    st = st == DRH_OK ? load(m, early, earlier) : st;
    if (st != DRH_OK) {
        return st;
    }
    alike = dedup_jaccard(later->p, later->n, earlier->p, earlier->n);
    if (alike < m->d->near.threshold) {
        return DRH_OK;
    }
    merge_set_gone(m, late);
    sort_put64(item, late);
    sort_put64(item + 8, early);
    sort_put64(item + 16, alike);
    return sort_put(m->near, item, m->e);
}

static drh_status judge(struct merge *m, struct sort *pairs)
{
    struct evidence later = {.buf = {.host = m->host}}, earlier = later;
    uint64_t        loaded = UINT64_MAX;
    uint8_t         pair[16];
    drh_status      st;

    while ((st = sort_next(pairs, pair, m->e)) == DRH_OK) {
        st = m->host->cancelled(m->host)
                 ? drh_fail(m->e, DRH_E_CANCELLED, "stopped")
                 : compare(m, sort_get64(pair), sort_get64(pair + 8), &later, &earlier, &loaded);
        if (st != DRH_OK) {
            break;
        }
    }
    dedup_buf_free(&later.buf);
    dedup_buf_free(&earlier.buf);
    return st == DRH_END ? DRH_OK : st;
}

drh_status merge_near(struct merge *m)
{
    struct sort *bands = NULL, *pairs = NULL;
    drh_status   st = merge_sort(m, 16, &bands);

    st = st == DRH_OK ? merge_sort(m, 16, &pairs) : st;
    st = st == DRH_OK ? read_bands(m, bands) : st;
    st = st == DRH_OK ? pair_up(m, bands, pairs) : st;
    sort_free(bands);
    st = st == DRH_OK ? merge_sort(m, 24, &m->near) : st;
    st = st == DRH_OK ? judge(m, pairs) : st;
    sort_free(pairs);
    return st;
}
