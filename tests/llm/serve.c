/* SPDX-License-Identifier: MIT
 *
 * serve.c - connections of fakellm: one thread, epoll; answers go out in pieces at their times.
 */
#include "llm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_CONNS = 4096, MAX_REQUEST = 8 << 20 };

struct settings set = {
    .model = "fake-1", .latency_ms = 0, .context = 4096, .profile = P_VLLM, .bos = true};

struct conn {
    int           fd;
    struct sb     in;
    bool          busy; /* an answer goes out */
    struct answer a;
    size_t        sent, piece;
    double        begun;
    struct ask    q; /* for the log; texts are gone */
    char          path[256];
};

static struct conn *conns[MAX_CONNS];
static size_t       n_conns;
static int          ep, log_fd = -1;
static unsigned     n_requests, n_open, most_open;

/* How often each request came. */
static struct {
    uint64_t hash;
    unsigned n;
} seen[1 << 17];

uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
    const uint8_t *b = p;

    h ^= 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ b[i]) * 0x100000001b3u;
    }
    return mix64(h);
}

static unsigned count(uint64_t hash)
{
    size_t i = hash % COUNT(seen);

    while (seen[i].n && seen[i].hash != hash) {
        i = (i + 1) % COUNT(seen);
    }
    seen[i].hash = hash;
    return ++seen[i].n;
}

void answer_piece(struct answer *a, size_t at, double due)
{
    a->pieces = xgrow(a->pieces, a->n_pieces + 1, sizeof(*a->pieces));
    a->pieces[a->n_pieces++] = (struct piece){at, due};
}

void answer_free(struct answer *a)
{
    sb_free(&a->head);
    sb_free(&a->body);
    sb_free(&a->raw);
    free(a->pieces);
    memset(a, 0, sizeof(*a));
}

/* ---- the log: a line for each request, when its answer has ended ---- */

static void note(struct conn *c, const char *how)
{
    char line[512];
    int  n =
        snprintf(line, sizeof(line),
                 "{\"number\":%u,\"path\":\"%s\",\"hash\":\"%016llx\",\"nth\":%u,\"open\":%u,"
                 "\"status\":%d,\"fault\":\"%s\",\"end\":\"%s\",\"ms\":%.0f}\n",
                 c->q.number, c->path, (unsigned long long)c->q.hash, c->q.nth, c->q.open,
                 c->a.status, c->a.fault ? c->a.fault : "", how, (clock_now() - c->begun) * 1000);

    if (log_fd >= 0 && write(log_fd, line, (size_t)n) != n) {
        die("cannot write the log");
    }
}

/* ---- answers ---- */

static void finish_raw(struct conn *c)
{
    struct answer *a = &c->a;
    const double   due = (double)set.latency_ms / 1000;
    size_t         before, from = 0;

    sb_printf(&a->raw, "HTTP/1.1 %d X\r\nContent-Type: %s\r\n%s", a->status,
              a->type ? a->type : "application/json", sb_text(&a->head));
    if (!a->chunked) {
        sb_printf(&a->raw, "Content-Length: %zu\r\n\r\n", a->body.n);
        sb_add(&a->raw, sb_text(&a->body), a->body.n);
        if (a->n_pieces == 0) {
            answer_piece(a, a->raw.n, due);
        }
        return;
    }
    sb_puts(&a->raw, "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t i = 0; i < a->n_pieces; i++) { /* a chunk a piece */
        before = a->pieces[i].at;
        sb_printf(&a->raw, "%zx\r\n", before - from);
        sb_add(&a->raw, sb_text(&a->body) + from, before - from);
        sb_puts(&a->raw, i + 1 < a->n_pieces ? "\r\n" : "\r\n0\r\n\r\n");
        a->pieces[i].at = a->raw.n;
        from = before;
    }
}

static void make_answer(struct conn *c, const struct ask *q)
{
    const cJSON *rule = rule_for(q);

    memset(&c->a, 0, sizeof(c->a));
    if (!rule || !rule_instead(rule, &c->a)) {
        bool no_usage = set.no_usage;
        set.no_usage = no_usage || (c->a.fault && strcmp(c->a.fault, "no_usage") == 0);
        api_answer(q, &c->a);
        set.no_usage = no_usage;
    }
    if (c->a.status != 200 && c->a.n_pieces == 0) { /* refusals come at once */
        long latency = set.latency_ms;
        set.latency_ms = 0;
        finish_raw(c);
        set.latency_ms = latency;
    } else {
        finish_raw(c);
    }
    if (rule) {
        rule_after(rule, &c->a);
    }
    c->busy = true;
    c->sent = c->piece = 0;
    c->begun = clock_now();
}

/* ---- connections ---- */

