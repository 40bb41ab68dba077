/* SPDX-License-Identifier: MIT
 * hf.c - the Hugging Face hub: routes, and who may see what. */
#include "hf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_api(const struct call *c)
{
    return c->q.n_seg && strcmp(c->q.seg[0], "api") == 0 &&
           !(c->q.n_seg > 1 && strcmp(c->q.seg[1], "resolve-cache") == 0);
}

void hf_error(struct call *c, int status, const char *code, const char *message)
{
    struct sb s = {NULL, 0, 0};

    if (code) {
        reply_set(&c->r, "X-Error-Code", code);
        reply_set(&c->r, "X-Error-Message", message);
    }
    if (status == 401) {
        reply_set(&c->r, "WWW-Authenticate",
                  "Bearer realm=\"Authentication required\", charset=\"UTF-8\"");
    }
    if (!is_api(c)) {
        reply_text(&c->r, status, "text/plain; charset=utf-8", message);
        return;
    }
    sb_puts(&s, "{\"error\":");
    sb_jsons(&s, message);
    sb_putc(&s, '}');
    reply_body(&c->r, status, "application/json; charset=utf-8", &s);
}

void hf_errorf(struct call *c, int status, const char *code, const char *fmt, ...)
{
    struct sb s = {NULL, 0, 0};
    va_list   ap;

    va_start(ap, fmt);
    sb_vprintf(&s, fmt, ap);
    va_end(ap);
    hf_error(c, status, code, sb_text(&s));
    sb_free(&s);
}

/* ---- who may what -------------------------------------------------------------------------- */

static void not_there(struct call *c)
{
    if (c->token) {
        hf_error(c, 404, "RepoNotFound", "Repository not found");
    } else {
        hf_error(c, 401, NULL, "Invalid username or password.");
    }
}

static void moved(struct call *c, const struct repo *r)
{
    const char *at = strstr(c->q.target, r->was);
    char       *to =
        at ? xprintf("%.*s%s%s", (int)(at - c->q.target), c->q.target, r->id, at + strlen(r->was))
                 : xprintf("/%s", r->id);

    reply_textf(&c->r, 307, "text/plain; charset=utf-8", "Temporary Redirect. Redirecting to %s",
                to);
    reply_set(&c->r, "Location", to);
    free(to);
}

static bool gate_open(struct call *c, const struct repo *r)
{
    const char *what = strcmp(r->type, "models") == 0 ? "model" : "dataset";
    const char *prefix = strcmp(r->type, "models") == 0 ? "" : "datasets/";

    if (r->gate == GATE_NONE || token_can(c->token, r)) {
        return true;
    }
    if (c->token) {
        hf_errorf(c, 403, "GatedRepo",
                  "Access to %s %s is restricted and you are not in the authorized list. Visit "
                  "https://huggingface.co/%s%s to ask for access.",
                  what, r->id, prefix, r->id);
    } else {
        hf_errorf(c, 401, "GatedRepo",
                  "Access to %s %s is restricted. You must have access to it and be authenticated "
                  "to access it. Please log in.",
                  what, r->id);
    }
    return false;
}

/* true: go on. */
static bool may(struct call *c, const struct repo *r, bool was, bool file)
{
    if (c->bad_token) {
        hf_error(c, 401, NULL, "Invalid credentials in Authorization header");
    } else if (!r || (r->private && !token_can(c->token, r))) {
        not_there(c);
    } else if (was) {
        moved(c, r);
    } else if (r->disabled) {
        reply_set(&c->r, "X-Error-Message", "Access to this resource is disabled.");
        hf_error(c, 403, NULL, "Access to this resource is disabled.");
    } else if (token_forbidden(c->token, r)) {
        hf_error(c, 403, NULL, "The fine-grained token does not allow access to this repository.");
    } else {
        return !file || gate_open(c, r);
    }
    return false;
}

struct commit *hf_commit(struct call *c, const struct repo *r, const char *revision)
{
    struct commit *commit = repo_resolve(&c->hub->world, r, revision);

    if (!commit) {
        hf_errorf(c, 404, "RevisionNotFound", "Invalid rev id: %s", revision);
        return NULL;
    }
    if (setting(&c->hub->settings, HF_COMMIT_HEADER)) {
        reply_set(&c->r, "X-Repo-Commit", commit->id);
    }
    return commit;
}

/* ---- routes -------------------------------------------------------------------------------- */

char *hf_path(const struct call *c, size_t i)
{
    struct sb s = {NULL, 0, 0};
    size_t    n = c->q.n_seg;

    while (n > i && !*c->q.seg[n - 1]) {
        n--;
    }
    for (; i < n; i++) {
        sb_puts(&s, c->q.seg[i]);
        sb_puts(&s, i + 1 < n ? "/" : "");
    }
    return sb_take(&s);
}

