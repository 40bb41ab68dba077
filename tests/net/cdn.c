/* SPDX-License-Identifier: MIT
 * cdn.c - the hosts for bulk data: signed URLs, ranges, and no tokens please. */
#include "hub.h"

#include <stdio.h>
#include <string.h>

static void object_fields(struct call *c, const struct file *f)
{
    char md5[33];

    md5_text(f->content->sha256, 64, md5);
    if (c->port->kind == PORT_OSS) {
        reply_setf(&c->r, "ETag", "\"%s\"", md5);
        reply_set(&c->r, "x-oss-object-type", "Normal");
        reply_setf(&c->r, "x-oss-request-id", "%.24s", md5);
    } else if (f->kind == FILE_XET) {
        reply_setf(&c->r, "ETag", "\"%s\"", f->xet);
        reply_set(&c->r, "x-hf-cdn-pop", "loopback");
        reply_set(&c->r, "Via", "1.1 loopback.cloudfront.example (CloudFront)");
    } else {
        reply_setf(&c->r, "ETag", "\"%s-%u\"", md5, (unsigned)(f->content->size >> 23) + 1);
        reply_set(&c->r, "Server", "AmazonS3");
    }
    reply_set(&c->r, "Content-Type", "application/octet-stream");
}

void cdn_route(struct call *c)
{
    struct file *f;

    if (strcmp(c->q.method, "GET") != 0 && !c->q.head) {
        reply_text(&c->r, 405, "text/plain", "");
        return;
    }
    if (c->port->kind == PORT_CDN && strstr(c->q.path, "/reconstructions/")) {
        reply_text(&c->r, 404, "text/plain", "no Xet here"); /* plain downloads only */
        return;
    }
    if (c->port->kind == PORT_CDN && request_field(&c->q, "Authorization")) {
        reply_text(&c->r, 400, "application/xml",
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidArgument</Code>"
                   "<Message>Only one auth mechanism allowed; only the X-Amz-Algorithm query "
                   "parameter, Signature query string parameter or the Authorization header should "
                   "be specified</Message></Error>");
        return;
    }
    f = sign_check(c);
    if (!f) {
        return;
    }
    atomic_fetch_add(&f->gets, 1);
    object_fields(c, f);
    reply_content(&c->r, &c->q, f->content);
    c->r.file = f;
    c->named = f->path;
}
