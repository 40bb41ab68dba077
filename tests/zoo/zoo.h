/* SPDX-License-Identifier: MIT
 * zoo.h - a plugin with nothing wrong.  Each animal sets what is wrong with it, then includes this:
 * it replaces a text, a number or a function, and every other part stays right. */
#ifndef ZOO_H
#define ZOO_H

#include <drh/util.h>

#ifndef ZOO_ID
#define ZOO_ID "zoo"
#endif
#ifndef ZOO_NOTE
#define ZOO_NOTE "preprocessor zoo 1.0.0"
#endif
#ifndef ZOO_SCHEMA
#define ZOO_SCHEMA NULL
#endif
#ifndef ZOO_FLAGS
#define ZOO_FLAGS DRH_DETERMINISTIC
#endif
#ifndef ZOO_KIND
#define ZOO_KIND DRH_KIND_PREPROCESSOR
#endif
#ifndef ZOO_ENTRY_SIZE
#define ZOO_ENTRY_SIZE sizeof(drh_entry)
#endif
#ifndef ZOO_STAGE_SIZE
#define ZOO_STAGE_SIZE sizeof(drh_stage)
#endif
#ifndef ZOO_STAGES
#define ZOO_STAGES &zoo_stage
#endif
#ifndef ZOO_N_STAGES
#define ZOO_N_STAGES 1
#endif
#ifndef ZOO_NEED
#define ZOO_NEED 0
#endif

#ifdef ZOO_CREATE
static drh_status ZOO_CREATE(const drh_host *h, const drh_config *c, void **self, drh_error *e);
#else
#define ZOO_CREATE zoo_create
__attribute__((unused)) static drh_status zoo_create(const drh_host *h, const drh_config *c,
                                                     void **self, drh_error *e)
{
    (void)c;
    (void)e;
    *self = (void *)(uintptr_t)h;
    return DRH_OK;
}
#endif

__attribute__((unused)) static void zoo_destroy(void *self)
{
    (void)self;
}

#ifdef ZOO_PROCESS
static drh_status ZOO_PROCESS(void *self, void *worker, drh_record *const *r, size_t n,
                              drh_error *e);
#else
#define ZOO_PROCESS zoo_process
__attribute__((unused)) static drh_status zoo_process(void *self, void *worker,
                                                      drh_record *const *r, size_t n, drh_error *e)
{
    const drh_host *h = self;
    size_t          i;

    (void)worker;
    (void)e;
    for (i = 0; i < n; i++) {
        (void)h->records->keep(r[i]);
    }
    return DRH_OK;
}
#endif

#ifndef ZOO_NEEDS
#define ZOO_NEEDS NULL
#endif
#ifndef ZOO_INIT
#define ZOO_INIT NULL
#else
static drh_status                  ZOO_INIT(const drh_host *h, drh_error *e);
#endif

#ifndef ZOO_LIFE
static const drh_life zoo_life = {
    .struct_size = sizeof(zoo_life), .create = ZOO_CREATE, .destroy = zoo_destroy};
#define ZOO_LIFE &zoo_life
#endif
#ifndef ZOO_OPS
static const drh_map_ops zoo_map = {.struct_size = sizeof(zoo_map), .process = ZOO_PROCESS};
#define ZOO_OPS &zoo_map
#endif

static const drh_stage zoo_stage = {
    .struct_size = ZOO_STAGE_SIZE,
    .kind = ZOO_KIND,
    .id = ZOO_ID,
    .version = "1.0.0",
    .summary = "an animal of the zoo",
    .config_schema = ZOO_SCHEMA,
    .threading = DRH_WORKERS,
    .flags = ZOO_FLAGS,
    .needs = ZOO_NEEDS,
    .life = ZOO_LIFE,
    .ops.any = ZOO_OPS,
};
static const drh_stage *const zoo_stages[] = {ZOO_STAGES};

#ifndef ZOO_NO_ENTRY
const drh_entry drh_entry_v1 = {
    .struct_size = ZOO_ENTRY_SIZE,
    .abi_minor = DRH_ABI_MINOR + ZOO_NEED,
    .abi_minor_need = ZOO_NEED,
    .n_stages = ZOO_N_STAGES,
    .name = "zoo",
    .version = "1.0.0",
    .license = "MIT",
    .stages = zoo_stages,
    .init = ZOO_INIT,
};
#else
DRH_EXPORT const drh_stage *const *zoo_unused(void);
const drh_stage *const            *zoo_unused(void)
{
    return zoo_stages;
}
#endif
#ifndef ZOO_NO_NOTE
DRH_PLUGIN_NOTE(ZOO_NEED, ZOO_NOTE);
#endif

#endif
