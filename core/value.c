/* SPDX-License-Identifier: MIT
 * value.c - the cursor: six words that say where in an accepted text a value is, and what is read
 * there.  A record's worker uses it, or any thread with decoded text. */
#include "mem.h"
#include "value_impl.h"

#include <string.h>

struct decoded {
    const char *text;
    char        bytes[]; /* the string whose quote is text[i] begins at bytes[i] */
};

/* ---- what is known of strings ---- */

/* One past the string at p, and its text, are these. */
static void note_text(struct arena_notes *n, const char *p, const char *end, const char *text,
                      size_t len)
{
    struct known *k = &n->recent[n->n_recent++ % KNOWN_STRINGS];

    k->at = p;
    k->end = end;
    k->text.ptr = text;
    k->text.len = len;
    note_string(n, p, end);
}

/* Of the strings that came with a member, in order: cursors mostly go in order, too. */
static const struct known *listed(struct arena_notes *n, const char *p)
{
    uint32_t i = n->list_at;

    while (i < n->n_list && (uintptr_t)n->list[i].at < (uintptr_t)p) {
        i++;
    }
    while (i > 0 && (uintptr_t)n->list[i - 1].at >= (uintptr_t)p) {
        i--;
    }
    n->list_at = i;
    return i < n->n_list && n->list[i].at == p ? &n->list[i] : NULL;
}

const struct known *value_known(const drh_value *v)
{
    struct arena_notes *n = notes_of(v);
    const struct known *k = n ? listed(n, at(v)) : NULL;

    for (uint32_t i = 0; n && !k && i < KNOWN_STRINGS; i++) {
        uint32_t at_i = (n->recent_at + i) % KNOWN_STRINGS;
        if (n->recent[at_i].at == at(v)) {
            n->recent_at = at_i + 1;
            k = &n->recent[at_i];
        }
    }
    return k;
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
    struct arena_notes *n = arena_notes(a);

    place_at(v, a, m->m.val, m->m.val_len);
    set_key(v, m->m.key, m->m.key_len, m->m.key_escaped);
    if (m->m.type == DRH_T_STRING && !m->m.val_escaped) {
        v->w[W_KEY_LEN] |= PLAIN_STRING;
    }
    if (!m->m.multiline) {
        v->w[W_KEY_LEN] |= ONE_LINE;
    }
    v->w[W_KEY_LEN] |= (uintptr_t)m->depth << DEPTH_SHIFT;
    n->list = m->known;
    n->n_list = m->n_known;
    n->list_at = 0;
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
    out->ptr = copy;
    out->len = (size_t)(q - copy);
    note_text(arena_notes(a), at(v), end + 1, out->ptr, out->len);
    return true;
}

#ifdef __SSE2__
/* Names and single words: no longer than what one look at the text shows. */
static bool decode_short(const drh_value *v, drh_str *out)
{
    struct arena *a = (struct arena *)v->w[W_HOME];
    const char   *p = at(v) + 1, *end = limit(v) - p >= 16 ? short_end(p) : NULL;
    char         *copy = end ? arena_alloc(a, 16) : NULL;

    if (!copy) {
        return false;
    }
    memcpy(copy, p, 16);
    copy[end - p] = '\0';
    out->ptr = copy;
    out->len = (size_t)(end - p);
    note_text(arena_notes(a), at(v), end + 1, out->ptr, out->len);
    return true;
}
#else
static bool decode_short(const drh_value *v, drh_str *out)
{
    (void)v, (void)out;
    return false;
}
#endif

static drh_status decode_plain(const drh_value *v, drh_str *out)
{
    struct arena *a = (struct arena *)v->w[W_HOME];
    const char   *p = at(v), *end = (const char *)v->w[W_END];
    drh_status    st = value_decode_to(a, p + 1, (size_t)(end - p) - 2, false, out);

    if (st == DRH_OK) {
        note_text(arena_notes(a), p, end, out->ptr, out->len);
    }
    return st;
}

static drh_status value_str(const drh_value *v, drh_str *out)
{
    const char         *p = at(v), *q;
    struct arena_notes *n = notes_of(v);
    const struct known *k;
    bool                escaped;

    out->ptr = NULL;
    out->len = 0;
    if (*p != '"') {
        return DRH_E_TYPE;
    }
    if (n && (k = listed(n, p)) != NULL) {
        note_string(n, p, k->end);
        *out = k->text;
        return DRH_OK;
    }
    if (v->w[W_KEY_LEN] & PLAIN_STRING) {
        return decode_plain(v, out);
    }
    if (n && (decode_short(v, out) || decode_at_once(v, out))) {
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
    return decode(v, (const char *)v->w[W_KEY], v->w[W_KEY_LEN] >> KEY_SHIFT & KEY_MASK,
                  v->w[W_KEY_LEN] & KEY_ESCAPED, out);
}

/* ---- scalars ---- */

struct arena *value_arena(const drh_value *v)
{
    return v->w[W_HOME] & 1 ? NULL : (struct arena *)v->w[W_HOME];
}

uint32_t value_type(const drh_value *v)
{
    return json_type(at(v));
}

drh_str value_json(const drh_value *v)
{
    drh_str s = {at(v), (size_t)(end_of(v) - at(v))};

    return s;
}

drh_str value_container(const drh_value *v, uint32_t *depth, bool *multiline)
{
    drh_str  s = {at(v), 0};
    uint32_t more = (uint32_t)(v->w[W_KEY_LEN] >> DEPTH_SHIFT);

    *depth = more ? more - 1 : 0;
    s.len = (size_t)((more ? end_of(v) : json_skip_depth(at(v), limit(v), depth)) - at(v));
    *multiline = !(v->w[W_KEY_LEN] & ONE_LINE) &&
                 (memchr(s.ptr, '\n', s.len) != NULL || memchr(s.ptr, '\r', s.len) != NULL);
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
