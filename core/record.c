/* SPDX-License-Identifier: MIT
 * record.c - a record's life: parsed from a line, written as a line, settled, given children.  The
 * runner makes, writes and reopens; plugins come through record_api at the end of the file.  One
 * thread at a time a record. */
#include "record_impl.h"

#include "hash.h"
#include "origin.h"

#include <string.h>

enum { FIRST_MEMBERS = 8, MAX_DETAIL = 1024 };

/* ---- parsing ---- */

struct member *record_member_new(struct drh_record *r)
{
    struct member *m;

    if (r->n_members == r->cap_members) {
        uint32_t cap = r->cap_members ? r->cap_members * 2 : FIRST_MEMBERS;
        m = cap > r->cap_members ? arena_alloc(r->arena, cap * sizeof(*m)) : NULL;
        if (!m) {
            return NULL;
        }
        if (r->n_members) {
            memcpy(m, r->members, r->n_members * sizeof(*m));
        }
        r->members = m;
        r->cap_members = cap;
    }
    m = &r->members[r->n_members++];
    memset(m, 0, sizeof(*m));
    return m;
}

static drh_status on_member(void *ctx, const struct json_member *found)
{
    struct member *m = record_member_new(ctx);

    if (!m) {
        return DRH_E_NOMEM;
    }
    m->m = *found;
    record_note_key(ctx, found);
    return DRH_OK;
}

static drh_status not_object(struct json_err *e)
{
    static const char text[] = "a record must be a JSON object";

    if (e) {
        e->code = "not_object";
        e->offset = 0;
        memcpy(e->message, text, sizeof(text));
    }
    return DRH_E_DATA;
}

drh_status record_parse(struct drh_record *r, const char *text, size_t len, struct json_err *e)
{
    uint32_t    type = DRH_T_NONE;
    bool        newline;
    const char *end;
    drh_status  st;

    r->n_members = 0;
    r->bits = 0;
    arena_forget_text(r->arena); /* this text may lie where another one was */
    st = json_scan_lines(text, len, r->arena, on_member, r, &type, &newline, e);
    if (st == DRH_OK && type != DRH_T_OBJECT) {
        st = not_object(e);
    }
    if (st != DRH_OK) {
        r->n_members = 0;
        return st;
    }
    end = text + len;
    text = json_space(text, end);
    while (end[-1] != '}') {
        end--;
    }
    r->src = text;
    r->src_len = (size_t)(end - text);
    /* In accepted text a newline can only be between tokens. */
    r->multiline = newline && (memchr(text, '\n', r->src_len) != NULL ||
                               memchr(text, '\r', r->src_len) != NULL);
    r->changed = r->stale = false;
    return DRH_OK;
}

/* Member by member: to fill the whole with zeros takes longer, because compilers do it by an
 * instruction that is slow to start. */
struct drh_record *record_blank(struct arena *a)
{
    struct drh_record *r = arena_alloc(a, sizeof(*r));

    if (!r) {
        return NULL;
    }
    r->arena = a;
    r->src = NULL;
    r->src_len = 0;
    r->members = NULL;
    r->n_members = r->cap_members = 0;
    r->bits = 0;
    r->changed = r->stale = r->mended = r->multiline = false;
    r->settled = REC_OPEN;
    r->attempt = 0;
    r->reason[0] = '\0';
    r->detail.ptr = NULL;
    r->detail.len = 0;
    r->origin = NULL;
    r->from = (drh_str){"", 0};
    r->from_line = 0;
    r->row = r->line = r->slot = r->index = r->uid = r->step_seed = 0;
    r->parent = r->first_child = r->last_child = r->next_sibling = NULL;
    r->builder = NULL;
    r->state = r->owner = NULL;
    return r;
}

struct drh_record *record_new(struct arena *a)
{
    struct drh_record *r = record_blank(a);

    if (r) {
        r->changed = r->stale = true;
    }
    return r;
}

/* ---- writing ---- */

/* Most bytes that the members need. */
static size_t members_size(const struct drh_record *r)
{
    size_t   n = 2;
    uint32_t i;

    for (i = 0; i < r->n_members; i++) {
        n += r->members[i].m.key_len + r->members[i].m.val_len + 4;
    }
    return n;
}

