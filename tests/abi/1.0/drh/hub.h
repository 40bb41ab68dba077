/* SPDX-License-Identifier: MIT
 *
 * drh/hub.h - helpers for sources that speak to a hub: texts that grow, percent-encoding, globs,
 * answer headers, links to the next page.  All inline; nothing to link.
 *
 * drhost pull hands its command line to a source as these options, so give them these names:
 *     repo       string, required: an id, or an address as people paste it
 *     type       "dataset" or "model"
 *     revision   branch, tag or commit
 *     include, exclude    lists of globs, drh_hub_wanted()
 *     files      list of names to bring, and nothing else
 *     subset, split    texts: parts of a data set
 *     endpoint   URL of the hub
 *     token      secret
 */
#ifndef DRH_HUB_H
#define DRH_HUB_H

#include <drh/http.h>
#include <drh/util.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a text that grows --------------------------------------------------------------------- */

/* Zero it, set host.  After a failed allocation it stays as it is and `failed` is set: check once,
 * at the end. */
typedef struct drh_text {
    const drh_host *host;
    char           *ptr; /* 0-terminated once something was added */
    size_t          len, cap;
    int             failed;
} drh_text;

static inline void drh_text_add(drh_text *t, const char *p, size_t n)
{
    if (t->failed) {
        return;
    }
    if (t->cap - t->len <= n) {
        size_t cap = (t->len + n + 1) * 2;
        char  *more = cap > n ? (char *)t->host->alloc(t->host, t->ptr, cap) : NULL;
        if (!more) {
            t->failed = 1;
            return;
        }
        t->ptr = more;
        t->cap = cap;
    }
    if (n) {
        memcpy(t->ptr + t->len, p, n);
    }
    t->len += n;
    t->ptr[t->len] = '\0';
}

static inline void drh_text_adds(drh_text *t, const char *s)
{
    drh_text_add(t, s, strlen(s));
}

static inline void drh_text_addv(drh_text *t, drh_str s)
{
    drh_text_add(t, s.ptr, s.len);
}

/* Percent-encoded as a part of a URL: letters, digits and -._~ stay, and what `keep` names ("/" for
 * a path). */
static inline void drh_text_quote(drh_text *t, drh_str s, const char *keep)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t            i;

    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
            (c && strchr("-._~", c)) || (c && strchr(keep, c))) {
            drh_text_add(t, s.ptr + i, 1);
        } else {
            char code[3];
            code[0] = '%';
            code[1] = hex[c >> 4];
            code[2] = hex[c & 15];
            drh_text_add(t, code, 3);
        }
    }
}

/* A text of JSON, in quotes. */
static inline void drh_text_json(drh_text *t, drh_str s)
{
    size_t i;

    drh_text_adds(t, "\"");
    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20) {
            char code[8];
            (void)snprintf(code, sizeof(code), "\\u%04x", c);
            drh_text_adds(t, code);
        } else {
            drh_text_adds(t, c == '"' || c == '\\' ? "\\" : "");
            drh_text_add(t, s.ptr + i, 1);
        }
    }
    drh_text_adds(t, "\"");
}

static inline int drh_hub_digit(char c) /* value of a hexadecimal digit, or -1 */
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A part of an address, where "%20" is a space; what is no code stays. */
static inline void drh_text_unquote(drh_text *t, drh_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        int  high = s.ptr[i] == '%' && i + 2 < s.len ? drh_hub_digit(s.ptr[i + 1]) : -1;
        int  low = high >= 0 ? drh_hub_digit(s.ptr[i + 2]) : -1;
        char c = low >= 0 ? (char)(high * 16 + low) : s.ptr[i];
        drh_text_add(t, &c, 1);
        i += low >= 0 ? 2 : 0;
    }
}

static inline void drh_text_clear(drh_text *t) /* keeps the memory */
{
    t->len = 0;
    t->failed = 0;
    if (t->ptr) {
        t->ptr[0] = '\0';
    }
}

static inline void drh_text_free(drh_text *t)
{
    if (t->ptr) {
        (void)t->host->alloc(t->host, t->ptr, 0);
    }
    t->ptr = NULL;
    t->len = t->cap = 0;
    t->failed = 0;
}

