/* SPDX-License-Identifier: MIT
 * readers.c - see readers.h. */
#include "readers.h"

#include "err.h"
#include "hash.h"
#include "head.h"
#include "log.h"
#include "mem.h"
#include "sink.h"

#include <string.h>
#include <sys/stat.h>

/* ---- making them ---- */

static void reader_free(struct reader *r)
{
    if (r) {
        instance_free(r->in);
        cJSON_Delete(r->options);
        mem_free(r->text);
        mem_free(r);
    }
}

void readers_free(struct plan *p)
{
    while (p->readers) {
        struct reader *next = p->readers->next;
        reader_free(p->readers);
        p->readers = next;
    }
    mem_free(p->reader_note);
}

/* At the end of the list: the search order decides between equals. */
static void append(struct plan *p, struct reader *r)
{
    struct reader **at = &p->readers;

    while (*at) {
        at = &(*at)->next;
    }
    *at = r;
}

static drh_status set_options(struct plan *p, struct reader *r, const cJSON *options,
                              const char *at, struct problems *all, drh_error *e)
{
    struct drh_config *config = NULL;
    uint8_t            digest[32];
    drh_status         st;

    if (r->stage->desc.needs && r->stage->desc.needs[0]) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "%s: reader %s asks for the service %s; readers get none", at,
                       r->stage->desc.id, r->stage->desc.needs[0]);
    }
    if (options && !(r->options = cJSON_Duplicate(options, true))) {
        return err_nomem(e, "options");
    }
    st = plan_options(p, r->stage, &r->options, at, all, e);
    st = st == DRH_OK ? config_new(r->options, &config, e) : st;
    if (st == DRH_OK) {
        r->text = mem_dupz(config_text(config));
        st = r->text ? DRH_OK : err_nomem(e, "options");
    }
    config_free(config);
    st = st == DRH_OK ? sha256_file(r->stage->plugin->path, digest, e) : st;
    hex_of(digest, st == DRH_OK ? sizeof(digest) : 0, r->file);
    return st;
}

drh_status readers_add(struct plan *p, const struct reader_decl *d, struct problems *all,
                       struct reader **out, drh_error *e)
{
    struct reader *r = mem_alloc(1, sizeof(*r));
    drh_status     st;

    if (!r) {
        return err_nomem(e, "a reader");
    }
    st = plan_stage(p, DRH_KIND_READER, d->use, &r->stage, e);
    if (st != DRH_OK) {
        err_prefix(e, "%s", d->pointer);
        problems_add(all, "%s", e->message);
    } else {
        st = set_options(p, r, d->options, d->pointer, all, e);
    }
    if (st != DRH_OK) {
        reader_free(r);
        return st;
    }
    append(p, r);
    *out = r;
    return DRH_OK;
}

static drh_status start(struct plan *p, struct reader *r, drh_error *e)
{
    struct drh_config *config;
    drh_status         st;

    if (r->in) {
        return DRH_OK;
    }
    st = config_new(r->options, &config, e);
    return st == DRH_OK
               ? instance_new(&r->in, r->stage, r->stage->desc.id, NULL, config, &p->env, e)
               : st;
}

/* ---- those that nobody named ---- */

/* A stage of the plugin folders, by "FILE:STAGE"; loading goes on when the scan is over. */
struct scan {
    char **use; /* owned texts */
    size_t n;
};

static drh_status on_note(void *ctx, const char *path, const struct note_stage *s)
{
    struct scan *all = ctx;
    char       **more;

    if (s->kind != DRH_KIND_READER) {
        return DRH_OK;
    }
    more = mem_resize(all->use, (all->n + 1) * sizeof(*more));
    if (!more) {
        return DRH_E_NOMEM;
    }
    all->use = more;
    more[all->n] = mem_printf("%s:%s", path, s->id);
    return more[all->n] && ++all->n ? DRH_OK : DRH_E_NOMEM;
}

