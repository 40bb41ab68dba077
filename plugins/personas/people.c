/* SPDX-License-Identifier: MIT
 *
 * people.c - the file of personas; see personas.h.
 */
#define _POSIX_C_SOURCE 200809L
#include "personas.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct reading {
    const drh_host             *h;
    struct people              *p;
    const struct people_option *o;
    struct alike               *alike; /* NULL: all are taken */
    size_t                      len, cap, cap_n, gone;
};

static drh_status add(struct reading *x, drh_str s, uint32_t kind)
{
    struct people *p = x->p;
    if (x->cap - x->len < s.len) {
        const size_t cap = (x->len + s.len) * 2 + 4096;
        char        *more = x->h->alloc(x->h, p->text, cap);
        if (!more) {
            return DRH_E_NOMEM;
        }
        p->text = more;
        x->cap = cap;
    }
    if (p->n + 2 > x->cap_n) {
        const size_t cap = x->cap_n * 2 + 64;
        size_t      *start = x->h->alloc(x->h, p->start, cap * sizeof(*start));
        uint32_t    *kinds;
        if (!start) {
            return DRH_E_NOMEM;
        }
        p->start = start;
        kinds = x->h->alloc(x->h, p->kind, cap * sizeof(*kinds));
        if (!kinds) {
            return DRH_E_NOMEM;
        }
        p->kind = kinds;
        x->cap_n = cap;
    }
    memcpy(p->text + x->len, s.ptr, s.len);
    p->start[p->n] = x->len;
    p->kind[p->n++] = kind;
    x->len += s.len;
    p->start[p->n] = x->len;
    return DRH_OK;
}

/* The same, unless an earlier one is nearly the same. */
static drh_status add_unlike(struct reading *x, drh_str s, uint32_t kind)
{
    struct people *p = x->p;
    size_t         like = SIZE_MAX;
    drh_status     st = add(x, s, kind);
    if (st == DRH_OK && x->alike) {
        st = alike_add(x->alike, p, p->n - 1, x->o->alike, &like);
    }
    if (like != SIZE_MAX) {
        x->len = p->start[--p->n];
        x->gone++;
    }
    return st;
}

static int same(drh_str a, drh_str b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* The number of a category; PEOPLE_MAX_KINDS: there are too many; UINT32_MAX: out of memory. */
static uint32_t kind_of(struct people *p, drh_str name)
{
    uint32_t i = 0;
    while (i < p->n_kinds && !same(name, drh_text_str(&p->kind_name[i]))) {
        i++;
    }
    if (i == p->n_kinds && i < PEOPLE_MAX_KINDS) {
        drh_text_addv(&p->kind_name[p->n_kinds++], name);
        i = p->kind_name[i].failed ? UINT32_MAX : i;
    }
    return i;
}

/* The persona of a JSON line. */
static drh_str member_of(const struct reading *x, const drh_value *root)
{
    static const char *const usual[] = {"persona", "input persona", "description", "text", NULL};
    drh_str                  s = {NULL, 0};
    if (x->o->field.len) {
        return drh_hub_text(x->h, root, x->o->field.ptr);
    }
    for (size_t i = 0; !s.ptr && usual[i]; i++) {
        s = drh_hub_text(x->h, root, usual[i]);
    }
    return s;
}

static drh_status take_line(struct reading *x, drh_str line, drh_str path, size_t number,
                            drh_error *e)
{
    drh_json  *doc = NULL;
    drh_value  root;
    drh_str    s = line, kind = {"", 0};
    uint32_t   number_of_kind;
    drh_status st = DRH_OK;
    if (line.len == 0) {
        return DRH_OK;
    }
    if (line.len > PERSONAS_MAX_LINE) {
        return drh_fail(e, DRH_E_CONFIG, "%.*s:%lu: a persona of more than 64 KiB", (int)path.len,
                        path.ptr, (unsigned long)number);
    }
    if (line.ptr[0] == '{') {
        drh_error why = DRH_ERROR_INIT;
        if (x->h->json_open(x->h, line.ptr, line.len, &doc, &root, &why) != DRH_OK) {
            return drh_fail(e, DRH_E_CONFIG, "%.*s:%lu: %.300s", (int)path.len, path.ptr,
                            (unsigned long)number, why.message);
        }
        s = member_of(x, &root);
        kind = x->o->category.len ? drh_hub_text(x->h, &root, x->o->category.ptr) : kind;
        if (!s.ptr) {
            st = drh_fail(e, DRH_E_CONFIG,
                          "%.*s:%lu: there is no persona in this line; name its member with field",
                          (int)path.len, path.ptr, (unsigned long)number);
        }
    }
    s = synth_trim(s);
    number_of_kind = kind_of(x->p, kind.ptr ? kind : (drh_str){"", 0});
    if (st == DRH_OK && number_of_kind == PEOPLE_MAX_KINDS) {
        st = drh_fail(
            e, DRH_E_CONFIG, "%.*s:%lu: more than %d categories; does \"%s\" hold a category?",
            (int)path.len, path.ptr, (unsigned long)number, PEOPLE_MAX_KINDS, x->o->category.ptr);
    }
    if (st == DRH_OK && s.len &&
        (number_of_kind == UINT32_MAX || add_unlike(x, s, number_of_kind) != DRH_OK)) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory for personas");
    }
    x->h->json_close(doc);
    return st;
}

