/* SPDX-License-Identifier: MIT
 *
 * apply.c - reads the file of conversations and settles records by it; see trees.h.  The file is
 * mapped: what is needed of it is in memory.
 */
#include "trees.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- prepare ------------------------------------------------------------------------------- */

void trees_forget(struct trees *t)
{
    if (t->file) {
        (void)munmap((void *)(uintptr_t)t->file, t->file_size);
    }
    t->file = t->entry = NULL;
    t->file_size = 0;
    t->n_entries = 0;
}

/* The host keeps a digest of the file, but a program is not to crash whatever it holds. */
static drh_status read_end(struct trees *t, drh_error *e)
{
    struct trees_end end;
    const uint64_t   left = t->file_size - sizeof(end);
    memcpy(&end, t->file + left, sizeof(end));
    if (end.magic != TREES_MAGIC || end.entries > left ||
        end.n_entries != (left - end.entries) / TREES_ENTRY ||
        (left - end.entries) % TREES_ENTRY != 0) {
        return drh_fail(e, DRH_E_DATA, "the file of conversations is damaged");
    }
    t->entry = t->file + end.entries;
    t->n_entries = end.n_entries;
    return DRH_OK;
}

drh_status trees_prepare(void *self, const char *result, drh_error *e)
{
    struct trees *t = self;
    struct stat   sb;
    void         *map = MAP_FAILED;
    int           fd = open(result, O_RDONLY | O_CLOEXEC);

    trees_forget(t);
    if (fd < 0 || fstat(fd, &sb) != 0) {
        (void)drh_fail(e, DRH_E_IO, "cannot open %.200s: %s", result, strerror(errno));
    } else if ((uint64_t)sb.st_size < sizeof(struct trees_end)) {
        (void)drh_fail(e, DRH_E_DATA, "the file of conversations is damaged");
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
    t->file = map;
    t->file_size = (size_t)sb.st_size;
    return read_end(t, e);
}

/* ---- apply --------------------------------------------------------------------------------- */

static uint64_t number(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static int by_place(const void *place, const void *entry)
{
    return memcmp(place, entry, TREES_PLACE);
}

/* What the file says of a message; TREES_PATHS when it says nothing. */
static uint64_t look_up(const struct trees *t, const uint8_t place[TREES_PLACE])
{
    const uint8_t *p = t->n_entries == 0
                           ? NULL
                           : bsearch(place, t->entry, (size_t)t->n_entries, TREES_ENTRY, by_place);
    uint64_t       v = 0;
    for (int i = 0; p && i < 8; i++) {
        v = v << 8 | p[TREES_PLACE + i];
    }
    return v;
}

/* One conversation at `at`, which moves behind it; false: the file is damaged. */
static bool next_path(const struct trees *t, size_t *at, drh_str *json)
{
    const size_t end = (size_t)(t->entry - t->file);
    uint64_t     len;
    if (*at > end || end - *at < sizeof(len)) {
        return false;
    }
    len = number(t->file + *at);
    *at += sizeof(len);
    if (len > end - *at) {
        return false;
    }
    json->ptr = (const char *)t->file + *at;
    json->len = (size_t)len;
    *at += json->len + (8 - json->len % 8) % 8;
    return true;
}

/* The record's own members stay but for those of a message. */
static drh_status set_root(const struct trees *t, drh_record *r, drh_str json)
{
    const drh_record_api *api = t->host->records;
    const drh_field       gone[] = {t->parent_id, t->text, t->role, t->rank, t->deleted};
    drh_status            st = api->set_json(r, t->conversations, json.ptr, json.len);
    for (size_t i = 0; st == DRH_OK && i < sizeof(gone) / sizeof(gone[0]); i++) {
        st = api->unset(r, gone[i]);
    }
    return st;
}

/* A further conversation of the tree, as a record behind the first one. */
static drh_status add_record(const struct trees *t, drh_record *r, drh_str json)
{
    const drh_record_api *api = t->host->records;
    const drh_field       with[] = {t->message_id, t->tree_id};
    drh_record           *child;
    drh_status            st = api->add(r, &child);
    for (size_t i = 0; st == DRH_OK && i < 2; i++) {
        drh_value v;
        if (api->get_value(r, with[i], &v) == DRH_OK) {
            st = api->set_value(child, with[i], &v);
        }
    }
    st = st == DRH_OK ? api->set_json(child, t->conversations, json.ptr, json.len) : st;
    return st == DRH_OK ? api->keep(child) : st;
}

static drh_status keep_root(const struct trees *t, drh_record *r, uint64_t where, drh_error *e)
{
    const size_t end = (size_t)(t->entry - t->file);
    size_t       at = (size_t)where;
    drh_str      json, first = {NULL, 0};
    uint64_t     n;
    drh_status   st = DRH_OK;
    if (where > end || end - where < sizeof(n)) {
        return drh_fail(e, DRH_E_DATA, "the file of conversations is damaged");
    }
    n = number(t->file + at);
    at += sizeof(n);
    for (uint64_t i = 0; st == DRH_OK && i < n; i++) {
        if (!next_path(t, &at, &json)) {
            return drh_fail(e, DRH_E_DATA, "the file of conversations is damaged");
        }
        if (i == 0) {
            first = json;
        } else {
            st = add_record(t, r, json);
        }
    }
    st = st == DRH_OK ? set_root(t, r, first) : st;
    st = st == DRH_OK ? t->host->records->keep(r) : st;
    return st == DRH_OK ? st : drh_fail(e, st, "the record cannot be changed");
}

static drh_status settle(const struct trees *t, drh_record *r, drh_error *e)
{
    const drh_record_api *api = t->host->records;
    struct trees_message  m = {.rank = 0};
    uint64_t              what;
    drh_status            st = trees_read(t, r, &m);
    if (st == DRH_E_MISSING) {
        return api->keep(r); /* no message: of another data set */
    }
    if (st != DRH_OK) {
        return drh_fail(e, st, st == DRH_E_NOMEM ? "out of memory" : "a record without an origin");
    }
    what = look_up(t, m.place);
    switch (what) {
    case TREES_PATHS:
        return m.deleted ? api->drop(r, "deleted", DRH_LIT("the message is deleted"))
                         : api->drop(r, "part_of_tree", NULL, 0);
    case TREES_NO_ANSWER:
        return m.deleted ? api->drop(r, "deleted", DRH_LIT("the first message of its tree"))
                         : api->drop(r, "no_answer", DRH_LIT("nobody answers in its tree"));
    case TREES_NO_PARENT:
        return api->fail(r, "no_parent", DRH_LIT("the message that it replies to is not there"));
    case TREES_TWICE:
        return api->fail(r, "message_twice",
                         DRH_LIT("an earlier message of the tree has the same id"));
    case TREES_TOO_LARGE:
        return api->fail(r, "tree_too_large",
                         DRH_LIT("its tree does not fit into half of memory_mb"));
    default:
        return keep_root(t, r, what, e);
    }
}

drh_status trees_apply(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    drh_status st = DRH_OK;
    (void)worker;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = settle(self, r[i], e);
        if (st != DRH_OK) {
            e->record = (int64_t)i;
        }
    }
    return st;
}
