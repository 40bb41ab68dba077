/* SPDX-License-Identifier: MIT
 * dataset.c - see dataset.h. */
#include "dataset.h"

#include "err.h"
#include "hash.h"
#include "mem.h"
#include "outfile.h"
#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ---- digests ---- */

/* The file's SHA-256; from the cache while size and time are what they were. */
static drh_status file_digest(const char *path, cJSON *cache, char hex[65], uint64_t *size,
                              drh_error *e)
{
    const cJSON *old = cJSON_GetObjectItemCaseSensitive(cache, path);
    const char  *stamp_old = cJSON_GetStringValue(cJSON_GetArrayItem(old, 0));
    const char  *sha_old = cJSON_GetStringValue(cJSON_GetArrayItem(old, 1));
    const char  *pair[2];
    char         stamp[96];
    uint8_t      digest[32];
    struct stat  st;
    drh_status   rc;

    if (stat(path, &st) != 0) {
        return err_errno(e, errno, "cannot read", path);
    }
    *size = (uint64_t)st.st_size;
    (void)snprintf(stamp, sizeof(stamp), "%lld:%lld.%09ld:%llu", (long long)st.st_size,
                   (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (unsigned long long)st.st_ino);
    if (stamp_old && sha_old && strcmp(stamp, stamp_old) == 0 && strlen(sha_old) == 64) {
        memcpy(hex, sha_old, 65);
        return DRH_OK;
    }
    rc = sha256_file(path, digest, e);
    if (rc != DRH_OK) {
        return rc;
    }
    hex_of(digest, sizeof(digest), hex);
    pair[0] = stamp;
    pair[1] = hex;
    cJSON_DeleteItemFromObjectCaseSensitive(cache, path);
    return cJSON_AddItemToObject(cache, path, cJSON_CreateStringArray(pair, 2))
               ? DRH_OK
               : err_nomem(e, "digests");
}

static drh_status all_digests(struct dataset *d, cJSON *cache, drh_error *e)
{
    struct sha256 *sum = sha256_new();
    uint8_t        digest[32];
    drh_status     st = sum ? DRH_OK : err_nomem(e, "digests");

    for (size_t i = 0; st == DRH_OK && i < d->n_files; i++) {
        struct feed_file *f = &d->file[i];
        char              hex[65];

        st = file_digest(f->path, cache, hex, &f->size, e);
        if (st == DRH_OK) {
            for (int k = 0; k < 16; k++) { /* the first 64 bits of the digest */
                f->key =
                    (f->key << 4) | (uint64_t)(hex[k] <= '9' ? hex[k] - '0' : hex[k] - 'a' + 10);
            }
            st = sha256_add(sum, f->origin.file.ptr, f->origin.file.len + 1);
            st = st == DRH_OK ? sha256_add(sum, hex, 64) : st;
        }
    }
    st = st == DRH_OK ? sha256_end(sum, digest) : st;
    if (st == DRH_OK) {
        hex_of(digest, sizeof(digest), d->digest);
    }
    sha256_free(sum);
    return st;
}

/* ---- sources ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

static drh_status check_listing(const struct drh_list *l, const char *id, drh_error *e)
{
    struct listed *copy;
    drh_status     st = DRH_OK;

    if (l->n == 0) {
        return err_set(e, DRH_E_MISSING, "source %s names no file", id);
    }
    copy = mem_alloc(l->n, sizeof(*copy));
    if (!copy) {
        return err_nomem(e, "a listing");
    }
    memcpy(copy, l->file, l->n * sizeof(*copy));
    qsort(copy, l->n, sizeof(*copy), by_name);
    for (size_t i = 1; st == DRH_OK && i < l->n; i++) {
        if (strcmp(copy[i - 1].name, copy[i].name) == 0) {
            st = err_set(e, DRH_E_DATA, "source %s names the file %s twice", id, copy[i].name);
        }
    }
    mem_free(copy);
    return st;
}

/* One file that is not on this machine yet, to its place under raw/. */
static drh_status fetch_file(struct plan_step *s, const struct dataset *d, const struct listed *f,
                             const struct layout *l, char **path, drh_error *e)
{
    const drh_source_ops *ops = &s->stage->ops.source;
    drh_file              file = {.struct_size = sizeof(file), .size = f->size};
    char                 *tmp = NULL, *slash;
    struct stat           sb;
    drh_status            st;

    if (!ops->fetch) {
        return err_set(e, DRH_E_UNSUPPORTED, "source %s lists %s without bringing it", s->step->id,
                       f->name);
    }
    *path = mem_printf("%s/raw/%s/%s/%s", l->data, d->domain, d->name, f->name);
    tmp = mem_printf("%s/raw/%s/%s/%s.incomplete", l->data, d->domain, d->name, f->name);
    if (!*path || !tmp) {
        mem_free(tmp);
        return err_nomem(e, "a path");
    }
    if (stat(*path, &sb) == 0) { /* verified when it got its final name */
        mem_free(tmp);
        return DRH_OK;
    }
    slash = strrchr(tmp, '/');
    *slash = '\0';
    st = make_dirs(tmp, e);
    *slash = '/';
    file.name = drh_str_of(f->name);
    file.sha256 = drh_str_of(f->sha256);
    e->message[0] = '\0';
    st = st == DRH_OK ? ops->fetch(s->in->self, NULL, &file, tmp, e) : st;
    if (st == DRH_OK && f->sha256) {
        uint8_t digest[32];
        char    hex[65];
        st = sha256_file(tmp, digest, e);
        hex_of(digest, sizeof(digest), hex);
        if (st == DRH_OK && strcasecmp(hex, f->sha256) != 0) {
            st = err_set(e, DRH_E_DATA, "%s has SHA-256 %s, and the source says %s; try again", tmp,
                         hex, f->sha256);
        }
    }
    if (st == DRH_OK && rename(tmp, *path) != 0) {
        st = err_errno(e, errno, "cannot rename", tmp);
    }
    mem_free(tmp);
    return st == DRH_OK ? DRH_OK : stage_error(s->in, st, e);
}

/* A source that holds the data folder would read its own output the next time. */
static drh_status check_outside(const char *path, const struct layout *l, drh_error *e)
{
    char      *file = realpath(path, NULL), *data = realpath(l->data, NULL);
    size_t     n = data ? strlen(data) : 0;
    drh_status st = DRH_OK;

    if (file && data && strncmp(file, data, n) == 0 && file[n] == '/') {
        st = err_set(e, DRH_E_CONFIG,
                     "%s lies in the data folder %s, where results go; set \"data\" to a folder "
                     "outside of the sources",
                     path, l->data);
    }
    free(file); /* realpath's own */
    free(data);
    return st;
}

static drh_status take_files(struct dataset *d, struct plan_step *s, const struct layout *l,
                             drh_error *e)
{
    drh_status st = DRH_OK;

    d->file = mem_alloc(d->listed->n, sizeof(*d->file));
    d->local = mem_alloc(d->listed->n, sizeof(char *));
    if (!d->file || !d->local) {
        return err_nomem(e, "a listing");
    }
    for (size_t i = 0; st == DRH_OK && i < d->listed->n; i++) {
        const struct listed *f = &d->listed->file[i];
        struct feed_file    *to = &d->file[i];

        if (f->local) {
            d->local[i] = mem_dupz(f->local);
            st = d->local[i] ? check_outside(d->local[i], l, e) : err_nomem(e, "a path");
        } else {
            st = fetch_file(s, d, f, l, &d->local[i], e);
        }
        d->n_files = i + 1;
        to->path = d->local[i];
        to->origin = (struct origin){.file = drh_str_of(f->name),
                                     .domain = drh_str_of(d->domain),
                                     .dataset = drh_str_of(d->name),
                                     .source = drh_str_of(d->source)};
    }
    return st;
}

struct list_call {
    struct plan_step *s;
    struct drh_list  *list;
    drh_error        *e;
    drh_status        st;
};

static void do_list(void *arg)
{
    struct list_call *c = arg;
    c->st = c->s->stage->ops.source.list(c->s->in->self, c->list, c->e);
}

/* A path option as the user wrote it, before it was joined to the recipe's folder: what a record
 * says of its origin must not depend on where the user stands. */
static const char *path_as_written(const struct plan_step *s, const cJSON *schema)
{
    const cJSON *p;

    cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(schema, "properties"))
    {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(s->step->options, p->string);
        const cJSON *set = cJSON_GetObjectItemCaseSensitive(v, "$set");

        if (cJSON_GetObjectItemCaseSensitive(p, "x-drh-path") && v) {
            v = cJSON_IsArray(v) ? cJSON_GetArrayItem(v, 0) : v;
            return cJSON_GetStringValue(set ? set : v);
        }
    }
    return NULL;
}

