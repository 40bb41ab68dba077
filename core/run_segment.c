/* SPDX-License-Identifier: MIT
 * run_segment.c - a chain of steps over all data sets, task by task. */
#include "err.h"
#include "field.h"
#include "hash.h"
#include "log.h"
#include "mem.h"
#include "outfile.h"
#include "readers.h"
#include "run.h"
#include "sink.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JUDGED_FROM = 1000 }; /* records of a data set before max_bad is asked as a share */

/* ---- what a task's output depends on ---- */

static bool add_step(cJSON *list, const struct run *r, const struct plan_step *s)
{
    cJSON *j = cJSON_CreateObject();

    if (!cJSON_AddItemToArray(list, j)) {
        cJSON_Delete(j);
        return false;
    }
    return cJSON_AddStringToObject(j, "id", s->step->id) &&
           cJSON_AddStringToObject(j, "stage", s->stage->desc.id) &&
           cJSON_AddStringToObject(j, "version", s->stage->desc.version) &&
           cJSON_AddStringToObject(j, "plugin", s->file) &&
           cJSON_AddStringToObject(j, "options", s->text) &&
           cJSON_AddStringToObject(j, "inputs", s->inputs) &&
           cJSON_AddStringToObject(j, "service", plan_identity(r->p, s)) &&
           cJSON_AddNumberToObject(j, "attempts", (double)s->attempts);
}

static cJSON *segment_basis(const struct run *r, const struct segment *s)
{
    cJSON *j = cJSON_CreateObject();
    cJSON *steps = cJSON_AddArrayToObject(j, "steps");
    char   seed[24];
    bool   ok;

    (void)snprintf(seed, sizeof(seed), "%llu", (unsigned long long)r->p->recipe->seed);
    ok = steps && cJSON_AddStringToObject(j, "host", DRH_HOST_VERSION) &&
         cJSON_AddStringToObject(j, "seed", seed) &&
         cJSON_AddBoolToObject(j, "compress", r->p->recipe->compress);
    for (size_t i = 0; ok && i < s->n; i++) {
        ok = add_step(steps, r, s->step[i]);
    }
    ok = ok && cJSON_AddBoolToObject(j, "traces", s->traces);
    if (ok && s->apply_first) {
        ok = cJSON_AddStringToObject(j, "merged", r->merged) != NULL;
    }
    if (!ok) {
        cJSON_Delete(j);
        return NULL;
    }
    return j;
}

/* ---- building a task ---- */

static const struct rank_part *pending_part(const struct run *r, const struct dataset *d,
                                            size_t part)
{
    size_t at = part;

    for (size_t i = 0; i < r->sets.n && &r->sets.ds[i] != d; i++) {
        at += r->sets.ds[i].n_parts;
    }
    return &r->pending->part[at];
}

static drh_status chain_of(struct run *r, const struct segment *s, struct task *t, struct cut *cut,
                           drh_error *e)
{
    size_t lead = r->pending ? 1 : 0;

    t->chain.seed = r->p->recipe->seed;
    t->chain.n = s->n + lead;
    t->chain.step = mem_alloc(t->chain.n + 1, sizeof(*t->chain.step));
    t->counts = mem_alloc(t->chain.n + 1, sizeof(*t->counts));
    if (!t->chain.step || !t->counts) {
        return err_nomem(e, "a task");
    }
    if (lead) {
        t->chain.step[0] = (struct chain_step){.id = "cut", .own = cut_step, .ctx = cut};
    }
    for (size_t i = 0; i < s->n; i++) {
        t->chain.step[i + lead] = (struct chain_step){
            .id = s->step[i]->step->id, .in = s->step[i]->in, .apply = i == 0 && s->apply_first};
        t->journal = t->journal || s->step[i]->stage->map.start;
        if (s->step[i]->step->phase == PHASE_SYNTHESIZE) {
            t->attempts = s->step[i]->attempts;
        }
    }
    return DRH_OK;
}

static drh_status paths_of(struct run *r, const struct segment *s, struct task *t, drh_error *e)
{
    t->traces = s->traces;
    t->out = s->interim ? layout_interim(&r->l, &t->name) : layout_work(&r->l, &t->name, ".jsonl");
    if (s->scores) {
        drh_ranking       ranking = {.struct_size = sizeof(ranking)};
        struct plan_step *sel = s->step[s->n - 1];
        drh_status        st = sel->stage->ops.selector.ranking(sel->in->self, &ranking, e);

        if (st != DRH_OK || !ranking.field) {
            return stage_error(sel->in, st == DRH_OK ? DRH_E_INTERNAL : st, e);
        }
        t->scores = layout_work(&r->l, &t->name, ".scores");
        t->score_field = field_intern(ranking.field, strlen(ranking.field));
        if (!t->scores || t->score_field == DRH_FIELD_NONE) {
            return err_nomem(e, "a task");
        }
    }
    return t->out ? DRH_OK : err_nomem(e, "a task");
}

