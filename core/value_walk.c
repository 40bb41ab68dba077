/* SPDX-License-Identifier: MIT
 * value_walk.c - the cursor from value to value.  Nothing is parsed ahead; a step costs what it
 * skips.  The steps that nearly all are come first: at most one space between tokens, a short key
 * without escapes, a sibling whose end is known.  What is not one of them goes the general way of
 * json_walk.c, which comes to the same. */
#include "value_impl.h"

#include <string.h>

static bool is_container(const drh_value *v)
{
    return *at(v) == '{' || *at(v) == '[';
}

static void to_child(drh_value *v, const struct json_walk *w)
{
    v->w[W_AT] = (uintptr_t)w->val;
    v->w[W_END] = 0;
    set_key(v, w->object ? w->key : NULL, w->key_len, w->key_escaped);
}

/* ---- quick steps ---- */

enum { QUICK_ROOM = 24 }; /* bytes that a quick step may look at */

/* p behind a comma or the opening bracket: the child there to w->key, key_len and val. */
static inline bool quick_child(struct json_walk *w, const char *p, const char *end, bool object)
{
#ifdef __SSE2__
    const char *q;

    if (end - p < QUICK_ROOM) {
        return false;
    }
    p += *p == ' ';
    w->object = object;
    w->key_escaped = false;
    w->key = p + 1;
    w->key_len = 0;
    w->val = p;
    if (object) {
        q = *p == '"' ? short_end(p + 1) : NULL;
        if (!q || q[1] != ':') {
            return false;
        }
        w->key_len = (uint32_t)(q - p - 1);
        w->val = q + 2 + (q[2] == ' ');
    }
    return (unsigned char)*w->val > ' ' && *w->val != ']';
#else
    (void)w, (void)p, (void)end, (void)object;
    return false;
#endif
}

/* One past the value, or NULL: that takes longer. */
static inline const char *quick_end(const drh_value *v, const struct arena_notes *n)
{
    const char *p = at(v);

    if (v->w[W_END]) {
        return (const char *)v->w[W_END];
    }
    if (n->string == p) {
        return n->string_end;
    }
    if (*p == '"') {
        return json_skip(p, limit(v));
    }
    /* its last child, a string, was read and nothing follows that */
    if (n->parent == p && n->child == n->string && n->string_end < limit(v) &&
        *n->string_end == (*p == '{' ? '}' : ']')) {
        return n->string_end + 1;
    }
    return NULL;
}

/* The member behind the one that was met last, or the first one. */
static inline bool quick_member(const drh_value *v, const struct arena_notes *n, const char *key,
                                size_t len, struct json_walk *w)
{
    const char *p = at(v);

    if (n && n->parent == p) {
        p = n->child == n->string ? n->string_end : limit(v);
        if (p >= limit(v) || *p != ',') {
            return false;
        }
    }
    return quick_child(w, p + 1, limit(v), true) && w->key_len == len &&
           json_same(w->key, key, len);
}

/* ---- steps ---- */

/* For the general way: what it need not walk through again. */
static void use_notes(const struct arena_notes *n, struct json_walk *w)
{
    if (n) {
        w->string = n->string;
        w->string_end = n->string_end;
        w->parent = n->parent;
        w->child = n->child;
    }
}

static inline void note_child(struct arena_notes *n, const char *parent, const char *child)
{
    if (n) {
        n->parent = parent;
        n->child = child;
    }
}

drh_status value_child(const drh_value *parent, drh_value *first)
{
    struct arena_notes *n = notes_of(parent);
    struct json_walk    w;
    drh_value           v = *parent;

    if (!is_container(parent)) {
        return DRH_E_TYPE;
    }
    if (!quick_child(&w, at(parent) + 1, limit(parent), *at(parent) == '{')) {
        json_walk_open(&w, at(parent), limit(parent));
        use_notes(n, &w);
        if (!json_walk_next(&w)) {
            return DRH_END;
        }
    }
    note_child(n, at(parent), w.val);
    to_child(&v, &w);
    *first = v;
    return DRH_OK;
}

drh_status value_next(drh_value *v)
{
    struct arena_notes *n = notes_of(v);
    struct json_walk    w;
    const char         *end = n ? quick_end(v, n) : NULL;
    bool                object = v->w[W_KEY] != 0, more = false;

    if (end && end < limit(v) && *end == ',' && quick_child(&w, end + 1, limit(v), object)) {
        more = true;
    } else if (!end || end >= limit(v) || (*end != '}' && *end != ']')) {
        memset(&w, 0, sizeof(w));
        w.object = object;
        w.val = at(v);
        w.val_end = end ? end : (const char *)v->w[W_END];
        w.end = limit(v);
        use_notes(n, &w);
        more = json_walk_next(&w);
        end = w.before;
    }
    note_string(n, at(v), end);
    if (!more) {
        return DRH_END;
    }
    if (n && n->child == at(v)) {
        n->child = w.val;
    }
    to_child(v, &w);
    return DRH_OK;
}

drh_status value_member(const drh_value *object, const char *key, size_t len, drh_value *out)
{
    struct arena_notes *n = notes_of(object);
    struct json_walk    w;
    drh_value           v = *object;

    if (*at(object) != '{') {
        return DRH_E_TYPE;
    }
    if (!quick_member(object, n, key, len, &w)) {
        json_walk_open(&w, at(object), limit(object));
        use_notes(n, &w);
        if (w.parent == at(object) ? !json_walk_find_near(&w, w.child, key, len)
                                   : !json_walk_find(&w, key, len)) {
            return DRH_E_MISSING;
        }
    }
    note_child(n, at(object), w.val);
    to_child(&v, &w);
    *out = v;
    return DRH_OK;
}

size_t value_count(const drh_value *v)
{
    struct json_walk w;
    size_t           n = 0;

    if (is_container(v)) {
        for (json_walk_open(&w, at(v), limit(v)); json_walk_next(&w); n++) {
        }
    }
    return n;
}
