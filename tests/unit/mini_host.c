/* SPDX-License-Identifier: MIT
 *
 * mini_host.c - see mini_host.h.
 */
#include "mini_host.h"

#include "err.h"
#include "field.h"
#include "hash.h"
#include "mem.h"
#include "schema.h"

#include <check.h>
#include <stdlib.h>

struct mini_host {
    drh_host           host;
    const drh_stage   *stage;
    const drh_map_ops *map;
    struct drh_config *config;
    struct mini_infer *infer;
    void              *self, *worker;
    struct arena      *arena;
    struct origin      origin;
    struct buf         out;
    char               log[4096];
    size_t             n_log;
};

static void mini_log(const drh_host *h, uint32_t level, const char *msg, size_t len)
{
    struct mini_host *m = h->impl;
    if (level >= DRH_LOG_INFO && len + 2 <= sizeof(m->log) - m->n_log) {
        memcpy(m->log + m->n_log, msg, len);
        m->n_log += len;
        m->log[m->n_log++] = '\n';
        m->log[m->n_log] = '\0';
    }
}

static int32_t mini_cancelled(const drh_host *h)
{
    (void)h;
    return 0;
}

/* For mini_sweep(): calls of the stage for memory, and which of them fails. */
static size_t allocs, fail_at;

static void *mini_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    if (size > 0 && ++allocs == fail_at) {
        return NULL;
    }
    return mem_resize(old, size);
}

static drh_field mini_field(const drh_host *h, const char *name, size_t len)
{
    (void)h;
    return field_intern(name, len);
}

static drh_status mini_digest(const drh_host *h, const drh_str *parts, size_t n, uint8_t out[32])
{
    (void)h;
    return sha256_parts(parts, n, out);
}

/* ---- the fake model ---- */

static struct mini_infer *infer_of(const drh_host *h)
{
    return ((struct mini_host *)h->impl)->infer;
}

static drh_status fake_info(const drh_host *h, drh_infer_info *out)
{
    const struct mini_infer *f = infer_of(h);
    out->caps = 1u << DRH_INFER_SCORE;
    out->context = f->context ? f->context : 1024;
    out->model = "fake";
    out->has_bos = !f->no_bos;
    return DRH_OK;
}

static drh_status fake_count(const drh_host *h, const char *text, size_t len, uint32_t flags,
                             uint32_t *tokens, drh_error *e)
{
    (void)text, (void)flags;
    if (infer_of(h)->no_count) {
        return err_set(e, DRH_E_UNSUPPORTED, "no counting");
    }
    *tokens = (uint32_t)len;
    return DRH_OK;
}

static void copy_text(char *to, size_t size, drh_str s)
{
    ck_assert_uint_lt(s.len, size);
    if (s.len) {
        memcpy(to, s.ptr, s.len);
    }
    to[s.len] = 0;
}

static drh_status fake_submit(const drh_host *h, drh_record *r, const drh_infer_req *req,
                              uint64_t tag, drh_error *e)
{
    struct mini_infer   *f = infer_of(h);
    struct mini_request *q = &f->request[f->n_requests];
    (void)r;
    if (f->submitted != DRH_OK) {
        return err_set(e, f->submitted, "submit refused");
    }
    ck_assert_uint_lt(f->n_requests, MINI_REQUESTS);
    ck_assert_uint_eq(req->struct_size, sizeof(*req));
    ck_assert_uint_eq(req->op, DRH_INFER_SCORE);
    memset(q, 0, sizeof(*q));
    q->tag = tag;
    q->flags = req->flags;
    q->max_total = req->max_total;
    q->n_messages = req->n_messages;
    copy_text(q->target, sizeof(q->target), req->target);
    if (req->n_messages == 0) {
        copy_text(q->prompt, sizeof(q->prompt), req->prompt);
    } else {
        size_t i, n = 0;
        for (i = 0; i < req->n_messages; i++) {
            n += (size_t)snprintf(q->prompt + n, sizeof(q->prompt) - n, "[%s:%s]",
                                  req->messages[i]->role.ptr, req->messages[i]->content.ptr);
        }
    }
    f->n_requests++;
    return DRH_OK;
}

static const drh_infer fake = {sizeof(drh_infer), 0, fake_info, fake_count, fake_submit};

