/* SPDX-License-Identifier: MIT
 * loader.c - see loader.h.  Opens files and finds stages; resolve.c finds files, probe.c looks at
 * them, tables.c checks and copies what they offer. [main] */
#include "loader.h"

#include "err.h"
#include "field.h"
#include "hash.h"
#include "loader_impl.h"
#include "log.h"
#include "mem.h"
#include "raw_file.h"
#include "record.h"
#include "schema.h"

#include <dlfcn.h>
#include <string.h>

#ifndef DRH_HOST_VERSION
#define DRH_HOST_VERSION "0"
#endif

/* ---- the host as init() sees it: no step, no service, no record ----------------------------- */

static void init_log(const drh_host *h, uint32_t level, const char *msg, size_t len)
{
    (void)h;
    log_line(level, "plugin", msg, len);
}

static int32_t init_cancelled(const drh_host *h)
{
    (void)h;
    return 0;
}

static void init_progress(const drh_host *h, uint64_t done, uint64_t total, const char *what)
{
    (void)h;
    (void)done;
    (void)total;
    (void)what;
}

static void *init_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    return mem_resize(old, size);
}

static drh_field init_field(const drh_host *h, const char *name, size_t len)
{
    (void)h;
    return field_intern(name, len);
}

static const void *init_extension(const drh_host *h, const char *id)
{
    (void)h;
    (void)id;
    return NULL;
}

static drh_status init_digest(const drh_host *h, const drh_str *parts, size_t n, uint8_t out[32])
{
    (void)h;
    return sha256_parts(parts, n, out);
}

static drh_status init_sink(drh_sink *s, uint32_t part, const void *ptr, size_t len)
{
    (void)s;
    (void)part;
    (void)ptr;
    (void)len;
    return DRH_E_UNSUPPORTED;
}

static drh_status init_patch(drh_sink *s, uint32_t part, uint64_t offset, const void *ptr,
                             size_t len)
{
    (void)offset;
    return init_sink(s, part, ptr, len);
}

static drh_status init_list(drh_list *l, const drh_file *file)
{
    (void)l;
    (void)file;
    return DRH_E_UNSUPPORTED;
}

static const drh_host init_host = {
    .struct_size = sizeof(init_host),
    .abi_minor = DRH_ABI_MINOR,
    .name = "drhost",
    .version = DRH_HOST_VERSION,
    .step = "",
    .max_workers = 1,
    .log = init_log,
    .cancelled = init_cancelled,
    .progress = init_progress,
    .alloc = init_alloc,
    .field = init_field,
    .extension = init_extension,
    .digest = init_digest,
    .records = &record_api,
    .values = &value_api,
    .config = &config_api,
    .sink_write = init_sink,
    .list_file = init_list,
    .json_open = json_doc_open,
    .json_close = json_doc_close,
    .sink_patch = init_patch,
    .bytes_open = raw_file_open,
    .bytes_read = raw_file_read,
    .bytes_close = raw_file_close,
};

/* ---- opening a file ------------------------------------------------------------------------ */

static void restore_fpu(const struct fpu *before, const char *path, const char *when)
{
    if (fpu_restore(before)) {
        log_put(DRH_LOG_WARN,
                "%s: %s: changed this process's floating-point mode, put back; link the plugin "
                "without -ffast-math and -Ofast",
                path_tail(path), when);
    }
}

/* What to do about a dlopen that failed. */
static const char *load_remedy(const char *why)
{
    if (strstr(why, "undefined symbol")) {
        return "link the plugin with the library that has it (-Wl,-z,defs shows it when linking)";
    }
    if (strstr(why, "version `")) {
        return "build the plugin on this system or an older one";
    }
    if (strstr(why, "cannot open shared object")) {
        return "install the library that it needs; `ldd` shows which are missing";
    }
    return "`ldd` may tell more";
}

