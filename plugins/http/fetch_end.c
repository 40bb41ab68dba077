/* SPDX-License-Identifier: MIT
 * fetch_end.c - what the end of a piece means for its file: go on, once more after a pause, at
 * another address, or not at all. */
#include "fetch_impl.h"

enum {
    MOST_RESOLVES = 4, /* of a signed address in a row without a byte */
    MOST_LIMITED = 20  /* answers of 429 in a row from one origin */
};

/* ---- failures ---- */

/* The address that a redirect gave does not work any more: back to the hub. */
static void forget_address(struct file *f)
{
    f->generation++;
    f->resolved = false;
    trip_back(&f->trip);
}

/* An origin that has answered nobody for long is not asked eight times for each file. */
static uint32_t patience(const struct file *f)
{
    const struct job *j = f->job;
    struct origin     o;

    if (f->has_trip && url_origin(trip_url(&f->trip), &o, NULL) == DRH_OK &&
        limit_gate(net_limits(j->net), &o, GATE_FILES)->failures > 3 * j->patience) {
        return 1;
    }
    return j->patience;
}

static void fail_now(struct file *f, drh_status st, const drh_error *e)
{
    struct job *j = f->job;

    file_fail(f, st, e);
    job_tick(j);
}

/* Not this time.  Tried again after a pause, unless it has failed too often. */
static void fail_again(struct file *f, drh_status st, const drh_error *e)
{
    struct job *j = f->job;
    double      pause;

    f->failures++;
    if (f->failures >= patience(f)) {
        fail_now(f, st, e);
        return;
    }
    pause = limit_pause(net_limits(j->net), f->failures - 1);
    if (e->retry_after_ms / 1000.0 > pause) {
        pause = e->retry_after_ms / 1000.0;
    }
    f->not_before = net_now() + pause;
    if (f->failures > 1) { /* one bad server of many keeps its connections bad */
        f->fresh = true;
        if (f->has_trip) {
            forget_address(f);
        }
    }
    drh_logf(j->host, st == DRH_E_TIMEOUT ? DRH_LOG_INFO : DRH_LOG_DEBUG,
             "%s: %s; again in %.1f s (%u of %u)", f->name, e->message, pause, f->failures,
             j->patience);
    job_tick(j);
}

/* ---- the bytes that were asked for ---- */

/* Counts speed, and goodwill for whatever has come to stay. */
static void praise(struct piece *p)
{
    struct file *f = p->file;
    double       s = net_now() - p->started;
    double       rate = s > 0 ? (double)(p->at - p->from) / s : 0;

    if (f->part.left < p->left || p->at == p->to) {
        f->failures = 0;
        f->resolves = 0;
        f->fresh = false;
        p->job->rate = p->job->rate > 0 ? 0.8 * p->job->rate + 0.2 * rate : rate;
    }
}

/* What came of a block that is not whole does not count. */
static void show_truth(struct file *f)
{
    uint64_t n = f->part.host && f->size != SIZE_UNKNOWN
                     ? (f->part.n_blocks - f->part.left) * (uint64_t)PART_BLOCK
                     : 0;

    if (f->n_pieces == 0) {
        job_show(f, n < f->size ? n : f->size);
    }
}

static void end_short(struct piece *p)
{
    struct file *f = p->file;
    drh_error    e = DRH_ERROR_INIT;
    char         what[160];
    drh_status   st;

    if (p->x.code != CURLE_OK && p->x.code != CURLE_WRITE_ERROR && !f->any_length) {
        st = exchange_failure(&p->x, &e);
    } else {
        (void)snprintf(what, sizeof(what), "it sends %llu bytes, and should send %llu",
                       (unsigned long long)(p->at - p->from),
                       (unsigned long long)(p->to - p->from));
        st = piece_says(p, &e, what);
    }
    piece_release(p);
    show_truth(f);
    if (f->whole && !f->no_ranges && !f->encoded && !f->any_length &&
        f->part.left < f->part.n_blocks) {
        f->whole = false; /* small as it is: what came of it need not come again */
    }
    fail_again(f, st, &e);
}

