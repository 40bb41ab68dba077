/* SPDX-License-Identifier: MIT
 *
 * apply.c - reads the list and settles records by it; see dedup.h and merge.h.  Records of a shard
 * are found by halving, in a file that is mapped: what is needed of it is in memory.
 */
#include "merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DETAIL = 512 };

/* ---- prepare ------------------------------------------------------------------------------- */

void dedup_forget(struct dedup *d)
{
    if (d->list) {
        (void)munmap((void *)(uintptr_t)d->list, d->list_size);
    }
    d->list = NULL;
    d->entry = NULL;
    d->shard = NULL;
    d->list_size = d->n_shards = 0;
}

/* The host keeps a digest of the file, but a program is not to crash whatever it holds. */
static bool fits(const struct dedup *d, const struct list_end *end)
{
    uint64_t left = d->list_size - sizeof(*end);

    if (end->magic != LIST_MAGIC || end->entries > left || end->entries % 8 != 0) {
        return false;
    }
    left -= end->entries;
    if (end->n_entries > left / sizeof(*d->entry)) {
        return false;
    }
    left -= end->n_entries * sizeof(*d->entry);
    return left % sizeof(*d->shard) == 0 && end->n_shards == left / sizeof(*d->shard);
}

static drh_status read_list(struct dedup *d, drh_error *e)
{
    struct list_end end;

    memcpy(&end, d->list + d->list_size - sizeof(end), sizeof(end));
    if (!fits(d, &end)) {
        return drh_fail(e, DRH_E_DATA, "the list of duplicates is damaged");
    }
    d->entry = (const void *)(d->list + end.entries);
    d->shard = (const void *)(d->entry + end.n_entries);
    d->n_shards = (size_t)end.n_shards;
    for (size_t i = 0; i < d->n_shards; i++) {
        const struct dedup_shard *s = &d->shard[i];
        if (s->first > end.n_entries || s->n > end.n_entries - s->first) {
            return drh_fail(e, DRH_E_DATA, "the list of duplicates is damaged");
        }
    }
    return DRH_OK;
}

drh_status dedup_prepare(void *self, const char *result, drh_error *e)
{
    struct dedup *d = self;
    struct stat   sb;
    void         *map = MAP_FAILED;
    int           fd = open(result, O_RDONLY | O_CLOEXEC);

    dedup_forget(d);
    if (fd < 0 || fstat(fd, &sb) != 0) {
        (void)drh_fail(e, DRH_E_IO, "cannot open %.200s: %s", result, strerror(errno));
    } else if ((uint64_t)sb.st_size < sizeof(struct list_end)) {
        (void)drh_fail(e, DRH_E_DATA, "the list of duplicates is damaged");
    } else {
        map = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) {
            (void)drh_fail(e, DRH_E_IO, "cannot map %.200s: %s", result, strerror(errno));
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (map == MAP_FAILED) {
        return e->code;
    }
    d->list = map;
    d->list_size = (size_t)sb.st_size;
    return read_list(d, e);
}

/* ---- apply --------------------------------------------------------------------------------- */

static int by_id(const void *id, const void *shard)
{
    return memcmp(id, ((const struct dedup_shard *)shard)->id,
                  sizeof(((const struct dedup_shard *)shard)->id));
}

static int by_row(const void *key, const void *entry)
{
    const uint64_t row = *(const uint64_t *)key, other = ((const struct list_entry *)entry)->row;
    return (row > other) - (row < other);
}

/* "FILE:LINE" of who stays, or its id. */
static void name_of(const struct dedup *d, const struct list_entry *entry, char *to, size_t size)
{
    const uint64_t names = (uint64_t)((const uint8_t *)d->entry - d->list);
    const uint8_t *p = d->list + entry->name;
    uint32_t       len = 0;
    size_t         n;

    to[0] = '\0';
    if (names < sizeof(len) || entry->name > names - sizeof(len)) {
        return;
    }
    memcpy(&len, p, sizeof(len));
    p += sizeof(len);
    if (len > names - sizeof(len) - entry->name) {
        return;
    }
    for (n = len; n > 0 && (n > size - 32 || (n < len && (p[n] & 0xc0) == 0x80)); n--) {
    } /* whole characters */
    memcpy(to, p, n);
    to[n] = '\0';
    if (entry->line != UINT64_MAX) {
        (void)snprintf(to + n, size - n, ":%llu", (unsigned long long)entry->line);
    }
}

static drh_status drop(const struct dedup *d, drh_record *r, const struct list_entry *entry)
{
    const drh_record_api *api = d->host->records;
    char                  name[DETAIL - 100], detail[DETAIL];

    if (entry->what == DEDUP_NO_TEXT) {
        return api->fail(r, "no_text",
                         DRH_LIT("nothing to compare: put chat before this step, or name the "
                                 "fields"));
    }
    name_of(d, entry, name, sizeof(name));
    if (entry->what == DEDUP_EXACT) {
        (void)snprintf(detail, sizeof(detail), "duplicate of %s", name);
        return api->drop(r, "duplicate", detail, strlen(detail));
    }
    (void)snprintf(detail, sizeof(detail), "near duplicate of %s, similarity %u.%04u", name,
                   (unsigned)(entry->what / 10000), (unsigned)(entry->what % 10000));
    return api->drop(r, "near_duplicate", detail, strlen(detail));
}

drh_status dedup_apply(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    const struct dedup       *d = self;
    const drh_record_api     *api = d->host->records;
    struct dedup_place        place = {.known = false};
    const struct dedup_shard *s = NULL;
    drh_status                st = DRH_OK;

    (void)worker;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        const struct list_entry *entry;
        bool                     moved;

        st = dedup_find(d, r[i], &place, &moved);
        if (st != DRH_OK) {
            e->record = (int64_t)i;
            return drh_fail(e, st, "a record without an origin");
        }
        s = moved ? bsearch(place.id, d->shard, d->n_shards, sizeof(*s), by_id) : s;
        if (!s || place.info.row >= s->rows) {
            st = api->fail(r[i], "not_observed", NULL, 0);
            continue;
        }
        entry = bsearch(&place.info.row, d->entry + s->first, (size_t)s->n, sizeof(*entry), by_row);
        st = entry ? drop(d, r[i], entry) : api->keep(r[i]);
    }
    return st;
}