static bool is_verb(const char *s)
{
    static const char *const verbs[] = {"revision", "tree",           "paths-info",
                                        "refs",     "commits",        "auth-check",
                                        "resolve",  "xet-read-token", "blob"};

    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (strcmp(verbs[i], s) == 0) {
            return true;
        }
    }
    return false;
}

/* The repository that segments from `i` on name, by two or (the old ones) one; *used of them. */
static struct repo *repo_at(const struct call *c, const char *type, size_t i, size_t *used,
                            bool *was)
{
    struct repo *r = NULL;
    bool         two = i + 1 < c->q.n_seg && *c->q.seg[i + 1];

    *used = two && !is_verb(c->q.seg[i + 1]) ? 2 : 1;
    *was = false;
    if (two) {
        char *id = xprintf("%s/%s", c->q.seg[i], c->q.seg[i + 1]);

        r = world_find(&c->hub->world, HUB_HF, type, id, was);
        free(id);
    }
    if (r) {
        *used = 2;
    } else if (i < c->q.n_seg) {
        r = world_find(&c->hub->world, HUB_HF, type, c->q.seg[i], was);
        *used = r ? 1 : *used;
    }
    return r;
}

/* "refs/pr/1" may come with its slashes as they are. */
static char *revision_at(const struct call *c, size_t *i)
{
    char *three;

    if (*i + 2 < c->q.n_seg && strcmp(c->q.seg[*i], "refs") == 0) {
        three = xprintf("refs/%s/%s", c->q.seg[*i + 1], c->q.seg[*i + 2]);
        *i += 3;
        return three;
    }
    *i += 1;
    return xdup(*i <= c->q.n_seg ? c->q.seg[*i - 1] : "");
}

static bool wants(struct call *c, const char *method)
{
    if (strcmp(c->q.method, method) == 0 || (c->q.head && strcmp(method, "GET") == 0)) {
        return true;
    }
    hf_error(c, 405, NULL, "Method not allowed");
    return false;
}

/* /api/TYPE/ID/VERB/REVISION... with the commit known. */
static void api_verb(struct call *c, const struct repo *r, const char *verb,
                     const struct commit *commit, size_t i)
{
    if (strcmp(verb, "revision") == 0) {
        hf_info(c, r, commit);
    } else if (strcmp(verb, "tree") == 0) {
        char *folder = hf_path(c, i);

        hf_tree(c, commit, folder);
        free(folder);
    } else if (strcmp(verb, "paths-info") == 0) {
        hf_paths_info(c, commit);
    } else if (strcmp(verb, "commits") == 0) {
        hf_commits(c, r, commit);
    } else if (strcmp(verb, "xet-read-token") == 0) {
        hf_xet_token(c, commit);
    } else {
        hf_error(c, 404, NULL, "Sorry, we can't find the page you are looking for.");
    }
}

/* FastAPI's way with a missing last slash, as the olah mirror has it. */
static bool slash_missing(struct call *c, const char *verb, size_t i)
{
    char *origin;

    if (!setting(&c->hub->settings, HF_TREE_SLASH) || strcmp(verb, "tree") != 0 ||
        i != c->q.n_seg) {
        return false;
    }
    origin = origin_of(c);
    reply_text(&c->r, 307, "text/plain", "");
    reply_setf(&c->r, "Location", "%s%s/%s%s", origin, c->q.path, *c->q.query ? "?" : "",
               c->q.query);
    free(origin);
    return true;
}

static void api_repo(struct call *c, const char *type)
{
    size_t         used, i;
    bool           was;
    struct repo   *r = repo_at(c, type, 2, &used, &was);
    const char    *verb = 2 + used < c->q.n_seg ? c->q.seg[2 + used] : "";
    bool           check = strcmp(verb, "auth-check") == 0;
    struct commit *commit;
    char          *revision;

    if (!may(c, r, was, check) || !wants(c, strcmp(verb, "paths-info") == 0 ? "POST" : "GET")) {
        return;
    }
    i = 2 + used + 1;
    if (check) {
        reply_text(&c->r, 200, "text/plain; charset=utf-8", "OK");
    } else if (strcmp(verb, "refs") == 0) {
        hf_refs(c, r);
    } else {
        revision = *verb ? revision_at(c, &i) : xdup("main");
        commit = hf_commit(c, r, revision);
        if (commit && !*verb) {
            hf_info(c, r, commit);
        } else if (commit && !slash_missing(c, verb, i)) {
            api_verb(c, r, verb, commit, i);
        }
        free(revision);
    }
}

