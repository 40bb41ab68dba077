/* SPDX-License-Identifier: MIT
 * fetch_piece.c - one range of a file by one exchange: is the answer the bytes that were asked for,
 * and where do they go. */
#include "fetch_impl.h"
#include "head.h"

enum {
    LEAST_RATE = 1000,     /* bytes a second; less counts as stalled */
    TELL_HASHER = 2 << 20, /* bytes in a row before the pool is told */
    SPLIT_WORTH_S = 1      /* a rest that takes less is left alone */
};

/* ---- where a file is asked for ---- */

bool piece_trip(struct file *f)
{
    struct job  *j = f->job;
    drh_http_req req = {.struct_size = sizeof(req)};
    drh_error    e = DRH_ERROR_INIT;
    drh_status   st;

    if (f->has_trip) {
        return true;
    }
    (void)pthread_mutex_lock(&j->calls);
    st = j->spec->request(j->spec->ctx, f->index, &req, &e);
    st = st == DRH_OK ? trip_new(&f->trip, j->host, &req, &e) : st;
    (void)pthread_mutex_unlock(&j->calls);
    f->has_trip = st == DRH_OK;
    if (st != DRH_OK) {
        file_fail(f, st, &e);
    }
    return f->has_trip;
}

drh_status piece_says(const struct piece *p, drh_error *e, const char *what)
{
    char plain[200];

    return drh_fail(e, DRH_E_NETWORK, "%s: %s", url_plain(p->x.url, plain, sizeof(plain)), what);
}

bool piece_text_is(drh_str v, const char *lower)
{
    return v.ptr && v.len >= strlen(lower) && strncasecmp(v.ptr, lower, strlen(lower)) == 0;
}

/* ---- the head ---- */

/* A file whose size the listing does not know learns it here.  True: the part is open. */
static bool learn_size(struct piece *p, bool has_length, uint64_t length)
{
    struct file *f = p->file;
    struct job  *j = p->job;

    if (part_open(&f->part, j->host, j->state, &f->about, has_length ? length : 0, &p->error) !=
        DRH_OK) {
        p->no_disk = true;
        return false;
    }
    if (has_length) {
        f->size = length;
        __atomic_add_fetch(&j->learned, length, __ATOMIC_RELAXED);
        __atomic_add_fetch(&j->learned_files, 1, __ATOMIC_RELAXED);
        f->whole = length < SMALL_FILE ||
                   !piece_text_is(drh_hub_header(&p->x.answer, "accept-ranges"), "bytes");
        p->to = f->whole ? length : SMALL_FILE; /* the rest is for others, too */
        p->halved = !f->whole;
        p->left = f->part.left;
        job_show(f, 0);
    }
    __atomic_store_n(&f->rewind, true, __ATOMIC_RELEASE);
    return true;
}

/* The whole file from its first byte. */
static bool whole_begins(struct piece *p, bool has_length, uint64_t length)
{
    struct file *f = p->file;

    if (f->size == SIZE_UNKNOWN) {
        return f->part.host || learn_size(p, has_length, length);
    }
    if (has_length && length != f->size && !f->encoded) {
        p->mode = PIECE_GATHERS; /* an error in the shape of a page, or a wrong length */
        return true;
    }
    if (p->x.range[0]) { /* the server does not know ranges: one connection has to bring it all */
        f->whole = f->no_ranges = true;
        if (p->from != 0 || f->n_pieces > 1) {
            (void)piece_says(p, &p->error, "it ignores ranges and sends the whole file");
            return false;
        }
        p->to = f->size;
    }
    return true;
}

/* Exactly the range that was asked for, of a file of the size that is listed. */
static bool range_fits(struct piece *p, drh_str value)
{
    struct content_range r;
    char                 what[160];
    uint64_t             to = p->asked_to - 1;

    if (!head_content_range(value, &r) || !r.has_range) {
        (void)piece_says(p, &p->error, "its Content-Range cannot be read");
    } else if (r.from != p->from || r.to != to) {
        (void)snprintf(what, sizeof(what), "asked for bytes %llu-%llu it sends %llu-%llu",
                       (unsigned long long)p->from, (unsigned long long)to,
                       (unsigned long long)r.from, (unsigned long long)r.to);
        (void)piece_says(p, &p->error, what);
    } else if (r.has_total && r.total != p->file->size) {
        (void)snprintf(what, sizeof(what),
                       "it has a file of %llu bytes, and the listing says %llu: it has changed",
                       (unsigned long long)r.total, (unsigned long long)p->file->size);
        (void)piece_says(p, &p->error, what);
    } else {
        return true;
    }
    return false;
}

/* A 2xx answer: is it what was asked for?  False: p->error says why not. */
static bool data_begins(struct piece *p)
{
    struct file           *f = p->file;
    const drh_http_answer *a = &p->x.answer;
    drh_str                range = drh_hub_header(a, "content-range");
    drh_str                coding = drh_hub_header(a, "content-encoding");
    drh_str                length = drh_hub_header(a, "content-length");
    uint64_t               n = 0;
    bool                   has_length = length.ptr && head_u64(length, &n) && !f->any_length;

    p->mode = PIECE_DATA;
    if (coding.len && !piece_text_is(coding, "identity") && !f->encoded) {
        f->encoded = f->whole = true; /* next time libcurl undoes it, and the digest judges */
        (void)piece_says(p, &p->error, "it compresses though it was asked not to");
        return false;
    }
    if (piece_text_is(drh_hub_header(a, "content-type"), "multipart/byteranges")) {
        (void)piece_says(p, &p->error, "it answers with several ranges at once");
        return false;
    }
    if (a->status == 206 && (!range.ptr || !p->x.range[0])) {
        (void)piece_says(p, &p->error, "it sends a part without saying which");
        return false;
    }
    /* 200 with the right Content-Range is a part, too: ModelScope's gateway answers so */
    return range.ptr && p->x.range[0] ? range_fits(p, range) : whole_begins(p, has_length, n);
}

