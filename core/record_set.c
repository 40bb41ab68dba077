/* SPDX-License-Identifier: MIT
 * record_set.c - changing a record: values as text in the arena; a set by JSON Pointer rebuilds the
 * text of the one top-level member it is in, so everything else keeps its bytes. */
#include "record_impl.h"

#include <string.h>

/* ---- values as text ---- */

drh_status record_copy_value(struct drh_record *r, const char *p, size_t len, struct new_value *out)
{
    char *copy = arena_dup(r->arena, p, len);

    if (!copy) {
        return DRH_E_NOMEM;
    }
    out->p = copy;
    out->len = len;
    out->type = json_type(copy);
    out->depth = json_depth(copy, len);
    out->multiline = memchr(copy, '\n', len) != NULL || memchr(copy, '\r', len) != NULL;
    out->escaped = out->type == DRH_T_STRING && json_has_escape(copy, len);
    out->known = NULL;
    out->n_known = 0;
    return DRH_OK;
}

static drh_status make_str(struct drh_record *r, const char *ptr, size_t len, struct new_value *out)
{
    size_t     size;
    drh_status st = json_quoted(ptr, len, &size);
    char      *text;

    if (st != DRH_OK) {
        return DRH_E_DATA;
    }
    text = arena_alloc(r->arena, size);
    if (!text) {
        return DRH_E_NOMEM;
    }
    (void)json_quote_to(text, ptr, len, size);
    out->p = text;
    out->len = size;
    out->type = DRH_T_STRING;
    out->depth = 0;
    out->multiline = false;
    out->escaped = size != len + 2;
    out->known = NULL;
    out->n_known = 0;
    return DRH_OK;
}

/* `text` is in the arena already; NULL: there was no room for it. */
static drh_status put_number(struct drh_record *r, drh_field f, const char *text, size_t len)
{
    struct new_value v = {text, len, DRH_T_NUMBER, 0, false, false, NULL, 0};

    return text ? record_put(r, f, &v) : DRH_E_NOMEM;
}

/* ---- where a pointer leads to inside a member ---- */

/* Bytes [from,to) of a member's text are replaced; for a set, parts[level..] are made there. */
struct edit {
    const char *from, *to;
    uint32_t    level; /* parts that were found */
    bool        comma; /* something stands before the new member */
    bool        wrap;  /* the value itself, or an object in place of null, not a member */
};

/* parts[0] is a member of the value p[0,len).  DRH_E_TYPE: a parent is no object. */
static drh_status edit_find(const char *p, size_t len, const drh_str *parts, uint32_t n,
                            struct edit *ed)
{
    const char *end = p + len;
    uint32_t    i;

    for (i = 0; i < n; i++) {
        struct json_walk w;
        ed->level = i;
        if (*p == 'n') {
            ed->from = p;
            ed->to = json_skip(p, end);
            ed->wrap = true;
            return DRH_OK;
        }
        if (*p != '{') {
            return DRH_E_TYPE;
        }
        json_walk_open(&w, p, end);
        if (!json_walk_find(&w, parts[i].ptr, parts[i].len)) {
            ed->comma = w.val != NULL;
            ed->from = ed->to = w.before;
            ed->wrap = false;
            return DRH_OK;
        }
        p = w.val;
        if (i + 1 == n) {
            ed->from = p;
            ed->to = json_walk_end(&w);
        }
    }
    ed->level = n;
    ed->wrap = true;
    return DRH_OK;
}

/* "key": of each one (source text), the objects between them, the value, the closing brackets. */
static char *put_nested(char *q, const drh_str *keys, uint32_t n, const struct edit *ed,
                        const struct new_value *v)
{
    uint32_t i;

    for (i = ed->level; i < n; i++) {
        if (i > ed->level || ed->wrap) {
            *q++ = '{';
        }
        *q++ = '"';
        memcpy(q, keys[i].ptr, keys[i].len);
        q += keys[i].len;
        *q++ = '"';
        *q++ = ':';
    }
    memcpy(q, v->p, v->len);
    q += v->len;
    for (i = ed->level + !ed->wrap; i < n; i++) {
        *q++ = '}';
    }
    return q;
}

/* Text of the member with the value put in; `old` {NULL,0} when there was none. */
static drh_status rebuild(struct drh_record *r, drh_str old, const drh_str *keys, uint32_t n,
                          const struct edit *ed, const struct new_value *v, drh_str *out)
{
    size_t   before = old.ptr ? (size_t)(ed->from - old.ptr) : 0;
    size_t   after = old.ptr ? (size_t)(old.ptr + old.len - ed->to) : 0;
    size_t   room = before + after + v->len + 2;
    uint32_t i;
    char    *text, *q;

    for (i = ed->level; i < n; i++) {
        room += keys[i].len + 5;
    }
    text = arena_alloc(r->arena, room);
    if (!text) {
        return DRH_E_NOMEM;
    }
    q = text;
    if (before) {
        memcpy(q, old.ptr, before);
        q += before;
    }
    if (ed->comma) {
        *q++ = ',';
    }
    q = put_nested(q, keys, n, ed, v);
    if (after) {
        memcpy(q, ed->to, after);
        q += after;
    }
    out->ptr = text;
    out->len = (size_t)(q - text);
    return DRH_OK;
}

