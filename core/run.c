/* SPDX-License-Identifier: MIT
 * run.c - see run.h: the phases in order, the lock, the report. */
#include "run.h"

#include "clock.h"
#include "cli.h"
#include "err.h"
#include "log.h"
#include "manifest.h"
#include "mem.h"
#include "outfile.h"
#include "report.h"
#include "services.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* ---- one run at a time on a version ---- */

static drh_status lock_version(const struct run *r, int *fd, drh_error *e)
{
    char      *path = layout_state(&r->l, "lock"), *folder = layout_state(&r->l, "");
    char       holder[256] = "", host[128] = "", line[256];
    drh_status st = path && folder ? make_dirs(folder, e) : err_nomem(e, "a path");
    bool       busy = false;
    ssize_t    n;

    *fd = st == DRH_OK ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (st == DRH_OK && *fd < 0) {
        st = err_errno(e, errno, "cannot open", path);
    }
    for (int i = 0; st == DRH_OK && (busy = flock(*fd, LOCK_EX | LOCK_NB) != 0) && i < 4; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL); /* `status` looks */
    }
    if (st == DRH_OK && busy) {
        n = read(*fd, holder, sizeof(holder) - 1);
        holder[n > 0 ? n : 0] = '\0';
        holder[strcspn(holder, "\n")] = '\0';
        st = err_set(e, DRH_E_TIMEOUT,
                     "version %s in %s is being worked on by %s; wait for it, or stop it",
                     r->l.version, r->l.data, holder[0] ? holder : "another run");
        (void)close(*fd);
        *fd = -1;
    }
    if (st == DRH_OK) {
        (void)gethostname(host, sizeof(host) - 1);
        n = snprintf(line, sizeof(line), "process %ld on %s since %s\n", (long)getpid(), host,
                     r->started);
        if (ftruncate(*fd, 0) != 0 || write(*fd, line, (size_t)n) != n) {
            st = err_errno(e, errno, "cannot write", path);
        }
    }
    mem_free(path);
    mem_free(folder);
    return st;
}

/* Temporaries of a run that was killed. */
static int remove_temporary(const char *path, const struct stat *sb, int type, struct FTW *where)
{
    const char *name = path + where->base;

    (void)sb;
    if (type == FTW_F && name[0] == '.' && strstr(name, ".tmp-")) {
        (void)unlink(path);
    }
    return 0;
}

static void clean_up(const struct run *r)
{
    char *at[3] = {layout_state(&r->l, ""), mem_printf("%s/interim/%s", r->l.data, r->l.version),
                   mem_printf("%s/processed/%s", r->l.data, r->l.version)};

    for (int i = 0; i < 3; i++) {
        if (at[i]) {
            (void)nftw(at[i], remove_temporary, 16, FTW_PHYS);
        }
        mem_free(at[i]);
    }
}

/* What is written is about as large as what is read, twice over; a full disk is found out first. */
static drh_status check_space(const struct run *r, drh_error *e)
{
    struct statvfs v;
    uint64_t       need = 0, have;

    for (size_t i = 0; i < r->sets.n; i++) {
        for (size_t k = 0; k < r->sets.ds[i].n_files; k++) {
            need += r->sets.ds[i].file[k].size;
        }
    }
    if (r->o->limit || statvfs(r->l.data, &v) != 0) {
        return DRH_OK;
    }
    have = (uint64_t)v.f_bavail * v.f_frsize;
    if (have < need / 2) {
        return err_set(
            e, DRH_E_IO,
            "%s has %llu MiB free, and %llu MiB of input need about twice that; free some, or "
            "set \"data\" to another disk",
            r->l.data, (unsigned long long)(have >> 20), (unsigned long long)(need >> 20));
    }
    return DRH_OK;
}

/* ---- counting ---- */

drh_status run_add_total(struct run *r, const char *segment, const struct task *t, drh_error *e)
{
    for (size_t i = 0; i <= t->chain.n; i++) {
        const char   *step = i ? t->chain.step[i - 1].id : "read";
        struct total *to = NULL;

        for (size_t k = 0; k < r->n_totals && !to; k++) {
            if (strcmp(r->total[k].segment, segment) == 0 && strcmp(r->total[k].step, step) == 0) {
                to = &r->total[k];
            }
        }
        if (!to) {
            struct total *more = mem_resize(r->total, (r->n_totals + 1) * sizeof(*more));
            if (!more) {
                return err_nomem(e, "counts");
            }
            r->total = more;
            to = &more[r->n_totals++];
            memset(to, 0, sizeof(*to));
            to->segment = mem_dupz(segment);
            to->step = mem_dupz(step);
            if (!to->segment || !to->step) {
                return err_nomem(e, "counts");
            }
        }
        to->seconds += t->skipped ? 0 : t->seconds;
        to->tasks++;
        to->skipped += t->skipped;
        if (counts_add(&to->counts, &t->counts[i]) != DRH_OK) {
            return err_nomem(e, "counts");
        }
    }
    return DRH_OK;
}

