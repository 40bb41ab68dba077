/* SPDX-License-Identifier: MIT
 * hf_info.c - what the Hugging Face hub says of repositories and accounts. */
#include "hf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPRESS_FROM = 1024 };

void hf_json(struct call *c, struct sb *body)
{
    reply_body(&c->r, 200, "application/json; charset=utf-8", body);
    reply_setf(&c->r, "ETag", "W/\"%llx\"", (unsigned long long)c->r.n);
    if (c->r.n >= COMPRESS_FROM && setting(&c->hub->settings, HF_GZIP) &&
        request_accepts_gzip(&c->q) && reply_gzip(&c->r)) {
        c->r.no_length = true;
    }
}

/* ---- repositories -------------------------------------------------------------------------- */

static void add_sibling(struct sb *s, const struct file *f, bool blobs)
{
    char        room[128];
    const char *sha = file_listed(f, f->kind == FILE_GIT, room);

    sb_puts(s, "{\"rfilename\":");
    if (f->shown) {
        sb_printf(s, "\"%s\"", f->shown);
    } else {
        sb_jsons(s, f->path);
    }
    if (blobs) {
        sb_printf(s, ",\"size\":%llu", (unsigned long long)f->listed_size);
        if (f->kind == FILE_GIT && sha) {
            sb_puts(s, ",\"blobId\":");
            sb_jsons(s, sha);
        } else if (f->kind != FILE_GIT) {
            sb_printf(s, ",\"blobId\":\"%s\"", f->pointer);
        }
        if (f->kind != FILE_GIT && sha) {
            sb_puts(s, ",\"lfs\":{\"sha256\":");
            sb_jsons(s, sha);
            sb_printf(s, ",\"size\":%llu,\"pointerSize\":%zu}", (unsigned long long)f->listed_size,
                      f->pointer_size);
        }
    }
    sb_putc(s, '}');
}

static void add_siblings(struct sb *s, const struct commit *commit, bool blobs)
{
    sb_puts(s, ",\"siblings\":[");
    for (size_t i = 0, n = 0; i < commit->n_rows; i++) {
        if (commit->rows[i].file) {
            sb_puts(s, n++ ? "," : "");
            add_sibling(s, commit->rows[i].file, blobs);
        }
    }
    sb_putc(s, ']');
}

static void add_tags(struct sb *s, const struct repo *r)
{
    char *tag = xprintf("license:%s", r->license ? r->license : "");

    sb_puts(s, ",\"tags\":[");
    if (r->license) {
        sb_jsons(s, tag);
        sb_putc(s, ',');
    }
    sb_puts(s, "\"region:us\"],\"cardData\":{");
    if (r->license) {
        sb_puts(s, "\"license\":");
        sb_jsons(s, r->license);
    }
    sb_puts(s, "}");
    free(tag);
}

static void add_text(struct sb *s, const char *key, const char *value)
{
    sb_printf(s, ",\"%s\":", key);
    sb_jsons(s, value);
}

void hf_info(struct call *c, const struct repo *r, const struct commit *commit)
{
    static const char *const gates[] = {"false", "\"auto\"", "\"manual\""};
    char                    *v = param(c->q.query, "blobs"), id[41], date[32];
    bool                     blobs = v && (strcmp(v, "true") == 0 || strcmp(v, "True") == 0);
    const char              *slash = strchr(r->id, '/');
    char                    *author = slash ? xdupn(r->id, (size_t)(slash - r->id)) : xdup("");
    struct sb                s = {NULL, 0, 0};
    unsigned long long       used = 0;

    for (size_t i = 0; i < commit->n; i++) {
        used += commit->files[i]->listed_size;
    }
    made_id(id, "_id %s %s", r->type, r->id);
    iso_date(commit->date, date);
    sb_printf(&s, "{\"_id\":\"%.24s\"", id);
    add_text(&s, "id", r->id);
    if (strcmp(r->type, "models") == 0) {
        add_text(&s, "modelId", r->id);
    }
    if (*author) {
        add_text(&s, "author", author);
    }
    add_text(&s, "sha", commit->id);
    add_text(&s, "lastModified", date);
    sb_printf(&s, ",\"private\":%s,\"gated\":%s,\"disabled\":%s", r->private ? "true" : "false",
              gates[r->gate], r->disabled ? "true" : "false");
    add_text(&s, "description", r->summary ? r->summary : "");
    sb_puts(&s, ",\"downloads\":42,\"likes\":7");
    add_tags(&s, r);
    add_text(&s, "createdAt", "2026-01-01T00:00:00.000Z");
    add_siblings(&s, commit, blobs);
    sb_printf(&s, ",\"usedStorage\":%llu}", used);
    free(author);
    free(v);
    hf_json(c, &s);
}

/* ---- names and history --------------------------------------------------------------------- */

static void add_refs(struct call *c, struct sb *s, const struct repo *r, const char *key,
                     const char *prefix, bool tags)
{
    size_t n = 0, skip = strlen(prefix);

    sb_printf(s, "\"%s\":[", key);
    for (size_t i = 0; i < r->n_refs; i++) {
        const struct ref    *ref = &r->refs[i];
        const struct commit *at = repo_resolve(&c->hub->world, r, ref->name);
        bool                 mine = *prefix ? starts_with(ref->name, prefix)
                                            : !starts_with(ref->name, "refs/") && ref->tag == tags;

        if (!mine || !at) {
            continue;
        }
        sb_puts(s, n++ ? ",{\"name\":" : "{\"name\":");
        sb_jsons(s, ref->name + skip);
        sb_puts(s, ",\"ref\":");
        if (*prefix) {
            sb_jsons(s, ref->name);
        } else {
            char *full = xprintf("refs/%s/%s", tags ? "tags" : "heads", ref->name);

            sb_jsons(s, full);
            free(full);
        }
        sb_printf(s, ",\"targetCommit\":\"%s\"}", at->id);
    }
    sb_putc(s, ']');
}