static inline drh_str drh_text_str(const drh_text *t)
{
    drh_str s;
    s.ptr = t->ptr ? t->ptr : "";
    s.len = t->len;
    return s;
}

/* ---- parts of texts ------------------------------------------------------------------------ */

static inline int drh_str_starts(drh_str s, const char *lit)
{
    size_t n = strlen(lit);
    return s.len >= n && memcmp(s.ptr, lit, n) == 0;
}

static inline int drh_str_ends(drh_str s, const char *lit)
{
    size_t n = strlen(lit);
    return s.len >= n && memcmp(s.ptr + s.len - n, lit, n) == 0;
}

/* s from byte `from` on; empty behind its end. */
static inline drh_str drh_str_from(drh_str s, size_t from)
{
    drh_str t;
    from = from < s.len ? from : s.len;
    t.ptr = s.ptr + from;
    t.len = s.len - from;
    return t;
}

/* What is before the first `c`, or all of s; *rest (may be NULL) gets what follows it. */
static inline drh_str drh_str_cut(drh_str s, char c, drh_str *rest)
{
    const char *p = s.len ? (const char *)memchr(s.ptr, c, s.len) : NULL;
    drh_str     before = s;

    if (p) {
        before.len = (size_t)(p - s.ptr);
    }
    if (rest) {
        *rest = drh_str_from(s, before.len + (p != NULL));
    }
    return before;
}

/* Exactly n hexadecimal digits. */
static inline int drh_str_hex(drh_str s, size_t n)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
            return 0;
        }
    }
    return s.len == n;
}

/* ---- globs --------------------------------------------------------------------------------- */

/* One character of a set "[...]" at p[0,n), p behind the bracket; *len gets the set's length with
 * its end.  -1: there is no end, the bracket is a plain character. */
static inline int drh_hub_set(const char *p, size_t n, unsigned char c, size_t *len)
{
    size_t i = 0, first;
    int    inverse = 0, hit = 0;

    if (i < n && p[i] == '!') {
        inverse = 1;
        i++;
    }
    for (first = i; i < n && (p[i] != ']' || i == first); i++) {
        if (i + 2 < n && p[i + 1] == '-' && p[i + 2] != ']') {
            hit |= c >= (unsigned char)p[i] && c <= (unsigned char)p[i + 2];
            i += 2;
        } else {
            hit |= c == (unsigned char)p[i];
        }
    }
    *len = i + 1;
    return i < n ? hit != inverse : -1;
}

/* A glob as the hubs' own tools read it: about the whole path, * stands for / too, ? for one byte,
 * no escapes, case counts.  "dir/" means all that is in it.  At most len(pattern) * len(path)
 * steps. */
static inline int drh_hub_match(drh_str pattern, drh_str path)
{
    size_t p = 0, s = 0, star = SIZE_MAX, mark = 0;
    size_t n = pattern.len;
    int    folder = n > 0 && pattern.ptr[n - 1] == '/';

    while (s < path.len) {
        size_t set = 0;
        int    hit = 0;
        if (p < n) {
            char c = pattern.ptr[p];
            if (c == '*') {
                star = p++;
                mark = s;
                continue;
            }
            hit = c == '?' || c == path.ptr[s];
            if (c == '[') {
                int in =
                    drh_hub_set(pattern.ptr + p + 1, n - p - 1, (unsigned char)path.ptr[s], &set);
                hit = in < 0 ? path.ptr[s] == '[' : in;
                set = in < 0 ? 0 : set;
            }
        } else if (folder) {
            return 1; /* the rest is inside of it */
        }
        if (hit) {
            p += 1 + set;
            s++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            s = ++mark;
        } else {
            return 0;
        }
    }
    while (p < n && pattern.ptr[p] == '*') {
        p++;
    }
    return p == n && !folder;
}

/* Is there a text in the list option `key` ("/include") that matches?  *n gets how many it has. */
static inline int drh_hub_any(const drh_host *h, const drh_config *c, const char *key, drh_str path,
                              int exact, size_t *n)
{
    drh_value  list, one;
    drh_status st;
    int        hit = 0;

    *n = 0;
    if (h->config->get_value(c, key, &list) != DRH_OK || h->values->type(&list) != DRH_T_ARRAY) {
        return 0;
    }
    *n = h->values->count(&list);
    for (st = h->values->child(&list, &one); st == DRH_OK && !hit; st = h->values->next(&one)) {
        drh_str text;
        if (h->values->str(&one, &text) == DRH_OK) {
            int folder = drh_str_ends(text, "/");
            hit = exact
                      ? (folder ? drh_str_starts(path, text.ptr)
                                : text.len == path.len && memcmp(text.ptr, path.ptr, text.len) == 0)
                      : drh_hub_match(text, path);
        }
    }
    return hit;
}

