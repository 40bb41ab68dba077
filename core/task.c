/* SPDX-License-Identifier: MIT
 * task.c - see task.h. */
#include "task.h"

#include "clock.h"
#include "err.h"
#include "hash.h"
#include "journal.h"
#include "manifest.h"
#include "mem.h"
#include "sink.h"

#include <string.h>
#include <unistd.h>

/* What a running task has open. */
struct work {
    char           *manifest, *rejected, *journal_path;
    struct outfile *out, *rejects, *scores;
    struct drh_sink notes;
    struct journal *journal;
    uint8_t         sha_out[32], sha_rejects[32], sha_scores[32], sha_notes[32];
    char            fingerprint[65];
};

static uint64_t number(const cJSON *j, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);
    return cJSON_IsNumber(v) && v->valuedouble >= 0 ? (uint64_t)v->valuedouble : 0;
}

/* ---- results to and from the manifest ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The position of a reader, from hex; what is no hex is none. */
static void mark_from(struct row_mark *m, const char *hex)
{
    size_t n = hex ? strlen(hex) / 2 : 0;

    m->len = 0;
    for (size_t i = 0; i < n && n <= sizeof(m->bytes); i++) {
        int hi = hex_digit(hex[2 * i]), lo = hex_digit(hex[2 * i + 1]);

        if (hi < 0 || lo < 0) {
            m->len = 0;
            return;
        }
        m->bytes[m->len++] = (uint8_t)(hi << 4 | lo);
    }
}

static bool add_mark(cJSON *next, const struct row_mark *m)
{
    char hex[2 * DRH_POSITION_MAX + 1];

    if (m->len == 0) {
        return true;
    }
    hex_of(m->bytes, m->len, hex);
    return cJSON_AddStringToObject(next, "position", hex) != NULL;
}

static drh_status results_from(struct task *t, const cJSON *m)
{
    const cJSON *counts = cJSON_GetObjectItemCaseSensitive(m, "counts");
    const cJSON *next = cJSON_GetObjectItemCaseSensitive(m, "next");
    const char  *sha = cJSON_GetStringValue(
         cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(m, "result"), "sha256"));
    const cJSON *c;
    size_t       i = 0;

    cJSON_ArrayForEach(c, counts)
    {
        if (i <= t->chain.n && counts_from_json(&t->counts[i++], c) != DRH_OK) {
            return DRH_E_NOMEM;
        }
    }
    (void)snprintf(t->sha256, sizeof(t->sha256), "%s", sha ? sha : "");
    t->n_in = number(m, "in");
    t->n_out = number(m, "out");
    t->next.file = number(next, "file");
    t->next.at.offset = number(next, "offset");
    t->next.at.row = number(next, "row");
    t->next.at.line = number(next, "line");
    t->next.at.form = (uint32_t)number(next, "form");
    mark_from(&t->next.mark,
              cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(next, "position")));
    t->done = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(m, "done"));
    t->seconds = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(m, "seconds"));
    t->skipped = true;
    return DRH_OK;
}

static bool add_counts(cJSON *m, const struct task *t)
{
    cJSON *list = cJSON_AddArrayToObject(m, "counts");
    bool   ok = list != NULL;

    for (size_t i = 0; ok && i <= t->chain.n; i++) {
        cJSON *c = counts_json(&t->counts[i]);
        ok = c && cJSON_AddStringToObject(c, "step", i ? t->chain.step[i - 1].id : "read") &&
             cJSON_AddItemToArray(list, c);
        if (!ok) {
            cJSON_Delete(c);
        }
    }
    return ok;
}

