/* SPDX-License-Identifier: MIT
 * cmd_pull.c - `drhost pull SOURCE:REPO [FILE...]`: one source alone, to a folder. [main]
 *
 * An address is handed to the source whose note names its beginning, so no hub is known here. */
#include "cli.h"
#include "cmd.h"
#include "err.h"
#include "field.h"
#include "json.h"
#include "log.h"
#include "mem.h"
#include "pull.h"

#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
enum { MAX_NAMED = 20, MAX_SHOWN = 300, MAX_TOKEN = 64 << 10 };
#define TOKEN_VARIABLE "DRHOST_PULL_TOKEN"

/* ---- which source ---- */

struct search {
    const char *address;
    char        id[64];
    size_t      len;   /* of the beginning that fits best */
    struct buf  known; /* sources that take addresses */
};

static drh_status on_note(void *ctx, const char *path, const struct note_stage *s)
{
    struct search *x = ctx;

    (void)path;
    if (s->kind != DRH_KIND_SOURCE || s->n_words == 0) {
        return DRH_OK;
    }
    (void)buf_addf(&x->known, "%s%s", x->known.len ? ", " : "", s->id);
    for (uint32_t i = 0; i < s->n_words; i++) {
        size_t n = strlen(s->words[i]);
        if (n > x->len && strncmp(x->address, s->words[i], n) == 0) {
            x->len = n;
            (void)snprintf(x->id, sizeof(x->id), "%s", s->id);
        }
    }
    return DRH_OK;
}

/* "hf-mirror:openai/gsm8k" or an address: the stage and what it gets as "repo". */
static drh_status find_source(struct loader *l, const char *what, char id[64], const char **repo,
                              drh_error *e)
{
    struct search x = {.address = what};
    size_t        n = strspn(what, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    drh_status    st;

    buf_init(&x.known, 4096);
    st = loader_each_note(l, on_note, &x, e);
    if (st == DRH_OK && x.len) {
        memcpy(id, x.id, 64);
        *repo = what;
    } else if (st == DRH_OK && n && n < 64 && what[n] == ':' && strncmp(what + n, "://", 3) != 0) {
        (void)snprintf(id, 64, "%.*s", (int)n, what);
        *repo = what + n + 1;
    } else if (st == DRH_OK) {
        st = err_set(e, DRH_E_CONFIG, "%.150s: from which source? Write SOURCE:REPO%s%s", what,
                     x.known.len ? "; there are " : "", x.known.len ? x.known.ptr : "");
    }
    buf_free(&x.known);
    return st;
}

/* ---- options ---- */

static drh_status set(struct recipe *r, const char *key, const char *value, drh_error *e)
{
    char      *text = mem_printf("%s.%s=%s", r->steps[0].id, key, value);
    drh_status st = text ? recipe_set(r, text, e) : err_nomem(e, "the command line");

    mem_free(text);
    return st;
}

static drh_status set_if(struct recipe *r, const char *key, const char *value, drh_error *e)
{
    return value ? set(r, key, value, e) : DRH_OK;
}

static drh_status set_list(struct recipe *r, const char *key, const char *const *text, size_t n,
                           drh_error *e)
{
    const char *from;
    struct buf  b;
    drh_status  st = DRH_OK;

    if (n == 0) {
        return DRH_OK;
    }
    buf_init(&b, 1 << 20);
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = buf_addc(&b, i ? ',' : '[');
        from = text[i] + (strncmp(text[i], "./", 2) == 0 ? 2 : 0); /* as the shell completes it */
        st = st == DRH_OK ? json_quote(&b, from, strlen(from)) : st;
    }
    st = st == DRH_OK ? buf_addc(&b, ']') : st;
    st = st == DRH_OK
             ? set(r, key, b.ptr, e)
             : err_set(e, DRH_E_CONFIG, "%s: a name is not UTF-8, or there are too many", key);
    buf_free(&b);
    return st;
}

/* The token goes into the environment of this process, which nobody else can read any more than its
 * memory, and out of the command line, which everybody can. */
