/* SPDX-License-Identifier: MIT
 * rows.c - see rows.h. */
#include "rows.h"

#include "crash.h"
#include "err.h"
#include "hash.h"
#include "mem.h"
#include "record_impl.h"

#include <string.h>

struct rows {
    struct instance *in;
    char            *path;   /* owned */
    void            *stream; /* the plugin's; closed when `open` */
    bool             open, over;
    uint64_t         row, since; /* the next one; rows since it was opened */
    struct row_mark  start;
    char             damage[sizeof(((drh_error *)0)->message)]; /* not given out yet */
};

/* One call into the plugin, on the thread where it has to be. */
struct rows_call {
    struct rows         *r;
    const struct origin *origin;
    drh_record          *slot;
    drh_str              position;
    drh_error           *e;
    drh_status           st;
};

static void do_open(void *arg)
{
    struct rows_call *c = arg;
    c->st = c->r->in->stage->ops.reader.open(c->r->in->self, c->r->path, &c->position,
                                             &c->r->stream, c->e);
}

static void do_next(void *arg)
{
    struct rows_call *c = arg;
    crash_note(c->r->in->step, c->origin->file.ptr, c->origin->file.len, c->r->row);
    c->st = c->r->in->stage->ops.reader.next(c->r->in->self, c->r->stream, c->slot, c->e);
    crash_note(NULL, NULL, 0, 0);
}

static void do_tell(void *arg)
{
    struct rows_call *c = arg;
    c->st = c->r->in->stage->ops.reader.tell(c->r->in->self, c->r->stream, &c->position, c->e);
}

static void do_close(void *arg)
{
    struct rows_call *c = arg;
    c->r->in->stage->ops.reader.close(c->r->in->self, c->r->stream);
}

static drh_status failed(const struct rows *r, drh_status st, drh_error *e)
{
    st = stage_error(r->in, st, e);
    err_prefix(e, "reader %s", r->in->step);
    return st;
}

/* What the reader can say of the rest of the file is that it is damaged. */
static void note_damage(struct rows *r, const drh_error *e)
{
    (void)snprintf(r->damage, sizeof(r->damage), "%s",
                   e->message[0] ? e->message : "the reader cannot read on; it gave no reason");
    r->over = true;
}

/* ---- positions ---- */

/* DRH_OK with len 0: the reader cannot tell. */
static drh_status ask_position(struct rows *r, struct row_mark *mark, drh_error *e)
{
    struct rows_call c = {.r = r, .position = {NULL, 0}, .e = e};

    mark->len = 0;
    e->message[0] = '\0';
    instance_call(r->in, do_tell, &c);
    if (c.st == DRH_E_UNSUPPORTED) {
        return DRH_OK;
    }
    if (c.st != DRH_OK) {
        return failed(r, c.st, e);
    }
    if (c.position.len > sizeof(mark->bytes) || (c.position.len && !c.position.ptr)) {
        return err_set(e, DRH_E_INTERNAL,
                       "reader %s: tell() gave a position of %zu bytes, and %zu is the most",
                       r->in->step, c.position.len, sizeof(mark->bytes));
    }
    if (c.position.len) {
        memcpy(mark->bytes, c.position.ptr, c.position.len);
    }
    mark->len = (uint32_t)c.position.len;
    return DRH_OK;
}