static char *members_to(char *q, const struct drh_record *r)
{
    uint32_t i;

    *q++ = '{';
    for (i = 0; i < r->n_members; i++) {
        const struct json_member *m = &r->members[i].m;
        if (i) {
            *q++ = ',';
        }
        *q++ = '"';
        memcpy(q, m->key, m->key_len);
        q += m->key_len;
        *q++ = '"';
        *q++ = ':';
        if (m->multiline) {
            q = json_minify_to(q, m->val, m->val_len);
        } else {
            memcpy(q, m->val, m->val_len);
            q += m->val_len;
        }
    }
    *q++ = '}';
    return q;
}

drh_status record_write(const struct drh_record *r, struct buf *out)
{
    drh_status st;

    if (!r->stale) {
        return r->multiline ? json_minify(out, r->src, r->src_len)
                            : buf_add(out, r->src, r->src_len);
    }
    st = buf_reserve(out, members_size(r));
    if (st == DRH_OK) {
        out->len = (size_t)(members_to(out->ptr + out->len, r) - out->ptr);
        out->ptr[out->len] = '\0';
    }
    return st;
}

drh_status record_text(struct drh_record *r, drh_str *out)
{
    if (r->stale) {
        char *text = arena_alloc(r->arena, members_size(r) + 1), *end;
        if (!text) {
            return DRH_E_NOMEM;
        }
        end = members_to(text, r);
        *end = '\0';
        r->src = text;
        r->src_len = (size_t)(end - text);
        r->stale = r->multiline = false;
    }
    out->ptr = r->src;
    out->len = r->src_len;
    return DRH_OK;
}

/* ---- settling ---- */

static bool reason_ok(const char *reason)
{
    size_t n = reason ? strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;

    return n >= 1 && n <= 40 && reason[n] == '\0';
}

/* One line of UTF-8, whatever a plugin gave: it goes into reports. */
static drh_status copy_detail(struct drh_record *r, const char *detail, size_t len)
{
    char  *p;
    size_t i;

    if (len > MAX_DETAIL) {
        for (len = MAX_DETAIL; len && ((unsigned char)detail[len] & 0xc0) == 0x80; len--) {
        }
    }
    p = arena_dup(r->arena, detail, len);
    if (!p) {
        return DRH_E_NOMEM;
    }
    for (i = 0; i < len; i++) {
        if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f) {
            p[i] = ' ';
        }
    }
    if (!json_utf8_valid(p, len)) {
        for (i = 0; i < len; i++) {
            if ((unsigned char)p[i] >= 0x80) {
                p[i] = '?';
            }
        }
    }
    r->detail.ptr = p;
    r->detail.len = len;
    return DRH_OK;
}

drh_status record_settle(struct drh_record *r, enum settled how, const char *reason,
                         const char *detail, size_t len)
{
    if (r->settled != REC_OPEN || how == REC_OPEN) {
        return DRH_E_ARG;
    }
    if (how == REC_KEPT) {
        if (r->builder) {
            return DRH_E_ARG;
        }
        r->settled = REC_KEPT;
        return DRH_OK;
    }
    if (!reason_ok(reason)) {
        return DRH_E_ARG;
    }
    if (detail && len && copy_detail(r, detail, len) != DRH_OK) {
        return DRH_E_NOMEM;
    }
    memcpy(r->reason, reason, strlen(reason) + 1);
    r->builder = NULL;
    r->settled = (uint8_t)how;
    return DRH_OK;
}

void record_reopen(struct drh_record *r, uint64_t step_seed)
{
    r->settled = REC_OPEN;
    r->reason[0] = '\0';
    r->detail.ptr = NULL;
    r->detail.len = 0;
    r->builder = NULL;
    r->state = NULL;
    r->first_child = r->last_child = NULL;
    r->step_seed = step_seed;
}

drh_str record_id(const struct drh_record *r)
{
    drh_field f = field_intern("/metadata/id", 12);
    drh_str   id = {"", 0};

    if (f == DRH_FIELD_NONE || record_get_str(r, f, &id) != DRH_OK) {
        id.ptr = "";
        id.len = 0;
    }
    return id;
}

