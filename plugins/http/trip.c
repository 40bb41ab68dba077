/* SPDX-License-Identifier: MIT
 * trip.c - see trip.h. */
#include "trip.h"

enum { MAX_REDIRECTS = 10, MAX_HEADER = 64 << 10 };

static char *copy(const drh_host *h, drh_str s)
{
    char *p = h->alloc(h, NULL, s.len + 1);

    if (p) {
        memcpy(p, s.ptr, s.len);
        p[s.len] = '\0';
    }
    return p;
}

static void forget(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l; l = l->next) {
        explicit_bzero(l->data, strlen(l->data));
    }
    curl_slist_free_all(list);
}

static bool append(struct curl_slist **list, const char *line)
{
    struct curl_slist *more = curl_slist_append(*list, line);

    *list = more ? more : *list;
    return more != NULL;
}

static bool is_line(drh_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F) {
            return false;
        }
    }
    return true;
}

/* RFC 9110, 5.6.2 */
static bool is_name(drh_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("!#$%&'*+-.^_`|~", c)))) {
            return false;
        }
    }
    return s.len > 0;
}

static drh_status add_header(struct trip *t, const drh_http_header *x, bool secret, drh_error *e)
{
    const size_t cap = x->name.len + x->value.len + 3;
    char        *line;
    bool         ok;

    if (!is_name(x->name)) {
        return drh_fail(e, DRH_E_ARG, "a header's name must be letters, digits and dashes");
    }
    if (cap > MAX_HEADER || !is_line(x->value)) {
        return drh_fail(e, DRH_E_ARG, "header %.*s: %s", (int)(x->name.len < 80 ? x->name.len : 80),
                        x->name.ptr,
                        secret ? "the secret in it must be one line of text"
                               : "must be one line of text");
    }
    line = t->host->alloc(t->host, NULL, cap);
    if (!line) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for headers");
    }
    /* libcurl sends "name;" as a header without value */
    (void)snprintf(line, cap, x->value.len ? "%.*s: %.*s" : "%.*s;%.*s", (int)x->name.len,
                   x->name.ptr, (int)x->value.len, x->value.len ? x->value.ptr : "");
    ok = append(&t->all_headers, line) && (secret || append(&t->headers, line));
    explicit_bzero(line, cap);
    (void)t->host->alloc(t->host, line, 0);
    return ok ? DRH_OK : drh_fail(e, DRH_E_NOMEM, "out of memory for headers");
}

static drh_status add_headers(struct trip *t, const drh_http_req *req, drh_error *e)
{
    static const drh_http_header plain = {{"Accept-Encoding", 15}, {"identity", 8}};
    drh_status                   st = DRH_OK;

    if (!(req->flags & DRH_HTTP_COMPRESSED)) {
        st = add_header(t, &plain, false, e);
    }
    for (size_t i = 0; st == DRH_OK && i < req->n_headers; i++) {
        st = add_header(t, &req->headers[i], false, e);
    }
    for (size_t i = 0; st == DRH_OK && i < req->n_credentials; i++) {
        st = add_header(t, &req->credentials[i], true, e);
    }
    return st;
}

drh_status trip_new(struct trip *t, const drh_host *h, const drh_http_req *req, drh_error *e)
{
    drh_status st;

    memset(t, 0, sizeof(*t));
    t->host = h;
    t->at_home = true;
    t->secret = req->n_credentials > 0;
    if (req->url.len == 0 || memchr(req->url.ptr, 0, req->url.len) || !is_line(req->url)) {
        return drh_fail(e, DRH_E_ARG, "a request needs a URL");
    }
    t->start = copy(h, req->url);
    if (!t->start) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a URL");
    }
    st = url_origin(t->start, &t->home, e);
    st = st == DRH_OK ? add_headers(t, req, e) : st;
    if (st != DRH_OK) {
        trip_free(t);
    }
    return st;
}

void trip_free(struct trip *t)
{
    if (!t->host) {
        return;
    }
    forget(t->headers);
    forget(t->all_headers);
    (void)t->host->alloc(t->host, t->url, 0);
    (void)t->host->alloc(t->host, t->start, 0);
    memset(t, 0, sizeof(*t));
}

const char *trip_url(const struct trip *t)
{
    return t->url ? t->url : t->start;
}

struct curl_slist *trip_headers(const struct trip *t)
{
    return t->at_home ? t->all_headers : t->headers;
}

bool trip_is_redirect(uint32_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

drh_status trip_follow(struct trip *t, drh_str location, drh_error *e)
{
    char         *to = NULL;
    struct origin o;
    drh_status    st;

    if (t->redirects >= MAX_REDIRECTS) {
        return drh_fail(e, DRH_E_NETWORK, "it redirects more than %d times", (int)MAX_REDIRECTS);
    }
    st = url_redirect(t->host, trip_url(t), location, &to, e);
    st = st == DRH_OK ? url_origin(to, &o, e) : st;
    if (st == DRH_OK && strcmp(to, trip_url(t)) == 0) {
        st = drh_fail(e, DRH_E_NETWORK, "it redirects to itself");
    }
    if (st != DRH_OK) {
        (void)t->host->alloc(t->host, to, 0);
        return st;
    }
    (void)t->host->alloc(t->host, t->url, 0);
    t->url = to;
    t->at_home = origin_same(&o, &t->home);
    t->redirects++;
    return DRH_OK;
}

void trip_back(struct trip *t)
{
    (void)t->host->alloc(t->host, t->url, 0);
    t->url = NULL;
    t->at_home = true;
    t->redirects = 0;
}
