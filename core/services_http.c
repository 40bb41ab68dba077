/* SPDX-License-Identifier: MIT
 * services_http.c - the host between a stage and whoever offers drh.http/1: checks what crosses,
 * counts requests, lets none begin once the run is being stopped. [any] */
#include "err.h"
#include "services.h"

#include <string.h>

static const struct service *http_of(const drh_host *h)
{
    const struct instance *in = h->impl;
    return services_find(in->env->services, DRH_HTTP);
}

static drh_status may_send(const struct service *s, const drh_http_req *req, drh_error *e)
{
    if (req->struct_size < sizeof(*req)) {
        return err_set(e, DRH_E_ARG, "drh_http_req.struct_size is %u, must be at least %zu",
                       req->struct_size, sizeof(*req));
    }
    if (!s) {
        return err_set(e, DRH_E_UNSUPPORTED, "nobody offers %s", DRH_HTTP);
    }
    if (run_cancelled()) {
        return err_set(e, DRH_E_CANCELLED, "the run is being stopped");
    }
    (void)__atomic_add_fetch(s->requests, 1, __ATOMIC_RELAXED);
    return DRH_OK;
}

static drh_status http_call(const drh_host *h, const drh_http_req *req, const drh_http_answer **out,
                            drh_error *e)
{
    const struct service *s = http_of(h);
    drh_status            st = may_send(s, req, e);

    *out = NULL;
    return st == DRH_OK ? s->http.call(s->in->self, req, out, e) : st;
}

static void http_release(const drh_host *h, const drh_http_answer *a)
{
    const struct service *s = http_of(h);

    if (s && a) {
        s->http.release(s->in->self, a);
    }
}

static drh_status http_start(const drh_host *h, const drh_http_req *req, const drh_http_sink *sink,
                             uint64_t *id, drh_error *e)
{
    const struct service *s = http_of(h);
    drh_status            st = may_send(s, req, e);

    if (st == DRH_OK && (sink->struct_size < sizeof(*sink) || !sink->done)) {
        st = err_set(e, DRH_E_ARG, "a drh_http_sink has its struct_size and done()");
    }
    return st == DRH_OK ? s->http.start(s->in->self, req, sink, id, e) : st;
}

static void http_cancel(const drh_host *h, uint64_t id)
{
    const struct service *s = http_of(h);

    if (s) {
        s->http.cancel(s->in->self, id);
    }
}

const drh_http http_proxy = {.struct_size = sizeof(http_proxy),
                             .call = http_call,
                             .release = http_release,
                             .start = http_start,
                             .cancel = http_cancel};

static drh_status too_small(const struct service *s, const char *what, uint32_t size, drh_error *e)
{
    return err_set(e, DRH_E_UNSUPPORTED, "%s: its %s has a struct_size of %u",
                   s->in->stage->plugin->path, what, size);
}

drh_status services_check_http(struct service *s, drh_error *e)
{
    const drh_http_provider *p = s->table;

    if (p->struct_size < sizeof(*p) || p->struct_size > 4096) {
        return too_small(s, "drh_http_provider", p->struct_size, e);
    }
    memcpy(&s->http, p, sizeof(s->http));
    if (!s->http.call || !s->http.release || !s->http.start || !s->http.cancel) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "%s: an HTTP service gives call, release, start, cancel",
                       s->in->stage->plugin->path);
    }
    return DRH_OK;
}

drh_status services_check_fetch(struct service *s, drh_error *e)
{
    const drh_fetch_provider *p = s->table;

    if (p->struct_size < sizeof(*p) || p->struct_size > 4096) {
        return too_small(s, "drh_fetch_provider", p->struct_size, e);
    }
    memcpy(&s->fetch, p, sizeof(s->fetch));
    return s->fetch.run ? DRH_OK
                        : err_set(e, DRH_E_UNSUPPORTED, "%s: a fetch service gives run",
                                  s->in->stage->plugin->path);
}