/* dlerror() begins with the path, which the message has already. */
static const char *load_reason(const char *path)
{
    const char *why = dlerror();
    size_t      n = strlen(path);

    if (!why) {
        return "no reason given";
    }
    return strncmp(why, path, n) == 0 && strncmp(why + n, ": ", 2) == 0 ? why + n + 2 : why;
}

static drh_status load_file(const char *path, const drh_entry **entry, drh_error *e)
{
    struct fpu before = fpu_save();
    void      *so = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    restore_fpu(&before, path, "load");
    if (!so) {
        const char *why = load_reason(path);
        (void)err_set(e, DRH_E_UNSUPPORTED, "%.120s; %s", why, load_remedy(why));
        return at_step(e, DRH_E_UNSUPPORTED, path, "load");
    }
    *entry = dlsym(so, "drh_entry_v1");
    if (!*entry) {
        (void)err_set(e, DRH_E_UNSUPPORTED,
                      "it does not export drh_entry_v1; define it as in drh/plugin.h and link with "
                      "sdk/plugin.map");
        return at_step(e, DRH_E_UNSUPPORTED, path, "symbol");
    }
    return DRH_OK;
}

static drh_status run_init(const struct plugin *p, drh_error *e)
{
    struct fpu before = fpu_save();
    drh_error  why = ERR_INIT;
    drh_status st;

    if (!DRH_HAS(drh_entry, p->entry, init) || !p->entry->init) {
        return DRH_OK;
    }
    st = p->entry->init(&init_host, &why);
    restore_fpu(&before, p->path, "init");
    if (st == DRH_OK) {
        return DRH_OK;
    }
    why.message[sizeof(why.message) - 1] = 0;
    if (st < DRH_E_ARG || st > DRH_E_BUDGET) {
        st = err_set(e, DRH_E_INTERNAL,
                     "it returned the unknown status %d; report this to its maker", (int)st);
    } else {
        (void)err_set(e, st, "%.200s; the plugin cannot be used here",
                      why.message[0] ? why.message : "it failed without a reason");
    }
    return at_step(e, st, p->path, "init");
}

static void loaded_free(struct loaded *d)
{
    if (d) {
        tables_free(&d->plugin);
        mem_free(d->plugin.path);
        mem_free(d->notes);
        mem_free(d);
    }
}

static drh_status keep_notes(struct loaded *d, const struct probe *pr, drh_error *e)
{
    d->notes = mem_alloc(pr->n_stages, sizeof(*d->notes));
    if (!d->notes) {
        return err_nomem(e, "a plugin's note");
    }
    memcpy(d->notes, pr->stages, pr->n_stages * sizeof(*d->notes));
    d->n_notes = pr->n_stages;
    return DRH_OK;
}

/* The plugin of an entry that is in memory already: the same file under another name. */
static struct loaded *by_entry(const struct loader *l, const drh_entry *entry)
{
    size_t i;

    for (i = 0; i < l->n_loaded; i++) {
        if (l->loaded[i]->plugin.entry == entry) {
            return l->loaded[i];
        }
    }
    return NULL;
}

static drh_status check_and_init(struct loaded *d, const struct probe *pr, drh_error *e)
{
    drh_status st = tables_take(&d->plugin, pr, e);

    if (st != DRH_OK) {
        return at_step(e, st, d->plugin.path, "check");
    }
    st = keep_notes(d, pr, e);
    return st == DRH_OK ? run_init(&d->plugin, e) : st;
}

static drh_status append(struct loader *l, struct loaded *d, drh_error *e)
{
    struct loaded **grown = mem_resize(l->loaded, (l->n_loaded + 1) * sizeof(struct loaded *));

    if (!grown) {
        return err_nomem(e, "the list of plugins");
    }
    l->loaded = grown;
    grown[l->n_loaded++] = d;
    return DRH_OK;
}

