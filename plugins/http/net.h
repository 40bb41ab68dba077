/* SPDX-License-Identifier: MIT
 * net.h - the network thread: one libcurl multi handle, work handed over by other threads, timers.
 *
 * Everything but net_new, net_free and net_post runs on that thread, callbacks included, so what
 * they share needs no locks. */
#ifndef HTTP_NET_H
#define HTTP_NET_H

#include "limit.h"

#include <curl/curl.h>
#include <drh/http.h>

struct net;

struct net_options {
    drh_str  proxy, ca_file, user_agent; /* {NULL,0}: from the environment, or none */
    uint32_t connections;                /* of a download */
    uint32_t connect_ms, stall_ms;
    double   pause, longest_pause; /* seconds, between tries */
    uint32_t tries;                /* of a request, first one included */
};

/* `options` is copied; texts must outlive it. [main] */
drh_status net_new(struct net **out, const drh_host *h, const struct net_options *o, drh_error *e);
void       net_free(struct net *n); /* [main] stops the thread; NULL is fine */
const drh_host           *net_host(const struct net *n);
const struct net_options *net_options(const struct net *n);
struct limits            *net_limits(struct net *n);
double                    net_now(void); /* monotonic seconds */

/* Work from another thread: fn(arg) on the network thread, in order.  The item is the caller's
 * until then.  After net_free() has begun it is still called, with net_stopping(). [any] */
struct net_work {
    struct net_work *next;
    void (*fn)(void *arg);
    void *arg;
};
void net_post(struct net *n, struct net_work *w);
bool net_stopping(const struct net *n);

/* fn(arg) once, at `when` or later.  Set again: moved. */
struct net_timer {
    struct net_timer *next, **prev; /* in the list while set */
    double            when;
    void (*fn)(void *arg);
    void *arg;
};
void net_timer_set(struct net *n, struct net_timer *t, double when);
void net_timer_clear(struct net_timer *t);

/* ---- one exchange: a request to one URL and its answer, no redirects ---- */

struct exchange {
    /* -- set by the owner, which keeps it all alive until on_done */
    void              *owner;
    const char        *url;        /* copied by exchange_start, then the copy */
    const char        *method;     /* NULL: GET */
    struct curl_slist *headers;    /* may be NULL */
    drh_str            body;       /* {NULL,0}: none */
    char               range[48];  /* "0-99", or "" */
    bool               compressed; /* ask for and undo compression */
    bool               any_length; /* read to the connection's end whatever Content-Length says */
    bool               fresh;      /* not on a connection that was used before */
    bool               http1;      /* a connection of its own: bulk data */
    uint32_t           stall_ms;   /* 0: net_options */
    uint32_t           least_rate; /* bytes a second below which it counts as stalled; 0: 1 */
    /* false stops the exchange.  The head is complete, answer.body is not set.  Neither of the two
     * may start or stop an exchange. */
    bool (*on_head)(struct exchange *x);
    bool (*on_body)(struct exchange *x, const char *p, size_t n);
    /* The end; the exchange may be started again from here.  code says how it ended, CURLE_OK or
     * CURLE_WRITE_ERROR when a callback stopped it. */
    void (*on_done)(struct exchange *x);

    /* -- results */
    CURLcode code;
    char     error[CURL_ERROR_SIZE];
    drh_http_answer
         answer;   /* status 0: no head came; texts until the next start or exchange_free */
    bool has_head; /* on_head was called */

    /* -- net.c's own */
    struct net      *net;
    CURL            *easy;
    char            *own_url;
    double           started, last; /* when something came; 0: nothing yet */
    const char      *proxy;         /* what names one for it; NULL: none */
    struct gate     *gate;
    drh_http_header *header;
    size_t          *at; /* name and value of each header: offsets in text */
    size_t           cap_headers;
    char            *text;
    size_t           len_text, cap_text;
    struct exchange *next, **prev;
};

/* Starts it; on_done follows, never from inside.  DRH_E_NOMEM, DRH_E_ARG. */
drh_status exchange_start(struct net *n, struct exchange *x, drh_error *e);
void       exchange_stop(struct exchange *x); /* no callback any more; harmless when not started */
void       exchange_free(struct exchange *x); /* stops, frees what net.c holds for it */
/* What code and error mean, for people: "the connection was closed after 3 of 9 bytes". */
drh_status exchange_failure(const struct exchange *x, drh_error *e);

#endif
