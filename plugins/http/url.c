/* SPDX-License-Identifier: MIT
 * url.c - see url.h. */
#include "url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>

enum { MAX_URL = 32 << 10 };

static void lower(char *to, size_t cap, const char *from)
{
    size_t n = 0;

    for (; from[n] && n + 1 < cap; n++) {
        to[n] = (char)tolower((unsigned char)from[n]);
    }
    to[n] = '\0';
}

static drh_status part(CURLU *u, CURLUPart what, unsigned flags, char *to, size_t cap)
{
    char *text = NULL;

    if (curl_url_get(u, what, &text, flags) != CURLUE_OK || !text) {
        return DRH_E_MISSING;
    }
    if (strlen(text) >= cap) {
        curl_free(text);
        return DRH_E_RANGE;
    }
    lower(to, cap, text);
    curl_free(text);
    return DRH_OK;
}

static bool has_user(CURLU *u)
{
    char *text = NULL;
    bool  has = curl_url_get(u, CURLUPART_USER, &text, 0) == CURLUE_OK;

    curl_free(text);
    if (!has) {
        text = NULL;
        has = curl_url_get(u, CURLUPART_PASSWORD, &text, 0) == CURLUE_OK;
        curl_free(text);
    }
    return has;
}

static drh_status origin_of(CURLU *u, struct origin *out, drh_error *e)
{
    char port[8] = "";

    memset(out, 0, sizeof(*out));
    if (part(u, CURLUPART_SCHEME, 0, out->scheme, sizeof(out->scheme)) != DRH_OK ||
        (strcmp(out->scheme, "http") != 0 && strcmp(out->scheme, "https") != 0)) {
        return drh_fail(e, DRH_E_ARG, "only http and https are spoken here");
    }
    if (part(u, CURLUPART_HOST, 0, out->host, sizeof(out->host)) != DRH_OK ||
        part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)) != DRH_OK) {
        return drh_fail(e, DRH_E_ARG, "it names no host");
    }
    if (has_user(u)) {
        return drh_fail(e, DRH_E_ARG, "it holds a user's name; give a token as an option instead");
    }
    out->port = (uint16_t)strtoul(port, NULL, 10);
    return DRH_OK;
}

drh_status url_origin(const char *url, struct origin *out, drh_error *e)
{
    CURLU     *u = curl_url();
    char       plain[200];
    drh_status st;

    if (!u) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a URL");
    }
    if (strlen(url) > MAX_URL ||
        curl_url_set(u, CURLUPART_URL, url, CURLU_PATH_AS_IS) != CURLUE_OK) {
        st = drh_fail(e, DRH_E_ARG, "%s is not a URL", url_plain(url, plain, sizeof(plain)));
    } else if ((st = origin_of(u, out, e)) != DRH_OK && e) {
        char why[sizeof(e->message)];
        memcpy(why, e->message, sizeof(why));
        (void)drh_fail(e, st, "%s: %.150s", url_plain(url, plain, sizeof(plain)), why);
    }
    curl_url_cleanup(u);
    return st;
}

bool origin_same(const struct origin *a, const struct origin *b)
{
    return a->port == b->port && strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0;
}

/* ".." as a part of the path, plain or encoded. */
static bool climbs(const char *location)
{
    size_t n = strcspn(location, "?#");

    for (const char *p = location; p < location + n;) {
        size_t len = strcspn(p, "/?#"), dots = 0;
        for (size_t i = 0; i < len;) {
            size_t w = p[i] == '.' ? 1 : strncasecmp(p + i, "%2e", 3) == 0 ? 3 : 0;
            if (w == 0) {
                dots = 0;
                break;
            }
            dots++;
            i += w;
        }
        if (dots == 2) {
            return true;
        }
        p += len + 1;
    }
    return false;
}

