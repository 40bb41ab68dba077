/* SPDX-License-Identifier: MIT
 * run_output.c - the last segment: cut and convert each part, into a file per domain.
 *
 * The file's manifest names the tasks that it is made of, so nothing of it is done again while none
 * of them changes.  Parts go straight into it, unless a model is asked on the way: then each is a
 * piece of its own until the file is complete. */
#include "bytes.h"
#include "err.h"
#include "hash.h"
#include "log.h"
#include "manifest.h"
#include "mem.h"
#include "outfile.h"
#include "run.h"
#include "sink.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one domain's file is made of. */
struct domain_job {
    struct run           *r;
    const struct segment *s;
    const char           *domain;
    cJSON                *basis;
    char                 *manifest, *path; /* path: of the text, or before the suffixes */
    size_t                n_counts;
    struct counts        *counts; /* of all pieces */
    cJSON                *failed; /* by data set, while it is not in a manifest */
    uint64_t              records;
    struct outfile       *direct; /* the domain's file while parts go straight into it */
    bool                  spent;  /* a part was ended by DRH_E_BUDGET */
    struct bytes_set      set;    /* its files when the last step writes bytes */
    char                **piece;  /* owned paths */
    char                **piece_manifest;
    size_t                n_pieces, cap;
};

/* Whether the last step writes files of its own format. */
static bool writes_bytes(const struct segment *s)
{
    return s->n && stage_writes_bytes(s->step[s->n - 1]->stage);
}

typedef drh_status (*piece_fn)(struct domain_job *j, struct dataset *d, size_t part, drh_error *e);

static drh_status each_piece(struct domain_job *j, piece_fn fn, drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < j->r->sets.n; i++) {
        struct dataset *d = &j->r->sets.ds[i];
        for (size_t k = 0; st == DRH_OK && strcmp(d->domain, j->domain) == 0 && k < d->n_parts;
             k++) {
            st = fn(j, d, k, e);
        }
    }
    return st;
}

/* Of the first piece, what people can read: say_changed() in manifest.c names it. */
static bool say_basis(cJSON *basis, const cJSON *piece)
{
    static const char *const keys[] = {"steps", "cut", "seed", "compress"};
    bool                     ok = true;

    for (size_t i = 0; ok && i < sizeof(keys) / sizeof(keys[0]); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(piece, keys[i]);
        cJSON       *copy = NULL;

        if (v && !cJSON_GetObjectItemCaseSensitive(basis, keys[i])) {
            copy = cJSON_Duplicate(v, true);
            ok = copy && cJSON_AddItemToObject(basis, keys[i], copy);
        }
        if (!ok) {
            cJSON_Delete(copy);
        }
    }
    return ok;
}

static drh_status piece_fingerprint(struct domain_job *j, struct dataset *d, size_t part,
                                    drh_error *e)
{
    struct task t;
    struct cut  cut;
    char        hex[65];
    cJSON      *list = cJSON_GetObjectItemCaseSensitive(j->basis, "pieces");
    drh_status  st = run_part_task(j->r, j->s, d, part, &t, &cut, e);

    st = st == DRH_OK ? manifest_fingerprint(t.basis, hex, e) : st;
    if (st == DRH_OK &&
        !(cJSON_AddItemToArray(list, cJSON_CreateString(hex)) && say_basis(j->basis, t.basis))) {
        st = err_nomem(e, "a manifest");
    }
    j->n_counts = t.chain.n + 1;
    mem_free((void *)(uintptr_t)t.feed.files);
    run_task_done(&t, &cut);
    return st;
}

static drh_status note_piece(struct domain_job *j, struct task *t, drh_error *e)
{
    if (j->n_pieces == j->cap) {
        size_t cap = j->cap ? j->cap * 2 : 8;
        char **a = mem_resize(j->piece, cap * sizeof(char *));
        char **b;
        j->piece = a ? a : j->piece;
        b = mem_resize(j->piece_manifest, cap * sizeof(char *));
        j->piece_manifest = b ? b : j->piece_manifest;
        if (!a || !b) {
            return err_nomem(e, "pieces");
        }
        j->cap = cap;
    }
    j->piece[j->n_pieces] = t->out;
    j->piece_manifest[j->n_pieces++] = layout_manifest(&j->r->l, &t->name);
    t->out = NULL;
    return j->piece_manifest[j->n_pieces - 1] ? DRH_OK : err_nomem(e, "pieces");
}

