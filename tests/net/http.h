/* SPDX-License-Identifier: MIT
 * http.h - requests as they came, and answers as they are meant; what faults do to an answer on its
 * way out is a plan (fault.h).  Each belongs to one connection's thread. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "world.h"

enum { SEGMENTS = 40 };

struct field {
    const char *name, *value;
};

struct request {
    char         *raw; /* owned; the head as it came */
    size_t        raw_n;
    char         *cut; /* owned; a copy, cut up */
    const char   *method, *target;
    bool          http10;
    char         *path;     /* owned; target before '?' */
    char         *segments; /* owned; the path, decoded */
    const char   *seg[SEGMENTS];
    size_t        n_seg;
    const char   *query;  /* in target, "" without */
    struct field *fields; /* owned; in their order */
    size_t        n_fields;
    char         *body; /* owned */
    size_t        body_n;
    bool          head; /* method HEAD */
    /* A single byte range; `to` is what was asked for, ENDLESS: open. */
    bool     ranged, suffix;
    uint64_t from, to;
};

/* false: no HTTP, *status says what to answer. */
bool request_parse(struct request *q, char *raw, size_t n, int *status);
/* Another target for the same request; it stays the caller's. */
bool        request_retarget(struct request *q, const char *target);
void        request_free(struct request *q);
const char *request_field(const struct request *q, const char *name); /* the first, or NULL */
/* The decoded value of a query or form parameter, the caller's; NULL: not there. */
char *param(const char *query, const char *name);
long  param_number(const char *query, const char *name, long otherwise);
bool  request_accepts_gzip(const struct request *q);

struct out_field {
    char *name, *value; /* owned */
};

struct reply {
    int                   status;
    struct out_field     *fields; /* owned */
    size_t                n_fields;
    struct sb             text; /* the body, unless content is set */
    const struct content *content;
    struct content       *mine; /* owned; what content points to when it was made for this answer */
    uint64_t              from, n;   /* the part of it (or of text) that goes out */
    bool                  no_length; /* chunked */
    bool                  no_body;   /* 204, 304: no length, either */
    bool                  close;
    /* For matching and counting. */
    struct file *file;
    const char  *bucket; /* of the rate limit; NULL: none */
};

void reply_free(struct reply *r);
void reply_set(struct reply *r, const char *name, const char *value); /* replaces */
PRINTF_LIKE(3, 4) void reply_setf(struct reply *r, const char *name, const char *fmt, ...);
void        reply_add(struct reply *r, const char *name, const char *value);
void        reply_unset(struct reply *r, const char *name);
const char *reply_get(const struct reply *r, const char *name); /* or NULL */
/* Status and text body; what was there before is gone but for the header fields. */
void reply_text(struct reply *r, int status, const char *type, const char *text);
PRINTF_LIKE(4, 5)
void reply_textf(struct reply *r, int status, const char *type, const char *fmt, ...);
void reply_body(struct reply *r, int status, const char *type, struct sb *body);
/* 200 or, where a range is asked for, 206 or 416 with what belongs to them. */
void reply_content(struct reply *r, const struct request *q, const struct content *c);
/* The body as text (it has to be small), as it would go out: for faults that rewrite it. */
void        reply_flatten(struct reply *r);
bool        reply_gzip(struct reply *r); /* false: not now */
const char *status_text(int status);

#endif