static drh_status set_token(const struct cli_options *o, struct recipe *r, drh_error *e)
{
    char      *shown, *text;
    size_t     len, from, to;
    drh_status st;

    if (o->token && o->token_file) {
        return err_set(e, DRH_E_CONFIG, "--token and --token-file: give one of them");
    }
    if (o->token) {
        if (setenv(TOKEN_VARIABLE, o->token, 1) != 0) {
            return err_nomem(e, "the command line");
        }
        shown = (char *)(uintptr_t)o->token; /* argv is ours to change */
        memset(shown, 'x', strlen(shown));
        log_put(
            DRH_LOG_INFO,
            "--token: others could see it when this started; --token-file or the hub's variable "
            "is safer");
        return set(r, "token", "env:" TOKEN_VARIABLE, e);
    }
    if (!o->token_file) {
        return DRH_OK;
    }
    st = read_file(o->token_file, MAX_TOKEN, &text, &len, e); /* once: it may be a pipe */
    if (st != DRH_OK) {
        return st;
    }
    from = strlen(text) < len ? len : strspn(text, " \t\r\n"); /* a zero: no text */
    to = from + strcspn(text + from, "\r\n");
    if (to == from || text[to + strspn(text + to, " \t\r\n")]) {
        st = err_set(e, DRH_E_CONFIG, "--token-file: %s must hold one line of text, the token",
                     o->token_file);
    }
    st = st != DRH_OK                           ? st
         : setenv(TOKEN_VARIABLE, text, 1) == 0 ? DRH_OK
                                                : err_nomem(e, "the command line");
    explicit_bzero(text, len);
    mem_free(text);
    st = st == DRH_OK ? set(r, "token", "env:" TOKEN_VARIABLE, e) : st;
    return st;
}

static drh_status set_options(const struct cli_options *o, struct recipe *r, const char *repo,
                              drh_error *e)
{
    drh_status st = set(r, "repo", repo, e);

    st = st == DRH_OK ? set_if(r, "type", o->repo_type, e) : st;
    st = st == DRH_OK ? set_if(r, "revision", o->revision, e) : st;
    st = st == DRH_OK ? set_if(r, "endpoint", o->endpoint, e) : st;
    st = st == DRH_OK ? set_if(r, "subset", o->subset, e) : st;
    st = st == DRH_OK ? set_if(r, "split", o->split, e) : st;
    st = st == DRH_OK ? set_if(r, "domain", o->domain, e) : st;
    st = st == DRH_OK ? set_if(r, "dataset", o->dataset, e) : st;
    if (st == DRH_OK && o->args.n > 1 && (o->include.n || o->exclude.n)) {
        st = err_set(e, DRH_E_CONFIG,
                     "%.100s is the name of a file, which goes with no --include and no --exclude; "
                     "for several globs write the option several times: --include A --include B",
                     o->args.text[1]);
    }
    st = st == DRH_OK ? set_list(r, "files", o->args.text + 1, o->args.n - 1, e) : st;
    if (o->args.n == 1) {
        st = st == DRH_OK ? set_list(r, "include", o->include.text, o->include.n, e) : st;
        st = st == DRH_OK ? set_list(r, "exclude", o->exclude.text, o->exclude.n, e) : st;
    }
    return st == DRH_OK ? set_token(o, r, e) : st;
}

/* ---- where to ---- */

/* The last part of "openai/gsm8k@v1" or "http://host/sums/" as a folder's name. */
static char *name_of_repo(const char *repo)
{
    size_t to = strcspn(repo, "@?#"), from;

    while (to && repo[to - 1] == '/') {
        to--;
    }
    for (from = to; from && !strchr("/:", repo[from - 1]); from--) {
    }
    from += strspn(repo + from, ".");
    return mem_dup(repo + from, to > from ? to - from : 0);
}

/* The folder; NULL without an error while it hangs on what the source will say. */
static drh_status root_of(const struct cli_options *o, const struct recipe *r, const char *repo,
                          char **root, drh_error *e)
{
    const struct step *s = &r->steps[0];
    char              *name = NULL;

    *root = NULL;
    if (o->local_dir) {
        *root = mem_dupz(o->local_dir);
        return *root ? DRH_OK : err_nomem(e, "a path");
    }
    if (!o->dataset) {
        if (!repo) {
            return DRH_OK;
        }
        name = name_of_repo(repo);
        if (!name || !name[0] || name[strspn(name, NAME_CHARACTERS)]) {
            mem_free(name);
            return err_set(e, DRH_E_CONFIG, "give the folder a name: --dataset or --local-dir");
        }
    }
    *root = mem_printf("%s/raw/%s/%s", r->data, s->domain, name ? name : s->dataset);
    mem_free(name);
    return *root ? DRH_OK : err_nomem(e, "a path");
}

/* ---- telling ---- */

static void human(char out[24], uint64_t n)
{
    static const char unit[] = {'B', 'K', 'M', 'G', 'T'};
    double            d = (double)n;
    size_t            u = 0;

    for (; d >= 999.5 && u + 1 < sizeof(unit); u++) {
        d /= 1000;
    }
    if (u == 0) {
        (void)snprintf(out, 24, "%.0f", d);
    } else {
        (void)snprintf(out, 24, d < 99.95 ? "%.1f%c" : "%.0f%c", d, unit[u]);
    }
}

static const char *const state_words[] = {"missing", "there", "brought", "failed"};

