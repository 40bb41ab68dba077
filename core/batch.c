/* SPDX-License-Identifier: MIT
 * batch.c - see batch.h. */
#include "batch.h"

#include "bytes.h"
#include "crash.h"
#include "err.h"
#include "field.h"
#include "hash.h"
#include "mem.h"
#include "origin.h"
#include "record_impl.h"

#include <math.h>
#include <string.h>

struct batch_item {
    size_t                  off, len;
    uint64_t                row, line, from_line;
    drh_str                 from;
    const struct feed_file *file;
    const char             *code;    /* refused */
    const char             *message; /* arena */
    struct drh_record      *rec;     /* a reader's, settled; NULL: made from the text */
};

static const struct origin nowhere; /* of what a stage adds at a shard's end */

struct batch *batch_new(size_t n_steps)
{
    struct batch *b = mem_alloc(1, sizeof(*b));

    if (!b) {
        return NULL;
    }
    buf_init(&b->text, (size_t)INPUT_MAX_RECORD * 2);
    buf_init(&b->out, BATCH_OUT_MAX);
    buf_init(&b->rejects, BATCH_OUT_MAX);
    buf_init(&b->scores, BATCH_OUT_MAX);
    b->arena = arena_new();
    b->n_counts = n_steps + 1;
    b->counts = mem_alloc(b->n_counts, sizeof(*b->counts));
    if (!b->arena || !b->counts) {
        batch_free(b);
        return NULL;
    }
    return b;
}

void batch_free(struct batch *b)
{
    if (!b) {
        return;
    }
    for (size_t i = 0; b->counts && i < b->n_counts; i++) {
        counts_free(&b->counts[i]);
    }
    mem_free(b->counts);
    arena_free(b->arena);
    buf_free(&b->text);
    buf_free(&b->out);
    buf_free(&b->rejects);
    buf_free(&b->scores);
    mem_free(b);
}

void batch_reset(struct batch *b, uint64_t seq)
{
    arena_reset(b->arena);
    buf_reset(&b->text);
    buf_reset(&b->out);
    buf_reset(&b->rejects);
    buf_reset(&b->scores);
    for (size_t i = 0; i < b->n_counts; i++) {
        counts_free(&b->counts[i]);
    }
    b->seq = seq;
    b->last = false;
    b->item = NULL;
    b->rec = NULL;
    b->n_items = b->n_rec = 0;
    b->n_read = b->n_out = 0;
    b->made = 0;
    b->written = false;
    b->st = DRH_OK;
    b->error = (drh_error)ERR_INIT;
}

static drh_status take_item(struct batch *b, const struct feed_item *from)
{
    struct batch_item       *it = &b->item[b->n_items];
    const struct input_item *in = &from->in;

    memset(it, 0, sizeof(*it));
    it->row = in->row;
    it->line = in->line;
    it->from = from->from;
    it->from_line = from->from_line;
    it->file = from->file;
    it->off = b->text.len;
    it->len = in->len;
    if (from->rec) {
        it->rec = from->rec;
        b->made += in->len;
        return DRH_OK;
    }
    if (in->code) {
        it->code = in->code;
        it->message = arena_dup(b->arena, in->message, strlen(in->message));
        return it->message ? DRH_OK : DRH_E_NOMEM;
    }
    return in->text ? buf_add(&b->text, in->text, in->len) : DRH_OK;
}

struct fill_call {
    struct batch *b;
    struct feed  *f;
    size_t        max, bytes;
    drh_error    *e;
    drh_status    st;
};

static void do_fill(void *arg)
{
    struct fill_call *c = arg;
    struct batch     *b = c->b;

    while (b->n_items < c->max && b->text.len + b->made < c->bytes) {
        struct feed_item item;

        c->st = feed_next(c->f, b->arena, &item, c->e);
        if (c->st != DRH_OK) {
            break;
        }
        if (take_item(b, &item) != DRH_OK) {
            c->st = err_nomem(c->e, "a batch");
            break;
        }
        b->n_items++;
    }
}

