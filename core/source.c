/* SPDX-License-Identifier: MIT
 * source.c - see source.h. */
#include "source.h"

#include "err.h"
#include "mem.h"
#include "readers.h"

#include <string.h>

/* ---- listing ---- */

static drh_status check_listing(struct drh_list *l, const char *id, drh_error *e)
{
    drh_error  twice = ERR_INIT;
    drh_status st =
        list_settle(l, &twice); /* pages of a hub may overlap: the same is once enough */

    if (st != DRH_OK) {
        return err_set(e, st, "source %s names %s", id, twice.message);
    }
    return l->n ? DRH_OK : err_set(e, DRH_E_MISSING, "source %s names no file", id);
}

struct list_call {
    struct plan_step *s;
    struct drh_list  *list;
    drh_error        *e;
    drh_status        st;
};

static void do_list(void *arg)
{
    struct list_call *c = arg;
    c->st = c->s->stage->ops.source.list(c->s->in->self, c->list, c->e);
}

drh_status source_list(struct plan_step *s, struct drh_list *list, drh_error *e)
{
    struct list_call call = {.s = s, .list = list, .e = e};

    e->message[0] = '\0';
    instance_call(s->in, do_list, &call);
    if (call.st != DRH_OK) {
        drh_status st = stage_error(s->in, call.st, e);
        err_prefix(e, "source %s", s->step->id);
        return st;
    }
    return check_listing(list, s->step->id, e);
}

/* ---- what it is ---- */

/* A path option as the user wrote it, before it was joined to the recipe's folder: what a record
 * says of its origin must not depend on where the user stands. */
static const char *path_as_written(const struct plan_step *s, const char *dir, const cJSON *schema)
{
    const size_t n = s->step->here && dir ? strlen(dir) : 0;
    const cJSON *p;

    cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(schema, "properties"))
    {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(s->step->options, p->string);
        const cJSON *set = cJSON_GetObjectItemCaseSensitive(v, "$set");

        if (cJSON_GetObjectItemCaseSensitive(p, "x-drh-path") && v) {
            v = cJSON_IsArray(v) ? cJSON_GetArrayItem(v, 0) : v;
            const char *path = cJSON_GetStringValue(set ? set : v);
            return n && path && strncmp(path, dir, n) == 0 && path[n] == '/' ? path + n + 1 : path;
        }
    }
    return NULL;
}

struct about_call {
    struct plan_step *s;
    drh_source_about *about;
    drh_str           provenance;
    drh_status        st;
};

static void do_provenance(void *arg)
{
    struct about_call *c = arg;
    c->provenance = c->s->stage->ops.source.provenance(c->s->in->self);
}

static void do_about(void *arg)
{
    struct about_call *c = arg;
    c->st = c->s->stage->ops.source.about(c->s->in->self, c->about);
}

drh_status source_name(struct plan_step *s, const char *dir, char **name, drh_error *e)
{
    struct about_call call = {.s = s};
    cJSON            *schema = NULL;
    const char       *path;

    *name = NULL;
    if (s->stage->ops.source.provenance) {
        instance_call(s->in, do_provenance, &call);
    }
    if (call.provenance.ptr) {
        *name = mem_dup(call.provenance.ptr, call.provenance.len);
    } else {
        drh_status st = schema_parse(s->stage->desc.config_schema, &schema, e);
        if (st != DRH_OK) {
            return st;
        }
        path = path_as_written(s, dir, schema);
        *name = mem_printf("%s:%s", s->stage->desc.id, path ? path : s->step->id);
        cJSON_Delete(schema);
    }
    return *name ? DRH_OK : err_nomem(e, "a source");
}

void source_about(struct plan_step *s, drh_source_about *out)
{
    struct about_call call = {.s = s, .about = out, .st = DRH_E_UNSUPPORTED};

    *out = (drh_source_about){.struct_size = sizeof(*out)};
    if (s->stage->ops.source.about) {
        instance_call(s->in, do_about, &call);
    }
    if (call.st != DRH_OK) {
        *out = (drh_source_about){.struct_size = sizeof(*out)};
    }
}

drh_status source_check(struct plan *p, struct plan_step *s, drh_error *e)
{
    struct drh_list list = {0};
    drh_status      st = plan_serve(p, s, e);

    st = st == DRH_OK ? plan_instance(p, s, e) : st;
    if (st == DRH_OK && !(s->stage->desc.flags & DRH_NETWORK)) {
        st = source_list(s, &list, e);
        st = st == DRH_OK ? readers_check(p, s->reader, &list, e) : st;
    }
    list_free(&list);
    return st;
}
