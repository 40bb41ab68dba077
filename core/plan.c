/* SPDX-License-Identifier: MIT
 * plan.c - see plan.h. */
#include "plan_impl.h"

#include "err.h"
#include "hash.h"
#include "mem.h"
#include "readers.h"
#include "services.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_ATTEMPTS = 10 };

static const uint32_t kind_of_phase[PHASES] = {DRH_KIND_SOURCE, DRH_KIND_PREPROCESSOR,
                                               DRH_KIND_SYNTHESIZER, DRH_KIND_SELECTOR,
                                               DRH_KIND_CONVERTER};

/* ---- finding stages ---- */

static bool is_file(const char *use)
{
    size_t n = strlen(use);

    return strchr(use, '/') || (n > 3 && strcmp(use + n - 3, ".so") == 0) || strstr(use, ".so:");
}

/* "FILE.so:STAGE": *stage points at STAGE, or NULL; the file is a copy. */
static char *split_file(const char *use, const char **stage)
{
    const char *colon = strstr(use, ".so:");

    *stage = colon ? colon + 4 : NULL;
    return colon ? mem_dup(use, (size_t)(colon + 3 - use)) : mem_dupz(use);
}

static char *in_folder(const struct recipe *r, char *file)
{
    char *joined;

    if (!file || !r->path || !r->dir || file[0] == '/' || !strchr(file, '/')) {
        return file;
    }
    joined = mem_printf("%s/%s", r->dir, file);
    mem_free(file);
    return joined;
}

/* The stage of that id, or the only one of the kind. */
drh_status plan_stage_of(const struct plugin *p, uint32_t kind, const char *id,
                         const struct stage **out, drh_error *e)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        if (id ? strcmp(s->desc.id, id) == 0 : s->desc.kind == kind) {
            *out = s;
            n++;
        }
    }
    if (n == 0) {
        return id ? err_set(e, DRH_E_CONFIG, "%s has no stage \"%s\"; see drhost plugin show",
                            p->path, id)
                  : err_set(e, DRH_E_CONFIG, "%s has no %s; see drhost plugin show", p->path,
                            kind_name(kind));
    }
    if (n > 1) {
        return err_set(e, DRH_E_CONFIG, "%s has %zu stages of kind %s; name one: FILE:STAGE",
                       p->path, n, kind_name(kind));
    }
    if ((*out)->desc.kind != kind) {
        return err_set(e, DRH_E_CONFIG, "%s is a %s, and a %s is needed here", (*out)->desc.id,
                       kind_name((*out)->desc.kind), kind_name(kind));
    }
    return DRH_OK;
}

drh_status plan_stage(struct plan *p, uint32_t kind, const char *use, const struct stage **out,
                      drh_error *e)
{
    const struct plugin *plugin;
    const char          *id;
    char                *file;
    drh_status           st;

    if (!is_file(use)) {
        return loader_stage(p->loader, kind, use, out, e);
    }
    file = in_folder(p->recipe, split_file(use, &id));
    if (!file) {
        return err_nomem(e, use);
    }
    st = loader_open(p->loader, file, &plugin, e);
    mem_free(file);
    return st == DRH_OK ? plan_stage_of(plugin, kind, id, out, e) : st;
}

/* ---- options ---- */

/* A host's own number among a synthesizer's options, taken out of them. */
static drh_status take_number(cJSON *options, const cJSON *schema, const char *key, uint64_t *out,
                              const char *at, drh_error *e)
{
    const cJSON *known = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(schema, "properties"), key);
    cJSON       *v = cJSON_GetObjectItemCaseSensitive(options, key);
    const cJSON *set = cJSON_GetObjectItemCaseSensitive(v, "$set");
    double       d = cJSON_IsNumber(v) ? v->valuedouble : -1;

    if (!v || known) {
        return DRH_OK;
    }
    if (cJSON_IsString(set)) {
        char *end;
        d = (double)strtoll(set->valuestring, &end, 10);
        d = *end == '\0' && end != set->valuestring ? d : -1;
    }
    if (!(d >= 0) || d > 9e15 || d != (double)(uint64_t)d) {
        return err_set(e, DRH_E_CONFIG, "%s/%s: must be a whole number from 0", at, key);
    }
    *out = (uint64_t)d;
    cJSON_DeleteItemFromObjectCaseSensitive(options, key);
    return DRH_OK;
}