static cJSON *results_json(const struct task *t)
{
    cJSON *m = cJSON_CreateObject();
    cJSON *result = cJSON_AddObjectToObject(m, "result");
    cJSON *next = cJSON_AddObjectToObject(m, "next");
    bool   ok = result && next && cJSON_AddNumberToObject(m, "in", (double)t->n_in) &&
              cJSON_AddNumberToObject(m, "out", (double)t->n_out) &&
              cJSON_AddStringToObject(result, "sha256", t->sha256) &&
              cJSON_AddNumberToObject(next, "file", (double)t->next.file) &&
              cJSON_AddNumberToObject(next, "offset", (double)t->next.at.offset) &&
              cJSON_AddNumberToObject(next, "row", (double)t->next.at.row) &&
              cJSON_AddNumberToObject(next, "line", (double)t->next.at.line) &&
              cJSON_AddNumberToObject(next, "form", (double)t->next.at.form) &&
              add_mark(next, &t->next.mark) && cJSON_AddBoolToObject(m, "done", t->done) &&
              cJSON_AddNumberToObject(m, "seconds", t->seconds) && add_counts(m, t);

    if (!ok) {
        cJSON_Delete(m);
        return NULL;
    }
    return m;
}

/* ---- opening ---- */

static drh_status open_outputs(struct task *t, struct work *w, drh_error *e)
{
    drh_status st = outfile_open(&w->rejects, w->rejected, OUT_DIGEST, e);

    if (st == DRH_OK && t->out) {
        st = outfile_open(&w->out, t->out, OUT_DIGEST, e);
    }
    if (st == DRH_OK && t->scores) {
        st = outfile_open(&w->scores, t->scores, OUT_DIGEST, e);
    }
    if (st == DRH_OK && t->observe) {
        w->notes.n_parts = 1;
        w->notes.error = (drh_error)ERR_INIT;
        st = outfile_open(&w->notes.part[0], t->notes, OUT_DIGEST, e);
    }
    if (st == DRH_OK && t->journal) {
        char *slash = strrchr(w->journal_path, '/');
        *slash = '\0';
        st = make_dirs(w->journal_path, e);
        *slash = '/';
        st = st == DRH_OK ? journal_open(&w->journal, w->journal_path, w->fingerprint, e) : st;
    }
    return st;
}

static drh_status commit_one(struct outfile **o, uint8_t *sha, struct manifest_output *list,
                             size_t *n, const char *path, drh_error *e)
{
    struct outfile *file = *o;
    drh_status      st;

    if (!file) {
        return DRH_OK;
    }
    *o = NULL; /* freed by commit whatever happens */
    st = outfile_commit(file, sha, NULL, e);
    list[*n].path = path;
    memcpy(list[(*n)++].sha256, sha, 32);
    return st;
}

/* Files first, the manifest last: it is what makes the task done. */
static drh_status commit(struct task *t, struct work *w, drh_error *e)
{
    struct manifest_output out[4];
    size_t                 n = 0;
    drh_status             st = commit_one(&w->rejects, w->sha_rejects, out, &n, w->rejected, e);

    st = st == DRH_OK ? commit_one(&w->scores, w->sha_scores, out, &n, t->scores, e) : st;
    st = st == DRH_OK ? commit_one(&w->notes.part[0], w->sha_notes, out, &n, t->notes, e) : st;
    if (t->into || t->sink) {
        return st;
    }
    if (st == DRH_OK && w->out) {
        st = commit_one(&w->out, w->sha_out, out, &n, t->out, e);
        hex_of(w->sha_out, 32, t->sha256);
    }
    if (t->spent[0]) {
        return st; /* no manifest: the next run makes it again, out of the journal as far as that
                      goes */
    }
    if (st == DRH_OK) {
        cJSON *more = results_json(t);
        st = more ? manifest_write(w->manifest, t->basis, out, n, more, e)
                  : err_nomem(e, "a manifest");
    }
    if (st == DRH_OK && w->journal) {
        (void)unlink(w->journal_path);
    }
    return st;
}

