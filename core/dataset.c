/* SPDX-License-Identifier: MIT
 * dataset.c - see dataset.h. */
#include "dataset.h"

#include "err.h"
#include "hash.h"
#include "mem.h"
#include "outfile.h"
#include "readers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- digests ---- */

/* The file's SHA-256; from the cache while size and time are what they were. */
static drh_status file_digest(const char *path, cJSON *cache, char hex[65], uint64_t *size,
                              drh_error *e)
{
    cJSON       *item;
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
    item = cJSON_CreateStringArray(pair, 2);
    if (!cJSON_AddItemToObject(cache, path, item)) {
        cJSON_Delete(item);
        return err_nomem(e, "digests");
    }
    return DRH_OK;
}

/* A file that was brought has been read for it already. */
static bool known_digest(const struct listed *f, char hex[65], uint64_t *size)
{
    if (f->local || f->hash != DRH_HASH_SHA256) {
        return false;
    }
    hex_of(f->digest, sizeof(f->digest), hex);
    *size = f->size;
    return true;
}

static drh_status all_digests(struct dataset *d, cJSON *cache, drh_error *e)
{
    struct sha256 *sum = sha256_new();
    uint8_t        digest[32];
    drh_status     st = sum ? DRH_OK : err_nomem(e, "digests");

    for (size_t i = 0, at = 0; st == DRH_OK && i < d->n_files; i++, at++) {
        struct feed_file *f = &d->file[i];
        char              hex[65];

        while (d->pull.list.file[at].flags & DRH_FILE_ASIDE) {
            at++;
        }
        st = known_digest(&d->pull.list.file[at], hex, &f->size)
                 ? DRH_OK
                 : file_digest(f->path, cache, hex, &f->size, e);
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

/* The files that hold records, to be read. */
static drh_status take_files(struct dataset *d, const struct layout *l, drh_error *e)
{
    const struct drh_list *list = &d->pull.list;
    drh_status             st = DRH_OK;

    d->file = mem_alloc(list->n, sizeof(*d->file));
    d->local = mem_alloc(list->n, sizeof(char *));
    if (!d->file || !d->local) {
        return err_nomem(e, "a listing");
    }
    for (size_t i = 0; st == DRH_OK && i < list->n; i++) {
        const struct listed *f = &list->file[i];
        struct feed_file    *to = &d->file[d->n_files];

        if (f->flags & DRH_FILE_ASIDE) {
            continue;
        }
        d->local[d->n_files] = pull_path(&d->pull, f);
        st = !d->local[d->n_files] ? err_nomem(e, "a path")
             : f->local            ? check_outside(f->local, l, e)
                                   : DRH_OK;
        to->path = d->local[d->n_files++];
        to->origin = (struct origin){.file = drh_str_of(f->name),
                                     .domain = drh_str_of(d->domain),
                                     .dataset = drh_str_of(d->name),
                                     .source = drh_str_of(d->source)};
    }
    if (st == DRH_OK && d->n_files == 0) {
        st = err_set(e, DRH_E_MISSING,
                     "source %s has %zu files, and by their names none holds records; name those "
                     "that do with \"include\"",
                     d->source, list->n);
    }
    return st;
}

static bool needs_pull(const struct pull *l)
{
    for (size_t i = 0; i < l->list.n; i++) {
        if (!l->list.file[i].local) {
            return true;
        }
    }
    return false;
}

static drh_status bring(struct dataset *d, struct plan *p, struct plan_step *s,
                        const struct layout *l, drh_error *e)
{
    char               *root = mem_printf("%s/raw/%s/%s", l->data, d->domain, d->name);
    struct pull_options o = {.what = d->name};
    drh_status          st = root ? pull_list(&d->pull, p, s, root, e) : err_nomem(e, "a path");

    if (st == DRH_OK && needs_pull(&d->pull)) {
        st = pull_compare(&d->pull, root, &o, e);
        st = st == DRH_OK ? pull_run(&d->pull, &o, e) : st;
        if (st != DRH_OK && st != DRH_E_CANCELLED && st != DRH_E_NOMEM) {
            err_prefix(e, "source %s", s->step->id);
        }
    }
    mem_free(root);
    return st;
}

drh_status dataset_from_source(struct datasets *all, struct plan *p, struct plan_step *s,
                               const struct layout *l, cJSON *cache, drh_error *e)
{
    struct dataset *d = NULL;
    drh_status      st = dataset_add(all, s->step->domain, s->step->dataset, "", &d, e);

    st = st == DRH_OK ? bring(d, p, s, l, e) : st;
    if (st == DRH_OK) {
        mem_free(d->source);
        d->source = mem_dupz(d->pull.name);
        st = d->source ? DRH_OK : err_nomem(e, "a source");
    }
    st = st == DRH_OK ? take_files(d, l, e) : st;
    st = st == DRH_OK ? readers_choose(p, s->reader, d->file, d->n_files, e) : st;
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
    d->pull.lock = -1;
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
        pull_free(&d->pull);
        mem_free(d->domain);
        mem_free(d->name);
        mem_free(d->source);
    }
    mem_free(all->ds);
    memset(all, 0, sizeof(*all));
}