/* What a backend with tokens of one byte answers, by the words of drh/infer.h. */
static void fake_answer(const struct mini_infer *f, const struct mini_request *q,
                        drh_infer_res *res, float *values)
{
    uint32_t      context = f->context ? f->context : 1024;
    uint32_t      limit = q->max_total == 0 || q->max_total > context ? context : q->max_total;
    uint32_t      bos = (q->flags & DRH_INFER_BOS) ? 1 : 0;
    uint32_t      prompt = (uint32_t)strlen(q->prompt);
    uint32_t      target = (uint32_t)strlen(q->target);
    uint32_t      before = bos + prompt;
    uint32_t      fits = before >= limit ? 0 : limit - before;
    const double *nll = prompt == 0 || strcmp(q->prompt, "### Response:") == 0 ||
                                strcmp(q->prompt, "ASSISTANT:") == 0
                            ? f->nll_alone
                            : f->nll_cond;
    uint32_t      i, n = target < fits ? target : fits;

    memset(res, 0, sizeof(*res));
    res->struct_size = sizeof(*res);
    res->status = f->status;
    res->n_prompt_tokens = prompt;
    res->n_target_tokens = target;
    res->first_value = before == 0 ? 1 : 0;
    for (i = res->first_value; i < n; i++) {
        values[res->n_values++] = (float)-nll[i];
    }
    res->values = values;
}

/* ---- life ---- */

static const void *mini_extension(const drh_host *h, const char *id)
{
    return infer_of(h) && strcmp(id, DRH_INFER) == 0 ? &fake : NULL;
}

static drh_status make_config(struct mini_host *m, const char *options, drh_error *e)
{
    cJSON     *schema = NULL;
    cJSON     *value = cJSON_Parse(options);
    drh_status st = schema_parse(m->stage->config_schema, &schema, e);
    ck_assert_ptr_nonnull(value);
    ck_assert_msg(st == DRH_OK, "schema: %s", e->message);
    st = schema_apply(schema, value, "", NULL, NULL, e);
    if (st == DRH_OK) {
        st = config_new(value, &m->config, e);
    }
    cJSON_Delete(schema);
    cJSON_Delete(value);
    return st;
}

struct mini_host *mini_new(const drh_entry *entry, const char *options, struct mini_infer *infer,
                           drh_error *e)
{
    struct mini_host *m = mem_alloc(1, sizeof(*m));
    ck_assert_ptr_nonnull(m);
    m->stage = entry->stages[0];
    m->infer = infer;
    m->map = m->stage->kind == DRH_KIND_SELECTOR    ? m->stage->ops.selector->map
             : m->stage->kind == DRH_KIND_CONVERTER ? m->stage->ops.converter->map
                                                    : m->stage->ops.map;
    m->arena = arena_new();
    buf_init(&m->out, 64 << 20);
    m->host = (drh_host){.struct_size = sizeof(drh_host),
                         .impl = m,
                         .name = "mini",
                         .version = "0",
                         .step = m->stage->id,
                         .max_workers = 1,
                         .log = mini_log,
                         .cancelled = mini_cancelled,
                         .alloc = mini_alloc,
                         .field = mini_field,
                         .extension = mini_extension,
                         .digest = mini_digest,
                         .records = &record_api,
                         .values = &value_api,
                         .config = &config_api,
                         .json_open = json_doc_open,
                         .json_close = json_doc_close};
    mini_origin(m, "", "", "", "");
    if (make_config(m, options, e) != DRH_OK ||
        m->stage->life->create(&m->host, m->config, &m->self, e) != DRH_OK) {
        m->self = NULL;
        mini_free(m);
        return NULL;
    }
    if (m->stage->life->open_worker &&
        m->stage->life->open_worker(m->self, 0, &m->worker, e) != DRH_OK) {
        m->worker = NULL;
        mini_free(m);
        return NULL;
    }
    return m;
}

void mini_free(struct mini_host *m)
{
    if (m->worker) {
        m->stage->life->close_worker(m->self, m->worker);
    }
    if (m->self) {
        m->stage->life->destroy(m->self);
    }
    config_free(m->config);
    arena_free(m->arena);
    buf_free(&m->out);
    mem_free(m);
    field_free_all();
}