static drh_status start_task(struct run *r, const struct segment *s, struct dataset *d, size_t part,
                             struct task *t, struct cut *cut, drh_error *e)
{
    drh_status st;

    memset(t, 0, sizeof(*t));
    memset(cut, 0, sizeof(*cut));
    t->name = (struct task_name){s->name, d->domain, d->name, part};
    t->basis = segment_basis(r, s);
    st = t->basis ? chain_of(r, s, t, cut, e) : err_nomem(e, "a task");
    return st == DRH_OK ? paths_of(r, s, t, e) : st;
}

static bool basis_cut(cJSON *basis, const struct ranking *k, const struct rank_part *part)
{
    const struct rank_spec  *s = &k->spec;
    const struct rank_group *g = &k->group[part->group];
    char                     text[320];

    (void)snprintf(text, sizeof(text), "%d %d%.17g %d%.17g %d%.17g %d%.17g %d %.17g %llu",
                   s->ascending, s->has_below, s->below, s->has_at_most, s->at_most, s->has_above,
                   s->above, s->has_at_least, s->at_least, g->limited, g->limited ? g->cut : 0,
                   (unsigned long long)part->take_ties);
    return cJSON_AddStringToObject(basis, "cut", text) != NULL;
}

/* Parts: the file of one part is the feed; its digest stands for its content. */
static struct feed_file *part_file(const struct dataset *d, const struct part *p)
{
    struct feed_file *f = mem_alloc(1, sizeof(*f));

    if (f) {
        f->path = p->path;
        f->origin = (struct origin){.file = drh_str_of(p->path),
                                    .domain = drh_str_of(d->domain),
                                    .dataset = drh_str_of(d->name),
                                    .source = drh_str_of(d->source),
                                    .between = true};
        f->traced = p->traced;
        for (int k = 0; k < 16 && p->sha256[k]; k++) {
            f->key = (f->key << 4) |
                     (uint64_t)(p->sha256[k] <= '9' ? p->sha256[k] - '0' : p->sha256[k] - 'a' + 10);
        }
    }
    return f;
}

drh_status run_part_task(struct run *r, const struct segment *s, struct dataset *d, size_t part,
                         struct task *t, struct cut *cut, drh_error *e)
{
    drh_status        st = start_task(r, s, d, part, t, cut, e);
    struct feed_file *f = part_file(d, &d->part[part]);

    if (st == DRH_OK && (!f || !cJSON_AddStringToObject(t->basis, "input", d->part[part].sha256))) {
        st = err_nomem(e, "a task");
    }
    if (f) {
        feed_files(&t->feed, f, 1, NULL, UINT64_MAX);
    }
    if (st == DRH_OK && r->pending) {
        const struct rank_part *rp = pending_part(r, d, part);
        const struct ranking   *k = r->pending;

        cut->field = k->field;
        cut->status = k->status;
        st = cut_open(cut, &k->spec, &k->group[rp->group], rp, e);
        if (st == DRH_OK && !basis_cut(t->basis, k, rp)) {
            st = err_nomem(e, "a task");
        }
    }
    return st;
}

void run_task_done(struct task *t, struct cut *cut)
{
    cut_close(cut);
    for (size_t i = 0; t->counts && i <= t->chain.n; i++) {
        counts_free(&t->counts[i]);
    }
    mem_free(t->counts);
    mem_free(t->chain.step);
    cJSON_Delete(t->basis);
    mem_free(t->out);
    mem_free(t->scores);
    mem_free(t->notes);
}

static void part_task_done(struct task *t, struct cut *cut)
{
    mem_free((void *)(uintptr_t)t->feed.files);
    run_task_done(t, cut);
}

/* ---- after a task ---- */

drh_status run_judge(struct run *r, const char *segment, const struct dataset *d, drh_error *e)
{
    double limit = r->p->recipe->max_bad;
    bool   bad = limit < 1 ? d->read >= JUDGED_FROM && (double)d->failed > limit * (double)d->read
                           : (double)d->failed > limit;

    if (bad) {
        r->too_bad = true;
        return err_set(
            e, DRH_E_DATA,
            "%llu of %llu records of %s/%s are bad, more than max_bad allows; see %s/.drhost/"
            "%s/rejected/%s/%s/%s, then change the recipe or raise max_bad",
            (unsigned long long)d->failed, (unsigned long long)d->read, d->domain, d->name,
            r->l.data, r->l.version, segment, d->domain, d->name);
    }
    return DRH_OK;
}

