/* SPDX-License-Identifier: MIT
 * ms.c - ModelScope: routes, the envelope of its answers, who may see what. */
#include "ms.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_FROM = 10000 }; /* numeric ids of repositories */

#define JSON "application/json; charset=utf-8"

static void add_request_id(struct sb *s, struct call *c)
{
    sb_printf(s, "\"RequestId\":\"%08llx-0000-4000-8000-%012llx\"", (unsigned long long)c->t,
              (unsigned long long)atomic_fetch_add(&c->hub->next_id, 1));
}

void ms_data(struct call *c, struct sb *data)
{
    struct sb s = {NULL, 0, 0};

    sb_puts(&s, "{\"Code\":200,\"Data\":");
    sb_add(&s, data->p, data->n);
    sb_puts(&s, ",\"Message\":\"success\",");
    add_request_id(&s, c);
    sb_puts(&s, ",\"Success\":true}");
    sb_free(data);
    reply_body(&c->r, 200, JSON, &s);
}

void ms_error(struct call *c, int status, long long code, const char *message)
{
    struct sb s = {NULL, 0, 0};

    sb_printf(&s, "{\"Code\":%lld,\"Message\":", code);
    sb_jsons(&s, message);
    sb_putc(&s, ',');
    add_request_id(&s, c);
    sb_puts(&s, ",\"Success\":false}");
    reply_body(&c->r, status, JSON, &s);
}

struct commit *ms_commit(struct call *c, const struct repo *r)
{
    char          *revision = param(c->q.query, "Revision");
    struct commit *commit = repo_resolve(&c->hub->world, r, revision ? revision : "master");

    free(revision);
    return commit;
}

/* ---- what is there ------------------------------------------------------------------------- */

/* The name that ModelScope's forms have for a licence. */
static const char *license_name(const char *spdx)
{
    static const struct {
        const char *spdx, *name;
    } names[] = {{"apache-2.0", "Apache License 2.0"},
                 {"mit", "MIT License"},
                 {"gpl-2.0", "GPL-2.0"},
                 {"gpl-3.0", "GPL-3.0"},
                 {"lgpl-2.1", "LGPL-2.1"},
                 {"lgpl-3.0", "LGPL-3.0"},
                 {"afl-3.0", "AFL-3.0"},
                 {"ecl-2.0", "ECL-2.0"}};

    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(names[i].spdx, spdx) == 0) {
            return names[i].name;
        }
    }
    return spdx;
}

void ms_info(struct call *c, const struct repo *r)
{
    const char *slash = strchr(r->id, '/');
    size_t      owner = slash ? (size_t)(slash - r->id) : 0;
    bool        model = strcmp(r->type, "models") == 0;
    struct sb   s = {NULL, 0, 0};

    sb_printf(&s, "{\"Id\":%zu,\"%s\":", NUMBER_FROM + r->number, model ? "Path" : "Namespace");
    sb_json(&s, r->id, owner);
    sb_puts(&s, ",\"Name\":");
    sb_jsons(&s, slash ? slash + 1 : r->id);
    sb_puts(&s, ",\"ChineseName\":\"\",\"Description\":");
    sb_jsons(&s, r->summary ? r->summary : "");
    sb_puts(&s, ",\"License\":");
    sb_jsons(&s, r->license ? license_name(r->license) : "");
    sb_printf(&s,
              ",\"Visibility\":%d,\"Type\":%d,\"ApprovalMode\":%d,\"Status\":1,\"Downloads\":42,"
              "\"Likes\":7,\"GmtCreate\":1767225600,\"GmtModified\":1767225600}",
              r->private ? 1 : 5, 1, r->gate == GATE_NONE ? 0 : 1);
    ms_data(c, &s);
}

static void add_revisions(struct call *c, struct sb *s, const struct repo *r, bool tags)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_refs; i++) {
        const struct commit *commit = repo_resolve(&c->hub->world, r, r->refs[i].name);

        if (r->refs[i].tag != tags || !commit) {
            continue;
        }
        sb_puts(s, n++ ? ",{\"Revision\":" : "{\"Revision\":");
        sb_jsons(s, r->refs[i].name);
        sb_printf(s, ",\"CreatedAt\":%.0f,\"IsDefault\":false}", commit->date);
    }
}

