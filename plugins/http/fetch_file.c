/* SPDX-License-Identifier: MIT
 * fetch_file.c - a file's life: looked for below the root, its part opened, hashed as it grows,
 * given its name.  What may wait for the disk runs on the pool. */
#include "fetch_impl.h"
#include "place.h"

#include <errno.h>
#include <unistd.h>

enum { READ_SIZE = 256 << 10, BEGINNING = 80 };
static const uint64_t SLICE = 64u << 20;       /* hashed before another file's turn comes */
static const uint64_t SYNC_EVERY = 256u << 20; /* bytes that a crash of the machine may cost */

/* ---- digests ---- */

static bool md_start(struct file *f, uint64_t size)
{
    f->hashed = 0;
    return digest_start(&f->digest, f->about.hash, size);
}

static bool md_fits(struct file *f)
{
    return digest_end(&f->digest, f->found) &&
           memcmp(f->found, f->about.digest, digest_size(f->about.hash)) == 0;
}

/* An answer of another length than the listed one is as a rule the words of an error.  False: it is
 * not of that kind. */
static bool other_length(const struct file *f, drh_error *e)
{
    char    text[BEGINNING] = "";
    ssize_t n = f->any_length && f->part.host ? pread(f->part.fd, text, sizeof(text), 0) : 0;

    for (ssize_t i = 0; i < n; i++) {
        text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    }
    (void)drh_fail(e, DRH_E_DATA,
                   "what came twice is not what the hub lists: it is not of the listed length, and "
                   "begins %.*s",
                   (int)(n > 0 ? n : 0), text);
    return n > 0;
}

static void both_digests(const struct file *f, drh_error *e)
{
    size_t n = digest_size(f->about.hash);
    char   want[DIGEST_HEX], got[DIGEST_HEX];

    if (other_length(f, e)) {
        return;
    }
    digest_hex(f->about.digest, n, want);
    digest_hex(f->found, n, got);
    (void)drh_fail(
        e, DRH_E_DATA,
        "what came twice is not what the hub lists: its %s is %s, and the listing says %s; "
        "the mirror or the network changes data: try another endpoint",
        n == 20 ? "git id" : "SHA-256", got, want);
}

/* Bytes from..to of fd into the digest; stops early when the file is being closed. */
static drh_status md_read(struct file *f, int fd, uint64_t to, uint8_t *buf, drh_error *e)
{
    while (f->hashed < to && !__atomic_load_n(&f->closing, __ATOMIC_ACQUIRE)) {
        size_t  want = to - f->hashed < READ_SIZE ? (size_t)(to - f->hashed) : (size_t)READ_SIZE;
        ssize_t n = pread(fd, buf, want, (off_t)f->hashed);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? place_error(e, errno, "read", f->name)
                         : drh_fail(e, DRH_E_IO, "%s became shorter while it was read", f->name);
        }
        if (!digest_add(&f->digest, buf, (size_t)n)) {
            return drh_fail(e, DRH_E_NOMEM, "out of memory for a digest");
        }
        f->hashed += (uint64_t)n;
    }
    return DRH_OK;
}

/* ---- the end (pool) ---- */

static void settle(struct file *f, bool brought, drh_status st, const drh_error *e)
{
    struct job *j = f->job;

    (void)pthread_mutex_lock(&j->calls);
    j->spec->settled(j->spec->ctx, f->index, brought, st, e);
    (void)pthread_mutex_unlock(&j->calls);
    __atomic_add_fetch(&j->settled, 1, __ATOMIC_RELAXED);
    if (st != DRH_OK) {
        __atomic_add_fetch(&j->failed, 1, __ATOMIC_RELAXED);
    }
}

