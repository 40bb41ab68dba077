/* SPDX-License-Identifier: MIT
 * pull_fetch.c - sources that bring their files themselves: each goes to a temporary name, is
 * compared with what was listed, synced and given its name. */
#include "below.h"
#include "err.h"
#include "hash.h"
#include "host.h"
#include "mem.h"
#include "pull.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART "fetch.part"

struct bring {
    const struct pull *l;
    struct plan_step  *s;
    char              *part; /* path of the temporary, for the source */
    int                root, state;
};

struct fetch_call {
    const struct bring *b;
    const drh_file     *file;
    drh_error          *e;
    drh_status          st;
};

static void do_fetch(void *arg)
{
    struct fetch_call *c = arg;
    c->st = c->b->s->stage->ops.source.fetch(c->b->s->in->self, NULL, c->file, c->b->part, c->e);
}

/* Is it what the source listed?  As far as it said anything. */
static drh_status verify(const struct listed *f, int fd, drh_error *e)
{
    char        want_hex[65], got_hex[65];
    uint8_t     got[32];
    size_t      n = f->hash == DRH_HASH_GIT_SHA1 ? 20 : 32;
    struct stat sb;
    drh_status  st;

    if (fstat(fd, &sb) != 0) {
        return err_errno(e, errno, "cannot read", f->name);
    }
    if (f->size != UINT64_MAX && (uint64_t)sb.st_size != f->size) {
        return err_set(e, DRH_E_DATA, "it has %llu bytes, and the source says %llu; try again",
                       (unsigned long long)sb.st_size, (unsigned long long)f->size);
    }
    if (f->hash == DRH_HASH_NONE) {
        return DRH_OK;
    }
    st = hash_fd(fd, f->hash, got, f->name, e);
    if (st == DRH_OK && memcmp(got, f->digest, n) != 0) {
        hex_of(got, n, got_hex);
        hex_of(f->digest, n, want_hex);
        st = err_set(e, DRH_E_DATA, "it has the %s %s, and the source says %s; try again",
                     n == 20 ? "git id" : "SHA-256", got_hex, want_hex);
    }
    return st;
}

static drh_status fetch_one(const struct bring *b, const struct listed *f, drh_error *e)
{
    char              hex[65];
    drh_file          file;
    struct fetch_call c = {.b = b, .file = &file, .e = e};
    int               fd = -1;
    drh_status        st;

    listed_file(f, hex, &file);
    e->message[0] = '\0';
    instance_call(b->s->in, do_fetch, &c);
    st = c.st == DRH_OK ? below_open(b->state, PART, O_RDONLY, &fd, e)
                        : stage_error(b->s->in, c.st, e);
    if (c.st == DRH_OK && st == DRH_E_MISSING) {
        st = err_set(e, DRH_E_INTERNAL, "the source says that it is there, and wrote nothing");
    }
    st = st == DRH_OK ? verify(f, fd, e) : st;
    if (st == DRH_OK && fsync(fd) != 0 && errno != EINVAL) {
        st = err_errno(e, errno, "cannot sync", f->name);
    }
    st = st == DRH_OK ? below_commit(b->root, f->name, b->state, PART, e) : st;
    if (fd >= 0) {
        (void)close(fd);
    }
    (void)unlinkat(b->state, PART, 0); /* what failed, or a link in its place */
    return st;
}

static drh_status fetch_files(struct bring *b, struct pull_task *t, drh_error *e)
{
    struct pull *l = t->l;

    for (size_t i = 0; i < t->n; i++) {
        struct listed *f = &l->list.file[t->file[i]];
        drh_status     st =
            run_cancelled() ? err_set(e, DRH_E_CANCELLED, "stopped") : fetch_one(b, f, e);
        if (st == DRH_E_CANCELLED || st == DRH_E_NOMEM) {
            return st;
        }
        if (st != DRH_OK) {
            (void)listed_fail(f, st, e->message);
            continue;
        }
        f->state = LISTED_BROUGHT;
        pull_note_file(l, f);
        l->counts.received += f->size;
        st = manifest_append(l, f, e);
        if (st != DRH_OK) {
            return st;
        }
    }
    return DRH_OK;
}

drh_status pull_fetch(struct pull_task *t, drh_error *e)
{
    struct bring b = {.l = t->l, .s = t->from, .root = -1, .state = -1};
    const char  *last;
    drh_status   st;

    b.part = mem_printf("%s/.cache/drhost/" PART, t->l->root);
    st = b.part ? below_root(t->l->root, &b.root, e) : err_nomem(e, "a path");
    st = st == DRH_OK ? below_folder(b.root, ".cache/drhost/" PART, true, &b.state, &last, e) : st;
    if (st == DRH_OK) {
        (void)unlinkat(b.state, PART, 0); /* an earlier one's, or a link in its place */
        st = fetch_files(&b, t, e);
    }
    if (b.state >= 0) {
        (void)close(b.state);
    }
    if (b.root >= 0) {
        (void)close(b.root);
    }
    mem_free(b.part);
    return st;
}
