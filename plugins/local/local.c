/* SPDX-License-Identifier: MIT
 * local.c - source `local`: files that are on this machine already, by file, folder or pattern.
 * Called on the main thread only. */
#include "card.h"
#include "found.h"

#include <errno.h>
#include <stdlib.h>

enum { MAX_CARD = 16 << 20 };

struct local {
    const drh_host *host;
    struct card     card;
    char          **paths, **include, **exclude; /* owned lists, NULL-terminated */
};

static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"path\"],\"properties\":{"
    "\"path\":{\"type\":[\"string\",\"array\"],\"minLength\":1,\"minItems\":1,"
    "\"items\":{\"type\":\"string\",\"minLength\":1},\"x-drh-path\":\"in\","
    "\"description\":\"A file, a folder (with all folders in it, without hidden files) or a "
    "pattern "
    "with * ? [...]; or a list of these. Relative to the recipe's folder.\"},"
    "\"include\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},"
    "\"default\":[],\"description\":\"Of folders: only files whose name matches one of these "
    "patterns. A pattern without / is about the file's own name, one with / about its path inside "
    "the folder, where * stands for / too.\"},"
    "\"exclude\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},"
    "\"default\":[],\"description\":\"Of folders: no file whose name matches one of these "
    "patterns.\"}," CARD_SCHEMA "}}";

static void free_texts(const drh_host *h, char **list)
{
    size_t i;

    for (i = 0; list && list[i]; i++) {
        (void)h->alloc(h, list[i], 0);
    }
    (void)h->alloc(h, list, 0);
}

/* A text that has no byte 0 inside: paths and patterns go to the system. */
static drh_status get_text(const drh_host *h, const drh_value *v, const char *key, char **out,
                           drh_error *e)
{
    drh_str    s;
    drh_status st = h->values->str(v, &s);

    if (st != DRH_OK) {
        return drh_fail(e, st, "%s cannot be read", key);
    }
    if (memchr(s.ptr, 0, s.len)) {
        return drh_fail(e, DRH_E_CONFIG, "%s holds a character U+0000", key);
    }
    *out = found_dup(h, s.ptr, s.len);
    return *out ? DRH_OK : drh_fail(e, DRH_E_NOMEM, "out of memory for %s", key);
}

/* A text or a list of texts. */
static drh_status get_texts(const drh_host *h, const drh_config *c, const char *key, char ***out,
                            drh_error *e)
{
    drh_value  v, one;
    drh_status st = h->config->get_value(c, key, &v);
    int        list = st == DRH_OK && h->values->type(&v) == DRH_T_ARRAY;
    size_t     n = st != DRH_OK ? 0 : list ? h->values->count(&v) : 1;
    size_t     i;

    *out = h->alloc(h, NULL, (n + 1) * sizeof(**out));
    if (!*out) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for %s", key);
    }
    memset(*out, 0, (n + 1) * sizeof(**out));
    if (n == 0) {
        return DRH_OK;
    }
    st = list ? h->values->child(&v, &one) : DRH_OK;
    for (i = 0; i < n && st == DRH_OK; i++) {
        st = get_text(h, list ? &one : &v, key, &(*out)[i], e);
        if (st == DRH_OK && i + 1 < n) {
            st = h->values->next(&one);
        }
    }
    return st;
}

static void destroy(void *self)
{
    struct local   *l = self;
    const drh_host *h = l->host;

    free_texts(h, l->paths);
    free_texts(h, l->include);
    free_texts(h, l->exclude);
    card_close(&l->card);
    (void)h->alloc(h, l, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct local *l = h->alloc(h, NULL, sizeof(*l));
    drh_status    st;

    if (!l) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a source");
    }
    *l = (struct local){.host = h};
    st = get_texts(h, c, "/path", &l->paths, e);
    if (st == DRH_OK && !l->paths[0]) {
        st = drh_fail(e, DRH_E_CONFIG, "path is missing: name a file, a folder or a pattern");
    }
    card_open(&l->card, h, c);
    st = st == DRH_OK ? card_check(h, c, e) : st;
    if (st == DRH_OK) {
        st = get_texts(h, c, "/include", &l->include, e);
    }
    if (st == DRH_OK) {
        st = get_texts(h, c, "/exclude", &l->exclude, e);
    }
    if (st != DRH_OK) {
        destroy(l);
        return st;
    }
    *self = l;
    return DRH_OK;
}

