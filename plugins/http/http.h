/* SPDX-License-Identifier: MIT
 * http.h - drh.http/1: requests from any thread, redirects, repetitions, deadlines. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "net.h"

struct http;

drh_status http_new(struct http **out, struct net *n, drh_error *e);
/* After net_free(): by then every request has ended.  NULL is fine. */
void http_free(struct http *c);

/* As drh_http_provider.  [any] */
drh_status http_call(struct http *c, const drh_host *h, const drh_http_req *req,
                     const drh_http_answer **out, drh_error *e);
void       http_release(const drh_host *h, const drh_http_answer *a);
drh_status http_start(struct http *c, const drh_http_req *req, const drh_http_sink *sink,
                      uint64_t *id, drh_error *e);
void       http_cancel(struct http *c, uint64_t id);
/* http_start for a sink that can start over: with `whole` an answer that breaks off is asked for
 * again too, and head() is called again. */
drh_status http_begin(struct http *c, const drh_http_req *req, const drh_http_sink *sink,
                      bool whole, uint64_t *id, drh_error *e);

#endif
