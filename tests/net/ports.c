/* SPDX-License-Identifier: MIT
 * ports.c - the ports of the hubs, and the main loop that accepts.  Ports are opened and closed by
 * the main thread only; others order it. */
#include "hub.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNS_MAX = 256, CTL_MAX = 16, BACKLOG = 256 };

static bool has_room(struct hub *h, const struct port *p)
{
    bool room;

    (void)pthread_mutex_lock(&h->lock);
    room = p->kind == PORT_CTL ? h->n_ctl < CTL_MAX : h->n_conns < CONNS_MAX;
    (void)pthread_mutex_unlock(&h->lock);
    return room;
}

static int bound(uint16_t number)
{
    struct sockaddr_in a;
    int                one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memset(&a, 0, sizeof(a));
    a.sin_family = AF_INET;
    a.sin_port = htons(number);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
                    bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

/* A socket keeps its number over a shutdown() only if it was bound to that number, not to 0. */
static bool port_open(struct port *p)
{
    struct sockaddr_in a;
    socklen_t          n = sizeof(a);
    int                first = bound(0);
    bool               good = first >= 0 && getsockname(first, (struct sockaddr *)&a, &n) == 0;

    if (good) {
        p->number = ntohs(a.sin_port);
        p->fd = bound((uint16_t)p->number);
        good = p->fd >= 0 && listen(p->fd, BACKLOG) == 0;
    }
    if (first >= 0) {
        (void)close(first);
    }
    atomic_store(&p->open, good);
    return good;
}

bool ports_open(struct hub *h)
{
    for (size_t i = 0; i < PORTS; i++) {
        h->ports[i].fd = -1;
        if ((h->tls || !h->ports[i].tls) && !port_open(&h->ports[i])) {
            return false;
        }
    }
    return true;
}

struct port *port_named(struct hub *h, const char *name)
{
    for (size_t i = 0; i < PORTS; i++) {
        if (strcmp(h->ports[i].name, name) == 0 && h->ports[i].fd >= 0) {
            return &h->ports[i];
        }
    }
    return NULL;
}

void wake(struct hub *h)
{
    uint64_t one = 1;

    (void)!write(h->wake_fd, &one, sizeof(one));
}

void order_port(struct hub *h, struct port *p, bool open, double seconds)
{
    (void)pthread_mutex_lock(&h->lock);
    while (h->ordered && !atomic_load(&h->stop)) {
        (void)pthread_cond_wait(&h->changed, &h->lock);
    }
    h->order = (struct order){p, open, seconds};
    h->ordered = true;
    wake(h);
    while (h->ordered && !atomic_load(&h->stop)) {
        (void)pthread_cond_wait(&h->changed, &h->lock);
    }
    (void)pthread_mutex_unlock(&h->lock);
}

/* A listening socket that is shut down keeps its number, refuses, and can listen again. */
static void set_open(struct port *p, bool open)
{
    if (open && !atomic_load(&p->open) && listen(p->fd, BACKLOG) != 0) {
        die("cannot open port %s again: %s", p->name, strerror(errno));
    }
    if (!open && atomic_load(&p->open)) {
        (void)shutdown(p->fd, SHUT_RDWR);
    }
    atomic_store(&p->open, open);
}

static void take_order(struct hub *h, double reopen[PORTS])
{
    (void)pthread_mutex_lock(&h->lock);
    if (h->ordered) {
        set_open(h->order.port, h->order.open);
        reopen[h->order.port - h->ports] =
            !h->order.open && h->order.seconds > 0 ? clock_now() + h->order.seconds : 0;
        h->ordered = false;
        (void)pthread_cond_broadcast(&h->changed);
    }
    (void)pthread_mutex_unlock(&h->lock);
}

static void open_again(struct hub *h, double reopen[PORTS])
{
    for (size_t i = 0; i < PORTS; i++) {
        if (reopen[i] > 0 && clock_now() >= reopen[i]) {
            reopen[i] = 0;
            set_open(&h->ports[i], true);
        }
    }
}

static double next_event(const double reopen[PORTS], double end)
{
    double at = end;

    for (size_t i = 0; i < PORTS; i++) {
        at = reopen[i] > 0 && reopen[i] < at ? reopen[i] : at;
    }
    at -= clock_now();
    return at < 0 ? 0 : at;
}

static void accept_some(struct hub *h, struct port *p)
{
    for (int i = 0; i < 64 && has_room(h, p); i++) {
        int fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0) {
            return;
        }
        start_conn(h, p, fd);
    }
}

static void stop_all(struct hub *h)
{
    uint64_t one = 1;

    atomic_store(&h->stop, 1);
    (void)!write(h->stop_fd, &one, sizeof(one));
    (void)pthread_mutex_lock(&h->lock);
    (void)pthread_cond_broadcast(&h->changed);
    for (struct conn *c = h->conns; c; c = c->next) {
        (void)shutdown(c->fd, SHUT_RDWR);
    }
    while (h->n_conns + h->n_ctl) {
        (void)pthread_cond_wait(&h->changed, &h->lock);
    }
    (void)pthread_mutex_unlock(&h->lock);
}

static bool input_ended(void)
{
    char    rest[512];
    ssize_t n = read(STDIN_FILENO, rest, sizeof(rest));

    return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static int signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

enum { AT_INPUT, AT_SIGNAL, AT_WAKE, AT_PORTS };

static void watch(struct hub *h, struct pollfd p[AT_PORTS + PORTS])
{
    for (size_t i = 0; i < PORTS; i++) {
        struct port *port = &h->ports[i];
        bool         on = port->fd >= 0 && atomic_load(&port->open) && has_room(h, port);

        p[AT_PORTS + i] = (struct pollfd){on ? port->fd : -1, POLLIN, 0};
    }
}

void serve(struct hub *h, double seconds)
{
    struct pollfd p[AT_PORTS + PORTS] = {{STDIN_FILENO, POLLIN, 0}};
    double        reopen[PORTS] = {0}, end = clock_now() + seconds;
    uint64_t      woken;

    p[AT_SIGNAL] = (struct pollfd){signals(), POLLIN, 0};
    p[AT_WAKE] = (struct pollfd){h->wake_fd, POLLIN, 0};
    for (;;) {
        double left = next_event(reopen, end);

        watch(h, p);
        if (poll(p, AT_PORTS + PORTS, (int)(left * 1000) + 1) < 0 && errno != EINTR) {
            break;
        }
        if (p[AT_WAKE].revents) {
            (void)!read(h->wake_fd, &woken, sizeof(woken));
            take_order(h, reopen);
        }
        open_again(h, reopen);
        if (p[AT_SIGNAL].revents || clock_now() >= end || atomic_load(&h->stop) ||
            (p[AT_INPUT].revents && input_ended())) {
            break;
        }
        for (size_t i = 0; i < PORTS; i++) {
            if (p[AT_PORTS + i].revents & POLLIN) {
                accept_some(h, &h->ports[i]);
            }
        }
    }
    stop_all(h);
    (void)close(p[AT_SIGNAL].fd);
}
