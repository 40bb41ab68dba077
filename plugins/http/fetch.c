/* SPDX-License-Identifier: MIT
 * fetch.c - see fetch.h and fetch_impl.h. */
#include "fetch_impl.h"
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { AHEAD = 2, MAX_ENDING = 256 };
static const uint64_t CHUNK_MIN = 4u << 20, CHUNK_MAX = 64u << 20;

/* ---- what to ask for next (network thread) ---- */

/* So much that the pause between two requests is lost in it, but not so much that the end of the
 * file hangs on one slow connection, or that hashing falls far behind. */
static uint64_t chunk_size(const struct job *j, const struct file *f)
{
    uint64_t left = f->part.left * (uint64_t)PART_BLOCK, n = CHUNK_MIN;
    double   idle = 50 * j->ttfb * j->rate;

    if (idle > (double)n) {
        n = idle > (double)CHUNK_MAX ? CHUNK_MAX : (uint64_t)idle;
    }
    if (n > left / (4u * j->connections) && left / (4u * j->connections) > CHUNK_MIN) {
        n = left / (4u * j->connections);
    }
    return n / PART_BLOCK * PART_BLOCK;
}

/* The piece that is busy with block b of f, or NULL. */
static const struct piece *busy_with(const struct file *f, uint64_t b)
{
    const struct job *j = f->job;

    for (uint32_t i = 0; f->n_pieces && i < j->connections; i++) {
        const struct piece *p = &j->piece[i];
        if (p->file == f && b >= p->from / PART_BLOCK &&
            b < (p->to + PART_BLOCK - 1) / PART_BLOCK) {
            return p;
        }
    }
    return NULL;
}

/* The next run of blocks that nobody asks for. */
static bool next_extent(struct file *f, uint64_t *from, uint64_t *to)
{
    uint64_t most = chunk_size(f->job, f) / PART_BLOCK, b = f->scan, end;

    for (const struct piece *p; b < f->part.n_blocks;) {
        if (part_has(&f->part, b)) {
            b++;
        } else if ((p = busy_with(f, b)) != NULL) {
            b = (p->to + PART_BLOCK - 1) / PART_BLOCK;
        } else {
            break;
        }
    }
    f->scan = b;
    for (end = b;
         end < f->part.n_blocks && end - b < most && !part_has(&f->part, end) && !busy_with(f, end);
         end++) {
    }
    *from = b * PART_BLOCK;
    *to = end == f->part.n_blocks ? f->size : end * PART_BLOCK;
    return end > b;
}

/* Seconds until f may be asked for anything; the gate is its origin's. */
static double file_wait(const struct file *f, double now)
{
    struct origin o;
    double        wait = f->not_before > now ? f->not_before - now : 0, gate;

    if (url_origin(trip_url(&f->trip), &o, NULL) != DRH_OK) {
        return wait;
    }
    gate = limit_wait(limit_gate(net_limits(f->job->net), &o, GATE_FILES), now);
    return gate > wait ? gate : wait;
}

static bool begin_first(struct piece *p, struct file *f)
{
    uint64_t from = 0, to = f->size;

    if (!f->whole && !next_extent(f, &from, &to)) {
        return false;
    }
    piece_begin(p, f, from, to);
    return true;
}

/* A file that nobody works on yet; *wait gets the least time until one may be begun. */
static bool give_file(struct job *j, struct piece *p, double now, double *wait)
{
    for (struct file *f = j->open; f && j->n_active < j->max_files; f = f->next) {
        double w;
        if (f->state != FILE_READY || f->n_pieces > 0 || !piece_trip(f)) {
            continue;
        }
        w = file_wait(f, now);
        if (w > 0) {
            *wait = w < *wait ? w : *wait;
        } else if (begin_first(p, f)) {
            return true;
        }
    }
    return false;
}