static drh_status name_source(struct dataset *d, struct plan_step *s, drh_error *e)
{
    drh_str     from = {NULL, 0};
    cJSON      *schema = NULL;
    const char *path;

    if (s->stage->ops.source.provenance) {
        from = s->stage->ops.source.provenance(s->in->self);
    }
    if (!from.ptr) {
        drh_status st = schema_parse(s->stage->desc.config_schema, &schema, e);
        if (st != DRH_OK) {
            return st;
        }
    }
    path = path_as_written(s, schema);
    mem_free(d->source);
    d->source = from.ptr ? mem_dup(from.ptr, from.len)
                         : mem_printf("%s:%s", s->stage->desc.id, path ? path : s->step->id);
    cJSON_Delete(schema);
    return d->source ? DRH_OK : err_nomem(e, "a source");
}

static drh_status list_source(struct plan_step *s, struct drh_list *list, drh_error *e)
{
    struct list_call call = {.s = s, .list = list, .e = e};

    e->message[0] = '\0';
    instance_call(s->in, do_list, &call);
    if (call.st != DRH_OK) {
        drh_status st = stage_error(s->in, call.st, e);
        err_prefix(e, "source %s", s->step->id);
        return st;
    }
    return check_listing(list, s->step->id, e);
}

drh_status dataset_check_source(struct plan *p, struct plan_step *s, drh_error *e)
{
    struct drh_list list = {0};
    drh_status      st;

    if (s->stage->desc.flags & DRH_NETWORK) {
        return DRH_OK;
    }
    st = plan_instance(p, s, e);
    st = st == DRH_OK ? list_source(s, &list, e) : st;
    list_free(&list);
    return st;
}

