/* SPDX-License-Identifier: MIT
 * pull.c - see pull.h: the order of things; the folder itself is in pull_folder.c. */
#include "pull.h"

#include "clock.h"
#include "err.h"
#include "log.h"
#include "mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PATIENCE_WITH_ANOTHER = 3, /* there is another source to try */
    MAX_ABOUT = 4096
};

char *pull_path(const struct pull *l, const struct listed *f)
{
    return f->local ? mem_dupz(f->local) : mem_printf("%s/%s", l->root, f->name);
}

static void unlock(struct pull *l)
{
    if (l->lock >= 0 && l->p) {
        (void)close(l->lock);
    }
    l->lock = -1;
}

void pull_free(struct pull *l)
{
    list_free(&l->list);
    mem_free(l->name);
    for (int i = 0; i < ABOUT_KEYS; i++) {
        mem_free(l->about[i]);
    }
    mem_free(l->root);
    unlock(l);
    *l = (struct pull){.lock = -1};
}

/* ---- listing ---- */

static drh_status keep_about(struct pull *l, struct plan_step *s, drh_error *e)
{
    drh_source_about a;
    drh_status       st;

    mem_free(l->name);
    st = source_name(s, l->p->recipe->dir, &l->name, e);
    if (st != DRH_OK) {
        return st;
    }
    err_harmless(l->name, strlen(l->name));
    source_about(s, &a);
    const drh_str text[ABOUT_KEYS] = {a.endpoint, a.type,    a.repo, a.revision,
                                      a.commit,   a.license, a.page};
    for (int i = 0; st == DRH_OK && i < ABOUT_KEYS; i++) {
        size_t len = text[i].len < MAX_ABOUT ? text[i].len : MAX_ABOUT;
        mem_free(l->about[i]);
        l->about[i] = mem_dup(text[i].ptr ? text[i].ptr : "", text[i].ptr ? len : 0);
        st = l->about[i] ? DRH_OK : err_nomem(e, "a source");
        if (st == DRH_OK && text[i].ptr) {
            err_harmless(l->about[i], len); /* what a hub says of itself goes to people and files */
        }
    }
    return st;
}

