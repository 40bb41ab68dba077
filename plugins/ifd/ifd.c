/* SPDX-License-Identifier: MIT
 *
 * ifd.c - selector "ifd": how much the question helps the model to predict the answer (methods of
 * Cherry LLM and Superfiltering).  Two scoring requests a record: the answer after the prompt, and
 * the answer alone; the record is settled when both results are there.  This file: the life of an
 * instance and its tables.
 */
#include "ifd.h"

static void destroy(void *self)
{
    struct ifd     *s = self;
    const drh_host *h = s->host;
    ifd_free_states(s);
    (void)h->alloc(h, s->prompt.ptr, 0);
    (void)h->alloc(h, s, 0);
}

static drh_status find_fields(struct ifd *s)
{
    const struct {
        drh_field  *f;
        const char *name;
    } fields[] = {
        {&s->conversations, "conversations"},
        {&s->messages, "messages"},
        {&s->system, "system"},
        {&s->input_from, "/metadata/input_from"},
        {&s->ppl, "/metadata/ppl"},
        {&s->loss, "/metadata/loss"},
        {&s->score, "/metadata/ifd"},
        {&s->count, "/metadata/ifd_n"},
        {&s->status, "/metadata/ifd_status"},
    };
    size_t i;
    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        *fields[i].f = drh_field_of(s->host, fields[i].name);
        if (*fields[i].f == DRH_FIELD_NONE) {
            return DRH_E_NOMEM;
        }
    }
    return DRH_OK;
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct ifd *s = h->alloc(h, NULL, sizeof(*s));
    drh_status  st;
    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(s, 0, sizeof(*s));
    s->host = h;
    st = ifd_read_options(h, c, &s->opt, e);
    if (st == DRH_OK && find_fields(s) != DRH_OK) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    if (st == DRH_OK) {
        s->infer = h->extension(h, DRH_INFER);
        if (!s->infer) {
            st = drh_fail(e, DRH_E_CONFIG,
                          "no model: name one with --model, or services.infer in the recipe");
        }
    }
    if (st != DRH_OK) {
        destroy(s);
        return st;
    }
    *self = s;
    return DRH_OK;
}

static drh_status ranking(void *self, drh_ranking *out, drh_error *e)
{
    const struct ifd *s = self;
    (void)e;
    out->ascending = 0;
    out->field = "/metadata/ifd";
    out->status = "/metadata/ifd_status";
    out->has_bound = 1;
    out->bound = 1.0;
    out->bound_inclusive = s->opt.bound_inclusive;
    return DRH_OK;
}

static const drh_life life = {sizeof(drh_life), 0, create, destroy, NULL, NULL, NULL};

static const drh_map_ops map = {.struct_size = sizeof(drh_map_ops),
                                .start = ifd_start,
                                .resume = ifd_resume,
                                .release = ifd_release};

static const drh_selector_ops ops = {sizeof(drh_selector_ops), 0, &map, ranking};

static const char *const needs[] = {DRH_INFER, NULL};

static const drh_stage ifd = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_SELECTOR,
    .id = "ifd",
    .version = "1.0.0",
    .summary = "how much the question helps to predict the answer (Superfiltering, Cherry)",
    .config_schema = ifd_schema,
    .threading = DRH_SERIAL,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC | DRH_WANTS_CANONICAL,
    .needs = needs,
    .life = &life,
    .ops.selector = &ops,
};

static const drh_stage *const stages[] = {&ifd};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "ifd",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};

DRH_PLUGIN_NOTE(0, "selector ifd 1.0.0\n");
