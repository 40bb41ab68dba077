/* SPDX-License-Identifier: MIT
 *
 * infer_help.c - see infer_help.h.
 */
#define _POSIX_C_SOURCE 200809L
#include "infer_help.h"

#include "../../core/hash.h"

#include <check.h>
#include <dirent.h>
#include <drh/util.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- host ---------------------------------------------------------------------------------- */

static void host_log(const drh_host *h, uint32_t level, const char *msg, size_t len)
{
    (void)h, (void)level, (void)msg, (void)len;
}

static int32_t host_cancelled(const drh_host *h)
{
    return ((struct lab *)h->impl)->cancelled;
}

static void *host_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

static drh_status host_digest(const drh_host *h, const drh_str *parts, size_t n, uint8_t out[32])
{
    (void)h;
    return sha256_parts(parts, n, out);
}

static drh_status get_str(const drh_config *c, const char *pointer, drh_str *out)
{
    const struct lab *l = (const struct lab *)(const void *)c;
    if (strcmp(pointer, "/model") == 0 && l->model) {
        *out = drh_str_of(l->model);
        return DRH_OK;
    }
    if (strcmp(pointer, "/chat") == 0 && l->chat) {
        *out = drh_str_of(l->chat);
        return DRH_OK;
    }
    if (strcmp(pointer, "/precision") == 0 && l->precision) {
        *out = drh_str_of(l->precision);
        return DRH_OK;
    }
    return DRH_E_MISSING;
}

static drh_status get_i64(const drh_config *c, const char *pointer, int64_t *out)
{
    const struct lab *l = (const struct lab *)(const void *)c;
    if (strcmp(pointer, "/pack_tokens") == 0) {
        *out = l->pack_tokens;
        return DRH_OK;
    }
    return DRH_E_MISSING;
}

static const drh_config_api config_api = {
    sizeof(drh_config_api), 0, get_str, get_i64, NULL, NULL, NULL};

drh_status lab_open(struct lab *l, const char *model)
{
    return lab_open_with(l, model, NULL, NULL);
}

drh_status lab_open_with(struct lab *l, const char *model, const char *chat, const char *precision)
{
    const drh_stage *st = drh_entry_v1.stages[0];
    drh_error        blank = DRH_ERROR_INIT;
    drh_status       rc;
    memset(l, 0, sizeof(*l));
    l->e = blank;
    l->model = model;
    l->chat = chat;
    l->precision = precision;
    l->pack_tokens = 2048;
    l->host.struct_size = sizeof(l->host);
    l->host.impl = l;
    l->host.max_workers = 2;
    l->host.log = host_log;
    l->host.cancelled = host_cancelled;
    l->host.alloc = host_alloc;
    l->host.digest = host_digest;
    l->host.config = &config_api;
    rc = st->life->create(&l->host, (const drh_config *)(const void *)l, &l->self, &l->e);
    if (rc != DRH_OK) {
        return rc;
    }
    l->p = st->ops.service->get(l->self, DRH_INFER);
    rc = st->life->open_worker(l->self, 0, &l->worker, &l->e);
    ck_assert_int_eq(rc, DRH_OK);
    return rc;
}

void lab_close(struct lab *l)
{
    const drh_stage *st = drh_entry_v1.stages[0];
    st->life->close_worker(l->self, l->worker);
    st->life->destroy(l->self);
}

drh_infer_req lab_req(const char *prompt, const char *target, uint32_t flags, uint32_t max_total)
{
    drh_infer_req r;
    memset(&r, 0, sizeof(r));
    r.struct_size = sizeof(r);
    r.op = DRH_INFER_SCORE;
    r.flags = flags;
    r.max_total = max_total;
    r.prompt = drh_str_of(prompt);
    r.target = drh_str_of(target);
    return r;
}

drh_status lab_run(struct lab *l, void *worker, const drh_infer_req *req, size_t n,
                   drh_infer_res *res, drh_error *err)
{
    const drh_infer_req **rq = malloc((n + 1) * sizeof(*rq));
    drh_infer_res       **rs = malloc((n + 1) * sizeof(*rs));
    drh_error             blank = DRH_ERROR_INIT;
    drh_status            st;
    ck_assert(rq && rs);
    for (size_t i = 0; i < n; i++) {
        rq[i] = &req[i];
        rs[i] = &res[i];
        memset(&res[i], 0, sizeof(res[i]));
        res[i].struct_size = sizeof(res[i]);
        err[i] = blank;
        res[i].error = &err[i];
    }
    st = l->p->run(l->self, worker, rq, n, rs, &l->e);
    free(rq);
    free(rs);
    return st;
}

/* ---- files --------------------------------------------------------------------------------- */

void lab_folder(char *path, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(path, size, "%s/drh-infer-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(path));
}

void lab_remove(const char *path)
{
    DIR           *dir = opendir(path);
    struct dirent *d;
    while (dir && (d = readdir(dir))) {
        char name[4096];
        (void)snprintf(name, sizeof(name), "%s/%s", path, d->d_name);
        (void)unlink(name); /* refused for . and .. */
    }
    if (dir) {
        (void)closedir(dir);
    }
    (void)rmdir(path);
}

void lab_random(char *dir, size_t size, const struct model_shape *s, const struct model_files *f,
                struct model_random *r)
{
    lab_folder(dir, size);
    ck_assert_int_eq(model_random_make(r, s), 0);
    ck_assert_int_eq(model_write(r, dir, f), 0);
    ck_assert_int_eq(model_copy(DRH_SOURCE_DIR "/examples/models/tiny-gpt2", dir, "tokenizer.json"),
                     0);
}

char *lab_read(const char *path, size_t *n)
{
    FILE  *f = fopen(path, "rb");
    size_t cap = 1 << 20, got;
    char  *b = malloc(cap + 1);
    ck_assert_msg(f && b, "%s", path);
    *n = 0;
    while ((got = fread(b + *n, 1, cap - *n, f)) > 0) {
        *n += got;
        if (*n == cap) {
            cap *= 2;
            b = realloc(b, cap + 1);
            ck_assert_ptr_nonnull(b);
        }
    }
    (void)fclose(f);
    b[*n] = 0;
    return b;
}
