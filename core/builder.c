/* SPDX-License-Identifier: MIT
 * builder.c - records->open ... close: a nested value written in order, in the record's arena, so
 * that a builder nobody closes needs no clean-up.  What close stores is strict JSON by
 * construction: strings and keys are checked as they come, and it is not scanned again. */
#include "record_impl.h"

#include "json_impl.h"

enum { FIRST_TEXT = 512 };

struct builder {
    char            *text;
    size_t           len, cap;
    drh_field        field;
    drh_status       mistake; /* the first one; everything after it is ignored */
    uint32_t         depth;
    bool             multiline;
    bool             has_key;  /* a key waits for its value */
    bool             is_first; /* nothing in the innermost container yet */
    bool             done;     /* the outermost container was ended */
    struct json_keys keys;
    uint32_t         base[JSON_MAX_DEPTH]; /* as in json_scan(): 0 for an array */
};

static drh_status failed(struct builder *b, drh_status st)
{
    if (b->mistake == DRH_OK) {
        b->mistake = st;
    }
    return st;
}

/* Room for n more bytes; NULL: out of memory. */
static char *room(struct drh_record *r, size_t n)
{
    struct builder *b = r->builder;
    size_t          cap = b->cap ? b->cap : FIRST_TEXT;
    char           *bigger;

    if (n > SIZE_MAX / 4 - b->len) {
        return NULL;
    }
    if (b->len + n > b->cap) {
        while (cap < b->len + n) {
            cap *= 2;
        }
        bigger = arena_alloc(r->arena, cap);
        if (!bigger) {
            return NULL;
        }
        if (b->len) {
            memcpy(bigger, b->text, b->len);
        }
        b->text = bigger;
        b->cap = cap;
    }
    return b->text + b->len;
}

static bool in_object(const struct builder *b)
{
    return b->depth && b->base[b->depth - 1];
}

/* Room for a value of n bytes with the comma before it; *at gets the place, behind the comma. */
static drh_status value_room(struct drh_record *r, size_t n, char **at)
{
    struct builder *b = r->builder;
    char           *q;

    if (!b) {
        return DRH_E_ARG;
    }
    if (b->mistake != DRH_OK) {
        return b->mistake;
    }
    if (b->done || (in_object(b) && !b->has_key)) {
        return failed(b, DRH_E_ARG);
    }
    q = room(r, n + 1);
    if (!q) {
        return failed(b, DRH_E_NOMEM);
    }
    if (!b->is_first && !b->has_key) {
        *q++ = ',';
    }
    *at = q;
    return DRH_OK;
}

/* The value that ends at q is in. */
static void value_in(struct builder *b, const char *q)
{
    b->len = (size_t)(q - b->text);
    b->is_first = b->has_key = false;
}

static drh_status put_text(struct drh_record *r, const char *p, size_t n)
{
    char      *q;
    drh_status st = value_room(r, n, &q);

    if (st == DRH_OK) {
        memcpy(q, p, n);
        value_in(r->builder, q + n);
    }
    return st;
}

drh_status builder_open(drh_record *r, drh_field f, uint32_t type)
{
    struct builder *b;
    drh_status      st;

    if (r->settled != REC_OPEN || r->builder || (f != DRH_FIELD_NONE && !field_path(f)) ||
        (type != DRH_T_ARRAY && type != DRH_T_OBJECT)) {
        return DRH_E_ARG;
    }
    b = arena_alloc(r->arena, sizeof(*b));
    if (!b) {
        return DRH_E_NOMEM;
    }
    memset(b, 0, offsetof(struct builder, keys));
    json_keys_init(&b->keys, r->arena);
    b->field = f;
    b->is_first = true;
    r->builder = b;
    st = builder_begin(r, type);
    if (st != DRH_OK) {
        r->builder = NULL;
    }
    return st;
}

drh_status builder_begin(drh_record *r, uint32_t type)
{
    struct builder *b = r->builder;
    char           *q;
    drh_status      st = value_room(r, 1, &q);

    if (st != DRH_OK) {
        return st;
    }
    if (type != DRH_T_ARRAY && type != DRH_T_OBJECT) {
        return failed(b, DRH_E_ARG);
    }
    if (b->depth == JSON_MAX_DEPTH) {
        return failed(b, DRH_E_DATA);
    }
    *q = type == DRH_T_OBJECT ? '{' : '[';
    value_in(b, q + 1);
    b->base[b->depth++] = type == DRH_T_OBJECT ? b->keys.n + 1 : 0;
    b->is_first = true;
    return DRH_OK;
}