/* One more connection for the file with the most blocks that nobody asks for. */
static bool give_extent(struct job *j, struct piece *p, double now, double *wait)
{
    struct file *best = NULL;
    uint64_t     from, to, most = 0;

    for (struct file *f = j->open; f; f = f->next) {
        double w;
        if (f->state != FILE_READY || f->whole || !f->resolved || f->n_pieces == 0 ||
            f->part.left <= most || !next_extent(f, &from, &to)) {
            continue;
        }
        w = file_wait(f, now);
        if (w > 0) {
            *wait = w < *wait ? w : *wait;
            continue;
        }
        best = f;
        most = f->part.left;
    }
    if (!best || !next_extent(best, &from, &to)) {
        return false;
    }
    piece_begin(p, best, from, to);
    return true;
}

/* Nothing is left to begin: the piece that will take longest gives half of its rest away. */
static bool give_half(struct job *j, struct piece *p, double now)
{
    struct piece *longest = NULL;
    uint64_t      mid = 0, to;

    for (uint32_t i = 0; i < j->connections; i++) {
        struct piece *q = &j->piece[i];
        uint64_t      at = q->file && q->file->resolved && !q->file->whole && q->mode == PIECE_DATA
                               ? piece_split_at(q, now)
                               : 0;
        if (at && (!longest || q->to - q->at > longest->to - longest->at)) {
            longest = q;
            mid = at;
        }
    }
    if (!longest || file_wait(longest->file, now) > 0) {
        return false;
    }
    to = longest->to;
    longest->to = mid;
    longest->halved = true;
    piece_begin(p, longest->file, mid, to);
    return true;
}

static void hand_out(struct job *j)
{
    const double now = net_now();
    double       wait = 1e9;
    uint32_t     busy = 0;

    for (uint32_t i = 0; i < j->connections; i++) {
        struct piece *p = &j->piece[i];
        if (!p->file && !give_file(j, p, now, &wait) && !give_extent(j, p, now, &wait) &&
            !give_half(j, p, now)) {
            break;
        }
    }
    for (uint32_t i = 0; i < j->connections; i++) {
        busy += j->piece[i].file != NULL;
    }
    __atomic_store_n(&j->active, busy, __ATOMIC_RELAXED);
    __atomic_store_n(&j->waiting_ms, busy == 0 && wait < 1e9 ? (uint64_t)(wait * 1000) + 1 : 0,
                     __ATOMIC_RELAXED);
    /* once a second at least: a piece may have become worth splitting */
    net_timer_set(j->net, &j->timer, now + (wait < 1 ? wait : 1));
}

/* No more files at once than there are descriptors for: each open one has two, the next ones are
 * open already, and half of all are left to others. */
static uint32_t least_files(uint32_t wanted)
{
    struct rlimit r;
    rlim_t        most;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == RLIM_INFINITY) {
        return wanted;
    }
    most = r.rlim_cur / 2 / (2 * AHEAD);
    most = most ? most : 1;
    return wanted < most ? wanted : (uint32_t)most;
}

static void open_files(struct job *j)
{
    while (!j->stopping && j->next < j->spec->n && j->n_open - j->n_ending < AHEAD * j->max_files &&
           j->n_ending < MAX_ENDING) {
        if (!file_open(j, j->next)) {
            /* one that ends gives its memory back; without any there is nothing to wait for */
            j->no_memory = j->n_open == 0;
            j->stopping = j->stopping || j->no_memory;
            break;
        }
        j->next++;
    }
}

static void end_if_done(struct job *j)
{
    if (j->n_open == 0 && (j->stopping || j->next == j->spec->n) && !j->finished_said) {
        j->finished_said = true;
        net_timer_clear(&j->timer);
        (void)pthread_mutex_lock(&j->lock);
        j->finished = true;
        (void)pthread_cond_signal(&j->moved);
        (void)pthread_mutex_unlock(&j->lock);
    }
}

static void do_tick(void *arg)
{
    struct job *j = arg;

    j->tick_set = false;
    if (j->finished_said) {
        return;
    }
    if (net_stopping(j->net)) {
        j->stopping = true;
    }
    open_files(j);
    if (!j->stopping) {
        hand_out(j);
    }
    end_if_done(j);
}

