/* SPDX-License-Identifier: MIT
 * hub.h - the fake hubs as one object, and one request with its answer (a call) on its way through
 * them: server.c reads it, a *_route() answers it, fault.c spoils the answer, send.c sends it,
 * log.c writes it down.  Calls belong to their connection's thread; the hub is everybody's. */
#ifndef NET_HUB_H
#define NET_HUB_H

#include "conn.h"
#include "fault.h"
#include "http.h"
#include "settings.h"
#include "world.h"

#include <openssl/ssl.h>

enum port_kind { PORT_HUB, PORT_CDN, PORT_MS, PORT_OSS, PORT_CTL };
enum { PORTS = 9, LIMIT_KINDS = 4, LIMIT_USERS = 64 };

struct port {
    const char    *name; /* of logs, faults and ctl: hub cdn ms oss ctl, hubs cdns mss osss (TLS) */
    enum port_kind kind;
    bool           tls;
    int            number, fd; /* constant once made; fd -1: not there */
    struct pace    pace;       /* for all connections together */
    atomic_int     open;       /* listening; the main thread's to change */
    /* Counters. */
    atomic_ullong requests, bytes, connections;
    atomic_int    now, most; /* requests under way */
};

struct signature { /* of a CDN URL */
    struct file *file;
    char         path[512];
    double       expires; /* wall */
    long long    left;    /* uses; negative: any number */
};

struct window { /* of a rate limit */
    double    start;
    long long used;
};

struct order { /* from ctl to the main thread: close or open a port */
    struct port *port;
    bool         open;
    double       seconds; /* closed for; 0: until told */
};

struct hub {
    struct world    world;
    struct settings settings;
    struct faults   faults;
    struct port     ports[PORTS];
    SSL_CTX        *tls; /* owned; NULL: no TLS */
    int             log; /* descriptor, -1: none */
    double          started;
    atomic_ullong   next_conn, next_id;
    atomic_int      stop;    /* reason to stop; see stop_fd */
    int             stop_fd; /* readable for ever once stopped */
    int             wake_fd; /* main thread: look at the orders */

    pthread_mutex_t    lock; /* everything below */
    pthread_cond_t     changed;
    struct conn       *conns; /* list of those that run */
    size_t             n_conns, n_ctl;
    struct signature  *signatures; /* owned */
    size_t             n_signatures;
    unsigned long long expired;
    struct settings    first; /* as the start left them; constant */
    struct window      windows[LIMIT_KINDS][LIMIT_USERS];
    unsigned long long limited; /* answers 429 of rate limits */
    unsigned long long leaks;
    struct sb          leak_detail;
    struct order       order;
    bool               ordered; /* the main thread has not done it yet */
};

struct call {
    struct hub         *hub;
    struct conn        *conn;
    struct port        *port;
    struct request      q;
    struct reply        r;
    struct plan         plan;
    const struct token *token;     /* of the account that asks; NULL: nobody */
    bool                bad_token; /* one was given that is none */
    const char         *named; /* path of the file it is about, also of a redirect; NULL: none */
    long                page_add, page_skip; /* faults: another page of ModelScope's listing */
    bool                hopped;              /* at the end of a chain of redirects */
    double              t;                   /* wall time of its arrival */
    unsigned            nth;                 /* request of its connection, from 1 */
    uint64_t            sent;                /* bytes of the body */
};

/* The main loop: until standard input ends, a signal, or `seconds` are over. */
void         serve(struct hub *h, double seconds);
void         wake(struct hub *h);       /* the main thread, to look */
bool         ports_open(struct hub *h); /* binds and listens; false with errno */
struct port *port_named(struct hub *h, const char *name);
/* [connection] Has the main thread close or open a port; back when it is done. */
void order_port(struct hub *h, struct port *p, bool open, double seconds);

void start_conn(struct hub *h, struct port *p, int fd); /* server.c: its thread */
void send_call(struct call *c);                         /* send.c */
void answer_again(struct call *c); /* server.c: the answer from scratch, for faults that need it */

/* Each answers c->q in c->r. */
void hf_route(struct call *c);
void ms_route(struct call *c);
void cdn_route(struct call *c);
void ctl_route(struct call *c);

/* log.c */
void log_open(struct hub *h, const char *path);
void log_call(const struct call *c);

/* track.c: tokens in wrong places, rate limits. */
void call_account(struct call *c); /* sets token and bad_token; looks for leaks */
void leak(struct hub *h, const struct call *c, const char *why);
enum { LIMIT_API, LIMIT_RESOLVERS, LIMIT_PAGES, LIMIT_MS };
/* Counts (unless `look`) and sets the header fields.  false: answered with 429. */
bool limit_take(struct call *c, int kind, bool look);

/* sign.c: URLs of the CDN that expire: CloudFront's way, Aliyun's CDN, Aliyun's OSS.  The caller's.
 */
enum sign_kind { SIGN_HF, SIGN_MS, SIGN_OSS };
char *sign_url(struct call *c, struct file *f, const char *id, enum sign_kind kind);
/* The file that a signed URL is for; NULL: answered. */
struct file *sign_check(struct call *c);
void         sign_refuse(struct call *c, bool expired);
void         signs_expire(struct hub *h); /* all of them, now */

/* http://host:port of the port that the call came to, or of its sister for bulk data. */
char *origin_of(const struct call *c); /* the caller's */
char *bulk_origin(const struct call *c);

#endif
