/* SPDX-License-Identifier: MIT
 * client.c - see client.h. */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- a fakehub ----------------------------------------------------------------------------- */

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

static void read_ports(struct running *r, const char *path)
{
    const struct {
        const char *name;
        int        *to;
    } names[] = {{"HUB=", &r->hub},   {"CDN=", &r->cdn}, {"MS=", &r->ms},
                 {"OSS=", &r->oss},   {"CTL=", &r->ctl}, {"HUBS=", &r->hubs},
                 {"CDNS=", &r->cdns}, {"MSS=", &r->mss}, {"OSSS=", &r->osss}};
    char  line[64];
    FILE *f = fopen(path, "re");

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f)) {
        for (size_t i = 0; i < COUNT(names); i++) {
            if (starts_with(line, names[i].name)) {
                *names[i].to = (int)strtol(line + strlen(names[i].name), NULL, 10);
            }
        }
    }
    (void)fclose(f);
}

static void spawn(struct running *r, const char *const *argv)
{
    posix_spawn_file_actions_t a;
    int                        p[2];

    ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
    (void)posix_spawn_file_actions_init(&a);
    (void)posix_spawn_file_actions_adddup2(&a, p[0], 0);
    ck_assert_int_eq(
        posix_spawn(&r->pid, argv[0], &a, NULL, (char *const *)(uintptr_t)argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&a);
    (void)close(p[0]);
    r->pipe = p[1];
}

void hub_start(struct running *r, const char *spec, const char *const *more)
{
    char        path[3][96];
    const char *argv[32] = {FAKEHUB, "--spec", path[0],         "--ports-file", path[1],
                            "--log", path[2],  "--max-seconds", "120"};
    size_t      n = 9;

    memset(r, 0, sizeof(*r));
    (void)snprintf(r->folder, sizeof(r->folder), "/tmp/fakehub-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->folder));
    (void)snprintf(path[0], sizeof(path[0]), "%s/spec.json", r->folder);
    (void)snprintf(path[1], sizeof(path[1]), "%s/ports", r->folder);
    (void)snprintf(path[2], sizeof(path[2]), "%s/log", r->folder);
    write_text(path[0], spec);
    for (; more && *more && n + 1 < COUNT(argv); more++) {
        argv[n++] = *more;
    }
    spawn(r, argv);
    for (int i = 0; i < 1200 && access(path[1], R_OK) != 0; i++) {
        ck_assert_int_eq(waitpid(r->pid, NULL, WNOHANG), 0);
        (void)usleep(20000);
    }
    read_ports(r, path[1]);
    ck_assert_int_gt(r->ctl, 0);
}

void hub_stop(struct running *r)
{
    static const char *const files[] = {"spec.json", "ports", "log", "cert.pem", "key.pem"};
    char                     path[96];
    int                      status = 0;

    (void)close(r->pipe);
    ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
    for (size_t i = 0; i < COUNT(files); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", r->folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(r->folder);
    ck_assert_int_eq(status, 0);
}

/* ---- a connection -------------------------------------------------------------------------- */

bool link_open(struct link *l, int port, SSL_CTX *tls)
{
    struct sockaddr_in a;

    memset(l, 0, sizeof(*l));
    memset(&a, 0, sizeof(a));
    a.sin_family = AF_INET;
    a.sin_port = htons((uint16_t)port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(l->fd, 0);
    if (connect(l->fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        link_close(l);
        return false;
    }
    if (!tls) {
        return true;
    }
    l->ssl = SSL_new(tls);
    ck_assert_ptr_nonnull(l->ssl);
    (void)SSL_set_fd(l->ssl, l->fd);
    (void)SSL_set_tlsext_host_name(l->ssl, "localhost");
    if (SSL_connect(l->ssl) != 1) {
        link_close(l);
        return false;
    }
    return true;
}

void link_close(struct link *l)
{
    SSL_free(l->ssl);
    (void)close(l->fd);
    l->ssl = NULL;
    l->fd = -1;
}

static void link_send(struct link *l, const char *text)
{
    size_t n = strlen(text);

    /* When the other side has gone already, reading tells. */
    if (l->ssl) {
        (void)SSL_write(l->ssl, text, (int)n);
    } else {
        (void)!send(l->fd, text, n, MSG_NOSIGNAL);
    }
}

/* Bytes; 0: the end; -1: an error, -2: nothing came. */
static ssize_t link_read(struct link *l, char *to, size_t n, double patience)
{
    struct pollfd p = {l->fd, POLLIN, 0};
    int           k;

    if (!(l->ssl && SSL_pending(l->ssl)) && poll(&p, 1, (int)(patience * 1000)) == 0) {
        return -2;
    }
    if (!l->ssl) {
        return recv(l->fd, to, n, 0);
    }
    k = SSL_read(l->ssl, to, (int)n);
    if (k > 0) {
        return k;
    }
    if (SSL_get_error(l->ssl, k) == SSL_ERROR_ZERO_RETURN) {
        return 0;
    }
    l->no_notify = true;
    return -1;
}

/* ---- an answer ----------------------------------------------------------------------------- */

static void take_head(struct answer *a)
{
    const char *end = a->raw.n ? strstr(a->raw.p, "\r\n\r\n") : NULL;

    if (end && !a->head && a->raw.n > 12) {
        a->head = xdupn(a->raw.p, (size_t)(end - a->raw.p) + 2);
        a->status = (int)strtol(a->head + 9, NULL, 10);
    }
}

static const char *find_field(const struct answer *a, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = a->head ? strstr(a->head, "\r\n") : NULL; p; p = strstr(p + 2, "\r\n")) {
        if (strncasecmp(p + 2, name, n) == 0 && p[2 + n] == ':') {
            return p + 2 + n + 1;
        }
    }
    return NULL;
}

bool has_field(const struct answer *a, const char *name)
{
    return find_field(a, name) != NULL;
}

const char *field(const struct answer *a, const char *name)
{
    static _Thread_local char room[8192];
    const char               *v = find_field(a, name);

    (void)snprintf(room, sizeof(room), "%.*s", v ? (int)strcspn(v + 1, "\r") : 0, v ? v + 1 : "");
    return room;
}

/* Takes chunks apart; true: the last one is there. */
static bool unchunk(struct answer *a, const char *p, size_t n)
{
    const char *end = p + n;

    a->body.n = 0;
    while (p < end) {
        char         *eol;
        unsigned long k = strtoul(p, &eol, 16);

        if (eol == p || eol + 2 > end) {
            return false;
        }
        if (k == 0) {
            return eol + 4 <= end && memcmp(eol, "\r\n\r\n", 4) == 0;
        }
        p = eol + 2;
        sb_add(&a->body, p, k < (size_t)(end - p) ? k : (size_t)(end - p));
        if (k + 2 > (size_t)(end - p)) {
            return false;
        }
        p += k + 2;
    }
    return false;
}

/* true: no more is to come. */
static bool take_body(struct answer *a, bool head)
{
    size_t      from = strlen(a->head) + 2, n = a->raw.n - from;
    const char *length = find_field(a, "Content-Length");

    if (head || a->status == 204 || a->status == 304) {
        a->whole = true;
        return true;
    }
    if (strcmp(field(a, "Transfer-Encoding"), "chunked") == 0) {
        a->whole = unchunk(a, a->raw.p + from, n);
        return a->whole;
    }
    a->body.n = 0;
    sb_add(&a->body, a->raw.p + from, n);
    a->whole = length && n == strtoull(length, NULL, 10);
    return a->whole;
}

void link_ask(struct link *l, struct answer *a, const char *request, double patience)
{
    double  start = clock_now();
    char   *piece = xalloc(1, 1 << 18);
    bool    head = starts_with(request, "HEAD"), done = false;
    ssize_t n;

    memset(a, 0, sizeof(*a));
    link_send(l, request);
    while (!done && (n = link_read(l, piece, 1 << 18, patience)) != -2) {
        if (n <= 0) {
            a->ended = n == 0;
            a->reset = n < 0;
            break;
        }
        if (!a->raw.n) {
            a->first = clock_now() - start;
        }
        sb_add(&a->raw, piece, (size_t)n);
        take_head(a);
        done = a->head && take_body(a, head);
    }
    a->seconds = clock_now() - start;
    free(piece);
}

void link_after(struct link *l, struct answer *a, double patience)
{
    char   *piece = xalloc(1, 1 << 18);
    ssize_t n = 1;

    while (n > 0 && !a->ended && !a->reset) {
        n = link_read(l, piece, 1 << 18, patience);
        a->ended = n == 0;
        a->reset = n == -1;
        if (n > 0) {
            sb_add(&a->raw, piece, (size_t)n);
        }
    }
    free(piece);
    if (a->head) {
        (void)take_body(a, false);
    }
}

void ask(struct answer *a, int port, const char *method, const char *target, const char *fields)
{
    struct link l;
    char *request = xprintf("%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n", method, target, port,
                            fields ? fields : "");

    ck_assert_msg(link_open(&l, port, NULL), "port %d refuses", port);
    link_ask(&l, a, request, 20);
    link_close(&l);
    free(request);
}

void answer_free(struct answer *a)
{
    sb_free(&a->raw);
    sb_free(&a->body);
    free(a->head);
    memset(a, 0, sizeof(*a));
}

cJSON *json_of(const struct answer *a)
{
    cJSON *root = cJSON_ParseWithLength(sb_text(&a->body), a->body.n);

    ck_assert_msg(root != NULL, "no JSON: %.300s", sb_text(&a->body));
    return root;
}

char *target_of(const char *url, int *port)
{
    const char *host = strstr(url, "://"), *colon, *slash;

    ck_assert_msg(host != NULL, "no URL: %s", url);
    colon = strchr(host + 3, ':');
    slash = strchr(host + 3, '/');
    ck_assert(colon && slash && colon < slash);
    *port = (int)strtol(colon + 1, NULL, 10);
    return xdup(slash);
}

/* ---- ctl ----------------------------------------------------------------------------------- */

static void post(const struct running *r, const char *target, const char *body)
{
    struct answer a;
    struct link   l;
    char         *request =
        xprintf("POST %s HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s", target, strlen(body), body);

    ck_assert(link_open(&l, r->ctl, NULL));
    link_ask(&l, &a, request, 20);
    ck_assert_msg(a.status == 200, "ctl: %s %s: %s", target, body, sb_text(&a.body));
    answer_free(&a);
    link_close(&l);
    free(request);
}

void rules(const struct running *r, const char *list)
{
    post(r, "/faults", list);
}

void order(const struct running *r, const char *target)
{
    post(r, target, "");
}

long long state(const struct running *r, const char *a, const char *b, const char *c)
{
    const char *const keys[] = {a, b, c};
    struct answer     got;
    cJSON            *root;
    const cJSON      *v;
    long long         n;

    ask(&got, r->ctl, "GET", "/state", NULL);
    v = root = json_of(&got);
    for (size_t i = 0; i < COUNT(keys) && keys[i]; i++) {
        v = cJSON_GetObjectItemCaseSensitive(v, keys[i]);
    }
    ck_assert_msg(v != NULL, "state has no %s", a);
    n = cJSON_IsNumber(v) ? (long long)v->valuedouble : cJSON_IsTrue(v);
    cJSON_Delete(root);
    answer_free(&got);
    return n;
}
