/* SPDX-License-Identifier: MIT
 * pull_job.c - the host between a source, which knows what to ask for, and the service drh.fetch/1,
 * which asks.  The service calls back on threads of its own, one call at a time, while the main
 * thread waits in run(). */
#include "clock.h"
#include "err.h"
#include "host.h"
#include "log.h"
#include "mem.h"
#include "pull.h"
#include "services.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct pull_task *t;
    char              hex[65];
    drh_file          file; /* as the source gets it */
    double            started, told, rate;
    uint64_t          before;  /* received when `told` */
    uint64_t          unknown; /* files whose size the listing does not know */
    drh_status        st;      /* of the manifest */
    drh_error         e;
};

static struct listed *file_of(const struct job *j, uint64_t i)
{
    return &j->t->l->list.file[j->t->file[i]];
}

/* What the source that is asked calls file i. */
static void as_source_has_it(struct job *j, uint64_t i)
{
    const struct listed *f = j->t->as ? j->t->as[i] : file_of(j, i);

    listed_file(f, j->hex, &j->file);
}

/* ---- callbacks ---- */

static void on_file(void *ctx, uint64_t i, drh_fetch_file *out)
{
    const struct listed *f = file_of(ctx, i);

    out->name = drh_str_of(f->name);
    out->size = f->size;
    out->hash = f->hash;
    memcpy(out->digest, f->digest, sizeof(out->digest));
}

struct call {
    struct job            *j;
    drh_http_req          *req;
    const drh_http_answer *answer;
    const drh_file        *file;
    uint32_t               k;
    drh_str               *path, *text;
    drh_error             *e;
    drh_status             st;
};

static const drh_source_ops *ops_of(const struct call *c)
{
    return &c->j->t->from->stage->ops.source;
}

static void do_request(void *arg)
{
    struct call *c = arg;
    c->st = ops_of(c)->request(c->j->t->from->in->self, c->file, c->req, c->e);
}

static drh_status on_request(void *ctx, uint64_t i, drh_http_req *out, drh_error *e)
{
    struct job *j = ctx;
    struct call c = {.j = j, .req = out, .file = &j->file, .e = e};

    as_source_has_it(j, i);
    e->message[0] = '\0';
    instance_call(j->t->from->in, do_request, &c);
    return c.st == DRH_OK ? DRH_OK : stage_error(j->t->from->in, c.st, e);
}

static void do_judge(void *arg)
{
    struct call *c = arg;
    c->st = ops_of(c)->judge(c->j->t->from->in->self, c->file, c->answer, c->e);
}

static drh_status on_judge(void *ctx, uint64_t i, const drh_http_answer *a, drh_error *e)
{
    struct job *j = ctx;
    struct call c = {.j = j, .answer = a, .file = &j->file, .e = e};

    as_source_has_it(j, i);
    e->message[0] = '\0';
    instance_call(j->t->from->in, do_judge, &c);
    return c.st == DRH_OK ? DRH_OK : stage_error(j->t->from->in, c.st, e);
}

static void do_note(void *arg)
{
    struct call *c = arg;
    c->st = ops_of(c)->note(c->j->t->from->in->self, c->file, c->k, c->path, c->text);
}

/* The notes are those of the source that was asked: its tools will look for them. */
static drh_status on_note(void *ctx, uint64_t i, uint32_t k, drh_str *path, drh_str *text)
{
    struct job *j = ctx;
    struct call c = {
        .j = j, .file = i == UINT64_MAX ? NULL : &j->file, .k = k, .path = path, .text = text};

    if (j->t->as) {
        return DRH_END; /* the folder belongs to the source that listed it */
    }
    if (c.file) {
        as_source_has_it(j, i);
    }
    instance_call(j->t->from->in, do_note, &c);
    return c.st;
}

static void on_settled(void *ctx, uint64_t i, uint32_t brought, drh_status st, const drh_error *e)
{
    struct job    *j = ctx;
    struct listed *f = file_of(j, i);

    if (st != DRH_OK && j->t->as && f->state == LISTED_FAILED) {
        log_put(DRH_LOG_INFO, "%s: %s cannot help: %s", f->name, j->t->from->step->id, e->message);
        return; /* why its own source did not bring it says more */
    }
    if (st != DRH_OK) {
        (void)listed_fail(f, st, e->message);
        return;
    }
    mem_free(f->why);
    f->why = NULL;
    f->state = brought ? LISTED_BROUGHT : LISTED_THERE;
    pull_note_file(j->t->l, f);
    if (j->st == DRH_OK) {
        j->st = manifest_append(j->t->l, f, &j->e);
    }
}

