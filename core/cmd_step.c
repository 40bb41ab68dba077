/* SPDX-License-Identifier: MIT
 * cmd_step.c - `drhost --plugin FILE[:STAGE] ... [IN...] [-o OUT]`: one step or a few, files or
 * standard input to a file or standard output.  No state is kept: nothing is resumed.  [main] */
#include "bytes.h"
#include "cli.h"
#include "cmd.h"
#include "err.h"
#include "field.h"
#include "hash.h"
#include "log.h"
#include "mem.h"
#include "readers.h"
#include "run.h"
#include "sink.h"
#include "step_recipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct steps {
    const struct cli_options *o;
    struct plan              *p;
    struct feed_file         *file;
    size_t                    n_files;
    char                     *rejected; /* path; NULL: standard output has no rejects file */
    struct outfile           *rejects;
    struct counts            *counts; /* of all passes: reader, then one a step */
    const char              **name;
    size_t                    n_counts;
    char                     *temp[64]; /* owned paths of what passes hand on */
    size_t                    n_temp;
    struct ranking            ranking; /* of the last selector with a cut */
    struct cut                cut;
    bool                      cutting;
    uint64_t                  read, failed;
    char                      spent[256]; /* a pass was ended by DRH_E_BUDGET: why */
    struct bytes_set          set;        /* files of a last step that writes bytes */
};

/* ---- files ---- */

static drh_status take_inputs(struct steps *s, drh_error *e)
{
    static const char *const standard[] = {"-"};
    const char *const       *path = s->o->args.n ? s->o->args.text : standard;

    s->n_files = s->o->args.n ? s->o->args.n : 1;
    s->file = mem_alloc(s->n_files, sizeof(*s->file));
    if (!s->file) {
        return err_nomem(e, "files");
    }
    for (size_t i = 0; i < s->n_files; i++) {
        struct stat sb;
        uint8_t     digest[32];
        drh_str     part = drh_str_of(path[i]);

        if (strcmp(path[i], "-") != 0) {
            if (stat(path[i], &sb) != 0) {
                return err_errno(e, errno, "cannot read", path[i]);
            }
            if (S_ISDIR(sb.st_mode)) {
                return err_set(e, DRH_E_CONFIG, "%s is a folder; name its files", path[i]);
            }
            s->file[i].size = (uint64_t)sb.st_size;
        }
        if (sha256_parts(&part, 1, digest) != DRH_OK) {
            return err_nomem(e, "files");
        }
        memcpy(&s->file[i].key, digest, sizeof(s->file[i].key));
        s->file[i].path = path[i];
        s->file[i].origin.file = drh_str_of(strcmp(path[i], "-") == 0 ? "stdin" : path[i]);
        s->file[i].origin.domain = s->file[i].origin.dataset = s->file[i].origin.source =
            drh_str_of("");
    }
    return DRH_OK;
}

/* Who reads each of them.  A reader has to see the file before it can say that it knows it. */
static drh_status choose_readers(struct steps *s, drh_error *e)
{
    for (size_t i = 0; i < s->n_files; i++) {
        if (strcmp(s->file[i].path, "-") == 0 && s->p->readers) {
            return err_set(e, DRH_E_CONFIG,
                           "reader %s reads files, not standard input: write it to a file and name "
                           "that",
                           s->p->readers->stage->desc.id);
        }
    }
    return readers_choose(s->p, NULL, s->file, s->n_files, e);
}

static bool to_stdout(const struct cli_options *o)
{
    return !o->output || strcmp(o->output, "-") == 0;
}

/* The last step if it writes bytes, or NULL. */
static const struct plan_step *bytes_step(const struct plan *p)
{
    const struct plan_step *last = p->n_steps ? &p->step[p->n_steps - 1] : NULL;

    return last && stage_writes_bytes(last->stage) ? last : NULL;
}