/* What a later run that reuses the file has to know to judge the data set as this one does. */
static drh_status note_failed(struct domain_job *j, const struct dataset *d, const struct task *t,
                              drh_error *e)
{
    cJSON   *old = cJSON_GetObjectItemCaseSensitive(j->failed, d->name);
    uint64_t n = 0;

    for (size_t i = 0; i <= t->chain.n; i++) {
        n += t->counts[i].failed;
    }
    if (old) {
        cJSON_SetNumberValue(old, old->valuedouble + (double)n);
        return DRH_OK;
    }
    return cJSON_AddNumberToObject(j->failed, d->name, (double)n) ? DRH_OK : err_nomem(e, "counts");
}

static drh_status make_piece(struct domain_job *j, struct dataset *d, size_t part, drh_error *e)
{
    struct task t;
    struct cut  cut;
    drh_status  st = run_part_task(j->r, j->s, d, part, &t, &cut, e);

    if (j->direct) {
        mem_free(t.out);
        t.out = NULL;
        t.into = j->direct;
    }
    if (j->set.in) {
        mem_free(t.out);
        t.out = NULL;
        t.sink = &j->set.sink;
        if (st == DRH_OK) {
            t.chain.step[t.chain.n - 1].sink = t.sink;
        }
    }
    st = st == DRH_OK ? task_run(&t, &j->r->to, e) : st;
    st = st == DRH_OK ? run_after_task(j->r, j->s, d, &t, e) : st;
    st = st == DRH_OK ? note_failed(j, d, &t, e) : st;
    for (size_t i = 0; st == DRH_OK && i < j->n_counts; i++) {
        st = counts_add(&j->counts[i], &t.counts[i]) == DRH_OK ? DRH_OK : err_nomem(e, "counts");
    }
    j->records += t.n_out;
    j->spent = j->spent || t.spent[0];
    st = st == DRH_OK && !j->direct && !j->set.in ? note_piece(j, &t, e) : st;
    mem_free((void *)(uintptr_t)t.feed.files);
    run_task_done(&t, &cut);
    return st;
}

/* ---- joining ---- */

static drh_status join_text(struct domain_job *j, uint8_t sha[32], drh_error *e)
{
    struct outfile *o = NULL;
    drh_status      st = outfile_open(&o, j->path, OUT_DIGEST, e);

    for (size_t i = 0; st == DRH_OK && i < j->n_pieces; i++) {
        st = outfile_append_file(o, j->piece[i], e);
    }
    if (st != DRH_OK) {
        outfile_abort(o);
        return st;
    }
    return outfile_commit(o, sha, NULL, e);
}

static cJSON *job_results(struct domain_job *j)
{
    cJSON *m = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(m, "counts");
    bool   ok = list && cJSON_AddNumberToObject(m, "records", (double)j->records) &&
              cJSON_AddNumberToObject(m, "in", (double)j->counts[0].in);

    for (size_t i = 0; ok && i < j->n_counts; i++) {
        cJSON *c = counts_json(&j->counts[i]);
        ok = c && cJSON_AddItemToArray(list, c);
    }
    if (ok) {
        ok = cJSON_AddItemToObject(m, "failed", j->failed);
        j->failed = ok ? NULL : j->failed;
    }
    if (!ok) {
        cJSON_Delete(m);
        return NULL;
    }
    return m;
}

static void remove_pieces(const struct domain_job *j)
{
    for (size_t i = 0; i < j->n_pieces; i++) {
        (void)unlink(j->piece_manifest[i]);
        (void)unlink(j->piece[i]);
    }
}

static drh_status add_output(struct run *r, const char *domain, const char *path, uint64_t records,
                             const char *sha, drh_error *e)
{
    struct run_output *more = mem_resize(r->output, (r->n_outputs + 1) * sizeof(*more));
    struct run_output *o;
    struct stat        st;

    if (!more) {
        return err_nomem(e, "outputs");
    }
    r->output = more;
    o = &more[r->n_outputs++];
    memset(o, 0, sizeof(*o));
    o->path = mem_dupz(path);
    o->domain = mem_dupz(domain);
    o->records = records;
    o->bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    (void)snprintf(o->sha256, sizeof(o->sha256), "%s", sha ? sha : "");
    return o->path && o->domain ? DRH_OK : err_nomem(e, "outputs");
}

/* What an earlier run made in the other form, compressed or not. */
static void remove_other_form(const struct domain_job *j)
{
    char *path = layout_processed(&j->r->l, j->domain, j->r->l.zst ? ".jsonl" : ".jsonl.zst");

    if (path && !writes_bytes(j->s)) {
        (void)unlink(path);
    }
    mem_free(path);
}