/* What the hub's own tools look for beside the file; without it they only work more. */
void file_notes(struct job *j, uint64_t index)
{
    drh_error  e = DRH_ERROR_INIT;
    drh_status st = j->spec->note ? DRH_OK : DRH_END;

    for (uint32_t k = 0; st == DRH_OK; k++) {
        drh_str  path = {NULL, 0}, text = {NULL, 0};
        drh_text copy = {.host = j->host};
        size_t   at;

        (void)pthread_mutex_lock(&j->calls);
        st = j->spec->note(j->spec->ctx, index, k, &path, &text);
        if (st == DRH_OK) { /* texts are the source's until its next call */
            drh_text_add(&copy, path.ptr, path.len);
            drh_text_add(&copy, "", 1);
            at = copy.len;
            drh_text_addv(&copy, text);
        }
        (void)pthread_mutex_unlock(&j->calls);
        if (st == DRH_OK && !copy.failed &&
            place_put(j->root, copy.ptr, (drh_str){copy.ptr + at, copy.len - at}, &e) != DRH_OK) {
            drh_logf(j->host, DRH_LOG_WARN, "%s", e.message);
        }
        drh_text_free(&copy);
    }
}

/* After this the file belongs to the network thread, which frees it. */
static bool end(struct file *f, bool brought, drh_status st, const drh_error *e)
{
    drh_error none = DRH_ERROR_INIT;

    if (st != DRH_OK && f->part.host) {
        drh_error ignored = DRH_ERROR_INIT;
        (void)part_sync(&f->part, &ignored);
        part_close(&f->part);
    }
    if (st == DRH_OK) {
        file_notes(f->job, f->index);
    }
    f->end_status = st;
    settle(f, brought, st, e ? e : &none);
    net_post(f->job->net, &f->gone);
    return true;
}

static bool commit(struct file *f)
{
    struct job *j = f->job;
    drh_error   e = DRH_ERROR_INIT;
    char        part[PART_KEY + 16];
    drh_status  st = DRH_OK;

    (void)snprintf(part, sizeof(part), "%s.part", f->part.key);
    if (fdatasync(f->part.fd) != 0) {
        st = place_error(&e, errno, "write to the disk of", f->name);
    }
    st = st == DRH_OK ? place_commit(j->root, f->name, j->state, part, &e) : st;
    if (st == DRH_OK) {
        part_done(&f->part);
        __atomic_store_n(&j->brought, true, __ATOMIC_RELAXED);
    }
    return end(f, true, st, &e);
}

/* ---- before the first request (pool) ---- */

/* Is the file below the root, whole? */
static drh_status look(struct file *f, uint8_t *buf, bool *there, drh_error *e)
{
    off_t      size;
    int        fd;
    drh_status st = place_open(f->job->root, f->name, &fd, e);

    *there = false;
    if (st != DRH_OK || fd < 0) {
        return st;
    }
    size = lseek(fd, 0, SEEK_END);
    if (!(f->job->spec->flags & DRH_FETCH_ANEW) && size >= 0 &&
        (f->size == SIZE_UNKNOWN ? f->about.hash != DRH_HASH_NONE : (uint64_t)size == f->size)) {
        st = md_start(f, (uint64_t)size) ? DRH_OK
                                         : drh_fail(e, DRH_E_NOMEM, "out of memory for a digest");
        st = st == DRH_OK ? md_read(f, fd, (uint64_t)size, buf, e) : st;
        *there = st == DRH_OK && f->hashed == (uint64_t)size && md_fits(f);
    }
    (void)close(fd);
    return st;
}

static bool prepare(struct file *f, uint8_t *buf)
{
    struct job *j = f->job;
    drh_error   e = DRH_ERROR_INIT;
    bool        there;
    drh_status  st = look(f, buf, &there, &e);

    f->prepared = true;
    if (st == DRH_OK && there) {
        return end(f, false, DRH_OK, NULL);
    }
    if (st == DRH_OK && f->size != SIZE_UNKNOWN) {
        st = part_open(&f->part, j->host, j->state, &f->about, f->size, &e);
        if (st == DRH_OK && !md_start(f, f->size)) {
            st = drh_fail(&e, DRH_E_NOMEM, "out of memory for a digest");
        }
    }
    if (st != DRH_OK) {
        return end(f, true, st, &e);
    }
    if (f->size == 0) { /* nothing to ask for */
        if (f->about.hash != DRH_HASH_NONE && !md_fits(f)) {
            both_digests(f, &e);
            return end(f, true, DRH_E_DATA, &e);
        }
        return commit(f);
    }
    net_post(j->net, &f->ready);
    return false;
}

