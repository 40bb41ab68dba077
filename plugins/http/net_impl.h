/* SPDX-License-Identifier: MIT
 * net_impl.h - what net.c and exchange.c share. */
#ifndef HTTP_NET_IMPL_H
#define HTTP_NET_IMPL_H

#include "net.h"

#include <pthread.h>

struct net {
    const drh_host    *host;
    struct net_options o;
    CURLM             *multi;
    pthread_t          thread;
    bool               started;
    pthread_mutex_t    lock; /* of the posted work */
    struct net_work   *first, **last;
    bool               stopping; /* atomic */

    /* the network thread's */
    struct limits     limits;
    struct net_timer *timers;
    struct exchange  *open;
    int               ready;    /* epoll: libcurl's sockets, and `wake` */
    int               wake;     /* eventfd; [any] writes */
    double            curl_due; /* when libcurl wants to be called in any case; 0: no time */
    double            looked;   /* when stalled exchanges were last looked for */
};

/* Takes x off the multi handle and out of the list of open ones. */
void exchange_close(struct exchange *x);
/* Ends those from which nothing has come for too long.  libcurl's own rule looks at an average over
 * some seconds, so a fast one that stops would be noticed late. */
void exchange_end_stalled(struct net *n, double now);
/* libcurl is done with x. */
void exchange_finish(struct exchange *x, CURLcode code);

#endif
