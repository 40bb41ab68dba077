/* SPDX-License-Identifier: MIT
 * local.c - source `local`: files that are on this machine already, by file, folder or pattern.
 * Called on the main thread only. */
#include "found.h"

#include <stdlib.h>

struct local {
    const drh_host *host;
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
    "patterns.\"}}}";

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

static drh_status list_found(const struct found *f, drh_list *out, drh_error *e)
{
    size_t i;

    for (i = 0; i < f->n; i++) {
        drh_file   file = {.struct_size = sizeof(file),
                           .name = drh_str_of(f->files[i].name),
                           .local = drh_str_of(f->files[i].local),
                           .size = f->files[i].size};
        drh_status st = f->host->list_file(out, &file);

        if (st != DRH_OK) {
            return drh_fail(e, st, "cannot list %s: its name may not be UTF-8", f->files[i].local);
        }
    }
    return DRH_OK;
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
    if (st == DRH_OK) {
        st = list_found(&f, out, e);
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