/* ---- while it grows (pool) ---- */

static bool hash(struct file *f, uint8_t *buf)
{
    struct job *j = f->job;
    drh_error   e = DRH_ERROR_INIT;
    uint64_t    to;
    drh_status  st = DRH_OK;

    if (__atomic_exchange_n(&f->rewind, false, __ATOMIC_ACQ_REL)) {
        f->reported = false;
        f->synced = 0;
        st = md_start(f, f->part.size) ? DRH_OK
                                       : drh_fail(&e, DRH_E_NOMEM, "out of memory for a digest");
    }
    if (f->reported) { /* a kick from before */
        return false;
    }
    to = part_whole(&f->part);
    to = to - f->hashed > SLICE ? f->hashed + SLICE : to;
    st = st == DRH_OK ? md_read(f, f->part.fd, to, buf, &e) : st;
    if (st == DRH_OK && f->hashed - f->synced >= SYNC_EVERY && f->hashed < f->part.size) {
        st = part_sync(&f->part, &e);
        f->synced = f->hashed;
    }
    if (st != DRH_OK) { /* pieces may be at work: their thread has to stop them first */
        f->trouble_status = st;
        f->trouble_error = e;
        f->reported = true;
        net_post(j->net, &f->trouble);
        return false;
    }
    if (f->hashed == f->part.size && __atomic_load_n(&f->all_here, __ATOMIC_ACQUIRE)) {
        if (md_fits(f)) {
            return commit(f);
        }
        f->reported = true;
        net_post(j->net, &f->mismatch);
    } else if (f->hashed < part_whole(&f->part)) {
        pool_kick(j->fetch->pool, &f->task);
    }
    return false;
}

static bool work(void *arg)
{
    struct file *f = arg;
    uint8_t      buf[READ_SIZE];

    if (__atomic_load_n(&f->closing, __ATOMIC_ACQUIRE)) {
        return end(f, true, f->end_status, &f->end_error);
    }
    return f->prepared ? hash(f, buf) : prepare(f, buf);
}

/* ---- the network thread's side ---- */

static void stop_pieces(struct file *f)
{
    struct job *j = f->job;

    for (uint32_t i = 0; f->n_pieces && i < MAX_CONNECTIONS; i++) {
        if (j->piece[i].file == f) {
            piece_stop(&j->piece[i]);
        }
    }
}

static void leave_download(struct file *f)
{
    if (f->state != FILE_ENDING) {
        f->state = FILE_ENDING;
        f->job->n_ending++;
    }
}

void file_fail(struct file *f, drh_status st, const drh_error *e)
{
    if (__atomic_load_n(&f->closing, __ATOMIC_ACQUIRE)) {
        return;
    }
    stop_pieces(f);
    leave_download(f);
    f->end_status = st;
    f->end_error = *e;
    __atomic_store_n(&f->closing, true, __ATOMIC_RELEASE);
    pool_kick(f->job->fetch->pool, &f->task);
}

void file_more_here(struct file *f)
{
    pool_kick(f->job->fetch->pool, &f->task);
}

void file_all_here(struct file *f)
{
    __atomic_store_n(&f->all_here, true, __ATOMIC_RELEASE);
    leave_download(f);
    pool_kick(f->job->fetch->pool, &f->task);
}

static void on_ready(void *arg)
{
    struct file *f = arg;

    if (f->state != FILE_PREPARING) {
        return; /* it is being given up */
    }
    f->state = FILE_READY;
    if (f->size != SIZE_UNKNOWN) {
        job_show(f, (f->part.n_blocks - f->part.left) * (uint64_t)PART_BLOCK > f->size
                        ? f->size
                        : (f->part.n_blocks - f->part.left) * (uint64_t)PART_BLOCK);
        if (f->part.left == 0) {
            file_all_here(f);
        } else if (part_whole(&f->part) > 0) {
            file_more_here(f);
        }
    }
    job_tick(f->job);
}