void mini_origin(struct mini_host *m, const char *file, const char *domain, const char *dataset,
                 const char *source)
{
    m->origin.file = drh_str_of(file);
    m->origin.domain = drh_str_of(domain);
    m->origin.dataset = drh_str_of(dataset);
    m->origin.source = drh_str_of(source);
}

void *mini_self(struct mini_host *m)
{
    return m->self;
}

const char *mini_logged(struct mini_host *m)
{
    return m->log;
}

/* ---- a record ---- */

static drh_status answer_all(struct mini_host *m, drh_record *r, drh_error *e)
{
    struct mini_infer *f = m->infer;
    size_t             i;
    drh_status         st = DRH_OK;
    for (i = 0; i < f->n_requests && st == DRH_OK && r->settled == REC_OPEN; i++) {
        const struct mini_request *q = &f->request[f->backwards ? f->n_requests - 1 - i : i];
        drh_infer_res              res;
        drh_error                  why = DRH_ERROR_INIT;
        /* exactly as large as the answer, so that a read behind it is seen */
        float *values = mem_alloc(MINI_TOKENS, sizeof(*values));
        ck_assert_ptr_nonnull(values);
        fake_answer(f, q, &res, values);
        values = mem_resize(values, (res.n_values ? res.n_values : 1) * sizeof(*values));
        res.values = values;
        (void)err_set(&why, f->status, "the fake was told to fail");
        res.error = f->status == DRH_OK ? NULL : &why;
        if (f->status != DRH_OK) {
            res.n_values = 0;
        }
        st = m->map->resume(m->self, m->worker, r, q->tag, &res, e);
        mem_free(values);
    }
    return st;
}

static drh_status call(struct mini_host *m, drh_record *r, drh_error *e)
{
    drh_status st;
    if (!m->map->start) {
        return m->map->process(m->self, m->worker, &r, 1, e);
    }
    m->infer->n_requests = 0;
    st = m->map->start(m->self, m->worker, r, e);
    if (st == DRH_OK) {
        st = answer_all(m, r, e);
    }
    if (r->settled == REC_OPEN && r->state && m->map->release) {
        m->map->release(m->self, r->state);
    }
    return st;
}

const char *mini_run(struct mini_host *m, const char *json)
{
    struct drh_record r;
    struct json_err   je;
    drh_error         e = DRH_ERROR_INIT;
    drh_status        st;

    arena_reset(m->arena);
    buf_reset(&m->out);
    memset(&r, 0, sizeof(r));
    r.arena = m->arena;
    r.origin = &m->origin;
    r.line = 3;
    st = record_parse(&r, json, strlen(json), &je);
    ck_assert_msg(st == DRH_OK, "test data: %s: %s", json, je.message);
    st = call(m, &r, &e);
    if (st != DRH_OK) {
        (void)buf_addf(&m->out, "error:%s: %s", err_name(st), e.message);
    } else if (r.settled == REC_KEPT) {
        ck_assert_int_eq(record_write(&r, &m->out), DRH_OK);
    } else if (r.settled == REC_OPEN) {
        (void)buf_adds(&m->out, "open");
    } else {
        (void)buf_addf(&m->out, "%s:%s: %.*s", r.settled == REC_DROPPED ? "drop" : "fail", r.reason,
                       (int)r.detail.len, r.detail.ptr ? r.detail.ptr : "");
    }
    return m->out.ptr;
}

void mini_sweep(const drh_entry *entry, const char *options, struct mini_infer *infer,
                const char *json, const char *want)
{
    size_t n;
    for (n = 1;; n++) {
        drh_error         e = DRH_ERROR_INIT;
        struct mini_host *m;
        const char       *got;
        bool              failed;
        allocs = 0;
        fail_at = n;
        m = mini_new(entry, options, infer, &e);
        if (!m) {
            ck_assert_int_eq(e.code, DRH_E_NOMEM);
            continue;
        }
        got = mini_run(m, json);
        failed = allocs >= fail_at;
        ck_assert_msg(strcmp(got, want) == 0 || (failed && strncmp(got, "error:", 6) == 0 &&
                                                 strstr(got, "memory") != NULL),
                      "allocation %zu: %s", n, got);
        mini_free(m);
        if (!failed) {
            break;
        }
    }
    fail_at = 0;
    ck_assert_uint_gt(n, 1);
}
