/* SPDX-License-Identifier: MIT
 * ms_file.c - files of ModelScope: large ones on another host; small ones come from the gateway,
 * which has its own idea of ranges. */
#include "ms.h"

#include <stdlib.h>
#include <string.h>

static struct file *find(struct call *c, const struct repo *r, const char *revision,
                         const char *path)
{
    struct commit *commit = repo_resolve(&c->hub->world, r, revision);
    struct file   *f = commit ? commit_file(commit, path) : repo_file_at(r, path, revision);

    return f && !f->type && !f->oss ? f : NULL;
}

static void missing(struct call *c)
{
    ms_error(c, (int)setting(&c->hub->settings, MS_MISSING), 10990101007,
             "获取模型文件失败，文件内容为空");
}

/* Closed ranges: the right bytes under a 200.  Open ones: the whole file, and maybe the length of
 * what was asked for. */
static void inline_range(struct call *c, const struct file *f)
{
    bool     open = c->q.to == ENDLESS;
    uint64_t from = c->q.from;

    if (setting(&c->hub->settings, MS_INLINE_206) || !open || c->q.suffix) {
        reply_content(&c->r, &c->q, f->content);
        if (c->r.status == 206 && !setting(&c->hub->settings, MS_INLINE_206)) {
            c->r.status = 200;
        }
        return;
    }
    c->q.ranged = false;
    reply_content(&c->r, &c->q, f->content);
    if (setting(&c->hub->settings, MS_OPEN) == OPEN_LYING && from < f->content->size) {
        c->plan.length = LENGTH_WRONG;
        c->plan.length_by = -(long long)from;
    }
}

static void from_here(struct call *c, struct file *f)
{
    reply_set(&c->r, "Content-Type", "application/octet-stream");
    reply_set(&c->r, "X-Linked-ETag", f->content->sha256);
    atomic_fetch_add(&f->gets, !c->q.head);
    if (c->q.ranged) {
        inline_range(c, f);
    } else {
        reply_content(&c->r, &c->q, f->content);
    }
    c->r.file = f;
}

void ms_file(struct call *c, const struct repo *r, const char *revision, const char *path)
{
    struct file *f = find(c, r, revision, path);
    char        *url;

    if (!f) {
        missing(c);
        return;
    }
    c->named = f->path;
    if (c->q.suffix) {
        ms_error(c, 400, 10990101001, "无效的Range请求");
    } else if (f->kind == FILE_GIT) {
        from_here(c, f);
    } else {
        url = sign_url(c, f, r->id, SIGN_MS);
        reply_textf(&c->r, 302, "text/html; charset=utf-8", "<a href=\"%s\">Found</a>.\n\n", url);
        reply_set(&c->r, "Location", url);
        reply_set(&c->r, "X-Linked-ETag", f->content->sha256);
        free(url);
    }
}
