/* SPDX-License-Identifier: MIT
 *
 * http_help.c - see http_help.h.
 */
#include "http_help.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

const drh_http_provider *http_api;
void                    *http_self;
struct tiny             *server;
struct http_options      http_options;

/* ---- options ---- */

static drh_status get_str(const drh_config *c, const char *key, drh_str *out)
{
    const char *s = strcmp(key, "/user_agent") == 0 ? http_options.user_agent
                    : strcmp(key, "/proxy") == 0    ? http_options.proxy
                                                    : NULL;

    (void)c;
    *out = drh_str_of(s);
    return s ? DRH_OK : DRH_E_MISSING;
}

static drh_status get_i64(const drh_config *c, const char *key, int64_t *out)
{
    (void)c;
    *out = strcmp(key, "/connections") == 0 ? http_options.connections
           : strcmp(key, "/tries") == 0     ? http_options.tries
           : strcmp(key, "/patience") == 0  ? 3
                                            : 0;
    return DRH_OK;
}

static drh_status get_f64(const drh_config *c, const char *key, double *out)
{
    (void)c;
    *out = strcmp(key, "/stall") == 0           ? http_options.stall
           : strcmp(key, "/pause") == 0         ? http_options.pause
           : strcmp(key, "/longest_pause") == 0 ? http_options.longest_pause
                                                : http_options.connect_timeout;
    return DRH_OK;
}

static const drh_config_api config_table = {.struct_size = sizeof(config_table),
                                            .get_str = get_str,
                                            .get_i64 = get_i64,
                                            .get_f64 = get_f64};

/* ---- life ---- */

void help_setup(void)
{
    static const char *const names[] = {
        "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",   "all_proxy",
        "ALL_PROXY",  "no_proxy",   "NO_PROXY",    "SSL_CERT_FILE", "CURL_CA_BUNDLE"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unsetenv(names[i]);
    }
    bare_reset();
    bare_host.config = &config_table;
    http_options = (struct http_options){.connections = 8,
                                         .tries = 3,
                                         .stall = 20,
                                         .pause = 0.01,
                                         .longest_pause = 0.05,
                                         .connect_timeout = 5};
    http_self = NULL;
    server = NULL;
    answer = NULL;
    http_error = (drh_error)DRH_ERROR_INIT;
}

void help_serve(const struct tiny_answer *answers, size_t n)
{
    const drh_stage *stage = drh_entry_v1.stages[0];
    drh_error        e = DRH_ERROR_INIT;

    server = tiny_start(answers, n);
    ck_assert_int_eq(drh_entry_v1.init(&bare_host, &e), DRH_OK);
    ck_assert_msg(stage->life->create(&bare_host, NULL, &http_self, &e) == DRH_OK, "%s", e.message);
    http_api = stage->ops.service->get(http_self, DRH_HTTP);
    ck_assert_ptr_nonnull(http_api);
}

void help_stop(void)
{
    if (http_self) {
        http_api->release(http_self, answer); /* NULL is fine */
        answer = NULL;
        drh_entry_v1.stages[0]->life->destroy(http_self);
        drh_entry_v1.fini();
        http_self = NULL;
    }
}

void help_teardown(void)
{
    help_stop();
    tiny_stop(server);
    ck_assert_int_eq(bare_blocks, 0);
}

const char *help_url(const char *path)
{
    static char     text[3][512];
    static unsigned next;

    next = (next + 1) % 3;
    snprintf(text[next], sizeof(text[next]), "http://127.0.0.1:%u%s", tiny_port(server), path);
    return text[next];
}

drh_http_req help_get(const char *path)
{
    return (drh_http_req){.struct_size = sizeof(drh_http_req), .url = drh_str_of(help_url(path))};
}

/* ---- calls ---- */

const drh_http_answer *answer;
drh_error              http_error;

drh_status help_call(const drh_http_req *req)
{
    drh_status st;

    if (answer) {
        http_api->release(http_self, answer);
    }
    st = http_api->call(http_self, req, &answer, &http_error);
    ck_assert((st == DRH_OK) == (answer != NULL));
    return st;
}

drh_status help_call_get(const char *path)
{
    drh_http_req req = help_get(path);

    return help_call(&req);
}

void ck_answer(uint32_t status, const char *body)
{
    ck_assert_uint_eq(answer->status, status);
    ck_assert_msg(drh_str_eq(answer->body, body), "\"%.*s\"", (int)answer->body.len,
                  answer->body.ptr);
    ck_assert_int_eq(answer->body.ptr[answer->body.len], 0);
}

void ck_said(const char *part)
{
    ck_assert_msg(strstr(http_error.message, part) != NULL, "\"%s\" is not in: %s", part,
                  http_error.message);
}

bool asked(size_t i, const char *part)
{
    return strstr(tiny_request(server, i), part) != NULL;
}

double help_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- streams ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  moved = PTHREAD_COND_INITIALIZER;

static drh_status on_head(void *ctx, const drh_http_answer *a)
{
    struct stream *s = ctx;

    pthread_mutex_lock(&lock);
    s->heads++;
    s->status = a->status;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    if (s->cancel_at_head) {
        http_api->cancel(http_self, s->id);
    }
    return s->head_says;
}

static drh_status on_body(void *ctx, const void *p, size_t n)
{
    struct stream *s = ctx;

    ck_assert_uint_gt(n, 0);
    for (size_t i = 0; i < n && s->n + 1 < sizeof(s->body); i++) {
        s->body[s->n++] = ((const char *)p)[i];
    }
    if (s->cancel_at_body) {
        http_api->cancel(http_self, s->id);
    }
    return s->body_says;
}

static void on_done(void *ctx, drh_status st, const drh_error *e)
{
    struct stream *s = ctx;

    pthread_mutex_lock(&lock);
    s->st = st;
    s->e = *e;
    s->dones++;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

const drh_http_sink *stream_sink(struct stream *s)
{
    static drh_http_sink sink;

    sink = (drh_http_sink){sizeof(sink), 0, s, on_head, on_body, on_done};
    return &sink;
}

drh_status stream_start(struct stream *s, const drh_http_req *req)
{
    drh_error e = DRH_ERROR_INIT;

    return http_api->start(http_self, req, stream_sink(s), &s->id, &e);
}

void stream_wait(struct stream *s)
{
    pthread_mutex_lock(&lock);
    while (s->dones == 0) {
        pthread_cond_wait(&moved, &lock);
    }
    ck_assert_int_eq(s->dones, 1);
    s->body[s->n] = '\0';
    pthread_mutex_unlock(&lock);
}

void stream_wait_head(struct stream *s)
{
    pthread_mutex_lock(&lock);
    while (s->heads == 0 && s->dones == 0) {
        pthread_cond_wait(&moved, &lock);
    }
    pthread_mutex_unlock(&lock);
}
