/* SPDX-License-Identifier: MIT
 * origin.c - see origin.h. */
#include "origin.h"

#include <string.h>

#define BEFORE_FILE "{\"from\":"
#define BEFORE_LINE ",\"line\":"

drh_status origin_of(const struct drh_record *r, drh_str *file, uint64_t *line)
{
    if (r->from.len) {
        *file = r->from;
        *line = r->from_line;
        return DRH_OK;
    }
    if (!r->origin || r->origin->between || r->origin->file.len == 0) {
        return DRH_E_MISSING;
    }
    *file = r->origin->file;
    *line = r->line;
    return DRH_OK;
}

drh_status origin_put(struct buf *out, const struct drh_record *r)
{
    drh_str    file = {"", 0};
    uint64_t   line = 0;
    drh_status st;

    (void)origin_of(r, &file, &line);
    st = buf_adds(out, BEFORE_FILE);
    st = st == DRH_OK ? json_quote(out, file.ptr, file.len) : st;
    return st == DRH_OK ? buf_addf(out, BEFORE_LINE "%llu}\n", (unsigned long long)line) : st;
}

/* Moves *p behind `word`. */
static bool take_word(const char **p, const char *end, const char *word)
{
    const size_t n = strlen(word);

    if ((size_t)(end - *p) < n || memcmp(*p, word, n) != 0) {
        return false;
    }
    *p += n;
    return true;
}

drh_status origin_take(struct arena *a, const char *text, size_t len, drh_str *file, uint64_t *line)
{
    const char *p = text, *end = text + len, *name;
    char       *out;

    *line = 0;
    if (!take_word(&p, end, BEFORE_FILE) || p == end || *p != '"') {
        return DRH_E_DATA;
    }
    name = ++p;
    while (p < end && *p != '"') {
        p += *p == '\\' ? 2 : 1;
    }
    if (p >= end) {
        return DRH_E_DATA;
    }
    p++;
    out = arena_alloc(a, (size_t)(p - name) + 1);
    if (!out) {
        return DRH_E_NOMEM;
    }
    file->ptr = out;
    file->len = json_unescape(name, (size_t)(p - name) - 1, out);
    if (!take_word(&p, end, BEFORE_LINE)) {
        return DRH_E_DATA;
    }
    while (p < end && *p >= '0' && *p <= '9') {
        *line = *line * 10 + (uint64_t)(*p++ - '0');
    }
    return p + 1 == end && *p == '}' ? DRH_OK : DRH_E_DATA;
}
