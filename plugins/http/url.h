/* SPDX-License-Identifier: MIT
 * url.h - origins, redirects, and URLs that people may see.  Pure functions over libcurl's URL
 * parser. [any] */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <drh/util.h>

#include <stdbool.h>

/* Scheme, host and port, in lower case; who shares them may see each other's credentials. */
struct origin {
    char     scheme[8];
    char     host[256];
    uint16_t port;
};

/* DRH_E_ARG: not an absolute http or https URL, or one with a user's name in it. */
drh_status url_origin(const char *url, struct origin *out, drh_error *e);
bool       origin_same(const struct origin *a, const struct origin *b);
/* Where `location`, a redirect's header, leads from `base`.  *out is h->alloc'ed.  DRH_E_NETWORK
 * with the reason for a place that nobody should be led to: another scheme, from https to http,
 * with a user's name, with ".." in its path, or none at all. */
drh_status url_redirect(const drh_host *h, const char *base, drh_str location, char **out,
                        drh_error *e);
/* The URL without query, fragment and user, which may hold secrets; cut to fit.  Returns out. */
const char *url_plain(const char *url, char *out, size_t cap);

#endif