/* A file that ends in the middle: nobody knows how much is missing, so it is no matter of shares.
 */
static void note_damage(struct run *r, const struct dataset *d, const struct counts *read)
{
    if (counts_damaged(read) && !r->damaged[0]) {
        (void)snprintf(r->damaged, sizeof(r->damaged), "%s/%s", d->domain, d->name);
    }
}

drh_status run_after_task(struct run *r, const struct segment *s, struct dataset *d,
                          const struct task *t, drh_error *e)
{
    drh_status st = run_add_total(r, s->name, t, e);

    for (size_t i = 0; i <= t->chain.n; i++) {
        d->failed += t->counts[i].failed;
        if (!counts_balance(&t->counts[i])) {
            return err_set(e, DRH_E_INTERNAL,
                           "the counts of %s/%s part %zu do not balance at step %zu", s->name,
                           d->name, t->name.part, i);
        }
    }
    note_damage(r, d, &t->counts[0]);
    if (t->spent[0]) {
        memcpy(r->spent, t->spent, sizeof(r->spent));
        log_put(DRH_LOG_WARN, "%s/%s of %s ends early: %s", d->domain, d->name, s->name, t->spent);
    }
    return st == DRH_OK ? run_judge(r, s->name, d, e) : st;
}

static drh_status keep_part(struct dataset *d, struct task *t, drh_error *e)
{
    struct part p = {.path = t->out, .scores = t->scores, .n = t->n_out, .traced = t->traces};

    memcpy(p.sha256, t->sha256, sizeof(p.sha256));
    t->out = t->scores = NULL;
    return dataset_add_part(d, p, e);
}

/* ---- the three kinds of feed ---- */

static bool basis_raw(cJSON *basis, const struct run *r, const struct dataset *d,
                      const struct feed_pos *pos, uint64_t rows)
{
    char start[128];

    (void)snprintf(start, sizeof(start), "%llu:%llu:%llu", (unsigned long long)pos->file,
                   (unsigned long long)pos->at.offset, (unsigned long long)pos->at.row);
    return cJSON_AddStringToObject(basis, "inputs", d->digest) &&
           cJSON_AddStringToObject(basis, "source", d->source) &&
           cJSON_AddStringToObject(basis, "start", start) &&
           cJSON_AddNumberToObject(basis, "rows", (double)rows) &&
           readers_basis(basis, r->p, d->file, d->n_files) &&
           cJSON_AddNumberToObject(basis, "part_records", (double)r->p->recipe->part_records);
}

static uint64_t raw_bytes(const struct dataset *d)
{
    uint64_t n = 0;

    for (size_t i = 0; i < d->n_files; i++) {
        n += d->file[i].size;
    }
    return n;
}

static drh_status raw_shard(struct run *r, const struct segment *s, struct dataset *d, size_t part,
                            struct feed_pos *pos, uint64_t rows, bool *done, drh_error *e)
{
    struct task t;
    struct cut  cut;
    drh_status  st = start_task(r, s, d, part, &t, &cut, e);

    feed_files(&t.feed, d->file, d->n_files, pos, rows);
    if (st == DRH_OK && !basis_raw(t.basis, r, d, pos, rows)) {
        st = err_nomem(e, "a task");
    }
    t.total = raw_bytes(d);
    st = st == DRH_OK ? task_run(&t, &r->to, e) : st;
    if (st == DRH_OK) {
        *pos = t.next;
        *done = t.done || t.spent[0]; /* where the next part begins is not known */
        d->read += t.n_in;
        st = run_after_task(r, s, d, &t, e);
        st = st == DRH_OK ? keep_part(d, &t, e) : st;
    }
    run_task_done(&t, &cut);
    return st;
}

static drh_status segment_raw(struct run *r, const struct segment *s, struct dataset *d,
                              drh_error *e)
{
    struct feed_pos pos = {0};
    uint64_t        rows = (uint64_t)r->p->recipe->part_records, left = r->o->limit;
    bool            done = false;
    drh_status      st = DRH_OK;

    for (size_t part = 0; st == DRH_OK && !done; part++) {
        uint64_t take = r->o->limit && left < rows ? left : rows;
        st = raw_shard(r, s, d, part, &pos, take, &done, e);
        left -= take;
        done = done || (r->o->limit && left == 0);
    }
    return st;
}

