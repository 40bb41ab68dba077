/* SPDX-License-Identifier: MIT
 *
 * hub_host.c - see hub_host.h.
 */
#include "hub_host.h"

#include "err.h"
#include "mem.h"
#include "record.h"
#include "schema.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_HEADERS = 16 };

/* A copy of each text in a block of its own, so that a read behind it is seen. */
struct answer {
    drh_http_answer a;
    drh_http_header header[MAX_HEADERS];
    char           *block[2 * MAX_HEADERS + 2];
    size_t          n_blocks;
};

static drh_str keep(struct answer *x, const char *p, size_t n)
{
    char *copy = malloc(n + 1);

    if (!copy) {
        abort();
    }
    memcpy(copy, p, n);
    copy[n] = '\0';
    x->block[x->n_blocks++] = copy;
    return (drh_str){copy, n};
}

static void keep_headers(struct answer *x, const char *lines)
{
    while (lines && *lines && x->a.n_headers < MAX_HEADERS) {
        size_t      n = strcspn(lines, "\n");
        const char *colon = memchr(lines, ':', n);
        size_t      name = colon ? (size_t)(colon - lines) : n, value = n - name;

        for (colon = colon ? colon + 1 : "", value -= value > 0; value && *colon == ' '; value--) {
            colon++;
        }
        x->header[x->a.n_headers].name = keep(x, lines, name);
        x->header[x->a.n_headers++].value = keep(x, colon, value);
        lines += n + (lines[n] == '\n');
    }
    x->a.headers = x->header;
}

static const struct hub_answer *find(struct hub_host *h, const char *target)
{
    for (size_t i = 0;; i++) {
        const struct hub_answer *r = &h->answer[i];
        if (!r->target && !r->status && !r->body && !r->st) {
            return NULL;
        }
        if (i >= sizeof(h->used) / sizeof(h->used[0])) {
            abort();
        }
        if ((!r->target || strcmp(r->target, target) == 0) && !h->used[i]) {
            h->used[i] = !r->always;
            return r;
        }
    }
}

static void note(struct hub_host *h, const char *text)
{
    size_t room = sizeof(h->asked) - h->n_asked;
    int    n = snprintf(h->asked + h->n_asked, room, "%s", text);

    h->n_asked += (size_t)n < room ? (size_t)n : room - 1;
}

static void note_request(struct hub_host *h, const drh_http_req *req, const char *target)
{
    h->requests++;
    note(h, target);
    for (size_t i = 0; i < req->n_credentials; i++) {
        note(h, " ");
        note(h, req->credentials[i].name.ptr);
        note(h, "=");
        note(h, req->credentials[i].value.ptr);
    }
    for (size_t i = 0; i < req->n_headers; i++) {
        note(h, " +");
        note(h, req->headers[i].name.ptr);
    }
}

/* What follows "scheme://host". */
static const char *target_of(drh_str url)
{
    const char *host = strstr(url.ptr, "://"), *path;

    if (strlen(url.ptr) != url.len || !host) {
        abort();
    }
    path = strchr(host + 3, '/');
    return path ? path : "";
}

static drh_status fake_call(const drh_host *host, const drh_http_req *req,
                            const drh_http_answer **out, drh_error *e)
{
    struct hub_host         *h = host->impl;
    const char              *target = target_of(req->url);
    const struct hub_answer *r = find(h, target);
    struct answer           *x;

    *out = NULL;
    if (req->struct_size != sizeof(*req) || req->body.ptr || req->method.ptr) {
        abort();
    }
    if (h->origin && (strncmp(req->url.ptr, h->origin, strlen(h->origin)) != 0 ||
                      req->url.ptr[strlen(h->origin)] != '/')) {
        abort();
    }
    note_request(h, req, target);
    note(h, r ? "\n" : " UNEXPECTED\n");
    if (r && r->st) {
        return err_set(e, r->st, "the fake was told to fail");
    }
    x = calloc(1, sizeof(*x));
    if (!x) {
        abort();
    }
    x->a.struct_size = sizeof(x->a);
    x->a.status = !r ? 404 : r->status ? r->status : 200;
    x->a.url = h->url ? keep(x, h->url, strlen(h->url)) : keep(x, req->url.ptr, req->url.len);
    keep_headers(x, r ? r->headers : NULL);
    x->a.body =
        r && r->body ? keep(x, r->body, r->n_body ? r->n_body : strlen(r->body)) : keep(x, "", 0);
    h->open++;
    *out = &x->a;
    return DRH_OK;
}

static void fake_release(const drh_host *host, const drh_http_answer *a)
{
    struct hub_host *h = host->impl;
    struct answer   *x = (struct answer *)(uintptr_t)a;

    if (x) {
        while (x->n_blocks) {
            free(x->block[--x->n_blocks]);
        }
        free(x);
        h->open--;
    }
}

static const drh_http fake_http = {
    .struct_size = sizeof(fake_http), .call = fake_call, .release = fake_release};

static const void *fake_extension(const drh_host *host, const char *id)
{
    (void)host;
    return strcmp(id, DRH_HTTP) == 0 ? &fake_http : NULL;
}

/* ---- life ---- */

static drh_status make_config(struct hub_host *h, const char *options)
{
    cJSON     *schema = NULL, *value = cJSON_Parse(options);
    drh_status st = schema_parse(h->stage->config_schema, &schema, &h->e);

    if (!value || st != DRH_OK) {
        abort();
    }
    st = schema_apply(schema, value, "", NULL, NULL, &h->e);
    st = st == DRH_OK ? config_new(value, &h->config, &h->e) : st;
    cJSON_Delete(schema);
    cJSON_Delete(value);
    return st;
}

drh_status hub_new(struct hub_host *h, const drh_entry *entry, const char *options,
                   const struct hub_answer *answers)
{
    drh_status st;

    memset(h, 0, sizeof(*h));
    h->e = (drh_error)DRH_ERROR_INIT;
    h->answer = answers;
    h->stage = entry->stages[0];
    h->host = bare_host;
    h->host.impl = h;
    h->host.extension = fake_extension;
    h->host.values = &value_api;
    h->host.config = &config_api;
    h->host.list_file = list_file;
    h->host.json_open = json_doc_open;
    h->host.json_close = json_doc_close;
    st = make_config(h, options);
    st = st == DRH_OK ? h->stage->life->create(&h->host, h->config, &h->self, &h->e) : st;
    if (st != DRH_OK) {
        h->self = NULL;
    }
    return st;
}

drh_status hub_list(struct hub_host *h)
{
    list_free(&h->list);
    return h->stage->ops.source->list(h->self, &h->list, &h->e);
}

bool hub_free(struct hub_host *h)
{
    bool ok;

    if (h->self) {
        h->stage->life->destroy(h->self);
        h->self = NULL;
    }
    list_free(&h->list);
    config_free(h->config);
    h->config = NULL;
    ok = h->open == 0 && bare_blocks == 0;
    h->open = 0;
    return ok;
}