drh_status batch_fill(struct batch *b, struct feed *f, size_t max, size_t bytes, drh_error *e)
{
    struct fill_call call = {.b = b, .f = f, .max = max, .bytes = bytes, .e = e};
    struct instance *in = feed_instance(f);

    b->slot_origin = f->slot_origin;
    b->item = arena_alloc(b->arena, max * sizeof(*b->item));
    if (!b->item) {
        return err_nomem(e, "a batch");
    }
    if (in) { /* a PINNED reader's thread is entered once for all of it */
        instance_call(in, do_fill, &call);
    } else {
        do_fill(&call);
    }
    if (call.st != DRH_OK && call.st != DRH_END) {
        return call.st;
    }
    b->n_read = b->n_items;
    return b->n_items ? DRH_OK : DRH_END;
}

/* ---- rejects ---- */

static drh_status put_field(struct buf *out, const char *key, const char *p, size_t n)
{
    drh_status st;

    if (n == 0) {
        return DRH_OK;
    }
    st = buf_adds(out, out->ptr[out->len - 1] == '{' ? "\"" : ",\"");
    st = st == DRH_OK ? buf_adds(out, key) : st;
    st = st == DRH_OK ? buf_adds(out, "\":") : st;
    return st == DRH_OK ? json_quote(out, p, n) : st;
}

drh_status reject_line(struct buf *out, const char *step, bool failed, const char *reason,
                       drh_str detail, const struct origin *o, uint64_t row, uint64_t line,
                       drh_str id)
{
    drh_status st = buf_addc(out, '{');

    o = o ? o : &nowhere;
    st = st == DRH_OK ? put_field(out, "id", id.ptr, id.len) : st;
    st = st == DRH_OK ? put_field(out, "domain", o->domain.ptr, o->domain.len) : st;
    st = st == DRH_OK ? put_field(out, "dataset", o->dataset.ptr, o->dataset.len) : st;
    st = st == DRH_OK ? put_field(out, "file", o->file.ptr, o->file.len) : st;
    st = st == DRH_OK ? put_field(out, "step", step, strlen(step)) : st;
    st = st == DRH_OK ? put_field(out, "outcome", failed ? "failed" : "dropped", failed ? 6 : 7)
                      : st;
    st = st == DRH_OK ? put_field(out, "reason", reason, strlen(reason)) : st;
    st = st == DRH_OK ? put_field(out, "detail", detail.ptr, detail.len) : st;
    if (st == DRH_OK && row != NO_ROW) {
        st = buf_addf(out, ",\"row\":%llu", (unsigned long long)row);
    }
    return st == DRH_OK ? buf_addf(out, ",\"line\":%llu}\n", (unsigned long long)line) : st;
}

static drh_status reject_item(struct batch *b, const struct batch_item *it, const char *code,
                              const char *message)
{
    drh_status st = counts_reason(&b->counts[0], code, true, 1);

    return st == DRH_OK ? reject_line(&b->rejects, "read", true, code, drh_str_of(message),
                                      &it->file->origin, it->row, it->line, drh_str_of(""))
                        : st;
}

/* ---- reading ---- */

/* What a reader made of a row. */
static drh_status take_row(struct batch *b, const struct batch_item *it)
{
    const struct drh_record *r = it->rec;
    bool                     bad = r->settled == REC_FAILED;
    drh_status               st;

    if (r->settled == REC_KEPT) {
        b->rec[b->n_rec++] = it->rec;
        b->counts[0].out++;
        b->counts[0].mended += r->mended;
        return DRH_OK;
    }
    st = counts_reason(&b->counts[0], r->reason, bad, 1);
    return st == DRH_OK ? reject_line(&b->rejects, "read", bad, r->reason, r->detail, r->origin,
                                      r->row, r->line, record_id(r))
                        : st;
}

/* A record that was refused, without what may be mended; what it is refused for stays as it was. */
static drh_status parse_mended(struct batch *b, const struct batch_item *it, struct drh_record *r)
{
    const char *text = b->text.ptr + it->off;
    size_t      len = it->len;
    drh_status  st = json_mend(b->arena, &text, &len);

    if (st == DRH_OK) {
        st = record_parse(r, text, len, NULL);
    }
    b->counts[0].mended += st == DRH_OK;
    return st;
}

