/* SPDX-License-Identifier: MIT
 * ms_list.c - the files of a repository.
 *
 * The hub has no way to pin a listing: pages are cut out of the branch as it is when they are asked
 * for, so a commit in between shifts them, and some servers cut shorter pages than were asked for.
 * So the whole is read first, kept, and read again when anything looks shifted; only then is it
 * passed on. Each file is pinned by the commit that last touched it, and by its SHA-256. */
#include "ms.h"

#include "card.h"
#include "shelf.h"

#include <stdlib.h>

enum { PAGE = 200, MAX_PAGES = 50000, MAX_READS = 4, COMMIT = 40 };

/* A path, and the page that it came with. */
struct seen {
    uint64_t hash;
    uint32_t page;
};

struct listing {
    struct ms   *x;
    drh_error   *e;
    drh_text     url;
    struct shelf shelf;
    struct card  card;
    struct seen *seen; /* open addressing, hash 0: free */
    size_t       n_seen, cap_seen;
    uint32_t     page;                 /* at hand */
    char         short_id[COMMIT + 1]; /* of the last commit, as the first page has it */
    drh_text     commit;               /* the whole of it, when a file tells */
    uint64_t     n_files;
    int          has_card;
    int          shifted; /* read it again */
};

static drh_status no_memory(drh_error *e)
{
    return drh_fail(e, DRH_E_NOMEM, "out of memory for a listing");
}

/* ---- paths seen ---- */

static uint64_t hash_of(drh_str s)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    size_t   i;

    for (i = 0; i < s.len; i++) {
        h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
    }
    return h ? h : 1;
}

static struct seen *place_of(struct seen *table, size_t cap, uint64_t h)
{
    size_t i = (size_t)h & (cap - 1);

    while (table[i].hash && table[i].hash != h) {
        i = (i + 1) & (cap - 1);
    }
    return &table[i];
}

static drh_status grow(struct listing *l)
{
    const drh_host *h = l->x->host;
    size_t          cap = l->cap_seen ? l->cap_seen * 2 : 1024, i;
    struct seen    *more = h->alloc(h, NULL, cap * sizeof(*more));

    if (!more) {
        return no_memory(l->e);
    }
    memset(more, 0, cap * sizeof(*more));
    for (i = 0; i < l->cap_seen; i++) {
        if (l->seen[i].hash) {
            *place_of(more, cap, l->seen[i].hash) = l->seen[i];
        }
    }
    (void)h->alloc(h, l->seen, 0);
    l->seen = more;
    l->cap_seen = cap;
    return DRH_OK;
}

/* *before: an earlier page had it. */
static drh_status note_path(struct listing *l, drh_str path, int *before)
{
    uint64_t     h = hash_of(path);
    struct seen *at;
    drh_status   st = l->n_seen * 2 >= l->cap_seen ? grow(l) : DRH_OK;

    if (st != DRH_OK) {
        return st;
    }
    at = place_of(l->seen, l->cap_seen, h);
    *before = at->hash && at->page != l->page;
    if (!at->hash) {
        *at = (struct seen){.hash = h, .page = l->page};
        l->n_seen++;
    }
    return DRH_OK;
}

static void start_over(struct listing *l)
{
    if (l->seen) {
        memset(l->seen, 0, l->cap_seen * sizeof(*l->seen));
    }
    l->n_seen = 0;
    l->n_files = 0;
    l->shifted = 0;
    l->has_card = 0;
    l->short_id[0] = '\0';
    drh_text_clear(&l->shelf.kept);
    drh_text_clear(&l->commit);
}

/* ---- keeping, passing on ---- */

static int is_wanted(const struct ms *x, drh_str path)
{
    const drh_text *file = &x->file;

    /* an address does not tell files from folders */
    if (file->len &&
        (!drh_str_starts(path, file->ptr) ||
         (path.len > file->len && file->ptr[file->len - 1] != '/' && path.ptr[file->len] != '/'))) {
        return 0;
    }
    return drh_hub_wanted(x->host, x->config, path);
}

static drh_status keep(struct listing *l, drh_str path, int64_t size, drh_str sha256, drh_str key)
{
    const struct ms *x = l->x;
    const drh_file   f = {.struct_size = sizeof(f),
                          .name = path,
                          .size = size < 0 ? UINT64_MAX : (uint64_t)size,
                          .sha256 = sha256,
                          .key = key,
                          .flags = x->file.len ? 0 : drh_hub_flags(x->host, x->config, path)};

    l->n_files++;
    l->has_card |= drh_str_eq(path, "README.md");
    if (!is_wanted(x, path)) {
        return DRH_OK;
    }
    return shelf_add(&l->shelf, &f) == DRH_OK ? DRH_OK : no_memory(l->e);
}