/* ---- storing ---- */

static void member_store(struct drh_record *r, struct member *m, const struct new_value *v)
{
    m->m.val = v->p;
    m->m.val_len = v->len;
    m->m.type = (uint8_t)v->type;
    m->m.multiline = v->multiline;
    m->m.val_escaped = v->escaped;
    m->text.ptr = NULL;
    m->text.len = 0;
    m->depth = v->depth ? v->depth + 1 : 0;
    m->known = v->known;
    m->n_known = v->n_known;
    r->changed = r->stale = true;
}

static drh_status member_append(struct drh_record *r, const struct field_path *path,
                                const struct new_value *v)
{
    struct member *m = record_member_new(r);

    if (!m) {
        return DRH_E_NOMEM;
    }
    m->m.key = path->json[0].ptr; /* the field table's: outlives every record */
    m->m.key_len = (uint32_t)path->json[0].len;
    m->m.key_escaped = path->json[0].len != path->part[0].len;
    record_note_key(r, &m->m);
    member_store(r, m, v);
    return DRH_OK;
}

/* The record as a whole becomes v, an object. */
static drh_status put_whole(struct drh_record *r, const struct new_value *v)
{
    struct drh_record was = *r;
    drh_status        st;

    if (v->type != DRH_T_OBJECT) {
        return DRH_E_TYPE;
    }
    r->members = NULL;
    r->n_members = r->cap_members = 0;
    st = record_parse(r, v->p, v->len, NULL);
    if (st != DRH_OK) {
        r->members = was.members;
        r->n_members = was.n_members;
        r->cap_members = was.cap_members;
        r->bits = was.bits;
        return st;
    }
    r->changed = true;
    return DRH_OK;
}

drh_status record_put_members(struct drh_record *r, const struct new_value *v,
                              const struct json_member *m, uint32_t n)
{
    struct member *all = arena_alloc(r->arena, n * sizeof(*all));
    uint32_t       i;

    if (!all) {
        return DRH_E_NOMEM;
    }
    r->bits = 0;
    memset(all, 0, n * sizeof(*all));
    for (i = 0; i < n; i++) {
        all[i].m = m[i];
        record_note_key(r, &m[i]);
    }
    r->members = all;
    r->n_members = r->cap_members = n;
    r->src = v->p;
    r->src_len = v->len;
    r->changed = true;
    r->stale = r->multiline = false;
    return DRH_OK;
}

static drh_status put_nested_member(struct drh_record *r, const struct field_path *path,
                                    struct member *m, const struct new_value *v)
{
    drh_str          old = {NULL, 0}, text;
    struct edit      ed = {NULL, NULL, 0, false, true};
    struct new_value whole = {NULL, 0, DRH_T_OBJECT, 0, v->multiline, false, NULL, 0};
    drh_status       st = DRH_OK;

    if (m) {
        old.ptr = m->m.val;
        old.len = m->m.val_len;
        whole.multiline |= m->m.multiline;
        st = edit_find(old.ptr, old.len, path->part + 1, path->n - 1, &ed);
    }
    if (st == DRH_OK) {
        st = rebuild(r, old, path->json + 1, path->n - 1, &ed, v, &text);
    }
    if (st != DRH_OK) {
        return st;
    }
    whole.p = text.ptr;
    whole.len = text.len;
    if (!m) {
        return member_append(r, path, &whole);
    }
    member_store(r, m, &whole);
    return DRH_OK;
}

drh_status record_put(struct drh_record *r, drh_field f, const struct new_value *v)
{
    const struct field_path *path;
    struct member           *m;

    if (r->settled != REC_OPEN) {
        return DRH_E_ARG;
    }
    if (f == DRH_FIELD_NONE) {
        return put_whole(r, v);
    }
    path = field_path(f);
    if (!path) {
        return DRH_E_ARG;
    }
    if (v->depth + path->n > JSON_MAX_DEPTH && v->depth > 0) {
        return DRH_E_DATA;
    }
    m = record_member(r, path);
    if (path->n > 1) {
        return put_nested_member(r, path, m, v);
    }
    if (!m) {
        return member_append(r, path, v);
    }
    member_store(r, m, v);
    return DRH_OK;
}

/* ---- the setters ---- */

