/* SPDX-License-Identifier: MIT
 * value.c - the cursor: six words that say where in an accepted text a value is.  Nothing is parsed
 * ahead; a step costs what it skips.  A record's worker uses it, or any thread with decoded text.
 */
#include "json_impl.h"
#include "mem.h"
#include "record_impl.h"

#include <string.h>

/* Words of a drh_value.  W_HOME is the arena, or a struct decoded with its lowest bit set.
 * W_KEY_LEN is the length with two bits below it: the key has escapes; the value is a string
 * without any. */
enum { W_HOME = 0, W_AT, W_END, W_LIMIT, W_KEY, W_KEY_LEN };
enum { KEY_ESCAPED = 1, PLAIN_STRING = 2, KEY_SHIFT = 2 };
_Static_assert(W_KEY_LEN < sizeof(((drh_value *)0)->w) / sizeof(uintptr_t), "words");

struct decoded {
    const char *text;
    char        bytes[]; /* the string whose quote is text[i] begins at bytes[i] */
};

static const char *at(const drh_value *v)
{
    return (const char *)v->w[W_AT];
}

static const char *limit(const drh_value *v)
{
    return (const char *)v->w[W_LIMIT];
}

/* The notes of a record's arena; NULL for a configuration. */
static struct arena_notes *notes_of(const drh_value *v)
{
    return v->w[W_HOME] & 1 ? NULL : arena_notes((struct arena *)v->w[W_HOME]);
}

/* The last string that was walked through is likely to be met again when its parent is left. */
static void note_string(const drh_value *v, const char *p, const char *end)
{
    struct arena_notes *n = notes_of(v);

    if (n && *p == '"') {
        n->string = p;
        n->string_end = end;
    }
}

static void use_notes(const drh_value *v, struct json_walk *w)
{
    const struct arena_notes *n = notes_of(v);

    if (n) {
        w->string = n->string;
        w->string_end = n->string_end;
        w->parent = n->string && n->string == n->child ? n->parent : NULL;
    }
}

/* W_END is 0 while nobody has needed it. */
static const char *end_of(const drh_value *v)
{
    const struct arena_notes *n;

    if (v->w[W_END]) {
        return (const char *)v->w[W_END];
    }
    n = notes_of(v);
    return n && n->string == at(v) ? n->string_end : json_skip(at(v), limit(v));
}

static void set_key(drh_value *v, const char *key, uint32_t len, bool escaped)
{
    v->w[W_KEY] = (uintptr_t)key;
    v->w[W_KEY_LEN] = (uintptr_t)len << KEY_SHIFT | (escaped ? KEY_ESCAPED : 0);
}

static void place_at(drh_value *v, struct arena *a, const char *p, size_t len)
{
    v->w[W_HOME] = (uintptr_t)a;
    v->w[W_AT] = (uintptr_t)p;
    v->w[W_END] = v->w[W_LIMIT] = (uintptr_t)(p + len);
}

void value_at(drh_value *v, struct arena *a, const char *p, size_t len)
{
    place_at(v, a, p, len);
    set_key(v, NULL, 0, false);
    if (a) {
        arena_forget_text(a); /* this text may lie where another one was */
    }
}

void value_of(drh_value *v, struct arena *a, const struct place *place)
{
    place_at(v, a, place->p, place->len);
    set_key(v, place->key, place->key_len, place->key_escaped);
}

void value_of_member(drh_value *v, struct arena *a, const struct member *m)
{
    place_at(v, a, m->m.val, m->m.val_len);
    set_key(v, m->m.key, m->m.key_len, m->m.key_escaped);
    if (m->m.type == DRH_T_STRING && !m->m.val_escaped) {
        v->w[W_KEY_LEN] |= PLAIN_STRING;
    }
}

/* ---- text that many threads read ---- */

struct decoded *value_decode(const char *text, size_t len)
{
    struct decoded *d = len < SIZE_MAX / 2 ? mem_alloc(1, sizeof(*d) + len) : NULL;
    const char     *p = text, *end = text + len;

