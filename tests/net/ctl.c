/* SPDX-License-Identifier: MIT
 * ctl.c - the port by which tests steer the hubs and ask what happened. */
#include "hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fine(struct call *c, const char *text)
{
    reply_text(&c->r, 200, "application/json", text);
}

static void wrong(struct call *c, const char *text)
{
    reply_textf(&c->r, 400, "text/plain", "%s\n", text);
}

/* ---- state --------------------------------------------------------------------------------- */

static void add_ports(struct sb *s, struct hub *h)
{
    size_t n = 0;

    sb_puts(s, ",\"ports\":{");
    for (size_t i = 0; i < PORTS; i++) {
        struct port *p = &h->ports[i];

        if (p->fd < 0) {
            continue;
        }
        sb_printf(s,
                  "%s\"%s\":{\"port\":%d,\"open\":%s,\"requests\":%llu,\"bytes\":%llu,"
                  "\"connections\":%llu,\"now\":%d,\"most\":%d}",
                  n++ ? "," : "", p->name, p->number, atomic_load(&p->open) ? "true" : "false",
                  atomic_load(&p->requests), atomic_load(&p->bytes), atomic_load(&p->connections),
                  atomic_load(&p->now), atomic_load(&p->most));
    }
    sb_putc(s, '}');
}

/* Those that anything happened to. */
static void add_files(struct sb *s, struct hub *h)
{
    size_t n = 0;

    sb_puts(s, ",\"files\":{");
    for (size_t i = 0; i < h->world.n_files; i++) {
        struct file *f = h->world.files[i];
        char        *name;

        if (!atomic_load(&f->gets) && !atomic_load(&f->resolves) && !atomic_load(&f->bytes)) {
            continue;
        }
        name = xprintf("%s:%s/%s/%s", f->repo->hub == HUB_HF ? "hf" : "ms", f->repo->type,
                       f->repo->id, f->path);
        sb_puts(s, n++ ? "," : "");
        sb_jsons(s, name);
        sb_printf(s,
                  ":{\"size\":%llu,\"gets\":%llu,\"bytes\":%llu,\"resolves\":%llu,\"expired\":%llu,"
                  "\"now\":%d,\"most\":%d}",
                  (unsigned long long)f->content->size, atomic_load(&f->gets),
                  atomic_load(&f->bytes), atomic_load(&f->resolves), atomic_load(&f->expired),
                  atomic_load(&f->now), atomic_load(&f->most));
        free(name);
    }
    sb_putc(s, '}');
}

static void state(struct call *c)
{
    struct hub *h = c->hub;
    struct sb   s = {NULL, 0, 0};

    (void)pthread_mutex_lock(&h->lock);
    sb_printf(&s, "{\"leak\":%s,\"leaks\":%llu,\"leak_detail\":", h->leaks ? "true" : "false",
              h->leaks);
    sb_json(&s, sb_text(&h->leak_detail), h->leak_detail.n);
    sb_printf(&s, ",\"signed\":%zu,\"expired\":%llu,\"limited\":%llu", h->n_signatures, h->expired,
              h->limited);
    (void)pthread_mutex_unlock(&h->lock);
    sb_printf(&s, ",\"seconds\":%.3f", clock_now() - h->started);
    add_ports(&s, h);
    add_files(&s, h);
    sb_puts(&s, "}\n");
    reply_body(&c->r, 200, "application/json", &s);
}

/* ---- orders -------------------------------------------------------------------------------- */

static void windows_clear(struct hub *h)
{
    (void)pthread_mutex_lock(&h->lock);
    memset(h->windows, 0, sizeof(h->windows));
    (void)pthread_mutex_unlock(&h->lock);
}

static void reset(struct call *c)
{
    struct hub *h = c->hub;

    faults_reset(&h->faults);
    world_reset(&h->world);
    for (size_t i = 0; i < SETTINGS; i++) {
        atomic_store(&h->settings.value[i], atomic_load(&h->first.value[i]));
    }
    windows_clear(h);
    for (size_t i = 0; i < PORTS; i++) {
        struct port *p = &h->ports[i];

        atomic_store(&p->requests, 0);
        atomic_store(&p->bytes, 0);
        atomic_store(&p->connections, 0);
        atomic_store(&p->most, 0);
        if (p->fd >= 0 && !atomic_load(&p->open)) {
            order_port(h, p, true, 0);
        }
    }
    (void)pthread_mutex_lock(&h->lock);
    h->expired = h->limited = h->leaks = 0;
    h->leak_detail.n = 0;
    (void)pthread_mutex_unlock(&h->lock);
    fine(c, "{}\n");
}

static void put_faults(struct call *c)
{
    cJSON    *list = cJSON_Parse(c->q.body ? c->q.body : "");
    struct sb why = {NULL, 0, 0};
    bool      add = param_number(c->q.query, "add", 0) != 0;

    if (!list) {
        wrong(c, "no JSON");
    } else if (!faults_put(&c->hub->faults, list, add, &why)) {
        wrong(c, sb_text(&why));
    } else {
        fine(c, "{}\n");
    }
    cJSON_Delete(list);
    sb_free(&why);
}

