/* SPDX-License-Identifier: MIT
 * recipe.c - a recipe's text becomes a struct recipe.  Types, ranges and unknown keys are judged by
 * the published schema; the rest by recipe_keys.c. [main] */
#include "err.h"
#include "mem.h"
#include "outfile.h"
#include "recipe_impl.h"
#include "schema_impl.h"
#include "tree.h"

#include <string.h>

drh_status recipe_schema(cJSON **schema, drh_error *e)
{
    return schema_parse(recipe_schema_text, schema, e);
}

const cJSON *recipe_step_schema(const cJSON *schema, enum phase p)
{
    return schema_key(schema_key(schema_key(schema, "properties"), phase_names[p]), "items");
}

/* Host keys that an unknown key of an entry may have been meant for. */
static const char *const *const phase_keys[PHASES] = {
    (const char *const[]){"use", "id", "domain", "dataset", "reader", "or", "then", NULL},
    (const char *const[]){"use", "id", NULL},
    (const char *const[]){"use", "id", "domain", "dataset", "then", NULL},
    (const char *const[]){"use", "id", "below", "at_most", "above", "at_least", "top", "count",
                          "per", NULL},
    (const char *const[]){"use", "id", NULL}};
static const char *const service_keys[] = {"use", NULL};

/* ---- life ---- */

void recipe_free_step(struct step *s)
{
    mem_free(s->id);
    mem_free(s->use);
    mem_free(s->domain);
    mem_free(s->dataset);
    mem_free(s->infer);
    if (s->reader) {
        reader_decl_free(s->reader);
        mem_free(s->reader);
    }
    mem_free(s->per);
    cJSON_Delete(s->options);
}

void recipe_free(struct recipe *r)
{
    if (!r) {
        return;
    }
    for (size_t i = 0; i < r->n_steps; i++) {
        recipe_free_step(&r->steps[i]);
    }
    for (size_t i = 0; i < r->n_services; i++) {
        mem_free(r->services[i].name);
        mem_free(r->services[i].use);
        cJSON_Delete(r->services[i].options);
    }
    mem_free(r->steps);
    for (size_t i = 0; i < r->n_readers; i++) {
        reader_decl_free(&r->readers[i]);
    }
    mem_free(r->readers);
    mem_free(r->services);
    mem_free(r->path);
    mem_free(r->dir);
    mem_free(r->version);
    mem_free(r->data);
    mem_free(r);
}

struct step *recipe_step(const struct recipe *r, const char *id)
{
    for (size_t i = 0; i < r->n_steps; i++) {
        if (strcmp(r->steps[i].id, id) == 0) {
            return &r->steps[i];
        }
    }
    return NULL;
}

static void *grow(void **list, size_t n, size_t size)
{
    void *bigger = mem_resize(*list, (n + 1) * size);
    if (!bigger) {
        return NULL;
    }
    *list = bigger;
    return memset((char *)bigger + n * size, 0, size);
}

static drh_status new_step(struct recipe *r, enum phase phase, struct step **out, drh_error *e)
{
    void        *list = r->steps;
    struct step *s = grow(&list, r->n_steps, sizeof(*s));

    r->steps = list;
    if (!s) {
        return err_nomem(e, "the recipe");
    }
    s->phase = phase;
    for (size_t i = 0; i < r->n_steps; i++) {
        s->index += r->steps[i].phase == phase && r->steps[i].alternative_of == 0 &&
                    r->steps[i].follows == 0;
    }
    (void)snprintf(s->pointer, sizeof(s->pointer), "/%s/%zu", phase_names[phase], s->index);
    r->n_steps++;
    *out = s;
    return DRH_OK;
}

drh_status recipe_add_service(struct recipe *r, const char *name, const char *use,
                              struct service_decl **out, drh_error *e)
{
    void                *list = r->services;
    struct service_decl *d;
    drh_status           st = id_ok(name, e);

    if (st != DRH_OK) {
        err_prefix(e, "/services: name");
        return st;
    }
    d = grow(&list, r->n_services, sizeof(*d));
    r->services = list;
    if (!d) {
        return err_nomem(e, "the recipe");
    }
    r->n_services++;
    d->name = mem_dupz(name);
    d->use = mem_dupz(use);
    d->options = cJSON_CreateObject();
    (void)snprintf(d->pointer, sizeof(d->pointer), "/services/%.50s", name);
    *out = d;
    return d->name && d->use && d->options ? DRH_OK : err_nomem(e, "the recipe");
}

/* ---- ids ---- */

