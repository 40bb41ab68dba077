/* SPDX-License-Identifier: MIT
 * conn.h - one connection: plain or TLS, with waits that end when the other side goes away or the
 * hubs stop.  One thread each; only the main thread's shutdown() comes from outside. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "util.h"

#include <openssl/ssl.h>
#include <pthread.h>

enum { OUT_SIZE = 256 << 10 };

struct hub;
struct port;

struct pace { /* bandwidth: when the next byte may go */
    pthread_mutex_t lock;
    double          next;
};

enum ending { END_FIN, END_RST, END_NO_NOTIFY /* FIN, TLS without close_notify */ };

struct conn {
    struct hub  *hub;
    struct port *port;
    int          fd;
    SSL         *ssl; /* owned; NULL: plain */
    uint64_t     id;
    unsigned     requests;
    char        *in; /* owned; read and not used yet */
    size_t       in_n, in_cap;
    char        *out; /* owned; OUT_SIZE, for bodies */
    struct pace  pace;
    struct conn *next, *prev; /* the hub's list, under its lock */
};

struct conn *conn_new(struct hub *h, struct port *p, int fd);
/* Ends and frees it. */
void conn_free(struct conn *c, enum ending how);
bool conn_handshake(struct conn *c);
/* More into c->in; false: the other side ended, or nothing came for `seconds`. */
bool conn_fill(struct conn *c, double seconds);
bool conn_send(struct conn *c, const void *p, size_t n, bool more);
bool conn_sendfile(struct conn *c, int fd, uint64_t at, size_t n);
/* false: the other side is gone, or the hubs stop.  Negative: until then. */
bool conn_wait(struct conn *c, double seconds);
/* Until all that was sent is with the other side, for a second at most. */
void conn_drain(struct conn *c);
/* Waits until n more bytes may go at that many bytes a second. */
bool conn_pace(struct conn *c, struct pace *p, double bytes_a_second, size_t n);
void pace_init(struct pace *p);

#endif
