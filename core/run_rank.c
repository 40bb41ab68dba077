/* SPDX-License-Identifier: MIT
 * run_rank.c - after a selector has scored: groups, statistics, the cut, examples for the report.
 */
#include "err.h"
#include "field.h"
#include "log.h"
#include "mem.h"
#include "run.h"

#include <math.h>
#include <string.h>

enum { EXAMPLES = 5 };

void ranking_free(struct ranking *k)
{
    for (size_t i = 0; i < k->n_groups; i++) {
        mem_free(k->group_name[i]);
    }
    for (size_t i = 0; k->part && i < k->n_parts; i++) {
        mem_free((void *)(uintptr_t)k->part[i].path);
    }
    mem_free(k->group_name);
    mem_free(k->group);
    mem_free(k->part);
    mem_free(k->step);
    mem_free(k->field_name);
    cJSON_Delete(k->examples);
}

void ranking_spec(struct rank_spec *s, const struct step *step, const drh_ranking *r)
{
    *s = (struct rank_spec){.ascending = r->ascending != 0,
                            .has_below = step->has_below,
                            .has_at_most = step->has_at_most,
                            .has_above = step->has_above,
                            .has_at_least = step->has_at_least,
                            .has_top = step->has_top,
                            .has_count = step->has_count,
                            .below = step->below,
                            .at_most = step->at_most,
                            .above = step->above,
                            .at_least = step->at_least,
                            .top = step->top,
                            .count = step->count};
    if ((s->has_top || s->has_count) && r->has_bound && !s->has_below && !s->has_at_most &&
        !s->has_above && !s->has_at_least) {
        bool upper = !s->ascending;
        *(upper ? (r->bound_inclusive ? &s->has_at_most : &s->has_below)
                : (r->bound_inclusive ? &s->has_at_least : &s->has_above)) = true;
        s->at_most = s->below = s->at_least = s->above = r->bound;
    }
}

static drh_status group_of(struct ranking *k, const char *name, size_t *at, drh_error *e)
{
    char             **names;
    struct rank_group *groups;

    for (*at = 0; *at < k->n_groups; (*at)++) {
        if (strcmp(k->group_name[*at], name) == 0) {
            return DRH_OK;
        }
    }
    names = mem_resize(k->group_name, (k->n_groups + 1) * sizeof(char *));
    k->group_name = names ? names : k->group_name;
    groups = mem_resize(k->group, (k->n_groups + 1) * sizeof(*groups));
    k->group = groups ? groups : k->group;
    if (!names || !groups || !(names[k->n_groups] = mem_dupz(name))) {
        return err_nomem(e, "ranking");
    }
    memset(&groups[k->n_groups], 0, sizeof(*groups));
    groups[k->n_groups].name = names[k->n_groups];
    k->n_groups++;
    return DRH_OK;
}

/* Without "per" a cut is over everything; the statistics of a run without a cut are per domain. */
static drh_status collect_parts(struct run *r, struct ranking *k, const char *per, drh_error *e)
{
    size_t     n = 0;
    drh_status st = DRH_OK;

    for (size_t i = 0; i < r->sets.n; i++) {
        n += r->sets.ds[i].n_parts;
    }
    k->part = mem_alloc(n + 1, sizeof(*k->part));
    if (!k->part) {
        return err_nomem(e, "ranking");
    }
    for (size_t i = 0; st == DRH_OK && i < r->sets.n; i++) {
        const struct dataset *d = &r->sets.ds[i];
        const char           *name = "all";
        char                  both[256];

        if ((per && strcmp(per, "domain") == 0) ||
            (!per && !k->spec.has_top && !k->spec.has_count)) {
            name = d->domain;
        } else if (per) {
            (void)snprintf(both, sizeof(both), "%s/%s", d->domain, d->name);
            name = both;
        }
        for (size_t j = 0; st == DRH_OK && j < d->n_parts; j++) {
            struct rank_part *p = &k->part[k->n_parts];
            p->path = mem_dupz(d->part[j].scores);
            p->n = d->part[j].n;
            k->n_parts++;
            st = p->path ? group_of(k, name, &p->group, e) : err_nomem(e, "ranking");
        }
    }
    return st;
}

/* ---- examples ---- */

/* The line `row` of a part's file, as a tree; NULL when it cannot be had. */
static cJSON *record_at(const char *path, uint64_t row)
{
    struct input     *in = NULL;
    struct input_item item;
    drh_error         e = ERR_INIT;
    cJSON            *j = NULL;
    drh_status        st = input_open(&in, path, NULL, &e);

    while (st == DRH_OK && (st = input_next(in, &item, &e)) == DRH_OK) {
        if (item.row == row) {
            j = item.text ? cJSON_ParseWithLength(item.text, item.len) : NULL;
            break;
        }
    }
    input_close(in);
    return j;
}