static drh_status parse_item(struct batch *b, const struct batch_item *it)
{
    struct drh_record *r;
    struct json_err    je;
    drh_status         st;

    if (it->rec) {
        return take_row(b, it);
    }
    if (it->code) {
        return reject_item(b, it, it->code, it->message);
    }
    r = record_blank(b->arena);
    if (!r) {
        return DRH_E_NOMEM;
    }
    r->origin = &it->file->origin;
    r->row = it->row;
    r->line = it->line;
    r->from = it->from;
    r->from_line = it->from_line;
    r->uid = mix64(it->file->key, it->row);
    st = record_parse(r, b->text.ptr + it->off, it->len, &je);
    if (st == DRH_E_DATA && strcmp(je.code, "bad_json") == 0) {
        st = parse_mended(b, it, r);
    }
    if (st == DRH_E_DATA) {
        return reject_item(b, it, je.code, je.message);
    }
    if (st == DRH_OK) {
        b->rec[b->n_rec++] = r;
        b->counts[0].out++;
    }
    return st;
}

static drh_status slot_record(struct batch *b, const struct batch_item *it)
{
    struct drh_record *r = record_new(b->arena);

    if (!r) {
        return DRH_E_NOMEM;
    }
    r->origin = b->slot_origin;
    r->row = r->slot = it->row;
    r->uid = mix64(0x51075ull, it->row);
    b->rec[b->n_rec++] = r;
    b->counts[0].out++;
    return DRH_OK;
}

drh_status batch_parse(struct batch *b)
{
    b->rec = arena_alloc(b->arena, (b->n_items + 1) * sizeof(*b->rec));
    if (!b->rec) {
        return err_nomem(&b->error, "a batch");
    }
    b->counts[0].in = b->n_items;
    for (size_t i = 0; i < b->n_items; i++) {
        const struct batch_item *it = &b->item[i];
        drh_status               st = it->file ? parse_item(b, it) : slot_record(b, it);

        if (st != DRH_OK) {
            return st == DRH_E_NOMEM ? err_nomem(&b->error, "records") : st;
        }
    }
    return DRH_OK;
}

/* ---- steps ---- */

void record_enter_step(drh_record *r, const struct chain *c, const struct chain_step *s)
{
    uint64_t step = s->in ? s->in->step_hash : 0;

    record_reopen(r, mix64(mix64(c->seed, step), r->uid));
}

/* The next record of the tree under top, depth first; NULL after the last. */
static drh_record *next_in_tree(drh_record *r, const drh_record *top)
{
    if (r->first_child) {
        return r->first_child;
    }
    while (r != top) {
        if (r->next_sibling) {
            return r->next_sibling;
        }
        r = r->parent;
    }
    return NULL;
}

/* The record's raw row "FILE:LINE", as an earlier step noted it; false: it did not. */
static bool raw_row(const struct drh_record *r, drh_str *file, uint64_t *line)
{
    drh_field f = field_intern("/metadata/src", 13);
    drh_str   src;
    uint64_t  n = 0, unit = 1;
    size_t    at;

    if (f == DRH_FIELD_NONE || record_get_str(r, f, &src) != DRH_OK) {
        return false;
    }
    for (at = src.len; at > 0 && src.ptr[at - 1] >= '0' && src.ptr[at - 1] <= '9'; at--) {
        n += (uint64_t)(src.ptr[at - 1] - '0') * unit;
        unit *= 10;
    }
    if (at < 2 || src.ptr[at - 1] != ':' || src.len - at == 0 || src.len - at > 18) {
        return false;
    }
    *file = (drh_str){src.ptr, at - 1};
    *line = n;
    return true;
}

static drh_status reject_record(struct batch *b, const char *step, const struct drh_record *r)
{
    struct origin o = r->origin ? *r->origin : nowhere;
    uint64_t      row = r->row, line = r->line;

    if (o.between && (raw_row(r, &o.file, &line) || origin_of(r, &o.file, &line) == DRH_OK)) {
        row = NO_ROW;
    }
    return reject_line(&b->rejects, step, r->settled == REC_FAILED, r->reason, r->detail, &o, row,
                       line, record_id(r));
}

static drh_status gather_one(struct batch *b, const struct chain_step *s, struct counts *c,
                             drh_record *r, drh_record **live, size_t *n_live)
{
    drh_status st;
    bool       failed;

    if (r->settled == REC_OPEN) {
        st = record_settle(r, REC_FAILED, "unsettled",
                           DRH_LIT("the stage neither kept, dropped nor "
                                   "failed this record"));
        if (st != DRH_OK) {
            return st;
        }
    }
    if (r->settled == REC_KEPT) {
        live[(*n_live)++] = r;
        c->out++;
        return DRH_OK;
    }
    failed = r->settled == REC_FAILED;
    st = counts_reason(c, r->reason, failed, 1);
    return st == DRH_OK ? reject_record(b, s->id, r) : st;
}