/* README.md of the branch; one that is gone by now says nothing. */
static drh_status read_card(struct listing *l)
{
    struct ms             *x = l->x;
    drh_http_req           req = {.struct_size = sizeof(req)};
    const drh_http_answer *a = NULL;
    drh_status             st;

    if (!l->has_card || !card_asked(&l->card)) {
        return DRH_OK;
    }
    ms_put_url(x, &l->url, "/repo?Revision=");
    drh_text_quote(&l->url, drh_text_str(&x->revision), "");
    drh_text_adds(&l->url, "&FilePath=README.md");
    if (l->url.failed) {
        return no_memory(l->e);
    }
    req.url = drh_text_str(&l->url);
    req.credentials = x->auth;
    req.n_credentials = x->bearer.len ? 2 : 0;
    st = x->http->call(x->host, &req, &a, l->e);
    if (st == DRH_OK && a->status / 100 != 2) {
        st = ms_explain(x, a, NULL, "README.md", l->e);
        st = st == DRH_E_MISSING ? DRH_OK
             : st == DRH_OK ? drh_fail(l->e, DRH_E_NETWORK, "%s answers %u", x->page.ptr, a->status)
                            : st;
    } else if (st == DRH_OK) {
        st = card_read(&l->card, a->body, l->e);
    }
    x->http->release(x->host, a);
    return st;
}

static drh_status pass_on(struct listing *l, drh_list *list)
{
    const struct ms *x = l->x;
    drh_status       st;

    if (l->shelf.kept.len == 0) {
        return l->n_files
                   ? drh_fail(l->e, DRH_E_MISSING,
                              "%s has %llu files, and none is wanted: look at include, exclude, "
                              "files and the path in the address",
                              x->page.ptr, (unsigned long long)l->n_files)
                   : drh_fail(l->e, DRH_E_MISSING, "%s has no file", x->page.ptr);
    }
    st = read_card(l);
    return st == DRH_OK ? shelf_pass(&l->shelf, &l->card, x->page.ptr, list, l->e) : st;
}

/* ---- pages ---- */

static void note_commit(struct listing *l, const drh_value *data)
{
    const drh_host *h = l->x->host;
    drh_value       last;
    drh_str         id;

    if (h->values->member(data, "LatestCommitter", 15, &last) != DRH_OK) {
        return;
    }
    id = drh_hub_text(h, &last, "Id");
    id = drh_str_hex(id, COMMIT) ? id : drh_hub_text(h, &last, "ShortId");
    if (id.len == 0 || id.len > COMMIT || !drh_str_hex(id, id.len)) {
        return; /* no commit; cut to its first letters it may not even be text */
    }
    if (l->short_id[0] && !drh_str_eq(id, l->short_id)) {
        l->shifted = 1; /* somebody committed while we read */
    }
    memcpy(l->short_id, id.ptr, id.len);
    l->short_id[id.len] = '\0';
}

/* The head commit is the one of some file, whose whole hash begins with what the hub tells of it.
 */
static void match_commit(struct listing *l, drh_str revision)
{
    size_t n = strlen(l->short_id);

    if (l->commit.len == 0 && n && drh_str_hex(revision, COMMIT) &&
        strncmp(revision.ptr, l->short_id, n) == 0) {
        drh_text_addv(&l->commit, revision);
    }
}

/* One row; *fresh counts those that no earlier page had. */
static drh_status add_row(struct listing *l, const drh_value *v, size_t *fresh)
{
    const drh_host *h = l->x->host;
    drh_str         path = drh_hub_text(h, v, "Path"), type = drh_hub_text(h, v, "Type");
    drh_str         revision = drh_hub_text(h, v, "Revision");
    int             before = 0;
    drh_status      st;

    if (!path.ptr) {
        return drh_fail(l->e, DRH_E_DATA, "the listing of %s has a file without a path",
                        l->x->page.ptr);
    }
    st = note_path(l, path, &before);
    if (st != DRH_OK || before) {
        return st;
    }
    ++*fresh;
    match_commit(l, revision);
    if (type.len && !drh_str_eq(type, "blob")) {
        return DRH_OK; /* folders, submodules */
    }
    return keep(l, path, drh_hub_int(h, v, "Size", -1), drh_hub_text(h, v, "Sha256"),
                drh_str_hex(revision, COMMIT) ? revision : (drh_str){NULL, 0});
}

/* "Data" is {"Files": [...]}, or the list itself.  *rows and *fresh: how many, how many of them
 * new. */
static drh_status add_rows(struct listing *l, const drh_value *data, size_t *rows, size_t *fresh)
{
    const drh_host *h = l->x->host;
    drh_value       list = *data, one;
    drh_status      st = DRH_OK, more;

    *rows = *fresh = 0;
    if (h->values->type(data) == DRH_T_OBJECT) {
        note_commit(l, data);
        if (h->values->member(data, "Files", 5, &list) != DRH_OK) {
            return DRH_OK;
        }
    }
    for (more = h->values->child(&list, &one); st == DRH_OK && more == DRH_OK;
         more = h->values->next(&one)) {
        ++*rows;
        st = add_row(l, &one, fresh);
    }
    return st;
}