/* The name in `use`: the stage of FILE:STAGE, else the file without folder and .so. */
static void name_of_use(const char *use, char *out, size_t cap)
{
    const char *slash = strrchr(use, '/');
    const char *name = slash ? slash + 1 : use;
    const char *colon = strrchr(name, ':');
    size_t      n;

    (void)snprintf(out, cap, "%s", colon && colon[1] ? colon + 1 : name);
    n = strlen(out);
    if (n > 3 && strcmp(out + n - 3, ".so") == 0) {
        out[n - 3] = 0;
    }
    for (char *p = out; *p; p++) {
        bool good = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                    (*p >= '0' && *p <= '9') || *p == '-' || *p == '_' || (*p == '.' && p != out);
        *p = good ? *p : '_';
    }
}

static bool id_taken(const struct recipe *r, const char *id)
{
    for (size_t i = 0; i < r->n_steps; i++) {
        if (r->steps[i].id && strcmp(r->steps[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static drh_status default_id(const struct recipe *r, struct step *s, drh_error *e)
{
    char name[RECIPE_MAX_ID - 7], id[RECIPE_MAX_ID + 1];

    name_of_use(s->use, name, sizeof(name));
    (void)snprintf(id, sizeof(id), "%s", name[0] ? name : "step");
    for (unsigned i = 2; id_taken(r, id) && i < 100000; i++) {
        (void)snprintf(id, sizeof(id), "%s-%u", name, i);
    }
    s->id = mem_dupz(id);
    return s->id ? DRH_OK : err_nomem(e, "the recipe");
}

drh_status recipe_default_names(const struct recipe *r, struct step *s, drh_error *e)
{
    drh_status st = s->id ? DRH_OK : default_id(r, s, e);
    bool       makes_records =
        (s->phase == PHASE_SOURCE && s->alternative_of == 0) || s->phase == PHASE_SYNTHESIZE;

    if (st != DRH_OK || !makes_records) {
        return st;
    }
    s->domain = s->domain ? s->domain : mem_dupz("General");
    s->dataset = s->dataset ? s->dataset : mem_dupz(s->id);
    return s->domain && s->dataset ? DRH_OK : err_nomem(e, "the recipe");
}

/* ---- from a tree ---- */

/* Takes the host's keys of that phase out of `entry`; what is left are the stage's options. */
static drh_status fill_step(struct step *s, const cJSON *props, cJSON *entry, drh_error *e)
{
    cJSON     *kid, *next;
    drh_status st = DRH_OK;

    for (kid = entry->child; kid && st == DRH_OK; kid = next) {
        const struct host_key *k = key_find(step_keys, kid->string, strlen(kid->string));
        next = kid->next;
        if (k && schema_key(props, kid->string)) {
            st = key_store(k, s, kid, e);
            cJSON_Delete(cJSON_DetachItemViaPointer(entry, kid));
        }
    }
    if (st == DRH_OK) {
        s->options = cJSON_Duplicate(entry, 1);
        st = s->options ? DRH_OK : err_nomem(e, "the recipe");
    }
    return st;
}

/* Keys of a source that mean nothing for another one of the same data. */
static drh_status check_alternative(const struct step *s, const cJSON *entry, drh_error *e)
{
    static const char *const of_source[] = {"domain", "dataset", "reader", "then"};

    if (schema_key(entry, "or")) {
        return err_set(e, DRH_E_CONFIG,
                       "%s/or: alternatives have none of their own; add it to the list around it",
                       s->pointer);
    }
    for (size_t i = 0; i < sizeof(of_source) / sizeof(of_source[0]); i++) {
        if (schema_key(entry, of_source[i])) {
            return err_set(e, DRH_E_CONFIG, "%s/%s: an alternative has the %s of its source",
                           s->pointer, of_source[i], of_source[i]);
        }
    }
    return DRH_OK;
}

static drh_status read_alternatives(struct recipe *r, size_t of, const cJSON *props, cJSON *list,
                                    drh_error *e)
{
    const cJSON *own = schema_key(schema_key(schema_key(props, "or"), "items"), "properties");
    cJSON       *one;
    size_t       k = 0;
    drh_status   st = DRH_OK;

    cJSON_ArrayForEach(one, list)
    {
        struct step *s;
        st = st == DRH_OK ? new_step(r, r->steps[of].phase, &s, e) : st;
        if (st == DRH_OK) {
            s->alternative_of = of + 1;
            (void)snprintf(s->pointer, sizeof(s->pointer), "%.40s/or/%zu", r->steps[of].pointer,
                           k++);
            st = check_alternative(s, one, e);
            st = st == DRH_OK ? fill_step(s, own, one, e) : st;
        }
    }
    return st;
}

/* What is done with the records of a source or synthesizer only. */
static drh_status read_then(struct recipe *r, size_t of, const cJSON *props, cJSON *list,
                            drh_error *e)
{
    const cJSON *own = schema_key(schema_key(schema_key(props, "then"), "items"), "properties");
    cJSON       *one;
    size_t       k = 0;
    drh_status   st = DRH_OK;

    cJSON_ArrayForEach(one, list)
    {
        struct step *s;
        st = st == DRH_OK ? new_step(r, PHASE_PREPROCESS, &s, e) : st;
        if (st == DRH_OK) {
            s->follows = of + 1;
            (void)snprintf(s->pointer, sizeof(s->pointer), "%.40s/then/%zu", r->steps[of].pointer,
                           k++);
            st = fill_step(s, own, one, e);
        }
    }
    return st;
}

/* Takes the list of steps at `key` out of `entry`, if that is a key of the host. */
static cJSON *take_list(const cJSON *props, cJSON *entry, const char *key)
{
    return schema_key(props, key) ? cJSON_DetachItemFromObjectCaseSensitive(entry, key) : NULL;
}

drh_status recipe_read_step(struct recipe *r, const cJSON *props, enum phase phase, cJSON *entry,
                            drh_error *e)
{
    struct step *s;
    cJSON       *others = take_list(props, entry, "or"), *then = take_list(props, entry, "then");
    const size_t at = r->n_steps;
    drh_status   st = new_step(r, phase, &s, e);

    st = st == DRH_OK ? fill_step(s, props, entry, e) : st;
    st = st == DRH_OK ? read_alternatives(r, at, props, others, e) : st;
    st = st == DRH_OK ? read_then(r, at, props, then, e) : st;
    cJSON_Delete(others);
    cJSON_Delete(then);
    return st;
}

static drh_status read_services(struct recipe *r, const cJSON *list, drh_error *e)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, list)
    {
        struct service_decl *d;
        drh_status           st;
        st = recipe_add_service(r, one->string, schema_key(one, "use")->valuestring, &d, e);
        if (st == DRH_OK) {
            cJSON_Delete(d->options);
            d->options = cJSON_Duplicate(one, 1);
            cJSON_DeleteItemFromObjectCaseSensitive(d->options, "use");
            st = d->options ? DRH_OK : err_nomem(e, "the recipe");
        }
        if (st != DRH_OK) {
            return st;
        }
    }
    return DRH_OK;
}

static drh_status read_tree(struct recipe *r, const cJSON *schema, const cJSON *tree, drh_error *e)
{
    drh_status st = DRH_OK;

    for (const struct host_key *k = recipe_keys; k->name && st == DRH_OK; k++) {
        st = key_store(k, r, schema_key(tree, k->name), e);
    }
    if (st == DRH_OK) {
        st = read_services(r, schema_key(tree, "services"), e);
    }
    for (enum phase p = PHASE_SOURCE; p < PHASES && st == DRH_OK; p++) {
        const cJSON *props = schema_key(recipe_step_schema(schema, p), "properties");
        cJSON       *entry, *list = cJSON_GetObjectItemCaseSensitive(tree, phase_names[p]);
        cJSON_ArrayForEach(entry, list)
        {
            if (st == DRH_OK) {
                st = recipe_read_step(r, props, p, entry, e);
            }
        }
    }
    for (size_t i = 0; i < 2 * r->n_steps && st == DRH_OK; i++) { /* those of a phase first */
        struct step *s = &r->steps[i % r->n_steps];
        st = (s->follows != 0) == (i >= r->n_steps) ? recipe_default_names(r, s, e) : st;
    }
    return st;
}

/* Notes a mistake and goes on; DRH_E_NOMEM ends the check. */
static drh_status note(drh_status st, const drh_error *found, struct problems *all,
                       drh_status before, drh_error *e)
{
    if (st == DRH_OK) {
        return before;
    }
    problems_add(all, "%s", found->message);
    if (before == DRH_OK) {
        err_set(e, st, "%s", found->message);
    }
    return before == DRH_OK ? st : before;
}

static drh_status check_all(const struct recipe *r, struct problems *all, drh_error *e)
{
    drh_error  found = ERR_INIT;
    drh_status st = note(recipe_check_host(r, &found), &found, all, DRH_OK, e);
    bool       reads = false;

    for (size_t i = 0; i < r->n_steps; i++) {
        const struct step *s = &r->steps[i];
        reads |= s->phase == PHASE_SOURCE || s->phase == PHASE_SYNTHESIZE;
        st = note(recipe_check_step(r, s, &found), &found, all, st, e);
        st = note(recipe_check_per(s, &found), &found, all, st, e);
    }
    if (!reads) {
        drh_status no = err_set(&found, DRH_E_CONFIG,
                                "/sources: nothing to read; add \"sources\" or \"synthesize\"");
        st = note(no, &found, all, st, e);
    }
    return st;
}

/* ---- doors ---- */

static drh_status new_recipe(const char *path, struct recipe **out, drh_error *e)
{
    struct recipe *r = mem_alloc(1, sizeof(*r));
    const char    *slash = path ? strrchr(path, '/') : NULL;
    bool           ok = r != NULL;

    *out = r;
    if (path && ok) {
        r->path = mem_dupz(path);
        ok = r->path != NULL;
    }
    if (slash && ok) {
        r->dir = mem_dup(path, slash == path ? 1 : (size_t)(slash - path));
        ok = r->dir != NULL;
    }
    return ok ? DRH_OK : err_nomem(e, "the recipe");
}

static drh_status parse(const char *text, size_t len, const char *name, struct recipe *r,
                        struct problems *all, drh_error *e)
{
    cJSON     *schema = NULL, *tree = NULL;
    drh_status st = tree_parse(text, len, name, &tree, e);

    if (st != DRH_OK) {
        return st;
    }
    st = recipe_schema(&schema, e);
    if (st == DRH_OK) {
        st = schema_apply(schema, tree, "", NULL, all, e);
    }
    if (st == DRH_OK) {
        st = read_tree(r, schema, tree, e);
    }
    if (st == DRH_OK) {
        st = check_all(r, all, e);
    }
    if (st != DRH_OK) {
        err_prefix(e, "%s", name);
    }
    cJSON_Delete(schema);
    cJSON_Delete(tree);
    return st;
}

drh_status recipe_parse_all(const char *text, size_t len, const char *path, struct recipe **r,
                            struct problems *all, drh_error *e)
{
    drh_status st = new_recipe(path, r, e);

    if (st == DRH_OK) {
        st = parse(text, len, path ? path : "recipe", *r, all, e);
    }
    if (st != DRH_OK) {
        recipe_free(*r);
        *r = NULL;
    }
    return st;
}

drh_status recipe_parse(const char *text, size_t len, const char *path, struct recipe **r,
                        drh_error *e)
{
    return recipe_parse_all(text, len, path, r, NULL, e);
}

drh_status recipe_load_all(const char *path, struct recipe **r, struct problems *all, drh_error *e)
{
    char      *text = NULL;
    size_t     len = 0;
    drh_status st = read_file(path, TREE_MAX_TEXT, &text, &len, e);

    *r = NULL;
    if (st == DRH_OK) {
        st = recipe_parse_all(text, len, path, r, all, e);
    }
    mem_free(text);
    return st;
}

drh_status recipe_load(const char *path, struct recipe **r, drh_error *e)
{
    return recipe_load_all(path, r, NULL, e);
}

drh_status recipe_empty(struct recipe **r, drh_error *e)
{
    static const char text[] = "{\"recipe\":1}";
    cJSON            *schema = NULL, *tree = NULL;
    drh_status        st = new_recipe(NULL, r, e);

    st = st == DRH_OK ? recipe_schema(&schema, e) : st;
    st = st == DRH_OK ? tree_parse(text, sizeof(text) - 1, "recipe", &tree, e) : st;
    st = st == DRH_OK ? schema_apply(schema, tree, "", NULL, NULL, e) : st;
    st = st == DRH_OK ? read_tree(*r, schema, tree, e) : st;
    cJSON_Delete(schema);
    cJSON_Delete(tree);
    if (st != DRH_OK) {
        recipe_free(*r);
        *r = NULL;
    }
    return st;
}

drh_status recipe_add(struct recipe *r, enum phase phase, const char *use, struct step **out,
                      drh_error *e)
{
    struct step *s;
    drh_status   st;

    if (use[0] == 0) {
        return err_set(e, DRH_E_CONFIG, "the name of a plugin must not be empty");
    }
    st = new_step(r, phase, &s, e);
    if (st != DRH_OK) {
        return st;
    }
    s->use = mem_dupz(use);
    s->options = cJSON_CreateObject();
    if (!s->use || !s->options) {
        st = err_nomem(e, "the recipe");
    } else {
        st = recipe_default_names(r, s, e);
    }
    if (st != DRH_OK) {
        r->n_steps--;
        recipe_free_step(s);
        return st;
    }
    *out = s;
    return DRH_OK;
}

drh_status recipe_options(const struct recipe *r, const struct step *s, const char *at,
                          cJSON *options, const cJSON *schema, struct problems *all, drh_error *e)
{
    struct check c;

    check_begin(&c, at, s && s->here ? NULL : r->dir, all, e);
    c.also = s ? phase_keys[s->phase] : service_keys;
    check_value(&c, schema, options, NULL);
    return check_end(&c);
}
