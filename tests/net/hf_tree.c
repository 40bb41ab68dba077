/* SPDX-License-Identifier: MIT
 * hf_tree.c - listings of the Hugging Face hub: tree, with pages, and paths-info. */
#include "hf.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPANDED_PAGE = 50 };

static void add_name(struct sb *s, const struct row *row)
{
    if (row->file && row->file->shown) {
        sb_printf(s, "\"%s\"", row->file->shown);
    } else {
        sb_jsons(s, row->path);
    }
}

static void add_expanded(struct sb *s, const struct commit *commit, const struct file *f)
{
    char date[32];

    iso_date(commit->date, date);
    sb_printf(s, ",\"lastCommit\":{\"id\":\"%s\",\"title\":", f ? f->revision : commit->id);
    sb_jsons(s, commit->title);
    sb_printf(s, ",\"date\":\"%s\"}", date);
    if (f) {
        sb_puts(s, ",\"securityFileStatus\":{\"status\":\"safe\",\"avScan\":{\"status\":\"safe\"},"
                   "\"pickleImportScan\":null}");
    }
}

static void add_row(struct sb *s, const struct commit *commit, const struct row *row, bool expand)
{
    const struct file *f = row->file;
    char               room[128], id[41];
    const char        *sha = f ? file_listed(f, f->kind == FILE_GIT, room) : NULL;

    sb_printf(s, "{\"type\":\"%s\"", f ? "file" : "directory");
    if (!f) {
        made_id(id, "tree %s %s", commit->id, row->path);
        sb_printf(s, ",\"oid\":\"%s\",\"size\":0", id);
    } else if (f->kind == FILE_GIT) {
        if (sha) {
            sb_puts(s, ",\"oid\":");
            sb_jsons(s, sha);
        }
        sb_printf(s, ",\"size\":%llu", (unsigned long long)f->listed_size);
    } else {
        sb_printf(s, ",\"oid\":\"%s\",\"size\":%llu", f->pointer,
                  (unsigned long long)f->listed_size);
        if (sha) {
            sb_puts(s, ",\"lfs\":{\"oid\":");
            sb_jsons(s, sha);
            sb_printf(s, ",\"size\":%llu,\"pointerSize\":%zu}", (unsigned long long)f->listed_size,
                      f->pointer_size);
        }
        if (f->kind == FILE_XET) {
            sb_printf(s, ",\"xetHash\":\"%s\"", f->xet);
        }
    }
    sb_puts(s, ",\"path\":");
    add_name(s, row);
    if (expand) {
        add_expanded(s, commit, f);
    }
    sb_putc(s, '}');
}

/* ---- pages --------------------------------------------------------------------------------- */

/* base64(base64(JSON) ":" limit).  tree_oid begins with the number of the row to go on with. */
static char *cursor_text(const struct row *last, size_t next, long limit)
{
    struct sb s = {NULL, 0, 0};
    char     *inner, *both, *out, id[41];

    made_id(id, "cursor %s", last->path);
    sb_puts(&s, "{\"file_name\":");
    sb_jsons(&s, last->path);
    sb_printf(&s, ",\"tree_oid\":\"%08zx%.32s\"}", next, id);
    inner = base64_text(s.p, s.n, false);
    both = xprintf("%s:%ld", inner, limit);
    out = base64_text(both, strlen(both), false);
    free(both);
    free(inner);
    sb_free(&s);
    return out;
}

/* The row to go on with; (size_t)-1: no cursor of ours. */
static size_t cursor_row(const char *text)
{
    char       *both = NULL, *inner = NULL, *colon;
    const char *oid = NULL;
    size_t      row = (size_t)-1;

    if (base64_data(text, &both) != (size_t)-1 && (colon = strchr(both, ':'))) {
        *colon = '\0';
        if (base64_data(both, &inner) != (size_t)-1) {
            oid = strstr(inner, "\"tree_oid\":\"");
        }
    }
    if (oid) {
        char number[9] = "";

        (void)snprintf(number, sizeof(number), "%s", oid + 12);
        row = strtoul(number, NULL, 16);
    }
    free(both);
    free(inner);
    return row;
}

static void add_link(struct call *c, const char *cursor, long limit)
{
    static const char *const kept[] = {"expand", "recursive"};
    bool                     own = setting(&c->hub->settings, HF_LINK_ORIGIN) == LINK_OWN;
    char                    *origin = own ? origin_of(c) : xdup("https://huggingface.co");
    struct sb                s = {NULL, 0, 0};

    sb_printf(&s, "<%s%s?", origin, c->q.path);
    for (size_t i = 0; i < COUNT(kept); i++) {
        char *value = param(c->q.query, kept[i]);

        if (value) {
            sb_printf(&s, "%s=", kept[i]);
            sb_quote(&s, value, "");
            sb_putc(&s, '&');
        }
        free(value);
    }
    sb_printf(&s, "limit=%ld&cursor=", limit);
    sb_quote(&s, cursor, "");
    sb_puts(&s, ">; rel=\"next\"");
    reply_set(&c->r, "Link", s.p);
    sb_free(&s);
    free(origin);
}

