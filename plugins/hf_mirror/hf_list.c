/* SPDX-License-Identifier: MIT
 * hf_list.c - the files of a repository at one commit: the revision is pinned first, then its tree
 * is read page by page, kept, and passed on when all of it is known.  A mirror that has no tree may
 * still have `siblings`. */
#include "hf.h"

#include "card.h"
#include "shelf.h"

#include <stdlib.h>

enum { MAX_PAGES = 10000, COMMIT = 40 };

struct listing {
    struct hf   *x;
    drh_text     url;  /* of the page at hand */
    uint64_t    *seen; /* of the pages so far */
    size_t       n_pages, cap;
    uint64_t     n_files;
    int          has_card;
    struct shelf shelf; /* the files that are wanted */
    struct card  card;
    drh_error   *e;
};

static drh_status no_memory(drh_error *e)
{
    return drh_fail(e, DRH_E_NOMEM, "out of memory for a listing");
}

static drh_status get(struct hf *x, const drh_text *url, drh_hub_page *p, drh_error *e)
{
    drh_http_req req = {.struct_size = sizeof(req), .url = drh_text_str(url)};

    memset(p, 0, sizeof(*p)); /* the caller frees it in any case */
    if (url->failed) {
        return no_memory(e);
    }
    if (x->bearer.len) {
        req.credentials = &x->auth;
        req.n_credentials = 1;
    }
    return drh_hub_get(x->host, x->http, &req, p, e);
}

/* ---- one file ---- */

static int path_wanted(const struct hf *x, drh_str path)
{
    const drh_text *folder = &x->folder;

    /* an address does not tell files from folders */
    if (folder->len && (!drh_str_starts(path, folder->ptr) ||
                        (path.len > folder->len && folder->ptr[folder->len - 1] != '/' &&
                         path.ptr[folder->len] != '/'))) {
        return 0;
    }
    return drh_hub_wanted(x->host, x->config, path);
}

/* KohakuHub and others write "sha256:HEX". */
static drh_str plain_hex(drh_str s)
{
    return drh_str_starts(s, "sha256:") ? drh_str_from(s, strlen("sha256:")) : s;
}

static drh_status add_file(struct listing *l, drh_str path, int64_t size, drh_str sha256,
                           drh_str oid)
{
    const struct hf *x = l->x;
    drh_file         f = {.struct_size = sizeof(f),
                          .flags = x->folder.len ? 0 : drh_hub_flags(x->host, x->config, path),
                          .name = path,
                          .size = size < 0 ? UINT64_MAX : (uint64_t)size,
                          .sha256 = plain_hex(sha256),
                          .git_sha1 = oid};

    l->n_files++;
    l->has_card |= drh_str_eq(path, "README.md");
    if (!path_wanted(x, path)) {
        return DRH_OK;
    }
    return shelf_add(&l->shelf, &f) == DRH_OK ? DRH_OK : no_memory(l->e);
}

/* ---- pages of the tree ---- */

static drh_status add_entry(struct listing *l, const drh_value *v)
{
    const drh_host *h = l->x->host;
    drh_str         sha256 = {NULL, 0}, oid = {NULL, 0};
    drh_value       lfs;
    drh_str         path = drh_hub_text(h, v, "path");

    if (!drh_str_eq(drh_hub_text(h, v, "type"), "file")) {
        return DRH_OK;
    }
    if (!path.ptr) {
        return drh_fail(l->e, DRH_E_DATA, "the listing has a file without a path");
    }
    if (h->values->member(v, "lfs", 3, &lfs) == DRH_OK && h->values->type(&lfs) == DRH_T_OBJECT) {
        sha256 = drh_hub_text(h, &lfs, "oid");
        sha256 = sha256.ptr ? sha256 : drh_hub_text(h, &lfs, "sha256");
    } else { /* of a large file this is the pointer's */
        oid = drh_hub_text(h, v, "oid");
    }
    return add_file(l, path, drh_hub_int(h, v, "size", -1), sha256, oid);
}