/* ---- phases ---- */

/* The steps of a phase, in order, or those that follow the source or synthesizer `after`; the array
 * is the caller's. */
static size_t steps_of(struct plan *p, enum phase phase, const struct plan_step *after,
                       struct plan_step **out)
{
    const size_t follows = after ? 1 + (size_t)(after - p->step) : 0;
    size_t       n = 0;

    for (size_t i = 0; i < p->n_steps; i++) {
        if (p->step[i].step->phase == phase && p->step[i].step->follows == follows) {
            out[n++] = &p->step[i];
        }
    }
    return n;
}

static drh_status do_sources(struct run *r, drh_error *e)
{
    char      *path = layout_state(&r->l, "inputs.json");
    char      *text;
    drh_status st = path ? DRH_OK : err_nomem(e, "a path");

    r->cache = path ? json_file(path) : NULL;
    r->cache = r->cache ? r->cache : cJSON_CreateObject();
    for (size_t i = 0; st == DRH_OK && i < r->p->n_steps; i++) {
        const struct step *s = r->p->step[i].step;
        if (s->phase == PHASE_SOURCE && s->alternative_of == 0) {
            st = dataset_from_source(&r->sets, r->p, &r->p->step[i], &r->l, r->cache, e);
        }
    }
    if (st == DRH_OK) {
        text = cJSON_PrintUnformatted(r->cache);
        st = text ? outfile_put(path, text, strlen(text), e) : err_nomem(e, "digests");
        cJSON_free(text);
    }
    mem_free(path);
    st = st == DRH_OK ? run_sources(r, e) : st;
    return st == DRH_OK ? check_space(r, e) : st;
}

static drh_status named_segment(struct run *r, const char *kind, const struct plan_step *last,
                                struct segment *s, drh_error *e)
{
    char      *name = last ? mem_printf("%s.%s", kind, last->step->id) : mem_dupz(kind);
    drh_status st;

    if (!name) {
        return err_nomem(e, "a segment");
    }
    s->name = name;
    st = run_segment(r, s, e);
    mem_free(name);
    return st;
}

/* Record and shard scopes in one pass; a data-set scope needs the parts before it written first.
 * after: the source or synthesizer whose records these are, or NULL.  What a source's own steps
 * leave is not the end: the phase itself is still to come. */
static drh_status do_preprocess(struct run *r, struct plan_step **step, size_t n,
                                const struct plan_step *after, drh_error *e)
{
    const bool end = !after || after->step->phase != PHASE_SOURCE;
    size_t     from = 0;
    bool       apply = false;
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        bool async = step[i]->stage->map.start != NULL;

        if (step[i]->stage->desc.scope == DRH_SCOPE_DATASET) {
            struct segment s = {
                .step = step + from, .n = i - from, .apply_first = apply, .traces = true};
            st = named_segment(r, "before", step[i], &s, e);
            st = st == DRH_OK ? run_observe(r, step[i], e) : st;
            from = i;
            apply = true;
        } else if (async && i > from) { /* one record-driven step a pass */
            bool earlier = false;
            for (size_t k = from; k < i; k++) {
                earlier = earlier || step[k]->stage->map.start;
            }
            if (earlier) {
                struct segment s = {
                    .step = step + from, .n = i - from, .apply_first = apply, .traces = true};
                st = named_segment(r, "before", step[i], &s, e);
                from = i;
                apply = false;
            }
        }
    }
    if (st == DRH_OK) {
        struct segment s = {.step = step + from,
                            .n = n - from,
                            .apply_first = apply,
                            .interim = end,
                            .traces = !end};
        st = named_segment(r, after ? "after" : "preprocess", after, &s, e);
    }
    return st;
}

/* The steps of each source's own. */
static drh_status do_own(struct run *r, struct plan_step **own, drh_error *e)
{
    struct datasets all = r->sets;
    drh_status      st = DRH_OK;

    for (size_t i = 0, k = 0; st == DRH_OK && i < r->p->n_steps; i++) {
        struct plan_step *source = &r->p->step[i];
        const size_t      n = steps_of(r->p, PHASE_PREPROCESS, source, own);

        if (source->step->phase != PHASE_SOURCE || source->step->alternative_of) {
            continue;
        }
        r->sets = (struct datasets){&all.ds[k++], 1}; /* these segments see that one only */
        st = n ? do_preprocess(r, own, n, source, e) : DRH_OK;
    }
    r->sets = all;
    return st;
}