static bool flag(const struct call *c, const char *name)
{
    char *v = param(c->q.query, name);
    bool  on = v && (strcmp(v, "true") == 0 || strcmp(v, "True") == 0 || strcmp(v, "1") == 0);

    free(v);
    return on;
}

static long page_size(const struct call *c, bool expand)
{
    long most = (long)setting(&c->hub->settings, HF_PAGE);
    long limit;

    most = expand && most > EXPANDED_PAGE ? EXPANDED_PAGE : most;
    limit = param_number(c->q.query, "limit", most);
    return limit < 1 || limit > most ? most : limit;
}

/* Rows [from, to) of the listing, those of subfolders only when `deep`.  Where to go on; 0: no
 * more. */
static size_t add_rows(struct sb *s, const struct commit *commit, size_t from, size_t to,
                       size_t prefix, bool deep, bool expand, long limit)
{
    bool first = true;

    for (; from < to; from++) {
        const struct row *row = &commit->rows[from];

        if (!deep && strchr(row->path + prefix, '/')) {
            continue;
        }
        if (limit-- == 0) {
            return from;
        }
        sb_puts(s, first ? "" : ",");
        first = false;
        add_row(s, commit, row, expand);
    }
    return 0;
}

static bool first_row(struct call *c, size_t *from, size_t to)
{
    char  *cursor = param(c->q.query, "cursor");
    size_t at = cursor ? cursor_row(cursor) : *from;

    free(cursor);
    if (at < *from || at > to) {
        hf_error(c, 400, NULL, "Invalid cursor");
        return false;
    }
    *from = at;
    return true;
}

void hf_tree(struct call *c, const struct commit *commit, const char *folder)
{
    bool      deep = flag(c, "recursive"), expand = flag(c, "expand");
    long      limit = page_size(c, expand);
    size_t    from, to, next;
    struct sb s = {NULL, 0, 0};

    commit_rows(commit, folder, &from, &to);
    if (!*folder && setting(&c->hub->settings, HF_NO_ROOT_TREE)) {
        hf_error(c, 500, NULL, "Internal Server Error");
        return;
    }
    if (from == to && *folder) {
        hf_errorf(c, 404, "EntryNotFound", "%s does not exist on \"%s\"", folder, commit->id);
        return;
    }
    if (!first_row(c, &from, to)) {
        return;
    }
    sb_putc(&s, '[');
    next = add_rows(&s, commit, from, to, *folder ? strlen(folder) + 1 : 0, deep, expand, limit);
    sb_putc(&s, ']');
    if (next) {
        char *cursor = cursor_text(&commit->rows[next - 1], next, limit);

        add_link(c, cursor, limit);
        free(cursor);
    }
    hf_json(c, &s);
}

/* ---- paths-info ---------------------------------------------------------------------------- */

static void add_path(struct sb *s, const struct commit *commit, const char *path, bool expand)
{
    for (size_t i = 0; i < commit->n_rows; i++) {
        if (strcmp(commit->rows[i].path, path) == 0) {
            sb_puts(s, s->n > 1 ? "," : "");
            add_row(s, commit, &commit->rows[i], expand);
            return;
        }
    }
}

static void paths_of_json(struct sb *s, const struct commit *commit, const char *body)
{
    cJSON       *root = cJSON_Parse(body);
    const cJSON *paths = cJSON_GetObjectItemCaseSensitive(root, "paths"), *v;
    bool         expand = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "expand"));

    if (cJSON_IsString(paths)) {
        add_path(s, commit, paths->valuestring, expand);
    }
    if (cJSON_IsArray(paths)) {
        cJSON_ArrayForEach(v, paths)
        {
            add_path(s, commit, v->valuestring ? v->valuestring : "", expand);
        }
    }
    cJSON_Delete(root);
}

static void paths_of_form(struct sb *s, const struct commit *commit, const char *body)
{
    char *expand = param(body, "expand");
    bool  on = expand && (strcmp(expand, "true") == 0 || strcmp(expand, "True") == 0);

    for (const char *p = body; *p;) {
        size_t n = strcspn(p, "&");
        char  *one = xdupn(p, n), *path = param(one, "paths");

        if (path) {
            add_path(s, commit, path, on);
        }
        free(path);
        free(one);
        p += n + (p[n] == '&');
    }
    free(expand);
}

void hf_paths_info(struct call *c, const struct commit *commit)
{
    const char *type = request_field(&c->q, "Content-Type");
    struct sb   s = {NULL, 0, 0};

    sb_putc(&s, '[');
    if (type && strstr(type, "json")) {
        paths_of_json(&s, commit, c->q.body ? c->q.body : "");
    } else {
        paths_of_form(&s, commit, c->q.body ? c->q.body : "");
    }
    sb_putc(&s, ']');
    hf_json(c, &s);
}