/* The record of the group whose score is `score`, or the nearest below it. */
static cJSON *record_of_score(const struct run *r, const struct ranking *k, size_t group,
                              double score)
{
    const struct part *best_part = NULL;
    uint64_t           best_row = 0;
    double             best = 0;
    size_t             at = 0;

    for (size_t i = 0; i < r->sets.n; i++) {
        for (size_t j = 0; j < r->sets.ds[i].n_parts; j++, at++) {
            struct rank_near near = {0};
            drh_error        e = ERR_INIT;

            if (k->part[at].group == group && rank_find(&k->part[at], score, &near, &e) == DRH_OK &&
                near.found && (!best_part || near.score > best)) {
                best_part = &r->sets.ds[i].part[j];
                best_row = near.row;
                best = near.score;
            }
        }
    }
    return best_part ? record_at(best_part->path, best_row) : NULL;
}

static drh_status add_examples(const struct run *r, struct ranking *k, size_t group, drh_error *e)
{
    static const char *const ranks[EXAMPLES] = {"lowest", "lower quartile", "median",
                                                "upper quartile", "highest"};
    const struct rank_group *g = &k->group[group];
    const double             at[EXAMPLES] = {g->min, g->q1, g->median, g->q3, g->max};
    cJSON                   *list = cJSON_CreateArray();

    if (!cJSON_AddItemToArray(k->examples, list)) {
        cJSON_Delete(list);
        return err_nomem(e, "examples");
    }
    for (int i = EXAMPLES - 1; g->scored && i >= 0; i--) {
        cJSON *ex = cJSON_CreateObject();
        cJSON *record = record_of_score(r, k, group, at[i]);
        cJSON *id = cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(record, "metadata"), "id");

        if (!cJSON_AddItemToArray(list, ex)) {
            cJSON_Delete(ex);
            cJSON_Delete(record);
            return err_nomem(e, "examples");
        }
        (void)cJSON_AddNumberToObject(ex, "score", at[i]);
        (void)cJSON_AddStringToObject(ex, "rank", ranks[i]);
        (void)cJSON_AddStringToObject(ex, "id", cJSON_IsString(id) ? id->valuestring : "");
        record = record ? record : cJSON_CreateNull();
        if (!cJSON_AddItemToObject(ex, "record", record)) {
            cJSON_Delete(record);
            return err_nomem(e, "examples");
        }
    }
    return DRH_OK;
}

/* ---- */

static void say_result(const struct ranking *k)
{
    for (size_t i = 0; i < k->n_groups; i++) {
        const struct rank_group *g = &k->group[i];

        if (g->scored > 0 && g->passed * 2 < g->scored) {
            log_put(DRH_LOG_WARN,
                    "%s: only %llu of %llu scored records of %s are within the bounds; a prompt "
                    "template "
                    "that the model does not know does that",
                    k->step, (unsigned long long)g->passed, (unsigned long long)g->scored, g->name);
        }
    }
}

/* A ranking over what the segment of `step` scored, its groups by `per`. */
static drh_status add_ranking(struct run *r, struct plan_step *step, const drh_ranking *how,
                              const char *per, bool cut, drh_error *e)
{
    struct ranking *more = mem_resize(r->ranking, (r->n_rankings + 1) * sizeof(*more));
    struct ranking *k;
    drh_status      st;

    if (!more) {
        return err_nomem(e, "ranking");
    }
    r->ranking = more;
    k = &more[r->n_rankings++];
    memset(k, 0, sizeof(*k));
    if (cut) {
        ranking_spec(&k->spec, step->step, how);
    }
    k->step = mem_dupz(step->step->id);
    k->field_name = mem_dupz(how->field);
    k->field = field_intern(how->field, strlen(how->field));
    k->status = how->status ? field_intern(how->status, strlen(how->status)) : DRH_FIELD_NONE;
    k->examples = cJSON_CreateArray();
    if (!k->step || !k->field_name || !k->examples || k->field == DRH_FIELD_NONE) {
        return err_nomem(e, "ranking");
    }
    st = collect_parts(r, k, per, e);
    st = st == DRH_OK ? rank_groups(&k->spec, k->part, k->n_parts, k->group, k->n_groups, e) : st;
    for (size_t i = 0; st == DRH_OK && i < k->n_groups; i++) {
        st = add_examples(r, k, i, e);
    }
    return st;
}

drh_status run_rank(struct run *r, struct plan_step *step, drh_error *e)
{
    const char *per = step->step->per;
    bool        over_all = !per && (step->step->has_top || step->step->has_count);
    drh_ranking how = {.struct_size = sizeof(how)};
    drh_status  st = step->stage->ops.selector.ranking(step->in->self, &how, e);

    if (st != DRH_OK || !how.field) {
        return stage_error(step->in, st == DRH_OK ? DRH_E_INTERNAL : st, e);
    }
    if (over_all || (per && strcmp(per, "domain") != 0)) { /* the report is by domain in any case */
        st = add_ranking(r, step, &how, "domain", false, e);
    }
    st = st == DRH_OK ? add_ranking(r, step, &how, per, true, e) : st;
    if (st == DRH_OK) {
        const struct ranking *k = &r->ranking[r->n_rankings - 1];
        say_result(k);
        r->pending = rank_has_cut(&k->spec) ? k : NULL;
    }
    return st;
}