/* Text is made again faster than pieces are written, read and joined; only what a model answered is
 * worth keeping piece by piece. */
static bool is_cheap(const struct segment *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->step[i]->stage->map.start) {
            return false;
        }
    }
    return true;
}

static drh_status write_text(struct domain_job *j, struct manifest_output *out, drh_error *e)
{
    struct outfile *o;
    drh_status      st;

    out->path = j->path;
    if (!is_cheap(j->s)) {
        st = each_piece(j, make_piece, e);
        return st == DRH_OK ? join_text(j, out->sha256, e) : st;
    }
    st = outfile_open(&j->direct, j->path, OUT_DIGEST, e);
    st = st == DRH_OK ? each_piece(j, make_piece, e) : st;
    o = j->direct;
    j->direct = NULL;
    if (st == DRH_OK) {
        return outfile_commit(o, out->sha256, NULL, e);
    }
    outfile_abort(o);
    return st;
}

/* Several files get their names one after the other; what a kill leaves between two names is no set
 * that a manifest has the digests of, so it is made again. */
static drh_status write_bytes(struct domain_job *j, struct manifest_output *out, drh_error *e)
{
    drh_status st = bytes_open(&j->set, j->s->step[j->s->n - 1]->in, j->path, false, e);

    st = st == DRH_OK ? each_piece(j, make_piece, e) : st;
    return st == DRH_OK ? bytes_commit(&j->set, out, e) : st;
}

static drh_status build(struct domain_job *j, drh_error *e)
{
    struct manifest_output out[SINK_MAX_PARTS];
    size_t                 n = 1;
    cJSON                 *more;
    drh_status             st;

    j->counts = mem_alloc(j->n_counts, sizeof(*j->counts));
    j->failed = cJSON_CreateObject();
    if (!j->counts || !j->failed) {
        return err_nomem(e, "counts");
    }
    st = writes_bytes(j->s) ? write_bytes(j, out, e) : write_text(j, out, e);
    if (st != DRH_OK) {
        return st;
    }
    n = writes_bytes(j->s) ? j->set.sink.n_parts : 1;
    if (!j->spent) { /* else it is not done */
        more = job_results(j);
        st = more ? manifest_write(j->manifest, j->basis, out, n, more, e)
                  : err_nomem(e, "a manifest");
    }
    if (st == DRH_OK && !j->spent) {
        remove_pieces(j);
        remove_other_form(j);
    }
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        char hex[65];
        hex_of(out[i].sha256, 32, hex);
        st = add_output(j->r, j->domain, out[i].path, j->records, hex, e);
    }
    return st;
}

static drh_status list_outputs(struct domain_job *j, const cJSON *m, drh_error *e)
{
    double       records = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(m, "records"));
    const cJSON *o;
    drh_status   st = DRH_OK;

    cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(m, "outputs"))
    {
        const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "path"));
        const char *sha = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "sha256"));

        if (st == DRH_OK && path) {
            st = add_output(j->r, j->domain, path, (uint64_t)records, sha, e);
        }
    }
    return st;
}

/* The files are there from an earlier run: only their counts are wanted. */
static drh_status reuse(struct domain_job *j, const cJSON *m, drh_error *e)
{
    const cJSON *c;
    struct task  t = {.name = {j->s->name, j->domain, "", 0}, .skipped = true};
    size_t       i = 0, lead = j->r->pending ? 1 : 0;
    drh_status   st = DRH_OK;

    t.counts = mem_alloc(j->n_counts, sizeof(*t.counts));
    t.chain.step = mem_alloc(j->n_counts, sizeof(*t.chain.step));
    if (!t.counts || !t.chain.step) {
        mem_free(t.counts);
        mem_free(t.chain.step);
        return err_nomem(e, "counts");
    }
    t.chain.n = j->n_counts - 1;
    for (size_t k = 0; k < t.chain.n; k++) {
        t.chain.step[k].id = k < lead ? "cut" : j->s->step[k - lead]->step->id;
    }
    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(m, "counts"))
    {
        if (i < j->n_counts && counts_from_json(&t.counts[i++], c) != DRH_OK) {
            st = err_nomem(e, "counts");
        }
    }
    st = st == DRH_OK ? run_add_total(j->r, j->s->name, &t, e) : st;
    for (i = 0; i < j->r->sets.n && st == DRH_OK; i++) {
        struct dataset *d = &j->r->sets.ds[i];
        const cJSON    *n = cJSON_GetObjectItemCaseSensitive(
               cJSON_GetObjectItemCaseSensitive(m, "failed"), d->name);
        if (strcmp(d->domain, j->domain) == 0 && cJSON_IsNumber(n)) {
            d->failed += (uint64_t)n->valuedouble;
            st = run_judge(j->r, j->s->name, d, e);
        }
    }
    for (i = 0; i < j->n_counts; i++) {
        counts_free(&t.counts[i]);
    }
    mem_free(t.counts);
    mem_free(t.chain.step);
    return st == DRH_OK ? list_outputs(j, m, e) : st;
}