/* A file of unknown size: it ends where the answer ends, when that is an orderly end. */
static void end_unknown(struct piece *p)
{
    struct file *f = p->file;
    drh_error    e = DRH_ERROR_INIT;
    uint64_t     size = p->at;
    drh_status   st;

    if (p->x.code != CURLE_OK) {
        st = exchange_failure(&p->x, &e);
        part_remove(&f->part);
        piece_release(p);
        fail_again(f, st, &e);
        return;
    }
    piece_release(p);
    st = part_end(&f->part, size, &e);
    if (st != DRH_OK) {
        fail_now(f, st, &e);
        return;
    }
    f->size = size;
    file_all_here(f);
    job_tick(f->job);
}

static void end_data(struct piece *p)
{
    struct file *f = p->file;
    drh_error    e = p->error;

    if (p->no_disk) {
        piece_release(p);
        fail_now(f, DRH_E_IO, &e);
    } else if (e.message[0]) { /* stopped at its head */
        piece_release(p);
        fail_again(f, e.code, &e);
    } else if (f->size == SIZE_UNKNOWN) {
        end_unknown(p);
    } else {
        piece_mark(p);
        praise(p);
        if (p->at < p->to) {
            end_short(p);
            return;
        }
        if (p->cut && f->whole && !p->halved) {
            (void)piece_says(p, &e, "it sends more bytes than the file is listed with");
            piece_release(p);
            fail_again(f, DRH_E_NETWORK, &e);
            return;
        }
        piece_release(p);
        if (f->part.left == 0 && f->n_pieces == 0) {
            file_all_here(f);
        }
        job_tick(f->job);
    }
}

/* ---- a redirect ---- */

static void end_redirect(struct piece *p)
{
    struct file *f = p->file;
    drh_error    e = DRH_ERROR_INIT;
    char         plain[160], why[240];
    drh_status   st = trip_follow(&f->trip, drh_hub_header(&p->x.answer, "location"), &e);

    if (st == DRH_OK) {
        p->generation = ++f->generation;
        piece_start(p);
        return;
    }
    st = st == DRH_E_NETWORK ? DRH_E_DATA : st; /* refused, and it would be the next time, too */
    (void)snprintf(why, sizeof(why), "%.200s", e.message);
    (void)drh_fail(&e, st, "%s answers %u: %s", url_plain(p->x.url, plain, sizeof(plain)),
                   p->x.answer.status, why);
    piece_release(p);
    fail_now(f, st, &e);
}

/* ---- anything else ---- */

/* What the hub's source has to say of the answer; DRH_OK: nothing. */
static drh_status ask_source(struct piece *p, drh_error *e)
{
    struct job     *j = p->job;
    drh_http_answer a = p->x.answer;
    drh_status      st;

    if (!j->spec->judge || !p->file->trip.at_home) {
        return DRH_OK;
    }
    a.body = drh_text_str(&p->gather);
    (void)pthread_mutex_lock(&j->calls);
    st = j->spec->judge(j->spec->ctx, p->file->index, &a, e);
    (void)pthread_mutex_unlock(&j->calls);
    return st;
}

/* The status alone. */
static drh_status by_status(const struct piece *p, drh_error *e)
{
    const uint32_t s = p->x.answer.status;
    char           plain[200];

    (void)url_plain(p->x.url, plain, sizeof(plain));
    if ((s == 401 || s == 403) && p->file->trip.at_home) {
        return drh_fail(e, DRH_E_AUTH, "%s answers %u: not allowed; give a token", plain, s);
    }
    if (s == 401 || s == 403) { /* no token goes there, so none would help */
        return drh_fail(e, DRH_E_AUTH,
                        "%s answers %u: it refuses the address that the hub gave; a firewall or a "
                        "proxy may be in between, or another endpoint may help",
                        plain, s);
    }
    if (s == 404 || s == 410 || s == 451) {
        return drh_fail(e, DRH_E_MISSING, "%s answers %u: it is not there", plain, s);
    }
    if (s == 407) {
        return drh_fail(e, DRH_E_AUTH,
                        "the proxy wants a name and a password: "
                        "http://NAME:PASSWORD@HOST:PORT in its variable");
    }
    (void)drh_fail(e, DRH_E_NETWORK, "%s answers %u", plain, s);
    if (s == 408 || s == 416 || s == 425 || s == 429 || s >= 500) {
        e->flags |= DRH_ERR_RETRYABLE;
    }
    return DRH_E_NETWORK;
}