static void put_list_url(struct listing *l, unsigned page)
{
    struct ms *x = l->x;
    char       text[64];

    ms_put_url(x, &l->url, ms_is_model(x) ? "/repo/files?Revision=" : "/repo/tree?Revision=");
    drh_text_quote(&l->url, drh_text_str(&x->revision), "");
    drh_text_adds(&l->url, "&Recursive=True"); /* "true" lists the first level only */
    if (!ms_is_model(x)) {
        (void)snprintf(text, sizeof(text), "&PageNumber=%u&PageSize=%d", page, (int)PAGE);
        drh_text_adds(&l->url, text);
    }
}

static drh_status one_page(struct listing *l, unsigned page, size_t *rows, size_t *fresh)
{
    struct ms   *x = l->x;
    drh_hub_page p;
    drh_status   st;

    l->page = page;
    put_list_url(l, page);
    st = ms_get(x, &l->url, "the listing", &p, l->e);
    st = st == DRH_OK ? add_rows(l, &p.root, rows, fresh) : st;
    drh_hub_page_free(x->host, x->http, &p);
    x->host->progress(x->host, l->n_files, 0, "listing");
    return st;
}

/* All pages once.  A page shorter than the first is the last; so is an empty one, and one longer
 * than was asked for.  A full page that brings what was there before means that the pages have
 * shifted; but a server without pages gives the same one again, for ever. */
static drh_status read_once(struct listing *l)
{
    size_t     first = 0, rows = 0, fresh = 0;
    int        same = 0; /* the second page was the first one again */
    drh_status st = DRH_OK;

    start_over(l);
    for (unsigned page = 1; st == DRH_OK && !l->shifted; page++) {
        if (page > MAX_PAGES) {
            return drh_fail(l->e, DRH_E_RANGE, "the listing of %s has more than %d pages",
                            l->x->page.ptr, (int)MAX_PAGES);
        }
        st = one_page(l, page, &rows, &fresh);
        first = page == 1 ? rows : first;
        if (st == DRH_OK && same) {
            l->shifted = rows != first || fresh > 0;
            break;
        }
        if (st != DRH_OK || ms_is_model(l->x) || rows == 0 || rows < first || rows > PAGE) {
            l->shifted |= st == DRH_OK && fresh < rows;
            break;
        }
        same = page == 2 && fresh == 0 && first < PAGE;
        l->shifted |= fresh < rows && !same;
    }
    return st;
}

static drh_status read_all(struct listing *l)
{
    drh_status st = DRH_OK;

    for (int i = 0; st == DRH_OK && i < MAX_READS; i++) {
        st = read_once(l);
        if (st != DRH_OK || !l->shifted) {
            return st;
        }
        drh_logf(l->x->host, DRH_LOG_INFO, "%s changed while it was listed; once more",
                 l->x->page.ptr);
    }
    return drh_fail(l->e, DRH_E_NETWORK,
                    "%s changes faster than it can be listed, or its pages repeat; try again later",
                    l->x->page.ptr);
}

/* ---- revisions ---- */

static int has_revision(const drh_host *h, const drh_value *map, const char *kind, drh_str name)
{
    drh_value  list, one;
    drh_status more;

    if (h->values->member(map, kind, strlen(kind), &list) != DRH_OK) {
        return 0;
    }
    for (more = h->values->child(&list, &one); more == DRH_OK; more = h->values->next(&one)) {
        if (drh_str_eq(drh_hub_text(h, &one, "Revision"), name.ptr)) {
            return 1;
        }
    }
    return 0;
}

/* Is it a branch or tag?  DRH_E_MISSING: the hub knows its revisions, and it is none. */
static drh_status check_revision(struct listing *l, drh_str name)
{
    struct ms   *x = l->x;
    drh_hub_page p;
    drh_value    map;
    drh_status   st;

    ms_put_url(x, &l->url, "/revisions");
    st = ms_get(x, &l->url, "the list of revisions", &p, l->e);
    if (st == DRH_OK && x->host->values->member(&p.root, "RevisionMap", 11, &map) == DRH_OK &&
        !has_revision(x->host, &map, "Branches", name) &&
        !has_revision(x->host, &map, "Tags", name)) {
        st = DRH_E_MISSING;
    }
    drh_hub_page_free(x->host, x->http, &p);
    return st;
}

