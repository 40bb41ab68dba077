/* SPDX-License-Identifier: MIT
 *
 * list.c - writes the file that apply() reads: for each shard the rows that go, with the names of
 * those that stay; see merge.h.  [main]
 */
#include "merge.h"

#include <stdlib.h>

static drh_status put(struct merge *m, const void *p, size_t len)
{
    drh_status st = m->host->sink_write(m->result, 0, p, len);
    m->written += len;
    return st == DRH_OK ? st : drh_fail(m->e, st, "cannot write the list of duplicates");
}

static drh_status read_note(struct merge *m, uint64_t at, struct note *note)
{
    if (m->host->cancelled(m->host)) {
        return drh_fail(m->e, DRH_E_CANCELLED, "stopped");
    }
    return notes_read(&m->notes, at + sizeof(struct note_head), note, sizeof(*note), m->e);
}

/* The name at that address, as the file has it: its length, its bytes, padding to 8. */
static drh_status write_name(struct merge *m, uint64_t at, struct dedup_buf *b)
{
    struct note_head head;
    drh_status       st = notes_read(&m->notes, at, &head, sizeof(head), m->e);

    if (st != DRH_OK) {
        return st;
    }
    if (head.kind != NOTE_NAME) {
        return drh_fail(m->e, DRH_E_DATA, NOTES_DAMAGED);
    }
    b->len = 0;
    if (dedup_room(b, head.len) != DRH_OK) {
        return drh_fail(m->e, DRH_E_NOMEM, "out of memory");
    }
    st = notes_read(&m->notes, at + sizeof(head), b->ptr, head.len, m->e);
    return st == DRH_OK ? put(m, b->ptr, head.len) : st;
}

/* Names in order of those who stay, so that each is written about once. */
static drh_status write_names(struct merge *m, struct dedup_buf *b)
{
    uint64_t   name_at = UINT64_MAX, place = 0;
    uint8_t    pair[24], item[32];
    drh_status st = merge_sort(m, 32, &m->list);

    while (st == DRH_OK && (st = sort_next(m->all, pair, m->e)) == DRH_OK) {
        const uint64_t kept = sort_get64(pair);
        struct note    note;
        st = read_note(m, kept, &note);
        if (st == DRH_OK && name_at != kept - note.back) {
            name_at = kept - note.back;
            place = m->written;
            st = write_name(m, name_at, b);
        }
        memcpy(item, pair + 8, 8);
        sort_put64(item + 8, place);
        sort_put64(item + 16, st == DRH_OK && (note.flags & NOTE_LINE) ? note.line : UINT64_MAX);
        memcpy(item + 24, pair + 16, 8);
        st = st == DRH_OK ? sort_put(m->list, item, m->e) : st;
    }
    sort_free(m->all);
    m->all = NULL;
    return st == DRH_END ? DRH_OK : st;
}

/* Entries in input order, so those of a shard follow each other, by row. */
static drh_status write_entries(struct merge *m, uint64_t *n)
{
    struct dedup_shard *shard = (void *)m->shards.ptr;
    const uint64_t     *start = (const void *)m->starts.ptr;
    const size_t        n_shards = m->shards.len / sizeof(*shard);
    uint8_t             item[32];
    size_t              at = 0;
    drh_status          st;

    for (*n = 0; (st = sort_next(m->list, item, m->e)) == DRH_OK; ++*n) {
        const uint64_t    address = sort_get64(item);
        struct list_entry entry = {.name = sort_get64(item + 8),
                                   .line = sort_get64(item + 16),
                                   .what = sort_get64(item + 24)};
        struct note       note;

        while (at + 1 < n_shards && start[at + 1] <= address) {
            shard[++at].first = *n;
        }
        shard[at].n++;
        st = read_note(m, address, &note);
        entry.row = note.row;
        st = st == DRH_OK ? put(m, &entry, sizeof(entry)) : st;
        if (st != DRH_OK) {
            return st;
        }
    }
    return st == DRH_END ? DRH_OK : st;
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct dedup_shard *)a)->id, ((const struct dedup_shard *)b)->id,
                  sizeof(((const struct dedup_shard *)a)->id));
}

static drh_status write_shards(struct merge *m, struct list_end *end)
{
    struct dedup_shard *shard = (void *)m->shards.ptr;
    drh_status          st = DRH_OK;

    end->n_shards = m->shards.len / sizeof(*shard);
    if (end->n_shards > 0) {
        qsort(shard, end->n_shards, sizeof(*shard), by_id);
        st = put(m, shard, m->shards.len);
    }
    for (size_t i = 1; i < end->n_shards; i++) {
        if (by_id(&shard[i - 1], &shard[i]) == 0) {
            return drh_fail(m->e, DRH_E_INTERNAL, "two shards of one data set have one name");
        }
    }
    return st;
}

drh_status merge_write(struct merge *m)
{
    struct list_end  end = {.magic = LIST_MAGIC};
    struct dedup_buf b = {.host = m->host};
    drh_status       st = write_names(m, &b);

    dedup_buf_free(&b);
    end.entries = m->written;
    st = st == DRH_OK ? write_entries(m, &end.n_entries) : st;
    st = st == DRH_OK ? write_shards(m, &end) : st;
    return st == DRH_OK ? put(m, &end, sizeof(end)) : st;
}