void job_tick(struct job *j)
{
    if (!j->tick_set && !j->finished_said) {
        j->tick_set = true;
        net_timer_set(j->net, &j->timer, 0);
    }
}

static void on_timer(void *arg)
{
    do_tick(arg);
}

static void do_stop(void *arg)
{
    struct job *j = arg;
    drh_error   e = DRH_ERROR_INIT;

    (void)drh_fail(&e, DRH_E_CANCELLED, "stopped; the same command goes on from here");
    j->stopping = true;
    for (struct file *f = j->open, *next; f; f = next) {
        next = f->next;
        file_fail(f, DRH_E_CANCELLED, &e);
    }
    job_tick(j);
}

void job_show(struct file *f, uint64_t n)
{
    __atomic_add_fetch(&f->job->bytes, n - f->shown, __ATOMIC_RELAXED); /* may wrap, and back */
    f->shown = n;
}

/* ---- a job (main thread) ---- */

static void tell(struct job *j)
{
    drh_fetch_progress p = {.struct_size = sizeof(p)};

    p.active = __atomic_load_n(&j->active, __ATOMIC_RELAXED);
    p.bytes = __atomic_load_n(&j->bytes, __ATOMIC_RELAXED);
    p.received = __atomic_load_n(&j->received, __ATOMIC_RELAXED);
    p.files = __atomic_load_n(&j->settled, __ATOMIC_RELAXED);
    p.failed = __atomic_load_n(&j->failed, __ATOMIC_RELAXED);
    p.learned = __atomic_load_n(&j->learned, __ATOMIC_RELAXED);
    p.learned_files = __atomic_load_n(&j->learned_files, __ATOMIC_RELAXED);
    p.waiting_ms = (uint32_t)__atomic_load_n(&j->waiting_ms, __ATOMIC_RELAXED);
    (void)pthread_mutex_lock(&j->calls);
    j->spec->progress(j->spec->ctx, &p);
    (void)pthread_mutex_unlock(&j->calls);
}

static void wait_for(struct job *j)
{
    bool asked = false, done = false;

    while (!done) {
        struct timespec t;
        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_nsec += 100 * 1000 * 1000;
        t.tv_sec += t.tv_nsec / (1000 * 1000 * 1000);
        t.tv_nsec %= 1000 * 1000 * 1000;
        (void)pthread_mutex_lock(&j->lock);
        if (!j->finished) {
            (void)pthread_cond_timedwait(&j->moved, &j->lock, &t);
        }
        done = j->finished;
        (void)pthread_mutex_unlock(&j->lock);
        if (!done && !asked && j->host->cancelled(j->host)) {
            asked = true;
            net_post(j->net, &j->stop);
        }
        if (j->spec->progress) {
            tell(j);
        }
    }
}