static void print_dry_run(const struct pull *l)
{
    bool     unknown = false;
    char     size[24];
    uint64_t n = l->counts.files - l->counts.there - l->counts.failed;

    for (size_t i = 0; i < l->list.n; i++) {
        unknown =
            unknown || (l->list.file[i].state == LISTED && l->list.file[i].size == UINT64_MAX);
    }
    human(size, l->counts.missing);
    (void)printf("[dry-run] Will download %llu files (out of %llu) totalling %s%s.\n",
                 (unsigned long long)n, (unsigned long long)l->counts.files, size,
                 unknown ? " and more, since some sizes are not known" : "");
    for (size_t i = 0; i < l->list.n; i++) {
        const struct listed *f = &l->list.file[i];
        human(size, f->size);
        (void)printf("%8s  %s%s%s\n",
                     f->state == LISTED_THERE ? "-"
                     : f->size == UINT64_MAX  ? "?"
                                              : size,
                     f->name, f->why ? ": " : "", f->why ? f->why : "");
    }
}

/* What people call the kinds of failure of a download. */
static const char *kind_of_failure(drh_status st)
{
    switch (st) {
    case DRH_E_MISSING:
        return "not_found";
    case DRH_E_DATA:
        return "integrity";
    case DRH_E_IO:
        return "disk";
    default:
        return err_name(st);
    }
}

static void json_text(struct buf *b, const char *key, const char *text)
{
    (void)buf_addf(b, ",\"%s\":", key);
    (void)json_quote(b, text, strlen(text));
}

static void print_json(const struct pull *l, drh_status st, const drh_error *e, bool dry)
{
    const struct pull_counts *c = &l->counts;
    struct buf                b;

    buf_init(&b, 256u << 20);
    (void)buf_addf(&b, "{\"ok\":%s", st == DRH_OK ? "true" : "false");
    if (st != DRH_OK) {
        json_text(&b, "error", kind_of_failure(st));
        json_text(&b, "message", e->message);
    }
    if (dry) {
        (void)buf_adds(&b, ",\"dry_run\":true");
    }
    json_text(&b, "path", l->root ? l->root : "");
    json_text(&b, "source", l->name ? l->name : "");
    for (int i = 0; i < ABOUT_KEYS; i++) {
        if (l->about[i] && l->about[i][0]) {
            json_text(&b, about_names[i], l->about[i]);
        }
    }
    (void)buf_addf(&b,
                   ",\"files\":%llu,\"there\":%llu,\"brought\":%llu,\"failed\":%llu,\"bytes\":%llu,"
                   "\"received\":%llu,\"seconds\":%.3f,\"list\":[",
                   (unsigned long long)c->files, (unsigned long long)c->there,
                   (unsigned long long)c->brought, (unsigned long long)c->failed,
                   (unsigned long long)c->bytes, (unsigned long long)c->received, c->seconds);
    for (size_t i = 0; i < l->list.n; i++) {
        const struct listed *f = &l->list.file[i];
        (void)buf_adds(&b, i ? ",{\"path\":" : "{\"path\":");
        (void)json_quote(&b, f->name, strlen(f->name));
        json_text(&b, "state", state_words[f->state]);
        if (f->size != UINT64_MAX) {
            (void)buf_addf(&b, ",\"size\":%llu", (unsigned long long)f->size);
        }
        if (f->state == LISTED_FAILED) {
            json_text(&b, "error", kind_of_failure((drh_status)f->status));
            json_text(&b, "message", f->why ? f->why : "");
        }
        (void)buf_addc(&b, '}');
    }
    (void)buf_adds(&b, "]}\n");
    (void)fwrite(b.ptr ? b.ptr : "", 1, b.len, stdout);
    buf_free(&b);
}

/* Bytes of a name that people get to see; names may have 1024. */
static int shown(const char *name)
{
    size_t n = strlen(name);

    for (n = n <= MAX_SHOWN ? n : MAX_SHOWN; name[n] && (name[n] & 0xC0) == 0x80; n--) {
    }
    return (int)n;
}

static void print_failures(const struct pull *l)
{
    uint64_t n = 0;

    for (size_t i = 0; i < l->list.n; i++) {
        const struct listed *f = &l->list.file[i];
        if (f->state == LISTED_FAILED && f->status != DRH_E_CANCELLED && n++ < MAX_NAMED) {
            const int some = shown(f->name);
            log_put(DRH_LOG_ERROR, "%.*s%s: %s", some, f->name, f->name[some] ? "..." : "",
                    f->why ? f->why : "failed");
        }
    }
    if (n > MAX_NAMED) {
        log_put(DRH_LOG_ERROR, "and %llu more; --json names them all",
                (unsigned long long)(n - MAX_NAMED));
    }
}

