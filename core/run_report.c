/* SPDX-License-Identifier: MIT
 * run_report.c - report.json of a run; report.h says what is in it. */
#include "mem.h"
#include "readers.h"
#include "run.h"
#include "services.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>

static double peak_mib(void)
{
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? (double)u.ru_maxrss / 1024 : 0;
}

static void put_number(cJSON *o, const char *key, double v)
{
    if (isfinite(v)) {
        (void)cJSON_AddNumberToObject(o, key, v);
    } else {
        (void)cJSON_AddNullToObject(o, key);
    }
}

static cJSON *append(cJSON *list)
{
    cJSON *o = cJSON_CreateObject();

    if (!cJSON_AddItemToArray(list, o)) {
        cJSON_Delete(o);
        return NULL;
    }
    return o;
}

static void add_services(const struct run *r, cJSON *list)
{
    for (size_t i = 0; i < r->p->services->n; i++) {
        const struct service *s = &r->p->services->s[i];
        cJSON                *o = append(list);

        (void)cJSON_AddStringToObject(o, "id", s->id);
        if (s->own) {
            (void)cJSON_AddStringToObject(o, "name", s->own);
        }
        if (s->in) {
            (void)cJSON_AddStringToObject(o, "use", s->in->stage->desc.id);
        }
        if (s->info.model && s->info.identity) {
            (void)cJSON_AddStringToObject(o, "model", s->info.model);
            (void)cJSON_AddStringToObject(o, "identity", s->info.identity);
        }
    }
}

/* Who reads the files, by id, each once; the host's own reading is not named. */
static void add_readers(const struct dataset *d, cJSON *o)
{
    cJSON *list = NULL;

    for (size_t i = 0; i < d->n_files; i++) {
        const char *id = d->file[i].reader ? d->file[i].reader->stage->desc.id : NULL;
        bool        seen = !id;

        for (size_t k = 0; k < i && !seen; k++) {
            seen = d->file[k].reader == d->file[i].reader;
        }
        if (!seen) {
            cJSON *name = cJSON_CreateString(id);
            list = list ? list : cJSON_AddArrayToObject(o, "readers");
            if (!cJSON_AddItemToArray(list, name)) {
                cJSON_Delete(name);
            }
        }
    }
}

static void add_sources(const struct run *r, cJSON *list)
{
    for (size_t i = 0; i < r->sets.n; i++) {
        const struct dataset *d = &r->sets.ds[i];
        cJSON                *o = append(list);
        double                bytes = 0;

        for (size_t k = 0; k < d->n_files; k++) {
            bytes += (double)d->file[k].size;
        }
        (void)cJSON_AddStringToObject(o, "domain", d->domain);
        (void)cJSON_AddStringToObject(o, "dataset", d->name);
        (void)cJSON_AddStringToObject(o, "source", d->source);
        for (int k = 0; k < ABOUT_KEYS; k++) {
            if (d->pull.about[k] && d->pull.about[k][0]) {
                (void)cJSON_AddStringToObject(o, about_names[k], d->pull.about[k]);
            }
        }
        (void)cJSON_AddNumberToObject(o, "files", (double)d->n_files);
        add_readers(d, o);
        (void)cJSON_AddNumberToObject(o, "bytes", bytes);
        (void)cJSON_AddNumberToObject(o, "read", (double)d->read);
        (void)cJSON_AddNumberToObject(o, "failed", (double)d->failed);
    }
}

static bool add_steps(const struct run *r, cJSON *list)
{
    bool balanced = true;

    for (size_t i = 0; i < r->n_totals; i++) {
        const struct total *t = &r->total[i];
        cJSON              *o = counts_json(&t->counts);

        if (!cJSON_AddItemToArray(list, o)) {
            cJSON_Delete(o);
            continue;
        }
        (void)cJSON_AddStringToObject(o, "segment", t->segment);
        (void)cJSON_AddStringToObject(o, "step", t->step);
        (void)cJSON_AddNumberToObject(o, "seconds", t->seconds);
        (void)cJSON_AddNumberToObject(o, "tasks", (double)t->tasks);
        (void)cJSON_AddNumberToObject(o, "skipped", (double)t->skipped);
        balanced = balanced && counts_balance(&t->counts);
    }
    return balanced;
}