static void drop(struct conn *c, const char *how)
{
    struct linger hard = {1, 0};

    if (c->busy) {
        note(c, how);
        n_open--;
    }
    if (c->a.ending == END_RESET) {
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    }
    (void)close(c->fd);
    answer_free(&c->a);
    sb_free(&c->in);
    for (size_t i = 0; i < n_conns; i++) {
        if (conns[i] == c) {
            conns[i] = conns[--n_conns];
            break;
        }
    }
    free(c);
}

static void header(const char *head, const char *name, char *out, size_t cap)
{
    size_t n = strlen(name);

    out[0] = '\0';
    for (const char *p = strchr(head, '\n'); p; p = strchr(p, '\n')) {
        p++;
        if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
            p += n + 1 + strspn(p + n + 1, " ");
            (void)snprintf(out, cap, "%.*s", (int)strcspn(p, "\r\n"), p);
            return;
        }
    }
}

/* A whole request in c->in: answers it.  False: there is none yet. */
static bool take_request(struct conn *c)
{
    char      *end = c->in.n ? strstr(c->in.p, "\r\n\r\n") : NULL;
    char       length[32], bearer[512], azure[512], method[16];
    size_t     head, body;
    struct ask q = {0};

    if (!end || c->busy) {
        return false;
    }
    head = (size_t)(end - c->in.p) + 4;
    header(c->in.p, "content-length", length, sizeof(length));
    header(c->in.p, "authorization", bearer, sizeof(bearer));
    header(c->in.p, "api-key", azure, sizeof(azure));
    body = strtoul(length, NULL, 10);
    if (c->in.n < head + body) {
        return false;
    }
    (void)snprintf(method, sizeof(method), "%.*s", (int)strcspn(c->in.p, " "), c->in.p);
    {
        const char *path = c->in.p + strcspn(c->in.p, " ");
        path += *path == ' ';
        (void)snprintf(c->path, sizeof(c->path), "%.*s", (int)strcspn(path, " \r\n"), path);
    }
    c->in.p[head - 1] = '\0';
    q.method = method;
    q.path = c->path;
    q.key = set.profile == P_AZURE ? azure : starts_with(bearer, "Bearer ") ? bearer + 7 : "";
    q.body = c->in.p + head;
    q.body_n = body;
    q.hash = hash_bytes(hash_bytes(3, c->path, strlen(c->path)), q.body, body);
    q.nth = count(q.hash);
    q.number = ++n_requests;
    q.open = ++n_open;
    most_open = n_open > most_open ? n_open : most_open;
    {
        char *text = xdupn(q.body, body); /* ends in 0 */
        q.body = text;
        make_answer(c, &q);
        free(text);
    }
    c->q = q;
    memmove(c->in.p, c->in.p + head + body, c->in.n - head - body);
    c->in.n -= head + body;
    c->in.p[c->in.n] = '\0';
    return true;
}

/* What is due goes out.  False: the connection is gone. */
static bool advance(struct conn *c, double now)
{
    struct answer *a = &c->a;

    while (c->busy && a->ending != END_HANG) {
        size_t to = c->sent;
        while (c->piece < a->n_pieces && c->begun + a->pieces[c->piece].due <= now) {
            to = a->pieces[c->piece++].at;
        }
        if (a->ending == END_RESET) {
            drop(c, "reset");
            return false;
        }
        if (to > c->sent) {
            ssize_t n = send(c->fd, a->raw.p + c->sent, to - c->sent, MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN) {
                drop(c, "left");
                return false;
            }
            c->sent += n > 0 ? (size_t)n : 0;
            if (c->sent < to) { /* the other side is slow: the rest later */
                c->piece -= c->piece > 0;
                return true;
            }
        }
        if (c->piece < a->n_pieces) {
            return true;
        }
        note(c, "sent");
        n_open--;
        c->busy = false;
        if (a->ending == END_CLOSE) {
            drop(c, "");
            return false;
        }
        answer_free(a);
        (void)take_request(c);
    }
    return true;
}

static void readable(struct conn *c)
{
    char    buf[64 << 10];
    ssize_t n;

    while ((n = recv(c->fd, buf, sizeof(buf), 0)) > 0) {
        sb_add(&c->in, buf, (size_t)n);
        if (c->in.n > MAX_REQUEST) {
            drop(c, "too long");
            return;
        }
    }
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        drop(c, "left");
        return;
    }
    if (take_request(c)) {
        (void)advance(c, clock_now());
    }
}

