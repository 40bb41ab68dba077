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
    const drh_host *h;
    struct people  *p;
    drh_str         field;
    size_t          len, cap, cap_n;
};

static drh_status add(struct reading *x, drh_str s)
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
        size_t      *more = x->h->alloc(x->h, p->start, cap * sizeof(*more));
        if (!more) {
            return DRH_E_NOMEM;
        }
        p->start = more;
        x->cap_n = cap;
    }
    memcpy(p->text + x->len, s.ptr, s.len);
    p->start[p->n++] = x->len;
    x->len += s.len;
    p->start[p->n] = x->len;
    return DRH_OK;
}

/* The persona of a JSON line. */
static drh_str member_of(const struct reading *x, const drh_value *root)
{
    static const char *const usual[] = {"persona", "input persona", "description", "text", NULL};
    drh_str                  s = {NULL, 0};
    char                     name[128];
    if (x->field.len) {
        (void)snprintf(name, sizeof(name), "%.*s", (int)x->field.len, x->field.ptr);
        return drh_hub_text(x->h, root, name);
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
    drh_str    s = line;
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
        if (!s.ptr) {
            st = drh_fail(e, DRH_E_CONFIG,
                          "%.*s:%lu: there is no persona in this line; name its member with field",
                          (int)path.len, path.ptr, (unsigned long)number);
        }
    }
    s = synth_trim(s);
    if (st == DRH_OK && s.len && add(x, s) != DRH_OK) {
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

drh_status people_read(const drh_host *h, struct people *p, drh_str path, drh_str field,
                       drh_error *e)
{
    struct reading x = {.h = h, .p = p, .field = field};
    char          *line = NULL;
    size_t         cap = 0, number = 0;
    ssize_t        n;
    drh_status     st = DRH_OK;
    FILE          *f = fopen(path.ptr, "re");
    if (!f) {
        return drh_fail(e, DRH_E_CONFIG, "personas: cannot open %.300s: %s", path.ptr,
                        strerror(errno));
    }
    while (st == DRH_OK && (n = getline(&line, &cap, f)) > 0) {
        st = take_line(&x, synth_trim((drh_str){line, (size_t)n}), path, ++number, e);
    }
    if (st == DRH_OK && ferror(f)) {
        st = drh_fail(e, DRH_E_IO, "personas: cannot read %.300s", path.ptr);
    }
    if (st == DRH_OK && p->n == 0) {
        st = drh_fail(e, DRH_E_CONFIG, "personas: %.300s holds none", path.ptr);
    }
    free(line); /* getline's */
    (void)fclose(f);
    for (p->step = p->n / 2 + p->n / 9 + 1; p->n && common(p->step, p->n) != 1; p->step++) {
    }
    return st;
}

void people_free(const drh_host *h, struct people *p)
{
    (void)h->alloc(h, p->text, 0);
    (void)h->alloc(h, p->start, 0);
    memset(p, 0, sizeof(*p));
}

drh_str people_get(const struct people *p, size_t i)
{
    return (drh_str){p->text + p->start[i], p->start[i + 1] - p->start[i]};
}
