/* SPDX-License-Identifier: MIT
 * spec.c - see spec.h. */
#include "spec_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys ---------------------------------------------------------------------------------- */

const cJSON *spec_get(const cJSON *o, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(o, key);
}

const char *spec_text(const cJSON *o, const char *key, const char *otherwise)
{
    const cJSON *v = spec_get(o, key);

    if (v && !cJSON_IsString(v)) {
        die("%s: a text is wanted", key);
    }
    return v ? v->valuestring : otherwise;
}

uint64_t spec_number(const cJSON *o, const char *key, uint64_t otherwise)
{
    const cJSON *v = spec_get(o, key);

    if (v && (!cJSON_IsNumber(v) || v->valuedouble < 0 || v->valuedouble > 9e15)) {
        die("%s: a number from 0 on is wanted", key);
    }
    return v ? (uint64_t)v->valuedouble : otherwise;
}

bool spec_bool(const cJSON *o, const char *key)
{
    const cJSON *v = spec_get(o, key);

    if (v && !cJSON_IsBool(v)) {
        die("%s: true or false is wanted", key);
    }
    return cJSON_IsTrue(v);
}

void spec_keys(const cJSON *o, const char *keys, const char *what)
{
    const cJSON *v;

    if (!cJSON_IsObject(o)) {
        die("%s: an object is wanted", what);
    }
    cJSON_ArrayForEach(v, o)
    {
        char *word = xprintf(" %s ", v->string);

        if (!strstr(keys, word)) {
            die("%s: unknown key \"%s\"; there are:%s", what, v->string, keys);
        }
        free(word);
    }
}

/* ---- accounts ------------------------------------------------------------------------------ */

static char **texts_of(const cJSON *o, const char *key, size_t *n)
{
    const cJSON *list = spec_get(o, key), *v;
    char       **out = NULL;

    *n = 0;
    cJSON_ArrayForEach(v, list)
    {
        if (!cJSON_IsString(v)) {
            die("%s: texts are wanted", key);
        }
        out = xgrow(out, *n + 1, sizeof(*out));
        out[(*n)++] = xdup(v->valuestring);
    }
    return out;
}

static enum hub_kind hub_of(const char *word, const char *what)
{
    if (strcmp(word, "hf") != 0 && strcmp(word, "ms") != 0) {
        die("%s: hub is hf or ms, not %s", what, word);
    }
    return strcmp(word, "hf") == 0 ? HUB_HF : HUB_MS;
}

static void tokens_of(struct world *w, const cJSON *list)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, list)
    {
        struct token *t;

        spec_keys(o, " token hub user can forbid tls_only ", "a token");
        w->tokens = xgrow(w->tokens, w->n_tokens + 1, sizeof(*w->tokens));
        t = &w->tokens[w->n_tokens++];
        memset(t, 0, sizeof(*t));
        t->text = xdup(spec_text(o, "token", ""));
        if (strlen(t->text) < 4) {
            die("a token of fewer than 4 characters");
        }
        t->hub = hub_of(spec_text(o, "hub", "hf"), t->text);
        t->user = xdup(spec_text(o, "user", "someone"));
        t->can = texts_of(o, "can", &t->n_can);
        t->forbid = texts_of(o, "forbid", &t->n_forbid);
        t->tls_only = spec_bool(o, "tls_only");
    }
}

/* ---- repositories -------------------------------------------------------------------------- */

static struct commit *commit_named(const struct repo *r, const char *name)
{
    for (size_t i = 0; i < r->n_commits; i++) {
        if (strcmp(r->commits[i]->name, name) == 0 || strcmp(r->commits[i]->id, name) == 0) {
            return r->commits[i];
        }
    }
    die("%s: there is no commit %s", r->id, name);
}

static void inherit(struct commit *c, const struct commit *from, const cJSON *o)
{
    const cJSON *v;

    for (size_t i = 0; i < from->n; i++) {
        commit_add(c, from->files[i]);
    }
    cJSON_ArrayForEach(v, spec_get(o, "remove"))
    {
        commit_remove(c, v->valuestring ? v->valuestring : "");
    }
}

static void commits_of(const struct reading *in, struct repo *r, const cJSON *repo)
{
    const cJSON   *o, *files = spec_get(repo, "files");
    struct commit *c;

    if (files) {
        c = repo_commit(r, "first", NULL);
        c->title = xdup("initial commit");
        spec_files(in, c, files);
        commit_finish(c);
    }
    cJSON_ArrayForEach(o, spec_get(repo, "commits"))
    {
        const char *from = spec_text(o, "from", NULL), *id = spec_text(o, "id", NULL);
        const char *name = spec_text(o, "name", NULL);

        spec_keys(o, " name id title date from files remove ", r->id);
        if (!name || (id && strlen(id) != 40)) {
            die("%s: a commit needs a name, and its id 40 hex digits", r->id);
        }
        c = repo_commit(r, name, id);
        c->title = xdup(spec_text(o, "title", name));
        c->date = (double)spec_number(o, "date", (uint64_t)c->date);
        if (from) {
            inherit(c, commit_named(r, from), o);
        }
        spec_files(in, c, spec_get(o, "files"));
        commit_finish(c);
    }
    if (!r->n_commits) {
        c = repo_commit(r, "first", NULL);
        c->title = xdup("initial commit");
    }
}