void ms_revisions(struct call *c, const struct repo *r)
{
    struct sb s = {NULL, 0, 0};

    sb_puts(&s, "{\"RevisionMap\":{\"Branches\":[");
    add_revisions(c, &s, r, false);
    sb_puts(&s, "],\"Tags\":[");
    add_revisions(c, &s, r, true);
    sb_puts(&s, "]}}");
    ms_data(c, &s);
}

void ms_commits(struct call *c, const struct repo *r)
{
    char          *name = param(c->q.query, "Ref");
    struct commit *commit = repo_resolve(&c->hub->world, r, name && *name ? name : "master");
    long           page = param_number(c->q.query, "PageNumber", 1);
    long           size = param_number(c->q.query, "PageSize", 50), skip = (page - 1) * size;
    struct sb      s = {NULL, 0, 0};
    size_t         i = 0, n = 0;

    free(name);
    while (i < r->n_commits && r->commits[i] != commit) {
        i++;
    }
    sb_puts(&s, "{\"Commit\":[");
    for (i = i < r->n_commits ? i + 1 : 0; i-- > 0 && (long)n < size;) {
        const struct commit *one = r->commits[i];

        if (skip-- > 0) {
            continue;
        }
        sb_printf(&s, "%s{\"Id\":\"%s\",\"ShortId\":\"%.8s\",\"Title\":", n++ ? "," : "", one->id,
                  one->id);
        sb_jsons(&s, one->title);
        sb_printf(&s, ",\"Message\":\"\",\"AuthorName\":\"someone\",\"CommittedDate\":%.0f}",
                  one->date);
    }
    sb_printf(&s, "],\"TotalCount\":%zu}", r->n_commits);
    ms_data(c, &s);
}

/* ---- routes -------------------------------------------------------------------------------- */

static bool may(struct call *c, const struct repo *r, bool file)
{
    int denied = (int)setting(&c->hub->settings, MS_DENIED);

    if (c->bad_token) {
        ms_error(c, 401, 10010103003, "token无效");
    } else if (!r || r->disabled) {
        ms_error(c, 404, 10010205001, "record not found");
    } else if ((r->private || (file && r->gate != GATE_NONE)) && !token_can(c->token, r)) {
        ms_error(c, denied, denied == 403 ? 10010103002 : 10010205001,
                 denied == 403 ? "没有权限访问" : "record not found");
    } else if (token_forbidden(c->token, r)) {
        ms_error(c, 403, 10010103002, "没有权限访问");
    } else {
        return true;
    }
    return false;
}

/* By owner and name, or (datasets) by number.  *at is behind it. */
static struct repo *repo_at(const struct call *c, const char *type, size_t *at)
{
    const struct world *w = &c->hub->world;
    const char         *first = *at < c->q.n_seg ? c->q.seg[*at] : "";
    struct repo        *r = NULL;
    char               *end, *id;
    unsigned long       number = strtoul(first, &end, 10);

    if (*first && !*end && strcmp(type, "datasets") == 0) {
        *at += 1;
        number -= NUMBER_FROM;
        r = number < w->n_repos ? w->repos[number] : NULL;
        return r && r->hub == HUB_MS && strcmp(r->type, type) == 0 ? r : NULL;
    }
    id = xprintf("%s/%s", first, *at + 1 < c->q.n_seg ? c->q.seg[*at + 1] : "");
    r = world_find(w, HUB_MS, type, id, NULL);
    free(id);
    *at += 2;
    return r;
}

static char *rest_from(const struct call *c, size_t i)
{
    struct sb s = {NULL, 0, 0};

    for (; i < c->q.n_seg; i++) {
        sb_puts(&s, c->q.seg[i]);
        sb_puts(&s, i + 1 < c->q.n_seg ? "/" : "");
    }
    while (s.n && s.p[s.n - 1] == '/') {
        s.p[--s.n] = '\0';
    }
    return sb_take(&s);
}