/* Children take place and origin of their parent; their uids follow from it. */
static void adopt(drh_record *child, uint64_t ordinal)
{
    child->origin = child->parent->origin;
    child->row = child->parent->row;
    child->line = child->parent->line;
    child->from = child->parent->from;
    child->from_line = child->parent->from_line;
    child->uid = mix64(child->parent->uid, ordinal);
}

drh_status batch_gather(struct batch *b, const struct chain *c, size_t at, drh_record *const *r,
                        size_t n)
{
    const struct chain_step *s = &c->step[at];
    struct counts           *counts = &b->counts[at + 1];
    drh_record             **live;
    size_t                   total = 0, n_live = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t ordinal = 0; /* by record: what others have does not change its children */
        for (drh_record *x = next_in_tree(r[i], r[i]); x; x = next_in_tree(x, r[i])) {
            adopt(x, ++ordinal);
        }
        total += 1 + ordinal;
    }
    counts->in += n;
    counts->added += total - n;
    live = arena_alloc(b->arena, (total + 1) * sizeof(*live));
    if (!live) {
        return DRH_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        for (drh_record *x = r[i], *next; x; x = next) {
            drh_status st = gather_one(b, s, counts, x, live, &n_live);
            if (st != DRH_OK) {
                return st;
            }
            next = next_in_tree(x, r[i]);
        }
    }
    b->rec = live;
    b->n_rec = n_live;
    return DRH_OK;
}

struct process_call {
    struct instance   *in;
    uint32_t           w;
    drh_record *const *r;
    size_t             n;
    bool               apply;
    struct drh_sink   *sink;
    drh_error         *e;
    drh_status         st;
};

static void do_process(void *arg)
{
    struct process_call *c = arg;
    const drh_map_ops   *map = &c->in->stage->map;
    void                *worker;

    c->st = c->sink ? DRH_OK : instance_open_worker(c->in, c->w, c->e);
    if (c->st != DRH_OK) {
        return;
    }
    worker = instance_worker(c->in, c->w);
    c->e->record = -1;
    c->e->message[0] = '\0';
    crash_note(c->in->step, c->r[0]->origin->file.ptr, c->r[0]->origin->file.len, c->r[0]->row);
    c->st = c->sink    ? bytes_write(c->in, c->sink, c->r, c->n, c->e)
            : c->apply ? map->apply(c->in->self, worker, c->r, c->n, c->e)
                       : map->process(c->in->self, worker, c->r, c->n, c->e);
    crash_note(NULL, NULL, 0, 0);
}

/* Calls the stage; an E_DATA that names its record fails that record, and the rest are given again.
 */
static drh_status call_stage(struct batch *b, const struct chain_step *s, uint32_t w)
{
    struct process_call call = {.in = s->in,
                                .w = w,
                                .r = b->rec,
                                .n = b->n_rec,
                                .apply = s->apply,
                                .sink = s->sink,
                                .e = &b->error};

    for (;;) {
        size_t      bad;
        drh_record *r;

        instance_call(s->in, do_process, &call);
        if (call.st != DRH_E_DATA || b->error.record < 0 || (uint64_t)b->error.record >= call.n) {
            break;
        }
        bad = (size_t)b->error.record;
        r = call.r[bad];
        if (r->settled == REC_OPEN) {
            call.st = record_settle(r, REC_FAILED, "bad_data", b->error.message,
                                    strlen(b->error.message));
            if (call.st != DRH_OK) {
                return call.st;
            }
        }
        call.r += bad + 1;
        call.n -= bad + 1;
        if (call.n == 0) {
            return DRH_OK;
        }
    }
    return stage_error(s->in, call.st, &b->error);
}

struct flush_call {
    struct instance *in;
    uint32_t         w;
    drh_record      *tail;
    drh_error       *e;
    drh_status       st;
};

static void do_flush(void *arg)
{
    struct flush_call *c = arg;

    c->st = instance_open_worker(c->in, c->w, c->e);
    if (c->st == DRH_OK) {
        c->st = c->in->stage->map.flush(c->in->self, instance_worker(c->in, c->w), c->tail, c->e);
    }
}