static void add_group(const struct ranking *k, size_t at, cJSON *list)
{
    const struct rank_group *g = &k->group[at];
    cJSON                   *o = append(list), *h, *counts;
    bool                     any = g->scored > 0;

    (void)cJSON_AddStringToObject(o, "group", g->name);
    put_number(o, "n", (double)g->n);
    put_number(o, "scored", (double)g->scored);
    put_number(o, "passed", (double)g->passed);
    put_number(o, "kept", (double)g->kept);
    put_number(o, "cut", g->cut);
    put_number(o, "mean", any ? g->mean : (double)NAN);
    put_number(o, "sd", any ? g->sd : (double)NAN);
    put_number(o, "min", any ? g->min : (double)NAN);
    put_number(o, "q1", any ? g->q1 : (double)NAN);
    put_number(o, "median", any ? g->median : (double)NAN);
    put_number(o, "q3", any ? g->q3 : (double)NAN);
    put_number(o, "max", any ? g->max : (double)NAN);
    h = cJSON_AddObjectToObject(o, "histogram");
    put_number(h, "lo", g->lo);
    put_number(h, "hi", g->hi);
    counts = cJSON_AddArrayToObject(h, "counts");
    for (int i = 0; i < RANK_BINS; i++) {
        cJSON *n = cJSON_CreateNumber((double)g->bin[i]);
        if (!cJSON_AddItemToArray(counts, n)) {
            cJSON_Delete(n);
        }
    }
    h = cJSON_Duplicate(cJSON_GetArrayItem(k->examples, (int)at), true);
    if (h && !cJSON_AddItemToObject(o, "examples", h)) {
        cJSON_Delete(h);
    }
}

static void add_scores(const struct run *r, cJSON *list)
{
    for (size_t i = 0; i < r->n_rankings; i++) {
        const struct ranking *k = &r->ranking[i];
        cJSON                *o, *groups;

        if (!k->field_name || !k->step) {
            continue;
        }
        o = append(list);
        (void)cJSON_AddStringToObject(o, "step", k->step);
        (void)cJSON_AddStringToObject(o, "field", k->field_name);
        groups = cJSON_AddArrayToObject(o, "groups");
        for (size_t g = 0; g < k->n_groups; g++) {
            add_group(k, g, groups);
        }
    }
}

static void add_outputs(const struct run *r, cJSON *list)
{
    for (size_t i = 0; i < r->n_outputs; i++) {
        cJSON *o = append(list);

        (void)cJSON_AddStringToObject(o, "path", r->output[i].path);
        (void)cJSON_AddStringToObject(o, "domain", r->output[i].domain);
        (void)cJSON_AddNumberToObject(o, "records", (double)r->output[i].records);
        (void)cJSON_AddNumberToObject(o, "bytes", (double)r->output[i].bytes);
        (void)cJSON_AddStringToObject(o, "sha256", r->output[i].sha256);
    }
}

cJSON *run_report(const struct run *r, const char *state, const char *message, double seconds)
{
    cJSON *j = cJSON_CreateObject();
    bool   balanced;

    if (!j) {
        return NULL;
    }
    (void)cJSON_AddStringToObject(j, "drhost", DRH_HOST_VERSION);
    (void)cJSON_AddStringToObject(j, "recipe", r->p->recipe->path ? r->p->recipe->path : "");
    (void)cJSON_AddStringToObject(j, "version", r->l.version);
    (void)cJSON_AddStringToObject(j, "data", r->l.data);
    (void)cJSON_AddStringToObject(j, "state", state);
    if (message) {
        (void)cJSON_AddStringToObject(j, "message", message);
    }
    (void)cJSON_AddStringToObject(j, "started", r->started);
    (void)cJSON_AddNumberToObject(j, "seconds", seconds);
    (void)cJSON_AddNumberToObject(j, "peak_memory_mib", peak_mib());
    (void)cJSON_AddNumberToObject(j, "workers", r->o->workers);
    if (r->o->limit) {
        (void)cJSON_AddNumberToObject(j, "limit", (double)r->o->limit);
    }
    add_services(r, cJSON_AddArrayToObject(j, "services"));
    add_sources(r, cJSON_AddArrayToObject(j, "sources"));
    balanced = add_steps(r, cJSON_AddArrayToObject(j, "steps"));
    (void)cJSON_AddBoolToObject(j, "balanced", balanced);
    add_scores(r, cJSON_AddArrayToObject(j, "scores"));
    add_outputs(r, cJSON_AddArrayToObject(j, "outputs"));
    return j;
}