/* Who comes from Hugging Face writes "main"; here the branch is called "master". */
static drh_status map_main(struct listing *l)
{
    struct ms *x = l->x;
    drh_error  ignored = DRH_ERROR_INIT, *e = l->e;
    drh_status st;

    if (!drh_str_eq(drh_text_str(&x->revision), "main")) {
        return DRH_OK;
    }
    l->e = &ignored;
    st = check_revision(l, drh_str_of("main"));
    st = st == DRH_E_MISSING ? check_revision(l, drh_str_of("master")) : DRH_END;
    l->e = e;
    if (st == DRH_OK) {
        drh_logf(x->host, DRH_LOG_INFO, "%s has no branch main; master is used", x->page.ptr);
        drh_text_clear(&x->revision);
        drh_text_adds(&x->revision, "master");
    }
    return x->revision.failed ? no_memory(l->e) : DRH_OK;
}

/* ---- what it is ---- */

/* Its page's card; that it cannot be had is no reason to stop. */
static void read_license(struct listing *l)
{
    struct ms   *x = l->x;
    drh_error    ignored = DRH_ERROR_INIT;
    drh_hub_page p;
    drh_str      s;

    ms_put_url(x, &l->url, "");
    drh_text_clear(&x->license);
    if (ms_get(x, &l->url, "its page", &p, &ignored) == DRH_OK) {
        s = drh_hub_text(x->host, &p.root, "License");
        drh_text_addv(&x->license, s);
    }
    drh_hub_page_free(x->host, x->http, &p);
}

static drh_status take_name(struct listing *l)
{
    struct ms *x = l->x;
    drh_str    commit = l->commit.len ? drh_text_str(&l->commit) : drh_str_of(l->short_id);

    drh_text_clear(&x->commit);
    drh_text_addv(&x->commit, commit);
    drh_text_clear(&x->name);
    drh_text_adds(&x->name, "modelscope:");
    drh_text_addv(&x->name, x->repo.id);
    drh_text_adds(&x->name, "@");
    commit.len = commit.len < 7 ? commit.len : 7;
    drh_text_addv(&x->name, commit.len ? commit : drh_text_str(&x->revision));
    return x->commit.failed || x->name.failed ? no_memory(l->e) : DRH_OK;
}

/* ---- data that is not in git ---- */

/* Old data sets keep their files in an object store; the listing gives a signed URL for each, and
 * no digest. */
static drh_status read_oss(struct listing *l)
{
    struct ms      *x = l->x;
    const drh_host *h = x->host;
    drh_hub_page    p;
    drh_value       one;
    drh_status      st, more;
    int             before = 0;

    l->page = 0; /* what is in git already stays that */
    ms_put_url(x, &l->url, "/oss/tree/?MaxLimit=-1&Revision=");
    drh_text_quote(&l->url, drh_text_str(&x->revision), "");
    drh_text_adds(&l->url, "&Recursive=True&FilterDir=True");
    st = ms_get(x, &l->url, "the listing of the object store", &p, l->e);
    for (more = st == DRH_OK ? h->values->child(&p.root, &one) : DRH_END;
         st == DRH_OK && more == DRH_OK; more = h->values->next(&one)) {
        drh_str key = drh_hub_text(h, &one, "Key"), url = drh_hub_text(h, &one, "Url");
        st = key.len && url.len ? note_path(l, key, &before) : DRH_OK;
        if (st == DRH_OK && key.len && url.len && !before) {
            st = keep(l, key, drh_hub_int(h, &one, "Size", -1), (drh_str){NULL, 0}, url);
        }
    }
    drh_hub_page_free(h, x->http, &p);
    return st;
}

drh_status ms_list(void *self, drh_list *list, drh_error *e)
{
    struct ms     *x = self;
    struct listing l = {.x = x, .e = e};
    int32_t        oss = 0;
    drh_status     st;

    l.url.host = l.shelf.kept.host = l.commit.host = x->host;
    card_open(&l.card, x->host, x->config);
    st = map_main(&l);
    st = st == DRH_OK ? read_all(&l) : st;
    if (st == DRH_OK && l.n_files == 0 &&
        check_revision(&l, drh_text_str(&x->revision)) == DRH_E_MISSING) {
        st = drh_fail(e, DRH_E_MISSING, "%s has no revision \"%s\"", x->page.ptr, x->revision.ptr);
    }
    (void)x->host->config->get_bool(x->config, "/include_oss", &oss);
    if (st == DRH_OK && oss && !ms_is_model(x)) {
        st = read_oss(&l);
    }
    if (st == DRH_OK) {
        read_license(&l);
        st = take_name(&l);
    }
    st = st == DRH_OK ? pass_on(&l, list) : st;
    (void)x->host->alloc(x->host, l.seen, 0);
    drh_text_free(&l.url);
    drh_text_free(&l.shelf.kept);
    card_close(&l.card);
    drh_text_free(&l.commit);
    return st;
}