/* Several files need a name to begin with. */
static drh_status check_output(const struct steps *s, drh_error *e)
{
    const struct plan_step *last = bytes_step(s->p);
    const char *const      *suffix;
    size_t                  n = last ? bytes_suffixes(last->stage, &suffix) : 0;

    if (n < 2 || !to_stdout(s->o)) {
        return DRH_OK;
    }
    return err_set(e, DRH_E_CONFIG,
                   "%s writes %zu files: name them with -o NAME, which gives NAME%s, NAME%s%s",
                   last->step->id, n, suffix[0], suffix[1], n > 2 ? " ..." : "");
}

static drh_status open_rejects(struct steps *s, drh_error *e)
{
    struct stat sb;

    if (to_stdout(s->o) || (stat(s->o->output, &sb) == 0 && !S_ISREG(sb.st_mode))) {
        return DRH_OK;
    }
    s->rejected = mem_printf("%s.rejected.jsonl", s->o->output);
    return s->rejected ? outfile_open(&s->rejects, s->rejected, 0, e) : err_nomem(e, "a path");
}

/* A place for what one pass hands to the next: beside the output, else in $TMPDIR. */
static drh_status temporary(struct steps *s, char **path, drh_error *e)
{
    const char *folder = getenv("TMPDIR");
    int         fd;

    if (s->n_temp == sizeof(s->temp) / sizeof(s->temp[0])) {
        return err_set(e, DRH_E_CONFIG, "too many steps at once; write a recipe");
    }
    *path = to_stdout(s->o) ? mem_printf("%s/drhost-XXXXXX", folder && *folder ? folder : "/tmp")
                            : mem_printf("%s.tmp-XXXXXX", s->o->output);
    if (!*path) {
        return err_nomem(e, "a path");
    }
    s->temp[s->n_temp++] = *path;
    fd = mkstemp(*path);
    if (fd < 0) {
        return err_errno(e, errno, "cannot make", *path);
    }
    (void)close(fd);
    return DRH_OK;
}

/* ---- passes ---- */

struct pass {
    size_t from, to; /* plan steps */
    bool   observe;  /* then comes a data-set scope: step `to` */
    bool   score;    /* step to - 1 is a selector with a cut */
    bool   last;
    bool   apply; /* step from is a data-set scope */
};

static bool wants_cut(const struct plan_step *ps)
{
    const struct step *s = ps->step;

    return s->phase == PHASE_SELECT && (s->has_below || s->has_at_most || s->has_above ||
                                        s->has_at_least || s->has_top || s->has_count);
}

/* As many steps as one pass over the records can do. */
static struct pass next_pass(const struct plan *p, size_t from, bool apply)
{
    struct pass pass = {.from = from, .to = from, .apply = apply};
    bool        driven = false;

    while (pass.to < p->n_steps) {
        const struct plan_step *s = &p->step[pass.to];

        if (s->stage->desc.scope == DRH_SCOPE_DATASET && !(pass.to == from && apply)) {
            pass.observe = true;
            return pass;
        }
        if (s->stage->map.start && driven) {
            return pass;
        }
        driven = driven || s->stage->map.start;
        pass.to++;
        if (wants_cut(s)) {
            pass.score = true;
            return pass;
        }
    }
    pass.last = true;
    return pass;
}

static drh_status fill_chain(struct steps *s, const struct pass *pass, struct shard *sh,
                             size_t lead, drh_error *e)
{
    sh->chain.seed = s->p->recipe->seed;
    sh->chain.n = pass->to - pass->from + lead;
    sh->chain.step = mem_alloc(sh->chain.n + 1, sizeof(*sh->chain.step));
    sh->counts = mem_alloc(sh->chain.n + 1, sizeof(*sh->counts));
    if (!sh->chain.step || !sh->counts) {
        return err_nomem(e, "a pass");
    }
    if (lead) {
        sh->chain.step[0] = (struct chain_step){.id = "cut", .own = cut_step, .ctx = &s->cut};
    }
    for (size_t i = pass->from; i < pass->to; i++) {
        struct plan_step *ps = &s->p->step[i];
        sh->chain.step[i - pass->from + lead] =
            (struct chain_step){.id = ps->step->id,
                                .in = ps->in,
                                .apply = i == pass->from && pass->apply,
                                .sink = stage_writes_bytes(ps->stage) ? &s->set.sink : NULL};
        if (ps->step->phase == PHASE_SYNTHESIZE) {
            sh->attempts = ps->attempts;
        }
    }
    return DRH_OK;
}