    if (!d) {
        return NULL;
    }
    d->text = text;
    while (p < end && (p = memchr(p, '"', (size_t)(end - p))) != NULL) {
        const char *q = json_skip(p, end);
        (void)json_unescape(p + 1, (size_t)(q - p) - 2, d->bytes + (p - text));
        p = q;
    }
    return d;
}

void value_at_decoded(drh_value *v, const struct decoded *d, const char *p, size_t len)
{
    value_at(v, NULL, p, len);
    v->w[W_HOME] = (uintptr_t)d | 1;
}

/* ---- strings ---- */

drh_status value_decode_to(struct arena *a, const char *p, size_t len, bool escaped, drh_str *out)
{
    char *copy = arena_alloc(a, len + 1);

    if (!copy) {
        return DRH_E_NOMEM;
    }
    if (escaped) {
        len = json_unescape(p, len, copy);
    } else if (len) {
        memcpy(copy, p, len);
    }
    copy[len] = '\0';
    out->ptr = copy;
    out->len = len;
    return DRH_OK;
}

static size_t decoded_len(const char *p, size_t len)
{
    char        one[4];
    const char *end = p + len;
    size_t      n = 0;

    while (p < end) {
        size_t step = *p == '\\' ? json_escape_len(p) : 1;
        n += *p == '\\' ? json_unescape(p, step, one) : 1;
        p += step;
    }
    return n;
}

/* The text between the quotes, which start right before p. */
static drh_status decode(const drh_value *v, const char *p, size_t len, bool escaped, drh_str *out)
{
    if (v->w[W_HOME] & 1) {
        const struct decoded *d = (const struct decoded *)(v->w[W_HOME] - 1);
        out->ptr = d->bytes + (p - 1 - d->text);
        out->len = escaped ? decoded_len(p, len) : len;
        return DRH_OK;
    }
    return value_decode_to((struct arena *)v->w[W_HOME], p, len, escaped, out);
}

/* Its end is found, and the copy made, in one pass over the string. */
static bool decode_at_once(const drh_value *v, drh_str *out)
{
    struct arena *a = (struct arena *)v->w[W_HOME];
    const char   *end = v->w[W_END] ? (const char *)v->w[W_END] : limit(v);
    char         *copy = arena_begin(a, (size_t)(end - at(v)) + 16), *q = copy;

    if (!copy) {
        return false;
    }
    end = json_decode(at(v) + 1, end, &q);
    *q = '\0';
    arena_end(a, copy, (size_t)(q - copy) + 1);
    note_string(v, at(v), end + 1);
    out->ptr = copy;
    out->len = (size_t)(q - copy);
    return true;
}

static drh_status value_str(const drh_value *v, drh_str *out)
{
    const char *p = at(v), *q;
    bool        escaped;

    out->ptr = NULL;
    out->len = 0;
    if (*p != '"') {
        return DRH_E_TYPE;
    }
    if (v->w[W_KEY_LEN] & PLAIN_STRING) {
        return value_decode_to((struct arena *)v->w[W_HOME], p + 1, v->w[W_END] - v->w[W_AT] - 2,
                               false, out);
    }
    if (!(v->w[W_HOME] & 1) && decode_at_once(v, out)) {
        return DRH_OK;
    }
    q = json_quote_or_slash(++p, limit(v));
    escaped = *q == '\\';
    if (escaped) {
        q = json_string_end(q, limit(v));
    }
    return decode(v, p, (size_t)(q - p), escaped, out);
}

static drh_status value_key(const drh_value *v, drh_str *out)
{
    out->ptr = NULL;
    out->len = 0;
    if (!v->w[W_KEY]) {
        return DRH_E_TYPE;
    }
    return decode(v, (const char *)v->w[W_KEY], v->w[W_KEY_LEN] >> KEY_SHIFT,
                  v->w[W_KEY_LEN] & KEY_ESCAPED, out);
}

