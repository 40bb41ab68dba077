/* SPDX-License-Identifier: MIT
 * services.c - see services.h. */
#include "services.h"

#include "async.h"
#include "async_pool.h"
#include "err.h"
#include "mem.h"

#include <string.h>

/* ---- drh.infer/1, the stage's side ---- */

static const struct service *infer_of(const drh_host *h)
{
    const struct instance *in = h->impl;
    return services_infer(in->env->services, in->infer);
}

static drh_status infer_info(const drh_host *h, drh_infer_info *out)
{
    const struct service *s = infer_of(h);
    uint32_t              size = out->struct_size;

    if (!s || size < offsetof(drh_infer_info, caps)) {
        return DRH_E_UNSUPPORTED;
    }
    memcpy(out, &s->info, size < sizeof(s->info) ? size : sizeof(s->info));
    out->struct_size = size;
    return DRH_OK;
}

struct count_call {
    const struct service *s;
    const char           *text;
    size_t                len;
    uint32_t              flags, *tokens;
    drh_error            *e;
    drh_status            st;
};

static void do_count(void *arg)
{
    struct count_call *c = arg;
    c->st = c->s->infer.count(c->s->in->self, c->text, c->len, c->flags, c->tokens, c->e);
}

static drh_status infer_count(const drh_host *h, const char *text, size_t len, uint32_t flags,
                              uint32_t *tokens, drh_error *e)
{
    struct count_call c = {infer_of(h), text, len, flags, tokens, e, DRH_OK};

    if (!c.s || !c.s->infer.count) {
        return err_set(e, DRH_E_UNSUPPORTED, "the inference backend cannot count tokens");
    }
    instance_call(c.s->in, do_count, &c);
    return c.st;
}

static drh_status infer_submit(const drh_host *h, drh_record *r, const drh_infer_req *req,
                               uint64_t tag, drh_error *e)
{
    struct instance *in = h->impl;

    if (req->struct_size < CALL_REQUEST_MIN) {
        return err_set(e, DRH_E_ARG, "drh_infer_req.struct_size is %u, must be at least %zu",
                       req->struct_size, CALL_REQUEST_MIN);
    }
    return async_submit(in, r, req, tag, e);
}

static const drh_infer infer_proxy = {.struct_size = sizeof(drh_infer),
                                      .info = infer_info,
                                      .count = infer_count,
                                      .submit = infer_submit};

static const drh_infer_host infer_host = {.struct_size = sizeof(drh_infer_host),
                                          .complete = async_complete};

/* ---- the registry ---- */

static const struct service *find(const struct services *all, const char *id, const char *own)
{
    for (size_t i = 0; all && i < all->n; i++) {
        const struct service *s = &all->s[i];
        if (strcmp(s->id, id) == 0 && (own ? s->own && strcmp(s->own, own) == 0 : !s->own)) {
            return s;
        }
    }
    return NULL;
}

const struct service *services_find(const struct services *all, const char *id)
{
    return find(all, id, NULL);
}

const struct service *services_infer(const struct services *all, const char *own)
{
    return find(all, DRH_INFER, own);
}

static bool in_list(const char *const *list, const char *id)
{
    for (; list && *list; list++) {
        if (strcmp(*list, id) == 0) {
            return true;
        }
    }
    return false;
}

const void *services_extension(const struct services *all, const struct instance *in,
                               const char *id)
{
    const struct service *s = find(all, id, strcmp(id, DRH_INFER) == 0 ? in->infer : NULL);

    if (in->stage->desc.kind == DRH_KIND_SERVICE && strcmp(id, DRH_INFER_HOST) == 0) {
        return &infer_host;
    }
    if (!s || !in_list(in->stage->desc.needs, id)) {
        return NULL;
    }
    return strcmp(id, DRH_INFER) == 0   ? (const void *)&infer_proxy
           : strcmp(id, DRH_HTTP) == 0  ? (const void *)&http_proxy
           : strcmp(id, DRH_FETCH) == 0 ? NULL /* the host's own business */
                                        : s->table;
}

static drh_status check_infer(struct service *s, drh_error *e)
{
    const drh_infer_provider *p = s->table;
    drh_status                st;

    if (p->struct_size < offsetof(drh_infer_provider, submit) || p->struct_size > 4096) {
        return err_set(e, DRH_E_UNSUPPORTED, "%s: its drh_infer_provider has a struct_size of %u",
                       s->in->stage->plugin->path, p->struct_size);
    }
    memcpy(&s->infer, p, p->struct_size < sizeof(s->infer) ? p->struct_size : sizeof(s->infer));
    if (!s->infer.info || !((s->infer.cost && s->infer.run) || s->infer.submit)) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "%s: an inference service gives info and either cost and run, or submit",
                       s->in->stage->plugin->path);
    }
    s->info.struct_size = sizeof(s->info);
    st = s->infer.info(s->in->self, &s->info, e);
    if (st != DRH_OK) {
        return stage_error(s->in, st, e);
    }
    if (!s->info.identity || !s->info.model) {
        return err_set(e, DRH_E_UNSUPPORTED, "%s: drh_infer_info lacks identity or model",
                       s->in->stage->plugin->path);
    }
    return DRH_OK;
}

static drh_status check(struct service *s, drh_error *e)
{
    if (strcmp(s->id, DRH_INFER) == 0) {
        return check_infer(s, e);
    }
    if (strcmp(s->id, DRH_HTTP) == 0) {
        return services_check_http(s, e);
    }
    return strcmp(s->id, DRH_FETCH) == 0 ? services_check_fetch(s, e) : DRH_OK;
}

/* The instance that serves `step` by this stage already. */
static struct instance *made_before(const struct services *all, const struct stage *stage,
                                    const char *step)
{
    for (size_t i = 0; i < all->n; i++) {
        struct instance *in = all->s[i].in;
        if (in && in->stage == stage && strcmp(in->step, step) == 0) {
            return in;
        }
    }
    return NULL;
}

drh_status services_add(struct services *all, const char *id, bool own, const struct stage *stage,
                        const char *step, struct drh_config *config, const struct run_env *env,
                        drh_error *e)
{
    struct service  *more = mem_resize(all->s, (all->n + 1) * sizeof(*more));
    struct service  *s;
    struct instance *in;
    drh_status       st = DRH_OK;

    if (!more) {
        config_free(config);
        return err_nomem(e, "services");
    }
    all->s = more;
    s = &more[all->n];
    memset(s, 0, sizeof(*s));
    s->id = mem_dupz(id);
    s->own = own ? mem_dupz(step) : NULL;
    s->requests = mem_alloc(1, sizeof(*s->requests));
    in = made_before(all, stage, step);
    s->shared = in != NULL;
    s->in = in;
    all->n++;
    if (!s->id || !s->requests || (own && !s->own)) {
        config_free(config);
        return err_nomem(e, "services");
    }
    if (in) {
        config_free(config);
    } else {
        st = instance_new(&s->in, stage, step, NULL, config, env, e);
    }
    if (st != DRH_OK) {
        return st;
    }
    s->table = stage->ops.service.get(s->in->self, id);
    if (!s->table) {
        return err_set(e, DRH_E_UNSUPPORTED, "%s: its get() has no table for %s",
                       stage->plugin->path, id);
    }
    return check(s, e);
}

void services_free(struct services *all)
{
    while (all->n > 0) { /* in reverse order: later ones may use earlier ones */
        struct service *s = &all->s[--all->n];
        if (!s->shared) {
            instance_free(s->in);
        }
        mem_free(s->requests);
        mem_free(s->id);
        mem_free(s->own);
    }
    mem_free(all->s);
    all->s = NULL;
}