/* One synthesizer, and what follows it; its data set is the only one of r->sets. */
static drh_status synthesize(struct run *r, struct plan_step *step, struct plan_step **then,
                             drh_error *e)
{
    const size_t   n = steps_of(r->p, PHASE_PREPROCESS, step, then);
    struct segment s = {.step = &step, .n = 1, .interim = n == 0};
    drh_status     st = named_segment(r, "synthesize", step, &s, e);

    return st == DRH_OK && n ? do_preprocess(r, then, n, step, e) : st;
}

/* Each synthesizer makes a data set of its own, beside the others. */
static drh_status do_synthesize(struct run *r, struct plan_step **step, size_t n, drh_error *e)
{
    struct plan_step **then = mem_alloc(r->p->n_steps + 1, sizeof(*then));
    drh_status         st = then ? DRH_OK : err_nomem(e, "steps");

    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        struct datasets others = r->sets;
        struct dataset *d = NULL;

        if (step[i]->count == 0) {
            st = err_set(e, DRH_E_CONFIG, "%s: give \"count\", how many records to make",
                         step[i]->step->pointer);
            break;
        }
        memset(&r->sets, 0, sizeof(r->sets));
        st = dataset_add(&others, step[i]->step->domain, step[i]->step->dataset, step[i]->step->id,
                         &d, e);
        if (st == DRH_OK) { /* these segments see the new one only */
            d->slots = step[i]->count;
            r->sets.ds = d;
            r->sets.n = 1;
            st = synthesize(r, step[i], then, e);
        }
        r->sets = others;
    }
    mem_free(then);
    return st;
}

static drh_status do_select(struct run *r, struct plan_step **step, size_t n, drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        struct segment s = {.step = &step[i], .n = 1, .scores = true};

        st = named_segment(r, "select", step[i], &s, e);
        st = st == DRH_OK ? run_rank(r, step[i], e) : st;
    }
    return st;
}

static drh_status do_phases(struct run *r, drh_error *e)
{
    struct plan_step **step = mem_alloc(r->p->n_steps + 1, sizeof(*step));
    size_t             n, n_select;
    drh_status         st = step ? DRH_OK : err_nomem(e, "steps");

    if (st == DRH_OK && (st = do_sources(r, e)) == DRH_OK) {
        st = do_own(r, step, e);
        n = steps_of(r->p, PHASE_PREPROCESS, NULL, step);
        st = st == DRH_OK && r->sets.n ? do_preprocess(r, step, n, NULL, e) : st;
    }
    if (st == DRH_OK) {
        n = steps_of(r->p, PHASE_SYNTHESIZE, NULL, step);
        st = do_synthesize(r, step, n, e);
    }
    if (st == DRH_OK) {
        n_select = steps_of(r->p, PHASE_SELECT, NULL, step);
        st = do_select(r, step, n_select, e);
        n = steps_of(r->p, PHASE_CONVERT, NULL, step);
        if (st == DRH_OK && n + n_select > 0) {
            st = run_outputs(r, step, n, e);
        }
    }
    mem_free(step);
    return st;
}

/* ---- the whole ---- */

static void run_free(struct run *r)
{
    for (size_t i = 0; i < r->n_totals; i++) {
        mem_free(r->total[i].segment);
        mem_free(r->total[i].step);
        counts_free(&r->total[i].counts);
    }
    mem_free(r->total);
    for (size_t i = 0; i < r->n_rankings; i++) {
        ranking_free(&r->ranking[i]);
    }
    mem_free(r->ranking);
    for (size_t i = 0; i < r->n_outputs; i++) {
        mem_free(r->output[i].path);
        mem_free(r->output[i].domain);
    }
    mem_free(r->output);
    datasets_free(&r->sets);
    cJSON_Delete(r->cache);
}

/* Nothing left of a data set, and for no good reason: a wrong dialect, most likely. */
static bool barren(const struct run *r, drh_error *e)
{
    for (size_t i = 0; i < r->sets.n; i++) {
        const struct dataset *d = &r->sets.ds[i];
        if (d->read > 0 && d->failed == d->read) {
            (void)err_set(e, DRH_E_DATA,
                          "every record of %s/%s is bad; see drhost report for the reasons",
                          d->domain, d->name);
            return true;
        }
    }
    return false;
}

static void say_skipped(const struct run *r)
{
    uint64_t tasks = 0, skipped = 0;

    for (size_t i = 0; i < r->n_totals; i++) {
        tasks += r->total[i].tasks;
        skipped += r->total[i].skipped;
    }
    if (tasks && skipped == tasks) {
        log_put(DRH_LOG_INFO, "nothing had to be done again: all of it is from earlier runs");
    }
}

