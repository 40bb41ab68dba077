/* SPDX-License-Identifier: MIT
 *
 * message.c - a record as a message of a tree; see trees.h.  [worker]
 */
#include "trees.h"

drh_status trees_add(struct trees_buf *b, const void *p, size_t len)
{
    if (b->cap - b->len < len) {
        size_t   cap = 2 * b->cap + 256;
        uint8_t *more;
        cap = cap - b->len < len ? b->len + len : cap;
        more = b->host->alloc(b->host, b->ptr, cap);
        if (!more) {
            return DRH_E_NOMEM;
        }
        b->ptr = more;
        b->cap = cap;
    }
    if (len > 0) {
        memcpy(b->ptr + b->len, p, len);
    }
    b->len += len;
    return DRH_OK;
}

void trees_buf_free(struct trees_buf *b)
{
    if (b->ptr) {
        (void)b->host->alloc(b->host, b->ptr, 0);
    }
    b->ptr = NULL;
    b->len = b->cap = 0;
}

/* The file's name without folders and endings: what is the same however a run keeps its files. */
static drh_str short_name(drh_str file)
{
    size_t at = file.len;
    while (at > 0 && file.ptr[at - 1] != '/') {
        at--;
    }
    file.ptr += at;
    file.len -= at;
    for (at = 1; at < file.len && file.ptr[at] != '.'; at++) {
    }
    file.len = at < file.len ? at : file.len;
    return file;
}

static drh_status find_place(const struct trees *t, const drh_record *r, uint8_t place[TREES_PLACE])
{
    drh_record_info info = {.struct_size = sizeof(info)};
    uint8_t         sum[32];
    drh_str         part[3];
    drh_status      st = t->host->records->info(r, &info);
    if (st != DRH_OK) {
        return st;
    }
    part[0] = info.domain;
    part[1] = info.dataset;
    part[2] = short_name(info.file);
    st = t->host->digest(t->host, part, 3, sum);
    memcpy(place, sum, 16);
    for (int i = 0; i < 8; i++) {
        place[16 + i] = (uint8_t)(info.row >> (56 - 8 * i));
    }
    return st;
}

/* A text, or a number as its digits; DRH_E_MISSING: neither. */
static drh_status get_id(const struct trees *t, const drh_record *r, drh_field f, drh_str *out)
{
    const drh_host *h = t->host;
    drh_value       v;
    out->ptr = "";
    out->len = 0;
    if (h->records->get_value(r, f, &v) != DRH_OK) {
        return DRH_E_MISSING;
    }
    switch (h->values->type(&v)) {
    case DRH_T_STRING:
        return h->values->str(&v, out);
    case DRH_T_NUMBER:
        *out = h->values->json(&v);
        return DRH_OK;
    default:
        return DRH_E_MISSING;
    }
}

drh_status trees_read(const struct trees *t, const drh_record *r, struct trees_message *m)
{
    const drh_record_api *api = t->host->records;
    drh_str               role = {"", 0};
    int32_t               gone = 0;
    drh_status            st = get_id(t, r, t->message_id, &m->id);
    if (st == DRH_OK) {
        st = get_id(t, r, t->tree_id, &m->tree);
    }
    if (st == DRH_OK) {
        st = api->get_str(r, t->role, &role);
    }
    if (st == DRH_OK) {
        st = api->get_str(r, t->text, &m->text);
        m->deleted = st == DRH_E_MISSING; /* a text that is null */
        st = st == DRH_E_MISSING ? DRH_OK : st;
    }
    if (st == DRH_OK) {
        st = get_id(t, r, t->parent_id, &m->parent);
        st = st == DRH_E_MISSING ? DRH_OK : st;
    }
    if (st != DRH_OK) {
        return st == DRH_E_NOMEM ? st : DRH_E_MISSING;
    }
    m->role = drh_role_of(role);
    if (api->get_i64(r, t->rank, &m->rank) != DRH_OK) {
        double rank = 0; /* tables keep numbers that may be null as 0.0, 1.0 */
        m->rank = api->get_f64(r, t->rank, &rank) == DRH_OK && rank >= -1e15 && rank <= 1e15
                      ? (int64_t)rank
                      : INT64_MAX;
    }
    m->deleted = m->deleted || (api->get_bool(r, t->deleted, &gone) == DRH_OK && gone);
    return find_place(t, r, m->place);
}