static drh_status slot_shard(struct run *r, const struct segment *s, struct dataset *d, size_t part,
                             uint64_t first, uint64_t n, drh_error *e)
{
    struct origin origin = {.file = drh_str_of(s->step[0]->step->id),
                            .domain = drh_str_of(d->domain),
                            .dataset = drh_str_of(d->name),
                            .source = drh_str_of(d->source)};
    struct task   t;
    struct cut    cut;
    drh_status    st = start_task(r, s, d, part, &t, &cut, e);

    feed_slots(&t.feed, &origin, first, n);
    if (st == DRH_OK && !(cJSON_AddNumberToObject(t.basis, "first", (double)first) &&
                          cJSON_AddNumberToObject(t.basis, "slots", (double)n))) {
        st = err_nomem(e, "a task");
    }
    t.total = n;
    st = st == DRH_OK ? task_run(&t, &r->to, e) : st;
    if (st == DRH_OK) {
        d->read += t.n_in;
        if (t.n_out < n && !t.spent[0]) {
            r->shortfall = true;
            log_put(DRH_LOG_WARN, "%s made %llu of %llu records; see the report for the reasons",
                    s->step[0]->step->id, (unsigned long long)t.n_out, (unsigned long long)n);
        }
        st = run_after_task(r, s, d, &t, e);
        st = st == DRH_OK ? keep_part(d, &t, e) : st;
    }
    run_task_done(&t, &cut);
    return st;
}

static drh_status segment_slots(struct run *r, const struct segment *s, struct dataset *d,
                                drh_error *e)
{
    uint64_t   size = (uint64_t)r->p->recipe->part_records, first = 0;
    drh_status st = DRH_OK;

    for (size_t part = 0; st == DRH_OK && first < d->slots; part++) {
        uint64_t n = d->slots - first < size ? d->slots - first : size;
        st = slot_shard(r, s, d, part, first, n, e);
        first += n;
    }
    d->slots = 0;
    return st;
}

static drh_status segment_parts(struct run *r, const struct segment *s, struct dataset *d,
                                drh_error *e)
{
    struct dataset next = {0};
    drh_status     st = DRH_OK;

    for (size_t part = 0; st == DRH_OK && part < d->n_parts; part++) {
        struct task t;
        struct cut  cut;

        st = run_part_task(r, s, d, part, &t, &cut, e);
        st = st == DRH_OK ? task_run(&t, &r->to, e) : st;
        st = st == DRH_OK ? run_after_task(r, s, d, &t, e) : st;
        st = st == DRH_OK ? keep_part(&next, &t, e) : st;
        part_task_done(&t, &cut);
    }
    if (st == DRH_OK) {
        dataset_clear_parts(d);
        d->part = next.part;
        d->n_parts = next.n_parts;
        d->cap_parts = next.cap_parts;
    } else {
        dataset_clear_parts(&next);
    }
    return st;
}

/* What an earlier run made in the other form, compressed or not. */
static void remove_other_form(const struct run *r, const struct segment *s, const struct dataset *d)
{
    struct layout other = r->l;

    other.zst = !other.zst;
    for (size_t part = 0; s->interim && part < d->n_parts; part++) {
        struct task_name n = {s->name, d->domain, d->name, part};
        char            *path = layout_interim(&other, &n);

        if (path) {
            (void)unlink(path);
        }
        mem_free(path);
    }
}

/* Removes what is of part `from` or a later one in the folder of `path`, which ends in part-NNN.x.
 */
static void remove_parts(char *path, size_t from)
{
    char          *slash = path ? strrchr(path, '/') : NULL;
    struct dirent *entry;
    DIR           *d;

    if (!slash) {
        return;
    }
    *slash = '\0';
    d = opendir(path);
    while (d && (entry = readdir(d)) != NULL) {
        char *end;
        bool  is_part = strncmp(entry->d_name, "part-", 5) == 0 && entry->d_name[5] >= '0' &&
                       entry->d_name[5] <= '9';

        if (is_part && strtoull(entry->d_name + 5, &end, 10) >= from && *end == '.') {
            (void)unlinkat(dirfd(d), entry->d_name, 0);
        }
    }
    if (d) {
        (void)closedir(d);
    }
    *slash = '/';
}

/* Parts that an earlier run made beyond the last of this one would still be read by a glob.  Files
 * first, manifests last. */
static void remove_stale(struct run *r, const struct segment *s, const struct dataset *d)
{
    struct task_name n = {s->name, d->domain, d->name, 0};
    char *path[] = {s->interim ? layout_interim(&r->l, &n) : NULL, layout_work(&r->l, &n, ".jsonl"),
                    layout_rejected(&r->l, &n), layout_manifest(&r->l, &n)};

    remove_other_form(r, s, d);
    for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
        remove_parts(path[i], d->n_parts);
        mem_free(path[i]);
    }
}

