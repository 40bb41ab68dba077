/* SPDX-License-Identifier: MIT
 * plan_services.c - who serves what the steps of a plan need, and names of services that are
 * mistaken. */
#include "plan_impl.h"

#include "err.h"
#include "log.h"
#include "mem.h"
#include "services.h"

#include <string.h>

enum { MAX_SERVICE_DEPTH = 8, MAX_SERVICE_NAMES = 32 };

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
    drh_error                 *e; /* of a provider that could not be asked, for want of memory */
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

/* A copy of the options that the recipe gives; NULL for none. */
static drh_status own_options(const struct choice *c, cJSON **options, drh_error *e)
{
    const cJSON *given = c->decl ? c->decl->options : NULL;

    *options = given ? cJSON_Duplicate(given, true) : NULL;
    return given && !*options ? err_nomem(e, "options") : DRH_OK;
}

/* Tries one provider: its options, then its own opinion of this machine. */
static drh_status try_provider(struct choice *c, const struct stage *stage, drh_error *e)
{
    cJSON             *options;
    struct drh_config *config = NULL;
    int32_t            score = 1;
    drh_status         st = own_options(c, &options, e);

    st = st == DRH_OK ? plan_options(c->p, stage, &options, c->at, NULL, e) : st;
    st = st == DRH_OK ? config_new(options, &config, e) : st;
    if (st == DRH_OK && stage->ops.service.probe) {
        e->message[0] = '\0';
        score = instance_probe(stage, c->name, config, &c->p->env, e);
        /* Want of memory says nothing about a provider; without it another one might be taken. */
        st = score <= 0 && e->code == DRH_E_NOMEM ? DRH_E_NOMEM : DRH_OK;
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
    drh_status           st;
    bool                 offers = false;

    for (uint32_t i = 0; s->kind == DRH_KIND_SERVICE && i < s->n_words; i++) {
        offers = offers || strcmp(s->words[i], c->id) == 0;
    }
    if (!offers) {
        return DRH_OK;
    }
    st = loader_open(c->p->loader, path, &plugin, &e);
    st = st == DRH_OK ? plan_stage_of(plugin, DRH_KIND_SERVICE, s->id, &stage, &e) : st;
    if (st != DRH_OK && st != DRH_E_NOMEM) {
        (void)buf_addf(&c->why, "; %s", e.message);
        return DRH_OK;
    }
    st = st == DRH_OK ? try_provider(c, stage, &e) : st;
    if (st != DRH_OK) {
        *c->e = e;
    }
    return st;
}

static drh_status choose_provider(struct choice *c, drh_error *e)
{
    const char *use = c->decl && c->decl->use ? c->decl->use : "auto";
    drh_status  st;

    if (strcmp(use, "auto") != 0) {
        const struct stage *stage = NULL;
        st = plan_stage(c->p, DRH_KIND_SERVICE, use, &stage, e);
        st = st == DRH_OK ? own_options(c, &c->options, e) : st;
        c->best = stage;
        return st == DRH_OK ? plan_options(c->p, stage, &c->options, c->at, NULL, e) : st;
    }
    c->e = e;
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

struct plan_service *plan_service_of(const struct plan *p, const char *id, const char *own)
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

const char *plan_own_of(const char *infer, const char *id)
{
    return infer && strcmp(id, DRH_INFER) == 0 ? infer : NULL;
}

static drh_status need(struct plan *p, const char *const *ids, const char *infer, unsigned depth,
                       const char *who, drh_error *e)
{
    drh_status st = DRH_OK;

    for (; st == DRH_OK && ids && *ids; ids++) {
        const char *own = plan_own_of(infer, *ids);
        st = plan_service_of(p, *ids, own) ? DRH_OK : need_one(p, *ids, own, depth, who, e);
    }
    return st;
}

const char *plan_infer_of(const struct step *s)
{
    return s->infer && strcmp(s->infer, "infer") != 0 ? s->infer : NULL;
}

static drh_status check_infer(const struct plan *p, const struct plan_step *ps, drh_error *e)
{
    const char        *name = plan_infer_of(ps->step), *near;
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

drh_status plan_need(struct plan *p, const struct plan_step *ps, drh_error *e)
{
    drh_status st = check_infer(p, ps, e);

    return st == DRH_OK
               ? need(p, ps->stage->desc.needs, plan_infer_of(ps->step), 0, ps->step->pointer, e)
               : st;
}

/* ---- names of services ---- */

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

drh_status plan_check_services(const struct plan *p, drh_error *e)
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