static void get_faults(struct call *c)
{
    struct sb s = {NULL, 0, 0};

    faults_list(&c->hub->faults, &s);
    sb_putc(&s, '\n');
    reply_body(&c->r, 200, "application/json", &s);
}

/* Settings as parameters: every NAME=VALUE of the query. */
static void put_settings(struct call *c)
{
    for (const char *p = c->q.query; *p;) {
        size_t n = strcspn(p, "&"), k = strcspn(p, "=");
        char  *name = xdupn(p, k < n ? k : n), *one = xdupn(p, n), *value = param(one, name);
        bool   good = settings_put(&c->hub->settings, name, value ? value : "");

        free(value);
        free(one);
        free(name);
        if (!good) {
            wrong(c, "no such setting, or it cannot be that");
            return;
        }
        p += n + (p[n] == '&');
    }
    windows_clear(c->hub);
    fine(c, "{}\n");
}

static void get_settings(struct call *c)
{
    struct sb s = {NULL, 0, 0};

    settings_list(&c->hub->settings, &s);
    sb_putc(&s, '\n');
    reply_body(&c->r, 200, "application/json", &s);
}

/* ?bucket=api&q=5&w=2[&after=seconds], short for three settings. */
static void ratelimit(struct call *c)
{
    static const char *const keys[] = {"q", "w"};
    char *bucket = param(c->q.query, "bucket"), *after = param(c->q.query, "after");
    bool  good = bucket && (!after || settings_put(&c->hub->settings, "rate.after", after));

    for (size_t i = 0; i < 2 && good; i++) {
        char *name = xprintf("rate.%s.%s", bucket, keys[i]), *value = param(c->q.query, keys[i]);

        good = !value || settings_put(&c->hub->settings, name, value);
        free(name);
        free(value);
    }
    free(bucket);
    free(after);
    windows_clear(c->hub);
    if (good) {
        fine(c, "{}\n");
    } else {
        wrong(c, "bucket=api|resolvers|pages|ms and q, w; after=none|seconds|date|garbage");
    }
}

static void move(struct call *c)
{
    char        *hub = param(c->q.query, "hub"), *type = param(c->q.query, "type");
    char        *id = param(c->q.query, "repo"), *branch = param(c->q.query, "branch");
    char        *to = param(c->q.query, "to");
    bool         ms = hub && strcmp(hub, "ms") == 0;
    struct repo *r = world_find(&c->hub->world, ms ? HUB_MS : HUB_HF, type ? type : "datasets",
                                id ? id : "", NULL);

    if (r && repo_move(&c->hub->world, r, branch ? branch : ms ? "master" : "main", to ? to : "")) {
        fine(c, "{}\n");
    } else {
        wrong(c, "repo, branch, to (a commit's id or name), hub=hf|ms, type=datasets|models");
    }
    free(hub);
    free(type);
    free(id);
    free(branch);
    free(to);
}

static void set_port(struct call *c)
{
    char        *name = param(c->q.query, "name"), *seconds = param(c->q.query, "seconds");
    struct port *p = name ? port_named(c->hub, name) : NULL;

    if (p && p->kind != PORT_CTL) {
        order_port(c->hub, p, param_number(c->q.query, "open", 0) != 0,
                   seconds ? strtod(seconds, NULL) : 0);
        fine(c, "{}\n");
    } else {
        wrong(c, "name=hub|cdn|ms|oss..., open=0|1, seconds");
    }
    free(name);
    free(seconds);
}

static void expire(struct call *c)
{
    signs_expire(c->hub);
    fine(c, "{}\n");
}

static void quit(struct call *c)
{
    c->r.close = true;
    fine(c, "{}\n");
    atomic_store(&c->hub->stop, 1);
    wake(c->hub);
}

void ctl_route(struct call *c)
{
    static const struct {
        const char *method, *path;
        void (*go)(struct call *c);
    } routes[] = {{"GET", "/state", state},
                  {"GET", "/faults", get_faults},
                  {"POST", "/faults", put_faults},
                  {"GET", "/settings", get_settings},
                  {"POST", "/settings", put_settings},
                  {"POST", "/ratelimit", ratelimit},
                  {"POST", "/move", move},
                  {"POST", "/port", set_port},
                  {"POST", "/expire", expire},
                  {"POST", "/reset", reset},
                  {"POST", "/quit", quit}};

    for (size_t i = 0; i < COUNT(routes); i++) {
        if (strcmp(c->q.path, routes[i].path) == 0 && strcmp(c->q.method, routes[i].method) == 0) {
            routes[i].go(c);
            return;
        }
    }
    reply_text(&c->r, 404, "text/plain", "see tests/net/README.md\n");
}