/* What the options files, include and exclude say of a path: `files` alone when it names any (a
 * name with / at its end is a folder), else in include, when that is given, and not in exclude. */
static inline int drh_hub_wanted(const drh_host *h, const drh_config *c, drh_str path)
{
    size_t n;
    int    in = drh_hub_any(h, c, "/files", path, 1, &n);

    if (n) {
        return in;
    }
    in = drh_hub_any(h, c, "/include", path, 0, &n);
    return (in || n == 0) && !drh_hub_any(h, c, "/exclude", path, 0, &n);
}

/* drh_file.flags of a path: one that the user did not choose by include or files, and that holds no
 * records by its name, is set aside. */
static inline uint32_t drh_hub_flags(const drh_host *h, const drh_config *c, drh_str path);

/* A file that holds no records as far as its name tells: cards, licences, pictures, code. */
static inline int drh_hub_aside(drh_str path)
{
    static const char *const data[] = {".json",  ".jsonl", ".ndjson", ".parquet", ".csv", ".tsv",
                                       ".arrow", ".txt",   ".gz",     ".zst",     ".xz",  ".bz2",
                                       ".zip",   ".tar",   ".tgz",    ".feather", NULL};
    static const char *const not_data[] = {
        "dataset_info.json", "dataset_infos.json", "dataset_dict.json",
        "state.json",        "configuration.json", "README.txt",
        "LICENSE.txt",       "requirements.txt",   NULL};
    drh_str name = path, rest;
    size_t  i;

    for (;;) { /* a hidden part anywhere; then `name` is the last one */
        if (name.len == 0 || name.ptr[0] == '.') {
            return 1;
        }
        (void)drh_str_cut(name, '/', &rest);
        if (rest.len == 0) {
            break;
        }
        name = rest;
    }
    for (i = 0; not_data[i]; i++) {
        if (drh_str_eq(name, not_data[i])) {
            return 1;
        }
    }
    for (i = 0; data[i]; i++) {
        if (drh_str_ends(name, data[i])) {
            return 0;
        }
    }
    return 1;
}

static inline uint32_t drh_hub_flags(const drh_host *h, const drh_config *c, drh_str path)
{
    size_t included, named;

    (void)drh_hub_any(h, c, "/include", path, 0, &included);
    (void)drh_hub_any(h, c, "/files", path, 1, &named);
    return !included && !named && drh_hub_aside(path) ? (uint32_t)DRH_FILE_ASIDE : 0;
}

/* ---- answers ------------------------------------------------------------------------------- */

/* Value of the first header of that name (lower case), or {NULL,0}. */
static inline drh_str drh_hub_header(const drh_http_answer *a, const char *name)
{
    size_t  i;
    drh_str none;

    for (i = 0; i < a->n_headers; i++) {
        if (drh_str_eq(a->headers[i].name, name)) {
            return a->headers[i].value;
        }
    }
    none.ptr = NULL;
    none.len = 0;
    return none;
}

/* How many bytes at the start of s are, `in` 1, or are not, one of `set`. */
static inline size_t drh_hub_span(drh_str s, const char *set, int in)
{
    size_t n = 0;

    while (n < s.len && (s.ptr[n] && strchr(set, s.ptr[n])) == in) {
        n++;
    }
    return n;
}

/* Is one of the words in s, parted by spaces, this one (lower case), whatever its case? */
static inline int drh_hub_word(drh_str s, const char *lower)
{
    size_t n = strlen(lower), i;

    while (s.len) {
        drh_str word = drh_str_cut(s, ' ', &s);
        for (i = 0; word.len == n && i < n; i++) {
            char c = word.ptr[i];
            if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != lower[i]) {
                break;
            }
        }
        if (word.len == n && i == n) {
            return 1;
        }
    }
    return 0;
}

