/* SPDX-License-Identifier: MIT
 *
 * merge.c - from the notes to the conversations, tree by tree; see trees.h.  [main]
 */
#include "trees.h"

#include "notes.h"
#include "sort.h"

enum { TREE_ITEM = 24 }; /* digest of the tree, address of the note */

struct merge {
    const struct trees *o;
    const drh_host     *host;
    drh_error          *e;
    char                folder[1024]; /* of temporary files */
    struct notes        notes;
    struct sort        *trees;   /* TREE_ITEM */
    struct sort        *entries; /* TREES_ENTRY */
    struct trees_tree   tree;
    struct trees_buf    at; /* uint64_t: addresses of the tree's notes */
    drh_sink           *result;
    uint64_t            written;
};

static drh_status no_memory(struct merge *m)
{
    return drh_fail(m->e, DRH_E_NOMEM, "out of memory");
}

static drh_status put(struct merge *m, const void *p, size_t len)
{
    drh_status st = m->host->sink_write(m->result, 0, p, len);
    m->written += len;
    return st == DRH_OK ? st : drh_fail(m->e, st, "cannot write the conversations");
}

static drh_status put_entry(struct merge *m, const uint8_t place[TREES_PLACE], uint64_t what)
{
    uint8_t item[TREES_ENTRY];
    memcpy(item, place, TREES_PLACE);
    sort_put64(item + TREES_PLACE, what);
    return sort_put(m->entries, item, m->e);
}

/* The address of every note with the digest of its tree. */
static drh_status read_trees(struct merge *m)
{
    uint64_t       at = 0;
    const uint64_t end = m->notes.start[m->notes.n];
    drh_status     st = DRH_OK;
    while (st == DRH_OK && at < end) {
        struct trees_note note;
        uint8_t           item[TREE_ITEM];
        if (m->host->cancelled(m->host)) {
            return drh_fail(m->e, DRH_E_CANCELLED, "stopped");
        }
        st = notes_read(&m->notes, at, &note, sizeof(note), m->e);
        if (st != DRH_OK) {
            return st;
        }
        if (note.size < sizeof(note) || note.size > end - at || note.size % 8 != 0) {
            return drh_fail(m->e, DRH_E_DATA, NOTES_DAMAGED);
        }
        memcpy(item, note.tree, sizeof(note.tree));
        sort_put64(item + 16, at);
        st = sort_put(m->trees, item, m->e);
        at += note.size;
    }
    return st;
}

/* ---- one tree ------------------------------------------------------------------------------ */

/* Reads the tree's notes into memory; *fits false: there is not enough of it. */
static drh_status load(struct merge *m, bool *fits)
{
    const uint64_t *at = (const void *)m->at.ptr;
    const size_t    n = m->at.len / sizeof(*at);
    drh_status      st = DRH_OK;
    m->tree.bytes.len = 0;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        struct trees_note note;
        st = notes_read(&m->notes, at[i], &note, sizeof(note), m->e);
        if (st != DRH_OK) {
            return st;
        }
        *fits = note.size + sizeof(struct trees_node) * (i + 1) <= m->o->memory - m->tree.bytes.len;
        if (!*fits) {
            return DRH_OK;
        }
        if (trees_add(&m->tree.bytes, &note, sizeof(note)) != DRH_OK) {
            return no_memory(m);
        }
        /* room for the rest, then read in place */
        for (size_t left = (size_t)note.size - sizeof(note); left > 0 && st == DRH_OK;) {
            uint8_t some[4096];
            size_t  len = left < sizeof(some) ? left : sizeof(some);
            st = notes_read(&m->notes, at[i] + note.size - left, some, len, m->e);
            if (st == DRH_OK && trees_add(&m->tree.bytes, some, len) != DRH_OK) {
                return no_memory(m);
            }
            left -= len;
        }
    }
    return st;
}

static drh_status too_large(struct merge *m)
{
    const uint64_t *at = (const void *)m->at.ptr;
    const size_t    n = m->at.len / sizeof(*at);
    drh_status      st = DRH_OK;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        struct trees_note note;
        st = notes_read(&m->notes, at[i], &note, sizeof(note), m->e);
        st = st == DRH_OK ? put_entry(m, note.place, TREES_TOO_LARGE) : st;
    }
    return st;
}

