/* SPDX-License-Identifier: MIT
 * plan.c - see plan.h. */
#include "plan.h"

#include "err.h"
#include "hash.h"
#include "log.h"
#include "mem.h"
#include "readers.h"
#include "services.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SERVICE_DEPTH = 8, MAX_SERVICE_NAMES = 32, DEFAULT_ATTEMPTS = 10 };

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
static drh_status stage_of(const struct plugin *p, uint32_t kind, const char *id,
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

static drh_status find_stage(struct plan *p, uint32_t kind, const char *use,
                             const struct stage **out, drh_error *e)
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
    return st == DRH_OK ? stage_of(plugin, kind, id, out, e) : st;
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

/* ---- services ---- */

/* "drh.infer/1" -> "infer"; "com.acme.embed/2" -> "com.acme.embed". */
static char *service_name(const char *id)
{
    const char *from = strncmp(id, "drh.", 4) == 0 ? id + 4 : id;
    const char *slash = strchr(from, '/');

    return mem_dup(from, slash ? (size_t)(slash - from) : strlen(from));
}

static const struct service_decl *decl_of(const struct recipe *r, const char *name)
{
    for (size_t i = 0; i < r->n_services; i++) {
        if (strcmp(r->services[i].name, name) == 0) {
            return &r->services[i];
        }
    }
    return NULL;
}

struct choice {
    struct plan               *p;
    bool                       own;
    const struct service_decl *decl;
    const char                *id, *name, *at;
    const struct stage        *best;
    cJSON                     *options; /* of the best */
    int32_t                    score;
    struct buf                 why;   /* why others were not taken */
    struct buf                 tried; /* those that can serve, and how well */
    unsigned                   n_tried;
};

/* All reasons have to fit into one message, so of a long one only the start is taken. */
static drh_status add_reason(struct buf *b, const char *text)
{
    enum { LONGEST = 130 };
    size_t n = strlen(text);

    if (n <= LONGEST) {
        return buf_add(b, text, n);
    }
    for (n = LONGEST; ((unsigned char)text[n] & 0xC0) == 0x80; n--) {
    }
    return buf_addf(b, "%.*s...", (int)n, text);
}

/* Tries one provider: its options, then its own opinion of this machine. */
static drh_status try_provider(struct choice *c, const struct stage *stage, drh_error *e)
{
    cJSON             *options = c->decl ? cJSON_Duplicate(c->decl->options, true) : NULL;
    struct drh_config *config = NULL;
    int32_t            score = 1;
    drh_status         st = final_options(c->p, stage, &options, c->at, NULL, NULL, e);

    st = st == DRH_OK ? config_new(options, &config, e) : st;
    if (st == DRH_OK && stage->ops.service.probe) {
        e->message[0] = '\0';
        score = instance_probe(stage, c->name, config, &c->p->env, e);
    }
    if (st == DRH_OK && score > 0) {
        (void)buf_addf(&c->tried, "%s%s %d%s%s%s", c->n_tried++ ? ", " : "", stage->desc.id, score,
                       e->message[0] ? " (" : "", e->message, e->message[0] ? ")" : "");
    }
    if (st == DRH_OK && score > c->score) {
        cJSON_Delete(c->options);
        c->options = options;
        c->best = stage;
        c->score = score;
        options = NULL;
    } else if (st != DRH_OK || score <= 0) {
        (void)buf_addf(&c->why, "; %s: ", stage->desc.id);
        (void)add_reason(&c->why, e->message[0] ? e->message : "cannot work here");
    }
    config_free(config);
    cJSON_Delete(options);
    return st == DRH_E_NOMEM ? st : DRH_OK;
}

static drh_status on_note(void *ctx, const char *path, const struct note_stage *s)
{
    struct choice       *c = ctx;
    const struct plugin *plugin;
    const struct stage  *stage = NULL;
    drh_error            e = ERR_INIT;
    bool                 offers = false;

    for (uint32_t i = 0; s->kind == DRH_KIND_SERVICE && i < s->n_words; i++) {
        offers = offers || strcmp(s->words[i], c->id) == 0;
    }
    if (!offers) {
        return DRH_OK;
    }
    if (loader_open(c->p->loader, path, &plugin, &e) != DRH_OK ||
        stage_of(plugin, DRH_KIND_SERVICE, s->id, &stage, &e) != DRH_OK) {
        (void)buf_addf(&c->why, "; %s", e.message);
        return DRH_OK;
    }
    return try_provider(c, stage, &e);
}

static drh_status choose_provider(struct choice *c, drh_error *e)
{
    const char *use = c->decl && c->decl->use ? c->decl->use : "auto";
    drh_status  st;

    if (strcmp(use, "auto") != 0) {
        const struct stage *stage = NULL;
        st = find_stage(c->p, DRH_KIND_SERVICE, use, &stage, e);
        c->options = c->decl ? cJSON_Duplicate(c->decl->options, true) : NULL;
        c->best = stage;
        return st == DRH_OK ? final_options(c->p, stage, &c->options, c->at, NULL, NULL, e) : st;
    }
    st = loader_each_note(c->p->loader, on_note, c, e);
    if (st == DRH_OK && !c->best) {
        return c->why.ptr
                   ? err_set(e, DRH_E_CONFIG,
                             "%s: nobody can serve %s%s; its options: --model, --backend, "
                             "--set services.%s.KEY=VALUE, or \"services\" in the recipe",
                             c->at, c->id, c->why.ptr, c->name)
                   : err_set(e, DRH_E_CONFIG,
                             "%s: nobody can serve %s: no such plugin is in the plugin folders; "
                             "see drhost plugin list",
                             c->at, c->id);
    }
    return st;
}

static bool offers(const struct stage *s, const char *id)
{
    for (const char *const *o = s->ops.service.ids; o && *o; o++) {
        if (strcmp(*o, id) == 0) {
            return true;
        }
    }
    return false;
}

static drh_status add_service(struct plan *p, struct choice *c, drh_error *e)
{
    struct plan_service new = {.id = mem_dupz(c->id),
                               .name = mem_dupz(c->name),
                               .own = c->own,
                               .stage = c->best,
                               .options = c->options};
    struct plan_service *more = mem_resize(p->service, (p->n_services + 1) * sizeof(*more));
    struct plan_service *s;

    if (!more) {
        mem_free(new.id);
        mem_free(new.name);
        return err_nomem(e, "services");
    }
    p->service = more; /* c->name may have been in it */
    s = &more[p->n_services++];
    *s = new;
    c->options = NULL;
    return s->id && s->name ? DRH_OK : err_nomem(e, "services");
}

static drh_status need(struct plan *p, const char *const *ids, const char *infer, unsigned depth,
                       const char *who, drh_error *e);

/* A stage that serves another id already serves this one as well, unless the recipe names somebody
 * for it: one instance, one set of options. */
static const struct plan_service *also_offers(const struct plan *p, const char *id)
{
    for (size_t i = 0; i < p->n_services; i++) {
        if (!p->service[i].own && offers(p->service[i].stage, id)) {
            return &p->service[i];
        }
    }
    return NULL;
}

static drh_status need_also(struct plan *p, const struct plan_service *s, const char *id,
                            drh_error *e)
{
    struct choice c = {.p = p, .id = id, .name = s->name, .best = s->stage};
    drh_status    st;

    c.options = cJSON_Duplicate(s->options, true);
    if (!c.options) {
        return err_nomem(e, "options");
    }
    st = add_service(p, &c, e);
    cJSON_Delete(c.options);
    return st;
}

/* `own`: the name that a step gives, or NULL. */
static drh_status need_one(struct plan *p, const char *id, const char *own, unsigned depth,
                           const char *who, drh_error *e)
{
    char         *name = own ? mem_dupz(own) : service_name(id);
    struct choice c = {.p = p, .own = own != NULL, .id = id, .name = name};
    char          at[96];
    drh_status    st = name ? DRH_OK : err_nomem(e, "services");

    buf_init(&c.why, 4096);
    buf_init(&c.tried, 4096);
    (void)snprintf(at, sizeof(at), "/services/%s", name ? name : "");
    c.at = at;
    c.decl = name ? decl_of(p->recipe, name) : NULL;
    if (st == DRH_OK && !c.decl && !own && also_offers(p, id)) {
        st = need_also(p, also_offers(p, id), id, e);
        buf_free(&c.why);
        mem_free(name);
        return st;
    }
    if (st == DRH_OK && depth >= MAX_SERVICE_DEPTH) {
        st = err_set(e, DRH_E_CONFIG, "%s: the services need each other in a circle", at);
    }
    st = st == DRH_OK ? choose_provider(&c, e) : st;
    if (st == DRH_OK && !offers(c.best, id)) {
        st = err_set(e, DRH_E_CONFIG, "%s: %s does not offer %s", at, c.best->desc.id, id);
    }
    st = st == DRH_OK ? need(p, c.best->desc.needs, NULL, depth + 1, c.best->desc.id, e) : st;
    st = st == DRH_OK ? add_service(p, &c, e) : st;
    if (st == DRH_OK && c.n_tried > 1) {
        log_put(DRH_LOG_INFO, "%s: %s, the fittest of %s", name, c.best->desc.id, c.tried.ptr);
    }
    if (st != DRH_OK && st != DRH_E_NOMEM) {
        err_prefix(e, "%s needs %s", who, id);
    }
    cJSON_Delete(c.options);
    buf_free(&c.why);
    buf_free(&c.tried);
    mem_free(name);
    return st;
}

/* The service of that id: that of the name `own`, or, own NULL, that of no name of its own. */
static struct plan_service *service_of(const struct plan *p, const char *id, const char *own)
{
    for (size_t i = 0; i < p->n_services; i++) {
        struct plan_service *s = &p->service[i];
        if (strcmp(s->id, id) == 0 && s->own == (own != NULL) &&
            (!own || strcmp(s->name, own) == 0)) {
            return s;
        }
    }
    return NULL;
}

/* The name that the step gives to what it needs by this id. */
static const char *own_of(const char *infer, const char *id)
{
    return infer && strcmp(id, DRH_INFER) == 0 ? infer : NULL;
}

static drh_status need(struct plan *p, const char *const *ids, const char *infer, unsigned depth,
                       const char *who, drh_error *e)
{
    drh_status st = DRH_OK;

    for (; st == DRH_OK && ids && *ids; ids++) {
        const char *own = own_of(infer, *ids);
        st = service_of(p, *ids, own) ? DRH_OK : need_one(p, *ids, own, depth, who, e);
    }
    return st;
}

/* The model of a name of its own that a step asks; "infer" is that of all others. */
static const char *infer_of(const struct step *s)
{
    return s->infer && strcmp(s->infer, "infer") != 0 ? s->infer : NULL;
}

static drh_status check_infer(const struct plan *p, const struct plan_step *ps, drh_error *e)
{
    const char        *name = infer_of(ps->step), *near;
    const char        *known[MAX_SERVICE_NAMES];
    const char *const *id = ps->stage->desc.needs;
    size_t             n = 0;

    while (id && *id && strcmp(*id, DRH_INFER) != 0) {
        id++;
    }
    if (ps->step->infer && !(id && *id)) {
        return err_set(e, DRH_E_CONFIG, "%s/infer: %s asks no model; leave it out",
                       ps->step->pointer, ps->stage->desc.id);
    }
    if (!name || decl_of(p->recipe, name)) {
        return DRH_OK;
    }
    for (; n < p->recipe->n_services && n < MAX_SERVICE_NAMES; n++) {
        known[n] = p->recipe->services[n].name;
    }
    near = nearest(name, known, n);
    return near ? err_set(e, DRH_E_CONFIG,
                          "%s/infer: there is no \"%s\" among services; did you mean \"%s\"?",
                          ps->step->pointer, name, near)
                : err_set(e, DRH_E_CONFIG,
                          "%s/infer: there is no \"%s\" among services; add it there",
                          ps->step->pointer, name);
}

static drh_status need_all(struct plan *p, const struct plan_step *ps, drh_error *e)
{
    drh_status st = check_infer(p, ps, e);

    return st == DRH_OK
               ? need(p, ps->stage->desc.needs, infer_of(ps->step), 0, ps->step->pointer, e)
               : st;
}

/* ---- the plan ---- */

/* An alternative brings the same files as its source, unless it says itself which. */
static drh_status inherit(const struct plan *p, struct plan_step *ps, drh_error *e)
{
    static const char *const choice[] = {"include", "exclude", "files"};
    const size_t             of = ps->step->alternative_of - 1;
    const struct plan_step  *source = &p->step[of];
    const cJSON             *known;
    cJSON                   *schema = NULL;
    drh_status               st;

    for (int i = 0; i < 3; i++) {
        if (cJSON_GetObjectItemCaseSensitive(ps->options, choice[i])) {
            return DRH_OK;
        }
    }
    st = schema_parse(ps->stage->desc.config_schema, &schema, e);
    known = cJSON_GetObjectItemCaseSensitive(schema, "properties");
    for (int i = 0; st == DRH_OK && i < 3; i++) {
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

static drh_status plan_one(struct plan *p, struct plan_step *ps, const struct step *s,
                           struct problems *all, drh_error *e)
{
    struct drh_config *config = NULL;
    uint8_t            digest[32];
    drh_status         st;

    ps->step = s;
    ps->attempts = DEFAULT_ATTEMPTS;
    st = find_stage(p, kind_of_phase[s->phase], s->use, &ps->stage, e);
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

/* Names of services that somebody could offer: the host's own, and those of the plugins that are
 * found. */
struct service_names {
    char   name[MAX_SERVICE_NAMES][64];
    size_t n;
};

static void add_name(struct service_names *all, const char *id)
{
    char *name = service_name(id);

    for (size_t i = 0; name && i < all->n; i++) {
        if (strcmp(all->name[i], name) == 0) {
            mem_free(name);
            return;
        }
    }
    if (name && all->n < MAX_SERVICE_NAMES) {
        (void)snprintf(all->name[all->n++], sizeof(all->name[0]), "%s", name);
    }
    mem_free(name);
}

static drh_status on_service(void *ctx, const char *path, const struct note_stage *s)
{
    (void)path;
    for (uint32_t i = 0; s->kind == DRH_KIND_SERVICE && i < s->n_words; i++) {
        add_name(ctx, s->words[i]);
    }
    return DRH_OK;
}

static bool is_needed(const struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->n_services; i++) {
        if (strcmp(p->service[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static drh_status unknown_service(const struct service_decl *d, const struct service_names *all,
                                  drh_error *e)
{
    const char *known[MAX_SERVICE_NAMES], *near;
    char        list[200] = "";

    for (size_t i = 0; i < all->n; i++) {
        const size_t used = strlen(list);
        known[i] = all->name[i];
        (void)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", known[i]);
    }
    near = nearest(d->name, known, all->n);
    return near ? err_set(e, DRH_E_CONFIG, "%s: there is no such service; did you mean \"%s\"?",
                          d->pointer, near)
                : err_set(
                      e, DRH_E_CONFIG,
                      "%s: there is no such service; known are: %s; a model of some steps only is "
                      "named by them, with \"infer\"",
                      d->pointer, list);
}

/* Options for a service that nobody needs: a slip of the pen, or left from another recipe. */
static drh_status check_services(const struct plan *p, drh_error *e)
{
    const struct recipe *r = p->recipe;
    struct service_names all = {.n = 0};
    drh_status           st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < r->n_services; i++) {
        const struct service_decl *d = &r->services[i];
        bool                       known = false;
        if (is_needed(p, d->name)) {
            continue;
        }
        if (all.n == 0) {
            add_name(&all, DRH_INFER);
            add_name(&all, DRH_HTTP);
            add_name(&all, DRH_FETCH);
            st = loader_each_note(p->loader, on_service, &all, e);
        }
        for (size_t k = 0; k < all.n; k++) {
            known = known || strcmp(all.name[k], d->name) == 0;
        }
        if (st == DRH_OK && known) {
            log_put(DRH_LOG_WARN, "%s: no step needs this service", d->pointer);
        } else if (st == DRH_OK) {
            st = unknown_service(d, &all, e);
        }
    }
    return st;
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
    p->step = mem_alloc(r->n_steps + 1, sizeof(*p->step));
    p->services = mem_alloc(1, sizeof(*p->services));
    p->env = (struct run_env){.seed = r->seed, .workers = workers, .services = p->services};
    if (!p->step || !p->services) {
        plan_free(p);
        return err_nomem(e, "the plan");
    }
    for (; p->n_steps < r->n_steps; p->n_steps++) {
        struct plan_step *ps = &p->step[p->n_steps];
        drh_status        st = plan_one(p, ps, &r->steps[p->n_steps], all, e);

        if (st == DRH_OK) {
            st = need_all(p, ps, e);
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
        first = check_services(p, &first_e);
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
    return st == DRH_OK
               ? instance_new(&s->in, s->stage, s->step->id, infer_of(s->step), config, &p->env, e)
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
        const char          *own = own_of(infer, *id);
        struct plan_service *s = service_of(p, *id, own);
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
    return serve(p, step->stage->desc.needs, infer_of(step->step), e);
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

drh_status plan_stage(struct plan *p, uint32_t kind, const char *use, const struct stage **out,
                      drh_error *e)
{
    return find_stage(p, kind, use, out, e);
}

drh_status plan_options(const struct plan *p, const struct stage *stage, cJSON **options,
                        const char *at, struct problems *all, drh_error *e)
{
    return final_options(p, stage, options, at, NULL, all, e);
}

const char *plan_identity(const struct plan *p, const struct plan_step *s)
{
    const struct service *infer = services_infer(p->services, infer_of(s->step));

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
        instance_free(p->step[i].in);
        cJSON_Delete(p->step[i].options);
        mem_free(p->step[i].text);
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