static bool on_head(struct exchange *x)
{
    struct piece *p = x->owner;
    uint32_t      status = x->answer.status;
    double        wait = net_now() - p->started;

    if (trip_is_redirect(status)) {
        p->mode = PIECE_REDIRECT;
        return true;
    }
    p->job->ttfb = p->job->ttfb > 0 ? 0.8 * p->job->ttfb + 0.2 * wait : wait;
    if (status != 200 && status != 206) {
        p->mode = PIECE_GATHERS;
        return true;
    }
    if (!data_begins(p)) {
        return false;
    }
    if (p->mode == PIECE_DATA && !p->file->resolved) {
        p->file->resolved = true; /* others may join */
        job_tick(p->job);
    }
    return true;
}

/* ---- the body ---- */

static bool gather(struct piece *p, const char *bytes, size_t n)
{
    size_t room = GATHER_MAX - p->gather.len;

    drh_text_add(&p->gather, bytes, n < room ? n : room);
    return n <= room;
}

void piece_mark(struct piece *p)
{
    struct file *f = p->file;
    uint64_t     before;

    if (f->size == SIZE_UNKNOWN || p->at == p->marked) {
        return;
    }
    before = part_whole(&f->part);
    (void)part_mark(&f->part, p->from, p->at);
    p->marked = p->at;
    if (part_whole(&f->part) / TELL_HASHER != before / TELL_HASHER) {
        file_more_here(f);
    }
}

/* Bytes for the part at p->at, unless their block is there already.  n does not cross a block. */
static bool store(struct piece *p, const char *bytes, size_t n)
{
    struct file *f = p->file;

    if (f->size != SIZE_UNKNOWN && part_has(&f->part, p->at / PART_BLOCK)) {
        return true;
    }
    if (part_write(&f->part, p->at, bytes, n, &p->error) != DRH_OK) {
        p->no_disk = true;
        return false;
    }
    job_show(f, f->shown + n);
    return true;
}

static bool on_body(struct exchange *x, const char *bytes, size_t n)
{
    struct piece *p = x->owner;
    size_t        more = n;

    if (p->mode == PIECE_GATHERS) {
        return gather(p, bytes, n);
    }
    if (p->mode != PIECE_DATA) {
        return true;
    }
    __atomic_add_fetch(&p->job->received, n, __ATOMIC_RELAXED);
    if (n > p->to - p->at) {
        more = (size_t)(p->to - p->at);
        p->cut = true;
    }
    while (more) {
        size_t in_block = PART_BLOCK - p->at % PART_BLOCK;
        size_t k = more < in_block ? more : in_block;
        if (!store(p, bytes, k)) {
            return false;
        }
        bytes += k;
        more -= k;
        p->at += k;
        if (p->at % PART_BLOCK == 0) {
            piece_mark(p);
        }
    }
    if (p->file->any_length && p->at == p->to) { /* nobody knows where the server would end */
        p->halved = p->cut = true;
    }
    return !p->cut;
}

/* ---- begin and end ---- */

void piece_release(struct piece *p)
{
    struct file *f = p->file;

    if (!f) {
        return;
    }
    f->n_pieces--;
    p->job->n_active -= f->n_pieces == 0;
    f->scan = p->from / PART_BLOCK < f->scan ? p->from / PART_BLOCK : f->scan;
    p->file = NULL;
    p->mode = PIECE_IDLE;
}

void piece_stop(struct piece *p)
{
    exchange_stop(&p->x);
    piece_release(p);
}

void piece_start(struct piece *p)
{
    struct file     *f = p->file;
    struct exchange *x = &p->x;
    drh_error        e = DRH_ERROR_INIT;

    p->mode = PIECE_WAITS;
    p->at = p->marked = p->from;
    p->asked_to = p->to;
    p->left = f->part.left;
    p->halved = p->cut = p->no_disk = false;
    p->error = e;
    p->started = net_now();
    drh_text_clear(&p->gather);
    x->owner = p;
    x->url = trip_url(&f->trip);
    x->headers = trip_headers(&f->trip);
    x->range[0] = '\0';
    if (!f->whole) {
        (void)snprintf(x->range, sizeof(x->range), "%llu-%llu", (unsigned long long)p->from,
                       (unsigned long long)(p->to - 1));
    }
    x->compressed = f->encoded;
    x->any_length = f->any_length;
    x->fresh = f->fresh;
    x->http1 = true;
    x->least_rate = LEAST_RATE;
    x->on_head = on_head;
    x->on_body = on_body;
    x->on_done = piece_done;
    if (exchange_start(p->job->net, x, &e) != DRH_OK) {
        piece_release(p);
        file_fail(f, e.code, &e);
        job_tick(f->job);
    }
}

void piece_begin(struct piece *p, struct file *f, uint64_t from, uint64_t to)
{
    p->file = f;
    p->from = from;
    p->to = to;
    p->generation = f->generation;
    p->job->n_active += f->n_pieces == 0;
    f->n_pieces++;
    piece_start(p);
}

uint64_t piece_split_at(const struct piece *p, double now)
{
    double   s = now - p->started;
    double   rate = s > 0 ? (double)(p->at - p->from) / s : 0;
    uint64_t left = p->to - p->at, mid;

    if (left < 2 * PART_BLOCK || s < SPLIT_WORTH_S || (double)left < rate * SPLIT_WORTH_S) {
        return 0;
    }
    mid = p->at + left / 2;
    mid = (mid + PART_BLOCK - 1) / PART_BLOCK * PART_BLOCK;
    return mid < p->to ? mid : 0;
}
