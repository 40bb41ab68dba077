/* SPDX-License-Identifier: MIT
 *
 * http_help.h - the service `http` for tests, made by its own entry, with options of the test's
 * choice; and one tiny server that it talks to.  One of each at a time.
 */
#ifndef HTTP_HELP_H
#define HTTP_HELP_H

#include "bare_host.h"
#include "tiny_server.h"

#include <drh/http.h>
#include <drh/util.h>

extern const drh_http_provider *http_api;  /* the service's table, and itself */
extern void                    *http_self; /* NULL: not running */
extern struct tiny             *server;

/* Options; as small as a test needs them at first. */
struct http_options {
    int64_t     connections, tries;
    double      stall, pause, longest_pause, connect_timeout;
    const char *user_agent, *proxy;
};
extern struct http_options http_options;

void help_setup(void);    /* fixture: no proxies, no service, no server */
void help_teardown(void); /* fixture: ends both; nothing is left */
void help_serve(const struct tiny_answer *answers, size_t n); /* starts both */
void help_stop(void);                                         /* ends the service */

/* "http://127.0.0.1:PORT/PATH" of the server; valid until the next call but two. */
const char *help_url(const char *path);
/* A GET of it. */
drh_http_req help_get(const char *path);

#define OK(body_length, body) "HTTP/1.1 200 OK\r\nContent-Length: " #body_length "\r\n\r\n" body
#define STATUS(code, more) "HTTP/1.1 " #code " X\r\n" more "Content-Length: 0\r\n\r\n"

/* call(), and a GET by it; the last answer, NULL: none, and what the last call said. */
extern const drh_http_answer *answer;
extern drh_error              http_error;
drh_status                    help_call(const drh_http_req *req);
drh_status                    help_call_get(const char *path);
void                          ck_answer(uint32_t status, const char *body);
void                          ck_said(const char *part);
bool                          asked(size_t i, const char *part); /* is it in the i-th request? */
double                        help_now(void);                    /* seconds */

/* What a streamed request has come to; any thread. */
struct stream {
    int        heads, dones; /* under the lock */
    uint32_t   status;
    char       body[4096];
    size_t     n;
    drh_status st;
    drh_error  e;
    /* -- set before the start */
    drh_status head_says, body_says;
    bool       cancel_at_head, cancel_at_body;
    uint64_t   id; /* set by stream_start() */
};
const drh_http_sink *stream_sink(struct stream *s); /* valid until the next call */
drh_status           stream_start(struct stream *s, const drh_http_req *req);
void                 stream_wait(struct stream *s);      /* for its end */
void                 stream_wait_head(struct stream *s); /* for its head */

#endif
