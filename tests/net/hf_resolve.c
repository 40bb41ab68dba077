/* SPDX-License-Identifier: MIT
 * hf_resolve.c - where a file of the Hugging Face hub is: small ones a relative redirect away (or
 * here), large ones on another host. */
#include "hf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void disposition(struct call *c, const struct file *f)
{
    const char *slash = strrchr(f->path, '/'), *name = slash ? slash + 1 : f->path;
    struct sb   s = {NULL, 0, 0};
    char       *v = param(c->q.query, "download");

    sb_printf(&s, "%s; filename*=UTF-8''", v ? "attachment" : "inline");
    sb_quote(&s, name, "");
    sb_puts(&s, "; filename=\"");
    for (; *name; name++) {
        bool plain = (unsigned char)*name >= 0x20 && (unsigned char)*name < 0x7f && *name != '"';

        sb_putc(&s, (char)(plain && *name != '\\' ? *name : '_'));
    }
    sb_puts(&s, "\";");
    reply_set(&c->r, "Content-Disposition", s.p);
    sb_free(&s);
    free(v);
}

static const char *type_of(const char *path)
{
    static const struct {
        const char *end, *type;
    } types[] = {{".json", "application/json"},
                 {".txt", "text/plain; charset=utf-8"},
                 {".jsonl", "text/plain; charset=utf-8"},
                 {".csv", "text/plain; charset=utf-8"},
                 {".md", "text/plain; charset=utf-8"}};

    for (size_t i = 0; i < COUNT(types); i++) {
        if (ends_with(path, types[i].end)) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

/* Like the real one: text is compressed whenever the client says it could, and then there are no
 * ranges, no length and no strong ETag. */
static void compress(struct call *c, const struct file *f)
{
    bool text =
        ends_with(f->path, ".json") || ends_with(f->path, ".txt") || ends_with(f->path, ".md");

    if (!text || !f->content->size || !setting(&c->hub->settings, HF_GZIP) ||
        !request_accepts_gzip(&c->q)) {
        return;
    }
    c->r.status = 200;
    c->r.content = f->content;
    c->r.from = 0;
    c->r.n = f->content->size;
    if (reply_gzip(&c->r)) {
        char *etag = xprintf("W/%s", reply_get(&c->r, "ETag"));

        reply_set(&c->r, "ETag", etag);
        free(etag);
        reply_unset(&c->r, "Accept-Ranges");
        reply_unset(&c->r, "Content-Range");
        c->r.no_length = true;
    }
}

/* What mirrors and static servers leave out or make up. */
static void mirror_fields(struct call *c, const struct file *f)
{
    struct settings *s = &c->hub->settings;
    char             md5[33], date[40];

    if (setting(s, HF_JUNK_ETAG) && f->kind == FILE_GIT) {
        md5_text(f->path, strlen(f->path), md5);
        reply_setf(&c->r, "ETag", "\"%s-10\"", md5);
    }
    if (setting(s, HF_BARE)) {
        http_date(1767225600.0, date);
        reply_set(&c->r, "Server", "nginx/1.22.1");
        reply_set(&c->r, "Last-Modified", date);
        reply_setf(&c->r, "ETag", "\"%x-%llx\"", 0x6955b900u, (unsigned long long)f->content->size);
        reply_unset(&c->r, "Content-Disposition");
        reply_unset(&c->r, "X-Linked-ETag");
        reply_unset(&c->r, "X-Linked-Size");
    }
    if (setting(s, HF_NO_RANGE)) {
        reply_unset(&c->r, "Accept-Ranges");
    }
    if (setting(s, HF_NO_LENGTH)) {
        c->r.no_length = true;
    }
}

/* The file itself, from here. */
static void direct(struct call *c, struct file *f)
{
    bool git = f->kind == FILE_GIT;

    atomic_fetch_add(&f->gets, !c->q.head);
    reply_set(&c->r, "Content-Type", type_of(f->path));
    reply_setf(&c->r, "ETag", "\"%s\"", git ? f->content->git : f->content->sha256);
    disposition(c, f);
    if (setting(&c->hub->settings, HF_NO_RANGE)) {
        c->q.ranged = false;
    }
    reply_content(&c->r, &c->q, f->content);
    if (c->r.status == 206 && setting(&c->hub->settings, HF_RANGE_200)) {
        c->r.status = 200;
    }
    c->r.file = f;
    c->named = f->path;
    if (git) {
        compress(c, f);
    }
    mirror_fields(c, f);
}

static void to_cache(struct call *c, const struct repo *r, const struct commit *commit,
                     const struct file *f)
{
    struct sb s = {NULL, 0, 0};

    sb_printf(&s, "/api/resolve-cache/%s/%s/%s/", r->type, r->id, commit->id);
    sb_quote(&s, f->path, setting(&c->hub->settings, HF_SLASH) ? "" : "/");
    sb_putc(&s, '?');
    sb_quote(&s, c->q.path, "");
    sb_printf(&s, "=&etag=%%22%s%%22", f->content->git);
    reply_textf(&c->r, 307, "text/plain; charset=utf-8", "Temporary Redirect. Redirecting to %s",
                s.p);
    reply_set(&c->r, "Location", s.p);
    reply_set(&c->r, "Accept-Ranges", "bytes");
    reply_set(&c->r, "Vary", "Origin, Accept");
    reply_set(&c->r, "X-Hub-Cache", "MISS");
    disposition(c, f);
    if (setting(&c->hub->settings, HF_LINKED)) {
        reply_setf(&c->r, "X-Linked-ETag", "\"%s\"", f->content->git);
        reply_setf(&c->r, "X-Linked-Size", "%llu", (unsigned long long)f->content->size);
    }
    sb_free(&s);
}

static void to_cdn(struct call *c, const struct repo *r, const struct commit *commit,
                   struct file *f)
{
    char *url = sign_url(c, f, r->id, SIGN_HF), *origin, *bulk;

    reply_textf(&c->r, 302, "text/plain; charset=utf-8", "Found. Redirecting to %s", url);
    reply_set(&c->r, "Location", url);
    free(url);
    reply_set(&c->r, "Cache-Control", "no-store");
    reply_set(&c->r, "Vary", "Origin, Accept");
    reply_set(&c->r, "Accept-Ranges", "bytes");
    disposition(c, f);
    reply_setf(&c->r, "X-Linked-ETag", "\"%s\"", f->content->sha256);
    reply_setf(&c->r, "X-Linked-Size", "%llu", (unsigned long long)f->content->size);
    if (f->kind == FILE_XET) {
        origin = origin_of(c);
        bulk = bulk_origin(c);
        reply_set(&c->r, "X-Xet-Hash", f->xet);
        reply_setf(
            &c->r, "Link",
            "<%s/api/%s/%s/xet-read-token/%s>; rel=\"xet-auth\", <%s/v1/reconstructions/%s>; "
            "rel=\"xet-reconstruction-info\"",
            origin, r->type, r->id, commit->id, bulk, f->xet);
        free(origin);
        free(bulk);
    }
}

static bool is_direct(struct call *c, const struct repo *r, const struct file *f)
{
    long long how = setting(&c->hub->settings, HF_DIRECT);

    if (setting(&c->hub->settings, HF_NO_REDIRECT)) {
        return true;
    }
    return f->kind == FILE_GIT && (how == DIRECT_ALWAYS ||
                                   (how == DIRECT_PRIVATE && (r->private || r->gate != GATE_NONE)));
}

static struct file *file_or_404(struct call *c, const struct commit *commit, const char *path)
{
    struct file *f = commit_file(commit, path);

    if (!f || f->type) {
        hf_error(c, 404, "EntryNotFound", "Entry not found");
        return NULL;
    }
    return f;
}

void hf_resolve(struct call *c, const struct repo *r, const struct commit *commit, const char *path)
{
    struct file *f = file_or_404(c, commit, path);

    if (!f) {
        return;
    }
    if (is_direct(c, r, f)) {
        direct(c, f);
    } else if (f->kind == FILE_GIT) {
        to_cache(c, r, commit, f);
    } else {
        to_cdn(c, r, commit, f);
    }
    /* Faults may be meant for the file from the redirect on. */
    c->named = f->path;
}

void hf_resolve_cache(struct call *c, const struct commit *commit, const char *path)
{
    struct file *f = file_or_404(c, commit, path);

    if (f && f->kind != FILE_GIT) {
        hf_error(c, 404, "EntryNotFound", "Entry not found");
    } else if (f) {
        direct(c, f);
    }
}