static void refs_of(struct repo *r, const cJSON *repo)
{
    const cJSON *v;

    cJSON_ArrayForEach(v, spec_get(repo, "branches"))
    {
        repo_ref(r, v->string, false, commit_named(r, v->valuestring ? v->valuestring : ""));
    }
    cJSON_ArrayForEach(v, spec_get(repo, "tags"))
    {
        repo_ref(r, v->string, true, commit_named(r, v->valuestring ? v->valuestring : ""));
    }
    if (!spec_get(repo, "branches")) {
        repo_ref(r, r->hub == HUB_HF ? "main" : "master", false, r->commits[r->n_commits - 1]);
    }
}

static char *text_or_null(const cJSON *o, const char *key)
{
    const char *v = spec_text(o, key, NULL);

    return v ? xdup(v) : NULL;
}

static void repo_of(const struct reading *in, const cJSON *o, enum hub_kind hub)
{
    const char  *type = spec_text(o, "type", "datasets"), *id = spec_text(o, "id", "");
    const cJSON *gated = spec_get(o, "gated");
    struct repo *r;

    if (strcmp(type, "datasets") != 0 && strcmp(type, "models") != 0) {
        die("%s: type is datasets or models, not %s", id, type);
    }
    if (world_find(in->w, hub, type, id, NULL)) {
        die("%s %s is there twice", type, id);
    }
    r = world_repo(in->w, hub, type, id);
    r->private = spec_bool(o, "private");
    r->disabled = spec_bool(o, "disabled");
    r->gate = cJSON_IsString(gated) && strcmp(gated->valuestring, "manual") == 0 ? GATE_MANUAL
              : cJSON_IsString(gated) || cJSON_IsTrue(gated)                     ? GATE_AUTO
                                                                                 : GATE_NONE;
    r->license = text_or_null(o, "license");
    r->summary = text_or_null(o, "summary");
    r->was = text_or_null(o, "was");
    commits_of(in, r, o);
    refs_of(r, o);
}

static void repos_of(const struct reading *in, const cJSON *list)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, list)
    {
        const char *hub = spec_text(o, "hub", "hf"), *id = spec_text(o, "id", NULL);

        if (!id) {
            die("a repository without id");
        }
        spec_keys(o,
                  " hub type id private gated disabled license summary was files commits branches "
                  "tags ",
                  id);
        if (strcmp(hub, "both") == 0) {
            repo_of(in, o, HUB_HF);
            repo_of(in, o, HUB_MS);
        } else {
            repo_of(in, o, hub_of(hub, id));
        }
    }
}

static void settings_of(struct settings *s, const cJSON *list)
{
    const cJSON *v;

    cJSON_ArrayForEach(v, list)
    {
        char *value = cJSON_IsNumber(v) ? xprintf("%.0f", v->valuedouble)
                      : cJSON_IsBool(v) ? xdup(cJSON_IsTrue(v) ? "yes" : "no")
                                        : xdup(v->valuestring ? v->valuestring : "");

        if (!settings_put(s, v->string, value)) {
            die("settings: \"%s\" cannot be \"%s\"", v->string, value);
        }
        free(value);
    }
}

/* ---- the whole ----------------------------------------------------------------------------- */

char *read_text(const char *path, size_t *n)
{
    FILE     *f = fopen(path, "rbe");
    struct sb s = {NULL, 0, 0};
    char      piece[8192];
    size_t    got;

    if (!f) {
        die("cannot read %s: %s", path, strerror(errno));
    }
    while ((got = fread(piece, 1, sizeof(piece), f)) > 0) {
        sb_add(&s, piece, got);
    }
    if (ferror(f)) {
        die("cannot read %s", path);
    }
    (void)fclose(f);
    if (n) {
        *n = s.n;
    }
    return sb_take(&s);
}

cJSON *spec_load(const char *path, struct world *w, struct settings *s)
{
    char          *text = read_text(path, NULL);
    const char    *slash = strrchr(path, '/'), *wrong = NULL;
    cJSON         *root = cJSON_ParseWithOpts(text, &wrong, true), *faults;
    struct reading in = {w, slash ? xdupn(path, (size_t)(slash - path + 1)) : xdup(".")};

    if (!root) {
        die("%s is no JSON near: %.60s", path, wrong ? wrong : "");
    }
    spec_keys(root, " repos tokens settings faults comment ", path);
    settings_of(s, spec_get(root, "settings"));
    tokens_of(w, spec_get(root, "tokens"));
    repos_of(&in, spec_get(root, "repos"));
    content_hash_all(w->contents, w->n_contents);
    for (size_t i = 0; i < w->n_files; i++) {
        file_finish(w->files[i]);
    }
    faults = cJSON_DetachItemFromObjectCaseSensitive(root, "faults");
    cJSON_Delete(root);
    free(in.folder);
    free(text);
    return faults;
}