/* Appends the tail's children to the live records; the tail itself does not count. */
static drh_status gather_tail(struct batch *b, const struct chain *c, size_t at, drh_record *tail)
{
    drh_record **before = b->rec, **both;
    size_t       n_before = b->n_rec;
    drh_status   st = batch_gather(b, c, at, &tail, 1);

    if (st != DRH_OK) {
        return st;
    }
    b->counts[at + 1].in--;
    b->counts[at + 1].out--;
    both = arena_alloc(b->arena, (n_before + b->n_rec) * sizeof(*both));
    if (!both) {
        return DRH_E_NOMEM;
    }
    if (n_before) {
        memcpy(both, before, n_before * sizeof(*both));
    }
    if (b->n_rec > 1) {
        memcpy(both + n_before, b->rec + 1, (b->n_rec - 1) * sizeof(*both));
    }
    b->rec = both;
    b->n_rec = n_before + b->n_rec - 1;
    return DRH_OK;
}

/* End of a shard: what the stage still has comes as children of a tail that is no record itself. */
static drh_status call_flush(struct batch *b, const struct chain *c, size_t at, uint32_t w)
{
    const struct chain_step *s = &c->step[at];
    struct flush_call        call = {.in = s->in, .w = w, .e = &b->error};
    drh_status               st;

    call.tail = record_new(b->arena);
    if (!call.tail) {
        return DRH_E_NOMEM;
    }
    call.tail->origin = &nowhere;
    record_enter_step(call.tail, c, s);
    instance_call(s->in, do_flush, &call);
    if (call.st != DRH_OK) {
        return stage_error(s->in, call.st, &b->error);
    }
    if (call.tail->settled == REC_OPEN) {
        st = record_settle(call.tail, REC_KEPT, NULL, NULL, 0);
        if (st != DRH_OK) {
            return st;
        }
    }
    return gather_tail(b, c, at, call.tail);
}

static drh_status run_step(struct batch *b, const struct chain *c, size_t at, uint32_t w)
{
    const struct chain_step *s = &c->step[at];
    drh_status               st = DRH_OK;

    if (b->n_rec > 0) {
        for (size_t i = 0; i < b->n_rec; i++) {
            record_enter_step(b->rec[i], c, s);
        }
        st = s->in ? call_stage(b, s, w) : s->own(s->ctx, b->rec, b->n_rec);
        if (st == DRH_OK) {
            st = batch_gather(b, c, at, b->rec, b->n_rec);
        }
    }
    b->written = s->sink != NULL;
    if (st == DRH_OK && b->last && s->in && s->in->stage->map.flush) {
        st = call_flush(b, c, at, w);
    }
    return st;
}

void batch_process(struct batch *b, const struct chain *c, size_t from, size_t to, uint32_t w)
{
    for (size_t i = from; i < to; i++) {
        struct instance *in = c->step[i].in;
        bool             turns = in && in->n_workers == 1 && in->env->workers > 1;

        if (turns) {
            instance_enter(in, b->seq);
        }
        if (b->st == DRH_OK && run_cancelled()) {
            b->st = err_set(&b->error, DRH_E_CANCELLED, "stopped");
        } else if (b->st == DRH_OK) {
            b->st = run_step(b, c, i, w);
            if (b->st == DRH_E_NOMEM && b->error.message[0] == '\0') {
                (void)err_nomem(&b->error, "a batch");
            }
            if (b->st != DRH_OK) {
                err_prefix(&b->error, "step %s", c->step[i].id);
            }
        }
        if (turns) {
            instance_leave(in, b->seq);
        }
    }
}

/* ---- out ---- */

drh_status batch_emit(struct batch *b)
{
    for (size_t i = 0; i < b->n_rec && !b->written; i++) {
        drh_status st = b->traces ? origin_put(&b->out, b->rec[i]) : DRH_OK;
        double     score = (double)NAN;

        st = st == DRH_OK ? record_write(b->rec[i], &b->out) : st;
        st = st == DRH_OK ? buf_addc(&b->out, '\n') : st;
        if (st == DRH_OK && b->score_field != DRH_FIELD_NONE) {
            if (record_api.get_f64(b->rec[i], b->score_field, &score) != DRH_OK) {
                score = (double)NAN;
            }
            st = buf_add(&b->scores, &score, sizeof(score));
        }
        if (st != DRH_OK) {
            return st == DRH_E_RANGE
                       ? err_set(&b->error, st, "a batch grew beyond %d MiB of output",
                                 BATCH_OUT_MAX >> 20)
                       : err_nomem(&b->error, "output");
        }
    }
    b->n_out = b->n_rec;
    return DRH_OK;
}
