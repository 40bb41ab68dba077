/* SPDX-License-Identifier: MIT
 * infer_fake.c - service infer-fake: drh.infer/1 whose answers are a pure function of the request,
 * given one by one from its own threads: late, out of order, failing, never, or twice, as options
 * say.  Beside it infer-fake-packs (packs.c). */
#include "packs.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

enum { THREADS = 3, SEEN = 1 << 16 };

struct job {
    struct job          *next;
    const drh_infer_req *req;
    drh_infer_call      *call;
    double               due;
    int                  cancelled;
    int                  refused; /* the budget is spent, or the key no good any more */
};

struct fake {
    const drh_host       *host;
    const drh_infer_host *back;
    int64_t delay_min, delay_max, fail_every, retry_every, refuse_every, again_every, hang_every;
    int64_t kill_after, max_in_flight, budget, stop_after;
    int32_t reorder, twice, deaf;
    int     log;
    pthread_mutex_t lock;
    pthread_cond_t  moved;
    pthread_t       thread[THREADS];
    int             n_threads, stop;
    struct job     *jobs;
    int64_t         open, asked, submits;
    uint64_t        random;
    uint8_t         seen[SEEN]; /* requests that had their passing fault */
};

static const char SCHEMA[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"delay_min\":{\"type\":\"integer\",\"default\":0},"
    "\"delay_max\":{\"type\":\"integer\",\"default\":0,\"description\":\"milliseconds\"},"
    "\"fail_every\":{\"type\":\"integer\",\"default\":0,"
    "\"description\":\"one in so many requests fails for good\"},"
    "\"retry_every\":{\"type\":\"integer\",\"default\":0,"
    "\"description\":\"one in so many fails at its first try\"},"
    "\"refuse_every\":{\"type\":\"integer\",\"default\":0,"
    "\"description\":\"one in so many is refused by submit() itself\"},"
    "\"again_every\":{\"type\":\"integer\",\"default\":0,"
    "\"description\":\"each so manieth submit() is answered DRH_AGAIN\"},"
    "\"hang_every\":{\"type\":\"integer\",\"default\":0,"
    "\"description\":\"one in so many is answered only when cancelled\"},"
    "\"deaf\":{\"type\":\"boolean\",\"default\":false,\"description\":\"not even then\"},"
    "\"kill_after\":{\"type\":\"integer\",\"default\":0,"
    "\"description\":\"the process kills itself at this request\"},"
    "\"budget\":{\"type\":\"integer\",\"default\":0,"
    "\"description\":\"so many requests are answered, and no more\"},"
    "\"stop_after\":{\"type\":\"integer\",\"default\":0,"
    "\"description\":\"after so many requests the key is refused\"},"
    "\"max_in_flight\":{\"type\":\"integer\",\"default\":16},"
    "\"reorder\":{\"type\":\"boolean\",\"default\":false},"
    "\"twice\":{\"type\":\"boolean\",\"default\":false},"
    "\"log\":{\"type\":\"string\",\"default\":\"\",\"description\":\"a line for each request\"}}}";

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t next_random(struct fake *f)
{
    return fake_mix(f->random += 0x9e3779b97f4a7c15ull);
}

static int one_in(int64_t every, uint64_t key, uint64_t salt)
{
    return every > 0 && fake_mix(key + salt) % (uint64_t)every == 0;
}

/* ---- answering ---- */

static void fill_error(drh_infer_res *res, drh_status st, uint32_t flags, const char *text)
{
    res->status = drh_fail(res->error, st, "%s", text);
    res->error->flags = flags;
}

/* Under the lock: whether this request has its passing fault now. */
static int passing_fault(struct fake *f, uint64_t key)
{
    uint8_t *seen = &f->seen[key % SEEN];
    if (!one_in(f->retry_every, key, 1) || *seen) {
        return 0;
    }
    return *seen = 1;
}

static void compute(const struct fake *f, const drh_infer_req *q, int fault, drh_infer_res *res,
                    char text[128])
{
    uint64_t key = fake_key(q);

    if (fault) {
        fill_error(res, DRH_E_NETWORK, DRH_ERR_RETRYABLE, "the line is busy");
    } else if (one_in(f->fail_every, key, 2)) {
        fill_error(res, DRH_E_DATA, 0, "this one never works");
    } else if (q->op == DRH_INFER_SCORE) {
        res->status = fake_score(q, 1024, 0, res);
    } else {
        int n = snprintf(text, 128, "answer %016llx", (unsigned long long)key);
        res->text = (drh_str){text, (size_t)n};
        res->finish = DRH_INFER_STOP;
        res->n_target_tokens = 2;
    }
}

static void answer(struct fake *f, struct job *j, int fault)
{
    drh_error     e = DRH_ERROR_INIT;
    drh_infer_res res = {.struct_size = sizeof(res), .error = &e};
    char          text[128];

    if (j->cancelled) {
        fill_error(&res, DRH_E_CANCELLED, 0, "cancelled");
    } else if (j->refused && f->budget) {
        fill_error(&res, DRH_E_BUDGET, 0, "all of the budget is spent");
    } else if (j->refused) {
        fill_error(&res, DRH_E_AUTH, DRH_ERR_STOP, "the key is refused");
    } else {
        compute(f, j->req, fault, &res, text);
    }
    f->back->complete(j->call, &res);
    if (f->twice) {
        f->back->complete(j->call, &res);
    }
    free((void *)(uintptr_t)res.values);
    free(j);
}

/* A job that is due; *wait: when the next one is.  Under the lock. */
static struct job *take_due(struct fake *f, double *wait)
{
    struct job **at, **best = NULL;
    double       t = now();
    uint64_t     n = 0;

    *wait = t + 60;
    for (at = &f->jobs; *at; at = &(*at)->next) {
        if ((*at)->due > t && !(*at)->cancelled) {
            *wait = (*at)->due < *wait ? (*at)->due : *wait;
        } else if (n++ == 0 || (f->reorder && next_random(f) % n == 0)) {
            best = at;
        }
    }
    if (best) {
        struct job *j = *best;
        *best = j->next;
        return j;
    }
    return NULL;
}

static void *thread_main(void *arg)
{
    struct fake *f = arg;

    (void)pthread_mutex_lock(&f->lock);
    while (!f->stop) {
        double      wait;
        struct job *j = take_due(f, &wait);

        if (j) {
            int fault = passing_fault(f, fake_key(j->req));
            f->open--; /* before complete(): the host may send the next one at once */
            (void)pthread_mutex_unlock(&f->lock);
            answer(f, j, fault);
            (void)pthread_mutex_lock(&f->lock);
        } else {
            struct timespec t = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
            (void)pthread_cond_timedwait(&f->moved, &f->lock, &t);
        }
    }
    (void)pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* ---- drh.infer/1 ---- */

static drh_status fake_info(void *self, drh_infer_info *out, drh_error *e)
{
    const struct fake *f = self;
    (void)e;
    out->caps = 1u << DRH_INFER_SCORE | 1u << DRH_INFER_GENERATE;
    out->flags = DRH_INFER_REPEATABLE;
    out->context = 1024;
    out->model = "fake";
    out->identity = "infer-fake 1";
    out->max_in_flight = (uint32_t)f->max_in_flight;
    out->has_bos = 1;
    return DRH_OK;
}

static drh_status fake_count_tokens(void *self, const char *text, size_t len, uint32_t flags,
                                    uint32_t *tokens, drh_error *e)
{
    (void)self;
    (void)flags;
    (void)e;
    *tokens = fake_count((drh_str){text, len});
    return DRH_OK;
}

/* Under the lock: takes note of a request, and of the moment to die. */
static void note_asked(struct fake *f, uint64_t key)
{
    fake_log(f->log, key);
    f->asked++;
    if (f->kill_after && f->asked == f->kill_after) {
        (void)kill(getpid(), SIGKILL);
    }
}

static drh_status fake_submit(void *self, const drh_infer_req *req, drh_infer_call *call,
                              drh_error *e)
{
    struct fake *f = self;
    struct job  *j = calloc(1, sizeof(*j));
    uint64_t     key = fake_key(req);
    drh_status   st = j ? DRH_OK : DRH_E_NOMEM;
    double       delay;

    (void)pthread_mutex_lock(&f->lock);
    delay = (double)f->delay_min +
            (double)(next_random(f) % (uint64_t)(f->delay_max - f->delay_min + 1));
    if (f->again_every && ++f->submits % f->again_every == 0) {
        st = DRH_AGAIN;
    } else if (one_in(f->refuse_every, key, 3)) {
        st = drh_fail(e, DRH_E_UNSUPPORTED, "refused at once");
    } else if (f->open >= f->max_in_flight) {
        drh_logf(f->host, DRH_LOG_ERROR, "BROKEN: more than max_in_flight requests");
    }
    if (st == DRH_OK) {
        *j = (struct job){.next = f->jobs, .req = req, .call = call, .due = now() + delay / 1000};
        j->due += one_in(f->hang_every, key, 4) ? 1e6 : 0;
        f->jobs = j;
        j = NULL;
        f->open++;
        if ((f->budget && f->asked >= f->budget) || (f->stop_after && f->asked >= f->stop_after)) {
            f->jobs->refused = 1;
        } else {
            note_asked(f, key);
        }
        (void)pthread_cond_signal(&f->moved);
    }
    (void)pthread_mutex_unlock(&f->lock);
    free(j);
    return st;
}

static void fake_cancel(void *self, drh_infer_call *call)
{
    struct fake *f = self;

    (void)pthread_mutex_lock(&f->lock);
    for (struct job *j = f->jobs; j; j = j->next) {
        if (j->call == call && !f->deaf) {
            j->cancelled = 1;
        }
    }
    (void)pthread_cond_broadcast(&f->moved);
    (void)pthread_mutex_unlock(&f->lock);
}

/* ---- life ---- */

static drh_status read_options(struct fake *f, const drh_config *c, drh_error *e)
{
    const drh_config_api *api = f->host->config;
    struct {
        const char *key;
        int64_t    *to;
    } n[] = {{"/delay_min", &f->delay_min},
             {"/delay_max", &f->delay_max},
             {"/fail_every", &f->fail_every},
             {"/retry_every", &f->retry_every},
             {"/refuse_every", &f->refuse_every},
             {"/again_every", &f->again_every},
             {"/hang_every", &f->hang_every},
             {"/kill_after", &f->kill_after},
             {"/budget", &f->budget},
             {"/stop_after", &f->stop_after},
             {"/max_in_flight", &f->max_in_flight}};
    drh_str log;

    for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
        if (api->get_i64(c, n[i].key, n[i].to) != DRH_OK) {
            return drh_fail(e, DRH_E_CONFIG, "cannot read %s", n[i].key);
        }
    }
    if (api->get_bool(c, "/reorder", &f->reorder) != DRH_OK ||
        api->get_bool(c, "/twice", &f->twice) != DRH_OK ||
        api->get_bool(c, "/deaf", &f->deaf) != DRH_OK || api->get_str(c, "/log", &log) != DRH_OK ||
        f->delay_max < f->delay_min) {
        return drh_fail(e, DRH_E_CONFIG, "cannot read the options");
    }
    f->log = log.len ? open(log.ptr, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    return log.len && f->log < 0 ? drh_fail(e, DRH_E_IO, "cannot open %s", log.ptr) : DRH_OK;
}

static void fake_destroy(void *self)
{
    struct fake *f = self;

    (void)pthread_mutex_lock(&f->lock);
    f->stop = 1;
    (void)pthread_cond_broadcast(&f->moved);
    (void)pthread_mutex_unlock(&f->lock);
    for (int i = 0; i < f->n_threads; i++) {
        (void)pthread_join(f->thread[i], NULL);
    }
    while (f->jobs) {
        struct job *j = f->jobs;
        f->jobs = j->next;
        free(j);
    }
    if (f->log >= 0) {
        (void)close(f->log);
    }
    (void)pthread_mutex_destroy(&f->lock);
    (void)pthread_cond_destroy(&f->moved);
    free(f);
}

static drh_status fake_create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct fake *f = calloc(1, sizeof(*f));
    drh_status   st;

    if (!f) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    f->host = h;
    f->log = -1;
    f->random = 42;
    f->back = h->extension(h, DRH_INFER_HOST);
    (void)pthread_mutex_init(&f->lock, NULL);
    (void)pthread_cond_init(&f->moved, NULL);
    st = f->back ? read_options(f, c, e) : drh_fail(e, DRH_E_MISSING, "no " DRH_INFER_HOST);
    for (; st == DRH_OK && f->n_threads < THREADS; f->n_threads++) {
        if (pthread_create(&f->thread[f->n_threads], NULL, thread_main, f) != 0) {
            st = drh_fail(e, DRH_E_NOMEM, "no thread");
            break;
        }
    }
    if (st != DRH_OK) {
        fake_destroy(f);
        return st;
    }
    *self = f;
    return DRH_OK;
}

static const drh_infer_provider provider = {.struct_size = sizeof(provider),
                                            .info = fake_info,
                                            .count = fake_count_tokens,
                                            .submit = fake_submit,
                                            .cancel = fake_cancel};

static const void *fake_get(void *self, const char *id)
{
    (void)self;
    return strcmp(id, DRH_INFER) == 0 ? &provider : NULL;
}

static const char *const      IDS[] = {DRH_INFER, NULL};
static const drh_life         life = {sizeof(life), 0, fake_create, fake_destroy, NULL, NULL, NULL};
static const drh_service_ops  ops = {sizeof(ops), 0, IDS, NULL, fake_get};
static const drh_stage        stage = {.struct_size = sizeof(stage),
                                       .kind = DRH_KIND_SERVICE,
                                       .id = "infer-fake",
                                       .version = "1.0.0",
                                       .summary = "answers made up one by one",
                                       .config_schema = SCHEMA,
                                       .life = &life,
                                       .ops.service = &ops};
static const drh_stage *const STAGES[] = {&stage, &fake_packs_stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry),
                                .n_stages = 2,
                                .name = "infer-fake",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = STAGES};
DRH_PLUGIN_NOTE(0, "service infer-fake 1.0.0 drh.infer/1\n"
                   "service infer-fake-packs 1.0.0 drh.infer/1");
