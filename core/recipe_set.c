/* SPDX-License-Identifier: MIT
 * recipe_set.c - --set [ID.]KEY=VALUE on a recipe that is loaded. [main] */
#include "err.h"
#include "json.h"
#include "mem.h"
#include "recipe_impl.h"
#include "schema_impl.h"
#include "tree.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* A typed, checked value for a host key, in a list of one; NULL with e filled. */
static cJSON *typed(const cJSON *schema, const char *at, const char *text, drh_error *e)
{
    struct check c;
    cJSON       *box = cJSON_CreateArray();
    cJSON       *value = box ? schema_value_of(schema, text, at, e) : NULL;

    if (!value) {
        cJSON_Delete(box);
        if (!box) {
            err_nomem(e, "a value");
        }
        return NULL;
    }
    cJSON_AddItemToArray(box, value);
    check_begin(&c, at, NULL, NULL, e);
    check_value(&c, schema, value, box);
    if (check_end(&c) != DRH_OK) {
        cJSON_Delete(box);
        return NULL;
    }
    return box;
}

static drh_status set_host_key(const cJSON *schema, const struct host_key *k, void *to,
                               const char *at, const char *text, drh_error *e)
{
    const cJSON *sub = schema_key(schema_key(schema, "properties"), k->name);
    char         deeper[128];
    cJSON       *box;
    drh_status   st;

    (void)snprintf(deeper, sizeof(deeper), "%s/%s", at, k->name);
    box = typed(sub, deeper, text, e);
    if (!box) {
        return e && e->code == DRH_E_NOMEM ? DRH_E_NOMEM : DRH_E_CONFIG;
    }
    st = key_store(k, to, box->child, e);
    cJSON_Delete(box);
    return st;
}

/* Notes {"$set": text} at key "a.b" of the options; objects on the way are made. */
drh_status note_option(cJSON *options, const char *at, const char *key, const char *text,
                       drh_error *e)
{
    char        name[128];
    const char *dot = strchr(key, '.');
    cJSON      *sub, *mark;

    for (; dot; dot = strchr(key, '.')) {
        if (dot == key || (size_t)(dot - key) >= sizeof(name)) {
            return err_set(e, DRH_E_CONFIG, "%s: \"%.60s\" is no option name", at, key);
        }
        memcpy(name, key, (size_t)(dot - key));
        name[dot - key] = 0;
        sub = cJSON_GetObjectItemCaseSensitive(options, name);
        if (!cJSON_IsObject(sub)) {
            cJSON_DeleteItemFromObjectCaseSensitive(options, name);
            sub = cJSON_AddObjectToObject(options, name);
        }
        if (!sub) {
            return err_nomem(e, "a value");
        }
        options = sub;
        key = dot + 1;
    }
    if (!key[0] || key[0] == '$') {
        return err_set(e, DRH_E_CONFIG, "%s: \"%s\" is no option name", at, key);
    }
    mark = tree_mark(TREE_SET, text);
    cJSON_DeleteItemFromObjectCaseSensitive(options, key);
    if (!mark || !cJSON_AddItemToObject(options, key, mark)) {
        cJSON_Delete(mark);
        return err_nomem(e, "a value");
    }
    return DRH_OK;
}

/* A relative path in `use` would start at the recipe's folder; on the command line it starts at the
 * current one. */
drh_status from_here(const struct recipe *r, char **use, drh_error *e)
{
    char cwd[PATH_MAX], *full;

    if (!r->dir || (*use)[0] == '/' || !strchr(*use, '/')) {
        return DRH_OK;
    }
    if (!getcwd(cwd, sizeof(cwd))) {
        return err_errno(e, errno, "cannot find", "the current folder");
    }
    full = mem_printf("%s/%s", cwd, *use);
    if (!full) {
        return err_nomem(e, "the recipe");
    }
    mem_free(*use);
    *use = full;
    return DRH_OK;
}

static drh_status set_in_step(const struct recipe *r, const cJSON *schema, struct step *s,
                              const char *key, const char *text, drh_error *e)
{
    const cJSON           *sub = recipe_step_schema(schema, s->phase);
    const struct host_key *k = key_find(step_keys, key, strlen(key));
    drh_status             st;

    if (s->phase == PHASE_SOURCE && strncmp(key, "reader.", 7) == 0) {
        return reader_option(s, key + 7, text, e);
    }
    if (!k || !schema_key(schema_key(sub, "properties"), key)) {
        return note_option(s->options, s->pointer, key, text, e);
    }
    if (strcmp(key, "id") == 0) {
        return err_set(e, DRH_E_CONFIG, "the id of a step cannot be set; write it in the recipe");
    }
    if (strcmp(key, "count") == 0) {
        s->has_top = false;
    } else if (strcmp(key, "top") == 0) {
        s->has_count = false;
    }
    st = set_host_key(sub, k, s, s->pointer, text, e);
    if (st == DRH_OK && strcmp(key, "use") == 0) {
        st = from_here(r, &s->use, e);
    } else if (st == DRH_OK && strcmp(key, "reader") == 0) {
        st = from_here(r, &s->reader->use, e);
    }
    return st == DRH_OK ? recipe_check_step(r, s, e) : st;
}