/* ---- subset and split ---- */

/* README.md of the folder that is named, when it is one folder: the card. */
static drh_status read_card(struct local *l, drh_error *e)
{
    drh_text   path = {.host = l->host};
    FILE      *f;
    char      *text = NULL;
    size_t     n = 0;
    drh_status st = DRH_OK;

    drh_text_adds(&path, l->paths[0]);
    drh_text_adds(&path, "/README.md");
    f = path.failed || l->paths[1] ? NULL : fopen(path.ptr, "rb");
    if (f) {
        text = l->host->alloc(l->host, NULL, MAX_CARD + 1);
        n = text ? fread(text, 1, MAX_CARD + 1, f) : 0;
        if (!text) {
            st = drh_fail(e, DRH_E_NOMEM, "out of memory for %s", path.ptr);
        } else if (ferror(f) || n > MAX_CARD) {
            st = drh_fail(e, DRH_E_IO, "%s cannot be read, or has more than %d MiB", path.ptr,
                          MAX_CARD >> 20);
        }
        (void)fclose(f);
    }
    st = st == DRH_OK && text ? card_read(&l->card, (drh_str){text, n}, e) : st;
    (void)l->host->alloc(l->host, text, 0);
    drh_text_free(&path);
    return st;
}

static drh_status choose(struct local *l, const struct found *f, drh_error *e)
{
    drh_status st = card_asked(&l->card) ? read_card(l, e) : DRH_OK;
    size_t     i;

    for (i = 0; st == DRH_OK && i < f->n; i++) {
        card_see(&l->card, drh_str_of(f->files[i].name));
    }
    return st == DRH_OK ? card_choose(&l->card, e) : st;
}

static drh_status list_found(const struct local *l, const struct found *f, drh_list *out,
                             drh_error *e)
{
    size_t n = 0, i;

    for (i = 0; i < f->n; i++) {
        drh_file   file = {.struct_size = sizeof(file),
                           .name = drh_str_of(f->files[i].name),
                           .local = drh_str_of(f->files[i].local),
                           .size = f->files[i].size};
        drh_status st;

        if (!card_wants(&l->card, file.name)) {
            continue;
        }
        n++;
        st = f->host->list_file(out, &file);
        if (st != DRH_OK) {
            return drh_fail(e, st, "cannot list %s: its name may not be UTF-8", f->files[i].local);
        }
    }
    return n ? DRH_OK
             : drh_fail(e, DRH_E_MISSING,
                        "none of %zu files is of the subset and the split that are asked for",
                        f->n);
}

static drh_status list(void *self, drh_list *out, drh_error *e)
{
    struct local *l = self;
    struct found  f = {.host = l->host,
                       .include = (const char *const *)l->include,
                       .exclude = (const char *const *)l->exclude};
    drh_status    st = DRH_OK;
    size_t        i;

    for (i = 0; st == DRH_OK && l->paths[i]; i++) {
        st = found_add(&f, l->paths[i], e);
    }
    if (st == DRH_OK) {
        st = found_finish(&f, e);
    }
    st = st == DRH_OK ? choose(l, &f, e) : st;
    if (st == DRH_OK) {
        st = list_found(l, &f, out, e);
    }
    found_free(&f);
    return st;
}

static const drh_life life = {.struct_size = sizeof(life), .create = create, .destroy = destroy};
static const drh_source_ops   ops = {.struct_size = sizeof(ops), .list = list};
static const drh_stage        stage = {.struct_size = sizeof(stage),
                                       .kind = DRH_KIND_SOURCE,
                                       .id = "local",
                                       .version = "1.0.0",
                                       .summary = "files on this machine: a file, a folder or a pattern",
                                       .config_schema = schema,
                                       .threading = DRH_SERIAL,
                                       .flags = DRH_DETERMINISTIC,
                                       .life = &life,
                                       .ops.source = &ops};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "local",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
DRH_PLUGIN_NOTE(0, "source local 1.0.0");