/* The next parameter of a link, `; name=value` or `; name="value"`; *rest moves behind it.  0:
 * there is none, *rest is at the comma or the end. */
static inline int drh_hub_param(drh_str *rest, drh_str *name, drh_str *value)
{
    drh_str s = drh_str_from(*rest, drh_hub_span(*rest, "; \t", 1));
    size_t  n = drh_hub_span(s, "=;, \t", 0);

    *name = *value = s;
    name->len = n;
    value->len = 0;
    s = drh_str_from(s, n);
    s = drh_str_from(s, drh_hub_span(s, " \t", 1));
    if (drh_str_starts(s, "=")) {
        s = drh_str_from(s, 1);
        s = drh_str_from(s, drh_hub_span(s, " \t", 1));
        if (drh_str_starts(s, "\"")) {
            *value = drh_str_from(s, 1);
            for (n = 0; n < value->len && value->ptr[n] != '"'; n++) {
                n += value->ptr[n] == '\\';
            }
            s = drh_str_from(*value, n + 1);
        } else {
            *value = s;
            n = drh_hub_span(s, ";, \t", 0);
            s = drh_str_from(s, n);
        }
        value->len = n < value->len ? n : value->len;
    } else if (name->len == 0) {
        *rest = s;
        return 0;
    }
    *rest = s;
    return 1;
}

/* The target of rel="next" in a Link header (RFC 8288), or {NULL,0}. */
static inline drh_str drh_hub_next(drh_str link)
{
    drh_str none;

    none.ptr = NULL;
    none.len = 0;
    while (link.len) {
        drh_str url, rest, name, value;
        int     next = 0, rels = 0;

        drh_str_cut(link, '<', &rest);
        url = drh_str_cut(rest, '>', &link);
        if (rest.len == url.len) {
            return none; /* no '>' */
        }
        while (drh_hub_param(&link, &name, &value)) {
            if (drh_hub_word(name, "rel") && rels++ == 0) { /* only the first one counts */
                next = drh_hub_word(value, "next");
            }
        }
        if (next) {
            return url;
        }
    }
    return none;
}

/* ---- asking ------------------------------------------------------------------------------------
 */

/* An answer that is JSON.  drh_hub_page_free() in any case. */
typedef struct drh_hub_page {
    const drh_http_answer *answer;
    drh_json              *doc; /* NULL: not 2xx, so not read */
    drh_value              root;
} drh_hub_page;

static inline void drh_hub_page_free(const drh_host *h, const drh_http *http, drh_hub_page *p)
{
    h->json_close(p->doc);
    http->release(h, p->answer);
    p->doc = NULL;
    p->answer = NULL;
}

/* Sends req and reads the answer; one that is broken JSON is asked for again, twice.  Any status is
 * DRH_OK here. */
static inline drh_status drh_hub_get(const drh_host *h, const drh_http *http,
                                     const drh_http_req *req, drh_hub_page *p, drh_error *e)
{
    drh_status st = DRH_E_DATA;
    int        tries;

    memset(p, 0, sizeof(*p));
    for (tries = 0; tries < 3 && st == DRH_E_DATA; tries++) {
        drh_hub_page_free(h, http, p);
        st = http->call(h, req, &p->answer, e);
        if (st != DRH_OK) {
            return st; /* there is no answer, whatever the status is called */
        }
        if (p->answer->status / 100 == 2) {
            st = h->json_open(h, p->answer->body.ptr, p->answer->body.len, &p->doc, &p->root, e);
        }
    }
    if (st == DRH_E_DATA) {
        drh_str body = p->answer->body;
        char    why[200];
        while (body.len && strchr(" \t\r\n", body.ptr[0])) {
            body = drh_str_from(body, 1);
        }
        if (drh_str_starts(body, "<")) {
            return drh_fail(
                e, DRH_E_NETWORK,
                "a page for people came instead of a listing; is there a login page or a "
                "proxy in between?");
        }
        (void)snprintf(why, sizeof(why), "%.199s", e ? e->message : "");
        return drh_fail(e, DRH_E_NETWORK, "the listing is broken: %s", why);
    }
    return st;
}