/* ---- progress ---- */

static void put_bytes(char *out, size_t cap, double n)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
    int                      u = 0;

    for (; n >= 999.5 && u < 4; u++) {
        n /= 1000;
    }
    (void)snprintf(out, cap, u && n < 99.95 ? "%.1f %s" : "%.0f %s", n, unit[u]);
}

static void put_time(char *out, size_t cap, double s)
{
    if (s < 90) {
        (void)snprintf(out, cap, "%.0f s", s);
    } else if (s < 90 * 60) {
        (void)snprintf(out, cap, "%.0f min", s / 60);
    } else {
        (void)snprintf(out, cap, "%.1f h", s / 3600);
    }
}

/* The rate forgets what is older than some 5 seconds. */
static void measure(struct job *j, uint64_t received, double now)
{
    double s = now - j->told, w;

    if (s >= 0.5) {
        w = exp(-s / 5);
        j->rate = j->told > j->started
                      ? w * j->rate + (1 - w) * ((double)(received - j->before) / s)
                      : (double)(received - j->before) / s;
        j->told = now;
        j->before = received;
    }
}

/* "45% 1.2 of 2.6 GB", as far as sizes are known. */
static void put_share(const struct job *j, const drh_fetch_progress *p, char *out, size_t cap,
                      double *left)
{
    double total = (double)(j->t->l->counts.missing + p->learned), done = (double)p->bytes;
    char   have[24], all[24];

    *left = 0;
    put_bytes(have, sizeof(have), done);
    if (j->unknown > p->learned_files || total < 1) {
        (void)snprintf(out, cap, "%s", have);
        return;
    }
    put_bytes(all, sizeof(all), total);
    *left = total > done ? total - done : 0;
    (void)snprintf(out, cap, "%3.0f%% %s of %s", done < total ? done / total * 100 : 100, have,
                   all);
}

static void on_progress(void *ctx, const drh_fetch_progress *p)
{
    struct job *j = ctx;
    char        share[64], rate[24], time[24] = "", wait[48] = "", line[240];
    double      left;

    j->t->l->counts.received = p->received;
    measure(j, p->received, clock_now());
    put_share(j, p, share, sizeof(share), &left);
    put_bytes(rate, sizeof(rate), j->rate);
    if (j->rate > 0 && left > 0) {
        put_time(time, sizeof(time), left / j->rate);
    }
    if (p->waiting_ms > 2000) {
        (void)snprintf(wait, sizeof(wait), ", waiting %u s as the server asks",
                       p->waiting_ms / 1000);
    }
    (void)snprintf(line, sizeof(line), "%s: %s, %s/s%s%s%s, %llu of %llu files%s", j->t->o->what,
                   share, rate, time[0] ? ", " : "", time, time[0] ? " left" : "",
                   (unsigned long long)p->files, (unsigned long long)j->t->n, wait);
    progress_line(line);
}

/* ---- the job ---- */

drh_status pull_job(struct pull_task *t, drh_error *e)
{
    const struct service *s = services_find(t->l->p->services, DRH_FETCH);
    struct job            j = {.t = t, .started = clock_now(), .e = ERR_INIT};
    const drh_source_ops *ops = &t->from->stage->ops.source;
    drh_fetch_job         job = {.struct_size = sizeof(job),
                                 .flags = t->o->anew ? DRH_FETCH_ANEW : 0,
                                 .ctx = &j,
                                 .root = t->l->root,
                                 .state = ".cache/drhost",
                                 .n = t->n,
                                 .max_files = t->o->max_files,
                                 .patience = t->patience,
                                 .file = on_file,
                                 .request = on_request,
                                 .judge = ops->judge ? on_judge : NULL,
                                 .note = ops->note ? on_note : NULL,
                                 .settled = on_settled,
                                 .progress = on_progress};
    drh_status            st;

    if (!s) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "source %s gives requests; name %s and %s in the needs of its stage",
                       t->from->stage->desc.id, DRH_HTTP, DRH_FETCH);
    }
    j.told = j.started;
    for (size_t i = 0; i < t->n; i++) {
        j.unknown += t->l->list.file[t->file[i]].size == UINT64_MAX;
    }
    progress_start(t->o->what);
    e->message[0] = '\0';
    st = s->fetch.run(s->in->self, &job, e);
    progress_end();
    if (st != DRH_OK) {
        return stage_error(s->in, st, e);
    }
    if (j.st != DRH_OK) {
        *e = j.e;
    }
    return j.st;
}