static drh_status execute(struct task *t, const struct task_options *o, struct work *w,
                          drh_error *e)
{
    struct shard s = {.feed = &t->feed,
                      .chain = t->chain,
                      .workers = o->workers,
                      .score_field = t->score_field,
                      .traces = t->traces,
                      .attempts = t->attempts,
                      .observe = t->observe,
                      .counts = t->counts};
    char         what[192];
    double       start = clock_now();
    drh_status   st = open_outputs(t, w, e);

    (void)snprintf(what, sizeof(what), "%s %s", t->name.segment, t->name.dataset);
    s.out = t->into ? t->into : w->out;
    s.rejects = w->rejects;
    s.scores = w->scores;
    s.journal = w->journal;
    s.notes = t->observe ? &w->notes : NULL;
    s.progress.what = what;
    s.progress.total = t->total;
    progress_start(what);
    st = st == DRH_OK ? shard_run(&s, e) : st;
    progress_end();
    t->n_in = s.n_in;
    t->n_out = s.n_out;
    memcpy(t->spent, s.spent, sizeof(t->spent));
    t->done = st == DRH_OK && feed_done(&t->feed);
    t->next = t->feed.pos;
    t->seconds = clock_now() - start;
    return st == DRH_OK ? commit(t, w, e) : st;
}

drh_status task_redo(const struct task_name *t, const struct task_options *o,
                     enum manifest_state state, const struct buf *why, drh_error *e)
{
    const char *what = why->len ? why->ptr : "settings";

    if (state == MANIFEST_CHANGED && o->strict && !o->fresh) {
        return err_set(e, DRH_E_CONFIG,
                       "%s/%s/%s was made before this changed: %s; run without --resume=strict to "
                       "redo it",
                       t->segment, t->domain, t->dataset, what);
    }
    if ((state == MANIFEST_CHANGED || state == MANIFEST_DAMAGED) && !o->fresh) {
        log_put(DRH_LOG_INFO, "%s/%s/%s part %zu is redone: %s%s", t->segment, t->domain,
                t->dataset, t->part, state == MANIFEST_CHANGED ? "changed " : "", what);
    }
    return DRH_OK;
}

/* Whether an earlier run has done this already. */
static drh_status done_already(struct task *t, const struct task_options *o, struct work *w,
                               bool *done, drh_error *e)
{
    enum manifest_state state;
    struct buf          why;
    cJSON              *m;
    drh_status          st;

    buf_init(&why, 4096);
    st = manifest_check(w->manifest, t->basis, &m, &state, &why, e);
    *done = st == DRH_OK && state == MANIFEST_FITS && !o->fresh;
    if (*done) {
        st = results_from(t, m) == DRH_OK ? DRH_OK : err_nomem(e, "a manifest");
    }
    st = st == DRH_OK ? task_redo(&t->name, o, state, &why, e) : st;
    cJSON_Delete(m);
    buf_free(&why);
    return st;
}

drh_status task_run(struct task *t, const struct task_options *o, drh_error *e)
{
    struct work w = {0};
    bool        done = false;
    drh_status  st = DRH_OK;

    w.manifest = layout_manifest(o->layout, &t->name);
    w.rejected = layout_rejected(o->layout, &t->name);
    if (!w.manifest || !w.rejected) {
        st = err_nomem(e, "a task");
    }
    st = st == DRH_OK ? manifest_fingerprint(t->basis, w.fingerprint, e) : st;
    w.journal_path = layout_journal(o->layout, &t->name, w.fingerprint);
    if (st == DRH_OK && !w.journal_path) {
        st = err_nomem(e, "a task");
    }
    st = st == DRH_OK && !t->into && !t->sink ? done_already(t, o, &w, &done, e) : st;
    if (st == DRH_OK && (done || o->fresh)) {
        (void)unlink(w.journal_path); /* one may be left of a run that was killed at its end */
    }
    if (st == DRH_OK && !done) {
        (void)unlink(w.manifest); /* from here on the old outputs are not to be trusted */
        st = execute(t, o, &w, e);
    }
    outfile_abort(w.out);
    outfile_abort(w.rejects);
    outfile_abort(w.scores);
    outfile_abort(w.notes.part[0]);
    journal_close(w.journal);
    feed_close(&t->feed);
    mem_free(w.manifest);
    mem_free(w.rejected);
    mem_free(w.journal_path);
    return st;
}
