/* SPDX-License-Identifier: MIT
 *
 * observe.c - a note for each record; see note.h.  [worker]
 */
#include "note.h"

enum { NAME_BYTES = 4096 };

static drh_str base_name(drh_str file)
{
    size_t at = file.len;
    while (at > 0 && file.ptr[at - 1] != '/') {
        at--;
    }
    file.ptr += at;
    file.len -= at;
    return file;
}

/* What people know a record by: the raw row that metadata.src names, else its id, else its row in
 * the file that this step reads. */
static void name_of(const struct dedup *d, const drh_record *r, const drh_record_info *info,
                    drh_str *name, struct note *note)
{
    const drh_record_api *api = d->host->records;
    uint64_t              unit = 1, line = 0;
    size_t                at;

    note->line = info->from_line;
    note->flags |= NOTE_LINE;
    *name = info->from_file;
    if (api->get_str(r, d->src, name) == DRH_OK) {
        for (at = name->len; at > 0 && name->ptr[at - 1] >= '0' && name->ptr[at - 1] <= '9'; at--) {
            line += (uint64_t)(name->ptr[at - 1] - '0') * unit;
            unit *= 10;
        }
        if (at > 1 && name->ptr[at - 1] == ':' && name->len > at && name->len - at <= 18) {
            name->len = at - 1;
            note->line = line;
            return;
        }
    }
    if (api->get_str(r, d->id, name) == DRH_OK && name->len > 0) {
        note->flags &= ~(uint32_t)NOTE_LINE;
        return;
    }
    *name = base_name(info->from_file);
}

/* The file's name without folders and endings: what is stable from run to run. */
static drh_str short_name(drh_str file)
{
    size_t at;
    file = base_name(file);
    for (at = 1; at < file.len && file.ptr[at] != '.'; at++) {
    }
    file.len = at < file.len ? at : file.len;
    return file;
}

static bool same(drh_str a, drh_str b)
{
    return a.len == b.len && (a.ptr == b.ptr || memcmp(a.ptr, b.ptr, a.len) == 0);
}

drh_status dedup_find(const struct dedup *d, const drh_record *r, struct dedup_place *place,
                      bool *moved)
{
    drh_record_info *now = &place->info, info = {.struct_size = sizeof(info)};
    uint8_t          sum[32];
    drh_str          part[3];
    drh_status       st = d->host->records->info(r, &info);

    *moved = !place->known || !same(info.file, now->file) || !same(info.dataset, now->dataset) ||
             !same(info.domain, now->domain);
    *now = info;
    if (st != DRH_OK || !*moved) {
        return st;
    }
    part[0] = info.domain;
    part[1] = info.dataset;
    part[2] = short_name(info.file);
    st = d->host->digest(d->host, part, 3, sum);
    memcpy(place->id, sum, sizeof(place->id));
    place->known = st == DRH_OK;
    return st;
}

/* ---- items --------------------------------------------------------------------------------- */

static drh_status pad(struct dedup_buf *b)
{
    static const uint8_t zero[8] = {0};
    return dedup_add(b, zero, (8 - b->len % 8) % 8);
}

static drh_status add_shard(struct dedup_buf *b, const uint64_t id[2])
{
    const struct note_head head = {NOTE_SHARD, 2 * sizeof(*id)};
    drh_status             st = dedup_add(b, &head, sizeof(head));
    return st == DRH_OK ? dedup_add(b, id, 2 * sizeof(*id)) : st;
}

/* "DOMAIN/DATASET/" before the name of a file, for many data sets have a train.jsonl. */
static drh_status add_name(struct dedup_buf *b, const drh_record_info *info, drh_str name,
                           bool is_file)
{
    const size_t     begin = b->len;
    struct note_head head = {NOTE_NAME, 0};
    uint32_t         len = 0;
    drh_str          part[5] = {info->domain, {"/", 1}, info->dataset, {"/", 1}, name};
    drh_status       st = dedup_add(b, &head, sizeof(head));

    st = st == DRH_OK ? dedup_add(b, &len, sizeof(len)) : st;
    for (int i = is_file && info->dataset.len > 0 ? 0 : 4; st == DRH_OK && i < 5; i++) {
        const size_t most = part[i].len < NAME_BYTES ? part[i].len : NAME_BYTES;
        len += (uint32_t)most;
        st = dedup_add(b, part[i].ptr, most);
    }
    st = st == DRH_OK ? pad(b) : st;
    if (st == DRH_OK) {
        head.len = (uint32_t)(b->len - begin - sizeof(head));
        memcpy(b->ptr + begin, &head, sizeof(head));
        memcpy(b->ptr + begin + sizeof(head), &len, sizeof(len));
    }
    return st;
}

