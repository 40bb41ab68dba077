/* SPDX-License-Identifier: MIT
 *
 * plugin.c - synthesizer "magpie": the life of an instance, and its tables.
 */
#include "dialog.h"

DRH_PLUGIN_NOTE(0, "synthesizer magpie 1.0.0\n");

static void destroy(void *self)
{
    struct magpie  *m = self;
    const drh_host *h = m->host;
    while (m->all) {
        magpie_release(m, m->all);
    }
    (void)h->alloc(h, m, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct magpie *m = h->alloc(h, NULL, sizeof(*m));
    drh_status     st;
    if (!m) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(m, 0, sizeof(*m));
    m->host = h;
    st = magpie_read_options(h, c, &m->o, e);
    if (st == DRH_OK && synth_find_fields(h, &m->f) != DRH_OK) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    if (st == DRH_OK && !(m->infer = h->extension(h, DRH_INFER))) {
        st = drh_fail(e, DRH_E_CONFIG,
                      "no model: name one with --model, or services.infer in the recipe");
    }
    if (st != DRH_OK) {
        destroy(m);
        return st;
    }
    *self = m;
    return DRH_OK;
}

static const drh_life    life = {sizeof(drh_life), 0, create, destroy, NULL, NULL, NULL};
static const drh_map_ops ops = {.struct_size = sizeof(drh_map_ops),
                                .start = magpie_start,
                                .resume = magpie_resume,
                                .release = magpie_release};

static const char *const needs[] = {DRH_INFER, NULL};

static const drh_stage magpie = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_SYNTHESIZER,
    .id = "magpie",
    .version = "1.0.0",
    .summary = "questions and answers out of a chat model's own template (Magpie)",
    .config_schema = magpie_schema,
    .threading = DRH_SERIAL,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC,
    .needs = needs,
    .life = &life,
    .ops.map = &ops,
};

static const drh_stage *const stages[] = {&magpie};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "magpie",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};
