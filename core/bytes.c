/* SPDX-License-Identifier: MIT
 * bytes.c - see bytes.h. */
#include "bytes.h"

#include "err.h"
#include "mem.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

size_t bytes_suffixes(const struct stage *s, const char *const **suffix)
{
    static const char *const usual[] = {".out", NULL};
    size_t                   n = 0;

    *suffix = s->ops.converter.suffixes ? s->ops.converter.suffixes : usual;
    while ((*suffix)[n]) {
        n++;
    }
    return n;
}

/* ---- calls into the stage ---- */

struct bytes_call {
    struct bytes_set *b;
    drh_error        *e;
    drh_status        st;
};

static void do_begin(void *arg)
{
    struct bytes_call *c = arg;
    c->st = c->b->in->stage->ops.converter.begin(c->b->in->self, &c->b->sink, c->e);
}

static void do_end(void *arg)
{
    struct bytes_call *c = arg;
    c->st = c->b->in->stage->ops.converter.end(c->b->in->self, &c->b->sink, c->e);
}

/* A write that failed is the reason, whatever the stage made of it. */
static drh_status judge(const struct instance *in, const struct drh_sink *sink, drh_status st,
                        drh_error *e)
{
    if (sink->error.code != DRH_OK) {
        return err_set(e, sink->error.code, "%s", sink->error.message);
    }
    return stage_error(in, st, e);
}

static drh_status call(struct bytes_set *b, void (*fn)(void *), drh_error *e)
{
    struct bytes_call c = {.b = b, .e = e};
    drh_status        st;

    e->message[0] = '\0';
    instance_call(b->in, fn, &c);
    st = judge(b->in, &b->sink, c.st, e);
    if (st != DRH_OK) {
        err_prefix(e, "step %s", b->in->step);
    }
    return st;
}

drh_status bytes_write(struct instance *in, struct drh_sink *sink, drh_record *const *r, size_t n,
                       drh_error *e)
{
    drh_status st = in->stage->ops.converter.write(in->self, r, n, sink, e);

    return sink->error.code != DRH_OK ? judge(in, sink, st, e) : st;
}

/* ---- the set ---- */

drh_status bytes_open(struct bytes_set *b, struct instance *in, const char *base, bool exact,
                      drh_error *e)
{
    const char *const *suffix;
    size_t             n = bytes_suffixes(in->stage, &suffix);
    drh_status         st = DRH_OK;

    memset(b, 0, sizeof(*b));
    b->in = in;
    b->sink.error = (drh_error)ERR_INIT;
    b->sink.n_parts = (uint32_t)n;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        b->path[i] = exact && n == 1 ? mem_dupz(base) : mem_printf("%s%s", base, suffix[i]);
        st = b->path[i] ? outfile_open(&b->sink.part[i], b->path[i], OUT_DIGEST, e)
                        : err_nomem(e, "a path");
    }
    return st == DRH_OK ? call(b, do_begin, e) : st;
}

/* Regular files only: what a link leads to is replaced, and a device stays what it is. */
static void remove_old(const char *path)
{
    struct stat sb;

    if (lstat(path, &sb) == 0 && S_ISREG(sb.st_mode)) {
        (void)unlink(path);
    }
}

drh_status bytes_commit(struct bytes_set *b, struct manifest_output *out, drh_error *e)
{
    drh_status st = call(b, do_end, e);
    uint32_t   n = b->sink.n_parts;

    /* A new file beside an old one would pass for a set; a file that is missing does not. */
    for (uint32_t i = 0; st == DRH_OK && n > 1 && i < n; i++) {
        remove_old(b->path[i]);
    }
    for (uint32_t i = 0; st == DRH_OK && i < n; i++) {
        struct outfile *o = b->sink.part[i];

        b->sink.part[i] = NULL; /* freed by commit whatever happens */
        st = outfile_commit(o, out ? out[i].sha256 : NULL, NULL, e);
        if (out) {
            out[i].path = b->path[i];
        }
        for (uint32_t k = 0; st != DRH_OK && n > 1 && k <= i; k++) {
            remove_old(b->path[k]);
        }
    }
    return st;
}

void bytes_close(struct bytes_set *b)
{
    for (uint32_t i = 0; i < b->sink.n_parts; i++) {
        outfile_abort(b->sink.part[i]);
        mem_free(b->path[i]);
    }
    memset(b, 0, sizeof(*b));
}
