/* SPDX-License-Identifier: MIT
 *
 * observe.c - a note for each message; see trees.h.  [worker]
 */
#include "trees.h"

static drh_status add_note(const struct trees *t, const drh_record *r, struct trees_buf *b)
{
    static const uint8_t zero[8] = {0};
    struct trees_message m = {.rank = 0};
    struct trees_note    note = {.size = 0};
    drh_record_info      info = {.struct_size = sizeof(info)};
    uint8_t              sum[32];
    drh_str              part[3];
    drh_status           st = trees_read(t, r, &m);
    if (st != DRH_OK) {
        return st == DRH_E_MISSING ? DRH_OK : st;
    }
    st = t->host->records->info(r, &info);
    part[0] = info.domain; /* the same id in another data set is another tree */
    part[1] = info.dataset;
    part[2] = m.tree;
    st = st == DRH_OK ? t->host->digest(t->host, part, 3, sum) : st;
    memcpy(note.tree, sum, sizeof(note.tree));
    memcpy(note.place, m.place, sizeof(note.place));
    note.rank = m.rank;
    note.n_id = m.id.len;
    note.n_parent = m.parent.len;
    note.n_text = m.text.len;
    note.role = m.role;
    note.deleted = m.deleted;
    note.size = sizeof(note) + m.id.len + m.parent.len + m.text.len;
    note.size += (8 - note.size % 8) % 8;
    st = st == DRH_OK ? trees_add(b, &note, sizeof(note)) : st;
    st = st == DRH_OK ? trees_add(b, m.id.ptr, m.id.len) : st;
    st = st == DRH_OK ? trees_add(b, m.parent.ptr, m.parent.len) : st;
    st = st == DRH_OK ? trees_add(b, m.text.ptr, m.text.len) : st;
    return st == DRH_OK ? trees_add(b, zero, (8 - b->len % 8) % 8) : st;
}

drh_status trees_observe(void *self, void *worker, drh_record *const *r, size_t n, drh_sink *notes,
                         drh_error *e)
{
    const struct trees *t = self;
    struct trees_buf    b = {.host = t->host};
    drh_status          st = DRH_OK;
    (void)worker;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = add_note(t, r[i], &b);
        if (st != DRH_OK) {
            e->record = (int64_t)i;
            (void)drh_fail(e, st,
                           st == DRH_E_NOMEM ? "out of memory" : "a record without an origin");
        }
    }
    if (st == DRH_OK && b.len > 0) {
        st = t->host->sink_write(notes, 0, b.ptr, b.len);
        if (st != DRH_OK) {
            (void)drh_fail(e, st, "cannot write notes");
        }
    }
    trees_buf_free(&b);
    return st;
}