drh_status record_set_str(drh_record *r, drh_field f, const char *ptr, size_t len)
{
    struct new_value v;
    drh_status       st = r->settled == REC_OPEN ? make_str(r, ptr, len, &v) : DRH_E_ARG;

    return st == DRH_OK ? record_put(r, f, &v) : st;
}

drh_status record_set_i64(drh_record *r, drh_field f, int64_t n)
{
    char *text = arena_alloc(r->arena, JSON_NUM_SIZE);

    return put_number(r, f, text, text ? json_fmt_i64(text, n) : 0);
}

drh_status record_set_f64(drh_record *r, drh_field f, double n)
{
    char  *text = arena_alloc(r->arena, JSON_NUM_SIZE);
    size_t len = text ? json_fmt_f64(text, n) : 0;

    return text && len == 0 ? DRH_E_RANGE : put_number(r, f, text, len);
}

drh_status record_set_bool(drh_record *r, drh_field f, int32_t b)
{
    static const struct new_value yes = {"true", 4, DRH_T_BOOL, 0, false, false, NULL, 0};
    static const struct new_value no = {"false", 5, DRH_T_BOOL, 0, false, false, NULL, 0};

    return record_put(r, f, b ? &yes : &no);
}

drh_status record_set_json(drh_record *r, drh_field f, const char *ptr, size_t len)
{
    struct new_value v;
    uint32_t         type;
    drh_status       st;

    if (r->settled != REC_OPEN) {
        return DRH_E_ARG;
    }
    st = json_scan(ptr, len, r->arena, NULL, NULL, &type, NULL);
    if (st == DRH_E_DATA && f == DRH_FIELD_NONE && /* a reader's record: as in a file of JSON */
        (st = json_mend(r->arena, &ptr, &len)) == DRH_OK) {
        st = json_scan(ptr, len, r->arena, NULL, NULL, &type, NULL);
        r->mended = st == DRH_OK;
    }
    if (st == DRH_OK) {
        const char *end = ptr + len;
        ptr = json_space(ptr, end);
        end = json_skip(ptr, end);
        st = record_copy_value(r, ptr, (size_t)(end - ptr), &v);
    }
    return st == DRH_OK ? record_put(r, f, &v) : st;
}

drh_status record_set_value(drh_record *r, drh_field f, const drh_value *value)
{
    struct new_value v;
    drh_str          text = value_json(value);
    drh_status       st;

    if (r->settled != REC_OPEN) {
        return DRH_E_ARG;
    }
    st = record_copy_value(r, text.ptr, text.len, &v);
    return st == DRH_OK ? record_put(r, f, &v) : st;
}

/* ---- unset ---- */

static void remove_member(struct drh_record *r, struct member *m)
{
    size_t after = (size_t)(r->members + r->n_members - (m + 1));

    memmove(m, m + 1, after * sizeof(*m));
    r->n_members--;
    r->changed = r->stale = true;
}

/* [from,to) of the parent's text: the member with one of its commas. */
static void member_span(struct json_walk *w, const char **from, const char **to)
{
    const char *after = json_space(json_walk_end(w), w->end);

    if (*after == ',') {
        *from = w->key - 1;
        *to = json_space(after + 1, w->end);
    } else {
        *from = w->before;
        *to = w->val_end;
    }
}

static drh_status unset_nested(struct drh_record *r, const struct field_path *path,
                               struct member *m)
{
    struct new_value v = {NULL, 0, DRH_T_OBJECT, 0, m->m.multiline, false, NULL, 0};
    const char      *p = m->m.val, *end = p + m->m.val_len, *from = NULL, *to = NULL;
    struct json_walk w;
    uint32_t         i;
    char            *text;

    for (i = 1; i < path->n; i++) {
        if (*p == 'n') {
            return DRH_OK;
        }
        if (*p != '{') {
            return DRH_E_TYPE;
        }
        json_walk_open(&w, p, end);
        if (!json_walk_find(&w, path->part[i].ptr, path->part[i].len)) {
            return DRH_OK;
        }
        p = w.val;
    }
    member_span(&w, &from, &to);
    v.len = m->m.val_len - (size_t)(to - from);
    text = arena_alloc(r->arena, v.len);
    if (!text) {
        return DRH_E_NOMEM;
    }
    memcpy(text, m->m.val, (size_t)(from - m->m.val));
    memcpy(text + (from - m->m.val), to, (size_t)(end - to));
    v.p = text;
    member_store(r, m, &v);
    return DRH_OK;
}

drh_status record_unset(drh_record *r, drh_field f)
{
    const struct field_path *path = field_path(f);
    struct member           *m;

    if (r->settled != REC_OPEN || !path) {
        return DRH_E_ARG;
    }
    m = record_member(r, path);
    if (!m) {
        return DRH_OK;
    }
    if (path->n > 1) {
        return unset_nested(r, path, m);
    }
    remove_member(r, m);
    return DRH_OK;
}