static int finish(struct run *r, drh_status st, double seconds, drh_error *e)
{
    const char *state = "complete";
    char       *path = layout_state(&r->l, "report.json"), *text;
    cJSON      *report;
    drh_error   e2 = ERR_INIT;
    int         rc = RC_OK;

    if (st == DRH_E_CANCELLED) {
        state = "stopped";
        rc = RC_STOPPED;
    } else if (st != DRH_OK) {
        state = r->too_bad ? "too_many_bad" : "failed";
        rc = r->too_bad ? RC_BAD : cli_code(st);
    } else if (r->spent[0]) {
        state = "stopped";
        rc = RC_STOPPED;
        (void)err_set(e, DRH_E_BUDGET, "%s", r->spent);
    } else if (barren(r, e)) {
        state = "too_many_bad";
        rc = RC_BAD;
    } else if (r->damaged[0]) {
        state = "too_many_bad";
        rc = RC_BAD;
        (void)err_set(e, DRH_E_DATA,
                      "a file of %s ends in the middle or is damaged: what comes after is missing; "
                      "get it again, then run again",
                      r->damaged);
    } else if (r->shortfall) {
        state = "short";
        rc = RC_BAD;
        (void)err_set(e, DRH_E_DATA, "fewer records were made than asked for");
    }
    if (rc == RC_OK) {
        say_skipped(r);
    }
    report = run_report(r, state, rc ? e->message : NULL, seconds);
    text = report ? cJSON_Print(report) : NULL;
    st = path && text ? outfile_put(path, text, strlen(text), &e2) : err_nomem(&e2, "the report");
    if (st != DRH_OK && rc != RC_OK) {
        log_put(DRH_LOG_WARN, "the report could not be written: %s", e2.message);
    } else if (st != DRH_OK) {
        (void)err_set(e, st, "the report could not be written: %s", e2.message);
        rc = cli_code(st);
    }
    cJSON_free(text);
    cJSON_Delete(report);
    mem_free(path);
    return rc;
}

/* From here on the report of an earlier run says nothing about what is there. */
static void forget_report(const struct run *r)
{
    char *path = layout_state(&r->l, "report.json");

    if (path) {
        (void)unlink(path);
    }
    mem_free(path);
}

/* Files of an earlier recipe beside ours would be trained on by whoever takes the whole folder. */
static void warn_of_strangers(const struct run *r)
{
    char          *folder = mem_printf("%s/processed/%s", r->l.data, r->l.version);
    DIR           *d = folder && r->n_outputs ? opendir(folder) : NULL;
    struct dirent *entry;

    while (d && (entry = readdir(d)) != NULL) {
        bool ours = entry->d_name[0] == '.';
        for (size_t i = 0; i < r->n_outputs && !ours; i++) {
            const char *slash = strrchr(r->output[i].path, '/');
            ours = slash && strcmp(slash + 1, entry->d_name) == 0;
        }
        if (!ours) {
            log_put(DRH_LOG_WARN,
                    "%s/%s is not of this recipe; remove it if it is of an earlier one", folder,
                    entry->d_name);
        }
    }
    if (d) {
        (void)closedir(d);
    }
    mem_free(folder);
}

int run_recipe(struct plan *p, const struct run_options *o, drh_error *e)
{
    struct run r = {.p = p, .o = o};
    double     start = clock_now();
    time_t     t = time(NULL);
    struct tm  tm;
    int        lock = -1, rc;
    drh_status st;

    r.l = (struct layout){
        .data = p->recipe->data, .version = p->recipe->version, .zst = p->recipe->compress};
    r.to = (struct task_options){
        .layout = &r.l, .workers = o->workers, .fresh = o->fresh, .strict = o->strict};
    (void)gmtime_r(&t, &tm);
    (void)strftime(r.started, sizeof(r.started), "%Y-%m-%dT%H:%M:%SZ", &tm);
    st = lock_version(&r, &lock, e);
    if (st != DRH_OK) {
        run_free(&r);
        return cli_code(st);
    }
    clean_up(&r);
    forget_report(&r);
    if (o->limit) {
        log_put(DRH_LOG_WARN,
                "--limit: the results of version %s will be of a part of the data only",
                p->recipe->version);
    }
    st = plan_start(p, e);
    st = st == DRH_OK ? do_phases(&r, e) : st;
    if (st == DRH_OK) {
        warn_of_strangers(&r);
    }
    rc = finish(&r, st, clock_now() - start, e);
    run_free(&r);
    (void)close(lock);
    return rc;
}
