/* SPDX-License-Identifier: MIT
 * track.c - who asks, tokens where they do not belong, rate limits. */
#include "hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DETAIL_MAX = 8192 };

/* ---- the canary ---------------------------------------------------------------------------- */

void leak(struct hub *h, const struct call *c, const char *why)
{
    (void)pthread_mutex_lock(&h->lock);
    h->leaks++;
    if (h->leak_detail.n < DETAIL_MAX) {
        sb_printf(&h->leak_detail, "%s: %s: %s %.300s\n", c->port->name, why, c->q.method,
                  c->q.target);
    }
    (void)pthread_mutex_unlock(&h->lock);
}

static bool belongs(const struct token *t, const struct port *p)
{
    if (p->kind != (t->hub == HUB_HF ? PORT_HUB : PORT_MS)) {
        return false;
    }
    return p->tls || !t->tls_only;
}

/* The token of xet-read-token with which a Xet client asks for the parts of a file. */
static bool is_xet(const struct request *q)
{
    const char *auth = request_field(q, "Authorization");

    return strstr(q->path, "/reconstructions/") && auth && starts_with(auth, "Bearer xet_");
}

static void look_for_tokens(struct call *c)
{
    const struct world *w = &c->hub->world;
    char               *target = xdup(c->q.target);

    (void)unquote(target, true);
    for (size_t i = 0; i < w->n_tokens; i++) {
        const struct token *t = &w->tokens[i];
        bool                there = strstr(c->q.raw, t->text) || strstr(target, t->text) ||
                     (c->q.body && strstr(c->q.body, t->text));

        if (there && !belongs(t, c->port)) {
            leak(c->hub, c, "a token of another origin");
        } else if (there && strstr(target, t->text)) {
            leak(c->hub, c, "a token in the target");
        }
    }
    free(target);
    if (c->port->kind == PORT_CDN || c->port->kind == PORT_OSS) {
        if (request_field(&c->q, "Authorization") && !is_xet(&c->q)) {
            leak(c->hub, c, "Authorization");
        }
        if (request_field(&c->q, "Cookie")) {
            leak(c->hub, c, "Cookie");
        }
    }
}

/* ---- accounts ------------------------------------------------------------------------------ */

/* The caller's, or NULL. */
static char *cookie(const struct request *q, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < q->n_fields; i++) {
        if (strcasecmp(q->fields[i].name, "Cookie") != 0) {
            continue;
        }
        for (const char *p = q->fields[i].value; *p; p += strspn(p, "; ")) {
            size_t k = strcspn(p, ";");

            if (k > n && strncmp(p, name, n) == 0 && p[n] == '=') {
                return xdupn(p + n + 1, k - n - 1);
            }
            p += k;
        }
    }
    return NULL;
}

void call_account(struct call *c)
{
    const struct world *w = &c->hub->world;
    const char         *auth = request_field(&c->q, "Authorization");
    char               *given = NULL;

    if (c->port->kind == PORT_CTL) {
        return;
    }
    look_for_tokens(c);
    if (c->port->kind == PORT_MS) {
        given = cookie(&c->q, "m_session_id");
    }
    if (!given && auth) {
        given = xdup(strncasecmp(auth, "Bearer ", 7) == 0 ? auth + 7 : auth);
    }
    if (!given) {
        return;
    }
    c->bad_token = true;
    for (size_t i = 0; i < w->n_tokens; i++) {
        if (belongs(&w->tokens[i], c->port) && strcmp(w->tokens[i].text, given) == 0) {
            c->token = &w->tokens[i];
            c->bad_token = false;
        }
    }
    free(given);
}

/* ---- rate limits --------------------------------------------------------------------------- */

static const struct {
    const char  *name;
    enum setting q, w;
} kinds[LIMIT_KINDS] = {
    [LIMIT_API] = {"api", RATE_API_Q, RATE_API_W},
    [LIMIT_RESOLVERS] = {"resolvers", RATE_RESOLVERS_Q, RATE_RESOLVERS_W},
    [LIMIT_PAGES] = {"pages", RATE_PAGES_Q, RATE_PAGES_W},
    [LIMIT_MS] = {"ms", RATE_MS_Q, RATE_MS_W},
};

static void retry_after(struct call *c, long t)
{
    char date[40];

    switch ((int)setting(&c->hub->settings, RATE_AFTER)) {
    case AFTER_SECONDS:
        reply_setf(&c->r, "Retry-After", "%ld", t);
        break;
    case AFTER_DATE:
        http_date(clock_wall() + (double)t, date);
        reply_set(&c->r, "Retry-After", date);
        break;
    case AFTER_GARBAGE:
        reply_set(&c->r, "Retry-After", "soon; please");
        break;
    default:
        break;
    }
}

static void too_many(struct call *c, int kind, long t)
{
    if (kind == LIMIT_MS) {
        reply_text(&c->r, 429, "application/json; charset=utf-8",
                   "{\"Code\":10010429001,\"Message\":\"请求过于频繁，请稍后再试\",\"RequestId\":"
                   "\"00000000-0000-4000-8000-000000000429\",\"Success\":false}");
    } else if (setting(&c->hub->settings, HF_HTML_429)) {
        reply_text(&c->r, 429, "text/html",
                   "<html>\n<head><title>429 Too Many Requests</title></head>\n<body>\n<center>"
                   "<h1>429 Too Many Requests</h1></center>\n</body>\n</html>\n");
    } else {
        reply_text(&c->r, 429, "application/json; charset=utf-8",
                   "{\"error\":\"We had to rate limit you, you hit the quota of this 5 minutes "
                   "period\"}");
    }
    retry_after(c, t);
}

bool limit_take(struct call *c, int kind, bool look)
{
    struct hub    *h = c->hub;
    long long      q = setting(&h->settings, kinds[kind].q);
    long long      w = setting(&h->settings, kinds[kind].w), left;
    size_t         user = c->token ? (size_t)(c->token - h->world.tokens) + 1 : 0;
    struct window *win = &h->windows[kind][user < LIMIT_USERS ? user : 0];
    double         now = clock_now();
    bool           over;
    long           t;

    if (q == 0) {
        return true;
    }
    (void)pthread_mutex_lock(&h->lock);
    if (win->start == 0 || now >= win->start + (double)w) {
        *win = (struct window){now, 0};
    }
    over = !look && win->used >= q;
    win->used += !look && !over;
    left = q - win->used;
    t = (long)(win->start + (double)w - now + 0.999);
    h->limited += over;
    (void)pthread_mutex_unlock(&h->lock);
    if (kind != LIMIT_MS) {
        reply_setf(&c->r, "RateLimit", "\"%s\";r=%lld;t=%ld", kinds[kind].name, left, t);
        reply_setf(&c->r, "RateLimit-Policy", "\"fixed window\";\"%s\";q=%lld;w=%lld",
                   kinds[kind].name, q, w);
    }
    if (over) {
        too_many(c, kind, t);
    }
    return !over;
}