/* ---- whom it is for ---- */

static drh_status set_service(struct recipe *r, char *name, const char *text, drh_error *e)
{
    struct service_decl *d = NULL;
    char                *key = strchr(name, '.'), *use;
    drh_status           st = DRH_OK;

    if (!key || key == name || !key[1]) {
        return err_set(e, DRH_E_CONFIG,
                       "write services.NAME.KEY=VALUE, as in "
                       "services.infer.model=models/gpt2");
    }
    *key++ = 0;
    for (size_t i = 0; i < r->n_services && !d; i++) {
        d = strcmp(r->services[i].name, name) == 0 ? &r->services[i] : NULL;
    }
    if (!d) {
        st = recipe_add_service(r, name, "auto", &d, e);
    }
    if (st != DRH_OK || strcmp(key, "use") != 0) {
        return st == DRH_OK ? note_option(d->options, d->pointer, key, text, e) : st;
    }
    if (!text[0]) {
        return err_set(e, DRH_E_CONFIG, "%s/use: must not be empty", d->pointer);
    }
    use = mem_dupz(text);
    if (!use) {
        return err_nomem(e, "the recipe");
    }
    mem_free(d->use);
    d->use = use;
    return from_here(r, &d->use, e);
}

/* The step whose id begins `left`, followed by a dot; of several the longest. */
static struct step *step_of(const struct recipe *r, const char *left, size_t *len)
{
    struct step *found = NULL;
    *len = 0;
    for (size_t i = 0; i < r->n_steps; i++) {
        size_t n = strlen(r->steps[i].id);
        if (n > *len && strncmp(left, r->steps[i].id, n) == 0 && left[n] == '.') {
            *len = n;
            found = &r->steps[i];
        }
    }
    return found;
}

static drh_status no_step(const struct recipe *r, const char *left, drh_error *e)
{
    const char *known[32];
    char        id[80], list[240] = "";
    size_t      n = 0, used = 0;
    const char *near;

    for (; n < r->n_steps + r->n_readers && n < 32; n++) {
        known[n] = n < r->n_steps ? r->steps[n].id : r->readers[n - r->n_steps].id;
        if (used + strlen(known[n]) + 8 < sizeof(list)) {
            used +=
                (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", n ? ", " : "", known[n]);
        }
    }
    if (!strchr(left, '.')) {
        return err_set(e, DRH_E_CONFIG, "which step is it for? Write ID.%s=...; steps are: %s",
                       left, n ? list : "none");
    }
    (void)snprintf(id, sizeof(id), "%.*s", (int)strcspn(left, "."), left);
    near = strcmp(id, "service") == 0 ? "services" : nearest(id, known, n);
    if (near) {
        return err_set(e, DRH_E_CONFIG, "no step has the id \"%s\"; did you mean \"%s\"?", id,
                       near);
    }
    return err_set(e, DRH_E_CONFIG, "no step has the id \"%s\"; steps are: %s", id,
                   n ? list : "none");
}

static drh_status set_left(struct recipe *r, const cJSON *schema, char *left, const char *text,
                           drh_error *e)
{
    const struct host_key *k = key_find(recipe_keys, left, strlen(left));
    struct reader_decl    *d;
    const char            *key;
    struct step           *s;
    size_t                 len;
    drh_status             st;

    if (k) {
        st = set_host_key(schema, k, r, "", text, e);
        return st == DRH_OK ? recipe_check_host(r, e) : st;
    }
    if (strncmp(left, "services.", 9) == 0) {
        return set_service(r, left + 9, text, e);
    }
    s = step_of(r, left, &len);
    if (s) {
        return set_in_step(r, schema, s, left + len + 1, text, e);
    }
    d = reader_of(r, left, &key);
    if (d) {
        return note_option(d->options, d->pointer, key, text, e);
    }
    if (r->n_steps == 1 && !strchr(left, '.')) {
        return set_in_step(r, schema, &r->steps[0], left, text, e);
    }
    return no_step(r, left, e);
}

drh_status recipe_set(struct recipe *r, const char *assignment, drh_error *e)
{
    const char *equals = strchr(assignment, '=');
    cJSON      *schema = NULL;
    char       *left;
    drh_status  st;

    if (!equals || equals == assignment) {
        return err_set(e, DRH_E_CONFIG, "--set %.80s: write [ID.]KEY=VALUE", assignment);
    }
    if (!json_utf8_valid(assignment, strlen(assignment))) {
        return err_set(e, DRH_E_CONFIG, "--set: must be UTF-8 text");
    }
    left = mem_dup(assignment, (size_t)(equals - assignment));
    st = left ? recipe_schema(&schema, e) : err_nomem(e, "a value");
    if (st == DRH_OK) {
        st = set_left(r, schema, left, equals + 1, e);
        if (st != DRH_OK) {
            err_prefix(e, "--set %.80s", assignment);
        }
    }
    cJSON_Delete(schema);
    mem_free(left);
    return st;
}