/* Takes `path`, which is real and not loaded yet, over. */
static drh_status open_real(struct loader *l, char *path, const struct plugin **p, drh_error *e)
{
    struct probe  *pr = mem_alloc(1, sizeof(*pr));
    struct loaded *d = mem_alloc(1, sizeof(*d)), *twin = NULL;
    drh_status     st;

    if (!pr || !d) {
        mem_free(path);
        st = err_nomem(e, "a plugin");
        goto out;
    }
    d->plugin.path = path;
    st = probe_file(path, pr, e);
    if (st == DRH_OK) {
        st = load_file(path, &d->plugin.entry, e);
    }
    if (st != DRH_OK) {
        goto out;
    }
    twin = by_entry(l, d->plugin.entry);
    if (twin) {
        *p = &twin->plugin;
        goto out;
    }
    /* The list grows first: after init() nothing may fail any more. */
    st = append(l, d, e);
    if (st != DRH_OK) {
        goto out;
    }
    st = check_and_init(d, pr, e);
    if (st != DRH_OK) {
        l->n_loaded--;
        goto out;
    }
    *p = &d->plugin;
    d = NULL;
out:
    loaded_free(d);
    mem_free(pr);
    return st;
}

drh_status loader_open(struct loader *l, const char *name, const struct plugin **p, drh_error *e)
{
    char      *real;
    size_t     i;
    drh_status st = resolve(l, name, &real, e);

    *p = NULL;
    if (st != DRH_OK) {
        return st;
    }
    for (i = 0; i < l->n_loaded; i++) {
        if (strcmp(l->loaded[i]->plugin.path, real) == 0) {
            mem_free(real);
            *p = &l->loaded[i]->plugin;
            return DRH_OK;
        }
    }
    return open_real(l, real, p, e);
}

/* ---- finding stages ------------------------------------------------------------------------ */

static bool same(uint32_t kind, const char *id, uint32_t kind2, const char *id2)
{
    return (kind == 0 || kind == kind2) && strcmp(id, id2) == 0;
}

static const struct stage *in_plugin(const struct plugin *p, uint32_t kind, const char *id)
{
    size_t i;

    for (i = 0; i < p->n_stages; i++) {
        if (same(kind, id, p->stages[i].desc.kind, p->stages[i].desc.id)) {
            return &p->stages[i];
        }
    }
    return NULL;
}

static const struct stage *in_loaded(const struct loader *l, uint32_t kind, const char *id)
{
    const struct stage *s = NULL;
    size_t              i;

    for (i = 0; i < l->n_loaded && !s; i++) {
        s = in_plugin(&l->loaded[i]->plugin, kind, id);
    }
    return s;
}

static const struct found_plugin *in_found(const struct loader *l, uint32_t kind, const char *id)
{
    size_t i, k;

    for (i = 0; i < l->n_found; i++) {
        for (k = 0; k < l->found[i].n_stages; k++) {
            const struct note_stage *s = &l->found[i].stages[k];
            if (same(kind, id, s->kind, s->id)) {
                return &l->found[i];
            }
        }
    }
    return NULL;
}

/* Ids of this kind that could have been meant. */
static drh_status near_id(const struct loader *l, uint32_t kind, const char *id, const char **best,
                          drh_error *e)
{
    size_t       i, k, n = 0, cap = 1;
    const char **ids;

    for (i = 0; i < l->n_loaded; i++) {
        cap += l->loaded[i]->n_notes;
    }
    for (i = 0; i < l->n_found; i++) {
        cap += l->found[i].n_stages;
    }
    ids = mem_alloc(cap, sizeof(*ids));
    if (!ids) {
        return err_nomem(e, "the list of stages");
    }
    for (i = 0; i < l->n_loaded; i++) {
        for (k = 0; k < l->loaded[i]->n_notes; k++) {
            const struct note_stage *s = &l->loaded[i]->notes[k];
            if (kind == 0 || s->kind == kind) {
                ids[n++] = s->id;
            }
        }
    }
    for (i = 0; i < l->n_found; i++) {
        for (k = 0; k < l->found[i].n_stages; k++) {
            const struct note_stage *s = &l->found[i].stages[k];
            if (kind == 0 || s->kind == kind) {
                ids[n++] = s->id;
            }
        }
    }
    *best = nearest(id, ids, n);
    mem_free((void *)ids);
    return DRH_OK;
}

