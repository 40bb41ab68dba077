/* SPDX-License-Identifier: MIT
 * send.c - an answer goes out, by its plan. */
#include "hub.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOW_STEP = 16 << 10, TOGETHER = 64 << 10 };

static void add_field(struct sb *s, const struct plan *p, const char *name, const char *value)
{
    for (; *name; name++) {
        sb_putc(s, (char)(p->lower_case   ? tolower((unsigned char)*name)
                          : p->upper_case ? toupper((unsigned char)*name)
                                          : *name));
    }
    sb_printf(s, ": %s\r\n", value);
}

static bool is_chunked(const struct call *c)
{
    return c->plan.length == LENGTH_CHUNKED || c->plan.length == LENGTH_CHUNKED_CUT ||
           (c->plan.length == LENGTH_RIGHT && (c->r.no_length || c->r.n == ENDLESS));
}

static void add_length(struct sb *s, struct call *c)
{
    char number[32];

    if (c->r.no_body || c->plan.length == LENGTH_NONE) {
        return;
    }
    if (is_chunked(c)) {
        add_field(s, &c->plan, "Transfer-Encoding", "chunked");
        return;
    }
    (void)snprintf(number, sizeof(number), "%lld",
                   (long long)c->r.n + (c->plan.length == LENGTH_WRONG ? c->plan.length_by : 0));
    add_field(s, &c->plan, "Content-Length", number);
}

static void make_head(struct call *c, struct sb *s)
{
    char date[40];

    http_date(clock_wall(), date);
    sb_printf(s, "HTTP/1.%d %d %s\r\n", c->plan.length == LENGTH_NONE ? 0 : 1, c->r.status,
              status_text(c->r.status));
    if (!reply_get(&c->r, "Date")) {
        add_field(s, &c->plan, "Date", date);
    }
    for (size_t i = 0; i < c->r.n_fields; i++) {
        add_field(s, &c->plan, c->r.fields[i].name, c->r.fields[i].value);
    }
    if (!reply_get(&c->r, "Content-Length")) {
        add_length(s, c);
    }
    if (!reply_get(&c->r, "Connection")) {
        add_field(s, &c->plan, "Connection",
                  c->r.close && !c->plan.close_quietly ? "close" : "keep-alive");
    }
    sb_puts(s, "\r\n");
}

static void read_body(const struct call *c, uint64_t at, char *buf, size_t n)
{
    if (c->r.content) {
        content_read(c->r.content, c->r.from + at, buf, n);
    } else {
        memcpy(buf, c->r.text.p + c->r.from + at, n);
    }
    for (unsigned i = 0; i < c->plan.flips; i++) {
        uint64_t place = c->plan.flip[i] - (c->r.from + at);

        if (c->plan.flip[i] >= c->r.from + at && place < n) {
            buf[place] = (char)(buf[place] ^ 1);
        }
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How much may go at once: no further than to the next place where something happens. */
static size_t step_of(const struct call *c, uint64_t at)
{
    const struct plan *p = &c->plan;
    uint64_t           n = least(c->r.n - at, OUT_SIZE);

    if (p->cut && p->cut_at > at) {
        n = least(n, p->cut_at - at);
    }
    if (p->stall_at > at) {
        n = least(n, p->stall_at - at);
    }
    if (p->each > 0 && at < p->slow_from) {
        n = least(n, p->slow_from - at);
    } else if (p->each > 0) {
        uint64_t most = (uint64_t)(p->each / 20);

        n = least(n, most < 1 ? 1 : most > SLOW_STEP ? SLOW_STEP : most);
    }
    if (p->total > 0) {
        n = least(n, SLOW_STEP);
    }
    return (size_t)n;
}

static bool paced(struct call *c, uint64_t at, size_t n)
{
    const struct plan *p = &c->plan;

    if (p->each > 0 && at >= p->slow_from && !conn_pace(c->conn, &c->conn->pace, p->each, n)) {
        return false;
    }
    return p->total <= 0 || conn_pace(c->conn, &c->port->pace, p->total, n);
}

static void count_bytes(struct call *c, size_t n)
{
    c->sent += n;
    atomic_fetch_add(&c->port->bytes, n);
    if (c->r.file) {
        atomic_fetch_add(&c->r.file->bytes, n);
    }
}

static bool send_step(struct call *c, uint64_t at, size_t n, bool chunked)
{
    const struct content *bytes = c->r.content;
    char                  line[32];
    bool                  ok;

    if (chunked) {
        int k = snprintf(line, sizeof(line), "%zx\r\n", n);

        if (!conn_send(c->conn, line, (size_t)k, true)) {
            return false;
        }
    }
    if (bytes && bytes->kind == CONTENT_FILE && !c->conn->ssl && !c->plan.flips) {
        ok = conn_sendfile(c->conn, bytes->fd, c->r.from + at, n);
    } else {
        read_body(c, at, c->conn->out, n);
        ok = conn_send(c->conn, c->conn->out, n, chunked);
    }
    if (ok) {
        count_bytes(c, n);
    }
    return ok && (!chunked || conn_send(c->conn, "\r\n", 2, false));
}

/* false: the connection cannot be used again (the plan wanted that, or the client is gone). */
static bool send_body(struct call *c)
{
    const struct plan *p = &c->plan;
    bool               chunked = is_chunked(c);
    uint64_t           at = 0;

    for (;;) {
        size_t n;

        if (p->cut && at >= p->cut_at) {
            conn_drain(c->conn);
            return false;
        }
        if (at == p->stall_at && !conn_wait(c->conn, p->stall_for)) {
            return false;
        }
        if (at >= c->r.n) {
            break;
        }
        n = step_of(c, at);
        if (!paced(c, at, n) || !send_step(c, at, n, chunked)) {
            return false;
        }
        at += n;
    }
    if (chunked && p->length != LENGTH_CHUNKED_CUT) {
        return conn_send(c->conn, "0\r\n\r\n", 5, false);
    }
    return p->length == LENGTH_RIGHT || p->length == LENGTH_CHUNKED;
}

/* One packet for what is small and goes as it is. */
static bool send_together(struct call *c, struct sb *head)
{
    const struct plan *p = &c->plan;
    size_t             n = (size_t)c->r.n;

    if (c->r.n > TOGETHER || is_chunked(c) || p->cut || p->stall_at != NEVER || p->each > 0 ||
        p->total > 0 || p->length != LENGTH_RIGHT) {
        return false;
    }
    if (n) {
        read_body(c, 0, c->conn->out, n);
        sb_add(head, c->conn->out, n);
    }
    if (conn_send(c->conn, head->p, head->n, false)) {
        count_bytes(c, n);
    } else {
        c->r.close = true;
    }
    return true;
}

void send_call(struct call *c)
{
    struct plan *p = &c->plan;
    struct sb    head = {NULL, 0, 0};
    bool         body = !c->q.head && !c->r.no_body;

    if (p->silent) {
        (void)conn_wait(c->conn, -1);
    }
    if (p->silent || p->hang_up || (p->wait > 0 && !conn_wait(c->conn, p->wait))) {
        c->r.close = true;
        return;
    }
    c->r.close = c->r.close || p->close_after || p->length == LENGTH_NONE;
    make_head(c, &head);
    if (!body) {
        if (!conn_send(c->conn, head.p, head.n, false)) {
            c->r.close = true;
        }
    } else if (!send_together(c, &head)) {
        if (!conn_send(c->conn, head.p, head.n, true) || !send_body(c)) {
            c->r.close = true;
        }
    }
    sb_free(&head);
}
