/* SPDX-License-Identifier: MIT
 * fault_answer.c - faults that change status, header fields and bytes of an answer. */
#include "fault_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOMB_MAX = 1 << 30 };

static uint64_t total_of(const struct call *c)
{
    return c->r.content ? c->r.content->size : c->r.text.n;
}

/* A number or a text: seconds; "date:N" a date N seconds from now; anything else as it is. */
static void set_retry_after(struct call *c, const cJSON *v)
{
    char date[40];

    if (cJSON_IsNumber(v)) {
        reply_setf(&c->r, "Retry-After", "%.0f", v->valuedouble);
    } else if (cJSON_IsString(v) && starts_with(v->valuestring, "date:")) {
        http_date(clock_wall() + strtod(v->valuestring + 5, NULL), date);
        reply_set(&c->r, "Retry-After", date);
    } else if (cJSON_IsString(v)) {
        reply_set(&c->r, "Retry-After", v->valuestring);
    }
}

void act_status(struct call *c, const cJSON *p)
{
    int         status = (int)fault_number(p, "code", 500);
    const char *type = fault_text(p, "type", "text/plain; charset=utf-8");
    const char *body = fault_text(p, "body", status_text(status));

    reply_unset(&c->r, "Location");
    reply_unset(&c->r, "Content-Range");
    reply_text(&c->r, status, type, body);
    c->r.file = NULL;
    set_retry_after(c, cJSON_GetObjectItemCaseSensitive(p, "retry_after"));
    if (cJSON_HasObjectItem(p, "ratelimit_t")) {
        reply_setf(&c->r, "RateLimit", "\"resolvers\";r=%.0f;t=%.0f",
                   fault_number(p, "ratelimit_r", 0), fault_number(p, "ratelimit_t", 1));
    }
}

void act_416(struct call *c, const cJSON *p)
{
    double total = fault_number(p, "total", (double)total_of(c));

    reply_text(&c->r, 416, "text/plain", "");
    reply_setf(&c->r, "Content-Range", "bytes */%.0f", total);
    c->r.file = NULL;
}

void act_full200(struct call *c, const cJSON *p)
{
    (void)p;
    if (c->r.content) {
        c->r.status = 200;
        c->r.from = 0;
        c->r.n = c->r.content->size;
        reply_unset(&c->r, "Content-Range");
    }
}

void act_content_range(struct call *c, const cJSON *p)
{
    const char *value = fault_text(p, "value", NULL);
    double      from = (double)c->r.from, last = from + (double)c->r.n - 1;

    if (!reply_get(&c->r, "Content-Range")) {
        return;
    }
    if (fault_flag(p, "none")) {
        reply_unset(&c->r, "Content-Range");
    } else if (value) {
        reply_set(&c->r, "Content-Range", value);
    } else {
        reply_setf(&c->r, "Content-Range", "bytes %.0f-%.0f/%.0f",
                   from + fault_number(p, "start", 0), last + fault_number(p, "end", 0),
                   (double)total_of(c) + fault_number(p, "total", 0));
    }
}

void act_multipart(struct call *c, const cJSON *p)
{
    static const char line[] = "--7d1e5c9a2b4f";
    const char       *range = reply_get(&c->r, "Content-Range");
    struct sb         s = {NULL, 0, 0};

    (void)p;
    if (!c->r.content || !range) {
        return;
    }
    reply_flatten(&c->r);
    sb_printf(&s, "%s\r\nContent-Type: application/octet-stream\r\nContent-Range: %s\r\n\r\n", line,
              range);
    sb_add(&s, c->r.text.p, c->r.text.n);
    sb_printf(&s, "\r\n%s--\r\n", line);
    reply_unset(&c->r, "Content-Range");
    reply_body(&c->r, 206, "multipart/byteranges; boundary=7d1e5c9a2b4f", &s);
}

void act_headers(struct call *c, const cJSON *p)
{
    const cJSON *v;

    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(p, "remove"))
    {
        reply_unset(&c->r, v->valuestring ? v->valuestring : "");
    }
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(p, "set"))
    {
        if (v->valuestring) {
            reply_set(&c->r, v->string, v->valuestring);
        }
    }
}