static void job_free(struct domain_job *j)
{
    bytes_close(&j->set);
    for (size_t i = 0; i < j->n_pieces; i++) {
        mem_free(j->piece[i]);
        mem_free(j->piece_manifest[i]);
    }
    for (size_t i = 0; j->counts && i < j->n_counts; i++) {
        counts_free(&j->counts[i]);
    }
    mem_free(j->counts);
    mem_free(j->piece);
    mem_free(j->piece_manifest);
    mem_free(j->manifest);
    mem_free(j->path);
    cJSON_Delete(j->basis);
    cJSON_Delete(j->failed);
}

/* "A" + "_b.bin" and "A_b" + ".bin" are one file. */
static drh_status check_names(const struct domain_job *j, drh_error *e)
{
    const char *const *suffix;
    size_t             n = bytes_suffixes(j->s->step[j->s->n - 1]->stage, &suffix);
    size_t             base = strlen(j->path);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < j->r->n_outputs; k++) {
            const char *other = j->r->output[k].path;
            if (strncmp(other, j->path, base) == 0 && strcmp(other + base, suffix[i]) == 0) {
                return err_set(e, DRH_E_CONFIG,
                               "the domains %s and %s both write %s; rename one of them",
                               j->r->output[k].domain, j->domain, other);
            }
        }
    }
    return DRH_OK;
}

static drh_status output_domain(struct run *r, const struct segment *s, const char *domain,
                                drh_error *e)
{
    struct domain_job   j = {.r = r, .s = s, .domain = domain, .basis = cJSON_CreateObject()};
    struct task_name    name = {"output", domain, "all", 0};
    enum manifest_state state = MANIFEST_NONE;
    cJSON              *m = NULL;
    struct buf          why;
    drh_status          st = DRH_OK;

    buf_init(&why, 4096);
    j.manifest = layout_manifest(&r->l, &name);
    j.path = layout_processed(&r->l, domain,
                              writes_bytes(s) ? ""
                              : r->l.zst      ? ".jsonl.zst"
                                              : ".jsonl");
    if (!j.manifest || !j.path || !cJSON_AddArrayToObject(j.basis, "pieces")) {
        st = err_nomem(e, "outputs");
    }
    st = st == DRH_OK && writes_bytes(s) ? check_names(&j, e) : st;
    st = st == DRH_OK ? each_piece(&j, piece_fingerprint, e) : st;
    st = st == DRH_OK ? manifest_check(j.manifest, j.basis, &m, &state, &why, e) : st;
    st = st == DRH_OK ? task_redo(&name, &r->to, state, &why, e) : st;
    if (st == DRH_OK) {
        st = state == MANIFEST_FITS && !r->o->fresh ? reuse(&j, m, e) : build(&j, e);
    }
    cJSON_Delete(m);
    buf_free(&why);
    job_free(&j);
    return st;
}

static drh_status each_domain(struct run *r, const struct segment *s, drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < r->sets.n; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++) {
            seen = seen || strcmp(r->sets.ds[k].domain, r->sets.ds[i].domain) == 0;
        }
        st = seen ? DRH_OK : output_domain(r, s, r->sets.ds[i].domain, e);
    }
    return st;
}

drh_status run_outputs(struct run *r, struct plan_step **step, size_t n, drh_error *e)
{
    struct segment s = {.name = "convert", .step = step, .n = n};
    drh_status     st = DRH_OK;

    if (writes_bytes(&s) && !is_cheap(&s)) { /* what a model answered is kept part by part */
        s.n = n - 1;
        st = run_segment(r, &s, e);
        s = (struct segment){.name = "bytes", .step = step + n - 1, .n = 1};
    }
    st = st == DRH_OK ? each_domain(r, &s, e) : st;
    r->pending = NULL;
    return st;
}
