/* SPDX-License-Identifier: MIT
 *
 * plugin.c - "personas", "perspectives" and "persona-maker": the life of an instance, and their
 * tables.
 */
#include "personas.h"

DRH_PLUGIN_NOTE(0, "synthesizer personas 1.0.0\n"
                   "preprocessor perspectives 1.0.0\n"
                   "preprocessor persona-maker 1.0.0\n");

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
    p->made = drh_field_of(h, "persona");
    return p->parent && p->persona && p->made ? synth_find_fields(h, &p->f) : DRH_E_NOMEM;
}

/* Where persona-maker finds what personas are made from. */
static drh_status find_sources(struct personas *p, const drh_config *c)
{
    static const char *const texts[] = {"text", "content", NULL};
    static const char *const personas[] = {"persona",     "input persona", "/metadata/persona",
                                           "description", "text",          NULL};
    const char *const       *names = p->o.from_persona ? personas : texts;
    const drh_str            own = drh_hub_option(p->host, c, "/field");
    p->o.own_field = own.len > 0;
    if (own.len) {
        p->from[0] = p->host->field(p->host, own.ptr, own.len);
        return p->from[0] ? DRH_OK : DRH_E_NOMEM;
    }
    for (size_t i = 0; names[i]; i++) {
        p->from[i] = drh_field_of(p->host, names[i]);
        if (p->from[i] == DRH_FIELD_NONE) {
            return DRH_E_NOMEM;
        }
    }
    return DRH_OK;
}

/* What all three need. */
static drh_status begin(const drh_host *h, const drh_config *c, struct personas **out, drh_error *e)
{
    struct personas *p = h->alloc(h, NULL, sizeof(*p));
    if (!p) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(p, 0, sizeof(*p));
    p->host = h;
    *out = p;
    personas_read_options(h, c, &p->o);
    if (find_fields(p) != DRH_OK) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    p->infer = h->extension(h, DRH_INFER);
    return p->infer ? DRH_OK
                    : drh_fail(e, DRH_E_CONFIG,
                               "no model: name one with --model, or services.infer in the recipe");
}

static drh_status end(struct personas *p, void **self, drh_status st)
{
    if (st == DRH_OK) {
        *self = p;
    } else if (p) {
        destroy(p);
    }
    return st;
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct people_option o = {.field = drh_hub_option(h, c, "/field"),
                              .category = drh_hub_option(h, c, "/category")};
    const drh_str        match = drh_hub_option(h, c, "/match");
    struct personas     *p = NULL;
    drh_status           st = begin(h, c, &p, e);
    (void)h->config->get_f64(c, "/alike", &o.alike);
    if (st == DRH_OK && (match.len || p->o.spread) && !o.category.len) {
        st = drh_fail(e, DRH_E_CONFIG,
                      "%s: name the member of a persona that holds its category with category",
                      match.len ? "match" : "spread");
    }
    if (st == DRH_OK && match.len && !(p->match = h->field(h, match.ptr, match.len))) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    if (st == DRH_OK) {
        st = people_read(h, &p->people, drh_hub_option(h, c, "/personas"), &o, e);
    }
    return end(p, self, st);
}

static drh_status create_maker(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct personas *p = NULL;
    drh_status       st = begin(h, c, &p, e);
    if (st == DRH_OK && find_sources(p, c) != DRH_OK) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    return end(p, self, st);
}

static const drh_life life = {sizeof(drh_life), 0, create, destroy, NULL, NULL, NULL};
static const drh_life maker_life = {sizeof(drh_life), 0, create_maker, destroy, NULL, NULL, NULL};
static const drh_map_ops personas_ops = {.struct_size = sizeof(drh_map_ops),
                                         .start = personas_start,
                                         .resume = personas_resume,
                                         .release = personas_release};
static const drh_map_ops perspectives_ops = {.struct_size = sizeof(drh_map_ops),
                                             .start = perspectives_start,
                                             .resume = perspectives_resume,
                                             .release = personas_release};
static const drh_map_ops maker_ops = {.struct_size = sizeof(drh_map_ops),
                                      .start = maker_start,
                                      .resume = maker_resume,
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

static const drh_stage maker = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_PREPROCESSOR, /* it reads records */
    .id = "persona-maker",
    .version = "1.0.0",
    .summary = "personas out of texts, and personas out of personas",
    .config_schema = maker_schema,
    .threading = DRH_SERIAL,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC,
    .needs = needs,
    .life = &maker_life,
    .ops.map = &maker_ops,
};

static const drh_stage *const stages[] = {&personas, &perspectives, &maker};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 3,
    .name = "personas",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};
