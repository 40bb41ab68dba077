/* SPDX-License-Identifier: MIT
 *
 * drh/http.h - service "drh.http/1": any HTTP request, its answer whole or streamed.
 *
 * Two tables.  drh_http is what a stage gets from host->extension(DRH_HTTP): the host's proxy,
 * which counts requests and refuses new ones once the run is being stopped.  drh_http_provider is
 * what a service gives from drh_service_ops.get.
 *
 * What every provider does, so that no stage has to:
 *   - Redirects are followed by hand.  `credentials` go to the origin (scheme, host, port) of the
 *     request's own URL and to nobody else; a redirect never leads from https to http, nor to a
 *     scheme other than these two, and a body that it would repeat (307, 308) never to another
 *     origin.
 *   - A request that may be repeated (no body, or DRH_HTTP_REPEATABLE) is repeated after a broken
 *     connection, 408, 429 and 5xx, with growing random pauses; Retry-After and RateLimit headers
 *     are heeded before and after a limit is reached.
 *   - Proxies and certificates as users of curl expect them: the usual environment variables, and
 *     the provider's own options.
 */
#ifndef DRH_HTTP_H
#define DRH_HTTP_H

#include <drh/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DRH_HTTP "drh.http/1"

/* Size and meaning are frozen: headers cross as arrays. */
typedef struct drh_http_header {
    drh_str name; /* any case in a request, lower case in an answer */
    drh_str value;
} drh_http_header;

enum { /* drh_http_req.flags */
       /* The body may be sent twice: the answer to a repetition is the same. */
       DRH_HTTP_REPEATABLE = 1u << 0,
       /* A redirect is the answer. */
       DRH_HTTP_NO_REDIRECT = 1u << 1,
       /* Ask for and undo compression.  Without it: Accept-Encoding: identity. */
       DRH_HTTP_COMPRESSED = 1u << 2,
       /* The caller keeps to the server's limits itself: the request is sent at once. */
       DRH_HTTP_OWN_PACE = 1u << 3
};

/* A request.  Zero it, set struct_size and what differs from 0; everything is copied. */
struct drh_http_req {
    uint32_t struct_size;
    uint32_t flags;  /* DRH_HTTP_* */
    drh_str  method; /* {NULL,0}: GET, or POST when there is a body */
    drh_str  url;    /* http or https, percent-encoded as it is to be sent */

    const drh_http_header *headers; /* for every host on the way */
    size_t                 n_headers;
    const drh_http_header *credentials; /* for the origin of `url` only; never logged */
    size_t                 n_credentials;

    drh_str  body;        /* {NULL,0}: none */
    uint64_t max_answer;  /* call(): most bytes of an answer's body; 0: 64 MiB */
    uint32_t tries;       /* 1: never repeated; 0: as the service is set up */
    uint32_t stall_ms;    /* so long without a byte is a failure; 0: as the service is set up */
    uint32_t deadline_ms; /* for the whole, repetitions included; 0: none */
    uint32_t reserved;
};

/* An answer.  Any status is one: 404 is for the caller to judge. */
struct drh_http_answer {
    uint32_t struct_size;
    uint32_t status; /* 200 ... */
    drh_str  url;    /* of the last hop; may be signed, so not for logs */

    const drh_http_header *headers;
    size_t                 n_headers;
    drh_str                body; /* call(): all of it; judge(): its beginning */
};

/* What becomes of a streamed answer.  Called on the service's own thread: return soon, and call
 * nothing of drh_http but cancel.  Each may be NULL, but for done. */
typedef struct drh_http_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void    *ctx;
    /* The last hop's head, once; another status than DRH_OK stops the request with it.  A request
     * is not repeated any more after it. */
    drh_status (*head)(void *ctx, const drh_http_answer *a);
    drh_status (*body)(void *ctx, const void *ptr, size_t len); /* as above */
    /* The end, exactly once, after cancel too.  DRH_OK: head and body have been given whole. */
    void (*done)(void *ctx, drh_status st, const drh_error *e);
} drh_http_sink;

/* ---- a stage's side ------------------------------------------------------------------------ */

typedef struct drh_http {
    uint32_t struct_size;
    uint32_t reserved;
    /* Sends and waits.  *out is the caller's until release().  Errors are about having no answer:
     * DRH_E_ARG, DRH_E_NETWORK, DRH_E_TIMEOUT, DRH_E_AUTH (a certificate that is not trusted),
     * DRH_E_RANGE (body beyond max_answer), DRH_E_CANCELLED, DRH_E_UNSUPPORTED (nobody serves it),
     * DRH_E_NOMEM. [any] but not from a sink. */
    drh_status (*call)(const drh_host *h, const drh_http_req *req, const drh_http_answer **out,
                       drh_error *e);
    void (*release)(const drh_host *h, const drh_http_answer *a); /* [any] NULL is fine */
    /* Sends and returns; *id is for cancel.  The sink is copied, what it points to must live until
     * done. [any] */
    drh_status (*start)(const drh_host *h, const drh_http_req *req, const drh_http_sink *sink,
                        uint64_t *id, drh_error *e);
    void (*cancel)(const drh_host *h, uint64_t id); /* [any] done follows soon */
} drh_http;

/* ---- a provider's side --------------------------------------------------------------------- */

typedef struct drh_http_provider {
    uint32_t struct_size;
    uint32_t reserved;
    drh_status (*call)(void *self, const drh_http_req *req, const drh_http_answer **out,
                       drh_error *e);                      /* [any] */
    void (*release)(void *self, const drh_http_answer *a); /* [any] */
    drh_status (*start)(void *self, const drh_http_req *req, const drh_http_sink *sink,
                        uint64_t *id, drh_error *e); /* [any] */
    void (*cancel)(void *self, uint64_t id);         /* [any] */
} drh_http_provider;

#ifdef __cplusplus
}
#endif
#endif /* DRH_HTTP_H */
