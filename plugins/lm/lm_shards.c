/* SPDX-License-Identifier: MIT
 *
 * lm_shards.c - see lm_shards.h.
 */
#include "lm_shards.h"
#include "lm_json.h"

#include <drh/util.h>

#include <stdlib.h>

static const char single[] = "model.safetensors", index_name[] = "model.safetensors.index.json";

enum { MAX_SHARDS = 4096 };

static drh_status no_memory(drh_error *e)
{
    return drh_fail(e, DRH_E_NOMEM, "out of memory for the list of weight files");
}

/* ---- the list of files --------------------------------------------------------------------- */

/* A name that stays within the folder. */
static int is_plain_name(struct lm_slice s)
{
    return s.n > 0 && s.n < 200 && s.p[0] != '.' && !memchr(s.p, '/', s.n) && !memchr(s.p, 0, s.n);
}

static drh_status add_shard(struct lm_shards *all, struct lm_slice name, drh_error *e)
{
    struct lm_shard *more;
    char            *copy;
    for (size_t i = all->n; i-- > 0;) { /* names come in runs */
        if (lm_slice_eq(name, all->s[i].name)) {
            return DRH_OK;
        }
    }
    if (!is_plain_name(name) || all->n == MAX_SHARDS) {
        return drh_fail(e, DRH_E_DATA,
                        "%s: weight_map: \"%.*s\" is no name of a file in the folder", index_name,
                        name.n < 80 ? (int)name.n : 80, name.p);
    }
    more = realloc(all->s, (all->n + 1) * sizeof(*more));
    copy = more ? malloc(name.n + 1) : NULL;
    all->s = more ? more : all->s;
    if (!copy) {
        return no_memory(e);
    }
    memcpy(copy, name.p, name.n);
    copy[name.n] = 0;
    memset(&more[all->n], 0, sizeof(*more));
    more[all->n++].name = copy;
    return DRH_OK;
}

static drh_status bad_index(const struct lm_json *j, drh_error *e)
{
    if (j->no_memory) {
        return no_memory(e);
    }
    return drh_fail(e, DRH_E_DATA, "%s: byte %zu: %s; download the file again", index_name,
                    lm_json_at(j), j->err ? j->err : "broken JSON");
}

typedef drh_status each_entry(struct lm_shards *all, const char *tensor, struct lm_slice file,
                              drh_error *e);

static drh_status walk_map(struct lm_json *j, struct lm_shards *all, each_entry *each, drh_error *e)
{
    struct lm_slice key, file;
    drh_status      st = DRH_OK;
    int             rc = 0;
    if (lm_json_enter(j, '{')) {
        return bad_index(j, e);
    }
    while (st == DRH_OK && (rc = lm_json_key(j, &key)) == 1) {
        char name[120];
        (void)snprintf(name, sizeof(name), "%.*s", key.n < 119 ? (int)key.n : 119, key.p);
        st = lm_json_string(j, &file) ? bad_index(j, e) : each(all, name, file, e);
    }
    return st == DRH_OK && rc < 0 ? bad_index(j, e) : st;
}

static drh_status walk_index(const struct lm_map *f, struct lm_shards *all, each_entry *each,
                             drh_error *e)
{
    struct lm_json  j;
    struct lm_slice key;
    drh_status      st = DRH_OK;
    int             rc = -1;
    lm_json_init(&j, f->p, f->n);
    if (!lm_json_enter(&j, '{')) {
        while (st == DRH_OK && (rc = lm_json_key(&j, &key)) == 1) {
            if (lm_slice_eq(key, "weight_map")) {
                st = walk_map(&j, all, each, e);
            } else if (lm_json_skip(&j, NULL)) {
                rc = -1;
                break;
            }
        }
    }
    if (st == DRH_OK && rc < 0) {
        st = bad_index(&j, e);
    }
    lm_json_free(&j);
    return st;
}

static drh_status note_file(struct lm_shards *all, const char *tensor, struct lm_slice file,
                            drh_error *e)
{
    (void)tensor;
    return add_shard(all, file, e);
}

/* What the index promises is there. */
static drh_status check_entry(struct lm_shards *all, const char *tensor, struct lm_slice file,
                              drh_error *e)
{
    const struct lm_shard *shard;
    if (lm_shards_find(all, tensor, &shard) && lm_slice_eq(file, shard->name)) {
        return DRH_OK;
    }
    return drh_fail(e, DRH_E_DATA,
                    "%s: the tensor \"%s\" is not in %.*s; download both files again", index_name,
                    tensor, file.n < 200 ? (int)file.n : 200, file.p);
}

/* ---- opening ------------------------------------------------------------------------------- */