static void download(struct call *c, const struct repo *r)
{
    char *revision = param(c->q.query, "Revision"), *path = param(c->q.query, "FilePath");

    ms_file(c, r, revision && *revision ? revision : "master", path ? path : "");
    free(revision);
    free(path);
}

static void api_repo(struct call *c, const char *type)
{
    size_t       at = 3;
    struct repo *r = repo_at(c, type, &at);
    char        *verb = rest_from(c, at);

    if (!may(c, r, strcmp(verb, "repo") == 0)) {
        free(verb);
        return;
    }
    if (!*verb) {
        ms_info(c, r);
    } else if (strcmp(verb, "repo") == 0) {
        download(c, r);
    } else if (strcmp(verb, "repo/tree") == 0) {
        ms_tree(c, r, true);
    } else if (strcmp(verb, "repo/files") == 0) {
        ms_tree(c, r, false);
    } else if (strcmp(verb, "revisions") == 0) {
        ms_revisions(c, r);
    } else if (strcmp(verb, "commits") == 0) {
        ms_commits(c, r);
    } else if (strcmp(verb, "oss/tree") == 0) {
        ms_oss_tree(c, r);
    } else if (starts_with(verb, "download/")) {
        struct sb s = {NULL, 0, 0};

        sb_puts(&s, "true");
        ms_data(c, &s);
    } else {
        reply_text(&c->r, 404, "text/plain", "404 page not found");
    }
    free(verb);
}

/* [models/|datasets/]OWNER/NAME/resolve/REVISION/PATH */
static void page(struct call *c)
{
    bool         dataset = strcmp(c->q.seg[0], "datasets") == 0;
    size_t       at = dataset || strcmp(c->q.seg[0], "models") == 0;
    struct repo *r = repo_at(c, dataset ? "datasets" : "models", &at);
    char        *path;

    if (at + 2 >= c->q.n_seg || strcmp(c->q.seg[at], "resolve") != 0) {
        reply_text(&c->r, 404, "text/html; charset=utf-8", "<!doctype html>\n<title>404</title>\n");
        return;
    }
    if (may(c, r, true)) {
        path = rest_from(c, at + 2);
        ms_file(c, r, c->q.seg[at + 1], path);
        free(path);
    }
}

static void login(struct call *c)
{
    cJSON              *root = cJSON_Parse(c->q.body ? c->q.body : "");
    const cJSON        *given = cJSON_GetObjectItemCaseSensitive(root, "AccessToken");
    const struct world *w = &c->hub->world;
    const struct token *t = NULL;
    struct sb           s = {NULL, 0, 0};

    for (size_t i = 0; i < w->n_tokens && cJSON_IsString(given); i++) {
        if (w->tokens[i].hub == HUB_MS && strcmp(w->tokens[i].text, given->valuestring) == 0) {
            t = &w->tokens[i];
        }
    }
    cJSON_Delete(root);
    if (!t) {
        ms_error(c, 400, 10010103003, "token无效");
        return;
    }
    reply_setf(&c->r, "Set-Cookie", "m_session_id=%s; Path=/; HttpOnly", t->text);
    sb_puts(&s, "{\"AccessToken\":\"git-");
    sb_printf(&s, "%zu\",\"Username\":", (size_t)(t - w->tokens));
    sb_jsons(&s, t->user);
    sb_puts(&s, ",\"Email\":\"\"}");
    ms_data(c, &s);
}

void ms_route(struct call *c)
{
    bool        api = c->q.n_seg > 2 && strcmp(c->q.seg[0], "api") == 0;
    const char *what = api ? c->q.seg[2] : "";

    if (!limit_take(c, LIMIT_MS, false)) {
        return;
    }
    if (strcmp(what, "datasets") == 0 || strcmp(what, "models") == 0) {
        api_repo(c, what);
    } else if (strcmp(what, "login") == 0) {
        login(c);
    } else if (api) {
        reply_text(&c->r, 404, "text/plain", "404 page not found");
    } else {
        page(c);
    }
}
