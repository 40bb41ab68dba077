/* SPDX-License-Identifier: MIT
 * shelf.c - see shelf.h. */
#include "shelf.h"

enum { TEXTS = 4 };

/* A file as it is kept; its texts follow, each with a zero behind it. */
struct kept {
    uint64_t size;
    uint32_t flags;
    uint32_t len[TEXTS]; /* UINT32_MAX: {NULL,0} */
};

drh_status shelf_add(struct shelf *s, const drh_file *f)
{
    const drh_str text[TEXTS] = {f->name, f->sha256, f->git_sha1, f->key};
    struct kept   k = {.size = f->size, .flags = f->flags};
    for (size_t i = 0; i < TEXTS; i++) {
        k.len[i] = text[i].ptr ? (uint32_t)text[i].len : UINT32_MAX;
    }
    drh_text_add(&s->kept, (const char *)&k, sizeof(k));
    for (size_t i = 0; i < TEXTS; i++) {
        if (text[i].ptr) {
            drh_text_addv(&s->kept, text[i]);
            drh_text_add(&s->kept, "", 1);
        }
    }
    return s->kept.failed ? DRH_E_NOMEM : DRH_OK;
}

static drh_str take(const char **p, uint32_t len)
{
    drh_str s = {len == UINT32_MAX ? NULL : *p, len == UINT32_MAX ? 0 : len};
    *p += len == UINT32_MAX ? 0 : len + (size_t)1;
    return s;
}

/* The file at *p, which moves behind it. */
static drh_file next_file(const char **p)
{
    struct kept k;
    drh_file    f = {.struct_size = sizeof(f)};
    memcpy(&k, *p, sizeof(k));
    *p += sizeof(k);
    f.name = take(p, k.len[0]);
    f.sha256 = take(p, k.len[1]);
    f.git_sha1 = take(p, k.len[2]);
    f.key = take(p, k.len[3]);
    f.size = k.size;
    f.flags = k.flags;
    return f;
}

static void see_all(const struct shelf *s, struct card *c)
{
    const char *p = s->kept.ptr, *end = p + s->kept.len;
    while (p < end) {
        const drh_file f = next_file(&p);
        card_see(c, f.name);
    }
}

drh_status shelf_pass(const struct shelf *s, struct card *c, const char *page, drh_list *to,
                      drh_error *e)
{
    const char *p = s->kept.ptr, *end = p + s->kept.len;
    size_t      n = 0, wanted = 0;
    drh_status  st;
    see_all(s, c);
    st = card_choose(c, e);
    if (st != DRH_OK) {
        return st;
    }
    for (; st == DRH_OK && p < end; n++) {
        const drh_file f = next_file(&p);
        const int      wants = card_wants(c, f.name);
        wanted += wants != 0;
        if (wants || drh_str_eq(f.name, "README.md")) {
            st = c->host->list_file(to, &f);
        }
    }
    if (st == DRH_OK && wanted == 0) {
        st =
            drh_fail(e, DRH_E_MISSING,
                     "%s has %zu files, and none is of the subset and the split that are asked for",
                     page, n);
    } else if (st != DRH_OK) {
        st = st == DRH_E_NOMEM
                 ? drh_fail(e, st, "out of memory for a listing")
                 : drh_fail(e, st, "a file of %s has a name that nobody can use", page);
    }
    return st;
}