static drh_status open_shard(struct lm_shard *s, const char *dir, drh_error *e)
{
    drh_status st = lm_map_open(&s->map, dir, s->name, e);
    return st == DRH_OK ? lm_tensors_read(&s->tensors, s->map.p, s->map.n, s->name, e) : st;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct lm_shard *)a)->name, ((const struct lm_shard *)b)->name);
}

static int by_tensor(const void *a, const void *b)
{
    return strcmp(((const struct lm_place *)a)->t->name, ((const struct lm_place *)b)->t->name);
}

/* Sorts the tensors of all files.  A name in two of them would be a matter of luck. */
static drh_status list_tensors(struct lm_shards *all, drh_error *e)
{
    struct lm_place *to;
    all->place = to = malloc(lm_shards_tensors(all) * sizeof(*to));
    if (!to) {
        return no_memory(e);
    }
    for (size_t i = 0; i < all->n; i++) {
        for (size_t k = 0; k < all->s[i].tensors.n; k++) {
            *to++ = (struct lm_place){&all->s[i].tensors.t[k], &all->s[i]};
        }
    }
    all->n_places = (size_t)(to - all->place);
    qsort(all->place, all->n_places, sizeof(*to), by_tensor);
    for (size_t i = 1; i < all->n_places; i++) {
        const struct lm_place *p = &all->place[i];
        if (by_tensor(p - 1, p) == 0) {
            return drh_fail(e, DRH_E_DATA, "%s: tensor \"%s\": it is in %s, too", p->shard->name,
                            p->t->name, p[-1].shard->name);
        }
    }
    return DRH_OK;
}

static drh_status open_all(struct lm_shards *all, const char *dir, drh_error *e)
{
    drh_status st = DRH_OK;
    if (all->n == 0) {
        return drh_fail(e, DRH_E_DATA, "%s: weight_map names no file", index_name);
    }
    qsort(all->s, all->n, sizeof(*all->s), by_name);
    for (size_t i = 0; st == DRH_OK && i < all->n; i++) {
        st = open_shard(&all->s[i], dir, e);
    }
    return st == DRH_OK ? list_tensors(all, e) : st;
}

static drh_status open_index(struct lm_shards *all, const char *dir, const struct lm_map *f,
                             drh_error *e)
{
    drh_status st = walk_index(f, all, note_file, e);
    st = st == DRH_OK ? open_all(all, dir, e) : st;
    return st == DRH_OK ? walk_index(f, all, check_entry, e) : st;
}

drh_status lm_shards_open(struct lm_shards *all, const char *dir, drh_error *e)
{
    struct lm_map f;
    drh_status    st;
    memset(all, 0, sizeof(*all));
    st = lm_map_open(&f, dir, index_name, e);
    if (st == DRH_OK) {
        st = open_index(all, dir, &f, e);
        lm_map_close(&f);
    } else if (st == DRH_E_MISSING) {
        struct lm_slice name = {single, sizeof(single) - 1};
        st = add_shard(all, name, e);
        st = st == DRH_OK ? open_all(all, dir, e) : st;
    }
    if (st != DRH_OK) {
        lm_shards_close(all);
    }
    return st;
}

drh_status lm_shards_probe(const char *dir, drh_error *e)
{
    struct lm_map f;
    drh_status    st = lm_map_open(&f, dir, index_name, NULL);
    st = st == DRH_OK ? st : lm_map_open(&f, dir, single, e);
    if (st == DRH_OK) {
        lm_map_close(&f);
    }
    return st;
}

void lm_shards_close(struct lm_shards *all)
{
    for (size_t i = 0; i < all->n; i++) {
        lm_tensors_free(&all->s[i].tensors);
        lm_map_close(&all->s[i].map);
        free(all->s[i].name);
    }
    free(all->s);
    free(all->place);
    memset(all, 0, sizeof(*all));
}

const struct lm_tensor *lm_shards_find(const struct lm_shards *all, const char *name,
                                       const struct lm_shard **shard)
{
    size_t lo = 0, hi = all->n_places;
    while (lo < hi) {
        const size_t           mid = lo + (hi - lo) / 2;
        const struct lm_place *p = &all->place[mid];
        const int              c = strcmp(name, p->t->name);
        if (c == 0) {
            *shard = p->shard;
            return p->t;
        }
        if (c < 0) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return NULL;
}

const char *lm_shards_name(const struct lm_shards *all)
{
    return all->n == 1 ? all->s[0].name : index_name;
}

size_t lm_shards_tensors(const struct lm_shards *all)
{
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++) {
        n += all->s[i].tensors.n;
    }
    return n;
}
