/* SPDX-License-Identifier: MIT
 * record_get.c - reading a record: by field, by JSON Pointer, a column at a time.  Decoded strings
 * stay with their member, so asking twice costs nothing. */
#include "record_impl.h"

#include <math.h>
#include <string.h>

static void place_member(struct place *out, struct member *m)
{
    out->p = m->m.val;
    out->len = m->m.val_len;
    out->type = m->m.type;
    out->key = m->m.key;
    out->key_len = m->m.key_len;
    out->key_escaped = m->m.key_escaped;
    out->member = m;
}

/* A pointer's part as an array index; SIZE_MAX when it is none. */
static size_t index_of(drh_str part)
{
    size_t i, v = 0;

    if (part.len == 0 || part.len > 9 || (part.ptr[0] == '0' && part.len > 1)) {
        return SIZE_MAX;
    }
    for (i = 0; i < part.len; i++) {
        if (part.ptr[i] < '0' || part.ptr[i] > '9') {
            return SIZE_MAX;
        }
        v = v * 10 + (size_t)(part.ptr[i] - '0');
    }
    return v;
}

static bool walk_to(struct json_walk *w, drh_str part)
{
    size_t i;

    if (w->object) {
        return json_walk_find(w, part.ptr, part.len);
    }
    i = index_of(part);
    if (i == SIZE_MAX) {
        return false;
    }
    while (json_walk_next(w)) {
        if (i-- == 0) {
            return true;
        }
    }
    return false;
}

static drh_status descend(struct place *at, const drh_str *part, uint32_t n)
{
    struct json_walk w;
    uint32_t         i;

    memset(&w, 0, sizeof(w));
    w.end = at->p + at->len;
    w.val = at->p;
    for (i = 0; i < n; i++) {
        if (*w.val != '{' && *w.val != '[') {
            return DRH_E_MISSING;
        }
        json_walk_open(&w, w.val, w.end);
        if (!walk_to(&w, part[i])) {
            return DRH_E_MISSING;
        }
    }
    at->p = w.val;
    at->len = (size_t)(json_walk_end(&w) - w.val);
    at->type = json_type(w.val);
    at->key = w.object ? w.key : NULL;
    at->key_len = w.key_len;
    at->key_escaped = w.key_escaped;
    at->member = NULL;
    return DRH_OK;
}

/* What reading leaves in a record is no change of it: decoded text, the text as a whole. */
static struct drh_record *cache_of(const struct drh_record *r)
{
    union {
        const struct drh_record *in;
        struct drh_record       *out;
    } u = {r};

    return u.out;
}

static drh_status find_whole(const struct drh_record *r, struct place *out)
{
    drh_str    text;
    drh_status st = record_text(cache_of(r), &text);

    memset(out, 0, sizeof(*out));
    if (st == DRH_OK) {
        out->p = text.ptr;
        out->len = text.len;
        out->type = DRH_T_OBJECT;
    }
    return st;
}

drh_status record_find(const struct drh_record *r, drh_field f, struct place *out)
{
    const struct field_path *path;
    struct member           *m;

    if (f == DRH_FIELD_NONE) {
        return find_whole(r, out);
    }
    path = field_path(f);
    if (!path) {
        return DRH_E_ARG;
    }
    m = record_member(r, path);
    if (!m) {
        return DRH_E_MISSING;
    }
    place_member(out, m);
    return path->n == 1 ? DRH_OK : descend(out, path->part + 1, path->n - 1);
}

/* record_find() for the getters that take null for missing and want one type. */
static inline drh_status find_typed(const struct drh_record *r, drh_field f, uint32_t type,
                                    struct place *out)
{
    drh_status st = record_find(r, f, out);

    if (st != DRH_OK) {
        return st;
    }
    if (out->type == DRH_T_NULL) {
        return DRH_E_MISSING;
    }
    return out->type == type ? DRH_OK : DRH_E_TYPE;
}

static drh_status member_str(struct arena *a, struct member *m, drh_str *out)
{
    drh_status st = DRH_OK;

    if (!m->text.ptr) {
        st = value_decode_to(a, m->m.val + 1, m->m.val_len - 2, m->m.val_escaped, &m->text);
    }
    *out = m->text;
    return st;
}

static drh_status place_str(const struct drh_record *r, const struct place *at, drh_str *out)
{
    if (at->member) {
        return member_str(r->arena, at->member, out);
    }
    return value_decode_to(r->arena, at->p + 1, at->len - 2, json_has_escape(at->p, at->len), out);
}

drh_status record_get_str(const drh_record *r, drh_field f, drh_str *out)
{
    const struct field_path *path = field_path(f);
    struct place             at;
    drh_status               st;

    out->ptr = NULL;
    out->len = 0;
    if (path && path->n == 1) { /* what nearly every call is */
        struct member *m = record_member(r, path);
        if (m && m->m.type == DRH_T_STRING) {
            return member_str(r->arena, m, out);
        }
    }
    st = find_typed(r, f, DRH_T_STRING, &at);
    return st == DRH_OK ? place_str(r, &at, out) : st;
}

