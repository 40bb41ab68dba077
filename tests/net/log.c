/* SPDX-License-Identifier: MIT
 * log.c - one line of JSON for each request, when its answer has ended. */
#include "hub.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void log_open(struct hub *h, const char *path)
{
    h->log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (h->log < 0) {
        die("cannot write %s: %s", path, strerror(errno));
    }
}

static void add_fields(struct sb *s, const struct request *q)
{
    sb_puts(s, ",\"headers\":[");
    for (size_t i = 0; i < q->n_fields; i++) {
        sb_puts(s, i ? ",[" : "[");
        sb_jsons(s, q->fields[i].name);
        sb_putc(s, ',');
        sb_jsons(s, q->fields[i].value);
        sb_putc(s, ']');
    }
    sb_putc(s, ']');
}

void log_call(const struct call *c)
{
    struct sb   s = {NULL, 0, 0};
    const char *range = request_field(&c->q, "Range");

    if (c->hub->log < 0) {
        return;
    }
    sb_printf(&s, "{\"t\":%.6f,\"ms\":%.3f,\"port\":\"%s\",\"conn_id\":%llu,\"nth\":%u,\"tls\":%s",
              c->t, (clock_wall() - c->t) * 1e3, c->port->name, (unsigned long long)c->conn->id,
              c->nth, c->port->tls ? "true" : "false");
    sb_puts(&s, ",\"method\":");
    sb_jsons(&s, c->q.method);
    sb_puts(&s, ",\"target\":");
    sb_jsons(&s, c->q.target);
    add_fields(&s, &c->q);
    sb_printf(&s, ",\"status\":%d,\"range\":", c->r.status);
    if (range) {
        sb_jsons(&s, range);
    } else {
        sb_puts(&s, "null");
    }
    sb_printf(&s, ",\"bytes_sent\":%llu,\"file\":", (unsigned long long)c->sent);
    if (c->named) {
        sb_jsons(&s, c->named);
    } else {
        sb_puts(&s, "null");
    }
    sb_puts(&s, ",\"fault\":");
    if (c->plan.names.n) {
        sb_jsons(&s, c->plan.names.p);
    } else {
        sb_puts(&s, "null");
    }
    sb_puts(&s, "}\n");
    /* One call, so that lines of two threads do not mix. */
    if (write(c->hub->log, s.p, s.n) != (ssize_t)s.n) {
        die("cannot write the log: %s", strerror(errno));
    }
    sb_free(&s);
}