static drh_status redirect_to(CURLU *u, const char *location, const struct origin *from,
                              drh_error *e)
{
    struct origin to;
    drh_status    st;
    const char   *colon = strchr(location, ':');
    size_t        scheme = colon ? (size_t)(colon - location) : 0;

    if (climbs(location)) {
        return drh_fail(e, DRH_E_NETWORK, "it redirects to a path with \"..\"");
    }
    if (scheme && scheme == strcspn(location, "/?#:") &&
        !(scheme == 4 && strncasecmp(location, "http", 4) == 0) &&
        !(scheme == 5 && strncasecmp(location, "https", 5) == 0)) {
        return drh_fail(e, DRH_E_NETWORK,
                        "it redirects to %.*s:, and only http and https are spoken",
                        (int)(scheme < 20 ? scheme : 20), location);
    }
    if (curl_url_set(u, CURLUPART_URL, location, CURLU_PATH_AS_IS) != CURLUE_OK) {
        return drh_fail(e, DRH_E_NETWORK, "it redirects to something that is no URL");
    }
    st = origin_of(u, &to, e);
    if (st != DRH_OK) {
        char why[120];
        (void)snprintf(why, sizeof(why), "%.100s", e ? e->message : "");
        return drh_fail(e, DRH_E_NETWORK, "it redirects to a place that is refused: %s", why);
    }
    if (strcmp(from->scheme, "https") == 0 && strcmp(to.scheme, "http") == 0) {
        return drh_fail(e, DRH_E_NETWORK, "it redirects from https to http, to %s", to.host);
    }
    return DRH_OK;
}

drh_status url_redirect(const drh_host *h, const char *base, drh_str location, char **out,
                        drh_error *e)
{
    CURLU        *u = curl_url();
    char         *text = NULL, *loc = h->alloc(h, NULL, location.len + 1);
    struct origin from;
    drh_status    st = u && loc ? DRH_OK : drh_fail(e, DRH_E_NOMEM, "out of memory for a URL");

    *out = NULL;
    if (st == DRH_OK &&
        (location.len == 0 || location.len > MAX_URL || memchr(location.ptr, 0, location.len))) {
        st = drh_fail(e, DRH_E_NETWORK, "it redirects without saying where to");
    }
    if (st == DRH_OK) {
        memcpy(loc, location.ptr, location.len);
        loc[location.len] = '\0';
        st = curl_url_set(u, CURLUPART_URL, base, CURLU_PATH_AS_IS) == CURLUE_OK
                 ? origin_of(u, &from, e)
                 : drh_fail(e, DRH_E_ARG, "not a URL");
    }
    st = st == DRH_OK ? redirect_to(u, loc, &from, e) : st;
    if (st == DRH_OK && curl_url_get(u, CURLUPART_URL, &text, 0) != CURLUE_OK) {
        st = drh_fail(e, DRH_E_NETWORK, "it redirects to something that is no URL");
    }
    if (st == DRH_OK) {
        *out = h->alloc(h, NULL, strlen(text) + 1);
        if (*out) {
            memcpy(*out, text, strlen(text) + 1);
        } else {
            st = drh_fail(e, DRH_E_NOMEM, "out of memory for a URL");
        }
    }
    curl_free(text);
    curl_url_cleanup(u);
    (void)h->alloc(h, loc, 0);
    return st;
}

const char *url_plain(const char *url, char *out, size_t cap)
{
    const char *host = strstr(url, "://");
    size_t      end = strcspn(url, "?#"), at = 0;

    host = host ? host + 3 : url;
    if (host < url + end) { /* a user's name ends at the last '@' before the path */
        size_t n = strcspn(host, "/?#");
        for (size_t i = 0; i < n; i++) {
            at = host[i] == '@' ? i + 1 : at;
        }
    }
    if (at) {
        (void)snprintf(out, cap, "%.*s%.*s", (int)(host - url), url, (int)(url + end - (host + at)),
                       host + at);
    } else {
        (void)snprintf(out, cap, "%.*s", (int)end, url);
    }
    return out;
}
