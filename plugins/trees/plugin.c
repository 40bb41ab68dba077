/* SPDX-License-Identifier: MIT
 *
 * plugin.c - the tables of trees.so.
 */
#include "trees.h"

static void destroy(void *self)
{
    struct trees *t = self;
    trees_forget(t);
    (void)t->host->alloc(t->host, t, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct trees *t = h->alloc(h, NULL, sizeof(*t));
    drh_status    st;

    if (!t) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(t, 0, sizeof(*t));
    t->host = h;
    t->conversations = drh_field_of(h, "conversations");
    st = t->conversations ? trees_options(t, c, e) : drh_fail(e, DRH_E_NOMEM, "out of memory");
    if (st != DRH_OK) {
        destroy(t);
        return st;
    }
    *self = t;
    return DRH_OK;
}

static const drh_life life = {sizeof(drh_life), 0, create, destroy, NULL, NULL, NULL};

static const drh_map_ops map = {.struct_size = sizeof(drh_map_ops),
                                .observe = trees_observe,
                                .merge = trees_merge,
                                .prepare = trees_prepare,
                                .apply = trees_apply};

static const drh_stage trees = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_PREPROCESSOR,
    .id = "trees",
    .version = "1.0.0",
    .summary = "messages of a tree, a row each (OASST), to conversations",
    .config_schema = trees_schema,
    .threading = DRH_WORKERS,
    .scope = DRH_SCOPE_DATASET,
    .flags = DRH_DETERMINISTIC,
    .life = &life,
    .ops.map = &map,
};

static const drh_stage *const stages[] = {&trees};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "trees",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};

DRH_PLUGIN_NOTE(0, "preprocessor trees 1.0.0\n");
