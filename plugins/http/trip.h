/* SPDX-License-Identifier: MIT
 * trip.h - a request on its way: where it is, and the headers for there.  Credentials are for the
 * origin where it started.  One thread at a time. */
#ifndef HTTP_TRIP_H
#define HTTP_TRIP_H

#include "url.h"

#include <curl/curl.h>
#include <drh/http.h>

struct trip {
    const drh_host    *host;
    char              *start, *url; /* owned; url is NULL at the start */
    struct origin      home;
    struct curl_slist *headers;     /* for anyone */
    struct curl_slist *all_headers; /* with credentials */
    bool               at_home;     /* the URL now is of the origin of the start */
    bool               secret;      /* there are credentials */
    unsigned           redirects;
};

/* Copies what it needs of req.  DRH_E_ARG: no URL, or a header with a line break in it. */
drh_status  trip_new(struct trip *t, const drh_host *h, const drh_http_req *req, drh_error *e);
void        trip_free(struct trip *t); /* zeroed is fine */
const char *trip_url(const struct trip *t);
struct curl_slist *trip_headers(const struct trip *t);
/* To where a redirect leads; DRH_E_NETWORK when it is refused, or the tenth was one too few. */
drh_status trip_follow(struct trip *t, drh_str location, drh_error *e);
void       trip_back(struct trip *t); /* to the start */
bool       trip_is_redirect(uint32_t status);

#endif