static void accept_all(int fd)
{
    int one = 1, s;

    while (n_conns < MAX_CONNS &&
           (s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn       *c = xalloc(1, sizeof(*c));
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
        c->fd = s;
        (void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        conns[n_conns++] = c;
        if (epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev) != 0) {
            die("epoll_ctl");
        }
    }
}

static int next_ms(double now)
{
    double ms = 1000;

    for (size_t i = 0; i < n_conns; i++) {
        const struct conn *c = conns[i];
        if (c->busy && c->a.ending != END_HANG && c->piece < c->a.n_pieces) {
            double left = (c->begun + c->a.pieces[c->piece].due - now) * 1000;
            ms = left < ms ? left : ms;
        }
    }
    return ms > 0 ? (int)ms + (ms > (int)ms) : 0;
}

static void serve(int fd)
{
    struct epoll_event ev[256];
    char               end;

    for (;;) {
        int    n = epoll_wait(ep, ev, COUNT(ev), next_ms(clock_now()));
        double now;
        for (int i = 0; i < n; i++) {
            if (ev[i].data.ptr == &ep) {
                if (read(STDIN_FILENO, &end, 1) <= 0) {
                    return;
                }
            } else if (ev[i].data.ptr == &n_conns) {
                accept_all(fd);
            } else {
                readable(ev[i].data.ptr);
            }
        }
        now = clock_now();
        for (size_t i = 0; i < n_conns;) {
            i += advance(conns[i], now);
        }
    }
}

/* ---- the program ---- */

static int listen_on(unsigned *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t          n = sizeof(a);
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    a.sin_port = htons((uint16_t)*port);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
        die("cannot listen: %s", strerror(errno));
    }
    *port = ntohs(a.sin_port);
    return fd;
}

static enum profile profile_of(const char *name)
{
    static const char *const names[] = {"vllm", "sglang", "llamacpp", "openai", "azure", "ollama"};

    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return (enum profile)i;
        }
    }
    die("no profile %s", name);
}

static cJSON *rules_of(const char *json)
{
    cJSON *rules = cJSON_Parse(json);

    if (!cJSON_IsArray(rules)) {
        die("--rules: no JSON list");
    }
    return rules;
}

static unsigned options(int argc, char **argv, const char **port_file)
{
    static const struct option all[] = {
        {"profile", 1, NULL, 'p'}, {"port-file", 1, NULL, 'f'}, {"log", 1, NULL, 'l'},
        {"latency", 1, NULL, 't'}, {"key", 1, NULL, 'k'},       {"rules", 1, NULL, 'r'},
        {"model", 1, NULL, 'm'},   {"context", 1, NULL, 'c'},   {"slots", 1, NULL, 's'},
        {"plain", 0, NULL, 'n'},   {"no-bos", 0, NULL, 'b'},    {"no-usage", 0, NULL, 'u'},
        {"port", 1, NULL, 'P'},    {NULL, 0, NULL, 0}};
    unsigned port = 0;
    int      o;

    while ((o = getopt_long(argc, argv, "", all, NULL)) != -1) {
        switch (o) {
        case 'p':
            set.profile = profile_of(optarg);
            break;
        case 'f':
            *port_file = optarg;
            break;
        case 'l':
            set.log = optarg;
            break;
        case 't':
            set.latency_ms = strtol(optarg, NULL, 10);
            break;
        case 'k':
            set.key = optarg;
            break;
        case 'r':
            set.rules = rules_of(optarg);
            break;
        case 'm':
            set.model = optarg;
            break;
        case 'c':
            set.context = strtol(optarg, NULL, 10);
            break;
        case 's':
            set.slots = strtol(optarg, NULL, 10);
            break;
        case 'n':
            set.plain = true;
            break;
        case 'b':
            set.bos = false;
            break;
        case 'u':
            set.no_usage = true;
            break;
        case 'P':
            port = (unsigned)strtoul(optarg, NULL, 10);
            break;
        default:
            die("see README.md for the options");
        }
    }
    return port;
}

static void add(int fd, void *tag)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = tag};

    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0) {
        die("epoll_ctl: %s", strerror(errno));
    }
}

int main(int argc, char **argv)
{
    const char   *port_file = NULL;
    unsigned      port = options(argc, argv, &port_file);
    struct rlimit files = {MAX_CONNS + 64, MAX_CONNS + 64};
    int           fd = listen_on(&port);

    (void)setrlimit(RLIMIT_NOFILE, &files);
    (void)signal(SIGPIPE, SIG_IGN);
    log_fd = set.log ? open(set.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    ep = epoll_create1(EPOLL_CLOEXEC);
    add(fd, &n_conns);
    add(STDIN_FILENO, &ep);
    if (port_file) {
        char *name = xprintf("%s.new", port_file);
        FILE *f = fopen(name, "w");
        if (!f || fprintf(f, "%u\n", port) < 0 || fclose(f) != 0 || rename(name, port_file) != 0) {
            die("cannot write %s", port_file);
        }
        free(name);
    }
    serve(fd);
    while (n_conns) {
        drop(conns[0], "stopped");
    }
    (void)printf("%u requests, %u at once\n", n_requests, most_open);
    cJSON_Delete(set.rules);
    return 0;
}