/* Why one cannot be used is said when a file finds no reader. */
static drh_status try_reader(struct plan *p, const char *use, drh_error *e)
{
    const struct reader_decl d = {.use = (char *)(uintptr_t)use, .pointer = "its options"};
    struct reader           *r = NULL;
    drh_error                why = ERR_INIT;
    drh_status               st = readers_add(p, &d, NULL, &r, &why);

    if (st == DRH_OK) {
        st = start(p, r, &why);
        r->named = st != DRH_OK; /* then it stays where it is, and is not asked */
    }
    if (st == DRH_E_NOMEM) {
        *e = why;
        return st;
    }
    if (st == DRH_OK) {
        return DRH_OK;
    }
    log_put(DRH_LOG_DEBUG, "reader %s is left out: %s", use, why.message);
    p->reader_note = p->reader_note ? p->reader_note : mem_dupz(why.message);
    return p->reader_note ? DRH_OK : err_nomem(e, "readers");
}

/* With the user's options it has had its say already. */
static bool is_given(const struct plan *p, const char *use)
{
    for (const struct reader *r = p->readers; r; r = r->next) {
        const char *path = r->stage->plugin->path;
        size_t      n = strlen(path);

        if (r->given && strncmp(use, path, n) == 0 && use[n] == ':' &&
            strcmp(use + n + 1, r->stage->desc.id) == 0) {
            return true;
        }
    }
    return false;
}

/* The readers of the plugin folders, once. */
static drh_status load_all(struct plan *p, drh_error *e)
{
    struct scan all = {0};
    drh_status  st;

    if (p->readers_loaded) {
        return DRH_OK;
    }
    st = loader_each_note(p->loader, on_note, &all, e);
    if (st == DRH_E_NOMEM && e->message[0] == '\0') {
        st = err_nomem(e, "readers");
    }
    for (size_t i = 0; st == DRH_OK && i < all.n; i++) {
        st = is_given(p, all.use[i]) ? DRH_OK : try_reader(p, all.use[i], e);
    }
    for (size_t i = 0; i < all.n; i++) {
        mem_free(all.use[i]);
    }
    mem_free(all.use);
    p->readers_loaded = st == DRH_OK;
    return st;
}

/* ---- choosing ---- */

struct sniff_call {
    struct reader     *r;
    const struct head *h;
    const char        *name;
    int32_t            score;
};

static void do_sniff(void *arg)
{
    struct sniff_call  *c = arg;
    const struct stage *s = c->r->stage;
    const bool          text = s->desc.flags & DRH_READS_DECOMPRESSED;

    c->score = s->ops.reader.sniff(c->r->in->self, text ? c->h->text : c->h->raw,
                                   text ? c->h->n_text : c->h->n_raw, c->name);
}

/* The highest score above 0 among the given ones, or among all. */
static struct reader *best_of(struct plan *p, const struct head *h, const char *name, bool given)
{
    struct reader *best = NULL, *equal = NULL;
    int32_t        high = 0;

    for (struct reader *r = p->readers; r; r = r->next) {
        struct sniff_call c = {.r = r, .h = h, .name = name};

        if (r->named || (given && !r->given)) {
            continue;
        }
        instance_call(r->in, do_sniff, &c);
        equal = c.score == high && best ? r : equal;
        if (c.score > high) {
            high = c.score;
            best = r;
            equal = NULL;
        }
    }
    if (equal && !best->warned) {
        best->warned = true;
        log_put(
            DRH_LOG_WARN,
            "%s: the readers %s and %s know it equally well; %s (%s) reads it: say which in the "
            "source's \"reader\"",
            name, best->stage->desc.id, equal->stage->desc.id, best->stage->desc.id,
            best->stage->plugin->path);
    }
    return best;
}

static drh_status nobody(const struct plan *p, const char *path, const char *what, drh_error *e)
{
    struct buf b;
    size_t     n = 0;

    buf_init(&b, 4096);
    for (const struct reader *r = p->readers; r; r = r->next) {
        if (!r->named) {
            (void)buf_addf(&b, "%s%s", n++ ? ", " : "", r->stage->desc.id);
        }
    }
    (void)err_set(
        e, DRH_E_CONFIG,
        "%s: %s, and no reader plugin for it is in the plugin folders%s%s%s; put one there, "
        "or name its file (\"reader\" of the source, --plugin of a single step)%s%s",
        path, what, n ? " (there: " : "", n ? b.ptr : "", n ? ")" : "",
        p->reader_note ? "; not usable: " : "", p->reader_note ? p->reader_note : "");
    buf_free(&b);
    return DRH_E_CONFIG;
}

