/* SPDX-License-Identifier: MIT
 *
 * plugin.c - "personas" and "perspectives": the life of an instance, and their tables.
 */
#include "personas.h"

DRH_PLUGIN_NOTE(0, "synthesizer personas 1.0.0\n"
                   "preprocessor perspectives 1.0.0\n");

static void destroy(void *self)
{
    struct personas *p = self;
    const drh_host  *h = p->host;
    while (p->all) {
        personas_release(p, p->all);
    }
    people_free(h, &p->people);
    (void)h->alloc(h, p, 0);
}

static drh_status find_fields(struct personas *p)
{
    const drh_host *h = p->host;
    p->parent = drh_field_of(h, "/metadata/parent");
    p->persona = drh_field_of(h, "/metadata/persona");
    return p->parent && p->persona ? synth_find_fields(h, &p->f) : DRH_E_NOMEM;
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct personas *p = h->alloc(h, NULL, sizeof(*p));
    drh_status       st;
    if (!p) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(p, 0, sizeof(*p));
    p->host = h;
    st = personas_read_options(h, c, &p->o, e);
    if (st == DRH_OK && find_fields(p) != DRH_OK) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    if (st == DRH_OK && !(p->infer = h->extension(h, DRH_INFER))) {
        st = drh_fail(e, DRH_E_CONFIG,
                      "no model: name one with --model, or services.infer in the recipe");
    }
    st = st == DRH_OK ? people_read(h, &p->people, drh_hub_option(h, c, "/personas"),
                                    drh_hub_option(h, c, "/field"), e)
                      : st;
    if (st != DRH_OK) {
        destroy(p);
        return st;
    }
    *self = p;
    return DRH_OK;
}

static const drh_life    life = {sizeof(drh_life), 0, create, destroy, NULL, NULL, NULL};
static const drh_map_ops personas_ops = {.struct_size = sizeof(drh_map_ops),
                                         .start = personas_start,
                                         .resume = personas_resume,
                                         .release = personas_release};
static const drh_map_ops perspectives_ops = {.struct_size = sizeof(drh_map_ops),
                                             .start = perspectives_start,
                                             .resume = perspectives_resume,
                                             .release = personas_release};

static const char *const needs[] = {DRH_INFER, NULL};

static const drh_stage personas = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_SYNTHESIZER,
    .id = "personas",
    .version = "1.0.0",
    .summary = "questions, problems, articles and characters out of personas (PersonaHub)",
    .config_schema = personas_schema,
    .threading = DRH_SERIAL,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC,
    .needs = needs,
    .life = &life,
    .ops.map = &personas_ops,
};

static const drh_stage perspectives = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_PREPROCESSOR, /* it reads records */
    .id = "perspectives",
    .version = "1.0.0",
    .summary = "answers to the questions of records, as different personas would give them",
    .config_schema = perspectives_schema,
    .threading = DRH_SERIAL,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC | DRH_WANTS_CANONICAL,
    .needs = needs,
    .life = &life,
    .ops.map = &perspectives_ops,
};

static const drh_stage *const stages[] = {&personas, &perspectives};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 2,
    .name = "personas",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};
