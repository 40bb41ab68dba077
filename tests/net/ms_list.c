/* SPDX-License-Identifier: MIT
 * ms_list.c - listings of ModelScope: a page of a dataset's tree, all files of a model, what lies
 * in OSS. */
#include "ms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_name(struct sb *s, const char *key, const struct row *row, bool last_part)
{
    const char *shown = row->file ? row->file->shown : NULL;
    const char *text = shown ? shown : row->path, *slash = strrchr(text, '/');

    text = last_part && slash ? slash + 1 : text;
    sb_printf(s, ",\"%s\":", key);
    if (shown) {
        sb_printf(s, "\"%s\"", text);
    } else {
        sb_jsons(s, text);
    }
}

static void add_row(struct sb *s, const struct commit *commit, const struct row *row)
{
    const struct file *f = row->file;
    char               room[128];
    const char        *sha = f ? file_listed(f, false, room) : NULL;

    sb_puts(s, "{\"CommitId\":\"\",\"CommitMessage\":");
    sb_jsons(s, commit->title);
    sb_printf(s, ",\"CommittedDate\":%.0f,\"CommitterName\":\"someone\",\"InCheck\":false",
              commit->date);
    sb_printf(s, ",\"IsLFS\":%s,\"Mode\":\"%u\"", f && f->kind != FILE_GIT ? "true" : "false",
              f ? f->mode : 040000);
    add_name(s, "Name", row, true);
    add_name(s, "Path", row, false);
    sb_printf(s, ",\"Revision\":\"%s\"", f ? f->revision : commit->id);
    if (sha || !f) {
        sb_puts(s, ",\"Sha256\":");
        sb_jsons(s, sha ? sha : "");
    }
    sb_printf(s, ",\"Size\":%llu,\"Type\":\"%s\"}", f ? (unsigned long long)f->listed_size : 0,
              !f        ? "tree"
              : f->type ? f->type
                        : "blob");
}

static void add_committer(struct sb *s, const struct commit *commit)
{
    sb_printf(s, ",\"LatestCommitter\":{\"Id\":\"\",\"ShortId\":\"%.8s\",\"Title\":", commit->id);
    sb_jsons(s, commit->title);
    sb_puts(s, ",\"Message\":");
    sb_jsons(s, commit->title);
    sb_printf(s,
              ",\"AuthorName\":\"someone\",\"CommitterName\":\"someone\",\"CommittedDate\":%.0f}",
              commit->date);
}

struct page {
    long number, size; /* size 0: everything */
    long skip;         /* rows that a fault moves it by */
};

static void add_rows(struct sb *s, const struct commit *commit, const char *folder, bool deep,
                     const struct page *page)
{
    size_t from, to, prefix = *folder ? strlen(folder) + 1 : 0, n = 0;
    long   skip = page->size ? (page->number - 1) * page->size + page->skip : 0;

    commit_rows(commit, folder, &from, &to);
    for (; from < to && (!page->size || (long)n < page->size); from++) {
        const struct row *row = &commit->rows[from];

        if ((!deep && strchr(row->path + prefix, '/')) || skip-- > 0) {
            continue;
        }
        sb_puts(s, n++ ? "," : "");
        add_row(s, commit, row);
    }
}

static char *folder_of(const struct call *c)
{
    char  *root = param(c->q.query, "Root"), *folder;
    size_t n;

    folder = xdup(root ? root + strspn(root, "/") : "");
    for (n = strlen(folder); n && folder[n - 1] == '/'; n--) {
        folder[n - 1] = '\0';
    }
    free(root);
    return folder;
}

void ms_tree(struct call *c, const struct repo *r, bool paged)
{
    struct commit *commit = ms_commit(c, r);
    char          *deep = param(c->q.query, "Recursive"), *folder = folder_of(c);
    long           most = (long)setting(&c->hub->settings, MS_PAGE);
    struct page    page = {1, 0, 0};
    struct sb      s = {NULL, 0, 0};
    bool           bare = setting(&c->hub->settings, MS_BARE_LIST);

    if (paged) {
        page.number = param_number(c->q.query, "PageNumber", 1);
        page.size = param_number(c->q.query, "PageSize", 50);
        page.size = page.size < 1 ? 50 : most && page.size > most ? most : page.size;
        page.number += c->page_add;
        page.skip = c->page_skip;
    }
    sb_puts(&s, bare ? "[" : commit ? "{\"Files\":[" : "{\"Files\":null");
    if (commit) {
        add_rows(&s, commit, folder, deep && strcmp(deep, "True") == 0, &page);
    }
    sb_puts(&s, bare || commit ? "]" : "");
    if (commit && !bare) {
        add_committer(&s, commit);
    }
    sb_puts(&s, bare ? "" : "}");
    free(deep);
    free(folder);
    ms_data(c, &s);
}

void ms_oss_tree(struct call *c, const struct repo *r)
{
    struct commit *commit = ms_commit(c, r);
    struct sb      s = {NULL, 0, 0};

    sb_putc(&s, '[');
    for (size_t i = 0; commit && i < commit->n; i++) {
        struct file *f = commit->files[i];
        char        *url;

        if (!f->oss) {
            continue;
        }
        url = sign_url(c, f, r->id, SIGN_OSS);
        sb_puts(&s, s.n > 1 ? ",{\"Key\":" : "{\"Key\":");
        sb_jsons(&s, f->path);
        sb_printf(&s,
                  ",\"Size\":%llu,\"Type\":\"file\",\"Url\":", (unsigned long long)f->listed_size);
        sb_jsons(&s, url);
        sb_putc(&s, '}');
        free(url);
    }
    sb_putc(&s, ']');
    ms_data(c, &s);
}