static drh_status start_given(struct plan *p, drh_error *e)
{
    drh_status st = DRH_OK;

    for (struct reader *r = p->readers; st == DRH_OK && r; r = r->next) {
        st = r->given ? start(p, r, e) : DRH_OK;
    }
    return st;
}

/* *out NULL: the host itself. */
static drh_status by_content(struct plan *p, const char *path, const char *name,
                             struct reader **out, drh_error *e)
{
    struct head *h = mem_alloc(1, sizeof(*h));
    const char  *what;
    drh_status   st = h ? head_read(h, path, e) : err_nomem(e, "a file's head");

    st = st == DRH_OK ? start_given(p, e) : st;
    if (st == DRH_OK && !(*out = best_of(p, h, name, true)) && !head_is_json(h)) {
        st = load_all(p, e);
        *out = st == DRH_OK ? best_of(p, h, name, false) : NULL;
        if (st == DRH_OK && !*out && (what = head_foreign(h, name)) != NULL) {
            st = nobody(p, path, what, e);
        }
    }
    mem_free(h);
    return st;
}

/* A pipe can be read only once, so nobody looks at it before. */
static bool is_regular(const char *path)
{
    struct stat sb;

    return stat(path, &sb) == 0 && S_ISREG(sb.st_mode);
}

static drh_status choose(struct plan *p, struct reader *named, const char *path, const char *name,
                         struct reader **out, drh_error *e)
{
    *out = named;
    if (named) {
        return start(p, named, e);
    }
    if (!is_regular(path)) {
        return DRH_OK;
    }
    return by_content(p, path, name, out, e);
}

drh_status readers_choose(struct plan *p, struct reader *named, struct feed_file *file, size_t n,
                          drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        const char *name = file[i].origin.file.ptr;

        st = choose(p, named, file[i].path, name, &file[i].reader, e);
        if (st == DRH_OK && file[i].reader) {
            log_put(DRH_LOG_DEBUG, "%s is read by %s (%s)", name, file[i].reader->stage->desc.id,
                    file[i].reader->stage->plugin->path);
        }
    }
    return st;
}

drh_status readers_check(struct plan *p, const struct reader *named, const struct drh_list *list,
                         drh_error *e)
{
    struct reader *reader;
    drh_status     st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && !named && i < list->n; i++) {
        const struct listed *f = &list->file[i];
        st = f->local && !(f->flags & DRH_FILE_ASIDE)
                 ? choose(p, NULL, f->local, f->name, &reader, e)
                 : DRH_OK;
    }
    return st;
}

/* ---- fingerprints ---- */

static bool add_reader(cJSON *list, const struct reader *r)
{
    cJSON *j = cJSON_CreateObject();

    if (!cJSON_AddItemToArray(list, j)) {
        cJSON_Delete(j);
        return false;
    }
    return cJSON_AddStringToObject(j, "id", r->stage->desc.id) &&
           cJSON_AddStringToObject(j, "version", r->stage->desc.version) &&
           cJSON_AddStringToObject(j, "plugin", r->file) &&
           cJSON_AddStringToObject(j, "options", r->text);
}

/* The files of one reader, as a digest of a bit for each file. */
static bool add_which(cJSON *list, const struct reader *r, const struct feed_file *file, size_t n)
{
    cJSON         *j = cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1);
    struct sha256 *sum = sha256_new();
    uint8_t        digest[32];
    char           hex[65];
    drh_status     st = sum ? DRH_OK : DRH_E_NOMEM;

    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = sha256_add(sum, file[i].reader == r ? "1" : "0", 1);
    }
    st = st == DRH_OK ? sha256_end(sum, digest) : st;
    sha256_free(sum);
    if (st != DRH_OK) {
        return false;
    }
    hex_of(digest, sizeof(digest), hex);
    return cJSON_AddStringToObject(j, "files", hex) != NULL;
}

bool readers_basis(cJSON *basis, const struct plan *p, const struct feed_file *file, size_t n)
{
    cJSON *list = NULL;
    bool   ok = true;

    for (const struct reader *r = p->readers; ok && r; r = r->next) {
        bool used = false;

        for (size_t i = 0; i < n && !used; i++) {
            used = file[i].reader == r;
        }
        if (used) {
            list = list ? list : cJSON_AddArrayToObject(basis, "readers");
            ok = list && add_reader(list, r) && add_which(list, r, file, n);
        }
    }
    return ok;
}