static drh_status no_stage(const struct loader *l, uint32_t kind, const char *id, drh_error *e)
{
    const char *what = kind ? kind_name(kind) : "stage";
    const char *best = NULL;
    char remedy[120] = "`drhost plugin list` shows what there is, --plugin-path adds a folder";
    drh_status st = near_id(l, kind, id, &best, e);

    if (st != DRH_OK) {
        return st;
    }
    if (best) {
        (void)snprintf(remedy, sizeof(remedy), "did you mean \"%s\"?", best);
    }
    return not_found(l, id, what ? what : "stage", remedy, e);
}

drh_status loader_stage(struct loader *l, uint32_t kind, const char *id, const struct stage **s,
                        drh_error *e)
{
    const struct found_plugin *f;
    const struct plugin       *p;
    drh_status                 st;

    *s = in_loaded(l, kind, id);
    if (*s) {
        return DRH_OK;
    }
    st = folders_scan(l, e);
    if (st != DRH_OK) {
        return st;
    }
    f = in_found(l, kind, id);
    if (!f) {
        return no_stage(l, kind, id, e);
    }
    st = loader_open(l, f->path, &p, e);
    if (st == DRH_OK) {
        *s = in_plugin(p, kind, id);
    }
    if (st == DRH_OK && !*s) {
        st =
            err_set(e, DRH_E_INTERNAL, "%s: check: the file changed while it was loaded; try again",
                    path_tail(f->path));
    }
    return st;
}

/* True when an earlier file of the search order has this stage: that one is used. */
static bool hidden(const struct loader *l, size_t file, const struct note_stage *s)
{
    const struct found_plugin *first;

    if (in_loaded(l, s->kind, s->id)) {
        return true;
    }
    first = in_found(l, s->kind, s->id);
    return first && first < &l->found[file];
}

drh_status loader_each_note(struct loader *l, loader_note_fn fn, void *ctx, drh_error *e)
{
    size_t     i, k;
    drh_status st = folders_scan(l, e);

    for (i = 0; i < l->n_loaded && st == DRH_OK; i++) {
        for (k = 0; k < l->loaded[i]->n_notes && st == DRH_OK; k++) {
            st = fn(ctx, l->loaded[i]->plugin.path, &l->loaded[i]->notes[k]);
        }
    }
    for (i = 0; i < l->n_found && st == DRH_OK; i++) {
        for (k = 0; k < l->found[i].n_stages && st == DRH_OK; k++) {
            if (!hidden(l, i, &l->found[i].stages[k])) {
                st = fn(ctx, l->found[i].path, &l->found[i].stages[k]);
            }
        }
    }
    return st;
}

drh_status loader_files(struct loader *l, const struct found_plugin **files, size_t *n,
                        drh_error *e)
{
    drh_status st = folders_scan(l, e);

    *files = l->found;
    *n = l->n_found;
    return st;
}

size_t loader_folders(const struct loader *l, const char *const **folders)
{
    *folders = (const char *const *)l->folders;
    return l->n_folders;
}

drh_status loader_new(struct loader **l, const char *const *plugin_path, size_t n, drh_error *e)
{
    drh_status st;

    *l = mem_alloc(1, sizeof(**l));
    if (!*l) {
        return err_nomem(e, "the loader");
    }
    st = folders_find(*l, plugin_path, n, e);
    if (st != DRH_OK) {
        loader_free(*l);
        *l = NULL;
    }
    return st;
}

void loader_free(struct loader *l)
{
    size_t i;

    if (!l) {
        return;
    }
    for (i = l->n_loaded; i-- > 0;) {
        const drh_entry *entry = l->loaded[i]->plugin.entry;
        if (DRH_HAS(drh_entry, entry, fini) && entry->fini) {
            entry->fini();
        }
        loaded_free(l->loaded[i]);
    }
    mem_free(l->loaded);
    folders_free(l);
    mem_free(l);
}