/* The source wants to be asked again: it may know another address by now. */
static void ask_again(struct file *f, drh_status st, const drh_error *e)
{
    if (f->n_pieces == 0) {
        trip_free(&f->trip);
        f->has_trip = f->resolved = false;
        f->generation++;
    }
    fail_again(f, st, e);
}

/* 200, but its length is not the file's: a page where the file should be. */
static void end_page(struct piece *p)
{
    struct file *f = p->file;
    drh_error    e = DRH_ERROR_INIT;
    drh_str      body = drh_text_str(&p->gather);
    drh_str      length = drh_hub_header(&p->x.answer, "content-length");
    bool         pointer = drh_str_starts(body, "version https://git-lfs");
    bool         page = piece_text_is(drh_hub_header(&p->x.answer, "content-type"), "text/html");
    char         what[200];
    drh_status   st = ask_source(p, &e);

    if (st != DRH_OK && !(e.flags & DRH_ERR_RETRYABLE)) {
        piece_release(p);
        fail_now(f, st, &e);
        return;
    }
    if (st == DRH_OK) {
        (void)snprintf(what, sizeof(what), "it sends %s of %.*s bytes, and the listing says %llu",
                       pointer ? "a git-lfs pointer"
                       : page  ? "a page for people"
                               : "something",
                       (int)(length.len < 20 ? length.len : 20), length.ptr ? length.ptr : "?",
                       (unsigned long long)f->size);
        st = piece_says(p, &e, what);
        f->any_length =
            !pointer && !page && !drh_str_eq(length, "0"); /* perhaps only it is wrong */
        f->whole = f->whole || f->any_length;
    }
    piece_release(p);
    if (e.flags & DRH_ERR_RETRYABLE) {
        ask_again(f, st, &e);
    } else {
        fail_again(f, st, &e);
    }
}

static void end_other(struct piece *p)
{
    struct file   *f = p->file;
    drh_error      e = DRH_ERROR_INIT;
    const uint32_t s = p->x.answer.status;
    const uint32_t refused = p->x.gate->refused;
    const bool     elsewhere = f->trip.url && !f->trip.at_home;
    bool           asked;
    drh_status     st;

    if (f->trip.url && (s == 400 || s == 401 || s == 403 || s == 404 || s == 410) &&
        f->resolves < MOST_RESOLVES) { /* a signed address ends after a while */
        f->resolves++;
        forget_address(f);
        piece_release(p);
        job_tick(f->job);
        return;
    }
    st = ask_source(p, &e);
    asked = st != DRH_OK;
    st = asked ? st : by_status(p, &e);
    piece_release(p);
    if (s == 429 &&
        refused < MOST_LIMITED) { /* not the file's fault; its origin's gate is closed */
        job_tick(f->job);
    } else if (asked && (e.flags & DRH_ERR_RETRYABLE)) {
        ask_again(f, st, &e);
    } else if ((e.flags & DRH_ERR_RETRYABLE) || elsewhere) {
        fail_again(f, st, &e);
    } else {
        fail_now(f, st, &e);
    }
}

static void end_without_answer(struct piece *p)
{
    struct file *f = p->file;
    drh_error    e = DRH_ERROR_INIT;
    drh_status   st = exchange_failure(&p->x, &e);

    piece_release(p);
    if (st == DRH_E_AUTH || st == DRH_E_NOMEM) {
        fail_now(f, st, &e);
    } else {
        fail_again(f, st, &e);
    }
}

void piece_done(struct exchange *x)
{
    struct piece *p = x->owner;
    struct file  *f = p->file;

    if (!x->has_head) {
        end_without_answer(p);
    } else if (p->mode == PIECE_DATA) {
        end_data(p);
    } else if (p->generation != f->generation) { /* an address that is known to be bad by now */
        piece_release(p);
        job_tick(f->job);
    } else if (p->mode == PIECE_REDIRECT) {
        end_redirect(p);
    } else if (x->answer.status == 200) {
        end_page(p);
    } else {
        end_other(p);
    }
}