static drh_status add_page(struct listing *l, const drh_value *root)
{
    const drh_host *h = l->x->host;
    drh_value       one;
    drh_status      st, more;

    if (h->values->type(root) != DRH_T_ARRAY) {
        return drh_fail(l->e, DRH_E_DATA, "the listing is no list");
    }
    st = DRH_OK;
    for (more = h->values->child(root, &one); st == DRH_OK && more == DRH_OK;
         more = h->values->next(&one)) {
        st = add_entry(l, &one);
    }
    return st;
}

/* The hub, or a name that its own links give it: mirrors pass those on unchanged. */
static int is_alias(const struct hf *x, drh_str origin)
{
    static const char *const names[] = {"https://huggingface.co", "https://hf.co",
                                        "https://www.huggingface.co", NULL};
    drh_str                  own = drh_text_str(&x->endpoint), rest;
    const char              *slashes = strstr(own.ptr, "://");
    size_t                   i;

    own.len = slashes ? (size_t)(slashes - own.ptr) + 3 : 0;
    rest = drh_str_from(drh_text_str(&x->endpoint), own.len);
    own.len += drh_str_cut(rest, '/', NULL).len;
    if (origin.len == own.len && memcmp(origin.ptr, own.ptr, own.len) == 0) {
        return 1;
    }
    for (i = 0; names[i]; i++) {
        if (drh_str_eq(origin, names[i])) {
            return 1;
        }
    }
    return 0;
}

/* l->url becomes the address of the next page: what the link says behind the host, at our endpoint.
 */
static drh_status follow_link(struct listing *l, drh_str link)
{
    drh_str     path = link, origin = {NULL, 0};
    const char *api;

    if (!drh_str_starts(link, "/")) {
        drh_str     rest;
        const char *slashes = strstr(link.ptr, "://");
        size_t      scheme =
            slashes && slashes < link.ptr + link.len ? (size_t)(slashes - link.ptr) + 3 : 0;
        rest = drh_str_from(link, scheme);
        origin = link;
        origin.len = scheme + drh_str_cut(rest, '/', NULL).len;
        path = drh_str_from(link, origin.len);
        if (scheme == 0 || !is_alias(l->x, origin)) {
            return drh_fail(l->e, DRH_E_NETWORK,
                            "the listing of %s goes on at %.*s, which is not the hub; it is not "
                            "followed",
                            l->x->page.ptr, (int)(origin.len < 100 ? origin.len : 100),
                            origin.ptr ? origin.ptr : "?");
        }
    }
    api = path.len ? strstr(path.ptr, "/api/") : NULL; /* a prefix of the endpoint comes before */
    if (!api || api >= path.ptr + path.len || drh_str_cut(path, '?', NULL).len < 5) {
        return drh_fail(l->e, DRH_E_NETWORK,
                        "the listing's link to its next page is not of the API");
    }
    path = drh_str_from(path, (size_t)(api - path.ptr));
    drh_text_clear(&l->url);
    drh_text_addv(&l->url, drh_text_str(&l->x->endpoint));
    drh_text_addv(&l->url, path);
    return l->url.failed ? no_memory(l->e) : DRH_OK;
}

/* Pages that lead in a circle would never end. */
static drh_status check_new(struct listing *l)
{
    const drh_host *h = l->x->host;
    uint64_t        hash = 14695981039346656037u; /* FNV-1a */
    size_t          i;

    for (i = 0; i < l->url.len; i++) {
        hash = (hash ^ (unsigned char)l->url.ptr[i]) * 1099511628211u;
    }
    for (i = 0; i < l->n_pages; i++) {
        if (l->seen[i] == hash) {
            return drh_fail(l->e, DRH_E_NETWORK,
                            "the listing of %s repeats a page: it would never end", l->x->page.ptr);
        }
    }
    if (l->n_pages == MAX_PAGES) {
        return drh_fail(l->e, DRH_E_RANGE, "the listing of %s has more than %d pages",
                        l->x->page.ptr, (int)MAX_PAGES);
    }
    if (l->n_pages == l->cap) {
        size_t    cap = l->cap ? l->cap * 2 : 16;
        uint64_t *more = h->alloc(h, l->seen, cap * sizeof(*more));
        if (!more) {
            return no_memory(l->e);
        }
        l->seen = more;
        l->cap = cap;
    }
    l->seen[l->n_pages++] = hash;
    return DRH_OK;
}

