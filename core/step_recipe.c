/* SPDX-License-Identifier: MIT
 * step_recipe.c - see step_recipe.h. */
#include "step_recipe.h"

#include "err.h"
#include "log.h"
#include "mem.h"
#include "schema.h"

#include <string.h>

static enum phase phase_of(uint32_t kind)
{
    static const struct {
        uint32_t   kind;
        enum phase phase;
    } map[] = {{DRH_KIND_PREPROCESSOR, PHASE_PREPROCESS},
               {DRH_KIND_SYNTHESIZER, PHASE_SYNTHESIZE},
               {DRH_KIND_SELECTOR, PHASE_SELECT},
               {DRH_KIND_CONVERTER, PHASE_CONVERT}};

    for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
        if (map[i].kind == kind) {
            return map[i].phase;
        }
    }
    return PHASES;
}

/* Which step of the file is meant; none: it offers services or readers only. */
static drh_status stage_meant(const struct plugin *p, const char *id, const struct stage **out,
                              drh_error *e)
{
    size_t n = 0;

    *out = NULL;
    for (size_t i = 0; i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        bool                step = phase_of(s->desc.kind) != PHASES;

        if (id ? strcmp(s->desc.id, id) == 0 : step) {
            *out = s;
            n++;
        }
    }
    if (n > 1) {
        return err_set(e, DRH_E_CONFIG, "%s has %zu stages; name one: --plugin FILE:STAGE", p->path,
                       n);
    }
    if (id && n == 0) {
        return err_set(e, DRH_E_CONFIG, "%s has no stage \"%s\"; see drhost plugin show %s",
                       p->path, id, p->path);
    }
    if (*out && phase_of((*out)->desc.kind) == PHASES && (*out)->desc.kind != DRH_KIND_READER) {
        return err_set(e, DRH_E_CONFIG,
                       "%s is a %s, which cannot be a single step; put it in a recipe",
                       (*out)->desc.id, kind_name((*out)->desc.kind));
    }
    for (size_t i = 0; n == 0 && i < p->n_stages; i++) {
        if (p->stages[i].desc.kind == DRH_KIND_SOURCE) {
            return err_set(e, DRH_E_CONFIG,
                           "%s is a %s, which cannot be a single step; put it in a "
                           "recipe",
                           p->path, kind_name(p->stages[i].desc.kind));
        }
    }
    return DRH_OK;
}

/* The readers of a file, or the one that was named. */
static drh_status add_readers(struct recipe *r, const struct plugin *p, const struct stage *only,
                              drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        char               *use;

        if (s->desc.kind != DRH_KIND_READER || (only && only != s)) {
            continue;
        }
        use = mem_printf("%s:%s", p->path, s->desc.id);
        st = use ? recipe_add_reader(r, use, s->desc.id, e) : err_nomem(e, p->path);
        mem_free(use);
    }
    return st;
}

static drh_status add_plugin(struct recipe *r, struct loader *l, const char *use,
                             const struct stage **out, drh_error *e)
{
    const char          *colon = strstr(use, ".so:");
    char                *file = colon ? mem_dup(use, (size_t)(colon + 3 - use)) : mem_dupz(use);
    const struct plugin *p = NULL;
    struct step         *s;
    drh_status           st = file ? loader_open(l, file, &p, e) : err_nomem(e, use);

    *out = NULL;
    st = st == DRH_OK ? stage_meant(p, colon ? colon + 4 : NULL, out, e) : st;
    st = st == DRH_OK ? add_readers(r, p, colon ? *out : NULL, e) : st;
    if (st == DRH_OK && *out && (*out)->desc.kind == DRH_KIND_READER) {
        *out = NULL;
    }
    if (st == DRH_OK && *out) {
        char *full = mem_printf("%s:%s", p->path, (*out)->desc.id);
        st = full ? recipe_add(r, phase_of((*out)->desc.kind), full, &s, e) : err_nomem(e, use);
        mem_free(full);
    }
    mem_free(file);
    return st;
}

static drh_status on_canonical(void *ctx, const char *path, const struct note_stage *s)
{
    char **use = ctx;

    for (uint32_t i = 0; !*use && i < s->n_words; i++) {
        if (s->kind == DRH_KIND_PREPROCESSOR && strcmp(s->words[i], "canonical") == 0) {
            *use = mem_printf("%s:%s", path, s->id);
        }
    }
    return DRH_OK;
}

/* What is empty is for the later stage to judge: see DRH_GIVES_CANONICAL. */
static drh_status keep_empty(struct loader *l, struct step *s, drh_error *e)
{
    const char          *id = strstr(s->use, ".so:") + 4;
    char                *file = mem_dup(s->use, (size_t)(id - 1 - s->use));
    const struct plugin *p = NULL;
    drh_status           st = file ? loader_open(l, file, &p, e) : err_nomem(e, s->use);

    for (size_t i = 0; st == DRH_OK && i < p->n_stages; i++) {
        cJSON *schema = NULL;
        if (strcmp(p->stages[i].desc.id, id) == 0 &&
            schema_parse(p->stages[i].desc.config_schema, &schema, e) == DRH_OK &&
            cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(schema, "properties"),
                                             "empty") &&
            !cJSON_AddStringToObject(s->options, "empty", "keep")) {
            st = err_nomem(e, "options");
        }
        cJSON_Delete(schema);
    }
    mem_free(file);
    return st;
}

/* A stage that reads canonical records gets them, whatever the dialect of the files. */
static drh_status add_canonical(struct recipe *r, struct loader *l, drh_error *e)
{
    char       *use = NULL;
    struct step moved, *s = NULL;
    drh_status  st = loader_each_note(l, on_canonical, &use, e);

    if (st == DRH_OK && use) {
        st = recipe_add(r, PHASE_PREPROCESS, use, &s, e);
        st = st == DRH_OK ? keep_empty(l, s, e) : st;
    } else if (st == DRH_OK) {
        log_put(DRH_LOG_WARN,
                "no plugin brings records to the canonical form; they go in as they are");
    }
    if (s && r->n_steps > 1) {
        moved = r->steps[r->n_steps - 1];
        memmove(r->steps + 1, r->steps, (r->n_steps - 1) * sizeof(*r->steps));
        r->steps[0] = moved;
    }
    mem_free(use);
    return st;
}

drh_status step_recipe(const struct cli_options *o, struct loader *l, struct recipe **r,
                       drh_error *e)
{
    bool       wants = false, given = false;
    drh_status st = recipe_empty(r, e);

    for (size_t i = 0; st == DRH_OK && i < o->plugin.n; i++) {
        const struct stage *s;
        st = add_plugin(*r, l, o->plugin.text[i], &s, e);
        if (st == DRH_OK && s) {
            wants = wants || (!given && (s->desc.flags & DRH_WANTS_CANONICAL));
            given = given || (s->desc.flags & DRH_GIVES_CANONICAL) ||
                    s->desc.kind == DRH_KIND_SYNTHESIZER;
        }
    }
    if (st == DRH_OK && (*r)->n_steps == 0 && (*r)->n_readers == 0) {
        st = err_set(e, DRH_E_CONFIG, "no --plugin is a step; each offers services only");
    }
    st = st == DRH_OK ? cli_apply(o, *r, e) : st;
    return st == DRH_OK && wants ? add_canonical(*r, l, e) : st;
}
