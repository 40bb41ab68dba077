/* SPDX-License-Identifier: MIT
 * recipe_stand_in.c - a source that stands for another one gives way to it.  The new steps are read
 * at the end of the list and moved to the place of the old one. [main] */
#include "err.h"
#include "mem.h"
#include "recipe_impl.h"
#include "schema_impl.h"
#include "tree.h"

#include <string.h>

/* What belongs to the recipe that has the entry. */
static drh_status check_entry(const cJSON *entry, drh_error *e)
{
    static const char *const recipes[] = {"id", "domain"};

    for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++) {
        if (schema_key(entry, recipes[i])) {
            return err_set(e, DRH_E_CONFIG, "/%s: is for the recipe to say", recipes[i]);
        }
    }
    return DRH_OK;
}

/* What the recipe says of the old one is true of the new one. */
static void take_over(struct step *old, struct step *new)
{
    const bool named = strcmp(old->dataset, old->id) != 0;

    new->index = old->index;
    mem_free(new->domain);
    new->id = old->id;
    new->domain = old->domain;
    old->id = old->domain = NULL;
    if (named || !new->dataset) {
        mem_free(new->dataset);
        new->dataset = old->dataset;
        old->dataset = NULL;
    }
    if (old->reader) {
        if (new->reader) {
            reader_decl_free(new->reader);
            mem_free(new->reader);
        }
        new->reader = old->reader;
        old->reader = NULL;
    }
}

/* Its own alternatives and steps say where they are by its place: /sources/9/or/0. */
static void set_pointer(struct step *s, const char *was, const char *is)
{
    char rest[sizeof(s->pointer)];

    (void)snprintf(rest, sizeof(rest), "%s", s->pointer + strlen(was));
    (void)snprintf(s->pointer, sizeof(s->pointer), "%.40s%.20s", is, rest);
}

/* steps[n..n_steps) go to `at`, whose step goes; places in the others follow. */
static void move_in(struct recipe *r, size_t at, size_t n, struct step *scratch)
{
    const size_t m = r->n_steps - n;
    char         was[sizeof(r->steps->pointer)], is[sizeof(was)];

    memcpy(was, r->steps[n].pointer, sizeof(was));
    memcpy(is, r->steps[at].pointer, sizeof(is));
    take_over(&r->steps[at], &r->steps[n]);
    recipe_free_step(&r->steps[at]);
    memcpy(scratch, r->steps + n, m * sizeof(*scratch));
    memmove(r->steps + at + m, r->steps + at + 1, (n - at - 1) * sizeof(*scratch));
    memcpy(r->steps + at, scratch, m * sizeof(*scratch));
    r->n_steps--;
    for (size_t i = 0; i < r->n_steps; i++) {
        struct step               *s = &r->steps[i];
        const bool new = i >= at &&i < at + m;
        size_t                    *place[] = {&s->alternative_of, &s->follows};
        for (int k = 0; k < 2; k++) {
            *place[k] = new &&*place[k]       ? at + 1
                        : *place[k] >= at + 2 ? *place[k] + m - 1
                                              : *place[k];
        }
        if (new) {
            s->here = true;
            set_pointer(s, was, is);
        }
    }
}

static drh_status check_new(struct recipe *r, size_t at, size_t m, drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = at; st == DRH_OK && i < at + m; i++) {
        st = recipe_default_names(r, &r->steps[i], e);
        st = st == DRH_OK ? recipe_check_step(r, &r->steps[i], e) : st;
    }
    return st;
}

static drh_status read_entry(struct recipe *r, const char *text, size_t len, drh_error *e)
{
    cJSON       *schema = NULL, *entry = NULL;
    const cJSON *one;
    drh_status   st = recipe_schema(&schema, e);

    st = st == DRH_OK ? tree_parse(text, len, "entry", &entry, e) : st;
    one = recipe_step_schema(schema, PHASE_SOURCE);
    st = st == DRH_OK ? check_entry(entry, e) : st; /* before it gets its defaults */
    st = st == DRH_OK ? schema_apply(one, entry, "", NULL, NULL, e) : st;
    st = st == DRH_OK ? recipe_read_step(r, schema_key(one, "properties"), PHASE_SOURCE, entry, e)
                      : st;
    cJSON_Delete(schema);
    cJSON_Delete(entry);
    return st;
}

drh_status recipe_stand_in(struct recipe *r, size_t at, const char *text, size_t len, drh_error *e)
{
    const size_t n = r->n_steps;
    struct step *scratch;
    drh_status   st;

    for (size_t i = 0; i < n; i++) {
        if (r->steps[i].alternative_of == at + 1) {
            return err_set(e, DRH_E_CONFIG,
                           "%s: %s stands for another source, which brings its alternatives; "
                           "leave \"or\" out",
                           r->steps[i].pointer, r->steps[at].use);
        }
    }
    st = read_entry(r, text, len, e);
    if (st != DRH_OK) {
        err_prefix(e, "%s: what %s stands for", r->steps[at].pointer, r->steps[at].use);
        return st;
    }
    scratch = mem_alloc(r->n_steps - n, sizeof(*scratch));
    if (!scratch) {
        return err_nomem(e, "the recipe");
    }
    move_in(r, at, n, scratch);
    mem_free(scratch);
    return check_new(r, at, r->n_steps + 1 - n, e);
}