/* SHA-256 of what sets records apart (per) and of all parts, each preceded by its length. */
static drh_status digest(struct dedup_worker *w, const drh_record_info *info, uint8_t key[16])
{
    const struct dedup      *d = w->d;
    const struct dedup_part *part = (const void *)w->part.ptr;
    const size_t             n = w->part.len / sizeof(*part);
    uint8_t                  sum[32];
    drh_str                 *s;
    drh_status               st;

    w->strs.len = 0;
    if (dedup_room(&w->strs, (n + 2) * sizeof(*s)) != DRH_OK) {
        return DRH_E_NOMEM;
    }
    s = (drh_str *)(void *)w->strs.ptr;
    s[0] = d->per == DEDUP_PER_ALL ? drh_str_of("") : info->domain;
    s[1] = d->per == DEDUP_PER_DATASET ? info->dataset : drh_str_of("");
    for (size_t i = 0; i < n; i++) {
        s[i + 2].ptr = (const char *)w->text.ptr + part[i].at;
        s[i + 2].len = part[i].len;
    }
    st = d->host->digest(d->host, s, n + 2, sum);
    memcpy(key, sum, 16);
    return st;
}

static drh_status group_of(struct dedup_worker *w, const drh_record_info *info, uint64_t *group)
{
    const struct dedup *d = w->d;
    drh_str             part[2] = {info->domain, info->dataset};
    uint8_t             sum[32];
    drh_status          st = DRH_OK;

    *group = 0;
    if (d->per != DEDUP_PER_ALL) {
        st = d->host->digest(d->host, part, d->per == DEDUP_PER_DATASET ? 2 : 1, sum);
        memcpy(group, sum, sizeof(*group));
    }
    return st;
}

/* The bands' numbers, and the shingles. */
static drh_status add_evidence(struct dedup_worker *w, const drh_record_info *info)
{
    const struct dedup_near *o = &w->d->near;
    const uint64_t          *shingle;
    uint64_t                 group = 0;
    size_t                   n;
    drh_status               st = dedup_shingles(w, o->ngram);

    st = st == DRH_OK ? group_of(w, info, &group) : st;
    shingle = (const uint64_t *)(const void *)w->shingle.ptr;
    n = w->shingle.len / sizeof(*shingle);
    if (st != DRH_OK || n == 0) { /* no words: only equal texts go */
        return st;
    }
    if (dedup_room(&w->note, o->bands * sizeof(uint64_t)) != DRH_OK) {
        return DRH_E_NOMEM;
    }
    dedup_signature(o, shingle, n, w->signature);
    dedup_bands(o, w->signature, group, (uint64_t *)(void *)(w->note.ptr + w->note.len));
    w->note.len += o->bands * sizeof(uint64_t);
    return dedup_add(&w->note, shingle, n * sizeof(*shingle));
}

/* What is behind the head of a note; note->back is set already. */
static drh_status add_note(struct dedup_worker *w, const drh_record *r, const drh_record_info *info,
                           struct note *note)
{
    drh_status st = dedup_text(w, r);
    bool       text = st == DRH_OK;

    if (st == DRH_E_MISSING) {
        note->flags |= NOTE_NO_TEXT;
        st = DRH_OK;
    }
    st = st == DRH_OK && text ? digest(w, info, note->key) : st;
    st = st == DRH_OK ? dedup_add(&w->note, note, sizeof(*note)) : st;
    return st == DRH_OK && text && w->d->near.on ? add_evidence(w, info) : st;
}

/* What the block has had last. */
struct block {
    struct dedup_place place;
    drh_str            name;
    size_t             name_at;
};

static drh_status add_record(struct dedup_worker *w, const drh_record *r, struct block *b)
{
    const drh_record_info *info = &b->place.info;
    struct note            note = {.row = 0};
    struct note_head       head = {NOTE_RECORD, 0};
    drh_str                name;
    size_t                 at;
    bool                   moved;
    drh_status             st = dedup_find(w->d, r, &b->place, &moved);

    st = st == DRH_OK && moved ? add_shard(&w->note, b->place.id) : st;
    if (st != DRH_OK) {
        return st;
    }
    note.row = info->row;
    name_of(w->d, r, info, &name, &note);
    if (moved || !same(b->name, name)) {
        b->name = name;
        b->name_at = w->note.len;
        st = add_name(&w->note, info, name, (note.flags & NOTE_LINE) != 0);
    }
    at = w->note.len;
    note.back = (uint32_t)(at - b->name_at);
    st = st == DRH_OK ? dedup_add(&w->note, &head, sizeof(head)) : st;
    st = st == DRH_OK ? add_note(w, r, info, &note) : st;
    if (st == DRH_OK) {
        head.len = (uint32_t)(w->note.len - at - sizeof(head));
        memcpy(w->note.ptr + at, &head, sizeof(head));
    }
    return st;
}

drh_status dedup_observe(void *self, void *worker, drh_record *const *r, size_t n, drh_sink *notes,
                         drh_error *e)
{
    const struct dedup  *d = self;
    struct dedup_worker *w = worker;
    struct block         b = {.name = {NULL, 0}};
    drh_status           st = DRH_OK;

    w->note.len = 0;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = add_record(w, r[i], &b);
        if (st != DRH_OK) {
            e->record = (int64_t)i;
        }
    }
    if (st != DRH_OK) {
        return drh_fail(e, st,
                        st == DRH_E_NOMEM ? "out of memory" : "the record cannot be digested");
    }
    st = d->host->sink_write(notes, 0, w->note.ptr, w->note.len);
    return st == DRH_OK ? DRH_OK : drh_fail(e, st, "cannot write notes");
}