/* Closes the innermost container. */
static drh_status end_container(struct drh_record *r)
{
    struct builder *b = r->builder;
    uint32_t        base = b->base[b->depth - 1];
    char           *q = room(r, 1);

    if (b->has_key) {
        return failed(b, DRH_E_ARG);
    }
    if (!q) {
        return failed(b, DRH_E_NOMEM);
    }
    *q = base ? '}' : ']';
    value_in(b, q + 1);
    if (base) {
        json_keys_close(&b->keys, base - 1);
    }
    b->depth--;
    b->done = b->depth == 0;
    return DRH_OK;
}

/* The outermost container is ended by close(). */
drh_status builder_end(drh_record *r)
{
    struct builder *b = r->builder;

    if (!b) {
        return DRH_E_ARG;
    }
    if (b->mistake != DRH_OK) {
        return b->mistake;
    }
    return b->depth < 2 ? failed(b, DRH_E_ARG) : end_container(r);
}

drh_status builder_put_key(drh_record *r, const char *ptr, size_t len)
{
    struct builder *b = r->builder;
    size_t          size;
    char           *q, *copy;
    drh_status      st;

    if (!b || b->mistake != DRH_OK) {
        return b ? b->mistake : DRH_E_ARG;
    }
    if (!in_object(b) || b->has_key) {
        return failed(b, DRH_E_ARG);
    }
    if (json_quoted(ptr, len, &size) != DRH_OK || size - 2 > JSON_MAX_KEY) {
        return failed(b, DRH_E_DATA);
    }
    q = room(r, size + 2);
    copy = q ? arena_dup(r->arena, ptr, len) : NULL; /* the text may move, the check must not */
    if (!copy) {
        return failed(b, DRH_E_NOMEM);
    }
    st = json_keys_add(&b->keys, b->base[b->depth - 1] - 1, copy, (uint32_t)len, false);
    if (st != DRH_OK) {
        return failed(b, st);
    }
    if (!b->is_first) {
        *q++ = ',';
    }
    q = json_quote_to(q, ptr, len, size);
    *q++ = ':';
    value_in(b, q);
    b->has_key = true;
    return DRH_OK;
}

drh_status builder_put_str(drh_record *r, const char *ptr, size_t len)
{
    size_t     size;
    char      *q;
    drh_status st = json_quoted(ptr, len, &size);

    if (st != DRH_OK) {
        return r->builder ? failed(r->builder, DRH_E_DATA) : DRH_E_ARG;
    }
    st = value_room(r, size, &q);
    if (st == DRH_OK) {
        value_in(r->builder, json_quote_to(q, ptr, len, size));
    }
    return st;
}

drh_status builder_put_i64(drh_record *r, int64_t v)
{
    char text[JSON_NUM_SIZE];

    return put_text(r, text, json_fmt_i64(text, v));
}

drh_status builder_put_f64(drh_record *r, double v)
{
    char   text[JSON_NUM_SIZE];
    size_t n = json_fmt_f64(text, v);

    if (n == 0) {
        return r->builder ? failed(r->builder, DRH_E_RANGE) : DRH_E_ARG;
    }
    return put_text(r, text, n);
}

drh_status builder_put_bool(drh_record *r, int32_t v)
{
    return v ? put_text(r, "true", 4) : put_text(r, "false", 5);
}

drh_status builder_put_null(drh_record *r)
{
    return put_text(r, "null", 4);
}

drh_status builder_put_value(drh_record *r, const drh_value *v)
{
    drh_str    s = value_json(v);
    drh_status st;

    if (r->builder && r->builder->depth + json_depth(s.ptr, s.len) > JSON_MAX_DEPTH) {
        return failed(r->builder, DRH_E_DATA);
    }
    st = put_text(r, s.ptr, s.len);
    if (st == DRH_OK && !r->builder->multiline) {
        r->builder->multiline = memchr(s.ptr, '\n', s.len) || memchr(s.ptr, '\r', s.len);
    }
    return st;
}

drh_status builder_close(drh_record *r)
{
    struct builder  *b = r->builder;
    struct new_value v;
    drh_status       st;

    if (!b) {
        return DRH_E_ARG;
    }
    st = b->mistake;
    if (st == DRH_OK) {
        st = b->depth == 1 ? end_container(r) : DRH_E_ARG;
    }
    r->builder = NULL;
    if (st != DRH_OK) {
        return st;
    }
    v.p = b->text;
    v.len = b->len;
    v.type = *b->text == '{' ? DRH_T_OBJECT : DRH_T_ARRAY;
    v.multiline = b->multiline;
    v.escaped = false;
    return record_put(r, b->field, &v);
}