/* "7 files verified", or how many nobody can vouch for. */
static void put_verified(const struct pull_counts *c, char *out, size_t cap)
{
    unsigned long long n = c->there + c->brought, none = c->unverified;

    if (none == 0) {
        (void)snprintf(out, cap, "%llu file%s verified", n, n == 1 ? "" : "s");
    } else {
        (void)snprintf(
            out, cap,
            "%llu file%s, of which %llu could not be verified, since the source lists no "
            "digest",
            n, n == 1 ? "" : "s", none);
    }
}

static void print_summary(const struct pull *l)
{
    const struct pull_counts *c = &l->counts;
    const char               *licence = l->about[ABOUT_LICENSE];
    char                      bytes[24], rate[24], verified[120];

    put_verified(c, verified, sizeof(verified));
    if (c->brought == 0) {
        log_put(DRH_LOG_INFO, "%s%s%s: %s, all there already", l->name,
                licence[0] ? ", licence " : "", licence, verified);
        return;
    }
    human(bytes, c->received);
    human(rate, c->seconds > 0 ? (uint64_t)((double)c->received / c->seconds) : 0);
    log_put(DRH_LOG_INFO, "%s%s%s: %s; %llu brought now: %sB in %.1f s, %sB/s", l->name,
            licence[0] ? ", licence " : "", licence, verified, (unsigned long long)c->brought,
            bytes, c->seconds, rate);
}

/* ---- the command ---- */

static int tell(const struct cli_options *o, const struct pull *l, drh_status st,
                const drh_error *e)
{
    print_failures(l);
    if (o->json) {
        print_json(l, st, e, o->dry_run);
    }
    if (st != DRH_OK) {
        (void)fprintf(stderr, "drhost: %s\n", e->message);
        return cli_done(cli_code(st));
    }
    if (o->dry_run) {
        if (!o->json) {
            print_dry_run(l);
        }
        return cli_done(RC_OK);
    }
    print_summary(l);
    if (!o->json) {
        (void)printf("%s\n", l->root);
    }
    return cli_done(RC_OK);
}

static drh_status do_pull(const struct cli_options *o, struct plan *p, const char *repo,
                          struct pull *l, drh_error *e)
{
    struct pull_options po = {.anew = o->force_download,
                              .look = o->dry_run,
                              .max_files = (uint32_t)o->max_workers,
                              .what = "pull"};
    const bool          page = strstr(repo, "://") != NULL;
    char               *root = NULL;
    drh_status          st = root_of(o, p->recipe, page ? NULL : repo, &root, e);

    st = st == DRH_OK ? pull_list(l, p, &p->step[0], root, e) : st;
    (void)unsetenv(TOKEN_VARIABLE);
    if (st == DRH_OK && !root) {
        st = root_of(o, p->recipe, l->about[ABOUT_REPO], &root, e);
    }
    st = st == DRH_OK ? pull_compare(l, root, &po, e) : st;
    if (st == DRH_OK && !o->dry_run) {
        st = pull_run(l, &po, e);
    }
    mem_free(root);
    return st;
}

static drh_status make_plan(const struct cli_options *o, struct loader *l, const char **repo,
                            struct plan **p, drh_error *e)
{
    struct recipe *r = NULL;
    struct step   *s;
    char           id[64];
    drh_status     st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < o->plugin.n; i++) {
        const struct plugin *one;
        st = loader_open(l, o->plugin.text[i], &one, e);
    }
    st = st == DRH_OK ? find_source(l, o->args.text[0], id, repo, e) : st;
    st = st == DRH_OK ? recipe_empty(&r, e) : st;
    st = st == DRH_OK ? recipe_add(r, PHASE_SOURCE, id, &s, e) : st;
    st = st == DRH_OK ? set_options(o, r, *repo, e) : st;
    st = st == DRH_OK ? cli_apply(o, r, e) : st;
    if (st != DRH_OK) {
        recipe_free(r);
        return st;
    }
    return plan_make(p, r, l, cmd_workers(o), NULL, e);
}

int cmd_pull(const struct cli_options *o)
{
    struct loader *l = NULL;
    struct plan   *p = NULL;
    struct pull    pull = {.lock = -1};
    const char    *repo = NULL;
    drh_error      e = ERR_INIT;
    drh_status     st;
    int            rc;

    cmd_loudness(o);
    st = loader_new(&l, o->plugin_path.text, o->plugin_path.n, &e);
    st = st == DRH_OK ? make_plan(o, l, &repo, &p, &e) : st;
    if (st != DRH_OK) {
        rc = cli_fail(o, st == DRH_E_NOMEM ? st : DRH_E_CONFIG, &e);
    } else {
        run_cancel_setup();
        st = do_pull(o, p, repo, &pull, &e);
        rc = tell(o, &pull, st, &e);
    }
    pull_free(&pull);
    plan_free(p);
    loader_free(l);
    field_free_all();
    return rc;
}