/* One page; *more when there is another.  DRH_E_UNSUPPORTED: this hub has no tree. */
static drh_status one_page(struct listing *l, int *more)
{
    struct hf   *x = l->x;
    drh_hub_page p;
    drh_status   st = check_new(l);
    drh_str      next;

    *more = 0;
    if (st != DRH_OK) {
        return st;
    }
    st = get(x, &l->url, &p, l->e);
    if (st == DRH_OK && !p.doc) {
        st = hf_explain(x, p.answer, "the listing", l->e);
        st = st == DRH_OK
                 ? drh_fail(l->e, DRH_E_NETWORK, "%s answers %u", x->endpoint.ptr, p.answer->status)
                 : st;
        if (l->n_pages == 1 && (p.answer->status == 404 || p.answer->status >= 500)) {
            st = DRH_E_UNSUPPORTED;
        }
    } else if (st == DRH_OK) {
        st = add_page(l, &p.root);
        next = drh_hub_next(drh_hub_header(p.answer, "link"));
        if (st == DRH_OK && next.ptr) {
            *more = 1;
            st = follow_link(l, next);
        }
    }
    drh_hub_page_free(x->host, x->http, &p);
    return st;
}

static drh_status read_tree(struct listing *l)
{
    struct hf *x = l->x;
    int        more = 1;
    drh_status st = DRH_OK;

    drh_text_clear(&l->url);
    drh_text_addv(&l->url, drh_text_str(&x->endpoint));
    drh_text_adds(&l->url, "/api/");
    drh_text_adds(&l->url, hf_api_type(x));
    drh_text_adds(&l->url, "/");
    drh_text_addv(&l->url, x->repo.id);
    drh_text_adds(&l->url, "/tree/");
    drh_text_quote(&l->url, drh_text_str(&x->commit), "");
    drh_text_adds(&l->url, "?recursive=true&expand=false");
    while (st == DRH_OK && more) {
        st = one_page(l, &more);
        x->host->progress(x->host, l->n_files, 0, "listing");
    }
    return st;
}

/* ---- the repository ---- */

static void put_info_url(struct listing *l, const char *query)
{
    struct hf *x = l->x;

    drh_text_clear(&l->url);
    drh_text_addv(&l->url, drh_text_str(&x->endpoint));
    drh_text_adds(&l->url, "/api/");
    drh_text_adds(&l->url, hf_api_type(x));
    drh_text_adds(&l->url, "/");
    drh_text_addv(&l->url, x->repo.id);
    drh_text_adds(&l->url, "/revision/");
    drh_text_quote(&l->url, drh_text_str(&x->revision), "");
    drh_text_adds(&l->url, query);
}

static void take_license(struct hf *x, const drh_value *root)
{
    const drh_host *h = x->host;
    drh_value       card, v, one;
    drh_status      more;
    drh_str         s;

    drh_text_clear(&x->license);
    if (h->values->member(root, "cardData", 8, &card) == DRH_OK &&
        h->values->member(&card, "license", 7, &v) == DRH_OK) {
        if (h->values->str(&v, &s) == DRH_OK) {
            drh_text_addv(&x->license, s);
        }
        for (more = h->values->child(&v, &one); more == DRH_OK; more = h->values->next(&one)) {
            if (h->values->str(&one, &s) == DRH_OK) {
                drh_text_adds(&x->license, x->license.len ? ", " : "");
                drh_text_addv(&x->license, s);
            }
        }
    }
    if (x->license.len == 0 && h->values->member(root, "tags", 4, &v) == DRH_OK) {
        for (more = h->values->child(&v, &one); more == DRH_OK; more = h->values->next(&one)) {
            if (h->values->str(&one, &s) == DRH_OK && drh_str_starts(s, "license:")) {
                drh_text_clear(&x->license);
                drh_text_addv(&x->license, drh_str_from(s, strlen("license:")));
            }
        }
    }
}

