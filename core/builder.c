/* SPDX-License-Identifier: MIT
 * builder.c - records->open ... close: a nested value written in order, in the record's arena, so
 * that a builder nobody closes needs no clean-up.  What close stores is strict JSON by
 * construction: strings and keys are checked as they come, and it is not scanned again.
 *
 * A closed builder waits in its arena for the next record. */
#include "record_impl.h"

#include "json_impl.h"

enum { FIRST_TEXT = 4096, GIVEN_AWAY = 64 << 10, MAX_TOP = 16, MAX_STRINGS = 64 };

/* A member of the outermost object; offsets in the text. */
struct top {
    size_t   key, val;
    uint32_t key_len;
    bool     key_escaped, val_escaped;
};

/* A string whose text is known; its place in the builder's text. */
struct string {
    size_t  from, size;
    drh_str text;
};

struct builder {
    char            *text; /* kept for the next value unless it was given away */
    size_t           len, cap;
    drh_field        field;
    drh_status       mistake; /* the first one; everything after it is ignored */
    uint32_t         depth, deepest;
    bool             multiline;
    bool             has_key;  /* a key waits for its value */
    bool             is_first; /* nothing in the innermost container yet */
    bool             done;     /* the outermost container was ended */
    uint32_t         n_top;    /* members of the outermost object; > MAX_TOP: not all are noted */
    struct top       top[MAX_TOP];
    uint32_t         n_strings; /* the first ones, in order */
    struct string    string[MAX_STRINGS];
    struct json_keys keys; /* as they are in `text`: equal when they mean the same */
    uint32_t         base[JSON_MAX_DEPTH]; /* as in json_scan(): 0 for an array */
};

static drh_status failed(struct builder *b, drh_status st)
{
    if (b->mistake == DRH_OK) {
        b->mistake = st;
    }
    return st;
}

/* Room for n more bytes and then some; NULL: out of memory.  Of what is behind the text `written`
 * bytes come along. */
static char *more_room(struct drh_record *r, size_t written, size_t n)
{
    struct builder *b = r->builder;
    size_t          cap = b->cap ? b->cap : FIRST_TEXT;
    char           *bigger;

    if (n > SIZE_MAX / 4 - b->len) {
        return NULL;
    }
    while (cap < b->len + n) {
        cap *= 2;
    }
    bigger = arena_alloc(r->arena, cap);
    if (!bigger) {
        return NULL;
    }
    if (b->text) {
        memcpy(bigger, b->text, b->len + written);
        json_keys_moved(&b->keys, b->text, bigger);
    }
    b->text = bigger;
    b->cap = cap;
    return bigger + b->len;
}