drh_status run_segment(struct run *r, const struct segment *s, drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < r->sets.n; i++) {
        struct dataset *d = &r->sets.ds[i];

        if (d->n_files && d->n_parts == 0) {
            st = segment_raw(r, s, d, e);
        } else if (d->slots) {
            st = segment_slots(r, s, d, e);
        } else {
            st = segment_parts(r, s, d, e);
        }
        if (st == DRH_OK) {
            remove_stale(r, s, d);
        }
    }
    r->pending = NULL;
    return st;
}

/* ---- data-set scope ---- */

static drh_status observe_part(struct run *r, const struct segment *s, struct plan_step *step,
                               struct dataset *d, size_t part, char **notes, drh_error *e)
{
    struct task t;
    struct cut  cut;
    drh_status  st = run_part_task(r, s, d, part, &t, &cut, e);

    mem_free(t.out);
    t.out = NULL;
    t.observe = step->in;
    t.notes = layout_work(&r->l, &t.name, ".notes");
    if (st == DRH_OK && (!t.notes || !cJSON_AddStringToObject(t.basis, "observe", step->text))) {
        st = err_nomem(e, "a task");
    }
    st = st == DRH_OK ? task_run(&t, &r->to, e) : st;
    *notes = t.notes;
    t.notes = NULL;
    part_task_done(&t, &cut);
    return st;
}

struct merge_call {
    struct plan_step  *step;
    const char *const *notes;
    size_t             n;
    struct drh_sink   *sink;
    const char        *result;
    drh_error         *e;
    drh_status         st;
};

static void do_merge(void *arg)
{
    struct merge_call *c = arg;
    c->st = c->step->stage->map.merge(c->step->in->self, c->notes, c->n, c->sink, c->e);
}

static void do_prepare(void *arg)
{
    struct merge_call *c = arg;
    c->st = c->step->stage->map.prepare(c->step->in->self, c->result, c->e);
}

static drh_status merge_notes(struct run *r, struct plan_step *step, char **notes, size_t n,
                              drh_error *e)
{
    char             *name = mem_printf("work/%s.result", step->step->id);
    char             *path = name ? layout_state(&r->l, name) : NULL;
    struct drh_sink   sink = {.n_parts = 1, .error = ERR_INIT};
    struct merge_call c = {.step = step,
                           .notes = (const char *const *)notes,
                           .n = n,
                           .sink = &sink,
                           .result = path,
                           .e = e};
    uint8_t           sha[32];
    drh_status        st =
        path ? outfile_open(&sink.part[0], path, OUT_DIGEST, e) : err_nomem(e, "a path");

    if (st == DRH_OK) {
        e->message[0] = '\0';
        instance_call(step->in, do_merge, &c);
        st = c.st == DRH_OK ? outfile_commit(sink.part[0], sha, NULL, e)
                            : stage_error(step->in, c.st, e);
        if (c.st != DRH_OK) {
            outfile_abort(sink.part[0]);
        } else {
            hex_of(sha, sizeof(sha), r->merged);
        }
    }
    if (st == DRH_OK) {
        instance_call(step->in, do_prepare, &c);
        st = c.st == DRH_OK ? DRH_OK : stage_error(step->in, c.st, e);
    }
    mem_free(name);
    mem_free(path);
    return st;
}

drh_status run_observe(struct run *r, struct plan_step *step, drh_error *e)
{
    char          *name = mem_printf("%s.observe", step->step->id);
    struct segment s = {.name = name};
    size_t         n = 0, at = 0;
    char         **notes;
    drh_status     st = DRH_OK;

    for (size_t i = 0; i < r->sets.n; i++) {
        n += r->sets.ds[i].n_parts;
    }
    notes = mem_alloc(n + 1, sizeof(char *));
    if (!name || !notes) {
        st = err_nomem(e, "notes");
    }
    for (size_t i = 0; st == DRH_OK && i < r->sets.n; i++) {
        for (size_t k = 0; st == DRH_OK && k < r->sets.ds[i].n_parts; k++) {
            st = observe_part(r, &s, step, &r->sets.ds[i], k, &notes[at++], e);
        }
    }
    st = st == DRH_OK ? merge_notes(r, step, notes, n, e) : st;
    for (size_t i = 0; notes && i < n; i++) {
        mem_free(notes[i]);
    }
    mem_free(notes);
    mem_free(name);
    return st;
}