static bool is_type(const char *s)
{
    return strcmp(s, "datasets") == 0 || strcmp(s, "models") == 0;
}

static void resolve_cache(struct call *c)
{
    size_t         used, i;
    bool           was;
    const char    *type = c->q.n_seg > 2 ? c->q.seg[2] : "";
    struct repo   *r = repo_at(c, type, 3, &used, &was);
    struct commit *commit;
    char          *path;

    (void)limit_take(c, LIMIT_RESOLVERS, true);
    if (!may(c, r, was, true) || !wants(c, "GET")) {
        return;
    }
    i = 3 + used + 1;
    commit = hf_commit(c, r, i <= c->q.n_seg ? c->q.seg[i - 1] : "");
    path = hf_path(c, i);
    if (commit) {
        hf_resolve_cache(c, commit, path);
    }
    free(path);
}

static void api(struct call *c)
{
    const char *what = c->q.n_seg > 1 ? c->q.seg[1] : "";

    if (strcmp(what, "resolve-cache") == 0) {
        resolve_cache(c);
    } else if (!limit_take(c, LIMIT_API, false)) {
        return;
    } else if (strcmp(what, "whoami-v2") == 0) {
        hf_whoami(c);
    } else if (is_type(what) && c->q.n_seg > 2) {
        api_repo(c, what);
    } else {
        hf_error(c, 404, NULL, "Sorry, we can't find the page you are looking for.");
    }
}

/* [datasets/]ID/resolve/REVISION/PATH */
static void page(struct call *c)
{
    bool           dataset = strcmp(c->q.seg[0], "datasets") == 0, was, file;
    size_t         at = dataset, used, i;
    struct repo   *r = repo_at(c, dataset ? "datasets" : "models", at, &used, &was);
    const char    *verb = at + used < c->q.n_seg ? c->q.seg[at + used] : "";
    struct commit *commit;
    char          *revision, *path;

    file = strcmp(verb, "resolve") == 0;
    if (!limit_take(c, file ? LIMIT_RESOLVERS : LIMIT_PAGES, false) || !may(c, r, was, file) ||
        !wants(c, "GET")) {
        return;
    }
    if (!file) {
        reply_textf(&c->r, 200, "text/html; charset=utf-8",
                    "<!doctype html>\n<html><head><title>%s</title></head></html>\n", r->id);
        return;
    }
    i = at + used + 1;
    revision = revision_at(c, &i);
    commit = hf_commit(c, r, revision);
    path = hf_path(c, i);
    if (commit) {
        hf_resolve(c, r, commit, path);
    }
    free(path);
    free(revision);
}

/* A referer from elsewhere, or nobody who says what it is: hf-mirror.com shows them the door. */
static bool shown_out(struct call *c)
{
    const char *referer = request_field(&c->q, "Referer"), *agent;
    char       *own;
    bool        foreign;

    if (setting(&c->hub->settings, HF_AWAY)) {
        reply_text(&c->r, 308, "text/plain", "");
        reply_setf(&c->r, "Location", "https://huggingface.co%s", c->q.target);
        return true;
    }
    if (!setting(&c->hub->settings, HF_REFERER)) {
        return false;
    }
    agent = request_field(&c->q, "User-Agent");
    own = origin_of(c);
    foreign = referer && strstr(c->q.path, "/resolve/") && !starts_with(referer, own);
    free(own);
    if (foreign || !agent || !*agent) {
        reply_text(&c->r, 403, "text/plain", "invalid request");
        return true;
    }
    return false;
}

void hf_route(struct call *c)
{
    const char *first = c->q.n_seg ? c->q.seg[0] : "";

    reply_setf(&c->r, "X-Request-Id", "Root=1-%08llx-%024llx", (unsigned long long)c->t,
               (unsigned long long)atomic_fetch_add(&c->hub->next_id, 1));
    if (shown_out(c)) {
        return;
    }
    if (strcmp(first, "api") == 0) {
        api(c);
    } else if (strcmp(first, "parquet") == 0 || strcmp(first, "is-valid") == 0 ||
               strcmp(first, "splits") == 0 || strcmp(first, "size") == 0) {
        if (limit_take(c, LIMIT_API, false)) {
            hf_viewer(c);
        }
    } else {
        page(c);
    }
    if (setting(&c->hub->settings, HF_BARE)) {
        reply_unset(&c->r, "RateLimit");
        reply_unset(&c->r, "RateLimit-Policy");
        reply_unset(&c->r, "X-Request-Id");
    }
}
