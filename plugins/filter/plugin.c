/* SPDX-License-Identifier: MIT
 *
 * plugin.c - the tables of filter.so.
 */
#include "filter.h"

/* Steps of one match, and KiB that it may use: a hostile text must not stop a run. */
enum { MATCH_LIMIT = 5000000, HEAP_LIMIT = 64 << 10 };

static void *take(PCRE2_SIZE size, void *host)
{
    const drh_host *h = host;
    return h->alloc(h, NULL, size);
}

static void give(void *p, void *host)
{
    const drh_host *h = host;
    (void)h->alloc(h, p, 0);
}

static void destroy(void *self)
{
    struct filter  *f = self;
    const drh_host *h = f->host;
    filter_forget(f);
    pcre2_match_context_free(f->limits);
    pcre2_general_context_free(f->memory);
    (void)h->alloc(h, f, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct filter *f = h->alloc(h, NULL, sizeof(*f));
    drh_status     st;

    if (!f) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(f, 0, sizeof(*f));
    f->host = h;
    f->conversations = drh_field_of(h, "conversations");
    f->messages = drh_field_of(h, "messages");
    f->system = drh_field_of(h, "system");
    f->memory = pcre2_general_context_create(take, give, (void *)(uintptr_t)h);
    f->limits = f->memory ? pcre2_match_context_create(f->memory) : NULL;
    st = f->conversations && f->messages && f->system && f->limits
             ? filter_options(f, c, e)
             : drh_fail(e, DRH_E_NOMEM, "out of memory");
    if (st != DRH_OK) {
        destroy(f);
        return st;
    }
    (void)pcre2_set_match_limit(f->limits, MATCH_LIMIT);
    (void)pcre2_set_heap_limit(f->limits, HEAP_LIMIT);
    *self = f;
    return DRH_OK;
}

static void close_worker(void *self, void *worker)
{
    const struct filter  *f = self;
    struct filter_worker *w = worker;
    const drh_host       *h = f->host;

    pcre2_match_data_free(w->found);
    (void)h->alloc(h, w->turn, 0);
    (void)h->alloc(h, w->all, 0);
    (void)h->alloc(h, w, 0);
}

static drh_status open_worker(void *self, uint32_t index, void **worker, drh_error *e)
{
    const struct filter  *f = self;
    struct filter_worker *w = f->host->alloc(f->host, NULL, sizeof(*w));

    (void)index;
    if (!w) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(w, 0, sizeof(*w));
    w->f = f;
    w->found = pcre2_match_data_create(1, f->memory); /* only whether, not where */
    if (!w->found) {
        close_worker(self, w);
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    *worker = w;
    return DRH_OK;
}

static const drh_life life = {sizeof(drh_life), 0,   create, destroy, open_worker,
                              close_worker,     NULL};

static const drh_map_ops map = {.struct_size = sizeof(drh_map_ops), .process = filter_process};

static const drh_stage filter = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_PREPROCESSOR,
    .id = "filter",
    .version = "1.0.0",
    .summary = "keeps or drops records by lengths, languages, expressions and numbers",
    .config_schema = filter_schema,
    .threading = DRH_WORKERS,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC | DRH_WANTS_CANONICAL,
    .life = &life,
    .ops.map = &map,
};

static const drh_stage *const stages[] = {&filter};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "filter",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};

DRH_PLUGIN_NOTE(0, "preprocessor filter 1.0.0\n");