static drh_status final_options(const struct plan *p, const struct stage *stage, cJSON **options,
                                const char *at, struct plan_step *s, struct problems *all,
                                drh_error *e)
{
    cJSON     *schema = NULL;
    drh_status st = schema_parse(stage->desc.config_schema, &schema, e);

    if (st != DRH_OK) {
        err_prefix(e, "%s: the schema of stage %s", stage->plugin->path, stage->desc.id);
        return st;
    }
    *options = *options ? *options : cJSON_CreateObject();
    if (!*options) {
        st = err_nomem(e, "options");
    }
    if (st == DRH_OK && s && stage->desc.kind == DRH_KIND_SYNTHESIZER) {
        st = take_number(*options, schema, "count", &s->count, at, e);
        st = st == DRH_OK ? take_number(*options, schema, "attempts", &s->attempts, at, e) : st;
    }
    if (st == DRH_OK) {
        st = recipe_options(p->recipe, s ? s->step : NULL, at, *options, schema, all, e);
    }
    cJSON_Delete(schema);
    return st;
}

/* ---- the plan ---- */

/* An alternative brings the same files as its source, unless it says itself which. */
static drh_status inherit(const struct plan *p, struct plan_step *ps, drh_error *e)
{
    static const char *const choice[] = {"include", "exclude", "files", "subset", "split"};
    enum { CHOICES = sizeof(choice) / sizeof(choice[0]) };
    const size_t            of = ps->step->alternative_of - 1;
    const struct plan_step *source = &p->step[of];
    const cJSON            *known;
    cJSON                  *schema = NULL;
    drh_status              st;

    for (int i = 0; i < CHOICES; i++) {
        if (cJSON_GetObjectItemCaseSensitive(ps->options, choice[i])) {
            return DRH_OK;
        }
    }
    st = schema_parse(ps->stage->desc.config_schema, &schema, e);
    known = cJSON_GetObjectItemCaseSensitive(schema, "properties");
    for (int i = 0; st == DRH_OK && i < CHOICES; i++) {
        const cJSON *own = cJSON_GetObjectItemCaseSensitive(source->options, choice[i]);
        cJSON       *copy;
        if (!own || !cJSON_GetObjectItemCaseSensitive(known, choice[i])) {
            continue;
        }
        copy = cJSON_Duplicate(own, true);
        if (!copy || !cJSON_AddItemToObject(ps->options, choice[i], copy)) {
            cJSON_Delete(copy);
            st = err_nomem(e, "options");
        }
    }
    cJSON_Delete(schema);
    return st;
}

drh_status plan_step_make(struct plan *p, struct plan_step *ps, const struct step *s,
                          struct problems *all, drh_error *e)
{
    struct drh_config *config = NULL;
    uint8_t            digest[32];
    drh_status         st;

    ps->step = s;
    ps->attempts = DEFAULT_ATTEMPTS;
    st = plan_stage(p, kind_of_phase[s->phase], s->use, &ps->stage, e);
    if (st != DRH_OK) {
        err_prefix(e, "%s", s->pointer);
        problems_add(all, "%s", e->message);
        return st;
    }
    st = sha256_file(ps->stage->plugin->path, digest, e);
    if (st != DRH_OK) {
        problems_add(all, "%s", e->message);
        return st;
    }
    hex_of(digest, sizeof(digest), ps->file);
    if (stage_writes_bytes(ps->stage) && s != &p->recipe->steps[p->recipe->n_steps - 1]) {
        st = err_set(e, DRH_E_CONFIG,
                     "%s: %s writes files of a format of its own, not records; put it last",
                     s->pointer, ps->stage->desc.id);
        problems_add(all, "%s", e->message);
        return st;
    }
    if (s->reader) {
        st = readers_add(p, s->reader, all, &ps->reader, e);
        if (st != DRH_OK) {
            return st;
        }
        ps->reader->named = true;
    }
    if (s->options) {
        ps->options = cJSON_Duplicate(s->options, true);
        if (!ps->options) {
            return err_nomem(e, "options");
        }
    }
    st = ps->options && s->alternative_of ? inherit(p, ps, e) : DRH_OK;
    st = st == DRH_OK ? final_options(p, ps->stage, &ps->options, s->pointer, ps, all, e) : st;
    st = st == DRH_OK ? config_new(ps->options, &config, e) : st;
    if (st == DRH_OK) {
        ps->text = mem_dupz(config_text(config));
        st = ps->text ? DRH_OK : err_nomem(e, "options");
    }
    config_free(config);
    return st;
}

void plan_step_free(struct plan_step *ps)
{
    instance_free(ps->in);
    cJSON_Delete(ps->options);
    mem_free(ps->text);
}

drh_status plan_make(struct plan **out, struct recipe *r, struct loader *l, uint32_t workers,
                     struct problems *all, drh_error *e)
{
    struct plan *p = mem_alloc(1, sizeof(*p));
    drh_status   first = DRH_OK;
    drh_error    first_e = ERR_INIT;

