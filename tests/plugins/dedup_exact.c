/* SPDX-License-Identifier: MIT
 * dedup_exact.c - scope data set: of records with the same metadata.id only the first stays.  Notes
 * are the ids with their places, in order; the result is all notes, and the first place of an id
 * stays, whatever of it was done in an earlier run. */
#include <drh/util.h>

#include <stdlib.h>

enum { ID = 64 };

struct seen {
    char     id[ID];
    uint64_t row, file; /* file: FNV-1a of its name */
    uint64_t order;
};

struct dedup {
    const drh_host *host;
    drh_field       id;
    struct seen    *seen; /* sorted by id, each once */
    size_t          n;
};

static void dedup_destroy(void *self)
{
    struct dedup *d = self;
    free(d->seen);
    free(d);
}

static drh_status dedup_create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct dedup *d = calloc(1, sizeof(*d));

    (void)c;
    if (!d) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    d->host = h;
    d->id = drh_field_of(h, "/metadata/id");
    *self = d;
    return DRH_OK;
}

/* False: a record without an id that fits. */
static int place(struct dedup *d, const drh_record *r, struct seen *s)
{
    drh_record_info info = {.struct_size = sizeof(info)};
    drh_str         id;

    memset(s, 0, sizeof(*s));
    if (d->host->records->get_str(r, d->id, &id) != DRH_OK || id.len >= ID ||
        d->host->records->info(r, &info) != DRH_OK) {
        return 0;
    }
    memcpy(s->id, id.ptr, id.len);
    s->row = info.row;
    s->file = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < info.file.len; i++) {
        s->file = (s->file ^ (uint8_t)info.file.ptr[i]) * 0x100000001b3ull;
    }
    return 1;
}

static drh_status dedup_observe(void *self, void *worker, drh_record *const *r, size_t n,
                                drh_sink *notes, drh_error *e)
{
    struct dedup *d = self;

    (void)worker;
    for (size_t i = 0; i < n; i++) {
        struct seen s;
        if (place(d, r[i], &s) && d->host->sink_write(notes, 0, &s, sizeof(s)) != DRH_OK) {
            return drh_fail(e, DRH_E_IO, "cannot write notes");
        }
    }
    return DRH_OK;
}

static drh_status copy(struct dedup *d, const char *path, drh_sink *to, drh_error *e)
{
    struct seen s;
    FILE       *f = fopen(path, "rb");
    drh_status  st = f ? DRH_OK : drh_fail(e, DRH_E_IO, "cannot open %s", path);

    while (st == DRH_OK && fread(&s, sizeof(s), 1, f) == 1) {
        st = d->host->sink_write(to, 0, &s, sizeof(s));
    }
    if (f) {
        (void)fclose(f);
    }
    return st;
}

static drh_status dedup_merge(void *self, const char *const *notes, size_t n, drh_sink *result,
                              drh_error *e)
{
    drh_status st = DRH_OK;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = copy(self, notes[i], result, e);
    }
    return st;
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct seen *)a)->id, ((const struct seen *)b)->id, ID);
}

static int by_id_and_order(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    int                c = by_id(a, b);
    return c ? c : (x->order > y->order) - (x->order < y->order);
}

static drh_status dedup_prepare(void *self, const char *result, drh_error *e)
{
    struct dedup *d = self;
    struct seen   s;
    FILE         *f = fopen(result, "rb");
    size_t        all = 0;

    while (f && fread(&s, sizeof(s), 1, f) == 1) {
        all++;
    }
    d->seen = calloc(all + 1, sizeof(*d->seen));
    if (!f || !d->seen || fseek(f, 0, SEEK_SET) != 0 ||
        fread(d->seen, sizeof(*d->seen), all, f) != all) {
        if (f) {
            (void)fclose(f);
        }
        return drh_fail(e, DRH_E_IO, "cannot read %s", result);
    }
    (void)fclose(f);
    for (size_t i = 0; i < all; i++) {
        d->seen[i].order = i;
    }
    qsort(d->seen, all, sizeof(*d->seen), by_id_and_order);
    for (size_t i = 0; i < all; i++) {
        if (d->n == 0 || by_id(&d->seen[d->n - 1], &d->seen[i]) != 0) {
            d->seen[d->n++] = d->seen[i];
        }
    }
    return DRH_OK;
}

static drh_status dedup_apply(void *self, void *worker, drh_record *const *r, size_t n,
                              drh_error *e)
{
    struct dedup         *d = self;
    const drh_record_api *api = d->host->records;

    (void)worker;
    (void)e;
    for (size_t i = 0; i < n; i++) {
        struct seen        key;
        const struct seen *first;

        if (!place(d, r[i], &key)) {
            (void)api->keep(r[i]);
            continue;
        }
        first = bsearch(&key, d->seen, d->n, sizeof(key), by_id);
        if (!first) {
            (void)api->fail(r[i], "not_observed", NULL, 0);
        } else if (first->row != key.row || first->file != key.file) {
            (void)api->drop(r[i], "duplicate", NULL, 0);
        } else {
            (void)api->keep(r[i]);
        }
    }
    return DRH_OK;
}

static const drh_life life = {
    .struct_size = sizeof(life), .create = dedup_create, .destroy = dedup_destroy};
static const drh_map_ops      ops = {.struct_size = sizeof(ops),
                                     .observe = dedup_observe,
                                     .merge = dedup_merge,
                                     .prepare = dedup_prepare,
                                     .apply = dedup_apply};
static const drh_stage        stage = {.struct_size = sizeof(stage),
                                       .kind = DRH_KIND_PREPROCESSOR,
                                       .id = "dedup-exact",
                                       .version = "1.0.0",
                                       .summary = "the first of equal ids",
                                       .scope = DRH_SCOPE_DATASET,
                                       .life = &life,
                                       .ops.map = &ops};
static const drh_stage *const STAGES[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry),
                                .n_stages = 1,
                                .name = "dedup-exact",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = STAGES};
DRH_PLUGIN_NOTE(0, "preprocessor dedup-exact 1.0.0");
