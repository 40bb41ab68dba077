/* SPDX-License-Identifier: MIT
 * json_walk.c - moving through accepted text: past a value, from child to child.  No state; any
 * thread. */
#include "json_impl.h"

typedef unsigned char uc;

/* ---- moving ---- */

uint32_t json_type(const char *p)
{
    static const uint8_t types[256] = {
        ['{'] = DRH_T_OBJECT, ['['] = DRH_T_ARRAY,  ['"'] = DRH_T_STRING, ['t'] = DRH_T_BOOL,
        ['f'] = DRH_T_BOOL,   ['n'] = DRH_T_NULL,   ['-'] = DRH_T_NUMBER, ['0'] = DRH_T_NUMBER,
        ['1'] = DRH_T_NUMBER, ['2'] = DRH_T_NUMBER, ['3'] = DRH_T_NUMBER, ['4'] = DRH_T_NUMBER,
        ['5'] = DRH_T_NUMBER, ['6'] = DRH_T_NUMBER, ['7'] = DRH_T_NUMBER, ['8'] = DRH_T_NUMBER,
        ['9'] = DRH_T_NUMBER};

    return types[(uc)*p];
}

const char *json_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) {
        p++;
    }
    return p;
}

/* Past the end of the container that is `depth` deep at p; *deepest gets the most. */
static const char *skip_rest(const char *p, const char *end, uint32_t depth, uint32_t *deepest,
                             const struct json_walk *w)
{
    uint32_t most = depth;

    for (; p < end; p++) {
        switch (*p) {
        case '"':
            p = w && p == w->string ? w->string_end - 1 : json_string_end(p + 1, end);
            break;
        case '{':
        case '[':
            depth++;
            most = depth > most ? depth : most;
            break;
        case '}':
        case ']':
            if (--depth == 0) {
                *deepest = most;
                return p + 1;
            }
            break;
        default:
            break;
        }
    }
    return end;
}

static const char *skip_container(const char *p, const char *end)
{
    uint32_t deepest;

    return skip_rest(p, end, 0, &deepest, NULL);
}

const char *json_skip(const char *p, const char *end)
{
    switch (*p) {
    case '"':
        p = json_string_end(p + 1, end);
        return p < end ? p + 1 : end;
    case '{':
    case '[':
        return skip_container(p, end);
    default:
        while (p < end && *p != ',' && *p != '}' && *p != ']' && *p != ' ' && *p != '\n' &&
               *p != '\r' && *p != '\t') {
            p++;
        }
        return p;
    }
}

const char *json_skip_depth(const char *p, const char *end, uint32_t *depth)
{
    *depth = 0;
    return *p == '{' || *p == '[' ? skip_rest(p, end, 0, depth, NULL) : json_skip(p, end);
}

uint32_t json_depth(const char *p, size_t len)
{
    uint32_t depth = 0;

    if (len && (*p == '{' || *p == '[')) {
        (void)skip_rest(p, p + len, 0, &depth, NULL);
    }
    return depth;
}

/* ---- walking ---- */

void json_walk_open(struct json_walk *w, const char *p, const char *end)
{
    memset(w, 0, sizeof(*w));
    w->object = *p == '{';
    w->at = p + 1;
    w->end = end;
}

/* Past white space, of which there is none most of the time. */
static inline const char *space(const char *p, const char *end)
{
    return p < end && (uc)*p <= ' ' ? json_space(p, end) : p;
}

/* p behind the opening quote of a key; at the closing one. */
static inline const char *key_end(const char *p, const char *end, bool *escaped)
{
    const char *q;

#ifdef __SSE2__
    if (end - p >= 16) { /* nearly every key ends here, and has no escape */
        __m128i  v = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned quote = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
        unsigned slash = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        if (quote && !(slash & (quote ^ (quote - 1)))) {
            *escaped = false;
            return p + __builtin_ctz(quote);
        }
    }
#endif
    q = json_string_end(p, end);
    *escaped = json_has_escape(p, (size_t)(q - p));
    return q;
}

bool json_walk_next(struct json_walk *w)
{
    const char *p;

    if (w->val) {
        w->at = json_walk_end(w);
    }
    w->before = w->at;
    p = space(w->at, w->end);
    if (w->val) {
        if (p >= w->end || *p != ',') {
            w->at = p;
            return false;
        }
        p = space(p + 1, w->end);
    } else if (p >= w->end || *p == '}' || *p == ']') {
        w->at = p;
        return false;
    }
    if (w->object) {
        const char *q = key_end(p + 1, w->end, &w->key_escaped);
        w->key = p + 1;
        w->key_len = (uint32_t)(q - p - 1);
        p = space(space(q + 1, w->end) + 1, w->end);
    }
    w->val = p;
    w->val_end = NULL;
    return true;
}

const char *json_walk_end(struct json_walk *w)
{
    if (!w->val_end) {
        if (w->val == w->string) {
            w->val_end = w->string_end;
        } else if (*w->val == '{' || *w->val == '[') {
            bool     inside = w->val == w->parent;
            uint32_t deepest;
            w->val_end = skip_rest(inside ? w->child : w->val, w->end, inside, &deepest, w);
        } else {
            w->val_end = json_skip(w->val, w->end);
        }
    }
    return w->val_end;
}

bool json_walk_find(struct json_walk *w, const char *key, size_t len)
{
    while (json_walk_next(w)) {
        if (json_key_is(w->key, w->key_len, w->key_escaped, key, len)) {
            return true;
        }
    }
    return false;
}

bool json_walk_find_near(struct json_walk *w, const char *child, const char *key, size_t len)
{
    struct json_walk rest = *w;

    rest.val = child;
    if (json_walk_find(&rest, key, len)) {
        *w = rest;
        return true;
    }
    while (json_walk_next(w)) {
        if (json_key_is(w->key, w->key_len, w->key_escaped, key, len)) {
            return true;
        }
        if (w->val == child) {
            break;
        }
    }
    return false;
}