static bool same_mark(const struct row_mark *a, const struct row_mark *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* A reader that starts at the beginning again would give the same rows for ever. */
static drh_status check_start(struct rows *r, drh_error *e)
{
    struct row_mark now;
    drh_status      st = ask_position(r, &now, e);

    if (st == DRH_OK && !same_mark(&now, &r->start)) {
        st = err_set(e, DRH_E_INTERNAL,
                     "reader %s does not open %s at the position that it gave: tell() after open() "
                     "says something else",
                     r->in->step, r->path);
    }
    return st;
}

drh_status rows_tell(struct rows *r, struct row_mark *mark, drh_error *e)
{
    drh_status st;

    mark->len = 0;
    if (r->over) {
        return DRH_OK;
    }
    st = ask_position(r, mark, e);
    if (st == DRH_OK && r->since && mark->len && same_mark(mark, &r->start)) {
        st = err_set(e, DRH_E_INTERNAL,
                     "reader %s: tell() gives the position where it began, %llu rows ago",
                     r->in->step, (unsigned long long)r->since);
    }
    return st;
}

/* ---- opening ---- */

/* Without a position: past the rows before the one that is wanted. */
static drh_status pass_rows(struct rows *r, uint64_t to, drh_error *e)
{
    static const struct origin nowhere = {.file = {"", 0}};
    struct arena              *a = arena_new();
    drh_status                 st = a ? DRH_OK : err_nomem(e, "a reader");

    while (st == DRH_OK && r->row < to) {
        struct input_item  item;
        struct drh_record *rec;

        st = rows_next(r, a, &nowhere, 0, &item, &rec, e);
        arena_reset(a);
    }
    arena_free(a);
    if (st == DRH_END) {
        st = err_set(e, DRH_E_DATA, "reader %s: the file had more rows before", r->in->step);
    }
    return st;
}

static drh_status open_stream(struct rows *r, uint64_t row, drh_error *e)
{
    struct rows_call c = {.r = r, .e = e};
    drh_status       st = DRH_OK;

    if (r->start.len) {
        c.position = (drh_str){(const char *)r->start.bytes, r->start.len};
    }
    e->message[0] = '\0';
    instance_call(r->in, do_open, &c);
    if (c.st == DRH_E_DATA && row == 0) {
        note_damage(r, e);
        return DRH_OK;
    }
    if (c.st != DRH_OK) {
        return failed(r, c.st, e);
    }
    r->open = true;
    if (r->start.len) {
        r->row = row;
        st = check_start(r, e);
    } else if (row) {
        st = pass_rows(r, row, e);
    }
    r->since = 0;
    return st;
}

drh_status rows_open(struct rows **out, struct instance *in, const char *path, uint64_t row,
                     const struct row_mark *mark, drh_error *e)
{
    struct rows *r = mem_alloc(1, sizeof(*r));
    drh_status   st = r ? DRH_OK : err_nomem(e, "a reader");

    *out = NULL;
    if (st == DRH_OK) {
        r->in = in;
        r->start = *mark;
        r->path = mem_dupz(path);
        st = r->path ? DRH_OK : err_nomem(e, "a reader");
    }
    st = st == DRH_OK ? open_stream(r, row, e) : st;
    if (st != DRH_OK) {
        rows_close(r);
        return st;
    }
    *out = r;
    return DRH_OK;
}

void rows_close(struct rows *r)
{
    struct rows_call c = {.r = r};

    if (!r) {
        return;
    }
    if (r->open) {
        instance_call(r->in, do_close, &c);
    }
    mem_free(r->path);
    mem_free(r);
}

/* ---- rows ---- */

static size_t size_of(const struct drh_record *rec)
{
    size_t n = sizeof(*rec);

    for (uint32_t i = 0; i < rec->n_members; i++) {
        n += rec->members[i].m.key_len + rec->members[i].m.val_len + sizeof(struct member);
    }
    return n;
}

static void begin_item(struct rows *r, struct input_item *item)
{
    memset(item, 0, sizeof(*item));
    item->row = r->row++;
    item->line = r->row; /* what people count from 1 */
    r->since++;
}

static struct drh_record *new_slot(const struct rows *r, struct arena *a, const struct origin *o,
                                   uint64_t key)
{
    struct drh_record *slot = record_new(a);

    if (slot) {
        slot->origin = o;
        slot->row = r->row;
        slot->line = r->row + 1;
        slot->uid = mix64(key, r->row);
        slot->step_seed = mix64(mix64(r->in->env->seed, r->in->step_hash), slot->uid);
    }
    return slot;
}

/* The slot after an answer that was DRH_OK. */
static drh_status settle(const struct rows *r, struct drh_record *slot, struct input_item *item,
                         drh_error *e)
{
    static const char open_row[] = "the reader neither kept, dropped nor failed this row";
    static const char long_row[] = "the record is longer than 64 MiB";
    drh_status        st = DRH_OK;

    if (slot->first_child) {
        return err_set(e, DRH_E_ARG, "reader %s: adds records to a row; each comes by next()",
                       r->in->step);
    }
    item->len = size_of(slot);
    if (slot->settled == REC_OPEN) {
        st = record_settle(slot, REC_FAILED, "unsettled", DRH_LIT(open_row));
    } else if (slot->settled == REC_KEPT && item->len > INPUT_MAX_RECORD) {
        slot->settled = REC_OPEN;
        st = record_settle(slot, REC_FAILED, "row_too_long", DRH_LIT(long_row));
    }
    return st == DRH_OK ? DRH_OK : err_nomem(e, "a row");
}

/* The one failed row that stands for the rest of the file. */
static drh_status give_damage(struct rows *r, struct drh_record *slot, struct input_item *item,
                              drh_error *e)
{
    drh_status st = record_settle(slot, REC_FAILED, "damaged_file", r->damage, strlen(r->damage));

    begin_item(r, item);
    r->damage[0] = '\0';
    return st == DRH_OK ? DRH_OK : err_nomem(e, "a row");
}

drh_status rows_next(struct rows *r, struct arena *a, const struct origin *o, uint64_t key,
                     struct input_item *item, struct drh_record **rec, drh_error *e)
{
    struct rows_call c = {.r = r, .origin = o, .e = e};

    if (r->over && !r->damage[0]) {
        return DRH_END;
    }
    if (run_cancelled()) {
        return err_set(e, DRH_E_CANCELLED, "stopped");
    }
    *rec = c.slot = new_slot(r, a, o, key);
    if (!c.slot) {
        return err_nomem(e, "a row");
    }
    if (r->over) {
        return give_damage(r, c.slot, item, e);
    }
    e->message[0] = '\0';
    instance_call(r->in, do_next, &c);
    if (c.st == DRH_END) {
        r->over = true;
        return DRH_END;
    }
    if (c.st == DRH_E_DATA) {
        note_damage(r, e);
        *rec = new_slot(r, a, o, key); /* whatever the reader did to the other one */
        return *rec ? give_damage(r, *rec, item, e) : err_nomem(e, "a row");
    }
    if (c.st != DRH_OK) {
        return failed(r, c.st, e);
    }
    begin_item(r, item);
    return settle(r, c.slot, item, e);
}
