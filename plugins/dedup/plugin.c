/* SPDX-License-Identifier: MIT
 *
 * plugin.c - the tables of dedup.so.
 */
#include "dedup.h"

static void destroy(void *self)
{
    struct dedup *d = self;
    dedup_forget(d);
    (void)d->host->alloc(d->host, d, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct dedup *d = h->alloc(h, NULL, sizeof(*d));
    drh_status    st;

    if (!d) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(d, 0, sizeof(*d));
    d->host = h;
    d->conversations = drh_field_of(h, "conversations");
    d->messages = drh_field_of(h, "messages");
    d->system = drh_field_of(h, "system");
    d->src = drh_field_of(h, "/metadata/src");
    d->id = drh_field_of(h, "/metadata/id");
    st = d->conversations && d->messages && d->system && d->src && d->id
             ? dedup_options(d, c, e)
             : drh_fail(e, DRH_E_NOMEM, "out of memory");
    if (st != DRH_OK) {
        destroy(d);
        return st;
    }
    *self = d;
    return DRH_OK;
}

static const drh_life life = {sizeof(drh_life),   0,   create, destroy, dedup_open_worker,
                              dedup_close_worker, NULL};

static const drh_map_ops map = {.struct_size = sizeof(drh_map_ops),
                                .observe = dedup_observe,
                                .merge = dedup_merge,
                                .prepare = dedup_prepare,
                                .apply = dedup_apply};

static const drh_stage dedup = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_PREPROCESSOR,
    .id = "dedup",
    .version = "1.0.0",
    .summary = "leaves out records that are equal or similar to an earlier one",
    .config_schema = dedup_schema,
    .threading = DRH_WORKERS,
    .scope = DRH_SCOPE_DATASET,
    .flags = DRH_DETERMINISTIC | DRH_WANTS_CANONICAL,
    .life = &life,
    .ops.map = &map,
};

static const drh_stage *const stages[] = {&dedup};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "dedup",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};

DRH_PLUGIN_NOTE(0, "preprocessor dedup 1.0.0\n");