static inline char *room(struct drh_record *r, size_t n)
{
    struct builder *b = r->builder;

    return n <= b->cap - b->len ? b->text + b->len : more_room(r, 0, n);
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

/* The same for a string. */
static void string_in(struct builder *b, const char *q, bool escaped)
{
    if (b->depth == 1 && b->has_key && b->n_top <= MAX_TOP) {
        b->top[b->n_top - 1].val_escaped = escaped;
    }
    value_in(b, q);
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

/* The arena's spare builder, or a new one, with nothing in it. */
static struct builder *builder_take(struct arena *a)
{
    struct arena_notes *notes = arena_notes(a);
    struct builder     *b = notes->builder;

    notes->builder = NULL;
    if (!b) {
        b = arena_alloc(a, sizeof(*b));
        if (!b) {
            return NULL;
        }
        b->text = NULL;
        b->cap = 0;
    }
    b->len = 0;
    b->mistake = DRH_OK;
    b->depth = b->deepest = b->n_top = b->n_strings = 0;
    b->multiline = b->has_key = b->done = false;
    b->is_first = true;
    json_keys_init(&b->keys, a);
    return b;
}

drh_status builder_open(drh_record *r, drh_field f, uint32_t type)
{
    struct builder *b;
    drh_status      st;

    if (r->settled != REC_OPEN || r->builder || (f != DRH_FIELD_NONE && !field_path(f)) ||
        (type != DRH_T_ARRAY && type != DRH_T_OBJECT)) {
        return DRH_E_ARG;
    }
    b = builder_take(r->arena);
    if (!b) {
        return DRH_E_NOMEM;
    }
    b->field = f;
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
    b->deepest = b->depth > b->deepest ? b->depth : b->deepest;
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

/* ptr[0,len) in quotes to q, which has room for the worst of it up to a point; what it takes beyond
 * is made.  Past the last byte, or NULL: the builder's mistake says why. */
__attribute__((noinline)) static char *quote_long(struct drh_record *r, const char *ptr, size_t len,
                                                  char *q)
{
    struct builder *b = r->builder;
    const char     *end = ptr + len;

    *q++ = '"';
    while (ptr < end) {
        if (json_quote_part(&ptr, end, &q, b->text + b->cap) != DRH_OK) {
            (void)failed(b, DRH_E_DATA);
            return NULL;
        }
        if (ptr < end) {
            size_t used = (size_t)(q - b->text) - b->len, left = (size_t)(end - ptr);
            if (!more_room(r, used, used + left + left / 4 + 2 * JSON_QUOTE_ROOM)) {
                (void)failed(b, DRH_E_NOMEM);
                return NULL;
            }
            q = b->text + b->len + used;
        }
    }
    *q++ = '"';
    return q;
}

static inline char *quote(struct drh_record *r, const char *ptr, size_t len, char *q)
{
    uint64_t head;

    if (len < 16 && json_copy_short(q + 1, (const unsigned char *)ptr, len, &head)) {
        *q = '"';
        q[len + 1] = '"';
        return q + len + 2;
    }
    return quote_long(r, ptr, len, q);
}

/* The key text[from,to) waits for its value, which begins behind the ':'. */
static void note_top(struct builder *b, size_t from, size_t to, bool escaped)
{
    if (b->n_top < MAX_TOP) {
        struct top *t = &b->top[b->n_top];
        t->key = from;
        t->key_len = (uint32_t)(to - from);
        t->val = to + 2;
        t->key_escaped = escaped;
        t->val_escaped = false;
    }
    b->n_top++;
}

drh_status builder_put_key(drh_record *r, const char *ptr, size_t len)
{
    struct builder *b = r->builder;
    size_t          from, size;
    uint64_t        head;
    uint32_t        base;
    char           *q;
    drh_status      st;

    if (!b || b->mistake != DRH_OK) {
        return b ? b->mistake : DRH_E_ARG;
    }
    if (!in_object(b) || b->has_key) {
        return failed(b, DRH_E_ARG);
    }
    if (len > JSON_MAX_KEY) {
        return failed(b, DRH_E_DATA);
    }
    q = room(r, len + 2 * JSON_QUOTE_ROOM);
    if (!q) {
        return failed(b, DRH_E_NOMEM);
    }
    base = b->base[b->depth - 1] - 1;
    from = b->len + 1 + !b->is_first;
    if (!b->is_first) {
        *q++ = ',';
    }
    if (len < 16 && json_copy_short(q + 1, (const unsigned char *)ptr, len, &head)) {
        *q = '"';
        q[len + 1] = '"';
        q += len + 2;
        size = len;
        st = json_keys_add_plain(&b->keys, base, b->text + from, (uint32_t)len, head);
    } else {
        q = quote_long(r, ptr, len, q);
        if (!q) {
            return b->mistake;
        }
        size = (size_t)(q - b->text) - 1 - from;
        st = size > JSON_MAX_KEY
                 ? DRH_E_DATA
                 : json_keys_add(&b->keys, base, b->text + from, (uint32_t)size, false);
    }
    if (st != DRH_OK) {
        return failed(b, st);
    }
    if (b->depth == 1) {
        note_top(b, from, from + size, size != len);
    }
    *q++ = ':';
    value_in(b, q);
    b->has_key = true;
    return DRH_OK;
}

drh_status builder_put_str(drh_record *r, const char *ptr, size_t len)
{
    char      *q;
    size_t     from;
    drh_status st = value_room(r, len + len / 16 + 2 * JSON_QUOTE_ROOM, &q);

    if (st != DRH_OK) {
        return st;
    }
    from = (size_t)(q - r->builder->text);
    q = quote(r, ptr, len, q);
    if (!q) {
        return r->builder->mistake;
    }
    string_in(r->builder, q, (size_t)(q - r->builder->text) - from != len + 2);
    return DRH_OK;
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

/* A string as it is.  What it means is for those who read the record after us. */
static drh_status put_string(struct drh_record *r, const drh_value *v)
{
    const struct known *k = value_known(v);
    drh_str             s = {NULL, 0};
    char               *q;
    drh_status          st;

    if (k) {
        s.ptr = k->at;
        s.len = (size_t)(k->end - k->at);
    } else {
        s = value_json(v);
    }
    st = value_room(r, s.len, &q);
    if (st != DRH_OK) {
        return st;
    }
    memcpy(q, s.ptr, s.len);
    if (k && value_arena(v) == r->arena && r->builder->n_strings < MAX_STRINGS) {
        r->builder->string[r->builder->n_strings++] =
            (struct string){(size_t)(q - r->builder->text), s.len, k->text};
    }
    string_in(r->builder, q + s.len, true); /* whether it has escapes nobody knows */
    return DRH_OK;
}

drh_status builder_put_value(drh_record *r, const drh_value *v)
{
    struct builder *b = r->builder;
    uint32_t        type = value_type(v), depth = 0;
    bool            multiline = false;
    drh_str         s;
    char           *q;
    drh_status      st;

    if (type == DRH_T_STRING) {
        return put_string(r, v);
    }
    s = type < DRH_T_ARRAY ? value_json(v) : value_container(v, &depth, &multiline);
    st = value_room(r, s.len, &q);
    if (st != DRH_OK) {
        return st;
    }
    if (b->depth + depth > JSON_MAX_DEPTH) {
        return failed(b, DRH_E_DATA);
    }
    memcpy(q, s.ptr, s.len);
    b->deepest = b->depth + depth > b->deepest ? b->depth + depth : b->deepest;
    b->multiline = b->multiline || multiline;
    value_in(b, q + s.len);
    return DRH_OK;
}

/* Where the strings whose texts are known are now.  Without memory nobody is told of them. */
static void hand_over_strings(struct drh_record *r, const struct builder *b, struct new_value *v)
{
    struct known *k;
    uint32_t      i;

    v->known = NULL;
    v->n_known = 0;
    if (b->n_strings == 0 || !(k = arena_alloc(r->arena, b->n_strings * sizeof(*k)))) {
        return;
    }
    for (i = 0; i < b->n_strings; i++) {
        k[i].at = v->p + b->string[i].from;
        k[i].end = k[i].at + b->string[i].size;
        k[i].text = b->string[i].text;
    }
    v->known = k;
    v->n_known = b->n_strings;
}

/* The text is the record's now.  It stays where it is when nothing came into the arena behind it,
 * or when it is too large to be copied lightly. */
static drh_status hand_over(struct drh_record *r, struct builder *b, struct new_value *v)
{
    v->len = b->len;
    if (arena_trim(r->arena, b->text, b->cap, b->len) || b->len > GIVEN_AWAY) {
        v->p = b->text;
        b->text = NULL;
        b->cap = 0;
    } else {
        char *copy = arena_alloc(r->arena, b->len);
        if (!copy) {
            return DRH_E_NOMEM;
        }
        memcpy(copy, b->text, b->len);
        v->p = copy;
    }
    v->type = *v->p == '{' ? DRH_T_OBJECT : DRH_T_ARRAY;
    v->depth = b->deepest;
    v->multiline = b->multiline;
    v->escaped = false;
    hand_over_strings(r, b, v);
    return DRH_OK;
}

/* The record as a whole: its members are known already. */
static drh_status put_members(struct drh_record *r, const struct builder *b,
                              const struct new_value *v)
{
    struct json_member m[MAX_TOP];
    uint32_t           i;

    for (i = 0; i < b->n_top; i++) {
        const struct top *t = &b->top[i];
        size_t            end = i + 1 < b->n_top ? b->top[i + 1].key - 2 : v->len - 1;
        m[i].key = v->p + t->key;
        m[i].key_len = t->key_len;
        m[i].key_escaped = t->key_escaped;
        m[i].val = v->p + t->val;
        m[i].val_len = end - t->val;
        m[i].type = (uint8_t)json_type(m[i].val);
        m[i].val_escaped = t->val_escaped;
        m[i].multiline = false;
    }
    return record_put_members(r, v, m, b->n_top);
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
    if (st == DRH_OK) {
        st = hand_over(r, b, &v);
    }
    r->builder = NULL;
    arena_notes(r->arena)->builder = b;
    if (st != DRH_OK) {
        return st;
    }
    if (b->field == DRH_FIELD_NONE && v.type == DRH_T_OBJECT && !v.multiline &&
        b->n_top <= MAX_TOP) {
        return put_members(r, b, &v);
    }
    return record_put(r, b->field, &v);
}