/* ---- scalars ---- */

uint32_t value_type(const drh_value *v)
{
    return json_type(at(v));
}

drh_str value_json(const drh_value *v)
{
    drh_str s = {at(v), (size_t)(end_of(v) - at(v))};

    return s;
}

drh_str value_json_depth(const drh_value *v, uint32_t *depth)
{
    drh_str s = {at(v), 0};

    s.len = (size_t)(json_skip_depth(at(v), limit(v), depth) - at(v));
    return s;
}

static drh_status value_i64(const drh_value *v, int64_t *out)
{
    drh_str s = value_json(v);

    *out = 0;
    return json_i64(s.ptr, s.len, out);
}

static drh_status value_f64(const drh_value *v, double *out)
{
    drh_str s = value_json(v);

    *out = 0;
    return json_f64(s.ptr, s.len, out);
}

static drh_status value_boolean(const drh_value *v, int32_t *out)
{
    *out = *at(v) == 't';
    return value_type(v) == DRH_T_BOOL ? DRH_OK : DRH_E_TYPE;
}

/* ---- walking ---- */

static bool is_container(const drh_value *v)
{
    return *at(v) == '{' || *at(v) == '[';
}

static void note_child(const drh_value *v, const char *parent, const char *child)
{
    struct arena_notes *n = notes_of(v);

    if (n) {
        n->parent = parent;
        n->child = child;
    }
}

static void to_child(drh_value *v, const struct json_walk *w)
{
    v->w[W_AT] = (uintptr_t)w->val;
    v->w[W_END] = 0;
    set_key(v, w->object ? w->key : NULL, w->key_len, w->key_escaped);
}

static drh_status value_child(const drh_value *parent, drh_value *first)
{
    struct json_walk w;
    drh_value        v = *parent;

    if (!is_container(parent)) {
        return DRH_E_TYPE;
    }
    json_walk_open(&w, at(parent), limit(parent));
    use_notes(parent, &w);
    if (!json_walk_next(&w)) {
        return DRH_END;
    }
    note_child(parent, at(parent), w.val);
    to_child(&v, &w);
    *first = v;
    return DRH_OK;
}

static drh_status value_next(drh_value *v)
{
    struct json_walk w;
    bool             more;

    memset(&w, 0, sizeof(w));
    w.object = v->w[W_KEY] != 0;
    w.val = at(v);
    w.val_end = (const char *)v->w[W_END];
    w.end = limit(v);
    use_notes(v, &w);
    more = json_walk_next(&w);
    note_string(v, at(v), w.before);
    if (!more) {
        return DRH_END;
    }
    to_child(v, &w);
    return DRH_OK;
}

static drh_status value_member(const drh_value *object, const char *key, size_t len, drh_value *out)
{
    struct json_walk w;
    drh_value        v = *object;

    if (*at(object) != '{') {
        return DRH_E_TYPE;
    }
    json_walk_open(&w, at(object), limit(object));
    use_notes(object, &w);
    if (!json_walk_find(&w, key, len)) {
        return DRH_E_MISSING;
    }
    note_child(object, at(object), w.val);
    to_child(&v, &w);
    *out = v;
    return DRH_OK;
}

static size_t value_count(const drh_value *v)
{
    struct json_walk w;
    size_t           n = 0;

    if (is_container(v)) {
        for (json_walk_open(&w, at(v), limit(v)); json_walk_next(&w); n++) {
        }
    }
    return n;
}

const drh_value_api value_api = {
    .struct_size = (uint32_t)sizeof(drh_value_api),
    .type = value_type,
    .str = value_str,
    .i64 = value_i64,
    .f64 = value_f64,
    .boolean = value_boolean,
    .json = value_json,
    .child = value_child,
    .next = value_next,
    .key = value_key,
    .member = value_member,
    .count = value_count,
};