/* The digest is wrong: once again from the first byte, over a new connection. */
static void on_mismatch(void *arg)
{
    struct file *f = arg;
    drh_error    e = DRH_ERROR_INIT;
    drh_status   st = DRH_E_DATA;

    if (__atomic_load_n(&f->closing, __ATOMIC_ACQUIRE)) {
        return;
    }
    if (f->restarted) {
        both_digests(f, &e);
        part_remove(&f->part);
        file_fail(f, st, &e);
        job_tick(f->job);
        return;
    }
    drh_logf(f->job->host, DRH_LOG_INFO, "%s: its digest is wrong; it is brought once more",
             f->name);
    st = part_reset(&f->part, &e);
    if (st != DRH_OK) {
        file_fail(f, st, &e);
        job_tick(f->job);
        return;
    }
    __atomic_store_n(&f->all_here, false, __ATOMIC_RELEASE);
    f->restarted = f->fresh = true;
    f->scan = 0;
    f->resolved = false;
    f->generation++;
    trip_back(&f->trip);
    __atomic_store_n(&f->rewind, true, __ATOMIC_RELEASE);
    job_show(f, 0);
    if (f->state == FILE_ENDING) {
        f->state = FILE_READY;
        f->job->n_ending--;
    }
    job_tick(f->job);
}

static void on_trouble(void *arg)
{
    struct file *f = arg;

    file_fail(f, f->trouble_status, &f->trouble_error);
    job_tick(f->job);
}

static void on_gone(void *arg)
{
    struct file *f = arg;
    struct job  *j = f->job;

    stop_pieces(f);
    if (f->end_status == DRH_OK && f->size != SIZE_UNKNOWN) {
        job_show(f, f->size);
    }
    j->n_ending -= f->state == FILE_ENDING;
    j->n_open--;
    *f->prev = f->next;
    if (f->next) {
        f->next->prev = f->prev;
    }
    file_free(f);
    job_tick(j);
}

/* ---- making one ---- */

void file_free(struct file *f)
{
    const drh_host *h = f->job->host;

    part_close(&f->part);
    trip_free(&f->trip);
    digest_free(&f->digest);
    (void)h->alloc(h, f->name, 0);
    (void)h->alloc(h, f, 0);
}

/* At the end of the list: files are begun in the job's order. */
static void append(struct job *j, struct file *f)
{
    struct file **at = &j->open;

    while (*at) {
        at = &(*at)->next;
    }
    *at = f;
    f->prev = at;
    j->n_open++;
}

struct file *file_open(struct job *j, uint64_t index)
{
    const drh_host *h = j->host;
    struct file    *f = h->alloc(h, NULL, sizeof(*f));

    if (!f) {
        return NULL;
    }
    memset(f, 0, sizeof(*f));
    f->job = j;
    f->index = index;
    f->part.fd = f->part.journal = -1;
    f->about.struct_size = sizeof(f->about);
    (void)pthread_mutex_lock(&j->calls);
    j->spec->file(j->spec->ctx, index, &f->about);
    f->name = h->alloc(h, NULL, f->about.name.len + 1);
    if (f->name) {
        memcpy(f->name, f->about.name.ptr, f->about.name.len);
        f->name[f->about.name.len] = '\0';
    }
    (void)pthread_mutex_unlock(&j->calls);
    if (!f->name) {
        (void)h->alloc(h, f, 0);
        return NULL;
    }
    f->about.name.ptr = f->name;
    f->size = f->about.size;
    f->whole = f->size < SMALL_FILE || f->size == SIZE_UNKNOWN;
    f->task = (struct task){.fn = work, .arg = f};
    f->ready = (struct net_work){.fn = on_ready, .arg = f};
    f->mismatch = (struct net_work){.fn = on_mismatch, .arg = f};
    f->trouble = (struct net_work){.fn = on_trouble, .arg = f};
    f->gone = (struct net_work){.fn = on_gone, .arg = f};
    append(j, f);
    pool_kick(j->fetch->pool, &f->task);
    return f;
}