static drh_status add_counts(struct steps *s, const struct shard *sh, bool first, drh_error *e)
{
    size_t         n = sh->chain.n + (first ? 1 : 0);
    struct counts *more = mem_resize(s->counts, (s->n_counts + n) * sizeof(*more));
    const char   **names;

    s->counts = more ? more : s->counts;
    names = mem_resize((void *)(uintptr_t)s->name, (s->n_counts + n) * sizeof(*names));
    s->name = names ? names : s->name;
    if (!more || !names) {
        return err_nomem(e, "counts");
    }
    for (size_t i = first ? 0 : 1; i <= sh->chain.n; i++) {
        s->failed += sh->counts[i].failed;
        s->name[s->n_counts] = i ? sh->chain.step[i - 1].id : "read";
        s->counts[s->n_counts++] = sh->counts[i];
        memset(&sh->counts[i], 0, sizeof(sh->counts[i]));
    }
    return DRH_OK;
}

static drh_status rank_pass(struct steps *s, const struct plan_step *ps, const char *scores,
                            uint64_t n, drh_error *e)
{
    struct ranking *k = &s->ranking;
    drh_ranking     how = {.struct_size = sizeof(how)};
    drh_status      st = ps->stage->ops.selector.ranking(ps->in->self, &how, e);

    cut_close(&s->cut);
    ranking_free(k);
    memset(k, 0, sizeof(*k));
    if (st != DRH_OK) {
        return stage_error(ps->in, st, e);
    }
    if (ps->step->per) {
        return err_set(e, DRH_E_CONFIG, "\"per\" needs the data sets of a recipe");
    }
    ranking_spec(&k->spec, ps->step, &how);
    k->part = mem_alloc(1, sizeof(*k->part));
    k->group = mem_alloc(1, sizeof(*k->group));
    if (!k->part || !k->group || !(k->part->path = mem_dupz(scores))) {
        return err_nomem(e, "ranking");
    }
    k->n_parts = 1;
    k->part->n = n;
    k->group->name = "all";
    st = rank_groups(&k->spec, k->part, 1, k->group, 1, e);
    s->cut.field = field_intern(how.field, strlen(how.field));
    s->cut.status = how.status ? field_intern(how.status, strlen(how.status)) : DRH_FIELD_NONE;
    st = st == DRH_OK ? cut_open(&s->cut, &k->spec, k->group, k->part, e) : st;
    s->cutting = st == DRH_OK;
    return st;
}

static drh_status prepare_feed(struct steps *s, const struct pass *pass, struct feed *feed,
                               struct feed_file *from, drh_error *e)
{
    const struct plan_step *ps = pass->from < s->p->n_steps ? &s->p->step[pass->from] : NULL;

    if (pass->from == 0 && ps && ps->step->phase == PHASE_SYNTHESIZE && !from) {
        if (s->o->args.n) {
            return err_set(e, DRH_E_CONFIG, "%s makes records from nothing; it takes no files",
                           ps->step->id);
        }
        if (ps->count == 0) {
            return err_set(e, DRH_E_CONFIG, "say how many records to make: --set count=N");
        }
        feed_slots(feed, &s->file[0].origin, 0, ps->count);
        return DRH_OK;
    }
    feed_files(feed, from ? from : s->file, from ? 1 : s->n_files, NULL, UINT64_MAX);
    feed->per_file = !from && s->o->limit > 0 ? (uint64_t)s->o->limit : 0;
    return DRH_OK;
}