void act_no_linked(struct call *c, const cJSON *p)
{
    (void)p;
    reply_unset(&c->r, "X-Linked-ETag");
    reply_unset(&c->r, "X-Linked-Size");
}

/* As if the object had been replaced: other bytes of the same length, another ETag. */
void act_swap(struct call *c, const cJSON *p)
{
    uint64_t seed = (uint64_t)fault_number(p, "with", 4711);

    if (!c->r.content || c->r.mine || c->r.content->kind == CONTENT_ROWS) {
        return;
    }
    c->r.mine = content_made(seed, c->r.content->size);
    c->r.content = c->r.mine;
    reply_setf(&c->r, "ETag", "\"%016llx\"", (unsigned long long)mix64(seed));
}

void act_gzip(struct call *c, const cJSON *p)
{
    double bomb = fault_number(p, "bomb", 0);

    if (bomb > 0) {
        size_t    n = bomb < BOMB_MAX ? (size_t)bomb : BOMB_MAX;
        struct sb s = {xalloc(n + 1, 1), n, n + 1};

        reply_body(&c->r, 200, "application/octet-stream", &s);
        reply_unset(&c->r, "Content-Range");
    }
    (void)reply_gzip(&c->r);
}

void act_json_error(struct call *c, const cJSON *p)
{
    reply_unset(&c->r, "Content-Range");
    reply_unset(&c->r, "Location");
    reply_text(&c->r, (int)fault_number(p, "status", 200), "application/json; charset=utf-8",
               "{\"Code\":10990101007,\"Message\":\"获取模型文件失败，文件内容为空\",\"RequestId\":"
               "\"00000000-0000-4000-8000-000000000016\",\"Success\":false}");
    c->r.file = NULL;
}

void act_html(struct call *c, const cJSON *p)
{
    reply_unset(&c->r, "Content-Range");
    reply_unset(&c->r, "Location");
    reply_text(&c->r, (int)fault_number(p, "status", 200), "text/html; charset=utf-8",
               "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n<body><form method="
               "\"post\" action=\"/login\"><input name=\"user\"><input name=\"password\"></form>"
               "</body></html>\n");
    c->r.file = NULL;
}

/* {target}, {path}, {host} and {port} in the text are those of the request. */
static char *filled(const struct call *c, const char *to)
{
    struct sb   s = {NULL, 0, 0};
    char       *origin = origin_of(c);
    const char *host = strstr(origin, "//") + 2;

    while (*to) {
        if (starts_with(to, "{target}")) {
            sb_puts(&s, c->q.target);
            to += 8;
        } else if (starts_with(to, "{host}")) {
            sb_puts(&s, host);
            to += 6;
        } else {
            sb_putc(&s, *to++);
        }
    }
    free(origin);
    return sb_take(&s);
}

void act_redirect(struct call *c, const cJSON *p)
{
    double      hops = fault_number(p, "hops", 0);
    const char *to = fault_text(p, "to", "{target}");
    char       *location;

    if (c->hopped || starts_with(c->q.target, "/__hop/")) {
        return;
    }
    location = hops > 0 ? xprintf("/__hop/%.0f%s", hops - 1, c->q.target) : filled(c, to);
    reply_unset(&c->r, "Content-Range");
    reply_text(&c->r, (int)fault_number(p, "status", 302), "text/plain", "");
    reply_set(&c->r, "Location", location);
    c->r.file = NULL;
    free(location);
}

void act_expire(struct call *c, const cJSON *p)
{
    (void)p;
    if (c->r.file) {
        atomic_fetch_add(&c->r.file->expired, 1);
        (void)pthread_mutex_lock(&c->hub->lock);
        c->hub->expired++;
        (void)pthread_mutex_unlock(&c->hub->lock);
        reply_unset(&c->r, "Content-Range");
        sign_refuse(c, true);
        c->r.file = NULL;
    }
}