/* The commit that the revision is now.  A commit stays what it is, whatever a mirror says. */
static drh_status take_commit(struct listing *l, const drh_value *root)
{
    struct hf *x = l->x;
    drh_str    sha = drh_hub_text(x->host, root, "sha"), asked = drh_text_str(&x->revision);

    if (!drh_str_hex(sha, COMMIT)) {
        if (!drh_str_hex(asked, COMMIT)) {
            return drh_fail(l->e, DRH_E_NETWORK, "%s does not say which commit \"%s\" is",
                            x->page.ptr, x->revision.ptr);
        }
        sha = asked;
    }
    if (drh_str_hex(asked, COMMIT) && memcmp(asked.ptr, sha.ptr, COMMIT) != 0) {
        return drh_fail(l->e, DRH_E_DATA, "%s answers with commit %.40s when asked for %.40s",
                        x->page.ptr, sha.ptr, asked.ptr);
    }
    drh_text_clear(&x->commit);
    drh_text_addv(&x->commit, sha);
    drh_text_clear(&x->name);
    drh_text_addv(&x->name, x->repo.id);
    drh_text_adds(&x->name, "@");
    drh_text_add(&x->name, sha.ptr, 7);
    return x->commit.failed || x->name.failed ? no_memory(l->e) : DRH_OK;
}

static void pass_on_warning(const struct hf *x, const drh_http_answer *a)
{
    drh_str w = drh_hub_header(a, "x-hf-warning");

    if (w.len) {
        drh_logf(x->host, DRH_LOG_WARN, "the hub says: %.*s", (int)(w.len < 300 ? w.len : 300),
                 w.ptr);
    }
}

static drh_status read_info(struct listing *l)
{
    struct hf   *x = l->x;
    drh_hub_page p;
    drh_status   st;

    put_info_url(l, "");
    st = get(x, &l->url, &p, l->e);
    if (st == DRH_OK && !p.doc) {
        st = hf_explain(x, p.answer, "the repository's page", l->e);
        st = st == DRH_OK
                 ? drh_fail(l->e, DRH_E_NETWORK, "%s answers %u", x->endpoint.ptr, p.answer->status)
                 : st;
    } else if (st == DRH_OK) {
        pass_on_warning(x, p.answer);
        if (!drh_str_starts(p.answer->url, x->endpoint.ptr)) {
            drh_logf(x->host, DRH_LOG_WARN,
                     "%s sends its visitors to another host; it may not serve "
                     "this region, or a proxy is in between",
                     x->endpoint.ptr);
        }
        st = take_commit(l, &p.root);
        take_license(x, &p.root);
    }
    drh_hub_page_free(x->host, x->http, &p);
    return st;
}

static drh_status add_sibling(struct listing *l, const drh_value *v)
{
    const drh_host *h = l->x->host;
    drh_str         path = drh_hub_text(h, v, "rfilename"), sha256 = {NULL, 0}, oid = {NULL, 0};
    drh_value       lfs;

    if (!path.ptr) {
        return DRH_OK;
    }
    if (h->values->member(v, "lfs", 3, &lfs) == DRH_OK && h->values->type(&lfs) == DRH_T_OBJECT) {
        sha256 = drh_hub_text(h, &lfs, "sha256");
    } else {
        oid = drh_hub_text(h, v, "blobId");
    }
    return add_file(l, path, drh_hub_int(h, v, "size", -1), sha256, oid);
}