drh_status dataset_from_source(struct datasets *all, struct plan *p, struct plan_step *s,
                               const struct layout *l, cJSON *cache, drh_error *e)
{
    struct dataset *d = NULL;
    drh_status      st = plan_instance(p, s, e);

    st = st == DRH_OK ? dataset_add(all, s->step->domain, s->step->dataset, "", &d, e) : st;
    if (st != DRH_OK) {
        return st;
    }
    d->listed = mem_alloc(1, sizeof(*d->listed));
    if (!d->listed) {
        return err_nomem(e, "a listing");
    }
    st = list_source(s, d->listed, e);
    st = st == DRH_OK ? name_source(d, s, e) : st;
    st = st == DRH_OK ? take_files(d, s, l, e) : st;
    return st == DRH_OK && cache ? all_digests(d, cache, e) : st;
}

/* ---- the list ---- */

drh_status dataset_add(struct datasets *all, const char *domain, const char *name,
                       const char *source, struct dataset **out, drh_error *e)
{
    struct dataset *more;
    struct dataset *d;

    for (size_t i = 0; i < all->n; i++) {
        if (strcmp(all->ds[i].domain, domain) == 0 && strcmp(all->ds[i].name, name) == 0) {
            return err_set(e, DRH_E_CONFIG,
                           "two steps make the data set %s/%s; give one another \"dataset\"",
                           domain, name);
        }
    }
    more = mem_resize(all->ds, (all->n + 1) * sizeof(*more));
    if (!more) {
        return err_nomem(e, "data sets");
    }
    all->ds = more;
    d = &more[all->n++];
    memset(d, 0, sizeof(*d));
    d->domain = mem_dupz(domain);
    d->name = mem_dupz(name);
    d->source = mem_dupz(source);
    *out = d;
    return d->domain && d->name && d->source ? DRH_OK : err_nomem(e, "data sets");
}

drh_status dataset_add_part(struct dataset *d, struct part part, drh_error *e)
{
    if (d->n_parts == d->cap_parts) {
        size_t       cap = d->cap_parts ? d->cap_parts * 2 : 8;
        struct part *more = mem_resize(d->part, cap * sizeof(*more));
        if (!more) {
            mem_free(part.path);
            mem_free(part.scores);
            return err_nomem(e, "parts");
        }
        d->part = more;
        d->cap_parts = cap;
    }
    d->part[d->n_parts++] = part;
    return DRH_OK;
}

void dataset_clear_parts(struct dataset *d)
{
    for (size_t i = 0; i < d->n_parts; i++) {
        mem_free(d->part[i].path);
        mem_free(d->part[i].scores);
    }
    mem_free(d->part);
    d->part = NULL;
    d->n_parts = d->cap_parts = 0;
}

void datasets_free(struct datasets *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct dataset *d = &all->ds[i];

        dataset_clear_parts(d);
        for (size_t k = 0; k < d->n_files; k++) {
            mem_free(d->local[k]);
        }
        mem_free(d->local);
        mem_free(d->file);
        if (d->listed) {
            list_free(d->listed);
            mem_free(d->listed);
        }
        mem_free(d->domain);
        mem_free(d->name);
        mem_free(d->source);
    }
    mem_free(all->ds);
    memset(all, 0, sizeof(*all));
}