/* ---- the table ---- */

static drh_status api_keep(drh_record *r)
{
    return record_settle(r, REC_KEPT, NULL, NULL, 0);
}

static drh_status api_drop(drh_record *r, const char *reason, const char *detail, size_t len)
{
    return record_settle(r, REC_DROPPED, reason, detail, len);
}

static drh_status api_fail(drh_record *r, const char *reason, const char *detail, size_t len)
{
    return record_settle(r, REC_FAILED, reason, detail, len);
}

static drh_status api_add(drh_record *parent, drh_record **child)
{
    struct drh_record *r;

    *child = NULL;
    if (parent->settled != REC_OPEN) {
        return DRH_E_ARG;
    }
    r = record_new(parent->arena);
    if (!r) {
        return DRH_E_NOMEM;
    }
    r->origin = parent->origin;
    r->row = parent->row;
    r->line = parent->line;
    r->slot = parent->slot;
    r->parent = parent;
    r->owner = parent->owner;
    /* A chain, so that each child has its own seed whatever was added before. */
    r->step_seed =
        parent->last_child ? mix64(parent->last_child->step_seed, 1) : mix64(parent->step_seed, 2);
    if (parent->last_child) {
        parent->last_child->next_sibling = r;
    } else {
        parent->first_child = r;
    }
    parent->last_child = r;
    *child = r;
    return DRH_OK;
}

/* Every member of it. */
static void fill_info(const drh_record *r, drh_record_info *out)
{
    static const struct origin nowhere = {
        .file = {"", 0}, .domain = {"", 0}, .dataset = {"", 0}, .source = {"", 0}};
    const struct origin *o = r->origin ? r->origin : &nowhere;

    out->attempt = r->attempt;
    out->slot = r->slot;
    out->row = r->row;
    out->line = r->line;
    out->file = o->file;
    out->domain = o->domain;
    out->dataset = o->dataset;
    out->source = o->source;
    out->from_file = o->file;
    out->from_line = r->line;
    (void)origin_of(r, &out->from_file, &out->from_line);
}

static drh_status api_info(const drh_record *r, drh_record_info *out)
{
    drh_record_info full;
    size_t          n = out->struct_size;

    if (n >= sizeof(full)) {
        fill_info(r, out);
        return DRH_OK;
    }
    if (n < offsetof(drh_record_info, attempt)) {
        return DRH_E_ARG;
    }
    fill_info(r, &full);
    full.struct_size = out->struct_size;
    memcpy(out, &full, n);
    return DRH_OK;
}

static uint64_t api_seed(const drh_record *r)
{
    return mix64(r->step_seed, r->attempt);
}

static drh_status api_set_state(drh_record *r, void *state)
{
    if (r->settled != REC_OPEN) {
        return DRH_E_ARG;
    }
    r->state = state;
    return DRH_OK;
}

static void *api_state(const drh_record *r)
{
    return r->state;
}

const drh_record_api record_api = {
    .struct_size = (uint32_t)sizeof(drh_record_api),
    .get_str = record_get_str,
    .get_i64 = record_get_i64,
    .get_f64 = record_get_f64,
    .get_bool = record_get_bool,
    .get_json = record_get_json,
    .get_value = record_get_value,
    .get_strs = record_get_strs,
    .get_f64s = record_get_f64s,
    .get_i64s = record_get_i64s,
    .info = api_info,
    .seed = api_seed,
    .set_str = record_set_str,
    .set_i64 = record_set_i64,
    .set_f64 = record_set_f64,
    .set_bool = record_set_bool,
    .set_json = record_set_json,
    .set_value = record_set_value,
    .unset = record_unset,
    .open = builder_open,
    .begin = builder_begin,
    .end = builder_end,
    .put_key = builder_put_key,
    .put_str = builder_put_str,
    .put_i64 = builder_put_i64,
    .put_f64 = builder_put_f64,
    .put_bool = builder_put_bool,
    .put_null = builder_put_null,
    .put_value = builder_put_value,
    .close = builder_close,
    .keep = api_keep,
    .drop = api_drop,
    .fail = api_fail,
    .add = api_add,
    .set_state = api_set_state,
    .state = api_state,
};