void hf_refs(struct call *c, const struct repo *r)
{
    struct sb s = {NULL, 0, 0};

    sb_putc(&s, '{');
    add_refs(c, &s, r, "branches", "", false);
    sb_putc(&s, ',');
    add_refs(c, &s, r, "converts", "refs/convert/", false);
    sb_putc(&s, ',');
    add_refs(c, &s, r, "tags", "", true);
    sb_putc(&s, ',');
    add_refs(c, &s, r, "pullRequests", "refs/pr/", false);
    sb_putc(&s, '}');
    hf_json(c, &s);
}

void hf_commits(struct call *c, const struct repo *r, const struct commit *commit)
{
    struct sb s = {NULL, 0, 0};
    size_t    i = 0, n = 0;
    char      date[32];

    while (i < r->n_commits && r->commits[i] != commit) {
        i++;
    }
    reply_setf(&c->r, "X-Total-Count", "%zu", i + 1);
    sb_putc(&s, '[');
    for (i++; i-- > 0;) {
        const struct commit *one = r->commits[i];

        iso_date(one->date, date);
        sb_printf(&s, "%s{\"id\":\"%s\",\"title\":", n++ ? "," : "", one->id);
        sb_jsons(&s, one->title);
        sb_printf(&s, ",\"message\":\"\",\"authors\":[{\"user\":\"someone\"}],\"date\":\"%s\"}",
                  date);
    }
    sb_putc(&s, ']');
    hf_json(c, &s);
}

/* ---- accounts ------------------------------------------------------------------------------ */

void hf_whoami(struct call *c)
{
    struct sb s = {NULL, 0, 0};

    if (!c->token) {
        hf_error(c, 401, NULL,
                 c->bad_token ? "Invalid credentials in Authorization header"
                              : "Invalid username or password.");
        return;
    }
    sb_puts(&s, "{\"type\":\"user\",\"id\":\"0123456789abcdef01234567\"");
    add_text(&s, "name", c->token->user);
    add_text(&s, "fullname", c->token->user);
    sb_puts(&s, ",\"orgs\":[],\"auth\":{\"type\":\"access_token\",\"accessToken\":{\"displayName\":"
                "\"test\",\"role\":\"read\"}}}");
    hf_json(c, &s);
}

void hf_xet_token(struct call *c, const struct commit *commit)
{
    char     *origin = bulk_origin(c);
    long long expires = (long long)clock_wall() + 3600;
    struct sb s = {NULL, 0, 0};

    sb_printf(&s, "{\"accessToken\":\"xet_%.20s\",\"casUrl\":\"%s\",\"exp\":%lld}", commit->id,
              origin, expires);
    reply_setf(&c->r, "X-Xet-Cas-Url", "%s", origin);
    reply_setf(&c->r, "X-Xet-Access-Token", "xet_%.20s", commit->id);
    reply_setf(&c->r, "X-Xet-Token-Expiration", "%lld", expires);
    free(origin);
    hf_json(c, &s);
}

/* ---- the dataset viewer -------------------------------------------------------------------- */

static void add_parquet(struct call *c, struct sb *s, const struct repo *r,
                        const struct commit *commit)
{
    char  *origin = origin_of(c);
    size_t n = 0;

    for (size_t i = 0; commit && i < commit->n; i++) {
        const struct file *f = commit->files[i];
        const char        *split = strchr(f->path, '/');
        const char        *name = split ? strchr(split + 1, '/') : NULL;

        if (!name) {
            continue; /* CONFIG/SPLIT/NAME.parquet */
        }
        sb_puts(s, n++ ? ",{\"dataset\":" : "{\"dataset\":");
        sb_jsons(s, r->id);
        sb_puts(s, ",\"config\":");
        sb_json(s, f->path, (size_t)(split - f->path));
        sb_puts(s, ",\"split\":");
        sb_json(s, split + 1, (size_t)(name - split - 1));
        sb_printf(s, ",\"url\":\"%s/datasets/%s/resolve/refs%%2Fconvert%%2Fparquet/", origin,
                  r->id);
        sb_quote(s, f->path, "/");
        sb_puts(s, "\",\"filename\":");
        sb_jsons(s, name + 1);
        sb_printf(s, ",\"size\":%llu}", (unsigned long long)f->listed_size);
    }
    free(origin);
}

void hf_viewer(struct call *c)
{
    char          *id = param(c->q.query, "dataset");
    struct repo   *r = id ? world_find(&c->hub->world, HUB_HF, "datasets", id, NULL) : NULL;
    struct commit *commit = r ? repo_resolve(&c->hub->world, r, "refs/convert/parquet") : NULL;
    struct sb      s = {NULL, 0, 0};

    free(id);
    if (!r || (r->private && !token_can(c->token, r))) {
        reply_text(&c->r, r ? 401 : 404, "application/json",
                   "{\"error\":\"The dataset does not exist, or is not accessible without "
                   "authentication (private or gated).\"}");
        return;
    }
    if (strcmp(c->q.path, "/is-valid") == 0) {
        sb_printf(&s, "{\"preview\":true,\"viewer\":true,\"search\":false,\"filter\":false,"
                      "\"statistics\":false}");
    } else if (strcmp(c->q.path, "/parquet") == 0) {
        sb_puts(&s, "{\"parquet_files\":[");
        add_parquet(c, &s, r, commit);
        sb_puts(&s, "],\"pending\":[],\"failed\":[],\"partial\":false}");
    } else {
        sb_puts(&s, "{\"splits\":[],\"pending\":[],\"failed\":[]}");
    }
    hf_json(c, &s);
}
