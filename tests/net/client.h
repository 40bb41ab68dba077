/* SPDX-License-Identifier: MIT
 * client.h - for the tests of fakehub: starts one, and talks to it over bare sockets, so that what
 * is checked is what went over the wire. */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include "util.h"

#include <cjson/cJSON.h>
#include <check.h>
#include <openssl/ssl.h>

struct running {    /* a fakehub */
    int  pid, pipe; /* pipe: its standard input */
    char folder[64];
    int  hub, cdn, ms, oss, ctl, hubs, cdns, mss, osss;
};

/* With this specification (JSON text); more: further arguments, ended by NULL, or NULL. */
void hub_start(struct running *r, const char *spec, const char *const *more);
void hub_stop(struct running *r); /* fails when it did not end well */

struct answer {
    struct sb raw;            /* all that came */
    int       status;         /* 0: no status line */
    char     *head;           /* owned; status line and fields, without the empty line */
    struct sb body;           /* without the marks of chunks */
    bool      whole;          /* as long as was promised, or chunks with their end */
    bool      reset, ended;   /* how the connection was after it; neither: still there */
    double    first, seconds; /* until the first byte, until all was there */
};

struct link { /* a connection */
    int  fd;
    SSL *ssl;
    bool no_notify; /* TLS ended without close_notify */
};

bool link_open(struct link *l, int port,
               SSL_CTX *tls); /* tls NULL: plain; false: refused, or no TLS */
void link_close(struct link *l);
/* Asks and waits for the answer, at most `patience` seconds for each piece of it. */
void link_ask(struct link *l, struct answer *a, const char *request, double patience);
/* What the server does then: more bytes, the end, nothing for so many seconds. */
void link_after(struct link *l, struct answer *a, double patience);

/* One request on a connection of its own.  fields: lines that end in \r\n, or NULL. */
void ask(struct answer *a, int port, const char *method, const char *target, const char *fields);
void answer_free(struct answer *a);
bool has_field(const struct answer *a, const char *name);
const char *field(const struct answer *a, const char *name); /* "" without; good until the next */
cJSON      *json_of(const struct answer *a);                 /* the caller's; fails without */
/* Path and query of a URL, the caller's; *port is its port. */
char *target_of(const char *url, int *port);

/* ctl */
void      rules(const struct running *r, const char *list);   /* faults from now on */
void      order(const struct running *r, const char *target); /* POST */
long long state(const struct running *r, const char *a, const char *b, const char *c);

#endif