static drh_status open_folders(struct job *j, drh_error *e)
{
    const char *last;
    drh_status  st;

    j->root = open(j->spec->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->root < 0) {
        return place_error(e, errno, "open the folder", j->spec->root);
    }
    st = place_folder(j->root, j->spec->state, true, &j->state, &last, e);
    if (st == DRH_OK) {
        int fd = openat(j->state, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        (void)close(j->state);
        j->state = fd;
        if (fd < 0) {
            st = place_error(e, errno, "open the folder", j->spec->state);
        }
    }
    return st;
}

static void job_free(struct job *j)
{
    for (uint32_t i = 0; i < MAX_CONNECTIONS; i++) {
        drh_text_free(&j->piece[i].gather);
    }
    if (j->root >= 0) {
        (void)close(j->root);
    }
    if (j->state >= 0) {
        (void)close(j->state);
    }
    (void)pthread_cond_destroy(&j->moved);
    (void)pthread_mutex_destroy(&j->lock);
    (void)pthread_mutex_destroy(&j->calls);
    (void)j->host->alloc(j->host, j, 0);
}

/* Exchanges belong to the network thread: it closes their connections, then says so. */
static void drop_exchanges(void *arg)
{
    struct job *j = arg;

    for (uint32_t i = 0; i < MAX_CONNECTIONS; i++) {
        exchange_free(&j->piece[i].x);
    }
    (void)pthread_mutex_lock(&j->lock);
    j->finished = true;
    (void)pthread_cond_signal(&j->moved);
    (void)pthread_mutex_unlock(&j->lock);
}

static void wait_for_drop(struct job *j)
{
    struct net_work w = {.fn = drop_exchanges, .arg = j};

    (void)pthread_mutex_lock(&j->lock);
    j->finished = false;
    net_post(j->net, &w);
    while (!j->finished) {
        (void)pthread_cond_wait(&j->moved, &j->lock);
    }
    (void)pthread_mutex_unlock(&j->lock);
}

static struct job *job_new(struct fetch *f, const drh_fetch_job *spec)
{
    struct job        *j = f->host->alloc(f->host, NULL, sizeof(*j));
    pthread_condattr_t attr;

    if (!j) {
        return NULL;
    }
    memset(j, 0, sizeof(*j));
    j->fetch = f;
    j->net = f->net;
    j->host = f->host;
    j->spec = spec;
    j->root = j->state = -1;
    j->connections = f->o.connections < MAX_CONNECTIONS ? f->o.connections : MAX_CONNECTIONS;
    j->max_files = least_files(spec->max_files ? spec->max_files : f->o.max_files);
    j->patience = spec->patience ? spec->patience : f->o.patience;
    j->timer = (struct net_timer){.fn = on_timer, .arg = j};
    j->begin = (struct net_work){.fn = do_tick, .arg = j};
    j->stop = (struct net_work){.fn = do_stop, .arg = j};
    for (uint32_t i = 0; i < MAX_CONNECTIONS; i++) {
        j->piece[i].job = j;
        j->piece[i].gather.host = j->host;
    }
    (void)pthread_mutex_init(&j->calls, NULL);
    (void)pthread_mutex_init(&j->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&j->moved, &attr);
    (void)pthread_condattr_destroy(&attr);
    return j;
}

drh_status fetch_run(struct fetch *f, const drh_fetch_job *spec, drh_error *e)
{
    struct job *j = job_new(f, spec);
    drh_error   rest = DRH_ERROR_INIT;
    drh_status  st;

    if (!j) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a download");
    }
    st = open_folders(j, e);
    if (st == DRH_OK) {
        net_post(j->net, &j->begin);
        wait_for(j);
        wait_for_drop(j);
        if (j->settled > j->failed) {
            file_notes(j, UINT64_MAX);
        }
        if (j->no_memory) {
            st = drh_fail(e, DRH_E_NOMEM, "out of memory for a file");
        } else if (j->next < spec->n) {
            st = drh_fail(e, DRH_E_CANCELLED, "stopped; the same command goes on from here");
        }
    }
    if (st != DRH_OK) {
        rest = *e;
    }
    for (; j->next < spec->n; j->next++) {
        spec->settled(spec->ctx, j->next, 0, st, &rest);
    }
    /* with the files themselves their names, too, are on disk */
    if (st == DRH_OK && j->brought && syncfs(j->root) != 0) {
        st = place_error(e, errno, "write to the disk of", spec->root);
    }
    job_free(j);
    return st;
}

drh_status fetch_new(struct fetch **out, struct net *n, const struct fetch_options *o, drh_error *e)
{
    const drh_host *h = net_host(n);
    struct fetch   *f = h->alloc(h, NULL, sizeof(*f));
    drh_status      st;

    *out = NULL;
    if (!f) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a service");
    }
    *f = (struct fetch){.net = n, .host = h, .o = *o};
    st = pool_new(&f->pool, h, o->threads, e);
    if (st != DRH_OK) {
        fetch_free(f);
        return st;
    }
    *out = f;
    return DRH_OK;
}

void fetch_free(struct fetch *f)
{
    if (f) {
        pool_free(f->pool);
        (void)f->host->alloc(f->host, f, 0);
    }
}
