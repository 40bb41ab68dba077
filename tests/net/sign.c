/* SPDX-License-Identifier: MIT
 * sign.c - URLs of the two CDNs: signed, good for a time or for a number of uses.  The signature is
 * a number in the hub's table and a digest of it with the path. */
#include "hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *origin(const struct call *c, const char *name, const char *host)
{
    const struct port *p = port_named(c->hub, name);

    return xprintf("%s://%s:%d", p->tls ? "https" : "http", host, p->number);
}

char *origin_of(const struct call *c)
{
    const char *host = request_field(&c->q, "Host");

    if (host) {
        return xprintf("%s://%s", c->port->tls ? "https" : "http", host);
    }
    return origin(c, c->port->name, "127.0.0.1");
}

/* By another name than the hub's, so that it is another host even for those who leave out the port.
 */
char *bulk_origin(const struct call *c)
{
    bool ms = c->port->kind == PORT_MS;

    return origin(c, ms ? (c->port->tls ? "osss" : "oss") : (c->port->tls ? "cdns" : "cdn"),
                  "localhost");
}

static size_t sign_new(struct hub *h, struct file *f, const char *path)
{
    long long         uses = setting(&h->settings, SIGN_USES);
    struct signature *s;
    size_t            id;

    (void)pthread_mutex_lock(&h->lock);
    id = h->n_signatures++;
    if ((id & (id - 1)) == 0) {
        h->signatures = xgrow(h->signatures, id ? 2 * id : 1, sizeof(*h->signatures));
    }
    s = &h->signatures[id];
    s->file = f;
    s->expires = clock_wall() + (double)setting(&h->settings, SIGN_SECONDS);
    s->left = uses ? uses : -1;
    (void)snprintf(s->path, sizeof(s->path), "%s", path);
    (void)pthread_mutex_unlock(&h->lock);
    return id;
}

/* 32 hex digits: the number, then a digest of it, the path and what nobody outside knows. */
static void sign_text(const struct hub *h, size_t id, const char *path, char out[33])
{
    char *text = xprintf("%.9f %zu %s", h->started, id, path), hex[33];

    md5_text(text, strlen(text), hex);
    (void)snprintf(out, 33, "%08zx%.24s", id & 0xffffffff, hex);
    free(text);
}

static char *hf_url(struct call *c, struct file *f, const char *name)
{
    char      id[41], sig[33];
    char     *path, *host = bulk_origin(c), *policy;
    struct sb s = {NULL, 0, 0};
    size_t    n;
    long long expires = (long long)clock_wall() + setting(&c->hub->settings, SIGN_SECONDS);

    made_id(id, "repository %s", name);
    if (f->kind == FILE_XET) {
        path = xprintf("/xet-bridge-us/%.24s/%s", id, f->xet);
    } else {
        path = xprintf("/repos/%.2s/%.2s/%s/%s", id, id + 2, id, f->content->sha256);
    }
    n = sign_new(c->hub, f, path);
    sign_text(c->hub, n, path, sig);
    sb_printf(&s,
              "{\"Statement\":[{\"Condition\":{\"DateLessThan\":{\"AWS:EpochTime\":%lld}},"
              "\"Resource\":\"%s%s?*\"}]}",
              expires, host, path);
    policy = base64_text(s.p, s.n, false);
    for (char *p = policy; *p; p++) { /* CloudFront's alphabet */
        *p = (char)(*p == '+' ? '-' : *p == '=' ? '_' : *p == '/' ? '~' : *p);
    }
    s.n = 0;
    sb_printf(&s, "%s%s?X-Xet-Cas-Uid=public&response-content-disposition=", host, path);
    sb_puts(&s, "inline%3B+filename%2A%3DUTF-8%27%27");
    sb_quote(&s, f->path, "");
    sb_printf(&s, "&Expires=%lld&Policy=%s&Signature=%s&Key-Pair-Id=K2L8F4GPSG1IFC", expires,
              policy, sig);
    free(policy);
    free(path);
    free(host);
    return sb_take(&s);
}