/* A text, a whole number (else `none`) or a flag of a JSON object. */
static inline drh_str drh_hub_text(const drh_host *h, const drh_value *object, const char *key)
{
    drh_value v;
    drh_str   s;

    s.ptr = NULL;
    s.len = 0;
    if (h->values->member(object, key, strlen(key), &v) == DRH_OK) {
        (void)h->values->str(&v, &s);
    }
    return s;
}

static inline int64_t drh_hub_int(const drh_host *h, const drh_value *object, const char *key,
                                  int64_t none)
{
    drh_value v;
    int64_t   n;

    return h->values->member(object, key, strlen(key), &v) == DRH_OK &&
                   h->values->i64(&v, &n) == DRH_OK
               ? n
               : none;
}

static inline int drh_hub_true(const drh_host *h, const drh_value *object, const char *key)
{
    drh_value v;
    int32_t   yes = 0;

    return h->values->member(object, key, strlen(key), &v) == DRH_OK &&
           h->values->boolean(&v, &yes) == DRH_OK && yes;
}

/* ---- options and secrets -----------------------------------------------------------------------
 */

/* A text option, or {NULL,0}. */
static inline drh_str drh_hub_option(const drh_host *h, const drh_config *c, const char *pointer)
{
    drh_str s;

    s.ptr = NULL;
    s.len = 0;
    (void)h->config->get_str(c, pointer, &s);
    return s;
}

/* Does an address as people paste it hold a name and a password, "https://me:secret@host/..."? */
static inline int drh_hub_has_password(drh_str address)
{
    const char *host = address.len ? strstr(address.ptr, "://") : NULL;
    size_t      n = host ? strcspn(host + 3, "/?#") : 0;

    return host && memchr(host + 3, '@', n) != NULL;
}

/* Makes `url` the beginning of addresses, without '/' at its end.  DRH_E_CONFIG: no URL of a hub.
 */
static inline drh_status drh_hub_endpoint(drh_text *url, drh_error *e)
{
    drh_str s = drh_text_str(url);

    while (drh_str_ends(s, "/")) {
        s.len--;
    }
    if (url->failed) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for an endpoint");
    }
    url->len = s.len;
    if (url->ptr) {
        url->ptr[s.len] = '\0';
    }
    if (strchr(s.ptr, '@')) { /* not printed: it may hold a password */
        return drh_fail(e, DRH_E_CONFIG,
                        "endpoint: a URL with '@' is taken for one with a password in it; write "
                        "https://HOST, and give the token as \"token\"");
    }
    if ((!drh_str_starts(s, "https://") && !drh_str_starts(s, "http://")) ||
        strpbrk(s.ptr, "?#@ ")) {
        return drh_fail(e, DRH_E_CONFIG,
                        "endpoint: \"%.150s\" is no URL of a hub; write https://HOST", s.ptr);
    }
    return DRH_OK;
}

/* Is it on one of these hosts ("https://hub.example", NULL at the end), whatever the path? */
static inline int drh_hub_is_at(drh_str url, const char *const *hosts)
{
    size_t i;

    for (i = 0; hosts[i]; i++) {
        size_t n = strlen(hosts[i]);
        if (drh_str_starts(url, hosts[i]) && (url.len == n || url.ptr[n] == '/')) {
            return 1;
        }
    }
    return 0;
}

/* This machine. */
static inline int drh_hub_here(drh_str url)
{
    int     tls = drh_str_starts(url, "https://");
    drh_str host = drh_str_from(url, tls ? strlen("https://") : strlen("http://"));

    if (!tls && !drh_str_starts(url, "http://")) {
        return 0;
    }
    host = drh_str_cut(host, '/', NULL);
    if (drh_str_starts(host, "[::1]")) {
        return host.len == 5 || host.ptr[5] == ':';
    }
    host = drh_str_cut(host, ':', NULL);
    /* numbers only: 127.example.org is somebody's name */
    return drh_str_eq(host, "localhost") ||
           (drh_str_starts(host, "127.") && strspn(host.ptr, "0123456789.") >= host.len);
}

/* May a token be sent to this URL at all: over https, or to this machine. */
static inline int drh_hub_private(drh_str url)
{
    return drh_str_starts(url, "https://") || drh_hub_here(url);
}

#ifdef __cplusplus
}
#endif
#endif /* DRH_HUB_H */