static bool lists(const struct drh_list *l, const char *name)
{
    const size_t n = strlen(name);
    const bool   folder = n && name[n - 1] == '/';

    for (size_t i = 0; i < l->n; i++) {
        if (folder ? strncmp(l->file[i].name, name, n) == 0 : strcmp(l->file[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Whoever names files wants all of them. */
static drh_status check_named(const struct pull *l, const struct plan_step *s, drh_error *e)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(s->options, "files"))
    {
        if (cJSON_IsString(one) && !lists(&l->list, one->valuestring)) {
            return err_set(e, DRH_E_MISSING,
                           "%s has no %.200s; a name is a path from the top, and a folder's ends "
                           "with /",
                           l->name, one->valuestring);
        }
    }
    return DRH_OK;
}

static drh_status list_from(struct pull *l, struct plan_step *s, drh_error *e)
{
    drh_status st = plan_serve(l->p, s, e);

    list_free(&l->list);
    st = st == DRH_OK ? plan_instance(l->p, s, e) : st;
    st = st == DRH_OK ? source_list(s, &l->list, e) : st;
    st = st == DRH_OK ? keep_about(l, s, e) : st;
    st = st == DRH_OK ? check_named(l, s, e) : st;
    l->listed = s;
    return st;
}

static bool away(drh_status st)
{
    return st == DRH_E_NETWORK || st == DRH_E_TIMEOUT;
}

/* Another source may do better. */
static bool elsewhere_helps(drh_status st)
{
    return away(st) || st == DRH_E_AUTH || st == DRH_E_MISSING || st == DRH_E_DATA ||
           st == DRH_E_RANGE;
}

/* The k-th alternative of the source, or NULL. */
static struct plan_step *alternative(const struct pull *l, size_t k)
{
    const size_t of = (size_t)(l->step - l->p->step) + 1;

    for (size_t i = 0; i < l->p->n_steps; i++) {
        if (l->p->step[i].step->alternative_of == of && k-- == 0) {
            return &l->p->step[i];
        }
    }
    return NULL;
}

/* What is here, when an earlier download of the same has verified all of it: a hub that is away for
 * a while must not change data, so this comes before another source. */
static bool use_manifest(struct pull *l, const char *root, const drh_error *why)
{
    drh_error ignored = ERR_INIT;

    list_free(&l->list);
    if (!root || !away(why->code) || manifest_as_list(l, root, &ignored) != DRH_OK) {
        return false;
    }
    log_put(DRH_LOG_WARN, "%s; what an earlier download has verified in %s is used", why->message,
            root);
    l->listed = NULL;
    return true;
}

static void warn_of_revision(const struct pull *l, const struct plan_step *other)
{
    const cJSON *asked = cJSON_GetObjectItemCaseSensitive(l->step->step->options, "revision");

    if (asked && !cJSON_GetObjectItemCaseSensitive(other->step->options, "revision")) {
        log_put(DRH_LOG_WARN,
                "the revision of %s means nothing to %s, and it names none of its own: it is asked "
                "for what is newest there",
                l->step->step->id, other->step->id);
    }
}

drh_status pull_list(struct pull *l, struct plan *p, struct plan_step *step, const char *root,
                     drh_error *e)
{
    struct plan_step *other;
    drh_status        st;
    drh_error         first;

    *l = (struct pull){.p = p, .step = step, .lock = -1};
    st = list_from(l, step, e);
    if (st == DRH_OK) {
        return DRH_OK;
    }
    first = *e;
    first.code = st;
    if (use_manifest(l, root, &first)) {
        return DRH_OK;
    }
    for (size_t k = 0; elsewhere_helps(st) && (other = alternative(l, k)) != NULL; k++) {
        log_put(DRH_LOG_WARN, "%s; trying %s", e->message, other->step->id);
        warn_of_revision(l, other);
        st = list_from(l, other, e);
    }
    if (st == DRH_OK || st == DRH_E_CANCELLED || st == DRH_E_NOMEM) {
        return st;
    }
    if (strcmp(e->message, first.message) != 0) {
        log_put(DRH_LOG_WARN, "%s", e->message);
    }
    *e = first; /* the source that was asked for has the last word */
    return first.code;
}

/* ---- bringing ---- */

static int largest_first(const void *a, const void *b, void *list)
{
    size_t               i = *(const size_t *)a, k = *(const size_t *)b;
    const struct listed *x = (const struct listed *)list + i, *y = (const struct listed *)list + k;

    return x->size != y->size ? (x->size < y->size ? 1 : -1) : (i > k) - (i < k);
}

static drh_status pick(const struct pull *l, struct pull_task *t, drh_error *e)
{
    t->file = mem_alloc(l->list.n + 1, sizeof(*t->file));
    if (!t->file) {
        return err_nomem(e, "a listing");
    }
    for (size_t i = 0; i < l->list.n; i++) {
        if (l->list.file[i].state == LISTED) {
            t->file[t->n++] = i;
        }
    }
    qsort_r(t->file, t->n, sizeof(*t->file), largest_first, l->list.file);
    return DRH_OK;
}

/* ---- from another source ---- */

static int by_digest(const void *a, const void *b)
{
    const struct listed *x = *(const struct listed *const *)a;
    const struct listed *y = *(const struct listed *const *)b;
    int                  c = (x->hash > y->hash) - (x->hash < y->hash);

    return c ? c : memcmp(x->digest, y->digest, 32);
}

static int by_name(const void *key, const void *file)
{
    return strcmp(key, ((const struct listed *)file)->name);
}

/* The same content in another list: by digest, or, when the two hubs list different kinds of
 * digests, by name and size; what comes is verified by our own digest either way. */
static const struct listed *same_content(const struct listed *f, const struct drh_list *other,
                                         const struct listed **index)
{
    const struct listed  *found;
    const struct listed **hit =
        f->hash == DRH_HASH_NONE ? NULL : bsearch(&f, index, other->n, sizeof(*index), by_digest);

    if (hit) {
        return *hit;
    }
    found = bsearch(f->name, other->file, other->n, sizeof(*other->file), by_name);
    return found && found->hash != f->hash && f->hash != DRH_HASH_NONE && found->size == f->size &&
                   found->state != LISTED_FAILED
               ? found
               : NULL;
}

/* Which of the failed files another list has, too. */
static drh_status match(struct pull *l, const struct drh_list *other, struct pull_task *t,
                        drh_error *e)
{
    const struct listed **index = mem_alloc(other->n + 1, sizeof(*index));

    t->file = mem_alloc(l->list.n + 1, sizeof(*t->file));
    t->as = mem_alloc(l->list.n + 1, sizeof(*t->as));
    if (!index || !t->file || !t->as) {
        mem_free(index);
        return err_nomem(e, "a listing");
    }
    for (size_t i = 0; i < other->n; i++) {
        index[i] = &other->file[i];
    }
    qsort(index, other->n, sizeof(*index), by_digest);
    for (size_t i = 0; i < l->list.n; i++) {
        struct listed *f = &l->list.file[i];
        if (f->state == LISTED_FAILED && elsewhere_helps((drh_status)f->status)) {
            t->as[t->n] = same_content(f, other, index);
            t->file[t->n] = i;
            t->n += t->as[t->n] != NULL;
        }
    }
    mem_free(index);
    return DRH_OK;
}

static drh_status finish_from(struct pull *l, struct plan_step *s, const struct pull_options *o,
                              drh_error *e)
{
    struct drh_list  other = {0};
    struct pull_task t = {.l = l, .from = s, .o = o};
    drh_status       st = plan_serve(l->p, s, e);

    st = st == DRH_OK ? plan_instance(l->p, s, e) : st;
    st = st == DRH_OK ? source_list(s, &other, e) : st;
    st = st == DRH_OK ? match(l, &other, &t, e) : st;
    if (st == DRH_OK && t.n > 0 && s->stage->ops.source.request) {
        log_put(DRH_LOG_INFO, "%zu file%s of %s: on from %s", t.n, t.n == 1 ? "" : "s",
                l->step->step->id, s->step->id);
        st = pull_job(&t, e);
    }
    mem_free(t.file);
    mem_free(t.as);
    list_free(&other);
    return st;
}

static drh_status fall_over(struct pull *l, const struct pull_options *o, drh_error *e)
{
    struct plan_step *other;
    drh_status        st = DRH_OK;

    for (size_t k = 0; st == DRH_OK && (other = alternative(l, k)) != NULL; k++) {
        pull_count(l);
        if (l->counts.failed == 0 || other == l->listed) {
            continue;
        }
        st = finish_from(l, other, o, e);
        if (st != DRH_OK && st != DRH_E_CANCELLED && st != DRH_E_NOMEM) {
            log_put(DRH_LOG_WARN, "%s cannot help: %s", other->step->id, e->message);
            st = DRH_OK;
        }
    }
    return st;
}

/* ---- the whole ---- */

/* One status for all that failed: what can be tried again counts least. */
static drh_status outcome(const struct pull *l, drh_error *e)
{
    const struct listed *worst = NULL;

    for (size_t i = 0; i < l->list.n; i++) {
        const struct listed *f = &l->list.file[i];
        if (f->state == LISTED_FAILED &&
            (!worst || (away((drh_status)worst->status) && !away((drh_status)f->status)))) {
            worst = f;
        }
    }
    if (!worst) {
        return DRH_OK;
    }
    return err_set(e, (drh_status)worst->status,
                   "%llu of %llu files could not be brought: %.100s: %s",
                   (unsigned long long)l->counts.failed, (unsigned long long)l->counts.files,
                   worst->name, worst->why ? worst->why : "out of memory");
}

static drh_status bring_listed(struct pull *l, struct pull_task *t, drh_error *e)
{
    const drh_source_ops *ops = &l->listed->stage->ops.source;

    if (ops->request) {
        return pull_job(t, e);
    }
    return ops->fetch ? pull_fetch(t, e)
                      : err_set(e, DRH_E_UNSUPPORTED, "source %s lists files without bringing them",
                                l->listed->step->id);
}

/* Listed by the manifest: nobody but another source can bring what is missing. */
static void fail_missing(struct pull *l, const struct pull_task *t)
{
    for (size_t i = 0; i < t->n; i++) {
        (void)listed_fail(&l->list.file[t->file[i]], DRH_E_NETWORK,
                          "changed or missing here, and the source cannot be reached");
    }
}

static drh_status bring(struct pull *l, const struct pull_options *o, struct pull_task *t,
                        drh_error *e)
{
    drh_status st = pull_check_room(l, e);

    if (st == DRH_OK && l->listed) {
        st = bring_listed(l, t, e);
    } else if (st == DRH_OK) {
        fail_missing(l, t);
    }
    return st == DRH_OK ? fall_over(l, o, e) : st;
}

drh_status pull_run(struct pull *l, const struct pull_options *o, drh_error *e)
{
    struct pull_task t = {.l = l,
                          .from = l->listed,
                          .o = o,
                          .patience = alternative(l, 0) ? PATIENCE_WITH_ANOTHER : 0};
    double           start = clock_now();
    drh_error        ignored = ERR_INIT;
    drh_status       st = pick(l, &t, e);

    st = st == DRH_OK && t.n > 0 ? bring(l, o, &t, e) : st;
    mem_free(t.file);
    pull_count(l);
    l->counts.seconds = clock_now() - start;
    if (l->counts.brought || (st == DRH_OK && l->listed)) {
        bool complete = st == DRH_OK && l->counts.there + l->counts.brought == l->counts.files;
        drh_status noted = manifest_finish(l, complete, st == DRH_OK ? e : &ignored);
        st = st == DRH_OK ? noted : st;
    }
    unlock(l); /* others may have the folder while ours is being read */
    return st == DRH_OK ? outcome(l, e) : st;
}