drh_status record_get_i64(const drh_record *r, drh_field f, int64_t *out)
{
    struct place at;
    drh_status   st = find_typed(r, f, DRH_T_NUMBER, &at);

    *out = 0;
    return st == DRH_OK ? json_i64(at.p, at.len, out) : st;
}

drh_status record_get_f64(const drh_record *r, drh_field f, double *out)
{
    struct place at;
    drh_status   st = find_typed(r, f, DRH_T_NUMBER, &at);

    *out = 0;
    return st == DRH_OK ? json_f64(at.p, at.len, out) : st;
}

drh_status record_get_bool(const drh_record *r, drh_field f, int32_t *out)
{
    struct place at;
    drh_status   st = find_typed(r, f, DRH_T_BOOL, &at);

    *out = st == DRH_OK && *at.p == 't';
    return st;
}

drh_status record_get_json(const drh_record *r, drh_field f, drh_str *out)
{
    struct place at;
    drh_status   st = record_find(r, f, &at);
    char        *copy;

    out->ptr = NULL;
    out->len = 0;
    if (st != DRH_OK || at.type == DRH_T_NULL) {
        return st == DRH_OK ? DRH_E_MISSING : st;
    }
    if (at.member && at.type != DRH_T_STRING && at.member->text.ptr) {
        *out = at.member->text;
        return DRH_OK;
    }
    copy = arena_dup(r->arena, at.p, at.len);
    if (!copy) {
        return DRH_E_NOMEM;
    }
    out->ptr = copy;
    out->len = at.len;
    if (at.member && at.type != DRH_T_STRING) {
        at.member->text = *out;
    }
    return DRH_OK;
}

/* Apart: most calls need none of this. */
__attribute__((noinline)) static drh_status get_deep(const struct drh_record *r, drh_field f,
                                                     drh_value *out)
{
    struct place at;
    drh_status   st = record_find(r, f, &at);

    if (st == DRH_OK) {
        value_of(out, r->arena, &at);
    }
    return st;
}

drh_status record_get_value(const drh_record *r, drh_field f, drh_value *out)
{
    const struct field_path *path = field_path(f);
    const struct member     *m;

    if (!path || path->n > 1) {
        return get_deep(r, f, out);
    }
    m = record_member(r, path);
    if (!m) {
        return DRH_E_MISSING;
    }
    value_of_member(out, r->arena, m);
    return DRH_OK;
}

/* ---- columns ---- */

/* Records of a batch mostly have the same members in the same order: where the last one had the
 * key is tried first. */
static inline struct member *member_near(const struct drh_record *r, const struct field_path *path,
                                         uint32_t *near)
{
    struct member *m;

    if (*near < r->n_members && member_is(&r->members[*near], &path->part[0])) {
        return &r->members[*near];
    }
    m = record_member(r, path);
    if (m) {
        *near = (uint32_t)(m - r->members);
    }
    return m;
}

static inline bool find_near(const struct drh_record *r, const struct field_path *path,
                             uint32_t type, uint32_t *near, struct place *at)
{
    struct member *m = member_near(r, path, near);

    if (!m) {
        return false;
    }
    place_member(at, m);
    if (path->n > 1 && descend(at, path->part + 1, path->n - 1) != DRH_OK) {
        return false;
    }
    return at->type == type;
}

size_t record_get_strs(drh_record *const *r, size_t n, drh_field f, drh_str *out)
{
    const struct field_path *path = field_path(f);
    struct place             at;
    uint32_t                 near = 0;
    size_t                   i, there = 0;

    for (i = 0; i < n; i++) {
        drh_status st = DRH_E_MISSING;
        out[i].ptr = NULL;
        out[i].len = 0;
        if (path && find_near(r[i], path, DRH_T_STRING, &near, &at)) {
            st = place_str(r[i], &at, &out[i]);
        }
        there += st == DRH_OK;
    }
    return there;
}

size_t record_get_f64s(drh_record *const *r, size_t n, drh_field f, double *out)
{
    const struct field_path *path = field_path(f);
    struct place             at;
    uint32_t                 near = 0;
    size_t                   i, there = 0;

    for (i = 0; i < n; i++) {
        out[i] = (double)NAN;
        if (path && find_near(r[i], path, DRH_T_NUMBER, &near, &at)) {
            there += json_f64(at.p, at.len, &out[i]) == DRH_OK;
        }
    }
    return there;
}

size_t record_get_i64s(drh_record *const *r, size_t n, drh_field f, int64_t *out, uint8_t *there)
{
    const struct field_path *path = field_path(f);
    struct place             at;
    uint32_t                 near = 0;
    size_t                   i, count = 0;

    for (i = 0; i < n; i++) {
        bool ok = path && find_near(r[i], path, DRH_T_NUMBER, &near, &at);
        out[i] = 0;
        ok = ok && json_i64(at.p, at.len, &out[i]) == DRH_OK;
        if (there) {
            there[i] = ok;
        }
        count += ok;
    }
    return count;
}