static drh_status one_root(struct merge *m, size_t i, const uint8_t place[TREES_PLACE])
{
    const uint64_t where = m->written;
    drh_status     st = trees_paths(&m->tree, i, m->o->paths);
    if (st != DRH_OK) {
        return no_memory(m);
    }
    if (m->tree.n_paths == 0) {
        return put_entry(m, place, TREES_NO_ANSWER);
    }
    st = put(m, &m->tree.n_paths, sizeof(m->tree.n_paths));
    st = st == DRH_OK ? put(m, m->tree.json.ptr, m->tree.json.len) : st;
    return st == DRH_OK ? put_entry(m, place, where) : st;
}

/* The tree whose notes' addresses are in m->at. */
static drh_status one_tree(struct merge *m)
{
    bool       fits = true;
    drh_status st = load(m, &fits);
    if (st != DRH_OK) {
        return st;
    }
    if (!fits) {
        return too_large(m);
    }
    st = trees_build(&m->tree);
    if (st != DRH_OK) {
        return st == DRH_E_NOMEM ? no_memory(m) : drh_fail(m->e, st, NOTES_DAMAGED);
    }
    for (size_t i = 0; st == DRH_OK && i < trees_count(&m->tree); i++) {
        const struct trees_node *x = &trees_nodes(&m->tree)[i];
        struct trees_note        note;
        if (m->host->cancelled(m->host)) {
            return drh_fail(m->e, DRH_E_CANCELLED, "stopped");
        }
        memcpy(&note, m->tree.bytes.ptr + x->note, sizeof(note));
        if (x->up == TREES_ROOT) {
            st = one_root(m, i, note.place);
        } else if (x->outcome != TREES_PATHS) {
            st = put_entry(m, note.place, x->outcome);
        }
    }
    return st;
}

static drh_status every_tree(struct merge *m)
{
    uint8_t    item[TREE_ITEM], last[16] = {0};
    drh_status more, st = DRH_OK;
    while (st == DRH_OK && (more = sort_next(m->trees, item, m->e)) != DRH_END) {
        const uint64_t at = sort_get64(item + 16);
        if (more != DRH_OK) {
            return more;
        }
        if (m->at.len > 0 && memcmp(item, last, sizeof(last)) != 0) {
            st = one_tree(m);
            m->at.len = 0;
        }
        memcpy(last, item, sizeof(last));
        if (st == DRH_OK && trees_add(&m->at, &at, sizeof(at)) != DRH_OK) {
            return no_memory(m);
        }
    }
    return st == DRH_OK && m->at.len > 0 ? one_tree(m) : st;
}

/* ---- the call ------------------------------------------------------------------------------ */

static drh_status write_entries(struct merge *m)
{
    struct trees_end end = {TREES_MAGIC, m->written, 0};
    uint8_t          item[TREES_ENTRY];
    drh_status       st = DRH_OK, more;
    while (st == DRH_OK && (more = sort_next(m->entries, item, m->e)) != DRH_END) {
        st = more == DRH_OK ? put(m, item, sizeof(item)) : more;
        end.n_entries++;
    }
    return st == DRH_OK ? put(m, &end, sizeof(end)) : st;
}

drh_status trees_merge(void *self, const char *const *notes, size_t n, drh_sink *result,
                       drh_error *e)
{
    static const uint8_t head[TREES_HEAD] = "trees 1";
    const struct trees  *o = self;
    const drh_host      *h = o->host;
    struct merge         m = {.o = o, .host = h, .e = e, .result = result, .at = {.host = h}};
    drh_status           st = notes_open(&m.notes, h, notes, n, e);

    m.tree.host = m.tree.bytes.host = m.tree.nodes.host = m.tree.order.host = h;
    m.tree.stack.host = m.tree.path.host = m.tree.json.host = h;
    notes_folder(notes, n, m.folder, sizeof(m.folder));
    if (st == DRH_OK) {
        m.trees = sort_new(h, m.folder, TREE_ITEM, o->memory / 2);
        m.entries = sort_new(h, m.folder, TREES_ENTRY, o->memory / 2);
        st = m.trees && m.entries ? DRH_OK : no_memory(&m);
    }
    st = st == DRH_OK ? put(&m, head, sizeof(head)) : st;
    st = st == DRH_OK ? read_trees(&m) : st;
    st = st == DRH_OK ? every_tree(&m) : st;
    st = st == DRH_OK ? write_entries(&m) : st;
    sort_free(m.trees);
    sort_free(m.entries);
    trees_tree_free(&m.tree);
    trees_buf_free(&m.at);
    notes_close(&m.notes);
    return st;
}