static drh_status open_pass(struct steps *s, const struct pass *pass, struct shard *sh, char **out,
                            char **scores, drh_error *e)
{
    const struct plan_step *last = pass->to > pass->from ? &s->p->step[pass->to - 1] : NULL;
    drh_status              st = DRH_OK;

    if (pass->last && last && stage_writes_bytes(last->stage)) {
        return bytes_open(&s->set, last->in, to_stdout(s->o) ? "-" : s->o->output, true, e);
    }
    if (pass->last) {
        return outfile_open(&sh->out, to_stdout(s->o) ? "-" : s->o->output, 0, e);
    }
    sh->traces = true;
    st = temporary(s, out, e);
    st = st == DRH_OK ? outfile_open(&sh->out, *out, OUT_NOSYNC, e) : st;
    if (st == DRH_OK && pass->score) {
        drh_ranking how = {.struct_size = sizeof(how)};
        st = last->stage->ops.selector.ranking(last->in->self, &how, e);
        sh->score_field =
            st == DRH_OK && how.field ? field_intern(how.field, strlen(how.field)) : 0;
        st = st == DRH_OK ? temporary(s, scores, e) : stage_error(last->in, st, e);
        st = st == DRH_OK ? outfile_open(&sh->scores, *scores, OUT_NOSYNC, e) : st;
    }
    return st;
}

static drh_status close_pass(struct steps *s, struct shard *sh, drh_error *e)
{
    struct outfile *out = sh->out, *scores = sh->scores;
    drh_status      st;

    sh->out = sh->scores = NULL;
    if (s->set.in) {
        return bytes_commit(&s->set, NULL, e);
    }
    st = out ? outfile_commit(out, NULL, NULL, e) : DRH_OK;
    if (scores && st == DRH_OK) {
        return outfile_commit(scores, NULL, NULL, e);
    }
    outfile_abort(scores);
    return st;
}

static drh_status run_pass(struct steps *s, const struct pass *pass, struct feed_file *from,
                           char **out, drh_error *e)
{
    struct feed  feed = {0};
    struct shard sh = {
        .feed = &feed, .workers = s->p->env.workers, .rejects = s->rejects, .name_rejects = true};
    char      *scores = NULL;
    drh_status st = prepare_feed(s, pass, &feed, from, e);

    st = st == DRH_OK ? fill_chain(s, pass, &sh, s->cutting, e) : st;
    st = st == DRH_OK ? open_pass(s, pass, &sh, out, &scores, e) : st;
    if (st == DRH_OK) {
        sh.progress.what = pass->to > pass->from ? s->p->step[pass->to - 1].step->id : "cut";
        for (size_t i = 0; !from && i < s->n_files; i++) {
            sh.progress.total += s->file[i].size;
        }
        progress_start(sh.progress.what);
        st = shard_run(&sh, e);
        progress_end();
    }
    if (sh.spent[0]) {
        memcpy(s->spent, sh.spent, sizeof(s->spent));
    }
    st = st == DRH_OK ? close_pass(s, &sh, e) : st;
    if (st == DRH_OK) {
        s->read += from ? 0 : sh.n_in;
        s->cutting = false;
        st = add_counts(s, &sh, !from, e);
    }
    if (st == DRH_OK && pass->score) {
        st = rank_pass(s, &s->p->step[pass->to - 1], scores, sh.n_out, e);
    }
    outfile_abort(sh.out);
    outfile_abort(sh.scores);
    feed_close(&feed);
    for (size_t i = 0; sh.counts && i <= sh.chain.n; i++) {
        counts_free(&sh.counts[i]);
    }
    mem_free(sh.counts);
    mem_free(sh.chain.step);
    return st;
}

