/* SPDX-License-Identifier: MIT
 * conn.c - see conn.h. */
#include "conn.h"
#include "hub.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

void pace_init(struct pace *p)
{
    (void)pthread_mutex_init(&p->lock, NULL);
    p->next = 0;
}

struct conn *conn_new(struct hub *h, struct port *p, int fd)
{
    struct conn *c = xalloc(1, sizeof(*c));
    int          one = 1;

    c->hub = h;
    c->port = p;
    c->fd = fd;
    c->id = atomic_fetch_add(&h->next_conn, 1) + 1;
    c->out = xalloc(OUT_SIZE, 1);
    pace_init(&c->pace);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return c;
}

/* Closing a socket with bytes unread would send RST, and the client may lose what it has not read
 * yet: so first the end, then what still comes is thrown away for a moment. */
static void linger(struct conn *c)
{
    double until = clock_now() + 1, left = 1;
    char   rest[4096];

    if (shutdown(c->fd, SHUT_WR) != 0) {
        return;
    }
    while (left > 0) {
        struct pollfd p[2] = {{c->fd, POLLIN, 0}, {c->hub->stop_fd, POLLIN, 0}};

        if (poll(p, 2, (int)(left * 1000) + 1) <= 0 || p[1].revents ||
            recv(c->fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0) {
            return;
        }
        left = until - clock_now();
    }
}

void conn_free(struct conn *c, enum ending how)
{
    struct timeval patience = {2, 0};

    (void)setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (how == END_RST) {
        struct linger now = {1, 0};
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    } else {
        if (c->ssl && how == END_FIN && SSL_is_init_finished(c->ssl)) {
            (void)SSL_shutdown(c->ssl);
        }
        linger(c);
    }
    SSL_free(c->ssl);
    (void)close(c->fd);
    (void)pthread_mutex_destroy(&c->pace.lock);
    free(c->in);
    free(c->out);
    free(c);
}

bool conn_handshake(struct conn *c)
{
    c->ssl = SSL_new(c->hub->tls);
    if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1) {
        abort();
    }
    return SSL_accept(c->ssl) == 1;
}

bool conn_fill(struct conn *c, double seconds)
{
    struct pollfd p[2] = {{c->fd, POLLIN, 0}, {c->hub->stop_fd, POLLIN, 0}};
    ssize_t       n;

    if (c->in_cap - c->in_n < 8192) {
        c->in_cap = c->in_cap * 2 + 16384;
        c->in = xgrow(c->in, c->in_cap, 1);
    }
    if (!c->ssl || SSL_pending(c->ssl) == 0) {
        if (poll(p, 2, (int)(seconds * 1000)) <= 0 || p[1].revents) {
            return false;
        }
    }
    if (c->ssl) {
        n = SSL_read(c->ssl, c->in + c->in_n, (int)(c->in_cap - c->in_n - 1));
    } else {
        n = recv(c->fd, c->in + c->in_n, c->in_cap - c->in_n - 1, 0);
    }
    if (n <= 0) {
        return false;
    }
    c->in_n += (size_t)n;
    c->in[c->in_n] = '\0';
    return true;
}

bool conn_send(struct conn *c, const void *p, size_t n, bool more)
{
    const char *from = p;

    while (n) {
        ssize_t k;

        if (c->ssl) {
            k = SSL_write(c->ssl, from, n < (1u << 30) ? (int)n : 1 << 30);
        } else {
            k = send(c->fd, from, n, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
        }
        if (k <= 0 && !c->ssl && errno == EINTR) {
            continue;
        }
        if (k <= 0) {
            return false;
        }
        from += k;
        n -= (size_t)k;
    }
    return true;
}

bool conn_sendfile(struct conn *c, int fd, uint64_t at, size_t n)
{
    off_t off = (off_t)at;

    while (n) {
        ssize_t k = sendfile(c->fd, fd, &off, n);

        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k <= 0) {
            return false;
        }
        n -= (size_t)k;
    }
    return true;
}

bool conn_wait(struct conn *c, double seconds)
{
    double until = clock_now() + seconds, left = seconds;

    while (left > 0 || seconds < 0) {
        struct pollfd p[2] = {{c->fd, POLLRDHUP, 0}, {c->hub->stop_fd, POLLIN, 0}};
        int           n = poll(p, 2, seconds < 0 ? -1 : (int)(left * 1000) + 1);

        if (n > 0) {
            return false;
        }
        left = until - clock_now();
    }
    return true;
}

void conn_drain(struct conn *c)
{
    int queued = 0;

    for (int i = 0; i < 1000 && ioctl(c->fd, SIOCOUTQ, &queued) == 0 && queued > 0; i++) {
        if (!conn_wait(c, 0.001)) {
            return;
        }
    }
}

bool conn_pace(struct conn *c, struct pace *p, double bytes_a_second, size_t n)
{
    double now = clock_now(), wait;

    (void)pthread_mutex_lock(&p->lock);
    p->next = (p->next < now - 0.05 ? now - 0.05 : p->next) + (double)n / bytes_a_second;
    wait = p->next - now;
    (void)pthread_mutex_unlock(&p->lock);
    return wait <= 0 || conn_wait(c, wait);
}
