/* SPDX-License-Identifier: MIT
 * reply.c - answers; see http.h. */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { FLAT_MAX = 256 << 20 };

const char *status_text(int status)
{
    static const struct {
        int         status;
        const char *text;
    } known[] = {{200, "OK"},
                 {204, "No Content"},
                 {206, "Partial Content"},
                 {301, "Moved Permanently"},
                 {302, "Found"},
                 {303, "See Other"},
                 {304, "Not Modified"},
                 {307, "Temporary Redirect"},
                 {308, "Permanent Redirect"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {408, "Request Timeout"},
                 {410, "Gone"},
                 {411, "Length Required"},
                 {413, "Content Too Large"},
                 {416, "Range Not Satisfiable"},
                 {429, "Too Many Requests"},
                 {431, "Request Header Fields Too Large"},
                 {451, "Unavailable For Legal Reasons"},
                 {500, "Internal Server Error"},
                 {501, "Not Implemented"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"}};

    for (size_t i = 0; i < COUNT(known); i++) {
        if (known[i].status == status) {
            return known[i].text;
        }
    }
    return "Unknown";
}

void reply_free(struct reply *r)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        free(r->fields[i].name);
        free(r->fields[i].value);
    }
    free(r->fields);
    sb_free(&r->text);
    content_free(r->mine);
    memset(r, 0, sizeof(*r));
}

/* ---- header fields ------------------------------------------------------------------------- */

void reply_add(struct reply *r, const char *name, const char *value)
{
    r->fields = xgrow(r->fields, r->n_fields + 1, sizeof(*r->fields));
    r->fields[r->n_fields++] = (struct out_field){xdup(name), xdup(value)};
}

void reply_unset(struct reply *r, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->n_fields; i++) {
        if (strcasecmp(r->fields[i].name, name) == 0) {
            free(r->fields[i].name);
            free(r->fields[i].value);
        } else {
            r->fields[kept++] = r->fields[i];
        }
    }
    r->n_fields = kept;
}

void reply_set(struct reply *r, const char *name, const char *value)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        if (strcasecmp(r->fields[i].name, name) == 0) {
            free(r->fields[i].value);
            r->fields[i].value = xdup(value);
            return;
        }
    }
    reply_add(r, name, value);
}

void reply_setf(struct reply *r, const char *name, const char *fmt, ...)
{
    struct sb s = {NULL, 0, 0};
    va_list   ap;

    va_start(ap, fmt);
    sb_vprintf(&s, fmt, ap);
    va_end(ap);
    reply_set(r, name, sb_text(&s));
    sb_free(&s);
}

const char *reply_get(const struct reply *r, const char *name)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        if (strcasecmp(r->fields[i].name, name) == 0) {
            return r->fields[i].value;
        }
    }
    return NULL;
}

/* ---- bodies -------------------------------------------------------------------------------- */

void reply_body(struct reply *r, int status, const char *type, struct sb *body)
{
    struct sb old = r->text;

    r->status = status;
    r->content = NULL;
    r->no_length = false;
    reply_unset(r, "Content-Encoding");
    r->from = 0;
    r->n = body->n;
    r->text = *body;
    *body = (struct sb){NULL, 0, 0};
    sb_free(&old);
    reply_set(r, "Content-Type", type);
}

void reply_text(struct reply *r, int status, const char *type, const char *text)
{
    struct sb s = {NULL, 0, 0};

    sb_puts(&s, text);
    reply_body(r, status, type, &s);
}

void reply_textf(struct reply *r, int status, const char *type, const char *fmt, ...)
{
    struct sb s = {NULL, 0, 0};
    va_list   ap;

    va_start(ap, fmt);
    sb_vprintf(&s, fmt, ap);
    va_end(ap);
    reply_body(r, status, type, &s);
}

void reply_content(struct reply *r, const struct request *q, const struct content *c)
{
    uint64_t from = q->from, last = q->to;

    r->content = c;
    r->status = 200;
    r->from = 0;
    r->n = c->size;
    reply_set(r, "Accept-Ranges", "bytes");
    if (!q->ranged || c->size == ENDLESS) {
        return;
    }
    if (q->suffix) {
        from = q->from < c->size ? c->size - q->from : 0;
        last = q->from ? ENDLESS : 0;
    }
    if (from >= c->size || (q->suffix && !q->from)) {
        reply_text(r, 416, "text/plain", "");
        reply_setf(r, "Content-Range", "bytes */%llu", (unsigned long long)c->size);
        return;
    }
    last = last < c->size ? last : c->size - 1;
    r->status = 206;
    r->from = from;
    r->n = last - from + 1;
    reply_setf(r, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)from,
               (unsigned long long)last, (unsigned long long)c->size);
}

void reply_flatten(struct reply *r)
{
    struct sb s = {NULL, 0, 0};

    if (r->content) {
        size_t n = r->n < FLAT_MAX ? (size_t)r->n : FLAT_MAX;
        char  *p = xalloc(n + 1, 1);

        content_read(r->content, r->from, p, n);
        s = (struct sb){p, n, n + 1};
    } else if (r->from || r->n < r->text.n) {
        sb_add(&s, sb_text(&r->text) + r->from, (size_t)r->n);
    } else {
        return;
    }
    sb_free(&r->text);
    r->text = s;
    r->content = NULL;
    r->from = 0;
    r->n = s.n;
}

bool reply_gzip(struct reply *r)
{
    z_stream  z;
    struct sb s = {NULL, 0, 0};
    size_t    room;

    if (r->no_body || r->n > FLAT_MAX) {
        return false;
    }
    reply_flatten(r);
    memset(&z, 0, sizeof(z));
    if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    room = deflateBound(&z, r->text.n) + 64;
    s = (struct sb){xalloc(room, 1), 0, room};
    z.next_in = (unsigned char *)r->text.p;
    z.avail_in = (unsigned)r->text.n;
    z.next_out = (unsigned char *)s.p;
    z.avail_out = (unsigned)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        abort();
    }
    s.n = room - z.avail_out;
    (void)deflateEnd(&z);
    sb_free(&r->text);
    r->text = s;
    r->n = s.n;
    reply_set(r, "Content-Encoding", "gzip");
    return true;
}
