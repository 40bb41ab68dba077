/* SPDX-License-Identifier: MIT
 *
 * plugin.c - service "infer-onednn": the engine of plugins/lm on oneDNN, in f32, bf16 or int8.
 * oneDNN is held to one thread; packs run side by side.
 */
#include "dnn.h"

DRH_PLUGIN_NOTE(0, "service infer-onednn 1.0.0 drh.infer/1\n");

static const struct lm_backend backend = {.id = "infer-onednn",
                                          .describe = dnn_describe,
                                          .fitness = dnn_fitness,
                                          .open = dnn_open,
                                          .close = dnn_close,
                                          .open_worker = dnn_open_worker,
                                          .close_worker = dnn_close_worker,
                                          .enter = dnn_one_thread};

static int32_t probe(const drh_host *h, const drh_config *c, drh_error *e)
{
    return lm_service_probe(&backend, h, c, e);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    return lm_service_create(&backend, h, c, self, e);
}

static const char schema[] = LM_SERVICE_SCHEMA("\"f32\",\"bf16\",\"int8\"");

static const char *const     ids[] = {DRH_INFER, NULL};
static const drh_service_ops ops = {sizeof(drh_service_ops), 0, ids, probe, lm_service_get};
static const drh_life        life = {
           sizeof(drh_life),        0,   create, lm_service_destroy, lm_service_open_worker,
           lm_service_close_worker, NULL};
static const drh_stage stage = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_SERVICE,
    .id = "infer-onednn",
    .version = "1.0.0",
    .summary =
        "Scores and writes text with a small language model on the CPU (oneDNN; f32, bf16, int8)",
    .config_schema = schema,
    .threading = DRH_WORKERS,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC,
    .life = &life,
    .ops = {.service = &ops}};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry),
                                .abi_minor = DRH_ABI_MINOR,
                                .abi_minor_need = 0,
                                .n_stages = 1,
                                .name = "infer-onednn",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