/* First pass of a data-set scope over what the pass before it wrote. */
static drh_status observe(struct steps *s, struct plan_step *ps, struct feed_file *from,
                          drh_error *e)
{
    struct feed     feed;
    struct counts   counts = {0};
    struct drh_sink notes = {.n_parts = 1, .error = ERR_INIT}, result = notes;
    struct shard    sh = {
           .feed = &feed, .workers = 1, .observe = ps->in, .notes = &notes, .counts = &counts};
    char       *note_path = NULL, *result_path = NULL;
    const char *paths[1];
    drh_status  st = temporary(s, &note_path, e);

    feed_files(&feed, from, 1, NULL, UINT64_MAX);
    st = st == DRH_OK ? temporary(s, &result_path, e) : st;
    st = st == DRH_OK ? outfile_open(&notes.part[0], note_path, OUT_NOSYNC, e) : st;
    st = st == DRH_OK ? shard_run(&sh, e) : st;
    if (st == DRH_OK) {
        st = outfile_commit(notes.part[0], NULL, NULL, e);
        notes.part[0] = NULL;
    }
    st = st == DRH_OK ? outfile_open(&result.part[0], result_path, OUT_NOSYNC, e) : st;
    paths[0] = note_path;
    if (st == DRH_OK) {
        st = ps->stage->map.merge(ps->in->self, paths, 1, &result, e);
        st = st == DRH_OK ? outfile_commit(result.part[0], NULL, NULL, e)
                          : stage_error(ps->in, st, e);
        result.part[0] = st == DRH_OK ? NULL : result.part[0];
    }
    if (st == DRH_OK) {
        st = ps->stage->map.prepare(ps->in->self, result_path, e);
        st = st == DRH_OK ? DRH_OK : stage_error(ps->in, st, e);
    }
    outfile_abort(notes.part[0]);
    outfile_abort(result.part[0]);
    feed_close(&feed);
    counts_free(&counts);
    return st;
}

static drh_status run_passes(struct steps *s, drh_error *e)
{
    struct feed_file between = {0};
    struct pass      pass = {0};
    bool             apply = false, first = true;
    drh_status       st = DRH_OK;

    between.origin.file = drh_str_of("between steps");
    between.origin.between = true;
    between.traced = true;
    between.origin.domain = between.origin.dataset = between.origin.source = drh_str_of("");
    between.key = 1;
    while (st == DRH_OK && (first || !pass.last || s->cutting)) {
        char *out = NULL;

        pass = next_pass(s->p, pass.to, apply);
        st = run_pass(s, &pass, first ? NULL : &between, &out, e);
        between.path = out;
        apply = pass.observe;
        if (st == DRH_OK && pass.observe) {
            st = observe(s, &s->p->step[pass.to], &between, e);
        }
        first = false;
    }
    return st;
}

/* ---- the end ---- */

static void print_reasons(const struct counts *c, bool failed)
{
    for (size_t i = 0; i < c->n_reasons; i++) {
        if (c->reason[i].failed == failed) {
            (void)fprintf(stderr, " %s %llu", c->reason[i].reason,
                          (unsigned long long)c->reason[i].n);
        }
    }
}

static void summary(const struct steps *s)
{
    for (size_t i = 0; i < s->n_counts; i++) {
        const struct counts *c = &s->counts[i];

        (void)fprintf(stderr, "drhost: %s: %llu in, ", s->name[i], (unsigned long long)c->in);
        if (c->added) {
            (void)fprintf(stderr, "%llu added, ", (unsigned long long)c->added);
        }
        (void)fprintf(stderr, "%llu out", (unsigned long long)c->out);
        if (c->mended) {
            (void)fprintf(stderr, " (%llu mended)", (unsigned long long)c->mended);
        }
        if (c->dropped) {
            (void)fprintf(stderr, ", %llu dropped:", (unsigned long long)c->dropped);
            print_reasons(c, false);
        }
        if (c->failed) {
            (void)fprintf(stderr, ", %llu failed:", (unsigned long long)c->failed);
            print_reasons(c, true);
        }
        (void)fputc('\n', stderr);
    }
    if (s->failed && s->rejected) {
        (void)fprintf(stderr, "drhost: each record that is missing is in %s\n", s->rejected);
    }
}

