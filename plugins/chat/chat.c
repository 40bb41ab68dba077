/* SPDX-License-Identifier: MIT
 *
 * chat.c - preprocessor "chat": any SFT dialect to the canonical record.  The life of an instance,
 * and the call for each record.  The host calls process() on worker threads; struct chat
 * is read-only after create().
 */
#include "chat.h"

static void destroy(void *self)
{
    struct chat *s = self;
    chat_tell_free(s);
    (void)s->host->alloc(s->host, s, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct chat *s = h->alloc(h, NULL, sizeof(*s));
    drh_status   st;
    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(s, 0, sizeof(*s));
    s->host = h;
    st = chat_options(s, c, e);
    if (st == DRH_OK && chat_tell_new(s) != DRH_OK) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    if (st != DRH_OK) {
        destroy(s);
        return st;
    }
    *self = s;
    return DRH_OK;
}

static drh_status open_worker(void *self, uint32_t index, void **worker, drh_error *e)
{
    const struct chat  *s = self;
    struct chat_worker *w = s->host->alloc(s->host, NULL, sizeof(*w));
    (void)index;
    if (!w) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(w, 0, sizeof(*w));
    w->chat = s;
    w->host = s->host;
    *worker = w;
    return DRH_OK;
}

static void close_worker(void *self, void *worker)
{
    struct chat_worker *w = worker;
    const drh_host     *h = w->host;
    (void)self;
    chat_written_reset(w);
    chat_mem_free(w);
    (void)h->alloc(h, w->turns, 0);
    (void)h->alloc(h, w->parts, 0);
    (void)h->alloc(h, w, 0);
}

static void reset(struct chat_worker *w)
{
    chat_written_reset(w);
    chat_mem_reset(w);
    w->n_turns = w->n_used = w->input_from = 0;
    w->as_is = w->has_system = w->system_in_place = w->drop = false;
    w->reason[0] = w->detail[0] = 0;
}

static drh_status one(struct chat_worker *w, drh_record *r, drh_error *e)
{
    const drh_record_api *api = w->host->records;
    drh_status            st;
    reset(w);
    st = chat_collect(w, r);
    if (st == DRH_OK) {
        st = chat_think(w, r);
    }
    if (st == DRH_OK) {
        st = chat_tidy(w);
    }
    if (st == DRH_OK) {
        st = chat_write(w, r);
    }
    if (st == DRH_OK) {
        return api->keep(r);
    }
    if (st != DRH_E_DATA || w->reason[0] == 0) {
        return drh_fail(e, st,
                        st == DRH_E_NOMEM ? "out of memory" : "the record cannot be changed");
    }
    return (w->drop ? api->drop : api->fail)(r, w->reason, w->detail, strlen(w->detail));
}

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    size_t i;
    (void)self;
    for (i = 0; i < n; i++) {
        drh_status st = one(worker, r[i], e);
        if (st != DRH_OK) {
            if (e) {
                e->record = (int64_t)i;
            }
            return st;
        }
    }
    return DRH_OK;
}

static const drh_life life = {sizeof(drh_life), 0,   create, destroy, open_worker,
                              close_worker,     NULL};

static const drh_map_ops ops = {.struct_size = sizeof(drh_map_ops), .process = process};

static const drh_stage chat = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_PREPROCESSOR,
    .id = "chat",
    .version = "1.0.0",
    .summary = "any SFT dialect to the canonical record",
    .config_schema = chat_schema,
    .threading = DRH_WORKERS,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC | DRH_GIVES_CANONICAL,
    .life = &life,
    .ops.map = &ops,
};

static const drh_stage *const stages[] = {&chat};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "chat",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};

DRH_PLUGIN_NOTE(0, "preprocessor chat 1.0.0 canonical\n");