static size_t common(size_t a, size_t b)
{
    while (b) {
        const size_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* The people in the order of their categories. */
static drh_status sort_kinds(struct reading *x)
{
    struct people *p = x->p;
    size_t         at = 0;
    p->by_kind = x->h->alloc(x->h, NULL, p->n * sizeof(*p->by_kind));
    if (!p->by_kind) {
        return DRH_E_NOMEM;
    }
    for (uint32_t k = 0; k < p->n_kinds; k++) {
        p->kind_from[k] = at;
        for (size_t i = 0; i < p->n; i++) {
            if (p->kind[i] == k) {
                p->by_kind[at++] = (uint32_t)i;
            }
        }
    }
    p->kind_from[p->n_kinds] = at;
    return DRH_OK;
}

static drh_status read_lines(struct reading *x, FILE *f, drh_str path, drh_error *e)
{
    char      *line = NULL;
    size_t     cap = 0, number = 0;
    ssize_t    n;
    drh_status st = DRH_OK;
    while (st == DRH_OK && (n = getline(&line, &cap, f)) > 0) {
        st = take_line(x, synth_trim((drh_str){line, (size_t)n}), path, ++number, e);
    }
    if (st == DRH_OK && ferror(f)) {
        st = drh_fail(e, DRH_E_IO, "personas: cannot read %.300s", path.ptr);
    }
    free(line); /* getline's */
    return st;
}

drh_status people_read(const drh_host *h, struct people *p, drh_str path,
                       const struct people_option *o, drh_error *e)
{
    struct reading x = {.h = h, .p = p, .o = o};
    drh_status     st = DRH_OK;
    FILE          *f = fopen(path.ptr, "re");
    if (!f) {
        return drh_fail(e, DRH_E_CONFIG, "personas: cannot open %.300s: %s", path.ptr,
                        strerror(errno));
    }
    for (size_t i = 0; i < PEOPLE_MAX_KINDS; i++) {
        p->kind_name[i].host = h;
    }
    x.alike = o->alike > 0 ? alike_new(h) : NULL;
    st = o->alike > 0 && !x.alike ? drh_fail(e, DRH_E_NOMEM, "out of memory for personas")
                                  : read_lines(&x, f, path, e);
    if (st == DRH_OK && p->n == 0) {
        st = drh_fail(e, DRH_E_CONFIG, "personas: %.300s holds none", path.ptr);
    }
    if (st == DRH_OK && sort_kinds(&x) != DRH_OK) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory for personas");
    }
    if (st == DRH_OK && x.gone) {
        drh_logf(h, DRH_LOG_INFO, "%.300s: %zu personas, %zu more are nearly the same as these",
                 path.ptr, p->n, x.gone);
    }
    alike_free(x.alike);
    (void)fclose(f);
    for (p->step = p->n / 2 + p->n / 9 + 1; p->n && common(p->step, p->n) != 1; p->step++) {
    }
    return st;
}

void people_free(const drh_host *h, struct people *p)
{
    (void)h->alloc(h, p->text, 0);
    (void)h->alloc(h, p->start, 0);
    (void)h->alloc(h, p->kind, 0);
    (void)h->alloc(h, p->by_kind, 0);
    for (uint32_t i = 0; i < p->n_kinds; i++) {
        drh_text_free(&p->kind_name[i]);
    }
    memset(p, 0, sizeof(*p));
}

drh_str people_get(const struct people *p, size_t i)
{
    return (drh_str){p->text + p->start[i], p->start[i + 1] - p->start[i]};
}

/* Adds different ones of by_kind[from, to) to the n that are there, up to k. */
static size_t draw_of(const struct people *p, size_t from, size_t to, size_t n, size_t k,
                      uint64_t seed, size_t *out)
{
    for (uint64_t i = 0; n < k; i++) {
        const size_t one = p->by_kind[from + (size_t)(synth_nth(seed, 1000 + i) % (to - from))];
        size_t       had = 0;
        while (had < n && out[had] != one) {
            had++;
        }
        out[n] = one;
        n += had == n;
    }
    return n;
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t people_draw(const struct people *p, drh_str category, int spread, size_t k, uint64_t seed,
                   size_t *out)
{
    size_t   n = 0;
    uint32_t first = (uint32_t)(synth_nth(seed, 999) % p->n_kinds);
    for (uint32_t i = 0; category.ptr && i < p->n_kinds; i++) {
        const size_t from = p->kind_from[i], to = p->kind_from[i + 1];
        if (to > from && same(category, drh_text_str(&p->kind_name[i]))) {
            return draw_of(p, from, to, 0, least_of(k, to - from), seed, out);
        }
    }
    for (uint32_t i = 0; spread && i < p->n_kinds && n < k; i++) {
        const uint32_t kind = (first + i) % p->n_kinds;
        if (p->kind_from[kind + 1] > p->kind_from[kind]) { /* not all like earlier ones */
            n = draw_of(p, p->kind_from[kind], p->kind_from[kind + 1], n, n + 1, synth_nth(seed, i),
                        out);
        }
    }
    return draw_of(p, 0, p->n, n, least_of(k, p->n), seed, out);
}