static int judge(struct steps *s, drh_error *e)
{
    const struct plan_step *first = &s->p->step[0];
    double                  limit = s->p->recipe->max_bad;

    for (size_t i = 0; i < s->n_counts; i++) {
        if (!counts_balance(&s->counts[i])) {
            (void)err_set(e, DRH_E_INTERNAL, "the counts of %s do not balance", s->name[i]);
            return RC_FAILED;
        }
    }
    if (s->spent[0]) {
        (void)err_set(e, DRH_E_BUDGET, "%s", s->spent);
        return RC_STOPPED;
    }
    if (limit < 1 ? s->read >= 1000 && (double)s->failed > limit * (double)s->read
                  : (double)s->failed > limit) {
        (void)err_set(e, DRH_E_DATA, "%llu of %llu records are bad, more than --max-bad allows",
                      (unsigned long long)s->failed, (unsigned long long)s->read);
        return RC_BAD;
    }
    if (s->n_counts && counts_damaged(&s->counts[0])) {
        (void)err_set(e, DRH_E_DATA,
                      "a file ends in the middle or is damaged: what comes after is "
                      "missing; get it again");
        return RC_BAD;
    }
    if (s->read && s->failed == s->read) {
        (void)err_set(e, DRH_E_DATA, "every record is bad");
        return RC_BAD;
    }
    if (first->count && first->step->phase == PHASE_SYNTHESIZE && s->counts[1].out < first->count) {
        (void)err_set(e, DRH_E_DATA, "%llu of %llu records were made",
                      (unsigned long long)s->counts[1].out, (unsigned long long)first->count);
        return RC_BAD;
    }
    return RC_OK;
}

static void steps_free(struct steps *s)
{
    for (size_t i = 0; i < s->n_temp; i++) {
        (void)unlink(s->temp[i]);
        mem_free(s->temp[i]);
    }
    for (size_t i = 0; i < s->n_counts; i++) {
        counts_free(&s->counts[i]);
    }
    cut_close(&s->cut);
    ranking_free(&s->ranking);
    outfile_abort(s->rejects);
    bytes_close(&s->set);
    mem_free(s->counts);
    mem_free((void *)(uintptr_t)s->name);
    mem_free(s->file);
    mem_free(s->rejected);
}

static int run_steps(const struct cli_options *o, struct plan *p, drh_error *e)
{
    struct steps s = {.o = o, .p = p};
    int          rc;
    drh_status   st;

    run_cancel_setup();
    st = check_output(&s, e);
    st = st == DRH_OK ? take_inputs(&s, e) : st;
    st = st == DRH_OK ? choose_readers(&s, e) : st;
    st = st == DRH_OK ? plan_start(p, e) : st;
    st = st == DRH_OK ? open_rejects(&s, e) : st;
    st = st == DRH_OK ? run_passes(&s, e) : st;
    if (st == DRH_OK && s.rejects) {
        struct outfile *rejects = s.rejects;
        s.rejects = NULL;
        st = outfile_commit(rejects, NULL, NULL, e);
    }
    rc = st == DRH_OK ? judge(&s, e) : cli_code(st);
    if (st == DRH_OK && !o->quiet) {
        summary(&s);
    }
    steps_free(&s);
    return rc;
}

int cmd_step(const struct cli_options *o)
{
    struct recipe *r = NULL;
    struct loader *l = NULL;
    struct plan   *p = NULL;
    drh_error      e = ERR_INIT;
    drh_status     st;
    int            rc;

    cmd_loudness(o);
    st = loader_new(&l, o->plugin_path.text, o->plugin_path.n, &e);
    st = st == DRH_OK ? step_recipe(o, l, &r, &e) : st;
    if (st == DRH_OK) {
        st = plan_make(&p, r, l, cmd_workers(o), NULL, &e);
        r = NULL;
    }
    if (st != DRH_OK) {
        rc = cli_fail(o, st == DRH_E_NOMEM ? st : DRH_E_CONFIG, &e);
    } else {
        rc = run_steps(o, p, &e);
        if (rc != RC_OK) {
            log_put(DRH_LOG_ERROR, "%s", e.message);
        }
    }
    plan_free(p);
    recipe_free(r);
    loader_free(l);
    field_free_all();
    return cli_done(rc);
}