/* Some mirrors cannot show the tree, but know the files of a repository as a whole. */
static drh_status read_siblings(struct listing *l)
{
    const drh_host *h = l->x->host;
    drh_hub_page    p;
    drh_value       list, one;
    drh_status      st, more;

    put_info_url(l, "?blobs=true");
    st = get(l->x, &l->url, &p, l->e);
    if (st == DRH_OK && (!p.doc || h->values->member(&p.root, "siblings", 8, &list) != DRH_OK)) {
        st = drh_fail(l->e, DRH_E_NETWORK, "%s shows neither the tree of %s nor its files",
                      l->x->endpoint.ptr, l->x->page.ptr);
    } else if (st == DRH_OK) {
        for (more = h->values->child(&list, &one); st == DRH_OK && more == DRH_OK;
             more = h->values->next(&one)) {
            st = add_sibling(l, &one);
        }
    }
    drh_hub_page_free(h, l->x->http, &p);
    return st;
}

/* ---- subset and split ---- */

static drh_status read_card(struct listing *l)
{
    struct hf             *x = l->x;
    const drh_file         f = {.struct_size = sizeof(f), .name = drh_str_of("README.md")};
    drh_http_req           req = {.struct_size = sizeof(req)};
    const drh_http_answer *a = NULL;
    drh_status             st;

    if (!l->has_card || !card_asked(&l->card)) {
        return DRH_OK;
    }
    st = hf_request(x, &f, &req, l->e);
    st = st == DRH_OK ? x->http->call(x->host, &req, &a, l->e) : st;
    if (st == DRH_OK && a->status / 100 != 2) {
        st = hf_explain(x, a, "README.md", l->e);
        st = st == DRH_OK
                 ? drh_fail(l->e, DRH_E_NETWORK, "%s answers %u", x->endpoint.ptr, a->status)
                 : st;
    } else if (st == DRH_OK) {
        st = card_read(&l->card, a->body, l->e);
    }
    x->http->release(x->host, a);
    return st;
}

static int offline(void)
{
    static const char *const names[] = {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"};
    size_t                   i;

    for (i = 0; i < 2; i++) {
        const char *v = secure_getenv(names[i]);
        if (v && (strcmp(v, "1") == 0 || strcasecmp(v, "true") == 0 || strcasecmp(v, "yes") == 0 ||
                  strcasecmp(v, "on") == 0)) {
            return 1;
        }
    }
    return 0;
}

drh_status hf_list(void *self, drh_list *list, drh_error *e)
{
    struct hf     *x = self;
    struct listing l = {.x = x, .url = {.host = x->host}, .e = e};
    drh_status     st;

    l.shelf.kept.host = x->host;
    card_open(&l.card, x->host, x->config);
    if (offline()) {
        return drh_fail(e, DRH_E_NETWORK, "HF_HUB_OFFLINE is set, so nobody is asked");
    }
    st = read_info(&l);
    st = st == DRH_OK ? read_tree(&l) : st;
    if (st == DRH_E_UNSUPPORTED) {
        st = read_siblings(&l);
    }
    if (st == DRH_OK && l.shelf.kept.len == 0) {
        st = l.n_files
                 ? drh_fail(e, DRH_E_MISSING,
                            "%s has %llu files, and none is wanted: look at include, exclude, "
                            "files and the path in the address",
                            x->page.ptr, (unsigned long long)l.n_files)
                 : drh_fail(e, DRH_E_MISSING, "%s has no file", x->page.ptr);
    }
    st = st == DRH_OK ? read_card(&l) : st;
    st = st == DRH_OK ? shelf_pass(&l.shelf, &l.card, x->page.ptr, list, e) : st;
    (void)x->host->alloc(x->host, l.seen, 0);
    drh_text_free(&l.url);
    drh_text_free(&l.shelf.kept);
    card_close(&l.card);
    return st;
}
