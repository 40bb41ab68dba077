/* SPDX-License-Identifier: MIT
 *
 * tiny_server.c - see tiny_server.h.
 */
#include "tiny_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_REQUESTS = 2048, MAX_REQUEST = 1 << 20 };

struct tiny {
    struct tiny_answer *answer;
    size_t              n_answers;
    int                 listening, stop[2]; /* the pipe's end becomes readable */
    unsigned            port;
    pthread_t           thread, connection[MAX_REQUESTS];
    size_t              n_connections;
    pthread_mutex_t     lock;
    char               *request[MAX_REQUESTS];
    size_t              n_requests;
};

struct connection {
    struct tiny *t;
    int          fd;
};

/* True when it is time to end; false after ms. */
static bool wait_ms(struct tiny *t, int ms)
{
    struct pollfd p = {t->stop[0], POLLIN, 0};

    return poll(&p, 1, ms) > 0;
}

static size_t body_length(const char *head)
{
    const char *p = strcasestr(head, "\ncontent-length:");

    return p ? strtoul(p + strlen("\ncontent-length:"), NULL, 10) : 0;
}

/* One request, 0-terminated; NULL: the other side has ended. */
static char *read_request(struct tiny *t, int fd)
{
    char  *text = calloc(1, MAX_REQUEST);
    size_t n = 0, all = 0;

    while (text && n + 1 < MAX_REQUEST) {
        struct pollfd p[2] = {{fd, POLLIN, 0}, {t->stop[0], POLLIN, 0}};
        const char   *end;
        ssize_t       k;
        if (poll(p, 2, -1) < 0 || p[1].revents) {
            break;
        }
        k = recv(fd, text + n, MAX_REQUEST - 1 - n, 0);
        if (k <= 0) {
            break;
        }
        n += (size_t)k;
        end = strstr(text, "\r\n\r\n");
        if (end && !all) {
            all = (size_t)(end - text) + 4 + body_length(text);
        }
        if (all && n >= all) {
            return text;
        }
    }
    free(text);
    return NULL;
}

static void send_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k <= 0) {
            return;
        }
        p += k;
        n -= (size_t)k;
    }
}

static void answer(struct tiny *t, const struct tiny_answer *a, int fd)
{
    char byte;

    if (a->wait_ms && wait_ms(t, (int)a->wait_ms)) {
        return;
    }
    if (a->raw) {
        send_all(fd, a->raw, a->n);
    }
    if (a->more && !wait_ms(t, (int)a->more_ms)) {
        send_all(fd, a->more, strlen(a->more));
    }
    while (a->hang) {
        struct pollfd p[2] = {{fd, POLLIN, 0}, {t->stop[0], POLLIN, 0}};
        if (poll(p, 2, -1) < 0 || p[1].revents || recv(fd, &byte, 1, 0) <= 0) {
            break;
        }
    }
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    struct tiny       *t = c->t;
    char              *text = read_request(t, c->fd);

    if (text) {
        size_t i;
        pthread_mutex_lock(&t->lock);
        i = t->n_requests < t->n_answers ? t->n_requests : t->n_answers - 1;
        if (t->n_requests < MAX_REQUESTS) {
            t->request[t->n_requests++] = text;
        }
        pthread_mutex_unlock(&t->lock);
        answer(t, &t->answer[i], c->fd);
    }
    (void)shutdown(c->fd, SHUT_WR);
    (void)close(c->fd);
    free(c);
    return NULL;
}

static void *run(void *arg)
{
    struct tiny *t = arg;

    while (t->n_connections < MAX_REQUESTS) {
        struct pollfd      p[2] = {{t->listening, POLLIN, 0}, {t->stop[0], POLLIN, 0}};
        struct connection *c;
        int                fd;
        if (poll(p, 2, -1) < 0 || p[1].revents) {
            break;
        }
        fd = accept(t->listening, NULL, NULL);
        c = fd >= 0 ? malloc(sizeof(*c)) : NULL;
        if (c) {
            *c = (struct connection){t, fd};
            if (pthread_create(&t->connection[t->n_connections], NULL, serve, c) != 0) {
                abort();
            }
            t->n_connections++;
        }
    }
    return NULL;
}

/* Copies what is to be sent: the test may let go of it while it is being sent. */
static void keep(struct tiny_answer *a)
{
    size_t n = a->n ? a->n : a->raw ? strlen(a->raw) : 0;
    char  *copy = a->raw ? malloc(n + 1) : NULL;

    if (copy) {
        memcpy(copy, a->raw, n);
    }
    a->raw = copy;
    a->n = n;
    a->more = a->more ? strdup(a->more) : NULL;
}

struct tiny *tiny_start(const struct tiny_answer *answers, size_t n)
{
    struct tiny       *t = calloc(1, sizeof(*t));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t          len = sizeof(at);

    if (!t || !(t->answer = malloc(n * sizeof(*answers))) || pipe(t->stop) != 0) {
        abort();
    }
    memcpy(t->answer, answers, n * sizeof(*answers));
    t->n_answers = n;
    for (size_t i = 0; i < n; i++) {
        keep(&t->answer[i]);
    }
    (void)pthread_mutex_init(&t->lock, NULL);
    t->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (t->listening < 0 || bind(t->listening, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(t->listening, 64) != 0 ||
        getsockname(t->listening, (struct sockaddr *)&at, &len) != 0 ||
        pthread_create(&t->thread, NULL, run, t) != 0) {
        perror("tiny server");
        abort();
    }
    t->port = ntohs(at.sin_port);
    return t;
}

void tiny_stop(struct tiny *t)
{
    if (!t) {
        return;
    }
    (void)close(t->stop[1]);
    (void)pthread_join(t->thread, NULL);
    for (size_t i = 0; i < t->n_connections; i++) {
        (void)pthread_join(t->connection[i], NULL);
    }
    for (size_t i = 0; i < t->n_requests; i++) {
        free(t->request[i]);
    }
    for (size_t i = 0; i < t->n_answers; i++) {
        free((void *)(uintptr_t)t->answer[i].raw);
        free((void *)(uintptr_t)t->answer[i].more);
    }
    (void)close(t->stop[0]);
    (void)close(t->listening);
    (void)pthread_mutex_destroy(&t->lock);
    free(t->answer);
    free(t);
}

unsigned tiny_port(const struct tiny *t)
{
    return t->port;
}

size_t tiny_requests(struct tiny *t)
{
    size_t n;

    pthread_mutex_lock(&t->lock);
    n = t->n_requests;
    pthread_mutex_unlock(&t->lock);
    return n;
}

const char *tiny_request(struct tiny *t, size_t i)
{
    const char *text;

    pthread_mutex_lock(&t->lock);
    text = i < t->n_requests ? t->request[i] : "";
    pthread_mutex_unlock(&t->lock);
    return text;
}