    *out = NULL;
    if (!p) {
        recipe_free(r);
        return err_nomem(e, "the plan");
    }
    p->recipe = r;
    p->loader = l;
    p->services = mem_alloc(1, sizeof(*p->services));
    p->env = (struct run_env){.seed = r->seed, .workers = workers, .services = p->services};
    first = p->services ? plan_stand_in(p, all, e) : err_nomem(e, "the plan");
    if (first == DRH_OK) {
        p->step = mem_alloc(r->n_steps + 1, sizeof(*p->step));
        first = p->step ? DRH_OK : err_nomem(e, "the plan");
    }
    if (first != DRH_OK) {
        plan_free(p);
        return first;
    }
    for (; p->n_steps < r->n_steps; p->n_steps++) {
        struct plan_step *ps = &p->step[p->n_steps];
        drh_status        st = plan_step_make(p, ps, &r->steps[p->n_steps], all, e);

        if (st == DRH_OK) {
            st = plan_need(p, ps, e);
            if (st != DRH_OK) {
                problems_add(all, "%s", e->message);
            }
        }
        if (st != DRH_OK && first == DRH_OK) {
            first = st;
            first_e = *e;
        }
    }
    for (size_t i = 0; first == DRH_OK && i < r->n_readers; i++) {
        struct reader *given;

        first = readers_add(p, &r->readers[i], all, &given, &first_e);
        if (first == DRH_OK) {
            given->given = true;
        }
    }
    if (first == DRH_OK) {
        first = plan_check_services(p, &first_e);
    }
    if (first != DRH_OK) {
        *e = first_e;
        plan_free(p);
        return first;
    }
    *out = p;
    return DRH_OK;
}

drh_status plan_instance(struct plan *p, struct plan_step *s, drh_error *e)
{
    struct drh_config *config;
    drh_status         st;

    if (s->in) {
        return DRH_OK;
    }
    st = config_new(s->options, &config, e);
    return st == DRH_OK ? instance_new(&s->in, s->stage, s->step->id, plan_infer_of(s->step),
                                       config, &p->env, e)
                        : st;
}

static drh_status start_service(struct plan *p, struct plan_service *s, drh_error *e)
{
    struct drh_config *config;
    drh_status         st = config_new(s->options, &config, e);

    return st == DRH_OK
               ? services_add(p->services, s->id, s->own, s->stage, s->name, config, &p->env, e)
               : st;
}

/* What these ids need themselves comes first. */
static drh_status serve(struct plan *p, const char *const *id, const char *infer, drh_error *e)
{
    drh_status st = DRH_OK;

    for (; st == DRH_OK && id && *id; id++) {
        const char          *own = plan_own_of(infer, *id);
        struct plan_service *s = plan_service_of(p, *id, own);
        bool made = own ? services_infer(p->services, own) : services_find(p->services, *id);

        if (s && !made) {
            st = serve(p, s->stage->desc.needs, NULL, e);
            st = st == DRH_OK ? start_service(p, s, e) : st;
        }
    }
    return st;
}

drh_status plan_serve(struct plan *p, const struct plan_step *step, drh_error *e)
{
    return serve(p, step->stage->desc.needs, plan_infer_of(step->step), e);
}

drh_status plan_start(struct plan *p, drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < p->n_services; i++) {
        st = start_service(p, &p->service[i], e);
    }
    for (size_t i = 0; st == DRH_OK && i < p->n_steps; i++) {
        if (p->step[i].step->phase != PHASE_SOURCE) {
            st = plan_instance(p, &p->step[i], e);
            st = st == DRH_OK ? plan_digest_inputs(&p->step[i], e) : st;
        }
    }
    return st;
}

drh_status plan_options(const struct plan *p, const struct stage *stage, cJSON **options,
                        const char *at, struct problems *all, drh_error *e)
{
    return final_options(p, stage, options, at, NULL, all, e);
}

const char *plan_identity(const struct plan *p, const struct plan_step *s)
{
    const struct service *infer = services_infer(p->services, plan_infer_of(s->step));

    for (const char *const *id = s->stage->desc.needs; infer && id && *id; id++) {
        if (strcmp(*id, DRH_INFER) == 0) {
            return infer->info.identity;
        }
    }
    return "";
}

void plan_free(struct plan *p)
{
    if (!p) {
        return;
    }
    for (size_t i = 0; p->step && i < p->recipe->n_steps; i++) {
        plan_step_free(&p->step[i]);
    }
    mem_free(p->step);
    readers_free(p);
    if (p->services) {
        services_free(p->services);
        mem_free(p->services);
    }
    for (size_t i = 0; i < p->n_services; i++) {
        mem_free(p->service[i].id);
        mem_free(p->service[i].name);
        cJSON_Delete(p->service[i].options);
    }
    mem_free(p->service);
    recipe_free(p->recipe);
    mem_free(p);
}