static char *ms_url(struct call *c, struct file *f, const char *name)
{
    const char *sha = f->content->sha256;
    char       *path = xprintf("/prod/lfs-objects/%.2s/%.2s/%s", sha, sha + 2, sha + 4);
    char       *host = bulk_origin(c), md5[33], sig[33];
    struct sb   s = {NULL, 0, 0};
    long long   expires = (long long)clock_wall() + setting(&c->hub->settings, SIGN_SECONDS);

    sign_text(c->hub, sign_new(c->hub, f, path), path, sig);
    md5_text(path, strlen(path), md5);
    sb_printf(&s, "%s%s?filename=", host, path);
    sb_quote(&s, f->path, "");
    sb_puts(&s, "&namespace=");
    for (; *name && *name != '/'; name++) {
        sb_putc(&s, *name);
    }
    sb_printf(&s, "&repository=%s&revision=%s&tag=model&auth_key=%lld-%s-0-%s",
              *name ? name + 1 : "", f->revision, expires, sig, md5);
    free(path);
    free(host);
    return sb_take(&s);
}

static char *oss_url(struct call *c, struct file *f, const char *id)
{
    struct sb path = {NULL, 0, 0}, s = {NULL, 0, 0};
    char     *host = bulk_origin(c), sig[33];

    sb_puts(&path, "/dataset-hub/");
    sb_quote(&path, id, "/");
    sb_putc(&path, '/');
    sb_quote(&path, f->path, "/");
    sign_text(c->hub, sign_new(c->hub, f, path.p), path.p, sig);
    sb_printf(&s, "%s%s?Expires=%lld&OSSAccessKeyId=LTAI5tLoopback&Signature=%s", host, path.p,
              (long long)clock_wall() + setting(&c->hub->settings, SIGN_SECONDS), sig);
    sb_free(&path);
    free(host);
    return sb_take(&s);
}

char *sign_url(struct call *c, struct file *f, const char *id, enum sign_kind kind)
{
    atomic_fetch_add(&f->resolves, 1);
    switch (kind) {
    case SIGN_MS:
        return ms_url(c, f, id);
    case SIGN_OSS:
        return oss_url(c, f, id);
    case SIGN_HF:
        break;
    }
    return hf_url(c, f, id);
}

/* ---- the other side ------------------------------------------------------------------------ */

static char *given_signature(const struct call *c)
{
    char *key, *dash;

    key = param(c->q.query, "auth_key");
    if (!key) {
        return param(c->q.query, "Signature");
    }
    dash = strchr(key, '-');
    if (!dash || strlen(dash) < 33) {
        free(key);
        return NULL;
    }
    memmove(key, dash + 1, 32);
    key[32] = '\0';
    return key;
}

void sign_refuse(struct call *c, bool expired)
{
    if (c->port->kind == PORT_OSS) {
        reply_set(&c->r, "X-Tengine-Error",
                  expired ? "denied by req auth: expired timestamp"
                          : "denied by req auth: invalid md5hash");
        reply_text(&c->r, 403, "text/html",
                   "<html>\n<head><title>403 Forbidden</title></head>\n</html>\n");
        return;
    }
    reply_textf(&c->r, 403, "application/xml",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s"
                "</Message></Error>",
                expired ? "ExpiredToken" : "AccessDenied",
                expired ? "Request has expired" : "Access Denied");
}

struct file *sign_check(struct call *c)
{
    struct hub  *h = c->hub;
    char        *given = given_signature(c), want[33];
    size_t       id = 0;
    struct file *f = NULL;
    bool         known = false, expired = false;

    if (given && strlen(given) == 32) {
        char number[9];

        memcpy(number, given, 8);
        number[8] = '\0';
        id = strtoul(number, NULL, 16);
        sign_text(h, id, c->q.path, want);
        known = strcmp(given, want) == 0;
    }
    (void)pthread_mutex_lock(&h->lock);
    known = known && id < h->n_signatures && strcmp(h->signatures[id].path, c->q.path) == 0;
    if (known) {
        struct signature *s = &h->signatures[id];

        f = s->file;
        expired = s->left == 0 || clock_wall() >= s->expires;
        h->expired += expired;
        s->left -= s->left > 0;
    }
    (void)pthread_mutex_unlock(&h->lock);
    free(given);
    if (known && expired) {
        atomic_fetch_add(&f->expired, 1);
    }
    if (!known || expired) {
        sign_refuse(c, expired);
        return NULL;
    }
    return f;
}

void signs_expire(struct hub *h)
{
    (void)pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n_signatures; i++) {
        h->signatures[i].left = 0;
    }
    (void)pthread_mutex_unlock(&h->lock);
}
